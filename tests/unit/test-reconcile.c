/*
 * What an operation and its artifacts are called elsewhere is said once, one to one, with a
 * decision and evidence, and is found from either end.
 */
#include "policy-fixture.h"
#include "task-fixture.h"

#define BODY "{\"provisional_artifact_ids\":{\"artifact:temp-1\":\"object:alpha\"}}"

typedef struct {
    ServiceFixture f;
    char *operation;
    char *decision;
} Reconciling;

static char *completed(ServiceFixture *f, const char *body)
{
    char *operation = enqueue_body(f, "note-1", body);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    return operation;
}

static char *unquoted(const char *document, const char *name)
{
    g_autofree char *quoted = member_of(document, name);
    return g_strndup(quoted + 1, strlen(quoted) - 2);
}

static void reconciling_init(Reconciling *r)
{
    service_init(&r->f);
    r->operation = completed(&r->f, BODY);
    g_autofree char *record = get(&r->f, r->operation);
    r->decision = unquoted(record, "policy_decision_ref");
}

static void reconciling_clear(Reconciling *r)
{
    g_free(r->operation);
    g_free(r->decision);
    service_clear(&r->f);
}

static char *document_of(Reconciling *r, const char *remote, const char *final)
{
    return g_strdup_printf("{\"remote_operation_id\":\"%s\",\"artifact_reconciliation\":"
                           "{\"artifact:temp-1\":\"%s\"},\"artifact_admission_ref\":\"%s\","
                           "\"ledger_evidence_refs\":[\"%s\"]}",
                           remote, final, r->decision, r->operation);
}

static char *reconcile(Reconciling *r, const char *operation, const char *document,
                       bool *ret_duplicate)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReconciled) reconciled = {0};
    syncd_service_reconcile(r->f.service, &r->f.caller, operation, SYNCD_BYTES_TEXT(document),
                            &reconciled, &error);
    g_assert_no_error(error);
    syncd_service_commit(r->f.service);
    *ret_duplicate = reconciled.duplicate;
    return g_steal_pointer(&reconciled.entry);
}

static void refuse(Reconciling *r, const char *operation, const char *document, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReconciled) reconciled = {0};
    guint64 before = service_sequence(&r->f);
    g_assert_false(syncd_service_reconcile(r->f.service, &r->f.caller, operation,
                                           SYNCD_BYTES_TEXT(document), &reconciled, &error));
    g_assert_error(error, SYNCD_ERROR, code);
    g_assert_false(syncd_service_has_turn(r->f.service));
    g_assert_cmpuint(service_sequence(&r->f), ==, before);
}

static guint find(Reconciling *r, SyncdReconciledQuery query, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found =
        syncd_service_list_reconciled(r->f.service, &r->f.caller, &query, &error);
    g_assert_no_error(error);
    if (operation != NULL)
        g_assert_nonnull(strstr(found, operation));
    return count_elements(found);
}

static void it_is_found_from_either_end(void)
{
    Reconciling r;
    bool duplicate;
    reconciling_init(&r);
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    g_autofree char *entry = reconcile(&r, r.operation, document, &duplicate);
    g_assert_false(duplicate);
    for (int restart = 0; restart < 2; restart++) {
        g_autofree char *record = get(&r.f, r.operation);
        assert_member(record, "status", "\"reconciled\"");
        assert_member(record, "remote_operation_id", "\"remote-1\"");
        assert_member(record, "artifact_reconciliation",
                      "{\"artifact:temp-1\":\"artifact:final-44\"}");
        g_autofree char *evidence = g_strdup_printf("[\"%s\",\"%s\"]", r.operation, entry);
        assert_member(record, "ledger_evidence_refs", evidence);
        g_assert_cmpuint(find(&r, (SyncdReconciledQuery){.remote = "remote-1"}, r.operation), ==,
                         1);
        g_assert_cmpuint(find(&r, (SyncdReconciledQuery){.operation = r.operation}, "remote-1"), ==,
                         1);
        g_assert_cmpuint(
            find(&r, (SyncdReconciledQuery){.artifact = "artifact:temp-1"}, r.operation), ==, 1);
        g_assert_cmpuint(
            find(&r, (SyncdReconciledQuery){.artifact = "artifact:final-44"}, r.operation), ==, 1);
        g_assert_cmpuint(find(&r, (SyncdReconciledQuery){.remote = "remote-2"}, NULL), ==, 0);
        service_close(&r.f);
        service_open(&r.f);
    }
    g_assert_cmpuint(count_events(&r.f, "sync.operation.reconciled"), ==, 1);
    reconciling_clear(&r);
}

static void the_same_once_more_changes_nothing_and_another_is_a_contradiction(void)
{
    Reconciling r;
    bool duplicate;
    reconciling_init(&r);
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    g_autofree char *first = reconcile(&r, r.operation, document, &duplicate);
    guint64 before = service_sequence(&r.f);
    g_autofree char *again = reconcile(&r, r.operation, document, &duplicate);
    g_assert_true(duplicate);
    g_assert_cmpstr(first, ==, again);
    g_assert_cmpuint(service_sequence(&r.f), ==, before);
    g_autofree char *other = document_of(&r, "remote-2", "artifact:final-44");
    refuse(&r, r.operation, other, SYNCD_ERROR_ALREADY_RESOLVED);

    /* nor may another operation take what is taken */
    g_autofree char *second = completed(&r.f, BODY);
    refuse(&r, second, document, SYNCD_ERROR_ALREADY_RESOLVED);
    g_autofree char *own_remote = document_of(&r, "remote-2", "artifact:final-45");
    refuse(&r, second, own_remote, SYNCD_ERROR_ALREADY_RESOLVED); /* the provisional id */
    g_autofree char *third =
        completed(&r.f, "{\"provisional_artifact_ids\":{\"artifact:temp-2\":\"object:beta\"}}");
    g_autofree char *final_taken =
        g_strdup_printf("{\"artifact_reconciliation\":{\"artifact:temp-2\":\"artifact:final-44\"},"
                        "\"artifact_admission_ref\":\"%s\",\"ledger_evidence_refs\":[\"%s\"]}",
                        r.decision, r.operation);
    refuse(&r, third, final_taken, SYNCD_ERROR_ALREADY_RESOLVED);
    reconciling_clear(&r);
}

static void two_of_one_turn_do_not_take_the_same(void)
{
    Reconciling r;
    reconciling_init(&r);
    g_autofree char *second = completed(&r.f, "{}");
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    g_autofree char *rival = g_strdup_printf(
        "{\"remote_operation_id\":\"remote-1\",\"ledger_evidence_refs\":[\"%s\"]}", second);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReconciled) one = {0}, two = {0};
    g_assert_true(syncd_service_reconcile(r.f.service, &r.f.caller, r.operation,
                                          SYNCD_BYTES_TEXT(document), &one, &error));
    g_assert_false(syncd_service_reconcile(r.f.service, &r.f.caller, second,
                                           SYNCD_BYTES_TEXT(rival), &two, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ALREADY_RESOLVED);
    reconciling_clear(&r);
}

static void a_final_id_needs_a_decision_evidence_and_a_provisional_one(void)
{
    Reconciling r;
    reconciling_init(&r);
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"remote_operation_id\":\"r\"}",
        "{\"remote_operation_id\":\"r\",\"ledger_evidence_refs\":[]}",
        "{\"remote_operation_id\":\"\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"remote_operation_id\":\"a\\nb\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"remote_operation_id\":\"a\\u0000\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"remote_operation_id\":7,\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"remote_operation_id\":\"r\",\"ledger_evidence_refs\":[\"%o\"]}", /* its artifact? */
        "{\"artifact_reconciliation\":{\"artifact:temp-1\":\"f\"},\"ledger_evidence_refs\":"
        "[\"%o\"]}",
        "{\"artifact_reconciliation\":{\"artifact:temp-1\":\"f\"},\"artifact_admission_ref\":"
        "\"policy-none\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"artifact_reconciliation\":{\"artifact:temp-1\":\"f\",\"artifact:temp-2\":\"g\"},"
        "\"artifact_admission_ref\":\"%d\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"artifact_reconciliation\":{\"artifact:temp-1\":\"\"},"
        "\"artifact_admission_ref\":\"%d\",\"ledger_evidence_refs\":[\"%o\"]}",
        "{\"remote_operation\":\"r\",\"ledger_evidence_refs\":[\"%o\"]}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GString) text = g_string_new(bad[i]);
        g_string_replace(text, "%o", r.operation, 0);
        g_string_replace(text, "%d", r.decision, 0);
        refuse(&r, r.operation, text->str,
               *bad[i] == '\0' ? SYNCD_ERROR_INVALID_ENCODING : SYNCD_ERROR_INVALID_CONTRACT);
    }
    g_autofree char *unknown_evidence = g_strdup_printf(
        "{\"artifact_reconciliation\":{\"artifact:temp-1\":\"f\"},\"artifact_admission_ref\":"
        "\"%s\",\"ledger_evidence_refs\":[\"op-none\"]}",
        r.decision);
    refuse(&r, r.operation, unknown_evidence, SYNCD_ERROR_NOT_FOUND);
    reconciling_clear(&r);
}

/* Nobody elsewhere gives one id to two operations, so no scope is another world. */
static void one_id_from_elsewhere_is_one_operation(void)
{
    Reconciling r;
    bool duplicate;
    reconciling_init(&r);
    SyncdRequest request = good_request();
    request.scope = "workspace:other";
    g_autofree char *other = enqueue_committed(&r.f, &request);
    g_autofree char *lease = claim_operation(&r.f, other);
    complete(&r.f, lease);
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    g_free(reconcile(&r, r.operation, document, &duplicate));
    g_autofree char *rival = g_strdup_printf(
        "{\"remote_operation_id\":\"remote-1\",\"ledger_evidence_refs\":[\"%s\"]}", other);
    refuse(&r, other, rival, SYNCD_ERROR_ALREADY_RESOLVED);
    reconciling_clear(&r);
}

static void what_admitted_something_else_admits_nothing_here(void)
{
    Reconciling r;
    bool duplicate;
    reconciling_init(&r);
    g_autofree char *own = g_strdup(r.decision);
    SyncdRequest request = good_request();
    request.lane = "priority";
    g_autofree char *elsewhere = enqueue_committed(&r.f, &request);
    g_autofree char *record = get(&r.f, elsewhere);
    g_free(r.decision);
    r.decision = unquoted(record, "policy_decision_ref");
    g_assert_cmpstr(r.decision, !=, own);
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    refuse(&r, r.operation, document, SYNCD_ERROR_INVALID_CONTRACT);

    syncd_service_set_policy(
        r.f.service, set_of(FILE_OF(RULE("\"objects\":[\"other\"]", "allow", "other_too")), NULL),
        NULL);
    request.lane = NULL;
    request.object = "other";
    g_autofree char *on_other = enqueue_committed(&r.f, &request);
    g_autofree char *its_record = get(&r.f, on_other);
    g_free(r.decision);
    r.decision = unquoted(its_record, "policy_decision_ref");
    g_assert_cmpstr(r.decision, !=, own);
    g_autofree char *about_other = document_of(&r, "remote-1", "artifact:final-44");
    refuse(&r, r.operation, about_other, SYNCD_ERROR_INVALID_CONTRACT);

    g_free(r.decision);
    r.decision = g_steal_pointer(&own);
    g_autofree char *good = document_of(&r, "remote-1", "artifact:final-44");
    g_free(reconcile(&r, r.operation, good, &duplicate));
    reconciling_clear(&r);
}

static void only_what_is_done_is_reconciled(void)
{
    Reconciling r;
    reconciling_init(&r);
    g_autofree char *queued = enqueue_body(&r.f, "note-1", "{}");
    g_autofree char *document = g_strdup_printf(
        "{\"remote_operation_id\":\"r\",\"ledger_evidence_refs\":[\"%s\"]}", r.operation);
    refuse(&r, queued, document, SYNCD_ERROR_BUSY);
    refuse(&r, "op-none", document, SYNCD_ERROR_NOT_FOUND);

    /* one that was replayed is done elsewhere: nobody gets its task any more */
    g_auto(SyncdReplayed) replayed = {0};
    g_assert_true(syncd_service_replay(r.f.service, &r.f.caller, queued, "k", &replayed, NULL));
    syncd_service_commit(r.f.service);
    bool duplicate;
    g_free(reconcile(&r, queued, document, &duplicate));
    g_assert_null(claim(&r.f, NULL));
    reconciling_clear(&r);
}

static void enqueueing_a_reconciliation_is_the_same(void)
{
    Reconciling r;
    bool duplicate;
    reconciling_init(&r);
    g_autofree char *document = document_of(&r, "remote-1", "artifact:final-44");
    g_autofree char *entry = reconcile(&r, r.operation, document, &duplicate);
    g_autofree char *body =
        g_strdup_printf("{\"reconciled_operation_id\":\"%s\",%s", r.operation, document + 1);
    SyncdRequest request = good_request();
    request.type = "sync.operation.reconcile";
    request.body = SYNCD_BYTES_TEXT(body);
    g_auto(SyncdEnqueued) enqueued = enqueue(&r.f, &request);
    g_assert_true(enqueued.duplicate);
    g_assert_cmpstr(enqueued.operation, ==, entry);
    reconciling_clear(&r);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/reconcile/it-is-found-from-either-end", it_is_found_from_either_end);
    g_test_add_func("/reconcile/the-same-once-more-changes-nothing-and-another-is-a-contradiction",
                    the_same_once_more_changes_nothing_and_another_is_a_contradiction);
    g_test_add_func("/reconcile/two-of-one-turn-do-not-take-the-same",
                    two_of_one_turn_do_not_take_the_same);
    g_test_add_func("/reconcile/a-final-id-needs-a-decision-evidence-and-a-provisional-one",
                    a_final_id_needs_a_decision_evidence_and_a_provisional_one);
    g_test_add_func("/reconcile/one-id-from-elsewhere-is-one-operation",
                    one_id_from_elsewhere_is_one_operation);
    g_test_add_func("/reconcile/what-admitted-something-else-admits-nothing-here",
                    what_admitted_something_else_admits_nothing_here);
    g_test_add_func("/reconcile/only-what-is-done-is-reconciled", only_what_is_done_is_reconciled);
    g_test_add_func("/reconcile/enqueueing-a-reconciliation-is-the-same",
                    enqueueing_a_reconciliation_is_the_same);
    return g_test_run();
}
