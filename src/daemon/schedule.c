#include "daemon/schedule.h"

#include "bus/error-bus.h"

#include <stdbool.h>
#include <time.h>

#define TURN_USEC 5000u
/* The drained input is given this part of the last commit's time for more to come. */
#define PATIENCE_PART 8u
#define PAUSE_USEC (20u * 1000u)
#define TIMER_ACCURACY_USEC 1u
#define PAUSE_ACCURACY_USEC 1000u
#define DUE_ACCURACY_USEC (100u * 1000u)

/* Calls come at SD_EVENT_PRIORITY_NORMAL. */
#define PRIORITY_TURN_ENDS SD_EVENT_PRIORITY_IMPORTANT
#define PRIORITY_DRAINED SD_EVENT_PRIORITY_IDLE
#define PRIORITY_WORK (SD_EVENT_PRIORITY_IDLE + 10)

struct SyncdSchedule {
    SyncdService *service;
    sd_event_source *drained;
    sd_event_source *turn_ends;
    sd_event_source *work;
    sd_event_source *pause; /* when work begins that does not press */
    sd_event_source *due;
    sd_event_source *after_each;
    guint64 due_at;       /* for which the timer was set last */
    guint64 turn_ends_at; /* at the latest */
    unsigned gathered;    /* who had come when the input was drained, but more are expected */
    unsigned expected;    /* as many as the last commit answered */
    guint64 commit_usec;  /* how long that took */
};

static guint64 now_usec(void)
{
    return (guint64)g_get_monotonic_time();
}

/* ---- turns ---- */

static int commit(SyncdSchedule *schedule)
{
    sd_event_source_set_enabled(schedule->drained, SD_EVENT_OFF);
    sd_event_source_set_enabled(schedule->turn_ends, SD_EVENT_OFF);
    sd_event_source_set_enabled(schedule->after_each, SD_EVENT_OFF);
    if (!syncd_service_has_turn(schedule->service))
        return 0;
    guint64 begin = now_usec();
    schedule->expected = syncd_service_waiting(schedule->service);
    syncd_service_commit(schedule->service);
    schedule->commit_usec = now_usec() - begin;
    return 0;
}

static int on_drained(sd_event_source *source, void *userdata)
{
    SyncdSchedule *schedule = userdata;
    unsigned waiting = syncd_service_waiting(schedule->service);
    if (waiting == 0 || waiting >= schedule->expected)
        return commit(schedule);
    guint64 patience = now_usec() + schedule->commit_usec / PATIENCE_PART;
    schedule->gathered = waiting;
    int r = sd_event_source_set_enabled(schedule->after_each, SD_EVENT_ON);
    return r < 0 ? r
                 : sd_event_source_set_time(schedule->turn_ends,
                                            MIN(schedule->turn_ends_at, patience));
}

static int on_turn_ends(sd_event_source *source, uint64_t usec, void *userdata)
{
    return commit(userdata);
}

/* Somebody may have come: once the input is drained again it is seen whether that were all. Only
 * while more are expected, since it costs each event a turn of the loop. */
static int after_each(sd_event_source *source, void *userdata)
{
    SyncdSchedule *schedule = userdata;
    if (syncd_service_waiting(schedule->service) == schedule->gathered)
        return 0;
    sd_event_source_set_enabled(source, SD_EVENT_OFF);
    return sd_event_source_set_enabled(schedule->drained, SD_EVENT_ONESHOT);
}

/* ---- what can wait ---- */

/* Only work changes what is due next, or says so. What is due already waits for the work that it
 * asked for; a timer for the same past moment would keep that from its turn. */
static int arm_due(SyncdSchedule *schedule)
{
    guint64 due_at = syncd_service_next_due(schedule->service);
    if (due_at == schedule->due_at)
        return 0;
    schedule->due_at = due_at;
    if (due_at == G_MAXUINT64)
        return sd_event_source_set_enabled(schedule->due, SD_EVENT_OFF);
    int r = sd_event_source_set_time(schedule->due, due_at);
    return r < 0 ? r : sd_event_source_set_enabled(schedule->due, SD_EVENT_ONESHOT);
}

static int on_work(sd_event_source *source, void *userdata)
{
    SyncdSchedule *schedule = userdata;
    bool more = syncd_service_work(schedule->service);
    int r = arm_due(schedule);
    return r < 0 ? r : sd_event_source_set_enabled(source, more ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int begin_work(sd_event_source *source, uint64_t usec, void *userdata)
{
    return sd_event_source_set_enabled(((SyncdSchedule *)userdata)->work, SD_EVENT_ON);
}

static int add_timer(sd_event *event, sd_event_source **source, guint64 accuracy,
                     sd_event_time_handler_t handler, SyncdSchedule *schedule)
{
    int r =
        sd_event_add_time(event, source, CLOCK_MONOTONIC, UINT64_MAX, accuracy, handler, schedule);
    return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

static int add_defer(sd_event *event, sd_event_source **source, int64_t priority,
                     sd_event_handler_t handler, SyncdSchedule *schedule)
{
    int r = sd_event_add_defer(event, source, handler, schedule);
    if (r >= 0)
        r = sd_event_source_set_priority(*source, priority);
    return r < 0 ? r : sd_event_source_set_enabled(*source, SD_EVENT_OFF);
}

SyncdSchedule *syncd_schedule_new(sd_event *event, SyncdService *service, GError **error)
{
    g_autoptr(SyncdSchedule) schedule = g_new0(SyncdSchedule, 1);
    schedule->service = service;
    schedule->due_at = G_MAXUINT64;

    int r = add_defer(event, &schedule->drained, PRIORITY_DRAINED, on_drained, schedule);
    if (r >= 0)
        r = add_defer(event, &schedule->work, PRIORITY_WORK, on_work, schedule);
    if (r >= 0)
        r = add_timer(event, &schedule->turn_ends, TIMER_ACCURACY_USEC, on_turn_ends, schedule);
    if (r >= 0)
        r = sd_event_source_set_priority(schedule->turn_ends, PRIORITY_TURN_ENDS);
    if (r >= 0)
        r = add_timer(event, &schedule->pause, PAUSE_ACCURACY_USEC, begin_work, schedule);
    if (r >= 0)
        r = add_timer(event, &schedule->due, DUE_ACCURACY_USEC, begin_work, schedule);
    if (r >= 0)
        r = sd_event_add_post(event, &schedule->after_each, after_each, schedule);
    if (r >= 0)
        r = sd_event_source_set_enabled(schedule->after_each, SD_EVENT_OFF);
    if (r < 0) {
        syncd_set_error_bus(error, r, "The event loop cannot be set up");
        return NULL;
    }
    return g_steal_pointer(&schedule);
}

void syncd_schedule_free(SyncdSchedule *schedule)
{
    if (schedule == NULL)
        return;
    sd_event_source_disable_unref(schedule->drained);
    sd_event_source_disable_unref(schedule->turn_ends);
    sd_event_source_disable_unref(schedule->work);
    sd_event_source_disable_unref(schedule->pause);
    sd_event_source_disable_unref(schedule->due);
    sd_event_source_disable_unref(schedule->after_each);
    g_free(schedule);
}

void syncd_schedule_commit(SyncdSchedule *schedule)
{
    sd_event_source_set_enabled(schedule->after_each, SD_EVENT_OFF);
    schedule->turn_ends_at = now_usec() + TURN_USEC;
    int r = sd_event_source_set_enabled(schedule->drained, SD_EVENT_ONESHOT);
    if (r >= 0)
        r = sd_event_source_set_time(schedule->turn_ends, schedule->turn_ends_at);
    if (r >= 0)
        r = sd_event_source_set_enabled(schedule->turn_ends, SD_EVENT_ONESHOT);
    /* A turn that nobody would end must not be left open. */
    if (r < 0)
        commit(schedule);
}

void syncd_schedule_work(SyncdSchedule *schedule)
{
    int enabled = SD_EVENT_OFF;
    if (!syncd_service_is_pressed(schedule->service) &&
        (sd_event_source_get_enabled(schedule->pause, &enabled) > 0 ||
         (sd_event_source_set_time_relative(schedule->pause, PAUSE_USEC) >= 0 &&
          sd_event_source_set_enabled(schedule->pause, SD_EVENT_ONESHOT) >= 0)))
        return;
    sd_event_source_set_enabled(schedule->work, SD_EVENT_ON);
}
