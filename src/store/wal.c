#include "store/wal.h"

#include "store/directory-private.h"

#include <string.h>
#include <sys/stat.h>

#define PAGE 4096u
#define HEADER 32u
#define FRAME_HEADER 24u
#define FRAME (FRAME_HEADER + PAGE)
#define MAGIC 0x377f0682u /* and, where sums are of big-endian words, one more */

/* Places in the file's header and in a frame's (https://www.sqlite.org/fileformat.html). */
enum { SALTS = 16, SUMS = 24 };
enum { FRAME_PAGE = 0, FRAME_COMMITS = 4, FRAME_SALTS = 8, FRAME_SUMS = 16 };
#define SALTS_SIZE 8u
#define SUMMED_OF_HEADER 24u
#define SUMMED_OF_FRAME 8u

typedef struct {
    int fd;
    guint64 size;
    bool big_endian;
    guint32 sums[2];
    bool salted; /* it is known what salts … */
    guint8 salts[SALTS_SIZE];
    bool ended;  /* a frame was met that is not as it was written */
    int problem; /* an errno: the disk did not give all of it, which says nothing of what it has */
} Wal;

static guint32 number_at(const guint8 *at)
{
    guint32 big;
    memcpy(&big, at, sizeof big);
    return GUINT32_FROM_BE(big);
}

static guint32 word_at(const Wal *self, const guint8 *at)
{
    guint32 word;
    memcpy(&word, at, sizeof word);
    return self->big_endian ? GUINT32_FROM_BE(word) : GUINT32_FROM_LE(word);
}

static void add_sums(Wal *self, const guint8 *bytes, size_t size)
{
    for (size_t i = 0; i < size; i += 8) {
        self->sums[0] += word_at(self, bytes + i) + self->sums[1];
        self->sums[1] += word_at(self, bytes + i + 4) + self->sums[0];
    }
}

static bool are_sums(const Wal *self, const guint8 *at)
{
    return number_at(at) == self->sums[0] && number_at(at + 4) == self->sums[1];
}

/* Less than was asked for, at the file's end, is none. */
static bool read_at(Wal *self, guint8 *bytes, size_t size, guint64 at)
{
    size_t all = 0;
    ssize_t n = 1;
    while (all < size && n > 0) {
        n = TEMP_FAILURE_RETRY(pread(self->fd, bytes + all, size - all, (off_t)(at + all)));
        all += (size_t)MAX(n, 0);
    }
    if (n < 0)
        self->problem = errno;
    return all == size;
}

static void take_header(Wal *self)
{
    guint8 header[HEADER];
    self->ended = true;
    if (!read_at(self, header, sizeof header, 0))
        return;
    self->big_endian = (number_at(header) & 1) != 0;
    add_sums(self, header, SUMMED_OF_HEADER);
    self->ended = (number_at(header) & ~1u) != MAGIC || number_at(header + 8) != PAGE ||
                  !are_sums(self, header + SUMS);
    self->salted = !self->ended;
    memcpy(self->salts, header + SALTS, SALTS_SIZE);
}

/* Without a header that can be relied on they are those of the first frame. */
static bool is_of_this_use(Wal *self, const guint8 *frame)
{
    if (!self->salted)
        memcpy(self->salts, frame + FRAME_SALTS, SALTS_SIZE);
    self->salted = true;
    return memcmp(self->salts, frame + FRAME_SALTS, SALTS_SIZE) == 0 &&
           number_at(frame + FRAME_PAGE) != 0;
}

static bool is_as_written(Wal *self, const guint8 *frame)
{
    add_sums(self, frame, SUMMED_OF_FRAME);
    add_sums(self, frame + FRAME_HEADER, PAGE);
    return are_sums(self, frame + FRAME_SUMS);
}

static void look_at_frame(Wal *self, guint64 at, const guint8 *frame, SyncdWalEnd *end)
{
    bool is_ours = is_of_this_use(self, frame);
    bool commits = is_ours && number_at(frame + FRAME_COMMITS) != 0;
    self->ended = self->ended || !is_ours || !is_as_written(self, frame);
    if (!commits)
        return;
    if (self->ended)
        end->commits++;
    else
        end->end = at + FRAME;
}

/* The first frame at or behind that place which is not all in a hole. */
static guint64 skip_hole(const Wal *self, guint64 at)
{
    off_t data = lseek(self->fd, (off_t)at, SEEK_DATA);
    if (data < 0)
        return errno == ENXIO ? self->size : at;
    return at + ((guint64)data - at) / FRAME * FRAME;
}

static void look(Wal *self, SyncdWalEnd *end)
{
    g_autofree guint8 *frame = g_malloc(FRAME);
    take_header(self);
    guint64 at = HEADER;
    while (self->problem == 0 && at + FRAME <= self->size) {
        guint64 next = skip_hole(self, at);
        self->ended |= next != at;
        at = next;
        if (!read_at(self, frame, FRAME, at))
            break;
        look_at_frame(self, at, frame, end);
        at += FRAME;
    }
}

bool syncd_wal_look(SyncdDirectory *directory, const char *name, SyncdWalEnd *ret_end,
                    GError **error)
{
    struct stat st;
    *ret_end = (SyncdWalEnd){0};
    int fd = syncd_fd_open_at(directory->fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return true;
    Wal self = {.fd = fd, .problem = fd < 0 || fstat(fd, &st) < 0 ? errno : 0};
    if (self.problem == 0 && S_ISREG(st.st_mode)) {
        ret_end->size = self.size = (guint64)st.st_size;
        look(&self, ret_end);
    }
    if (self.problem != 0)
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, self.problem, "Cannot read %s/%s",
                              directory->path, name);
    syncd_fd_close(&fd);
    return self.problem == 0;
}

bool syncd_wal_is_cut(const SyncdWalEnd *end)
{
    return end->commits > 1;
}

bool syncd_wal_has_more(SyncdDirectory *directory, const char *name)
{
    SyncdWalEnd end;
    return syncd_wal_look(directory, name, &end, NULL) && end.size > end.end;
}
