/* Chunks that a repair set aside, as a source: that nobody needed one may have been wrong. */
#include "store/source.h"

#include "store/aside.h"
#include "store/blobs.h"

#include <string.h>

#define FOLDER "repair"

typedef struct {
    SyncdSource source;
    SyncdDirectory *directory;
    GHashTable *files; /* digits of a chunk: a file that may hold it; both char * */
    bool unlisted;     /* nobody knows which there are */
} Aside;

static void aside_free(SyncdSource *source)
{
    Aside *self = (Aside *)source;
    g_hash_table_unref(self->files);
    g_free(self);
}

static void aside_entry(SyncdSource *source, const SyncdPlace *place, SyncdStoredEntry *ret_stored)
{
}

static bool aside_place(SyncdSource *source, guint64 pos, SyncdPlace *ret_place)
{
    return false;
}

static GBytes *aside_content(SyncdSource *source, const SyncdHash *name)
{
    Aside *self = (Aside *)source;
    char digits[SYNCD_HASH_HEX_SIZE];
    size_t size;
    syncd_hash_to_hex(name, digits);
    const char *file = g_hash_table_lookup(self->files, digits);
    g_autofree char *path = file != NULL ? g_strconcat(FOLDER "/", file, NULL) : NULL;
    g_autoptr(GError) problem = NULL;
    char *bytes = path != NULL ? syncd_directory_read(self->directory, path, SYNCD_CHUNK_SIZE,
                                                      &size, &problem)
                               : NULL;
    source->erred |=
        self->unlisted || g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    return bytes != NULL ? g_bytes_new_take(bytes, size) : NULL;
}

/* "<plan>.<number>.<digits>…", but for what was there before one came back (refill.c), and modes.
 */
static char *digits_in(const char *file)
{
    SyncdHash hash;
    if (g_str_has_suffix(file, ".was") || syncd_aside_is_mode(file))
        return NULL;
    g_auto(GStrv) parts = g_strsplit(file, ".", -1);
    for (char **part = parts; *part != NULL; part++)
        if (strlen(*part) == SYNCD_HASH_HEX_SIZE - 1 &&
            syncd_hash_from_hex(*part, SYNCD_HASH_HEX_SIZE - 1, &hash))
            return g_strdup(*part);
    return NULL;
}

static SyncdSource *new_aside(SyncdDirectory *directory)
{
    g_autofree char *path = syncd_directory_file(directory, FOLDER);
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) folder = g_dir_open(path, 0, &problem);
    const char *file;
    Aside *self = g_new(Aside, 1);
    *self = (Aside){
        .source = {g_strdup("what a repair set aside"), aside_entry, aside_place, aside_content,
                   aside_free},
        .directory = directory,
        .files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
    };
    while (folder != NULL && (file = g_dir_read_name(folder)) != NULL) {
        char *digits = digits_in(file);
        if (digits != NULL)
            g_hash_table_insert(self->files, digits, g_strdup(file));
    }
    self->unlisted = problem != NULL && !g_error_matches(problem, G_FILE_ERROR, G_FILE_ERROR_NOENT);
    return &self->source;
}

GPtrArray *syncd_source_find_content(SyncdDirectory *directory)
{
    GPtrArray *sources = syncd_source_find_journals(directory);
    g_ptr_array_add(sources, new_aside(directory));
    return sources;
}
