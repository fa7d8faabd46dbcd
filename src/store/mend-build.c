/* Building the next generation beside the journal, and putting it in its place. */
#include "store/mend-private.h"

#include "store/journal-private.h"
#include "store/rescue.h"
#include "store/salvage.h"

/* Its WAL is moved into it when it has grown past so many pages. */
#define WAL_PAGES 500
/* Stays free beside it, for the log and the space set aside. */
#define MARGIN (16u * 1024u * 1024u)

/* ---- beginning and ending ---- */

static void remove_built(SyncdDirectory *directory)
{
    /* The last is of one that is copied (store/rescue.h). */
    static const char *const names[] = {SYNCD_MEND_FILE, SYNCD_MEND_FILE "-wal",
                                        SYNCD_MEND_FILE ".new", SYNCD_MEND_FILE ".new-journal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        if (syncd_directory_has(directory, names[i]))
            syncd_directory_remove(directory, names[i], NULL);
}

static void end_candidate(SyncdMend *self)
{
    g_clear_pointer(&self->verify, syncd_verify_free);
    if (self->candidate != NULL)
        syncd_journal_free(self->candidate->journal);
    g_clear_pointer(&self->candidate, g_free);
}

void syncd_mend_end_build(SyncdMend *self)
{
    end_candidate(self);
    if (self->db != NULL)
        syncd_database_freeze(self->db);
    g_clear_pointer(&self->db, syncd_database_free);
    if (self->phase <= MEND_EXAMINED || self->exchanged)
        return;
    syncd_journal_follow_content(self->store->journal, false);
    remove_built(self->store->directory);
}

static bool open_built(SyncdMend *self, SyncdDatabaseMode mode, GError **error)
{
    g_autofree char *path = syncd_directory_file(self->store->directory, SYNCD_MEND_FILE);
    self->db = syncd_database_open(path, &syncd_journal_kind, mode, error);
    return self->db != NULL;
}

static bool require_room(SyncdMend *self, GError **error)
{
    guint64 room, needed = syncd_store_journal_bytes(self->store) + MARGIN;
    if (!syncd_directory_room(self->store->directory, 0, &room, error))
        return false;
    if (room >= needed)
        return true;
    g_autofree char *wanted = g_format_size(needed), *there = g_format_size(room);
    syncd_set_error(error, SYNCD_ERROR_NO_SPACE,
                    "There is no room for another generation of the log: it takes %s, and %s are "
                    "free",
                    wanted, there);
    return false;
}

/* The number that no kept generation has; 0: none is left. */
static guint64 free_number(SyncdStore *store, GError **error)
{
    guint64 present;
    if (!syncd_store_generation(store, &present, NULL))
        present = 1;
    for (; present < G_MAXINT32; present++) {
        g_autofree char *kept = syncd_source_generation_name(present),
                        *wal = g_strconcat(kept, "-wal", NULL);
        /* One that came to lie beside a WAL of another would be read with that. */
        if (!syncd_directory_has(store->directory, kept) &&
            !syncd_directory_has(store->directory, wal))
            return present;
    }
    syncd_set_error(error, SYNCD_ERROR_FAILED, "There are too many generations");
    return 0;
}

char *syncd_store_free_generation(SyncdStore *store, GError **error)
{
    guint64 number = free_number(store, error);
    return number > 0 ? syncd_source_generation_name(number) : NULL;
}

static bool number_it(SyncdMend *self, GError **error)
{
    guint64 number = free_number(self->store, error);
    self->generation = number + 1;
    return number > 0;
}

static bool begin(SyncdMend *self, GError **error)
{
    remove_built(self->store->directory);
    self->at = 0;
    self->has_content = false;
    self->checkpoint = 0;
    self->phase = MEND_BUILD_ENTRIES;
    syncd_journal_follow_content(self->store->journal, true);
    if (!require_room(self, error) || !number_it(self, error) ||
        !open_built(self, SYNCD_DATABASE_CREATE, error) ||
        !syncd_directory_sync(self->store->directory, error) ||
        !syncd_database_begin(self->db, error))
        return false;
    if (syncd_mend_write_feeds(self, error))
        return syncd_database_commit(self->db, error);
    syncd_database_rollback(self->db);
    return false;
}

bool syncd_mend_is_the_journal(const SyncdStore *store, const char *name)
{
    return syncd_directory_is_same(store->directory, SYNCD_JOURNAL_FILE, name);
}

/* Of what a stop, or a migration, that was killed over it has copied so far nothing is of use. */
static void remove_half_copies(SyncdDirectory *directory)
{
    g_autoptr(GDir) folder = g_dir_open(syncd_directory_path(directory), 0, NULL);
    const char *name;
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *copy = syncd_source_half_copy(name);
        if (copy != NULL)
            syncd_directory_remove(directory, name, NULL);
    }
}

/* A number that is damaged names what an earlier repair kept: of that nothing is removed. */
void syncd_mend_clear_leftovers(SyncdStore *store)
{
    guint64 present;
    remove_built(store->directory);
    syncd_salvage_remove(store->directory);
    remove_half_copies(store->directory);
    if (!syncd_store_generation(store, &present, NULL))
        return;
    g_autofree char *kept = syncd_source_generation_name(present);
    if (syncd_mend_is_the_journal(store, kept) && syncd_store_remove_beside(store, kept, NULL))
        syncd_directory_remove(store->directory, kept, NULL);
}

/* ---- building ---- */

static bool build_entries(SyncdMend *self, GError **error)
{
    if (!syncd_mend_purges_are_the_same(self, error) || !syncd_mend_write_entries(self, error) ||
        !syncd_database_checkpoint(self->db, WAL_PAGES, error))
        return false;
    if (self->at >= MAX(self->target, syncd_journal_committed(self->store->journal)))
        self->phase = MEND_BUILD_CONTENT;
    return true;
}

static bool build_content(SyncdMend *self, GError **error)
{
    bool more;
    if (!syncd_mend_write_content(self, &more, error) ||
        !syncd_database_checkpoint(self->db, WAL_PAGES, error))
        return false;
    if (!more)
        self->phase = MEND_BUILD_LATE;
    return true;
}

static bool lacks_entries(const SyncdMend *self)
{
    return self->at < MAX(self->target, syncd_journal_committed(self->store->journal));
}

static bool write_late(SyncdMend *self, bool *ret_more, GError **error)
{
    return syncd_mend_purges_are_the_same(self, error) &&
           (!lacks_entries(self) || syncd_mend_write_entries(self, error)) &&
           syncd_mend_write_late(self, ret_more, error) &&
           syncd_database_checkpoint(self->db, WAL_PAGES, error);
}

static bool build_late(SyncdMend *self, SyncdMendPhase next, GError **error)
{
    bool more;
    if (!write_late(self, &more, error))
        return false;
    if (!more && !lacks_entries(self))
        self->phase = next;
    return true;
}

/* What came since the last step, so that the heads are those of now. */
static bool catch_up(SyncdMend *self, GError **error)
{
    bool more = true;
    while (lacks_entries(self) || more)
        if (!write_late(self, &more, error))
            return false;
    return syncd_mend_write_rest(self, error);
}

static bool close_built(SyncdMend *self, GError **error)
{
    bool ok = syncd_database_empty_wal(self->db, error);
    g_clear_pointer(&self->db, syncd_database_free);
    return ok;
}

/* Like any journal, in a store that has nothing else. */
static bool begin_verification(SyncdMend *self, GError **error)
{
    SyncdStore *store = self->store;
    if (!close_built(self, error))
        return false;
    self->candidate = g_new0(SyncdStore, 1);
    self->candidate->sources = store->sources;
    self->candidate->mode = SYNCD_STORE_OPEN;
    self->candidate->directory = store->directory;
    self->candidate->keyring = store->keyring;
    self->candidate->candidate = true;
    self->candidate->journal = syncd_journal_open_file(
        store->directory, SYNCD_MEND_FILE, SYNCD_DATABASE_EXISTING, store->keyring, error);
    if (self->candidate->journal == NULL)
        return false;
    self->verify = syncd_verify_new(self->candidate, SYNCD_VERIFY_FULL, NULL, error);
    return self->verify != NULL;
}

static bool build_rest(SyncdMend *self, GError **error)
{
    self->phase = MEND_VERIFY;
    return catch_up(self, error) && begin_verification(self, error);
}

/* What lies beside the log, or depends on keys, is not mended by another generation of it; nor is
 * that its end is missing: that of another generation is what the heads that are there say. */
bool syncd_mend_concerns(const char *code)
{
    static const char *const others[] = {"content", "kept-content", "body-seal", "body-meta",
                                         "rollback"};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(code, others[i]) == 0)
            return false;
    return true;
}

static bool judge_verification(SyncdMend *self, GError **error)
{
    const GPtrArray *findings = syncd_verify_findings(self->verify);
    for (guint i = 0; i < findings->len; i++) {
        const SyncdVerifyFinding *finding = findings->pdata[i];
        if (!syncd_mend_concerns(finding->code))
            continue;
        syncd_set_error(error, finding->error,
                        "The generation that was made is not sound (%s %s): %s", finding->code,
                        finding->feed, finding->detail);
        return false;
    }
    return true;
}

static bool verify(SyncdMend *self, GError **error)
{
    bool more;
    if (!syncd_verify_step(self->verify, &more, error))
        return false;
    if (more)
        return true;
    bool sound = judge_verification(self, error);
    end_candidate(self);
    self->phase = MEND_CATCH_UP;
    return sound && open_built(self, SYNCD_DATABASE_EXISTING, error);
}

static bool build_step(SyncdMend *self, GError **error)
{
    switch (self->phase) {
    case MEND_EXAMINED:
    case MEND_BUILD_BEGIN:
        return begin(self, error);
    case MEND_BUILD_ENTRIES:
        return build_entries(self, error);
    case MEND_BUILD_CONTENT:
        return build_content(self, error);
    case MEND_BUILD_LATE:
        return build_late(self, MEND_BUILD_REST, error);
    case MEND_BUILD_REST:
        return build_rest(self, error);
    case MEND_VERIFY:
        return verify(self, error);
    case MEND_CATCH_UP:
        return build_late(self, MEND_READY, error);
    default:
        return true;
    }
}

static bool may_go_on(SyncdMend *self, GError **error)
{
    if (syncd_store_has_turn(self->store)) {
        syncd_set_error(error, SYNCD_ERROR_BUSY, "Entries are being written to the log");
        return false;
    }
    return syncd_mend_is_possible(self, error);
}

bool syncd_mend_build(SyncdMend *self, bool *ret_more, GError **error)
{
    if (!may_go_on(self, error))
        return false;
    bool ok = build_step(self, error);
    if (!ok)
        syncd_mend_end_build(self);
    *ret_more = ok && self->phase != MEND_READY;
    return ok;
}

/* ---- in its place ---- */

static bool finish_built(SyncdMend *self, GError **error)
{
    return catch_up(self, error) && close_built(self, error) &&
           syncd_directory_remove(self->store->directory, SYNCD_MEND_FILE "-wal", error) &&
           syncd_directory_sync_file(self->store->directory, SYNCD_MEND_FILE, error);
}

bool syncd_mend_leave(SyncdMend *self, GError **error)
{
    bool ok = may_go_on(self, error) && self->phase == MEND_READY && finish_built(self, error);
    if (ok)
        self->exchanged = true;
    else
        syncd_mend_end_build(self);
    return ok;
}

bool syncd_mend_switch(SyncdMend *self, GError **error)
{
    if (!may_go_on(self, error))
        return false;
    g_autofree char *kept = syncd_source_generation_name(self->generation - 1);
    bool ok = self->phase == MEND_READY && finish_built(self, error);
    if (ok) {
        ok = syncd_journal_exchange(self->store->journal, self->store->directory, SYNCD_MEND_FILE,
                                    kept, &self->exchanged, error);
        if (self->exchanged)
            syncd_journal_follow_content(self->store->journal, false);
        /* What cannot be judged after that cannot be written to either. */
        if (!ok)
            syncd_store_judge_journal(self->store, NULL);
        else
            ok = syncd_store_judge_journal(self->store, error);
    }
    if (!ok)
        syncd_mend_end_build(self);
    return ok;
}

bool syncd_mend_is_unopened(const SyncdStore *store)
{
    return syncd_journal_is_behind(store->journal);
}

bool syncd_store_drop_generation(SyncdStore *self, guint64 generation, GError **error)
{
    g_autofree char *kept = syncd_source_generation_name(generation);
    return syncd_store_remove_beside(self, kept, error) &&
           syncd_directory_remove(self->directory, kept, error);
}
