#include "store/directory-private.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#define LOCK_FILE "lock"
#define JOURNAL_FILE "journal.db"
#define LOCK_TEXT_MAX 512

/* Not in linux/magic.h of every kernel header package. */
#define MAGIC_CIFS 0xff534d42
#define MAGIC_SMB2 0xfe534d42
#define MAGIC_CEPH 0x00c36400
#define MAGIC_GFS2 0x01161970
#define MAGIC_OCFS2 0x7461636f
#define MAGIC_LUSTRE 0x0bd00bd0

bool syncd_filesystem_is_remote(long type)
{
    static const guint32 remote[] = {
        NFS_SUPER_MAGIC, SMB_SUPER_MAGIC, MAGIC_CIFS, MAGIC_SMB2, CODA_SUPER_MAGIC, AFS_SUPER_MAGIC,
        AFS_FS_MAGIC,    V9FS_MAGIC,      MAGIC_CEPH, MAGIC_GFS2, MAGIC_OCFS2,      MAGIC_LUSTRE,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(remote); i++)
        if ((guint32)type == remote[i])
            return true;
    return false;
}

static bool refuse_mode(const SyncdDirectory *self, GError **error)
{
    struct stat st = {0};
    (void)stat(self->path, &st);
    g_autofree char *next = g_strdup_printf("run `chmod 700 %s`", self->path);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "The mode of the state directory %s (%04o) keeps its owner from using it",
                         self->path, (unsigned)st.st_mode & 07777);
    return false;
}

static bool refuse_owner(const SyncdDirectory *self, const struct stat *st, GError **error)
{
    g_autofree char *next =
        g_strdup_printf("run as its owner, give another --state-dir, or, if it should be yours, "
                        "have an administrator run `chown -R %u %s`",
                        (unsigned)geteuid(), self->path);
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "The state directory %s belongs to uid %u, not to uid %u", self->path,
                         (unsigned)st->st_uid, (unsigned)geteuid());
    return false;
}

static void refuse_to_open(const SyncdDirectory *self, int problem, GError **error)
{
    struct stat st;
    bool seen = problem == EACCES && stat(self->path, &st) == 0;
    if (seen && st.st_uid != geteuid())
        refuse_owner(self, &st, error);
    else if (seen)
        refuse_mode(self, error);
    else
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "Cannot open the state directory %s", self->path);
}

/* Whatever cannot be made in it would fail with fewer words. */
static bool check_mode(const SyncdDirectory *self, GError **error)
{
    bool refused = faccessat(self->fd, ".", R_OK | W_OK | X_OK, AT_EACCESS) < 0 && errno == EACCES;
    return !refused || refuse_mode(self, error);
}

static bool check_owner_and_place(SyncdDirectory *self, GError **error)
{
    struct stat st;
    struct statfs fs;
    if (fstat(self->fd, &st) < 0 || fstatfs(self->fd, &fs) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot examine the state directory %s", self->path);
        return false;
    }
    if (st.st_uid != geteuid())
        return refuse_owner(self, &st, error);
    if ((st.st_mode & 077) != 0 && fchmod(self->fd, 0700) < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot make %s private",
                              self->path);
        return false;
    }
    if (syncd_filesystem_is_remote((long)fs.f_type)) {
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_ARGS, "put the state on a local disk",
            "The state directory %s is on a network file system, where locks and fsync do "
            "not keep their promises",
            self->path);
        return false;
    }
    return true;
}

/* Whether the kernel says of a process that it holds the lock. The text is of whoever wrote it: "0"
 * would end the reader's own processes, and the process of another namespace a stranger's. */
static bool holds_lock(const SyncdDirectory *self, const char *pid)
{
    struct stat st;
    guint64 id;
    g_autofree char *locks = NULL;
    if (!g_ascii_string_to_unsigned(pid, 10, 2, G_MAXINT, &id, NULL) ||
        fstat(self->lock_fd, &st) < 0 || !g_file_get_contents("/proc/locks", &locks, NULL, NULL))
        return false;
    /* The device may be another than that of stat(2), as on Btrfs. */
    g_autofree char *holder = g_strdup_printf("FLOCK +ADVISORY +WRITE +%" G_GUINT64_FORMAT
                                              " [^ ]*:%" G_GUINT64_FORMAT " ",
                                              id, (guint64)st.st_ino);
    return g_regex_match_simple(holder, locks, 0, 0);
}

static void refuse_held(const SyncdDirectory *self, GError **error)
{
    char text[LOCK_TEXT_MAX + 1];
    ssize_t n = pread(self->lock_fd, text, LOCK_TEXT_MAX, 0);
    text[MAX(n, 0)] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    const char *pid = lines[0] != NULL && lines[0][0] != '\0' ? lines[0] : "unknown";
    const char *address = lines[0] != NULL && lines[1] != NULL ? lines[1] : "";
    g_autofree char *next = holds_lock(self, pid)
                                ? g_strdup_printf("use the running one, or stop it first: `kill "
                                                  "%s`",
                                                  pid)
                                : g_strdup("use the running one, or stop it first");
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, next,
                         "The state in %s is in use by another sourceos-syncd (pid %s%s%s)",
                         self->path, pid, address[0] != '\0' ? " at " : "", address);
}

static bool take_lock(SyncdDirectory *self, GError **error)
{
    /* Reading state must not create it, but its lock file may be missing from a restored copy. */
    self->lock_fd = syncd_fd_open_at(self->fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW);
    if (self->lock_fd < 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot open the lock of %s", self->path);
        return false;
    }
    if (flock(self->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK) {
            syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot lock %s",
                                  self->path);
            return false;
        }
        refuse_held(self, error);
        /* Its text is the holder's, and is not ours to clear. */
        syncd_fd_close(&self->lock_fd);
        return false;
    }
    return syncd_directory_announce(self, "", error);
}

/* Where a home or a state directory is reached by a symbolic link (/home, /var/lib/private), only
 * the way to it may hold one: SQLite refuses them anywhere in a path that it is given. */
static void resolve_links(SyncdDirectory *self)
{
    char *real = realpath(self->path, NULL);
    if (real == NULL)
        return; /* opening tells why */
    g_free(self->path);
    self->path = g_strdup(real);
    free(real);
}

static bool sync_path(const char *path)
{
    int fd = syncd_fd_open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    bool ok = fd >= 0 && syncd_fd_sync(fd);
    int saved = errno;
    syncd_fd_close(&fd);
    errno = saved;
    return ok;
}

/* With its parents, and so that a power cut does not take it back: what lies in it is only as
 * durable as the way to it. */
static bool make_durably(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    if (mkdir(path, 0700) == 0)
        return sync_path(parent);
    if (errno == EEXIST)
        return true;
    return errno == ENOENT && make_durably(parent) && (mkdir(path, 0700) == 0 || errno == EEXIST) &&
           sync_path(parent);
}

static bool make_folder(SyncdDirectory *self, GError **error)
{
    if (make_durably(self->path))
        return true;
    bool full = errno == ENOSPC || errno == EDQUOT;
    syncd_set_error_next(error, full ? SYNCD_ERROR_NO_SPACE : SYNCD_ERROR_STORAGE_FAILED,
                         "choose a place that can be written",
                         "Cannot create the state directory %s: %s", self->path, g_strerror(errno));
    return false;
}

SyncdDirectory *syncd_directory_open(const char *path, SyncdDirectoryMode mode, GError **error)
{
    g_autoptr(SyncdDirectory) self = g_new0(SyncdDirectory, 1);
    self->path = g_canonicalize_filename(path, NULL);
    self->fd = self->lock_fd = -1;

    if (mode == SYNCD_DIRECTORY_CREATE && !make_folder(self, error))
        return NULL;
    resolve_links(self);
    self->fd = syncd_fd_open_at(AT_FDCWD, self->path, O_RDONLY | O_DIRECTORY);
    if (self->fd < 0 && errno == ENOENT) {
        syncd_set_error(error, SYNCD_ERROR_NOT_INITIALIZED, "There is no state in %s", self->path);
        return NULL;
    }
    if (self->fd < 0) {
        refuse_to_open(self, errno, error);
        return NULL;
    }
    if (mode == SYNCD_DIRECTORY_EXISTING && !syncd_directory_has(self, JOURNAL_FILE)) {
        syncd_set_error(error, SYNCD_ERROR_NOT_INITIALIZED, "There is no state in %s", self->path);
        return NULL;
    }
    if (!check_owner_and_place(self, error) ||
        (mode == SYNCD_DIRECTORY_CREATE && !check_mode(self, error)) || !take_lock(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void syncd_directory_free(SyncdDirectory *self)
{
    if (self == NULL)
        return;
    /* The text goes before the lock: nobody may read a holder that is gone. The file stays, because
     * removing it would let two processes lock two files of one name. */
    if (self->lock_fd >= 0 && !syncd_fd_truncate(self->lock_fd, 0))
        g_debug("cannot clear the lock: %s", g_strerror(errno));
    syncd_fd_close(&self->lock_fd);
    syncd_fd_close(&self->fd);
    g_free(self->path);
    g_free(self);
}

bool syncd_directory_announce(SyncdDirectory *self, const char *address, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n%s\n", (int)getpid(), address);
    size_t size = MIN(strlen(text), LOCK_TEXT_MAX);
    if (!syncd_fd_truncate(self->lock_fd, 0) ||
        TEMP_FAILURE_RETRY(pwrite(self->lock_fd, text, size, 0)) < 0) {
        /* On a full disk the lock itself still holds; only its text is missing. */
        if (errno == ENOSPC || errno == EDQUOT)
            return true;
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot write the lock of %s", self->path);
        return false;
    }
    return true;
}

const char *syncd_directory_path(const SyncdDirectory *self)
{
    return self->path;
}

char *syncd_directory_file(const SyncdDirectory *self, const char *name)
{
    return g_build_filename(self->path, name, NULL);
}

bool syncd_directory_has(const SyncdDirectory *self, const char *name)
{
    struct stat st;
    return fstatat(self->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

bool syncd_directory_is_same(const SyncdDirectory *self, const char *name, const char *other)
{
    struct stat st, other_st;
    return fstatat(self->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstatat(self->fd, other, &other_st, AT_SYMLINK_NOFOLLOW) == 0 &&
           st.st_dev == other_st.st_dev && st.st_ino == other_st.st_ino;
}

bool syncd_directory_sync(SyncdDirectory *self, GError **error)
{
    if (syncd_fd_sync(self->fd))
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot sync %s", self->path);
    return false;
}
