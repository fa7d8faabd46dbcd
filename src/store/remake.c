/*
 * Making the index anew beside the one that serves, which goes on until the files are exchanged:
 * nobody waits for it, and if it cannot be made nothing was lost. What is committed meanwhile is
 * projected into both.
 *
 * It is never urgent. So it begins only where a second index has room beside the space set aside
 * and what the log may need meanwhile, gives way when the disk gets full for other reasons, and
 * goes in steps that are short however long the log is: unlike a rebuild, for which everybody
 * waits, what it has written is synced as it goes on.
 * Lookups are made over rows that are there: sorted in bulk they cost a quarter of what they cost
 * row by row.
 */
#include "store/index-file.h"
#include "store/store-private.h"

#define BATCH 500u
/* Of these entries each makes a row in every lookup. */
#define LATE_BATCH 100u
/* So many of them are written, at most, before they are synced. */
#define BATCHES_A_SYNC 32u
#define SIGHTINGS_A_STEP 1000u
/* Of the time that all of it takes; the rest is for the lookups. */
#define PART_OF_ROWS 0.8
/* Stays free for the log, whose WAL may grow to the latter. A small index is that of a small log:
 * then it is as much as the index takes. */
#define MARGIN_MIN (1024u * 1024u)
#define MARGIN_MAX (16u * 1024u * 1024u)

void syncd_store_end_remake(SyncdStore *self)
{
    if (self->remake.index != NULL)
        syncd_index_discard_new(g_steal_pointer(&self->remake.index), self->directory);
    self->remake = (SyncdRemake){NULL};
}

/* ---- room ---- */

static bool require_room(SyncdStore *self, guint64 bytes, guint64 margin, GError **error)
{
    guint64 room;
    if (!syncd_directory_room(self->directory, self->reserve_bytes, &room, error))
        return false;
    bytes += margin;
    if (room >= bytes)
        return true;
    g_autofree char *needed = g_format_size(bytes), *there = g_format_size(room);
    syncd_set_error(error, SYNCD_ERROR_NO_SPACE,
                    "There is no room to make the index anew: it takes %s, and %s are free beside "
                    "the space set aside",
                    needed, there);
    return false;
}

/* What is sorted for a lookup is put aside meanwhile, and what comes late fills pages by half. */
static bool require_room_for_all(SyncdStore *self, guint64 *ret_margin, GError **error)
{
    guint64 bytes;
    if (!syncd_index_bytes(self->index, &bytes, error))
        return false;
    *ret_margin = CLAMP(bytes, MARGIN_MIN, MARGIN_MAX);
    return require_room(self, bytes + bytes / 2, *ret_margin, error);
}

/* ---- step by step ---- */

static bool begin(SyncdStore *self, GError **error)
{
    g_clear_pointer(&self->index_comparison, syncd_index_comparison_free);
    if (!syncd_store_need_index(self, error))
        return false;
    /* One that a killed process left takes room too. */
    syncd_index_discard_new(NULL, self->directory);
    guint64 margin;
    if (!require_room_for_all(self, &margin, error))
        return false;
    self->remake = (SyncdRemake){.index = syncd_index_begin_new(self->directory, error),
                                 .margin = margin,
                                 .left = syncd_journal_committed(self->journal)};
    return self->remake.index != NULL;
}

/* From what is in it towards what is committed by now. */
static bool project(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(SyncdProjection) projection =
        syncd_store_new_projection(self, self->remake.index, error);
    guint batch = self->remake.stage == SYNCD_REMAKE_LATE ? LATE_BATCH : BATCH;
    self->remake.unsynced++;
    if (projection == NULL || !syncd_projection_step(projection, batch, ret_more, error))
        return false;
    self->remake.left = syncd_projection_remaining(projection);
    return true;
}

/* What is wrong with the log shows here; what else fails is no fault of it. */
static bool project_or_tell(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (project(self, ret_more, &problem))
        return true;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
        self->condition = SYNCD_STORE_DAMAGED;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool sync_made(SyncdStore *self, GError **error)
{
    self->remake.unsynced = 0;
    return syncd_index_sync_new(self->remake.index, self->directory, error);
}

static bool add_lookup(SyncdRemake *remake, GError **error)
{
    bool more;
    remake->unsynced++;
    if (!syncd_index_add_lookup(remake->index, SYNCD_STEPS_SHORT, &more, error))
        return false;
    if (!more)
        remake->stage = SYNCD_REMAKE_LATE;
    return true;
}

/* Both have all that is committed. The one that serves may be damaged where nobody has read yet. */
static bool compare(SyncdStore *self, GError **error)
{
    bool more;
    if (self->index_comparison == NULL)
        self->index_comparison = syncd_index_comparison_new();
    if (!syncd_store_settle(self, error))
        return false;
    /* Sightings that the new one could not take have ended it. */
    if (self->remake.index == NULL)
        return true;
    if (!syncd_index_comparison_step(self->index_comparison, self->index, self->remake.index, &more,
                                     error))
        return false;
    self->remake.compared = !more;
    return true;
}

static bool step(SyncdStore *self, bool *ret_more, GError **error)
{
    SyncdRemake *remake = &self->remake;
    *ret_more = true;
    if (remake->index == NULL)
        return begin(self, error);
    if (!require_room(self, 0, remake->margin, error))
        return false;
    if (remake->unsynced >= BATCHES_A_SYNC)
        return sync_made(self, error);
    if (remake->stage == SYNCD_REMAKE_LOOKUPS)
        return add_lookup(remake, error);
    if (!project_or_tell(self, ret_more, error))
        return false;
    if (*ret_more)
        return true;
    if (remake->stage == SYNCD_REMAKE_ROWS) {
        remake->stage = SYNCD_REMAKE_LOOKUPS;
        return *ret_more = true;
    }
    if (!syncd_index_carry_seen(self->index, remake->index, &remake->carried, SIGHTINGS_A_STEP,
                                ret_more, error))
        return false;
    if (*ret_more)
        return true;
    *ret_more = self->index_snapshot != NULL && !remake->compared;
    if (*ret_more)
        return compare(self, error);
    /* What came since the last sync is little. */
    *ret_more = remake->unsynced > 1;
    if (*ret_more)
        return sync_made(self, error);
    /* What waits for the one there is, is in both then. */
    if (!syncd_store_settle(self, error))
        return false;
    /* Sightings that the new one could not take have ended it. */
    *ret_more = remake->index == NULL;
    if (*ret_more)
        return true;
    if (self->index_lost != NULL) /* the one that is told of is not the one that serves any more */
        self->index_lost_ms = syncd_sources_realtime_usec(self->sources) / 1000;
    return syncd_store_exchange_index(self, g_steal_pointer(&remake->index), error);
}

bool syncd_store_step_remake(SyncdStore *self, bool *ret_more, GError **error)
{
    bool ok = step(self, ret_more, error);
    if (!ok || !*ret_more)
        syncd_store_end_remake(self);
    return ok;
}

double syncd_store_remake_part(const SyncdStore *self)
{
    guint64 all = syncd_journal_committed(self->journal);
    if (self->remake.index == NULL || all == 0)
        return 0;
    if (self->remake.stage != SYNCD_REMAKE_ROWS)
        return PART_OF_ROWS;
    return PART_OF_ROWS * (1 - (double)MIN(self->remake.left, all) / (double)all);
}

void syncd_store_remake_sees(SyncdStore *self)
{
    SyncdIndex *index = self->remake.index;
    /* Those that come sooner are carried over. */
    if (index == NULL || self->remake.stage != SYNCD_REMAKE_LATE || self->seen == 0)
        return;
    if (!syncd_index_begin(index, NULL) || !syncd_store_write_sightings(self, index, NULL) ||
        !syncd_index_commit(index, NULL))
        syncd_store_end_remake(self); /* it has to be begun anew */
}
