#include "domain/narrative.h"

#include "crypto/seal.h"
#include "domain/findings.h"
#include "report-fixture.h"

static char *narrate(const char *edits)
{
    g_auto(JudgedText) judged = judge_with(edits, NULL);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_narrative_write(judged.judgement, &writer);
    return g_string_free(text, FALSE);
}

static void assert_says(const char *narrative, const char *part, const char *sentence)
{
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, syncd_json_member(document_of(narrative), part));
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        g_autofree char *text = syncd_json_dup_text(element);
        if (strstr(text, sentence) != NULL)
            return;
    }
    g_test_message("%s lacks \"%s\": %s", part, sentence, narrative);
    g_assert_not_reached();
}

static void of_a_healthy_state_there_is_nothing_to_do(void)
{
    g_autofree char *text = narrate("");
    assert_says(text, "what_happened", "Nothing is wrong that this report tells of.");
    assert_says(text, "why_policy_acted", "It refused nothing");
    assert_says(text, "what_risk_remains", "None");
    assert_says(text, "what_to_do", "Nothing.");
}

static void what_is_wrong_is_told_with_its_risk_and_what_to_do(void)
{
    g_autofree char *text = narrate("/runtime/last_dirty_open_at=\"2026-05-28T08:00:00Z\" ; "
                                    "/resources/disk/pressure=\"critical\" ; "
                                    "/policy/policy_decisions/denied=3");
    assert_says(text, "what_happened", "did not end cleanly");
    assert_says(text, "what_happened", "nearly full");
    assert_says(text, "why_policy_acted", "denied 3 requests");
    assert_says(text, "why_policy_acted", "Nothing is purged");
    assert_says(text, "what_risk_remains", "its end may be damaged");
    assert_says(text, "what_to_do", "sourceos-syncd verify log");
    assert_says(text, "what_to_do", "repair plan --purge");
}

/* Those of the report itself are told one by one, known or not. */
static void what_the_report_brings_along_is_told(void)
{
    g_autofree char *known = narrate("/invariants/0/id=\"replay.complete\" ; "
                                     "/invariants/0/status=\"fail\"");
    assert_says(known, "what_happened", "The index is being made");
    g_autofree char *unknown =
        narrate("/invariants/0/id=\"its.own\" ; /invariants/0/status=\"warn\"");
    assert_says(unknown, "what_happened", "The report says that its.own does not hold.");
}

/* Whatever the judge may find has a sentence. */
static void every_invariant_of_the_judge_has_sentences(void)
{
    static const char *const edits[] = {
        "/schema=7",
        "/runtime/last_heartbeat_at=null",
        "/lanes/1/journal/replay_lag_events=11",
        "/stores/0/checksum_state=\"unverified\"",
        "/generated_at=\"2026-05-28T19:00:00Z\"",
        "/collection/status=\"failed\"",
        "/lanes/0/status=\"unsafe\"",
        "/stores/0/checksum_state=\"mismatch\"",
        "/stores/0/unknown_flags=[\"bit 9\"]",
        "/diagnosis={\"status\":\"unsafe\"}",
        "/attestation={\"signed\":true}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autofree char *text = narrate(edits[i]);
        g_test_message("%s", edits[i]);
        g_assert_null(strstr(text, "Nothing is wrong."));
        g_assert_null(strstr(text, "The report says that"));
    }
}

static char *narrate_found(const char *code, const char *severity)
{
    g_autofree char *edit =
        g_strdup_printf("/diagnosis={\"local_state\":{\"findings\":[{\"code\":\"%s\","
                        "\"severity\":\"%s\",\"count\":1}]}}",
                        code, severity);
    return narrate(edit);
}

/* Whatever a diagnosis finds that is wrong, or is lost, is told; and nothing beside that says that
 * all is well. */
static void nobody_reads_that_all_is_well_beside_a_finding(void)
{
    static const char *const all_clear[] = {"Nothing is wrong", "None that is known.",
                                            "\"Nothing.\"", "still there", "not touched"};
    size_t n;
    const SyncdFinding *findings = syncd_findings(&n);
    for (size_t i = 0; i < n; i++) {
        g_autofree char *text = narrate_found(findings[i].code, findings[i].severity);
        g_test_message("%s: %s", findings[i].code, text);
        if (!syncd_finding_is_bad(&findings[i]) && strcmp(findings[i].durability, "durable") != 0) {
            assert_says(text, "what_happened", "Nothing is wrong.");
            continue;
        }
        assert_says(text, "what_happened", findings[i].code);
        assert_says(text, "what_to_do", "sourceos-syncd doctor");
        for (size_t j = 0; j < G_N_ELEMENTS(all_clear); j++)
            g_assert_null(strstr(text, all_clear[j]));
    }
    g_autofree char *reason =
        narrate("/diagnosis={\"local_state\":{\"state_reasons\":[\"journal-unreadable\"]}}");
    assert_says(reason, "what_happened", "journal-unreadable (critical)");
    g_autofree char *unknown = narrate_found("of-another-version", "error");
    assert_says(unknown, "what_happened", "of-another-version (error)");
}

/* Neither of an invariant: one that fails says what it means, and promises nothing of all else. */
static void no_invariant_promises_anything_of_others(void)
{
    static const char *const ids[] = {
        "journal.integrity", "journal.writable",     "replay.complete",
        "checkpoint.valid",  "tombstone.propagated", "purge.authorised",
        "schema.compatible", "policy.available",     "files.match_record"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *edits =
            g_strdup_printf("/invariants/0/id=\"%s\" ; /invariants/0/status=\"fail\"", ids[i]);
        g_autofree char *text = narrate(edits);
        g_test_message("%s: %s", ids[i], text);
        g_assert_null(strstr(text, "still there"));
        g_assert_null(strstr(text, "not touched"));
        g_assert_null(strstr(text, "Nothing is wrong"));
    }
    g_autofree char *closed = narrate("/invariants/0/id=\"journal.writable\" ; "
                                      "/invariants/0/status=\"fail\"");
    assert_says(closed, "what_risk_remains", "Nothing new is recorded");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/narrative/healthy", of_a_healthy_state_there_is_nothing_to_do);
    g_test_add_func("/narrative/wrong", what_is_wrong_is_told_with_its_risk_and_what_to_do);
    g_test_add_func("/narrative/reported", what_the_report_brings_along_is_told);
    g_test_add_func("/narrative/all", every_invariant_of_the_judge_has_sentences);
    g_test_add_func("/narrative/found", nobody_reads_that_all_is_well_beside_a_finding);
    g_test_add_func("/narrative/promises", no_invariant_promises_anything_of_others);
    return g_test_run();
}
