/* The rows of the next generation. */
#include "store/mend-private.h"

#include "crypto/note.h"
#include "store/generation.h"
#include "store/lost.h"

#define ENTRIES_A_STEP 500u
#define BYTES_A_STEP (2u * 1024u * 1024u)

/* ---- feeds ---- */

static bool write_feed(SyncdMend *self, const SyncdFeed *feed, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "INSERT INTO feed (id, device, scope, epoch) VALUES (:id, :device, :scope, :epoch)");
    syncd_bind_int(row, ":id", feed->id);
    syncd_bind_text(row, ":device", feed->device);
    syncd_bind_text(row, ":scope", feed->scope);
    syncd_bind_int(row, ":epoch", (gint64)feed->epoch);
    return syncd_statement_run(row, error);
}

bool syncd_mend_write_feeds(SyncdMend *self, GError **error)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdMendFeed *feed = self->feeds->pdata[i];
        feed->next = 0;
        syncd_frontier_init(&feed->frontier);
        if (!write_feed(self, feed->feed, error))
            return false;
    }
    return true;
}

/* One that was opened since this began is whole. */
static SyncdMendFeed *feed_of(SyncdMend *self, gint64 id, GError **error)
{
    SyncdMendFeed *feed = syncd_mend_feed(self, id);
    const SyncdFeed *opened = syncd_journal_feed(self->store->journal, id);
    if (feed != NULL || opened == NULL)
        return feed;
    feed = g_new0(SyncdMendFeed, 1);
    feed->feed = opened;
    feed->signer = opened->signer;
    feed->known = feed->frontier_holds = true;
    syncd_frontier_init(&feed->frontier);
    g_ptr_array_add(self->feeds, feed);
    return write_feed(self, opened, error) ? feed : NULL;
}

/* ---- entries ---- */

static bool changed_since(guint64 pos, GError **error)
{
    syncd_set_error_next(
        error, SYNCD_ERROR_JOURNAL_CORRUPT, "plan the repair again",
        "The entry %" G_GUINT64_FORMAT " is not as it was when the log was examined", pos);
    return false;
}

static bool write_loss(SyncdMend *self, guint64 pos, const SyncdHash *leaf, GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO lost (pos, leaf) VALUES (:pos, :leaf)");
    syncd_bind_int(row, ":pos", (gint64)pos);
    if (leaf != NULL)
        syncd_bind_blob(row, ":leaf", SYNCD_BYTES(leaf->bytes, sizeof leaf->bytes));
    else
        syncd_bind_null(row, ":leaf");
    return syncd_statement_run(row, error);
}

static bool write_purge(SyncdMend *self, guint64 pos, SyncdBytes text, GError **error)
{
    guint64 by = 0;
    SyncdHeader header;
    if (syncd_header_parse(text.data, text.size, &header, NULL) &&
        !syncd_mend_purged_by(self, pos, &header, &by, error))
        return false;
    if (by == 0)
        return changed_since(pos, error);
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO purge (pos, by) VALUES (:pos, :by)");
    syncd_bind_int(row, ":pos", (gint64)pos);
    syncd_bind_int(row, ":by", (gint64)by);
    return syncd_statement_run(row, error);
}

/* `body` NULL: there is none. */
static bool write_entry(SyncdMend *self, SyncdMendFeed *feed, guint64 pos, SyncdBytes header,
                        const SyncdHash *leaf, const SyncdBytes *body, GError **error)
{
    SyncdBytes tiles = syncd_tiles_add(&feed->frontier, &feed->partial, leaf);
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO entry (pos, feed, seq, header, tiles, body)"
                                           " VALUES (:pos, :feed, :seq, :header, :tiles, :body)");
    syncd_bind_int(row, ":pos", (gint64)pos);
    syncd_bind_int(row, ":feed", feed->feed->id);
    syncd_bind_int(row, ":seq", (gint64)feed->next);
    syncd_bind_blob(row, ":header", header);
    if (tiles.size > 0)
        syncd_bind_blob(row, ":tiles", tiles);
    else
        syncd_bind_null(row, ":tiles");
    if (body != NULL)
        syncd_bind_blob(row, ":body", *body);
    else
        syncd_bind_null(row, ":body");
    feed->next++;
    self->at = pos;
    return syncd_statement_run(row, error);
}

static bool copy_entry(SyncdMend *self, guint64 pos, SyncdStatement *row, GError **error)
{
    SyncdMendFeed *feed = feed_of(self, syncd_column_int(row, 1), error);
    SyncdBytes header = syncd_column_bytes(row, 3), body = syncd_column_bytes(row, 4);
    bool has_body = !syncd_column_is_null(row, 4);
    if (feed == NULL || feed->next != (guint64)syncd_column_int(row, 2) || header.size == 0)
        return changed_since(pos, error);
    SyncdHash leaf = syncd_tree_leaf(header.data, header.size);
    return write_entry(self, feed, pos, header, &leaf, has_body ? &body : NULL, error) &&
           (has_body || write_purge(self, pos, header, error));
}

/* Entries of which nothing is to be mended, up to and with `until`. */
static bool copy_run(SyncdMend *self, guint64 until, size_t *size, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_mend_journal(self),
        "SELECT pos, feed, seq, header, body FROM entry WHERE pos >= :from AND pos <= :until "
        "ORDER BY pos");
    bool row = true;
    syncd_bind_int(rows, ":from", (gint64)self->at + 1);
    syncd_bind_int(rows, ":until", (gint64)until);
    /* What lies before the first one and behind the last may be damaged, and is not asked for. */
    while (self->at < until && *size < BYTES_A_STEP) {
        if (!syncd_statement_next(rows, &row, error))
            return false;
        guint64 pos = row ? (guint64)syncd_column_int(rows, 0) : 0;
        if (pos != self->at + 1)
            return changed_since(self->at + 1, error);
        *size += syncd_column_bytes(rows, 3).size + syncd_column_bytes(rows, 4).size;
        if (!copy_entry(self, pos, rows, error))
            return false;
    }
    return true;
}

static void read_own(SyncdMend *self, guint64 pos, SyncdStoredEntry *ret_stored)
{
    bool row = false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_mend_journal(self), "SELECT header, body FROM entry WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)pos);
    if (!syncd_statement_next(rows, &row, NULL) || !row)
        return;
    SyncdBytes header = syncd_column_bytes(rows, 0), body = syncd_column_bytes(rows, 1);
    ret_stored->header = g_bytes_new(header.data, header.size);
    if (!syncd_column_is_null(rows, 1))
        ret_stored->body = g_bytes_new(body.data, body.size);
}

static void read_from(SyncdMend *self, SyncdSource *source, const SyncdMendFeed *feed, guint64 pos,
                      SyncdStoredEntry *ret_stored)
{
    SyncdPlace place = {feed->feed->device, feed->feed->scope, feed->feed->epoch, feed->next, pos};
    if (source == NULL)
        read_own(self, pos, ret_stored);
    else
        source->entry(source, &place, ret_stored);
}

static SyncdBytes view(GBytes *bytes)
{
    return bytes != NULL ? SYNCD_BYTES(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes))
                         : SYNCD_BYTES("", 0);
}

static bool mend_entry(SyncdMend *self, guint64 pos, const SyncdMendVerdict *verdict,
                       GError **error)
{
    SyncdMendFeed *feed = syncd_mend_feed(self, verdict->feed);
    g_auto(SyncdStoredEntry) headed = {NULL}, bodied = {NULL};
    if (feed == NULL || feed->next != verdict->seq)
        return changed_since(pos, error);
    if (!verdict->header_lost)
        read_from(self, verdict->header_from, feed, pos, &headed);
    if (!verdict->body_lost)
        read_from(self, verdict->body_from, feed, pos, &bodied);
    SyncdBytes header = verdict->header_lost ? SYNCD_BYTES("", 0) : view(headed.header);
    SyncdBytes body = view(bodied.body);
    SyncdHash leaf =
        verdict->header_lost ? verdict->leaf : syncd_tree_leaf(header.data, header.size);
    if (!syncd_hash_equal(&leaf, &verdict->leaf))
        return changed_since(pos, error);
    bool has_body = bodied.body != NULL;
    if (!write_entry(self, feed, pos, header, &leaf, has_body ? &body : NULL, error))
        return false;
    if (verdict->body_lost)
        return write_loss(self, pos, verdict->header_lost ? &leaf : NULL, error);
    return has_body || write_purge(self, pos, header, error);
}

/* The last entry before the next one that is to be mended. */
static guint64 end_of_run(const SyncdMend *self, guint64 last)
{
    for (guint64 pos = self->at + 1; pos <= last; pos++) {
        gint64 key = (gint64)pos;
        if (g_hash_table_contains(self->verdicts, &key))
            return pos - 1;
    }
    return last;
}

static bool write_some(SyncdMend *self, GError **error)
{
    guint64 committed = syncd_journal_committed(self->store->journal);
    guint64 last = MIN(MAX(self->target, committed), self->at + ENTRIES_A_STEP);
    size_t size = 0;
    while (self->at < last && size < BYTES_A_STEP) {
        gint64 next = (gint64)self->at + 1;
        const SyncdMendVerdict *verdict = g_hash_table_lookup(self->verdicts, &next);
        bool ok = verdict != NULL ? mend_entry(self, (guint64)next, verdict, error)
                                  : copy_run(self, end_of_run(self, last), &size, error);
        if (!ok)
            return false;
    }
    return true;
}

static bool end_transaction(SyncdMend *self, bool ok, GError **error)
{
    if (!ok)
        syncd_database_rollback(self->db);
    return ok && syncd_database_commit(self->db, error);
}

bool syncd_mend_write_entries(SyncdMend *self, GError **error)
{
    return syncd_database_begin(self->db, error) &&
           end_transaction(self, write_some(self, error), error);
}

bool syncd_mend_write_content(SyncdMend *self, bool *ret_more, GError **error)
{
    return syncd_database_begin(self->db, error) &&
           end_transaction(self, syncd_mend_copy_content(self, ret_more, error), error);
}

/* ---- heads, checkpoints, names ---- */

static bool write_head(SyncdMend *self, const SyncdMendFeed *feed, const char *note, GError **error)
{
    gint64 present;
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT count(*) FROM head WHERE feed = :feed");
    syncd_bind_int(row, ":feed", feed->feed->id);
    if (!syncd_statement_number(row, 0, &present, error))
        return false;
    row = syncd_database_statement(
        self->db, present == 0 ? "INSERT INTO head (feed, size, frontier, tail, note)"
                                 " VALUES (:feed, :size, :frontier, :tail, :note)"
                               : "UPDATE head SET size = :size, frontier = :frontier, tail = :tail,"
                                 " note = :note WHERE feed = :feed");
    guint64 size = feed->frontier.size;
    syncd_bind_int(row, ":feed", feed->feed->id);
    syncd_bind_int(row, ":size", (gint64)size);
    syncd_bind_blob(
        row, ":frontier",
        SYNCD_BYTES(feed->frontier.nodes, syncd_frontier_count(size) * sizeof(SyncdHash)));
    syncd_bind_blob(
        row, ":tail",
        SYNCD_BYTES(feed->partial.hashes[0], size % SYNCD_TILE_WIDTH * sizeof(SyncdHash)));
    syncd_bind_text(row, ":note", note);
    return syncd_statement_run(row, error);
}

/* The tree over what was written must be the one that is signed. */
static bool check_and_write_head(SyncdMend *self, const SyncdMendFeed *feed, GError **error)
{
    const SyncdFeed *now = feed->feed;
    SyncdHash made = syncd_frontier_root(&feed->frontier);
    SyncdHash root = feed->frontier_holds ? syncd_frontier_root(&now->committed) : feed->root;
    guint64 size = feed->frontier_holds ? now->committed.size : feed->size;
    if (feed->frontier.size != size || !syncd_hash_equal(&made, &root)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The entries of the feed %s are not those of its head", now->text);
        return false;
    }
    g_autofree char *note = feed->resign
                                ? syncd_checkpoint_sign(now->origin, size, &root,
                                                        syncd_keyring_signer(self->store->keyring))
                                : g_strdup(now->note);
    return write_head(self, feed, note, error);
}

static bool write_meta(SyncdMend *self, const char *name, const char *value, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO meta (name, value) VALUES (:name, :value)"
                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    syncd_bind_text(row, ":name", name);
    syncd_bind_text(row, ":value", value);
    return syncd_statement_run(row, error);
}

static bool write_names(SyncdMend *self, GError **error)
{
    const char *device = syncd_store_device_id(self->store);
    g_autofree char *machine = NULL;
    g_autofree char *generation = syncd_generation_describe(device, self->generation);
    syncd_journal_meta(self->store->journal, "machine", &machine, NULL);
    bool sound = machine != NULL && syncd_machine_is_sound(machine);
    return write_meta(self, "device", device, error) &&
           write_meta(self, "machine", sound ? machine : self->store->machine, error) &&
           write_meta(self, SYNCD_GENERATION_META, generation, error);
}

static bool write_rest(SyncdMend *self, GError **error)
{
    for (guint i = 0; i < self->feeds->len; i++)
        if (!check_and_write_head(self, self->feeds->pdata[i], error))
            return false;
    return write_names(self, error);
}

static bool write_late(SyncdMend *self, bool *ret_more, GError **error)
{
    bool checkpoints;
    if (!syncd_mend_copy_checkpoints(self, &checkpoints, error) ||
        !syncd_mend_follow_content(self, ret_more, error))
        return false;
    *ret_more |= checkpoints;
    return true;
}

bool syncd_mend_write_late(SyncdMend *self, bool *ret_more, GError **error)
{
    return syncd_database_begin(self->db, error) &&
           end_transaction(self, write_late(self, ret_more, error), error);
}

bool syncd_mend_write_rest(SyncdMend *self, GError **error)
{
    return syncd_database_begin(self->db, error) &&
           end_transaction(self, write_rest(self, error), error);
}
