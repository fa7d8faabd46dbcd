/*
 * When the service does what can wait.
 *
 * A turn is committed when the input is drained, which is when nothing of higher priority than its
 * event source is left to do, and at the latest five milliseconds after it was opened. Background
 * work comes after that, a piece at a time. What is due at a time has one timer; when nothing is,
 * nobody wakes up.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <systemd/sd-event.h>

typedef struct SyncdSchedule SyncdSchedule;

SyncdSchedule *syncd_schedule_new(sd_event *event, SyncdService *service, GError **error);
void syncd_schedule_free(SyncdSchedule *schedule);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSchedule, syncd_schedule_free)

void syncd_schedule_commit(SyncdSchedule *schedule);
void syncd_schedule_work(SyncdSchedule *schedule);
