#include "small-log.h"

#include "base/json-writer.h"

static struct {
    char *key;
    char *note;
    char *headers[SMALL_LOG_SIZE];
} small;

static char *write_header(const char *device, guint64 seq)
{
    const SyncdBytes none = SYNCD_BYTES_TEXT("");
    SyncdHeader header = {
        .known = true,
        .actor = SYNCD_BYTES_TEXT("actor-1"),
        .body_size = 40,
        .decision = none,
        .device = SYNCD_BYTES_TEXT(device),
        .engine = none,
        .epoch = 1,
        .hlc = {1000 + seq, 0},
        .key = none,
        .kind = SYNCD_BYTES_TEXT("operation.enqueue"),
        .lane = SYNCD_BYTES_TEXT("normal"),
        .object = SYNCD_BYTES_TEXT("note-1"),
        .op = SYNCD_BYTES_TEXT("op-1"),
        .schema_id = SYNCD_BYTES_TEXT("sourceos.workspace-operation/v1alpha1"),
        .schema_version = 1,
        .scope = SYNCD_BYTES_TEXT(device),
        .seq = seq,
        .signer = none,
    };
    GString *out = g_string_new(NULL);
    syncd_header_write(&header, out);
    return g_string_free(out, FALSE);
}

void small_log_init(void)
{
    static const guint8 seed[SYNCD_SIGN_SEED_SIZE] = {7};
    g_autoptr(GError) error = NULL;
    if (!syncd_crypto_init(&error))
        g_error("%s", error->message);
    g_autoptr(SyncdSigner) signer = syncd_signer_new(seed, &error);
    if (signer == NULL)
        g_error("%s", error->message);
    g_autofree char *device = syncd_device_id_of(syncd_signer_public_key(signer));
    g_autofree char *origin = g_strdup_printf("org.sourceos.Sync/%s/%s/1", device, device);
    for (unsigned i = 0; i < SMALL_LOG_SIZE; i++)
        small.headers[i] = write_header(device, i);
    SyncdHash root = small_log_root(SMALL_LOG_SIZE);
    small.key = syncd_verifier_key_format(origin, syncd_signer_public_key(signer));
    small.note = syncd_checkpoint_sign(origin, SMALL_LOG_SIZE, &root, signer);
}

const char *small_log_key(void)
{
    return small.key;
}

const char *small_log_header(unsigned seq)
{
    return seq < SMALL_LOG_SIZE ? small.headers[seq] : "";
}

SyncdHash small_log_leaf(unsigned seq)
{
    return syncd_tree_leaf(small.headers[seq], strlen(small.headers[seq]));
}

static bool node(void *data, unsigned level, guint64 index, SyncdHash *ret_node, GError **error)
{
    g_assert(level < 32 && (index + 1) << level <= SMALL_LOG_SIZE);
    if (level == 0) {
        *ret_node = small_log_leaf((unsigned)index);
        return true;
    }
    SyncdHash left, right;
    node(data, level - 1, index * 2, &left, error);
    node(data, level - 1, index * 2 + 1, &right, error);
    *ret_node = syncd_tree_parent(&left, &right);
    return true;
}

SyncdTreeReader small_log_nodes(void)
{
    return (SyncdTreeReader){node, NULL};
}

SyncdHash small_log_root(unsigned size)
{
    SyncdFrontier frontier;
    syncd_frontier_init(&frontier);
    for (unsigned i = 0; i < size; i++) {
        SyncdHash leaf = small_log_leaf(i);
        syncd_frontier_append(&frontier, &leaf, NULL, NULL);
    }
    return syncd_frontier_root(&frontier);
}

static void member_hash(SyncdJsonWriter *writer, const char *name, const SyncdHash *hash)
{
    char text[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, text);
    syncd_json_member_string(writer, name, text);
}

char *small_log_proof(unsigned seq)
{
    SyncdTreeReader nodes = small_log_nodes();
    g_autoptr(GArray) path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    syncd_tree_inclusion(&nodes, seq, SMALL_LOG_SIZE, path, NULL);
    SyncdHash leaf = small_log_leaf(seq), root = small_log_root(SMALL_LOG_SIZE);

    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", "sourceos.log-proof/v1");
    syncd_json_member_string(&writer, "header", small.headers[seq]);
    member_hash(&writer, "leaf", &leaf);
    syncd_json_member_uint(&writer, "seq", seq);
    syncd_json_member_uint(&writer, "size", SMALL_LOG_SIZE);
    member_hash(&writer, "root", &root);
    syncd_json_name(&writer, "path");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < path->len; i++) {
        char text[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&g_array_index(path, SyncdHash, i), text);
        syncd_json_string(&writer, text);
    }
    syncd_json_end_array(&writer);
    syncd_json_member_string(&writer, "note", small.note);
    syncd_json_member_string(&writer, "verifier_key", small.key);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}
