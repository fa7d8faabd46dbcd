#include "store/verify-private.h"

#include "base/canonical.h"

#include "base/json-writer.h"
#include "store/displaced.h"
#include "store/lost.h"

/* A step ends after so many entries, or after so much content. */
#define ENTRIES_A_STEP 500u
#define BYTES_A_STEP (2u * 1024u * 1024u)

const GPtrArray *syncd_verify_passed(const SyncdVerify *self)
{
    return self->passed;
}

bool syncd_verify_disordered(const char *table, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The rows of the table %s are out of order",
                    table);
    return false;
}

/* ---- beginning ---- */

static void check_free(void *data)
{
    SyncdFeedCheck *check = data;
    g_free(check->note);
    g_array_unref(check->run_positions);
    g_free(check);
}

static void begin_checks(SyncdVerify *self)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->store->journal);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        if (feed->opened_in_turn)
            continue;
        SyncdFeedCheck *check = g_new0(SyncdFeedCheck, 1);
        check->feed = feed;
        check->device = SYNCD_BYTES_TEXT(feed->device);
        check->scope = SYNCD_BYTES_TEXT(feed->scope);
        check->head = feed->committed;
        check->note = g_strdup(feed->note);
        check->run_positions = g_array_new(FALSE, FALSE, sizeof(guint64));
        memcpy(check->tail, feed->tail, sizeof check->tail);
        syncd_frontier_init(&check->frontier);
        g_ptr_array_add(self->checks, check);
        g_hash_table_insert(self->by_feed, GSIZE_TO_POINTER(feed->id), check);
    }
}

SyncdVerify *syncd_verify_new(SyncdStore *store, SyncdVerifyMode mode,
                              const char *const *known_heads, GError **error)
{
    if (!syncd_store_check_readable(store, error))
        return NULL;
    g_autoptr(SyncdVerify) self = g_new0(SyncdVerify, 1);
    self->store = store;
    self->reopened = store->reopened;
    self->mode = mode;
    self->phase = mode == SYNCD_VERIFY_FULL ? PHASE_PAGES : PHASE_STRUCTURE;
    self->checkpoint = G_MININT64;
    self->opened_all = true;
    self->known = g_ptr_array_new_with_free_func(syncd_known_head_free);
    self->checks = g_ptr_array_new_with_free_func(check_free);
    self->by_feed = g_hash_table_new(g_direct_hash, g_direct_equal);
    self->findings = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_verify_finding_free);
    self->passed = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_verify_finding_free);
    self->losses = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_verify_finding_free);
    self->target = syncd_journal_committed(store->journal);
    self->met_damage = syncd_database_met_damage(syncd_journal_database(store->journal));
    begin_checks(self);
    if (known_heads != NULL && !syncd_verify_parse_known(self, known_heads, error))
        return NULL;
    if (mode != SYNCD_VERIFY_HEADS)
        syncd_verify_resume(self);
    return g_steal_pointer(&self);
}

void syncd_verify_free(SyncdVerify *self)
{
    if (self == NULL)
        return;
    syncd_verify_clear_content(self);
    syncd_structure_free(self->pages);
    g_clear_pointer(&self->faults, g_ptr_array_unref);
    g_ptr_array_unref(self->findings);
    g_ptr_array_unref(self->passed);
    g_clear_pointer(&self->lost, g_hash_table_unref);
    g_ptr_array_unref(self->losses);
    g_hash_table_unref(self->by_feed);
    g_ptr_array_unref(self->checks);
    g_ptr_array_unref(self->known);
    g_free(self);
}

/* Most entries belong to the feed of the one before. */
SyncdFeedCheck *syncd_verify_check_of(SyncdVerify *self, gint64 feed)
{
    if (self->last == NULL || self->last->feed->id != feed)
        self->last = g_hash_table_lookup(self->by_feed, GSIZE_TO_POINTER(feed));
    return self->last;
}

/* ---- entries ---- */

/* Each column is asked for once. */
typedef struct {
    guint64 pos;
    gint64 feed, seq;
    SyncdBytes header;
    SyncdBytes body, tiles; /* without data where there is NULL */
} Row;

static Row read_row(SyncdStatement *row)
{
    return (Row){
        .pos = (guint64)syncd_column_int(row, 0),
        .feed = syncd_column_int(row, 1),
        .seq = syncd_column_int(row, 2),
        .body = syncd_column_optional(row, 3),
        .header = syncd_column_bytes(row, 4),
        .tiles = syncd_column_optional(row, 5),
    };
}

typedef struct {
    SyncdVerify *verify;
    SyncdFeedCheck *check;
    unsigned full_levels;
} Completed;

static void note_node(void *data, unsigned level, guint64 index, const SyncdHash *node)
{
    Completed *completed = data;
    unsigned tile_level = level / SYNCD_TILE_HEIGHT;
    if (level % SYNCD_TILE_HEIGHT != 0 || tile_level >= SYNCD_TILE_LEVELS)
        return;
    completed->check->partial.hashes[tile_level][index % SYNCD_TILE_WIDTH] = *node;
    if (index % SYNCD_TILE_WIDTH == SYNCD_TILE_WIDTH - 1)
        completed->full_levels = tile_level + 1;
}

static bool add_leaf(SyncdVerify *self, SyncdFeedCheck *check, SyncdBytes header, const Row *row,
                     GError **error)
{
    SyncdHash leaf = syncd_entry_leaf(header.data, header.size);
    Completed completed = {.verify = self, .check = check};
    note_node(&completed, 0, check->frontier.size, &leaf);
    syncd_frontier_append(&check->frontier, &leaf, note_node, &completed);
    return syncd_verify_tiles(self, check, row->tiles, completed.full_levels, error);
}

static void add_body_finding(SyncdVerify *self, const SyncdFeed *feed, guint64 pos,
                             const SyncdHeader *header, const char *code, const char *detail)
{
    syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, code, feed, (gint64)header->seq,
                     (gint64)pos, "%s", detail);
}

static bool meta_is_good(const SyncdBody *body)
{
    return body->meta_size <= SYNCD_STORE_META_MAX &&
           syncd_json_check(body->meta, body->meta_size, SYNCD_JSON_MUST_BE_OBJECT, NULL) &&
           syncd_canonical_is(body->meta, body->meta_size);
}

static void check_body(SyncdVerify *self, const SyncdFeed *feed, guint64 pos,
                       const SyncdHeader *header, SyncdBytes stored)
{
    if (stored.data == NULL) {
        syncd_verify_missing_body(self, feed, pos, header);
        return;
    }
    if (!header->known)
        return; /* what its version says of bodies is not known here */
    SyncdHash digest = syncd_hash(stored.data, stored.size);
    if (stored.size != header->body_size || !syncd_hash_equal(&digest, &header->body_digest)) {
        add_body_finding(self, feed, pos, header, "body-digest",
                         "the stored body is not the one whose size and digest the header names");
        return;
    }
    /* A body that has the digest it had when it was opened opens as it did then; chunks lie beside
     * the log. A key that is not here is not damage; a chunk that is not here is. */
    bool counts = syncd_verify_counts_content(self, header);
    if ((pos <= self->opened && !header->body_is_list && !counts) ||
        !syncd_store_has_key(self->store, header))
        return;
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) problem = NULL;
    bool opened = syncd_store_open_stored(self->store, header, stored, &body, &problem);
    self->step_bytes += stored.size + body.content_size;
    if (opened) {
        if (!meta_is_good(&body))
            add_body_finding(self, feed, pos, header, "body-meta",
                             "the meta line of the body is not canonical JSON");
        if (counts)
            syncd_verify_count_content(self, pos, header, &body);
        return;
    }
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(problem->message, &sentence, &next);
    if (!header->body_is_list) {
        add_body_finding(self, feed, pos, header, "body-seal", sentence);
        return;
    }
    const SyncdVerifyFinding found = {.code = "content",
                                      .feed = feed->text,
                                      .seq = (gint64)header->seq,
                                      .pos = (gint64)pos,
                                      .detail = sentence,
                                      .part = (char *)"body"};
    syncd_verify_add_content(self, &found);
}

/* The feed that a row says it belongs to, after checking that the header says the same. */
static SyncdFeedCheck *check_place(SyncdVerify *self, const Row *row, const SyncdHeader *header)
{
    SyncdFeedCheck *check = syncd_verify_check_of(self, row->feed);
    guint64 pos = row->pos;
    gint64 seq = row->seq;
    if (check == NULL) {
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "entry-feed", NULL, seq, (gint64)pos,
                         "the entry belongs to no feed");
        return NULL;
    }
    const SyncdFeed *feed = check->feed;
    if (!syncd_bytes_equal(header->device, check->device) ||
        !syncd_bytes_equal(header->scope, check->scope) || header->epoch != feed->epoch ||
        (gint64)header->seq != seq)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "entry-place", feed, seq, (gint64)pos,
                         "the header names another feed or place than its row");
    if ((guint64)seq != check->frontier.size)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "entry-order", feed, seq, (gint64)pos,
                         "place %" G_GUINT64_FORMAT " of the feed was expected here",
                         check->frontier.size);
    if (seq == 0 && (header->known || header->lost) && !syncd_bytes_are(header->kind, "feed.open"))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "feed-open", feed, seq, (gint64)pos,
                         "the first entry of the feed does not open it");
    return check;
}

static bool check_entry(SyncdVerify *self, const Row *row, GError **error)
{
    guint64 pos = row->pos;
    if (pos != self->at + 1)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "entry-missing", NULL, -1,
                         (gint64)self->at + 1,
                         "sequence number %" G_GUINT64_FORMAT " is followed by %" G_GUINT64_FORMAT,
                         self->at, pos);
    if (pos <= self->at)
        return syncd_verify_disordered("entry", error);
    self->at = pos;

    SyncdHeader header;
    g_autoptr(GError) problem = NULL;
    SyncdBytes text = row->header;
    size_t size = 0;
    g_autofree char *stand_in = text.size == 0
                                    ? syncd_journal_stand_in(self->store->journal, pos, row->feed,
                                                             (guint64)row->seq, &size, NULL)
                                    : NULL;
    if (stand_in != NULL)
        text = SYNCD_BYTES(stand_in, size);
    if (!syncd_header_parse(text.data, text.size, &header, &problem)) {
        g_autofree char *sentence = NULL, *next = NULL;
        SyncdFeedCheck *check = syncd_verify_check_of(self, row->feed);
        syncd_error_split(problem->message, &sentence, &next);
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "header",
                         check != NULL ? check->feed : NULL, row->seq, (gint64)pos, "%s", sentence);
        if (check == NULL)
            return true;
        check->broken = true;
        return add_leaf(self, check, text, row, error);
    }
    SyncdFeedCheck *check = check_place(self, row, &header);
    if (check == NULL)
        return true;
    const char *fault;
    guint64 before = self->n_findings;
    if (header.lost != (stand_in != NULL))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "header", check->feed,
                         (gint64)header.seq, (gint64)pos,
                         "the header has a version that no header has");
    if (!syncd_header_obeys(&header, &fault))
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "header", check->feed,
                         (gint64)header.seq, (gint64)pos,
                         "the header's member '%s' is none that an entry may have", fault);
    check_body(self, check->feed, pos, &header, row->body);
    syncd_verify_note_place(self, check, (guint64)row->seq, pos);
    check->broken = check->broken || self->n_findings != before;
    return add_leaf(self, check, text, row, error);
}

static bool step_pages(SyncdVerify *self, GError **error)
{
    bool more;
    if (!syncd_verify_pages(self, &more, error))
        return false;
    if (!more)
        self->phase = PHASE_STRUCTURE;
    return true;
}

static bool step_entries(SyncdVerify *self, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(self->store->journal),
        "SELECT pos, feed, seq, body, header, tiles FROM entry WHERE pos > :at ORDER BY pos");
    syncd_bind_int(rows, ":at", (gint64)self->at);
    guint n = 0;
    self->step_bytes = 0;
    while (n < ENTRIES_A_STEP && self->step_bytes <= BYTES_A_STEP) {
        bool is_row;
        if (!syncd_statement_next(rows, &is_row, error))
            return false;
        Row row = is_row ? read_row(rows) : (Row){0};
        if (!is_row || row.pos > self->target)
            break;
        if (!check_entry(self, &row, error))
            return false;
        n++;
    }
    if (!syncd_verify_places(self, error))
        return false;
    if (n == 0 || self->at >= self->target)
        self->phase = PHASE_CONTENT;
    return true;
}

static void step_content(SyncdVerify *self)
{
    bool more;
    syncd_verify_content(self, &more);
    if (!more)
        self->phase = PHASE_FEEDS;
}

static bool step_checkpoints(SyncdVerify *self, GError **error)
{
    bool more;
    if (!syncd_verify_checkpoints(self, &more, error))
        return false;
    if (!more)
        self->phase = PHASE_KNOWN;
    return true;
}

/* ---- stepping ---- */

/* Damage that SQLite itself runs into is what a verification looks for: a finding, not a failure of
 * the search. */
static bool is_damage(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
}

static void conclude(SyncdVerify *self)
{
    const SyncdDatabase *db = syncd_journal_database(self->store->journal);
    syncd_verify_remember(self);
    if (self->mode == SYNCD_VERIFY_FULL && self->n_findings == 0 &&
        syncd_database_met_damage(db) == self->met_damage)
        syncd_store_note_sound(self->store);
}

static bool run_phase(SyncdVerify *self, GError **error)
{
    switch (self->phase) {
    case PHASE_PAGES:
        return step_pages(self, error);
    case PHASE_STRUCTURE:
        self->phase = self->mode == SYNCD_VERIFY_HEADS ? PHASE_FEEDS : PHASE_ENTRIES;
        return syncd_verify_structure(self, error);
    case PHASE_ENTRIES:
        return step_entries(self, error);
    case PHASE_CONTENT:
        step_content(self);
        return true;
    case PHASE_FEEDS:
        self->phase = PHASE_CHECKPOINTS;
        return syncd_verify_feeds(self, error);
    case PHASE_CHECKPOINTS:
        return step_checkpoints(self, error);
    case PHASE_KNOWN:
        self->phase = PHASE_DONE;
        if (!syncd_verify_known(self, error))
            return false;
        conclude(self);
        return true;
    case PHASE_DONE:
        break;
    }
    return true;
}

bool syncd_verify_stands(const SyncdVerify *self, GError **error)
{
    if (self->reopened == self->store->reopened)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_CANCELLED, "have it verified again",
                         "Another journal took the place of the one that was being verified");
    return false;
}

bool syncd_verify_step(SyncdVerify *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (!syncd_verify_stands(self, error))
        return false;
    SyncdVerifyPhase phase = self->phase;
    if (!run_phase(self, &problem)) {
        if (!is_damage(problem)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        g_autofree char *sentence = NULL, *next = NULL;
        syncd_error_split(problem->message, &sentence, &next);
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "unreadable", NULL, -1,
                         phase == PHASE_ENTRIES ? (gint64)self->at + 1 : -1, "%s", sentence);
        if (self->phase == phase)
            self->phase =
                phase + 1; /* what cannot be read cannot be walked: go on with what is left */
    }
    *ret_more = self->phase != PHASE_DONE;
    return true;
}

double syncd_verify_progress(const SyncdVerify *self)
{
    if (self->phase > PHASE_ENTRIES)
        return 1.0;
    guint64 all = self->target - self->first;
    return all == 0 ? 0.0 : (double)(self->at - self->first) / (double)all;
}

guint64 syncd_verify_checked(const SyncdVerify *self)
{
    return self->at - self->first;
}

const GPtrArray *syncd_verify_losses(const SyncdVerify *self)
{
    return self->losses;
}

guint64 syncd_verify_n_losses(const SyncdVerify *self)
{
    return self->n_losses;
}

const GPtrArray *syncd_verify_findings(const SyncdVerify *self)
{
    return self->findings;
}

guint64 syncd_verify_n_findings(const SyncdVerify *self)
{
    return self->n_findings;
}
