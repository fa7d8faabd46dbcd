/*
 * A second reader of JSON, to hold the first one against: RFC 8259 and what the strict door refuses
 * beyond it, written down as plainly as possible, one character after another, with GLib's tables
 * and no thought of speed. Nothing of src/ is used.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    bool is_json;  /* one document that the door must take */
    bool object;   /* its top level is one */
    bool integers; /* each number is written without fraction and exponent and fits int64 */
    size_t values; /* of all kinds and levels; names do not count */
} PlainJson;

PlainJson plain_json_read(const char *text, size_t size);
