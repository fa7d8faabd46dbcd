/*
 * An ephemeral operation is seen for a while and leaves nothing: not in the log, not after a start,
 * not as parent or evidence of anything. What one user has takes no room from another.
 */
#include "contract/check.h"
#include "registry-fixture.h"
#include "service/ephemeral.h"
#include "task-fixture.h"

static SyncdRequest presence(void)
{
    SyncdRequest request = good_request();
    request.lane = "ephemeral";
    request.create_scope = false;
    return request;
}

/* The scope is there: what is ephemeral opens none. */
static void begin(ServiceFixture *f)
{
    service_init(f);
    put(f, "note-0", "{}");
}

static char *tell(ServiceFixture *f, const char *object, const char *body)
{
    SyncdRequest request = presence();
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    SyncdEnqueued enqueued = enqueue(f, &request);
    g_assert_cmpuint(enqueued.sequence, ==, 0);
    g_assert_false(enqueued.duplicate);
    return enqueued.operation;
}

static char *list(ServiceFixture *f, SyncdListing listing, char **ret_cursor)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    listing.ephemeral = true;
    char *page = syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    if (ret_cursor != NULL)
        *ret_cursor = g_steal_pointer(&cursor);
    return page;
}

static guint count(ServiceFixture *f, SyncdListing listing)
{
    g_autofree char *page = list(f, listing, NULL);
    return count_elements(page);
}

static void assert_absent(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_service_get_operation(f->service, &f->caller, operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
}

static void refuse(ServiceFixture *f, const SyncdRequest *request, SyncdErrorCode code,
                   const char *says)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, says));
}

static void it_is_seen_and_is_not_durable(void)
{
    ServiceFixture f;
    begin(&f);
    guint64 before = service_sequence(&f);
    /* what the body says of it counts for nothing */
    g_autofree char *operation = tell(&f, "note-1", "{\"durable\":true,\"line\":12}");
    g_assert_false(syncd_service_has_turn(f.service));
    g_assert_cmpuint(service_sequence(&f), ==, before);

    g_autofree char *record = get(&f, operation);
    assert_member(record, "durable", "false");
    assert_member(record, "lane", "\"ephemeral\"");
    assert_member(record, "line", "12");
    assert_member(record, "local_log_ref", "\"none\"");
    assert_member(record, "sequence", NULL);
    assert_member(record, "leaf", NULL);
    g_autofree char *page = list(&f, (SyncdListing){0}, NULL);
    g_autofree char *expected = g_strdup_printf("[%s]", record);
    g_assert_cmpstr(page, ==, expected);
    service_clear(&f);
}

static void the_record_keeps_to_the_contract(void)
{
    ServiceFixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = tell(&f, "", "{}");
    g_autofree char *record = get(&f, operation);
    g_assert_true(syncd_contract_demand("sourceos.workspace-operation/v1alpha1",
                                        syncd_json_root(record, strlen(record)), "", &error));
    g_assert_no_error(error);
    service_clear(&f);
}

static void the_log_and_its_listings_know_nothing_of_it(void)
{
    ServiceFixture f;
    begin(&f);
    g_autofree char *operation = tell(&f, "note-1", "{}");
    SyncdListing everything = {0};
    g_autofree char *cursor = NULL, *again = NULL;
    g_autofree char *records =
        syncd_service_list_operations(f.service, &f.caller, &everything, &cursor, NULL);
    g_assert_cmpuint(count_elements(records), ==, 1);
    g_assert_null(strstr(records, operation));
    g_autoptr(GString) lines =
        syncd_service_list_bytes(f.service, &f.caller, &everything, &again, NULL);
    g_assert_null(strstr(lines->str, operation));
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 1);
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_service_prove(f.service, &f.caller, operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "ephemeral"));
    /* nobody works on it */
    g_autofree char *lease = claim(&f, NULL);
    g_autofree char *other = operation_of(&f, lease);
    g_assert_cmpstr(other, !=, operation);
    g_assert_null(claim(&f, NULL));
    service_clear(&f);
}

static void it_is_no_parent_and_no_evidence(void)
{
    ServiceFixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = tell(&f, "note-1", "{}"), *done = NULL;
    const char *const names[] = {operation, NULL};
    SyncdRequest child = good_request();
    child.parents = names;
    refuse(&f, &child, SYNCD_ERROR_NOT_FOUND, "/parents/0: ");
    refuse(&f, &child, SYNCD_ERROR_NOT_FOUND, "ephemeral");
    g_autofree char *lease = claim(&f, NULL);
    g_assert_false(syncd_service_complete_task(f.service, &f.caller, lease, names, &done, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

static void it_is_gone_after_its_time_and_after_a_start(void)
{
    ServiceFixture f;
    begin(&f);
    g_autofree char *one = tell(&f, "note-1", "{}");
    pass(&f, SYNCD_EPHEMERAL_LIFE_MS / 2);
    g_autofree char *two = tell(&f, "note-2", "{}");
    g_free(get(&f, one));
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    g_assert_cmpuint(due, <=, f.base.now_usec + SYNCD_EPHEMERAL_LIFE_MS * 500u);
    f.base.now_usec = due;
    assert_absent(&f, one); /* also before anybody cleaned up */
    g_free(get(&f, two));
    g_assert_cmpuint(count(&f, (SyncdListing){0}), ==, 1);
    service_close(&f);
    service_open(&f);
    assert_absent(&f, two);
    g_assert_cmpuint(count(&f, (SyncdListing){0}), ==, 0);
    service_clear(&f);
}

static void a_key_gives_the_first_one_while_it_lives(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest request = presence();
    request.idempotency_key = "here";
    g_auto(SyncdEnqueued) first = enqueue(&f, &request), again = enqueue(&f, &request);
    g_assert_true(again.duplicate);
    g_assert_cmpstr(again.operation, ==, first.operation);
    request.body = SYNCD_BYTES_TEXT("{\"a\":1}");
    refuse(&f, &request, SYNCD_ERROR_INVALID_ARGS, "/idempotency_key");
    pass(&f, SYNCD_EPHEMERAL_LIFE_MS);
    g_auto(SyncdEnqueued) later = enqueue(&f, &request);
    g_assert_false(later.duplicate);
    service_clear(&f);
}

static void what_would_leave_something_is_refused(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest request = presence();
    request.create_scope = true;
    refuse(&f, &request, SYNCD_ERROR_INVALID_CONTRACT, "create_scope");
    request = presence();
    request.restore = true;
    refuse(&f, &request, SYNCD_ERROR_INVALID_CONTRACT, "restore");
    request = presence();
    request.scope = "workspace:absent";
    refuse(&f, &request, SYNCD_ERROR_NOT_FOUND, "workspace:absent");
    request = presence();
    g_autofree char *body = g_strnfill(SYNCD_EPHEMERAL_BODY_SIZE, ' ');
    memcpy(body, "{}", 2);
    request.body = SYNCD_BYTES_TEXT(body);
    g_auto(SyncdEnqueued) enqueued = enqueue(&f, &request);
    g_assert_nonnull(enqueued.operation);
    g_autofree char *large = g_strconcat(body, " ", NULL);
    request.body = SYNCD_BYTES_TEXT(large);
    refuse(&f, &request, SYNCD_ERROR_TOO_LARGE, "/body");
    SyncdCaller stranger = {.uid = 4711};
    f.caller = stranger;
    request = presence();
    refuse(&f, &request, SYNCD_ERROR_ACCESS_DENIED, "4711");
    service_clear(&f);
}

static void it_is_sent_alone(void)
{
    ServiceFixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    guint64 before = service_sequence(&f);
    SyncdBytes lines = SYNCD_BYTES_TEXT(
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"device\",\"object\":\"a\",\"body\":{}}\n"
        "{\"type\":\"sync.operation.enqueue\",\"scope\":\"device\",\"object\":\"a\",\"body\":{},"
        "\"lane\":\"ephemeral\"}\n");
    g_assert_null(enqueue_many_at_once(f.service, &f.caller, lines, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_nonnull(strstr(error->message, "Line 2: "));
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void listings_have_filters_pages_and_an_order(void)
{
    ServiceFixture f;
    begin(&f);
    g_autofree char *one = tell(&f, "note-1", "{}"), *two = tell(&f, "note-2", "{}"),
                    *three = tell(&f, "note-1", "{}");
    g_assert_cmpuint(count(&f, (SyncdListing){.object = "note-1"}), ==, 2);
    g_assert_cmpuint(count(&f, (SyncdListing){.scope = "device"}), ==, 0);
    g_assert_cmpuint(count(&f, (SyncdListing){.scope = "workspace:notes"}), ==, 3);
    g_assert_cmpuint(count(&f, (SyncdListing){.actor = "nobody"}), ==, 0);
    g_assert_cmpuint(count(&f, (SyncdListing){.operation = two}), ==, 1);
    g_assert_cmpuint(count(&f, (SyncdListing){.type = "sync.operation.replay"}), ==, 0);
    g_assert_cmpuint(count(&f, (SyncdListing){.since_usec = f.base.now_usec * 2}), ==, 0);
    static const char *const orders[] = {"newest", "oldest"};
    const char *const expected[2][3] = {{three, two, one}, {one, two, three}};
    for (size_t i = 0; i < G_N_ELEMENTS(orders); i++) {
        g_autofree char *cursor = NULL;
        for (size_t n = 0; n < 3; n++) {
            g_autofree char *next = NULL;
            g_autofree char *page =
                list(&f, (SyncdListing){.order = orders[i], .limit = 1, .cursor = cursor}, &next);
            g_assert_cmpuint(count_elements(page), ==, 1);
            g_assert_nonnull(strstr(page, expected[i][n]));
            g_free(cursor);
            cursor = g_steal_pointer(&next);
        }
        g_assert_cmpstr(cursor, ==, "");
    }
    static const SyncdListing bad[] = {{.cursor = "e"},  {.cursor = "e0"}, {.cursor = "e1x"},
                                       {.cursor = "17"}, {.after = 1},     {.order = "up"},
                                       {.limit = 101},   {.type = "none"}};
    for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
        SyncdListing listing = bad[i];
        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        listing.ephemeral = true;
        g_assert_null(
            syncd_service_list_operations(f.service, &f.caller, &listing, &cursor, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    service_clear(&f);
}

static void assert_counts(ServiceFixture *f, const char *name, guint64 expected)
{
    g_autofree char *description = syncd_service_describe(f->service, &f->caller, NULL);
    g_autofree char *counts = member_of(description, "ephemeral");
    g_autofree char *number = g_strdup_printf("%" G_GUINT64_FORMAT, expected);
    assert_member(counts, name, number);
}

static void the_oldest_makes_room_and_is_counted(void)
{
    ServiceFixture f;
    begin(&f);
    g_autofree char *first = tell(&f, "note-1", "{}");
    for (guint i = 1; i < SYNCD_EPHEMERAL_EACH_MAX; i++)
        g_free(tell(&f, "note-1", "{}"));
    g_free(get(&f, first));
    assert_counts(&f, "dropped", 0);
    g_free(tell(&f, "note-1", "{}"));
    assert_absent(&f, first);
    assert_counts(&f, "dropped", 1);
    assert_counts(&f, "operations", SYNCD_EPHEMERAL_EACH_MAX);
    pass(&f, SYNCD_EPHEMERAL_LIFE_MS);
    assert_counts(&f, "operations", 0);
    assert_counts(&f, "bytes", 0);
    assert_counts(&f, "expired", SYNCD_EPHEMERAL_EACH_MAX);
    service_clear(&f);
}

/* ---- the table alone ---- */

static const SyncdEphemeral *add(SyncdEphemerals *table, uid_t uid, guint number, size_t size)
{
    SyncdEphemeral *ephemeral = g_new0(SyncdEphemeral, 1);
    ephemeral->uid = uid;
    ephemeral->operation = g_strdup_printf("op-%u-%u", (unsigned)uid, number);
    ephemeral->actor = g_strdup("actor");
    ephemeral->scope_id = g_strdup("scope");
    ephemeral->object = g_strdup("");
    ephemeral->meta = g_strdup("{}");
    ephemeral->body = g_malloc0(size);
    ephemeral->body_size = size;
    return syncd_ephemerals_add(table, ephemeral, number);
}

static void bytes_are_bounded_as_well(void)
{
    g_autoptr(SyncdEphemerals) table = syncd_ephemerals_new();
    for (guint i = 0; i < 100; i++) {
        add(table, 1, i, SYNCD_EPHEMERAL_BODY_SIZE);
        SyncdEphemeralCounts counts = syncd_ephemerals_count(table);
        g_assert_cmpuint(counts.bytes, <=, SYNCD_EPHEMERAL_EACH_SIZE);
        g_assert_cmpuint(counts.operations + counts.dropped, ==, i + 1);
    }
    g_assert_null(syncd_ephemerals_find(table, "op-1-0"));
    g_assert_nonnull(syncd_ephemerals_find(table, "op-1-99"));
}

static void nobody_takes_the_room_of_others(void)
{
    g_autoptr(SyncdEphemerals) table = syncd_ephemerals_new();
    add(table, 1, 0, 10);
    for (guint i = 0; i < 3 * SYNCD_EPHEMERAL_EACH_MAX; i++)
        add(table, 2, i, 10);
    g_assert_nonnull(syncd_ephemerals_find(table, "op-1-0"));
    g_assert_cmpuint(syncd_ephemerals_count(table).operations, ==, SYNCD_EPHEMERAL_EACH_MAX + 1);
    for (uid_t uid = 3; uid <= SYNCD_EPHEMERAL_UIDS_MAX; uid++)
        add(table, uid, 0, 10);
    g_assert_false(syncd_ephemerals_have_room(table, 4711));
    g_assert_true(syncd_ephemerals_have_room(table, 1));
    syncd_ephemerals_expire(table, SYNCD_EPHEMERAL_LIFE_MS * 1000u);
    g_assert_true(syncd_ephemerals_have_room(table, 4711));
    g_assert_cmpuint(syncd_ephemerals_next_due(table), >, SYNCD_EPHEMERAL_LIFE_MS * 1000u);
    syncd_ephemerals_expire(table, G_MAXUINT64);
    g_assert_cmpuint(syncd_ephemerals_next_due(table), ==, G_MAXUINT64);
}

static void others_do_not_see_it(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(register_record(&f, "actor", ACTOR("other", "uid:1001", "")), ==, -1);
    const SyncdCaller inspector = {.uid = 0, .inspector = true};
    SyncdRequest request = presence();
    request.scope = "device";
    g_auto(SyncdEnqueued) own = enqueue(&f, &request);
    g_free(get(&f, own.operation));
    const SyncdCaller other = {.uid = 1001};
    g_assert_null(syncd_service_get_operation(f.service, &other, own.operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    SyncdListing listing = {.ephemeral = true};
    g_autofree char *cursor = NULL, *more = NULL;
    g_autofree char *seen =
        syncd_service_list_operations(f.service, &other, &listing, &cursor, NULL);
    g_assert_cmpstr(seen, ==, "[]");
    g_autofree char *inspected =
        syncd_service_list_operations(f.service, &inspector, &listing, &more, NULL);
    g_assert_cmpuint(count_elements(inspected), ==, 1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/ephemeral/seen", it_is_seen_and_is_not_durable);
    g_test_add_func("/ephemeral/contract", the_record_keeps_to_the_contract);
    g_test_add_func("/ephemeral/log", the_log_and_its_listings_know_nothing_of_it);
    g_test_add_func("/ephemeral/parent", it_is_no_parent_and_no_evidence);
    g_test_add_func("/ephemeral/gone", it_is_gone_after_its_time_and_after_a_start);
    g_test_add_func("/ephemeral/key", a_key_gives_the_first_one_while_it_lives);
    g_test_add_func("/ephemeral/refused", what_would_leave_something_is_refused);
    g_test_add_func("/ephemeral/alone", it_is_sent_alone);
    g_test_add_func("/ephemeral/list", listings_have_filters_pages_and_an_order);
    g_test_add_func("/ephemeral/room", the_oldest_makes_room_and_is_counted);
    g_test_add_func("/ephemeral/bytes", bytes_are_bounded_as_well);
    g_test_add_func("/ephemeral/share", nobody_takes_the_room_of_others);
    g_test_add_func("/ephemeral/others", others_do_not_see_it);
    return g_test_run();
}
