#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE (64u * 1024u)

static bool read_all(int fd, GString *text, size_t max, const char *path, GError **error)
{
    for (;;) {
        size_t start = text->len;
        g_string_set_size(text, start + READ_SIZE);
        ssize_t n = read(fd, text->str + start, READ_SIZE);
        int errnum = errno;
        g_string_set_size(text, start + (n > 0 ? (size_t)n : 0));
        if (n == 0)
            return true;
        if (n < 0 && errnum == EINTR)
            continue;
        if (n < 0) {
            syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errnum, "Cannot read %s", path);
            return false;
        }
        if (text->len > max) {
            syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "%s is larger than %zu bytes", path, max);
            return false;
        }
    }
}

/* Negative on failure. */
static int open_named(const char *path, const char **ret_name, GError **error)
{
    bool standard = strcmp(path, "-") == 0;
    *ret_name = standard ? "standard input" : path;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        syncd_set_error_next(error, errno == ENOENT ? SYNCD_ERROR_NOT_FOUND : SYNCD_ERROR_FAILED,
                             "check the name and the rights of the file", "Cannot open %s: %s",
                             path, g_strerror(errno));
    return fd;
}

bool syncd_file_hash(const char *path, SyncdHash *ret_hash, GError **error)
{
    const char *name;
    int fd = open_named(path, &name, error);
    if (fd < 0)
        return false;
    g_autofree char *piece = g_malloc(READ_SIZE);
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    ssize_t n;
    do {
        n = read(fd, piece, READ_SIZE);
        if (n > 0)
            syncd_hasher_update(hasher, piece, (size_t)n);
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0)
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "Cannot read %s", name);
    if (fd != STDIN_FILENO)
        close(fd);
    *ret_hash = syncd_hasher_finish(hasher);
    return n == 0;
}

char *syncd_file_read(const char *path, size_t max, size_t *ret_size, GError **error)
{
    const char *name;
    int fd = open_named(path, &name, error);
    if (fd < 0)
        return NULL;
    GString *text = g_string_new(NULL);
    bool read_it = read_all(fd, text, max, name, error);
    if (fd != STDIN_FILENO)
        close(fd);
    *ret_size = text->len;
    return g_string_free(text, !read_it);
}

bool syncd_file_write(const char *path, const char *text, size_t size, GError **error)
{
    g_autoptr(GError) fault = NULL;
    if (g_file_set_contents_full(path, text, (gssize)size,
                                 G_FILE_SET_CONTENTS_CONSISTENT | G_FILE_SET_CONTENTS_DURABLE, 0644,
                                 &fault))
        return true;
    SyncdErrorCode code = g_error_matches(fault, G_FILE_ERROR, G_FILE_ERROR_NOSPC)
                              ? SYNCD_ERROR_NO_SPACE
                              : SYNCD_ERROR_FAILED;
    syncd_set_error_next(error, code, "check the name, the rights and the space of the place",
                         "Cannot write %s: %s", path, fault->message);
    return false;
}

static bool write_all(int fd, const char *text, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = write(fd, text + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool sync_directory_of(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int errnum = errno;
    if (fd >= 0)
        close(fd);
    errno = errnum;
    return synced;
}

/* link() is what never replaces a file. */
static bool publish_new(const char *temporary, int fd, const char *path, const char *text,
                        size_t size, bool *ret_existed)
{
    if (!write_all(fd, text, size) || fsync(fd) < 0)
        return false;
    *ret_existed = link(temporary, path) < 0;
    return *ret_existed ? errno == EEXIST : sync_directory_of(path);
}

bool syncd_file_create(const char *path, const char *text, size_t size, bool *ret_existed,
                       GError **error)
{
    g_autofree char *temporary = g_strconcat(path, ".XXXXXX", NULL);
    int fd = g_mkstemp_full(temporary, O_WRONLY | O_CLOEXEC, 0600);
    bool published = fd >= 0 && publish_new(temporary, fd, path, text, size, ret_existed);
    if (!published)
        syncd_set_error_errno(error, SYNCD_ERROR_FAILED, errno, "Cannot write %s", path);
    if (fd >= 0) {
        unlink(temporary);
        close(fd);
    }
    return published;
}
