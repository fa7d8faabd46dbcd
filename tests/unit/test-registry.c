/*
 * A registry says who may write and what there is: every change is checked, recorded once, and a
 * record takes only tabled steps.
 */
#include "registry-fixture.h"
#include "service/internal.h"
#include "small-files.h"

#define REST                                                                                       \
    "\"display_name\":\"A\",\"workspace_scope\":[],\"profile_scope\":[],\"trust_level\":"          \
    "\"user\",\"policy_subject\":\"p\",\"signing_key_ref\":\"none\","

static const SyncdCaller other = {.uid = 1001};

static void a_record_is_registered_updated_and_revoked(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", ",\"x\":[1.50]")), ==,
                    -1);
    assert_state(&f, "actor", "a-1", "active");
    g_autofree char *kept = record_member(&f, "actor", "a-1", "x");
    g_autofree char *created = record_member(&f, "actor", "a-1", "created_at");
    g_assert_cmpstr(kept, ==, "[1.50]");
    g_assert_cmpint(
        update_record(&f, "actor", "a-1", ACTOR("a-1", "uid:1001", ",\"created_at\":\"1970\"")), ==,
        -1);
    g_autofree char *still = record_member(&f, "actor", "a-1", "created_at");
    g_assert_cmpstr(still, ==, created);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, -1);
    assert_state(&f, "actor", "a-1", "revoked");
    g_assert_cmpuint(count_events(&f, "sync.actor.revoked"), ==, 1);
    service_clear(&f);
}

static void what_the_daemon_alone_knows_is_overwritten(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(register_record(&f, "actor",
                                    ACTOR("a-1", "uid:1001",
                                          ",\"registered_by\":\"me\",\"revoked_at\":\"2020\","
                                          "\"revoke_reason\":\"no\"")),
                    ==, -1);
    assert_state(&f, "actor", "a-1", "active");
    g_autofree char *by = record_member(&f, "actor", "a-1", "registered_by");
    g_assert_true(g_str_has_prefix(by, "\"actor-"));
    g_assert_null(record_member(&f, "actor", "a-1", "revoke_reason"));
    service_clear(&f);
}

static void untabled_steps_are_refused_and_change_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(update_record(&f, "actor", "a-1", ACTOR("a-1", "uid:1001", "")), ==,
                    SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", "")), ==, -1);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1002", "")), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, -1);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(update_record(&f, "actor", "a-1", ACTOR("a-1", "uid:1001", "")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", "")), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void an_identity_has_one_actor_at_a_time(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", "")), ==, -1);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-2", "uid:1001", "")), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, -1);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-2", "uid:1001", "")), ==, -1);
    static const char *const wrong[] = {"",       "uid:", "uid:-1", "uid:1x", "uid:4294967295",
                                        "daemon", "unit:"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *record =
            g_strdup_printf("{" REST "\"capabilities\":[],\"actor_id\":\"w\",\"actor_type\":"
                            "\"human\",\"identity_id\":\"%s\"}",
                            wrong[i]);
        g_assert_cmpint(register_record(&f, "actor", record), ==, SYNCD_ERROR_INVALID_CONTRACT);
    }
    service_clear(&f);
}

static int enqueue_as(ServiceFixture *f, const SyncdCaller *caller)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    bool done = syncd_service_enqueue(f->service, caller, &request, &enqueued, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static void a_registered_uid_may_write_until_it_is_revoked(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    f.caller.inspector = true;
    g_assert_cmpint(enqueue_as(&f, &other), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", "")), ==, -1);
    g_assert_cmpint(enqueue_as(&f, &other), ==, -1);
    g_assert_cmpint(revoke_record(&f, "actor", "a-1"), ==, -1);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(enqueue_as(&f, &other), ==, SYNCD_ERROR_ACCESS_DENIED);
    run_jobs(&f);
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void an_actor_may_write_until_it_expires(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    g_assert_cmpint(
        register_record(&f, "actor",
                        ACTOR("a-1", "uid:1001", ",\"expires_at\":\"2026-05-05T01:00:00Z\"")),
        ==, -1);
    g_assert_cmpint(enqueue_as(&f, &other), ==, -1);
    f.base.now_usec += G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    g_assert_cmpint(enqueue_as(&f, &other), ==, SYNCD_ERROR_ACCESS_DENIED);
    /* A clock that is turned back gives nothing back: the log knows later times. */
    g_assert_cmpint(enqueue_as(&f, &f.caller), ==, -1);
    f.base.now_usec -= G_GUINT64_CONSTANT(7200) * G_USEC_PER_SEC;
    g_assert_cmpint(enqueue_as(&f, &other), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-2", "uid:1002", ",\"expires_at\":3")), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

static void only_people_configure(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    f.caller.inspector = true;
    g_assert_cmpint(
        register_record(&f, "actor",
                        "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"identity_id\":"
                        "\"uid:1001\",\"capabilities\":[\"read\",\"write\",\"delete\","
                        "\"migrate_schema\"],\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],"
                        "\"display_name\":\"A\",\"trust_level\":\"user\",\"policy_subject\":\"p\","
                        "\"signing_key_ref\":\"none\"}"),
        ==, -1);
    guint64 before = service_sequence(&f);
    static const char *const kinds[] = {"profile", "device",    "actor",
                                        "schema",  "workspace", "encryption-profile"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_assert_cmpint(register_as(&f, &other, kinds[i], ACTOR("b", "uid:1002", "")), ==,
                        SYNCD_ERROR_ACCESS_DENIED);
    /* The refusal is recorded, and nothing else. */
    g_assert_cmpuint(service_sequence(&f), ==, before + count_events(&f, "sync.policy.denied"));
    g_assert_cmpint(
        register_as(&f, &(SyncdCaller){.uid = 1002}, "actor", ACTOR("b", "uid:1002", "")), ==,
        SYNCD_ERROR_ACCESS_DENIED);
    service_clear(&f);
}

static void an_actor_reaches_only_what_can_be(void)
{
    static const struct {
        const char *workspaces, *profiles;
        int code; /* -1: taken */
    } cases[] = {
        {"[\"*\"]", "[\"profile:work\",\"*\"]", -1},
        {"[\"workspace:notes\"]", "[]", -1},
        {"[\"workspace:notes\",\"notes\"]", "[]", SYNCD_ERROR_INVALID_CONTRACT},
        {"[\"profile:work\"]", "[]", SYNCD_ERROR_INVALID_CONTRACT},
        {"[]", "[\"work\"]", SYNCD_ERROR_INVALID_CONTRACT},
        {"[]", "[\"**\"]", SYNCD_ERROR_INVALID_CONTRACT},
    };
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *record = g_strdup_printf(
            "{\"actor_id\":\"a-%zu\",\"actor_type\":\"agent\",\"identity_id\":\"agent:%zu\","
            "\"capabilities\":[\"write\"],\"workspace_scope\":%s,\"profile_scope\":%s,"
            "\"display_name\":\"A\",\"trust_level\":\"user\",\"policy_subject\":\"p\","
            "\"signing_key_ref\":\"none\"}",
            i, i, cases[i].workspaces, cases[i].profiles);
        g_assert_cmpint(register_record(&f, "actor", record), ==, cases[i].code);
    }
    service_clear(&f);
}

/* A key that none can sign with would be found out when it is needed. */
static void an_actor_has_a_key_that_can_be_one(void)
{
#define KEY "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
    static const struct {
        const char *key;
        int code; /* -1: taken */
    } cases[] = {
        {"none", -1},
        {"device:none", -1},
        {"ed25519:" KEY, -1},
        {"ed25519:", SYNCD_ERROR_INVALID_CONTRACT},
        {"ed25519:00", SYNCD_ERROR_INVALID_CONTRACT},
        {"ed25519:" KEY "00", SYNCD_ERROR_INVALID_CONTRACT},
        {"ed25519: " KEY, SYNCD_ERROR_INVALID_CONTRACT},
        {"ed25519:x" KEY, SYNCD_ERROR_INVALID_CONTRACT},
        {"ed25519:" ZEROS, SYNCD_ERROR_INVALID_CONTRACT}, /* of small order */
    };
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = NULL;
        g_autofree char *record = g_strdup_printf(
            "{\"actor_id\":\"a-%zu\",\"actor_type\":\"agent\",\"identity_id\":\"agent:%zu\","
            "\"capabilities\":[\"write\"],\"workspace_scope\":[],\"profile_scope\":[],"
            "\"display_name\":\"A\",\"trust_level\":\"user\",\"policy_subject\":\"p\","
            "\"signing_key_ref\":\"%s\"}",
            i, i, cases[i].key);
        const SyncdRegistryRequest request = {.kind = "actor", .record = SYNCD_BYTES_TEXT(record)};
        g_assert_cmpint(change_as(&f, &f.caller, syncd_service_register, &request, &message), ==,
                        cases[i].code);
        if (cases[i].code != -1)
            g_assert_nonnull(strstr(message, "/record/signing_key_ref"));
    }
    service_clear(&f);
}

static void nobody_locks_himself_out(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRegistryListing mine = {.kind = "actor", .identity = "uid:1000"};
    g_autofree char *cursor = NULL;
    g_autofree char *found = syncd_service_list_records(f.service, &f.caller, &mine, &cursor, NULL);
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_root(found, strlen(found)));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &row));
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(row, "id"));
    g_assert_cmpint(revoke_record(&f, "actor", id), ==, SYNCD_ERROR_INVALID_CONTRACT);

    SyncdRegistryListing devices = {.kind = "device", .state = "trusted"};
    g_assert_cmpuint(count_records(&f, &devices), ==, 1);
    service_clear(&f);
}

static void a_key_gives_the_first_result(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) first = {0}, again = {0}, third = {0};
    SyncdRegistryRequest request = {
        .kind = "actor",
        .record = SYNCD_BYTES_TEXT(
            "{" REST "\"capabilities\":[],\"actor_type\":\"human\",\"identity_id\":\"uid:1001\"}"),
        .idempotency_key = "k",
    };
    g_assert_true(syncd_service_register(f.service, &f.caller, &request, &first, &error));
    g_assert_true(syncd_service_register(f.service, &f.caller, &request, &again, &error));
    g_assert_true(g_str_has_prefix(first.id, "actor-"));
    g_assert_cmpstr(first.id, ==, again.id);
    g_assert_cmpstr(first.operation, ==, again.operation);
    g_assert_false(first.duplicate);
    g_assert_true(again.duplicate);
    syncd_service_commit(f.service);
    request.record = SYNCD_BYTES_TEXT(
        "{" REST "\"capabilities\":[],\"actor_type\":\"human\",\"identity_id\":\"uid:1002\"}");
    g_assert_false(syncd_service_register(f.service, &f.caller, &request, &third, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

static void a_change_of_something_older_is_stale(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(register_record(&f, "actor", ACTOR("a-1", "uid:1001", "")), ==, -1);
    g_autofree char *shown = show_record(&f, "actor", "a-1");
    g_autofree char *sequence = member_of(shown, "sequence");
    SyncdRegistryRequest request = {.kind = "actor",
                                    .id = "a-1",
                                    .record = SYNCD_BYTES_TEXT(ACTOR("a-1", "uid:1001", "")),
                                    .expected = g_ascii_strtoull(sequence, NULL, 10)};
    g_assert_cmpint(change_as(&f, &f.caller, syncd_service_update, &request, NULL), ==, -1);
    g_assert_cmpint(change_as(&f, &f.caller, syncd_service_update, &request, NULL), ==,
                    SYNCD_ERROR_STALE_DIGEST);
    service_clear(&f);
}

static void hostile_documents_are_refused(void)
{
    static const struct {
        const char *kind;
        const char *record;
        int code;
    } cases[] = {
        {"nothing", "{}", SYNCD_ERROR_INVALID_ARGS},
        {"actor", "", SYNCD_ERROR_INVALID_ENCODING},
        {"actor", "[]", SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"actor_id\":\"a\",\"actor_id\":\"b\"}", SYNCD_ERROR_INVALID_ENCODING},
        {"actor", "{\"actor_id\":\"a\\u0000b\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"actor_id\":\"../a\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"actor_id\":7}", SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"schema\":\"sourceos.device-record/v1alpha1\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"identity_id\":\"uid:7\",\"actor_type\":\"god\"}",
         SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"identity_id\":\"uid:7\",\"actor_type\":\"human\",\"capabilities\":[\"all\"]}",
         SYNCD_ERROR_INVALID_CONTRACT},
        {"actor", "{\"identity_id\":\"uid:7\",\"actor_type\":\"human\",\"capabilities\":{}}",
         SYNCD_ERROR_INVALID_CONTRACT},
        {"device", "{\"device_id\":\"d\",\"device_state\":\"revoked\"}",
         SYNCD_ERROR_INVALID_CONTRACT},
        {"device", "{\"device_id\":\"d\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"profile", "{\"profile_id\":\"work\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"profile", "{\"profile_id\":\"workspace:x\"}", SYNCD_ERROR_INVALID_CONTRACT},
        {"profile", "{}", SYNCD_ERROR_INVALID_CONTRACT},
        {"workspace", "{\"workspace_id\":\"workspace:x\",\"profile_id\":\"profile:none\"}",
         SYNCD_ERROR_NOT_FOUND},
    };
    ServiceFixture f;
    service_init(&f);
    guint64 before = service_sequence(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(register_record(&f, cases[i].kind, cases[i].record), ==, cases[i].code);
    g_autofree char *large = g_strnfill(SYNCD_RECORD_SIZE + 1, ' ');
    g_assert_cmpint(register_record(&f, "actor", large), ==, SYNCD_ERROR_TOO_LARGE);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void profiles_and_workspaces_open_their_scope(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(register_record(&f, "profile",
                                    "{\"profile_id\":\"profile:work\",\"profile_class\":\"work\","
                                    "\"display_name\":\"W\",\"policy_tags\":[]}"),
                    ==, -1);
    g_assert_cmpint(register_record(&f, "workspace",
                                    "{\"workspace_id\":\"workspace:notes\",\"profile_id\":"
                                    "\"profile:work\"}"),
                    ==, -1);
    g_autofree char *shown = show_record(&f, "workspace", "workspace:notes");
    assert_member(shown, "scope", "\"workspace:notes\"");
    /* Names of scopes stand in bodies only. */
    g_autofree char *line = newest_line(&f);
    g_autofree char *header = member_of(line, "header");
    assert_member(header, "object", "\"\"");
    service_clear(&f);
}

/* The entry that opens its scope is written before it. */
static void what_cannot_be_kept_opens_no_scope(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *letters = g_strnfill(SYNCD_RECORD_SIZE - 200, 'x');
    g_autofree char *record =
        g_strdup_printf("{\"profile_id\":\"profile:work\",\"profile_class\":\"work\","
                        "\"display_name\":\"W\",\"policy_tags\":[],\"notes\":\"%s\"}",
                        letters);
    const SyncdRegistryRequest request = {.kind = "profile", .record = SYNCD_BYTES_TEXT(record)};
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) registered = {0};
    const struct rlimit old = keep_files_small();
    bool ok = syncd_service_register(f.service, &f.caller, &request, &registered, &error);
    let_files_grow(&old);
    g_assert_false(ok);
    g_assert_nonnull(error);
    g_assert_false(syncd_service_has_turn(f.service));

    SyncdRequest in_it = good_request();
    in_it.scope = "profile:work";
    in_it.create_scope = false;
    g_clear_error(&error);
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &in_it, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpint(register_record(&f, "profile", record), ==, -1);
    service_clear(&f);
}

/* However many others are asked about meanwhile. */
static void what_an_actor_may_is_held_while_it_is_asked(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(f.service, &f.caller, NULL);
    g_assert_nonnull(mandate);
    g_autofree char *actor = g_strdup(mandate->actor);
    for (guint i = 0; i < 16400; i++) {
        g_autofree char *other_actor = g_strdup_printf("other-%u", i);
        g_autoptr(SyncdMandate) none = NULL;
        g_assert_true(syncd_service_mandate_of_actor(f.service, other_actor, &none, NULL));
        g_assert_null(none);
    }
    g_assert_cmpstr(mandate->actor, ==, actor);
    g_assert_cmpstr(mandate->type, ==, "human");
    g_assert_true(syncd_mandate_can(mandate, "write"));
    service_clear(&f);
}

static void a_list_is_filtered_and_paged(void)
{
    ServiceFixture f;
    service_init(&f);
    for (int i = 0; i < 7; i++) {
        g_autofree char *record =
            g_strdup_printf("{" REST "\"capabilities\":[],\"actor_id\":\"x-%d\",\"actor_type\":\"%"
                            "s\",\"identity_id\":\"uid:%d\"}",
                            i, i % 2 ? "app" : "human", 2000 + i);
        g_assert_cmpint(register_record(&f, "actor", record), ==, -1);
    }
    g_assert_cmpint(revoke_record(&f, "actor", "x-3"), ==, -1);
    SyncdRegistryListing apps = {.kind = "actor", .type = "app"};
    g_assert_cmpuint(count_records(&f, &apps), ==, 3);
    apps.state = "active";
    g_assert_cmpuint(count_records(&f, &apps), ==, 2);

    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = g_strdup("");
    guint seen = 0;
    do {
        g_autofree char *next = NULL;
        SyncdRegistryListing page = {.kind = "actor", .limit = 2, .cursor = cursor};
        g_autofree char *records =
            syncd_service_list_records(f.service, &f.caller, &page, &next, &error);
        g_assert_no_error(error);
        seen += count_elements(records);
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    g_assert_cmpuint(seen, ==, 9); /* and the daemon and the user */
    SyncdRegistryListing wrong = {.kind = "actor", .cursor = "0123456789abcdef-x"};
    g_assert_null(syncd_service_list_records(f.service, &f.caller, &wrong, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/registry/a-record-is-registered-updated-and-revoked",
                    a_record_is_registered_updated_and_revoked);
    g_test_add_func("/registry/what-the-daemon-alone-knows-is-overwritten",
                    what_the_daemon_alone_knows_is_overwritten);
    g_test_add_func("/registry/untabled-steps-are-refused-and-change-nothing",
                    untabled_steps_are_refused_and_change_nothing);
    g_test_add_func("/registry/an-identity-has-one-actor-at-a-time",
                    an_identity_has_one_actor_at_a_time);
    g_test_add_func("/registry/a-registered-uid-may-write-until-it-is-revoked",
                    a_registered_uid_may_write_until_it_is_revoked);
    g_test_add_func("/registry/an-actor-may-write-until-it-expires",
                    an_actor_may_write_until_it_expires);
    g_test_add_func("/registry/only-people-configure", only_people_configure);
    g_test_add_func("/registry/an-actor-reaches-only-what-can-be",
                    an_actor_reaches_only_what_can_be);
    g_test_add_func("/registry/an-actor-has-a-key-that-can-be-one",
                    an_actor_has_a_key_that_can_be_one);
    g_test_add_func("/registry/nobody-locks-himself-out", nobody_locks_himself_out);
    g_test_add_func("/registry/a-key-gives-the-first-result", a_key_gives_the_first_result);
    g_test_add_func("/registry/a-change-of-something-older-is-stale",
                    a_change_of_something_older_is_stale);
    g_test_add_func("/registry/hostile-documents-are-refused", hostile_documents_are_refused);
    g_test_add_func("/registry/profiles-and-workspaces-open-their-scope",
                    profiles_and_workspaces_open_their_scope);
    g_test_add_func("/registry/what-cannot-be-kept-opens-no-scope",
                    what_cannot_be_kept_opens_no_scope);
    g_test_add_func("/registry/what-an-actor-may-is-held-while-it-is-asked",
                    what_an_actor_may_is_held_while_it_is_asked);
    g_test_add_func("/registry/a-list-is-filtered-and-paged", a_list_is_filtered_and_paged);
    return g_test_run();
}
