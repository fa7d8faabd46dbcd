#include "base/log.h"

#include <stdio.h>

static void stderr_sink(SyncdLogLevel level, const char *message_id, const char *message)
{
    if (level <= SYNCD_LOG_WARNING)
        fprintf(stderr, "sourceos-syncd: %s\n", message);
}

/* The one exception to "no global state": where messages go is a property of the process. */
static SyncdLogSink current_sink = stderr_sink;
static SyncdLogLevel current_max_level = SYNCD_LOG_INFO;
static SyncdLogWatch current_watch;
static void *current_watch_data;

void syncd_log_set_sink(SyncdLogSink sink)
{
    current_sink = sink != NULL ? sink : stderr_sink;
}

void syncd_log_set_watch(SyncdLogWatch watch, void *data)
{
    current_watch = watch;
    current_watch_data = data;
}

void syncd_log_set_max_level(SyncdLogLevel level)
{
    current_max_level = level;
}

SyncdLogLevel syncd_log_max_level(void)
{
    return current_max_level;
}

void syncd_log(SyncdLogLevel level, const char *message_id, const char *format, ...)
{
    if (level > current_max_level)
        return;

    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    if (current_watch != NULL && level <= SYNCD_LOG_WARNING)
        current_watch(current_watch_data, format, message);
    current_sink(level, message_id, message);
}
