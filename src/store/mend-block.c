/*
 * Which leaves a block of 32 entries has, and what of the entries fits them.
 *
 * The leaves are known twice: by the headers, and by the tile that the last of them holds (or the
 * tail). Where the two differ, or a header is not there, the tree above the block decides: only the
 * right leaves lead to the nodes that tiles of higher levels and the signed head have.
 */
#include "store/mend-private.h"

#include "store/lost.h"

/* Where the tree above cannot be asked: so few that differ are changed headers, more of them a
 * changed tile. What was wrongly taken shows in the root at the end. */
#define CHANGED_MAX 4u

typedef enum { ANSWER_UNKNOWN, ANSWER_NO, ANSWER_YES } Answer;

typedef struct {
    SyncdMend *mend;
    SyncdMendFeed *feed;
    guint64 first; /* seq of the block */
    unsigned n;    /* entries in it; fewer than a tile's only at the end of the feed */
} Block;

static SyncdPlace place_in(const Block *block, unsigned i)
{
    const SyncdFeed *feed = block->feed->feed;
    return (SyncdPlace){feed->device, feed->scope, feed->epoch, block->first + i,
                        block->feed->pos[i]};
}

/* ---- what the tree above says ---- */

static SyncdHash fold(const SyncdHash leaves[SYNCD_TILE_WIDTH])
{
    SyncdHash row[SYNCD_TILE_WIDTH];
    memcpy(row, leaves, sizeof row);
    for (unsigned n = SYNCD_TILE_WIDTH; n > 1; n /= 2)
        for (unsigned i = 0; i < n / 2; i++)
            row[i] = syncd_tree_parent(&row[2 * i], &row[2 * i + 1]);
    return row[0];
}

/* The node that a tile of a higher level holds, or the head. */
static bool find_kept_node(const Block *block, const SyncdTreeReader *reader, unsigned level,
                           guint64 index, SyncdHash *ret_node)
{
    const SyncdMendFeed *feed = block->feed;
    guint64 size = feed->size;
    if (feed->frontier_holds && (size >> level & 1) != 0 && index == (size >> level) - 1) {
        *ret_node = feed->feed->committed.nodes[syncd_frontier_count(size >> (level + 1))];
        return true;
    }
    unsigned wide = level + SYNCD_TILE_HEIGHT;
    bool in_full_tile =
        level % SYNCD_TILE_HEIGHT == 0 && (index / SYNCD_TILE_WIDTH + 1) << wide <= size;
    return in_full_tile && reader->node(reader->data, level, index, ret_node, NULL);
}

/* Blocks beside it that are asked on the way may be damaged themselves: then a no says nothing. */
static Answer ask_above(const Block *block, SyncdHash node)
{
    Answer no = ANSWER_NO;
    SyncdFeedNodes nodes;
    SyncdTreeReader reader =
        syncd_feed_reader(&nodes, block->mend->store->journal, block->feed->feed);
    guint64 index = block->first / SYNCD_TILE_WIDTH;
    for (unsigned level = SYNCD_TILE_HEIGHT; level < SYNCD_TREE_MAX_LEVELS; level++, index /= 2) {
        SyncdHash kept, sibling;
        if (find_kept_node(block, &reader, level, index, &kept))
            return syncd_hash_equal(&kept, &node) ? ANSWER_YES : no;
        no = ANSWER_UNKNOWN;
        if (((index | 1) + 1) << level > block->feed->size ||
            !reader.node(reader.data, level, index ^ 1, &sibling, NULL))
            return ANSWER_UNKNOWN;
        node = index % 2 == 0 ? syncd_tree_parent(&node, &sibling)
                              : syncd_tree_parent(&sibling, &node);
    }
    return ANSWER_UNKNOWN;
}

static Answer ask_head(const Block *block, const SyncdHash leaves[SYNCD_TILE_WIDTH])
{
    SyncdFrontier frontier = block->feed->frontier;
    for (unsigned i = 0; i < block->n; i++)
        syncd_frontier_append(&frontier, &leaves[i], NULL, NULL);
    SyncdHash root = syncd_frontier_root(&frontier);
    return syncd_hash_equal(&root, &block->feed->root) ? ANSWER_YES : ANSWER_NO;
}

static Answer ask(const Block *block, const SyncdHash leaves[SYNCD_TILE_WIDTH])
{
    if (block->first + block->n == block->feed->size)
        return ask_head(block, leaves);
    return ask_above(block, fold(leaves));
}

/* ---- which leaves it has ---- */

static bool read_stored(const Block *block, unsigned i, guint from, SyncdStoredEntry *ret_stored)
{
    SyncdSource *source = block->mend->sources->pdata[from];
    SyncdPlace place = place_in(block, i);
    *ret_stored = (SyncdStoredEntry){NULL};
    source->entry(source, &place, ret_stored);
    return ret_stored->header != NULL;
}

/* Headers that are not here, as sources have them. */
static bool complete(const Block *block, SyncdHash leaves[SYNCD_TILE_WIDTH])
{
    for (unsigned i = 0; i < block->n; i++) {
        bool found = block->feed->readable[i];
        for (guint from = 0; !found && from < block->mend->sources->len; from++) {
            g_auto(SyncdStoredEntry) stored = {NULL};
            found = read_stored(block, i, from, &stored);
            if (found)
                leaves[i] = syncd_tree_leaf(g_bytes_get_data(stored.header, NULL),
                                            g_bytes_get_size(stored.header));
        }
        if (!found)
            return false;
    }
    return true;
}

/* The tile of the row that completes it, or the tail; sources may have the row, too. */
static bool find_tile(const Block *block, SyncdBytes tiles, SyncdHash ret_tile[SYNCD_TILE_WIDTH])
{
    const SyncdFeed *feed = block->feed->feed;
    if (block->n < SYNCD_TILE_WIDTH) {
        memcpy(ret_tile, feed->tail, sizeof feed->tail);
        return feed->committed.size == block->feed->size;
    }
    if (tiles.size >= SYNCD_TILE_BYTES) {
        memcpy(ret_tile, tiles.data, SYNCD_TILE_BYTES);
        return true;
    }
    for (guint from = 0; from < block->mend->sources->len; from++) {
        g_auto(SyncdStoredEntry) stored = {NULL};
        if (!read_stored(block, SYNCD_TILE_WIDTH - 1, from, &stored) || stored.tiles == NULL ||
            g_bytes_get_size(stored.tiles) < SYNCD_TILE_BYTES)
            continue;
        memcpy(ret_tile, g_bytes_get_data(stored.tiles, NULL), SYNCD_TILE_BYTES);
        return true;
    }
    return false;
}

static bool seems_changed(const Block *block, const SyncdHash tile[SYNCD_TILE_WIDTH])
{
    unsigned differing = 0;
    for (unsigned i = 0; i < block->n; i++)
        differing +=
            block->feed->readable[i] && !syncd_hash_equal(&tile[i], &block->feed->leaves[i]);
    return differing > CHANGED_MAX;
}

/* Fills in the leaves; false when they cannot be known. */
static bool decide(const Block *block, SyncdBytes tiles, SyncdHash leaves[SYNCD_TILE_WIDTH])
{
    SyncdHash tile[SYNCD_TILE_WIDTH];
    memcpy(leaves, block->feed->leaves, sizeof block->feed->leaves);
    bool has_tile = find_tile(block, tiles, tile);
    bool all = true;
    for (unsigned i = 0; i < block->n; i++)
        all = all && block->feed->readable[i];
    if (all && has_tile && memcmp(leaves, tile, block->n * sizeof *tile) == 0)
        return true;

    Answer by_tile = has_tile ? ask(block, tile) : ANSWER_NO;
    bool by_headers = by_tile != ANSWER_YES && complete(block, leaves);
    Answer answer = by_headers ? ask(block, leaves) : ANSWER_NO;
    if (answer == ANSWER_YES)
        return true;
    bool prefer_tile = by_tile == ANSWER_YES ||
                       (by_tile == ANSWER_UNKNOWN && (!by_headers || !seems_changed(block, tile)));
    if (prefer_tile)
        memcpy(leaves, tile, sizeof tile);
    return prefer_tile || (by_headers && answer == ANSWER_UNKNOWN);
}

/* ---- what of its entries fits them ---- */

typedef struct {
    const Block *block;
    unsigned i;
    SyncdMendVerdict verdict;
    GBytes *header; /* the right one, NULL when it is lost */
    bool known;     /* it was lost before */
    bool row;       /* the journal's own row can be read: header and body */
    GBytes *own_header, *own_body;
} Judging;

static GBytes *copy_column(SyncdStatement *row, int column)
{
    SyncdBytes bytes = syncd_column_bytes(row, column);
    return syncd_column_is_null(row, column) ? NULL : g_bytes_new(bytes.data, bytes.size);
}

static void read_own(Judging *judging)
{
    bool row = false;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_mend_journal(judging->block->mend),
                                 "SELECT header, body FROM entry WHERE pos = :pos");
    syncd_bind_int(rows, ":pos", (gint64)judging->block->feed->pos[judging->i]);
    judging->row = syncd_statement_next(rows, &row, NULL) && row;
    if (!judging->row)
        return;
    judging->own_header = copy_column(rows, 0);
    judging->own_body = copy_column(rows, 1);
}

static bool is_leaf(GBytes *header, const SyncdHash *leaf)
{
    if (header == NULL || g_bytes_get_size(header) == 0)
        return false;
    SyncdHash hash = syncd_tree_leaf(g_bytes_get_data(header, NULL), g_bytes_get_size(header));
    return syncd_hash_equal(&hash, leaf);
}

static void find_header(Judging *judging)
{
    const Block *block = judging->block;
    const SyncdHash *leaf = &judging->verdict.leaf;
    if (is_leaf(judging->own_header, leaf)) {
        judging->header = g_bytes_ref(judging->own_header);
        return;
    }
    for (guint from = 0; judging->header == NULL && from < block->mend->sources->len; from++) {
        g_auto(SyncdStoredEntry) stored = {NULL};
        if (!read_stored(block, judging->i, from, &stored) || !is_leaf(stored.header, leaf))
            continue;
        judging->header = g_steal_pointer(&stored.header);
        judging->verdict.header_from = block->mend->sources->pdata[from];
    }
    judging->verdict.header_lost = judging->header == NULL;
}

static bool fits(const SyncdHeader *header, GBytes *body)
{
    if (body == NULL || !header->known)
        return body != NULL;
    SyncdHash digest = syncd_hash(g_bytes_get_data(body, NULL), g_bytes_get_size(body));
    return g_bytes_get_size(body) == header->body_size &&
           syncd_hash_equal(&digest, &header->body_digest);
}

static void find_body(Judging *judging)
{
    const Block *block = judging->block;
    guint64 by = 0;
    SyncdHeader header;
    if (judging->header == NULL ||
        !syncd_header_parse(g_bytes_get_data(judging->header, NULL),
                            g_bytes_get_size(judging->header), &header, NULL)) {
        judging->verdict.body_lost = true;
        return;
    }
    /* Nobody brings back what was purged. */
    if (fits(&header, judging->own_body) ||
        (syncd_mend_purged_by(block->mend, block->feed->pos[judging->i], &header, &by, NULL) &&
         by != 0))
        return;
    for (guint from = 0; from < block->mend->sources->len; from++) {
        g_auto(SyncdStoredEntry) stored = {NULL};
        if (!read_stored(block, judging->i, from, &stored) || !fits(&header, stored.body))
            continue;
        judging->verdict.body_from = block->mend->sources->pdata[from];
        return;
    }
    judging->verdict.body_lost = true;
}

static void tell(Judging *judging, const char *what, bool lost, const SyncdSource *source)
{
    const Block *block = judging->block;
    if (!lost && source == NULL)
        return;
    guint64 seq = judging->verdict.seq;
    syncd_mend_add(block->mend, what,
                   !lost                      ? SYNCD_MEND_REFILLED
                   : seq == 0 && *what == 'h' ? SYNCD_MEND_BEYOND
                   : judging->known           ? SYNCD_MEND_KNOWN
                                              : SYNCD_MEND_LOST,
                   block->feed->feed, (gint64)seq, (gint64)block->feed->pos[judging->i],
                   source != NULL ? source->name : NULL);
}

/* An entry that is not as it should be. */
static void judge_entry(const Block *block, unsigned i, const SyncdHash *leaf)
{
    SyncdMend *mend = block->mend;
    Judging judging = {
        .block = block,
        .i = i,
        .verdict = {.feed = block->feed->feed->id, .seq = block->first + i, .leaf = *leaf}};
    bool lost = false, header_too = false;
    SyncdHash lost_leaf;
    syncd_journal_lost(mend->store->journal, block->feed->pos[i], &lost, &lost_leaf, &header_too,
                       NULL);
    judging.known = lost;
    read_own(&judging);
    find_header(&judging);
    find_body(&judging);
    tell(&judging, "header", judging.verdict.header_lost, judging.verdict.header_from);
    /* With its header an entry loses its body: that is told once. */
    tell(&judging, "body", judging.verdict.body_lost && !judging.verdict.header_lost,
         judging.verdict.body_from);
    gint64 *pos = g_new(gint64, 1);
    *pos = (gint64)block->feed->pos[i];
    g_hash_table_insert(mend->verdicts, pos, g_memdup2(&judging.verdict, sizeof judging.verdict));
    g_clear_pointer(&judging.header, g_bytes_unref);
    g_clear_pointer(&judging.own_header, g_bytes_unref);
    g_clear_pointer(&judging.own_body, g_bytes_unref);
    if (g_hash_table_size(mend->verdicts) > SYNCD_MEND_MAX_VERDICTS)
        mend->stopped = true;
}

static void judge_block(Block *block, SyncdStatement *row)
{
    SyncdMendFeed *feed = block->feed;
    SyncdHash leaves[SYNCD_TILE_WIDTH] = {0};
    SyncdBytes tiles = row != NULL ? syncd_column_bytes(row, 5) : SYNCD_BYTES("", 0);
    SyncdBytes made = SYNCD_BYTES("", 0);
    if (!decide(block, tiles, leaves)) {
        for (unsigned i = 0; i < block->n; i++)
            if (!feed->readable[i])
                syncd_mend_add(block->mend, "header", SYNCD_MEND_BEYOND, feed->feed,
                               (gint64)(block->first + i), (gint64)feed->pos[i], NULL);
        if (block->mend->counts[SYNCD_MEND_BEYOND] == 0)
            syncd_mend_add(block->mend, "tree", SYNCD_MEND_BEYOND, feed->feed, (gint64)block->first,
                           -1, NULL);
        block->mend->stopped = true;
        return;
    }
    for (unsigned i = 0; i < block->n; i++)
        made = syncd_tiles_add(&feed->frontier, &feed->partial, &leaves[i]);
    if (row != NULL && (tiles.size != made.size || memcmp(tiles.data, made.data, made.size) != 0))
        syncd_mend_add(block->mend, "tiles", SYNCD_MEND_DERIVED, feed->feed,
                       (gint64)(block->first + block->n - 1), (gint64)feed->pos[block->n - 1],
                       NULL);
    for (unsigned i = 0; i < block->n && !block->mend->stopped; i++)
        if (!feed->readable[i] || !feed->whole[i] ||
            !syncd_hash_equal(&leaves[i], &feed->leaves[i]))
            judge_entry(block, i, &leaves[i]);
}

/* ---- row by row ---- */

static bool has_right_body(SyncdMend *self, guint64 pos, const SyncdHeader *header,
                           SyncdStatement *row)
{
    guint64 by = 0;
    if (syncd_column_is_null(row, 4))
        return syncd_mend_purged_by(self, pos, header, &by, NULL) && by != 0;
    if (!header->known)
        return true;
    SyncdBytes body = syncd_column_bytes(row, 4);
    SyncdHash digest = syncd_hash(body.data, body.size);
    return body.size == header->body_size && syncd_hash_equal(&digest, &header->body_digest);
}

void syncd_mend_take(SyncdMend *self, SyncdMendFeed *feed, guint64 pos, SyncdStatement *row)
{
    SyncdHeader header;
    SyncdBytes text = row != NULL ? syncd_column_bytes(row, 3) : SYNCD_BYTES("", 0);
    unsigned i = feed->next % SYNCD_TILE_WIDTH;
    bool ends = i == SYNCD_TILE_WIDTH - 1;
    feed->pos[i] = pos;
    feed->readable[i] = text.size > 0 && syncd_header_parse(text.data, text.size, &header, NULL) &&
                        !header.lost && header.seq == feed->next;
    feed->whole[i] = feed->readable[i] && has_right_body(self, pos, &header, row);
    if (feed->readable[i])
        feed->leaves[i] = syncd_tree_leaf(text.data, text.size);
    bool placed = row == NULL || (syncd_column_int(row, 1) == feed->feed->id &&
                                  (guint64)syncd_column_int(row, 2) == feed->next);
    if (!placed)
        syncd_mend_add(self, "place", SYNCD_MEND_DERIVED, feed->feed, (gint64)feed->next,
                       (gint64)pos, NULL);
    feed->whole[i] = feed->whole[i] && placed;
    /* What was lost before has its leaf all the same. */
    bool lost, header_too = false;
    if (row != NULL && text.size == 0 &&
        syncd_journal_lost(self->store->journal, pos, &lost, &feed->leaves[i], &header_too, NULL))
        feed->readable[i] = header_too;
    feed->next++;
    if (row != NULL && !ends && !syncd_column_is_null(row, 5))
        syncd_mend_add(self, "tiles", SYNCD_MEND_DERIVED, feed->feed, (gint64)feed->next - 1,
                       (gint64)pos, NULL);
    if (ends || feed->next == feed->size) {
        Block block = {self, feed, feed->next - 1 - i, i + 1};
        judge_block(&block, row);
    }
}
