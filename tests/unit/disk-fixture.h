/*
 * A store on a disk of its own that is small, and can be filled: what the tests of want of room
 * share.
 */
#pragma once

#include "store-fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

static inline char *in(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

/* Everything that the disk still has. */
static inline void fill_disk(Fixture *f)
{
    static char zeros[65536];
    g_autofree char *path = in(f, "filler");
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (size_t piece = sizeof zeros; piece > 0;)
        if (write(fd, zeros, piece) < 0)
            piece /= 2;
    close(fd);
}

static inline void free_disk(Fixture *f)
{
    g_autofree char *path = in(f, "filler");
    g_unlink(path);
}

static inline bool begin_small_disk(Fixture *f, guint64 seed, const char *options)
{
    fixture_init(f, seed);
    /* Seen by this process only, so that nothing stays when a test ends early. */
    if (unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0 &&
        mount("none", f->directory, "tmpfs", 0, options) == 0)
        return true;
    g_test_skip("only root can mount a small disk");
    fixture_clear(f);
    return false;
}

static inline void end_small_disk(Fixture *f)
{
    fixture_close(f);
    g_assert_cmpint(umount(f->directory), ==, 0);
    fixture_clear(f);
}

static inline void open_with_reserve(Fixture *f, guint64 bytes)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = f->directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &f->sources,
                                 .machine = f->machine,
                                 .reserve_bytes = bytes};
    f->store = syncd_store_open(&options, &error);
    g_assert_no_error(error);
}

/* Until no more than that is free. */
static inline void fill_disk_but(Fixture *f, guint64 bytes)
{
    struct statvfs fs;
    g_autofree char *path = in(f, "filler");
    g_assert_cmpint(statvfs(f->directory, &fs), ==, 0);
    guint64 free = (guint64)fs.f_bavail * fs.f_frsize;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(posix_fallocate(fd, 0, (off_t)(free - MIN(free - 1, bytes))), ==, 0);
    close(fd);
}
