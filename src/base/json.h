/*
 * The strict JSON door.
 *
 * Every byte of JSON that comes from outside passes syncd_json_check() before anything else looks
 * at it: one streaming pass over RFC 8259 grammar and UTF-8 that builds no tree and keeps no copy.
 * It refuses what JSON leaves open and readers disagree about: duplicate keys (compared after
 * unescaping), lone surrogates, a byte order mark, a second document, depth over the limit, and
 * numbers with fraction or exponent that a double cannot hold (integers may have any size unless
 * the flags say otherwise). The message names the place as a JSON pointer and a byte offset. The
 * check costs time linear in the text and at most 64 MiB, whatever the text is.
 *
 * What passed may be read through SyncdJson, a view of one value inside the text: it points into
 * the caller's bytes, allocates nothing and never writes. Views must not be made over text that was
 * not checked.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_JSON_MAX_SIZE (32u * 1024u * 1024u)
#define SYNCD_JSON_MAX_DEPTH 64u

typedef enum {
    SYNCD_JSON_NONE, /* no value: the result of looking up what is not there */
    SYNCD_JSON_OBJECT,
    SYNCD_JSON_ARRAY,
    SYNCD_JSON_STRING,
    SYNCD_JSON_INTEGER, /* written without fraction and exponent; any size */
    SYNCD_JSON_REAL,
    SYNCD_JSON_TRUE,
    SYNCD_JSON_FALSE,
    SYNCD_JSON_NULL,
} SyncdJsonType;

typedef enum {
    SYNCD_JSON_ANY = 0,
    SYNCD_JSON_MUST_BE_OBJECT = 1 << 0, /* the document's top level */
    SYNCD_JSON_INTEGERS_ONLY = 1 << 1,  /* no fractions or exponents, and every number fits int64 */
} SyncdJsonFlags;

/* One value in checked text: the bytes from `at` (its first) to `end` (past its last). */
typedef struct {
    SyncdJsonType type;
    const char *at;
    const char *end;
} SyncdJson;

typedef struct {
    const char *at;
    const char *end;
    bool object;
} SyncdJsonIter;

/* InvalidEncoding, TooLarge or TooDeep; InvalidContract only when the top level must be an object
 * and is not. */
bool syncd_json_check(const char *text, size_t size, SyncdJsonFlags flags, GError **error);

/* The document's value. The text was checked. */
SyncdJson syncd_json_root(const char *text, size_t size);
/* The member of that name; type NONE when `object` has none or is no object. Names are compared
 * unescaped. */
SyncdJson syncd_json_member(SyncdJson object, const char *name);

/* Walks an array's elements or an object's members (then `ret_name` is a string value). */
/* A value that is no container has no elements. Either result may be NULL. */
void syncd_json_iter_init(SyncdJsonIter *iter, SyncdJson container);
bool syncd_json_iter_next(SyncdJsonIter *iter, SyncdJson *ret_name, SyncdJson *ret_value);

guint syncd_json_count(SyncdJson container); /* its elements or members */

bool syncd_json_is(SyncdJson value, const char *text); /* a string equal to text */
bool syncd_json_get_int64(SyncdJson value,
                          gint64 *ret_value); /* false: no integer, or out of range */
bool syncd_json_get_bool(SyncdJson value, bool *ret_value);
/* Unescaped, NUL-terminated, `ret_size` (may be NULL) without the NUL; NULL when it is no string.
 * Strings with an embedded U+0000 are legal JSON: callers that need a C string use
 * syncd_json_dup_text(). */
char *syncd_json_dup_string(SyncdJson value, size_t *ret_size);
/* As above, but NULL for a string that contains U+0000. */
char *syncd_json_dup_text(SyncdJson value);
/* The raw bytes between the quotes, when they contain no escape and so mean themselves. */
bool syncd_json_get_plain(SyncdJson value, const char **ret_text, size_t *ret_size);
size_t syncd_json_size(SyncdJson value); /* bytes of its text */
const char *syncd_json_type_name(SyncdJsonType type);
