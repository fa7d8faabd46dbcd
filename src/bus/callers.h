/*
 * Who is behind a name on the bus.
 *
 * The bus itself says so, never the message. A unique name belongs to one connection and is not
 * given out again while the bus lives, so an answer is kept and most calls cost no question.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>
#include <systemd/sd-bus.h>

typedef struct SyncdCallers SyncdCallers;

/* `units`: also find out in which systemd unit a caller runs. */
SyncdCallers *syncd_callers_new(bool units);
void syncd_callers_free(SyncdCallers *callers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdCallers, syncd_callers_free)

/* AccessDenied when the bus does not know; the caller is gone then. */
bool syncd_callers_identify(SyncdCallers *callers, sd_bus_message *call, uid_t *ret_uid,
                            pid_t *ret_pid, GError **error);
/* The user unit that the caller ran in when it was identified ("builder.service"); NULL when it ran
 * in none, or is gone. Borrowed until the next caller is identified. */
const char *syncd_callers_unit(const SyncdCallers *callers, sd_bus_message *call);
