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

static inline void listen_for_restores(WorkspaceFixture *w)
{
    const SyncdListener listener = {.data = w, .restore = begin_restore};
    syncd_service_set_listener(w->f.service, &listener);
}

/* As its plan says; false: it is refused. What comes of it is told to `outcome`. */
static inline bool ask_to_restore(WorkspaceFixture *w, const char *path, guint64 version,
                                  const char *plan, Outcome *outcome)
{
    SyncdJob *job = NULL;
    g_autofree char *quoted = member_of(plan, "digest");
    g_autofree char *digest = g_strndup(quoted + 1, strlen(quoted) - 2);
    const SyncdRestoreRequest request = {
        .workspace = "workspace:notes", .path = path, .version = version, .digest = digest};
    w->data = outcome;
    return syncd_service_restore(w->f.service, &w->f.caller, &request, &job, &outcome->error);
}

static inline void wait_for_outcome(WorkspaceFixture *w, const Outcome *outcome)
{
    while (!outcome->done)
        g_assert_true(step_workspace(w, PATIENCE_MS));
}

/* What came of it. */
static inline Outcome restore_as(WorkspaceFixture *w, const char *path, guint64 version,
                                 const char *plan)
{
    Outcome outcome = {0};
    listen_for_restores(w);
    if (ask_to_restore(w, path, version, plan, &outcome))
        wait_for_outcome(w, &outcome);
    return outcome;
}

/* So many that deleting a folder beside them is no mass deletion. */
static inline void write_others(WorkspaceFixture *w)
{
    for (int i = 0; i < 12; i++) {
        g_autofree char *other = g_strdup_printf("other%d", i);
        write_file(w, other, other);
    }
}

static inline void assert_file(WorkspaceFixture *w, const char *name, const char *content)
{
    g_autofree char *path = path_in(w, name), *found = NULL;
    g_assert_true(g_file_get_contents(path, &found, NULL, NULL));
    g_assert_true(strcmp(found, content) == 0);
}
