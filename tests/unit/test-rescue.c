/*
 * A journal that is gone, or that SQLite cannot open: the state is served all the same, so that it
 * can be said what is wrong, and a plan puts the best of what there is into its place.
 */
#include "repair-fixture.h"

#include "diagnose-fixture.h"
#include "service/damage.h"
#include "service/evidence.h"
#include "service/health.h"
#include "service/internal.h"
#include "store/journal-private.h"
#include "store/rescue.h"
#include "store/store-private.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>
#include <utime.h>

#define ENTRIES 100u

static char *file(const ServiceFixture *f, const char *name)
{
    return g_build_filename(f->base.directory, name, NULL);
}

static void copy(const ServiceFixture *f, const char *from, const char *to)
{
    g_autofree char *source = file(f, from), *target = file(f, to);
    g_autofree char *command = g_strdup_printf("cp -p '%s' '%s'", source, target);
    g_assert_cmpint(system(command), ==, 0);
}

static void put_many(ServiceFixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *object = g_strdup_printf("note-%u", i);
        put(f, object, "{}");
    }
}

/* ---- what may have happened to it ---- */

static void overwrite(const ServiceFixture *f, size_t size)
{
    g_autofree char *path = file(f, "journal.db"), *bytes = NULL;
    gsize all;
    g_assert_true(g_file_get_contents(path, &bytes, &all, NULL));
    memset(bytes, 0xa5, MIN(size, all));
    write_private(path, bytes, (gssize)all);
}

static void without_header(const ServiceFixture *f)
{
    overwrite(f, 100);
}

static void without_first_page(const ServiceFixture *f)
{
    overwrite(f, 4096);
}

static void overwritten(const ServiceFixture *f)
{
    overwrite(f, G_MAXSIZE);
}

static void emptied(const ServiceFixture *f)
{
    g_autofree char *path = file(f, "journal.db");
    g_assert_cmpint(truncate(path, 0), ==, 0);
}

static void removed(const ServiceFixture *f)
{
    g_autofree char *path = file(f, "journal.db");
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void cut_short(const ServiceFixture *f)
{
    GStatBuf st;
    g_autofree char *path = file(f, "journal.db");
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    g_assert_cmpint(truncate(path, st.st_size / 4096 / 2 * 4096 + 100), ==, 0);
}

/* It can be opened all the same. */
static void forge(const ServiceFixture *f, const char *name)
{
    sqlite3 *db;
    g_autofree char *path = file(f, name);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    const char *sql = "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12";
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

/* ---- what is there then ---- */

static void begin(ServiceFixture *f)
{
    repair_init(f);
    f->base.stands_in = true;
    put_many(f, ENTRIES);
    rest(f);
    service_close(f);
}

static void expect_served(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    SyncdRequest request = good_request();
    g_assert_true(is_found(f, "journal-unreadable"));
    g_assert_false(is_found(f, "index-damaged") || is_found(f, "index-unavailable"));
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_cmpstr(state.reasons[0], ==, "journal-unreadable");
    g_assert_true(state.repair_needed);
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.limit = 1};
    g_assert_null(syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    const SyncdEvidenceListing evidence = {.limit = 1};
    g_assert_null(syncd_service_list_evidence(f->service, &f->caller, &evidence, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    SyncdJob *job = NULL;
    g_assert_false(
        syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    g_autofree char *report = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"status\":\"unsafe\""));
    run_jobs(f);
}

static SyncdRepairPlan *restore(ServiceFixture *f)
{
    SyncdRepairPlan *plan = plan_repair(f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "journal-restore"));
    approve_repair(f, plan);
    apply_repair(f, plan);
    g_assert_null(syncd_store_unreadable(f->service->store));
    return plan;
}

static guint64 count_operations(ServiceFixture *f)
{
    guint64 n = 0;
    g_assert_true(syncd_store_count_kind(f->service->store, "operation.enqueue", &n, NULL));
    return n;
}

/* So many operations are there, and it goes on. */
static void expect_all(ServiceFixture *f, guint64 operations)
{
    g_assert_cmpint(syncd_store_condition(f->service->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(count_operations(f), ==, operations);
    put(f, "note-later", "{}");
    rest(f);
    verify_all(f);
    g_assert_false(syncd_service_is_damaged(f->service));
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    g_assert_true(syncd_database_check_structure(syncd_journal_database(f->service->store->journal),
                                                 faults, NULL));
    g_assert_cmpuint(faults->len, ==, 0);
    repair_reopen(f);
    assert_clean(f);
    g_assert_cmpuint(count_events(f, "sync.repair.completed"), ==, 1);
}

static void what_can_be_read_of_it_is_salvaged(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {without_header, without_first_page};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        cases[i](&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

static void an_earlier_generation_takes_its_place(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {removed, emptied, overwritten,
                                                             cut_short};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        copy(&f, "journal.db", "journal.1");
        cases[i](&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

/* Which one, of when, how much it has, and what is in none of them: before anybody agrees. */
static void the_plan_says_what_there_is(void)
{
    ServiceFixture f;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    g_autofree char *path = file(&f, "journal-backup.db");
    g_assert_cmpint(utime(path, &(struct utimbuf){1764385200, 1764385200}), ==, 0);
    repair_open(&f, NULL);
    guint64 had = service_sequence(&f);
    put_many(&f, 5);
    rest(&f);
    guint64 known = service_sequence(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    g_autofree char *has = g_strdup_printf(
                        "journal-backup.db of 2025-11-29T03:00:00Z with %" G_GUINT64_FORMAT
                        " entries",
                        had),
                    *lost =
                        g_strdup_printf("the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                                        " that the index knows of are in none of these",
                                        had + 1, known);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), has));
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), lost));
    g_assert_null(strstr(syncd_repair_plan_text(plan), "can be read of journal.db"));
    service_clear(&f);
}

static void nor_is_more_said_than_is_known(void)
{
    ServiceFixture f;
    begin(&f);
    without_header(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "what can be read of journal.db"));
    g_assert_null(strstr(syncd_repair_plan_text(plan), "in none of these"));
    service_clear(&f);
}

/* Of each file of the state directory but plans what it is called, how long it is, when it was
 * written and what is in it. */
static char *all_files(const ServiceFixture *f)
{
    char *said = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *script =
        g_strdup_printf("cd '%s' && find . -path ./repair -prune -o -type f -exec stat -c '%%n %%s "
                        "%%y' {} + -exec sha256sum {} + | sort",
                        f->base.directory);
    const char *const argv[] = {"sh", "-c", script, NULL};
    g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &said, NULL, NULL,
                 &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(said, "./journal.db "));
    return said;
}

/* But the plan: neither a backup, nor the index, nor what SQLite has beside them. */
static void a_plan_writes_nothing(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {without_header, overwritten};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        repair_init(&f);
        f.base.stands_in = true;
        put_many(&f, 10);
        rest(&f);
        copy(&f, "journal.db", "journal-backup.db");
        copy(&f, "journal.db-wal", "journal-backup.db-wal");
        copy(&f, "index.db", "index.was");
        copy(&f, "index.db-wal", "index.was-wal");
        service_close(&f);
        copy(&f, "journal.db", "journal.1");
        cases[i](&f);
        repair_open(&f, NULL);
        copy(&f, "index.was", "index.db");
        copy(&f, "index.was-wal", "index.db-wal");
        g_autofree char *before = all_files(&f);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "journal-backup.db of "));
        g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "journal.1 of "));
        g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "The index knows of "));
        g_autofree char *after = all_files(&f);
        g_assert_cmpstr(before, ==, after);
        service_clear(&f);
    }
}

/* It has not all of it: the rest is known to be missing. */
static void an_older_backup_takes_its_place(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    put_many(&f, 5);
    rest(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    SyncdRepairPlan *plan = restore(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, 5);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"given_up\":[\"5 entries"));
    g_assert_nonnull(strstr(report, "See what is left"));
    repair_reopen(&f);
    g_assert_true(is_found(&f, "log-rolled-back"));
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* It would be wanted again if the newer journal turned up. */
static void what_a_missing_end_names_is_no_orphan(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *filling = g_strnfill(100000, 'x'),
                    *body = g_strdup_printf("{\"x\":\"%s\"}", filling);
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    put(&f, "note-large", body);
    rest(&f);
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    restore(&f);
    verify_all(&f);
    g_assert_true(is_found(&f, "log-rolled-back"));
    g_assert_false(is_found(&f, "blob-orphaned"));
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    verify_all(&f);
    g_assert_true(is_found(&f, "blob-orphaned"));
    service_clear(&f);
}

/* What was open of a journal that is cut short is kept, with the heads that cover all of it: a
 * backup that has fewer entries, but has them, is better. */
static void one_with_holes_is_not_better_than_a_backup(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    put_many(&f, 5);
    rest(&f);
    g_autofree char *path = file(&f, "journal.db"), *kept = file(&f, "journal.1");
    g_assert_cmpint(truncate(path, 4096), ==, 0);
    g_assert_true(is_found(&f, "journal-cut"));
    service_close(&f);
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    repair_open(&f, NULL);
    expect_served(&f);
    SyncdRepairPlan *plan = restore(&f);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "journal.1 will not do"));
    repair_reopen(&f);
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* It waits for an entry of the one that there was: another one would have it. */
static void what_was_seen_of_files_goes_with_its_journal(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    repair_open(&f, NULL);
    SyncdStore *store = f.service->store;
    SyncdFileSeen seen = {0};
    syncd_store_see_file(store, 1, syncd_store_sequence(store) + 1, &seen);
    g_assert_true(syncd_store_has_sightings(store));
    syncd_store_reopen(store, &error);
    g_assert_no_error(error);
    g_assert_false(syncd_store_has_sightings(store));
    service_clear(&f);
}

/* ---- one that is cut while it is open ---- */

static void cut(const ServiceFixture *f, const char *name, off_t size)
{
    g_autofree char *path = file(f, name);
    g_assert_cmpint(truncate(path, size), ==, 0);
}

/* Nobody has to restart anything first. */
static void one_that_is_cut_while_open_is_restored_at_once(void)
{
    ServiceFixture f;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    cut(&f, "journal.db", 8192);
    g_assert_true(is_found(&f, "journal-cut"));
    restore(&f);
    g_assert_false(is_found(&f, "journal-cut") || is_found(&f, "journal-displaced"));
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* What came after the backup is named as missing, by the index that has taken it. */
static void what_was_cut_and_is_nowhere_is_missing(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    put_many(&f, 5);
    syncd_service_commit(f.service);
    g_assert_true(
        syncd_database_empty_wal(syncd_journal_database(f.service->store->journal), NULL));
    cut(&f, "journal.db", 8192);
    restore(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
    g_assert_cmpuint(syncd_store_n_rolled_back(f.service->store), ==, 5);
    repair_reopen(&f);
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* The index that is open knows of it, and the plan says so. */
static void the_plan_says_what_is_in_none_of_the_copies(void)
{
    ServiceFixture f;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    guint64 had = service_sequence(&f);
    put_many(&f, 5);
    rest(&f);
    guint64 known = service_sequence(&f);
    cut(&f, "journal.db", 8192);
    g_assert_true(is_found(&f, "journal-cut"));
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *said =
        g_strdup_printf("the entries %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                        " that the index knows of can only be in journal.db",
                        had + 1, known);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), said));
    service_clear(&f);
}

/* It is as it is after a restart, then, and whatever comes to be there is looked at again. */
static void one_that_is_cut_and_nowhere_else_stays_unreadable(void)
{
    ServiceFixture f;
    begin(&f);
    repair_open(&f, NULL);
    cut(&f, "journal.db", 8192);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    expect_served(&f);
    service_clear(&f);
}

/* What is in the WAL of one whose WAL is cut may be in memory still. */
static void one_whose_wal_is_cut_is_restored(void)
{
    ServiceFixture f;
    begin(&f);
    repair_open(&f, NULL);
    put_many(&f, 5);
    rest(&f);
    cut(&f, "journal.db-wal", 100);
    restore(&f);
    g_assert_null(syncd_store_rollback(f.service->store));
    expect_all(&f, ENTRIES + 5);
    service_clear(&f);
}

/* What was found of the journal that is gone is not there to be repaired in the one that comes into
 * its place: that would fail where it lacks what was known, and take the backup out again. */
static void what_was_found_of_it_is_no_step(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    repair_open(&f, NULL);
    put_many(&f, 5);
    service_close(&f);
    forge(&f, "journal.db");
    repair_open(&f, NULL);
    verify_all(&f);
    g_assert_true(is_found(&f, "log-damaged"));
    service_close(&f);
    removed(&f);
    repair_open(&f, NULL);
    g_assert_true(is_found(&f, "log-damaged"));
    SyncdRepairPlan *plan = restore(&f);
    g_assert_null(strstr(syncd_repair_plan_text(plan), "journal-generation"));
    repair_reopen(&f);
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    expect_all(&f, ENTRIES);
    service_clear(&f);
}

/* That it is damaged is one thing, and mended, and that it may lack something another, which a
 * person says when that is done. */
static void a_damaged_backup_is_mended_before_it_is_gone_on_with(void)
{
    static const struct {
        bool older, verified, lacks_index;
    } cases[] = {
        {false, false, true}, {true, false, false}, {true, true, false}, {true, true, true}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        begin(&f);
        copy(&f, "journal.db", "journal-backup.db");
        forge(&f, "journal-backup.db");
        repair_open(&f, NULL);
        if (cases[i].older)
            put_many(&f, 5);
        if (cases[i].verified)
            verify_all(&f);
        rest(&f);
        service_close(&f);
        removed(&f);
        g_autofree char *index = index_path(&f);
        if (cases[i].lacks_index)
            g_assert_cmpint(g_remove(index), ==, 0);
        repair_open(&f, NULL);
        restore(&f);
        verify_all(&f);
        g_assert_true(is_found(&f, "log-damaged") && is_found(&f, "log-rolled-back"));
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "journal-generation"));
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
        g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
        g_assert_no_error(error);
        put(&f, "note-later", "{}");
        rest(&f);
        verify_all(&f);
        g_assert_false(is_found(&f, "log-damaged") || is_found(&f, "log-rolled-back"));
        g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 2);
        service_clear(&f);
    }
}

static void where_there_is_nothing_it_says_what_to_do(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    begin(&f);
    removed(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *unreadable = find(found, "journal-unreadable");
    g_assert_true(unreadable->unmended);
    g_assert_nonnull(strstr(unreadable->finding->person, "journal-backup.db"));
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "journal-backup.db"));
    service_clear(&f);
}

/* What is beyond mending is left as it was, and can be read nowhere. */
static void what_will_not_do_leaves_it_as_it_was(void)
{
    ServiceFixture f;
    begin(&f);
    cut_short(&f);
    repair_open(&f, NULL);
    expect_served(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    run_jobs(&f);
    g_test_message("%s: %s", syncd_job_state(job), syncd_job_result(job));
    repair_reopen(&f);
    expect_served(&f);
    service_clear(&f);
}

static void what_was_done_is_taken_back(void)
{
    ServiceFixture f;
    begin(&f);
    without_header(&f);
    g_autofree char *path = file(&f, "journal.db"), *before = NULL, *after = NULL;
    gsize size, size_after;
    g_assert_true(g_file_get_contents(path, &before, &size, NULL));
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    put(&f, "note-later", "{}");
    guint64 sequence = service_sequence(&f);
    rollback_repair(&f, plan);
    g_assert_true(is_found(&f, "journal-unreadable"));
    g_assert_true(g_file_get_contents(path, &after, &size_after, NULL));
    g_assert_cmpmem(before, size, after, size_after);
    g_autofree char *said =
        g_strdup_printf("with %" G_GUINT64_FORMAT " entries, as an earlier", sequence);
    g_assert_true(report_says(&f, plan, said));
    /* What came since is not lost: it is an earlier generation now. */
    restore(&f);
    g_assert_cmpuint(service_sequence(&f), >=, sequence);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 1);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_WRITABLE);
    service_clear(&f);
}

/* Where no journal was there is none to go back to: that is said, and not that it was done. */
static void where_nothing_was_there_is_no_way_back(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    removed(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error),
                    *description = syncd_repair_plan_describe(plan);
    g_assert_no_error(error);
    assert_member(report, "rollback_available", "false");
    assert_member(description, "rollback_until_usec", "null");
    g_assert_false(syncd_service_rollback_repair(f.service, &f.caller, plan,
                                                 syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
    service_clear(&f);
}

/* What else the same plan did goes back, and of the log is said that it stays. */
static void what_stays_of_a_repair_is_said(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    removed(&f);
    g_autofree char *index = file(&f, "index.db");
    g_assert_cmpint(g_chmod(index, 0644), ==, 0);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    rollback_repair(&f, plan);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "there was no journal before it"));
    service_clear(&f);
}

/* Neither what it has found, nor where it is, has to do with the journal that is there then. */
static void a_verification_ends_with_its_journal(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    begin(&f);
    without_header(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = restore(&f);
    syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    syncd_service_work(f.service);
    g_assert_cmpstr(syncd_job_state(job), ==, "running");
    rollback_repair(&f, plan);
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_CANCELLED);
    service_clear(&f);
}

/* ---- a journal that somebody else made ---- */

static void alter(const ServiceFixture *f, const char *name, const char *sql)
{
    sqlite3 *db;
    g_autofree char *path = file(f, name);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

#define REWRITE(sql) "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET " sql

static const struct {
    const char *sql, *said;
    bool ours; /* one of our own is read all the same */
} foreign[] = {
    /* Which may be a question that never ends. */
    {"CREATE VIEW more AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
     " SELECT i FROM n",
     "unknown view more", false},
    {"CREATE VIRTUAL TABLE words USING fts5(word)", "unknown table words", false},
    {"CREATE TRIGGER more AFTER INSERT ON head BEGIN DELETE FROM content; END",
     "unknown trigger more", true},
    {"CREATE TABLE more (a, b AS (hex(zeroblob(a))))", "unknown table more", true},
    {"CREATE INDEX more ON entry (lower(header))", "unknown index more", true},
    {"DROP TRIGGER entry_update", "lacks the trigger entry_update", true},
    {"DROP TRIGGER entry_delete;"
     "CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT 1; END",
     "trigger entry_delete was changed", true},
    {REWRITE("sql = replace(sql, 'epoch >= 1', 'epoch >= 0') WHERE name = 'feed'"),
     "table feed was changed", true},
    {"ANALYZE", "unknown table sqlite_stat1", true},
};

static void a_backup_with_another_schema_will_not_do(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        begin(&f);
        g_autofree char *path = file(&f, "journal.db"), *backup = file(&f, "journal-backup.db");
        g_assert_cmpint(g_rename(path, backup), ==, 0);
        alter(&f, "journal-backup.db", foreign[i].sql);
        repair_open(&f, NULL);
        SyncdRepairPlan *plan = plan_repair(&f);
        approve_repair(&f, plan);
        SyncdJob *job = begin_repair(&f, plan);
        run_jobs(&f);
        g_assert_cmpstr(syncd_job_state(job), ==, "failed");
        expect_served(&f);
        g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
        g_assert_no_error(error);
        g_assert_nonnull(strstr(report, "journal-backup.db will not do"));
        g_assert_nonnull(strstr(report, foreign[i].said));
        service_clear(&f);
    }
}

/* What cannot be read of it is nowhere else: it is read, not written, and made anew. */
static void our_own_with_another_schema_is_not_written(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(foreign); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        begin(&f);
        alter(&f, "journal.db", foreign[i].sql);
        repair_open(&f, NULL);
        SyncdStore *store = f.service->store;
        const GError *problem = syncd_store_unreadable(store);
        g_assert_true((problem == NULL) == foreign[i].ours);
        problem = problem != NULL ? problem : syncd_journal_problem(store->journal);
        g_assert_error(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_assert_nonnull(strstr(problem->message, foreign[i].said));
        g_assert_false(syncd_store_may_write(store, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        if (foreign[i].ours) {
            verify_all(&f);
            g_assert_true(is_found(&f, "log-damaged"));
            SyncdRepairPlan *plan = plan_repair(&f);
            approve_repair(&f, plan);
            apply_repair(&f, plan);
            expect_all(&f, ENTRIES);
        }
        service_clear(&f);
    }
}

/* As a program before that migration left it. */
static void as_version_4(const ServiceFixture *f)
{
    alter(f, "journal.db",
          "DROP TRIGGER lost_update; DROP TRIGGER lost_delete; DROP TRIGGER lost_insert;"
          "DROP TABLE lost; PRAGMA user_version = 4");
}

static void with_a_letter_changed(const ServiceFixture *f)
{
    alter(f, "journal.db",
          REWRITE("sql = replace(sql, 'order of arrival', 'order of arriwal')"
                  " WHERE name = 'entry'"));
}

static void expect_mended(ServiceFixture *f)
{
    g_assert_false(syncd_store_may_write(f->service->store, NULL));
    g_assert_cmpuint(count_operations(f), ==, ENTRIES);
    verify_all(f);
    g_assert_true(is_found(f, "log-damaged"));
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    apply_repair(f, plan);
    g_assert_cmpint(syncd_store_condition(f->service->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_cmpuint(count_operations(f), ==, ENTRIES);
    put(f, "note-later", "{}");
    rest(f);
    verify_all(f);
    repair_reopen(f);
    assert_clean(f);
}

/* Nobody looked at the schema before, and every entry is there. */
static void an_older_one_of_ours_with_another_schema_is_mended(void)
{
    ServiceFixture f;
    begin(&f);
    as_version_4(&f);
    with_a_letter_changed(&f);
    repair_open(&f, NULL);
    g_assert_null(syncd_store_unreadable(f.service->store));
    expect_mended(&f);
    service_clear(&f);
}

/* Where a migration does not go with it, nothing of it is changed, and somebody is told. */
static void one_that_cannot_be_migrated_stays_as_it_was(void)
{
    ServiceFixture f;
    gint64 version = 0;
    begin(&f);
    as_version_4(&f);
    alter(&f, "journal.db", "CREATE TABLE lost (a)");
    repair_open(&f, NULL);
    g_assert_error(syncd_store_unreadable(f.service->store), SYNCD_ERROR,
                   SYNCD_ERROR_JOURNAL_CORRUPT);
    expect_served(&f);
    service_close(&f);
    g_autofree char *path = file(&f, "journal.db");
    g_autoptr(SyncdDatabase) db =
        syncd_database_open_up_to(path, &syncd_journal_kind, SYNCD_DATABASE_EXISTING, 4, NULL);
    g_assert_true(syncd_statement_number(syncd_database_statement(db, "PRAGMA user_version"), 0,
                                         &version, NULL));
    g_assert_cmpint(version, ==, 4);
    g_clear_pointer(&db, syncd_database_free);
    repair_open(&f, NULL);
    service_clear(&f);
}

/* What is salvaged of our own is judged as our own, and written anew before it is in its place. */
static void what_is_salvaged_with_another_schema_is_mended(void)
{
    static void (*const cases[])(const ServiceFixture *f) = {with_a_letter_changed, as_version_4};
    for (size_t i = 0; i < 1u << G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin(&f);
        for (size_t j = G_N_ELEMENTS(cases); j-- > 0;)
            if ((i & (size_t)1 << j) != 0)
                cases[j](&f);
        without_header(&f);
        repair_open(&f, NULL);
        expect_served(&f);
        restore(&f);
        expect_all(&f, ENTRIES);
        service_clear(&f);
    }
}

/* A copy from before a migration has the schema of its time; our own is migrated all the same, and
 * not written to. */
static void a_backup_of_an_earlier_version_is_held_against_that(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    g_autofree char *path = file(&f, "journal-old.db");
    for (unsigned version = 1; version < syncd_journal_migrations.n_steps; version++) {
        g_autoptr(SyncdDatabase) made = syncd_database_open_up_to(
            path, &syncd_journal_kind, SYNCD_DATABASE_CREATE, version, &error);
        g_assert_no_error(error);
        g_assert_true(syncd_database_empty_wal(made, NULL));
        g_clear_pointer(&made, syncd_database_free);
        made = syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_COPY, &error);
        g_assert_no_error(error);
        g_clear_pointer(&made, syncd_database_free);
        alter(&f, "journal-old.db", "CREATE TABLE more (a)");
        g_assert_null(syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_COPY, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_clear_error(&error);
        static const SyncdDatabaseMode ours[] = {SYNCD_DATABASE_OWN_COPY, SYNCD_DATABASE_EXISTING};
        for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
            made = syncd_database_open(path, &syncd_journal_kind, ours[i], &error);
            g_assert_no_error(error);
            g_assert_cmpstr(syncd_database_schema_fault(made), ==,
                            "the schema has an unknown table more");
            g_clear_pointer(&made, syncd_database_free);
        }
        alter(&f, "journal-old.db", "CREATE VIEW without_end AS SELECT 1; PRAGMA user_version = 4");
        for (size_t i = 0; i < G_N_ELEMENTS(ours); i++) {
            g_assert_null(syncd_database_open(path, &syncd_journal_kind, ours[i], &error));
            g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
            g_clear_error(&error);
        }
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    service_clear(&f);
}

/* The index went, too, and the last end that is known was before the backup: what is missing nobody
 * knows, and its feeds are not gone on with. */
static void an_older_backup_is_not_gone_on_with(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f);
    copy(&f, "journal.db", "journal-backup.db");
    copy(&f, "ended.json", "ended.json.was");
    repair_open(&f, NULL);
    put_many(&f, 5);
    rest(&f);
    service_close(&f);
    copy(&f, "ended.json.was", "ended.json");
    overwritten(&f);
    g_autofree char *index = index_path(&f), *was = file(&f, "ended.json.was");
    g_assert_cmpint(g_remove(index), ==, 0);
    g_assert_cmpint(g_remove(was), ==, 0);
    repair_open(&f, NULL);
    /* An index that was made from it in between proves nothing. */
    rollback_repair(&f, restore(&f));
    repair_reopen(&f);
    restore(&f);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_ROLLED_BACK);
        g_assert_true(is_found(&f, "log-rolled-back"));
        repair_reopen(&f);
    }
    g_assert_true(syncd_store_adopt(f.service->store, "actor-test", &error));
    g_assert_no_error(error);
    g_autoptr(SyncdHead) head =
        syncd_store_head(f.service->store, syncd_store_device_id(f.service->store), &error);
    g_assert_no_error(error);
    g_assert_cmpuint(head->epoch, >, 1000);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
    put(&f, "note-later", "{}");
    verify_all(&f);
    assert_clean(&f);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue/what-can-be-read-of-it-is-salvaged",
                    what_can_be_read_of_it_is_salvaged);
    g_test_add_func("/rescue/an-earlier-generation-takes-its-place",
                    an_earlier_generation_takes_its_place);
    g_test_add_func("/rescue/an-older-backup-takes-its-place", an_older_backup_takes_its_place);
    g_test_add_func("/rescue/what-a-missing-end-names-is-no-orphan",
                    what_a_missing_end_names_is_no_orphan);
    g_test_add_func("/rescue/one-with-holes-is-not-better-than-a-backup",
                    one_with_holes_is_not_better_than_a_backup);
    g_test_add_func("/rescue/what-was-found-of-it-is-no-step", what_was_found_of_it_is_no_step);
    g_test_add_func("/rescue/a-damaged-backup-is-mended-before-it-is-gone-on-with",
                    a_damaged_backup_is_mended_before_it_is_gone_on_with);
    g_test_add_func("/rescue/where-there-is-nothing-it-says-what-to-do",
                    where_there_is_nothing_it_says_what_to_do);
    g_test_add_func("/rescue/what-will-not-do-leaves-it-as-it-was",
                    what_will_not_do_leaves_it_as_it_was);
    g_test_add_func("/rescue/what-was-done-is-taken-back", what_was_done_is_taken_back);
    g_test_add_func("/rescue/where-nothing-was-there-is-no-way-back",
                    where_nothing_was_there_is_no_way_back);
    g_test_add_func("/rescue/what-stays-of-a-repair-is-said", what_stays_of_a_repair_is_said);
    g_test_add_func("/rescue/the-plan-says-what-there-is", the_plan_says_what_there_is);
    g_test_add_func("/rescue/nor-is-more-said-than-is-known", nor_is_more_said_than_is_known);
    g_test_add_func("/rescue/a-verification-ends-with-its-journal",
                    a_verification_ends_with_its_journal);
    g_test_add_func("/rescue/an-older-backup-is-not-gone-on-with",
                    an_older_backup_is_not_gone_on_with);
    g_test_add_func("/rescue/a-backup-with-another-schema-will-not-do",
                    a_backup_with_another_schema_will_not_do);
    g_test_add_func("/rescue/our-own-with-another-schema-is-not-written",
                    our_own_with_another_schema_is_not_written);
    g_test_add_func("/rescue/a-backup-of-an-earlier-version-is-held-against-that",
                    a_backup_of_an_earlier_version_is_held_against_that);
    g_test_add_func("/rescue/an-older-one-of-ours-with-another-schema-is-mended",
                    an_older_one_of_ours_with_another_schema_is_mended);
    g_test_add_func("/rescue/one-that-cannot-be-migrated-stays-as-it-was",
                    one_that_cannot_be_migrated_stays_as_it_was);
    g_test_add_func("/rescue/what-is-salvaged-with-another-schema-is-mended",
                    what_is_salvaged_with_another_schema_is_mended);
    g_test_add_func("/rescue/a-plan-writes-nothing", a_plan_writes_nothing);
    g_test_add_func("/rescue/the-plan-says-what-is-in-none-of-the-copies",
                    the_plan_says_what_is_in_none_of_the_copies);
    g_test_add_func("/rescue/one-that-is-cut-while-open-is-restored-at-once",
                    one_that_is_cut_while_open_is_restored_at_once);
    g_test_add_func("/rescue/what-was-cut-and-is-nowhere-is-missing",
                    what_was_cut_and_is_nowhere_is_missing);
    g_test_add_func("/rescue/one-that-is-cut-and-nowhere-else-stays-unreadable",
                    one_that_is_cut_and_nowhere_else_stays_unreadable);
    g_test_add_func("/rescue/one-whose-wal-is-cut-is-restored", one_whose_wal_is_cut_is_restored);
    g_test_add_func("/rescue/what-was-seen-of-files-goes-with-its-journal",
                    what_was_seen_of_files_goes_with_its_journal);
    return g_test_run();
}
