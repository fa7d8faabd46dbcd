/* What need not be done at once: projecting what was committed, moving the WALs, removing content
 * that nobody needs. */
#include "base/log.h"
#include "store/chunks.h"
#include "store/displaced.h"
#include "store/store-private.h"

/* Projecting one entry writes nearly as many pages as projecting a hundred: fewer wait for a pause.
 */
#define OVERLAY_PRESSED 64u
/* The overlay may grow to this before a commit projects it itself: under load nothing is ever idle.
 */
#define OVERLAY_MAX 4096u
/* Beyond this, with an index that takes nothing more, no entry is taken either. */
#define OVERLAY_REFUSE (2u * OVERLAY_MAX)
/* A small WAL is overwritten, not extended, and moving it syncs twice: it is moved when there is
 * time and enough of it, and at the latest here. */
#define WAL_PAGES_IDLE 1000
#define WAL_PAGES_MAX 4000

static bool project_pending(SyncdStore *self, GHashTable *grown, GError **error)
{
    guint64 committed = syncd_journal_committed(self->journal);
    for (guint i = 0; i < syncd_overlay_size(self->overlay); i++) {
        const SyncdPending *pending = syncd_overlay_at(self->overlay, i);
        if (pending->entry.pos > committed)
            break;
        if (!syncd_index_project(self->index, pending->entry.pos, &pending->entry.header,
                                 &pending->body, error))
            return false;
        g_hash_table_add(grown, GSIZE_TO_POINTER(pending->feed));
    }

    GHashTableIter iter;
    void *id;
    g_hash_table_iter_init(&iter, grown);
    while (g_hash_table_iter_next(&iter, &id, NULL)) {
        const SyncdFeed *feed = syncd_journal_feed(self->journal, (gint64)GPOINTER_TO_SIZE(id));
        SyncdHash root = syncd_frontier_root(&feed->committed);
        if (!syncd_index_set_cursor(self->index, feed->id, feed->committed.size, &root, error))
            return false;
    }
    return true;
}

/* Projects the committed part of the overlay in one transaction. */
static bool try_project_overlay(SyncdStore *self, GError **error)
{
    g_autoptr(GHashTable) grown = g_hash_table_new(g_direct_hash, g_direct_equal);
    if (!syncd_index_begin(self->index, error))
        return false;
    if (!project_pending(self, grown, error) ||
        !syncd_store_write_sightings(self, self->index, error)) {
        syncd_index_rollback(self->index);
        return false;
    }
    if (!syncd_index_commit(self->index, error))
        return false;
    syncd_store_remake_sees(self);
    syncd_store_drop_sightings(self);
    syncd_overlay_drop_through(self->overlay, syncd_journal_committed(self->journal));
    return true;
}

/* An index that cannot be written is no reason to stop: what waits goes on waiting, reads that need
 * it say so, and it is tried again later. */
static bool project_overlay(SyncdStore *self, GError **error)
{
    if (self->index_problem != NULL && !syncd_store_may_try_index(self))
        return syncd_store_refuse_index(self, error);

    g_autoptr(GError) problem = NULL;
    bool ok = try_project_overlay(self, &problem);
    if (!ok && syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        ok = try_project_overlay(self, &problem);
        syncd_store_keep_reserve(self);
    }
    if (ok) {
        g_clear_error(&self->index_problem);
        return true;
    }
    syncd_store_remember_index_problem(self, problem);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool overlay_waits(const SyncdStore *self)
{
    return syncd_overlay_size(self->overlay) > 0 &&
           syncd_overlay_at(self->overlay, 0)->entry.pos <= syncd_journal_committed(self->journal);
}

/* A sighting that counts from an entry on waits for it. */
static bool projection_waits(const SyncdStore *self)
{
    return overlay_waits(self) ||
           (syncd_store_has_sightings(self) && syncd_overlay_size(self->overlay) == 0);
}

bool syncd_store_is_pressed(const SyncdStore *self)
{
    return self->projection != NULL || syncd_overlay_size(self->overlay) >= OVERLAY_PRESSED;
}

bool syncd_store_settle(SyncdStore *self, GError **error)
{
    while (self->projection != NULL)
        if (!syncd_store_project_batch(self, SYNCD_PROJECT_BATCH, error))
            return false;
    return syncd_store_need_index(self, error) &&
           (!overlay_waits(self) || project_overlay(self, error));
}

bool syncd_store_settle_seen(SyncdStore *self, GError **error)
{
    return syncd_store_settle(self, error) &&
           (!projection_waits(self) || project_overlay(self, error));
}

/* A WAL that cannot be moved stays where it is, and is as durable there; SQLite writes all of it
 * again when it is tried the next time. But it grows, so somebody should know. One that was cut
 * short or overwritten stays as whoever approves of its repair has seen it. */
static void move_log(SyncdStore *self, int beyond_pages)
{
    g_autoptr(GError) error = NULL;
    if (syncd_store_is_cut(self))
        return;
    bool moved =
        syncd_database_checkpoint(syncd_journal_database(self->journal), beyond_pages, &error);
    if (!moved && !self->log_stays)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "The log's WAL cannot be moved into it: %s", error->message);
    self->log_stays = !moved;
}

/* Some of what no version needs. */
static bool clear_content(SyncdStore *self)
{
    g_autoptr(GError) error = NULL;
    bool more = false;
    if (!self->content_waits || self->index == NULL || syncd_store_has_turn(self) ||
        syncd_store_condition(self) != SYNCD_STORE_WRITABLE)
        return false;
    if (!syncd_store_clear_content(self, &more, &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "Content that was dropped cannot be removed: %s", error->message);
    self->content_waits = more;
    return more;
}

/* Once, of what a crash has left. */
static bool sweep(SyncdStore *self)
{
    g_autoptr(GError) error = NULL;
    bool more = false;
    if (self->swept || self->index == NULL || syncd_store_has_turn(self) ||
        syncd_store_condition(self) != SYNCD_STORE_WRITABLE)
        return false;
    if (self->sweep == NULL)
        self->sweep = syncd_sweep_new(self, SYNCD_SWEEP_STRAYS);
    if (!syncd_sweep_step(self->sweep, &more, &error))
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                  "Content that nobody needs cannot be looked for: %s", error->message);
    if (more && error == NULL)
        return true;
    g_clear_pointer(&self->sweep, syncd_sweep_free);
    self->swept = true;
    return false;
}

bool syncd_store_work(SyncdStore *self)
{
    if (self->mode == SYNCD_STORE_INSPECT)
        return false;
    g_autoptr(GError) error = NULL;
    if (self->projection != NULL) {
        self->unattended = false;
        if (!syncd_store_project_batch(self, SYNCD_PROJECT_BATCH, &error))
            syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT, "The index cannot be made: %s",
                      error->message);
        return true;
    }
    if (self->index != NULL && projection_waits(self)) {
        bool known = self->index_problem != NULL;
        if (project_overlay(self, &error))
            return true;
        if (!known)
            syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
                      "The index cannot be written: %s", error->message);
    }
    if (clear_content(self) || sweep(self))
        return true;
    if (!syncd_store_has_turn(self))
        move_log(self, WAL_PAGES_IDLE);
    if (self->index != NULL)
        syncd_database_checkpoint(syncd_index_database(self->index), WAL_PAGES_IDLE, NULL);
    return false;
}

void syncd_store_bound_waiting(SyncdStore *self)
{
    /* If this fails, what waits goes on waiting, and the next read or the next commit tries again.
     */
    if (syncd_overlay_size(self->overlay) > OVERLAY_MAX)
        syncd_store_settle(self, NULL);
    move_log(self, WAL_PAGES_MAX);
    if (self->index != NULL)
        syncd_database_checkpoint(syncd_index_database(self->index), WAL_PAGES_MAX, NULL);
}

bool syncd_store_has_room(SyncdStore *self, GError **error)
{
    return syncd_overlay_size(self->overlay) < OVERLAY_REFUSE || !overlay_waits(self) ||
           project_overlay(self, error);
}
