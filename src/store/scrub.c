/* Every other place that held what a purge took, one after the other. */
#include "store/purge.h"

#include "store/blobs.h"
#include "store/sharing.h"
#include "store/source.h"
#include "store/store-private.h"

#include <sys/stat.h>

/* Whoever is making it gives it up (mend-build.c). */
#define NEXT_JOURNAL "journal.db.new"
/* Each is removed durably before the next. */
#define CHUNKS_A_STEP 8u

/* Of one purge. */
typedef struct {
    char *scope_id;
    GPtrArray *chunks; /* SyncdPurgedChunk */
    GHashTable *names; /* name: SyncdPurgedChunk (borrowed) */
    guint next;        /* of the chunks */
    SyncdSharing sharing;
    SyncdScrubbed scrubbed;
} Part;

struct SyncdScrub {
    SyncdStore *store;
    GPtrArray *parts; /* Part */
    guint at;         /* of the parts */
    bool remakes;     /* the index: all else is done */
    guint64 copies;
};

static void part_free(void *data)
{
    Part *part = data;
    g_hash_table_unref(part->names);
    g_ptr_array_unref(part->chunks);
    g_free(part->scope_id);
    g_free(part);
}

void syncd_scrub_add(SyncdScrub *scrub, const char *scope_id, GPtrArray *chunks)
{
    Part *part = g_new0(Part, 1);
    part->scope_id = g_strdup(scope_id);
    part->chunks = g_ptr_array_ref(chunks);
    part->names = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < chunks->len; i++) {
        SyncdPurgedChunk *chunk = chunks->pdata[i];
        chunk->shared = false;
        g_hash_table_insert(part->names, chunk->name, chunk);
    }
    part->sharing =
        (SyncdSharing){.store = scrub->store, .scope = part->scope_id, .chunks = part->names};
    g_ptr_array_add(scrub->parts, part);
}

SyncdScrub *syncd_store_begin_scrub(SyncdStore *self, const char *scope_id, GPtrArray *chunks)
{
    SyncdScrub *scrub = g_new0(SyncdScrub, 1);
    scrub->store = self;
    scrub->parts = g_ptr_array_new_with_free_func(part_free);
    syncd_scrub_add(scrub, scope_id, chunks);
    return scrub;
}

void syncd_scrub_free(SyncdScrub *scrub)
{
    if (scrub == NULL)
        return;
    if (scrub->remakes)
        syncd_store_end_remake(scrub->store);
    g_ptr_array_unref(scrub->parts);
    g_free(scrub);
}

static bool remove_chunks(SyncdScrub *scrub, Part *part, GError **error)
{
    SyncdScrubbed *scrubbed = &part->scrubbed;
    for (guint i = 0; i < CHUNKS_A_STEP && part->next < part->chunks->len; i++) {
        const SyncdPurgedChunk *chunk = part->chunks->pdata[part->next];
        if (!chunk->shared && !syncd_blobs_remove(scrub->store->directory, chunk->name, error))
            return false;
        part->next++;
        scrubbed->kept_chunks += chunk->shared;
        scrubbed->chunks += !chunk->shared;
        scrubbed->chunk_bytes += chunk->shared ? 0 : chunk->size;
    }
    return true;
}

static char *without(const char *name, const char *suffix)
{
    return g_strndup(name, strlen(name) - (g_str_has_suffix(name, suffix) ? strlen(suffix) : 0));
}

/* The name of the database that it is a copy of the log in, what SQLite has beside one, or the half
 * of as long as it is made; NULL: it is none of these. */
static char *copy_of(const char *name)
{
    g_autofree char *plain = without(name, "-wal"), *database = without(plain, "-journal");
    if (g_str_has_prefix(name, NEXT_JOURNAL))
        return g_strdup(NEXT_JOURNAL);
    return syncd_source_is_earlier_journal(database) ? g_steal_pointer(&database)
                                                     : syncd_source_half_copy(name);
}

void syncd_store_each_copy(SyncdStore *self, SyncdStoredFunc func, void *data)
{
    struct stat st;
    g_autoptr(GDir) folder = g_dir_open(syncd_directory_path(self->directory), 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = syncd_directory_file(self->directory, name), *copy = copy_of(name);
        if (copy != NULL && lstat(path, &st) == 0)
            func(data, copy, (guint64)st.st_size);
    }
}

/* They are whole databases of before, with all that was in them. */
static bool remove_copies(SyncdScrub *scrub, GError **error)
{
    SyncdDirectory *directory = scrub->store->directory;
    g_autoptr(GError) problem = NULL;
    g_autoptr(GDir) folder = g_dir_open(syncd_directory_path(directory), 0, &problem);
    const char *name;
    if (folder == NULL) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "%s", problem->message);
        return false;
    }
    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *copy = copy_of(name);
        if (copy == NULL)
            continue;
        if (!syncd_directory_remove(directory, name, error))
            return false;
        scrub->copies++;
    }
    return true;
}

/* Between two steps an entry may come that lists a chunk as well, so the walk is at the end of the
 * log whenever some are removed. */
static bool clear_chunks(SyncdScrub *scrub, Part *part, GError **error)
{
    bool more;
    if (!syncd_sharing_step(&part->sharing, &more, error))
        return false;
    part->scrubbed.unreadable = part->sharing.unreadable;
    return more || remove_chunks(scrub, part, error);
}

bool syncd_scrub_step(SyncdScrub *scrub, bool *ret_more, GError **error)
{
    SyncdStore *self = scrub->store;
    *ret_more = true;
    if (!syncd_store_may_write(self, error))
        return false;
    for (; scrub->at < scrub->parts->len; scrub->at++) {
        Part *part = scrub->parts->pdata[scrub->at];
        if (part->next < part->chunks->len)
            return clear_chunks(scrub, part, error);
    }
    if (!scrub->remakes &&
        (!remove_copies(scrub, error) ||
         !syncd_database_empty_wal(syncd_journal_database(self->journal), error)))
        return false;
    scrub->remakes = true;
    return syncd_store_step_remake(self, ret_more, error);
}

SyncdScrubbed syncd_scrub_result(const SyncdScrub *scrub, guint number)
{
    SyncdScrubbed scrubbed = ((const Part *)scrub->parts->pdata[number])->scrubbed;
    scrubbed.copies = scrub->copies;
    return scrubbed;
}
