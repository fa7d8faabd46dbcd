/*
 * The diagnosis: what the invariants of a report mean, what may be done and what may not.
 *
 * It is always made from the data and never taken from the report. The worst finding decides: a
 * critical failure makes the state unsafe; a failed collection makes it unknown, and a report that
 * is too old stale, because neither says anything about now; any other finding makes it degraded.
 */
#pragma once

#include "domain/invariants.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    const char *status; /* healthy, degraded, stale, unknown or unsafe */
    SyncdSeverity severity;
    char *summary;
    GPtrArray *causes; /* all of them words, sorted, each once */
    GPtrArray *affected_lanes;
    GPtrArray *affected_domains;
    GPtrArray *safe_actions;
    GPtrArray *blocked_actions;
    const char *disk_pressure;
} SyncdDiagnosis;

SyncdDiagnosis *syncd_diagnosis_make(const SyncdReport *report, const SyncdInvariants *invariants);
void syncd_diagnosis_free(SyncdDiagnosis *diagnosis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDiagnosis, syncd_diagnosis_free)

/* Writes the members of the diagnosis; the caller begins and ends the object. */
void syncd_diagnosis_write_members(const SyncdDiagnosis *diagnosis, SyncdJsonWriter *writer);
/* Writes the array of controls: what the findings may set off, and who has to agree. */
void syncd_diagnosis_write_controls(const SyncdDiagnosis *diagnosis,
                                    const SyncdInvariants *invariants, SyncdJsonWriter *writer);

/* The status that follows from the report's data alone, whenever it is read. */
const char *syncd_diagnosis_status_of_data(const SyncdInvariants *invariants);
/* Whether a report that says this of itself has such data. */
bool syncd_diagnosis_agree(SyncdJson said, const char *status);
