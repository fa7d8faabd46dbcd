#include "store/directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOCK_FILE "lock"
#define RESERVE_FILE "reserve"
#define JOURNAL_FILE "journal.db"
#define LOCK_TEXT_MAX 512
#define REWRITE_SIZE (256u * 1024u)

/* Not in linux/magic.h of every kernel header package. */
#define MAGIC_CIFS 0xff534d42
#define MAGIC_SMB2 0xfe534d42
#define MAGIC_CEPH 0x00c36400
#define MAGIC_GFS2 0x01161970
#define MAGIC_OCFS2 0x7461636f
#define MAGIC_LUSTRE 0x0bd00bd0

struct SyncdDirectory {
    char *path;
    int fd;
    int lock_fd;
};

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

/* A signal is no failure of the disk: what it interrupts is done again. */
static int open_at(int at, const char *name, int flags)
{
    return (int)TEMP_FAILURE_RETRY(openat(at, name, flags | O_CLOEXEC, 0600));
}

static bool sync_fd(int fd)
{
    return TEMP_FAILURE_RETRY(fsync(fd)) == 0;
}

static bool truncate_fd(int fd, off_t size)
{
    return TEMP_FAILURE_RETRY(ftruncate(fd, size)) == 0;
}

/* Gives an errno. */
static int allocate_fd(int fd, off_t size)
{
    int problem;
    do
        problem = posix_fallocate(fd, 0, size);
    while (problem == EINTR);
    return problem;
}

/* On Linux an interrupted close has closed. */
static bool fd_close(int *fd)
{
    bool ok = *fd < 0 || close(*fd) == 0 || errno == EINTR;
    *fd = -1;
    return ok;
}

static bool write_all(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
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

static char *describe_holder(int fd)
{
    char text[LOCK_TEXT_MAX + 1];
    ssize_t n = pread(fd, text, LOCK_TEXT_MAX, 0);
    text[MAX(n, 0)] = '\0';
    g_auto(GStrv) lines = g_strsplit(text, "\n", 3);
    const char *pid = lines[0] != NULL && lines[0][0] != '\0' ? lines[0] : "unknown";
    const char *address = lines[0] != NULL && lines[1] != NULL ? lines[1] : "";
    return address[0] != '\0' ? g_strdup_printf("pid %s at %s", pid, address)
                              : g_strdup_printf("pid %s", pid);
}

static bool take_lock(SyncdDirectory *self, SyncdDirectoryMode mode, GError **error)
{
    /* Reading state must not create it, but its lock file may be missing from a restored copy. */
    self->lock_fd = open_at(self->fd, LOCK_FILE, O_RDWR | O_CREAT | O_NOFOLLOW);
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
        g_autofree char *holder = describe_holder(self->lock_fd);
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "use the running one, or stop it first",
                             "The state in %s is in use by another sourceos-syncd (%s)", self->path,
                             holder);
        /* Its text is the holder's, and is not ours to clear. */
        fd_close(&self->lock_fd);
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
    int fd = open_at(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
    bool ok = fd >= 0 && sync_fd(fd);
    int saved = errno;
    fd_close(&fd);
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
    self->fd = open_at(AT_FDCWD, self->path, O_RDONLY | O_DIRECTORY);
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
        (mode == SYNCD_DIRECTORY_CREATE && !check_mode(self, error)) ||
        !take_lock(self, mode, error))
        return NULL;
    return g_steal_pointer(&self);
}

void syncd_directory_free(SyncdDirectory *self)
{
    if (self == NULL)
        return;
    /* The text goes before the lock: nobody may read a holder that is gone. The file stays, because
     * removing it would let two processes lock two files of one name. */
    if (self->lock_fd >= 0 && !truncate_fd(self->lock_fd, 0))
        g_debug("cannot clear the lock: %s", g_strerror(errno));
    fd_close(&self->lock_fd);
    fd_close(&self->fd);
    g_free(self->path);
    g_free(self);
}

bool syncd_directory_announce(SyncdDirectory *self, const char *address, GError **error)
{
    g_autofree char *text = g_strdup_printf("%d\n%s\n", (int)getpid(), address);
    size_t size = MIN(strlen(text), LOCK_TEXT_MAX);
    if (!truncate_fd(self->lock_fd, 0) ||
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

bool syncd_directory_sync(SyncdDirectory *self, GError **error)
{
    if (sync_fd(self->fd))
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot sync %s", self->path);
    return false;
}

/* The folder `part` of an open one, made durably when it may be and is not there. Never through a
 * symbolic link. */
static int open_part(int at, const char *part, bool make)
{
    bool made = make && mkdirat(at, part, 0700) == 0;
    if (make && !made && errno != EEXIST)
        return -1;
    if (made && !sync_fd(at))
        return -1;
    return open_at(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/* Opens the folder that `name` lies in. `*ret_base` points into name. */
static int open_folder(SyncdDirectory *self, const char *name, bool make, const char **ret_base)
{
    const char *slash = strrchr(name, '/');
    *ret_base = slash != NULL ? slash + 1 : name;

    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    int at = open_at(self->fd, ".", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; at >= 0 && parts[i] != NULL && parts[i + 1] != NULL; i++) {
        int next = open_part(at, parts[i], make);
        int saved = errno;
        close(at);
        errno = saved;
        at = next;
    }
    return at;
}

bool syncd_directory_publish(SyncdDirectory *self, const char *name, SyncdBytes bytes,
                             GError **error)
{
    const char *base;
    int folder = open_folder(self, name, true, &base);
    int fd = -1;
    g_autofree char *temporary = g_strconcat(".", base, ".new", NULL);
    if (folder >= 0) {
        /* One that a crash left behind may be anything. */
        unlinkat(folder, temporary, 0);
        fd = open_at(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    }

    bool ok = fd >= 0 && write_all(fd, bytes.data, bytes.size) && sync_fd(fd);
    int problem = ok ? 0 : errno;
    if (!fd_close(&fd) && ok) {
        ok = false;
        problem = errno;
    }
    if (ok && (renameat(folder, temporary, folder, base) < 0 || !sync_fd(folder))) {
        ok = false;
        problem = errno;
    }
    if (!ok) {
        if (folder >= 0)
            unlinkat(folder, temporary, 0);
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot write %s/%s",
                              self->path, name);
    }
    fd_close(&folder);
    return ok;
}

static int open_for_reading(SyncdDirectory *self, const char *name)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int fd = folder < 0 ? -1 : open_at(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    int saved = errno;
    fd_close(&folder);
    errno = saved;
    return fd;
}

bool syncd_directory_sync_file(SyncdDirectory *self, const char *name, GError **error)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int fd = folder < 0 ? -1 : open_at(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 && sync_fd(fd) && sync_fd(folder);
    if (!ok)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot sync %s/%s",
                              self->path, name);
    fd_close(&fd);
    fd_close(&folder);
    return ok;
}

char *syncd_directory_read(SyncdDirectory *self, const char *name, size_t max, size_t *ret_size,
                           GError **error)
{
    int fd = open_for_reading(self, name);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        SyncdErrorCode code = errno == ENOENT ? SYNCD_ERROR_NOT_FOUND : SYNCD_ERROR_STORAGE_FAILED;
        syncd_set_error_errno(error, code, errno, "Cannot open %s/%s", self->path, name);
        fd_close(&fd);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || (guint64)st.st_size > max) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE,
                        "%s/%s is not a file of at most %" G_GSIZE_FORMAT " bytes", self->path,
                        name, max);
        fd_close(&fd);
        return NULL;
    }

    size_t size = (size_t)st.st_size, got = 0;
    g_autofree char *bytes = g_malloc(size + 1);
    while (got < size) {
        ssize_t n = read(fd, bytes + got, size - got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot read %s/%s",
                                  self->path, name);
            fd_close(&fd);
            return NULL;
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    fd_close(&fd);
    bytes[got] = '\0';
    *ret_size = got;
    return g_steal_pointer(&bytes);
}

/* Gives an errno. Where writing over something takes room, a full disk must not keep anybody from
 * reading. */
bool syncd_directory_remove(SyncdDirectory *self, const char *name, GError **error)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int problem = folder < 0 || unlinkat(folder, base, 0) < 0 ? errno : 0;
    if (problem == ENOENT)
        problem = 0;
    if (problem == 0 && folder >= 0 && !sync_fd(folder))
        problem = errno;
    fd_close(&folder);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot remove %s/%s",
                              self->path, name);
    return problem == 0;
}

bool syncd_directory_remove_many(SyncdDirectory *self, const char *folder, const GPtrArray *names,
                                 GError **error)
{
    const char *base;
    g_autofree char *within = g_strconcat(folder, "/", NULL);
    int fd = open_folder(self, within, false, &base);
    int problem = fd < 0 && errno != ENOENT ? errno : 0;
    for (guint i = 0; fd >= 0 && problem == 0 && i < names->len; i++)
        if (unlinkat(fd, names->pdata[i], 0) < 0 && errno != ENOENT)
            problem = errno;
    if (problem == 0 && fd >= 0 && !sync_fd(fd))
        problem = errno;
    fd_close(&fd);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "Cannot remove what is in %s/%s", self->path, folder);
    return problem == 0;
}

bool syncd_directory_move(SyncdDirectory *self, const char *from, const char *to, GError **error)
{
    const char *from_base, *to_base;
    int source = open_folder(self, from, false, &from_base);
    int target = source < 0 ? -1 : open_folder(self, to, true, &to_base);
    bool gone = source < 0 && errno == ENOENT;
    int problem = target < 0 ? errno : 0;
    if (problem == 0 && renameat(source, from_base, target, to_base) < 0)
        problem = errno;
    gone |= target >= 0 && problem == ENOENT;
    /* Where it was moved earlier that may not have become durable. */
    if (target >= 0 && (problem == 0 || gone))
        problem = sync_fd(target) && sync_fd(source) ? 0 : errno;
    fd_close(&source);
    fd_close(&target);
    if (problem != 0 && !(gone && problem == ENOENT))
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot move %s/%s",
                              self->path, from);
    return problem == 0 || (gone && problem == ENOENT);
}

static int compare_names(const void *one, const void *other)
{
    return strcmp(*(const char *const *)one, *(const char *const *)other);
}

bool syncd_directory_list(SyncdDirectory *self, const char *folder,
                          bool (*is_wanted)(const char *name), guint max, GPtrArray **ret_names,
                          GError **error)
{
    int fd = open_at(self->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int problem = dir == NULL ? errno : 0;
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    errno = 0;
    for (const struct dirent *entry; dir != NULL && names->len <= max;) {
        entry = readdir(dir);
        if (entry == NULL) {
            problem = errno;
            break;
        }
        if (is_wanted(entry->d_name))
            g_ptr_array_add(names, g_strdup(entry->d_name));
    }
    if (dir != NULL)
        closedir(dir);
    else
        fd_close(&fd);
    if (problem != 0 && problem != ENOENT) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot list %s/%s",
                              self->path, folder);
        return false;
    }
    if (names->len > max) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED, "There are more than %u files in %s/%s",
                        max, self->path, folder);
        return false;
    }
    g_ptr_array_sort(names, compare_names);
    *ret_names = g_steal_pointer(&names);
    return true;
}

bool syncd_directory_link(SyncdDirectory *self, const char *name, const char *other, GError **error)
{
    const char *base;
    int folder = open_folder(self, other, true, &base);
    int problem = folder < 0 || (unlinkat(folder, base, 0) < 0 && errno != ENOENT) ? errno : 0;
    if (problem == 0 && (linkat(self->fd, name, folder, base, 0) < 0 || !sync_fd(folder)))
        problem = errno;
    fd_close(&folder);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot keep %s/%s as %s",
                              self->path, name, other);
    return problem == 0;
}

bool syncd_directory_rename(SyncdDirectory *self, const char *name, const char *other,
                            GError **error)
{
    if (renameat(self->fd, name, self->fd, other) == 0)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                          "Cannot put %s/%s in the place of %s", self->path, name, other);
    return false;
}

static int rewrite_bytes(int fd)
{
    g_autofree char *bytes = g_malloc(REWRITE_SIZE);
    for (off_t at = 0;;) {
        ssize_t got = TEMP_FAILURE_RETRY(pread(fd, bytes, REWRITE_SIZE, at));
        if (got <= 0)
            return got < 0 ? errno : 0;
        ssize_t put = TEMP_FAILURE_RETRY(pwrite(fd, bytes, (size_t)got, at));
        if (put < 0)
            return errno == ENOSPC || errno == EDQUOT ? 0 : errno;
        at += put;
    }
}

bool syncd_directory_rewrite(SyncdDirectory *self, const char *name, GError **error)
{
    int fd = open_at(self->fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return true;
    int problem = fd < 0 ? errno : rewrite_bytes(fd);
    if (problem == 0 && !sync_fd(fd))
        problem = errno;
    fd_close(&fd);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "Cannot write %s/%s again", self->path, name);
    return problem == 0;
}

bool syncd_directory_reserve(SyncdDirectory *self, guint64 bytes, GError **error)
{
    struct stat st = {0};
    int fd = open_at(self->fd, RESERVE_FILE, O_RDWR | O_CREAT | O_NOFOLLOW);
    int problem = fd < 0 || fstat(fd, &st) < 0 ? errno : allocate_fd(fd, (off_t)bytes);
    if (problem == 0 && !truncate_fd(fd, (off_t)bytes))
        problem = errno;
    /* What could be had of it must not be kept: it would be the last of the space that others need.
     */
    if (problem != 0 && fd >= 0 &&
        !(st.st_size == 0 ? unlinkat(self->fd, RESERVE_FILE, 0) == 0 : truncate_fd(fd, st.st_size)))
        g_debug("cannot take the reserve back: %s", g_strerror(errno));
    fd_close(&fd);
    if (problem == 0)
        return true;
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                          "Cannot set space aside in %s", self->path);
    return false;
}

bool syncd_directory_release_reserve(SyncdDirectory *self)
{
    return unlinkat(self->fd, RESERVE_FILE, 0) == 0;
}

/* Of the reserve only what is not there yet has to be kept for it. */
bool syncd_directory_room(SyncdDirectory *self, guint64 reserve, guint64 *ret_bytes, GError **error)
{
    struct statvfs fs;
    struct stat st = {0};
    if (fstatvfs(self->fd, &fs) < 0 ||
        (fstatat(self->fd, RESERVE_FILE, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno,
                              "Cannot find how much room there is in %s", self->path);
        return false;
    }
    guint64 free = (guint64)fs.f_bavail * fs.f_frsize;
    guint64 missing = reserve - MIN(reserve, (guint64)st.st_size);
    *ret_bytes = free - MIN(free, missing);
    return true;
}
