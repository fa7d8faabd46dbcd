/*
 * Reading evidence by cursor: page after page, until there is no more for now.
 *
 * The cursor stands behind what was handed out, and what was handed out is whole envelopes: reading
 * on from it misses none, whenever that is.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "cli/table.h"
#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    SyncdCli *cli;
    SyncdClient *client;
    char *cursor; /* "" at the beginning */
    bool newest_first;
    guint64 after; /* without a cursor: where to begin */
} SyncdLedger;

void syncd_ledger_clear(SyncdLedger *ledger);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdLedger, syncd_ledger_clear)

/* Gets each envelope. */
typedef void (*SyncdEnvelopeFunc)(void *data, SyncdJson envelope);

/* So many at most, 0: as many as there are; `*ret_more` (may be NULL): whether that left something
 * out. Ends when the reader of the output went away. */
bool syncd_ledger_read(SyncdLedger *ledger, guint64 limit, SyncdEnvelopeFunc func, void *data,
                       bool *ret_more, GError **error);

/* ---- an envelope for people ---- */

/* Cells: time, type, kind of entry or schema of the document, object, operation, id. */
void syncd_ledger_add_row(SyncdTable *table, SyncdJson envelope);
void syncd_ledger_print_line(SyncdOutput *output, SyncdJson envelope);

/* From the options of evidence list: what is there, and then what comes. */
bool syncd_ledger_follow(SyncdLedger *ledger, guint64 limit, GError **error);
