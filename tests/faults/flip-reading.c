#include "flip-reading.h"

#include "store/store-private.h"

/* The last two are what looking up by place uses, and nothing but an index is read for them. */
static const struct {
    const char *sql;
    int n_columns;
} tables[] = {
    {"SELECT name, value FROM meta ORDER BY name", 2},
    {"SELECT id, device, scope, epoch, base_size, base_frontier, base_snapshot FROM feed ORDER BY "
     "id",
     7},
    {"SELECT pos, feed, seq, header, tiles, body FROM entry ORDER BY pos", 6},
    {"SELECT feed, size, frontier, tail, note FROM head ORDER BY feed", 5},
    {"SELECT id, feed, size, reason, note FROM checkpoint ORDER BY id", 5},
    {"SELECT pos, by FROM purge ORDER BY pos", 2},
    {"SELECT pos, leaf FROM lost ORDER BY pos", 2},
    {"SELECT name, bytes FROM content ORDER BY name", 2},
    {"SELECT device, scope, epoch, id FROM feed ORDER BY device, scope, epoch", 4},
    {"SELECT feed, seq, pos FROM entry ORDER BY feed, seq", 3},
};

static void add(GString *out, const void *bytes, size_t size)
{
    g_string_append_len(out, (const char *)&size, sizeof size);
    g_string_append_len(out, bytes, (gssize)size);
}

static void add_text(GString *out, const char *text)
{
    text = text != NULL ? text : "none";
    add(out, text, strlen(text));
}

static void read_table(SyncdStore *store, size_t i, size_t limit, GString *out)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_journal_database(store->journal), tables[i].sql);
    bool row = true;
    add_text(out, tables[i].sql);
    while (row && out->len <= limit) {
        if (!syncd_statement_next(rows, &row, NULL)) {
            add_text(out, "unreadable");
            return;
        }
        for (int column = 0; row && column < tables[i].n_columns; column++) {
            SyncdBytes value = syncd_column_bytes(rows, column);
            add(out, value.data, value.size);
        }
    }
}

/* Purged or lost, which is as good as being there. */
static bool is_gone(SyncdStore *store, guint64 pos)
{
    guint64 by = 0;
    bool lost = false, header_too;
    SyncdHash leaf;
    return syncd_journal_purged_by(store->journal, pos, &by, NULL) &&
           syncd_journal_lost(store->journal, pos, &lost, &leaf, &header_too, NULL) &&
           (by != 0 || lost);
}

static void read_entry(SyncdStore *store, guint64 pos, GString *out)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) error = NULL;
    bool read = syncd_store_read(store, pos, &entry, NULL);
    if (!read || !syncd_store_read_body(store, &entry, &body, &error)) {
        add_text(out, read && is_gone(store, pos) ? error->message : "unreadable");
        return;
    }
    add(out, entry.text, entry.size);
    add(out, body.meta, body.meta_size);
    add(out, body.content, body.content_size);
}

static void read_heads(SyncdStore *store, GString *out)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(store);
    for (guint i = 0; i < heads->len; i++) {
        const SyncdHead *head = heads->pdata[i];
        add_text(out, head->origin);
        add_text(out, head->note);
        add_text(out, head->verifier_key);
        add(out, &head->size, sizeof head->size);
        add(out, head->root.bytes, sizeof head->root.bytes);
    }
}

void flip_read(SyncdStore *store, size_t limit, GString *out)
{
    guint64 last = syncd_store_sequence(store), ms = syncd_store_last_ms(store);
    add(out, &last, sizeof last);
    add(out, &ms, sizeof ms);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        read_table(store, i, limit, out);
    for (guint64 pos = 1; pos <= last && out->len <= limit; pos++)
        read_entry(store, pos, out);
    read_heads(store, out);
}

void flip_prove(SyncdStore *store, guint64 pos, GString *out)
{
    g_auto(SyncdEntry) entry = {0};
    g_autoptr(SyncdHead) head = NULL;
    g_autoptr(GArray) path = NULL;
    SyncdHash leaf;
    if (!syncd_store_read(store, pos, &entry, NULL) ||
        !syncd_store_prove(store, &entry, &head, &leaf, &path, NULL)) {
        add_text(out, "unreadable");
        return;
    }
    add_text(out, head->note);
    add(out, leaf.bytes, sizeof leaf.bytes);
    add(out, path->data, path->len * sizeof(SyncdHash));
}
