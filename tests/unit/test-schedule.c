/* When the event loop does what can wait. */
#include "daemon/schedule.h"

#include "service-fixture.h"

/* More turns of the loop than anything here needs. */
#define TURNS_MAX 100u

/* Timed work that is late is done and leaves the loop with nothing to do; a timer that is armed for
 * the same past moment again and again would keep the loop from ever doing it. */
static void what_is_due_is_done_once(void)
{
    g_autoptr(GError) error = NULL;
    ServiceFixture f;
    service_init(&f);
    run_jobs(&f);

    sd_event *event = NULL;
    g_assert_cmpint(sd_event_new(&event), >=, 0);
    g_autoptr(SyncdSchedule) schedule = syncd_schedule_new(event, f.service, &error);
    g_assert_no_error(error);
    /* The timers are the machine's: by the service's clock the refusal is of when it booted. */
    guint64 now = (guint64)g_get_monotonic_time();
    f.base.now_usec = 0;
    SyncdRequest request = good_request();
    SyncdEnqueued enqueued = {0};
    request.lane = "repair";
    g_assert_false(syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_POLICY_DENIED);
    syncd_service_commit(f.service);
    run_jobs(&f);
    if (syncd_service_next_due(f.service) >= now) {
        g_test_skip("the machine has only just booted");
        return;
    }
    f.base.now_usec = now;

    unsigned turns = 0;
    SyncdState state = {0};
    syncd_schedule_work(schedule); /* the service asked for it */
    for (syncd_service_state(f.service, &state); strcmp(state.state, "clean") != 0;
         syncd_service_state(f.service, &state)) {
        g_assert_cmpuint(++turns, <, TURNS_MAX);
        g_assert_cmpint(sd_event_run(event, UINT64_MAX), >=, 0);
    }
    while (sd_event_run(event, 0) > 0)
        g_assert_cmpuint(++turns, <, TURNS_MAX);

    g_clear_pointer(&schedule, syncd_schedule_free);
    sd_event_unref(event);
    service_clear(&f);
}

static void on_turn_opened(void *data)
{
    syncd_schedule_commit(*(SyncdSchedule **)data);
}

static void let_wait(ServiceFixture *f, unsigned n, Heard *heard)
{
    SyncdRequest request = good_request();
    for (unsigned i = 0; i < n; i++) {
        SyncdEnqueued enqueued = enqueue(f, &request);
        syncd_enqueued_clear(&enqueued);
        syncd_service_after_commit(f->service, note_commit, heard);
    }
}

/* However many the last commit answered: those who come are answered, and their number is the next
 * one to be expected. */
static void nobody_waits_for_those_who_do_not_come(void)
{
    static const unsigned comers[] = {1, 8, 1, 3, 64, 63, 2, 0, 1};
    g_autoptr(GError) error = NULL;
    ServiceFixture f;
    service_init(&f);
    sd_event *event = NULL;
    g_assert_cmpint(sd_event_new(&event), >=, 0);
    SyncdSchedule *schedule = syncd_schedule_new(event, f.service, &error);
    g_assert_no_error(error);
    syncd_service_set_listener(f.service,
                               &(SyncdListener){.data = &schedule, .turn_opened = on_turn_opened});

    for (size_t i = 0; i < G_N_ELEMENTS(comers); i++) {
        Heard heard = {0};
        let_wait(&f, comers[i], &heard);
        for (unsigned turns = 0; syncd_service_has_turn(f.service); turns++) {
            g_assert_cmpuint(turns, <, TURNS_MAX);
            g_assert_cmpint(sd_event_run(event, UINT64_MAX), >=, 0);
        }
        g_assert_cmpuint(heard.calls, ==, comers[i]);
    }

    syncd_service_set_listener(f.service, &(SyncdListener){0});
    syncd_schedule_free(schedule);
    sd_event_unref(event);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/schedule/what-is-due-is-done-once", what_is_due_is_done_once);
    g_test_add_func("/schedule/nobody-waits-for-those-who-do-not-come",
                    nobody_waits_for_those_who_do_not_come);
    return g_test_run();
}
