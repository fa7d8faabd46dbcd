/*
 * A State Integrity Report, read for judging.
 *
 * Any JSON value can be read as a report: what is not there or has another type than it should have
 * counts as unknown, and is one of the errors. A judge that finds an error judges the report
 * unsafe; the rest of what is read here is still well defined, so that the judgement can say more
 * than that.
 *
 * A SyncdReport points into the checked text it was read from.
 */
#pragma once

#include "base/json-writer.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *name;
    SyncdJson json;
    guint64 lag;         /* events that are journaled and not applied */
    guint64 allowed_lag; /* without an SLA: none */
    bool late;           /* more events, or older ones, than its own SLA allows */
    bool damaged;        /* its journal's checksum does not match, or objects are corrupted */
} SyncdReportLane;

typedef struct {
    SyncdJson root;
    GPtrArray *errors; /* sentences; empty when the report keeps to its contract */
    GArray *lanes;     /* SyncdReportLane: those that have a name, in the report's order */
    char digest[SYNCD_DIGEST_SIZE];
} SyncdReport;

SyncdReport *syncd_report_read(SyncdJson root);
void syncd_report_free(SyncdReport *report);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdReport, syncd_report_free)

#define SYNCD_REPORT_SCHEMA "sourceos.state-integrity-report/v1alpha1"

/* A member of a member; type NONE when there is none. */
SyncdJson syncd_report_at(const SyncdReport *report, const char *block, const char *member);
const SyncdReportLane *syncd_report_find_lane(const SyncdReport *report, const char *name);
/* NULL when there is none, or it is no text, or empty. */
char *syncd_report_text(const SyncdReport *report, const char *block, const char *member);
/* none, watch, warning, critical or unknown: the worse of what the report says and what its ratio
 * of free space means. */
const char *syncd_report_disk_pressure(const SyncdReport *report);
/* Appends the object of policy counts, without what is no count. */
void syncd_report_write_policy_counts(const SyncdReport *report, SyncdJsonWriter *writer);

/* ---- reading values ---- */

/* A number of things: written as an integer or with a fraction of zero, from 0 to 2^64 - 1. */
bool syncd_count_read(SyncdJson value, guint64 *ret_count);
guint64 syncd_count_add(guint64 a, guint64 b); /* not beyond the largest */
bool syncd_instant_read(SyncdJson value, gint64 *ret_usec);
