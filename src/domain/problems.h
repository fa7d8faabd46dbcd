/*
 * What is wrong with a document: a list of sentences, each beginning with the place as a JSON
 * pointer. A document that is wrong in thousands of places is not worth more than the first of
 * them, so the list ends with a sentence that says so.
 */
#pragma once

#include "base/json.h"

#include <glib.h>

#define SYNCD_PROBLEMS_MAX 64u

/* Of char *, which it owns. */
GPtrArray *syncd_problems_new(void);
void syncd_problems_add(GPtrArray *problems, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* What keeps the document from its contract ("sourceos.repair-plan/v1alpha1"). */
void syncd_problems_add_contract(GPtrArray *problems, const char *contract, SyncdJson document);
