/*
 * The invariants of a State Integrity Report: what has to hold for a device to be called healthy.
 *
 * The first six are those of the contract and are always given, in its order. The others make the
 * judgement stricter than the contract's first implementation, and are given only when they do not
 * pass: a report that is not fresh, a failed collection, a lane that is unsafe, data that do not
 * match their checksums, flags nobody knows, findings of the report itself, an embedded diagnosis
 * that its own data contradict, a signature that cannot be verified.
 *
 * Pure: the present time and the keys that are believed are arguments.
 */
#pragma once

#include "base/json-writer.h"
#include "domain/attestation.h"
#include "domain/report.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_INVARIANT_CONTRACT,
    SYNCD_INVARIANT_HEARTBEAT,
    SYNCD_INVARIANT_REPLAY_LAG,
    SYNCD_INVARIANT_SHADOW,
    SYNCD_INVARIANT_DISK,
    SYNCD_INVARIANT_DIRTY_OPEN,
    SYNCD_INVARIANT_FRESH,
    SYNCD_INVARIANT_COLLECTION,
    SYNCD_INVARIANT_LANES,
    SYNCD_INVARIANT_CHECKSUMS,
    SYNCD_INVARIANT_FLAGS,
    SYNCD_INVARIANT_REPORTED,
    SYNCD_INVARIANT_CONSISTENT,
    SYNCD_INVARIANT_ATTESTATION,
    SYNCD_N_INVARIANTS,
} SyncdInvariantId;

#define SYNCD_N_CONTRACT_INVARIANTS (SYNCD_INVARIANT_DIRTY_OPEN + 1)

/* From the best to the worst. */
typedef enum { SYNCD_PASS, SYNCD_WARN, SYNCD_FAIL } SyncdResult;
typedef enum {
    SYNCD_SEVERITY_INFO,
    SYNCD_SEVERITY_WARNING,
    SYNCD_SEVERITY_ERROR,
    SYNCD_SEVERITY_CRITICAL,
} SyncdSeverity;

typedef struct {
    SyncdResult result;
    SyncdSeverity severity;
    GString *evidence; /* a JSON object */
} SyncdInvariant;

typedef struct {
    SyncdInvariant of[SYNCD_N_INVARIANTS]; /* by SyncdInvariantId */
    SyncdAttestation attestation;
} SyncdInvariants;

/* What a judge knows beside the report. */
typedef struct {
    gint64 now_usec;
    gint64 max_age_usec;              /* of a fresh report; 0: a report of any age is */
    const SyncdAttestationKeys *keys; /* that are believed; may be NULL */
} SyncdCircumstances;

#define SYNCD_REPORT_MAX_AGE_SECONDS 900

SyncdInvariants *syncd_invariants_check(const SyncdReport *report,
                                        const SyncdCircumstances *circumstances);
void syncd_invariants_free(SyncdInvariants *invariants);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdInvariants, syncd_invariants_free)

const char *syncd_invariant_name(SyncdInvariantId id);
const char *syncd_invariant_remediation(SyncdInvariantId id);
/* The part of the system it is about: "journal". */
const char *syncd_invariant_domain(SyncdInvariantId id);
const char *syncd_result_name(SyncdResult result);
const char *syncd_severity_name(SyncdSeverity severity);

bool syncd_invariants_hold(const SyncdInvariants *invariants, SyncdInvariantId id);
SyncdResult syncd_invariants_worst(const SyncdInvariants *invariants);
/* Those with this result, or with it and this severity. */
unsigned syncd_invariants_count(const SyncdInvariants *invariants, SyncdResult result,
                                SyncdSeverity at_least);
/* Writes the array. */
void syncd_invariants_write(const SyncdInvariants *invariants, SyncdJsonWriter *writer);
