/*
 * The kinds of log entries: what each means outside the log.
 *
 * One table maps a kind to its operation type, to the event that others hear of, to who may write
 * it and to a sentence for people. Kinds of later versions are legal in a log: they have no row,
 * and are shown as unknown.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_WRITTEN_BY_CALLERS, /* by Enqueue */
    SYNCD_WRITTEN_BY_METHODS, /* by the daemon, as the result of an authorised method */
    SYNCD_WRITTEN_LATER,      /* not by this version */
    SYNCD_WRITTEN_BY_DAEMON,  /* of itself; no operation */
} SyncdWriter;

typedef struct {
    const char *kind;
    const char *type;   /* operation type; NULL when it is no operation. Its tail is the kind. */
    const char *status; /* of a fresh operation's record */
    const char *event_type;
    SyncdWriter writer;
    const char *summary;
} SyncdKind;

/* Every row, for whoever lists them. */
const SyncdKind *syncd_kinds(size_t *ret_n);
/* Never NULL: kinds without a row share one that says so. */
const SyncdKind *syncd_kind_find(SyncdBytes kind);
/* NULL when there is none. */
const SyncdKind *syncd_kind_of_type(const char *type);
const SyncdKind *syncd_kind_of_event(const char *event_type);
/* True for kinds that are an operation, those of later versions included. */
bool syncd_kind_is_operation(SyncdBytes kind);
/* Whether Enqueue takes the type. InvalidContract or ApprovalRequired. */
bool syncd_kind_check_enqueue(const char *type, const SyncdKind **ret_kind, GError **error);
