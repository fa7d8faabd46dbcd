/*
 * What becomes of an operation and of its task: two state machines, each a table of state, event
 * and next state.
 *
 * An operation that was enqueued has one task, which somebody claims, holds under a lease and
 * completes or fails. Both move on the same events, and an event happens only where both tables
 * have a row for it: nothing else changes a state, and what has no row is refused by whoever asks
 * and skipped by whoever reads it in a log. Every event but those about parents is an entry of one
 * kind.
 *
 * Only what has ended is purged. Of what moved it, entries of tasks stay, replays and
 * reconciliations go: so a purge says of each operation how it had ended, and moves it there.
 *
 * Parents do not move a child. While one of them has failed, a child that waits is shown as blocked
 * (syncd_lifecycle_shown()).
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_OPERATION_QUEUED,
    SYNCD_OPERATION_RUNNING,
    SYNCD_OPERATION_REPLAYED, /* queued once more */
    SYNCD_OPERATION_RECONCILED,
    SYNCD_OPERATION_BLOCKED, /* by a parent that failed */
    SYNCD_OPERATION_COMPLETED,
    SYNCD_OPERATION_FAILED,
    SYNCD_OPERATION_CANCELLED,
    SYNCD_N_OPERATION_STATES,
} SyncdOperationState;

typedef enum {
    SYNCD_TASK_PENDING,
    SYNCD_TASK_RUNNING,
    SYNCD_TASK_SUCCEEDED,
    SYNCD_TASK_FAILED,
    SYNCD_TASK_CANCELLED,
    SYNCD_N_TASK_STATES,
} SyncdTaskState;

/* The numbers of states are kept in the index, those of events are not. */
typedef enum {
    SYNCD_EVENT_CLAIM,
    SYNCD_EVENT_LOSE,  /* the lease ended without a result */
    SYNCD_EVENT_RETRY, /* failed, to be tried again */
    SYNCD_EVENT_COMPLETE,
    SYNCD_EVENT_FAIL, /* for good */
    SYNCD_EVENT_CANCEL,
    SYNCD_EVENT_REPLAY,
    SYNCD_EVENT_RECONCILE,
    SYNCD_EVENT_BLOCK, /* a parent failed */
    SYNCD_N_EVENTS,
} SyncdEvent;

typedef struct {
    SyncdOperationState operation;
    SyncdTaskState task;
} SyncdLifecycle;

/* Of an operation that was just enqueued. */
#define SYNCD_LIFECYCLE_BEGIN ((SyncdLifecycle){SYNCD_OPERATION_QUEUED, SYNCD_TASK_PENDING})

/* The words of the contract. */
const char *syncd_operation_state_name(SyncdOperationState state);
const char *syncd_task_state_name(SyncdTaskState state);
/* False for a word that is none. */
bool syncd_task_state_find(const char *name, SyncdTaskState *ret_state);

/* False, and no change, when the event has no row. */
bool syncd_lifecycle_move(SyncdLifecycle *lifecycle, SyncdEvent event);
/* What an operation is that has ended in the state of that name. False when none ends there. */
bool syncd_lifecycle_ended(const char *name, SyncdLifecycle *ret_lifecycle);
/* The operation's state for whoever looks; `failed_parents` is how many there are. */
SyncdOperationState syncd_lifecycle_shown(SyncdLifecycle lifecycle, unsigned failed_parents);
/* Whether children need not wait any longer. */
bool syncd_lifecycle_is_finished(SyncdLifecycle lifecycle);

/* Which event an entry of the kind is, and the member of its content that names the operation.
 * False for all other kinds. */
bool syncd_lifecycle_kind(SyncdBytes kind, SyncdEvent *ret_event, const char **ret_member);
/* NULL for an event that no entry is, because nothing carries it out. */
const char *syncd_lifecycle_kind_of(SyncdEvent event);
