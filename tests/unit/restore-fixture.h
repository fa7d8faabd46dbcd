/*
 * Files of a workspace that are brought back: what the tests of restoring share.
 */
#pragma once

#include "content-fixture.h"
#include "service/restore.h"

typedef struct {
    char *result;
    GError *error;
    bool done;
} Outcome;

static inline void outcome_clear(Outcome *outcome)
{
    g_free(outcome->result);
    g_clear_error(&outcome->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static inline void on_restored(void *data, const char *result, const GError *error)
{
    Outcome *outcome = data;
    outcome->done = true;
    outcome->result = g_strdup(result);
    outcome->error = error != NULL ? g_error_copy(error) : NULL;
}

static inline SyncdJob *begin_restore(void *data, const char *root, SyncdRestore *restore,
                                      uid_t uid)
{
    static const SyncdJobKind kind = {.operation = "restore"};
    WorkspaceFixture *w = data;
    syncd_workspace_restore(w->workspace, restore, on_restored, w->data);
    return syncd_service_begin_job(w->f.service, &kind, NULL, uid, false);
}

static inline char *plan_restore(WorkspaceFixture *w, const char *path, guint64 version,
                                 GError **error)
{
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .text = true};
    return syncd_service_plan_restore(w->f.service, &w->f.caller, &request, error);
}

static inline char *plan_of(WorkspaceFixture *w, const char *path, guint64 version)
{
    g_autoptr(GError) error = NULL;
    char *plan = plan_restore(w, path, version, &error);
    g_assert_no_error(error);
    return plan;
}

/* As its plan says; what came of it. */
static inline Outcome restore_as(WorkspaceFixture *w, const char *path, guint64 version,
                                 const char *plan)
{
    Outcome outcome = {0};
    SyncdJob *job = NULL;
    SyncdListener listener = {.data = w, .restore = begin_restore};
    g_autofree char *quoted = member_of(plan, "digest");
    g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .digest = digest};
    w->data = &outcome;
    syncd_service_set_listener(w->f.service, &listener);
    if (!syncd_service_restore(w->f.service, &w->f.caller, &request, &job, &outcome.error))
        return outcome;
    while (!outcome.done)
        g_assert_true(step_workspace(w, PATIENCE_MS));
    return outcome;
}
