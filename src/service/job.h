/*
 * Work that takes longer than a call, apart from what it is.
 *
 * A job is the service's. Whoever begins one says what it is by a SyncdJobKind: it goes on in steps
 * that syncd_service_work() takes, in turns with other jobs, or by itself, and then it tells how
 * far it is and that it has ended. One that has ended is kept for a while, to be asked what came of
 * it.
 */
#pragma once

#include "service/service.h"

typedef struct {
    const char *operation;
    /* Bounded work; `*ret_progress` is of 1. NULL: it goes on by itself. */
    bool (*step)(SyncdService *service, void *data, bool *ret_more, double *ret_progress,
                 GError **error);
    /* The next step has to wait for something else: whoever ends that, or knows when it is due, has
     * syncd_service_work() called. NULL: none ever has to. */
    bool (*waits)(const SyncdService *service, const void *data);
    /* What came of it, a JSON value, after the last step. Of one with steps only. */
    char *(*conclude)(SyncdService *service, void *data);
    /* Nobody can cancel it. */
    bool to_its_end;
    /* Somebody cancelled it; NULL: there is nothing to do but to end. */
    void (*cancel)(void *data);
    /* It has ended, whatever way. */
    void (*release)(void *data);
} SyncdJobKind;

/* LimitsExceeded when this user has as many as he may. */
bool syncd_service_may_begin_job(const SyncdService *service, uid_t uid, GError **error);
/* Takes `data` over. `own`: it is the daemon's, and counts against nobody's limit. */
SyncdJob *syncd_service_begin_job(SyncdService *service, const SyncdJobKind *kind, void *data,
                                  uid_t uid, bool own);

/* Of one that goes on by itself. It may go back: then it stays. */
void syncd_service_advance_job(SyncdService *service, SyncdJob *job, double progress);
/* `result` is a JSON value; NULL when `error` says why there is none. Copies both. */
void syncd_service_end_job(SyncdService *service, SyncdJob *job, const char *result,
                           const GError *error);
/* Called once when it has ended, or at once; `error` NULL means done. One at a time. */
void syncd_service_after_job(SyncdJob *job, SyncdCommitFunc func, void *data);
/* For how long one that runs has not come further; 0: it has ended. */
guint64 syncd_job_still_usec(const SyncdService *service, const SyncdJob *job);
