#include "tree.h"

#include "crypto/hash.h"
#include "measure.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_FILES 1000u
#define BUFFER (128 * 1024)

static volatile guint8 sink; /* so that nothing is left out as nobody looks at it */

/* ---- making ---- */

unsigned tree_folders(unsigned files)
{
    return (files + FOLDER_FILES - 1) / FOLDER_FILES;
}

unsigned tree_files_in(unsigned files, unsigned folder)
{
    return MIN(FOLDER_FILES, files - folder * FOLDER_FILES);
}

static void make_file(int at, const char *name, guint64 size)
{
    static guint8 fill[1024 * 1024];
    int fd = openat(at, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    for (guint64 done = 0; done < size;) {
        size_t piece = (size_t)MIN(size - done, sizeof fill);
        for (size_t i = 0; i < piece; i += 512)
            fill[i] = (guint8)g_random_int();
        g_assert_cmpint(write(fd, fill, piece), ==, piece);
        done += piece;
    }
    close(fd);
}

void tree_make(int root, unsigned files, unsigned bytes)
{
    for (unsigned i = 0; i < tree_folders(files); i++) {
        char name[32];
        g_snprintf(name, sizeof name, "f%u", i);
        g_assert_cmpint(mkdirat(root, name, 0755), ==, 0);
        for (unsigned j = 0; j < tree_files_in(files, i); j++) {
            g_snprintf(name, sizeof name, "f%u/file-%04u", i, j);
            make_file(root, name, bytes > 0 ? bytes : 1024 + g_random_int() % 7169);
        }
    }
}

void tree_make_large(int root, guint64 bytes)
{
    g_assert_cmpint(mkdirat(root, "large", 0755), ==, 0);
    make_file(root, "large/file", bytes);
}

/* ---- reading ---- */

static void hash_file(int at, const char *name, guint8 *buffer, SyncdHasher *hasher)
{
    int fd = openat(at, name, O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    ssize_t size = read(fd, buffer, BUFFER);
    if (size < BUFFER) {
        close(fd);
        sink ^= syncd_hash(buffer, (size_t)size).bytes[0];
        return;
    }
    for (; size > 0; size = read(fd, buffer, BUFFER))
        syncd_hasher_update(hasher, buffer, (size_t)size);
    close(fd);
    sink ^= syncd_hasher_finish(hasher).bytes[0];
}

static int open_folder(int root, unsigned folder)
{
    char name[32];
    g_snprintf(name, sizeof name, "f%u", folder);
    int fd = openat(root, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

/* As the reader has it. */
static guint8 *buffer_new(void)
{
    return g_aligned_alloc(1, BUFFER, SYNCD_READ_ALIGNMENT);
}

double tree_loop(int root, unsigned files)
{
    guint8 *buffer = buffer_new();
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < tree_folders(files); i++) {
        int folder = open_folder(root, i);
        for (unsigned j = 0; j < tree_files_in(files, i); j++) {
            char name[32];
            g_snprintf(name, sizeof name, "file-%04u", j);
            hash_file(folder, name, buffer, hasher);
        }
        close(folder);
    }
    double seconds = seconds_since(begin);
    g_aligned_free(buffer);
    return seconds;
}

double tree_loop_large(int root)
{
    guint8 *buffer = buffer_new();
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    gint64 begin = g_get_monotonic_time();
    hash_file(root, "large/file", buffer, hasher);
    double seconds = seconds_since(begin);
    g_aligned_free(buffer);
    return seconds;
}

typedef struct {
    int fd;
    GAsyncQueue *empty, *full; /* Piece */
} Reading;

typedef struct {
    _Alignas(SYNCD_READ_ALIGNMENT) guint8 bytes[1024 * 1024];
    ssize_t size;
} Piece;

static void *read_pieces(void *data)
{
    Reading *reading = data;
    Piece *piece;
    do {
        piece = g_async_queue_pop(reading->empty);
        piece->size = read(reading->fd, piece->bytes, sizeof piece->bytes);
        g_async_queue_push(reading->full, piece);
    } while (piece->size > 0);
    return NULL;
}

double tree_loop_large_threads(int root)
{
    Reading reading = {openat(root, "large/file", O_RDONLY | O_CLOEXEC), g_async_queue_new(),
                       g_async_queue_new()};
    g_autoptr(SyncdHasher) hasher = syncd_hasher_new();
    Piece *pieces = g_aligned_alloc(4, sizeof *pieces, SYNCD_READ_ALIGNMENT);
    for (unsigned i = 0; i < 4; i++)
        g_async_queue_push(reading.empty, &pieces[i]);
    gint64 begin = g_get_monotonic_time();
    GThread *thread = g_thread_new("read", read_pieces, &reading);
    for (Piece *piece; (piece = g_async_queue_pop(reading.full))->size > 0;) {
        syncd_hasher_update(hasher, piece->bytes, (size_t)piece->size);
        g_async_queue_push(reading.empty, piece);
    }
    sink ^= syncd_hasher_finish(hasher).bytes[0];
    double seconds = seconds_since(begin);
    g_thread_join(thread);
    g_async_queue_unref(reading.empty);
    g_async_queue_unref(reading.full);
    g_aligned_free(pieces);
    close(reading.fd);
    return seconds;
}

double tree_walk(int root, unsigned files)
{
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < tree_folders(files); i++) {
        DIR *folder = fdopendir(open_folder(root, i));
        g_assert_nonnull(folder);
        for (const struct dirent *entry; (entry = readdir(folder)) != NULL;) {
            struct stat status;
            g_assert_cmpint(fstatat(dirfd(folder), entry->d_name, &status, AT_SYMLINK_NOFOLLOW), ==,
                            0);
            sink ^= (guint8)status.st_size;
        }
        closedir(folder);
    }
    return seconds_since(begin);
}
