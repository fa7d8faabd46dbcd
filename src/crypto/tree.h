/*
 * The RFC 6962 Merkle tree of a feed.
 *
 * A leaf is SHA-256(0x00 || data), a node SHA-256(0x01 || left || right), the empty tree
 * SHA-256(""). A node (level, index) is the root of the full subtree over leaves [index << level,
 * (index + 1) << level).
 *
 * SyncdFrontier is the compact form that appending needs: the roots of the full subtrees that a
 * tree of that size is made of, largest first (popcount(size) hashes). Proofs need old nodes; they
 * ask a SyncdTreeReader for them, which is asked only for full subtrees within the tree (level 0
 * are the leaves).
 *
 * A proof binds to roots, not to sizes: for some pairs of sizes the same path leads to the same
 * root. A size is bound to its root by the signed head that names both, so a verifier takes size
 * and root together from one head and never a size from elsewhere.
 */
#pragma once

#include "base/error.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_TREE_MAX_LEVELS 64
#define SYNCD_TREE_MAX_SIZE ((guint64)G_MAXINT64) /* what a column of a database holds */

typedef struct {
    guint64 size;
    SyncdHash nodes[SYNCD_TREE_MAX_LEVELS]; /* popcount(size) of them, largest subtree first */
} SyncdFrontier;

typedef struct {
    bool (*node)(void *data, unsigned level, guint64 index, SyncdHash *ret_node, GError **error);
    void *data;
} SyncdTreeReader;

SyncdHash syncd_tree_leaf(const void *data, size_t size);
SyncdHash syncd_tree_parent(const SyncdHash *left, const SyncdHash *right);

void syncd_frontier_init(SyncdFrontier *frontier);
/* Called, when not NULL, for each full subtree of level >= 1 that the append completes, lowest
 * first. */
typedef void (*SyncdNodeFunc)(void *data, unsigned level, guint64 index, const SyncdHash *node);
void syncd_frontier_append(SyncdFrontier *frontier, const SyncdHash *leaf, SyncdNodeFunc completed,
                           void *data);
SyncdHash syncd_frontier_root(const SyncdFrontier *frontier);
unsigned syncd_frontier_count(guint64 size); /* popcount */
/* From size and popcount(size) * 32 bytes, as stored; false, and nothing loaded, when the size of
 * the bytes does not fit or the tree is over SYNCD_TREE_MAX_SIZE. */
bool syncd_frontier_load(SyncdFrontier *frontier, guint64 size, const void *bytes,
                         size_t bytes_size);

/* The frontier and root that a tree had at an earlier size. */
bool syncd_tree_frontier_at(const SyncdTreeReader *reader, guint64 size,
                            SyncdFrontier *ret_frontier, GError **error);
/* Audit path of leaf `index` in the tree of `size`; appends SyncdHash values, nothing on failure.
 * InvalidArgs unless index < size. */
bool syncd_tree_inclusion(const SyncdTreeReader *reader, guint64 index, guint64 size, GArray *path,
                          GError **error);
/* Proof that the tree of `old_size` is a prefix of that of `new_size`; empty when old_size is 0 or
 * equal. InvalidArgs when it is greater. */
bool syncd_tree_consistency(const SyncdTreeReader *reader, guint64 old_size, guint64 new_size,
                            GArray *path, GError **error);

bool syncd_tree_verify_inclusion(const SyncdHash *leaf, guint64 index, guint64 size,
                                 const SyncdHash *path, size_t n_path, const SyncdHash *root);
/* Of two equal sizes the roots must be equal, of size 0 the root is that of the empty tree. */
bool syncd_tree_verify_consistency(guint64 old_size, guint64 new_size, const SyncdHash *old_root,
                                   const SyncdHash *new_root, const SyncdHash *path, size_t n_path);
