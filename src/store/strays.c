#include "store/strays.h"

#include "domain/file-changes.h"
#include "store/store-private.h"

#include <string.h>

#define ENTRIES_A_STEP 500u
#define BYTES_A_STEP (256u * 1024u) /* of documents, and what is left of the last one */

static guint hash_stray(gconstpointer key)
{
    guint hash;
    memcpy(&hash, ((const SyncdStray *)key)->name.bytes, sizeof hash);
    return hash;
}

static gboolean is_same_stray(gconstpointer one, gconstpointer other)
{
    return syncd_hash_equal(&((const SyncdStray *)one)->name, &((const SyncdStray *)other)->name);
}

void syncd_strays_init(SyncdStrays *self, SyncdStore *store)
{
    *self = (SyncdStrays){.store = store,
                          .set = g_hash_table_new_full(hash_stray, is_same_stray, g_free, NULL)};
}

void syncd_strays_clear(SyncdStrays *self)
{
    g_clear_pointer(&self->set, g_hash_table_unref);
}

void syncd_strays_add(SyncdStrays *self, const SyncdHash *name)
{
    SyncdStray *stray = g_new0(SyncdStray, 1);
    stray->name = *name;
    g_hash_table_add(self->set, stray);
}

static void count(SyncdStrays *self, SyncdBytes names, int needs)
{
    for (size_t at = 0; at + SYNCD_HASH_SIZE <= names.size; at += SYNCD_HASH_SIZE) {
        SyncdStray wanted;
        memcpy(wanted.name.bytes, (const guint8 *)names.data + at, sizeof wanted.name.bytes);
        SyncdStray *stray = g_hash_table_lookup(self->set, &wanted);
        if (stray != NULL)
            stray->needs += needs;
    }
}

static bool count_document(SyncdStrays *self, SyncdBytes header_text, SyncdBytes stored)
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

bool syncd_strays_step(SyncdStrays *self, bool *ret_more, GError **error)
{
    guint64 last = syncd_journal_committed(self->store->journal);
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
    *ret_more = !self->unreadable && self->at < last;
    return true;
}
