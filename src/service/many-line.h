/*
 * One line of EnqueueMany: a request in words.
 *
 * Parsing depends on the line alone. What is judged of it later is kept beside it. The body is
 * borrowed from the text, which outlives the line; everything else is its own.
 */
#pragma once

#include "service/internal.h"

typedef struct {
    SyncdRequest request;
    char *type, *scope, *object, *idempotency_key, *lane, *data_class;
    GStrv parents;
    SyncdAdmission admission;
} SyncdLine;

/* InvalidEncoding, InvalidContract. */
SyncdLine *syncd_line_parse(SyncdBytes text, GError **error);
void syncd_line_free(SyncdLine *line);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdLine, syncd_line_free)
