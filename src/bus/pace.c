#include "bus/pace.h"

#include "bus/error-bus.h"

#include <time.h>

#define ACCURACY_USEC 1000u

struct SyncdPace {
    sd_event_source *timer;
    guint64 interval;
    SyncdPaceFunc func;
    void *data;
    guint64 last; /* monotonic, 0 for never */
    bool requested;
};

static guint64 now_usec(void)
{
    return (guint64)g_get_monotonic_time();
}

static void run(SyncdPace *pace)
{
    pace->requested = false;
    pace->last = now_usec();
    pace->func(pace->data);
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata)
{
    run(userdata);
    return 0;
}

SyncdPace *syncd_pace_new(sd_event *event, guint64 interval_usec, SyncdPaceFunc func, void *data,
                          GError **error)
{
    g_autoptr(SyncdPace) pace = g_new0(SyncdPace, 1);
    pace->interval = interval_usec;
    pace->func = func;
    pace->data = data;
    int r = sd_event_add_time(event, &pace->timer, CLOCK_MONOTONIC, UINT64_MAX, ACCURACY_USEC,
                              on_timer, pace);
    if (r >= 0)
        r = sd_event_source_set_enabled(pace->timer, SD_EVENT_OFF);
    if (r < 0) {
        syncd_set_error_bus(error, r, "A timer cannot be made");
        return NULL;
    }
    return g_steal_pointer(&pace);
}

void syncd_pace_free(SyncdPace *pace)
{
    if (pace == NULL)
        return;
    sd_event_source_disable_unref(pace->timer);
    g_free(pace);
}

void syncd_pace_request(SyncdPace *pace)
{
    if (pace->requested)
        return;

    pace->requested = true;
    guint64 due = pace->last > 0 ? pace->last + pace->interval : 0;
    int r = sd_event_source_set_time(pace->timer, MAX(due, now_usec()));
    if (r >= 0)
        r = sd_event_source_set_enabled(pace->timer, SD_EVENT_ONESHOT);
    /* Without a timer it is better early than never. */
    if (r < 0)
        run(pace);
}

void syncd_pace_flush(SyncdPace *pace)
{
    if (!pace->requested)
        return;
    sd_event_source_set_enabled(pace->timer, SD_EVENT_OFF);
    run(pace);
}
