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

void syncd_log_set_sink(SyncdLogSink sink)
{
    current_sink = sink != NULL ? sink : stderr_sink;
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
    current_sink(level, message_id, message);
}
