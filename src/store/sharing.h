/*
 * Which chunks are listed by entries that stay: a walk over all lists of the log, in steps, up to
 * what is committed by then. The log may grow in between: a further step goes on from there.
 *
 * Equal content is stored once in a scope, and once in all that are not sealed, so only lists that
 * can name the same file are looked into. One of those that cannot be read may name any of them:
 * then all are shared.
 */
#pragma once

#include "store/purge.h"

typedef struct {
    SyncdStore *store;
    const char *scope;  /* NULL: lists of any are looked into */
    GHashTable *taken;  /* gint64 positions whose lists do not count; NULL: none */
    GHashTable *chunks; /* name -> SyncdPurgedChunk, which is marked; all is borrowed */
    guint64 at;         /* the last entry that was looked at */
    guint64 unreadable; /* lists that may name any of them */
} SyncdSharing;

/* SYNCD_PURGE_STEP entries at most. `*ret_more` false: there are no others. */
bool syncd_sharing_step(SyncdSharing *sharing, bool *ret_more, GError **error);
