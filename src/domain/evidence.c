#include "domain/evidence.h"

#include "crypto/hash.h"
#include "domain/derived-id.h"
#include "domain/judgement.h"
#include "domain/problems.h"

static const char *const id_members[] = {"artifact_digest", "evidence_type", "subject", "writer",
                                         NULL};
static const SyncdDerivation derivation = {"evidence-", 20, false, id_members};

static void digest_of(SyncdJson artifact, char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdHash hash = syncd_hash_canonical(artifact);
    syncd_hash_to_digest(&hash, ret_digest);
}

static void write_place(SyncdJsonWriter *writer, const SyncdEvidencePlace *place)
{
    char leaf[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(place->leaf, leaf);
    syncd_json_member_string(writer, "feed", place->feed);
    syncd_json_member_uint(writer, "seq", place->seq);
    syncd_json_member_string(writer, "leaf", leaf);
}

static void write_signature(SyncdJsonWriter *writer, SyncdJson envelope, const SyncdEvidence *what)
{
    syncd_json_name(writer, "signature");
    if (what->attestor == NULL) {
        syncd_json_null(writer);
        return;
    }
    syncd_json_begin_object(writer);
    syncd_attestor_sign(what->attestor, envelope, writer);
    if (what->place != NULL)
        write_place(writer, what->place);
    syncd_json_end_object(writer);
}

static char *attestation_of(SyncdJson envelope, const SyncdEvidence *what)
{
    bool is_signed = what->attestor != NULL;
    GString *attestation = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, attestation, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "signed", is_signed);
    write_signature(&writer, envelope, what);
    syncd_json_member_string(&writer, "reason", is_signed ? "signed" : "local-stub-unsigned");
    syncd_json_end_object(&writer);
    return g_string_free(attestation, FALSE);
}

/* All but schema, id and attestation. */
static void write_rest(SyncdJson artifact, const SyncdEvidence *what, GString *out)
{
    char digest[SYNCD_DIGEST_SIZE];
    digest_of(artifact, digest);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_judgement_write_time(&writer, "generated_at", what->generated_usec);
    syncd_json_member_string(&writer, "writer", SYNCD_EVIDENCE_WRITER);
    syncd_json_member_string(&writer, "evidence_type", what->type);
    syncd_json_member_string(&writer, "subject", what->subject);
    syncd_json_member_string(&writer, "artifact_digest", digest);
    syncd_json_member_value(&writer, "artifact", artifact);
    syncd_json_end_object(&writer);
}

bool syncd_evidence_wrap(SyncdJson artifact, const SyncdEvidence *what, GString *out,
                         GError **error)
{
    if (artifact.type != SYNCD_JSON_OBJECT) {
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_CONTRACT, "give a document that is an object",
            "The artifact must be an object, but is %s", syncd_json_type_name(artifact.type));
        return false;
    }
    g_autoptr(GString) rest = g_string_new(NULL);
    g_autoptr(GString) envelope = g_string_new(NULL);
    write_rest(artifact, what, rest);
    /* The envelope is one level deeper than the artifact: one that nobody reads is not made. */
    if (!syncd_json_check(rest->str, rest->len, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    syncd_derived_id_document(envelope, SYNCD_EVIDENCE_SCHEMA, "evidence_id", &derivation,
                              syncd_json_root(rest->str, rest->len));
    g_autofree char *attestation =
        attestation_of(syncd_json_root(envelope->str, envelope->len), what);
    g_string_append_len(out, envelope->str, (gssize)envelope->len - 1); /* without its brace */
    g_string_append_printf(out, ",\"attestation\":%s}", attestation);
    return true;
}

/* What else an attestation has to be, beside true. */
static const char *fault_of(SyncdAttestation attestation)
{
    static const char *const faults[] = {
        [SYNCD_ATTESTATION_UNSIGNED] = NULL,
        [SYNCD_ATTESTATION_SIGNED] = NULL,
        [SYNCD_ATTESTATION_UNKNOWN_KEY] = "/attestation is signed by a key that is not known here",
        [SYNCD_ATTESTATION_INVALID] =
            "/attestation says it is signed, but the signature is not valid",
    };
    return faults[attestation];
}

static void check_attestation(SyncdJson envelope, const SyncdAttestationKeys *keys,
                              GPtrArray *problems)
{
    SyncdJson attestation = syncd_json_member(envelope, "attestation");
    SyncdJson signature = syncd_json_member(attestation, "signature");
    const char *fault = fault_of(syncd_attestation_check(envelope, keys));
    if (fault != NULL)
        syncd_problems_add(problems, "%s", fault);
    if (syncd_json_member(attestation, "signed").type == SYNCD_JSON_FALSE &&
        signature.type != SYNCD_JSON_NULL)
        syncd_problems_add(problems, "/attestation/signature must be null when it is not signed");
}

void syncd_evidence_check(SyncdJson envelope, const SyncdAttestationKeys *keys, GPtrArray *problems)
{
    SyncdJson artifact = syncd_json_member(envelope, "artifact");
    char digest[SYNCD_DIGEST_SIZE];
    syncd_problems_add_contract(problems, SYNCD_EVIDENCE_SCHEMA, envelope);
    if (artifact.type != SYNCD_JSON_NONE) {
        digest_of(artifact, digest);
        if (!syncd_json_is(syncd_json_member(envelope, "artifact_digest"), digest))
            syncd_problems_add(problems, "/artifact_digest is not the digest of the artifact: %s",
                               digest);
    }
    syncd_derived_id_check(&derivation, envelope, "evidence_id", problems);
    check_attestation(envelope, keys, problems);
}
