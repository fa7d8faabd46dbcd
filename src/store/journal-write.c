#include "crypto/note.h"
#include "store/journal-private.h"

static bool refuse(SyncdJournal *self, GError **error)
{
    if (error != NULL)
        *error = g_error_copy(self->problem);
    return false;
}

bool syncd_journal_begin(SyncdJournal *self, GError **error)
{
    if (self->problem != NULL)
        return refuse(self, error);
    if (self->turn_error != NULL) {
        if (error != NULL)
            *error = g_error_copy(self->turn_error);
        return false;
    }
    if (self->turn)
        return true;
    self->turn = syncd_database_begin(self->db, error);
    return self->turn;
}

/* A write that failed inside the transaction fails the whole turn: what SQLite kept of it is not
 * ours to know. */
bool syncd_journal_write_row(SyncdJournal *self, SyncdStatement *statement, GError **error)
{
    if (syncd_statement_run(statement, &self->turn_error))
        return true;
    if (error != NULL)
        *error = g_error_copy(self->turn_error);
    return false;
}

bool syncd_journal_in_turn(const SyncdJournal *self)
{
    return self->turn;
}

bool syncd_journal_set_meta(SyncdJournal *self, const char *name, const char *value, GError **error)
{
    if (!syncd_journal_begin(self, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO meta (name, value) VALUES (:name, :value)"
                  " ON CONFLICT (name) DO UPDATE SET value = excluded.value");
    syncd_bind_text(row, ":name", name);
    syncd_bind_text(row, ":value", value);
    return syncd_journal_write_row(self, row, error);
}

SyncdFeed *syncd_journal_add_feed(SyncdJournal *self, const char *scope, guint64 epoch,
                                  GError **error)
{
    if (!syncd_journal_begin(self, error))
        return NULL;
    gint64 id = 1;
    for (guint i = 0; i < self->feeds->len; i++)
        id = MAX(id, ((SyncdFeed *)self->feeds->pdata[i])->id + 1);

    SyncdStatement *row = syncd_database_statement(
        self->db,
        "INSERT INTO feed (id, device, scope, epoch) VALUES (:id, :device, :scope, :epoch)");
    syncd_bind_int(row, ":id", id);
    syncd_bind_text(row, ":device", syncd_keyring_device_id(self->keyring));
    syncd_bind_text(row, ":scope", scope);
    syncd_bind_int(row, ":epoch", (gint64)epoch);
    if (!syncd_journal_write_row(self, row, error))
        return NULL;

    SyncdFeed *feed =
        syncd_feed_new(self, id, syncd_keyring_device_id(self->keyring), scope, epoch);
    feed->signer = *syncd_signer_public_key(syncd_keyring_signer(self->keyring));
    feed->opened_in_turn = true;
    return feed;
}

bool syncd_journal_append(SyncdJournal *self, SyncdFeed *feed, SyncdBytes header, SyncdBytes body,
                          guint64 *ret_pos, SyncdHash *ret_leaf, GError **error)
{
    if (!syncd_journal_begin(self, error))
        return false;

    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO entry (pos, feed, seq, header, tiles, body)"
                                           " VALUES (:pos, :feed, :seq, :header, :tiles, :body)");
    syncd_bind_int(row, ":pos", (gint64)self->next);
    syncd_bind_int(row, ":feed", feed->id);
    syncd_bind_int(row, ":seq", (gint64)feed->working.size);
    syncd_bind_blob(row, ":header", header);
    syncd_bind_blob(row, ":body", body);

    SyncdHash leaf = syncd_tree_leaf(header.data, header.size);
    SyncdBytes tiles;
    if (!syncd_tiles_append(self, feed, &leaf, &tiles, &self->turn_error)) {
        syncd_statement_done(row);
        if (error != NULL)
            *error = g_error_copy(self->turn_error);
        return false;
    }
    if (tiles.size > 0)
        syncd_bind_blob(row, ":tiles", tiles);
    else
        syncd_bind_null(row, ":tiles");
    if (!syncd_journal_write_row(self, row, error))
        return false;
    *ret_pos = self->next++;
    *ret_leaf = leaf;
    return true;
}

bool syncd_journal_purge(SyncdJournal *self, guint64 pos, guint64 by, GError **error)
{
    if (!syncd_journal_begin(self, error))
        return false;
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO purge (pos, by) VALUES (:pos, :by)");
    syncd_bind_int(row, ":pos", (gint64)pos);
    syncd_bind_int(row, ":by", (gint64)by);
    if (!syncd_journal_write_row(self, row, error))
        return false;
    row = syncd_database_statement(self->db, "UPDATE entry SET body = NULL WHERE pos = :pos");
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_journal_write_row(self, row, error);
}

static bool write_head(SyncdJournal *self, SyncdFeed *feed, const char *note, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db,
        feed->committed.size == 0
            ? "INSERT INTO head (feed, size, frontier, tail, note)"
              " VALUES (:feed, :size, :frontier, :tail, :note)"
            : "UPDATE head SET size = :size, frontier = :frontier, tail = :tail, note = :note"
              " WHERE feed = :feed");
    size_t n_frontier = syncd_frontier_count(feed->working.size),
           n_tail = feed->working.size % SYNCD_TILE_WIDTH;
    syncd_bind_int(row, ":feed", feed->id);
    syncd_bind_int(row, ":size", (gint64)feed->working.size);
    syncd_bind_blob(row, ":frontier",
                    SYNCD_BYTES(feed->working.nodes, n_frontier * sizeof(SyncdHash)));
    syncd_bind_blob(row, ":tail",
                    SYNCD_BYTES(feed->partial->hashes[0], n_tail * sizeof(SyncdHash)));
    syncd_bind_text(row, ":note", note);
    return syncd_journal_write_row(self, row, error);
}

bool syncd_checkpoint_reason_is_known(const char *reason)
{
    return strcmp(reason, "checkpoint.write") == 0;
}

bool syncd_journal_add_checkpoint(SyncdJournal *self, SyncdFeed *feed, const char *reason,
                                  GError **error)
{
    if (!syncd_checkpoint_reason_is_known(reason)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "No head is kept for '%s'", reason);
        return false;
    }
    if (!syncd_journal_begin(self, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "INSERT INTO checkpoint (feed, size, reason, note) VALUES (:feed, :size, :reason, :note)");
    syncd_bind_int(row, ":feed", feed->id);
    syncd_bind_int(row, ":size", (gint64)feed->committed.size);
    syncd_bind_text(row, ":reason", reason);
    syncd_bind_text(row, ":note", feed->note);
    return syncd_journal_write_row(self, row, error);
}

static bool grew(const SyncdFeed *feed)
{
    return feed->working.size != feed->committed.size;
}

void syncd_journal_discard(SyncdJournal *self)
{
    syncd_database_rollback(self->db);
    self->turn = false;
    self->next = self->committed + 1;
    self->clock = self->committed_clock; /* nobody saw what the turn had */
    g_clear_error(&self->turn_error);
    for (guint i = self->feeds->len; i > 0; i--) {
        SyncdFeed *feed = self->feeds->pdata[i - 1];
        feed->working = feed->committed;
        g_clear_pointer(&feed->partial, g_free);
        if (feed->opened_in_turn)
            g_ptr_array_remove_index(self->feeds, i - 1);
    }
}

/* Signs and stores the heads of the feeds that grew; `notes` gets their texts in the order of the
 * feeds. */
static bool write_heads(SyncdJournal *self, GPtrArray *notes, GError **error)
{
    const SyncdSigner *signer = syncd_keyring_signer(self->keyring);
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdFeed *feed = self->feeds->pdata[i];
        if (!grew(feed))
            continue;
        SyncdHash root = syncd_frontier_root(&feed->working);
        char *note = syncd_checkpoint_sign(feed->origin, feed->working.size, &root, signer);
        g_ptr_array_add(notes, note);
        if (!write_head(self, feed, note, error))
            return false;
    }
    return true;
}

bool syncd_journal_commit(SyncdJournal *self, GError **error)
{
    if (self->problem != NULL)
        return refuse(self, error);
    if (!self->turn)
        return true;

    g_autoptr(GPtrArray) notes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) problem = g_steal_pointer(&self->turn_error);
    if (problem == NULL && write_heads(self, notes, &problem) &&
        syncd_database_commit(self->db, &problem)) {
        guint taken = 0;
        for (guint i = 0; i < self->feeds->len; i++) {
            SyncdFeed *feed = self->feeds->pdata[i];
            feed->opened_in_turn = false;
            if (!grew(feed))
                continue;
            feed->committed = feed->working;
            memcpy(feed->tail, feed->partial->hashes[0], sizeof feed->tail);
            g_free(feed->note);
            feed->note = g_steal_pointer(&notes->pdata[taken++]);
        }
        self->turn = false;
        self->committed = self->next - 1;
        self->committed_clock = self->clock;
        return true;
    }

    syncd_journal_discard(self);
    /* A full disk left no trace and may be cleared. Where it was damage that was met, what the turn
     * had was taken back, and a repair goes on from what is there. After anything else nobody knows
     * what the disk holds. */
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
        self->stopped_by_turn = self->problem == NULL;
        syncd_journal_stop(self, g_error_copy(problem));
    } else if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE)) {
        g_free(self->write_fault);
        self->write_fault = g_strdup(problem->message);
        syncd_database_freeze(self->db);
        GError *sticky = NULL;
        syncd_set_error(&sticky, SYNCD_ERROR_STORAGE_FAILED,
                        "A write to the log failed; whether it is there is unknown");
        syncd_journal_stop(self, sticky);
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}
