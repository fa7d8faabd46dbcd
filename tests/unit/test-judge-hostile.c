/*
 * Reports and other documents that are wrong in one place: each value of a good one is replaced by
 * values of other types, and is removed. Nothing crashes, and no such document is judged good
 * unless its contract leaves the place open.
 */
#include "domain/evidence.h"
#include "domain/normalize.h"
#include "domain/problems.h"
#include "domain/repair-plan.h"
#include "domain/scorecard.h"
#include "domain/trust.h"
#include "hurried.h"
#include "report-fixture.h"

static const char *const wrong_values[] = {NULL,
                                           "null",
                                           "true",
                                           "false",
                                           "0",
                                           "-1",
                                           "17",
                                           "1.5",
                                           "1e300",
                                           "123456789012345678901234567890",
                                           "\"\"",
                                           "\"x\"",
                                           "\"a\\u0000b\"",
                                           "[]",
                                           "[null]",
                                           "[[]]",
                                           "{}",
                                           "{\"a\":1}",
                                           "{\"signed\":true}"};

/* Where other values are allowed, by the contract or because they mean the same. */
typedef struct {
    const char *pattern; /* of the pointer; * is anything */
    const char *values;  /* each followed by a space; NULL: all */
} Open;

static const Open open_places[] = {
    {"/pipeline/*", NULL},
    {"/pipeline", "{} {\"a\":1} {\"signed\":true} "},
    {"/resources/memory*", "{} {\"a\":1} {\"signed\":true} "},
    {"/lanes/*/maintenance", "{} {\"a\":1} {\"signed\":true} "},
    {"/lanes/*/objects", "{} {\"a\":1} "},
    {"/lanes/*/sla", "{} {\"a\":1} "},
    {"/lanes/*/journal", "{} {\"a\":1} {\"signed\":true} "},
    {"/lanes/*/journal/checksum_state", NULL},
    {"/lanes/*/name", "\"x\" "},
    {"/stores/*/name", "\"x\" "},
    {"/stores/0/backend", "\"x\" \"a\\u0000b\" "},
    {"/stores/0/*_version", "\"x\" \"a\\u0000b\" "},
    {"/stores/0/shadow_present", "- false "},
    {"/stores/0/unknown_flags", "- "},
    {"/stores/0/flags_*", "- "},
    {"/stores/0", "- "},
    {"/lanes/0", "- "},
    {"/lanes/1", "- "},
    {"/stores", "[] "},
    {"/lanes/*/objects/total", "- 0 17 1e300 123456789012345678901234567890 "},
    {"/lanes/*/objects/corrupted", "- "},
    {"/lanes/*/sla/*", "- 0 17 "},
    {"/lanes/*/journal/*", "- 17 "},
    {"/identity/boot_id", "- \"\" \"x\" \"a\\u0000b\" "},
    {"/identity/component", "\"x\" \"a\\u0000b\" "},
    {"/identity/repo", "\"x\" \"a\\u0000b\" "},
    {"/identity/process_name", "\"x\" \"a\\u0000b\" "},
    {"/identity/version", "\"x\" \"a\\u0000b\" "},
    {"/identity/pid", "0 17 1e300 123456789012345678901234567890 "},
    {"/collection/duration_ms", "- 0 17 1e300 123456789012345678901234567890 "},
    {"/collection/*s/*", "- \"\" \"x\" \"a\\u0000b\" "},
    {"/runtime/process_started_at", "null "},
    {"/runtime/last_dirty_open_at", "- "},
    {"/resources/disk/free_bytes", "0 17 "},
    {"/resources/disk/total_bytes", "1e300 123456789012345678901234567890 "},
    {"/policy/policy_engine", "\"x\" \"a\\u0000b\" "},
    {"/policy/policy_decisions", "{} {\"a\":1} "},
    {"/policy/policy_decisions/*", "- 0 17 1e300 123456789012345678901234567890 "},
    {"/invariants", "[] "},
    {"/invariants/0", "- "},
    {"/invariants/0/id", "\"x\" \"a\\u0000b\" "},
    {"/invariants/0/evidence", "{} {\"a\":1} {\"signed\":true} "},
    {"/invariants/0/remediation", "\"x\" \"a\\u0000b\" "},
    {"/diagnosis", "{} {\"a\":1} {\"signed\":true} "},
    {"/controls", "[] "},
    {"/attestation", "{} {\"a\":1} "},
    {"/attestation/signed", "- "},
    {"/attestation/reason", NULL},
};

static bool is_open(const char *place, const char *value)
{
    g_autofree char *wanted = g_strdup_printf("%s ", value != NULL ? value : "-");
    for (size_t i = 0; i < G_N_ELEMENTS(open_places); i++) {
        const Open *open = &open_places[i];
        if (!g_pattern_match_simple(open->pattern, place))
            continue;
        if (open->values == NULL || g_str_has_prefix(open->values, wanted))
            return true;
        g_autofree char *inside = g_strconcat(" ", wanted, NULL);
        if (strstr(open->values, inside) != NULL)
            return true;
    }
    return false;
}

/* Everything that can be made of it is made. */
static bool is_judged_good(const char *text)
{
    static const SyncdTrustRequest request = {"s", "read", "normal", true, false};
    static const SyncdCircumstances circumstances = {REPORT_NOW, 0, NULL};
    g_autoptr(SyncdJudgement) judgement = syncd_judgement_make(document_of(text), &circumstances);
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GPtrArray) problems = syncd_problems_new();

    syncd_judgement_write_verification(judgement, out);
    document_of(out->str);
    g_string_truncate(out, 0);
    syncd_judgement_write_explanation(judgement, out);
    document_of(out->str);
    g_string_truncate(out, 0);
    syncd_repair_plan_write(judgement, out);
    syncd_problems_add_contract(problems, SYNCD_REPAIR_PLAN_SCHEMA, document_of(out->str));
    bool is_no_op = strstr(out->str, "\"no_op\"") != NULL;
    g_string_truncate(out, 0);
    syncd_trust_decide(judgement, &request, out);
    syncd_trust_check(document_of(out->str), problems);
    g_string_truncate(out, 0);
    syncd_scorecard_write(judgement, out);
    syncd_scorecard_check(document_of(out->str), problems);
    if (problems->len > 0)
        g_error("%s: %s", text, (char *)problems->pdata[0]);

    bool good = syncd_judgement_is_healthy(judgement);
    g_assert_true(good || !is_no_op);
    g_assert_cmpint(good, ==, syncd_invariants_worst(judgement->invariants) == SYNCD_PASS);
    return good;
}

static size_t value_step(void)
{
    return is_hurried() ? 8 : 1;
}

static size_t first_value(guint place)
{
    return place % value_step();
}

static void one_wrong_value_is_enough(void)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
    document_places(document_of(REPORT_HEALTHY), "", places);
    g_assert_cmpuint(places->len, >=, 89);
    g_assert_true(is_judged_good(REPORT_HEALTHY));
    unsigned n_wrong = 0;
    for (guint i = 0; i < places->len; i++)
        for (size_t j = first_value(i); j < G_N_ELEMENTS(wrong_values); j += value_step()) {
            const char *place = places->pdata[i], *value = wrong_values[j];
            if (value == NULL && *place == '\0')
                continue;
            SyncdJson old = document_at(document_of(REPORT_HEALTHY), place);
            g_autofree char *old_text = g_strndup(old.at, syncd_json_size(old));
            if (g_strcmp0(value, old_text) == 0)
                continue;
            g_autofree char *text = document_edit(REPORT_HEALTHY, place, value);
            bool good = is_judged_good(text);
            if (good && !is_open(place, value)) {
                g_test_message("%s may be %s", place, value != NULL ? value : "missing");
                n_wrong++;
            }
        }
    g_assert_cmpuint(n_wrong, ==, 0);
}

/* Two wrong places, chosen by a seed: what is found in one must not hide the other's crash. */
static void many_wrong_values_do_not_crash(void)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
    document_places(document_of(REPORT_HEALTHY), "", places);
    for (unsigned round = 0; round < (is_hurried() ? 50 : 500); round++) {
        g_autofree char *text = g_strdup(REPORT_HEALTHY);
        for (unsigned n = 0; n < 4; n++) {
            guint at = (guint)g_test_rand_int_range(1, (gint32)places->len);
            gint32 value = g_test_rand_int_range(1, G_N_ELEMENTS(wrong_values));
            if (document_at(document_of(text), places->pdata[at]).type == SYNCD_JSON_NONE)
                continue;
            char *edited = document_edit(text, places->pdata[at], wrong_values[value]);
            g_free(text);
            text = edited;
        }
        is_judged_good(text);
    }
}

/* ---- the other documents ---- */

typedef void Check(SyncdJson document, GPtrArray *problems);

static void check_evidence(SyncdJson document, GPtrArray *problems)
{
    syncd_evidence_check(document, NULL, problems);
}

static void check_observation(SyncdJson document, GPtrArray *problems)
{
    g_autoptr(GString) event = g_string_new(NULL);
    syncd_observation_normalize(document, REPORT_NOW, event, problems);
}

static void spoil(const char *document, Check *check)
{
    g_autoptr(GPtrArray) places = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) none = syncd_problems_new();
    document_places(document_of(document), "", places);
    check(document_of(document), none);
    g_assert_cmpuint(none->len, ==, 0);
    for (guint i = 0; i < places->len; i++)
        for (size_t j = first_value(i); j < G_N_ELEMENTS(wrong_values); j += value_step()) {
            const char *place = places->pdata[i];
            if (wrong_values[j] == NULL && *place == '\0')
                continue;
            g_autofree char *text = document_edit(document, place, wrong_values[j]);
            g_autoptr(GPtrArray) problems = syncd_problems_new();
            check(document_of(text), problems);
            /* A member of the top level that has another type is never right. */
            bool same = document_at(document_of(document), place).type ==
                        document_at(document_of(text), place).type;
            if (strrchr(place, '/') == place && !same && problems->len == 0)
                g_error("%s may be %s", place, wrong_values[j]);
        }
}

static void other_documents_are_checked_as_hard(void)
{
    static const SyncdTrustRequest request = {"s", "read", "normal", false, false};
    static const char observation[] =
        "{\"schema_version\":\"sourceos.policy-observation.v0.1\",\"observation_id\":\"o\","
        "\"explanation_code\":\"POLICY_EXPECTED_TEST_BOUNDARY\","
        "\"actor\":{\"actor_id\":\"a\",\"actor_type\":\"agent\",\"display_name\":\"A\"},"
        "\"subject\":{\"type\":\"file\",\"id\":\"f\",\"display\":\"B\"},"
        "\"operation\":\"ipc.lookup.example\",\"target_class\":\"example_ipc_service\","
        "\"result\":\"deny\"}";
    g_auto(JudgedText) judged = judge_with("", NULL);
    g_autoptr(GString) trust = g_string_new(NULL);
    g_autoptr(GString) card = g_string_new(NULL);
    g_autoptr(GString) evidence = g_string_new(NULL);
    syncd_trust_decide(judged.judgement, &request, trust);
    syncd_scorecard_write(judged.judgement, card);
    const SyncdEvidence what = {"agent-trust-decision", "s", REPORT_NOW, NULL, NULL};
    g_assert_true(syncd_evidence_wrap(document_of(trust->str), &what, evidence, NULL));
    spoil(trust->str, syncd_trust_check);
    spoil(card->str, syncd_scorecard_check);
    spoil(evidence->str, check_evidence);
    spoil(observation, check_observation);
}

/* What is shown of a report at the limit of depth is no deeper. */
static void depth_does_not_add_up(void)
{
    static const char *const places[] = {"/resources/disk/free_ratio",
                                         "/runtime/last_dirty_open_at",
                                         "/collection/status",
                                         "/diagnosis/status",
                                         "/invariants/0/id",
                                         "/stores/0/name",
                                         "/generated_at",
                                         "/identity/component",
                                         "/policy/policy_decisions/denied",
                                         "/attestation/signature"};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autoptr(GString) deep = g_string_new(NULL);
        unsigned depth = SYNCD_JSON_MAX_DEPTH;
        for (const char *at = places[i]; *at != '\0'; at++)
            depth -= *at == '/';
        for (unsigned d = 0; d < depth; d++)
            g_string_append_c(deep, '[');
        for (unsigned d = 0; d < depth; d++)
            g_string_append_c(deep, ']');
        g_autofree char *edits = g_strdup_printf(
            "%s=%s ; /stores/0/checksum_state=\"mismatch\" ; /invariants/0/status=\"fail\"",
            places[i], deep->str);
        g_autofree char *text = document_edits(REPORT_HEALTHY, edits);
        g_assert_false(is_judged_good(text));
    }
}

static void endless_lists_of_faults_end(void)
{
    g_autoptr(GString) text = g_string_new("{\"lanes\":[");
    for (unsigned i = 0; i < 5000; i++)
        g_string_append(text, i > 0 ? ",{\"name\":7}" : "{\"name\":\"n\"}");
    g_string_append(text, "]}");
    SyncdCircumstances circumstances = {REPORT_NOW, 0, NULL};
    g_autoptr(SyncdJudgement) judgement =
        syncd_judgement_make(document_of(text->str), &circumstances);
    g_assert_cmpuint(judgement->report->errors->len, ==, SYNCD_PROBLEMS_MAX + 1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/judge-hostile/one-wrong-value-is-enough", one_wrong_value_is_enough);
    g_test_add_func("/judge-hostile/many-wrong-values", many_wrong_values_do_not_crash);
    g_test_add_func("/judge-hostile/other-documents", other_documents_are_checked_as_hard);
    g_test_add_func("/judge-hostile/depth", depth_does_not_add_up);
    g_test_add_func("/judge-hostile/endless-lists", endless_lists_of_faults_end);
    return g_test_run();
}
