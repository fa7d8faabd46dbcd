/*
 * A deleted object is purged when nothing stands against it, by who may; what is left of it is the
 * proof. A purge that was cut short is completed by itself.
 */
#include "index-dump.h"
#include "policy-fixture.h"
#include "purge-fixture.h"
#include "registry-fixture.h"
#include "service/purge.h"
#include "task-fixture.h"

#define MARKER "what-nobody-shall-find-again"

static SyncdPurgeRequest request_for(const char *digest)
{
    return (SyncdPurgeRequest){"workspace:notes", "note-1", digest};
}

static void delete_object(ServiceFixture *f, const char *object)
{
    SyncdRequest request = good_request();
    request.object = object;
    request.lane = "tombstone";
    g_free(enqueue_committed(f, &request));
}

static void delete_note(ServiceFixture *f)
{
    delete_object(f, "note-1");
}

/* An operation with a key, carried out. */
static char *put_note(ServiceFixture *f)
{
    SyncdRequest request = good_request();
    request.idempotency_key = "key-" MARKER;
    request.body = SYNCD_BYTES_TEXT("{\"text\":\"" MARKER "\"}");
    char *operation = enqueue_committed(f, &request);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    return operation;
}

static char *begin(ServiceFixture *f)
{
    service_init(f);
    char *operation = put_note(f);
    put(f, "note-2", "{}");
    return operation;
}

/* Its digest; the error's code is checked when there is to be none. */
static char *plan(ServiceFixture *f, int code)
{
    g_autoptr(GError) error = NULL;
    guint64 before = service_sequence(f);
    const SyncdPurgeRequest request = request_for(NULL);
    g_autofree char *text = syncd_service_plan_purge(f->service, &f->caller, &request, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_cmpuint(service_sequence(f), ==, before);
    if (text == NULL)
        return NULL;
    g_autofree char *quoted = member_of(text, "digest");
    return g_strndup(quoted + 1, strlen(quoted) - 2);
}

static char *purge_at(ServiceFixture *f, const char *digest, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    const SyncdPurgeRequest request = request_for(digest);
    syncd_service_purge(f->service, &f->caller, &request, &purged, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    /* the record of a refusal */
    g_assert_cmpint(syncd_service_has_turn(f->service), ==, code == SYNCD_ERROR_POLICY_DENIED);
    return g_steal_pointer(&purged.operation);
}

static char *purge(ServiceFixture *f)
{
    g_autofree char *digest = plan(f, -1);
    return purge_at(f, digest, -1);
}

static void finish(ServiceFixture *f)
{
    for (int i = 0; i < 3; i++) {
        run_jobs(f);
        syncd_service_commit(f->service);
    }
}

static char *report(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    char *text = syncd_service_describe_purge(f->service, &f->caller, operation, &error);
    g_assert_no_error(error);
    return text;
}

static void a_deleted_object_is_purged_and_proven(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    g_autofree char *purged = purge_at(&f, digest, -1);
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    assert_member(soon, "proof", "null");
    finish(&f);
    g_autofree char *late = report(&f, purged);
    assert_member(late, "state", "\"proven\"");
    assert_member(late, "entries", "2");
    g_assert_false(state_holds(&f.base, MARKER));
    g_assert_cmpuint(count_events(&f, "sync.object.purged"), ==, 1);
    g_assert_cmpuint(count_events(&f, "sync.object.purge_proven"), ==, 1);
    plan(&f, SYNCD_ERROR_ALREADY_RESOLVED);
    g_free(purge_at(&f, digest, SYNCD_ERROR_ALREADY_RESOLVED));
    service_clear(&f);
}

static void the_proof_names_what_went_and_what_is_out_of_reach(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_autofree char *purged = purge(&f);
    finish(&f);
    g_autofree char *line = newest_line(&f);
    g_autofree char *body = member_of(line, "body"), *header = member_of(line, "header");
    assert_member(header, "lane", "\"audit\"");
    assert_member(header, "kind", "\"deletion.proven\"");
    g_autofree char *quoted = g_strdup_printf("\"%s\"", purged);
    assert_member(body, "purge", quoted);
    g_autofree char *entries = member_of(body, "entries"),
                    *unreachable = member_of(body, "unreachable"),
                    *approval = member_of(body, "approval"),
                    *decision = member_of(body, "policy_decision_ref");
    g_assert_nonnull(strstr(entries, operation));
    g_assert_cmpuint(count_elements(entries), ==, 2);
    g_assert_cmpuint(count_elements(unreachable), >=, 3);
    assert_member(approval, "subject", "\"uid:1000\"");
    g_assert_true(g_str_has_prefix(decision, "\"policy-"));
    g_autofree char *named = member_of(header, "decision");
    g_assert_cmpstr(named, ==, decision);
    service_clear(&f);
}

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

static void nothing_is_purged_that_is_not_deleted(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    plan(&f, SYNCD_ERROR_INVALID_CONTRACT);
    g_free(purge_at(&f, "sha256:0", SYNCD_ERROR_INVALID_CONTRACT));
    delete_note(&f);
    SyncdRequest restore = good_request();
    restore.restore = true;
    g_free(enqueue_committed(&f, &restore));
    plan(&f, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

static void what_has_not_ended_stands_against_it(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    SyncdRequest more = good_request();
    g_autofree char *held = enqueue_committed(&f, &more);
    g_autofree char *lease = claim_operation(&f, held);
    g_autofree char *open = enqueue_committed(&f, &more);
    delete_note(&f);
    plan(&f, SYNCD_ERROR_BUSY);
    complete(&f, lease);
    plan(&f, SYNCD_ERROR_BUSY);
    /* nobody can claim it any more */
    g_autoptr(GError) error = NULL;
    g_autofree char *cancelled = NULL;
    syncd_service_cancel_task(f.service, &f.caller, open, NULL, &cancelled, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_free(plan(&f, -1));
    service_clear(&f);
}

static void only_what_was_looked_at_is_purged(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    guint64 before = service_sequence(&f);
    g_free(purge_at(&f, "sha256:0", SYNCD_ERROR_STALE_DIGEST));
    g_free(purge_at(&f, NULL, SYNCD_ERROR_STALE_DIGEST));
    g_assert_cmpuint(service_sequence(&f), ==, before);
    SyncdRequest restore = good_request();
    restore.restore = true;
    g_autofree char *again = enqueue_committed(&f, &restore);
    g_autofree char *lease = claim_operation(&f, again);
    complete(&f, lease);
    delete_note(&f);
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    service_clear(&f);
}

/* What came in the same turn, and waits for its commit, is part of what is looked at. */
static void what_is_in_the_open_turn_is_purged_too(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    g_autoptr(GError) error = NULL;
    g_autofree char *document = g_strdup_printf(
        "{\"remote_operation_id\":\"" MARKER "\",\"ledger_evidence_refs\":[\"%s\"]}", operation);
    g_auto(SyncdReconciled) reconciled = {0};
    syncd_service_reconcile(f.service, &f.caller, operation, SYNCD_BYTES_TEXT(document),
                            &reconciled, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_service_has_turn(f.service));
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_holds(&f.base, MARKER));
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

static void nobody_enqueues_a_purge(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) none = {0};
    SyncdRequest request = good_request();
    request.type = "sync.deletion.purged";
    syncd_service_enqueue(f.service, &f.caller, &request, &none, &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_APPROVAL_REQUIRED);
    service_clear(&f);
}

static void strangers_purge_nothing(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    f.caller.uid = OWNER + 1;
    g_autoptr(GError) error = NULL;
    const SyncdPurgeRequest request = request_for(NULL);
    g_assert_null(syncd_service_plan_purge(f.service, &f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    service_clear(&f);
}

/* ---- retention and policy ---- */

#define SCHEMA_OF(class)                                                                           \
    "{\"schema_id\":\"note/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","                \
    "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\",\"conflict_policy\":" \
    "\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":\"workspace\","                     \
    "\"retention_class\":\"" class "\"}"
#define OBJECT_OF(class)                                                                           \
    "{\"object_id\":\"note-1\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","                \
    "\"schema_version\":\"1\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"                \
    "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","              \
    "\"sync_visibility\":\"workspace\",\"retention_class\":\"" class "\",\"policy_tags\":[],"      \
                                                                     "\"provenance\":[\"" MARKER   \
                                                                     "\"]}"

static void what_must_be_kept_is_kept(void)
{
    static const struct {
        const char *schema;
        const char *object;
        int code;
    } cases[] = {
        {SCHEMA_OF("normal"), OBJECT_OF("normal"), -1},
        {SCHEMA_OF("normal"), OBJECT_OF("ephemeral"), -1},
        {SCHEMA_OF("normal"), OBJECT_OF("legal_hold"), SYNCD_ERROR_POLICY_DENIED},
        {SCHEMA_OF("normal"), OBJECT_OF("retained"), SYNCD_ERROR_POLICY_DENIED},
        {SCHEMA_OF("legal_hold"), OBJECT_OF("normal"), SYNCD_ERROR_POLICY_DENIED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        g_free(begin(&f));
        g_assert_cmpint(register_record(&f, "schema", cases[i].schema), ==, -1);
        g_assert_cmpint(register_record(&f, "object", cases[i].object), ==, -1);
        delete_note(&f);
        g_free(plan(&f, cases[i].code));
        service_clear(&f);
    }
}

static void policy_keeps_what_it_says(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    syncd_service_set_policy(
        f.service,
        set_of(FILE_OF(RULE("\"actions\":[\"purge_preview\"],\"objects\":[\"note-1\"]", "deny",
                            "kept_for_the_board")),
               NULL),
        NULL);
    g_free(plan(&f, SYNCD_ERROR_POLICY_DENIED));
    g_free(purge_at(&f, digest, SYNCD_ERROR_POLICY_DENIED));
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);
    /* and nothing else is refused by it */
    put(&f, "note-2", "{}");
    /* what is shown under one policy is not purged under another without being looked at again */
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"objects\":[\"note-1\"]", "allow", "go_on")), NULL), NULL);
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    service_clear(&f);
}

static void the_record_of_the_object_goes_with_it(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("normal")), ==, -1);
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), ==, -1);
    delete_note(&f);
    assert_state(&f, "object", "note-1", "tombstoned");
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_holds(&f.base, MARKER));
    /* nor is there ever another one of that name */
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), !=, -1);
    service_close(&f);
    service_open(&f);
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), !=, -1);
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

/* Which takes some hundred GiB of content. */
static void a_purge_that_no_entry_can_list_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    g_autoptr(GPtrArray) chunks = g_ptr_array_new();
    const SyncdPurgeRequest request = request_for(NULL);
    SyncdScope scope = {.id = (char *)"workspace-01j0000000000000000000000c"};
    SyncdPurgedChunk chunk = {.name = (char *)"digest", .size = 1048576};
    SyncdPurgeable purgeable = {.entries = entries, .chunks = chunks};
    SyncdPurgePlan plan = {.request = &request,
                           .scope = &scope,
                           .subject = (char *)"uid:1000",
                           .purgeable = &purgeable};
    g_ptr_array_add(chunks, &chunk);
    g_autoptr(GString) little = syncd_purge_write(&plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(little);
    while (chunks->len < SYNCD_STORE_CONTENT_MAX / 32)
        g_ptr_array_add(chunks, &chunk);
    g_assert_null(syncd_purge_write(&plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
}

/* ---- cut short ---- */

static void a_purge_that_was_cut_short_is_completed(void)
{
    for (int steps = 0; steps < 3; steps++) {
        ServiceFixture f;
        g_free(begin(&f));
        delete_note(&f);
        g_autofree char *purged = purge(&f);
        for (int i = 0; i < steps; i++)
            syncd_service_work(f.service);
        service_close(&f);
        service_open(&f);
        finish(&f);
        g_autofree char *now = report(&f, purged);
        assert_member(now, "state", "\"proven\"");
        g_assert_false(state_holds(&f.base, MARKER));
        g_assert_cmpuint(count_events(&f, "sync.object.purge_proven"), ==, 1);
        service_clear(&f);
    }
}

/* The only file below blobs/. */
static char *find_chunk(ServiceFixture *f)
{
    g_autofree char *blobs = g_build_filename(f->base.directory, "blobs", NULL);
    g_autoptr(GDir) outer = g_dir_open(blobs, 0, NULL);
    g_autofree char *folder = g_build_filename(blobs, g_dir_read_name(outer), NULL);
    g_autoptr(GDir) inner = g_dir_open(folder, 0, NULL);
    return g_build_filename(folder, g_dir_read_name(inner), NULL);
}

/* Purged, but for the file. */
static char *begin_large(ServiceFixture *f)
{
    service_init(f);
    g_autofree char *fill = g_strnfill(SYNCD_STORE_INLINE_MAX, 'x');
    g_autofree char *body = g_strdup_printf("{\"text\":\"%s" MARKER "\"}", fill);
    g_autofree char *operation = enqueue_body(f, "note-1", body);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    delete_note(f);
    return purge(f);
}

/* A folder in the place of the file cannot be removed as one. */
static void what_stands_in_the_way_is_tried_again(void)
{
    ServiceFixture f;
    g_autofree char *purged = begin_large(&f);
    g_autofree char *chunk = find_chunk(&f), *aside = g_strconcat(chunk, "-aside", NULL);
    g_assert_cmpint(g_rename(chunk, aside), ==, 0);
    g_assert_cmpint(g_mkdir(chunk, 0700), ==, 0);
    finish(&f);
    g_autofree char *now = report(&f, purged);
    assert_member(now, "state", "\"purged\"");
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    g_assert_cmpuint(due, <=, f.base.now_usec + 60 * G_USEC_PER_SEC);

    g_assert_cmpint(g_rmdir(chunk), ==, 0);
    g_assert_cmpint(g_rename(aside, chunk), ==, 0);
    finish(&f);
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    f.base.now_usec = due;
    finish(&f);
    g_autofree char *later = report(&f, purged);
    assert_member(later, "state", "\"proven\"");
    g_assert_false(g_file_test(chunk, G_FILE_TEST_EXISTS));
    g_assert_cmpuint(syncd_service_next_due(f.service), >, f.base.now_usec);
    service_clear(&f);
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

/* ---- how operations ended ---- */

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

/* One object more, carried out, deleted and purged. */
static char *purge_another(ServiceFixture *f, const char *object)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    SyncdPurgeRequest request = {"workspace:notes", object, NULL};
    g_autofree char *operation = enqueue_body(f, object, "{}");
    end_as(f, operation, "completed");
    delete_object(f, object);
    g_autofree char *shown = syncd_service_plan_purge(f->service, &f->caller, &request, &error);
    g_assert_no_error(error);
    g_autofree char *quoted = member_of(shown, "digest"),
                    *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    request.digest = digest;
    syncd_service_purge(f->service, &f->caller, &request, &purged, &error);
    g_assert_no_error(error);
    return g_steal_pointer(&purged.operation);
}

static void a_purge_that_cannot_go_on_keeps_no_other_from_it(void)
{
    ServiceFixture f;
    g_autofree char *stuck = begin_large(&f);
    g_autofree char *chunk = find_chunk(&f), *aside = g_strconcat(chunk, "-aside", NULL);
    g_assert_cmpint(g_rename(chunk, aside), ==, 0);
    g_assert_cmpint(g_mkdir(chunk, 0700), ==, 0);
    for (int round = 0; round < 2; round++) {
        const char *object = round == 0 ? "note-2" : "note-3";
        g_autofree char *purged = purge_another(&f, object);
        finish(&f);
        g_autofree char *later = report(&f, purged), *still = report(&f, stuck);
        assert_member(later, "state", "\"proven\"");
        assert_member(still, "state", "\"purged\"");
    }
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    g_assert_cmpint(g_rmdir(chunk), ==, 0);
    f.base.now_usec = due;
    finish(&f);
    g_autofree char *now = report(&f, stuck);
    assert_member(now, "state", "\"proven\"");
    service_clear(&f);
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
    g_test_add_func("/purge/proven", a_deleted_object_is_purged_and_proven);
    g_test_add_func("/purge/proof", the_proof_names_what_went_and_what_is_out_of_reach);
    g_test_add_func("/purge/reading", a_purged_operation_says_so);
    g_test_add_func("/purge/not-deleted", nothing_is_purged_that_is_not_deleted);
    g_test_add_func("/purge/not-ended", what_has_not_ended_stands_against_it);
    g_test_add_func("/purge/digest", only_what_was_looked_at_is_purged);
    g_test_add_func("/purge/open-turn", what_is_in_the_open_turn_is_purged_too);
    g_test_add_func("/purge/for-good", a_purged_object_is_never_there_again);
    g_test_add_func("/purge/enqueued", nobody_enqueues_a_purge);
    g_test_add_func("/purge/strangers", strangers_purge_nothing);
    g_test_add_func("/purge/retention", what_must_be_kept_is_kept);
    g_test_add_func("/purge/policy", policy_keeps_what_it_says);
    g_test_add_func("/purge/record", the_record_of_the_object_goes_with_it);
    g_test_add_func("/purge/name", the_name_of_a_purged_object_is_taken_everywhere);
    g_test_add_func("/purge/too-large", a_purge_that_no_entry_can_list_is_refused);
    g_test_add_func("/purge/cut-short", a_purge_that_was_cut_short_is_completed);
    g_test_add_func("/purge/tried-again", what_stands_in_the_way_is_tried_again);
    g_test_add_func("/purge/others-go-on", a_purge_that_cannot_go_on_keeps_no_other_from_it);
    g_test_add_func("/purge/ended", what_had_ended_is_not_offered_again);
    g_test_add_func("/purge/ends", an_operation_stays_ended_as_it_did);
    g_test_add_func("/purge/what-was-purged-keeps-no-task-from-view",
                    what_was_purged_keeps_no_task_from_view);
    return g_test_run();
}
