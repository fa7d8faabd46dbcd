/*
 * The proof that an operation is in a log (docs/format.md 5), checked with nothing but itself.
 *
 * A proof holds when every step does: the leaf is that of the header, the audit path leads from it
 * to the root, the signed note states this root and size for the header's feed, the signature
 * verifies with the key, and the device in the header is named after that key. The first step that
 * fails is the reason of the verdict.
 */
#pragma once

#include "base/error.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    bool holds;
    char *reason; /* why it does not hold, a sentence; NULL when it does */
    char *operation;
    char *feed;
    guint64 seq;
    guint64 size;
    char *root;
    char *key; /* the verifier key that was used */
} SyncdProofVerdict;

void syncd_proof_verdict_clear(SyncdProofVerdict *verdict);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdProofVerdict, syncd_proof_verdict_clear)

/* `trusted_key` NULL takes the document's own. InvalidEncoding or InvalidContract for what is not a
 * proof document at all; InvalidArgs for a trusted key that is none. */
bool syncd_proof_check(const char *text, size_t size, const char *trusted_key,
                       SyncdProofVerdict *ret_verdict, GError **error);
/* The feed of the proof's header, to look for its key; NULL when it has none. The text was checked.
 */
char *syncd_proof_feed(const char *text, size_t size);
