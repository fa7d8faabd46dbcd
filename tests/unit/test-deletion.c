/*
 * A delete request becomes a tombstone with every step in the log; what was deleted is gone until
 * it is restored, as a new version.
 */
#include "domain/deletion.h"
#include "task-fixture.h"

/* Written down a second time: state, event, next. */
static const char *const moves[] = {
    "restored 0 requested",   "requested 0 requested",   "authorised 0 requested",
    "requested 1 authorised", "authorised 2 tombstoned", "tombstoned 3 propagated",
    "propagated 4 hidden",    "hidden 5 purged",         "purged 6 proven",
    "hidden 7 restored",
};

static void no_deletion_takes_an_untabled_transition(void)
{
    for (SyncdDeletionState state = 0; state < SYNCD_N_DELETION_STATES; state++) {
        for (SyncdDeletionEvent event = 0; event < SYNCD_N_DELETION_EVENTS; event++) {
            g_autofree char *begin =
                g_strdup_printf("%s %d ", syncd_deletion_state_name(state), (int)event);
            const char *next = NULL;
            SyncdDeletionState after = state;
            for (size_t i = 0; i < G_N_ELEMENTS(moves); i++)
                if (g_str_has_prefix(moves[i], begin))
                    next = moves[i] + strlen(begin);
            g_assert_cmpint(syncd_deletion_move(&after, event), ==, next != NULL);
            g_assert_cmpstr(syncd_deletion_state_name(after), ==,
                            next != NULL ? next : syncd_deletion_state_name(state));
        }
    }
}

static void every_event_but_a_request_is_one_kind(void)
{
    for (SyncdDeletionEvent event = 0; event < SYNCD_N_DELETION_EVENTS; event++) {
        SyncdDeletionEvent back;
        const char *kind = syncd_deletion_kind_of(event);
        g_assert_cmpint(kind == NULL, ==, event == SYNCD_DELETION_REQUEST);
        if (kind != NULL) {
            g_assert_true(syncd_deletion_kind(SYNCD_BYTES_TEXT(kind), &back) && back == event);
            /* what deleted it stays, and says so */
            g_assert_false(syncd_deletion_purges(SYNCD_BYTES_TEXT(kind)));
        }
    }
    g_assert_false(syncd_deletion_kind(SYNCD_BYTES_TEXT("deletion.purge"), NULL));
}

static SyncdRequest delete_request(void)
{
    SyncdRequest request = good_request();
    request.lane = "tombstone";
    return request;
}

static void refuse(ServiceFixture *f, const SyncdRequest *request, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    guint64 before = service_sequence(f);
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, code);
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_cmpuint(service_sequence(f), ==, before);
}

static void a_delete_request_goes_its_way_step_by_step(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest request = delete_request();
    g_autofree char *operation = enqueue_committed(&f, &request);
    g_autofree char *record = get(&f, operation);
    assert_member(record, "status", "\"completed\"");
    assert_member(record, "lane", "\"tombstone\"");
    static const char *const events[] = {"sync.object.deletion_authorised",
                                         "sync.object.tombstoned", "sync.object.propagated",
                                         "sync.object.hidden"};
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        g_assert_cmpuint(count_events(&f, events[i]), ==, 1);
    /* nothing of it is to be carried out, nor what was to be done to the object before */
    g_assert_null(claim(&f, NULL));
    service_clear(&f);
}

static void what_is_deleted_is_gone_until_it_is_restored(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest deletion = delete_request(), change = good_request(), restore = good_request();
    restore.restore = true;
    refuse(&f, &restore, SYNCD_ERROR_INVALID_CONTRACT);
    g_free(enqueue(&f, &deletion).operation);
    /* in the same turn already */
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) none = {0};
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &change, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    syncd_service_commit(f.service);
    for (int restart = 0; restart < 2; restart++) {
        refuse(&f, &change, SYNCD_ERROR_NOT_FOUND);
        refuse(&f, &deletion, SYNCD_ERROR_ALREADY_RESOLVED);
        put(&f, "note-2", "{}");
        service_close(&f);
        service_open(&f);
    }
    g_free(enqueue_committed(&f, &restore));
    g_assert_cmpuint(count_events(&f, "sync.object.restored"), ==, 1);
    put(&f, "note-1", "{}");
    refuse(&f, &restore, SYNCD_ERROR_INVALID_CONTRACT);
    g_free(enqueue_committed(&f, &deletion));
    refuse(&f, &change, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

static void the_same_request_once_more_is_the_first_one(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest deletion = delete_request();
    deletion.idempotency_key = "k";
    g_autofree char *first = enqueue_committed(&f, &deletion);
    guint64 before = service_sequence(&f);
    g_auto(SyncdEnqueued) again = enqueue(&f, &deletion);
    g_assert_true(again.duplicate);
    g_assert_cmpstr(again.operation, ==, first);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void a_deletion_names_its_object(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest deletion = delete_request();
    deletion.object = "";
    refuse(&f, &deletion, SYNCD_ERROR_INVALID_CONTRACT);
    /* the same name elsewhere is another object */
    put(&f, "note-2", "{}");
    SyncdRequest other = good_request(), elsewhere = delete_request();
    other.scope = elsewhere.scope = "workspace:other";
    g_free(enqueue_committed(&f, &other));
    g_free(enqueue_committed(&f, &elsewhere));
    put(&f, "note-1", "{}");
    service_clear(&f);
}

/* A name that was misspelt would be taken, and what it was meant for would stay. */
static void what_was_never_there_is_not_deleted(void)
{
    static const struct {
        const char *scope, *object;
    } cases[] = {
        {"workspace:notes", "note-2"},
        {"workspace:other", "note-1"},
        {"workspace:new", "note-1"},
    };
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest elsewhere = good_request();
    elsewhere.scope = "workspace:other";
    elsewhere.object = "note-3";
    g_free(enqueue_committed(&f, &elsewhere));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SyncdRequest request = delete_request();
        request.scope = cases[i].scope;
        request.object = cases[i].object;
        refuse(&f, &request, SYNCD_ERROR_NOT_FOUND);
    }
    SyncdRequest request = delete_request();
    g_free(enqueue_committed(&f, &request));
    refuse(&f, &request, SYNCD_ERROR_ALREADY_RESOLVED);
    service_clear(&f);
}

/* In the device's own log stands what it did about objects of other scopes. */
static void what_only_happened_to_it_makes_no_object(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest here = good_request(), deletion = delete_request(), request = delete_request();
    g_autofree char *operation = enqueue_committed(&f, &here);
    g_autofree char *lease = claim_operation(&f, operation);
    complete(&f, lease);
    request.scope = "device";
    refuse(&f, &request, SYNCD_ERROR_NOT_FOUND);
    g_free(enqueue_committed(&f, &deletion));
    refuse(&f, &request, SYNCD_ERROR_NOT_FOUND);
    /* as well while it waits for the index */
    service_close(&f);
    service_open(&f);
    refuse(&f, &request, SYNCD_ERROR_NOT_FOUND);
    here.scope = "device";
    g_free(enqueue_committed(&f, &here));
    g_free(enqueue_committed(&f, &request));
    service_clear(&f);
}

/* What a line of the same call, or a call of the same turn, has made counts. */
static void what_the_turn_has_made_is_deleted(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    static const char lines[] =
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"a\","
        "\"body\":{},\"create_scope\":true}\n"
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"a\","
        "\"body\":{},\"lane\":\"tombstone\"}";
    service_init(&f);
    g_autoptr(GString) results =
        enqueue_many_at_once(f.service, &f.caller, SYNCD_BYTES_TEXT(lines), &error);
    g_assert_no_error(error);
    g_assert_nonnull(results);
    SyncdRequest request = good_request();
    SyncdEnqueued first = enqueue(&f, &request);
    SyncdRequest deletion = delete_request();
    SyncdEnqueued second = enqueue(&f, &deletion);
    syncd_service_commit(f.service);
    syncd_enqueued_clear(&first);
    syncd_enqueued_clear(&second);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/deletion/what-only-happened-to-it-makes-no-object",
                    what_only_happened_to_it_makes_no_object);
    g_test_add_func("/deletion/no-deletion-takes-an-untabled-transition",
                    no_deletion_takes_an_untabled_transition);
    g_test_add_func("/deletion/every-event-but-a-request-is-one-kind",
                    every_event_but_a_request_is_one_kind);
    g_test_add_func("/deletion/a-delete-request-goes-its-way-step-by-step",
                    a_delete_request_goes_its_way_step_by_step);
    g_test_add_func("/deletion/what-is-deleted-is-gone-until-it-is-restored",
                    what_is_deleted_is_gone_until_it_is_restored);
    g_test_add_func("/deletion/the-same-request-once-more-is-the-first-one",
                    the_same_request_once_more_is_the_first_one);
    g_test_add_func("/deletion/a-deletion-names-its-object", a_deletion_names_its_object);
    g_test_add_func("/deletion/what-was-never-there-is-not-deleted",
                    what_was_never_there_is_not_deleted);
    g_test_add_func("/deletion/what-the-turn-has-made-is-deleted",
                    what_the_turn_has_made_is_deleted);
    return g_test_run();
}
