#include "cli/proof.h"

#include "base/json.h"
#include "crypto/note.h"
#include "store/entry.h"
#include "store/keyring.h"

#include <string.h>

#define PROOF_SCHEMA "sourceos.log-proof/v1"
#define ORIGIN_FORMAT "org.sourceos.Sync/%s"
#define PATH_MAX_HASHES 64u

void syncd_proof_verdict_clear(SyncdProofVerdict *verdict)
{
    g_clear_pointer(&verdict->reason, g_free);
    g_clear_pointer(&verdict->operation, g_free);
    g_clear_pointer(&verdict->feed, g_free);
    g_clear_pointer(&verdict->root, g_free);
    g_clear_pointer(&verdict->key, g_free);
}

/* ---- the document ---- */

typedef struct {
    char *header_text;
    SyncdHeader header; /* a view of the text */
    char *feed;
    SyncdHash leaf;
    SyncdHash root;
    guint64 seq;
    guint64 size;
    SyncdHash path[PATH_MAX_HASHES];
    size_t n_path;
    char *note;
    char *key;
    char *operation; /* that it says it is of; NULL: it does not say */
} Proof;

static void proof_clear(Proof *proof)
{
    g_clear_pointer(&proof->header_text, g_free);
    g_clear_pointer(&proof->feed, g_free);
    g_clear_pointer(&proof->note, g_free);
    g_clear_pointer(&proof->key, g_free);
    g_clear_pointer(&proof->operation, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Proof, proof_clear)

static bool set_fault(GError **error, const char *member, const char *wanted)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "give a proof as `verify proof --output` keeps it",
                         "/%s of the proof must be %s", member, wanted);
    return false;
}

static bool read_text(SyncdJson document, const char *member, char **ret_text, GError **error)
{
    *ret_text = syncd_json_dup_text(syncd_json_member(document, member));
    return *ret_text != NULL || set_fault(error, member, "a string");
}

static bool read_count(SyncdJson document, const char *member, guint64 *ret_count, GError **error)
{
    gint64 number;
    if (!syncd_json_get_int64(syncd_json_member(document, member), &number) || number < 0)
        return set_fault(error, member, "a count");
    *ret_count = (guint64)number;
    return true;
}

static bool get_hash(SyncdJson value, SyncdHash *ret_hash)
{
    const char *text;
    size_t size;
    return syncd_json_get_plain(value, &text, &size) && syncd_hash_from_hex(text, size, ret_hash);
}

static bool read_hash(SyncdJson document, const char *member, SyncdHash *ret_hash, GError **error)
{
    return get_hash(syncd_json_member(document, member), ret_hash) ||
           set_fault(error, member, "64 lower-case hexadecimal digits");
}

static bool read_path(SyncdJson document, Proof *proof, GError **error)
{
    SyncdJson path = syncd_json_member(document, "path");
    SyncdJsonIter iter;
    SyncdJson hash;
    if (path.type != SYNCD_JSON_ARRAY)
        return set_fault(error, "path", "an array of hashes");
    syncd_json_iter_init(&iter, path);
    while (syncd_json_iter_next(&iter, NULL, &hash))
        if (proof->n_path == PATH_MAX_HASHES || !get_hash(hash, &proof->path[proof->n_path++]))
            return set_fault(error, "path", "an array of at most 64 hashes");
    return true;
}

static bool read_header(Proof *proof, GError **error)
{
    if (!syncd_header_parse(proof->header_text, strlen(proof->header_text), &proof->header, error))
        return false;
    g_autofree char *device = syncd_bytes_dup(proof->header.device);
    g_autofree char *scope = syncd_bytes_dup(proof->header.scope);
    proof->feed = g_strdup_printf("%s/%s/%" G_GUINT64_FORMAT, device, scope, proof->header.epoch);
    return true;
}

static bool read_proof(const char *text, size_t size, Proof *proof, GError **error)
{
    if (!syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    SyncdJson document = syncd_json_root(text, size);
    if (!syncd_json_is(syncd_json_member(document, "schema"), PROOF_SCHEMA))
        return set_fault(error, "schema", "\"" PROOF_SCHEMA "\"");
    proof->operation = syncd_json_dup_text(syncd_json_member(document, "operation_id"));
    return read_text(document, "header", &proof->header_text, error) &&
           read_hash(document, "leaf", &proof->leaf, error) &&
           read_count(document, "seq", &proof->seq, error) &&
           read_count(document, "size", &proof->size, error) &&
           read_hash(document, "root", &proof->root, error) && read_path(document, proof, error) &&
           read_text(document, "note", &proof->note, error) &&
           read_text(document, "verifier_key", &proof->key, error) && read_header(proof, error);
}

char *syncd_proof_feed(const char *text, size_t size)
{
    g_auto(Proof) proof = {NULL};
    return read_proof(text, size, &proof, NULL) ? g_steal_pointer(&proof.feed) : NULL;
}

/* ---- the steps ---- */

typedef struct {
    const Proof *proof;
    const SyncdCheckpoint *checkpoint; /* of the note */
    const char *key_name;
    const SyncdPublicKey *key;
} Case;

static bool leaf_is_of_header(const Case *c)
{
    SyncdHash leaf = syncd_tree_leaf(c->proof->header_text, strlen(c->proof->header_text));
    return syncd_hash_equal(&leaf, &c->proof->leaf);
}

static bool place_is_of_header(const Case *c)
{
    return c->proof->header.seq == c->proof->seq && c->proof->seq < c->proof->size;
}

static bool operation_is_of_header(const Case *c)
{
    return c->proof->operation == NULL || syncd_bytes_are(c->proof->header.op, c->proof->operation);
}

static bool path_leads_to_root(const Case *c)
{
    return syncd_tree_verify_inclusion(&c->proof->leaf, c->proof->seq, c->proof->size,
                                       c->proof->path, c->proof->n_path, &c->proof->root);
}

static bool note_states_root(const Case *c)
{
    return c->checkpoint->size == c->proof->size &&
           syncd_hash_equal(&c->checkpoint->root, &c->proof->root);
}

static bool note_is_of_feed(const Case *c)
{
    g_autofree char *origin = g_strdup_printf(ORIGIN_FORMAT, c->proof->feed);
    return strcmp(c->checkpoint->origin, origin) == 0 && strcmp(c->key_name, origin) == 0;
}

static bool signature_verifies(const Case *c)
{
    return syncd_note_verify(c->proof->note, strlen(c->proof->note), c->key_name, c->key);
}

static bool device_is_of_key(const Case *c)
{
    g_autofree char *device = syncd_device_id_of(c->key);
    return syncd_bytes_are(c->proof->header.device, device);
}

static const struct {
    bool (*holds)(const Case *c);
    const char *otherwise;
} steps[] = {
    {leaf_is_of_header, "the leaf is not that of the header"},
    {place_is_of_header, "the header has another place in the log"},
    {operation_is_of_header, "the header is that of another operation"},
    {path_leads_to_root, "the audit path does not lead from the leaf to the root"},
    {note_states_root, "the signed note states another root or size"},
    {note_is_of_feed, "the signed note or the key is of another log"},
    {signature_verifies, "the note is not signed by this key"},
    {device_is_of_key, "the device in the header is not named after this key"},
};

static const char *first_failure(const Case *c)
{
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (!steps[i].holds(c))
            return steps[i].otherwise;
    return NULL;
}

static void describe(const Proof *proof, const char *key, SyncdProofVerdict *verdict)
{
    char root[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&proof->root, root);
    verdict->operation = syncd_bytes_dup(proof->header.op);
    verdict->feed = g_strdup(proof->feed);
    verdict->seq = proof->seq;
    verdict->size = proof->size;
    verdict->root = g_strdup(root);
    verdict->key = g_strdup(key);
}

bool syncd_proof_check(const char *text, size_t size, const char *trusted_key,
                       SyncdProofVerdict *ret_verdict, GError **error)
{
    g_auto(Proof) proof = {NULL};
    if (!read_proof(text, size, &proof, error))
        return false;
    g_autoptr(SyncdCheckpoint) checkpoint =
        syncd_checkpoint_parse(proof.note, strlen(proof.note), error);
    if (checkpoint == NULL)
        return false;

    const char *key = trusted_key != NULL ? trusted_key : proof.key;
    g_autofree char *key_name = NULL;
    SyncdPublicKey public_key;
    if (!syncd_verifier_key_parse(key, &key_name, &public_key)) {
        if (trusted_key == NULL)
            return set_fault(error, "verifier_key", "a verifier key");
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "give it as `sourceos-syncd ops checkpoint` "
                             "printed it",
                             "This is no verifier key: %s", trusted_key);
        return false;
    }
    Case c = {&proof, checkpoint, key_name, &public_key};
    const char *failure = first_failure(&c);
    *ret_verdict = (SyncdProofVerdict){.holds = failure == NULL, .reason = g_strdup(failure)};
    describe(&proof, key, ret_verdict);
    return true;
}
