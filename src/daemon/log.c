/* Where in the source a message was sent from means nothing here: all go through the one sink. */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "daemon/log.h"

#include "base/error.h"
#include "base/terminal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

static const struct {
    const char *name;
    SyncdLogLevel level;
} levels[] = {
    {"error", SYNCD_LOG_ERROR}, {"warning", SYNCD_LOG_WARNING}, {"notice", SYNCD_LOG_NOTICE},
    {"info", SYNCD_LOG_INFO},   {"debug", SYNCD_LOG_DEBUG},     {"err", SYNCD_LOG_ERROR},
};

const char *syncd_log_level_name(SyncdLogLevel level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++)
        if (levels[i].level == level)
            return levels[i].name;
    return "info";
}

bool syncd_log_level_parse(const char *name, SyncdLogLevel *ret_level)
{
    for (size_t i = 0; i < G_N_ELEMENTS(levels); i++) {
        if (strcmp(levels[i].name, name) == 0) {
            *ret_level = levels[i].level;
            return true;
        }
    }
    return false;
}

static void print_wrapped(const char *text, unsigned width)
{
    g_autoptr(GString) wrapped = g_string_new(NULL);
    syncd_text_wrap(wrapped, text, 0, 2, width);
    fprintf(stderr, "%s\n", wrapped->str);
}

/* For a person at a terminal as the other verbs complain; a line for anybody else. */
static void to_console(const char *message)
{
    unsigned width = syncd_terminal_width(STDERR_FILENO);
    if (width == 0) {
        fprintf(stderr, "sourceos-syncd: %s\n", message);
        return;
    }
    g_autofree char *sentence = NULL, *next = NULL, *valid = g_utf8_make_valid(message, -1);
    syncd_error_split(valid, &sentence, &next);
    g_autofree char *what = g_strconcat("sourceos-syncd: ", sentence, NULL);
    print_wrapped(what, width);
    if (next == NULL)
        return;
    g_autofree char *then = g_strconcat("Next: ", next, NULL);
    print_wrapped(then, width);
}

/* As base/log.c's sink: a property of the process. */
static SyncdLogTarget current_target = SYNCD_LOG_TO_CONSOLE;

static void sink(SyncdLogLevel level, const char *message_id, const char *message)
{
    if (current_target == SYNCD_LOG_TO_CONSOLE) {
        to_console(message);
        return;
    }
    if (*message_id == '\0')
        sd_journal_send("MESSAGE=%s", message, "PRIORITY=%i", (int)level,
                        "SYSLOG_IDENTIFIER=" SYNCD_SYSLOG_IDENTIFIER, NULL);
    else
        sd_journal_send("MESSAGE=%s", message, "MESSAGE_ID=%s", message_id, "PRIORITY=%i",
                        (int)level, "SYSLOG_IDENTIFIER=" SYNCD_SYSLOG_IDENTIFIER, NULL);
}

/* The variable is inherited by everything that a service starts; it counts for stderr only where it
 * names stderr's own device and inode. */
static bool stderr_is_journal(void)
{
    const char *stream = g_getenv("JOURNAL_STREAM");
    struct stat status;
    if (stream == NULL || fstat(STDERR_FILENO, &status) < 0)
        return false;
    g_autofree char *own =
        g_strdup_printf("%" PRIu64 ":%" PRIu64, (guint64)status.st_dev, (guint64)status.st_ino);
    return strcmp(own, stream) == 0;
}

void syncd_log_start(SyncdLogLevel level)
{
    current_target = stderr_is_journal() ? SYNCD_LOG_TO_JOURNAL : SYNCD_LOG_TO_CONSOLE;
    syncd_log_set_max_level(level);
    syncd_log_set_sink(sink);
}

SyncdLogTarget syncd_log_target(void)
{
    return current_target;
}

void syncd_log_set_target(SyncdLogTarget target)
{
    current_target = target;
}
