/*
 * A workspace whose rotten file a plan of repair is about, and what a daemon does about that:
 * shared by its tests.
 */
#pragma once

#include "repair-fixture.h"
#include "rot-fixture.h"

typedef struct {
    WorkspaceFixture w;
    bool unwatched;
} RepairFileWorld;

typedef struct {
    SyncdService *service;
    SyncdJob *job;
} Restoring;

static inline void on_restored(void *data, const char *result, const GError *error)
{
    g_autofree Restoring *restoring = data;
    if (restoring->job != NULL)
        syncd_service_end_job(restoring->service, restoring->job, result, error);
}

static inline void on_released(void *data)
{
    ((Restoring *)data)->job = NULL;
}

/* As the daemon does. */
static inline SyncdJob *restore(void *data, const char *root, SyncdRestore *what, uid_t uid)
{
    static const SyncdJobKind kind = {.operation = "restore", .release = on_released};
    RepairFileWorld *world = data;
    WorkspaceFixture *w = &world->w;
    if (w->workspace == NULL || !syncd_workspace_may_restore(w->workspace)) {
        syncd_restore_free(what);
        return NULL;
    }
    Restoring *restoring = g_new0(Restoring, 1);
    restoring->service = w->f.service;
    restoring->job = syncd_service_begin_job(w->f.service, &kind, restoring, uid, false);
    SyncdJob *job = restoring->job;
    syncd_workspace_restore(w->workspace, what, on_restored, restoring);
    return job;
}

static inline bool stand(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    static const char *const states[] = {
        [SYNCD_WORKSPACE_SCANNING] = "scanning", [SYNCD_WORKSPACE_WATCHING] = "watching",
        [SYNCD_WORKSPACE_MISSING] = "missing",   [SYNCD_WORKSPACE_PAUSED] = "paused",
        [SYNCD_WORKSPACE_FAILED] = "failed",
    };
    RepairFileWorld *world = data;
    if (world->w.workspace == NULL || world->unwatched)
        return false;
    SyncdWorkspaceStanding now = standing_of(&world->w);
    *ret_standing = (SyncdRootStanding){.state = states[now.state], .waiting = now.waiting};
    return true;
}

static inline void listen_to(RepairFileWorld *world)
{
    SyncdListener listener = {.data = world, .restore = restore, .standing = stand};
    SyncdRepairSettings settings = {NULL};
    syncd_service_set_listener(world->w.f.service, &listener);
    syncd_service_start_repair(world->w.f.service, &settings);
}

/* What waits for a time is not waited for. */
static inline bool turn(RepairFileWorld *world)
{
    if (step_workspace(&world->w, 20))
        return true;
    world->w.f.base.now_usec += G_USEC_PER_SEC / 10;
    return false;
}

static inline char *rotten_id(RepairFileWorld *world)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    SyncdFileRow row = row_of(&world->w, ROTTEN);
    syncd_store_file_id(store_of(&world->w), row.id, id, &error);
    g_assert_no_error(error);
    return g_strdup(id);
}
