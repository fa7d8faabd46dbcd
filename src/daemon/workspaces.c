#include "daemon/workspaces.h"

#include "base/log.h"
#include "base/path.h"
#include "service/files.h"
#include "workspace/workspace.h"

#include <string.h>

#define RETRY_FIRST_USEC (1u * G_USEC_PER_SEC)
#define RETRY_MAX_USEC (300u * G_USEC_PER_SEC)
/* Calls come first: what is in a directory is still there after them. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 1)

typedef struct {
    SyncdWorkspaces *all;
    SyncdWorkspace *workspace; /* NULL: its reader is to be started again */
    SyncdRoot *root;
    sd_event_source *input;
    sd_event_source *retry;
    guint64 delay;
    bool accepts;
} Place;

struct SyncdWorkspaces {
    sd_event *event;
    SyncdService *service;
    char *state_directory;
    GHashTable *places; /* root's id -> Place */
    GHashTable *paused; /* ids of roots that were paused when they were looked at last */
    bool known;         /* which there are */
    sd_event_source *refresh;
};

static void begin(Place *place);

static void stop(Place *self)
{
    self->input = sd_event_source_disable_unref(self->input);
    self->retry = sd_event_source_disable_unref(self->retry);
    g_clear_pointer(&self->workspace, syncd_workspace_free);
}

static void free_place(void *data)
{
    Place *self = data;
    stop(self);
    syncd_root_free(self->root);
    g_free(self);
}

static SyncdRoot *copy_root(const SyncdRoot *root)
{
    SyncdRoot *copy = g_new0(SyncdRoot, 1);
    *copy = (SyncdRoot){g_strdup(root->id), g_strdup(root->workspace), g_strdup(root->directory),
                        g_strdup(root->scope_id), root->paused};
    return copy;
}

/* ---- a reader that ended ---- */

static int on_retry(sd_event_source *source, uint64_t usec, void *data)
{
    Place *self = data;
    self->retry = sd_event_source_disable_unref(self->retry);
    begin(self);
    return 0;
}

static void retry_later(Place *self)
{
    stop(self);
    self->delay = CLAMP(2 * self->delay, RETRY_FIRST_USEC, RETRY_MAX_USEC);
    if (sd_event_add_time_relative(self->all->event, &self->retry, CLOCK_MONOTONIC, self->delay, 0,
                                   on_retry, self) < 0)
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_NONE, "The workspace %s is no longer recorded.",
                  self->root->workspace);
}

static int on_input(sd_event_source *source, int fd, uint32_t events, void *data)
{
    Place *self = data;
    SyncdWorkspaceStanding standing;
    bool alive = syncd_workspace_dispatch(self->workspace);
    syncd_workspace_standing(self->workspace, &standing);
    if (!alive || standing.state == SYNCD_WORKSPACE_FAILED ||
        standing.state == SYNCD_WORKSPACE_MISSING)
        retry_later(self);
    else if (standing.state == SYNCD_WORKSPACE_WATCHING)
        self->delay = 0;
    return 0;
}

/* ---- beginning ---- */

static void begin(Place *self)
{
    g_autoptr(GError) error = NULL;
    SyncdReaderProcess *process = syncd_reader_process_begin(&error);
    if (process == NULL) {
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "%s", error->message);
        retry_later(self);
        return;
    }
    /* The log of the changes of the log would never end. */
    const char *own = syncd_path_below(self->all->state_directory, self->root->directory);
    self->workspace = syncd_workspace_new(self->all->service, copy_root(self->root), process, own);
    if (self->accepts)
        syncd_workspace_accept_deletions(self->workspace);
    self->accepts = false;
    if (sd_event_add_io(self->all->event, &self->input, syncd_workspace_fd(self->workspace),
                        EPOLLIN, on_input, self) < 0 ||
        sd_event_source_set_priority(self->input, PRIORITY) < 0)
        retry_later(self);
}

static void look_at_root(SyncdWorkspaces *self, const SyncdRoot *root)
{
    bool known = g_hash_table_contains(self->places, root->id);
    if (root->paused) {
        g_hash_table_remove(self->places, root->id);
        g_hash_table_add(self->paused, g_strdup(root->id));
    } else if (!known) {
        Place *place = g_new0(Place, 1);
        place->all = self;
        place->root = copy_root(root);
        place->accepts = g_hash_table_remove(self->paused, root->id);
        g_hash_table_insert(self->places, g_strdup(root->id), place);
        begin(place);
    }
}

static bool is_listed(const GPtrArray *roots, const char *id)
{
    for (guint i = 0; i < roots->len; i++)
        if (strcmp(((const SyncdRoot *)roots->pdata[i])->id, id) == 0)
            return true;
    return false;
}

static void look(SyncdWorkspaces *self)
{
    g_autoptr(GPtrArray) roots = NULL;
    GHashTableIter iter;
    void *id;
    /* While the index is made nobody knows; the first commit after that asks again. */
    self->known = syncd_service_list_roots(self->service, &roots, NULL);
    if (!self->known)
        return;
    g_hash_table_iter_init(&iter, self->places);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        if (!is_listed(roots, id))
            g_hash_table_iter_remove(&iter);
    for (guint i = 0; i < roots->len; i++)
        look_at_root(self, roots->pdata[i]);
}

/* Not within the commit itself: a workspace may be what committed. */
static int on_refresh(sd_event_source *source, void *data)
{
    look(data);
    return 0;
}

SyncdWorkspaces *syncd_workspaces_new(sd_event *event, SyncdService *service,
                                      const char *state_directory)
{
    SyncdWorkspaces *self = g_new0(SyncdWorkspaces, 1);
    self->event = event;
    self->service = service;
    self->state_directory = g_strdup(state_directory);
    self->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_place);
    self->paused = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (sd_event_add_defer(event, &self->refresh, on_refresh, self) < 0 ||
        sd_event_source_set_priority(self->refresh, PRIORITY) < 0)
        g_clear_pointer(&self, syncd_workspaces_free);
    return self;
}

void syncd_workspaces_free(SyncdWorkspaces *self)
{
    if (self == NULL)
        return;
    sd_event_source_disable_unref(self->refresh);
    g_hash_table_unref(self->places);
    g_hash_table_unref(self->paused);
    g_free(self->state_directory);
    g_free(self);
}

void syncd_workspaces_committed(SyncdWorkspaces *self, const SyncdCommit *commit)
{
    bool asks = !self->known;
    for (guint i = 0; !asks && i < commit->kinds->len; i++)
        asks = g_str_has_prefix(commit->kinds->pdata[i], "root.");
    if (asks)
        sd_event_source_set_enabled(self->refresh, SD_EVENT_ONESHOT);
}
