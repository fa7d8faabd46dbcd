/*
 * Schemas, encryption profiles and migrations lie in a scope that their author chose. Whoever does
 * not reach that scope finds nothing there, whatever he asks; what lies there holds all the same
 * for the objects that belong there, and for those that were given to it.
 */
#include "migration-fixture.h"

#define REACH                                                                                      \
    "\"workspace_scope\":[\"workspace:a\"],\"profile_scope\":[\"profile:default\"],"               \
    "\"trust_level\":\"user\",\"policy_subject\":\"p\",\"signing_key_ref\":\"none\"}"
#define HIDDEN "hidden"
#define NOWHERE "absent" /* as long as the other one */

/* Both reach workspace:a, and nothing else. */
static const SyncdCaller person = {.uid = 1001}, agent = {.uid = 1002};

static void put_record(Migrating *m, const char *kind, const char *scope, const char *record)
{
    const SyncdRegistryRequest request = {
        .kind = kind, .record = SYNCD_BYTES_TEXT(record), .scope = scope};
    g_assert_cmpint(change_as(&m->f, &m->f.caller, syncd_service_register, &request, NULL), ==, -1);
}

static void put_schema(Migrating *m, const char *scope, const char *id, const char *version)
{
    g_autofree char *record = schema_record(id, version, "\"title\"",
                                            ",\"json_schema\":{\"properties\":{\"colour\":{}}}");
    put_record(m, "schema", scope, record);
}

#define SEALED(id)                                                                                 \
    "{\"encryption_profile_id\":\"" id "\",\"encryption_scope\":\"workspace\","                    \
    "\"display_name\":\"E\"}"

static void world_begin(Migrating *m)
{
    guint8 seed[SYNCD_SIGN_SEED_SIZE] = {9};
    service_init_instance(&m->f, SYNCD_INSTANCE_SYSTEM);
    m->f.caller.uid = 0;
    m->f.caller.inspector = true;
    m->signer = syncd_signer_new(seed, NULL);
    register_author(m, AUTHOR, "migrate_schema");
    put_record(m, "workspace", NULL,
               "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:default\"}");
    put_record(m, "workspace", NULL,
               "{\"workspace_id\":\"workspace:b\",\"profile_id\":\"profile:default\"}");
    put_record(m, "actor", NULL,
               "{\"actor_id\":\"person-1\",\"actor_type\":\"human\",\"display_name\":\"A\","
               "\"identity_id\":\"uid:1001\",\"capabilities\":[\"read\",\"write\",\"delete\","
               "\"migrate_schema\"]," REACH);
    put_record(m, "actor", NULL,
               "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
               "\"identity_id\":\"uid:1002\",\"capabilities\":[\"read\",\"write\","
               "\"migrate_schema\"]," REACH);
    put_schema(m, "workspace:b", HIDDEN, "1");
    put_record(m, "encryption-profile", "workspace:b", SEALED(HIDDEN));
}

static void world_end(Migrating *m)
{
    migrating_clear(m);
}

static char *object_record(const char *id, const char *workspace, const char *schema,
                           const char *version, const char *more)
{
    return g_strdup_printf(
        "{\"object_id\":\"%s\",\"object_type\":\"note\",\"schema_id\":\"%s\",\"schema_version\":"
        "\"%s\",\"workspace_id\":\"%s\",\"profile_id\":\"profile:default\",\"owner_identity\":"
        "\"me\",\"privacy_class\":\"work\",\"sync_visibility\":\"workspace\",\"retention_class\":"
        "\"normal\",\"policy_tags\":[],\"provenance\":[]%s}",
        id, schema, version, workspace, more);
}

/* What was said, with one name for both ids; NULL when it was done. */
static char *told(int code, char *message, const char *id)
{
    g_autofree char *given = message;
    if (code == -1)
        return NULL;
    g_auto(GStrv) parts = g_strsplit(given, id, -1);
    g_autofree char *joined = g_strjoinv("<id>", parts);
    return g_strdup_printf("%d %s", code, joined);
}

static char *change(Migrating *m, const SyncdCaller *caller, ChangeFunc func, const char *id,
                    SyncdRegistryRequest request)
{
    char *message = NULL;
    int code = change_as(&m->f, caller, func, &request, &message);
    return told(code, message, id);
}

/* ---- the verbs of the registries ---- */

static const char *const kinds[] = {"schema", "encryption-profile", "migration"};

static char *record_of(Migrating *m, const char *kind, const char *id)
{
    if (strcmp(kind, "schema") == 0)
        return schema_record(id, "1", "", "");
    if (strcmp(kind, "migration") == 0)
        return sign_manifest(m, &(ManifestParts){.id = id, .to = "3"});
    return g_strdup_printf("{\"encryption_profile_id\":\"%s\",\"encryption_scope\":\"workspace\","
                           "\"display_name\":\"E\"}",
                           id);
}

static void put_migration(Migrating *m)
{
    const ManifestParts parts = {.id = HIDDEN, .from_id = HIDDEN, .to_id = HIDDEN};
    put_schema(m, "workspace:b", HIDDEN, "2");
    g_autofree char *manifest = sign_manifest(m, &parts);
    put_record(m, "migration", "workspace:b", manifest);
}

static char *change_named(Migrating *m, const char *kind, const char *id, ChangeFunc func,
                          guint64 expected, bool dry_run)
{
    g_autofree char *record = record_of(m, kind, id),
                    *name = g_strconcat(id, strcmp(kind, "schema") == 0 ? "@1" : "", NULL);
    return change(m, &person, func, id,
                  (SyncdRegistryRequest){.kind = kind,
                                         .id = name,
                                         .expected = expected,
                                         .dry_run = dry_run,
                                         .record = func == syncd_service_revoke
                                                       ? SYNCD_BYTES(NULL, 0)
                                                       : SYNCD_BYTES_TEXT(record)});
}

static void what_lies_elsewhere_is_not_there(void)
{
    static const ChangeFunc funcs[] = {syncd_service_update, syncd_service_revoke};
    Migrating m;
    world_begin(&m);
    put_migration(&m);
    for (unsigned i = 0; i < 2 * 2 * 2 * G_N_ELEMENTS(kinds); i++) {
        const char *kind = kinds[i / 8];
        ChangeFunc func = funcs[i % 2];
        bool dry_run = i / 2 % 2;
        guint64 expected = i / 4 % 2;
        g_autofree char *there = change_named(&m, kind, HIDDEN, func, expected, dry_run),
                        *nowhere = change_named(&m, kind, NOWHERE, func, expected, dry_run);
        g_assert_nonnull(there);
        g_assert_cmpstr(there, ==, nowhere);
    }
    assert_state(&m.f, "schema", HIDDEN "@1", "active");
    assert_state(&m.f, "encryption-profile", HIDDEN, "active");
    assert_state(&m.f, "migration", HIDDEN, "active");
    world_end(&m);
}

/* Ids are used once, wherever; what became of one is not said. */
static void a_used_id_tells_nothing_of_what_has_it(void)
{
    Migrating m;
    world_begin(&m);
    put_migration(&m);
    for (unsigned i = 0; i < 2 * G_N_ELEMENTS(kinds); i++) {
        g_autofree char *said =
            change_named(&m, kinds[i / 2], HIDDEN, syncd_service_register, 0, i % 2);
        g_assert_cmpstr(said, ==,
                        i / 2 == 0 ? "26 The id <id>@1 cannot be used. Next: use another id."
                                   : "26 The id <id> cannot be used. Next: use another id.");
    }
    world_end(&m);
}

static void whoever_reaches_the_scope_ends_what_is_there(void)
{
    Migrating m;
    world_begin(&m);
    const SyncdRegistryRequest schema = {.kind = "schema", .id = "near@1"},
                               sealed = {.kind = "encryption-profile", .id = "near"};
    put_schema(&m, "workspace:a", "near", "1");
    put_record(&m, "encryption-profile", "workspace:a", SEALED("near"));
    g_assert_cmpint(change_as(&m.f, &person, syncd_service_revoke, &schema, NULL), ==, -1);
    g_assert_cmpint(change_as(&m.f, &person, syncd_service_revoke, &sealed, NULL), ==, -1);
    world_end(&m);
}

/* ---- objects ---- */

static char *put_object(Migrating *m, const SyncdCaller *caller, ChangeFunc func, const char *id,
                        const char *record)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) registered = {0};
    const SyncdRegistryRequest request = {
        .kind = "object", .id = id, .record = SYNCD_BYTES_TEXT(record)};
    bool done = func(m->f.service, caller, &request, &registered, &error);
    syncd_service_commit(m->f.service);
    return done ? g_strjoinv(" ", registered.unknown) : g_strdup(error->message);
}

static char *show_as(Migrating *m, const SyncdCaller *caller, const char *id, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *shown = syncd_service_show_record(m->f.service, caller, "object", id, &error);
    g_assert_no_error(error);
    return member_of(shown, name);
}

static void assert_shown(Migrating *m, const SyncdCaller *caller, const char *id, const char *state,
                         const char *reasons)
{
    g_autofree char *is = show_as(m, caller, id, "state"), *why = show_as(m, caller, id, "reasons");
    g_assert_cmpstr(is, ==, state);
    g_assert_cmpstr(why, ==, reasons);
}

/* An object may name what its author does not reach; that it is there is not to be found out so. */
static void a_schema_elsewhere_is_unknown(void)
{
    static const char *const named[] = {HIDDEN, NOWHERE};
    Migrating m;
    world_begin(&m);
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
        g_autofree char *id = g_strdup_printf("o-%zu", i),
                        *record = object_record(id, "workspace:a", named[i], "1",
                                                ",\"colour\":1,\"size\":1"),
                        *first = put_object(&m, &agent, syncd_service_register, id, record),
                        *again = put_object(&m, &agent, syncd_service_update, id, record);
        g_assert_cmpstr(first, ==, "colour size");
        g_assert_cmpstr(again, ==, "colour size");
        assert_shown(&m, &agent, id, "\"quarantined\"", "[\"schema_unknown\"]");
    }
    world_end(&m);
}

static void a_schema_serves_the_objects_that_are_beside_it(void)
{
    Migrating m;
    world_begin(&m);
    put_schema(&m, "workspace:a", "near", "1");
    put_schema(&m, "profile:default", "of-profile", "1");
    put_schema(&m, NULL, "of-all", "1");
    static const char *const schemas[] = {"near", "of-profile", "of-all"};
    for (size_t i = 0; i < G_N_ELEMENTS(schemas); i++) {
        g_autofree char *id = g_strdup_printf("o-%zu", i),
                        *good = object_record(id, "workspace:a", schemas[i], "1",
                                              ",\"title\":\"T\",\"colour\":1"),
                        *bad = object_record(id, "workspace:a", schemas[i], "1", ""),
                        *unknown = put_object(&m, &agent, syncd_service_register, id, good),
                        *refused = put_object(&m, &agent, syncd_service_update, id, bad);
        g_assert_cmpstr(unknown, ==, "");
        g_assert_nonnull(strstr(refused, "title"));
        assert_shown(&m, &agent, id, "\"active\"", "[]");
    }
    world_end(&m);
}

/* Who reaches both sides may bring them together: the object is then held to its schema, by all. */
static void what_was_brought_together_stays_so(void)
{
    Migrating m;
    world_begin(&m);
    g_autofree char *good = object_record("o", "workspace:a", HIDDEN, "1", ",\"title\":\"T\""),
                    *bad = object_record("o", "workspace:a", HIDDEN, "1", ""),
                    *made = put_object(&m, &m.f.caller, syncd_service_register, "o", good);
    g_assert_cmpstr(made, ==, "");
    g_autofree char *refused = put_object(&m, &agent, syncd_service_update, "o", bad),
                    *taken = put_object(&m, &agent, syncd_service_update, "o", good);
    g_assert_nonnull(strstr(refused, "title"));
    g_assert_cmpstr(taken, ==, "");
    assert_shown(&m, &m.f.caller, "o", "\"active\"", "[]");
    world_end(&m);
}

static void a_newer_version_elsewhere_is_not_told(void)
{
    Migrating m;
    world_begin(&m);
    put_schema(&m, "workspace:a", "near", "1");
    put_schema(&m, "workspace:b", "near", "2");
    g_autofree char *record = object_record("o", "workspace:a", "near", "1", ",\"title\":\"T\""),
                    *made = put_object(&m, &agent, syncd_service_register, "o", record);
    g_assert_cmpstr(made, ==, "");
    assert_shown(&m, &agent, "o", "\"active\"", "[]");
    assert_shown(&m, &m.f.caller, "o", "\"active\"", "[\"migration_required\"]");
    assert_shown(&m, &agent, "o", "\"active\"", "[]");
    world_end(&m);
}

/* ---- encryption profiles that are named ---- */

static char *enqueue_sealed(Migrating *m, const SyncdCaller *caller, const char *scope,
                            const char *profile)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    g_autofree char *body = g_strdup_printf("{\"encryption_profile_ref\":\"%s\"}", profile);
    request.scope = scope;
    request.object = "";
    request.body = SYNCD_BYTES_TEXT(body);
    bool done = syncd_service_enqueue(m->f.service, caller, &request, &enqueued, &error);
    syncd_service_commit(m->f.service);
    return told(done ? -1 : error->code, done ? NULL : g_strdup(error->message), profile);
}

static void an_encryption_profile_elsewhere_is_not_there(void)
{
    Migrating m;
    world_begin(&m);
    g_autofree char *there = enqueue_sealed(&m, &agent, "workspace:a", HIDDEN),
                    *nowhere = enqueue_sealed(&m, &agent, "workspace:a", NOWHERE);
    g_assert_nonnull(there);
    g_assert_cmpstr(there, ==, nowhere);
    put_record(&m, "encryption-profile", "workspace:a", SEALED("near"));
    put_record(&m, "encryption-profile", NULL, SEALED("of-all"));
    g_assert_null(enqueue_sealed(&m, &agent, "workspace:a", "near"));
    g_assert_null(enqueue_sealed(&m, &agent, "workspace:a", "of-all"));

    static const char *const named[] = {HIDDEN, NOWHERE};
    char *said[G_N_ELEMENTS(named)];
    for (size_t i = 0; i < G_N_ELEMENTS(named); i++) {
        g_autofree char *record =
            g_strdup_printf("{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:default\","
                            "\"encryption_profile_ref\":\"%s\"}",
                            named[i]);
        said[i] = change(&m, &person, syncd_service_update, named[i],
                         (SyncdRegistryRequest){.kind = "workspace",
                                                .id = "workspace:a",
                                                .record = SYNCD_BYTES_TEXT(record)});
    }
    g_assert_nonnull(said[0]);
    g_assert_cmpstr(said[0], ==, said[1]);
    g_free(said[0]);
    g_free(said[1]);
    world_end(&m);
}

/* What a workspace has by whoever reaches both holds there for everybody. */
static void what_a_workspace_was_given_stays_so(void)
{
    Migrating m;
    world_begin(&m);
    const char *sealed = "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:default\","
                         "\"encryption_profile_ref\":\"" HIDDEN "\"}";
    g_assert_cmpint(update_record(&m.f, "workspace", "workspace:a", sealed), ==, -1);
    g_assert_null(enqueue_sealed(&m, &agent, "workspace:a", HIDDEN));
    g_autofree char *kept =
        change(&m, &person, syncd_service_update, HIDDEN,
               (SyncdRegistryRequest){
                   .kind = "workspace", .id = "workspace:a", .record = SYNCD_BYTES_TEXT(sealed)});
    g_assert_null(kept);
    world_end(&m);
}

/* ---- migrations ---- */

static char *plan_as(Migrating *m, const SyncdCaller *caller, const char *id)
{
    g_autoptr(GError) error = NULL;
    const SyncdMigrationRequest request = {.migration = id};
    g_autofree char *report = syncd_service_plan_migration(m->f.service, caller, &request, &error);
    if (report != NULL)
        return g_steal_pointer(&report);
    return told(error->code, g_strdup(error->message), id);
}

static void a_migration_elsewhere_is_not_there(void)
{
    Migrating m;
    world_begin(&m);
    put_migration(&m);
    g_autofree char *there = plan_as(&m, &agent, HIDDEN), *nowhere = plan_as(&m, &agent, NOWHERE);
    g_assert_cmpstr(there, ==, nowhere);

    static const char *const ends[] = {HIDDEN, NOWHERE};
    char *said[G_N_ELEMENTS(ends)];
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const ManifestParts parts = {.id = "mine", .from_id = ends[i], .to_id = ends[i]};
        g_autofree char *manifest = sign_manifest(&m, &parts);
        said[i] = change(&m, &person, syncd_service_register, ends[i],
                         (SyncdRegistryRequest){.kind = "migration",
                                                .scope = "workspace:a",
                                                .record = SYNCD_BYTES_TEXT(manifest)});
    }
    g_assert_nonnull(said[0]);
    g_assert_cmpstr(said[0], ==, said[1]);
    g_free(said[0]);
    g_free(said[1]);
    world_end(&m);
}

static void put_ways(Migrating *m, const char *scope)
{
    const ManifestParts parts = {.id = "secret-way", .from_id = "of-all", .to_id = "of-all"};
    g_autofree char *manifest = sign_manifest(m, &parts);
    put_schema(m, NULL, "of-all", "1");
    put_schema(m, NULL, "of-all", "2");
    put_record(m, "migration", scope, manifest);
}

/* That there is one already cannot be kept from whoever would register another; which one can. */
static void a_migration_beside_one_elsewhere_does_not_name_it(void)
{
    Migrating m;
    world_begin(&m);
    put_ways(&m, "workspace:b");
    const ManifestParts parts = {.id = "mine", .from_id = "of-all", .to_id = "of-all"};
    g_autofree char *manifest = sign_manifest(&m, &parts);
    g_autofree char *said =
        change(&m, &person, syncd_service_register, "mine",
               (SyncdRegistryRequest){.kind = "migration", .record = SYNCD_BYTES_TEXT(manifest)});
    g_assert_nonnull(said);
    g_assert_null(strstr(said, "secret-way"));
    world_end(&m);
}

/* Of the objects of a schema he sees those that he reaches, and how many there are besides is not
 * told either. */
static void a_migration_is_of_the_objects_that_are_reached(void)
{
    static const char *const places[] = {"workspace:a", "workspace:b"};
    Migrating m;
    world_begin(&m);
    put_ways(&m, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *id = g_strdup_printf("in-%s", places[i]),
                        *record = object_record(id, places[i], "of-all", "1", ",\"title\":\"T\""),
                        *made = put_object(&m, &m.f.caller, syncd_service_register, id, record);
        g_assert_cmpstr(made, ==, "");
    }
    g_autofree char *report = plan_as(&m, &agent, "secret-way");
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpuint(count_of(report, "failures"), ==, 0);
    g_assert_null(strstr(report, "workspace:b"));
    assert_member(report, "examined", "1");
    g_autofree char *all = plan_as(&m, &m.f.caller, "secret-way");
    g_assert_cmpuint(count_of(all, "objects"), ==, 2);
    world_end(&m);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/chosen/what-lies-elsewhere-is-not-there", what_lies_elsewhere_is_not_there);
    g_test_add_func("/chosen/a-used-id-tells-nothing-of-what-has-it",
                    a_used_id_tells_nothing_of_what_has_it);
    g_test_add_func("/chosen/whoever-reaches-the-scope-ends-what-is-there",
                    whoever_reaches_the_scope_ends_what_is_there);
    g_test_add_func("/chosen/a-schema-elsewhere-is-unknown", a_schema_elsewhere_is_unknown);
    g_test_add_func("/chosen/a-schema-serves-the-objects-that-are-beside-it",
                    a_schema_serves_the_objects_that_are_beside_it);
    g_test_add_func("/chosen/what-was-brought-together-stays-so",
                    what_was_brought_together_stays_so);
    g_test_add_func("/chosen/a-newer-version-elsewhere-is-not-told",
                    a_newer_version_elsewhere_is_not_told);
    g_test_add_func("/chosen/an-encryption-profile-elsewhere-is-not-there",
                    an_encryption_profile_elsewhere_is_not_there);
    g_test_add_func("/chosen/what-a-workspace-was-given-stays-so",
                    what_a_workspace_was_given_stays_so);
    g_test_add_func("/chosen/a-migration-elsewhere-is-not-there",
                    a_migration_elsewhere_is_not_there);
    g_test_add_func("/chosen/a-migration-beside-one-elsewhere-does-not-name-it",
                    a_migration_beside_one_elsewhere_does_not_name_it);
    g_test_add_func("/chosen/a-migration-is-of-the-objects-that-are-reached",
                    a_migration_is_of_the_objects_that_are_reached);
    return g_test_run();
}
