/*
 * Ids that are derived from what they name: a prefix and the first digits of SHA-256 over the
 * canonical text of an object that holds some members of the document. Whoever has the document can
 * derive its id again, and a document whose id does not follow from it was changed.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *prefix;
    unsigned digits;
    bool spaced;                /* ", " and ": " as separators */
    const char *const *members; /* NULL-terminated */
} SyncdDerivation;

/* A member that the document lacks counts as null. */
char *syncd_derived_id(const SyncdDerivation *derivation, SyncdJson document);
/* Writes `schema`, the id under `name`, then all members of `rest`, which has neither of them.
 * Appends one JSON object. */
void syncd_derived_id_document(GString *out, const char *schema, const char *name,
                               const SyncdDerivation *derivation, SyncdJson rest);
/* Adds a problem when the document's id is another one than what follows from it. */
void syncd_derived_id_check(const SyncdDerivation *derivation, SyncdJson document, const char *name,
                            GPtrArray *problems);
