#include "store/rescue-private.h"

#include "store/journal-private.h"
#include "store/mend-private.h"
#include "store/rollback.h"
#include "store/salvage.h"

#include <string.h>

#define MADE SYNCD_MEND_FILE

struct SyncdRescue {
    SyncdStore *store;
    const GPtrArray *told; /* SyncdRescuable; NULL: nobody was told of any */
    guint others;          /* that were told of by their number alone */
    bool begun;
    char *listing;    /* as it was before any was looked at */
    GPtrArray *names; /* of those that are not looked at yet, the next one first */
    guint n_names;    /* that there were */
    SyncdSalvage *salvage;
    bool salvaged;
    SyncdStore *candidate;
    char *file;        /* the candidate's, as it was when it was opened */
    GPtrArray *faults; /* of the candidate's structure, while that is looked at */
    bool malformed;    /* it has some, so it is not copied as it is */
    SyncdMend *mend;   /* of the candidate, where it is damaged */
    GPtrArray *usable; /* Usable, the best one first */
    GPtrArray *said;
    SyncdJournal *source; /* the best, while it is copied */
    char *made;           /* where to */
    bool examined;        /* the best was, which is written anew */
};

typedef struct {
    char *name;
    char *file, *heads; /* as they were when it was looked at */
    guint64 entries;    /* that can be had: with what the others have of them */
    bool sound;         /* they are as they were */
    bool anew;          /* its entries go into another file: its own could not be written to */
} Usable;

static void usable_free(void *data)
{
    Usable *one = data;
    g_free(one->name);
    g_free(one->file);
    g_free(one->heads);
    g_free(one);
}

SyncdRescue *syncd_rescue_new(SyncdStore *store, const GPtrArray *told, guint others)
{
    SyncdRescue *self = g_new0(SyncdRescue, 1);
    self->store = store;
    self->told = told;
    self->others = others;
    self->listing = syncd_rescue_listing(store);
    self->names = syncd_rescue_list(store);
    self->n_names = self->names->len;
    self->said = g_ptr_array_new_with_free_func(g_free);
    self->usable = g_ptr_array_new_with_free_func(usable_free);
    return self;
}

/* Until its steps are over, the database is not to be asked anything. */
static void end_journal(SyncdJournal *journal)
{
    syncd_database_stop_steps(syncd_journal_database(journal));
    syncd_journal_free(journal);
}

static void end_candidate(SyncdRescue *self)
{
    g_clear_pointer(&self->salvage, syncd_salvage_free);
    g_clear_pointer(&self->mend, syncd_mend_free);
    if (self->candidate != NULL)
        end_journal(self->candidate->journal);
    g_clear_pointer(&self->candidate, g_free);
    g_clear_pointer(&self->file, g_free);
    g_clear_pointer(&self->faults, g_ptr_array_unref);
}

void syncd_rescue_free(SyncdRescue *self)
{
    if (self == NULL)
        return;
    end_candidate(self);
    g_clear_pointer(&self->source, end_journal);
    if (self->made != NULL && syncd_directory_has(self->store->directory, MADE))
        syncd_directory_remove(self->store->directory, MADE, NULL);
    g_free(self->made);
    g_free(self->listing);
    syncd_salvage_remove(self->store->directory);
    g_ptr_array_unref(self->names);
    g_ptr_array_unref(self->said);
    g_ptr_array_unref(self->usable);
    g_free(self);
}

const GPtrArray *syncd_rescue_said(const SyncdRescue *self)
{
    return self->said;
}

/* ---- looking at one ---- */

static const char *present(const SyncdRescue *self)
{
    return self->names->pdata[0];
}

static SyncdJournal *open_one(SyncdRescue *self, const char *name, GError **error)
{
    bool ours = syncd_rescue_salvages(name);
    return syncd_journal_open_file(self->store->directory, ours ? SYNCD_SALVAGE_FILE : name,
                                   ours ? SYNCD_DATABASE_OWN_COPY : SYNCD_DATABASE_COPY,
                                   self->store->keyring, error);
}

static void say(SyncdRescue *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(SyncdRescue *self, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_ptr_array_add(self->said, g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

/* ---- what was agreed to ---- */

static bool refuse_changed(const char *name, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                         "plan again with `sourceos-syncd repair plan`, and look at the new plan",
                         "%s is not what it was when it was looked at", name);
    return false;
}

static const SyncdRescuable *told_of(const SyncdRescue *self, const char *name)
{
    for (guint i = 0; self->told != NULL && i < self->told->len; i++)
        if (strcmp(((const SyncdRescuable *)self->told->pdata[i])->name, name) == 0)
            return self->told->pdata[i];
    return NULL;
}

static bool are_all_there(const SyncdRescue *self, GError **error)
{
    for (guint i = 0; self->told != NULL && i < self->told->len; i++) {
        const char *name = ((const SyncdRescuable *)self->told->pdata[i])->name;
        if (!g_ptr_array_find_with_equal_func(self->names, name, g_str_equal, NULL))
            return refuse_changed(name, error);
    }
    return true;
}

static bool is_as_told(const SyncdRescue *self, const SyncdRescuable *told)
{
    g_autofree char *is = syncd_rescue_salvages(told->name) ? syncd_rescue_times(self->store)
                          : self->candidate != NULL ? syncd_rescue_heads(self->candidate->journal)
                                                    : NULL;
    return g_strcmp0(is, syncd_rescue_salvages(told->name) ? told->state : told->heads) == 0;
}

/* Of the present one, which is open, but for one that is salvaged. */
static bool check_told(const SyncdRescue *self, GError **error)
{
    const char *name = present(self);
    const SyncdRescuable *told = told_of(self, name);
    if (told != NULL)
        return is_as_told(self, told) || refuse_changed(name, error);
    if (self->told == NULL || self->others > 0 || syncd_source_is_generation(name))
        return true;
    syncd_set_error(error, SYNCD_ERROR_ACCESS_DENIED, "The plan does not name it");
    return false;
}

static bool check_file(const SyncdRescue *self, const char *name, const char *was, GError **error)
{
    g_autofree char *is = syncd_rescue_state(self->store, name);
    return strcmp(is, was) == 0 || refuse_changed(name, error);
}

static bool check_heads(const SyncdJournal *journal, const Usable *one, GError **error)
{
    g_autofree char *heads = syncd_rescue_heads(journal);
    return strcmp(heads, one->heads) == 0 || refuse_changed(one->name, error);
}

/* ---- one by one ---- */

static void end_one(SyncdRescue *self)
{
    end_candidate(self);
    g_ptr_array_remove_index(self->names, 0);
}

static bool is_better(const Usable *one, const Usable *other)
{
    return one->entries > other->entries ||
           (one->entries == other->entries && one->sound && !other->sound);
}

/* What would be lost of a damaged one does not count. Where nothing would be, it is mended at once;
 * where something would be that is asked first, if the file can be written to. */
static bool take(SyncdRescue *self, GError **error)
{
    if (!check_file(self, present(self), self->file, error))
        return false;
    bool sound = self->mend == NULL;
    guint64 all = syncd_journal_committed(self->candidate->journal);
    guint64 lost = sound ? 0 : syncd_mend_count_lost_entries(self->mend);
    Usable *one = g_new(Usable, 1);
    *one = (Usable){
        .name = g_strdup(present(self)),
        .file = g_strdup(self->file),
        .heads = syncd_rescue_heads(self->candidate->journal),
        .entries = all - MIN(all, lost),
        .sound = sound,
        .anew = !sound && (self->malformed || syncd_mend_count(self->mend, SYNCD_MEND_LOST) == 0),
    };
    say(self, "%s has %" G_GUINT64_FORMAT " entries%s%s", one->name, one->entries,
        sound ? "" : ", and is damaged", lost > 0 ? ": others of it are nowhere to be had" : "");
    guint at = 0;
    while (at < self->usable->len && !is_better(one, self->usable->pdata[at]))
        at++;
    g_ptr_array_insert(self->usable, (gint)at, one);
    end_one(self);
    return true;
}

static const Usable *best(const SyncdRescue *self)
{
    return self->usable->pdata[0];
}

static void say_why_not(SyncdRescue *self, const char *name, const GError *why)
{
    g_ptr_array_add(self->said, syncd_rescue_why_not(name, why));
    syncd_rescue_note_useless(self->store, self->listing, name, why);
}

static void pass_over(SyncdRescue *self, const GError *why)
{
    say_why_not(self, present(self), why);
    end_one(self);
}

static bool begin_mending(SyncdRescue *self, GError **error)
{
    self->mend = syncd_mend_new(self->candidate, error);
    return self->mend != NULL;
}

static bool open_candidate(SyncdRescue *self, const char *name, GError **error)
{
    SyncdJournal *journal = open_one(self, name, error);
    self->candidate = journal != NULL ? syncd_rescue_candidate(self->store, journal) : NULL;
    return journal != NULL;
}

static bool open_told(SyncdRescue *self, const char *name, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (open_candidate(self, name, &problem))
        return check_told(self, error);
    if (told_of(self, name) != NULL)
        return refuse_changed(name, error);
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* A head may cover what lies in pages that are gone, so its structure is looked at: one that was
 * cut short while it was open is kept with all that was open of it, and no more. One that is
 * salvaged has pages that nothing uses, and is never copied as it is. */
static bool begin_candidate(SyncdRescue *self, GError **error)
{
    bool ours = syncd_rescue_salvages(present(self));
    if (!(ours ? open_candidate : open_told)(self, present(self), error))
        return false;
    if (!syncd_rescue_check_owner(self->store, self->candidate->journal, error))
        return false;
    self->malformed = ours;
    if (!self->malformed)
        self->faults = g_ptr_array_new_with_free_func(g_free);
    else if (syncd_journal_problem(self->candidate->journal) != NULL)
        return begin_mending(self, error);
    return true;
}

/* What was read of the journal is what is judged, and then put into its place: the disk may give
 * less of it the next time. */
static bool salvage(SyncdRescue *self, GError **error)
{
    bool more = false;
    if (self->salvage == NULL && !check_told(self, error))
        return false;
    if (self->salvage == NULL)
        self->salvage = syncd_salvage_new(self->store->directory, error);
    if (self->salvage == NULL || !syncd_salvage_step(self->salvage, &more, error))
        return false;
    self->salvaged = !more;
    if (!more)
        g_clear_pointer(&self->salvage, syncd_salvage_free);
    return true;
}

static bool check_structure(SyncdRescue *self, GError **error)
{
    bool more = false;
    bool known = syncd_database_check_structure_step(
        syncd_journal_database(self->candidate->journal), self->faults, &more, NULL);
    if (known && more)
        return true;
    self->malformed = !known || self->faults->len > 0;
    g_clear_pointer(&self->faults, g_ptr_array_unref);
    bool sound = !self->malformed && syncd_journal_problem(self->candidate->journal) == NULL;
    return sound || begin_mending(self, error);
}

static bool look_at_present(SyncdRescue *self, GError **error)
{
    bool more = false;
    if (self->file == NULL)
        self->file = syncd_rescue_state(self->store, present(self));
    if (syncd_rescue_salvages(present(self)) && !self->salvaged)
        return salvage(self, error);
    if (self->candidate == NULL)
        return begin_candidate(self, error);
    if (self->faults != NULL)
        return check_structure(self, error);
    if (self->mend == NULL)
        return take(self, error);
    if (!syncd_mend_examine(self->mend, &more, error))
        return false;
    if (more)
        return true;
    return syncd_mend_is_possible(self->mend, error) && take(self, error);
}

/* Others will not help there. */
static bool is_the_end(const GError *problem)
{
    return g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE) ||
           g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
}

static bool look(SyncdRescue *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (look_at_present(self, &problem))
        return true;
    if (is_the_end(problem)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    pass_over(self, problem);
    return true;
}

/* ---- putting it in its place ---- */

/* What is older than the journal may lack what was acknowledged last. */
static bool doubt(SyncdRescue *self, SyncdJournal *journal, GError **error)
{
    return syncd_rescue_salvages(best(self)->name) ||
           syncd_store_doubt_end(self->store, journal, best(self)->name, error);
}

static bool begin_copy(SyncdRescue *self, GError **error)
{
    self->source = open_one(self, best(self)->name, error);
    return self->source != NULL && check_heads(self->source, best(self), error) &&
           doubt(self, self->source, error);
}

/* Which pages of one that was salvaged nothing uses was in what it lost. */
static bool copy_best(SyncdRescue *self, bool *ret_more, GError **error)
{
    bool compact = syncd_rescue_salvages(best(self)->name);
    *ret_more = true;
    if (self->source == NULL)
        return begin_copy(self, error);
    return syncd_database_copy_step(syncd_journal_database(self->source), self->made,
                                    compact ? SYNCD_COPY_COMPACT : SYNCD_COPY_AS_IT_IS, ret_more,
                                    error);
}

static bool begin_build(SyncdRescue *self, GError **error)
{
    return open_candidate(self, best(self)->name, error) &&
           check_heads(self->candidate->journal, best(self), error) &&
           doubt(self, self->candidate->journal, error) && begin_mending(self, error);
}

/* It is verified before it is in any place. */
static bool build_best(SyncdRescue *self, bool *ret_more, GError **error)
{
    *ret_more = true;
    if (self->mend == NULL)
        return begin_build(self, error);
    if (!self->examined) {
        bool more = false;
        bool ok = syncd_mend_examine(self->mend, &more, error);
        self->examined = ok && !more;
        return ok;
    }
    return syncd_mend_build(self->mend, ret_more, error) &&
           (*ret_more || syncd_mend_leave(self->mend, error));
}

static void end_best(SyncdRescue *self)
{
    end_candidate(self);
    g_clear_pointer(&self->source, end_journal);
    self->examined = false;
}

/* Whoever wrote to it meanwhile, or put another one there, has this copy be of either. */
static bool check_made(SyncdRescue *self, GError **error)
{
    const Usable *one = best(self);
    if (!check_file(self, one->name, one->file, error))
        return false;
    if (one->anew)
        return true;
    g_autoptr(SyncdJournal) made = syncd_journal_open_file(
        self->store->directory, MADE, SYNCD_DATABASE_OWN_COPY, self->store->keyring, error);
    return made != NULL && check_heads(made, one, error);
}

/* What cannot be copied may be written anew from its entries; where that fails, too, the next best
 * one is better than none. */
static void give_way(SyncdRescue *self, const GError *why)
{
    Usable *one = self->usable->pdata[0];
    if (!one->anew) {
        one->anew = true;
        return;
    }
    say_why_not(self, one->name, why);
    g_ptr_array_remove_index(self->usable, 0);
}

static bool make(SyncdRescue *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (self->made == NULL)
        self->made = syncd_directory_file(self->store->directory, MADE);
    if ((best(self)->anew ? build_best : copy_best)(self, ret_more, &problem) &&
        (*ret_more || check_made(self, &problem)))
        return true;
    end_best(self);
    if (is_the_end(problem)) {
        g_propagate_error(error, g_steal_pointer(&problem));
        return false;
    }
    give_way(self, problem);
    return *ret_more = true;
}

/* What was there has other names by now. It goes before what is beside it, without which it might
 * be taken for all there is, and that before the other file comes, whose it would be taken for. */
static bool exchange(SyncdRescue *self, GError **error)
{
    SyncdDirectory *directory = self->store->directory;
    end_best(self);
    if (!syncd_directory_remove(directory, MADE "-wal", error) ||
        !syncd_directory_remove(directory, SYNCD_JOURNAL_FILE, error) ||
        !syncd_store_remove_beside(self->store, SYNCD_JOURNAL_FILE, error) ||
        !syncd_directory_rename(directory, MADE, SYNCD_JOURNAL_FILE, error) ||
        !syncd_directory_sync(directory, error) || !syncd_store_reopen(self->store, error))
        return false;
    if (self->store->unreadable == NULL)
        return true;
    g_propagate_error(error, g_error_copy(self->store->unreadable));
    return false;
}

bool syncd_rescue_step(SyncdRescue *self, bool *ret_more, GError **error)
{
    *ret_more = true;
    if (!self->begun) {
        self->begun = true;
        return are_all_there(self, error);
    }
    if (self->names->len > 0)
        return look(self, error);
    if (self->usable->len == 0) {
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "put a backup of journal.db into the state directory as "
                             "journal-backup.db, and plan again",
                             "Nothing here has entries of this log that can be used");
        return false;
    }
    return make(self, ret_more, error) && (*ret_more || exchange(self, error));
}

/* ---- how far it is ---- */

static double part_of_present(const SyncdRescue *self)
{
    if (self->salvage != NULL)
        return syncd_salvage_progress(self->salvage) / 2;
    if (self->candidate == NULL)
        return 0;
    if (self->mend != NULL)
        return (1 + syncd_mend_progress(self->mend)) / 2;
    return syncd_database_step_part(syncd_journal_database(self->candidate->journal)) / 2;
}

double syncd_rescue_progress(const SyncdRescue *self)
{
    guint looked_at = self->n_names - self->names->len;
    double part = self->source != NULL
                      ? syncd_database_step_part(syncd_journal_database(self->source))
                      : part_of_present(self);
    return (looked_at + part) / (self->n_names + 1);
}
