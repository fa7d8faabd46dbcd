/*
 * Audit paths and consistency proofs over trees whose nodes are known. The bytes choose the sizes
 * and put a path together out of nodes of the tree and of bytes that are none. For one pair of
 * roots and sizes there is one path: exactly that one is taken.
 */
#include "fuzz.h"
#include "small-log.h"

#define PATH_MAX_HASHES 70u

typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} Bytes;

static uint8_t take(Bytes *bytes)
{
    return bytes->at != bytes->end ? *bytes->at++ : 0;
}

/* A node of the tree: its level in the upper bits. What is no node is a hash of nothing known. */
static SyncdHash take_hash(Bytes *bytes)
{
    uint8_t byte = take(bytes);
    unsigned level = byte >> 6, index = byte & 0x3f;
    SyncdHash hash;
    memset(&hash, byte, sizeof hash);
    if ((index + 1u) << level <= SMALL_LOG_SIZE) {
        SyncdTreeReader nodes = small_log_nodes();
        nodes.node(nodes.data, level, index, &hash, NULL);
    }
    return hash;
}

static bool equal_paths(const GArray *one, const GArray *other)
{
    return one->len == other->len &&
           (one->len == 0 || memcmp(one->data, other->data, one->len * sizeof(SyncdHash)) == 0);
}

static void check_inclusion(unsigned index, unsigned size, const GArray *path)
{
    SyncdTreeReader nodes = small_log_nodes();
    g_autoptr(GArray) right = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    g_autoptr(GError) error = NULL;
    bool there = syncd_tree_inclusion(&nodes, index, size, right, &error);
    LAW(there == (index < size) && there == (error == NULL));
    SyncdHash leaf = small_log_leaf(index), root = small_log_root(size);
    LAW(syncd_tree_verify_inclusion(&leaf, index, size, (const SyncdHash *)(void *)path->data,
                                    path->len, &root) == (there && equal_paths(path, right)));
    if (there)
        LAW(syncd_tree_verify_inclusion(&leaf, index, size, (const SyncdHash *)(void *)right->data,
                                        right->len, &root));
}

static void check_consistency(unsigned old_size, unsigned new_size, const GArray *path)
{
    SyncdTreeReader nodes = small_log_nodes();
    g_autoptr(GArray) right = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    g_autoptr(GError) error = NULL;
    bool grows = syncd_tree_consistency(&nodes, old_size, new_size, right, &error);
    LAW(grows == (old_size <= new_size) && grows == (error == NULL));
    SyncdHash old_root = small_log_root(old_size), new_root = small_log_root(new_size);
    LAW(syncd_tree_verify_consistency(old_size, new_size, &old_root, &new_root,
                                      (const SyncdHash *)(void *)path->data,
                                      path->len) == (grows && equal_paths(path, right)));
    if (grows)
        LAW(syncd_tree_verify_consistency(old_size, new_size, &old_root, &new_root,
                                          (const SyncdHash *)(void *)right->data, right->len));
}

/* Sizes and places of any magnitude: nothing is known of them but that it must end. */
static void check_far(Bytes bytes, const GArray *path)
{
    guint64 numbers[2] = {0};
    SyncdHash some = small_log_leaf(0), root = small_log_root(1);
    for (size_t i = 0; i < 16; i++)
        numbers[i / 8] = numbers[i / 8] << 8 | take(&bytes);
    syncd_tree_verify_inclusion(&some, numbers[0], numbers[1],
                                (const SyncdHash *)(void *)path->data, path->len, &root);
    syncd_tree_verify_consistency(numbers[0], numbers[1], &some, &root,
                                  (const SyncdHash *)(void *)path->data, path->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Bytes bytes = {data, data + size}, whole = bytes;
    unsigned one = take(&bytes) % (SMALL_LOG_SIZE + 1), other = take(&bytes) % (SMALL_LOG_SIZE + 1);
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    while (bytes.at != bytes.end && path->len < PATH_MAX_HASHES) {
        SyncdHash hash = take_hash(&bytes);
        g_array_append_val(path, hash);
    }
    if (one < SMALL_LOG_SIZE)
        check_inclusion(one, other, path);
    check_consistency(one, other, path);
    check_far(whole, path);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    small_log_init();
    return 0;
}
