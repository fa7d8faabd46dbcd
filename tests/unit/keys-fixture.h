/*
 * Key files of a service that is not open, taken away and put back.
 */
#pragma once

#include "service-fixture.h"

#include <string.h>

/* A key file, by what its text has; kept beside it. */
static inline char *take_key_away(const ServiceFixture *f,
                                  bool (*is_it)(const char *text, void *data), void *data)
{
    g_autofree char *folder = g_build_filename(f->base.directory, "keys", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        if (!is_it(text, data))
            continue;
        g_autofree char *kept = g_strconcat(path, ".kept", NULL);
        g_assert_cmpint(g_rename(path, kept), ==, 0);
        return g_steal_pointer(&path);
    }
    g_assert_not_reached();
}

static inline void put_back(const char *path)
{
    g_autofree char *kept = g_strconcat(path, ".kept", NULL);
    g_assert_cmpint(g_rename(kept, path), ==, 0);
}

static inline bool is_of_device_scope(const char *text, void *data)
{
    return strstr(text, "Scope=device-") != NULL;
}

static inline bool is_of_another_scope(const char *text, void *data)
{
    return strstr(text, "Scope=workspace-") != NULL;
}

static inline bool is_of_device(const char *text, void *data)
{
    return strstr(text, "Type=device") != NULL;
}
