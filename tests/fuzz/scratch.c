#include "scratch.h"

#include <glib/gstdio.h>
#include <stdlib.h>

static char *directory;
static guint64 ticks;

static void remove_tree(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        remove_tree(child);
    }
    g_remove(path);
}

static void remove_directory(void)
{
    remove_tree(directory);
    g_clear_pointer(&directory, g_free);
}

const char *scratch_directory(void)
{
    g_autoptr(GError) error = NULL;
    if (directory != NULL)
        return directory;
    directory = g_dir_make_tmp("syncd-fuzz-XXXXXX", &error);
    if (directory == NULL)
        g_error("%s", error->message);
    atexit(remove_directory);
    return directory;
}

static guint64 now(void *data)
{
    return G_GUINT64_CONSTANT(1777939200000000) + ++ticks;
}

/* Of the generator SplitMix64. */
static guint64 next_word(void)
{
    guint64 mixed = ++ticks * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    mixed = (mixed ^ mixed >> 30) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

/* Never the same twice in a process, as nonces and ids must be, whichever bytes of it they are. */
static void fill(void *data, void *bytes, size_t size)
{
    guint8 *at = bytes;
    for (size_t i = 0; i < size; i++)
        at[i] = (guint8)next_word();
}

const SyncdSources *scratch_sources(void)
{
    static const SyncdSources sources = {now, now, fill, NULL};
    return &sources;
}
