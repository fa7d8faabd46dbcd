/*
 * Standard output.
 *
 * What is printed is the same wherever it goes; only colour, the pager and where lines of text are
 * broken look for a terminal: each row of a table is one line for whoever is none. A reader that
 * went away is no error: the rest is dropped quietly. Any other failure to write is reported at the
 * end, so that a full disk is not taken for success.
 */
#pragma once

#include "base/error.h"
#include "base/json-writer.h"
#include "base/terminal.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdOutput SyncdOutput;

typedef enum { SYNCD_STYLE_BOLD, SYNCD_STYLE_DIM, SYNCD_STYLE_GOOD, SYNCD_STYLE_BAD } SyncdStyle;

SyncdOutput *syncd_output_new(int fd);
/* Drops what was not flushed. */
void syncd_output_free(SyncdOutput *output);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdOutput, syncd_output_free)

/* "auto", "always" or "never"; NULL is auto. Auto is colour on a terminal, unless NO_COLOR says no.
 */
void syncd_output_set_color(SyncdOutput *output, const char *when);
/* From now on through a pager, when this is a terminal and a pager can be found. */
void syncd_output_start_pager(SyncdOutput *output);

/* Columns of the terminal; 0 where there is none, and lines are as long as they are. */
unsigned syncd_output_width(const SyncdOutput *output);
void syncd_output_set_width(SyncdOutput *output, unsigned columns);

void syncd_output_text(SyncdOutput *output, const char *text);
void syncd_output_printf(SyncdOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same of lines of safe text, each of which is wrapped: what is broken off begins two columns
 * behind where its line does. It may go on with a line that was begun. */
void syncd_output_wrapped(SyncdOutput *output, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* A title, and text behind it that is made safe and wrapped: a line, or as many as it takes. */
void syncd_output_line(SyncdOutput *output, const char *title, const char *text);
/* Safe text in a style; plain where there is no colour. */
void syncd_output_styled(SyncdOutput *output, SyncdStyle style, const char *text);
/* From now on every JSON document on one line. */
void syncd_output_set_compact(SyncdOutput *output);
/* One checked JSON document and a line feed; pretty, or on one line. */
void syncd_output_json(SyncdOutput *output, const char *json, size_t size, bool pretty);

/* The same of one object: the writer takes its members until the end. */
SyncdJsonWriter *syncd_output_begin_object(SyncdOutput *output);
void syncd_output_end_object(SyncdOutput *output);

/* A piece of a checked document that is written step by step. */
void syncd_output_json_piece(SyncdOutput *output, const char *json, size_t size);

void syncd_output_flush(SyncdOutput *output);
bool syncd_output_is_closed(const SyncdOutput *output); /* the reader went away */
/* Whether anything was printed: then the output can no longer become one other JSON document. */
bool syncd_output_has_begun(const SyncdOutput *output);
int syncd_output_fd(const SyncdOutput *output);
/* Flushes and waits for the pager. */
bool syncd_output_finish(SyncdOutput *output, GError **error);
