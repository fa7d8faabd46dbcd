#include "store/displaced.h"

#include "base/log.h"
#include "store/mend.h"
#include "store/store-private.h"

/* One that is being made is in no place yet. */
static void look_at_index(SyncdStore *self)
{
    if (self->index == NULL || self->projection != NULL)
        return;
    SyncdDatabase *db = syncd_index_database(self->index);
    if (syncd_database_note_displacement(db))
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_INDEX_REBUILT, "%s: it has to be made anew.",
                  syncd_database_damage(db));
}

/* What is open of it does not even say what it should hold: no generation can be made of it. That
 * is looked at once for what was met. */
static bool is_beyond_use(SyncdStore *self)
{
    SyncdDatabase *db = syncd_journal_database(self->journal);
    guint64 generation;
    SyncdMend *mend = NULL;
    g_autoptr(GError) error = NULL;
    if (!syncd_store_met_damage(self) || syncd_database_met_damage(db) == self->probed_damage)
        return false;
    syncd_database_forget_pages(db);
    if (syncd_store_generation(self, &generation, &error))
        mend = syncd_mend_new(self, &error);
    g_clear_pointer(&mend, syncd_mend_free);
    self->probed_damage = syncd_database_met_damage(db);
    return g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
}

void syncd_store_note_opened(SyncdStore *self)
{
    g_clear_pointer(&self->displaced, g_free);
    self->displaced_unseen = false;
    self->looked_again_at = self->probed_damage = 0;
    self->opened_damaged = syncd_store_met_damage(self);
}

bool syncd_store_look_at_place(SyncdStore *self)
{
    if (self->displaced != NULL || self->mode == SYNCD_STORE_INSPECT)
        return self->displaced == NULL;
    self->displaced =
        syncd_database_displacement(syncd_journal_database(self->journal), &self->displacement);
    if (self->displaced == NULL && is_beyond_use(self)) {
        self->displaced = g_strdup("journal.db was overwritten");
        self->displacement = SYNCD_WAS_OVERWRITTEN;
        self->displaced_unseen = true;
    }
    if (self->displaced == NULL) {
        look_at_index(self);
        return true;
    }
    g_autofree char *said = syncd_store_say_displacement(self);
    syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT, "%s: nothing is written any more.",
              said);
    if (self->condition != SYNCD_STORE_DAMAGED)
        self->condition = SYNCD_STORE_DISPLACED;
    return false;
}

const char *syncd_store_displacement(const SyncdStore *self)
{
    return self->displaced;
}

/* What the system says of files is held against what it said at the open, and SQLite has seen the
 * header then. Of pages that nobody read before nobody knows. */
static const char *when(const SyncdStore *self)
{
    if (!self->displaced_unseen)
        return " while it was open";
    return self->opened_damaged ? " before it was opened" : ", before it was opened or since";
}

char *syncd_store_say_displacement(const SyncdStore *self)
{
    return self->displaced != NULL ? g_strconcat(self->displaced, when(self), NULL) : NULL;
}

const char *syncd_store_damage(const SyncdStore *self)
{
    return self->displaced == NULL && self->unreadable == NULL
               ? syncd_database_damage(syncd_journal_database(self->journal))
               : NULL;
}

bool syncd_store_met_damage(const SyncdStore *self)
{
    return syncd_store_damage(self) != NULL;
}

void syncd_store_set_displaced_error(const SyncdStore *self, GError **error)
{
    g_autofree char *said = syncd_store_say_displacement(self);
    syncd_set_error_next(error, SYNCD_ERROR_STORAGE_FAILED,
                         "see with `sourceos-syncd repair plan` how it comes back, before the "
                         "daemon is stopped",
                         "Nothing was written: %s", said);
}

bool syncd_store_is_cut(const SyncdStore *self)
{
    return self->displaced != NULL && (self->displacement == SYNCD_WAS_CUT_SHORT ||
                                       self->displacement == SYNCD_WAS_OVERWRITTEN);
}

/* ---- keeping what was open ---- */

/* NULL: the journal is where it was. */
static SyncdJournal *what_was_open(const SyncdStore *self)
{
    return self->cut != NULL ? self->cut : self->displaced != NULL ? self->journal : NULL;
}

/* Pages that were cut off are read as zeros. */
static void tell(const SyncdStore *self, const GError *error)
{
    bool cut = self->cut != NULL || syncd_store_is_cut(self);
    g_autofree char *name =
        self->displaced_copy != NULL ? g_path_get_basename(self->displaced_copy) : NULL;
    if (error == NULL)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_JOURNAL_CORRUPT, "What was open is kept as %s%s.",
                  name, cut ? ", as far as it could be read" : "");
    else
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_JOURNAL_CORRUPT,
                  "What was open cannot be kept, and is lost with its end: %s", error->message);
}

static bool copy_some(SyncdStore *self, bool *ret_more, GError **error)
{
    if (self->displaced_copy == NULL) {
        g_autofree char *name = syncd_store_free_generation(self, error);
        if (name == NULL)
            return false;
        self->displaced_copy = syncd_directory_file(self->directory, name);
    }
    return syncd_database_copy_step(syncd_journal_database(what_was_open(self)),
                                    self->displaced_copy, SYNCD_COPY_AS_IT_IS, ret_more, error);
}

/* What was set aside for want of room is for what nothing else has: it begins again then. */
static bool copy_on(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (copy_some(self, ret_more, &problem))
        return true;
    *ret_more = syncd_store_made_room(self, problem);
    if (!*ret_more)
        g_propagate_error(error, g_steal_pointer(&problem));
    return *ret_more;
}

bool syncd_store_keep_displaced(SyncdStore *self)
{
    g_autoptr(GError) error = NULL;
    bool more = false;
    SyncdJournal *open = what_was_open(self);
    if (open == NULL || self->displaced_kept)
        return false;
    if (copy_on(self, &more, &error) && more)
        return true;
    tell(self, error);
    self->displaced_kept = true;
    /* What is at its paths is not its own. */
    syncd_database_freeze(syncd_journal_database(open));
    return false;
}

/* ---- one that was cut short ---- */

bool syncd_store_let_go_of_cut(SyncdStore *self, GError **error)
{
    GError *problem = NULL;
    if (!syncd_store_is_cut(self))
        return true;
    /* So that the index says later what is missing. */
    if (self->projection == NULL)
        syncd_store_settle(self, NULL);
    g_autofree char *said = syncd_store_say_displacement(self);
    syncd_set_error(&problem, SYNCD_ERROR_JOURNAL_CORRUPT, "%s", said);
    return syncd_store_stand_aside(self, problem, error);
}

bool syncd_store_holds_cut(const SyncdStore *self)
{
    return self->cut != NULL;
}

/* What cannot be read is copied no more by trying again; room may come. */
bool syncd_store_keep_cut(SyncdStore *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    *ret_more = false;
    if (self->cut == NULL || (copy_on(self, ret_more, &problem) && *ret_more))
        return true;
    bool full = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    if (!full) {
        tell(self, problem);
        g_clear_pointer(&self->cut, syncd_journal_free);
    }
    g_clear_pointer(&self->displaced_copy, g_free);
    if (full)
        g_propagate_error(error, g_steal_pointer(&problem));
    return !full;
}
