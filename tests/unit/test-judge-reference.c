/*
 * The published examples, where they lie beside the source; skipped where they do not.
 */
#include "base/timestamp.h"
#include "crypto/hash.h"
#include "document-edit.h"
#include "domain/explanation-codes.h"
#include "domain/judgement.h"
#include "domain/normalize.h"
#include "domain/problems.h"
#include "domain/repair-plan.h"

/* NULL, and the test is skipped, when it is not there. */
static char *reference(const char *name)
{
    char *text = NULL;
    const char *root = g_getenv("SYNCD_REFERENCE");
    g_autofree char *path = root != NULL ? g_build_filename(root, name, NULL) : NULL;
    if (path == NULL || !g_file_get_contents(path, &text, NULL, NULL))
        g_test_skip("the reference is not here");
    return text;
}

static void the_published_report_is_healthy_at_its_time(void)
{
    g_autofree char *text = reference("examples/health/healthy.snapshot.json");
    if (text == NULL)
        return;
    SyncdCircumstances then = {0, SYNCD_REPORT_MAX_AGE_SECONDS * G_GINT64_CONSTANT(1000000), NULL};
    g_assert_true(syncd_time_parse("2026-05-04T17:16:00Z", 20, &then.now_usec));
    g_autoptr(SyncdJudgement) judgement = syncd_judgement_make(document_of(text), &then);
    g_assert_cmpuint(judgement->report->errors->len, ==, 0);
    g_assert_cmpint(syncd_invariants_worst(judgement->invariants), ==, SYNCD_PASS);
    g_assert_cmpstr(judgement->diagnosis->status, ==, "healthy");
    g_assert_cmpstr(judgement->diagnosis->disk_pressure, ==, "watch");

    g_autoptr(GString) plan = g_string_new(NULL);
    syncd_repair_plan_write(judgement, plan);
    g_assert_nonnull(strstr(plan->str, "generate_purge_preview"));
}

/* Codes, what follows from them and what they are for are the same; words for people are ours. */
static void the_codes_are_the_published_ones(void)
{
    static const char *const members[] = {"code",
                                          "domain",
                                          "result",
                                          "semantic_outcome",
                                          "severity",
                                          "risk",
                                          "allowed_operation_classes",
                                          "allowed_target_classes",
                                          "allow_stricter_severity"};
    g_autofree char *text = reference("policy/explanation-codes.v0.1.json");
    if (text == NULL)
        return;
    g_autoptr(GString) ours = g_string_new(NULL);
    syncd_explanation_write_all(ours);
    SyncdJsonIter iter, our_iter;
    SyncdJson code, our_code;
    syncd_json_iter_init(&iter, document_at(document_of(text), "/codes"));
    syncd_json_iter_init(&our_iter, document_at(document_of(ours->str), "/codes"));
    while (syncd_json_iter_next(&iter, NULL, &code)) {
        g_assert_true(syncd_json_iter_next(&our_iter, NULL, &our_code));
        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
            SyncdHash theirs = syncd_hash_canonical(syncd_json_member(code, members[i]));
            SyncdHash own = syncd_hash_canonical(syncd_json_member(our_code, members[i]));
            g_test_message("%s", members[i]);
            g_assert_true(syncd_hash_equal(&theirs, &own));
        }
    }
    g_assert_false(syncd_json_iter_next(&our_iter, NULL, NULL));
}

static void the_published_observations_become_events(void)
{
    static const char *const names[] = {
        "examples/policy-observations/attack-like-privilege-boundary-probe.json",
        "examples/policy-observations/expected-metadata-boundary.json",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *text = reference(names[i]);
        if (text == NULL)
            return;
        g_autoptr(GString) event = g_string_new(NULL);
        g_autoptr(GPtrArray) problems = syncd_problems_new();
        g_assert_true(syncd_observation_normalize(document_of(text), 0, event, problems));
        document_of(event->str);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/judge-reference/the-report", the_published_report_is_healthy_at_its_time);
    g_test_add_func("/judge-reference/the-codes", the_codes_are_the_published_ones);
    g_test_add_func("/judge-reference/the-observations", the_published_observations_become_events);
    return g_test_run();
}
