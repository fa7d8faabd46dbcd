/*
 * The scan of a workspace as a job: others see how far it is, and may cancel it.
 *
 * It is told of the workspace's standing whenever that may have changed. It ends with the scan:
 * done when nothing is left to be looked at, failed when the workspace stopped before.
 */
#pragma once

#include "service/service.h"
#include "workspace/workspace.h"

typedef struct SyncdScan SyncdScan;

/* Calls `cancel` when somebody cancels the job. Borrows the service. */
SyncdScan *syncd_scan_new(SyncdService *service, const SyncdRoot *root, uid_t uid, bool own,
                          const SyncdWorkspaceStanding *standing, void (*cancel)(void *data),
                          void *data);
/* A job that still runs has failed then. */
void syncd_scan_free(SyncdScan *scan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdScan, syncd_scan_free)

SyncdJob *syncd_scan_job(const SyncdScan *scan);
/* False when the job has ended. */
bool syncd_scan_follow(SyncdScan *scan, const SyncdWorkspaceStanding *standing);
