/*
 * How entries move tasks: what index and overlay do alike.
 */
#pragma once

#include "store/store.h"

typedef struct {
    SyncdEvent event;
    guint64 pos;
    guint64 ms;
    guint64 delay_ms; /* until it may be claimed again */
} SyncdTaskMove;

/* The row of an operation that was just enqueued. False for what has no task. */
bool syncd_task_begin(const SyncdHeader *header, guint64 pos, SyncdTask *ret_task);
/* False for an entry that moves nothing. `*ret_op` is the operation that it moves. */
bool syncd_task_move_parse(const SyncdHeader *header, guint64 pos, const SyncdBody *body,
                           SyncdTaskMove *ret_move, char **ret_op);
/* A purge says how it had ended. */
void syncd_task_end(SyncdTask *task, SyncdLifecycle end, guint64 pos, guint64 ms);
/* False, and no change, for a move that the state machines do not have. */
bool syncd_task_apply(SyncdTask *task, const SyncdTaskMove *move);
