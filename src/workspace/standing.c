/* How a workspace is: what is left to be done, and why nothing of it is recorded. */
#include "workspace/workspace-private.h"

#include "base/log.h"
#include "service/hindrance.h"

bool syncd_workspace_is_stopped(const SyncdWorkspace *self)
{
    return self->standing.state == SYNCD_WORKSPACE_PAUSED ||
           self->standing.state == SYNCD_WORKSPACE_MISSING ||
           self->standing.state == SYNCD_WORKSPACE_FAILED;
}

void syncd_workspace_fail(SyncdWorkspace *self, const GError *error)
{
    if (self->standing.state == SYNCD_WORKSPACE_FAILED)
        return;
    const char *words = syncd_hindrance(error);
    self->standing.state = SYNCD_WORKSPACE_FAILED;
    self->standing.reason =
        words != NULL ? words : "it failed in a way that the daemon's own log tells of";
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "The workspace %s is not recorded: %s",
              self->root->workspace, error->message);
}

void syncd_workspace_set_missing(SyncdWorkspace *self, const char *reason)
{
    self->standing.state = SYNCD_WORKSPACE_MISSING;
    self->standing.reason = reason;
}

static guint64 count_ignored(const SyncdWorkspace *self)
{
    GHashTableIter iter;
    void *n;
    guint64 sum = 0;
    g_hash_table_iter_init(&iter, self->ignored);
    while (g_hash_table_iter_next(&iter, NULL, &n))
        sum += GPOINTER_TO_UINT(n);
    return sum;
}

/* A deep scan holds nobody up. */
static guint64 count_questions(const SyncdWorkspace *self)
{
    guint64 n = 0;
    for (const GList *at = self->questions.head; at != NULL; at = at->next)
        n += !((const SyncdQuestion *)at->data)->deep;
    return n;
}

void syncd_workspace_standing(const SyncdWorkspace *self, SyncdWorkspaceStanding *ret_standing)
{
    SyncdRecorded recorded = syncd_recorder_count(self->recorder);
    *ret_standing = self->standing;
    ret_standing->waiting = self->folders->len + self->next_folders->len + count_questions(self) +
                            g_hash_table_size(self->looking) + g_hash_table_size(self->names) +
                            g_hash_table_size(self->missing) + g_hash_table_size(self->arrivals) +
                            g_hash_table_size(self->ignoring) +
                            !syncd_recorder_is_settled(self->recorder) + (self->restoring != NULL);
    ret_standing->unreadable = g_hash_table_size(self->troubles);
    ret_standing->ignored = count_ignored(self);
    ret_standing->unruled = g_hash_table_size(self->unruled) + self->unshared;
    ret_standing->created = recorded.created;
    ret_standing->changed = recorded.changed;
    ret_standing->deleted = recorded.deleted;
}
