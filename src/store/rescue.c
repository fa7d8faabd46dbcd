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
    GPtrArray *names; /* of those that are not looked at yet, the next one last */
    SyncdStore *candidate;
    SyncdMend *mend; /* of the candidate, where it is damaged */
    char *best;      /* NULL: none so far */
    guint64 entries; /* that the best has … */
    bool sound;      /* … and whether they are as they were */
    GPtrArray *said;
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

SyncdRescue *syncd_rescue_new(SyncdStore *store)
{
    SyncdRescue *self = g_new0(SyncdRescue, 1);
    self->store = store;
    self->names = list(store);
    self->said = g_ptr_array_new_with_free_func(g_free);
    return self;
}

static void end_candidate(SyncdRescue *self)
{
    g_clear_pointer(&self->mend, syncd_mend_free);
    if (self->candidate != NULL)
        syncd_journal_free(self->candidate->journal);
    g_clear_pointer(&self->candidate, g_free);
}

void syncd_rescue_free(SyncdRescue *self)
{
    if (self == NULL)
        return;
    end_candidate(self);
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
    return syncd_journal_open_file(self->store->directory, file_of(name), SYNCD_DATABASE_COPY,
                                   self->store->keyring, error);
}

/* What was read of the journal is what is judged, and then put into its place: the disk may give
 * less of it the next time. */
static SyncdJournal *open_present(SyncdRescue *self, GError **error)
{
    const char *name = present(self);
    bool salvages = strcmp(name, SYNCD_JOURNAL_FILE) == 0;
    return !salvages || syncd_salvage_make(self->store->directory, error)
               ? open_one(self, name, error)
               : NULL;
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

/* A head may cover what lies in pages that are gone: one that was cut short while it was open is
 * kept with all that was open of it, and no more. One that is salvaged has pages that nothing uses.
 */
static bool is_whole(const SyncdRescue *self, SyncdJournal *journal)
{
    if (syncd_journal_problem(journal) != NULL)
        return false;
    if (strcmp(present(self), SYNCD_JOURNAL_FILE) == 0)
        return true;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    return syncd_database_check_structure(syncd_journal_database(journal), faults, NULL) &&
           faults->len == 0;
}

/* A store of it alone: that is what is mended. */
static bool begin_candidate(SyncdRescue *self, GError **error)
{
    SyncdStore *store = self->store;
    SyncdJournal *journal = open_present(self, error);
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
    if (is_whole(self, journal))
        return true;
    self->mend = syncd_mend_new(self->candidate, error);
    return self->mend != NULL;
}

static bool step(SyncdRescue *self, GError **error)
{
    bool more = false;
    if (self->candidate == NULL && !begin_candidate(self, error))
        return false;
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

bool syncd_rescue_look(SyncdRescue *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (self->names->len > 0 && !step(self, &problem)) {
        if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        pass_over(self, problem);
    }
    *ret_more = self->names->len > 0;
    return true;
}

/* ---- putting it in its place ---- */

/* Which pages of one that was salvaged nothing uses was in what it lost. One that is damaged is
 * written anew by whoever mends it. */
static void compact(const char *path)
{
    g_autoptr(SyncdDatabase) made =
        syncd_database_open(path, &syncd_journal_kind, SYNCD_DATABASE_EXISTING, NULL);
    if (made != NULL)
        syncd_database_compact(made, NULL);
}

/* What is older than the journal may lack what was acknowledged last. */
static bool doubt(SyncdRescue *self, SyncdJournal *journal, GError **error)
{
    return strcmp(self->best, SYNCD_JOURNAL_FILE) == 0 ||
           syncd_store_doubt_end(self->store, journal, self->best, error);
}

static bool copy_best(SyncdRescue *self, GError **error)
{
    g_autofree char *path = syncd_directory_file(self->store->directory, MADE);
    g_autoptr(SyncdJournal) journal = open_one(self, self->best, error);
    if (journal == NULL || !doubt(self, journal, error) ||
        !syncd_database_copy(syncd_journal_database(journal), path, error))
        return false;
    if (self->sound && strcmp(self->best, SYNCD_JOURNAL_FILE) == 0)
        compact(path);
    return syncd_directory_remove(self->store->directory, MADE "-wal", error) &&
           syncd_directory_sync_file(self->store->directory, MADE, error);
}

bool syncd_rescue_switch(SyncdRescue *self, GError **error)
{
    SyncdDirectory *directory = self->store->directory;
    if (self->best == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "put a backup of journal.db into the state directory as "
                             "journal-backup.db, and plan again",
                             "Nothing here has entries of this log that can be used");
        return false;
    }
    /* The WAL goes before the other file comes: it would be taken for that file's. */
    if (!copy_best(self, error) || !syncd_directory_remove(directory, WAL, error) ||
        !syncd_directory_rename(directory, MADE, SYNCD_JOURNAL_FILE, error) ||
        !syncd_directory_sync(directory, error) || !syncd_store_reopen(self->store, error))
        return false;
    if (self->store->unreadable == NULL)
        return true;
    g_propagate_error(error, g_error_copy(self->store->unreadable));
    return false;
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

bool syncd_store_release_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return syncd_directory_remove(self->directory, kept.wal, error) &&
           syncd_directory_remove(self->directory, kept.main, error);
}
