/*
 * A dry run of a change is refused what the change would be refused, and leaves nothing behind; and
 * whoever names a member that nobody knows is told, while it is kept.
 */
#include "places-fixture.h"
#include "policy-fixture.h"

/* -1 when it would be, or was, done. */
static int change_dry(ServiceFixture *f, const SyncdCaller *caller, ChangeFunc func, bool dry,
                      const char *kind, const char *id, const char *record)
{
    const SyncdRegistryRequest request = {
        .kind = kind, .id = id, .record = SYNCD_BYTES_TEXT(record), .dry_run = dry};
    return change_as(f, caller, func, &request, NULL);
}

static const struct {
    const char *kind, *record;
    int code;
} registrations[] = {
    {"actor", ACTOR("a-1", "uid:1005", ""), -1},
    {"workspace", "{\"workspace_id\":\"workspace:new\",\"profile_id\":\"profile:work\"}", -1},
    {"object", OBJECT("o-2", "workspace:a", "profile:work", "note/v1"), -1},
    /* The contract. */
    {"actor", "{\"actor_id\":\"a-2\"}", SYNCD_ERROR_INVALID_CONTRACT},
    {"workspace", "{\"workspace_id\":\"notes\"}", SYNCD_ERROR_INVALID_CONTRACT},
    /* What its family demands. */
    {"actor", ACTOR("a-3", "uid:x", ""), SYNCD_ERROR_INVALID_CONTRACT},
    {"actor", ACTOR("a-4", "uid:1001", ""), SYNCD_ERROR_INVALID_ARGS},
    {"workspace", "{\"workspace_id\":\"workspace:c\",\"profile_id\":\"profile:none\"}",
     SYNCD_ERROR_NOT_FOUND},
    {"object", OBJECT("o-3", "workspace:a", "profile:home", "note/v1"), SYNCD_ERROR_POLICY_DENIED},
    /* What is there already. */
    {"workspace", "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\"}",
     SYNCD_ERROR_INVALID_ARGS},
};

/* One after the other in one world: what would be done is done after it was tried. */
static void a_dry_run_says_what_would_become_of_it(void)
{
    ServiceFixture f;
    world_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(registrations); i++) {
        guint64 before = service_sequence(&f);
        g_assert_cmpint(change_dry(&f, &f.caller, syncd_service_register, true,
                                   registrations[i].kind, NULL, registrations[i].record),
                        ==, registrations[i].code);
        g_assert_false(syncd_service_has_turn(f.service));
        g_assert_cmpuint(service_sequence(&f), ==, before);
        g_assert_cmpint(change_dry(&f, &f.caller, syncd_service_register, false,
                                   registrations[i].kind, NULL, registrations[i].record),
                        ==, registrations[i].code);
    }
    service_clear(&f);
}

/* It asks who may, and what policy says; but nobody was refused what he did not ask for. */
static void a_dry_run_asks_for_rights_and_policy(void)
{
    ServiceFixture f;
    world_init(&f);
    guint64 before = service_sequence(&f);
    g_assert_cmpint(
        change_dry(&f, &agent, syncd_service_register, true, "workspace", NULL,
                   "{\"workspace_id\":\"workspace:c\",\"profile_id\":\"profile:work\"}"),
        ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(change_dry(&f, &agent, syncd_service_register, true, "object", NULL,
                               OBJECT("o-2", "workspace:b", "profile:home", "note/v1")),
                    ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(change_dry(&f, &agent, syncd_service_update, true, "object", "o-1",
                               OBJECT("o-1", "workspace:a", "profile:work", "note/v1")),
                    ==, -1);
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"object_types\":[\"note\"]", "deny", "not_now")), NULL),
        NULL);
    g_assert_cmpint(change_dry(&f, &agent, syncd_service_update, true, "object", "o-1",
                               OBJECT("o-1", "workspace:a", "profile:work", "note/v1")),
                    ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

/* A signature counts once: one that a dry run left unspent could be used by whoever saw it. */
static void a_dry_run_is_not_signed(void)
{
    ServiceFixture f;
    service_init(&f);
    const SyncdRegistryRequest request = {
        .kind = "workspace",
        .record = SYNCD_BYTES_TEXT("{\"workspace_id\":\"workspace:c\"}"),
        .dry_run = true,
        .claim = {.actor = "agent-1", .signature = "x", .expires_usec = 1}};
    g_assert_cmpint(change_as(&f, &f.caller, syncd_service_register, &request, NULL), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

/* A key that was used stands for what was done then: nothing would be, and nothing is said to be.
 */
static void a_dry_run_of_what_was_done_says_so(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) first = {0}, tried = {0}, again = {0}, other = {0};
    SyncdRegistryRequest request = {.kind = "actor",
                                    .record =
                                        SYNCD_BYTES_TEXT(ACTOR("a-1", "uid:1005", ",\"extra\":1")),
                                    .idempotency_key = "k"};
    g_assert_true(syncd_service_register(f.service, &f.caller, &request, &first, &error));
    syncd_service_commit(f.service);
    guint64 before = service_sequence(&f);
    request.dry_run = true;
    g_assert_true(syncd_service_register(f.service, &f.caller, &request, &tried, &error));
    g_assert_no_error(error);
    g_assert_true(tried.duplicate);
    g_assert_cmpstr(tried.id, ==, first.id);
    g_assert_cmpstr(tried.operation, ==, "");
    g_assert_cmpuint(tried.sequence, ==, 0);
    g_assert_cmpstr(tried.unknown[0], ==, "extra");
    request.dry_run = false;
    g_assert_true(syncd_service_register(f.service, &f.caller, &request, &again, &error));
    g_assert_cmpstr(again.operation, ==, first.operation);
    g_assert_cmpuint(again.sequence, ==, first.sequence);
    g_assert_cmpstr(again.unknown[0], ==, "extra");

    /* The key of another request is refused, as it would be. */
    request.dry_run = true;
    request.record = SYNCD_BYTES_TEXT(ACTOR("a-2", "uid:1006", ""));
    g_assert_false(syncd_service_register(f.service, &f.caller, &request, &other, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

static void a_registration_expects_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    const SyncdRegistryRequest request = {
        .kind = "actor", .record = SYNCD_BYTES_TEXT(ACTOR("a-1", "uid:1005", "")), .expected = 1};
    g_assert_cmpint(change_as(&f, &f.caller, syncd_service_register, &request, NULL), ==,
                    SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

/* Joined with commas. */
static char *unknown_of(ServiceFixture *f, ChangeFunc func, const char *kind, const char *id,
                        const char *record, bool dry)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) registered = {0};
    const SyncdRegistryRequest request = {
        .kind = kind, .id = id, .record = SYNCD_BYTES_TEXT(record), .dry_run = dry};
    func(f->service, &f->caller, &request, &registered, &error);
    g_assert_no_error(error);
    g_assert_nonnull(registered.unknown);
    syncd_service_commit(f->service);
    return g_strjoinv(",", registered.unknown);
}

static void a_member_that_nobody_knows_is_told_and_kept(void)
{
    static const struct {
        const char *kind, *id, *record, *unknown;
    } cases[] = {
        {"actor", "a-1", ACTOR("a-1", "uid:1005", ""), ""},
        {"actor", "a-2",
         ACTOR("a-2", "uid:1006", ",\"expires_at\":\"2090-01-01T00:00:00Z\",\"registered_by\":1"),
         ""},
        {"actor", "a-3",
         ACTOR("a-3", "uid:1007", ",\"expire_at\":\"2090-01-01T00:00:00Z\",\"x y\":1"),
         "expire_at,x y"},
        {"workspace", "workspace:c",
         "{\"workspace_id\":\"workspace:c\",\"profile_id\":\"profile:work\","
         "\"encryption_profile_ref\":\"encryption-profile:workspace\"}",
         ""},
    };
    ServiceFixture f;
    world_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *tried =
            unknown_of(&f, syncd_service_register, cases[i].kind, NULL, cases[i].record, true);
        g_autofree char *told =
            unknown_of(&f, syncd_service_register, cases[i].kind, NULL, cases[i].record, false);
        g_autofree char *again = unknown_of(&f, syncd_service_update, cases[i].kind, cases[i].id,
                                            cases[i].record, false);
        g_assert_cmpstr(tried, ==, cases[i].unknown);
        g_assert_cmpstr(told, ==, cases[i].unknown);
        g_assert_cmpstr(again, ==, cases[i].unknown);
    }
    g_autofree char *kept = record_member(&f, "actor", "a-3", "expire_at");
    g_assert_cmpstr(kept, ==, "\"2090-01-01T00:00:00Z\"");
    service_clear(&f);
}

/* What an object's schema names is known, and of that version alone. */
static void the_schema_of_an_object_knows_its_members(void)
{
    static const char named[] =
        "{\"schema_id\":\"card/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","
        "\"required_fields\":[\"title\"],\"field_owners\":{\"owner\":\"merge\"},"
        "\"migration_policy\":\"ask\",\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\","
        "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\",\"operation_schema\":{},"
        "\"json_schema\":{\"properties\":{\"colour\":{}}}}";
    ServiceFixture f;
    world_init(&f);
    g_autofree char *schema = unknown_of(&f, syncd_service_register, "schema", NULL, named, false);
    g_assert_cmpstr(schema, ==, "");
    g_autofree char *plain = g_strdup(OBJECT("o-7", "workspace:a", "profile:work", "card/v1"));
    g_assert_true(g_str_has_suffix(plain, "}"));
    plain[strlen(plain) - 1] = '\0';
    g_autofree char *record =
        g_strconcat(plain, ",\"title\":\"t\",\"owner\":\"o\",\"colour\":1,\"color\":2}", NULL);
    g_autofree char *unknown =
        unknown_of(&f, syncd_service_register, "object", NULL, record, false);
    g_assert_cmpstr(unknown, ==, "color");
    service_clear(&f);
}

static void only_so_many_unknown_members_are_told(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autoptr(GString) record = g_string_new("{\"workspace_id\":\"workspace:c\",\"profile_id\":"
                                             "\"profile:default\"");
    for (int i = 0; i < 1000; i++)
        g_string_append_printf(record, ",\"m%d\":1", i);
    g_string_append_c(record, '}');
    g_autofree char *unknown =
        unknown_of(&f, syncd_service_register, "workspace", NULL, record->str, false);
    g_auto(GStrv) names = g_strsplit(unknown, ",", -1);
    g_assert_cmpuint(g_strv_length(names), ==, 32);
    service_clear(&f);
}

#define ADD(name, func) g_test_add_func("/registry-rehearsal/" name, func)

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-dry-run-says-what-would-become-of-it", a_dry_run_says_what_would_become_of_it);
    ADD("a-dry-run-asks-for-rights-and-policy", a_dry_run_asks_for_rights_and_policy);
    ADD("a-dry-run-is-not-signed", a_dry_run_is_not_signed);
    ADD("a-dry-run-of-what-was-done-says-so", a_dry_run_of_what_was_done_says_so);
    ADD("a-registration-expects-nothing", a_registration_expects_nothing);
    ADD("a-member-that-nobody-knows-is-told-and-kept", a_member_that_nobody_knows_is_told_and_kept);
    ADD("the-schema-of-an-object-knows-its-members", the_schema_of_an_object_knows_its_members);
    ADD("only-so-many-unknown-members-are-told", only_so_many_unknown_members_are_told);
    return g_test_run();
}
