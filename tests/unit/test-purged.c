/*
 * What is left of a purged object: its operations ended as they did, its name stays taken, and
 * nobody else's tasks are in its way.
 */
#include "index-dump.h"
#include "purge-service-fixture.h"

static void a_purged_operation_says_so(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_autofree char *purged = purge(&f);
    for (int round = 0; round < 2; round++) {
        if (round > 0)
            finish(&f); /* which makes the index anew */
        g_autofree char *record = get(&f, operation);
        g_autofree char *told = member_of(record, "purged"), *why = member_of(record, "body_error");
        g_autofree char *quoted = g_strdup_printf("\"%s\"", purged);
        assert_member(told, "operation_id", quoted);
        g_assert_nonnull(strstr(why, purged));
        assert_member(record, "status", "\"completed\"");
    }
    service_clear(&f);
}

static void a_purged_object_is_never_there_again(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_free(purge(&f));
    for (int round = 0; round < 2; round++) {
        SyncdRequest change = good_request(), restore = good_request(), again = good_request();
        restore.restore = true;
        again.lane = "tombstone";
        const struct {
            const SyncdRequest *request;
            int code;
        } refused[] = {{&change, SYNCD_ERROR_NOT_FOUND},
                       {&restore, SYNCD_ERROR_NOT_FOUND},
                       {&again, SYNCD_ERROR_ALREADY_RESOLVED}};
        for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
            g_autoptr(GError) error = NULL;
            g_auto(SyncdEnqueued) none = {0};
            syncd_service_enqueue(f.service, &f.caller, refused[i].request, &none, &error);
            g_assert_error(error, SYNCD_ERROR, refused[i].code);
        }
        finish(&f);
    }
    service_clear(&f);
}

/* As before the purge, if for another reason: it had a record, and so one home. What never had one
 * is another's elsewhere.
 */
static void the_name_of_a_purged_object_is_taken_everywhere(void)
{
    static const char elsewhere[] =
        "{\"object_id\":\"note-1\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","
        "\"schema_version\":\"1\",\"workspace_id\":\"workspace:other\",\"profile_id\":"
        "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","
        "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\",\"policy_tags\":[],"
        "\"provenance\":[]}";
    for (int registered = 0; registered < 2; registered++) {
        ServiceFixture f;
        g_free(begin(&f));
        SyncdRequest request = good_request();
        request.scope = "workspace:other";
        request.object = "note-2";
        g_free(enqueue_committed(&f, &request));
        g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("normal")), ==, -1);
        if (registered)
            g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), ==, -1);
        delete_note(&f);
        request.object = "note-1";
        for (int round = 0; round < 3; round++) {
            g_autoptr(GError) error = NULL;
            g_auto(SyncdEnqueued) enqueued = {0};
            g_test_message("registered %d, round %d", registered, round);
            syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error);
            syncd_service_commit(f.service);
            g_assert_cmpint(error != NULL, ==, registered);
            if (registered && round > 0)
                g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
            if (round == 0)
                g_free(purge(&f));
            finish(&f);
        }
        g_assert_cmpint(register_record(&f, "object", elsewhere), ==,
                        registered ? SYNCD_ERROR_NOT_FOUND : -1);
        service_clear(&f);
    }
}

/* What a reconciliation ended is not offered again when that is purged with it. */
static void what_had_ended_is_not_offered_again(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    g_autofree char *operation = enqueue_committed(&f, &request);
    request.object = "note-2";
    const char *parents[] = {operation, NULL};
    request.parents = parents;
    g_autofree char *child = enqueue_committed(&f, &request);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    g_auto(SyncdReconciled) reconciled = {0};
    g_assert_true(
        syncd_service_replay(f.service, &f.caller, operation, "again", &replayed, &error));
    syncd_service_commit(f.service);
    g_autofree char *document = g_strdup_printf("{\"remote_operation_id\":\"" MARKER "\","
                                                "\"ledger_evidence_refs\":[\"%s\"]}",
                                                replayed.evidence);
    syncd_service_reconcile(f.service, &f.caller, operation, SYNCD_BYTES_TEXT(document),
                            &reconciled, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    assert_status(&f, operation, "reconciled");
    delete_note(&f);
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_holds(&f.base, MARKER));
    assert_status(&f, operation, "reconciled");
    /* and who waited for it still need not wait */
    g_autofree char *lease = claim(&f, NULL);
    g_autofree char *claimed = operation_of(&f, lease);
    g_assert_cmpstr(claimed, ==, child);
    g_assert_null(claim(&f, NULL));
    service_clear(&f);
}

static void replay(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    syncd_service_replay(f->service, &f->caller, operation, "again", &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
}

static void end_as(ServiceFixture *f, const char *operation, const char *state)
{
    if (strcmp(state, "cancelled") == 0) {
        g_autoptr(GError) error = NULL;
        g_autofree char *cancelled = NULL;
        syncd_service_cancel_task(f->service, &f->caller, operation, NULL, &cancelled, &error);
        g_assert_no_error(error);
        syncd_service_commit(f->service);
        return;
    }
    g_autofree char *lease = claim_operation(f, operation);
    if (strcmp(state, "completed") == 0)
        complete(f, lease);
    else
        fail(f, lease, true);
}

static char *close_and_dump(ServiceFixture *f)
{
    service_close(f);
    return dump_index(f->base.directory);
}

/* The replay that let it end differently is purged with it; who waits for it is another object. */
static void an_operation_stays_ended_as_it_did(void)
{
    static const struct {
        const char *first, *then, *child;
    } cases[] = {
        {"failed", "completed", "queued"},
        {"completed", "failed", "blocked"},
        {"completed", "cancelled", "blocked"},
        {"failed", "failed", "blocked"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        service_init(&f);
        SyncdRequest request = good_request();
        g_autofree char *operation = enqueue_committed(&f, &request);
        end_as(&f, operation, cases[i].first);
        request.object = "note-2";
        const char *parents[] = {operation, NULL};
        request.parents = parents;
        g_autofree char *child = enqueue_committed(&f, &request);
        replay(&f, operation);
        end_as(&f, operation, cases[i].then);
        delete_note(&f);
        g_free(purge(&f));
        g_autofree char *before = NULL;
        for (int round = 0; round < 3; round++) {
            assert_status(&f, operation, cases[i].then);
            assert_status(&f, child, cases[i].child);
            if (round == 0) {
                finish(&f);
                continue;
            }
            g_autofree char *dump = close_and_dump(&f);
            if (before != NULL)
                g_assert_cmpstr(dump, ==, before);
            g_free(before);
            before = g_steal_pointer(&dump);
            remove_index(&f.base);
            service_open(&f);
            finish(&f);
        }
        g_autofree char *lease = claim(&f, NULL);
        g_assert_cmpint(lease != NULL, ==, strcmp(cases[i].child, "queued") == 0);
        service_clear(&f);
    }
}

/* Others' tasks are listed, and handed out, as before. */
static void what_was_purged_keeps_no_task_from_view(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_free(purge(&f));
    finish(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL, *lease = NULL;
    const SyncdTaskListing listing = {NULL};
    g_autofree char *tasks =
        syncd_service_list_tasks(f.service, &f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(tasks, operation));
    g_assert_nonnull(strstr(tasks, "\"note-2\""));
    g_assert_cmpuint(count_elements(tasks), ==, 1);
    lease = claim(&f, NULL);
    g_assert_nonnull(lease);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/purged/reading", a_purged_operation_says_so);
    g_test_add_func("/purged/for-good", a_purged_object_is_never_there_again);
    g_test_add_func("/purged/name", the_name_of_a_purged_object_is_taken_everywhere);
    g_test_add_func("/purged/ended", what_had_ended_is_not_offered_again);
    g_test_add_func("/purged/ends", an_operation_stays_ended_as_it_did);
    g_test_add_func("/purged/what-was-purged-keeps-no-task-from-view",
                    what_was_purged_keeps_no_task_from_view);
    return g_test_run();
}
