#include "daemon/restore.h"

#define STAGED_MAX SYNCD_FILE_KEPT_MAX /* of all workspaces */

typedef struct {
    SyncdService *service;
    SyncdJob *job;   /* NULL: it has ended */
    guint64 *staged; /* bytes of all that are being restored … */
    guint64 size;    /* … and of this one */
    bool done;       /* the workspace has said what came of it */
} Restoring;

static void release(void *data)
{
    Restoring *self = data;
    self->job = NULL;
    if (self->done)
        g_free(self);
}

/* What is under way is not undone half way: it ends by itself. */
static const SyncdJobKind restoring = {.operation = "restore", .release = release};

static void on_done(void *data, const char *result, const GError *error)
{
    Restoring *self = data;
    self->done = true;
    *self->staged -= self->size;
    if (self->job != NULL)
        syncd_service_end_job(self->service, self->job, result, error);
    else
        g_free(self);
}

SyncdJob *syncd_begin_restore(SyncdService *service, SyncdWorkspace *workspace,
                              SyncdRestore *restore, uid_t uid, guint64 *staged)
{
    /* A reader has all of it in memory, where it is to write it. */
    guint64 size = restore->offers || syncd_restore_only_accepts(restore) ? 0 : restore->size;
    if (!syncd_workspace_may_restore(workspace) || *staged + size > STAGED_MAX) {
        syncd_restore_free(restore);
        return NULL;
    }
    Restoring *self = g_new0(Restoring, 1);
    self->service = service;
    self->staged = staged;
    self->size = size;
    *staged += size;
    SyncdJob *job = self->job = syncd_service_begin_job(service, &restoring, self, uid, false);
    syncd_workspace_restore(workspace, restore, on_done, self);
    return job;
}
