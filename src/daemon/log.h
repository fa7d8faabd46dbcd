/*
 * Where the daemon's messages go: to the system journal with their ids, when systemd connected
 * stderr to it; else as plain lines to stderr.
 */
#pragma once

#include "base/log.h"

#include <stdbool.h>

#define SYNCD_SYSLOG_IDENTIFIER "sourceos-syncd"

typedef enum { SYNCD_LOG_TO_JOURNAL, SYNCD_LOG_TO_CONSOLE } SyncdLogTarget;

/* Installs the sink. */
void syncd_log_start(SyncdLogLevel level);
SyncdLogTarget syncd_log_target(void);
void syncd_log_set_target(SyncdLogTarget target);

/* "error", "warning", "notice", "info", "debug"; syslog's "err" is understood too. */
const char *syncd_log_level_name(SyncdLogLevel level);
bool syncd_log_level_parse(const char *name, SyncdLogLevel *ret_level);
