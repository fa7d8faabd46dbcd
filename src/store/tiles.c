#include "store/journal-private.h"
#include "store/lost.h"

#include <string.h>

/* The hashes of a tile; false in `*ret_found` when it is not full. The entry that completed it
 * holds it, behind those of the levels below. */
static bool read_tile(SyncdJournal *self, const SyncdFeed *feed, unsigned level, guint64 number,
                      SyncdHash ret_hashes[SYNCD_TILE_WIDTH], bool *ret_found, GError **error)
{
    guint64 last = ((number + 1) << (SYNCD_TILE_HEIGHT * (level + 1))) - 1;
    *ret_found = last < feed->working.size;
    if (!*ret_found)
        return true;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT tiles FROM entry WHERE feed = :feed AND seq = :seq");
    syncd_bind_int(rows, ":feed", feed->id);
    syncd_bind_int(rows, ":seq", (gint64)last);
    bool row;
    if (!syncd_statement_next(rows, &row, error))
        return false;
    SyncdBytes tiles = row ? syncd_column_bytes(rows, 0) : SYNCD_BYTES("", 0);
    if (tiles.size % SYNCD_TILE_BYTES != 0 || tiles.size / SYNCD_TILE_BYTES <= level) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The feed %s lacks a tile", feed->text);
        return false;
    }
    memcpy(ret_hashes, (const guint8 *)tiles.data + level * SYNCD_TILE_BYTES, SYNCD_TILE_BYTES);
    return true;
}

/* The root over 2^height consecutive hashes. */
static SyncdHash fold(const SyncdHash *hashes, unsigned height)
{
    SyncdHash row[SYNCD_TILE_WIDTH];
    memcpy(row, hashes, sizeof(SyncdHash) << height);
    for (unsigned n = 1u << height; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2; i++)
            row[i] = syncd_tree_parent(&row[2 * i], &row[2 * i + 1]);
    return row[0];
}

static bool leaf_of(SyncdJournal *self, const SyncdFeed *feed, guint64 seq, SyncdHash *ret_leaf,
                    GError **error)
{
    guint64 pos;
    size_t size;
    if (!syncd_journal_find_seq(self, feed, seq, &pos, error))
        return false;
    g_autoptr(GError) problem = NULL;
    g_autofree char *header =
        pos > 0 ? syncd_journal_read_header(self, pos, &size, &problem) : NULL;
    if (problem != NULL && !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    if (header == NULL) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The feed %s lacks its entry %" G_GUINT64_FORMAT, feed->text, seq);
        return false;
    }
    *ret_leaf = syncd_entry_leaf(header, size);
    return true;
}

static bool node_at(SyncdJournal *self, const SyncdFeed *feed, unsigned level, guint64 index,
                    SyncdHash *ret_node, GError **error)
{
    unsigned tile_level = level / SYNCD_TILE_HEIGHT, height = level % SYNCD_TILE_HEIGHT;
    guint64 first = index << height;
    SyncdHash hashes[SYNCD_TILE_WIDTH], right;
    bool found = false;
    if (!read_tile(self, feed, tile_level, first / SYNCD_TILE_WIDTH, hashes, &found, error))
        return false;
    if (found) {
        *ret_node = fold(hashes + first % SYNCD_TILE_WIDTH, height);
        return true;
    }
    if (level == 0)
        return leaf_of(self, feed, index, ret_node, error);
    if (!node_at(self, feed, level - 1, 2 * index, ret_node, error) ||
        !node_at(self, feed, level - 1, 2 * index + 1, &right, error))
        return false;
    *ret_node = syncd_tree_parent(ret_node, &right);
    return true;
}

static bool read_node(void *data, unsigned level, guint64 index, SyncdHash *ret_node,
                      GError **error)
{
    SyncdFeedNodes *nodes = data;
    return node_at(nodes->journal, nodes->feed, level, index, ret_node, error);
}

bool syncd_tile_leaves(SyncdJournal *self, const SyncdFeed *feed, guint64 number,
                       SyncdHash ret_leaves[SYNCD_TILE_WIDTH], GError **error)
{
    bool found;
    if (!read_tile(self, feed, 0, number, ret_leaves, &found, error))
        return false;
    if (!found)
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "The feed %s lacks a tile", feed->text);
    return found;
}

SyncdTreeReader syncd_feed_reader(SyncdFeedNodes *nodes, SyncdJournal *journal,
                                  const SyncdFeed *feed)
{
    *nodes = (SyncdFeedNodes){journal, feed};
    return (SyncdTreeReader){.node = read_node, .data = nodes};
}

bool syncd_tiles_load(SyncdJournal *self, const SyncdFeed *feed, guint64 size,
                      SyncdPartialTiles *ret_partial, GError **error)
{
    for (unsigned level = 0; level < SYNCD_TILE_LEVELS && size > 0;
         level++, size /= SYNCD_TILE_WIDTH) {
        guint64 start = size - size % SYNCD_TILE_WIDTH;
        for (guint64 i = start; i < size; i++)
            if (!node_at(self, feed, level * SYNCD_TILE_HEIGHT, i,
                         &ret_partial->hashes[level][i - start], error))
                return false;
    }
    return true;
}

/* Whether the leaves that were committed last and that no full tile holds make the smallest
 * subtrees of the signed head. */
static bool is_tail_of_head(const SyncdFeed *feed)
{
    SyncdFrontier tail;
    unsigned n = feed->committed.size % SYNCD_TILE_WIDTH;
    unsigned n_nodes = syncd_frontier_count(n);
    syncd_frontier_init(&tail);
    for (unsigned i = 0; i < n; i++)
        syncd_frontier_append(&tail, &feed->tail[i], NULL, NULL);
    return memcmp(tail.nodes,
                  feed->committed.nodes + syncd_frontier_count(feed->committed.size) - n_nodes,
                  n_nodes * sizeof(SyncdHash)) == 0;
}

/* A header that was changed meanwhile must not take the place of the leaf that was signed: by that
 * it is found, and made again. */
static bool load_partial(SyncdJournal *self, SyncdFeed *feed, GError **error)
{
    g_autofree SyncdPartialTiles *partial = g_new0(SyncdPartialTiles, 1);
    if (!syncd_tiles_load(self, feed, feed->working.size, partial, error))
        return false;
    if (is_tail_of_head(feed))
        memcpy(partial->hashes[0], feed->tail,
               feed->committed.size % SYNCD_TILE_WIDTH * sizeof(SyncdHash));
    feed->partial = g_steal_pointer(&partial);
    return true;
}

typedef struct {
    SyncdPartialTiles *partial;
    unsigned full_levels; /* tiles of the levels 0 … full_levels - 1 became full */
} Completed;

static void note_completed(void *data, unsigned level, guint64 index, const SyncdHash *node)
{
    Completed *completed = data;
    unsigned tile_level = level / SYNCD_TILE_HEIGHT;
    if (level % SYNCD_TILE_HEIGHT != 0 || tile_level >= SYNCD_TILE_LEVELS)
        return;
    completed->partial->hashes[tile_level][index % SYNCD_TILE_WIDTH] = *node;
    if (index % SYNCD_TILE_WIDTH == SYNCD_TILE_WIDTH - 1)
        completed->full_levels = tile_level + 1;
}

SyncdBytes syncd_tiles_add(SyncdFrontier *frontier, SyncdPartialTiles *partial,
                           const SyncdHash *leaf)
{
    Completed completed = {.partial = partial};
    note_completed(&completed, 0, frontier->size, leaf);
    syncd_frontier_append(frontier, leaf, note_completed, &completed);
    /* The levels lie one after the other, each of a tile's size. */
    return SYNCD_BYTES(partial->hashes, completed.full_levels * SYNCD_TILE_BYTES);
}

bool syncd_tiles_append(SyncdJournal *self, SyncdFeed *feed, const SyncdHash *leaf,
                        SyncdBytes *ret_tiles, GError **error)
{
    if (feed->partial == NULL && !load_partial(self, feed, error))
        return false;
    *ret_tiles = syncd_tiles_add(&feed->working, feed->partial, leaf);
    return true;
}
