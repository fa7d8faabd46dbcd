/* Repair of the log, from its plan to its rollback. */
#include "ledger-fixture.h"
#include "raw-sql.h"
#include "repair-fixture.h"

#include "contract/check.h"
#include "diagnose-fixture.h"
#include "service/damage.h"
#include "service/internal.h"
#include "service/repair-private.h"
#include "store/mend.h"

#include <string.h>

static void run_sql(const ServiceFixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->base.directory, "journal.db", NULL);
    forge_raw(path, sql);
}

static char *verify(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_verify(f->service, &f->caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
    return g_strdup(syncd_job_result(job));
}

static guint64 generation_of(ServiceFixture *f)
{
    guint64 generation;
    g_assert_true(syncd_store_generation(f->service->store, &generation, NULL));
    return generation;
}

static unsigned entries = 40;

static void start_damaged(ServiceFixture *f, const char *sql)
{
    repair_init(f);
    put_many(f, 0, entries);
    service_close(f);
    run_sql(f, sql);
    repair_open(f, NULL);
    g_autofree char *found = verify(f);
    assert_member(found, "verdict", "\"damaged\"");
}

static void repair_and_look(const char *sql, const char *step, const char *losses)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_damaged(&f, sql);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), step));
    g_assert_cmpuint(generation_of(&f), ==, 1);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpuint(generation_of(&f), ==, 2);
    g_assert_false(syncd_service_is_damaged(f.service));
    g_autofree char *sound = verify(&f);
    assert_member(sound, "verdict", "\"sound\"");
    assert_member(sound, "losses_count", losses);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"is_prefix\":true"));
    put(&f, "note-later", "{}");

    /* What came since stays. */
    guint64 sequence = syncd_store_sequence(f.service->store);
    rollback_repair(&f, plan);
    g_assert_cmpuint(generation_of(&f), ==, 3);
    g_assert_cmpuint(syncd_store_sequence(f.service->store), >=, sequence);
    g_autofree char *after = verify(&f);
    assert_member(after, "verdict", "\"sound\"");
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.rolled_back"), ==, 1);
    service_clear(&f);
}

/* Once it was exchanged there is but the way by a further generation, in the same process as well:
 * here its report cannot be written. */
static void one_that_fails_late_is_taken_back(void)
{
    ServiceFixture f;
    start_damaged(&f, "UPDATE entry SET tiles = x'00' WHERE tiles IS NOT NULL");
    SyncdRepairPlan *plan = approve_repair(&f, plan_repair(&f));
    g_autofree char *report =
        g_strdup_printf("%s/repair/%s.report", f.base.directory, syncd_repair_plan_id(plan));
    g_assert_cmpint(g_mkdir(report, 0700), ==, 0);
    begin_repair(&f, plan);
    while (!plan->undoing)
        syncd_service_work(f.service);
    g_assert_cmpuint(generation_of(&f), ==, 2);
    g_assert_cmpint(g_rmdir(report), ==, 0);
    run_jobs(&f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_cmpuint(generation_of(&f), ==, 3);
    g_autofree char *after = verify(&f);
    assert_member(after, "verdict", "\"sound\"");
    service_clear(&f);
}

/* ---- what is given up ---- */

#define LOSE_BODY "UPDATE entry SET body = zeroblob(length(body)) WHERE pos = 12"
#define LOSE_TWO "UPDATE entry SET header = zeroblob(length(header)) WHERE pos IN (12, 14)"

static void assert_says(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        g_test_message("%s is not in %s", part, text);
    g_assert_nonnull(strstr(text, part));
}

static void assert_keeps_to_its_contract(const char *plan)
{
    g_autoptr(GError) error = NULL;
    syncd_contract_demand("sourceos.repair-plan/v1alpha1", syncd_json_root(plan, strlen(plan)), "",
                          &error);
    g_assert_no_error(error);
}

/* Of a body what the header says that it is about. */
static void what_is_given_up_is_said_by_its_object(void)
{
    ServiceFixture f;
    start_damaged(&f, LOSE_BODY);
    g_auto(SyncdEntry) entry = {0};
    g_autoptr(GError) error = NULL;
    syncd_store_read(f.service->store, 12, &entry, &error);
    g_assert_no_error(error);
    g_autofree char *named =
        g_strdup_printf("body of sequence number 12 (%.*s of ", (int)entry.header.object.size,
                        (const char *)entry.header.object.data);
    assert_says(syncd_repair_plan_text(plan_repair(&f)), named);
    service_clear(&f);
}

static void what_is_given_up_is_said_before_and_after(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_damaged(&f, LOSE_TWO);
    SyncdRepairPlan *plan = plan_repair(&f);
    const char *text = syncd_repair_plan_text(plan);
    assert_says(text, "Given up for good");
    assert_says(text, "header of sequence number 12, header of sequence number 14");
    assert_says(text, "\"gives_up\": 2");
    assert_keeps_to_its_contract(text);
    g_assert_true(syncd_repair_plan_is_destructive(plan));
    g_assert_cmpstr(syncd_repair_plan_risk(plan), ==, "high");
    /* Who lists plans is told the same of the step. */
    g_autofree char *description = syncd_repair_plan_describe(plan);
    SyncdJsonIter iter;
    SyncdJson step, root = syncd_json_root(description, strlen(description));
    syncd_json_iter_init(&iter, syncd_json_member(root, "steps"));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &step));
    g_assert_true(syncd_json_is(syncd_json_member(step, "risk"), "high"));
    g_assert_true(syncd_json_member(step, "destructive").type == SYNCD_JSON_TRUE);
    assert_says(description, "header of sequence number 12, header of sequence number 14");
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    assert_says(report, "\"given_up\":[\"The header of sequence number 12 is lost");
    service_clear(&f);
}

/* Its leaf is known still, and all that is said of it is where it was. */
static void a_reader_of_evidence_goes_past_what_is_lost(void)
{
    ServiceFixture f;
    start_damaged(&f, LOSE_TWO);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    g_autoptr(SyncdAttestationKeys) keys = device_keys(&f);
    g_auto(Ledger) ledger = whole_ledger(&f);
    g_assert_cmpuint(ledger.envelopes->len, ==, service_sequence(&f));
    for (guint i = 0; i < ledger.envelopes->len; i++)
        assert_valid(ledger.envelopes->pdata[i], keys);
    service_clear(&f);
}

static void what_can_be_had_is_not_given_up(void)
{
    ServiceFixture f;
    start_damaged(&f, "UPDATE entry SET tiles = x'00' WHERE tiles IS NOT NULL");
    SyncdRepairPlan *plan = plan_repair(&f);
    assert_says(syncd_repair_plan_text(plan), "Nothing is given up.");
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    service_clear(&f);
}

/* More is found damaged than was known when it was planned, or nobody had looked. */
static void nothing_is_given_up_that_the_plan_does_not_say(void)
{
    ServiceFixture f;
    start_damaged(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    service_close(&f);
    run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 14");
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    run_jobs(&f);
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    g_assert_cmpuint(generation_of(&f), ==, 1);
    plan = plan_repair(&f);
    assert_says(syncd_repair_plan_text(plan), "\"gives_up\": 2");
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    service_clear(&f);
}

/* As many, but another one: what was named can be had by now. */
static void nor_is_another_one_given_up(void)
{
    for (guint looks = 0; looks < 2; looks++) {
        ServiceFixture f;
        repair_init(&f);
        put_many(&f, 0, entries);
        service_close(&f);
        state_copy(&f, "journal.db", "sound");
        run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
        repair_open(&f, NULL);
        g_free(verify(&f));
        SyncdRepairPlan *plan = plan_repair(&f);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        service_close(&f);
        run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 14");
        state_copy(&f, "journal.db", "damaged");
        state_move(&f, "sound", "journal.db");
        run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 14");
        state_move(&f, "journal.db", "journal-backup.db");
        state_move(&f, "damaged", "journal.db");
        repair_open(&f, NULL);
        plan = find_repair_plan(f.service, id);
        if (looks) {
            approve_repair(&f, plan);
            g_free(verify(&f));
            expect_not_applied(&f, plan, SYNCD_ERROR_PLAN_STALE, NULL);
        } else {
            approve_repair(&f, plan);
            SyncdJob *job = begin_repair(&f, plan);
            run_jobs(&f);
            g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
            assert_says(syncd_job_error(job)->message, "not all of these");
        }
        g_assert_cmpuint(generation_of(&f), ==, 1);
        plan = plan_repair(&f);
        assert_says(syncd_repair_plan_text(plan), "header of sequence number 14");
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        service_clear(&f);
    }
}

#define LOSE_ONE_AND_ITS_LEAF                                                                      \
    "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12;"                           \
    "UPDATE entry SET header = zeroblob(length(header)), tiles = NULL WHERE pos > 30"

static void assert_nothing_is_offered(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *none = NULL;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        g_assert_true(one->finding->repair == NULL || one->unmended);
        g_assert_cmpstr(one->next != NULL ? one->next : one->finding->next, !=,
                        "sourceos-syncd repair plan");
    }
    find(found, "log-damaged");
    assert_says(find(found, "log-beyond-mending")->finding->person, "journal-backup.db");
    g_assert_false(syncd_service_plan_repair(f->service, &f->caller, NULL, &none, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    assert_says(error->message, "not even the hash is known");
    assert_says(error->message, "journal-backup.db");
    assert_says(error->message, "verify log --full");
}

/* What a person is told to do is what mends it. */
static void what_nothing_can_mend_is_offered_to_nobody(void)
{
    ServiceFixture f;
    repair_init(&f);
    put_many(&f, 0, entries);
    service_close(&f);
    g_autofree char *path = state_path(&f, "journal.db"), *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    run_sql(&f, LOSE_ONE_AND_ITS_LEAF);
    repair_open(&f, NULL);
    g_free(verify(&f));
    assert_nothing_is_offered(&f);
    repair_reopen(&f);
    assert_nothing_is_offered(&f);

    g_autofree char *backup = state_path(&f, "journal-backup.db");
    write_private(backup, bytes, (gssize)size);
    g_free(verify(&f));
    SyncdRepairPlan *plan = plan_repair(&f);
    assert_says(syncd_repair_plan_text(plan), "Nothing is given up.");
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_autofree char *sound = verify(&f);
    assert_member(sound, "verdict", "\"sound\"");
    service_clear(&f);
}

/* It names what all others of its feed are read by, and why it is missed is said so. */
static void nothing_stands_in_for_a_first_entry(void)
{
    ServiceFixture f;
    repair_init(&f);
    put_many(&f, 0, entries);
    service_close(&f);
    run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 1");
    repair_open(&f, NULL);
    g_free(verify(&f));
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    assert_says(find(found, "log-beyond-mending")->facts[0].text,
                "The first entry of the feed device-");
    service_clear(&f);
}

/* It became so after it was planned: it fails once. */
static void nor_is_it_offered_again(void)
{
    ServiceFixture f;
    start_damaged(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    service_close(&f);
    run_sql(&f, LOSE_ONE_AND_ITS_LEAF);
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    approve_repair(&f, plan);
    SyncdJob *job = begin_repair(&f, plan);
    run_jobs(&f);
    g_assert_error(syncd_job_error(job), SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "failed");
    assert_nothing_is_offered(&f);
    service_clear(&f);
}

static void a_damaged_header_is_mended_or_named(void)
{
    repair_and_look("UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12",
                    "journal-generation", "1");
}

static void a_damaged_body_is_mended_or_named(void)
{
    repair_and_look("UPDATE entry SET body = zeroblob(length(body)) WHERE pos = 12", "body-refill",
                    "1");
}

static void a_log_that_takes_no_writing_takes_them_again(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    start_damaged(&f, "UPDATE head SET frontier = zeroblob(length(frontier))");
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_DAMAGED);
    g_assert_true(lookups_answer(&f));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_WRITABLE);
    /* What was planned on was signed, whatever the row beside it says. */
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"is_prefix\":true"));
    g_assert_null(strstr(report, "\"is_prefix\":false"));
    put(&f, "note-later", "{}");
    rest(&f);
    g_assert_cmpuint(count_events(&f, "sync.repair.completed"), ==, 1);
    service_clear(&f);
}

static void tiles_are_mended(void)
{
    entries = 700;
    repair_and_look("UPDATE entry SET tiles = zeroblob(length(tiles)) WHERE tiles IS NOT NULL",
                    "journal-generation", NULL);
    repair_and_look("UPDATE entry SET tiles = x'00' WHERE tiles IS NOT NULL", "journal-generation",
                    NULL);
}

/* It was approved, so that nobody has to look at it any more; but a backup is still taken. */
static void what_was_given_up_comes_back_from_a_backup(void)
{
    ServiceFixture f;
    repair_init(&f);
    put_many(&f, 0, entries);
    service_close(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "journal.db", NULL),
                    *backup = g_build_filename(f.base.directory, "journal-backup.db", NULL),
                    *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    run_sql(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos IN (12, 15)");
    repair_open(&f, NULL);
    g_free(verify(&f));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_assert_cmpuint(found->len, ==, 1);
    const SyncdFound *lost = find(found, "log-lost");
    g_assert_cmpuint(lost->count, ==, 2);
    g_assert_false(syncd_finding_is_bad(lost->finding));
    g_assert_true(lost->unmended);
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *none = NULL;
    g_assert_false(syncd_service_plan_repair(f.service, &f.caller, NULL, &none, &error));

    write_private(backup, bytes, (gssize)size);
    SyncdRepairPlan *again = plan_repair(&f);
    approve_repair(&f, again);
    apply_repair(&f, again);
    /* What the repair verified counts as any verification does, and is not forgotten. */
    const SyncdVerified verified = syncd_service_verified(f.service);
    g_assert_cmpuint(verified.sound_sequence, >, 0);
    rest(&f);
    repair_reopen(&f);
    g_assert_cmpuint(syncd_service_verified(f.service).sound_sequence, >=, verified.sound_sequence);
    g_autofree char *sound = verify(&f);
    assert_member(sound, "verdict", "\"sound\"");
    assert_member(sound, "losses_count", NULL);
    assert_clean(&f);
    service_clear(&f);
}

/* What was done is taken back also where the log cannot prove any more that it only grew. */
static void a_way_back_needs_no_proof(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    repair_init(&f);
    put_many(&f, 0, 300);
    service_close(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    put_many(&f, 0, 700);
    service_close(&f);
    run_sql(&f, "UPDATE entry SET tiles = x'00' WHERE tiles IS NOT NULL");
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    rollback_repair(&f, plan);
    g_autofree char *report = syncd_service_repair_report(f.service, plan, &error);
    g_assert_no_error(error);
    assert_member(report, "outcome", "\"rolled_back\"");
    g_assert_nonnull(strstr(report, "\"is_prefix\":null"));
    service_clear(&f);
}

/* Whether the log has only grown nobody knows: that is not that it has not. */
static void what_cannot_be_proven_is_not_called_stale(void)
{
    ServiceFixture f;
    repair_init(&f);
    put_many(&f, 0, 300);
    g_autofree char *lock = g_build_filename(f.base.directory, "lock", NULL);
    g_assert_cmpint(g_chmod(lock, 0640), ==, 0);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    put_many(&f, 0, 700);
    service_close(&f);
    run_sql(&f, "UPDATE entry SET tiles = x'00' WHERE tiles IS NOT NULL");
    repair_open(&f, NULL);
    plan = find_repair_plan(f.service, id);
    expect_not_applied(&f, plan, SYNCD_ERROR_JOURNAL_CORRUPT, "cannot be read");
    expect_not_applied(&f, plan, SYNCD_ERROR_JOURNAL_CORRUPT, "verify log --full");
    service_clear(&f);
}

static guint64 inode_of(const char *path)
{
    GStatBuf st;
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_ino;
}

/* Whoever goes on where the log is mended already cannot know what the index was made from. */
static void an_index_is_made_of_what_was_mended(void)
{
    ServiceFixture f;
    start_damaged(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)), *index = index_path(&f);
    approve_repair(&f, plan);
    begin_repair(&f, plan);
    while (generation_of(&f) == 1)
        syncd_service_work(f.service);
    service_close(&f);
    guint64 before = inode_of(index);
    repair_open(&f, NULL);
    run_jobs(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_cmpuint(inode_of(index), !=, before);
    service_clear(&f);
}

static guint count_generations(const ServiceFixture *f)
{
    g_autoptr(GDir) folder = g_dir_open(f->base.directory, 0, NULL);
    const char *name;
    guint n = 0;
    while ((name = g_dir_read_name(folder)) != NULL)
        n += g_str_has_prefix(name, "journal.") && g_ascii_isdigit(name[8]);
    return n;
}

/* Wherever it was interrupted, and however many generations that took. */
static void nothing_is_left_of_what_was_taken_back(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    start_damaged(&f, "UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 12");
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    rest(&f);
    g_assert_cmpuint(count_generations(&f), ==, 1);
    syncd_service_rollback_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan), &job,
                                  &error);
    g_assert_no_error(error);
    while (generation_of(&f) < 3)
        syncd_service_work(f.service);
    repair_reopen(&f);
    run_jobs(&f);
    plan = find_repair_plan(f.service, id);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
    /* But of the damaged one, as long as was promised. */
    g_assert_cmpuint(count_generations(&f), ==, 1);
    g_assert_true(report_says(&f, plan, "before the repair, as journal.1"));
    f.base.now_usec += SYNCD_REPAIR_SNAPSHOT_USEC + G_USEC_PER_SEC;
    rest(&f);
    g_assert_cmpuint(count_generations(&f), ==, 0);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-journal/fails-late", one_that_fails_late_is_taken_back);
    g_test_add_func("/repair-journal/backup", what_was_given_up_comes_back_from_a_backup);
    g_test_add_func("/repair-journal/header", a_damaged_header_is_mended_or_named);
    g_test_add_func("/repair-journal/body", a_damaged_body_is_mended_or_named);
    g_test_add_func("/repair-journal/given-up", what_is_given_up_is_said_before_and_after);
    g_test_add_func("/repair-journal/given-up-object", what_is_given_up_is_said_by_its_object);
    g_test_add_func("/repair-journal/had", what_can_be_had_is_not_given_up);
    g_test_add_func("/repair-journal/evidence", a_reader_of_evidence_goes_past_what_is_lost);
    g_test_add_func("/repair-journal/unsaid", nothing_is_given_up_that_the_plan_does_not_say);
    g_test_add_func("/repair-journal/another", nor_is_another_one_given_up);
    g_test_add_func("/repair-journal/beyond", what_nothing_can_mend_is_offered_to_nobody);
    g_test_add_func("/repair-journal/first-entry", nothing_stands_in_for_a_first_entry);
    g_test_add_func("/repair-journal/not-again", nor_is_it_offered_again);
    g_test_add_func("/repair-journal/read-only", a_log_that_takes_no_writing_takes_them_again);
    g_test_add_func("/repair-journal/tiles", tiles_are_mended);
    g_test_add_func("/repair-journal/unproven", a_way_back_needs_no_proof);
    g_test_add_func("/repair-journal/unreadable", what_cannot_be_proven_is_not_called_stale);
    g_test_add_func("/repair-journal/nothing-is-left", nothing_is_left_of_what_was_taken_back);
    g_test_add_func("/repair-journal/index", an_index_is_made_of_what_was_mended);
    return g_test_run();
}
