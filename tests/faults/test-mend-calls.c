/*
 * The process dies before or after, or the disk errs or is full at, each storage call of building
 * another generation of a damaged journal and switching to it: afterwards the journal is the one
 * that there was, or the one that was made, and never anything between; what was not done can be
 * done, and what was acknowledged is done.
 *
 * test-mend-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"

#include "../unit/raw-sql.h"
#include "../unit/store-fixture.h"

#include "store/mend.h"

#include <errno.h>

#define ENTRIES 150u
#define GIVEN_UP 40 /* the entry whose body is nowhere */

static char *state; /* a damaged one, which is copied for each case */
static char *note;  /* its head */

/* ---- the state ---- */

static char *head_note(Fixture *f)
{
    g_autoptr(SyncdHead) head = syncd_store_head(f->store, syncd_store_device_id(f->store), NULL);
    g_assert_nonnull(head);
    return g_strdup(head->note);
}

static void make_state(Fixture *f)
{
    fixture_init(f, 5);
    fixture_open(f);
    fixture_fill(f, ENTRIES);
    note = head_note(f);
    fixture_close(f);
    g_autofree char *journal = g_build_filename(f->directory, "journal.db", NULL);
    g_autofree char *sql =
        g_strdup_printf("UPDATE entry SET body = x'00' WHERE pos = %d", GIVEN_UP);
    forge_raw(journal, sql);
    state = f->directory;
}

/* ---- in the process that mends ---- */

static bool mend(SyncdStore *store, GError **error)
{
    g_autoptr(SyncdMend) self = syncd_mend_new(store, error);
    bool more = self != NULL;
    while (more)
        if (!syncd_mend_examine(self, &more, error))
            return false;
    more = self != NULL;
    while (more)
        if (!syncd_mend_build(self, &more, error))
            return false;
    return self != NULL && syncd_mend_switch(self, error);
}

static void mend_once(void *world)
{
    Fixture *f = world;
    g_autoptr(GError) error = NULL;
    fixture_open_mode(f, SYNCD_STORE_OPEN);
    call_work_begins();
    bool done = mend(f->store, &error);
    call_work_ends(done ? WORK_DONE : WORK_FAILED);
}

static const char *begin_case(void *world)
{
    return ((Fixture *)world)->directory = copy_state(state);
}

/* ---- in the one that looks ---- */

/* Before: the damage is found. After: it is named. */
static bool is_mended(Fixture *f)
{
    guint64 generation;
    g_autofree char *now = head_note(f);
    g_autoptr(SyncdVerify) verify = fixture_verify(f, SYNCD_VERIFY_FULL, NULL);
    g_assert_cmpstr(now, ==, note);
    g_assert_true(syncd_store_generation(f->store, &generation, NULL));
    bool mended = generation == 2;
    g_assert_true(mended || generation == 1);
    g_assert_cmpuint(syncd_verify_n_losses(verify), ==, mended ? 1 : 0);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, mended ? 0 : 1);
    g_autofree char *kept = g_build_filename(f->directory, "journal.1", NULL);
    g_autofree char *built = g_build_filename(f->directory, "journal.db.new", NULL);
    g_assert_cmpint(g_file_test(kept, G_FILE_TEST_EXISTS), ==, mended);
    g_assert_false(g_file_test(built, G_FILE_TEST_EXISTS));
    return mended;
}

static void look(void *world, int told)
{
    Fixture *f = world;
    g_autoptr(GError) error = NULL;
    fixture_open_mode(f, SYNCD_STORE_OPEN);
    bool done = is_mended(f);
    g_assert_true(done || told != WORK_DONE);
    if (!done) {
        g_assert_true(mend(f->store, &error));
        g_assert_true(is_mended(f));
    }
    fixture_fill(f, 3);
    fixture_close(f);
    fixture_remove(f->directory);
    g_clear_pointer(&f->directory, g_free);
}

static const CallFault faults[] = {
    {"killed before", {.act = STORAGE_KILL}, false},
    {"killed after", {.act = STORAGE_KILL_AFTER}, false},
    {"EIO at", {.act = STORAGE_FAIL, .problem = EIO}, false},
    {"EIO from", {.act = STORAGE_FAIL, .problem = EIO}, true},
    {"ENOSPC from", {.act = STORAGE_FAIL, .problem = ENOSPC}, true, CALL_TAKES_ROOM},
};

static void every_call_may_fail(const void *fault)
{
    static const CallWork mending = {begin_case, mend_once, look};
    Fixture f;
    make_state(&f);
    call_faults_run(&mending, &f, fault, 1);
    f.directory = g_steal_pointer(&state);
    fixture_clear(&f);
    g_clear_pointer(&note, g_free);
}

/* The control: were the new file put in place without the WAL of the old one gone, it would be
 * seen. */
static void a_wal_that_stays_is_found(void)
{
    Fixture f;
    g_autofree char *bytes = NULL;
    gsize size;
    make_state(&f);
    f.directory = copy_state(state);
    fixture_open_mode(&f, SYNCD_STORE_OPEN);
    g_autofree char *wal = g_build_filename(f.directory, "journal.db-wal", NULL);
    fixture_fill(&f, 3);
    g_assert_true(g_file_get_contents(wal, &bytes, &size, NULL));
    g_assert_cmpuint(size, >, 0);
    g_assert_true(mend(f.store, NULL));
    fixture_close(&f);
    g_assert_true(g_file_set_contents(wal, bytes, (gssize)size, NULL));
    SyncdStoreOptions options = {.directory = f.directory,
                                 .mode = SYNCD_STORE_OPEN,
                                 .sources = &f.sources,
                                 .machine = f.machine};
    f.store = syncd_store_open(&options, NULL);
    if (f.store != NULL) {
        g_autoptr(SyncdVerify) verify = fixture_verify(&f, SYNCD_VERIFY_FULL, NULL);
        g_assert_cmpuint(syncd_verify_n_findings(verify), >, 0);
    }
    fixture_clear(&f);
    f.directory = g_steal_pointer(&state);
    fixture_clear(&f);
    g_clear_pointer(&note, g_free);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *path = g_strdup_printf("/mend-calls/%s", faults[i].name);
        g_test_add_data_func(g_strdelimit(path, " ", '-'), &faults[i], every_call_may_fail);
    }
    g_test_add_func("/mend-calls/control/a-wal-that-stays-is-found", a_wal_that_stays_is_found);
    return call_faults_end();
}
