#include "base/json-writer.h"
#include "cli/proof.h"
#include "crypto/note.h"
#include "crypto/seal.h"
#include "store/entry.h"
#include "store/keyring.h"

#include <string.h>

#define LEAVES 5u
#define PLACE 2u

/* A log of a device whose key is made of one byte; the proof of its third entry. */
typedef struct {
    SyncdSigner *signer;
    char *device;
    char *origin;
    char *key;
    char *header;
    SyncdHash leaves[LEAVES];
    SyncdHash path[3];
    SyncdHash root;
    char *note;
} Log;

static char *write_header(const char *device, guint64 seq)
{
    SyncdHeader header = {
        .known = true,
        .actor = SYNCD_BYTES_TEXT("actor-1"),
        .body_size = 40,
        .device = SYNCD_BYTES_TEXT(device),
        .epoch = 1,
        .hlc = {1000, 0},
        .kind = SYNCD_BYTES_TEXT("operation.enqueue"),
        .lane = SYNCD_BYTES_TEXT("normal"),
        .object = SYNCD_BYTES_TEXT("note-1"),
        .op = SYNCD_BYTES_TEXT("op-1"),
        .schema_id = SYNCD_BYTES_TEXT("sourceos.workspace-operation/v1alpha1"),
        .schema_version = 1,
        .scope = SYNCD_BYTES_TEXT(device),
        .seq = seq,
    };
    const SyncdBytes none = SYNCD_BYTES_TEXT("");
    header.decision = header.engine = header.key = header.signer = none;
    GString *out = g_string_new(NULL);
    syncd_header_write(&header, out);
    return g_string_free(out, FALSE);
}

static void log_init(Log *log, guint8 seed_byte)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE];
    memset(seed, seed_byte, sizeof seed);
    log->signer = syncd_signer_new(seed, NULL);
    log->device = syncd_device_id_of(syncd_signer_public_key(log->signer));
    log->origin = g_strdup_printf("org.sourceos.Sync/%s/%s/1", log->device, log->device);
    log->key = syncd_verifier_key_format(log->origin, syncd_signer_public_key(log->signer));
    for (guint64 i = 0; i < LEAVES; i++) {
        g_autofree char *header = write_header(log->device, i);
        log->leaves[i] = syncd_tree_leaf(header, strlen(header));
    }
    log->header = write_header(log->device, PLACE);

    SyncdHash left = syncd_tree_parent(&log->leaves[0], &log->leaves[1]);
    SyncdHash right = syncd_tree_parent(&log->leaves[2], &log->leaves[3]);
    SyncdHash four = syncd_tree_parent(&left, &right);
    log->root = syncd_tree_parent(&four, &log->leaves[4]);
    log->path[0] = log->leaves[3];
    log->path[1] = left;
    log->path[2] = log->leaves[4];
    log->note = syncd_checkpoint_sign(log->origin, LEAVES, &log->root, log->signer);
}

static void log_clear(Log *log)
{
    syncd_signer_free(log->signer);
    g_free(log->device);
    g_free(log->origin);
    g_free(log->key);
    g_free(log->header);
    g_free(log->note);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Log, log_clear)

static void member_hash(SyncdJsonWriter *writer, const char *name, const SyncdHash *hash)
{
    char text[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, text);
    if (name != NULL)
        syncd_json_name(writer, name);
    syncd_json_string(writer, text);
}

static char *write_proof(const Log *log)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", "sourceos.log-proof/v1");
    syncd_json_member_string(&writer, "header", log->header);
    member_hash(&writer, "leaf", &log->leaves[PLACE]);
    syncd_json_member_uint(&writer, "seq", PLACE);
    syncd_json_member_uint(&writer, "size", LEAVES);
    member_hash(&writer, "root", &log->root);
    syncd_json_name(&writer, "path");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; i < G_N_ELEMENTS(log->path); i++)
        member_hash(&writer, NULL, &log->path[i]);
    syncd_json_end_array(&writer);
    syncd_json_member_string(&writer, "note", log->note);
    syncd_json_member_string(&writer, "verifier_key", log->key);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

static void assert_refuted(const char *proof, const char *key, const char *reason)
{
    g_auto(SyncdProofVerdict) verdict = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_proof_check(proof, strlen(proof), key, &verdict, &error));
    g_assert_false(verdict.holds);
    g_assert_nonnull(strstr(verdict.reason, reason));
}

static void a_proof_holds_by_itself(void)
{
    g_auto(Log) log;
    log_init(&log, 1);
    g_autofree char *proof = write_proof(&log);
    g_auto(SyncdProofVerdict) verdict = {0};
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_proof_check(proof, strlen(proof), NULL, &verdict, &error));
    g_assert_no_error(error);
    g_assert_true(verdict.holds);
    g_assert_null(verdict.reason);
    g_assert_cmpstr(verdict.operation, ==, "op-1");
    g_assert_cmpuint(verdict.seq, ==, PLACE);
    g_assert_cmpstr(verdict.key, ==, log.key);

    g_auto(SyncdProofVerdict) trusted = {0};
    g_assert_true(syncd_proof_check(proof, strlen(proof), log.key, &trusted, &error));
    g_assert_true(trusted.holds);

    g_autofree char *feed = syncd_proof_feed(proof, strlen(proof));
    g_assert_true(g_str_has_suffix(log.origin, feed));
}

/* Each step is what finds its own kind of forgery. */
static void every_forgery_is_refuted(void)
{
    g_auto(Log) log;
    g_auto(Log) other;
    log_init(&log, 1);
    log_init(&other, 2);
    g_autofree char *proof = write_proof(&log);
    assert_refuted(proof, other.key, "another log");

    Log forged = log;
    g_autofree char *header = write_header(log.device, PLACE + 1);
    forged.header = header;
    g_autofree char *other_header = write_proof(&forged);
    assert_refuted(other_header, NULL, "leaf is not that of the header");

    forged.leaves[PLACE] = log.leaves[PLACE + 1];
    g_autofree char *other_place = write_proof(&forged);
    assert_refuted(other_place, NULL, "another place");

    forged = log;
    forged.path[1] = log.leaves[0];
    g_autofree char *other_path = write_proof(&forged);
    assert_refuted(other_path, NULL, "audit path");

    forged = log;
    g_autofree char *note = syncd_checkpoint_sign(log.origin, LEAVES, &log.leaves[0], log.signer);
    forged.note = note;
    g_autofree char *other_root = write_proof(&forged);
    assert_refuted(other_root, NULL, "another root or size");

    g_autofree char *foreign = syncd_checkpoint_sign(log.origin, LEAVES, &log.root, other.signer);
    forged.note = foreign;
    g_autofree char *other_signer = write_proof(&forged);
    assert_refuted(other_signer, NULL, "not signed by this key");

    /* All of it made anew with another key, but still in the name of the device. */
    g_autofree char *key =
        syncd_verifier_key_format(log.origin, syncd_signer_public_key(other.signer));
    forged.key = key;
    g_autofree char *other_key = write_proof(&forged);
    assert_refuted(other_key, NULL, "not named after this key");
}

static void what_is_no_proof_is_an_error(void)
{
    g_auto(Log) log;
    log_init(&log, 1);
    g_autofree char *proof = write_proof(&log);
    static const struct {
        const char *text;
        const char *instead;
        SyncdErrorCode code;
    } edits[] = {
        {"log-proof/v1", "log-proof/v2", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"seq\":2", "\"seq\":-2", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"seq\":2", "\"seq\":\"2\"", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"path\":[", "\"path\":[7,", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"note\"", "\"nota\"", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"verifier_key\":\"org", "\"verifier_key\":\"+org", SYNCD_ERROR_INVALID_CONTRACT},
        {"\"size\"", "\"seq\":2,\"size\"", SYNCD_ERROR_INVALID_ENCODING},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_auto(GStrv) parts = g_strsplit(proof, edits[i].text, 2);
        g_assert_nonnull(parts[1]);
        g_autofree char *edited = g_strjoinv(edits[i].instead, parts);
        g_auto(SyncdProofVerdict) verdict = {0};
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_proof_check(edited, strlen(edited), NULL, &verdict, &error));
        g_assert_error(error, SYNCD_ERROR, (int)edits[i].code);
    }
    g_auto(SyncdProofVerdict) verdict = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_proof_check(proof, strlen(proof), "no key", &verdict, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
}

/* Whatever is changed in a proof, it does not hold, except where JSON does not care. */
static void no_changed_byte_goes_unnoticed(void)
{
    g_auto(Log) log;
    log_init(&log, 1);
    g_autofree char *proof = write_proof(&log);
    size_t size = strlen(proof);
    for (size_t i = 0; i < size; i++) {
        g_autofree char *changed = g_strdup(proof);
        changed[i] ^= 1;
        g_auto(SyncdProofVerdict) verdict = {0};
        g_autoptr(GError) error = NULL;
        bool judged = syncd_proof_check(changed, size, NULL, &verdict, &error);
        g_assert_false(judged && verdict.holds);
    }
}

int main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(&error));
    g_test_add_func("/cli/proof/holds", a_proof_holds_by_itself);
    g_test_add_func("/cli/proof/forgeries", every_forgery_is_refuted);
    g_test_add_func("/cli/proof/no-proof", what_is_no_proof_is_an_error);
    g_test_add_func("/cli/proof/every-byte", no_changed_byte_goes_unnoticed);
    return g_test_run();
}
