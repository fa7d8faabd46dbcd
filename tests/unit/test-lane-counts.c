/*
 * What is counted of each lane is what happened in it: the row in Describe after each step of a
 * task's life, and the same after a start.
 */
#include "task-fixture.h"

static const char *const counters[] = {"operations", "pending",   "running",  "succeeded",
                                       "failed",     "cancelled", "attempts", "lost",
                                       "replayed",   "reconciled"};

/* The counters of a lane in their order, with a blank between them. */
static char *counts_of(ServiceFixture *f, const char *lane)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *all = syncd_service_describe(f->service, &f->caller, &error);
    g_assert_no_error(error);
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_member(syncd_json_root(all, strlen(all)), "lanes"));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (syncd_json_is(syncd_json_member(row, "name"), lane))
            break;
    GString *counts = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(counters); i++) {
        gint64 count;
        g_assert_true(syncd_json_get_int64(syncd_json_member(row, counters[i]), &count));
        g_string_append_printf(counts, "%s%" G_GINT64_FORMAT, i > 0 ? " " : "", count);
    }
    return g_string_free(counts, FALSE);
}

static void assert_counts(ServiceFixture *f, const char *lane, const char *expected)
{
    for (int start = 0; start < 2; start++) {
        g_autofree char *counts = counts_of(f, lane);
        g_assert_cmpstr(counts, ==, expected);
        if (start == 0) {
            service_close(f);
            service_open(f);
        }
    }
}

static void each_step_of_a_task_is_counted_in_its_lane(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.lane = "memory";
    g_autofree char *one = enqueue_committed(&f, &request);
    g_autofree char *two = enqueue_committed(&f, &request);
    g_free(enqueue_committed(&f, &request));
    assert_counts(&f, "memory", "3 3 0 0 0 0 0 0 0 0");

    g_autofree char *first = claim_operation(&f, one);
    g_autofree char *second = claim_operation(&f, two);
    assert_counts(&f, "memory", "3 1 2 0 0 0 2 0 0 0");
    complete(&f, first);
    fail(&f, second, true);
    assert_counts(&f, "memory", "3 1 0 1 1 0 2 0 0 0");

    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    syncd_service_replay(f.service, &f.caller, one, "k", &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    assert_counts(&f, "memory", "3 2 0 0 1 0 2 0 1 0");
    g_free(claim_operation(&f, one));
    pass(&f, 60 * 60 * 1000); /* the lease ends, and nobody completed it */
    assert_counts(&f, "memory", "3 2 0 0 1 0 3 1 1 0");
    assert_counts(&f, "normal", "0 0 0 0 0 0 0 0 0 0");
    service_clear(&f);
}

static void what_is_cancelled_or_reconciled_is_counted(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *one = enqueue_body(&f, "note-1", "{}");
    g_autofree char *two = enqueue_body(&f, "note-2", "{}");
    g_autoptr(GError) error = NULL;
    g_autofree char *cancelled = NULL;
    syncd_service_cancel_task(f.service, &f.caller, one, "no need", &cancelled, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    assert_counts(&f, "normal", "2 1 0 0 0 1 0 0 0 0");

    g_autofree char *lease = claim_operation(&f, two);
    complete(&f, lease);
    g_autofree char *document = g_strdup_printf(
        "{\"remote_operation_id\":\"remote-2\",\"ledger_evidence_refs\":[\"%s\"]}", two);
    g_auto(SyncdReconciled) reconciled = {0};
    syncd_service_reconcile(f.service, &f.caller, two, SYNCD_BYTES_TEXT(document), &reconciled,
                            &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    assert_counts(&f, "normal", "2 0 0 1 0 1 1 0 0 1");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/lane-counts/each-step-of-a-task-is-counted-in-its-lane",
                    each_step_of_a_task_is_counted_in_its_lane);
    g_test_add_func("/lane-counts/what-is-cancelled-or-reconciled-is-counted",
                    what_is_cancelled_or_reconciled_is_counted);
    return g_test_run();
}
