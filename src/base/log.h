/*
 * Logging.
 *
 * Only the daemon and the programs decide where messages go; below, a module that must say
 * something and has no caller to tell (a background job, a degraded start) hands a level, a stable
 * message id and a sentence to the one sink that the program installed. Messages carry ids and
 * counts, never paths, names or content.
 *
 * The ids are UUIDs in hexadecimal; data/sourceos-syncd.catalog explains each of them.
 */
#pragma once

#include <glib.h>

typedef enum {
    SYNCD_LOG_ERROR = 3, /* syslog's numbers */
    SYNCD_LOG_WARNING = 4,
    SYNCD_LOG_NOTICE = 5,
    SYNCD_LOG_INFO = 6,
    SYNCD_LOG_DEBUG = 7,
} SyncdLogLevel;

#define SYNCD_LOG_ID_NONE ""
#define SYNCD_LOG_ID_STARTED "0d6b7c9f5a8e4c12a4b1f7d35c0e6a01"
#define SYNCD_LOG_ID_STOPPED "1f2a8d40b6c34e7f9a5d02c8e1b74302"
#define SYNCD_LOG_ID_STATE_CREATED "2b9e41d7c05f4a6e8d3c17fa90b25e03"
#define SYNCD_LOG_ID_INDEX_REBUILT "3c84f6a2e19b4d05b7e60a9d58c31f04"
#define SYNCD_LOG_ID_STORAGE_FAILED "4e07b5c3d82f4916a0f48be27d6c9305"
#define SYNCD_LOG_ID_VERIFY_FOUND "5a61d9e8f3b74c20958e3f0c7ad41b06"
#define SYNCD_LOG_ID_REFUSED "6bd3720fa4e5481c87c90f15e62b3d07"
#define SYNCD_LOG_ID_MACHINE_CHANGED "7ce5903b1d6f42a8b3974a06f8d21c08"
#define SYNCD_LOG_ID_JOURNAL_CORRUPT "8f1c64e7a2d0435b9e8657b30ca4d209"
#define SYNCD_LOG_ID_CONFIG "9a72d05be6c1483f84ab29c7f013e50a"
#define SYNCD_LOG_ID_REPAIR "b6f19d4802e3457cb1a48f5e71d90b0c"
#define SYNCD_LOG_ID_POLICY "a5e08c37d1f24b60b3927e4d60c8fa0b"

/* Hears of warnings and worse before the sink does: `kind` is what all messages of that place have
 * in common, and a constant. */
typedef void (*SyncdLogWatch)(void *data, const char *kind, const char *message);
/* NULL ends it. */
void syncd_log_set_watch(SyncdLogWatch watch, void *data);

typedef void (*SyncdLogSink)(SyncdLogLevel level, const char *message_id, const char *message);

/* Installed once by a program before anything runs. Without one, warnings and worse go to stderr.
 */
void syncd_log_set_sink(SyncdLogSink sink);
void syncd_log_set_max_level(SyncdLogLevel level);
SyncdLogLevel syncd_log_max_level(void);
void syncd_log(SyncdLogLevel level, const char *message_id, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
