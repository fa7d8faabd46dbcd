/*
 * Something that is done soon after it is asked for, but not more often than once in an interval:
 * signals of commits, changes of properties, the status file. Without a request there is no timer
 * and nobody wakes up.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

typedef struct SyncdPace SyncdPace;
typedef void (*SyncdPaceFunc)(void *data);

/* Four times a second is as often as a person sees. */
#define SYNCD_PACE_SHOWN_USEC (250u * 1000u)

SyncdPace *syncd_pace_new(sd_event *event, guint64 interval_usec, SyncdPaceFunc func, void *data,
                          GError **error);
void syncd_pace_free(SyncdPace *pace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPace, syncd_pace_free)

void syncd_pace_request(SyncdPace *pace);
/* What was asked for and is still to come is done now. */
void syncd_pace_flush(SyncdPace *pace);
