#include "crypto/tree.h"

/* Leaves [begin, end) of a tree. */
typedef struct {
    guint64 begin;
    guint64 end;
} Range;

static const guint8 leaf_prefix = 0x00;
static const guint8 node_prefix = 0x01;

SyncdHash syncd_tree_leaf(const void *data, size_t size)
{
    SyncdBytes parts[] = {SYNCD_BYTES(&leaf_prefix, 1), SYNCD_BYTES(data, size)};
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

SyncdHash syncd_tree_parent(const SyncdHash *left, const SyncdHash *right)
{
    guint8 node[1 + 2 * SYNCD_HASH_SIZE];
    node[0] = node_prefix;
    memcpy(node + 1, left->bytes, SYNCD_HASH_SIZE);
    memcpy(node + 1 + SYNCD_HASH_SIZE, right->bytes, SYNCD_HASH_SIZE);
    return syncd_hash(node, sizeof node);
}

void syncd_frontier_init(SyncdFrontier *frontier)
{
    frontier->size = 0;
}

unsigned syncd_frontier_count(guint64 size)
{
    return (unsigned)__builtin_popcountll(size);
}

void syncd_frontier_append(SyncdFrontier *frontier, const SyncdHash *leaf, SyncdNodeFunc completed,
                           void *data)
{
    unsigned count = syncd_frontier_count(frontier->size);
    SyncdHash hash = *leaf;
    unsigned level = 0;
    for (guint64 full = frontier->size; full & 1; full >>= 1) {
        hash = syncd_tree_parent(&frontier->nodes[--count], &hash);
        level++;
        if (completed != NULL)
            completed(data, level, frontier->size >> level, &hash);
    }
    frontier->nodes[count] = hash;
    frontier->size++;
}

SyncdHash syncd_frontier_root(const SyncdFrontier *frontier)
{
    unsigned left = syncd_frontier_count(frontier->size);
    if (left == 0)
        return syncd_hash(NULL, 0);
    SyncdHash root = frontier->nodes[--left];
    while (left > 0)
        root = syncd_tree_parent(&frontier->nodes[--left], &root);
    return root;
}

bool syncd_frontier_load(SyncdFrontier *frontier, guint64 size, const void *bytes,
                         size_t bytes_size)
{
    if (size > SYNCD_TREE_MAX_SIZE || bytes_size != syncd_frontier_count(size) * sizeof(SyncdHash))
        return false;
    frontier->size = size;
    if (bytes_size > 0)
        memcpy(frontier->nodes, bytes, bytes_size);
    return true;
}

/* The full subtrees of a range that begins where a subtree of at least its size may begin; together
 * they have the form of a frontier. */
static bool read_range(const SyncdTreeReader *reader, Range range, SyncdFrontier *ret_frontier,
                       GError **error)
{
    guint64 size = range.end - range.begin;
    guint64 at = range.begin;
    unsigned count = 0;
    for (unsigned level = SYNCD_TREE_MAX_LEVELS; level-- > 0;) {
        guint64 width = (guint64)1 << level;
        if ((size & width) == 0)
            continue;
        if (!reader->node(reader->data, level, at >> level, &ret_frontier->nodes[count], error))
            return false;
        at += width;
        count++;
    }
    ret_frontier->size = size;
    return true;
}

bool syncd_tree_frontier_at(const SyncdTreeReader *reader, guint64 size,
                            SyncdFrontier *ret_frontier, GError **error)
{
    return read_range(reader, (Range){0, size}, ret_frontier, error);
}

static bool append_range_root(const SyncdTreeReader *reader, Range range, GArray *path,
                              GError **error)
{
    SyncdFrontier subtrees;
    if (!read_range(reader, range, &subtrees, error))
        return false;
    SyncdHash root = syncd_frontier_root(&subtrees);
    g_array_append_val(path, root);
    return true;
}

/* Narrows a range of at least two leaves to its child that holds `leaf`; returns the other child.
 */
static Range descend(Range *at, guint64 leaf)
{
    guint64 size = at->end - at->begin;
    guint64 left_size = (guint64)1 << (63 - __builtin_clzll(size - 1));
    Range left = {at->begin, at->begin + left_size};
    Range right = {left.end, at->end};
    bool go_left = leaf < left.end;
    *at = go_left ? left : right;
    return go_left ? right : left;
}

/* Deepest first. On failure the path is as it was. */
static bool append_range_roots(const SyncdTreeReader *reader, const Range *ranges,
                               unsigned n_ranges, GArray *path, GError **error)
{
    guint before = path->len;
    while (n_ranges > 0) {
        if (!append_range_root(reader, ranges[--n_ranges], path, error)) {
            g_array_set_size(path, before);
            return false;
        }
    }
    return true;
}

bool syncd_tree_inclusion(const SyncdTreeReader *reader, guint64 index, guint64 size, GArray *path,
                          GError **error)
{
    if (index >= size) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "Leaf %" G_GUINT64_FORMAT " is not in a tree of size %" G_GUINT64_FORMAT,
                        index, size);
        return false;
    }

    Range siblings[SYNCD_TREE_MAX_LEVELS];
    unsigned n_siblings = 0;
    for (Range at = {0, size}; at.end - at.begin > 1;)
        siblings[n_siblings++] = descend(&at, index);
    return append_range_roots(reader, siblings, n_siblings, path, error);
}

bool syncd_tree_consistency(const SyncdTreeReader *reader, guint64 old_size, guint64 new_size,
                            GArray *path, GError **error)
{
    if (old_size > new_size) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "A tree of size %" G_GUINT64_FORMAT
                        " is no prefix of one of size %" G_GUINT64_FORMAT,
                        old_size, new_size);
        return false;
    }
    if (old_size == 0)
        return true;

    Range ranges[SYNCD_TREE_MAX_LEVELS + 1];
    unsigned n_ranges = 0;
    Range at = {0, new_size};
    while (at.end != old_size)
        ranges[n_ranges++] = descend(&at, old_size - 1);
    /* When the old tree is itself a subtree of the new one the verifier has its root already. */
    if (at.begin > 0)
        ranges[n_ranges++] = at;
    return append_range_roots(reader, ranges, n_ranges, path, error);
}

/* The way of a verifier from a node up to the root, RFC 9162, 2.1.3.2 and 2.1.4.2: the node's index
 * and that of the last node, on the level reached. */
typedef struct {
    guint64 node;
    guint64 last;
} Climb;

static void climb_level(Climb *climb)
{
    climb->node >>= 1;
    climb->last >>= 1;
}

/* True when the next element of the path is the left sibling. Levels on which the last node has no
 * sibling have no element and are passed over. */
static bool climb_sibling_is_left(Climb *climb)
{
    if ((climb->node & 1) == 0 && climb->node != climb->last)
        return false;
    while ((climb->node & 1) == 0 && climb->node != 0)
        climb_level(climb);
    return true;
}

bool syncd_tree_verify_inclusion(const SyncdHash *leaf, guint64 index, guint64 size,
                                 const SyncdHash *path, size_t n_path, const SyncdHash *root)
{
    if (index >= size)
        return false;

    Climb climb = {index, size - 1};
    SyncdHash hash = *leaf;
    for (size_t i = 0; i < n_path; i++) {
        if (climb.last == 0)
            return false;
        if (climb_sibling_is_left(&climb))
            hash = syncd_tree_parent(&path[i], &hash);
        else
            hash = syncd_tree_parent(&hash, &path[i]);
        climb_level(&climb);
    }
    return climb.last == 0 && syncd_hash_equal(&hash, root);
}

static bool verify_growth(guint64 old_size, guint64 new_size, const SyncdHash *old_root,
                          const SyncdHash *new_root, const SyncdHash *path, size_t n_path)
{
    Climb climb = {old_size - 1, new_size - 1};
    while (climb.node & 1)
        climb_level(&climb);

    /* An old tree that is one full subtree is its own start, and the path leaves it out. */
    bool is_subtree = syncd_frontier_count(old_size) == 1;
    if (!is_subtree && n_path == 0)
        return false;
    SyncdHash start = is_subtree ? *old_root : path[0];

    SyncdHash old_hash = start, new_hash = start;
    for (size_t i = is_subtree ? 0 : 1; i < n_path; i++) {
        if (climb.last == 0)
            return false;
        if (climb_sibling_is_left(&climb)) {
            old_hash = syncd_tree_parent(&path[i], &old_hash);
            new_hash = syncd_tree_parent(&path[i], &new_hash);
        } else {
            new_hash = syncd_tree_parent(&new_hash, &path[i]);
        }
        climb_level(&climb);
    }
    return climb.last == 0 && syncd_hash_equal(&old_hash, old_root) &&
           syncd_hash_equal(&new_hash, new_root);
}

bool syncd_tree_verify_consistency(guint64 old_size, guint64 new_size, const SyncdHash *old_root,
                                   const SyncdHash *new_root, const SyncdHash *path, size_t n_path)
{
    SyncdHash empty_root = syncd_hash(NULL, 0);
    if (old_size > new_size)
        return false;
    if (old_size == 0 && !syncd_hash_equal(old_root, &empty_root))
        return false;
    if (old_size == new_size)
        return n_path == 0 && syncd_hash_equal(old_root, new_root);
    if (old_size == 0)
        return n_path == 0;
    return verify_growth(old_size, new_size, old_root, new_root, path, n_path);
}
