/*
 * A deletion and the record of its object know each other, whichever of the two was asked for; and
 * a deletion is whole or did not happen, wherever it breaks off.
 */
#include "base/timestamp.h"
#include "hurried.h"
#include "registry-fixture.h"

#define SCHEMA                                                                                     \
    "{\"schema_id\":\"note/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","                \
    "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\",\"conflict_policy\":" \
    "\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":\"workspace\","                     \
    "\"retention_class\":\"normal\"}"

#define OBJECT_OF(schema)                                                                          \
    "{\"object_id\":\"note-1\",\"object_type\":\"note\",\"schema_id\":\"" schema                   \
    "\",\"schema_version\":\"1\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"             \
    "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","              \
    "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\",\"policy_tags\":[],"         \
    "\"provenance\":[]}"
#define OBJECT OBJECT_OF("note/v1")

static void begin(ServiceFixture *f)
{
    service_init(f);
    put(f, "note-1", "{}");
    g_assert_cmpint(register_record(f, "schema", SCHEMA), ==, -1);
    g_assert_cmpint(register_record(f, "object", OBJECT), ==, -1);
}

static SyncdRequest deletion(void)
{
    SyncdRequest request = good_request();
    request.lane = "tombstone";
    return request;
}

static SyncdRequest restoring(void)
{
    SyncdRequest request = good_request();
    request.restore = true;
    return request;
}

static void refuse(ServiceFixture *f, const SyncdRequest *request, SyncdErrorCode code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    guint64 before = service_sequence(f);
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
    g_assert_cmpuint(service_sequence(f), ==, before);
}

static const char *const events[] = {
    "sync.object.deletion_authorised", "sync.object.tombstoned", "sync.object.deleted",
    "sync.object.propagated",          "sync.object.hidden",
};

static void assert_deleted(ServiceFixture *f)
{
    SyncdRequest change = good_request(), again = deletion();
    for (int restart = 0; restart < 2; restart++) {
        assert_state(f, "object", "note-1", "tombstoned");
        g_autofree char *state = record_member(f, "object", "note-1", "state");
        g_assert_cmpstr(state, ==, "\"tombstoned\"");
        refuse(f, &change, SYNCD_ERROR_NOT_FOUND);
        refuse(f, &again, SYNCD_ERROR_ALREADY_RESOLVED);
        g_assert_cmpint(revoke_record(f, "object", "note-1"), !=, -1);
        g_assert_cmpint(register_record(f, "object", OBJECT), !=, -1);
        g_assert_cmpint(update_record(f, "object", "note-1", OBJECT), !=, -1);
        for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
            g_assert_cmpuint(count_events(f, events[i]), ==, 1);
        service_close(f);
        service_open(f);
    }
}

static void a_deletion_ends_the_record(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest request = deletion();
    g_free(enqueue_committed(&f, &request));
    assert_deleted(&f);
    service_clear(&f);
}

static void who_ends_the_record_deletes_the_object(void)
{
    ServiceFixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    SyncdRegistryRequest request = {
        .kind = "object", .id = "note-1", .reason = "old", .idempotency_key = "k"};
    g_auto(SyncdRegistered) first = {0}, again = {0};
    g_assert_true(syncd_service_revoke(f.service, &f.caller, &request, &first, &error));
    syncd_service_commit(f.service);
    g_assert_true(syncd_service_revoke(f.service, &f.caller, &request, &again, &error));
    g_assert_no_error(error);
    g_assert_true(again.duplicate);
    g_assert_cmpuint(again.sequence, ==, first.sequence);
    g_autofree char *reason = record_member(&f, "object", "note-1", "revoke_reason");
    g_assert_cmpstr(reason, ==, "\"old\"");
    assert_deleted(&f);
    service_clear(&f);
}

static void a_restored_object_has_its_record_again(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest delete = deletion(), restore = restoring();
    for (int round = 0; round < 2; round++) {
        g_free(enqueue_committed(&f, &delete));
        g_free(enqueue_committed(&f, &restore));
        assert_state(&f, "object", "note-1", "active");
        put(&f, "note-1", "{}");
        g_assert_cmpint(update_record(&f, "object", "note-1", OBJECT), ==, -1);
    }
    /* without its schema it comes back as one that nobody knows */
    g_free(enqueue_committed(&f, &delete));
    g_assert_cmpint(revoke_record(&f, "schema", "note/v1@1"), ==, -1);
    g_free(enqueue_committed(&f, &restore));
    assert_state(&f, "object", "note-1", "quarantined");
    /* and can be deleted as that */
    g_free(enqueue_committed(&f, &delete));
    assert_state(&f, "object", "note-1", "tombstoned");
    service_clear(&f);
}

static void what_was_deleted_without_a_record_gets_none(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    g_assert_cmpint(register_record(&f, "schema", SCHEMA), ==, -1);
    SyncdRequest delete = deletion(), restore = restoring();
    g_free(enqueue_committed(&f, &delete));
    g_assert_cmpint(register_record(&f, "object", OBJECT), ==, SYNCD_ERROR_NOT_FOUND);
    g_free(enqueue_committed(&f, &restore));
    g_assert_cmpint(register_record(&f, "object", OBJECT), ==, -1);
    service_clear(&f);
}

/* The object lies in its workspace, whatever scope a request about it names. */
static void other_scopes_lead_to_the_same_object(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest elsewhere = deletion();
    elsewhere.scope = "device";
    elsewhere.body = SYNCD_BYTES_TEXT("{\"workspace_id\":\"workspace:notes\"}");
    refuse(&f, &elsewhere, SYNCD_ERROR_INVALID_CONTRACT);
    SyncdRequest delete = deletion();
    g_free(enqueue_committed(&f, &delete));
    elsewhere.lane = NULL;
    refuse(&f, &elsewhere, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

/* ---- whole or not at all ---- */

typedef bool (*DeleteFunc)(ServiceFixture *f, const SyncdCaller *caller, GError **error);

static bool by_operation(ServiceFixture *f, const SyncdCaller *caller, GError **error)
{
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = deletion();
    return syncd_service_enqueue(f->service, caller, &request, &enqueued, error);
}

static bool by_registry(ServiceFixture *f, const SyncdCaller *caller, GError **error)
{
    g_auto(SyncdRegistered) registered = {0};
    SyncdRegistryRequest request = {.kind = "object", .id = "note-1"};
    return syncd_service_revoke(f->service, caller, &request, &registered, error);
}

static bool by_line(ServiceFixture *f, const SyncdCaller *caller, GError **error)
{
    g_autoptr(GString) done = enqueue_many_at_once(
        f->service, caller,
        SYNCD_BYTES_TEXT("{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\","
                         "\"object\":\"note-1\",\"body\":{},\"lane\":\"tombstone\"}\n"),
        error);
    return done != NULL;
}

/* An actor whose time is over after so many looks at the clock: each step may be the last one. */
static SyncdCaller short_lived(ServiceFixture *f, guint looks)
{
    char until[SYNCD_TIME_SIZE];
    syncd_time_format_ms(f->base.now_usec / 1000 + 1000 + looks, until);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"short\",\"actor_type\":\"human\",\"display_name\":\"S\","
        "\"identity_id\":\"uid:1001\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],"
        "\"capabilities\":[\"read\",\"write\",\"delete\"],\"trust_level\":\"user\","
        "\"policy_subject\":\"s\",\"signing_key_ref\":\"none\",\"expires_at\":\"%s\"}",
        until);
    g_assert_cmpint(register_record(f, "actor", record), ==, -1);
    return (SyncdCaller){.uid = 1001};
}

static guint count_written(ServiceFixture *f)
{
    guint n = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(events); i++)
        n += count_events(f, events[i]);
    return n;
}

/* How it went: 1 when it was done, 0 when it was refused. */
static guint break_off(DeleteFunc delete, guint looks)
{
    ServiceFixture f;
    begin(&f);
    g_autoptr(GError) error = NULL;
    guint64 start = f.base.now_usec;
    SyncdCaller caller = short_lived(&f, looks);
    f.base.now_usec = start + 1000 * 1000;
    /* somebody else's, in the turn that is open */
    SyncdRequest other = good_request();
    other.object = "note-2";
    Heard heard = {0};
    g_auto(SyncdEnqueued) enqueued = enqueue(&f, &other);
    syncd_service_after_commit(f.service, note_commit, &heard);
    f.base.now_usec = start + 1000 * 1000;
    bool done = delete (&f, &caller, &error);
    syncd_service_commit(f.service);
    g_assert_cmpint(heard.code, ==, -1);
    g_free(get(&f, enqueued.operation));
    if (done) {
        g_assert_no_error(error);
        g_assert_cmpuint(count_written(&f), ==, G_N_ELEMENTS(events));
        assert_state(&f, "object", "note-1", "tombstoned");
    } else {
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
        g_assert_cmpuint(count_written(&f), ==, 0);
        assert_state(&f, "object", "note-1", "active");
        put(&f, "note-1", "{}");
    }
    service_clear(&f);
    return done;
}

static void a_deletion_that_breaks_off_leaves_nothing(void)
{
    static const DeleteFunc ways[] = {by_operation, by_registry, by_line};
    for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
        guint looks = 0, done = 0;
        /* the one that is done at last ends it: all before it broke off somewhere */
        for (; done == 0 && looks < 200; looks += is_hurried() ? 4 : 1)
            done = break_off(ways[i], looks);
        g_test_message("done after %u", looks);
        g_assert_cmpuint(done, ==, 1);
        g_assert_cmpuint(looks, >, 4);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/deletion-record/deletion", a_deletion_ends_the_record);
    g_test_add_func("/deletion-record/registry", who_ends_the_record_deletes_the_object);
    g_test_add_func("/deletion-record/restore", a_restored_object_has_its_record_again);
    g_test_add_func("/deletion-record/without", what_was_deleted_without_a_record_gets_none);
    g_test_add_func("/deletion-record/scopes", other_scopes_lead_to_the_same_object);
    g_test_add_func("/deletion-record/whole", a_deletion_that_breaks_off_leaves_nothing);
    return g_test_run();
}
