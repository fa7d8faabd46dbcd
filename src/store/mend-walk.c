/* Every entry of the journal, in the order of arrival, whatever of it can be read. */
#include "store/mend-private.h"

#include "crypto/note.h"

#define ENTRIES_A_STEP 500u
#define BYTES_A_STEP (2u * 1024u * 1024u)
/* Where walking fails, so many entries are asked for one by one before it is tried again. */
#define PROBES 64u

/* ---- what each feed has to come to ---- */

static const SyncdPublicKey *signer_of(const SyncdMend *self, const SyncdFeed *feed)
{
    return feed->own && syncd_keyring_has_device(self->store->keyring)
               ? syncd_signer_public_key(syncd_keyring_signer(self->store->keyring))
               : &feed->signer;
}

static bool take_note(SyncdMendFeed *feed)
{
    const char *note = feed->feed->note;
    g_autoptr(SyncdCheckpoint) head =
        note != NULL ? syncd_checkpoint_parse(note, strlen(note), NULL) : NULL;
    if (head == NULL || strcmp(head->origin, feed->feed->origin) != 0 ||
        !syncd_note_verify(note, strlen(note), feed->feed->origin, &feed->signer))
        return false;
    feed->size = head->size;
    feed->root = head->root;
    return true;
}

/* What an index that was projected up to the last entry says of it. */
static bool take_cursor(const SyncdMend *self, SyncdMendFeed *feed)
{
    gint64 n = 0;
    SyncdStatement *last = syncd_database_statement(
        syncd_mend_journal(self),
        "SELECT seq + 1 FROM entry WHERE feed = :feed ORDER BY seq DESC LIMIT 1");
    syncd_bind_int(last, ":feed", feed->feed->id);
    return self->store->index != NULL && self->store->projection == NULL &&
           syncd_statement_number(last, 0, &n, NULL) &&
           syncd_index_cursor(self->store->index, feed->feed->id, &feed->size, &feed->root, NULL) &&
           feed->size > 0 && feed->size == (guint64)n;
}

/* A head that lacks its note is signed again, to the same bytes, where what stands beside it says
 * what it covered. */
static void find_head(SyncdMend *self, SyncdMendFeed *feed)
{
    const SyncdFrontier *kept = &feed->feed->committed;
    SyncdHash root = syncd_frontier_root(kept);
    bool noted = take_note(feed);
    feed->frontier_holds =
        noted && kept->size == feed->size && syncd_hash_equal(&root, &feed->root);
    feed->known = noted;
    if (!noted && feed->feed->own && kept->size > 0) {
        feed->size = kept->size;
        feed->root = root;
        feed->known = feed->resign = true;
    } else if (!noted && feed->feed->own) {
        feed->known = feed->resign = take_cursor(self, feed);
    }
    if (!feed->known)
        syncd_mend_add(self, "head", SYNCD_MEND_BEYOND, feed->feed, -1, -1, NULL);
    else if (!feed->frontier_holds)
        syncd_mend_add(self, "head", SYNCD_MEND_DERIVED, feed->feed, -1, -1, NULL);
}

bool syncd_mend_begin_feeds(SyncdMend *self, GError **error)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->store->journal);
    guint64 covered = 0;
    bool all_known = true;
    for (guint i = 0; i < feeds->len; i++) {
        SyncdMendFeed *feed = g_new0(SyncdMendFeed, 1);
        feed->feed = feeds->pdata[i];
        feed->signer = *signer_of(self, feed->feed);
        syncd_frontier_init(&feed->frontier);
        g_ptr_array_add(self->feeds, feed);
        find_head(self, feed);
        covered += feed->size;
        all_known = all_known && feed->known;
    }
    if (feeds->len == 0)
        syncd_mend_add(self, "tree", SYNCD_MEND_BEYOND, NULL, -1, -1, NULL);
    self->target = all_known ? covered : syncd_journal_committed(self->store->journal);
    self->stopped = !all_known || feeds->len == 0;
    return syncd_mend_count_purges(self, error);
}

/* ---- which place an entry has ---- */

static SyncdMendFeed *find_named(const SyncdMend *self, SyncdBytes device, SyncdBytes scope,
                                 guint64 epoch)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdMendFeed *feed = self->feeds->pdata[i];
        if (feed->feed->epoch == epoch && syncd_bytes_are(device, feed->feed->device) &&
            syncd_bytes_are(scope, feed->feed->scope))
            return feed;
    }
    return NULL;
}

static bool is_next(const SyncdMendFeed *feed, guint64 seq)
{
    return feed != NULL && feed->next == seq && seq < feed->size;
}

static SyncdMendFeed *place_of_row(SyncdMend *self, SyncdStatement *row)
{
    SyncdHeader header;
    SyncdBytes text = syncd_column_bytes(row, 3);
    SyncdMendFeed *feed = syncd_mend_feed(self, syncd_column_int(row, 1));
    bool by_columns = is_next(feed, (guint64)syncd_column_int(row, 2));
    if (syncd_header_parse(text.data, text.size, &header, NULL) && !header.lost) {
        SyncdMendFeed *named = find_named(self, header.device, header.scope, header.epoch);
        if (is_next(named, header.seq))
            return named;
    }
    return by_columns ? feed : NULL;
}

/* Looking places up needs no row of the table. */
static SyncdMendFeed *place_of_lookup(SyncdMend *self, guint64 pos)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdMendFeed *feed = self->feeds->pdata[i];
        guint64 found = 0;
        if (feed->next < feed->size &&
            syncd_journal_find_seq(self->store->journal, feed->feed, feed->next, &found, NULL) &&
            found == pos)
            return feed;
    }
    return NULL;
}

static SyncdMendFeed *place_of_source(SyncdMend *self, guint64 pos)
{
    for (guint i = 0; i < self->sources->len; i++) {
        SyncdSource *source = self->sources->pdata[i];
        SyncdPlace place;
        if (!source->place(source, pos, &place))
            continue;
        SyncdMendFeed *feed = find_named(self, SYNCD_BYTES_TEXT(place.device),
                                         SYNCD_BYTES_TEXT(place.scope), place.epoch);
        if (is_next(feed, place.seq))
            return feed;
    }
    return NULL;
}

/* The index knows the scope of each entry; of a scope's feeds an earlier one ends before the next
 * begins. */
static SyncdMendFeed *place_of_index(SyncdMend *self, guint64 pos)
{
    g_autofree char *scope = NULL;
    if (self->store->index == NULL || self->store->projection != NULL ||
        !syncd_index_scope_of(self->store->index, pos, &scope, NULL) || scope == NULL)
        return NULL;
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdMendFeed *feed = self->feeds->pdata[i];
        if (feed->feed->own && feed->next < feed->size && strcmp(feed->feed->scope, scope) == 0)
            return feed;
    }
    return NULL;
}

/* The only feed that has entries left has this one. */
static SyncdMendFeed *place_of_last(SyncdMend *self)
{
    SyncdMendFeed *last = NULL;
    for (guint i = 0; i < self->feeds->len; i++) {
        SyncdMendFeed *feed = self->feeds->pdata[i];
        if (feed->next == feed->size)
            continue;
        if (last != NULL)
            return NULL;
        last = feed;
    }
    return last;
}

/* `row` NULL: it cannot be read, or is not there. */
static void take(SyncdMend *self, guint64 pos, SyncdStatement *row)
{
    SyncdMendFeed *feed = row != NULL ? place_of_row(self, row) : NULL;
    self->at = pos;
    if (feed == NULL)
        feed = place_of_lookup(self, pos);
    if (feed == NULL)
        feed = place_of_source(self, pos);
    if (feed == NULL)
        feed = place_of_index(self, pos);
    if (feed == NULL)
        feed = place_of_last(self);
    if (feed != NULL) {
        syncd_mend_take(self, feed, pos, row);
        return;
    }
    /* What comes after it would not know its place either. */
    syncd_mend_add(self, "place", SYNCD_MEND_BEYOND, NULL, -1, (gint64)pos, NULL);
    self->stopped = true;
}

/* ---- walking ---- */

/* One after the other, as far as that goes. */
static void walk_some(SyncdMend *self)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_mend_journal(self),
        "SELECT pos, feed, seq, header, body, tiles FROM entry WHERE pos > :at AND pos <= :target "
        "ORDER BY pos LIMIT :max");
    syncd_bind_int(rows, ":at", (gint64)self->at);
    syncd_bind_int(rows, ":target", (gint64)self->target);
    syncd_bind_int(rows, ":max", ENTRIES_A_STEP);
    size_t size = 0;
    guint64 before = self->at;
    bool row = true, ok = true;
    while (size < BYTES_A_STEP && !self->stopped) {
        ok = syncd_statement_next(rows, &row, NULL);
        guint64 pos = ok && row ? (guint64)syncd_column_int(rows, 0) : 0;
        if (pos <= self->at || pos - self->at > PROBES)
            break;
        while (self->at + 1 < pos && !self->stopped)
            take(self, self->at + 1, NULL);
        size += syncd_column_bytes(rows, 3).size + syncd_column_bytes(rows, 4).size;
        if (!self->stopped)
            take(self, pos, rows);
    }
    /* Of a gap that is larger nothing says that there is one: each place is looked up. */
    if (self->at == before || !ok)
        self->probes = PROBES;
}

static void probe_one(SyncdMend *self)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_mend_journal(self),
        "SELECT pos, feed, seq, header, body, tiles FROM entry WHERE pos = :pos");
    bool row = false;
    syncd_bind_int(rows, ":pos", (gint64)self->at + 1);
    bool ok = syncd_statement_next(rows, &row, NULL) && row;
    self->probes--;
    take(self, self->at + 1, ok ? rows : NULL);
}

static void judge_feeds(SyncdMend *self)
{
    for (guint i = 0; i < self->feeds->len; i++) {
        const SyncdMendFeed *feed = self->feeds->pdata[i];
        SyncdHash root = syncd_frontier_root(&feed->frontier);
        if (feed->frontier.size != feed->size || !syncd_hash_equal(&root, &feed->root))
            syncd_mend_add(self, "tree", SYNCD_MEND_BEYOND, feed->feed, -1, -1, NULL);
    }
}

bool syncd_mend_walk(SyncdMend *self, GError **error)
{
    if (self->probes == 0 && self->at < self->target && !self->stopped)
        walk_some(self);
    while (self->probes > 0 && self->at < self->target && !self->stopped)
        probe_one(self);
    if (!self->stopped && self->at < self->target)
        return true;
    self->phase = MEND_CONTENT;
    if (!self->stopped)
        judge_feeds(self);
    return true;
}
