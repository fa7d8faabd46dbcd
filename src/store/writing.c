#include "store/writing.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define SYNC_BYTES (1024u * 1024u)

struct SyncdWriting {
    SyncdDirectory *directory;
    char *name, *part;
    int fd; /* -1: it is closed */
    off_t size, synced;
    int problem; /* a sync failed */
    bool published;
};

static bool refuse(const SyncdWriting *self, int problem, GError **error)
{
    syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, problem, "Cannot write %s/%s",
                          syncd_directory_path(self->directory), self->name);
    return false;
}

SyncdWriting *syncd_writing_new(SyncdDirectory *directory, const char *name, GError **error)
{
    g_autoptr(SyncdWriting) self = g_new0(SyncdWriting, 1);
    self->directory = directory;
    self->name = g_strdup(name);
    self->part = g_strconcat(name, SYNCD_WRITING_SUFFIX, NULL);
    self->fd = -1;
    g_autofree char *path = syncd_directory_file(directory, self->part);
    /* One that a crash left behind may be anything. */
    if (unlink(path) < 0 && errno != ENOENT) {
        refuse(self, errno, error);
        return NULL;
    }
    self->fd = (int)TEMP_FAILURE_RETRY(
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (self->fd < 0) {
        refuse(self, errno, error);
        return NULL;
    }
    return g_steal_pointer(&self);
}

void syncd_writing_free(SyncdWriting *self)
{
    if (self == NULL)
        return;
    bool begun = self->fd >= 0;
    if (begun)
        close(self->fd);
    if (begun && !self->published) {
        g_autofree char *path = syncd_directory_file(self->directory, self->part);
        unlink(path);
    }
    g_free(self->name);
    g_free(self->part);
    g_free(self);
}

/* After a sync that failed nobody knows what the disk has: it is not tried again. */
static bool sync_some(SyncdWriting *self, int (*sync)(int fd), GError **error)
{
    if (self->problem == 0 && sync(self->fd) < 0)
        self->problem = errno;
    return self->problem == 0 || refuse(self, self->problem, error);
}

bool syncd_writing_add(SyncdWriting *self, SyncdBytes piece, GError **error)
{
    for (size_t done = 0; done < piece.size;) {
        ssize_t n = TEMP_FAILURE_RETRY(pwrite(self->fd, (const char *)piece.data + done,
                                              piece.size - done, self->size + (off_t)done));
        if (n <= 0)
            return refuse(self, n < 0 ? errno : EIO, error);
        done += (size_t)n;
    }
    off_t size = self->size + (off_t)piece.size;
    bool due = size - self->synced >= (off_t)SYNC_BYTES;
    if ((due || self->problem != 0) && !sync_some(self, fdatasync, error))
        return false;
    self->size = size;
    self->synced = due ? size : self->synced;
    return true;
}

bool syncd_writing_publish(SyncdWriting *self, GError **error)
{
    if (ftruncate(self->fd, self->size) < 0)
        return refuse(self, errno, error);
    if (!sync_some(self, fsync, error) ||
        !syncd_directory_move(self->directory, self->part, self->name, error))
        return false;
    self->published = syncd_directory_has(self->directory, self->name);
    return self->published || refuse(self, ENOENT, error);
}
