#include "store/rescue.h"

#include "store/journal-private.h"
#include "store/mend-private.h"
#include "store/rollback.h"
#include "store/salvage.h"

#include <string.h>
#include <sys/stat.h>

#define MADE SYNCD_MEND_FILE
#define WAL SYNCD_JOURNAL_FILE "-wal"

struct SyncdRescue {
    SyncdStore *store;
    GPtrArray *names; /* of those that are not looked at yet, the next one first */
    guint n_names;    /* that there were */
    SyncdSalvage *salvage;
    bool salvaged;
    SyncdStore *candidate;
    GPtrArray *faults; /* of the candidate's structure, while that is looked at */
    SyncdMend *mend;   /* of the candidate, where it is damaged */
    char *best;        /* NULL: none so far */
    guint64 entries;   /* that the best has … */
    bool sound;        /* … and whether they are as they were */
    GPtrArray *said;
    SyncdJournal *source; /* the best, while it is copied */
    char *made;           /* where to */
    bool compact;
};

/* ---- what there is ---- */

/* First what there was. */
static GPtrArray *list(const SyncdStore *store)
{
    GPtrArray *names = syncd_source_list_journals(store->directory);
    if (syncd_salvage_is_possible(store->directory))
        g_ptr_array_insert(names, 0, g_strdup(SYNCD_JOURNAL_FILE));
    return names;
}

bool syncd_store_may_be_rescued(const SyncdStore *self)
{
    g_autoptr(GPtrArray) names = list(self);
    return names->len > 0;
}

bool syncd_store_has_backup(const SyncdStore *self)
{
    g_autoptr(GPtrArray) names = syncd_source_list_journals(self->directory);
    for (guint i = 0; i < names->len; i++)
        if (syncd_source_is_backup(names->pdata[i]))
            return true;
    return false;
}

guint64 syncd_store_rescue_bytes(const SyncdStore *self)
{
    g_autoptr(GPtrArray) names = list(self);
    guint64 most = 0;
    for (guint i = 0; i < names->len; i++) {
        struct stat st;
        g_autofree char *path = syncd_directory_file(self->directory, names->pdata[i]);
        if (lstat(path, &st) == 0)
            most = MAX(most, (guint64)st.st_size);
    }
    return 2 * most; /* one that is salvaged is copied twice */
}

static void rescuable_free(void *data)
{
    g_free(((SyncdRescuable *)data)->name);
    g_free(data);
}

static void add_rescuable(SyncdStore *self, const char *name, GPtrArray *found)
{
    struct stat st = {0};
    g_autofree char *path = syncd_directory_file(self->directory, name);
    bool is_salvaged = strcmp(name, SYNCD_JOURNAL_FILE) == 0;
    g_autoptr(SyncdJournal) journal =
        is_salvaged ? NULL
                    : syncd_journal_open_file(self->directory, name, SYNCD_DATABASE_COPY,
                                              self->keyring, NULL);
    if ((!is_salvaged && (journal == NULL || !syncd_journal_is_of_device(journal))) ||
        lstat(path, &st) != 0)
        return;
    SyncdRescuable *one = g_new(SyncdRescuable, 1);
    *one = (SyncdRescuable){g_strdup(name), (guint64)st.st_mtime * 1000,
                            is_salvaged ? 0 : syncd_journal_committed(journal), is_salvaged};
    g_ptr_array_add(found, one);
}

GPtrArray *syncd_store_list_rescuable(SyncdStore *self, guint64 *ret_known)
{
    g_autoptr(GPtrArray) names = list(self);
    g_autoptr(SyncdIndex) looked_at =
        self->index == NULL ? syncd_index_look(self->directory, NULL) : NULL;
    SyncdIndex *index = self->projection == NULL && self->index != NULL ? self->index : looked_at;
    GPtrArray *found = g_ptr_array_new_with_free_func(rescuable_free);
    for (guint i = 0; i < names->len; i++)
        add_rescuable(self, names->pdata[i], found);
    if (index == NULL || !syncd_index_projected(index, ret_known, NULL))
        *ret_known = 0;
    return found;
}

SyncdRescue *syncd_rescue_new(SyncdStore *store)
{
    SyncdRescue *self = g_new0(SyncdRescue, 1);
    self->store = store;
    self->names = list(store);
    self->n_names = self->names->len;
    self->said = g_ptr_array_new_with_free_func(g_free);
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
    syncd_salvage_remove(self->store->directory);
    g_ptr_array_unref(self->names);
    g_ptr_array_unref(self->said);
    g_free(self->best);
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

static const char *file_of(const char *name)
{
    return strcmp(name, SYNCD_JOURNAL_FILE) == 0 ? SYNCD_SALVAGE_FILE : name;
}

static SyncdJournal *open_one(SyncdRescue *self, const char *name, GError **error)
{
    bool ours = strcmp(name, SYNCD_JOURNAL_FILE) == 0;
    return syncd_journal_open_file(self->store->directory, file_of(name),
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

static void end_one(SyncdRescue *self)
{
    end_candidate(self);
    g_ptr_array_remove_index(self->names, 0);
}

static void take(SyncdRescue *self)
{
    const char *name = present(self);
    guint64 entries = syncd_journal_committed(self->candidate->journal);
    bool sound = self->mend == NULL;
    say(self, "%s has %" G_GUINT64_FORMAT " entries%s", name, entries,
        sound ? "" : ", and is damaged");
    if (entries > self->entries || (entries == self->entries && sound && !self->sound)) {
        self->entries = entries;
        self->sound = sound;
        g_free(self->best);
        self->best = g_strdup(name);
    }
    end_one(self);
}

static void pass_over(SyncdRescue *self, const GError *why)
{
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(why->message, &sentence, &next);
    say(self, "%s will not do: %s", present(self), sentence);
    end_one(self);
}

static bool is_salvaged(const SyncdRescue *self)
{
    return strcmp(present(self), SYNCD_JOURNAL_FILE) == 0;
}

static bool begin_mending(SyncdRescue *self, GError **error)
{
    self->mend = syncd_mend_new(self->candidate, error);
    return self->mend != NULL;
}

/* A store of it alone: that is what is mended. A head may cover what lies in pages that are gone,
 * so its structure is looked at: one that was cut short while it was open is kept with all that was
 * open of it, and no more. One that is salvaged has pages that nothing uses. */
static bool begin_candidate(SyncdRescue *self, GError **error)
{
    SyncdStore *store = self->store;
    SyncdJournal *journal = open_one(self, present(self), error);
    if (journal == NULL)
        return false;
    self->candidate = g_new0(SyncdStore, 1);
    *self->candidate = (SyncdStore){
        .sources = store->sources,
        .mode = SYNCD_STORE_OPEN,
        .directory = store->directory,
        .keyring = store->keyring,
        .journal = journal,
        .candidate = true,
    };
    if (!syncd_journal_is_of_device(journal)) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "It has no feed of this device");
        return false;
    }
    if (syncd_journal_problem(journal) != NULL)
        return begin_mending(self, error);
    if (!is_salvaged(self))
        self->faults = g_ptr_array_new_with_free_func(g_free);
    return true;
}

/* What was read of the journal is what is judged, and then put into its place: the disk may give
 * less of it the next time. */
static bool salvage(SyncdRescue *self, GError **error)
{
    bool more = false;
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
    bool whole = known && self->faults->len == 0;
    g_clear_pointer(&self->faults, g_ptr_array_unref);
    return whole || begin_mending(self, error);
}

static bool look_at_present(SyncdRescue *self, GError **error)
{
    bool more = false;
    if (is_salvaged(self) && !self->salvaged)
        return salvage(self, error);
    if (self->candidate == NULL)
        return begin_candidate(self, error);
    if (self->faults != NULL)
        return check_structure(self, error);
    if (self->mend == NULL) {
        take(self);
        return true;
    }
    if (!syncd_mend_examine(self->mend, &more, error))
        return false;
    if (more)
        return true;
    if (!syncd_mend_is_possible(self->mend, error))
        return false;
    take(self);
    return true;
}

static bool look(SyncdRescue *self, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (look_at_present(self, &problem))
        return true;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE)) {
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
    return strcmp(self->best, SYNCD_JOURNAL_FILE) == 0 ||
           syncd_store_doubt_end(self->store, journal, self->best, error);
}

/* Which pages of one that was salvaged nothing uses was in what it lost. One that is damaged is
 * written anew by whoever mends it. */
static bool begin_copy(SyncdRescue *self, GError **error)
{
    self->source = open_one(self, self->best, error);
    self->made = syncd_directory_file(self->store->directory, MADE);
    self->compact = self->sound && strcmp(self->best, SYNCD_JOURNAL_FILE) == 0;
    return self->source != NULL && doubt(self, self->source, error);
}

/* What cannot be written anew is better as it is than not at all. */
static bool copy_best(SyncdRescue *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (syncd_database_copy_step(syncd_journal_database(self->source), self->made,
                                 self->compact ? SYNCD_COPY_COMPACT : SYNCD_COPY_AS_IT_IS, ret_more,
                                 &problem))
        return true;
    if (self->compact && !g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE)) {
        self->compact = false;
        return *ret_more = true;
    }
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

/* The WAL goes before the other file comes: it would be taken for that file's. */
static bool exchange(SyncdRescue *self, GError **error)
{
    SyncdDirectory *directory = self->store->directory;
    g_clear_pointer(&self->source, end_journal);
    if (!syncd_directory_remove(directory, MADE "-wal", error) ||
        !syncd_directory_remove(directory, WAL, error) ||
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
    if (self->names->len > 0)
        return look(self, error);
    if (self->best == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "put a backup of journal.db into the state directory as "
                             "journal-backup.db, and plan again",
                             "Nothing here has entries of this log that can be used");
        return false;
    }
    if (self->source == NULL)
        return begin_copy(self, error);
    if (!copy_best(self, ret_more, error))
        return false;
    return *ret_more || exchange(self, error);
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

/* ---- what was there ---- */

typedef struct {
    char *main, *wal;
} Kept;

static Kept kept_of(const char *name)
{
    return (Kept){g_strconcat("repair/", name, NULL), g_strconcat("repair/", name, "-wal", NULL)};
}

static void kept_clear(Kept *kept)
{
    g_free(kept->main);
    g_free(kept->wal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kept, kept_clear)

static bool keep(SyncdStore *self, const char *name, const char *kept, GError **error)
{
    return syncd_directory_has(self->directory, kept) ||
           !syncd_directory_has(self->directory, name) ||
           syncd_directory_link(self->directory, name, kept, error);
}

/* Its WAL goes before another journal comes: whoever was interrupted in between has it again. */
static bool return_wal(SyncdStore *self, const Kept *kept, GError **error)
{
    return syncd_directory_has(self->directory, WAL) ||
           !syncd_directory_has(self->directory, kept->wal) ||
           !syncd_mend_is_the_journal(self, kept->main) ||
           syncd_directory_link(self->directory, kept->wal, WAL, error);
}

bool syncd_store_keep_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return self->unreadable == NULL ||
           (keep(self, WAL, kept.wal, error) && keep(self, SYNCD_JOURNAL_FILE, kept.main, error) &&
            return_wal(self, &kept, error));
}

/* All of it has to be in the file that is kept, and in the index, which says so later. */
static bool keep_present(SyncdStore *self, GError **error)
{
    if (self->unreadable != NULL)
        return true;
    if (self->projection == NULL)
        syncd_store_settle(self, NULL);
    g_autofree char *name = syncd_store_free_generation(self, error);
    return name != NULL && syncd_database_empty_wal(syncd_journal_database(self->journal), error) &&
           syncd_directory_link(self->directory, SYNCD_JOURNAL_FILE, name, error);
}

/* No WAL is ever beside another journal than its own, whose pages it would overwrite. */
static bool part_with_present(SyncdStore *self, const Kept *kept, GError **error)
{
    if (!keep_present(self, error))
        return false;
    syncd_database_freeze(syncd_journal_database(self->journal));
    return syncd_directory_remove(self->directory, WAL, error) &&
           syncd_directory_move(self->directory, kept->main, SYNCD_JOURNAL_FILE, error);
}

bool syncd_store_put_unreadable_back(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    bool comes = syncd_directory_has(self->directory, kept.main);
    bool lacks_wal = self->unreadable != NULL && syncd_directory_has(self->directory, kept.wal) &&
                     !syncd_directory_has(self->directory, WAL);
    if (!comes && !lacks_wal)
        return true;
    if (comes && !part_with_present(self, &kept, error))
        return false;
    bool whole = syncd_directory_move(self->directory, kept.wal, WAL, error);
    return syncd_store_reopen(self, whole ? error : NULL) && whole;
}

bool syncd_store_keeps_unreadable(SyncdStore *self, const char *name)
{
    g_auto(Kept) kept = kept_of(name);
    return syncd_directory_has(self->directory, kept.main) ||
           syncd_directory_has(self->directory, kept.wal);
}

bool syncd_store_release_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return syncd_directory_remove(self->directory, kept.wal, error) &&
           syncd_directory_remove(self->directory, kept.main, error);
}
