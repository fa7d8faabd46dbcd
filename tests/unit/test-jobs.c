/* What runs beside the calls: verification, and refusals that wait to be counted. */
#include "base/log.h"
#include "service-fixture.h"
#include "state-files.h"

#define MARKER_END "arker-that-is-easy-to-find"
#define MARKER "m" MARKER_END

static SyncdJob *start(ServiceFixture *f, SyncdVerifyMode mode)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_verify(f->service, &f->caller, mode, NULL, &job, &error);
    g_assert_no_error(error);
    return job;
}

/* ---- verification ---- */

static void a_sound_log_is_found_sound(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdJob *job = start(&f, SYNCD_VERIFY_FULL);
    g_assert_cmpstr(syncd_job_state(job), ==, "running");
    g_assert_cmpstr(syncd_job_result(job), ==, "");
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    g_assert_cmpfloat(syncd_job_progress(job), ==, 1.0);
    const char *result = syncd_job_result(job);
    assert_member(result, "schema", "\"sourceos.verification/v1\"");
    assert_member(result, "verdict", "\"sound\"");
    assert_member(result, "mode", "\"full\"");
    assert_member(result, "findings", "[]");
    g_autofree char *checked = g_strdup_printf("%" G_GUINT64_FORMAT, service_sequence(&f));
    assert_member(result, "entries_checked", checked);
    assert_member(result, "sequence", checked);

    g_autofree char *description = syncd_job_describe(job);
    assert_member(description, "operation", "\"verify\"");
    assert_member(description, "error", "null");
    service_clear(&f);
}

static void an_edited_byte_is_found_at_the_next_start(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT("{\"x\":\"" MARKER "\"}");
    g_autofree char *operation = enqueue_committed(&f, &request);
    g_autofree char *record = get(&f, operation);
    g_autofree char *sequence = member_of(record, "sequence");
    service_close(&f);
    state_flip(&f, "journal.db", MARKER_END);
    service_open(&f);

    SyncdJob *job = start(&f, SYNCD_VERIFY_FULL);
    run_jobs(&f);
    const char *result = syncd_job_result(job);
    assert_member(result, "verdict", "\"damaged\"");
    assert_member(result, "findings_count", "1");
    g_autofree char *findings = member_of(result, "findings");
    g_assert_nonnull(strstr(findings, "\"error\":\"JournalCorrupt\""));
    g_autofree char *place = g_strdup_printf("\"sequence\":%s", sequence);
    g_assert_nonnull(strstr(findings, place));

    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_true(state.repair_needed);
    g_assert_cmpstr(state.state, ==, "repair-recommended");
    g_assert_cmpstr(state.reasons[0], ==, "verify-found");

    /* the record that is damaged says so; the others are still there */
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_service_get_operation(f.service, &f.caller, operation, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_clear_error(&error);
    g_autofree char *cursor = NULL;
    SyncdListing listing = {0};
    g_autofree char *page =
        syncd_service_list_operations(f.service, &f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(page, "\"body_error\":"));

    /* a verification that looks at less does not call it mended */
    start(&f, SYNCD_VERIFY_HEADS);
    run_jobs(&f);
    syncd_service_state(f.service, &state);
    g_assert_true(state.repair_needed);
    service_clear(&f);
}

static void the_daemon_verifies_by_itself_when_it_starts(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *before = syncd_service_describe_jobs(f.service, &f.caller);
    g_assert_cmpuint(count_elements(before), ==, 1);
    run_jobs(&f);
    g_autofree char *after = syncd_service_describe_jobs(f.service, &f.caller);
    g_assert_nonnull(strstr(after, "\"verdict\":\"sound\",\"mode\":\"incremental\""));
    service_clear(&f);
}

static void jobs_have_limits_and_can_be_cancelled(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdJob *jobs[SYNCD_JOBS_MAX];
    for (guint i = 0; i < SYNCD_JOBS_MAX; i++)
        jobs[i] = start(&f, SYNCD_VERIFY_FULL);

    g_autoptr(GError) error = NULL;
    SyncdJob *one_more = NULL;
    g_assert_false(
        syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_FULL, NULL, &one_more, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
    g_clear_error(&error);
    /* the limit is each uid's own */
    SyncdCaller other = {.uid = 0, .inspector = true};
    g_assert_true(
        syncd_service_verify(f.service, &other, SYNCD_VERIFY_FULL, NULL, &one_more, &error));

    syncd_service_cancel_job(f.service, jobs[0], NULL);
    g_assert_cmpstr(syncd_job_state(jobs[0]), ==, "cancelled");
    syncd_service_cancel_job(f.service, jobs[0], NULL);
    SyncdJob *instead = start(&f, SYNCD_VERIFY_FULL);
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(jobs[0]), ==, "cancelled");
    g_assert_cmpstr(syncd_job_result(jobs[0]), ==, "");
    g_assert_cmpstr(syncd_job_state(jobs[1]), ==, "done");
    g_assert_cmpstr(syncd_job_state(instead), ==, "done");
    service_clear(&f);
}

static guint removed_jobs;
static void on_removed(void *data, SyncdJob *job)
{
    removed_jobs++;
}

static void results_are_kept_for_five_minutes(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdListener listener = {.job_removed = on_removed};
    syncd_service_set_listener(f.service, &listener);
    run_jobs(&f);
    SyncdJob *job = start(&f, SYNCD_VERIFY_FULL);
    run_jobs(&f);
    g_autofree char *id = g_strdup(syncd_job_id(job));
    g_assert_true(syncd_service_find_job(f.service, id) == job);
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);

    f.base.now_usec += SYNCD_JOB_KEEP_USEC - G_USEC_PER_SEC;
    syncd_service_work(f.service);
    g_assert_nonnull(syncd_service_find_job(f.service, id));
    f.base.now_usec += 2 * G_USEC_PER_SEC;
    syncd_service_work(f.service);
    g_assert_null(syncd_service_find_job(f.service, id));
    g_assert_cmpuint(removed_jobs, ==, 2); /* and the daemon's own */
    g_assert_cmpuint(syncd_service_next_due(f.service), ==, G_MAXUINT64);
    service_clear(&f);
}

static void short_jobs_do_not_pile_up(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < 300; i++) {
        start(&f, SYNCD_VERIFY_HEADS);
        run_jobs(&f);
    }
    g_autoptr(GPtrArray) jobs = syncd_service_jobs(f.service);
    g_assert_cmpuint(jobs->len, <, 70);
    service_clear(&f);
}

static void a_head_that_is_none_is_refused(void)
{
    ServiceFixture f;
    service_init(&f);
    static const char *const known[] = {"not a note", NULL};
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    g_assert_false(
        syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_HEADS, known, &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_null(job);

    g_clear_error(&error);
    const char *too_many[SYNCD_KNOWN_HEADS_MAX + 2] = {NULL};
    for (guint i = 0; i <= SYNCD_KNOWN_HEADS_MAX; i++)
        too_many[i] = known[0];
    g_assert_false(
        syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_HEADS, too_many, &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    service_clear(&f);
}

/* ---- refusals ---- */

static void be_refused(ServiceFixture *f, const char *lane)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    request.lane = lane;
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    syncd_service_commit(f->service);
}

static void assert_newest_refusal(ServiceFixture *f, const char *reason, guint count)
{
    g_autofree char *line = newest_line(f);
    g_autofree char *body = member_of(line, "body");
    g_autofree char *quoted = g_strdup_printf("\"%s\"", reason);
    g_autofree char *number = g_strdup_printf("%u", count);
    assert_member(body, "schema", "\"sourceos.policy-refusal/v1\"");
    assert_member(body, "reason", quoted);
    assert_member(body, "count", number);
}

static void refusals_are_told_once_and_counted(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < 10; i++)
        be_refused(&f, "repair");
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);
    assert_newest_refusal(&f, "repair_lane_is_quarantine_scoped", 1);
    be_refused(&f, "secure"); /* another reason */
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 2);

    f.base.now_usec += 61 * G_USEC_PER_SEC;
    g_assert_cmpuint(syncd_service_next_due(f.service), <=, f.base.now_usec);
    syncd_service_work(f.service);
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 3);
    assert_newest_refusal(&f, "repair_lane_is_quarantine_scoped", 9);

    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpuint(state.policy_blocked_count, ==, 11);
    g_assert_cmpstr(state.state, ==, "clean");

    be_refused(&f, "repair"); /* a new window */
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 4);
    assert_newest_refusal(&f, "repair_lane_is_quarantine_scoped", 1);
    service_clear(&f);
}

static void refusals_that_wait_are_recorded_at_the_end(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < 5; i++)
        be_refused(&f, "repair");
    service_close(&f);
    service_open(&f);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 2);
    assert_newest_refusal(&f, "repair_lane_is_quarantine_scoped", 4);
    service_clear(&f);
}

static void refusals_of_many_reasons_stay_bounded(void)
{
    ServiceFixture f;
    service_init(&f);
    guint64 before = service_sequence(&f);
    for (guint round = 0; round < 2; round++) {
        for (guint i = 0; i < 300; i++) {
            g_autofree char *reason = g_strdup_printf("reason-%u", i);
            syncd_service_note_refusal(f.service, &f.caller, "test", reason);
        }
    }
    syncd_service_commit(f.service);
    /* never more than one entry a refusal, whatever the table forgets */
    g_assert_cmpuint(service_sequence(&f), <=, before + 600);
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpuint(state.policy_blocked_count, ==, 0); /* bus/ refused these, not policy */
    service_clear(&f);
}

static guint logged;
static void count_log(SyncdLogLevel level, const char *message_id, const char *message)
{
    logged += strcmp(message_id, SYNCD_LOG_ID_REFUSED) == 0;
}

static void refusals_of_strangers_go_to_the_system_log(void)
{
    ServiceFixture f;
    service_init(&f);
    guint64 before = service_sequence(&f);
    SyncdCaller stranger = {.uid = 4711};
    syncd_log_set_sink(count_log);
    logged = 0;
    for (guint i = 0; i < 100; i++)
        syncd_service_note_refusal(f.service, &stranger, "write", "actor_not_registered");
    g_assert_cmpuint(logged, ==, 1);
    f.base.now_usec += 61 * G_USEC_PER_SEC;
    syncd_service_note_refusal(f.service, &stranger, "write", "actor_not_registered");
    g_assert_cmpuint(logged, ==, 2);
    syncd_log_set_sink(NULL);
    g_assert_false(syncd_service_has_turn(f.service));
    g_assert_cmpuint(service_sequence(&f), ==, before);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/jobs/a-sound-log-is-found-sound", a_sound_log_is_found_sound);
    g_test_add_func("/jobs/an-edited-byte-is-found-at-the-next-start",
                    an_edited_byte_is_found_at_the_next_start);
    g_test_add_func("/jobs/the-daemon-verifies-by-itself-when-it-starts",
                    the_daemon_verifies_by_itself_when_it_starts);
    g_test_add_func("/jobs/jobs-have-limits-and-can-be-cancelled",
                    jobs_have_limits_and_can_be_cancelled);
    g_test_add_func("/jobs/results-are-kept-for-five-minutes", results_are_kept_for_five_minutes);
    g_test_add_func("/jobs/short-jobs-do-not-pile-up", short_jobs_do_not_pile_up);
    g_test_add_func("/jobs/a-head-that-is-none-is-refused", a_head_that_is_none_is_refused);
    g_test_add_func("/refusals/refusals-are-told-once-and-counted",
                    refusals_are_told_once_and_counted);
    g_test_add_func("/refusals/refusals-that-wait-are-recorded-at-the-end",
                    refusals_that_wait_are_recorded_at_the_end);
    g_test_add_func("/refusals/refusals-of-many-reasons-stay-bounded",
                    refusals_of_many_reasons_stay_bounded);
    g_test_add_func("/refusals/refusals-of-strangers-go-to-the-system-log",
                    refusals_of_strangers_go_to_the_system_log);
    return g_test_run();
}
