/*
 * Reports and the documents that are made of them. Whatever is given: a judgement comes out, every
 * document that is made is JSON and keeps to its contract, its id can be derived again, a report
 * that is not healthy gets a plan that does something, and nothing that is wrong is called healthy.
 */
#include "fuzz.h"

#include "crypto/seal.h"
#include "domain/evidence.h"
#include "domain/normalize.h"
#include "domain/problems.h"
#include "domain/repair-plan.h"
#include "domain/scorecard.h"
#include "domain/trust.h"

#define NOW G_GINT64_CONSTANT(1780000030000000)

static SyncdJson checked(const GString *text)
{
    LAW(syncd_json_check(text->str, text->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    return syncd_json_root(text->str, text->len);
}

static void check_healthy(const SyncdJudgement *judgement)
{
    bool healthy = syncd_judgement_is_healthy(judgement);
    LAW(healthy == (syncd_invariants_worst(judgement->invariants) == SYNCD_PASS));
    LAW(!healthy || judgement->report->errors->len == 0);
    LAW(healthy == (judgement->diagnosis->severity == SYNCD_SEVERITY_INFO));
    LAW(!judgement->attested); /* nobody's key is believed here */
}

static void check_made_documents(const SyncdJudgement *judgement, SyncdJson root)
{
    static const SyncdTrustRequest request = {"s", "read", "normal", true, false};
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    g_autoptr(GString) verification = g_string_new(NULL);
    g_autoptr(GString) explanation = g_string_new(NULL);
    g_autoptr(GString) plan = g_string_new(NULL);
    g_autoptr(GString) decision = g_string_new(NULL);
    g_autoptr(GString) card = g_string_new(NULL);
    g_autoptr(GString) evidence = g_string_new(NULL);

    syncd_judgement_write_verification(judgement, verification);
    checked(verification);
    syncd_judgement_write_explanation(judgement, explanation);
    checked(explanation);
    syncd_repair_plan_write(judgement, plan);
    syncd_problems_add_contract(problems, SYNCD_REPAIR_PLAN_SCHEMA, checked(plan));
    LAW(syncd_judgement_is_healthy(judgement) || strstr(plan->str, "\"no_op\"") == NULL);
    bool allowed = syncd_trust_decide(judgement, &request, decision);
    LAW(!allowed || judgement->report->errors->len == 0);
    syncd_trust_check(checked(decision), problems);
    syncd_scorecard_write(judgement, card);
    syncd_scorecard_check(checked(card), problems);
    const SyncdEvidence what = {"state-integrity-report", "s", NOW, NULL, NULL};
    if (syncd_evidence_wrap(root, &what, evidence, NULL))
        syncd_evidence_check(checked(evidence), NULL, problems);
    LAW(problems->len == 0);
}

/* Whatever else it may be. */
static void check_as_others(SyncdJson root)
{
    g_autoptr(GPtrArray) problems = syncd_problems_new();
    g_autoptr(GPtrArray) refusals = syncd_problems_new();
    g_autoptr(GString) event = g_string_new(NULL);
    syncd_trust_check(root, problems);
    syncd_scorecard_check(root, problems);
    syncd_evidence_check(root, NULL, problems);
    LAW(problems->len > 0); /* it cannot be all three */
    if (syncd_observation_normalize(root, NOW, event, refusals))
        checked(event);
    else
        LAW(refusals->len > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const SyncdCircumstances circumstances = {NOW, 0, NULL};
    const char *text = (const char *)data;
    if (!syncd_json_check(text, size, SYNCD_JSON_ANY, NULL))
        return 0;
    SyncdJson root = syncd_json_root(text, size);
    g_autoptr(SyncdJudgement) judgement = syncd_judgement_make(root, &circumstances);
    check_healthy(judgement);
    check_made_documents(judgement, root);
    check_as_others(root);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return syncd_crypto_init(NULL) ? 0 : -1;
}
