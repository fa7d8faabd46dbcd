/*
 * The workspaces of this instance: for each root that is active a reader process, and the
 * workspace that keeps the log equal to the directory.
 *
 * Which there are is what the registry says; it is asked at the start and after each commit that
 * says something about roots. One that fails is begun again, a little later each time. One that was
 * paused because much was deleted, and is resumed, may have lost it: somebody has looked at it.
 */
#pragma once

#include "service/service.h"

#include <systemd/sd-event.h>

typedef struct SyncdWorkspaces SyncdWorkspaces;

/* `state_directory` is never looked into. Borrows the others. NULL without memory for events. */
SyncdWorkspaces *syncd_workspaces_new(sd_event *event, SyncdService *service,
                                      const char *state_directory);
void syncd_workspaces_free(SyncdWorkspaces *workspaces);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdWorkspaces, syncd_workspaces_free)

void syncd_workspaces_committed(SyncdWorkspaces *workspaces, const SyncdCommit *commit);
/* What the service can answer may be another thing than before: the index is made. */
void syncd_workspaces_changed(SyncdWorkspaces *workspaces);
/* Has one scanned that is active, unless that is being done; NULL for any other. `deep`: a scan
 * that is being done becomes a deep one. */
SyncdJob *syncd_workspaces_scan(SyncdWorkspaces *workspaces, const char *root, bool deep,
                                uid_t uid);
/* Its ignore rules; the same. */
const SyncdIgnore *syncd_workspaces_rules(SyncdWorkspaces *workspaces, const char *root);
/* Of one that is active, by its root's id; false for any other. */
/* Brings a file back, which is taken over; NULL when that cannot be done now. */
SyncdJob *syncd_workspaces_restore(SyncdWorkspaces *workspaces, const char *root,
                                   SyncdRestore *restore, uid_t uid);
bool syncd_workspaces_standing(SyncdWorkspaces *workspaces, const char *root,
                               SyncdRootStanding *ret_standing);
