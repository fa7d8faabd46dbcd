#include "domain/evidence.h"

#include "attestation-fixture.h"
#include "domain/problems.h"

#define NOW G_GINT64_CONSTANT(1780000030999999)

static const char ARTIFACT[] = "{\"b\":1.0,\"a\":[123456789012345678901234567890]}";

static char *wrap_as(const char *artifact, const SyncdAttestor *attestor,
                     const SyncdEvidencePlace *place)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    const SyncdEvidence what = {"local-state-summary", "store:caf\xc3\xa9", NOW, attestor, place};
    bool wrapped = syncd_evidence_wrap(document_of(artifact), &what, text, &error);
    g_assert_no_error(error);
    g_assert_true(wrapped);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static char *wrap(const char *artifact)
{
    return wrap_as(artifact, NULL, NULL);
}

/* Digest and id were computed elsewhere. The artifact keeps its numbers as they were written. */
static void the_envelope_is_golden(void)
{
    static const char golden[] =
        "{\"schema\":\"sourceos.lampstand-evidence/v1alpha1\","
        "\"evidence_id\":\"evidence-437bafdfe64c7977a226\","
        "\"generated_at\":\"2026-05-28T20:27:10Z\","
        "\"writer\":\"sourceos-syncd-local-evidence-writer\","
        "\"evidence_type\":\"local-state-summary\",\"subject\":\"store:caf\xc3\xa9\","
        "\"artifact_digest\":\"sha256:"
        "6be9f1e2bbe0e5c142608a1d6ea18d9031b9bd6679e663a0091f736442e0de45\","
        "\"artifact\":{\"b\":1.0,\"a\":[123456789012345678901234567890]},"
        "\"attestation\":{\"signed\":false,\"signature\":null,"
        "\"reason\":\"local-stub-unsigned\"}}";
    g_autofree char *envelope = wrap(ARTIFACT);
    g_assert_cmpstr(envelope, ==, golden);
}

static void artifacts_are_objects(void)
{
    static const char *const others[] = {"[]", "\"{}\"", "null", "1", "true"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        g_autoptr(GString) text = g_string_new(NULL);
        g_autoptr(GError) error = NULL;
        const SyncdEvidence what = {"repair-plan", "x", NOW, NULL, NULL};
        g_assert_false(syncd_evidence_wrap(document_of(others[i]), &what, text, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
        g_assert_cmpuint(text->len, ==, 0);
    }
}

static void an_envelope_nobody_reads_is_not_made(void)
{
    g_autoptr(GString) deep = g_string_new(NULL);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    for (unsigned i = 0; i < SYNCD_JSON_MAX_DEPTH; i++)
        g_string_append(deep, "{\"a\":");
    g_string_append_c(deep, '1');
    for (unsigned i = 0; i < SYNCD_JSON_MAX_DEPTH; i++)
        g_string_append_c(deep, '}');
    const SyncdEvidence what = {"repair-plan", "x", NOW, NULL, NULL};
    g_assert_false(syncd_evidence_wrap(document_of(deep->str), &what, text, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_DEEP);
}

static char *complaints(const char *envelope, const SyncdAttestationKeys *keys)
{
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    syncd_evidence_check(document_of(envelope), keys, problems);
    g_ptr_array_add(problems, NULL);
    return g_strjoinv("\n", (char **)problems->pdata);
}

static void what_was_changed_is_found(void)
{
    static const struct {
        const char *edits;
        const char *complaint;
    } cases[] = {
        {"/artifact/b=1", "/artifact_digest"},
        {"/artifact/c=null", "/artifact_digest"},
        {"/artifact_digest=\"sha256:00\"", "/artifact_digest"},
        {"/artifact_digest=\"sha256:00\"", "/evidence_id"},
        {"/evidence_type=\"repair-plan\"", "/evidence_id"},
        {"/subject=\"other\"", "/evidence_id"},
        {"/writer=\"other\"", "/evidence_id"},
        {"/evidence_id=\"evidence-00\"", "/evidence_id"},
        {"/attestation/signed=true", "/attestation says"},
        {"/attestation/signature={}", "/attestation/signature"},
        {"/artifact=", "artifact"},
        {"/artifact=[]", "artifact"},
        {"/extra=1", "extra"},
        {"/schema=\"other\"", "/schema"},
        {"/attestation=", "attestation"},
        {"=[]", "The document"},
    };
    g_autofree char *envelope = wrap(ARTIFACT);
    g_autofree char *none = complaints(envelope, NULL);
    g_assert_cmpstr(none, ==, "");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *edited = document_edits(envelope, cases[i].edits);
        g_autofree char *found = complaints(edited, NULL);
        g_test_message("%s: %s", cases[i].edits, found);
        g_assert_nonnull(strstr(found, cases[i].complaint));
    }
}

static void a_signed_envelope_verifies_with_its_key_alone(void)
{
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autofree char *envelope = wrap(ARTIFACT);
    g_autofree char *members = attester_members(signer, envelope);
    g_autofree char *attestation =
        g_strdup_printf("{\"signed\":true,\"signature\":{%s},\"reason\":\"signed\"}", members);
    g_autofree char *signed_envelope = document_edit(envelope, "/attestation", attestation);
    g_autofree char *good = complaints(signed_envelope, keys);
    g_autofree char *unknown = complaints(signed_envelope, NULL);
    g_assert_cmpstr(good, ==, "");
    g_assert_nonnull(strstr(unknown, "not known"));

    /* What we sign ourselves is the same, always. */
    g_autoptr(SyncdAttestor) attestor = syncd_attestor_new(ATTESTER, signer);
    g_autofree char *ours = wrap_as(ARTIFACT, attestor, NULL);
    g_assert_cmpstr(ours, ==, signed_envelope);

    /* The id does not cover the time; the signature does. */
    g_autofree char *later =
        document_edits(signed_envelope, "/generated_at=\"2027-01-01T00:00:00Z\"");
    g_autofree char *found = complaints(later, keys);
    g_assert_nonnull(strstr(found, "/attestation says"));
}

static void the_place_is_beside_what_is_signed(void)
{
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autoptr(SyncdAttestor) attestor = syncd_attestor_new(ATTESTER, signer);
    SyncdHash leaf = syncd_hash("x", 1);
    const SyncdEvidencePlace place = {"device-x/workspace-y/1", 7, &leaf};
    g_autofree char *envelope = wrap_as(ARTIFACT, attestor, &place);
    g_autofree char *found = complaints(envelope, keys);
    g_assert_cmpstr(found, ==, "");
    SyncdJson attestation = syncd_json_member(document_of(envelope), "attestation");
    SyncdJson signature = syncd_json_member(attestation, "signature");
    g_assert_true(syncd_json_is(syncd_json_member(signature, "feed"), place.feed));
    g_assert_true(
        syncd_json_is(syncd_json_member(signature, "leaf"),
                      "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"));

    g_autofree char *elsewhere = document_edits(envelope, "/attestation/signature/seq=8");
    g_autofree char *still = complaints(elsewhere, keys);
    g_assert_cmpstr(still, ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/evidence/the-envelope-is-golden", the_envelope_is_golden);
    g_test_add_func("/evidence/artifacts-are-objects", artifacts_are_objects);
    g_test_add_func("/evidence/too-deep", an_envelope_nobody_reads_is_not_made);
    g_test_add_func("/evidence/what-was-changed-is-found", what_was_changed_is_found);
    g_test_add_func("/evidence/place", the_place_is_beside_what_is_signed);
    g_test_add_func("/evidence/signed", a_signed_envelope_verifies_with_its_key_alone);
    return g_test_run();
}
