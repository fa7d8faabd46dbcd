#include "crypto/tree.h"
#include "hurried.h"

#define ALL_SIZES (is_hurried() ? 40u : 130u)
#define MANY_LEAVES 3000

/* A tree of every node it ever completed, grown leaf by leaf. */
typedef struct {
    SyncdFrontier frontier;
    GArray *levels[SYNCD_TREE_MAX_LEVELS]; /* SyncdHash by index */
    GArray *roots;                         /* SyncdHash by size */
    guint64 readable;                      /* the tree that proofs are made in ends here */
    unsigned n_reads_until_failure;
} Tree;

static void note_node(void *data, unsigned level, guint64 index, const SyncdHash *node)
{
    Tree *tree = data;
    g_assert_cmpuint(tree->levels[level]->len, ==, index);
    g_array_append_val(tree->levels[level], *node);
}

static void grow(Tree *tree, const void *leaf, size_t size)
{
    SyncdHash hash = syncd_tree_leaf(leaf, size);
    note_node(tree, 0, tree->frontier.size, &hash);
    syncd_frontier_append(&tree->frontier, &hash, note_node, tree);
    SyncdHash root = syncd_frontier_root(&tree->frontier);
    g_array_append_val(tree->roots, root);
}

static Tree *tree_new(void)
{
    Tree *tree = g_new0(Tree, 1);
    syncd_frontier_init(&tree->frontier);
    for (size_t i = 0; i < SYNCD_TREE_MAX_LEVELS; i++)
        tree->levels[i] = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    tree->roots = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    SyncdHash empty = syncd_frontier_root(&tree->frontier);
    g_array_append_val(tree->roots, empty);
    tree->n_reads_until_failure = G_MAXUINT;
    return tree;
}

static void tree_free(Tree *tree)
{
    for (size_t i = 0; i < SYNCD_TREE_MAX_LEVELS; i++)
        g_array_unref(tree->levels[i]);
    g_array_unref(tree->roots);
    g_free(tree);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Tree, tree_free)

static Tree *tree_of(guint64 size)
{
    Tree *tree = tree_new();
    for (guint64 i = 0; i < size; i++)
        grow(tree, &i, sizeof i);
    return tree;
}

/* The tree of eight leaves that implementations of Certificate Transparency test with. */
static Tree *reference_tree(void)
{
    static const char *const leaves[] = {
        "",
        "\x00",
        "\x10",
        "\x20\x21",
        "\x30\x31",
        "\x40\x41\x42\x43",
        "\x50\x51\x52\x53\x54\x55\x56\x57",
        "\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    };
    static const size_t sizes[] = {0, 1, 1, 2, 2, 4, 8, 16};
    Tree *tree = tree_new();
    for (size_t i = 0; i < G_N_ELEMENTS(leaves); i++)
        grow(tree, leaves[i], sizes[i]);
    return tree;
}

static bool read_node(void *data, unsigned level, guint64 index, SyncdHash *ret_node,
                      GError **error)
{
    Tree *tree = data;
    g_assert_cmpuint((index + 1) << level, <=, tree->readable);
    if (tree->n_reads_until_failure-- == 0) {
        syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "The node cannot be read");
        return false;
    }
    *ret_node = g_array_index(tree->levels[level], SyncdHash, index);
    return true;
}

static SyncdTreeReader reader_of(Tree *tree, guint64 size)
{
    tree->readable = size;
    return (SyncdTreeReader){read_node, tree};
}

static const SyncdHash *leaf_at(Tree *tree, guint64 index)
{
    return &g_array_index(tree->levels[0], SyncdHash, index);
}

static const SyncdHash *root_at(Tree *tree, guint64 size)
{
    return &g_array_index(tree->roots, SyncdHash, size);
}

static GArray *path_new(void)
{
    return g_array_new(FALSE, FALSE, sizeof(SyncdHash));
}

static GArray *inclusion(Tree *tree, guint64 index, guint64 size)
{
    SyncdTreeReader reader = reader_of(tree, size);
    GArray *path = path_new();
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_tree_inclusion(&reader, index, size, path, &error));
    g_assert_no_error(error);
    return path;
}

static GArray *consistency(Tree *tree, guint64 old_size, guint64 new_size)
{
    SyncdTreeReader reader = reader_of(tree, new_size);
    GArray *path = path_new();
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_tree_consistency(&reader, old_size, new_size, path, &error));
    g_assert_no_error(error);
    return path;
}

static const SyncdHash *path_of(const GArray *path)
{
    return (const SyncdHash *)(const void *)path->data;
}

static void assert_path(const GArray *path, const char *const *expected, size_t n_expected)
{
    g_assert_cmpuint(path->len, ==, n_expected);
    for (guint i = 0; i < path->len; i++) {
        char hex[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&g_array_index(path, SyncdHash, i), hex);
        g_assert_cmpstr(hex, ==, expected[i]);
    }
}

#define ROOT_1 "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
#define ROOT_2 "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
#define ROOT_4 "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"
#define LEAF_1 "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
#define LEAF_4 "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"
#define LEAF_6 "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f"
#define NODE_2_3 "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e"
#define NODE_4_5 "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a"
#define NODE_6_7 "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0"
#define NODE_4_7 "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"

static void reference_roots(void)
{
    static const char *const roots[] = {
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        ROOT_1,
        ROOT_2,
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        ROOT_4,
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    };
    g_autoptr(Tree) tree = reference_tree();
    assert_path(tree->roots, roots, G_N_ELEMENTS(roots));
}

static void reference_proofs(void)
{
    static const struct {
        GArray *(*prove)(Tree *tree, guint64 first, guint64 size);
        guint64 first, size;
        size_t n_path;
        const char *path[4];
    } cases[] = {
        {inclusion, 0, 1, 0, {NULL}},
        {inclusion, 0, 8, 3, {LEAF_1, NODE_2_3, NODE_4_7}},
        {inclusion, 5, 8, 3, {LEAF_4, NODE_6_7, ROOT_4}},
        {inclusion, 2, 3, 1, {ROOT_2}},
        {inclusion, 1, 5, 3, {ROOT_1, NODE_2_3, LEAF_4}},
        {consistency, 1, 1, 0, {NULL}},
        {consistency, 0, 8, 0, {NULL}},
        {consistency, 1, 8, 3, {LEAF_1, NODE_2_3, NODE_4_7}},
        {consistency, 2, 5, 2, {NODE_2_3, LEAF_4}},
        {consistency, 4, 8, 1, {NODE_4_7}},
        {consistency, 6, 7, 3, {NODE_4_5, LEAF_6, ROOT_4}},
        {consistency, 6, 8, 3, {NODE_4_5, NODE_6_7, ROOT_4}},
    };
    g_autoptr(Tree) tree = reference_tree();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) path = cases[i].prove(tree, cases[i].first, cases[i].size);
        assert_path(path, cases[i].path, cases[i].n_path);
    }
}

/* RFC 6962, 2.1, word for word. */
static SyncdHash naive_root(Tree *tree, guint64 begin, guint64 end)
{
    guint64 left_size = 1;
    if (end == begin)
        return syncd_hash("", 0);
    if (end - begin == 1)
        return *leaf_at(tree, begin);
    while (2 * left_size < end - begin)
        left_size *= 2;
    SyncdHash left = naive_root(tree, begin, begin + left_size);
    SyncdHash right = naive_root(tree, begin + left_size, end);
    return syncd_tree_parent(&left, &right);
}

static void appending_gives_the_root_by_definition(void)
{
    g_autoptr(Tree) tree = tree_of(ALL_SIZES);
    for (guint64 size = 0; size <= ALL_SIZES; size++) {
        SyncdHash root = naive_root(tree, 0, size);
        g_assert_true(syncd_hash_equal(&root, root_at(tree, size)));
    }
}

static void the_frontier_of_an_earlier_size(void)
{
    g_autoptr(Tree) tree = tree_of(ALL_SIZES);
    SyncdFrontier then;
    syncd_frontier_init(&then);
    for (guint64 size = 0; size <= ALL_SIZES; size++) {
        SyncdTreeReader reader = reader_of(tree, size);
        SyncdFrontier found;
        g_assert_true(syncd_tree_frontier_at(&reader, size, &found, NULL));
        g_assert_cmpuint(found.size, ==, size);
        size_t bytes_size = syncd_frontier_count(size) * sizeof(SyncdHash);
        g_assert_cmpmem(found.nodes, bytes_size, then.nodes, bytes_size);
        SyncdHash root = syncd_frontier_root(&found);
        g_assert_true(syncd_hash_equal(&root, root_at(tree, size)));
        if (size < ALL_SIZES)
            syncd_frontier_append(&then, leaf_at(tree, size), NULL, NULL);
    }
}

static void a_stored_frontier_grows_on(void)
{
    g_autoptr(Tree) tree = tree_of(100);
    SyncdFrontier loaded;
    g_assert_true(syncd_frontier_load(&loaded, 100, tree->frontier.nodes, 3 * SYNCD_HASH_SIZE));
    guint64 next = 100;
    grow(tree, &next, sizeof next);
    syncd_frontier_append(&loaded, leaf_at(tree, 100), NULL, NULL);
    SyncdHash root = syncd_frontier_root(&loaded);
    g_assert_true(syncd_hash_equal(&root, root_at(tree, 101)));
}

static void a_frontier_of_the_wrong_length_is_refused(void)
{
    static const guint8 bytes[66 * SYNCD_HASH_SIZE];
    static const guint64 sizes[] = {0, 1, 2, 3, 100, 1023, SYNCD_TREE_MAX_SIZE};
    SyncdFrontier frontier;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        size_t fitting = syncd_frontier_count(sizes[i]) * SYNCD_HASH_SIZE;
        for (size_t bytes_size = 0; bytes_size <= sizeof bytes; bytes_size++)
            g_assert_true(syncd_frontier_load(&frontier, sizes[i], bytes, bytes_size) ==
                          (bytes_size == fitting));
    }
    g_assert_true(syncd_frontier_load(&frontier, 0, NULL, 0));
    g_assert_false(syncd_frontier_load(&frontier, SYNCD_TREE_MAX_SIZE + 1, bytes, SYNCD_HASH_SIZE));
    g_assert_false(syncd_frontier_load(&frontier, G_MAXUINT64, bytes, 64 * SYNCD_HASH_SIZE));
}

/* A statement that a path is to prove: of inclusion when `leaf` is set, else of consistency. */
typedef struct {
    const SyncdHash *leaf;
    guint64 first; /* index, or old size */
    guint64 size;
    const SyncdHash *old_root;
    const SyncdHash *root;
} Claim;

static bool proves(const GArray *path, const Claim *claim)
{
    if (claim->leaf != NULL)
        return syncd_tree_verify_inclusion(claim->leaf, claim->first, claim->size, path_of(path),
                                           path->len, claim->root);
    return syncd_tree_verify_consistency(claim->first, claim->size, claim->old_root, claim->root,
                                         path_of(path), path->len);
}

static void no_other_path_proves(const GArray *path, const Claim *claim)
{
    SyncdHash extra = syncd_hash("extra", 5);
    g_autoptr(GArray) other = g_array_copy((GArray *)path);
    g_array_append_val(other, extra);
    g_assert_false(proves(other, claim));
    g_array_set_size(other, path->len);
    g_array_prepend_val(other, extra);
    g_assert_false(proves(other, claim));
    g_array_remove_index(other, 0);

    for (guint i = 0; i < path->len; i++) {
        SyncdHash *element = &g_array_index(other, SyncdHash, i), good = *element;
        element->bytes[i % SYNCD_HASH_SIZE] ^= 0x10;
        g_assert_false(proves(other, claim));
        *element = good;

        g_array_remove_index(other, i);
        g_assert_false(proves(other, claim));
        g_array_insert_val(other, i, good);

        if (i == 0)
            continue;
        SyncdHash *before = &g_array_index(other, SyncdHash, i - 1), swapped = *before;
        *before = good;
        g_array_index(other, SyncdHash, i) = swapped;
        g_assert_false(proves(other, claim));
        g_array_index(other, SyncdHash, i - 1) = swapped;
        g_array_index(other, SyncdHash, i) = good;
    }
    g_assert_true(proves(other, claim)); /* all changes were taken back */
}

static void check_inclusion(Tree *tree, guint64 index, guint64 size)
{
    g_autoptr(GArray) path = inclusion(tree, index, size);
    Claim claim = {
        .leaf = leaf_at(tree, index), .first = index, .size = size, .root = root_at(tree, size)};
    g_assert_true(proves(path, &claim));
    no_other_path_proves(path, &claim);

    SyncdHash other_leaf = syncd_tree_leaf("other", 5);
    Claim changed = claim;
    changed.leaf = &other_leaf;
    g_assert_false(proves(path, &changed));
    changed = claim;
    changed.root = root_at(tree, size - 1);
    g_assert_false(proves(path, &changed));

    const guint64 indexes[] = {index - 1, index + 1, index ^ 2, index ^ 64, size, G_MAXUINT64};
    for (size_t i = 0; i < G_N_ELEMENTS(indexes); i++) {
        changed = claim;
        changed.first = indexes[i];
        g_assert_false(proves(path, &changed));
    }
    const guint64 sizes[] = {size - 1, size + 1, size + 64, size / 2};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        changed = claim;
        changed.size = sizes[i];
        changed.root = root_at(tree, sizes[i]);
        if (sizes[i] != size)
            g_assert_false(proves(path, &changed));
    }
}

static void check_consistency(Tree *tree, guint64 old_size, guint64 new_size)
{
    g_autoptr(GArray) path = consistency(tree, old_size, new_size);
    Claim claim = {.first = old_size,
                   .size = new_size,
                   .old_root = root_at(tree, old_size),
                   .root = root_at(tree, new_size)};
    g_assert_true(proves(path, &claim));
    no_other_path_proves(path, &claim);

    SyncdHash other_root = syncd_hash("other", 5);
    Claim changed = claim;
    changed.old_root = &other_root;
    g_assert_false(proves(path, &changed));
    changed = claim;
    changed.root = &other_root;
    if (old_size > 0) /* the empty tree is a prefix of every tree */
        g_assert_false(proves(path, &changed));

    const guint64 sizes[] = {old_size - 1, old_size + 1, old_size * 2, old_size / 2};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        if (sizes[i] == old_size || sizes[i] == 0 || sizes[i] >= new_size)
            continue;
        changed = claim;
        changed.first = sizes[i];
        changed.old_root = root_at(tree, sizes[i]);
        g_assert_false(proves(path, &changed));
    }
    if (old_size == 0)
        return;
    const guint64 new_sizes[] = {new_size - 1, new_size + 1, new_size + 64};
    for (size_t i = 0; i < G_N_ELEMENTS(new_sizes); i++) {
        changed = claim;
        changed.size = new_sizes[i];
        changed.root = root_at(tree, new_sizes[i]);
        g_assert_false(proves(path, &changed));
    }
}

static void every_inclusion_proof_of_small_trees(void)
{
    g_autoptr(Tree) tree = tree_of(2 * ALL_SIZES);
    for (guint64 size = 1; size <= ALL_SIZES; size++)
        for (guint64 index = 0; index < size; index++)
            check_inclusion(tree, index, size);
}

static void every_consistency_proof_of_small_trees(void)
{
    g_autoptr(Tree) tree = tree_of(2 * ALL_SIZES);
    for (guint64 new_size = 0; new_size <= ALL_SIZES; new_size++)
        for (guint64 old_size = 0; old_size <= new_size; old_size++)
            check_consistency(tree, old_size, new_size);
}

static void some_proofs_of_larger_trees(void)
{
    g_autoptr(Tree) tree = tree_of(MANY_LEAVES + 64);
    for (int i = 0; i < (is_hurried() ? 30 : 300); i++) {
        guint64 size = (guint64)g_test_rand_int_range(1, MANY_LEAVES);
        guint64 first = (guint64)g_test_rand_int_range(0, (gint32)size);
        check_inclusion(tree, first, size);
        check_consistency(tree, first, size);
    }
}

/* Why tree.h tells verifiers to take size and root from one signed head. */
static void a_proof_alone_does_not_bind_the_size(void)
{
    g_autoptr(Tree) tree = tree_of(3);
    g_autoptr(GArray) path = inclusion(tree, 0, 3);
    Claim claim = {.leaf = leaf_at(tree, 0), .first = 0, .size = 4, .root = root_at(tree, 3)};
    g_assert_true(proves(path, &claim));
}

/* A path that goes on above the root could prove anything about the tree that it invents there. */
static void a_path_ends_at_the_root(void)
{
    g_autoptr(Tree) tree = tree_of(4);
    g_autoptr(GArray) second_of_two = inclusion(tree, 1, 2);
    Claim first_of_one = {.leaf = leaf_at(tree, 1), .size = 1, .root = root_at(tree, 2)};
    g_assert_false(proves(second_of_two, &first_of_one));

    SyncdHash above = syncd_hash("above", 5);
    SyncdHash old_root = syncd_tree_parent(&above, root_at(tree, 3));
    SyncdHash new_root = syncd_tree_parent(&above, root_at(tree, 4));
    g_autoptr(GArray) path = consistency(tree, 3, 4);
    g_array_append_val(path, above);
    Claim higher = {.first = 3, .size = 4, .old_root = &old_root, .root = &new_root};
    g_assert_false(proves(path, &higher));
}

static void a_prefix_that_was_rewritten_has_no_proof(void)
{
    g_autoptr(Tree) tree = tree_of(50);
    g_autoptr(Tree) rewritten = tree_of(20);
    grow(rewritten, "not leaf 20", 11);
    for (guint64 i = 21; i < 50; i++)
        grow(rewritten, &i, sizeof i);

    for (guint64 old_size = 1; old_size < 50; old_size++) {
        g_autoptr(GArray) path = consistency(rewritten, old_size, 50);
        g_assert_true(syncd_tree_verify_consistency(old_size, 50, root_at(tree, old_size),
                                                    root_at(rewritten, 50), path_of(path),
                                                    path->len) == (old_size <= 20));
    }
}

/* Sizes come from peers: none may make a verifier loop, overflow or read past the path. */
static void absurd_sizes_are_judged_quickly(void)
{
    static const guint64 sizes[] = {0, 1, 2, 3, G_MAXINT64, G_MAXUINT64 - 1, G_MAXUINT64};
    SyncdHash root = syncd_hash("root", 4), path[70];
    for (size_t i = 0; i < G_N_ELEMENTS(path); i++)
        path[i] = root;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++)
        for (size_t j = 0; j < G_N_ELEMENTS(sizes); j++)
            for (size_t n_path = 1; n_path <= G_N_ELEMENTS(path); n_path++) {
                g_assert_false(
                    syncd_tree_verify_inclusion(&root, sizes[i], sizes[j], path, n_path, &root));
                g_assert_false(
                    syncd_tree_verify_consistency(sizes[i], sizes[j], &root, &root, path, n_path));
            }
}

static void proofs_of_what_cannot_be_are_refused(void)
{
    g_autoptr(Tree) tree = tree_of(10);
    SyncdTreeReader reader = reader_of(tree, 10);
    g_autoptr(GArray) path = path_new();
    g_autoptr(GError) index_error = NULL, size_error = NULL;
    g_assert_false(syncd_tree_inclusion(&reader, 10, 10, path, &index_error));
    g_assert_error(index_error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_false(syncd_tree_consistency(&reader, 11, 10, path, &size_error));
    g_assert_error(size_error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpuint(path->len, ==, 0);
}

static void a_failing_reader_leaves_the_path_alone(void)
{
    g_autoptr(Tree) tree = tree_of(100);
    g_autoptr(GArray) complete = inclusion(tree, 70, 100);
    SyncdTreeReader reader = reader_of(tree, 100);
    unsigned reads = 0;
    for (bool done = false; !done; reads++) {
        g_autoptr(GArray) path = path_new();
        g_autoptr(GError) error = NULL;
        g_array_append_val(path, *leaf_at(tree, 70));
        tree->n_reads_until_failure = reads;
        done = syncd_tree_inclusion(&reader, 70, 100, path, &error);
        g_assert_cmpuint(path->len, ==, done ? 1 + complete->len : 1);
        if (!done)
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    }
    g_assert_cmpuint(reads, >, complete->len);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tree/reference-roots", reference_roots);
    g_test_add_func("/tree/reference-proofs", reference_proofs);
    g_test_add_func("/tree/appending-gives-the-root-by-definition",
                    appending_gives_the_root_by_definition);
    g_test_add_func("/tree/the-frontier-of-an-earlier-size", the_frontier_of_an_earlier_size);
    g_test_add_func("/tree/a-stored-frontier-grows-on", a_stored_frontier_grows_on);
    g_test_add_func("/tree/a-frontier-of-the-wrong-length-is-refused",
                    a_frontier_of_the_wrong_length_is_refused);
    g_test_add_func("/tree/every-inclusion-proof-of-small-trees",
                    every_inclusion_proof_of_small_trees);
    g_test_add_func("/tree/every-consistency-proof-of-small-trees",
                    every_consistency_proof_of_small_trees);
    g_test_add_func("/tree/some-proofs-of-larger-trees", some_proofs_of_larger_trees);
    g_test_add_func("/tree/a-proof-alone-does-not-bind-the-size",
                    a_proof_alone_does_not_bind_the_size);
    g_test_add_func("/tree/a-path-ends-at-the-root", a_path_ends_at_the_root);
    g_test_add_func("/tree/a-prefix-that-was-rewritten-has-no-proof",
                    a_prefix_that_was_rewritten_has_no_proof);
    g_test_add_func("/tree/absurd-sizes-are-judged-quickly", absurd_sizes_are_judged_quickly);
    g_test_add_func("/tree/proofs-of-what-cannot-be-are-refused",
                    proofs_of_what_cannot_be_are_refused);
    g_test_add_func("/tree/a-failing-reader-leaves-the-path-alone",
                    a_failing_reader_leaves_the_path_alone);
    return g_test_run();
}
