/*
 * What is found wrong with a running instance, now.
 *
 * Nothing is kept of it: each diagnosis asks everybody who knows something (the detectors, a table)
 * and gathers what they say. It costs no walk over the log and none over files: what takes longer
 * is done by jobs before (a verification, a deep scan, a check of the index), and what these found
 * is remembered and told here.
 */
#pragma once

#include "domain/found.h"
#include "service/service.h"

/* SyncdFound, in the order of the detectors. What cannot be looked at is a finding as well. */
GPtrArray *syncd_service_diagnose(SyncdService *service);
/* The same of the log, the index and the keys alone: what bears on every object. */
GPtrArray *syncd_service_diagnose_log(SyncdService *service);

/* How many of them are wrong: errors, which are critical ones as well, and warnings. */
void syncd_service_count_findings(SyncdService *service, guint32 *ret_errors,
                                  guint32 *ret_warnings);

typedef struct {
    bool deep; /* what no deep check has looked at since the daemon began is a finding, too */
} SyncdDiagnoseOptions;

/* The same as a document, the worst first and those that are alike in the order of the detectors.
 * Who may not inspect is told what is wrong and what to do, and not what it is about. */
char *syncd_service_describe_diagnosis(SyncdService *service, const SyncdCaller *caller,
                                       const SyncdDiagnoseOptions *options);
