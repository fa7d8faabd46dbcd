#include "daemon/workspaces.h"

#include "base/log.h"
#include "base/path.h"
#include "daemon/restore.h"
#include "daemon/scan.h"
#include "service/files.h"
#include "workspace/workspace.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_FIRST_USEC (1u * G_USEC_PER_SEC)
#define TICK_ACCURACY_USEC G_USEC_PER_SEC
#define RETRY_MAX_USEC (300u * G_USEC_PER_SEC)
/* Calls come first: what is in a directory is still there after them. */
#define PRIORITY (SD_EVENT_PRIORITY_NORMAL + 1)

typedef struct {
    SyncdWorkspaces *all;
    SyncdWorkspace *workspace; /* NULL: its reader is to be started again */
    SyncdRoot *root;
    SyncdScan *scan;        /* NULL: there is none */
    sd_event_source *input; /* what its reader says */
    sd_event_source *tick;  /* when it is due */
    sd_event_source *look;  /* its standing may have changed */
    sd_event_source *retry;
    guint64 delay;
    bool ends; /* once what is being restored is in its place, or is not */
    bool accepts;
    SyncdWorkspaceStanding last; /* how it stood when it was stopped */
} Place;

struct SyncdWorkspaces {
    sd_event *event;
    SyncdService *service;
    SyncdFileStat state; /* the directory of the daemon's own state */
    GHashTable *places;  /* root's id -> Place */
    GHashTable *asking;  /* ids of roots that were paused as much was deleted */
    bool known;          /* which there are */
    guint64 staged;      /* bytes that are being restored */
    sd_event_source *refresh;
};

static void begin(Place *place);

static void stop(Place *self)
{
    self->input = sd_event_source_disable_unref(self->input);
    self->tick = sd_event_source_disable_unref(self->tick);
    self->look = sd_event_source_disable_unref(self->look);
    self->retry = sd_event_source_disable_unref(self->retry);
    if (self->workspace != NULL)
        syncd_workspace_standing(self->workspace, &self->last);
    g_clear_pointer(&self->scan, syncd_scan_free);
    g_clear_pointer(&self->workspace, syncd_workspace_free);
}

static void free_place(void *data)
{
    Place *self = data;
    stop(self);
    syncd_root_free(self->root);
    g_free(self);
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

/* ---- at work ---- */

static int on_input(sd_event_source *source, int fd, uint32_t events, void *data)
{
    syncd_workspace_dispatch(((Place *)data)->workspace);
    return 0;
}

static int on_tick(sd_event_source *source, uint64_t usec, void *data)
{
    syncd_workspace_tick(((Place *)data)->workspace);
    return 0;
}

/* Not within its own work, which may be within a commit. */
static void on_changed(void *data)
{
    (void)sd_event_source_set_enabled(((Place *)data)->look, SD_EVENT_ONESHOT);
}

static void cancel_scan(void *data)
{
    syncd_workspace_cancel_scan(((Place *)data)->workspace);
}

static void begin_scan(Place *self, uid_t uid, bool own, const SyncdWorkspaceStanding *standing)
{
    self->scan =
        syncd_scan_new(self->all->service, self->root, uid, own, standing, cancel_scan, self);
}

/* Those that nobody asked for are jobs too: the first one, and what makes up for lost events. */
static void follow_scan(Place *self, const SyncdWorkspaceStanding *standing)
{
    if (self->scan == NULL && standing->state == SYNCD_WORKSPACE_SCANNING)
        begin_scan(self, geteuid(), true, standing);
    if (self->scan != NULL && !syncd_scan_follow(self->scan, standing))
        g_clear_pointer(&self->scan, syncd_scan_free);
}

/* What a reader puts in place at this moment is put there and recorded, or neither. */
static bool must_wait(Place *self)
{
    self->ends = self->workspace != NULL && syncd_workspace_hurry_restore(self->workspace);
    return self->ends;
}

static int on_look(sd_event_source *source, void *data)
{
    Place *self = data;
    SyncdWorkspaceStanding standing;
    if (self->ends && !must_wait(self))
        (void)sd_event_source_set_enabled(self->all->refresh, SD_EVENT_ONESHOT);
    guint64 due = syncd_workspace_due(self->workspace);
    syncd_workspace_standing(self->workspace, &standing);
    follow_scan(self, &standing);
    if (standing.state == SYNCD_WORKSPACE_FAILED || standing.state == SYNCD_WORKSPACE_MISSING) {
        retry_later(self);
        return 0;
    }
    if (standing.state == SYNCD_WORKSPACE_WATCHING) {
        self->delay = 0;
        self->accepts = false;
    }
    (void)sd_event_source_set_io_events(self->input,
                                        (uint32_t)syncd_workspace_events(self->workspace));
    (void)sd_event_source_set_time(self->tick, due);
    (void)sd_event_source_set_enabled(self->tick,
                                      due != G_MAXUINT64 ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
    return 0;
}

/* ---- beginning ---- */

static bool listen_to(Place *self)
{
    sd_event *event = self->all->event;
    return sd_event_add_io(event, &self->input, syncd_workspace_fd(self->workspace), EPOLLIN,
                           on_input, self) >= 0 &&
           sd_event_source_set_priority(self->input, PRIORITY) >= 0 &&
           sd_event_add_time(event, &self->tick, CLOCK_MONOTONIC, 0, TICK_ACCURACY_USEC, on_tick,
                             self) >= 0 &&
           sd_event_source_set_enabled(self->tick, SD_EVENT_OFF) >= 0 &&
           sd_event_source_set_priority(self->tick, PRIORITY) >= 0;
}

/* Its first work comes before it can be listened to. */
static void begin(Place *self)
{
    g_autoptr(GError) error = NULL;
    SyncdReaderProcess *process = NULL;
    if (sd_event_add_defer(self->all->event, &self->look, on_look, self) >= 0)
        process = syncd_reader_process_begin(&error);
    if (process != NULL) {
        self->workspace = syncd_workspace_new(self->all->service, syncd_root_copy(self->root),
                                              process, &self->all->state, on_changed, self);
        if (self->accepts)
            syncd_workspace_accept_deletions(self->workspace);
    }
    if (process != NULL && listen_to(self))
        return;
    if (error != NULL)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE, "%s", error->message);
    retry_later(self);
}

/* It paused itself, and was resumed before anybody looked. */
static bool has_stopped(const Place *self)
{
    SyncdWorkspaceStanding standing;
    if (self->workspace == NULL)
        return false;
    syncd_workspace_standing(self->workspace, &standing);
    return standing.state == SYNCD_WORKSPACE_PAUSED;
}

/* The next reader gets them too. */
static void take_rules(Place *self, const SyncdRoot *root)
{
    g_free(self->root->ignore);
    self->root->ignore = g_strdup(root->ignore);
    if (self->workspace != NULL)
        syncd_workspace_set_rules(self->workspace, root->ignore);
}

static void look_at_root(SyncdWorkspaces *self, const SyncdRoot *root)
{
    Place *known = g_hash_table_lookup(self->places, root->id);
    if (known != NULL && (root->paused || !syncd_root_keeps_as(known->root, root)) &&
        must_wait(known))
        return;
    if (!root->paused && known != NULL && has_stopped(known)) {
        stop(known);
        known->accepts = true;
        begin(known);
    } else if (root->paused) {
        g_hash_table_remove(self->places, root->id);
        if (root->asks)
            g_hash_table_add(self->asking, g_strdup(root->id));
        else
            g_hash_table_remove(self->asking, root->id);
    } else if (known != NULL && !syncd_root_keeps_as(known->root, root)) {
        /* What is kept from now on is found by a scan. */
        stop(known);
        syncd_root_free(known->root);
        known->root = syncd_root_copy(root);
        begin(known);
    } else if (known == NULL) {
        Place *place = g_new0(Place, 1);
        place->all = self;
        place->root = syncd_root_copy(root);
        place->accepts = g_hash_table_remove(self->asking, root->id);
        g_hash_table_insert(self->places, g_strdup(root->id), place);
        begin(place);
    } else {
        take_rules(known, root);
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
    void *id, *place;
    /* While the index is made nobody knows. */
    self->known = syncd_service_list_roots(self->service, &roots, NULL);
    if (!self->known)
        return;
    g_hash_table_iter_init(&iter, self->places);
    while (g_hash_table_iter_next(&iter, &id, &place))
        if (!is_listed(roots, id) && !must_wait(place))
            g_hash_table_iter_remove(&iter);
    for (guint i = 0; i < roots->len; i++)
        look_at_root(self, roots->pdata[i]);
    syncd_service_retain_soon(self->service, roots);
}

/* Not within the commit itself: a workspace may be what committed. */
static int on_refresh(sd_event_source *source, void *data)
{
    look(data);
    return 0;
}

/* The log of the changes of the log would never end. */
static SyncdFileStat identity_of(const char *directory)
{
    struct stat st;
    if (stat(directory, &st) < 0)
        return (SyncdFileStat){0};
    return (SyncdFileStat){.kind = SYNCD_FILE_FOLDER, .device = st.st_dev, .inode = st.st_ino};
}

SyncdWorkspaces *syncd_workspaces_new(sd_event *event, SyncdService *service,
                                      const char *state_directory)
{
    SyncdWorkspaces *self = g_new0(SyncdWorkspaces, 1);
    self->event = event;
    self->service = service;
    self->state = identity_of(state_directory);
    self->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_place);
    self->asking = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
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
    g_hash_table_unref(self->asking);
    g_free(self);
}

SyncdJob *syncd_workspaces_scan(SyncdWorkspaces *self, const char *root, bool deep, uid_t uid)
{
    Place *place = g_hash_table_lookup(self->places, root);
    SyncdWorkspaceStanding standing;
    if (place == NULL || place->workspace == NULL)
        return NULL;
    syncd_workspace_standing(place->workspace, &standing);
    if (place->scan == NULL || syncd_scan_job(place->scan) == NULL) {
        g_clear_pointer(&place->scan, syncd_scan_free);
        begin_scan(place, uid, false, &standing);
        if (!deep)
            syncd_workspace_scan(place->workspace);
    }
    if (deep)
        syncd_workspace_scan_deep(place->workspace);
    return syncd_scan_job(place->scan);
}

SyncdJob *syncd_workspaces_restore(SyncdWorkspaces *self, const char *root, SyncdRestore *restore,
                                   uid_t uid)
{
    Place *place = g_hash_table_lookup(self->places, root);
    if (place != NULL && place->workspace != NULL)
        return syncd_begin_restore(self->service, place->workspace, restore, uid, &self->staged);
    syncd_restore_free(restore);
    return NULL;
}

/* A directory that is looked into is there again; what failed is over once something of it is
 * recorded, as most of what fails does so only then. */
static bool is_over(const Place *self, const SyncdWorkspaceStanding *now)
{
    return self->last.state == SYNCD_WORKSPACE_FAILED ? now->durable : now->folders > 0;
}

/* While it is tried again, and nothing is known of that yet, it stands as it stood. */
static void stand(const Place *self, SyncdWorkspaceStanding *ret_standing)
{
    SyncdWorkspaceStanding now;
    syncd_workspace_standing(self->workspace, &now);
    bool known = self->delay == 0 || now.state != SYNCD_WORKSPACE_SCANNING || is_over(self, &now);
    *ret_standing = known ? now : self->last;
}

bool syncd_workspaces_standing(SyncdWorkspaces *self, const char *root,
                               SyncdRootStanding *ret_standing)
{
    static const char *const states[] = {
        [SYNCD_WORKSPACE_SCANNING] = "scanning", [SYNCD_WORKSPACE_WATCHING] = "watching",
        [SYNCD_WORKSPACE_MISSING] = "missing",   [SYNCD_WORKSPACE_PAUSED] = "paused",
        [SYNCD_WORKSPACE_FAILED] = "failed",
    };
    const Place *place = g_hash_table_lookup(self->places, root);
    if (place == NULL)
        return false;
    SyncdWorkspaceStanding now = place->last;
    if (place->workspace != NULL)
        stand(place, &now);
    *ret_standing = (SyncdRootStanding){.state = states[now.state],
                                        .reason = now.reason,
                                        .folders = now.folders,
                                        .waiting = now.waiting,
                                        .skipped = now.skipped,
                                        .ignored = now.ignored,
                                        .unruled = now.unruled,
                                        .unreadable = now.unreadable,
                                        .unwatched = now.unwatched,
                                        .deep = now.deep.running};
    return true;
}

const SyncdIgnore *syncd_workspaces_rules(SyncdWorkspaces *self, const char *root)
{
    const Place *place = g_hash_table_lookup(self->places, root);
    return place != NULL && place->workspace != NULL ? syncd_workspace_rules(place->workspace)
                                                     : NULL;
}

void syncd_workspaces_changed(SyncdWorkspaces *self)
{
    if (!self->known)
        sd_event_source_set_enabled(self->refresh, SD_EVENT_ONESHOT);
}

void syncd_workspaces_committed(SyncdWorkspaces *self, const SyncdCommit *commit)
{
    bool asks = false;
    for (guint i = 0; !asks && i < commit->kinds->len; i++)
        asks = g_str_has_prefix(commit->kinds->pdata[i], "root.") ||
               g_str_has_prefix(commit->kinds->pdata[i], "workspace.");
    if (asks)
        sd_event_source_set_enabled(self->refresh, SD_EVENT_ONESHOT);
}
