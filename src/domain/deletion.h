/*
 * The life of a deletion: one table of state, event and next state.
 *
 * A delete request is authorised by policy, becomes a tombstone, is propagated to the members of
 * the scope, and hides the object. Somebody may then purge what is left of it: first the bodies in
 * the log go, then every other place where their bytes were, and the proof of it comes last. An
 * object may be restored until it is purged, as a new version.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

/* Their numbers are kept in the index. */
typedef enum {
    SYNCD_DELETION_REQUESTED,
    SYNCD_DELETION_AUTHORISED,
    SYNCD_DELETION_TOMBSTONED,
    SYNCD_DELETION_PROPAGATED,
    SYNCD_DELETION_HIDDEN,
    SYNCD_DELETION_PURGED,
    SYNCD_DELETION_PROVEN,
    SYNCD_DELETION_RESTORED, /* there is an object again: its next version */
    SYNCD_N_DELETION_STATES,
} SyncdDeletionState;

typedef enum {
    SYNCD_DELETION_REQUEST,
    SYNCD_DELETION_AUTHORISE,
    SYNCD_DELETION_TOMBSTONE,
    SYNCD_DELETION_PROPAGATE,
    SYNCD_DELETION_HIDE,
    SYNCD_DELETION_PURGE,
    SYNCD_DELETION_PROVE,
    SYNCD_DELETION_RESTORE,
    SYNCD_N_DELETION_EVENTS,
} SyncdDeletionEvent;

const char *syncd_deletion_state_name(SyncdDeletionState state);
/* False, and no change, when the event has no row. */
bool syncd_deletion_move(SyncdDeletionState *state, SyncdDeletionEvent event);
/* Which event an entry of the kind is. A request is an operation in the lane tombstone. */
bool syncd_deletion_kind(SyncdBytes kind, SyncdDeletionEvent *ret_event);
/* NULL for a request. */
const char *syncd_deletion_kind_of(SyncdDeletionEvent event);
/* Whether a purge takes the bodies of such entries about its object: operations and the object's
 * record, and not what deleted it. */
bool syncd_deletion_purges(SyncdBytes kind);
