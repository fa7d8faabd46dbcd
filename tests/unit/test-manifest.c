/*
 * A manifest leads from one version of a schema to another, is signed by who may say so, and
 * contradicts no other; an object keeps to its schema, and says how it stands to it.
 */
#include "migration-fixture.h"

static void a_manifest_is_taken_when_its_author_has_signed_it(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts good = {.steps = MOVE};
    g_autofree char *record = sign_manifest(&m, &good);
    g_autofree char *changed = g_strdup(record);
    strstr(changed, "/heading")[1] = 'H';
    g_assert_cmpint(register_record(&m.f, "migration", changed), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_autofree char *members = manifest_members(&good);
    g_autofree char *bare = g_strdup_printf("{%s}", members);
    g_assert_cmpint(register_record(&m.f, "migration", bare), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpuint(count_events(&m.f, "sync.migration.registered"), ==, 0);
    g_assert_cmpint(register_record(&m.f, "migration", record), ==, -1);
    g_assert_cmpuint(count_events(&m.f, "sync.migration.registered"), ==, 1);
    assert_state(&m.f, "migration", "m", "active");
    /* What was signed does not change. */
    g_assert_cmpint(update_record(&m.f, "migration", "m", record), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    migrating_clear(&m);
}

static void only_an_author_who_may_migrate_can_sign(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts nobody = {.author = "nobody"}, weak = {.author = "weak"}, good = {0};
    g_assert_cmpint(register_manifest(&m, &nobody), ==, SYNCD_ERROR_ACCESS_DENIED);
    register_author(&m, "weak", "write");
    g_assert_cmpint(register_manifest(&m, &weak), ==, SYNCD_ERROR_ACCESS_DENIED);
    g_assert_cmpint(revoke_record(&m.f, "actor", AUTHOR), ==, -1);
    g_assert_cmpint(register_manifest(&m, &good), ==, SYNCD_ERROR_ACCESS_DENIED);
    migrating_clear(&m);
}

static void manifests_lead_from_known_versions_to_newer_ones_without_a_circle(void)
{
    Migrating m;
    migrating_init(&m);
    g_assert_cmpint(register_schema(&m, "s", "10", "", ""), ==, -1);
    g_assert_cmpint(register_schema(&m, "t", "1", "", ""), ==, -1);
    const struct {
        ManifestParts parts;
        int code;
    } cases[] = {
        {{.id = "a", .from = "0"}, SYNCD_ERROR_NOT_FOUND},
        {{.id = "a", .to = "3"}, SYNCD_ERROR_NOT_FOUND},
        {{.id = "a", .from = "2", .to = "1"}, SYNCD_ERROR_INVALID_CONTRACT},
        {{.id = "a"}, -1},
        {{.id = "b"}, SYNCD_ERROR_INVALID_ARGS},             /* overlaps */
        {{.id = "b", .to = "10"}, SYNCD_ERROR_INVALID_ARGS}, /* the same */
        {{.id = "c", .from = "2", .to = "10"}, -1},          /* 10 is newer than 2 */
        {{.id = "d", .from = "10", .to_id = "t", .to = "1"}, -1},
        {{.id = "e", .from_id = "t", .to = "1"}, SYNCD_ERROR_INVALID_ARGS}, /* a circle */
        {{.id = "e", .from_id = "t", .to = "10"}, SYNCD_ERROR_INVALID_ARGS},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(register_manifest(&m, &cases[i].parts), ==, cases[i].code);
    /* When the way is free again, another one may take it. */
    g_assert_cmpint(revoke_record(&m.f, "migration", "a"), ==, -1);
    g_assert_cmpint(register_manifest(&m, &cases[4].parts), ==, -1);
    g_assert_cmpint(revoke_record(&m.f, "schema", "t@1"), ==, -1);
    migrating_clear(&m);
}

static void a_schema_can_demand_that_older_programs_read_on(void)
{
    Migrating m;
    migrating_init(&m);
    g_autofree char *record = schema_record("s", "3", "", "");
    const char *ask = "\"migration_policy\":\"ask\"";
    char *at = strstr(record, ask);
    g_autofree char *strict =
        g_strdup_printf("%.*s\"migration_policy\":\"forward_compatible_required\"%s",
                        (int)(at - record), record, at + strlen(ask));
    g_assert_cmpint(register_record(&m.f, "schema", strict), ==, -1);
    g_autoptr(GString) blind = g_string_new(MATRIX("false", "false"));
    g_string_replace(blind, "\"document\":\"to\",\"read\":true,\"write\":false",
                     "\"document\":\"to\",\"read\":false,\"write\":false", 1);
    const ManifestParts refused = {.to = "3", .matrix = blind->str}, taken = {.to = "3"};
    g_assert_cmpint(register_manifest(&m, &refused), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(register_manifest(&m, &taken), ==, -1);
    migrating_clear(&m);
}

static void an_object_keeps_to_its_schema(void)
{
    Migrating m;
    migrating_init(&m);
    g_assert_cmpint(register_schema(&m, "x", "1", "", ",\"json_schema\":{\"tpye\":1}"), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(register_note(&m, "o-1", "1", ""), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(register_note(&m, "o-1", "1", ",\"title\":7"), ==, -1);
    g_assert_cmpint(update_note(&m, "o-1", "2", ",\"heading\":\"much too long\""), ==,
                    SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_note(&m, "o-1", "2", ",\"heading\":\"short\""), ==, -1);
    migrating_clear(&m);
}

static void an_object_says_whether_its_schema_is_unknown_or_older(void)
{
    Migrating m;
    migrating_init(&m);
    register_note(&m, "o-1", "1", ",\"title\":\"T\"");
    register_note(&m, "o-2", "2", ",\"heading\":\"H\"");
    register_note(&m, "o-9", "9", "");
    assert_reasons(&m, "o-1", "[\"migration_required\"]");
    assert_state(&m.f, "object", "o-1", "active");
    assert_reasons(&m, "o-2", "[]");
    assert_reasons(&m, "o-9", "[\"schema_unknown\"]");
    assert_state(&m.f, "object", "o-9", "quarantined");
    /* Of another schema, too, when a manifest leads there. */
    register_schema(&m, "t", "1", "", "");
    const ManifestParts onward = {.from = "2", .to_id = "t", .to = "1"};
    g_assert_cmpint(register_manifest(&m, &onward), ==, -1);
    assert_reasons(&m, "o-2", "[\"migration_required\"]");
    revoke_record(&m.f, "migration", "m");
    assert_reasons(&m, "o-2", "[]");
    /* Known again, it leaves quarantine with its next change. */
    register_schema(&m, "s", "9", "", "");
    g_assert_cmpint(update_note(&m, "o-9", "9", ""), ==, -1);
    assert_state(&m.f, "object", "o-9", "active");
    migrating_clear(&m);
}

static void a_hundred_versions_hide_no_newer_one(void)
{
    Migrating m;
    migrating_init(&m);
    for (int i = 1; i <= 120; i++) {
        g_autofree char *version = g_strdup_printf("0.%d", i);
        register_schema(&m, "s", version, "", "");
    }
    register_note(&m, "o-1", "1", ",\"title\":\"T\"");
    assert_reasons(&m, "o-1", "[\"migration_required\"]");
    migrating_clear(&m);
}

static void the_matrix_says_who_may_write(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts closed = {.steps = MOVE},
                        open = {.steps = MOVE, .matrix = MATRIX("true", "true")};
    register_note(&m, "o-1", "1", ",\"title\":\"T\"");
    register_note(&m, "o-2", "2", ",\"heading\":\"H\"");
    g_assert_cmpint(register_manifest(&m, &closed), ==, -1);
    g_assert_cmpint(update_note(&m, "o-1", "2", ",\"heading\":\"H\""), ==,
                    SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_note(&m, "o-2", "1", ",\"title\":\"T\""), ==, SYNCD_ERROR_POLICY_DENIED);
    g_assert_cmpint(update_note(&m, "o-1", "1", ",\"title\":\"U\""), ==, -1);
    revoke_record(&m.f, "migration", "m");
    const ManifestParts again = {.id = "n", .steps = open.steps, .matrix = open.matrix};
    g_assert_cmpint(register_manifest(&m, &again), ==, -1);
    g_assert_cmpint(update_note(&m, "o-1", "2", ",\"heading\":\"H\""), ==, -1);
    g_assert_cmpint(update_note(&m, "o-2", "1", ",\"title\":\"T\""), ==, -1);
    migrating_clear(&m);
}

/* What came in with the same turn counts, and the turn goes on. */
static void two_manifests_of_one_turn_do_not_lead_on_from_one_version(void)
{
    Migrating m;
    migrating_init(&m);
    g_autofree char *one = sign_manifest(&m, &(ManifestParts){.id = "m-1"}),
                    *two = sign_manifest(&m, &(ManifestParts){.id = "m-2"});
    const char *const records[] = {one, two};
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
        g_autoptr(GError) error = NULL;
        g_auto(SyncdRegistered) registered = {0};
        const SyncdRegistryRequest request = {.kind = "migration",
                                              .record = SYNCD_BYTES_TEXT(records[i])};
        g_assert_true(syncd_service_register(m.f.service, &m.f.caller, &request, &registered,
                                             &error) == (i == 0));
        g_assert_true(syncd_service_has_turn(m.f.service));
        if (i > 0)
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    }
    migrating_clear(&m);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/manifest/a-manifest-is-taken-when-its-author-has-signed-it",
                    a_manifest_is_taken_when_its_author_has_signed_it);
    g_test_add_func("/manifest/only-an-author-who-may-migrate-can-sign",
                    only_an_author_who_may_migrate_can_sign);
    g_test_add_func("/manifest/manifests-lead-from-known-versions-to-newer-ones-without-a-circle",
                    manifests_lead_from_known_versions_to_newer_ones_without_a_circle);
    g_test_add_func("/manifest/a-schema-can-demand-that-older-programs-read-on",
                    a_schema_can_demand_that_older_programs_read_on);
    g_test_add_func("/manifest/an-object-keeps-to-its-schema", an_object_keeps_to_its_schema);
    g_test_add_func("/manifest/an-object-says-whether-its-schema-is-unknown-or-older",
                    an_object_says_whether_its_schema_is_unknown_or_older);
    g_test_add_func("/manifest/a-hundred-versions-hide-no-newer-one",
                    a_hundred_versions_hide_no_newer_one);
    g_test_add_func("/manifest/the-matrix-says-who-may-write", the_matrix_says_who_may_write);
    g_test_add_func("/manifest/two-manifests-of-one-turn-do-not-lead-on-from-one-version",
                    two_manifests_of_one_turn_do_not_lead_on_from_one_version);
    return g_test_run();
}
