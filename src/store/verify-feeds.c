#include "store/verify-private.h"

#include "crypto/note.h"

#define CHECKPOINTS_A_STEP 100

/* ---- tiles ---- */

/* Where leaf hashes that were kept and those of the headers differ in few places, those headers
 * were changed, and are named. Where they differ in many, what was kept is damaged. */
#define NAMED_LEAVES_MAX 4u

static bool name_changed_leaves(SyncdVerify *self, SyncdFeedCheck *check, const SyncdHash *kept,
                                guint64 first, unsigned n, GError **error)
{
    unsigned differing[NAMED_LEAVES_MAX + 1], n_differing = 0;
    for (unsigned i = 0; i < n && n_differing <= NAMED_LEAVES_MAX; i++)
        if (!syncd_hash_equal(&kept[i], &check->partial.hashes[0][i]))
            differing[n_differing++] = i;
    if (n_differing > NAMED_LEAVES_MAX)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "leaves", check->feed, (gint64)first,
                         -1,
                         "the leaf hashes kept for entries %" G_GUINT64_FORMAT
                         " to %" G_GUINT64_FORMAT " are not those of the headers",
                         first, first + n - 1);
    for (unsigned i = 0; i < n_differing && n_differing <= NAMED_LEAVES_MAX; i++) {
        guint64 pos, seq = first + differing[i];
        if (!syncd_journal_find_seq(self->store->journal, check->feed, seq, &pos, error))
            return false;
        check->broken = true;
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "leaf", check->feed, (gint64)seq,
                         (gint64)pos,
                         "the header is not the one that was written: its hash is another");
    }
    return true;
}

bool syncd_verify_tiles(SyncdVerify *self, SyncdFeedCheck *check, SyncdBytes tiles,
                        unsigned full_levels, GError **error)
{
    if (tiles.data == NULL && full_levels == 0)
        return true;
    const SyncdHash *made = check->partial.hashes[0];
    bool sized =
        tiles.data != NULL && full_levels > 0 && tiles.size == full_levels * SYNCD_TILE_BYTES;
    if (sized && memcmp(tiles.data, made, tiles.size) == 0)
        return true;
    if (sized && memcmp(tiles.data, made, SYNCD_TILE_BYTES) != 0) {
        SyncdHash kept[SYNCD_TILE_WIDTH];
        memcpy(kept, tiles.data, sizeof kept);
        return name_changed_leaves(self, check, kept, check->frontier.size - SYNCD_TILE_WIDTH,
                                   SYNCD_TILE_WIDTH, error);
    }
    /* A changed header changes every tile above it; it was named already. */
    if (!check->broken)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "tile", check->feed,
                         (gint64)check->frontier.size - 1, (gint64)self->at,
                         "the tiles kept with the entry are not those that it completes");
    return true;
}

static bool check_tail(SyncdVerify *self, SyncdFeedCheck *check, GError **error)
{
    unsigned n = check->head.size % SYNCD_TILE_WIDTH;
    if (check->frontier.size != check->head.size)
        return true; /* told as feed-size */
    return name_changed_leaves(self, check, check->tail, check->head.size - n, n, error);
}

/* ---- heads and checkpoints ---- */

static bool note_holds(const SyncdFeed *feed, const char *note, guint64 size, const SyncdHash *root)
{
    g_autoptr(SyncdCheckpoint) head =
        note != NULL ? syncd_checkpoint_parse(note, strlen(note), NULL) : NULL;
    return head != NULL && strcmp(head->origin, feed->origin) == 0 && head->size == size &&
           syncd_hash_equal(&head->root, root) &&
           syncd_note_verify(note, strlen(note), feed->origin, &feed->signer);
}

static void check_head(SyncdVerify *self, SyncdFeedCheck *check)
{
    const SyncdFeed *feed = check->feed;
    SyncdHash head = syncd_frontier_root(&check->head);
    SyncdHash root = syncd_frontier_root(&check->frontier);
    g_autofree char *named = syncd_device_id_of(&feed->signer);
    if (strcmp(named, feed->device) != 0)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "feed-signer", feed, 0, -1,
                         "the first entry names a key that is not this device's");
    if (!note_holds(feed, check->note, check->head.size, &head))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "head-signature", feed, -1, -1,
                         "the head is not signed by the device, or does not state the size and "
                         "root stored beside it");
    if (self->mode == SYNCD_VERIFY_HEADS)
        return;
    if (check->frontier.size != check->head.size)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "feed-size", feed, -1, -1,
                         "the head covers %" G_GUINT64_FORMAT " entries, %" G_GUINT64_FORMAT
                         " are there",
                         check->head.size, check->frontier.size);
    else if (!syncd_hash_equal(&head, &root) && !check->broken)
        syncd_verify_add(
            self, SYNCD_ERROR_JOURNAL_CORRUPT, "feed-root", feed, -1, -1,
            "the entries are not the ones that the signed head covers: a header was changed, or "
            "entries were exchanged");
}

bool syncd_verify_feeds(SyncdVerify *self, GError **error)
{
    for (guint i = 0; i < self->checks->len; i++) {
        SyncdFeedCheck *check = self->checks->pdata[i];
        if (self->mode != SYNCD_VERIFY_HEADS && !check_tail(self, check, error))
            return false;
        check_head(self, check);
    }
    return true;
}

static bool check_checkpoint(SyncdVerify *self, SyncdStatement *row, GError **error)
{
    SyncdFeedCheck *check = syncd_verify_check_of(self, syncd_column_int(row, 1));
    guint64 size = (guint64)syncd_column_int(row, 2);
    if (check == NULL || (size > check->head.size && size <= check->feed->committed.size))
        return true; /* a stray, told already; or written since this began */
    SyncdFeedNodes nodes;
    SyncdFrontier frontier;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->store->journal, check->feed);
    bool within = size <= check->head.size;
    if (within && !syncd_tree_frontier_at(&reader, size, &frontier, error))
        return false;
    SyncdHash root = within ? syncd_frontier_root(&frontier) : (SyncdHash){0};
    if (!within || !note_holds(check->feed, syncd_column_text(row, 3), size, &root))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "checkpoint", check->feed, -1, -1,
                         "the checkpoint at size %" G_GUINT64_FORMAT " does not hold", size);
    return true;
}

bool syncd_verify_checkpoints(SyncdVerify *self, bool *ret_more, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_journal_database(self->store->journal),
                                 "SELECT id, feed, size, note, reason FROM checkpoint WHERE id > "
                                 ":after ORDER BY id LIMIT :max");
    syncd_bind_int(rows, ":after", self->checkpoint);
    syncd_bind_int(rows, ":max", CHECKPOINTS_A_STEP);
    *ret_more = false;
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        if (syncd_column_int(rows, 0) <= self->checkpoint)
            return syncd_verify_disordered("checkpoint", error);
        gint64 wanted = self->checkpoint == G_MININT64 ? 1 : self->checkpoint + 1;
        self->checkpoint = syncd_column_int(rows, 0);
        if (self->checkpoint != wanted ||
            !syncd_checkpoint_reason_is_known(syncd_column_text(rows, 4)))
            syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "checkpoint", NULL, -1, -1,
                             "checkpoint %" G_GINT64_FORMAT
                             " is not the next one, or was kept for no reason that is known",
                             self->checkpoint);
        if (!check_checkpoint(self, rows, error))
            return false;
        *ret_more = true;
    }
}
