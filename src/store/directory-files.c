#include "store/directory-private.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define REWRITE_SIZE (256u * 1024u)

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

/* The folder `part` of an open one, made durably when it may be and is not there. Never through a
 * symbolic link. */
static int open_part(int at, const char *part, bool make)
{
    bool made = make && mkdirat(at, part, 0700) == 0;
    if (make && !made && errno != EEXIST)
        return -1;
    if (made && !syncd_fd_sync(at))
        return -1;
    return syncd_fd_open_at(at, part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
}

/* Opens the folder that `name` lies in. `*ret_base` points into name. */
static int open_folder(SyncdDirectory *self, const char *name, bool make, const char **ret_base)
{
    const char *slash = strrchr(name, '/');
    *ret_base = slash != NULL ? slash + 1 : name;

    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    int at = syncd_fd_open_at(self->fd, ".", O_RDONLY | O_DIRECTORY);
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
        fd = syncd_fd_open_at(folder, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    }

    bool ok = fd >= 0 && write_all(fd, bytes.data, bytes.size) && syncd_fd_sync(fd);
    int problem = ok ? 0 : errno;
    if (!syncd_fd_close(&fd) && ok) {
        ok = false;
        problem = errno;
    }
    if (ok && (renameat(folder, temporary, folder, base) < 0 || !syncd_fd_sync(folder))) {
        ok = false;
        problem = errno;
    }
    if (!ok) {
        if (folder >= 0)
            unlinkat(folder, temporary, 0);
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot write %s/%s",
                              self->path, name);
    }
    syncd_fd_close(&folder);
    return ok;
}

static int open_for_reading(SyncdDirectory *self, const char *name)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int fd = folder < 0 ? -1 : syncd_fd_open_at(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    int saved = errno;
    syncd_fd_close(&folder);
    errno = saved;
    return fd;
}

bool syncd_directory_refuses(SyncdDirectory *self, const char *name)
{
    int fd = open_for_reading(self, name);
    int problem = fd < 0 ? errno : 0;
    syncd_fd_close(&fd);
    return problem == EACCES || problem == EPERM || problem == ELOOP || problem == ENXIO;
}

static const char *describe(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *words;
    } kinds[] = {
        {S_IFDIR, "a directory"}, {S_IFLNK, "a symbolic link"}, {S_IFIFO, "a named pipe"},
        {S_IFSOCK, "a socket"},   {S_IFCHR, "a device"},        {S_IFBLK, "a device"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if ((mode & S_IFMT) == kinds[i].type)
            return kinds[i].words;
    return "something else";
}

bool syncd_directory_require_file(SyncdDirectory *self, const char *name, GError **error)
{
    struct stat st;
    if (fstatat(self->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || S_ISREG(st.st_mode))
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_STORAGE_FAILED,
        S_ISLNK(st.st_mode) ? "put the file that it leads to in its place, or, where it is not "
                              "yours, move it away"
                            : "move it away, and put the file back that belongs there, if there "
                              "was one",
        "%s/%s is %s, where only a file may be", self->path, name, describe(st.st_mode));
    return false;
}

bool syncd_directory_sync_file(SyncdDirectory *self, const char *name, GError **error)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int fd = folder < 0 ? -1 : syncd_fd_open_at(folder, base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 && syncd_fd_sync(fd) && syncd_fd_sync(folder);
    if (!ok)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, errno, "Cannot sync %s/%s",
                              self->path, name);
    syncd_fd_close(&fd);
    syncd_fd_close(&folder);
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
        syncd_fd_close(&fd);
        return NULL;
    }
    if (!S_ISREG(st.st_mode) || (guint64)st.st_size > max) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE,
                        "%s/%s is not a file of at most %" G_GSIZE_FORMAT " bytes", self->path,
                        name, max);
        syncd_fd_close(&fd);
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
            syncd_fd_close(&fd);
            return NULL;
        }
        if (n == 0)
            break;
        got += (size_t)n;
    }
    syncd_fd_close(&fd);
    bytes[got] = '\0';
    *ret_size = got;
    return g_steal_pointer(&bytes);
}

bool syncd_directory_remove(SyncdDirectory *self, const char *name, GError **error)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    int problem = folder < 0 || unlinkat(folder, base, 0) < 0 ? errno : 0;
    if (problem == ENOENT)
        problem = 0;
    if (problem == 0 && folder >= 0 && !syncd_fd_sync(folder))
        problem = errno;
    syncd_fd_close(&folder);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot remove %s/%s",
                              self->path, name);
    return problem == 0;
}

bool syncd_directory_remove_some(SyncdDirectory *self, const char *folder, const GPtrArray *names,
                                 guint max, bool *ret_more, GError **error)
{
    const char *base;
    g_autofree char *within = g_strconcat(folder, "/", NULL);
    int fd = open_folder(self, within, false, &base);
    int problem = fd < 0 && errno != ENOENT ? errno : 0;
    guint at = 0, removed = 0;
    for (; fd >= 0 && problem == 0 && at < names->len && removed < max; at++) {
        bool gone = unlinkat(fd, names->pdata[at], 0) == 0;
        removed += gone;
        if (!gone && errno != ENOENT)
            problem = errno;
    }
    *ret_more = fd >= 0 && at < names->len;
    if (problem == 0 && fd >= 0 && !syncd_fd_sync(fd))
        problem = errno;
    syncd_fd_close(&fd);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "Cannot remove what is in %s/%s", self->path, folder);
    return problem == 0;
}

static void make_private(int folder, const char *name)
{
    struct stat st;
    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
        st.st_uid == geteuid() && st.st_nlink == 1 && (st.st_mode & 07777) != 0600)
        (void)!fchmodat(folder, name, 0600, 0);
}

void syncd_directory_make_private(SyncdDirectory *self, const char *name)
{
    const char *base;
    int folder = open_folder(self, name, false, &base);
    if (folder >= 0)
        make_private(folder, base);
    syncd_fd_close(&folder);
}

bool syncd_directory_move(SyncdDirectory *self, const char *from, const char *to, GError **error)
{
    const char *from_base, *to_base = NULL;
    int source = open_folder(self, from, false, &from_base);
    int target = source < 0 ? -1 : open_folder(self, to, true, &to_base);
    bool gone = source < 0 && errno == ENOENT;
    int problem = target < 0 ? errno : 0;
    if (problem == 0 && renameat(source, from_base, target, to_base) < 0)
        problem = errno;
    if (problem == 0 && to_base != to)
        make_private(target, to_base);
    gone |= target >= 0 && problem == ENOENT;
    /* Where it was moved earlier that may not have become durable. */
    if (target >= 0 && (problem == 0 || gone))
        problem = syncd_fd_sync(target) && syncd_fd_sync(source) ? 0 : errno;
    syncd_fd_close(&source);
    syncd_fd_close(&target);
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
    int fd = syncd_fd_open_at(self->fd, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
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
        syncd_fd_close(&fd);
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
    if (problem == 0 && (linkat(self->fd, name, folder, base, 0) < 0 || !syncd_fd_sync(folder)))
        problem = errno;
    syncd_fd_close(&folder);
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

/* Gives an errno. Holes stay holes: of a file that is nothing else, a disk that is full of its
 * zeros would be made. */
static int copy_bytes(int from, int to)
{
    g_autofree char *bytes = g_malloc(REWRITE_SIZE);
    for (off_t at = 0;;) {
        off_t data = lseek(from, at, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            return 0;
        at = MAX(at, data);
        ssize_t got = TEMP_FAILURE_RETRY(pread(from, bytes, REWRITE_SIZE, at));
        if (got <= 0)
            return got < 0 ? errno : 0;
        ssize_t put = TEMP_FAILURE_RETRY(pwrite(to, bytes, (size_t)got, at));
        if (put < 0)
            return errno;
        at += put;
    }
}

/* Where writing over something takes room, a full disk must not keep anybody from reading. */
static int rewrite_bytes(int fd)
{
    int problem = copy_bytes(fd, fd);
    return problem == ENOSPC || problem == EDQUOT ? 0 : problem;
}

bool syncd_directory_rewrite(SyncdDirectory *self, const char *name, GError **error)
{
    int fd = syncd_fd_open_at(self->fd, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return true;
    int problem = fd < 0 ? errno : rewrite_bytes(fd);
    if (problem == 0 && !syncd_fd_sync(fd))
        problem = errno;
    syncd_fd_close(&fd);
    if (problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem,
                              "Cannot write %s/%s again", self->path, name);
    return problem == 0;
}

/* Gives an errno. */
static int copy_file(int from, int to)
{
    struct stat st;
    int problem = from < 0 || to < 0 || fstat(from, &st) < 0 ? errno : copy_bytes(from, to);
    if (problem == 0 && (!syncd_fd_truncate(to, st.st_size) || !syncd_fd_sync(to)))
        problem = errno;
    return problem;
}

bool syncd_directory_copy(SyncdDirectory *self, const char *name, const char *other, GError **error)
{
    g_autofree char *temporary = g_strconcat(".", other, ".new", NULL);
    unlinkat(self->fd, temporary, 0);
    int from = open_for_reading(self, name);
    int to = from < 0
                 ? -1
                 : syncd_fd_open_at(self->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
    int problem = copy_file(from, to);
    if (!syncd_fd_close(&to) && problem == 0)
        problem = errno;
    syncd_fd_close(&from);
    if (problem == 0 &&
        (renameat(self->fd, temporary, self->fd, other) < 0 || !syncd_fd_sync(self->fd)))
        problem = errno;
    if (problem == 0)
        return true;
    unlinkat(self->fd, temporary, 0);
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot keep %s/%s as %s",
                          self->path, name, other);
    return false;
}
