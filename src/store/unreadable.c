/* A journal that cannot be opened is kept while another one is in its place, and put back. */
#include "store/rescue.h"

#include "store/aside.h"
#include "store/journal-private.h"
#include "store/mend-private.h"
#include "store/source.h"
#include "store/wal.h"

/* SQLite has a WAL or a rollback journal beside a database, which is nothing without it, and takes
 * that of another one for its own. */
enum { MAIN, WAL, ROLLBACK, N_PARTS };
static const char *const suffixes[N_PARTS] = {"", "-wal", "-journal"};

typedef struct {
    char *file, *kept;
    char *name; /* of that in the folder of repairs */
} Part;

typedef struct {
    Part parts[N_PARTS];
} Kept;

static Kept kept_of(const char *name)
{
    Kept kept;
    for (guint i = 0; i < N_PARTS; i++)
        kept.parts[i] = (Part){g_strconcat(SYNCD_JOURNAL_FILE, suffixes[i], NULL),
                               g_strconcat("repair/", name, suffixes[i], NULL),
                               g_strconcat(name, suffixes[i], NULL)};
    return kept;
}

static void kept_clear(Kept *kept)
{
    for (guint i = 0; i < N_PARTS; i++) {
        g_free(kept->parts[i].file);
        g_free(kept->parts[i].kept);
        g_free(kept->parts[i].name);
    }
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kept, kept_clear)

typedef bool (*Each)(SyncdStore *self, const Part *part, GError **error);

static bool each_beside(SyncdStore *self, const Kept *kept, Each each, GError **error)
{
    for (guint i = WAL; i < N_PARTS; i++)
        if (!each(self, &kept->parts[i], error))
            return false;
    return true;
}

static bool add_name(SyncdStore *self, const char *name, const char *other, GError **error)
{
    return syncd_directory_has(self->directory, other) ||
           !syncd_directory_has(self->directory, name) ||
           syncd_directory_link(self->directory, name, other, error);
}

/* Its mode is that of the file as long as that has both names. */
static bool keep(SyncdStore *self, const Part *part, GError **error)
{
    return syncd_directory_has(self->directory, part->kept) ||
           !syncd_directory_has(self->directory, part->file) ||
           (syncd_store_note_mode(self, part->file, part->name, error) &&
            syncd_directory_link(self->directory, part->file, part->kept, error));
}

static bool give_back(SyncdStore *self, const Part *part, GError **error)
{
    return add_name(self, part->kept, part->file, error);
}

static bool remove_kept(SyncdStore *self, const Part *part, GError **error)
{
    return syncd_directory_remove(self->directory, part->kept, error);
}

static bool remove_if_back(SyncdStore *self, const Part *part, GError **error)
{
    return !syncd_directory_is_same(self->directory, part->kept, part->file) ||
           remove_kept(self, part, error);
}

static bool release(SyncdStore *self, const Part *part, GError **error)
{
    return remove_kept(self, part, error) && syncd_store_forget_mode(self, part->name, error);
}

/* One that is kept still is not the one that is there. */
static bool put_mode_back(SyncdStore *self, const Part *part, GError **error)
{
    return syncd_directory_has(self->directory, part->kept) ||
           syncd_store_put_mode_back(self, part->name, part->file, error);
}

bool syncd_store_remove_beside(SyncdStore *self, const char *name, GError **error)
{
    for (guint i = WAL; i < N_PARTS; i++) {
        g_autofree char *file = g_strconcat(name, suffixes[i], NULL);
        if (!syncd_directory_remove(self->directory, file, error))
            return false;
    }
    return true;
}

/* Whoever was interrupted before another journal came has it again, its WAL first. */
static bool return_kept(SyncdStore *self, const Kept *kept, GError **error)
{
    const Part *main = &kept->parts[MAIN];
    bool gone = !syncd_directory_has(self->directory, main->file) &&
                syncd_directory_has(self->directory, main->kept);
    if (!gone && !syncd_mend_is_the_journal(self, main->kept))
        return true;
    return each_beside(self, kept, give_back, error) && (!gone || give_back(self, main, error));
}

bool syncd_store_keep_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return self->unreadable == NULL ||
           (each_beside(self, &kept, keep, error) && keep(self, &kept.parts[MAIN], error) &&
            return_kept(self, &kept, error));
}

static void make_private(SyncdStore *self, const char *journal)
{
    for (guint i = 0; i < N_PARTS; i++) {
        g_autofree char *file = g_strconcat(journal, suffixes[i], NULL);
        syncd_directory_make_private(self->directory, file);
    }
}

void syncd_store_close_unreadable(SyncdStore *self, const char *name)
{
    g_auto(Kept) kept = kept_of(name);
    make_private(self, kept.parts[MAIN].kept);
}

/* That of an earlier generation that is the journal: whoever was interrupted gave it that. */
static char *name_of_present(SyncdStore *self)
{
    g_autoptr(GPtrArray) names = syncd_source_list_journals(self->directory);
    for (guint i = 0; i < names->len; i++)
        if (syncd_mend_is_the_journal(self, names->pdata[i]))
            return g_strdup(names->pdata[i]);
    return NULL;
}

static bool name_beside(SyncdStore *self, const char *name, GError **error)
{
    for (guint i = WAL; i < N_PARTS; i++) {
        g_autofree char *file = g_strconcat(SYNCD_JOURNAL_FILE, suffixes[i], NULL),
                        *other = g_strconcat(name, suffixes[i], NULL);
        if (!add_name(self, file, other, error))
            return false;
    }
    return true;
}

static char *name_present(SyncdStore *self, bool is_whole, GError **error)
{
    char *known = name_of_present(self);
    if (known != NULL)
        return known;
    g_autofree char *name = syncd_store_free_generation(self, error);
    bool ok = name != NULL && (is_whole || name_beside(self, name, error)) &&
              syncd_directory_link(self->directory, SYNCD_JOURNAL_FILE, name, error);
    return ok ? g_steal_pointer(&name) : NULL;
}

/* One that cannot be opened either may be salvaged, and what came since is in no other file. */
static bool keep_unopened(SyncdStore *self, const Kept *kept, char **ret_name, GError **error)
{
    if (!syncd_directory_has(self->directory, SYNCD_JOURNAL_FILE) ||
        syncd_mend_is_the_journal(self, kept->parts[MAIN].kept))
        return true;
    *ret_name = name_present(self, false, error);
    return *ret_name != NULL;
}

/* All of it has to be in the file that is kept, or in its WAL that is kept with it, and in the
 * index, which says so later. `*ret_name` NULL: there is none. */
static bool keep_present(SyncdStore *self, const Kept *kept, char **ret_name, GError **error)
{
    *ret_name = NULL;
    if (self->unreadable != NULL)
        return keep_unopened(self, kept, ret_name, error);
    if (self->projection == NULL)
        syncd_store_settle(self, NULL);
    bool whole = !syncd_wal_has_more(self->directory, kept->parts[WAL].file);
    if (whole && !syncd_database_empty_wal(syncd_journal_database(self->journal), error))
        return false;
    *ret_name = name_present(self, whole, error);
    return *ret_name != NULL;
}

/* In between there is no journal, so that nobody takes one without its WAL for all there is, nor a
 * WAL for another journal's, nor ends in it what was half done in another one; and all of it can be
 * done again. */
static bool put_in_place(SyncdStore *self, const Kept *kept, GError **error)
{
    const Part *main = &kept->parts[MAIN];
    syncd_database_freeze(syncd_journal_database(self->journal));
    return syncd_directory_remove(self->directory, main->file, error) &&
           syncd_store_remove_beside(self, main->file, error) &&
           each_beside(self, kept, give_back, error) &&
           syncd_directory_move(self->directory, main->kept, main->file, error) &&
           each_beside(self, kept, remove_kept, error);
}

static bool put_modes_back(SyncdStore *self, const Kept *kept, GError **error)
{
    return put_mode_back(self, &kept->parts[MAIN], error) &&
           each_beside(self, kept, put_mode_back, error);
}

bool syncd_store_put_unreadable_back(SyncdStore *self, const char *name, char **ret_unopened,
                                     GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    g_autofree char *present = NULL;
    *ret_unopened = NULL;
    if (!syncd_directory_has(self->directory, kept.parts[MAIN].kept))
        return each_beside(self, &kept, remove_if_back, error) &&
               put_modes_back(self, &kept, error);
    bool opened = self->unreadable == NULL;
    if (!keep_present(self, &kept, &present, error))
        return false;
    bool back = put_in_place(self, &kept, error) && put_modes_back(self, &kept, error);
    if (present != NULL)
        make_private(self, present);
    if (!opened)
        *ret_unopened = g_steal_pointer(&present);
    return syncd_store_reopen(self, back ? error : NULL) && back;
}

bool syncd_store_keeps_unreadable(SyncdStore *self, const char *name)
{
    bool any = false;
    g_auto(Kept) kept = kept_of(name);
    for (guint i = 0; i < N_PARTS; i++)
        any |= syncd_directory_has(self->directory, kept.parts[i].kept);
    return any;
}

bool syncd_store_release_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return each_beside(self, &kept, release, error) && release(self, &kept.parts[MAIN], error);
}
