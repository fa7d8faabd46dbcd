/*
 * Bringing a kept version of a file back: first what would be done, then doing that and nothing
 * else.
 *
 * A plan says what is recorded where the file would go, and what would be there; its digest names
 * all of that. Whoever agrees gives the digest back: when the plan would be another one by now, or
 * the file has changed since it was recorded, nothing is done.
 */
#pragma once

#include "service/files.h"
#include "service/service.h"

#define SYNCD_RESTORE_TEXT_MAX (64u * 1024u)

typedef struct {
    const char *workspace;
    const char *path;   /* of the file, as it was called last; or its id */
    guint64 version;    /* 0: the newest that is kept and is not the present one */
    const char *to;     /* another path; NULL: where it was */
    bool text;          /* say the content too, if it is a short text */
    const char *digest; /* of the plan that was agreed to; for doing it */
} SyncdRestoreRequest;

/* A JSON object. NotFound when there is no such file, or its content is not kept: the message says
 * why. InvalidArgs for what is no regular file. */
char *syncd_service_plan_restore(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRestoreRequest *request, GError **error);
/* StaleDigest for another plan; EngineDisabled when the workspace is paused; Busy when it is at
 * another one. What came of it is the job's result. */
bool syncd_service_restore(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRestoreRequest *request, SyncdJob **ret_job, GError **error);
/* Folder and name: where a file lies beneath its workspace. */
bool syncd_restore_set_path(SyncdRestore *restore, SyncdStore *store, const SyncdFileRow *row,
                            GError **error);
