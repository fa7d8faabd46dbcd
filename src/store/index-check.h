/*
 * Whether the index adds up: its counters against its rows, and its rows against each other. What
 * is found says nothing about the log; the index is made anew then.
 *
 * A step is about some rows of one table, however many there are. What changes meanwhile is right
 * or wrong as it is when it is come to; of counts it is known what was counted before it changed.
 */
#pragma once

#include "store/store.h"

typedef struct {
    const char *what; /* a constant: "lane-counts" */
    guint64 rows;     /* that are wrong */
} SyncdIndexFault;

typedef struct SyncdIndexCheck SyncdIndexCheck;

SyncdIndexCheck *syncd_index_check_new(SyncdStore *store);
void syncd_index_check_free(SyncdIndexCheck *check);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdIndexCheck, syncd_index_check_free)
/* Busy while there is no index to ask. */
bool syncd_index_check_step(SyncdIndexCheck *check, bool *ret_more, GError **error);
/* SyncdIndexFault. */
const GArray *syncd_index_check_faults(const SyncdIndexCheck *check);
