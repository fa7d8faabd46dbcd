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

static void write_attestation(SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "attestation");
    syncd_json_begin_object(writer);
    syncd_json_member_bool(writer, "signed", false);
    syncd_json_member_null(writer, "signature");
    syncd_json_member_string(writer, "reason", "local-stub-unsigned");
    syncd_json_end_object(writer);
}

bool syncd_evidence_wrap(SyncdJson artifact, const char *type, const char *subject, gint64 now_usec,
                         GString *out, GError **error)
{
    if (artifact.type != SYNCD_JSON_OBJECT) {
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_CONTRACT, "give a document that is an object",
            "The artifact must be an object, but is %s", syncd_json_type_name(artifact.type));
        return false;
    }
    char digest[SYNCD_DIGEST_SIZE];
    digest_of(artifact, digest);
    g_autoptr(GString) rest = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, rest, false);
    syncd_json_begin_object(&writer);
    syncd_judgement_write_time(&writer, "generated_at", now_usec);
    syncd_json_member_string(&writer, "writer", SYNCD_EVIDENCE_WRITER);
    syncd_json_member_string(&writer, "evidence_type", type);
    syncd_json_member_string(&writer, "subject", subject);
    syncd_json_member_string(&writer, "artifact_digest", digest);
    syncd_json_member_value(&writer, "artifact", artifact);
    write_attestation(&writer);
    syncd_json_end_object(&writer);
    /* The envelope is one level deeper than the artifact: one that nobody reads is not made. */
    if (!syncd_json_check(rest->str, rest->len, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    syncd_derived_id_document(out, SYNCD_EVIDENCE_SCHEMA, "evidence_id", &derivation,
                              syncd_json_root(rest->str, rest->len));
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
