/*
 * A migration does to objects exactly what its dry run has shown, all of it or nothing, and can be
 * taken back as long as nobody has changed them since.
 */
#include "index-dump.h"
#include "migration-fixture.h"

static void a_plan_shows_what_would_be_and_changes_nothing(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    const SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *report = plan_migration(&m, &request), *again = plan_migration(&m, &request);
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
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_STALE_DIGEST);
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
    g_autofree char *planned = plan_migration(&m, &request), *digest = text_of(planned, "digest");
    g_assert_cmpint(update_note(&m, "o-1", "1", ",\"title\":\"Other\""), ==, -1);
    request.digest = digest;
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_STALE_DIGEST);
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
    g_assert_cmpint(apply_migration(&m, &again, NULL, NULL), ==, SYNCD_ERROR_PLAN_STALE);
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
    g_autofree char *report = plan_migration(&m, &request), *digest = text_of(report, "digest");
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpuint(count_of(report, "failures"), ==, 1);
    g_assert_nonnull(strstr(report, "\"reason\":\"changed_since\""));
    request.digest = digest;
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_PLAN_STALE);
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
    g_autofree char *report = plan_migration(&m, &request);
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
        g_autofree char *report = plan_migration(&m, &request);
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
    g_autofree char *report = plan_migration(&m, &back);
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_cmpint(revoke_record(&m.f, "schema", "s@1"), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &back, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    migrating_clear(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
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
    g_test_add_func("/migrate/a-rebuilt-index-says-the-same", a_rebuilt_index_says_the_same);
    g_test_add_func("/migrate/what-does-not-stand-is-not-migrated",
                    what_does_not_stand_is_not_migrated);
    return g_test_run();
}
