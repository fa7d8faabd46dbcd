/*
 * Whoever signs documents: a key, and the name by which others know it.
 *
 * What is signed is what domain/attestation.h checks. Signing is deterministic: the same document
 * always gets the same signature.
 */
#pragma once

#include "base/json-writer.h"
#include "base/json.h"
#include "crypto/sign.h"

#include <glib.h>

typedef struct SyncdAttestor SyncdAttestor;

/* Borrows the key. NULL when that cannot be the name of a key (crypto/note.h). */
SyncdAttestor *syncd_attestor_new(const char *name, const SyncdSigner *signer);
void syncd_attestor_free(SyncdAttestor *attestor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdAttestor, syncd_attestor_free)

/* What others need to check its signatures: "<name>+<8 hex digits>+<base64>". */
const char *syncd_attestor_key(const SyncdAttestor *attestor);
/* Writes the members of a signature (`signer`, `key_id`, `algorithm`, `signature`) over the
 * document into the object that is open. A member `attestation` of the document does not count. */
void syncd_attestor_sign(const SyncdAttestor *attestor, SyncdJson document,
                         SyncdJsonWriter *writer);
