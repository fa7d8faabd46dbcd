/*
 * Proof documents. Whatever is changed in one: it holds only when every step can be recomputed from
 * the document alone, another way than the judge goes; and what holds with the key of the log
 * below is an entry of that log, at its place.
 */
#include "fuzz.h"
#include "small-log.h"

#include "base/json.h"
#include "cli/proof.h"

/* The root of leaves [0, size) from one leaf and its path, as RFC 6962 defines it: the last element
 * of the path is the other half of the whole tree. False when the path has another length. */
static bool root_of(SyncdHash leaf, guint64 index, guint64 size, const GArray *path, guint left,
                    SyncdHash *ret_root)
{
    if (size == 1) {
        *ret_root = leaf;
        return left == 0;
    }
    if (left == 0)
        return false;
    guint64 half = 1;
    while (half * 2 < size && half * 2 > half)
        half *= 2;
    SyncdHash other = g_array_index(path, SyncdHash, left - 1), inside;
    bool first = index < half;
    if (!root_of(leaf, first ? index : index - half, first ? half : size - half, path, left - 1,
                 &inside))
        return false;
    *ret_root = first ? syncd_tree_parent(&inside, &other) : syncd_tree_parent(&other, &inside);
    return true;
}

static SyncdHash hash_of(SyncdJson value)
{
    SyncdHash hash;
    g_autofree char *text = syncd_json_dup_text(value);
    LAW(text != NULL && syncd_hash_from_hex(text, strlen(text), &hash));
    return hash;
}

static GArray *path_of(SyncdJson document)
{
    GArray *path = g_array_new(FALSE, FALSE, sizeof(SyncdHash));
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, syncd_json_member(document, "path"));
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        SyncdHash hash = hash_of(element);
        g_array_append_val(path, hash);
    }
    return path;
}

/* The signature is judged by the verdict alone: no other Ed25519 is at hand. */
static void recompute(const char *text, size_t size, const SyncdProofVerdict *verdict)
{
    SyncdJson document = syncd_json_root(text, size);
    g_autofree char *header = syncd_json_dup_text(syncd_json_member(document, "header"));
    g_autofree char *note = syncd_json_dup_text(syncd_json_member(document, "note"));
    g_autoptr(SyncdCheckpoint) checkpoint = syncd_checkpoint_parse(note, strlen(note), NULL);
    g_autoptr(GArray) path = path_of(document);
    SyncdHash leaf = hash_of(syncd_json_member(document, "leaf")), root;
    SyncdHash own_leaf = syncd_tree_leaf(header, strlen(header));
    LAW(syncd_hash_equal(&leaf, &own_leaf));
    LAW(verdict->seq < verdict->size && path->len <= 64);
    LAW(root_of(leaf, verdict->seq, verdict->size, path, path->len, &root));
    LAW(checkpoint->size == verdict->size && syncd_hash_equal(&checkpoint->root, &root));
    LAW(g_str_has_suffix(checkpoint->origin, verdict->feed));
}

static void check_verdict(const char *text, size_t size, const char *trusted_key)
{
    g_auto(SyncdProofVerdict) verdict = {0};
    g_autoptr(GError) error = NULL;
    bool judged = syncd_proof_check(text, size, trusted_key, &verdict, &error);
    LAW(judged == (error == NULL));
    LAW(!judged || verdict.holds == (verdict.reason == NULL));
    if (!judged || !verdict.holds)
        return;
    recompute(text, size, &verdict);
    if (strcmp(verdict.key, small_log_key()) != 0)
        return;
    g_autofree char *header =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(text, size), "header"));
    LAW(verdict.size == SMALL_LOG_SIZE);
    LAW(strcmp(header, small_log_header((unsigned)verdict.seq)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    check_verdict(text, size, NULL);
    check_verdict(text, size, small_log_key());
    g_autofree char *feed = syncd_proof_feed(text, size);
    LAW(feed == NULL || syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    small_log_init();
    /* A target that never saw a proof that holds would have no law to break. */
    for (unsigned i = 0; i < SMALL_LOG_SIZE; i++) {
        g_autofree char *proof = small_log_proof(i);
        g_auto(SyncdProofVerdict) verdict = {0};
        LAW(syncd_proof_check(proof, strlen(proof), small_log_key(), &verdict, NULL));
        LAW(verdict.holds);
    }
    return 0;
}
