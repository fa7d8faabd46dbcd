/* A journal that cannot be opened is kept while another one is in its place, and put back. */
#include "store/rescue.h"

#include "store/aside.h"
#include "store/journal-private.h"
#include "store/mend-private.h"
#include "store/source.h"

#define WAL SYNCD_JOURNAL_FILE "-wal"

typedef struct {
    char *main, *wal;
    char *name, *wal_name; /* of these in the folder of repairs */
} Kept;

static Kept kept_of(const char *name)
{
    return (Kept){g_strconcat("repair/", name, NULL), g_strconcat("repair/", name, "-wal", NULL),
                  g_strdup(name), g_strconcat(name, "-wal", NULL)};
}

static void kept_clear(Kept *kept)
{
    g_free(kept->main);
    g_free(kept->wal);
    g_free(kept->name);
    g_free(kept->wal_name);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kept, kept_clear)

/* Its mode is that of the file as long as that has both names. */
static bool keep(SyncdStore *self, const char *file, const char *kept, const char *name,
                 GError **error)
{
    return syncd_directory_has(self->directory, kept) ||
           !syncd_directory_has(self->directory, file) ||
           (syncd_store_note_mode(self, file, name, error) &&
            syncd_directory_link(self->directory, file, kept, error));
}

/* Whoever was interrupted before another journal came has it again, its WAL first. */
static bool return_kept(SyncdStore *self, const Kept *kept, GError **error)
{
    bool gone = !syncd_directory_has(self->directory, SYNCD_JOURNAL_FILE) &&
                syncd_directory_has(self->directory, kept->main);
    if (!gone && !syncd_mend_is_the_journal(self, kept->main))
        return true;
    return (syncd_directory_has(self->directory, WAL) ||
            !syncd_directory_has(self->directory, kept->wal) ||
            syncd_directory_link(self->directory, kept->wal, WAL, error)) &&
           (!gone || syncd_directory_link(self->directory, kept->main, SYNCD_JOURNAL_FILE, error));
}

bool syncd_store_keep_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return self->unreadable == NULL ||
           (keep(self, WAL, kept.wal, kept.wal_name, error) &&
            keep(self, SYNCD_JOURNAL_FILE, kept.main, kept.name, error) &&
            return_kept(self, &kept, error));
}

static void make_private(SyncdStore *self, const char *journal)
{
    g_autofree char *wal = g_strconcat(journal, "-wal", NULL);
    syncd_directory_make_private(self->directory, journal);
    syncd_directory_make_private(self->directory, wal);
}

void syncd_store_close_unreadable(SyncdStore *self, const char *name)
{
    g_auto(Kept) kept = kept_of(name);
    make_private(self, kept.main);
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

static char *name_present(SyncdStore *self, bool with_wal, GError **error)
{
    char *known = name_of_present(self);
    if (known != NULL)
        return known;
    g_autofree char *name = syncd_store_free_generation(self, error);
    g_autofree char *wal = name != NULL ? g_strconcat(name, "-wal", NULL) : NULL;
    bool ok = name != NULL &&
              (!with_wal || !syncd_directory_has(self->directory, WAL) ||
               syncd_directory_link(self->directory, WAL, wal, error)) &&
              syncd_directory_link(self->directory, SYNCD_JOURNAL_FILE, name, error);
    return ok ? g_steal_pointer(&name) : NULL;
}

/* One that cannot be opened either may be salvaged, and what came since is in no other file. */
static bool keep_unopened(SyncdStore *self, const Kept *kept, char **ret_name, GError **error)
{
    if (!syncd_directory_has(self->directory, SYNCD_JOURNAL_FILE) ||
        syncd_mend_is_the_journal(self, kept->main))
        return true;
    *ret_name = name_present(self, true, error);
    return *ret_name != NULL;
}

/* All of it has to be in the file that is kept, and in the index, which says so later. `*ret_name`
 * NULL: there is none. */
static bool keep_present(SyncdStore *self, const Kept *kept, char **ret_name, GError **error)
{
    *ret_name = NULL;
    if (self->unreadable != NULL)
        return keep_unopened(self, kept, ret_name, error);
    if (self->projection == NULL)
        syncd_store_settle(self, NULL);
    if (!syncd_database_empty_wal(syncd_journal_database(self->journal), error))
        return false;
    *ret_name = name_present(self, false, error);
    return *ret_name != NULL;
}

/* In between there is no journal, so that nobody takes one without its WAL for all there is, nor a
 * WAL for another journal's; and all of it can be done again. */
static bool put_in_place(SyncdStore *self, const Kept *kept, GError **error)
{
    syncd_database_freeze(syncd_journal_database(self->journal));
    return syncd_directory_remove(self->directory, SYNCD_JOURNAL_FILE, error) &&
           syncd_directory_remove(self->directory, WAL, error) &&
           (!syncd_directory_has(self->directory, kept->wal) ||
            syncd_directory_link(self->directory, kept->wal, WAL, error)) &&
           syncd_directory_move(self->directory, kept->main, SYNCD_JOURNAL_FILE, error) &&
           syncd_directory_remove(self->directory, kept->wal, error);
}

/* A WAL that is kept still is not the one that is there. */
static bool put_modes_back(SyncdStore *self, const Kept *kept, GError **error)
{
    return syncd_store_put_mode_back(self, kept->name, SYNCD_JOURNAL_FILE, error) &&
           (syncd_directory_has(self->directory, kept->wal) ||
            syncd_store_put_mode_back(self, kept->wal_name, WAL, error));
}

bool syncd_store_put_unreadable_back(SyncdStore *self, const char *name, char **ret_unopened,
                                     GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    g_autofree char *present = NULL;
    *ret_unopened = NULL;
    if (!syncd_directory_has(self->directory, kept.main))
        return (!syncd_directory_is_same(self->directory, kept.wal, WAL) ||
                syncd_directory_remove(self->directory, kept.wal, error)) &&
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
    g_auto(Kept) kept = kept_of(name);
    return syncd_directory_has(self->directory, kept.main) ||
           syncd_directory_has(self->directory, kept.wal);
}

bool syncd_store_release_unreadable(SyncdStore *self, const char *name, GError **error)
{
    g_auto(Kept) kept = kept_of(name);
    return syncd_directory_remove(self->directory, kept.wal, error) &&
           syncd_directory_remove(self->directory, kept.main, error) &&
           syncd_store_forget_mode(self, kept.wal_name, error) &&
           syncd_store_forget_mode(self, kept.name, error);
}
