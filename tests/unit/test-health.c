#include "diagnose-fixture.h"
#include "health-fixture.h"
#include "raw-sql.h"
#include "service/internal.h"
#include "state-files.h"
#include "store/journal-private.h"
#include "store/store-private.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static bool is_said(const HealthJudged *judged, const char *list, const char *start)
{
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, health_at(judged, "collection", list));
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        g_autofree char *text = syncd_json_dup_text(element);
        if (g_str_has_prefix(text, start))
            return true;
    }
    return false;
}

static void a_sound_state_is_healthy_and_signed(void)
{
    HealthFixture f;
    health_init(&f);
    put(&f.service, "note-1", "{}");
    run_jobs(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpstr(judged.judgement->diagnosis->summary, ==,
                    "All lanes are within their limits for heartbeat, replay, storage and disk.");
    g_assert_true(judged.judgement->attested);
    g_assert_cmpint(syncd_invariants_worst(judged.judgement->invariants), ==, SYNCD_PASS);
    g_assert_true(syncd_json_is(health_at(&judged, "diagnosis", "status"), "healthy"));
    g_assert_true(syncd_json_is(health_at(&judged, "collection", "status"), "complete"));
    g_assert_true(is_said(&judged, "unavailable_fields", "pipeline.add.deduped: "));
    g_assert_false(is_said(&judged, "unavailable_fields", "lanes[].objects"));
    health_assert(&judged, "lanes", "normal", "status", "\"active\"");
    health_assert(&judged, "lanes", "secure", "status", "\"dormant\"");
    health_assert(&judged, "stores", "journal", "active_generation", "1");
    health_assert(&judged, "invariants", "schema.compatible", "status", "\"pass\"");
    health_clear(&f);
}

/* Who changes a byte of it is found out. */
static void nobody_else_can_sign_it(void)
{
    HealthFixture f;
    health_init(&f);
    g_autofree char *report = health_report(&f);
    g_autofree char *changed = document_edit(report, "/resources/memory/budget_mb", "1");
    SyncdCircumstances then = {.now_usec = (gint64)f.service.base.now_usec};
    g_autoptr(SyncdAttestationKeys) keys = syncd_attestation_keys_new();
    g_autofree char *description =
        syncd_service_describe(f.service.service, &f.service.caller, NULL);
    g_autofree char *key =
        syncd_json_dup_text(syncd_json_member(document_of(description), "attestation_key"));
    g_assert_true(syncd_attestation_keys_add(keys, key, NULL));
    then.keys = keys;
    g_autoptr(SyncdJudgement) judgement = syncd_judgement_make(document_of(changed), &then);
    g_assert_false(judgement->attested);
    g_assert_cmpstr(judgement->diagnosis->status, ==, "unsafe");
    health_clear(&f);
}

/* ---- a run, and the one before it ---- */

static void crash(HealthFixture *f)
{
    /* Nothing is written about the end. */
    service_close(&f->service);
    service_open(&f->service);
    health_begin_run(f);
}

static SyncdJournal *journal_of(HealthFixture *f)
{
    return f->service.service->store->journal;
}

static void a_dirty_open_is_reported_until_the_log_was_found_sound(void)
{
    HealthFixture f;
    health_init(&f);
    crash(&f);
    {
        g_auto(HealthJudged) judged = health_judge(&f);
        g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==,
                        SYNCD_JSON_STRING);
        g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "degraded");
        g_assert_false(
            syncd_invariants_hold(judged.judgement->invariants, SYNCD_INVARIANT_DIRTY_OPEN));
    }
    run_jobs(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "healthy");
    g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==, SYNCD_JSON_NULL);
    SyncdJson local = health_at(&judged, "diagnosis", "local_state");
    g_assert_cmpint(
        syncd_json_member(syncd_json_member(local, "dirty_open"), "found_sound_at").type, ==,
        SYNCD_JSON_STRING);
    health_clear(&f);
}

/* The run ends as it should. */
static void start_again(HealthFixture *f)
{
    syncd_service_end_run(f->service.service);
    service_close(&f->service);
    service_open(&f->service);
    health_begin_run(f);
}

/* A second start that crashes before the verification does not forget the first. */
static void a_dirty_open_outlives_a_start_that_did_not_verify(void)
{
    HealthFixture f;
    health_init(&f);
    crash(&f);
    start_again(&f);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==,
                    SYNCD_JSON_STRING);
    health_clear(&f);
}

static void a_clean_end_is_no_dirty_open(void)
{
    HealthFixture f;
    health_init(&f);
    {
        g_auto(HealthJudged) judged = health_judge(&f);
        g_assert_true(is_said(&judged, "unavailable_fields", "runtime.last_clean_shutdown_at: "));
    }
    start_again(&f);
    run_jobs(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==, SYNCD_JSON_NULL);
    g_assert_cmpint(health_at(&judged, "runtime", "last_clean_shutdown_at").type, ==,
                    SYNCD_JSON_STRING);
    g_assert_false(is_said(&judged, "unavailable_fields", "runtime.last_clean_shutdown_at: "));
    health_clear(&f);
}

/* What is read after a write that failed may be in memory alone. */
static void a_dirty_open_is_not_settled_while_the_disk_is_not_known(void)
{
    HealthFixture f;
    health_init(&f);
    put(&f.service, "note-1", "{}");
    crash(&f);
    journal_of(&f)->write_fault = g_strdup("the disk said no");
    for (unsigned i = 0; i < 2; i++) {
        if (i == 0)
            run_jobs(&f.service); /* the verification of the start */
        else
            verify_all(&f.service);
        g_auto(HealthJudged) judged = health_judge(&f);
        SyncdJson local = health_at(&judged, "diagnosis", "local_state");
        g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==,
                        SYNCD_JSON_STRING);
        g_assert_false(
            syncd_invariants_hold(judged.judgement->invariants, SYNCD_INVARIANT_DIRTY_OPEN));
        g_assert_cmpint(syncd_json_member(local, "dirty_open").type, ==, SYNCD_JSON_NULL);
    }
    service_close(&f.service);
    service_open(&f.service);
    health_begin_run(&f);
    run_jobs(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==, SYNCD_JSON_NULL);
    health_clear(&f);
}

/* Whoever ends then says goodbye, and cannot write it: the next start verifies. */
static void an_end_after_a_write_that_failed_is_not_clean(void)
{
    HealthFixture f;
    health_init(&f);
    put(&f.service, "note-1", "{}");
    journal_of(&f)->write_fault = g_strdup("the disk said no");
    {
        g_auto(HealthJudged) judged = health_judge(&f);
        g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==,
                        SYNCD_JSON_NULL);
        g_assert_true(
            syncd_invariants_hold(judged.judgement->invariants, SYNCD_INVARIANT_DIRTY_OPEN));
        health_assert(&judged, "invariants", "journal.writable", "status", "\"fail\"");
    }
    start_again(&f);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpint(health_at(&judged, "runtime", "last_dirty_open_at").type, ==,
                    SYNCD_JSON_STRING);
    g_assert_cmpint(health_at(&judged, "runtime", "last_clean_shutdown_at").type, ==,
                    SYNCD_JSON_NULL);
    g_assert_true(is_found(&f.service, "dirty-open"));
    health_clear(&f);
}

/* ---- what was verified ---- */

static void verified_is_only_what_was_verified(void)
{
    HealthFixture f;
    health_init(&f);
    {
        g_auto(HealthJudged) judged = health_judge(&f);
        health_assert(&judged, "stores", "journal", "checksum_state", "\"verified\"");
        health_assert(&judged, "stores", "journal", "last_known_good_generation", "1");
    }
    put(&f.service, "note-1", "{}");
    g_auto(HealthJudged) judged = health_judge(&f);
    health_assert(&judged, "stores", "journal", "checksum_state", "\"unverified\"");
    health_assert(&judged, "invariants", "journal.integrity", "status", "\"pass\"");
    health_clear(&f);
}

/* ---- looking changes nothing ---- */

static GHashTable *read_all(const char *directory)
{
    GHashTable *files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GDir) dir = g_dir_open(directory, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_autofree char *text = NULL;
        size_t size;
        if (g_file_get_contents(path, &text, &size, NULL))
            g_hash_table_insert(
                files, g_strdup(name),
                g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)text, size));
    }
    return files;
}

static void assert_same(GHashTable *before, GHashTable *after)
{
    GHashTableIter iter;
    gpointer name, sum;
    g_assert_cmpuint(g_hash_table_size(before), ==, g_hash_table_size(after));
    g_hash_table_iter_init(&iter, before);
    while (g_hash_table_iter_next(&iter, &name, &sum)) {
        g_test_message("%s", (char *)name);
        g_assert_cmpstr(sum, ==, g_hash_table_lookup(after, name));
    }
}

/* Also while entries wait to be projected. */
static void looking_changes_no_byte(void)
{
    HealthFixture f;
    health_init(&f);
    for (unsigned i = 0; i < 20; i++)
        put(&f.service, "note-1", "{}");
    g_autoptr(GHashTable) before = read_all(f.service.base.directory);
    for (unsigned i = 0; i < 3; i++)
        g_free(health_report(&f));
    g_autoptr(GHashTable) after = read_all(f.service.base.directory);
    assert_same(before, after);
    health_clear(&f);
}

/* ---- what is wrong ---- */

/* What a public scope says is not sealed, so its bytes can be found. */
static void damage_journal(HealthFixture *f)
{
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT("{\"text\":\"find me in the file\"}");
    g_free(enqueue_committed(&f->service, &request));
    run_jobs(&f->service);
    service_close(&f->service);
    state_flip(&f->service, "journal.db", "ind me in the file");
    service_open(&f->service);
    health_begin_run(f);
}

static void damage_is_unsafe_as_soon_as_it_was_found(void)
{
    HealthFixture f;
    health_init(&f);
    damage_journal(&f);
    verify_all(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "unsafe");
    health_assert(&judged, "stores", "journal", "checksum_state", "\"mismatch\"");
    health_assert(&judged, "lanes", "normal", "status", "\"unsafe\"");
    health_assert(&judged, "invariants", "journal.integrity", "status", "\"fail\"");
    /* What an entry says is damaged: the heads sign what is there. */
    health_assert(&judged, "invariants", "checkpoint.valid", "status", "\"pass\"");
    g_assert_true(judged.judgement->attested);
    health_clear(&f);
}

static void what_heads_sign_is_told_apart_from_content(void)
{
    HealthFixture f;
    health_init(&f);
    SyncdRequest request = good_request();
    g_free(enqueue_committed(&f.service, &request));
    g_autofree char *path = g_build_filename(f.service.base.directory, "journal.db", NULL);
    service_close(&f.service);
    run_raw(path, "UPDATE head SET frontier = zeroblob(length(frontier))");
    service_open(&f.service);
    health_begin_run(&f);
    verify_all(&f.service);
    g_auto(HealthJudged) judged = health_judge(&f);
    health_assert(&judged, "invariants", "checkpoint.valid", "status", "\"fail\"");
    health_clear(&f);
}

static void a_full_disk_is_unsafe(void)
{
    HealthFixture f;
    health_init(&f);
    health_free = 40000000000;
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "unsafe");
    g_assert_cmpstr(judged.judgement->diagnosis->disk_pressure, ==, "critical");
    SyncdJson control = health_find(&judged, "controls", "disk_pressure_purge_preview");
    g_assert_true(syncd_json_is(syncd_json_member(control, "mode"), "manual_approval_required"));
    health_clear(&f);
}

/* The contract has no null for a disk. */
static void a_disk_that_cannot_be_measured_is_unknown(void)
{
    HealthFixture f;
    health_init(&f);
    health_problem = EACCES;
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_cmpstr(judged.judgement->diagnosis->disk_pressure, ==, "unknown");
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "unsafe");
    g_assert_true(is_said(&judged, "permission_denied_fields", "resources.disk: "));
    health_clear(&f);
}

/* ---- the machine ---- */

static void the_group_comes_before_the_machine(void)
{
    HealthFixture f;
    SyncdOutside outside;
    health_init(&f);
    health_put(&f, "cgroup/user.slice/syncd.service/memory.pressure",
               "some avg10=25.50 avg60=0.00 avg300=0.00 total=1\n"
               "full avg10=3.00 avg60=0.00 avg300=0.00 total=1\n");
    syncd_outside_measure("/", &f.places, &outside);
    g_assert_cmpfloat(outside.memory.some, ==, 25.5);
    g_assert_cmpfloat(outside.memory.full, ==, 3);
    g_assert_cmpstr(syncd_stall_pressure(&outside.memory), ==, "warning");
    g_assert_cmpfloat(outside.io.some, ==, 1.25);
    g_assert_cmpstr(syncd_stall_pressure(&outside.io), ==, "none");
    g_assert_cmpuint(outside.resident, ==, 2560 * (guint64)sysconf(_SC_PAGESIZE));
    health_clear(&f);
}

static void a_kernel_without_measures_is_unknown(void)
{
    static const char *const texts[] = {"", "some\n", "some avg10=\nfull avg10=1\n",
                                        "some avg10=nan\nfull avg10=1\n",
                                        "some avg10=101\nfull avg10=1\n"};
    HealthFixture f;
    SyncdOutside outside;
    health_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        health_put(&f, "proc/pressure/memory", texts[i]);
        syncd_outside_measure("/", &f.places, &outside);
        g_assert_cmpint(outside.memory.problem, !=, 0);
        g_assert_cmpstr(syncd_stall_pressure(&outside.memory), ==, "unknown");
    }
    g_auto(HealthJudged) judged = health_judge(&f);
    g_assert_true(is_said(&judged, "unavailable_fields", "resources.memory.pressure: "));
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "healthy");
    health_clear(&f);
}

/* ---- who may look ---- */

static void a_stranger_gets_none(void)
{
    HealthFixture f;
    g_autoptr(GError) error = NULL;
    health_init(&f);
    SyncdCaller stranger = {.uid = OWNER + 1};
    g_assert_null(syncd_service_health(f.service.service, &stranger, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    health_clear(&f);
}

/* ---- where there is nothing ---- */

static void a_directory_without_a_state_has_a_report(void)
{
    HealthFixture f = {.service.service = NULL};
    fixture_init(&f.service.base, 3);
    g_autoptr(GError) why = NULL;
    syncd_set_error(&why, SYNCD_ERROR_NOT_INITIALIZED, "There is no state");
    g_auto(HealthJudged) judged = health_judge_text(
        &f, syncd_health_without_state(f.service.base.directory, &f.service.base.sources, why));
    g_assert_true(is_said(&judged, "errors", "not initialized"));
    for (size_t i = 0; i < SYNCD_N_LANES; i++)
        health_assert(&judged, "lanes", syncd_lanes[i].name, "status", "\"dormant\"");
    g_assert_cmpstr(judged.judgement->diagnosis->status, ==, "unknown");
    fixture_clear(&f.service.base);
}

static void names_of_machines_are_not_told(void)
{
    HealthFixture f;
    health_init(&f);
    g_autofree char *report = health_report(&f);
    g_assert_null(strstr(report, "machine-a"));
    g_assert_null(strstr(report, "boot-a"));
    g_assert_null(strstr(report, f.service.base.directory));
    health_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/health/healthy", a_sound_state_is_healthy_and_signed);
    g_test_add_func("/health/signed", nobody_else_can_sign_it);
    g_test_add_func("/health/dirty-open", a_dirty_open_is_reported_until_the_log_was_found_sound);
    g_test_add_func("/health/dirty-twice", a_dirty_open_outlives_a_start_that_did_not_verify);
    g_test_add_func("/health/clean-end", a_clean_end_is_no_dirty_open);
    g_test_add_func("/health/unsettled", a_dirty_open_is_not_settled_while_the_disk_is_not_known);
    g_test_add_func("/health/unclean-end", an_end_after_a_write_that_failed_is_not_clean);
    g_test_add_func("/health/verified", verified_is_only_what_was_verified);
    g_test_add_func("/health/unchanged", looking_changes_no_byte);
    g_test_add_func("/health/damage", damage_is_unsafe_as_soon_as_it_was_found);
    g_test_add_func("/health/what-heads-sign-is-told-apart-from-content",
                    what_heads_sign_is_told_apart_from_content);
    g_test_add_func("/health/full-disk", a_full_disk_is_unsafe);
    g_test_add_func("/health/no-disk", a_disk_that_cannot_be_measured_is_unknown);
    g_test_add_func("/health/group", the_group_comes_before_the_machine);
    g_test_add_func("/health/no-pressure", a_kernel_without_measures_is_unknown);
    g_test_add_func("/health/strangers", a_stranger_gets_none);
    g_test_add_func("/health/uninitialised", a_directory_without_a_state_has_a_report);
    g_test_add_func("/health/names", names_of_machines_are_not_told);
    return g_test_run();
}
