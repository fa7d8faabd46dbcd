/*
 * Errors: one domain, one table.
 *
 * Every function that can fail takes a GError **. Each error code has one row in one table, which
 * gives its name on the bus, the exit code of the CLI and what the person reading it should do
 * next. Daemon and clients share the table, so a code means the same on both ends.
 *
 * A message is "<what happened, a sentence>. Next: <what to do>." busctl shows only the message, so
 * the next step travels inside it; syncd_error_split() takes the two apart again for people and for
 * JSON.
 *
 * Expected outcomes (a duplicate, an empty list) are results, not errors. A function either returns
 * an error or logs one, never both.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ERROR (syncd_error_quark())
#define SYNCD_ERROR_PREFIX "org.sourceos.Sync.Error."

typedef enum {
    SYNCD_ERROR_FAILED, /* a defect of ours, or of the machine, that no other code names */
    SYNCD_ERROR_NOT_FOUND,
    SYNCD_ERROR_INVALID_ENCODING,
    SYNCD_ERROR_INVALID_CONTRACT,
    SYNCD_ERROR_TOO_LARGE,
    SYNCD_ERROR_TOO_DEEP,
    SYNCD_ERROR_POLICY_DENIED,
    SYNCD_ERROR_APPROVAL_REQUIRED,
    SYNCD_ERROR_APPROVAL_EXPIRED,
    SYNCD_ERROR_STALE_DIGEST,
    SYNCD_ERROR_PLAN_STALE,
    SYNCD_ERROR_ALREADY_RESOLVED,
    SYNCD_ERROR_ENGINE_DISABLED,
    SYNCD_ERROR_LEASE_LOST,
    SYNCD_ERROR_CURSOR_EXPIRED,
    SYNCD_ERROR_NO_SPACE,
    SYNCD_ERROR_STORAGE_FAILED, /* the outcome of a write is unknown; retry with the same
                                   idempotency key */
    SYNCD_ERROR_JOURNAL_CORRUPT,
    SYNCD_ERROR_FEED_FORK,
    SYNCD_ERROR_FEED_ROLLBACK,
    SYNCD_ERROR_NOT_INITIALIZED,
    SYNCD_ERROR_BUSY,
    SYNCD_ERROR_CANCELLED,
    SYNCD_ERROR_OFFLINE,
    SYNCD_ERROR_ACCESS_DENIED,
    SYNCD_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED,
    SYNCD_ERROR_INVALID_ARGS,
    SYNCD_ERROR_LIMITS_EXCEEDED,
    /* of clients only */
    SYNCD_ERROR_USAGE,
    SYNCD_ERROR_UNREACHABLE,
    SYNCD_ERROR_INTERRUPTED,
} SyncdErrorCode;

/* Exit codes of the CLI. Stable: scripts depend on them. */
typedef enum {
    SYNCD_EXIT_DONE = 0,
    SYNCD_EXIT_FAILED = 1,
    SYNCD_EXIT_NEGATIVE = 2, /* judged negative, or the command line was wrong */
    SYNCD_EXIT_NOT_FOUND = 3,
    SYNCD_EXIT_NOT_AUTHORISED = 4,
    SYNCD_EXIT_POLICY_DENIED = 5,
    SYNCD_EXIT_STALE = 6,
    SYNCD_EXIT_UNREACHABLE = 7,
    SYNCD_EXIT_INTERRUPTED = 130,
} SyncdExitCode;

typedef struct {
    SyncdErrorCode code;
    const char *name;      /* short name in JSON and in man pages: "NotFound" */
    const char *dbus_name; /* full name on the bus */
    SyncdExitCode exit;
    const char
        *next; /* what to do next, when the place that raised the error knows nothing better */
} SyncdErrorInfo;

GQuark syncd_error_quark(void);

/* Sets an error whose message ends with the table's next step. */
void syncd_set_error(GError **error, SyncdErrorCode code, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* The same with a next step that fits this place better. */
void syncd_set_error_next(GError **error, SyncdErrorCode code, const char *next, const char *format,
                          ...) G_GNUC_PRINTF(4, 5);
/* From an errno of a system call on something: NoSpace for ENOSPC and EDQUOT, else `code`. */
void syncd_set_error_errno(GError **error, SyncdErrorCode code, int errnum, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

const SyncdErrorInfo *syncd_error_info(SyncdErrorCode code);
/* NULL when no code has that name on the bus. */
const SyncdErrorInfo *syncd_error_info_by_dbus_name(const char *dbus_name);
/* The row of any GError; errors of other domains are Failed. */
const SyncdErrorInfo *syncd_error_info_of(const GError *error);

/* Takes a message apart into its sentence and its next step (NULL when it has none). */
void syncd_error_split(const char *message, char **ret_sentence, char **ret_next);
