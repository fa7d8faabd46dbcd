#include "store/verify-private.h"

#include "crypto/note.h"
#include "store/generation.h"

/* SQLite's own check reads the whole file in one go; beyond this size only a verification without a
 * daemon does it. */
#define STRUCTURE_CHECK_PAGES 8192
#define CHECKPOINTS_A_STEP 100

/* ---- what does not belong to any one feed ---- */

static bool count_rows(SyncdVerify *self, const char *sql, gint64 *ret_count, GError **error)
{
    return syncd_statement_number(
        syncd_database_statement(syncd_journal_database(self->store->journal), sql), 0, ret_count,
        error);
}

/* Rows that no entry or feed accounts for, found at the ends of their tables or in small ones: none
 * of this grows with the log. Within the log such a row is told by the walk over the entries. While
 * a turn is open the tables hold rows of it, which nobody was told of. */
static bool check_strays(SyncdVerify *self, GError **error)
{
    static const struct {
        const char *code;
        const char *sql;
        const char *what;
    } strays[] = {
        {"stray-entry", "SELECT count(*) FROM entry WHERE pos < 1", "entries have no place"},
        {"stray-head",
         "SELECT count(*) FROM head WHERE NOT EXISTS (SELECT 1 FROM feed WHERE feed.id = "
         "head.feed)",
         "heads belong to no feed"},
        {"stray-checkpoint",
         "SELECT count(*) FROM checkpoint WHERE NOT EXISTS (SELECT 1 FROM feed WHERE feed.id = "
         "checkpoint.feed)",
         "checkpoints belong to no feed"},
        {"base",
         "SELECT count(*) FROM feed WHERE base_size <> 0 OR base_frontier <> x'' OR base_snapshot "
         "<> x''",
         "feeds name a snapshot, which this version never writes"},
        {"stray-purge",
         "SELECT count(*) FROM purge WHERE NOT EXISTS (SELECT 1 FROM entry WHERE entry.pos = "
         "purge.pos AND body IS NULL)",
         "bodies are said to be purged that are there, or have no entry"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(strays); i++) {
        gint64 count;
        if (!count_rows(self, strays[i].sql, &count, error))
            return false;
        if (count > 0)
            syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, strays[i].code, NULL, -1, -1,
                             "%" G_GINT64_FORMAT " %s", count, strays[i].what);
    }
    return true;
}

static bool check_meta(SyncdVerify *self, GError **error)
{
    gint64 count;
    if (!count_rows(self, "SELECT count(*) FROM meta", &count, error))
        return false;
    g_autofree char *device = NULL, *machine = NULL, *generation = NULL;
    if (!syncd_journal_meta(self->store->journal, "device", &device, error) ||
        !syncd_journal_meta(self->store->journal, "machine", &machine, error) ||
        !syncd_journal_meta(self->store->journal, SYNCD_GENERATION_META, &generation, error))
        return false;
    if (count != (generation != NULL ? 3 : 2))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the table meta has unknown rows");
    guint64 number;
    if (device != NULL && !syncd_generation_parse(device, generation, &number))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the number of this generation of the log is unreadable");
    const char *own = syncd_store_device_id(self->store);
    if (device == NULL || (own != NULL && strcmp(device, own) != 0))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the log says it is of another device than its keys");
    if (machine == NULL || !syncd_machine_is_sound(machine))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "meta", NULL, -1, -1,
                         "the machine that the log is bound to is unreadable");
    return true;
}

bool syncd_verify_structure(SyncdVerify *self, GError **error)
{
    if (self->target == 0)
        return true;
    SyncdDatabase *db = syncd_journal_database(self->store->journal);
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    gint64 pages;
    if (!syncd_database_check_schema(db, faults, error) ||
        !count_rows(self, "PRAGMA page_count", &pages, error))
        return false;
    self->lookups_hold = faults->len == 0;
    bool whole = self->mode == SYNCD_VERIFY_FULL && !syncd_journal_in_turn(self->store->journal) &&
                 (self->store->mode == SYNCD_STORE_INSPECT || pages <= STRUCTURE_CHECK_PAGES);
    if (whole && !syncd_database_check_structure(db, faults, error))
        return false;
    for (guint i = 0; i < faults->len; i++)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "structure", NULL, -1, -1, "%s",
                         (const char *)faults->pdata[i]);
    if (!check_meta(self, error) || !syncd_verify_losses_hold(self, error))
        return false;
    return self->mode != SYNCD_VERIFY_FULL || check_strays(self, error);
}

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
