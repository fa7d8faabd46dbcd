/*
 * Profiles are hard boundaries, workspaces lie in one, and an object is where it belongs: whatever
 * would cross is refused and changes nothing.
 */
#include "places-fixture.h"

static void an_agent_reaches_only_what_it_is_given(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &agent, "workspace:a", "o-1", "{}"), ==, -1);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(enqueue_in(&f, &agent, "workspace:b", "", "{}"), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(enqueue_in(&f, &agent, "workspace:new", "", "{}"), ==,
                    SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(enqueue_in(&f, &agent, "device", "", "{}"), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(enqueue_in(&f, &agent, "profile:home", "", "{}"), ==,
                    SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 1);
    g_assert_cmpuint(service_sequence(&f), ==,
                     before + count_events(&f, "sync.policy.denied") +
                         count_events(&f, "sync.profile.boundary_violation"));
    service_clear(&f);
}

static int checkpoint_as(ServiceFixture *f, const SyncdCaller *caller, const char *scope)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    bool done = syncd_service_checkpoint(f->service, caller, scope, &operation, &error);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

/* What is neither a workspace nor a profile lies in those that the body names, and in no other. */
static void naming_a_place_opens_no_other_scope(void)
{
    static const char *const scopes[] = {"device", "vault:keys", "org:acme", "public:x",
                                         "vault:new"};
    static const char *const bodies[] = {
        "{}", "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\"}"};
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "vault:keys", "", "{}"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "org:acme", "", "{}"), ==, -1);
    guint opened = count_events(&f, "sync.feed.opened");
    guint enqueued = count_events(&f, "sync.operation.enqueued");
    for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
        for (size_t j = 0; j < G_N_ELEMENTS(bodies); j++)
            g_assert_cmpint(enqueue_in(&f, &agent, scopes[i], "", bodies[j]), ==,
                            SYNCD_ERROR_ACCESS_DENIED);
        g_assert_cmpint(checkpoint_as(&f, &agent, scopes[i]), ==, SYNCD_ERROR_ACCESS_DENIED);
    }
    g_assert_cmpuint(count_events(&f, "sync.feed.opened"), ==, opened);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, enqueued);
    g_assert_cmpint(checkpoint_as(&f, &agent, "workspace:a"), ==, -1);
    service_clear(&f);
}

static void whoever_reaches_all_places_reaches_all_scopes(void)
{
    ServiceFixture f;
    const SyncdCaller bridge = {.uid = 1002};
    world_init(&f);
    register_good(&f, "actor",
                  "{\"actor_id\":\"bridge-1\",\"actor_type\":\"app\",\"display_name\":\"B\","
                  "\"identity_id\":\"uid:1002\",\"workspace_scope\":[\"*\"],"
                  "\"profile_scope\":[\"*\"],\"capabilities\":[\"read\",\"write\"],"
                  "\"trust_level\":\"user\",\"policy_subject\":\"b\",\"signing_key_ref\":"
                  "\"none\"}");
    g_assert_cmpint(enqueue_in(&f, &bridge, "vault:keys", "", "{}"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &bridge, "device", "", "{}"), ==, -1);
    g_assert_cmpint(checkpoint_as(&f, &bridge, "device"), ==, -1);
    service_clear(&f);
}

static void nothing_crosses_a_profile(void)
{
    ServiceFixture f;
    world_init(&f);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(
        enqueue_in(&f, &f.caller, "workspace:a", "o-1", "{\"profile_id\":\"profile:home\"}"), ==,
        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:b", "o-1", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        enqueue_in(&f, &f.caller, "profile:home", "o-1", "{\"workspace_id\":\"workspace:a\"}"), ==,
        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        register_record(&f, "object", OBJECT("o-2", "workspace:a", "profile:home", "note/v1")), ==,
        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        update_record(&f, "object", "o-1", OBJECT("o-1", "workspace:b", "profile:home", "note/v1")),
        ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_record(&f, "workspace", "workspace:a",
                                  "{\"workspace_id\":\"workspace:a\",\"profile_id\":"
                                  "\"profile:home\"}"),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    guint denied = count_events(&f, "sync.policy.denied");
    guint crossed = count_events(&f, "sync.profile.boundary_violation");
    g_assert_cmpuint(crossed, >=, 1);
    g_assert_cmpuint(service_sequence(&f), ==, before + denied + crossed);
    service_clear(&f);
}

static void tags_of_both_profiles_open_the_boundary(void)
{
    static const struct {
        const char *work, *home;
        int code;
    } cases[] = {
        {"\"cross-to:profile:home\"", "\"cross-from:profile:work\"", -1},
        {"\"cross-to:profile:home\"", "", SYNCD_ERROR_POLICY_DENIED},
        {"", "\"cross-from:profile:work\"", SYNCD_ERROR_POLICY_DENIED},
        {"\"cross-from:profile:home\"", "\"cross-to:profile:work\"", SYNCD_ERROR_POLICY_DENIED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        world_init_tags(&f, cases[i].work, cases[i].home);
        g_assert_cmpint(
            enqueue_in(&f, &f.caller, "workspace:a", "o-1", "{\"profile_id\":\"profile:home\"}"),
            ==, cases[i].code);
        service_clear(&f);
    }
}

static void an_object_of_an_unknown_schema_is_quarantined(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-9", "workspace:a", "profile:work", "other/v1"));
    assert_state(&f, "object", "o-9", "quarantined");
    g_autofree char *shown = show_record(&f, "object", "o-9");
    assert_member(shown, "reasons", "[\"schema_unknown\"]");
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "o-9", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    register_good(&f, "schema",
                  "{\"schema_id\":\"other/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","
                  "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
                  "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
                  "\"workspace\",\"retention_class\":\"normal\"}");
    g_assert_cmpint(update_record(&f, "object", "o-9",
                                  OBJECT("o-9", "workspace:a", "profile:work", "other/v1")),
                    ==, -1);
    assert_state(&f, "object", "o-9", "active");
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "o-9", "{}"), ==, -1);
    service_clear(&f);
}

static void an_object_of_an_older_schema_wants_to_be_migrated(void)
{
    static const char *const versions[] = {"0.9", "1", "1.0.1"};
    static const char *const reasons[] = {"[]", NULL, "[\"migration_required\"]"};
    for (size_t i = 0; i < G_N_ELEMENTS(versions); i++) {
        ServiceFixture f;
        world_init(&f);
        g_autofree char *schema = g_strdup_printf(
            "{\"schema_id\":\"note/v1\",\"schema_version\":\"%s\",\"object_type\":\"note\","
            "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
            "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
            "\"workspace\",\"retention_class\":\"normal\"}",
            versions[i]);
        g_assert_cmpint(register_record(&f, "schema", schema), ==,
                        reasons[i] != NULL ? -1 : SYNCD_ERROR_INVALID_ARGS);
        g_autofree char *shown = show_record(&f, "object", "o-1");
        assert_member(shown, "reasons", reasons[i] != NULL ? reasons[i] : "[]");
        service_clear(&f);
    }
}

static void the_actor_of_an_object_is_the_caller(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(
        register_as(&f, &agent, "object", OBJECT("o-3", "workspace:a", "profile:work", "note/v1")),
        ==, -1);
    g_autofree char *created = record_member(&f, "object", "o-3", "created_by_actor");
    g_assert_cmpstr(created, ==, "\"agent-1\"");
    g_assert_cmpint(
        update_record(&f, "object", "o-3", OBJECT("o-3", "workspace:a", "profile:work", "note/v1")),
        ==, -1);
    g_autofree char *still = record_member(&f, "object", "o-3", "created_by_actor");
    g_autofree char *modified = record_member(&f, "object", "o-3", "last_modified_by_actor");
    g_assert_cmpstr(still, ==, "\"agent-1\"");
    g_assert_cmpstr(modified, !=, "\"agent-1\"");
    /* To delete is a capability of its own. */
    SyncdRegistryRequest request = {.kind = "object", .id = "o-3"};
    g_assert_cmpint(change_as(&f, &agent, syncd_service_revoke, &request, NULL), ==,
                    SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(revoke_record(&f, "object", "o-3"), ==, -1);
    assert_state(&f, "object", "o-3", "tombstoned");
    service_clear(&f);
}

static void an_encryption_profile_is_for_its_scopes(void)
{
    static const struct {
        const char *scope;
        const char *profile;
        int code;
    } cases[] = {
        {"workspace:a", "encryption-profile:workspace", -1},
        {"workspace:a", "encryption-profile:public", SYNCD_ERROR_POLICY_DENIED},
        {"workspace:a", "strong", -1},
        {"device", "strong", SYNCD_ERROR_POLICY_DENIED},
        {"workspace:a", "none-such", SYNCD_ERROR_POLICY_DENIED},
        {"workspace:a", "gone", SYNCD_ERROR_POLICY_DENIED},
    };
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "encryption-profile",
                  "{\"encryption_profile_id\":\"strong\",\"encryption_scope\":\"workspace\"}");
    register_good(&f, "encryption-profile",
                  "{\"encryption_profile_id\":\"gone\",\"encryption_scope\":\"workspace\"}");
    g_assert_cmpint(revoke_record(&f, "encryption-profile", "gone"), ==, -1);
    g_assert_cmpint(register_record(&f, "encryption-profile",
                                    "{\"encryption_profile_id\":\"encryption-profile:public\","
                                    "\"encryption_scope\":\"public\"}"),
                    ==, SYNCD_ERROR_INVALID_CONTRACT);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body =
            g_strdup_printf("{\"encryption_profile_ref\":\"%s\"}", cases[i].profile);
        g_assert_cmpint(enqueue_in(&f, &f.caller, cases[i].scope, "", body), ==, cases[i].code);
    }
    service_clear(&f);
}

static int seal_workspace(ServiceFixture *f, const char *profile)
{
    g_autofree char *record =
        g_strdup_printf("{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\","
                        "\"encryption_profile_ref\":\"%s\"}",
                        profile);
    return update_record(f, "workspace", "workspace:a", record);
}

/* What a workspace demands is asked of every operation, also of those that say nothing. */
static void a_workspace_has_its_encryption_profile(void)
{
    static const char sealed[] = "{\"encryption_profile_ref\":\"strong\"}";
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "encryption-profile",
                  "{\"encryption_profile_id\":\"strong\",\"encryption_scope\":\"workspace\"}");
    register_good(&f, "encryption-profile",
                  "{\"encryption_profile_id\":\"weak\",\"encryption_scope\":\"workspace\"}");
    g_assert_cmpint(seal_workspace(&f, "strong"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "", "{}"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "", sealed), ==, -1);
    g_assert_cmpint(
        enqueue_in(&f, &f.caller, "workspace:a", "", "{\"encryption_profile_ref\":\"weak\"}"), ==,
        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "",
                               "{\"encryption_profile_ref\":\"encryption-profile:workspace\"}"),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:b", "", "{}"), ==, -1);

    g_assert_cmpint(revoke_record(&f, "encryption-profile", "strong"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "", sealed), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(checkpoint_as(&f, &f.caller, "workspace:a"), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(seal_workspace(&f, "weak"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "", "{}"), ==, -1);
    service_clear(&f);
}

/* Tags let it be worked on from the other side, and no more: its workspace stays. */
static void an_object_does_not_leave_its_workspace_behind(void)
{
    ServiceFixture f;
    world_init_tags(&f, "\"cross-to:profile:home\"", "\"cross-from:profile:work\"");
    g_assert_cmpint(
        update_record(&f, "object", "o-1", OBJECT("o-1", "workspace:a", "profile:home", "note/v1")),
        ==, SYNCD_ERROR_POLICY_DENIED);
    g_autofree char *profile = record_member(&f, "object", "o-1", "profile_id");
    g_assert_cmpstr(profile, ==, "\"profile:work\"");
    service_clear(&f);
}

static void an_object_is_of_the_type_of_its_schema(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "schema",
                  "{\"schema_id\":\"memo/v1\",\"schema_version\":\"1\",\"object_type\":\"memo\","
                  "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
                  "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
                  "\"workspace\",\"retention_class\":\"normal\"}");
    g_assert_cmpint(
        register_record(&f, "object", OBJECT("o-2", "workspace:a", "profile:work", "memo/v1")), ==,
        SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(
        update_record(&f, "object", "o-1", OBJECT("o-1", "workspace:a", "profile:work", "memo/v1")),
        ==, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

static void what_is_revoked_takes_nothing_more(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(revoke_record(&f, "workspace", "workspace:b"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:b", "", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "profile:work", "", "{}"), ==, -1);
    g_assert_cmpint(checkpoint_as(&f, &f.caller, "workspace:b"), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(revoke_record(&f, "profile", "profile:work"), ==, -1);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:a", "o-1", "{}"), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(checkpoint_as(&f, &f.caller, "workspace:a"), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(checkpoint_as(&f, &f.caller, "profile:work"), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(checkpoint_as(&f, &f.caller, "device"), ==, -1);
    service_clear(&f);
}

static void set_mandate(ServiceFixture *f, const char *workspaces, const char *profiles,
                        const char *capabilities)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\",\"identity_id\":"
        "\"uid:1001\",\"workspace_scope\":[%s],\"profile_scope\":[%s],\"capabilities\":[%s],"
        "\"trust_level\":\"user\",\"policy_subject\":\"agent-1\",\"signing_key_ref\":\"none\"}",
        workspaces, profiles, capabilities);
    g_assert_cmpint(update_record(f, "actor", "agent-1", record), ==, -1);
}

static void set_reach(ServiceFixture *f, const char *workspaces, const char *profiles)
{
    set_mandate(f, workspaces, profiles, "\"read\",\"write\"");
}

static char *enqueue_by(ServiceFixture *f, const SyncdCaller *caller, const char *scope,
                        const char *body)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    SyncdRequest request = good_request();
    request.scope = scope;
    request.object = "";
    request.body = SYNCD_BYTES_TEXT(body);
    syncd_service_enqueue(f->service, caller, &request, &enqueued, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    return enqueued.operation;
}

/* The lease of a task in the agent's workspace. */
static char *claim_as_agent(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    char *lease = NULL;
    g_autofree char *operation = enqueue_by(f, &agent, "workspace:a", "{}");
    const SyncdClaim wanted = {.operation = operation};
    claim_at_once(f->service, &agent, &wanted, &lease, &error);
    g_assert_no_error(error);
    g_assert_nonnull(lease);
    syncd_service_commit(f->service);
    return lease;
}

static int complete_as_agent(ServiceFixture *f, const char *lease, const char *evidence)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    const char *const list[] = {evidence, NULL};
    bool done = syncd_service_complete_task(f->service, &agent, lease, list, &operation, &error);
    syncd_service_commit(f->service);
    if (!done)
        g_assert_true(g_str_has_prefix(error->message, "/evidence/0: "));
    return done ? -1 : error->code;
}

/* Also for whoever wrote it, and for whoever reaches both sides. */
static void evidence_of_another_profile_is_not_there(void)
{
    static const struct {
        const char *workspaces, *profiles, *work_tags, *home_tags;
        int code;
    } cases[] = {
        {"\"workspace:a\"", "\"profile:work\"", "", "", SYNCD_ERROR_NOT_FOUND},
        {"\"*\"", "\"*\"", "", "", SYNCD_ERROR_NOT_FOUND},
        {"\"*\"", "\"*\"", "\"cross-from:profile:home\"", "\"cross-to:profile:work\"", -1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        world_init_tags(&f, cases[i].work_tags, cases[i].home_tags);
        /* It is its own, from when it reached more. */
        set_reach(&f, "\"*\"", "\"*\"");
        g_autofree char *there = enqueue_by(&f, &agent, "workspace:b", "{}");
        set_reach(&f, cases[i].workspaces, cases[i].profiles);
        g_autofree char *lease = claim_as_agent(&f);
        g_assert_cmpint(complete_as_agent(&f, lease, there), ==, cases[i].code);
        if (cases[i].code != -1) {
            g_autofree char *here = enqueue_by(&f, &agent, "workspace:a", "{}");
            g_assert_cmpint(complete_as_agent(&f, lease, here), ==, -1);
        }
        service_clear(&f);
    }
}

/* What lies where one does not reach is not there, whatever one says of it. */
static void records_of_another_place_are_not_there(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-b", "workspace:b", "profile:home", "note/v1"));
    static const struct {
        const char *id, *record; /* NULL: it is ended */
        ChangeFunc func;
        int code;
    } cases[] = {
        {"o-b", OBJECT("o-b", "workspace:a", "profile:work", "note/v1"), syncd_service_update,
         SYNCD_ERROR_NOT_FOUND},
        {"o-b", OBJECT("o-b", "workspace:b", "profile:home", "note/v1"), syncd_service_update,
         SYNCD_ERROR_NOT_FOUND},
        {"o-b", NULL, syncd_service_revoke, SYNCD_ERROR_NOT_FOUND},
        {"o-b", OBJECT("o-b", "workspace:a", "profile:work", "note/v1"), syncd_service_register,
         SYNCD_ERROR_INVALID_ARGS},
    };
    set_mandate(&f, "\"workspace:a\"", "\"profile:work\"", "\"read\",\"write\",\"delete\"");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *message = NULL;
        const SyncdRegistryRequest request = {
            .kind = "object",
            .id = cases[i].id,
            .expected = cases[i].func == syncd_service_register ? 0 : 1,
            .record =
                cases[i].record != NULL ? SYNCD_BYTES_TEXT(cases[i].record) : SYNCD_BYTES(NULL, 0)};
        g_assert_cmpint(change_as(&f, &agent, cases[i].func, &request, &message), ==,
                        cases[i].code);
        g_assert_null(strstr(message, "workspace:b"));
        g_assert_null(strstr(message, "profile:home"));
        g_assert_null(strstr(message, "active"));
        g_assert_null(strstr(message, "sequence"));
    }
    assert_state(&f, "object", "o-b", "active");
    service_clear(&f);
}

/* Records of what lies in a workspace are sealed as it demands, like its operations. */
static void a_workspace_whose_encryption_profile_is_gone_takes_no_records(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "encryption-profile",
                  "{\"encryption_profile_id\":\"strong\",\"encryption_scope\":\"workspace\"}");
    g_assert_cmpint(seal_workspace(&f, "strong"), ==, -1);
    register_good(&f, "object", OBJECT("o-2", "workspace:a", "profile:work", "note/v1"));
    g_assert_cmpint(revoke_record(&f, "encryption-profile", "strong"), ==, -1);
    g_assert_cmpint(
        register_record(&f, "object", OBJECT("o-3", "workspace:a", "profile:work", "note/v1")), ==,
        SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(
        update_record(&f, "object", "o-2", OBJECT("o-2", "workspace:a", "profile:work", "note/v1")),
        ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(seal_workspace(&f, "encryption-profile:workspace"), ==, -1);
    register_good(&f, "object", OBJECT("o-3", "workspace:a", "profile:work", "note/v1"));
    service_clear(&f);
}

/* Nor do schemas go to a workspace that has ended. */
static void what_has_ended_takes_no_schemas(void)
{
    static const char schema[] =
        "{\"schema_id\":\"card/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","
        "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
        "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
        "\"workspace\",\"retention_class\":\"normal\"}";
    ServiceFixture f;
    world_init(&f);
    const SyncdRegistryRequest request = {
        .kind = "schema", .record = SYNCD_BYTES_TEXT(schema), .scope = "workspace:b"};
    g_assert_cmpint(revoke_record(&f, "workspace", "workspace:b"), ==, -1);
    g_assert_cmpint(change_as(&f, &f.caller, syncd_service_register, &request, NULL), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    service_clear(&f);
}

/* The code of what is said about a scope; -1: nothing is there to be seen. */
static int ask_about(ServiceFixture *f, unsigned how, const char *scope)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL, *found = NULL;
    if (how == 0)
        found = syncd_service_list_records(
            f->service, &agent, &(SyncdRegistryListing){.kind = "object", .scope = scope}, &cursor,
            &error);
    else if (how == 1)
        found = syncd_service_list_tasks(f->service, &agent, &(SyncdTaskListing){.scope = scope},
                                         &cursor, &error);
    else if (how == 2)
        claim_at_once(f->service, &agent, &(SyncdClaim){.scope = scope}, &found, &error);
    else
        syncd_service_checkpoint(f->service, &agent, scope, &found, &error);
    syncd_service_commit(f->service);
    if (error == NULL)
        g_assert_cmpstr(found, ==, "[]");
    return error == NULL ? -1 : error->code;
}

/* Whether there is a scope that one does not reach is not to be found out. */
static void a_scope_that_is_not_reached_is_like_one_that_is_not_there(void)
{
    ServiceFixture f;
    world_init(&f);
    g_assert_cmpint(enqueue_in(&f, &f.caller, "workspace:b", "", "{}"), ==, -1);
    for (unsigned how = 0; how < 4; how++)
        g_assert_cmpint(ask_about(&f, how, "workspace:b"), ==,
                        ask_about(&f, how, "workspace:none"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/places/an-agent-reaches-only-what-it-is-given",
                    an_agent_reaches_only_what_it_is_given);
    g_test_add_func("/places/naming-a-place-opens-no-other-scope",
                    naming_a_place_opens_no_other_scope);
    g_test_add_func("/places/whoever-reaches-all-places-reaches-all-scopes",
                    whoever_reaches_all_places_reaches_all_scopes);
    g_test_add_func("/places/nothing-crosses-a-profile", nothing_crosses_a_profile);
    g_test_add_func("/places/tags-of-both-profiles-open-the-boundary",
                    tags_of_both_profiles_open_the_boundary);
    g_test_add_func("/places/an-object-of-an-unknown-schema-is-quarantined",
                    an_object_of_an_unknown_schema_is_quarantined);
    g_test_add_func("/places/an-object-of-an-older-schema-wants-to-be-migrated",
                    an_object_of_an_older_schema_wants_to_be_migrated);
    g_test_add_func("/places/the-actor-of-an-object-is-the-caller",
                    the_actor_of_an_object_is_the_caller);
    g_test_add_func("/places/an-encryption-profile-is-for-its-scopes",
                    an_encryption_profile_is_for_its_scopes);
    g_test_add_func("/places/a-workspace-has-its-encryption-profile",
                    a_workspace_has_its_encryption_profile);
    g_test_add_func("/places/an-object-does-not-leave-its-workspace-behind",
                    an_object_does_not_leave_its_workspace_behind);
    g_test_add_func("/places/an-object-is-of-the-type-of-its-schema",
                    an_object_is_of_the_type_of_its_schema);
    g_test_add_func("/places/what-is-revoked-takes-nothing-more",
                    what_is_revoked_takes_nothing_more);
    g_test_add_func("/places/evidence-of-another-profile-is-not-there",
                    evidence_of_another_profile_is_not_there);
    g_test_add_func("/places/records-of-another-place-are-not-there",
                    records_of_another_place_are_not_there);
    g_test_add_func("/places/a-workspace-whose-encryption-profile-is-gone-takes-no-records",
                    a_workspace_whose_encryption_profile_is_gone_takes_no_records);
    g_test_add_func("/places/what-has-ended-takes-no-schemas", what_has_ended_takes_no_schemas);
    g_test_add_func("/places/a-scope-that-is-not-reached-is-like-one-that-is-not-there",
                    a_scope_that_is_not_reached_is_like_one_that_is_not_there);
    return g_test_run();
}
