/*
 * When the service does what can wait.
 *
 * A turn is committed when the input is drained, which is when nothing of higher priority than its
 * event source is left to do, and at the latest five milliseconds after it was opened. Callers who
 * wait for an answer before they call again come back one by one after a commit: as long as fewer
 * wait than the last commit answered, the drained input is given a moment more, a small part of the
 * time that a commit takes. One caller alone never waits for others.
 *
 * Background work comes after that, a piece at a time: at once when it presses, else in the next
 * pause. What is due at a time has one timer; when nothing is, nobody wakes up.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <systemd/sd-event.h>

typedef struct SyncdSchedule SyncdSchedule;

SyncdSchedule *syncd_schedule_new(sd_event *event, SyncdService *service, GError **error);
void syncd_schedule_free(SyncdSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSchedule, syncd_schedule_free)

void syncd_schedule_commit(SyncdSchedule *schedule); /* a turn was opened */
void syncd_schedule_work(SyncdSchedule *schedule);   /* syncd_service_work() has something to do */
