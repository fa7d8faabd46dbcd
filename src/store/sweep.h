/*
 * Files of kept content that nobody needs and nobody will ask for: a crash between the chunks of a
 * file and the entry that would have named them leaves those, and halves of files that were being
 * written.
 *
 * It goes through blobs/ once after the store was opened, a few names in a step. A file that the
 * index does not need is looked for in the log as well, as an index that was made without a key
 * knows nothing of what that opens: only what no document needs is removed, and nothing but halves
 * once one of them could not be read: that is found out once, and the log is left alone then. What
 * is pinned is not even looked at.
 */
#pragma once

#include "store/store.h"

typedef struct SyncdSweep SyncdSweep;

#define SYNCD_SWEEP_STRAYS 4096u /* that are looked for in the log at once */

/* Borrows it. */
SyncdSweep *syncd_sweep_new(SyncdStore *store, guint max_strays);
void syncd_sweep_free(SyncdSweep *sweep);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSweep, syncd_sweep_free)
/* There must be no open turn, and an index. `*ret_more` false: it is through. */
bool syncd_sweep_step(SyncdSweep *sweep, bool *ret_more, GError **error);
