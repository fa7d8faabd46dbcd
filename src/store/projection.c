#include "store/projection.h"

#include "store/lost.h"

struct SyncdProjection {
    SyncdIndex *index;
    SyncdJournal *journal;
    SyncdOpenBody open_body;
    void *data;
    guint64 at;            /* pos of the last projected entry */
    guint64 target;        /* where the journal ended when this began */
    GHashTable *frontiers; /* feed id as pointer -> SyncdFrontier */
};

static SyncdFrontier *frontier_of(SyncdProjection *self, gint64 feed)
{
    return g_hash_table_lookup(self->frontiers, GSIZE_TO_POINTER(feed));
}

/* The tree of a feed as far as the index has it. */
static bool begin_feed(SyncdProjection *self, const SyncdFeed *feed, GError **error)
{
    guint64 size;
    SyncdHash root;
    SyncdFeedNodes nodes;
    SyncdTreeReader reader = syncd_feed_reader(&nodes, self->journal, feed);
    g_autofree SyncdFrontier *frontier = g_new0(SyncdFrontier, 1);
    if (!syncd_index_cursor(self->index, feed->id, &size, &root, error))
        return false;

    bool contained = size <= feed->committed.size;
    if (contained && size == feed->committed.size)
        *frontier = feed->committed;
    else if (contained && !syncd_tree_frontier_at(&reader, size, frontier, error))
        return false;
    SyncdHash actual = syncd_frontier_root(frontier);
    if (!contained || (size > 0 && !syncd_hash_equal(&actual, &root))) {
        syncd_set_error(error, SYNCD_ERROR_STALE_DIGEST,
                        "The index was made from another log than this one");
        return false;
    }
    self->at += size;
    g_hash_table_insert(self->frontiers, GSIZE_TO_POINTER(feed->id), g_steal_pointer(&frontier));
    return true;
}

SyncdProjection *syncd_projection_new(SyncdIndex *index, SyncdJournal *journal,
                                      SyncdOpenBody open_body, void *data, GError **error)
{
    g_autoptr(SyncdProjection) self = g_new0(SyncdProjection, 1);
    self->index = index;
    self->journal = journal;
    self->open_body = open_body;
    self->data = data;
    self->target = syncd_journal_committed(journal);
    self->frontiers = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, g_free);

    const GPtrArray *feeds = syncd_journal_feeds(journal);
    for (guint i = 0; i < feeds->len; i++)
        if (!begin_feed(self, feeds->pdata[i], error))
            return NULL;

    /* Positions have no gaps, so what all feeds have together is the last position projected. */
    guint64 projected;
    if (!syncd_index_projected(index, &projected, error))
        return NULL;
    if (projected != self->at) {
        syncd_set_error(error, SYNCD_ERROR_STALE_DIGEST,
                        "The index does not hold what its cursor says");
        return NULL;
    }
    return g_steal_pointer(&self);
}

void syncd_projection_free(SyncdProjection *self)
{
    if (self == NULL)
        return;
    g_hash_table_unref(self->frontiers);
    g_free(self);
}

guint64 syncd_projection_remaining(const SyncdProjection *self)
{
    return self->target - self->at;
}

static bool project_row(SyncdProjection *self, SyncdStatement *row, GError **error)
{
    SyncdHeader header;
    guint64 pos = (guint64)syncd_column_int(row, 0);
    SyncdFrontier *frontier = frontier_of(self, syncd_column_int(row, 1));
    SyncdBytes text = syncd_column_bytes(row, 2);
    size_t size = 0;
    g_autofree char *stand_in = NULL;
    if (text.size == 0 && frontier != NULL) {
        stand_in = syncd_journal_stand_in(self->journal, pos, syncd_column_int(row, 1),
                                          (guint64)syncd_column_int(row, 4), &size, error);
        if (stand_in == NULL)
            return false;
        text = SYNCD_BYTES(stand_in, size);
    }
    if (pos != self->at + 1 || frontier == NULL ||
        !syncd_header_parse(text.data, text.size, &header, NULL)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The entry after sequence number %" G_GUINT64_FORMAT
                        " is missing or damaged",
                        self->at);
        return false;
    }
    SyncdHash leaf = syncd_entry_leaf(text.data, text.size);
    syncd_frontier_append(frontier, &leaf, NULL, NULL);
    g_auto(SyncdBody) body = {0};
    bool have = false;
    if (syncd_index_needs_body(&header) &&
        !self->open_body(self->data, &header, syncd_column_bytes(row, 3),
                         syncd_index_keeps_content(header.kind), &body, &have, error))
        return false;
    if (!syncd_index_project(self->index, pos, &header, have ? &body : NULL, error))
        return false;
    self->at = pos;
    return true;
}

static bool project_rows(SyncdProjection *self, guint max, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        syncd_journal_database(self->journal),
        "SELECT pos, feed, header, body, seq FROM entry WHERE pos > :at AND pos <= :target "
        "ORDER BY pos LIMIT :max");
    syncd_bind_int(rows, ":at", (gint64)self->at);
    syncd_bind_int(rows, ":target", (gint64)MIN(self->target, self->at + max));
    syncd_bind_int(rows, ":max", max);
    guint64 before = self->at;
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error) || (row && !project_row(self, rows, error)))
            return false;
        if (!row)
            break;
    }
    if (self->at == before) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The log ends after sequence number %" G_GUINT64_FORMAT
                        ", before its signed heads do",
                        self->at);
        return false;
    }
    return true;
}

/* Before text goes into an index at all, the header's own bytes are checked only by the tree: at
 * the end it must be the signed one. */
static bool write_cursors(SyncdProjection *self, GError **error)
{
    const GPtrArray *feeds = syncd_journal_feeds(self->journal);
    for (guint i = 0; i < feeds->len; i++) {
        const SyncdFeed *feed = feeds->pdata[i];
        const SyncdFrontier *frontier = frontier_of(self, feed->id);
        if (frontier == NULL || frontier->size == 0)
            continue;
        SyncdHash root = syncd_frontier_root(frontier);
        SyncdHash head = syncd_frontier_root(&feed->committed);
        if (self->at == self->target &&
            (frontier->size != feed->committed.size || !syncd_hash_equal(&root, &head))) {
            syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                            "The entries of the feed %s are not those of its head", feed->text);
            return false;
        }
        if (!syncd_index_set_cursor(self->index, feed->id, frontier->size, &root, error))
            return false;
    }
    return true;
}

bool syncd_projection_step(SyncdProjection *self, guint max, bool *ret_more, GError **error)
{
    *ret_more = false;
    if (self->at == self->target)
        return true;
    if (!syncd_index_begin(self->index, error))
        return false;
    if (!project_rows(self, max, error) || !write_cursors(self, error) ||
        !syncd_index_commit(self->index, error)) {
        syncd_index_rollback(self->index);
        return false;
    }
    *ret_more = self->at < self->target;
    return true;
}
