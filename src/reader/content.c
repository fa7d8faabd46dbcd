#include "reader/content.h"

#include "reader/open.h"
#include "reader/tick.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define BUFFER_SIZE (128u * 1024u)

struct SyncdContent {
    SyncdPauseFunc pause;
    void *data;
    SyncdContentSink sink; /* of what is being read; NULL: nobody wants it */
    SyncdHasher *hasher;
    guint8 *buffer;
    size_t buffer_size;
    guint64 since_pause;
};

SyncdContent *syncd_content_new(SyncdPauseFunc pause, void *data, size_t buffer)
{
    SyncdContent *content = g_new0(SyncdContent, 1);
    content->pause = pause;
    content->data = data;
    content->hasher = syncd_hasher_new();
    content->buffer_size = buffer > 0 ? buffer : BUFFER_SIZE;
    content->buffer = g_aligned_alloc(1, content->buffer_size, SYNCD_READ_ALIGNMENT);
    return content;
}

void syncd_content_free(SyncdContent *content)
{
    if (content == NULL)
        return;
    syncd_hasher_free(content->hasher);
    g_aligned_free(content->buffer);
    g_free(content);
}

static bool is_as_before(int fd, const SyncdFileStat *before)
{
    SyncdFileStat now;
    return syncd_stat_of(fd, &now) == 0 && now.device == before->device &&
           now.inode == before->inode && now.size == before->size && now.mtime == before->mtime &&
           now.ctime == before->ctime;
}

/* An errno, or 0. What was read so far is the `pause`'s business too. */
guint32 syncd_content_pause(SyncdContent *content, size_t size)
{
    content->since_pause += size;
    if (content->since_pause < SYNCD_CONTENT_PAUSE)
        return 0;
    content->since_pause = 0;
    return content->pause(content->data) ? 0 : ECANCELED;
}

bool syncd_content_goes_on(SyncdContent *content)
{
    return content->pause(content->data);
}

static bool give(SyncdContent *content, guint64 offset, size_t size)
{
    return content->sink == NULL || size == 0 ||
           content->sink(content->data, offset, SYNCD_BYTES(content->buffer, size));
}

/* The rest of a file of which `size` bytes are in the buffer. */
static guint32 hash_pieces(SyncdContent *content, int fd, const SyncdFileStat *stat, size_t size)
{
    guint64 done = 0;
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    while (true) {
        done += size;
        if (done > stat->size)
            return EAGAIN;
        syncd_hasher_update(content->hasher, content->buffer, size);
        if (!give(content, done - size, size))
            return ECANCELED;
        guint32 problem = syncd_content_pause(content, size);
        if (problem != 0 || done == stat->size)
            return problem;
        /* One that is written to all the time need not be read to its end. */
        if (content->since_pause == 0 && !is_as_before(fd, stat))
            return EAGAIN;
        ssize_t n = TEMP_FAILURE_RETRY(read(fd, content->buffer, content->buffer_size));
        if (n <= 0)
            return n < 0 ? (guint32)errno : EAGAIN;
        size = (size_t)n;
    }
}

guint32 syncd_content_hash(SyncdContent *content, int fd, const SyncdFileStat *stat,
                           SyncdContentSink sink, SyncdHash *ret_hash)
{
    content->sink = sink;
    syncd_wait_for_a_later_tick(stat);
    ssize_t size = TEMP_FAILURE_RETRY(read(fd, content->buffer, content->buffer_size));
    if (size < 0)
        return (guint32)errno;
    SyncdHash hash;
    guint32 problem;
    if ((guint64)size == stat->size) {
        hash = syncd_hash(content->buffer, (size_t)size);
        problem =
            give(content, 0, (size_t)size) ? syncd_content_pause(content, (size_t)size) : ECANCELED;
    } else {
        problem = hash_pieces(content, fd, stat, (size_t)size);
        hash = syncd_hasher_finish(content->hasher);
    }
    if (problem != 0)
        return problem;
    if (!is_as_before(fd, stat))
        return EAGAIN;
    *ret_hash = hash;
    return 0;
}
