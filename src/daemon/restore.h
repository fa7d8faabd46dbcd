/*
 * Bringing a file back, as a job: it ends when that is durable, or is known not to be.
 */
#pragma once

#include "service/job.h"
#include "workspace/workspace.h"

/* Takes `restore` over. NULL: it cannot be done now. */
SyncdJob *syncd_begin_restore(SyncdService *service, SyncdWorkspace *workspace,
                              SyncdRestore *restore, uid_t uid, guint64 *staged);
