#include "daemon/schedule.h"

#include "bus/error-bus.h"

#include <stdbool.h>
#include <time.h>

#define TURN_USEC 5000u
#define TIMER_ACCURACY_USEC 1u
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
    sd_event_source *due;
    sd_event_source *after_each;
    guint64 due_at; /* for which the timer was set last */
};

static int commit(SyncdSchedule *schedule)
{
    sd_event_source_set_enabled(schedule->drained, SD_EVENT_OFF);
    sd_event_source_set_enabled(schedule->turn_ends, SD_EVENT_OFF);
    if (syncd_service_has_turn(schedule->service))
        syncd_service_commit(schedule->service);
    return 0;
}

static int on_drained(sd_event_source *source, void *userdata)
{
    return commit(userdata);
}

static int on_turn_ends(sd_event_source *source, uint64_t usec, void *userdata)
{
    return commit(userdata);
}

static int on_work(sd_event_source *source, void *userdata)
{
    SyncdSchedule *schedule = userdata;
    bool more = syncd_service_work(schedule->service);
    return sd_event_source_set_enabled(source, more ? SD_EVENT_ON : SD_EVENT_OFF);
}

static int on_due(sd_event_source *source, uint64_t usec, void *userdata)
{
    syncd_schedule_work(userdata);
    return 0;
}

/* Runs after whatever happened: only then can something else be due next. What is due already waits
 * for the work that it asked for; a timer for the same past moment would keep that from its turn.
 */
static int after_each(sd_event_source *source, void *userdata)
{
    SyncdSchedule *schedule = userdata;
    guint64 due_at = syncd_service_next_due(schedule->service);
    if (due_at == schedule->due_at)
        return 0;
    schedule->due_at = due_at;
    if (due_at == G_MAXUINT64)
        return sd_event_source_set_enabled(schedule->due, SD_EVENT_OFF);
    int r = sd_event_source_set_time(schedule->due, due_at);
    return r < 0 ? r : sd_event_source_set_enabled(schedule->due, SD_EVENT_ONESHOT);
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
        r = add_timer(event, &schedule->due, DUE_ACCURACY_USEC, on_due, schedule);
    if (r >= 0)
        r = sd_event_add_post(event, &schedule->after_each, after_each, schedule);
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
    sd_event_source_disable_unref(schedule->due);
    sd_event_source_disable_unref(schedule->after_each);
    g_free(schedule);
}

void syncd_schedule_commit(SyncdSchedule *schedule)
{
    int r = sd_event_source_set_enabled(schedule->drained, SD_EVENT_ONESHOT);
    if (r >= 0)
        r = sd_event_source_set_time_relative(schedule->turn_ends, TURN_USEC);
    if (r >= 0)
        r = sd_event_source_set_enabled(schedule->turn_ends, SD_EVENT_ONESHOT);
    /* A turn that nobody would end must not be left open. */
    if (r < 0)
        commit(schedule);
}

void syncd_schedule_work(SyncdSchedule *schedule)
{
    sd_event_source_set_enabled(schedule->work, SD_EVENT_ON);
}
