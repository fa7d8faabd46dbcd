#include "store/sweep.h"

#include "domain/file-changes.h"
#include "store/blobs.h"
#include "store/chunks.h"
#include "store/store-private.h"

#include <stdio.h>
#include <string.h>

#define FOLDERS 256u
#define NAMES_A_STEP 64u
#define ENTRIES_A_STEP 500u
#define BYTES_A_STEP (256u * 1024u) /* of documents, and what is left of the last one */
#define REMOVED_A_STEP 8u           /* each durably before the next */
#define OF_FILE ".file"
#define HALF ".new"

typedef struct {
    SyncdHash name;
    gint needs; /* documents that name it, without those that dropped it */
} Stray;

struct SyncdSweep {
    SyncdStore *store;
    guint max_strays;
    GDir *folder; /* that is being read; NULL: the next one is */
    guint next;
    GHashTable *strays; /* Stray: the index needs none of them */
    guint64 at;         /* the entry that was looked at last for them */
    bool unreadable;    /* a document may name any: none is looked for any more */
};

static guint hash_stray(gconstpointer key)
{
    guint hash;
    memcpy(&hash, ((const Stray *)key)->name.bytes, sizeof hash);
    return hash;
}

static gboolean is_same_stray(gconstpointer one, gconstpointer other)
{
    return syncd_hash_equal(&((const Stray *)one)->name, &((const Stray *)other)->name);
}

SyncdSweep *syncd_sweep_new(SyncdStore *store, guint max_strays)
{
    SyncdSweep *self = g_new0(SyncdSweep, 1);
    self->store = store;
    self->max_strays = max_strays;
    self->strays = g_hash_table_new_full(hash_stray, is_same_stray, g_free, NULL);
    return self;
}

void syncd_sweep_free(SyncdSweep *self)
{
    if (self == NULL)
        return;
    g_clear_pointer(&self->folder, g_dir_close);
    g_hash_table_unref(self->strays);
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
    if (self->unreadable)
        return true;
    if (!is_needed(self, &hash, &needed, error))
        return false;
    if (needed)
        return true;
    Stray *stray = g_new0(Stray, 1);
    stray->name = hash;
    g_hash_table_add(self->strays, stray);
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
    return (self->folder != NULL || self->next < FOLDERS) && self->at == 0 &&
           g_hash_table_size(self->strays) < self->max_strays;
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

/* ---- whether the log does ---- */

static void count(SyncdSweep *self, SyncdBytes names, int needs)
{
    for (size_t at = 0; at + SYNCD_HASH_SIZE <= names.size; at += SYNCD_HASH_SIZE) {
        Stray wanted;
        memcpy(wanted.name.bytes, (const guint8 *)names.data + at, sizeof wanted.name.bytes);
        Stray *stray = g_hash_table_lookup(self->strays, &wanted);
        if (stray != NULL)
            stray->needs += needs;
    }
}

static bool count_document(SyncdSweep *self, SyncdBytes header_text, SyncdBytes stored)
{
    SyncdHeader header;
    SyncdFileChange change;
    g_auto(SyncdBody) body = {0};
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    if (!syncd_header_parse(header_text.data, header_text.size, &header, NULL) ||
        !syncd_store_open_stored(self->store, &header, stored, &body, NULL) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return false;
    syncd_file_changes_read(&reader, syncd_json_root(body.content, body.content_size));
    while (syncd_file_changes_next(&reader, &change)) {
        const GArray *dropped = change.content.dropped;
        if (change.content.kept)
            count(self, change.content.chunks, 1);
        for (guint i = 0; dropped != NULL && i < dropped->len; i++) {
            GBytes *names = g_array_index(dropped, SyncdFileDropped, i).chunks;
            count(self, SYNCD_BYTES(g_bytes_get_data(names, NULL), g_bytes_get_size(names)), -1);
        }
    }
    return true;
}

static bool read_some(SyncdSweep *self, guint64 last, GError **error)
{
    guint64 until = MIN(last, self->at + ENTRIES_A_STEP);
    size_t size = 0;
    bool found = true;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_journal_database(self->store->journal),
                                 "SELECT header, body, pos FROM entry WHERE pos > :at"
                                 " AND pos <= :until AND (instr(header, :schema) > 0"
                                 "  OR pos IN (SELECT pos FROM lost WHERE leaf IS NOT NULL))"
                                 " ORDER BY pos");
    syncd_bind_int(rows, ":at", (gint64)self->at);
    syncd_bind_int(rows, ":until", (gint64)until);
    syncd_bind_blob(rows, ":schema", SYNCD_BYTES_TEXT(SYNCD_FILES_SCHEMA));
    while (found && !self->unreadable && size < BYTES_A_STEP) {
        if (!syncd_statement_next(rows, &found, error))
            return false;
        self->at = found ? (guint64)syncd_column_int(rows, 2) : until;
        if (!found)
            break;
        SyncdBytes stored = syncd_column_bytes(rows, 1);
        size += stored.size;
        self->unreadable = !count_document(self, syncd_column_bytes(rows, 0), stored);
    }
    /* What was found may be named there. */
    if (self->unreadable) {
        g_hash_table_remove_all(self->strays);
        self->at = 0;
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
    g_hash_table_iter_init(&iter, self->strays);
    while (removed < REMOVED_A_STEP && g_hash_table_iter_next(&iter, &key, NULL)) {
        const Stray *stray = key;
        bool needed;
        if (!is_needed(self, &stray->name, &needed, error))
            return false;
        bool goes = !needed && stray->needs <= 0;
        if (goes && !syncd_blobs_remove_file(self->store->directory, &stray->name, error))
            return false;
        removed += goes;
        g_hash_table_iter_remove(&iter);
    }
    if (g_hash_table_size(self->strays) == 0)
        self->at = 0;
    return true;
}

bool syncd_sweep_step(SyncdSweep *self, bool *ret_more, GError **error)
{
    guint64 last = syncd_journal_committed(self->store->journal);
    *ret_more = true;
    if (is_listing(self))
        return list_some(self, error);
    if (g_hash_table_size(self->strays) > 0)
        return self->at < last ? read_some(self, last, error) : remove_some(self, error);
    *ret_more = self->folder != NULL || self->next < FOLDERS;
    return true;
}
