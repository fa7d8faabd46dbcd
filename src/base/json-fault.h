/*
 * What can be wrong with JSON text, and where: the errors of the JSON door.
 *
 * Private to the door. The place is found by a second pass over the text before the fault, so that
 * text without a fault pays nothing for it.
 */
#pragma once

#include "base/error.h"

#include <glib.h>

typedef enum {
    SYNCD_JSON_FAULT_NONE,
    SYNCD_JSON_FAULT_EMPTY,
    SYNCD_JSON_FAULT_BYTE_ORDER_MARK,
    SYNCD_JSON_FAULT_ENDS_EARLY,
    SYNCD_JSON_FAULT_NO_VALUE,
    SYNCD_JSON_FAULT_NO_NAME,
    SYNCD_JSON_FAULT_NO_COLON,
    SYNCD_JSON_FAULT_NO_COMMA,
    SYNCD_JSON_FAULT_TRAILING_COMMA,
    SYNCD_JSON_FAULT_MORE_TEXT,
    SYNCD_JSON_FAULT_CONTROL,
    SYNCD_JSON_FAULT_ESCAPE,
    SYNCD_JSON_FAULT_SURROGATE,
    SYNCD_JSON_FAULT_UTF8,
    SYNCD_JSON_FAULT_NUMBER,
    SYNCD_JSON_FAULT_LEADING_ZERO,
    SYNCD_JSON_FAULT_NOT_INTEGER,
    SYNCD_JSON_FAULT_INTEGER_RANGE,
    SYNCD_JSON_FAULT_DOUBLE_RANGE,
    SYNCD_JSON_FAULT_DUPLICATE,
    SYNCD_JSON_FAULT_TOO_DEEP,
    SYNCD_JSON_FAULT_TOO_LARGE,
    SYNCD_JSON_FAULT_NOT_OBJECT,
} SyncdJsonFault;

/* `at` is the byte that is named; all text before `known` is free of faults, and the place is the
 * innermost value that is open there. */
void syncd_json_fault_report(SyncdJsonFault fault, const char *text, const char *at,
                             const char *known, GError **error);
