#include "store/sweep.h"

#include "store/blobs.h"
#include "store/chunks.h"
#include "store/store-private.h"
#include "store/strays.h"

#include <stdio.h>
#include <string.h>

#define FOLDERS 256u
#define NAMES_A_STEP 64u
#define REMOVED_A_STEP 8u /* each durably before the next */
#define OF_FILE ".file"
#define HALF ".new"

struct SyncdSweep {
    SyncdStore *store;
    guint max_strays;
    GDir *folder; /* that is being read; NULL: the next one is */
    guint next;
    SyncdStrays strays; /* once a document cannot be read, none is looked for any more */
};

SyncdSweep *syncd_sweep_new(SyncdStore *store, guint max_strays)
{
    SyncdSweep *self = g_new0(SyncdSweep, 1);
    self->store = store;
    self->max_strays = max_strays;
    syncd_strays_init(&self->strays, store);
    return self;
}

void syncd_sweep_free(SyncdSweep *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->folder, g_dir_close);
    syncd_strays_clear(&self->strays);
    g_free(self);
}

/* ---- what the index does not need ---- */

static bool is_needed(SyncdSweep *self, const SyncdHash *name, bool *ret_needed, GError **error)
{
    *ret_needed = syncd_store_is_pinned(self->store, name);
    return *ret_needed || syncd_store_needs_chunk(self->store, name, ret_needed, error);
}

static bool take_name(SyncdSweep *self, const char *name, GError **error)
{
    SyncdHash hash;
    bool needed;
    const char *digits = *name == '.' ? name + 1 : name;
    const char *rest = *name == '.' ? OF_FILE HALF : OF_FILE;
    if (strlen(digits) <= 64 || !syncd_hash_from_hex(digits, 64, &hash) ||
        strcmp(digits + 64, rest) != 0)
        return true;
    /* Nothing is being written now, as that is done in one go. */
    if (*name == '.') {
        g_autofree char *half = g_strdup_printf("blobs/%.2s/%s", digits, name);
        return syncd_directory_remove(self->store->directory, half, error);
    }
    if (self->strays.unreadable)
        return true;
    if (!is_needed(self, &hash, &needed, error))
        return false;
    if (!needed)
        syncd_strays_add(&self->strays, &hash);
    return true;
}

/* A folder that is not there has nothing in it. */
static void open_next(SyncdSweep *self)
{
    char name[sizeof "blobs/xx"];
    snprintf(name, sizeof name, "blobs/%02x", self->next++);
    g_autofree char *path = syncd_directory_file(self->store->directory, name);
    self->folder = g_dir_open(path, 0, NULL);
}

static bool is_listing(const SyncdSweep *self)
{
    return (self->folder != NULL || self->next < FOLDERS) && self->strays.at == 0 &&
           g_hash_table_size(self->strays.set) < self->max_strays;
}

static bool list_some(SyncdSweep *self, GError **error)
{
    for (guint i = 0; i < NAMES_A_STEP && is_listing(self); i++) {
        if (self->folder == NULL)
            open_next(self);
        const char *name = self->folder != NULL ? g_dir_read_name(self->folder) : NULL;
        if (name == NULL)
            g_clear_pointer(&self->folder, g_dir_close);
        else if (!take_name(self, name, error))
            return false;
    }
    return true;
}

/* ---- what nobody does ---- */

/* Somebody may need one since it was found. */
static bool remove_some(SyncdSweep *self, GError **error)
{
    GHashTableIter iter;
    void *key;
    guint removed = 0;
    g_hash_table_iter_init(&iter, self->strays.set);
    while (removed < REMOVED_A_STEP && g_hash_table_iter_next(&iter, &key, NULL)) {
        const SyncdStray *stray = key;
        bool needed;
        if (!is_needed(self, &stray->name, &needed, error))
            return false;
        bool goes = !needed && stray->needs <= 0;
        if (goes && !syncd_blobs_remove_file(self->store->directory, &stray->name, error))
            return false;
        removed += goes;
        g_hash_table_iter_remove(&iter);
    }
    if (g_hash_table_size(self->strays.set) == 0)
        self->strays.at = 0;
    return true;
}

/* What was found may be named by a document that cannot be read. */
static bool read_some(SyncdSweep *self, GError **error)
{
    bool more;
    if (!syncd_strays_step(&self->strays, &more, error))
        return false;
    if (self->strays.unreadable) {
        g_hash_table_remove_all(self->strays.set);
        self->strays.at = 0;
    }
    return true;
}

bool syncd_sweep_step(SyncdSweep *self, bool *ret_more, GError **error)
{
    guint64 last = syncd_journal_committed(self->store->journal);
    *ret_more = true;
    if (is_listing(self))
        return list_some(self, error);
    if (g_hash_table_size(self->strays.set) > 0)
        return self->strays.at < last ? read_some(self, error) : remove_some(self, error);
    *ret_more = self->folder != NULL || self->next < FOLDERS;
    return true;
}
