/*
 * Laws of operations and tasks, over histories made from a seed: whatever is enqueued, claimed,
 * completed, failed, replayed, reconciled, deleted and restored, whoever leaves, whatever the
 * clocks do and whenever it restarts, each state is what the two tables make of the entries, a
 * rebuilt index says the same, and doing any of it twice changes nothing.
 */
#include "domain/lifecycle.h"
#include "index-dump.h"
#include "service/internal.h"
#include "task-fixture.h"

#define LINE(body)                                                                                 \
    "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\",\"object\":\"note-%u\","   \
    "\"create_scope\":true,\"body\":" body "}\n"

typedef struct {
    ServiceFixture f;
    GPtrArray *operations; /* char * */
    GPtrArray *leases;     /* char *, those that have ended too */
    GPtrArray *replays;    /* "operation\nkey" */
} History;

static unsigned below(History *h, unsigned n)
{
    return (unsigned)(fixture_next(&h->f.base) % n);
}

static const char *any(History *h, GPtrArray *of)
{
    return of->len > 0 ? of->pdata[below(h, of->len)] : "op-none";
}

static void enqueue_one(History *h)
{
    static const char *const lanes[] = {"normal", "priority", "archive", "memory"};
    const char *parents[4] = {NULL};
    SyncdRequest request = good_request();
    g_autofree char *object = g_strdup_printf("note-%u", below(h, 4));
    for (unsigned i = 0; i < below(h, 3) && i < h->operations->len; i++) {
        const char *parent = any(h, h->operations);
        if (!g_strv_contains(parents, parent))
            parents[i] = parent;
        else
            break;
    }
    request.object = object;
    request.lane = lanes[below(h, G_N_ELEMENTS(lanes))];
    request.parents = parents;
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    if (syncd_service_enqueue(h->f.service, &h->f.caller, &request, &enqueued, &error)) {
        /* It can be named once it is durable. */
        syncd_service_commit(h->f.service);
        g_ptr_array_add(h->operations, g_steal_pointer(&enqueued.operation));
    }
}

static void claim_one(History *h)
{
    static const char *const workers[] = {":1.1", ":1.2", NULL};
    char *lease = NULL;
    SyncdClaim wanted = {.operation = below(h, 3) == 0 ? any(h, h->operations) : NULL};
    h->f.caller.worker = workers[below(h, 3)];
    if (claim_at_once(h->f.service, &h->f.caller, &wanted, &lease, NULL) && lease != NULL)
        g_ptr_array_add(h->leases, lease);
}

static void end_one(History *h)
{
    g_autofree char *operation = NULL;
    const SyncdFailure failure = {.reason = "no", .final = below(h, 2) == 0};
    if (below(h, 2))
        syncd_service_complete_task(h->f.service, &h->f.caller, any(h, h->leases), NULL, &operation,
                                    NULL);
    else
        syncd_service_fail_task(h->f.service, &h->f.caller, any(h, h->leases), &failure, &operation,
                                NULL);
}

static void replay_one(History *h)
{
    g_autofree char *key = g_strdup_printf("k%u", below(h, 3));
    g_auto(SyncdReplayed) replayed = {0};
    const char *operation = any(h, h->operations);
    if (syncd_service_replay(h->f.service, &h->f.caller, operation, key, &replayed, NULL))
        g_ptr_array_add(h->replays, g_strdup_printf("%s\n%s", operation, key));
}

static void cancel_one(History *h)
{
    g_autofree char *operation = NULL;
    syncd_service_cancel_task(h->f.service, &h->f.caller, any(h, h->operations), "no need",
                              &operation, NULL);
}

static void restart(History *h)
{
    service_close(&h->f);
    if (below(h, 3) == 0)
        remove_index(&h->f.base);
    if (below(h, 4) == 0)
        h->f.base.now_usec -= G_GUINT64_CONSTANT(86400000000);
    service_open(&h->f);
}

/* Two in one call, of an object that may be deleted by then. */
static void enqueue_many(History *h)
{
    GString *results = NULL;
    unsigned object = below(h, 4);
    g_autofree char *lines = g_strdup_printf(LINE("{}") LINE("{\"n\":1}"), object, object);
    g_autoptr(SyncdMany) batch =
        syncd_service_begin_many(h->f.service, &h->f.caller, SYNCD_BYTES_TEXT(lines), NULL);
    while (batch != NULL && results == NULL && syncd_many_step(batch, &results, NULL))
        ;
    if (results == NULL)
        return;
    syncd_service_commit(h->f.service);
    g_auto(GStrv) each = g_strsplit(g_strchomp(results->str), "\n", -1);
    for (guint i = 0; each[i] != NULL; i++)
        g_ptr_array_add(h->operations,
                        syncd_json_dup_text(syncd_json_member(
                            syncd_json_root(each[i], strlen(each[i])), "operation")));
    g_string_free(results, TRUE);
}

/* Few names for many operations, so that most contradict an earlier one. */
static void reconcile_one(History *h)
{
    const char *operation = any(h, h->operations);
    g_autofree char *document =
        g_strdup_printf("{\"remote_operation_id\":\"remote-%u\",\"ledger_evidence_refs\":[\"%s\"]}",
                        below(h, 4), operation);
    g_auto(SyncdReconciled) reconciled = {0};
    syncd_service_reconcile(h->f.service, &h->f.caller, operation, SYNCD_BYTES_TEXT(document),
                            &reconciled, NULL);
}

static void delete_or_restore(History *h, bool restore)
{
    SyncdRequest request = good_request();
    g_autofree char *object = g_strdup_printf("note-%u", below(h, 4));
    request.object = object;
    request.restore = restore;
    request.lane = restore ? NULL : "tombstone";
    g_auto(SyncdEnqueued) enqueued = {0};
    if (syncd_service_enqueue(h->f.service, &h->f.caller, &request, &enqueued, NULL) && restore) {
        syncd_service_commit(h->f.service);
        g_ptr_array_add(h->operations, g_steal_pointer(&enqueued.operation));
    }
}

static void delete_one(History *h)
{
    delete_or_restore(h, false);
}

static void restore_one(History *h)
{
    delete_or_restore(h, true);
}

static void write_checkpoint(History *h)
{
    g_autofree char *operation = NULL;
    syncd_service_checkpoint(h->f.service, &h->f.caller, "workspace:notes", &operation, NULL);
}

static void commit_turn(History *h)
{
    syncd_service_commit(h->f.service);
}

static void let_time_pass(History *h)
{
    h->f.base.now_usec += G_GUINT64_CONSTANT(1000000) * below(h, 90);
    syncd_service_work(h->f.service);
}

static void renew_one(History *h)
{
    guint64 until;
    syncd_service_renew_task(h->f.service, &h->f.caller, any(h, h->leases), 0, &until, NULL);
}

static void leave(History *h)
{
    syncd_service_worker_gone(h->f.service, below(h, 2) ? ":1.1" : ":1.2");
}

static void step(History *h)
{
    static const struct {
        void (*func)(History *h);
        unsigned of_100;
    } steps[] = {
        {enqueue_one, 17},  {enqueue_many, 3},     {claim_one, 21}, {end_one, 14},
        {replay_one, 7},    {commit_turn, 7},      {renew_one, 6},  {leave, 6},
        {let_time_pass, 6}, {reconcile_one, 4},    {cancel_one, 2}, {delete_one, 2},
        {restore_one, 2},   {write_checkpoint, 1}, {restart, 2},
    };
    unsigned at = below(h, 100);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (at < steps[i].of_100) {
            steps[i].func(h);
            return;
        }
        at -= steps[i].of_100;
    }
    g_assert_not_reached();
}

/* ---- the laws ---- */

/* The states, as the entries make them by the tables alone. */
static GHashTable *fold(History *h)
{
    GHashTable *states = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autofree char *cursor = g_strdup("");
    do {
        g_autoptr(GError) error = NULL;
        g_autofree char *next = NULL;
        SyncdListing listing = {.cursor = cursor, .bodies = true};
        g_autoptr(GString) lines =
            syncd_service_list_bytes(h->f.service, &h->f.caller, &listing, &next, &error);
        g_assert_no_error(error);
        g_auto(GStrv) each = g_strsplit(lines->str, "\n", -1);
        for (guint i = 0; each[i] != NULL && *each[i] != '\0'; i++) {
            SyncdJson line = syncd_json_root(each[i], strlen(each[i]));
            SyncdJson header = syncd_json_member(line, "header");
            g_autofree char *kind = syncd_json_dup_text(syncd_json_member(header, "kind"));
            SyncdEvent event;
            const char *member;
            if (strcmp(kind, "operation.enqueue") == 0) {
                SyncdLifecycle *state = g_new0(SyncdLifecycle, 1);
                *state = SYNCD_LIFECYCLE_BEGIN;
                g_hash_table_insert(states, syncd_json_dup_text(syncd_json_member(header, "op")),
                                    state);
            } else if (syncd_lifecycle_kind(SYNCD_BYTES_TEXT(kind), &event, &member)) {
                g_autofree char *operation =
                    syncd_json_dup_text(syncd_json_member(syncd_json_member(line, "body"), member));
                SyncdLifecycle *state = g_hash_table_lookup(states, operation);
                g_assert_nonnull(state);
                /* nothing is written that the tables do not have */
                g_assert_true(syncd_lifecycle_move(state, event));
            }
        }
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    return states;
}

static void check_states(History *h)
{
    g_autoptr(GHashTable) states = fold(h);
    for (guint i = 0; i < h->operations->len; i++) {
        const SyncdLifecycle *state = g_hash_table_lookup(states, h->operations->pdata[i]);
        g_assert_nonnull(state);
        g_autofree char *task = get_task(&h->f, h->operations->pdata[i]);
        g_autofree char *expected = g_strdup_printf("\"%s\"", syncd_task_state_name(state->task));
        assert_member(task, "status", expected);
        g_autofree char *status = member_of(task, "operation_status");
        if (strcmp(status, "\"blocked\"") == 0)
            continue;
        g_autofree char *operation =
            g_strdup_printf("\"%s\"", syncd_operation_state_name(state->operation));
        g_assert_cmpstr(status, ==, operation);
    }
}

/* Every replay and every end of a lease once more. */
static void do_it_again(History *h)
{
    guint64 before = service_sequence(&h->f);
    for (guint i = 0; i < h->replays->len; i++) {
        g_auto(GStrv) parts = g_strsplit(h->replays->pdata[i], "\n", 2);
        g_auto(SyncdReplayed) replayed = {0};
        g_autoptr(GError) error = NULL;
        syncd_service_replay(h->f.service, &h->f.caller, parts[0], parts[1], &replayed, &error);
        g_assert_no_error(error);
        g_assert_true(replayed.duplicate);
    }
    g_assert_false(syncd_service_has_turn(h->f.service));
    g_assert_cmpuint(service_sequence(&h->f), ==, before);
}

/* Laws over histories in which a thing never happens say nothing of it. */
static const char *const happenings[] = {
    "sync.task.lost",         "sync.task.retried",       "sync.task.failed",
    "sync.task.cancelled",    "sync.operation.replayed", "sync.operation.reconciled",
    "sync.object.tombstoned", "sync.object.restored",    "sync.checkpoint.written",
};
static guint happened[G_N_ELEMENTS(happenings)];

static void count_happenings(History *h)
{
    for (size_t i = 0; i < G_N_ELEMENTS(happenings); i++)
        happened[i] += count_events(&h->f, happenings[i]);
}

static void one_history(guint64 seed)
{
    History h = {.operations = g_ptr_array_new_with_free_func(g_free),
                 .leases = g_ptr_array_new_with_free_func(g_free),
                 .replays = g_ptr_array_new_with_free_func(g_free)};
    service_init(&h.f);
    h.f.base.seed = seed;
    for (int i = 0; i < 120; i++)
        step(&h);
    syncd_service_commit(h.f.service);
    check_states(&h);
    count_happenings(&h);
    do_it_again(&h);
    check_states(&h);
    assert_index_adds_up(h.f.service->store);
    service_close(&h.f);

    g_autofree char *incremental = dump_index(h.f.base.directory);
    remove_index(&h.f.base);
    service_open(&h.f);
    check_states(&h);
    service_close(&h.f);
    g_autofree char *rebuilt = dump_index(h.f.base.directory);
    if (strcmp(incremental, rebuilt) != 0)
        g_error("seed %" G_GUINT64_FORMAT ": rebuilt\n%s\nis not incremental\n%s", seed, rebuilt,
                incremental);
    fixture_clear(&h.f.base);
    g_ptr_array_unref(h.operations);
    g_ptr_array_unref(h.leases);
    g_ptr_array_unref(h.replays);
}

static void any_history_is_what_its_entries_make_of_it(void)
{
    guint64 seeds = g_test_slow() ? 500 : 20;
    for (guint64 seed = 1; seed <= seeds; seed++)
        one_history(seed * 104729);
    for (size_t i = 0; i < G_N_ELEMENTS(happenings); i++) {
        g_test_message("%s: %u", happenings[i], happened[i]);
        g_assert_true(happened[i] > 0);
    }
}

/* Entries that no method would write; whoever could sign them still moves nothing by them. */
static void an_untabled_entry_moves_nothing(void)
{
    static const SyncdEvent untabled[] = {SYNCD_EVENT_LOSE, SYNCD_EVENT_RETRY, SYNCD_EVENT_COMPLETE,
                                          SYNCD_EVENT_FAIL, SYNCD_EVENT_RECONCILE};
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *before = get_task(&f, operation);
    service_close(&f);
    fixture_open(&f.base);
    g_autoptr(SyncdScope) scope = NULL;
    g_assert_true(syncd_store_find_scope(f.base.store, "workspace", "notes", &scope, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(untabled); i++) {
        const char *kind = syncd_lifecycle_kind_of(untabled[i]), *member;
        g_assert_true(syncd_lifecycle_kind(SYNCD_BYTES_TEXT(kind), NULL, &member));
        g_autofree char *content =
            g_strdup_printf("{\"%s\":\"%s\",\"remote_operation_id\":\"r\"}", member, operation);
        g_autoptr(GError) error = NULL;
        SyncdDraft draft = {.kind = kind,
                            .actor = "actor-test",
                            .object = "note-1",
                            .decision = "",
                            .engine = "",
                            .lane = "normal",
                            .schema_id = "x",
                            .schema_version = 1,
                            .meta = SYNCD_BYTES_TEXT("{}"),
                            .content = SYNCD_BYTES_TEXT(content)};
        syncd_store_append(f.base.store, scope->id, &draft, NULL, &error);
        g_assert_no_error(error);
    }
    fixture_commit(&f.base);
    fixture_close(&f.base);
    for (int rebuilt = 0; rebuilt < 2; rebuilt++) {
        service_open(&f);
        run_jobs(&f);
        g_autofree char *after = get_task(&f, operation);
        g_assert_cmpstr(after, ==, before);
        service_close(&f);
        remove_index(&f.base);
    }
    fixture_clear(&f.base);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/task-property/any-history-is-what-its-entries-make-of-it",
                    any_history_is_what_its_entries_make_of_it);
    g_test_add_func("/task-property/an-untabled-entry-moves-nothing",
                    an_untabled_entry_moves_nothing);
    return g_test_run();
}
