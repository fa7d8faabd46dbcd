#include "reader/place.h"

#include "domain/file-content.h"
#include "reader/leftover.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/xattr.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BUFFER_SIZE (128u * 1024u)

/* ---- what came ---- */

void syncd_staging_init(SyncdStaging *self)
{
    *self = (SyncdStaging){.fd = -1};
}

void syncd_staging_clear(SyncdStaging *self)
{
    if (self->fd >= 0)
        close(self->fd);
    syncd_staging_init(self);
}

static guint32 write_all(int fd, SyncdBytes bytes)
{
    while (bytes.size > 0) {
        ssize_t n = TEMP_FAILURE_RETRY(write(fd, bytes.data, bytes.size));
        if (n < 0)
            return (guint32)errno;
        bytes = SYNCD_BYTES((const guint8 *)bytes.data + n, bytes.size - (size_t)n);
    }
    return 0;
}

void syncd_staging_add(SyncdStaging *self, guint64 offset, SyncdBytes bytes)
{
    if (offset == 0) {
        syncd_staging_clear(self);
        self->fd = memfd_create("restore", MFD_CLOEXEC);
        self->problem = self->fd < 0 ? (guint32)errno : 0;
    }
    if (self->problem == 0 && offset != self->size)
        self->problem = EBADMSG;
    if (self->problem == 0 && self->size + bytes.size > SYNCD_FILE_KEPT_MAX)
        self->problem = EFBIG;
    if (self->problem == 0)
        self->problem = write_all(self->fd, bytes);
    self->size += bytes.size;
}

/* To `to` if that is one, and into the digest. */
static guint32 copy(SyncdContent *content, const SyncdStaging *staging, int to, SyncdHash *ret_hash)
{
    g_autofree guint8 *buffer = g_malloc(BUFFER_SIZE);
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    guint32 problem = 0;
    for (guint64 at = 0; problem == 0 && at < staging->size;) {
        ssize_t n = TEMP_FAILURE_RETRY(pread(staging->fd, buffer, BUFFER_SIZE, (off_t)at));
        if (n <= 0)
            return n < 0 ? (guint32)errno : EBADMSG;
        syncd_hasher_update(hasher, buffer, (size_t)n);
        if (to >= 0)
            problem = write_all(to, SYNCD_BYTES(buffer, (size_t)n));
        if (problem == 0)
            problem = syncd_content_pause(content, (size_t)n);
        at += (guint64)n;
    }
    *ret_hash = syncd_hasher_finish(hasher);
    return problem;
}

static guint32 check_staged(SyncdContent *content, const SyncdStaging *staging,
                            const SyncdWireMessage *request)
{
    SyncdHash hash;
    guint32 problem = staging->problem;
    if (problem == 0 && staging->size != request->stat.size)
        problem = EBADMSG;
    if (problem == 0)
        problem = copy(content, staging, -1, &hash);
    return problem != 0 || syncd_hash_equal(&hash, &request->hash) ? problem : EBADMSG;
}

/* ---- what is there ---- */

/* What has the name, if it is what it was said to be; its kind is 0 where nothing is. */
static guint32 check_present(SyncdContent *content, int folder, const char *name,
                             const SyncdWireMessage *request, SyncdFileStat *ret_stat)
{
    bool mounted;
    SyncdHash hash;
    *ret_stat = (SyncdFileStat){0};
    guint32 problem = syncd_stat_in(folder, name, ret_stat, &mounted);
    if ((request->flags & SYNCD_WIRE_OVER) == 0)
        return problem == ENOENT ? 0 : problem != 0 ? problem : EEXIST;
    if (problem != 0 || ret_stat->kind != SYNCD_FILE_REGULAR || mounted)
        return problem == 0 || problem == ENOENT ? EEXIST : problem;
    SyncdOpened file = syncd_open_in(folder, name, O_RDONLY);
    problem = file.fd >= 0 ? syncd_stat_of(file.fd, ret_stat) : file.error;
    if (problem == 0 && ret_stat->kind != SYNCD_FILE_REGULAR)
        problem = EEXIST;
    if (problem == 0)
        problem = syncd_content_hash(content, file.fd, ret_stat, NULL, &hash);
    syncd_opened_close(&file);
    if (problem == 0 && !syncd_hash_equal(&hash, &request->expected))
        problem = EEXIST;
    return problem == EAGAIN || problem == ENOENT ? EEXIST : problem;
}

static bool is_still(int folder, const char *name, const SyncdFileStat *before)
{
    bool mounted;
    SyncdFileStat now;
    return syncd_stat_in(folder, name, &now, &mounted) == 0 && now.kind == before->kind &&
           now.device == before->device && now.inode == before->inode && now.size == before->size &&
           now.mtime == before->mtime && now.mode == before->mode;
}

/* ---- in its place ---- */

/* Where nothing is; file systems that cannot rename so can link. */
static guint32 name_it(int folder, const char *temporary, const char *name)
{
    if (renameat2(folder, temporary, folder, name, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL)
        return (guint32)errno;
    if (linkat(folder, temporary, folder, name, 0) < 0)
        return (guint32)errno;
    unlinkat(folder, temporary, 0);
    return 0;
}

/* What is exchanged for it has to be what was read before; else it goes back. It has its other name
 * by then. */
static guint32 exchange_it(int folder, const char *temporary, const char *name,
                           const SyncdFileStat *before)
{
    if (renameat2(folder, temporary, folder, name, RENAME_EXCHANGE) < 0)
        return errno == ENOENT ? EEXIST : (guint32)errno;
    if (is_still(folder, temporary, before))
        return 0;
    /* Where the name was deleted meanwhile, there is nothing to exchange it for. */
    if (renameat2(folder, temporary, folder, name, RENAME_EXCHANGE) < 0 &&
        (errno != ENOENT || renameat2(folder, temporary, folder, name, RENAME_NOREPLACE) < 0))
        return (guint32)errno;
    return EEXIST;
}

/* Attributes that users give a file belong to the file, and not to its bytes: as far as the file
 * system takes them, what is there hands them on. */
static void hand_on_attributes(int folder, const char *name, int to)
{
    g_autofree char *names = g_malloc(XATTR_LIST_MAX), *value = g_malloc(XATTR_SIZE_MAX);
    SyncdOpened file = syncd_open_in(folder, name, O_RDONLY);
    ssize_t size = file.fd >= 0 ? flistxattr(file.fd, names, XATTR_LIST_MAX) : -1;
    for (const char *at = names; size > 0 && at < names + size; at += strlen(at) + 1) {
        ssize_t n = g_str_has_prefix(at, XATTR_USER_PREFIX)
                        ? fgetxattr(file.fd, at, value, XATTR_SIZE_MAX)
                        : -1;
        if (n >= 0)
            fsetxattr(to, at, value, (size_t)n, 0);
    }
    syncd_opened_close(&file);
}

static int set_time(int fd, gint64 mtime)
{
    const gint64 second = 1000000000, rest = (mtime % second + second) % second;
    const struct timespec times[] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = (time_t)((mtime - rest) / second), .tv_nsec = (long)rest}};
    return mtime == 0 ? 0 : futimens(fd, times);
}

static guint32 fill(SyncdContent *content, int folder, int fd, const SyncdWireMessage *request,
                    const SyncdStaging *staging)
{
    g_autofree char *name = g_strndup(request->name.data, request->name.size);

    SyncdHash hash;
    guint32 problem = copy(content, staging, fd, &hash);
    if (problem == 0 && !syncd_hash_equal(&hash, &request->hash))
        problem = EBADMSG;
    if (problem == 0 && (request->flags & SYNCD_WIRE_OVER) != 0)
        hand_on_attributes(folder, name, fd);
    if (problem == 0 && (fchmod(fd, request->stat.mode) < 0 ||
                         set_time(fd, request->stat.mtime) < 0 || fsync(fd) < 0))
        problem = (guint32)errno;
    return problem;
}

static guint32 publish(int folder, int fd, char **temporary, const char *name,
                       const SyncdFileStat *before, SyncdFileStat *ret_stat)
{
    guint32 problem;
    bool over = before->kind != 0;
    if (over) {
        g_autofree char *replaced = syncd_leftover_replaced(*temporary);
        if (renameat2(folder, *temporary, folder, replaced, RENAME_NOREPLACE) < 0)
            return (guint32)errno;
        g_free(*temporary);
        *temporary = g_steal_pointer(&replaced);
    }
    problem =
        over ? exchange_it(folder, *temporary, name, before) : name_it(folder, *temporary, name);
    if (problem != 0)
        return problem;
    /* What was there goes once the other is durable, and if it is still that. */
    if (fsync(folder) < 0)
        return (guint32)errno;
    if (over && is_still(folder, *temporary, before))
        unlinkat(folder, *temporary, 0);
    return syncd_stat_of(fd, ret_stat);
}

guint32 syncd_place(SyncdContent *content, int folder, const SyncdWireMessage *request,
                    const SyncdStaging *staging, SyncdFileStat *ret_stat, bool *ret_placed)
{
    SyncdFileStat before;
    *ret_placed = false;
    g_autofree char *name = g_strndup(request->name.data, request->name.size), *temporary = NULL;
    guint32 problem = check_staged(content, staging, request);
    if (problem == 0)
        problem = check_present(content, folder, name, request, &before);
    if (problem != 0)
        return problem;
    int fd = syncd_leftover_begin(folder, &temporary);
    if (fd < 0)
        return (guint32)errno;
    problem = fill(content, folder, fd, request, staging);
    /* Filling it takes a while: others may have come, or want nothing of it any more. */
    if (problem == 0)
        problem = check_present(content, folder, name, request, &before);
    if (problem == 0)
        problem = syncd_content_goes_on(content) ? 0 : ECANCELED;
    if (problem == 0)
        problem = publish(folder, fd, &temporary, name, &before, ret_stat);
    *ret_placed = problem == 0 || syncd_is_named(folder, name, fd);
    if (problem != 0)
        syncd_remove_named(folder, temporary, fd, 0);
    close(fd);
    return problem;
}

/* ---- the folder ---- */

static guint32 check_folder(const SyncdLook *look, int fd)
{
    SyncdFileStat stat;
    guint32 problem = syncd_stat_of(fd, &stat);
    if (problem != 0)
        return problem;
    return stat.device != look->device || syncd_look_is_hidden(look, &stat) ? EXDEV : 0;
}

static SyncdOpened open_next(const SyncdLook *look, int at, const char *name)
{
    SyncdOpened next = syncd_open_in(at, name, O_RDONLY | O_DIRECTORY);
    guint32 problem = next.fd >= 0 ? check_folder(look, next.fd) : next.error;
    if (problem != 0) {
        syncd_opened_close(&next);
        next.error = problem;
    }
    return next;
}

SyncdOpened syncd_place_open_folder(const SyncdLook *look, int root, SyncdBytes path)
{
    g_autofree char *text = g_strndup(path.data, path.size);
    g_auto(GStrv) names = g_strsplit(text, "/", -1);
    SyncdOpened at = syncd_open_in(root, ".", O_RDONLY | O_DIRECTORY);
    for (size_t i = 0; at.fd >= 0 && path.size > 0 && names[i] != NULL; i++) {
        SyncdOpened next = open_next(look, at.fd, names[i]);
        syncd_opened_close(&at);
        at = next;
    }
    return at;
}

/* What it inherits of the folder that it is in stays, where that may be said. */
static guint32 set_mode(int fd, guint32 mode)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return (guint32)errno;
    guint32 inherited = st.st_mode & S_ISGID;
    return (st.st_mode & SYNCD_FILE_MODE_BITS) == (mode | inherited) ||
                   fchmod(fd, mode | inherited) == 0 ||
                   (inherited != 0 && errno == EPERM && fchmod(fd, mode) == 0)
               ? 0
               : (guint32)errno;
}

guint32 syncd_place_make_folder(const SyncdLook *look, int folder, const SyncdWireMessage *request,
                                SyncdFileStat *ret_stat)
{
    g_autofree char *name = g_strndup(request->name.data, request->name.size);
    if (mkdirat(folder, name, S_IRWXU) < 0)
        return (guint32)errno;
    SyncdOpened made = open_next(look, folder, name);
    guint32 problem = made.error;
    if (made.fd >= 0)
        problem = set_mode(made.fd, request->stat.mode);
    if (problem == 0)
        problem = syncd_stat_of(made.fd, ret_stat);
    if (problem == 0 && fsync(folder) < 0)
        problem = (guint32)errno;
    if (problem != 0 && made.fd >= 0)
        syncd_remove_named(folder, name, made.fd, AT_REMOVEDIR);
    syncd_opened_close(&made);
    return problem;
}
