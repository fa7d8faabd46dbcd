/*
 * Evidence: an artifact in an envelope that says what it is, about what, by whom, and its digest.
 *
 * The envelope's id follows from digest, type, subject and writer. Whoever has a key may sign it;
 * one that says it is signed is valid only when its signature verifies with a key that is believed.
 */
#pragma once

#include "base/json.h"
#include "crypto/hash.h"
#include "domain/attestation.h"
#include "domain/attestor.h"

#include <glib.h>

#define SYNCD_EVIDENCE_SCHEMA "sourceos.lampstand-evidence/v1alpha1"
#define SYNCD_EVIDENCE_WRITER "sourceos-syncd-local-evidence-writer"

/* The entry of the log that an envelope is about. Not signed: whoever looks for it sees whether it
 * is there. */
typedef struct {
    const char *feed; /* as text */
    guint64 seq;
    const SyncdHash *leaf;
} SyncdEvidencePlace;

typedef struct {
    const char *type;
    const char *subject; /* neither is empty */
    gint64 generated_usec;
    const SyncdAttestor *attestor;   /* NULL: nobody signs */
    const SyncdEvidencePlace *place; /* of what is signed; NULL: it is about no entry */
} SyncdEvidence;

/* InvalidContract when the artifact is no object, TooDeep or TooLarge when the envelope would be.
 */
bool syncd_evidence_wrap(SyncdJson artifact, const SyncdEvidence *what, GString *out,
                         GError **error);
/* Adds what is wrong with an envelope. Any value may be given. */
void syncd_evidence_check(SyncdJson envelope, const SyncdAttestationKeys *keys,
                          GPtrArray *problems);
