/*
 * Tables for people: columns aligned by what is seen, not by bytes.
 *
 * Rows are collected and printed together; rows printed later keep the widths of those before. The
 * last column is not padded. Cells are made safe for a terminal.
 *
 * On a terminal that is too narrow a row goes on in further lines, indented, each of whole columns;
 * the text of the last column is broken at its spaces. No word is ever broken. Where there is no
 * terminal a row is a line.
 */
#pragma once

#include "cli/output.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdTable SyncdTable;

/* Titles end with NULL; one that begins with '>' has its column aligned to the right. */
SyncdTable *syncd_table_new(const char *const *titles);
void syncd_table_free(SyncdTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdTable, syncd_table_free)

/* As many cells as titles; NULL is shown as "-". */
void syncd_table_add(SyncdTable *table, const char *const *cells);
/* Prints the rows that were added since, the titles before the first. */
void syncd_table_print(SyncdTable *table, SyncdOutput *output);
