#include "base/log.h"
#include "store/aside.h"
#include "store/chunks.h"
#include "store/missing-keys.h"
#include "store/rollback.h"
#include "store/store-private.h"

/* So many entries are projected at once; opening does not wait for more than this many. */
#define PROJECT_AT_OPEN 20000u
/* An index that could not be written is not tried again before this. */
#define RETRY_USEC (1000u * 1000u)
#define RESERVE_MIN (1024u * 1024u)

/* ---- the space set aside ---- */

void syncd_store_keep_reserve(SyncdStore *self)
{
    /* As much of it as there is room for; none is no reason not to serve reads. */
    for (guint64 bytes = self->reserve_bytes; bytes >= RESERVE_MIN; bytes /= 2)
        if (syncd_directory_reserve(self->directory, bytes, NULL))
            return;
}

bool syncd_store_made_room(SyncdStore *self, const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE) &&
           syncd_directory_release_reserve(self->directory);
}

/* ---- when there is no index ---- */

static guint64 now_usec(const SyncdStore *self)
{
    return syncd_sources_monotonic_usec(self->sources);
}

void syncd_store_remember_index_problem(SyncdStore *self, const GError *problem)
{
    g_clear_error(&self->index_problem);
    self->index_problem = g_error_copy(problem);
    self->index_failures++;
    self->index_retry_at = now_usec(self) + RETRY_USEC;
}

bool syncd_store_may_try_index(const SyncdStore *self)
{
    return now_usec(self) >= self->index_retry_at;
}

bool syncd_store_refuse_index(SyncdStore *self, GError **error)
{
    if (error != NULL)
        *error = g_error_copy(self->index_problem);
    return false;
}

/* A disk has room again, and what went while files were exchanged was there a moment before. */
static bool may_pass(const SyncdStore *self, const GError *problem)
{
    if (self->held != NULL)
        return false;
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE) ||
           (self->exchanging && g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED));
}

static void free_index(SyncdStore *self)
{
    if (self->index != NULL && syncd_index_is_new(self->index))
        syncd_index_discard_new(g_steal_pointer(&self->index), self->directory);
    g_clear_pointer(&self->index, syncd_index_free);
}

/* What was made of the index so far answers nothing, and is gone: better none than one that lacks
 * entries. A damaged log may still be read and verified, entry by entry; some things pass; anything
 * else stays until a restart. */
static bool give_up_index(SyncdStore *self, GError *problem, GError **error)
{
    g_clear_pointer(&self->projection, syncd_projection_free);
    free_index(self);
    syncd_store_remember_index_problem(self, problem);
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT))
        self->condition = SYNCD_STORE_DAMAGED;
    else if (!may_pass(self, problem))
        self->condition = SYNCD_STORE_FAILED;
    g_propagate_error(error, problem);
    return false;
}

/* What it needs it is that a repair is approved, and not a restart. */
static void hold_index(SyncdStore *self, const GError *problem)
{
    g_autofree char *why = NULL, *next = NULL;
    g_autoptr(GError) told = NULL;
    syncd_store_drop_index(self);
    g_clear_error(&self->held);
    self->held = g_error_copy(problem);
    syncd_error_split(problem->message, &why, &next);
    syncd_set_error_next(&told, SYNCD_ERROR_BUSY,
                         "see how it is mended with `sourceos-syncd "
                         "repair plan`",
                         "The index is of no use: %s", why);
    syncd_store_remember_index_problem(self, told);
}

/* ---- making it and bringing it up to the log ---- */

/* Content that was purged, damaged or whose key is not here has no part in the index. That the disk
 * did not give it just now is something else. */
static bool open_projected_body(void *data, const SyncdHeader *header, SyncdBytes stored,
                                bool with_content, SyncdBody *ret_body, bool *ret_have,
                                GError **error)
{
    g_autoptr(GError) problem = NULL;
    *ret_have = with_content ? syncd_store_open_stored(data, header, stored, ret_body, &problem)
                             : syncd_store_open_meta(data, header, stored, ret_body, &problem);
    if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED) &&
        !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_BUSY))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

SyncdProjection *syncd_store_new_projection(SyncdStore *self, SyncdIndex *index, GError **error)
{
    return syncd_projection_new(index, self->journal, open_projected_body, self, error);
}

static bool begin_projection(SyncdStore *self, GError **error)
{
    self->projection = syncd_store_new_projection(self, self->index, error);
    return self->projection != NULL;
}

static bool begin_new_index(SyncdStore *self, const char *why, GError **error)
{
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_INDEX_REBUILT,
              "The index is made anew from the log: %s", why);
    if (!syncd_store_is_new(self)) {
        g_free(self->index_lost);
        self->index_lost = g_strdup(why);
        self->index_lost_ms = syncd_sources_realtime_usec(self->sources) / 1000;
    }
    syncd_store_drop_index(self);
    g_clear_error(&self->held);
    self->index = syncd_index_begin_new(self->directory, error);
    if (self->index == NULL || !begin_projection(self, error))
        return false;
    self->to_project = syncd_projection_remaining(self->projection);
    return true;
}

void syncd_store_drop_index(SyncdStore *self)
{
    syncd_store_end_remake(self);
    g_clear_pointer(&self->projection, syncd_projection_free);
    if (self->index != NULL)
        syncd_database_freeze(syncd_index_database(self->index));
    g_clear_pointer(&self->index, syncd_index_free);
    self->index_generation++;
    /* Whichever index comes next gets them from the log. */
    syncd_overlay_drop_through(self->overlay, syncd_journal_committed(self->journal));
}

/* Goes on from the last batch that was committed. */
static bool resume_projection(SyncdStore *self, GError **error)
{
    g_clear_pointer(&self->projection, syncd_projection_free);
    if (self->index == NULL)
        return begin_new_index(self, "the disk was full", error);
    return begin_projection(self, error);
}

/* One that was there may have been made while a key was not. */
static bool check_made_with_keys(SyncdStore *self, GError **error)
{
    if (!syncd_store_index_lacks_scope(self))
        return true;
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                    "It was made without a key that is here again");
    return false;
}

static bool finish_projection(SyncdStore *self, GError **error)
{
    bool was_new = syncd_index_is_new(self->index);
    g_clear_pointer(&self->projection, syncd_projection_free);
    if (was_new) {
        self->index = syncd_index_finish_new(g_steal_pointer(&self->index), self->directory, error);
        if (self->index == NULL)
            return false;
        self->index_generation++;
    }
    self->registries++;
    self->found_no_room = false; /* a whole index found some */
    if (!syncd_store_load_scopes(self, error) || (!was_new && !check_made_with_keys(self, error)))
        return false;
    g_clear_error(&self->index_problem);
    syncd_store_keep_reserve(self);
    return true;
}

/* Lookups first, for which everybody waits, then the new file takes its place. */
static bool finish_step(SyncdStore *self, GError **error)
{
    bool more = false;
    if (syncd_index_is_new(self->index) &&
        !syncd_index_add_lookup(self->index, SYNCD_STEPS_LONG, &more, error))
        return false;
    return more || finish_projection(self, error);
}

/* In an index that was there it says nothing about the log. */
static bool is_damage(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
}

/* Where it is the log that is damaged, an index that has all of it is the better of the two, and
 * no other could be made. */
static bool serves_a_damaged_log(SyncdStore *self)
{
    guint64 projected = 0;
    return self->index != NULL && syncd_journal_problem(self->journal) != NULL &&
           syncd_index_projected(self->index, &projected, NULL) &&
           projected >= syncd_journal_committed(self->journal);
}

/* A process that was killed had it away for another one that it had made: nobody else has. */
static bool was_exchanged(const SyncdStore *self)
{
    return !syncd_directory_has(self->directory, "index.db") &&
           syncd_directory_has(self->directory, "index.db.new");
}

static bool find_or_begin(SyncdStore *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    self->index = syncd_index_open(self->directory, &problem);
    if (self->index != NULL && begin_projection(self, &problem))
        return true;

    if (serves_a_damaged_log(self))
        return syncd_store_load_scopes(self, error);
    bool first = syncd_journal_committed(self->journal) == 0;
    if (!syncd_store_look_at_index_ahead(self, self->index, error))
        return false;
    /* One that knows more than the log is of use no more once that is kept. */
    if (self->holds_index && !first && self->rollback == NULL && !may_pass(self, problem) &&
        !was_exchanged(self)) {
        hold_index(self, problem);
        return true;
    }
    g_autofree char *why = NULL, *next = NULL;
    syncd_error_split(first ? "this is its first start" : problem->message, &why, &next);
    g_clear_error(&problem);
    if (begin_new_index(self, why, &problem))
        return true;
    if (syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        if (begin_new_index(self, why, &problem))
            return true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* The index that is there if it fits the log, else the beginning of a new one. What fails from then
 * on is not of an exchange any more. */
static bool find_index(SyncdStore *self, GError **error)
{
    if (!find_or_begin(self, error))
        return false;
    self->exchanging = false;
    return true;
}

bool syncd_store_project_batch(SyncdStore *self, guint max, GError **error)
{
    bool more, was_new = syncd_index_is_new(self->index);
    GError *problem = NULL;
    if (syncd_projection_step(self->projection, max, &more, &problem) &&
        (more || finish_step(self, &problem)))
        return true;
    if (!was_new && is_damage(problem) && self->holds_index) {
        hold_index(self, problem);
        g_propagate_error(error, problem);
        return false;
    }
    if (!was_new && is_damage(problem)) {
        g_autofree char *why = NULL, *next = NULL;
        syncd_error_split(problem->message, &why, &next);
        g_clear_error(&problem);
        if (begin_new_index(self, why, &problem))
            return true;
    }
    if (syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        if (resume_projection(self, &problem))
            return true;
    }
    return give_up_index(self, problem, error);
}

static bool project_at_once(SyncdStore *self, GError **error)
{
    while (self->projection != NULL &&
           syncd_projection_remaining(self->projection) <= PROJECT_AT_OPEN)
        if (!syncd_store_project_batch(self, PROJECT_AT_OPEN, error))
            return false;
    return true;
}

bool syncd_store_open_index(SyncdStore *self, GError **error)
{
    GError *problem = NULL;
    if (!find_index(self, &problem))
        return give_up_index(self, problem, error);
    return project_at_once(self, error);
}

bool syncd_store_make_index(SyncdStore *self, const char *why, GError **error)
{
    GError *problem = NULL;
    if (begin_new_index(self, why, &problem))
        return project_at_once(self, error);
    if (syncd_store_made_room(self, problem)) {
        g_clear_error(&problem);
        if (begin_new_index(self, why, &problem))
            return project_at_once(self, error);
    }
    return give_up_index(self, problem, error);
}

bool syncd_store_need_index(SyncdStore *self, GError **error)
{
    if (self->mode == SYNCD_STORE_INSPECT) {
        syncd_set_error(error, SYNCD_ERROR_FAILED, "State that is only inspected has no index");
        return false;
    }
    if (may_pass(self, self->index_problem) && self->index == NULL &&
        syncd_store_may_try_index(self)) {
        self->unattended = true;
        if (!syncd_store_open_index(self, error))
            return false;
    }
    if (self->projection != NULL && self->unattended &&
        !syncd_store_project_batch(self, SYNCD_PROJECT_BATCH, error))
        return false;
    if (self->projection != NULL) {
        syncd_set_error(error, SYNCD_ERROR_BUSY, "The index is being made anew");
        return false;
    }
    return self->index != NULL || syncd_store_refuse_index(self, error);
}

/* Where it fails in between it has to be seen which of the files is there. */
void syncd_store_look_for_index(SyncdStore *self)
{
    GError *problem = NULL;
    self->unattended = true;
    if (!find_index(self, &problem))
        give_up_index(self, problem, NULL);
}

/* One that shall be kept is not there to be removed. */
static bool keep_old(SyncdStore *self, GError **error)
{
    if (self->index_snapshot == NULL)
        return true;
    g_autofree char *wal = g_strconcat(self->index_snapshot, "-wal", NULL);
    return syncd_store_set_aside(self, "index.db", self->index_snapshot, error) &&
           syncd_store_set_aside(self, "index.db-wal", wal, error);
}

bool syncd_store_exchange_index(SyncdStore *self, SyncdIndex *made, GError **error)
{
    self->exchanging = true;
    /* Its files go: what is in the WAL need not be moved any more. */
    syncd_database_freeze(syncd_index_database(self->index));
    g_clear_pointer(&self->index, syncd_index_free);
    if (keep_old(self, error))
        self->index = syncd_index_finish_new(made, self->directory, error);
    else
        syncd_index_discard_new(made, self->directory);
    if (self->index == NULL) {
        syncd_store_look_for_index(self);
        return false;
    }
    self->exchanging = false;
    self->index_generation++;
    self->registries++;
    self->found_no_room = false;
    syncd_store_keep_reserve(self);
    return true;
}
