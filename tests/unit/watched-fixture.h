/*
 * A workspace that a service knows of, as the daemon has it: what is to be restored or read in it
 * is a job that the workspace does.
 */
#pragma once

#include "repair-fixture.h"
#include "rot-fixture.h"

typedef struct {
    WorkspaceFixture w;
    bool unwatched;
    const char *said; /* is told of its state; NULL: what it is */
} World;

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
    World *world = data;
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
    World *world = data;
    if (world->w.workspace == NULL || world->unwatched)
        return false;
    SyncdWorkspaceStanding now = standing_of(&world->w);
    *ret_standing = (SyncdRootStanding){
        .state = world->said != NULL ? world->said : states[now.state], .waiting = now.waiting};
    return true;
}

static inline void listen_to(World *world)
{
    SyncdListener listener = {.data = world, .restore = restore, .standing = stand};
    SyncdRepairSettings settings = {NULL};
    syncd_service_set_listener(world->w.f.service, &listener);
    syncd_service_start_repair(world->w.f.service, &settings);
}

/* Killed, and begun again. */
static inline void restart(World *world)
{
    WorkspaceFixture *w = &world->w;
    end_workspace(w);
    service_close(&w->f);
    service_open(&w->f);
    listen_to(world);
    begin_workspace(w);
}

/* What waits for a time is not waited for; nor is a reader that owes no answer. */
static inline bool turn(World *world)
{
    SyncdWorkspaceStanding now = standing_of(&world->w);
    bool at_rest = now.state == SYNCD_WORKSPACE_WATCHING && now.waiting == 0 &&
                   syncd_workspace_may_restore(world->w.workspace);
    if (step_workspace(&world->w, at_rest ? 0 : 20))
        return true;
    world->w.f.base.now_usec += G_USEC_PER_SEC / 10;
    return false;
}

static inline bool runs(const SyncdRepairPlan *plan)
{
    return strcmp(syncd_repair_plan_state(plan), "running") == 0;
}

static inline void run_on(World *world, const SyncdRepairPlan *plan)
{
    for (guint i = 0; runs(plan) && i < 5000; i++)
        turn(world);
    g_assert_false(runs(plan));
    while (step_workspace(&world->w, 0) || standing_of(&world->w).waiting > 0)
        ;
}

static inline void roll_back(World *world, SyncdRepairPlan *plan)
{
    begin_rollback(&world->w.f, plan);
    run_on(world, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
}
