/*
 * The detectors: who knows of something that may be wrong, one function a subject, and what they
 * share. A detector adds what it finds; that it could not look is an error, and keeps none of the
 * others from looking.
 */
#pragma once

#include "service/diagnose.h"
#include "service/internal.h"
#include "store/verify.h"

typedef struct {
    SyncdService *service;
    GPtrArray *found; /* SyncdFound */
} SyncdDiagnosis;

/* Borrowed until the end of the diagnosis. The texts are copied; NULL ends them: name, text, … */
SyncdFound *syncd_diagnosis_add(SyncdDiagnosis *self, const char *code, ...) G_GNUC_NULL_TERMINATED;
/* `n` as the fact of that name, and as the count. */
SyncdFound *syncd_diagnosis_add_counted(SyncdDiagnosis *self, const char *code, guint64 n,
                                        bool more);
/* Of what a person may adopt, by a command that has to find this very directory. `n` may be NULL.
 */
SyncdFound *syncd_diagnosis_add_adoptable(SyncdDiagnosis *self, const char *code, const char *n);
/* Operations (char *) that run and that nobody holds: the first ones. */
bool syncd_service_list_lost(SyncdService *service, GPtrArray **ret_operations, GError **error);
/* Jobs (SyncdJob, borrowed) that do not go on, but for a repair; and whether it is one, or would
 * be.
 */
GPtrArray *syncd_service_stuck_jobs(SyncdService *service);
bool syncd_service_job_is_stuck(const SyncdService *service, const SyncdJob *job);
/* The code under which a diagnosis tells what a verification found: "blob-damaged". */
const char *syncd_log_finding_code(const SyncdVerifyFinding *finding);

typedef bool (*SyncdDetector)(SyncdDiagnosis *self, GError **error);

bool syncd_detect_state(SyncdDiagnosis *self, GError **error);      /* detect-state.c */
bool syncd_detect_log(SyncdDiagnosis *self, GError **error);        /* detect-log.c */
bool syncd_detect_blobs(SyncdDiagnosis *self, GError **error);      /* detect-blobs.c */
bool syncd_detect_workspaces(SyncdDiagnosis *self, GError **error); /* detect-workspaces.c */
bool syncd_detect_objects(SyncdDiagnosis *self, GError **error);    /* detect-objects.c */
bool syncd_detect_tasks(SyncdDiagnosis *self, GError **error);      /* detect-tasks.c */
bool syncd_detect_jobs(SyncdDiagnosis *self, GError **error);       /* detect-jobs.c */
bool syncd_detect_index(SyncdDiagnosis *self, GError **error);      /* detect-index.c */
bool syncd_detect_files(SyncdDiagnosis *self, GError **error);      /* detect-files.c */
bool syncd_detect_keys(SyncdDiagnosis *self, GError **error);       /* detect-keys.c */
bool syncd_detect_room(SyncdDiagnosis *self, GError **error);       /* detect-room.c */
bool syncd_detect_storms(SyncdDiagnosis *self, GError **error);     /* failures.c */
bool syncd_detect_repair(SyncdDiagnosis *self, GError **error);     /* detect-repair.c */
