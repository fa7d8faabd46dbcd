#include "store/sharing.h"

#include "store/blobs.h"
#include "store/store-private.h"

static bool note_shared(void *data, const char *name, guint64 size)
{
    SyncdPurgedChunk *chunk = g_hash_table_lookup(((SyncdSharing *)data)->chunks, name);
    if (chunk != NULL)
        chunk->shared = true;
    return true;
}

static bool may_share(const SyncdSharing *sharing, const SyncdHeader *header, guint64 pos)
{
    gint64 key = (gint64)pos;
    return header->body_is_list &&
           (header->key.size == 0 || sharing->scope == NULL ||
            syncd_bytes_are(header->scope, sharing->scope)) &&
           (sharing->taken == NULL || !g_hash_table_contains(sharing->taken, &key));
}

static void look_at_list(SyncdSharing *sharing, SyncdStatement *row)
{
    SyncdHeader header;
    g_auto(SyncdBody) body = {0};
    SyncdBytes text = syncd_column_bytes(row, 1);
    bool known = syncd_header_parse(text.data, text.size, &header, NULL);
    if (known && !may_share(sharing, &header, (guint64)syncd_column_int(row, 0)))
        return;
    if (!known ||
        !syncd_store_open_meta(sharing->store, &header, syncd_column_bytes(row, 2), &body, NULL) ||
        !syncd_blobs_each(SYNCD_BYTES(body.content, body.content_size), note_shared, sharing))
        sharing->unreadable++;
}

static bool look_at_lists(SyncdSharing *sharing, guint64 until, GError **error)
{
    static const char needle[] = "\"form\":\"list\"";
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(sharing->store->journal),
        "SELECT pos, header, body FROM entry WHERE pos > :at AND pos <= :until"
        " AND (instr(header, :needle) > 0 AND body IS NOT NULL"
        "  OR body IS NULL AND pos IN (SELECT pos FROM lost"
        "   WHERE leaf IS NOT NULL OR instr(header, :needle) > 0)) ORDER BY pos");
    syncd_bind_int(rows, ":at", (gint64)sharing->at);
    syncd_bind_int(rows, ":until", (gint64)until);
    syncd_bind_blob(rows, ":needle", SYNCD_BYTES_TEXT(needle));
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        look_at_list(sharing, rows);
    }
}

static void keep_all(SyncdSharing *sharing)
{
    GHashTableIter iter;
    void *chunk;
    g_hash_table_iter_init(&iter, sharing->chunks);
    while (g_hash_table_iter_next(&iter, NULL, &chunk))
        ((SyncdPurgedChunk *)chunk)->shared = true;
}

bool syncd_sharing_step(SyncdSharing *sharing, bool *ret_more, GError **error)
{
    guint64 last = syncd_journal_committed(sharing->store->journal);
    guint64 until = MIN(last, sharing->at + SYNCD_PURGE_STEP);
    if (g_hash_table_size(sharing->chunks) == 0)
        until = last;
    else if (until > sharing->at && !look_at_lists(sharing, until, error))
        return false;
    sharing->at = until;
    if (sharing->unreadable > 0)
        keep_all(sharing);
    *ret_more = until < last;
    return true;
}
