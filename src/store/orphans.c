#include "store/orphans.h"

#include "store/blobs.h"
#include "store/chunks.h"
#include "store/sharing.h"
#include "store/store-private.h"
#include "store/strays.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDERS 256u
#define NAMES_A_STEP 64u

struct SyncdOrphans {
    SyncdStore *store;
    guint at_once;
    bool lists;   /* it goes through blobs/ by itself */
    GDir *folder; /* that is being read; NULL: the next one is */
    guint next;
    GHashTable *chunks; /* digits: SyncdPurgedChunk, of entries */
    SyncdSharing sharing;
    SyncdStrays strays; /* of files */
    bool walked;
    GPtrArray *found, *unlike;
};

static void begin_walk(SyncdOrphans *self)
{
    g_hash_table_remove_all(self->chunks);
    g_hash_table_remove_all(self->strays.set);
    self->sharing = (SyncdSharing){.store = self->store, .chunks = self->chunks};
    self->strays.at = 0;
    self->walked = false;
}

SyncdOrphans *syncd_orphans_new(SyncdStore *store, guint at_once)
{
    SyncdOrphans *self = g_new0(SyncdOrphans, 1);
    self->store = store;
    self->at_once = at_once;
    self->lists = true;
    self->chunks = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, syncd_purged_chunk_free);
    syncd_strays_init(&self->strays, store);
    self->found = g_ptr_array_new_with_free_func(g_free);
    self->unlike = g_ptr_array_new_with_free_func(g_free);
    begin_walk(self);
    return self;
}

void syncd_orphans_free(SyncdOrphans *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->folder, g_dir_close);
    g_hash_table_unref(self->chunks);
    syncd_strays_clear(&self->strays);
    g_ptr_array_unref(self->found);
    g_ptr_array_unref(self->unlike);
    g_free(self);
}

const GPtrArray *syncd_orphans_found(const SyncdOrphans *self)
{
    return self->found;
}

const GPtrArray *syncd_orphans_unlike(const SyncdOrphans *self)
{
    return self->unlike;
}

/* ---- what lies there ---- */

static void add_chunk(SyncdOrphans *self, const SyncdHash *name)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(name, digits);
    SyncdPurgedChunk *chunk = g_new0(SyncdPurgedChunk, 1);
    chunk->name = g_strdup(digits);
    g_hash_table_replace(self->chunks, chunk->name, chunk);
}

static bool is_needed(SyncdOrphans *self, const SyncdHash *name, bool *ret_needed, GError **error)
{
    *ret_needed = syncd_store_is_pinned(self->store, name);
    return *ret_needed || syncd_store_needs_chunk(self->store, name, ret_needed, error);
}

/* One in another folder than its own is never looked for, and is none. */
static bool add(SyncdOrphans *self, const char *path, const char *base, GError **error)
{
    SyncdHash name;
    SyncdChunkOf of;
    bool needed = false;
    if (!syncd_blobs_parse(base, &of, &name))
        return true;
    g_autofree char *own = syncd_blobs_path(of, &name);
    if (strcmp(own, path) != 0)
        return true;
    if (of == SYNCD_CHUNK_OF_ENTRY)
        add_chunk(self, &name);
    else if (!is_needed(self, &name, &needed, error))
        return false;
    else if (!needed)
        syncd_strays_add(&self->strays, &name);
    return true;
}

static bool note_unlike(void *data, const SyncdStateFile *file)
{
    SyncdOrphans *self = data;
    if (file->leftover || file->uid != geteuid() || file->mode != syncd_state_file_mode(file))
        g_ptr_array_add(self->unlike, g_strdup(file->name));
    return true;
}

static bool take_name(SyncdOrphans *self, const char *base, GError **error)
{
    g_autofree char *name = g_strdup_printf("blobs/%02x/%s", self->next - 1, base);
    return syncd_store_look_at_state(self->store, name, note_unlike, self, error) &&
           add(self, name, base, error);
}

static bool open_next(SyncdOrphans *self, GError **error)
{
    char name[sizeof "blobs/xx"];
    snprintf(name, sizeof name, "blobs/%02x", self->next++);
    g_autofree char *path = syncd_directory_file(self->store->directory, name);
    self->folder = g_dir_open(path, 0, NULL);
    return syncd_store_look_at_state(self->store, name, note_unlike, self, error);
}

static bool is_listing(const SyncdOrphans *self)
{
    return self->lists && (self->folder != NULL || self->next < FOLDERS) &&
           g_hash_table_size(self->chunks) + g_hash_table_size(self->strays.set) < self->at_once;
}

static bool list_some(SyncdOrphans *self, GError **error)
{
    for (guint i = 0; i < NAMES_A_STEP && is_listing(self); i++) {
        if (self->folder == NULL && !open_next(self, error))
            return false;
        const char *base = self->folder != NULL ? g_dir_read_name(self->folder) : NULL;
        if (base == NULL)
            g_clear_pointer(&self->folder, g_dir_close);
        else if (!take_name(self, base, error))
            return false;
    }
    return true;
}

SyncdOrphans *syncd_orphans_new_of(SyncdStore *store, const GPtrArray *names)
{
    SyncdOrphans *self = syncd_orphans_new(store, G_MAXUINT);
    self->lists = false;
    for (guint i = 0; i < names->len; i++) {
        const char *base = strrchr(names->pdata[i], '/');
        SyncdHash name;
        SyncdChunkOf of;
        if (base == NULL || !syncd_blobs_parse(base + 1, &of, &name))
            continue;
        if (of == SYNCD_CHUNK_OF_ENTRY)
            add_chunk(self, &name);
        else
            syncd_strays_add(&self->strays, &name);
    }
    return self;
}

/* ---- whether the log names it ---- */

static bool walk(SyncdOrphans *self, bool *ret_more, GError **error)
{
    bool lists, documents = false;
    bool seeks = g_hash_table_size(self->strays.set) > 0 && !self->strays.unreadable;
    if (!syncd_sharing_step(&self->sharing, &lists, error) ||
        (seeks && !syncd_strays_step(&self->strays, &documents, error)))
        return false;
    *ret_more = lists || documents;
    return true;
}

/* What was put since is not among them; what was committed since is looked at. */
static bool walk_on(SyncdOrphans *self, GError **error)
{
    bool more = true;
    while (more)
        if (!walk(self, &more, error))
            return false;
    return true;
}

static bool judge_entry_chunk(const SyncdOrphans *self, const SyncdHash *name)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(name, digits);
    const SyncdPurgedChunk *chunk = g_hash_table_lookup(self->chunks, digits);
    return chunk != NULL && !chunk->shared;
}

static bool judge_stray(SyncdOrphans *self, const SyncdHash *name, bool *ret_is, GError **error)
{
    const SyncdStray wanted = {.name = *name};
    const SyncdStray *stray = g_hash_table_lookup(self->strays.set, &wanted);
    bool needed = true;
    if (stray != NULL && stray->needs <= 0 && !self->strays.unreadable &&
        !is_needed(self, name, &needed, error))
        return false;
    *ret_is = !needed;
    return true;
}

static bool judge(SyncdOrphans *self, SyncdChunkOf of, const SyncdHash *name, bool *ret_is,
                  GError **error)
{
    if (of == SYNCD_CHUNK_OF_FILE)
        return judge_stray(self, name, ret_is, error);
    *ret_is = judge_entry_chunk(self, name);
    return true;
}

static bool judge_and_add(SyncdOrphans *self, SyncdChunkOf of, const SyncdHash *name,
                          GError **error)
{
    bool is;
    if (!judge(self, of, name, &is, error))
        return false;
    if (is)
        g_ptr_array_add(self->found, syncd_blobs_path(of, name));
    return true;
}

static bool judge_all(SyncdOrphans *self, GError **error)
{
    GHashTableIter iter;
    void *key;
    g_hash_table_iter_init(&iter, self->chunks);
    while (g_hash_table_iter_next(&iter, &key, NULL)) {
        SyncdHash name;
        if (syncd_hash_from_hex(key, strlen(key), &name) &&
            !judge_and_add(self, SYNCD_CHUNK_OF_ENTRY, &name, error))
            return false;
    }
    g_hash_table_iter_init(&iter, self->strays.set);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        if (!judge_and_add(self, SYNCD_CHUNK_OF_FILE, &((const SyncdStray *)key)->name, error))
            return false;
    return true;
}

/* What a version dropped a moment ago is about to be removed, where anything is. */
static bool may_judge(const SyncdOrphans *self)
{
    bool removes = syncd_store_condition(self->store) == SYNCD_STORE_WRITABLE;
    return !syncd_store_has_turn(self->store) && !(removes && self->store->content_waits);
}

bool syncd_orphans_waits(const SyncdOrphans *self)
{
    return self->walked && !is_listing(self) && syncd_store_has_turn(self->store);
}

bool syncd_orphans_step(SyncdOrphans *self, bool *ret_more, GError **error)
{
    bool more;
    *ret_more = true;
    if (!syncd_store_need_index(self->store, error))
        return false;
    if (is_listing(self))
        return list_some(self, error);
    if (!self->walked) {
        if (!walk(self, &more, error))
            return false;
        self->walked = !more;
        return true;
    }
    if (!may_judge(self))
        return true;
    if (!walk_on(self, error) || !judge_all(self, error))
        return false;
    *ret_more = self->lists && (self->folder != NULL || self->next < FOLDERS);
    if (*ret_more)
        begin_walk(self);
    return true;
}

bool syncd_orphans_is_one(SyncdOrphans *self, const char *path, bool *ret_is, GError **error)
{
    const char *base = strrchr(path, '/');
    SyncdHash name;
    SyncdChunkOf of;
    *ret_is = false;
    return base == NULL || !syncd_blobs_parse(base + 1, &of, &name) ||
           (walk_on(self, error) && judge(self, of, &name, ret_is, error));
}
