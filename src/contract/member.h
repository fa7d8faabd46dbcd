/*
 * The shapes that members of contract documents have, and one check for all of them.
 *
 * The error is InvalidContract and names the place as a JSON pointer, so that whoever sent the
 * document finds the fault without guessing: "/body/ledger_evidence_refs/2 must be a string, but is
 * null".
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_SHAPE_ANY,
    SYNCD_SHAPE_ID, /* a string that is not empty */
    SYNCD_SHAPE_STRING,
    SYNCD_SHAPE_BOOL,
    SYNCD_SHAPE_OBJECT,
    SYNCD_SHAPE_STRING_LIST,
    SYNCD_SHAPE_ID_LIST,
    SYNCD_SHAPE_ID_MAP, /* an object whose members are ids, and whose names are */
} SyncdShape;

/* `parent` is the pointer of the object that holds the member ("/body"), `name` the member's. */
bool syncd_shape_check(SyncdShape shape, SyncdJson value, const char *parent, const char *name,
                       GError **error);
/* A member's name as a step of a JSON pointer, cut when it is long. */
char *syncd_pointer_step(SyncdJson name);
