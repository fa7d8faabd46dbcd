/*
 * The header of a log entry (docs/format.md 4.1).
 *
 * A SyncdHeader is a view of header text: its SyncdBytes point into it, because every value is an
 * opaque token that JSON does not escape. Headers of versions, kinds and with members that this
 * program does not know parse as far as feed, seq and op; `known` is false then, and they are kept
 * and verified like all others.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/hlc.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_HEADER_VERSION 1
#define SYNCD_HEADER_MAX_SIZE 16384
#define SYNCD_HEADER_MAX_PARENTS 16

typedef struct {
    bool known;
    bool lost; /* what stands in for a header that is gone: lost.h */
    SyncdBytes actor;
    SyncdHash body_digest;
    bool body_is_list; /* `form` is "list": the content lies in chunks */
    guint64 body_size;
    SyncdBytes decision;
    SyncdBytes device;
    SyncdBytes engine;
    guint64 epoch;
    SyncdHlc hlc;
    SyncdBytes key;
    bool keyed;
    SyncdBytes kind;
    SyncdBytes lane;
    SyncdBytes object;
    SyncdBytes op;
    SyncdHash parents[SYNCD_HEADER_MAX_PARENTS];
    unsigned n_parents;
    SyncdBytes schema_id;
    guint64 schema_version;
    SyncdBytes scope;
    guint64 seq;
    SyncdBytes signer; /* only in feed.open, else empty */
} SyncdHeader;

/* Checks everything section 4.1 says, the canonical spelling included. InvalidContract or
 * InvalidEncoding. */
bool syncd_header_parse(const char *text, size_t size, SyncdHeader *ret_header, GError **error);
/* Whether the values are ones that an entry may have, beyond being of their kinds: what a
 * verification asks. The member that may not is named. */
bool syncd_header_obeys(const SyncdHeader *header, const char **ret_fault);
/* Appends the canonical text. */
void syncd_header_write(const SyncdHeader *header, GString *out);

static inline char *syncd_bytes_dup(SyncdBytes bytes)
{
    return g_strndup(bytes.data, bytes.size);
}
