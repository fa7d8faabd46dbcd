/*
 * What an entry of a registry's kind makes of a record: its row. One function of header and body,
 * so that overlay, index and a rebuild say the same.
 */
#pragma once

#include "store/store.h"

/* False when it registers nothing: another kind, or a document that its family cannot read. The
 * entry is the first of its record as far as this can say. */
bool syncd_record_row_read(guint64 pos, const SyncdHeader *header, SyncdBytes content,
                           SyncdRecordRow *ret_row);
SyncdRecordRow *syncd_record_row_dup(const SyncdRecordRow *row);
/* Whether this is the better answer of two actors that have one identity. */
bool syncd_record_row_outranks(const SyncdRecordRow *row, const SyncdRecordRow *other);
/* Whether it is what the query asks for, but for its family. */
bool syncd_record_row_matches(const SyncdRecordQuery *query, const SyncdRecordRow *row);
