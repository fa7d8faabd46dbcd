/*
 * In what an index differs from one that was made anew from the log: by table, how many rows are
 * missing, too many or other than they should be.
 *
 * Of a long table only so many rows are compared, the newest where they are in the order of the
 * log: what it costs beside making the other is bounded. Only what is the same however it came
 * about is compared: neither what files looked like, nor what a purge or a dropped version leaves.
 */
#pragma once

#include "store/index.h"
#include "store/repair-store.h"

typedef struct SyncdIndexComparison SyncdIndexComparison;

SyncdIndexComparison *syncd_index_comparison_new(void);
void syncd_index_comparison_free(SyncdIndexComparison *comparison);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdIndexComparison, syncd_index_comparison_free)
/* A short one. Both have to be at the same place of the log. Fails only when it is the one that was
 * made that cannot be read. */
bool syncd_index_comparison_step(SyncdIndexComparison *comparison, SyncdIndex *old,
                                 SyncdIndex *made, bool *ret_more, GError **error);
/* SyncdIndexDifference, of each table that was begun. */
const GArray *syncd_index_comparison_tables(const SyncdIndexComparison *comparison);
