/*
 * Evidence: an artifact in an envelope that says what it is, about what, by whom, and its digest.
 *
 * The envelope's id follows from digest, type, subject and writer. Envelopes made here are
 * unsigned; one that says it is signed is valid only when its signature verifies with a key that is
 * believed.
 */
#pragma once

#include "base/json.h"
#include "domain/attestation.h"

#include <glib.h>

#define SYNCD_EVIDENCE_SCHEMA "sourceos.lampstand-evidence/v1alpha1"
#define SYNCD_EVIDENCE_WRITER "sourceos-syncd-local-evidence-writer"

/* InvalidContract when the artifact is no object, TooDeep or TooLarge when the envelope would be.
 * The texts are not empty. */
bool syncd_evidence_wrap(SyncdJson artifact, const char *type, const char *subject, gint64 now_usec,
                         GString *out, GError **error);
/* Adds what is wrong with an envelope. Any value may be given. */
void syncd_evidence_check(SyncdJson envelope, const SyncdAttestationKeys *keys,
                          GPtrArray *problems);
