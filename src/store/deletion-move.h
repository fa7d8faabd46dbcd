/*
 * How entries move deletions: what index and overlay do alike.
 */
#pragma once

#include "store/store.h"

typedef struct {
    SyncdDeletionEvent event;
    guint64 pos;
    char *scope_id;
    char *object;
} SyncdDeletionMove;

void syncd_deletion_move_clear(SyncdDeletionMove *move);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdDeletionMove, syncd_deletion_move_clear)

/* Whether such an entry may be one, as far as its header tells. */
bool syncd_deletion_concerns(const SyncdHeader *header);
/* Whether `purge` is an entry that takes the bodies of such ones before it. Headers alone tell. */
bool syncd_deletion_covers(const SyncdHeader *purge, const SyncdHeader *header);
/* False for an entry that moves nothing. */
bool syncd_deletion_move_parse(const SyncdHeader *header, guint64 pos, const SyncdBody *body,
                               SyncdDeletionMove *ret_move);
/* False, and no change, for a move that the state machine does not have. */
bool syncd_deletion_apply(SyncdDeletion *deletion, bool known, const SyncdDeletionMove *move);
