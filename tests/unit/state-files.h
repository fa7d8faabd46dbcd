/*
 * The files of the state directory of a service, by name, as somebody else finds and changes them.
 */
#pragma once

#include "service-fixture.h"

#include <fcntl.h>
#include <unistd.h>

static inline char *state_path(const ServiceFixture *f, const char *name)
{
    return g_build_filename(f->base.directory, name, NULL);
}

static inline bool state_has(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static inline void state_copy(const ServiceFixture *f, const char *from, const char *to)
{
    g_autofree char *source = state_path(f, from), *target = state_path(f, to),
                    *command = g_strdup_printf("cp -p '%s' '%s'", source, target);
    g_assert_cmpint(system(command), ==, 0);
}

static inline void state_move(const ServiceFixture *f, const char *from, const char *to)
{
    g_autofree char *source = state_path(f, from), *target = state_path(f, to);
    g_assert_cmpint(g_rename(source, target), ==, 0);
}

static inline void state_remove(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static inline void state_cut(const ServiceFixture *f, const char *name, off_t size)
{
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(truncate(path, size), ==, 0);
}

static inline void state_set_mode(const ServiceFixture *f, const char *name, int mode)
{
    g_autofree char *path = state_path(f, name);
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

static inline guint state_mode(const ServiceFixture *f, const char *name)
{
    g_autofree char *path = state_path(f, name);
    GStatBuf st;
    g_assert_cmpint(g_lstat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

/* Whether all that repairs keep can be read by nobody else; which is `*ret_modes` notes of what
 * could before. */
static inline bool kept_is_private(const ServiceFixture *f, guint *ret_modes)
{
    g_autofree char *path = state_path(f, "repair");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    bool private = true;
    *ret_modes = 0;
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *file = g_strconcat("repair/", name, NULL);
        *ret_modes += g_str_has_suffix(name, ".mode");
        private &= state_mode(f, file) == 0600;
    }
    return private;
}

/* That repairs keep nothing of what they changed: all of it was put back. */
static inline void assert_nothing_is_kept(const ServiceFixture *f)
{
    g_autofree char *path = state_path(f, "repair");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;)
        g_assert_true(g_str_has_suffix(name, ".plan") || g_str_has_suffix(name, ".state") ||
                      g_str_has_suffix(name, ".report"));
}

/* As versions did that noted no modes. */
static inline void forget_modes(const ServiceFixture *f)
{
    g_autofree char *path = state_path(f, "repair");
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (g_str_has_suffix(name, ".mode"))
            g_assert_cmpint(g_remove(file), ==, 0);
    }
}

/* With the mode of a file of the state: another one would be found, too. */
static inline void write_private(const char *path, const char *bytes, gssize size)
{
    g_assert_true(
        g_file_set_contents_full(path, bytes, size, G_FILE_SET_CONTENTS_CONSISTENT, 0600, NULL));
    g_assert_cmpint(g_chmod(path, 0600), ==, 0);
}

static inline void state_write(const ServiceFixture *f, const char *name, const char *bytes,
                               gssize size)
{
    g_autofree char *path = state_path(f, name);
    write_private(path, bytes, size);
}

/* Empty files where chunks of content are. */
static inline void state_add_chunks(const ServiceFixture *f, guint n)
{
    for (guint i = 0; i < n; i++) {
        g_autofree char *name = g_strdup_printf("blobs/%02x/chunk-%u", i % 256, i),
                        *path = state_path(f, name), *folder = g_path_get_dirname(path);
        g_mkdir_with_parents(folder, 0700);
        int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        g_assert_cmpint(fd, >=, 0);
        close(fd);
    }
}

static inline char *state_read(const ServiceFixture *f, const char *name, gsize *ret_size)
{
    char *bytes = NULL;
    g_autofree char *path = state_path(f, name);
    g_assert_true(g_file_get_contents(path, &bytes, ret_size, NULL));
    return bytes;
}

/* One bit of the byte before these words, as a disk may; doing it again flips it back. */
static inline void state_flip(const ServiceFixture *f, const char *name, const char *words)
{
    gsize size;
    g_autofree char *bytes = state_read(f, name, &size), *path = state_path(f, name);
    char *found = memmem(bytes, size, words, strlen(words));
    g_assert_nonnull(found);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, &(char){(char)(found[-1] ^ 0x20)}, 1, found - 1 - bytes), ==, 1);
    close(fd);
}
