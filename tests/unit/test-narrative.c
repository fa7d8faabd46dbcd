#include "domain/narrative.h"

#include "crypto/seal.h"
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
    assert_says(text, "what_happened", "Nothing is wrong.");
    assert_says(text, "why_policy_acted", "let everything through");
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

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/narrative/healthy", of_a_healthy_state_there_is_nothing_to_do);
    g_test_add_func("/narrative/wrong", what_is_wrong_is_told_with_its_risk_and_what_to_do);
    g_test_add_func("/narrative/reported", what_the_report_brings_along_is_told);
    g_test_add_func("/narrative/all", every_invariant_of_the_judge_has_sentences);
    return g_test_run();
}
