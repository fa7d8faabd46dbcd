/*
 * A migration does to objects exactly what its dry run has shown, all of it or nothing, and can be
 * taken back as long as nobody has changed them since. Manifests that nobody has signed, or that
 * contradict others, are not taken.
 */
#include "contract/check.h"
#include "index-dump.h"
#include "migration-fixture.h"
#include "policy-fixture.h"
#include "service/internal.h"

#define MOVE "{\"op\":\"move\",\"path\":\"/title\",\"to\":\"/heading\"}"
#define REPORT "sourceos.migration-report/v1"

/* ---- manifests ---- */

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

/* ---- schemas and objects ---- */

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

static void assert_reasons(Migrating *m, const char *id, const char *reasons)
{
    g_autofree char *shown = show_record(&m->f, "object", id);
    assert_member(shown, "reasons", reasons);
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

/* ---- plan, migrate, roll back ---- */

static void assert_report(const char *report)
{
    bool valid;
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    syncd_contract_check(REPORT, golden_root(report), errors, &valid, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < syncd_schema_errors_count(errors); i++)
        g_test_message("%s %s", syncd_schema_errors_get(errors, i)->instance_path,
                       syncd_schema_errors_get(errors, i)->sentence);
    g_assert_true(valid);
}

static char *plan(Migrating *m, const SyncdMigrationRequest *request)
{
    g_autoptr(GError) error = NULL;
    guint64 sequence = service_sequence(&m->f);
    char *report = syncd_service_plan_migration(m->f.service, &m->f.caller, request, &error);
    g_assert_no_error(error);
    assert_report(report);
    g_assert_cmpuint(service_sequence(&m->f), ==, sequence);
    return report;
}

/* -1 when it was done, else the code of the error. Commits. */
static int apply(Migrating *m, const SyncdMigrationRequest *request, char **ret_report,
                 char **ret_operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdMigrated) migrated = {0};
    bool done =
        syncd_service_apply_migration(m->f.service, &m->f.caller, request, &migrated, &error);
    syncd_service_commit(m->f.service);
    if (!done) {
        g_test_message("%s", error->message);
        return error->code;
    }
    assert_report(migrated.report);
    if (ret_report != NULL)
        *ret_report = g_steal_pointer(&migrated.report);
    if (ret_operation != NULL)
        *ret_operation = g_steal_pointer(&migrated.operation);
    return -1;
}

static char *text_of(const char *document, const char *name)
{
    return syncd_json_dup_text(syncd_json_member(golden_root(document), name));
}

static guint count_of(const char *document, const char *name)
{
    g_autofree char *list = member_of(document, name);
    return count_elements(list);
}

/* Plans and applies what was planned; the operation. */
static char *migrate(Migrating *m, SyncdMigrationRequest request)
{
    char *operation = NULL;
    g_autofree char *planned = plan(m, &request), *digest = text_of(planned, "digest");
    g_autofree char *report = NULL, *applied = NULL;
    request.digest = digest;
    g_assert_cmpint(apply(m, &request, &report, &operation), ==, -1);
    applied = text_of(report, "digest");
    g_assert_cmpstr(applied, ==, digest);
    return operation;
}

static void three_notes(Migrating *m)
{
    const ManifestParts parts = {.steps = MOVE};
    g_assert_cmpint(register_note(m, "o-1", "1", ",\"title\":\"One\",\"x\":[1.50]"), ==, -1);
    g_assert_cmpint(register_note(m, "o-2", "1", ",\"title\":\"much too long\""), ==, -1);
    g_assert_cmpint(register_note(m, "o-3", "1", ",\"title\":\"3\",\"heading\":null"), ==, -1);
    g_assert_cmpint(register_note(m, "o-4", "2", ",\"heading\":\"Four\""), ==, -1);
    g_assert_cmpint(register_note(m, "o-5", "1", ",\"title\":\"Five\""), ==, -1);
    g_assert_cmpint(revoke_record(&m->f, "object", "o-5"), ==, -1);
    g_assert_cmpint(register_manifest(m, &parts), ==, -1);
}

static void a_plan_shows_what_would_be_and_changes_nothing(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    const SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *report = plan(&m, &request), *again = plan(&m, &request);
    g_autofree char *digest = text_of(report, "digest"), *same = text_of(again, "digest");
    g_assert_cmpstr(digest, ==, same);
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpuint(count_of(report, "failures"), ==, 2);
    assert_member(report, "reversible", "true");
    assert_member(report, "status", "\"planned\"");
    assert_member(report, "examined", "5");
    SyncdJson failures = syncd_json_member(golden_root(report), "failures");
    SyncdJsonIter iter;
    SyncdJson failure;
    syncd_json_iter_init(&iter, failures);
    g_assert_true(syncd_json_iter_next(&iter, NULL, &failure));
    g_assert_true(syncd_json_is(syncd_json_member(failure, "object_id"), "o-2"));
    g_assert_true(syncd_json_is(syncd_json_member(failure, "reason"), "schema_violation"));
    g_autofree char *errors = g_strndup(syncd_json_member(failure, "errors").at,
                                        syncd_json_size(syncd_json_member(failure, "errors")));
    g_assert_nonnull(strstr(errors, "\"path\":\"/heading\""));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &failure));
    g_assert_true(syncd_json_is(syncd_json_member(failure, "object_id"), "o-3"));
    g_assert_true(syncd_json_is(syncd_json_member(failure, "reason"), "step_failed"));
    migrating_clear(&m);
}

static void what_is_applied_is_what_was_planned(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_autofree char *before = record_member(&m.f, "object", "o-1", "created_at");
    SyncdMigrationRequest request = {.migration = "m", .digest = "sha256:00"};
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_STALE_DIGEST);
    guint changes = count_events(&m.f, "sync.object.changed");
    g_autofree char *operation = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    g_assert_cmpuint(count_events(&m.f, "sync.object.changed"), ==, changes + 1);
    g_assert_cmpuint(count_events(&m.f, "sync.schema.migrated"), ==, 1);
    g_autofree char *heading = record_member(&m.f, "object", "o-1", "heading");
    g_autofree char *title = record_member(&m.f, "object", "o-1", "title");
    g_autofree char *kept = record_member(&m.f, "object", "o-1", "x");
    g_autofree char *created = record_member(&m.f, "object", "o-1", "created_at");
    g_autofree char *left = record_member(&m.f, "object", "o-2", "title");
    g_assert_cmpstr(heading, ==, "\"One\"");
    g_assert_null(title);
    g_assert_cmpstr(kept, ==, "[1.50]");
    g_assert_cmpstr(created, ==, before);
    g_assert_cmpstr(left, ==, "\"much too long\"");
    assert_reasons(&m, "o-1", "[]");
    assert_reasons(&m, "o-2", "[\"migration_required\"]");
    g_autoptr(GError) error = NULL;
    g_autofree char *report =
        syncd_service_migration_report(m.f.service, &m.f.caller, operation, &error);
    g_assert_no_error(error);
    assert_member(report, "status", "\"applied\"");
    g_assert_cmpuint(count_of(report, "failures"), ==, 2);
    migrating_clear(&m);
}

static void a_plan_that_no_longer_holds_is_stale(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *planned = plan(&m, &request), *digest = text_of(planned, "digest");
    g_assert_cmpint(update_note(&m, "o-1", "1", ",\"title\":\"Other\""), ==, -1);
    request.digest = digest;
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_STALE_DIGEST);
    g_assert_cmpuint(service_sequence(&m.f), ==, sequence);
    /* Done once, there is nothing left of it to do. */
    g_free(migrate(&m, (SyncdMigrationRequest){.migration = "m"}));
    sequence = service_sequence(&m.f);
    g_autofree char *nothing = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    g_assert_cmpstr(nothing, ==, "");
    g_assert_cmpuint(service_sequence(&m.f), ==, sequence);
    migrating_clear(&m);
}

static void a_rollback_gives_the_earlier_documents_back(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_autofree char *run = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    g_autofree char *back = migrate(&m, (SyncdMigrationRequest){.run = run});
    g_autofree char *title = record_member(&m.f, "object", "o-1", "title");
    g_autofree char *heading = record_member(&m.f, "object", "o-1", "heading");
    g_autofree char *version = record_member(&m.f, "object", "o-1", "schema_version");
    g_assert_cmpstr(title, ==, "\"One\"");
    g_assert_null(heading);
    g_assert_cmpstr(version, ==, "\"1\"");
    g_assert_cmpuint(count_events(&m.f, "sync.schema.migrated"), ==, 2);
    /* Once is enough, and a rollback has no rollback. */
    g_autoptr(GError) error = NULL;
    SyncdMigrationRequest again = {.run = run, .digest = "sha256:00"};
    g_assert_cmpint(apply(&m, &again, NULL, NULL), ==, SYNCD_ERROR_PLAN_STALE);
    again.run = back;
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &again, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    /* The same objects can be migrated again. */
    g_free(migrate(&m, (SyncdMigrationRequest){.migration = "m"}));
    migrating_clear(&m);
}

static void what_was_changed_since_is_not_rolled_back(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_assert_cmpint(register_note(&m, "o-6", "1", ",\"title\":\"Six\""), ==, -1);
    g_autofree char *run = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    g_assert_cmpint(update_note(&m, "o-6", "2", ",\"heading\":\"Seven\""), ==, -1);
    SyncdMigrationRequest request = {.run = run};
    g_autofree char *report = plan(&m, &request), *digest = text_of(report, "digest");
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpuint(count_of(report, "failures"), ==, 1);
    g_assert_nonnull(strstr(report, "\"reason\":\"changed_since\""));
    request.digest = digest;
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_PLAN_STALE);
    g_assert_cmpuint(service_sequence(&m.f), ==, sequence);
    migrating_clear(&m);
}

static void what_was_lost_comes_back_from_the_log(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts parts = {.steps = "{\"op\":\"remove\",\"path\":\"/secret\"}," MOVE};
    g_assert_cmpint(register_note(&m, "o-1", "1", ",\"title\":\"T\",\"secret\":\"S\""), ==, -1);
    g_assert_cmpint(register_manifest(&m, &parts), ==, -1);
    const SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *report = plan(&m, &request);
    assert_member(report, "reversible", "false");
    assert_member(report, "losses", "[\"/secret\"]");
    g_autofree char *run = migrate(&m, request);
    g_assert_null(record_member(&m.f, "object", "o-1", "secret"));
    g_free(migrate(&m, (SyncdMigrationRequest){.run = run}));
    g_autofree char *secret = record_member(&m.f, "object", "o-1", "secret");
    g_assert_cmpstr(secret, ==, "\"S\"");
    migrating_clear(&m);
}

static void many_objects_come_in_pages(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts parts = {.steps = MOVE};
    for (int i = 0; i < 230; i++) {
        g_autofree char *id = g_strdup_printf("o-%03d", i);
        g_assert_cmpint(register_note(&m, id, "1", ",\"title\":\"T\""), ==, -1);
    }
    g_assert_cmpint(register_manifest(&m, &parts), ==, -1);
    g_autofree char *cursor = g_strdup("");
    guint runs = 0;
    do {
        SyncdMigrationRequest request = {.migration = "m", .cursor = cursor};
        g_autofree char *report = plan(&m, &request);
        char *next = text_of(report, "next_cursor");
        g_free(migrate(&m, request));
        g_free(cursor);
        cursor = next;
        runs++;
    } while (*cursor != '\0');
    g_assert_cmpuint(runs, ==, 3);
    SyncdRegistryListing listing = {.kind = "object", .schema = "s"};
    g_assert_cmpuint(count_records(&m.f, &listing), ==, 100);
    assert_reasons(&m, "o-229", "[]");
    migrating_clear(&m);
}

/* ---- keys and signatures ---- */

static void the_same_key_gives_the_first_result(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    SyncdMigrationRequest request = {.migration = "m", .idempotency_key = "k"};
    g_autofree char *planned = plan(&m, &request), *digest = text_of(planned, "digest");
    g_autofree char *first = NULL, *again = NULL, *report = NULL, *same = NULL;
    request.digest = digest;
    g_assert_cmpint(apply(&m, &request, &report, &first), ==, -1);
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply(&m, &request, &same, &again), ==, -1);
    g_assert_cmpstr(again, ==, first);
    g_assert_cmpstr(same, ==, report);
    service_close(&m.f);
    service_open(&m.f);
    g_clear_pointer(&again, g_free);
    g_assert_cmpint(apply(&m, &request, NULL, &again), ==, -1);
    g_assert_cmpstr(again, ==, first);
    request.digest = "sha256:00";
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_INVALID_ARGS);
    /* A rollback is another request, whatever it is about. */
    SyncdMigrationRequest back = {.run = first, .idempotency_key = "k", .digest = digest};
    g_assert_cmpint(apply(&m, &back, NULL, NULL), ==, SYNCD_ERROR_INVALID_ARGS);
    back.idempotency_key = "";
    g_assert_cmpint(apply(&m, &back, NULL, NULL), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpuint(service_sequence(&m.f), ==, sequence);
    migrating_clear(&m);
}

static char *sign_migration(Migrating *m, const SyncdMigrationRequest *request, const char *method)
{
    SyncdBytes parts[3];
    size_t n = 0;
    parts[n++] = SYNCD_BYTES_TEXT(request->run != NULL ? request->run : request->migration);
    if (request->digest != NULL)
        parts[n++] = SYNCD_BYTES_TEXT(request->digest);
    if (request->run == NULL)
        parts[n++] = SYNCD_BYTES_TEXT("");
    g_autoptr(GString) statement =
        syncd_signed_statement(syncd_store_device_id(m->f.service->store), &request->claim, method,
                               request->digest != NULL ? request->idempotency_key : "", parts, n);
    SyncdSignature signature = syncd_signer_sign(m->signer, statement->str, statement->len);
    return g_base64_encode(signature.bytes, sizeof signature.bytes);
}

static void an_agent_migrates_what_it_signs_for(void)
{
    Migrating m;
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    migrating_init(&m);
    three_notes(&m);
    syncd_hex_encode(syncd_signer_public_key(m.signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"mover\",\"actor_type\":\"agent\",\"display_name\":\"M\",\"identity_id\":"
        "\"agent:mover\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],\"capabilities\":["
        "\"read\",\"write\",\"migrate_schema\"],\"trust_level\":\"user\",\"policy_subject\":\"m\","
        "\"signing_key_ref\":\"ed25519:%s\"}",
        hex);
    g_assert_cmpint(register_record(&m.f, "actor", record), ==, -1);
    SyncdMigrationRequest request = {.migration = "m"};
    request.claim =
        (SyncdSigned){.actor = "mover", .expires_usec = m.f.base.now_usec + 60 * G_USEC_PER_SEC};
    g_autofree char *to_plan = sign_migration(&m, &request, "Registry.PlanMigration");
    request.claim.signature = to_plan;
    g_autofree char *planned = plan(&m, &request), *digest = text_of(planned, "digest");
    assert_member(planned, "actor_id", "\"mover\"");

    request.digest = digest;
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_ACCESS_DENIED);
    request.idempotency_key = "k";
    g_autofree char *to_apply = sign_migration(&m, &request, "Registry.ApplyMigration");
    g_assert_cmpint(apply(&m, &request, NULL, NULL), ==, SYNCD_ERROR_ACCESS_DENIED);
    request.claim.signature = to_apply;
    g_autofree char *report = NULL, *operation = NULL, *again = NULL;
    g_assert_cmpint(apply(&m, &request, &report, &operation), ==, -1);
    assert_member(report, "actor_id", "\"mover\"");
    g_assert_cmpint(apply(&m, &request, NULL, &again), ==, -1);
    g_assert_cmpstr(again, ==, operation);
    g_assert_cmpuint(count_events(&m.f, "sync.schema.migrated"), ==, 1);
    migrating_clear(&m);
}

static void a_rebuilt_index_says_the_same(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_autofree char *run = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    g_autofree char *before = show_record(&m.f, "object", "o-1");
    service_close(&m.f);
    remove_index(&m.f.base);
    service_open(&m.f);
    g_autofree char *after = show_record(&m.f, "object", "o-1");
    g_assert_cmpstr(after, ==, before);
    g_free(migrate(&m, (SyncdMigrationRequest){.run = run}));
    migrating_clear(&m);
}

/* ---- who may ---- */

static void only_who_may_migrate_does(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_autoptr(GError) error = NULL;
    const SyncdCaller stranger = {.uid = 4711};
    const SyncdMigrationRequest request = {.migration = "m"};
    g_assert_null(syncd_service_plan_migration(m.f.service, &stranger, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_clear_error(&error);
    g_assert_cmpint(register_record(&m.f, "actor", ACTOR("a-1", "uid:4711", "")), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &stranger, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_clear_error(&error);
    /* A manifest does not outlive its author's right. */
    g_assert_cmpint(revoke_record(&m.f, "actor", AUTHOR), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    migrating_clear(&m);
}

/* What is refused in a dry run was not tried: the log does not hear of it. */
static void what_policy_or_reach_forbids_stays_as_it_is(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts parts = {.steps = MOVE};
    register_note(&m, "o-1", "1", ",\"title\":\"1\"");
    register_note(&m, "o-2", "1", ",\"title\":\"2\"");
    g_assert_cmpint(register_manifest(&m, &parts), ==, -1);
    syncd_service_set_policy(
        m.f.service,
        set_of(FILE_OF(RULE("\"lanes\":[\"migration\"],\"objects\":[\"o-1\"]", "deny", "held")),
               NULL),
        NULL);
    const SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *report = plan(&m, &request);
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_nonnull(strstr(report, "\"reason\":\"policy_denied\""));
    g_free(migrate(&m, request));
    g_autofree char *held = record_member(&m.f, "object", "o-1", "title");
    g_assert_cmpstr(held, ==, "\"1\"");
    g_assert_null(record_member(&m.f, "object", "o-2", "title"));

    const SyncdCaller agent = {.uid = 4711};
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(
        register_record(&m.f, "actor",
                        "{\"actor_id\":\"a-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
                        "\"identity_id\":\"uid:4711\",\"workspace_scope\":[\"workspace:other\"],"
                        "\"profile_scope\":[\"*\"],\"capabilities\":[\"migrate_schema\"],"
                        "\"trust_level\":\"user\",\"policy_subject\":\"a\",\"signing_key_ref\":"
                        "\"none\"}"),
        ==, -1);
    g_autofree char *elsewhere =
        syncd_service_plan_migration(m.f.service, &agent, &request, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(elsewhere, "\"reason\":\"access_denied\""));
    g_assert_cmpuint(count_of(elsewhere, "objects"), ==, 0);
    m.f.base.now_usec += G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    run_jobs(&m.f);
    syncd_service_commit(m.f.service);
    g_assert_cmpuint(count_events(&m.f, "sync.policy.denied"), ==, 0);
    migrating_clear(&m);
}

static void what_does_not_stand_is_not_migrated(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    static const SyncdMigrationRequest requests[] = {
        {.migration = "none"}, {.migration = "\"\n"}, {.run = "op-0"}, {.run = ""}};
    for (size_t i = 0; i < G_N_ELEMENTS(requests); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &requests[i], &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    }
    g_autoptr(GError) error = NULL;
    const SyncdMigrationRequest lost = {.migration = "m", .cursor = "nonsense"};
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &lost, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_clear_error(&error);
    g_autofree char *run = migrate(&m, (SyncdMigrationRequest){.migration = "m"});
    const SyncdMigrationRequest forward = {.migration = "m"}, back = {.run = run};
    g_assert_cmpint(revoke_record(&m.f, "migration", "m"), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &forward, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_clear_error(&error);
    /* The way back is open as long as there is the schema to go back to. */
    g_autofree char *report = plan(&m, &back);
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpint(revoke_record(&m.f, "schema", "s@1"), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &back, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    migrating_clear(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migrate/a-manifest-is-taken-when-its-author-has-signed-it",
                    a_manifest_is_taken_when_its_author_has_signed_it);
    g_test_add_func("/migrate/only-an-author-who-may-migrate-can-sign",
                    only_an_author_who_may_migrate_can_sign);
    g_test_add_func("/migrate/manifests-lead-from-known-versions-to-newer-ones-without-a-circle",
                    manifests_lead_from_known_versions_to_newer_ones_without_a_circle);
    g_test_add_func("/migrate/a-schema-can-demand-that-older-programs-read-on",
                    a_schema_can_demand_that_older_programs_read_on);
    g_test_add_func("/migrate/an-object-keeps-to-its-schema", an_object_keeps_to_its_schema);
    g_test_add_func("/migrate/an-object-says-whether-its-schema-is-unknown-or-older",
                    an_object_says_whether_its_schema_is_unknown_or_older);
    g_test_add_func("/migrate/a-hundred-versions-hide-no-newer-one",
                    a_hundred_versions_hide_no_newer_one);
    g_test_add_func("/migrate/the-matrix-says-who-may-write", the_matrix_says_who_may_write);
    g_test_add_func("/migrate/a-plan-shows-what-would-be-and-changes-nothing",
                    a_plan_shows_what_would_be_and_changes_nothing);
    g_test_add_func("/migrate/what-is-applied-is-what-was-planned",
                    what_is_applied_is_what_was_planned);
    g_test_add_func("/migrate/a-plan-that-no-longer-holds-is-stale",
                    a_plan_that_no_longer_holds_is_stale);
    g_test_add_func("/migrate/a-rollback-gives-the-earlier-documents-back",
                    a_rollback_gives_the_earlier_documents_back);
    g_test_add_func("/migrate/what-was-changed-since-is-not-rolled-back",
                    what_was_changed_since_is_not_rolled_back);
    g_test_add_func("/migrate/what-was-lost-comes-back-from-the-log",
                    what_was_lost_comes_back_from_the_log);
    g_test_add_func("/migrate/many-objects-come-in-pages", many_objects_come_in_pages);
    g_test_add_func("/migrate/the-same-key-gives-the-first-result",
                    the_same_key_gives_the_first_result);
    g_test_add_func("/migrate/an-agent-migrates-what-it-signs-for",
                    an_agent_migrates_what_it_signs_for);
    g_test_add_func("/migrate/a-rebuilt-index-says-the-same", a_rebuilt_index_says_the_same);
    g_test_add_func("/migrate/only-who-may-migrate-does", only_who_may_migrate_does);
    g_test_add_func("/migrate/what-policy-or-reach-forbids-stays-as-it-is",
                    what_policy_or_reach_forbids_stays_as_it_is);
    g_test_add_func("/migrate/what-does-not-stand-is-not-migrated",
                    what_does_not_stand_is_not_migrated);
    return g_test_run();
}
