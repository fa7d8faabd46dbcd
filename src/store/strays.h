/*
 * Chunks of files of workspaces that the index does not need: a walk over all documents of the log
 * that may name them, in steps, up to what is committed by then. The log may grow in between: a
 * further step goes on from there.
 *
 * One of those documents that cannot be read may name any of them.
 */
#pragma once

#include "store/store.h"

typedef struct {
    SyncdHash name;
    gint needs; /* documents that name it, without those that dropped it */
} SyncdStray;

typedef struct {
    SyncdStore *store;
    GHashTable *set; /* SyncdStray */
    guint64 at;      /* the entry that was looked at last for them */
    bool unreadable; /* all of them may be needed: nothing is looked at any more */
} SyncdStrays;

void syncd_strays_init(SyncdStrays *strays, SyncdStore *store);
void syncd_strays_clear(SyncdStrays *strays);
void syncd_strays_add(SyncdStrays *strays, const SyncdHash *name);
/* `*ret_more` false: there are no other documents. */
bool syncd_strays_step(SyncdStrays *strays, bool *ret_more, GError **error);
