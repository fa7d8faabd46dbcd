#include "domain/attestation.h"

#include "attestation-fixture.h"
#include "base/canonical.h"
#include "domain/attestor.h"
#include "domain/judgement.h"
#include "report-fixture.h"

static const char DOCUMENT[] =
    "{\"b\":[1.50,\"caf\xc3\xa9\"],\"attestation\":null,\"a\":{\"z\":1,\"y\":2}}";

static const char *checked(const char *document, const SyncdAttestationKeys *keys)
{
    return syncd_attestation_name(syncd_attestation_check(document_of(document), keys));
}

static void the_canonical_text_without_the_attestation_is_signed(void)
{
    g_autoptr(GString) message = g_string_new(NULL);
    syncd_attestation_message(document_of(DOCUMENT), message);
    g_assert_cmpstr(message->str, ==, "{\"a\":{\"y\":2,\"z\":1},\"b\":[1.5,\"caf\\u00e9\"]}");
}

static void what_an_attestor_signs_is_that(void)
{
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestor) attestor = syncd_attestor_new(ATTESTER, signer);
    g_autofree char *key = attester_key(signer);
    g_autofree char *members = attester_members(signer, DOCUMENT);
    g_autofree char *expected = g_strdup_printf("{%s}", members);
    g_autoptr(GString) written = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, written, false);
    syncd_json_begin_object(&writer);
    syncd_attestor_sign(attestor, document_of(DOCUMENT), &writer);
    syncd_json_end_object(&writer);
    g_assert_cmpstr(written->str, ==, expected);
    g_assert_cmpstr(syncd_attestor_key(attestor), ==, key);
    g_assert_null(syncd_attestor_new("no name", signer));
}

static void a_signature_of_a_believed_key_counts(void)
{
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdSigner) stranger = attester(2);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autoptr(SyncdAttestationKeys) other_keys = attester_keys(stranger);
    g_autofree char *document = attest(signer, DOCUMENT);
    g_assert_cmpstr(checked(document, keys), ==, "signed");
    g_assert_cmpstr(checked(document, NULL), ==, "unknown_key");
    g_assert_cmpstr(checked(document, other_keys), ==, "unknown_key");
    g_assert_cmpstr(checked(DOCUMENT, keys), ==, "unsigned");

    /* Another spelling of the same document is the same document. */
    g_autoptr(GString) canonical = g_string_new(NULL);
    syncd_canonical_append(canonical, document_of(document));
    g_assert_cmpstr(checked(canonical->str, keys), ==, "signed");
}

static void every_change_breaks_it(void)
{
    static const struct {
        const char *edits;
        const char *result;
    } cases[] = {
        {"/a/z=2", "invalid"},
        {"/b/0=1.5000001", "invalid"},
        {"/c=null", "invalid"},
        {"/b=", "invalid"},
        {"/attestation/algorithm=\"none\"", "invalid"},
        {"/attestation/algorithm=", "invalid"},
        {"/attestation/signer=\"somebody\"", "invalid"},
        {"/attestation/signer=", "invalid"},
        {"/attestation/key_id=\"device.example+00000000\"", "unknown_key"},
        {"/attestation/key_id=", "invalid"},
        {"/attestation/signature=\"\"", "invalid"},
        {"/attestation/signature=7", "invalid"},
        {"/attestation/signature=null", "invalid"},
        {"/attestation/signature={}", "invalid"},
        {"/attestation/signed=\"yes\"", "invalid"},
        {"/attestation/signed=1", "invalid"},
        {"/attestation/signed=false", "unsigned"},
        {"/attestation/signed=", "unsigned"},
        {"/attestation=17", "unsigned"},
        {"=[]", "unsigned"},
        /* What the attestation says beside is not signed. */
        {"/attestation/evidence_uri=\"https://example.org\"", "signed"},
    };
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autofree char *document = attest(signer, DOCUMENT);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *edited = document_edits(document, cases[i].edits);
        g_test_message("%s", cases[i].edits);
        g_assert_cmpstr(checked(edited, keys), ==, cases[i].result);
    }
}

static void every_character_of_the_signature_counts(void)
{
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autofree char *document = attest(signer, DOCUMENT);
    SyncdJson signature = document_at(document_of(document), "/attestation/signature");
    for (size_t at = 1; at + 1 < syncd_json_size(signature); at++) {
        g_autofree char *changed = g_strdup(document);
        char *place = changed + (signature.at - document) + at;
        *place = *place == 'A' ? 'B' : 'A';
        g_assert_cmpstr(checked(changed, keys), ==, "invalid");
    }
}

static void what_is_no_key_is_refused(void)
{
    static const char *const texts[] = {"", "x", "a+b+c", "device.example+00000000+AAAA"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(SyncdAttestationKeys) keys = syncd_attestation_keys_new();
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_attestation_keys_add(keys, texts[i], &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
}

/* The same report, signed by a known key, by an unknown one, and with a broken signature. */
static void a_report_that_claims_a_signature_has_to_have_one(void)
{
    SyncdCircumstances circumstances = {REPORT_NOW, 0, NULL};
    g_autoptr(SyncdSigner) signer = attester(1);
    g_autoptr(SyncdAttestationKeys) keys = attester_keys(signer);
    g_autofree char *signed_report = attest(signer, REPORT_HEALTHY);
    g_autofree char *broken = document_edits(signed_report, "/identity/pid=42");
    static const char *const statuses[] = {"degraded", "healthy", "unsafe"};
    const char *const reports[] = {signed_report, signed_report, broken};
    for (size_t i = 0; i < G_N_ELEMENTS(reports); i++) {
        circumstances.keys = i > 0 ? keys : NULL;
        g_autoptr(SyncdJudgement) judgement =
            syncd_judgement_make(document_of(reports[i]), &circumstances);
        g_assert_cmpstr(judgement->diagnosis->status, ==, statuses[i]);
        g_assert_cmpint(judgement->attested, ==, i == 1);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/attestation/what-is-signed",
                    the_canonical_text_without_the_attestation_is_signed);
    g_test_add_func("/attestation/attestor", what_an_attestor_signs_is_that);
    g_test_add_func("/attestation/a-believed-key-counts", a_signature_of_a_believed_key_counts);
    g_test_add_func("/attestation/every-change-breaks-it", every_change_breaks_it);
    g_test_add_func("/attestation/every-character-counts", every_character_of_the_signature_counts);
    g_test_add_func("/attestation/no-key", what_is_no_key_is_refused);
    g_test_add_func("/attestation/reports", a_report_that_claims_a_signature_has_to_have_one);
    return g_test_run();
}
