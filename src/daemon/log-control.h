/*
 * org.freedesktop.LogControl1: lets `systemctl service-log-level` and root look at more of what the
 * daemon does while it runs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

bool syncd_log_control_add(sd_bus *connection, GError **error);
