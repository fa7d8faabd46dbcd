/*
 * The process dies before or after, or the disk errs or is full at, each storage call of building
 * another generation of a damaged journal and switching to it: afterwards the journal is the one
 * that there was, or the one that was made, and never anything between; what was not done can be
 * done, and what was acknowledged is done.
 *
 * test-mend-calls [--each N] [options of GLib's tests]
 */
#include "../unit/store-fixture.h"
#include "storage-calls.h"

#include "crypto/seal.h"
#include "store/mend.h"

#include <errno.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define ENTRIES 150u
#define GIVEN_UP 40 /* the entry whose body is nowhere */

typedef enum { MENDED_NOT_TOLD, MENDED_FAILED, MENDED_DONE } Told;

/* What the process that mends leaves for the one that looks. */
typedef struct {
    guint begins; /* calls before the one that is asked for */
    guint ends;
    Told told;
} Shared;

static Shared *shared;
static gint each = 1;
static char *state; /* a damaged one, which is copied for each case */
static char *note;  /* its head */

/* ---- the state ---- */

static void copy_files(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;
    g_assert_cmpint(g_mkdir_with_parents(to, 0700), ==, 0);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL),
                        *target = g_build_filename(to, name, NULL), *bytes = NULL;
        gsize size;
        if (g_file_test(source, G_FILE_TEST_IS_DIR)) {
            copy_files(source, target);
            continue;
        }
        g_assert_true(g_file_get_contents(source, &bytes, &size, NULL));
        g_assert_true(g_file_set_contents_full(target, bytes, (gssize)size,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}

static char *head_note(Fixture *f)
{
    g_autoptr(SyncdHead) head = syncd_store_head(f->store, syncd_store_device_id(f->store), NULL);
    g_assert_nonnull(head);
    return g_strdup(head->note);
}

static void make_state(Fixture *f)
{
    sqlite3 *db;
    fixture_init(f, 5);
    fixture_open(f);
    fixture_fill(f, ENTRIES);
    note = head_note(f);
    fixture_close(f);
    g_autofree char *journal = g_build_filename(f->directory, "journal.db", NULL);
    g_autofree char *sql =
        g_strdup_printf("UPDATE entry SET body = x'00' WHERE pos = %d", GIVEN_UP);
    g_assert_cmpint(sqlite3_open(journal, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    state = f->directory;
}

/* ---- in the process that mends ---- */

typedef struct {
    guint64 number; /* 0: no call */
    StorageVerdict verdict;
    bool lasting;
} Fault;

static StorageVerdict decide(void *data, const StorageCall *call)
{
    const Fault *fault = data;
    bool hit = fault->number != 0 &&
               (call->number == fault->number || (fault->lasting && call->number > fault->number));
    /* A disk that is full can be read, and things removed from. */
    bool room = call->kind == STORAGE_WRITE || call->kind == STORAGE_ALLOCATE ||
                call->kind == STORAGE_LINK || call->kind == STORAGE_MKDIR;
    if (fault->verdict.problem == ENOSPC && !room)
        hit = false;
    return hit ? fault->verdict : (StorageVerdict){STORAGE_PASS};
}

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

static void mend_once(Fixture *f, const Fault *fault)
{
    g_autoptr(GError) error = NULL;
    fixture_open_mode(f, SYNCD_STORE_OPEN);
    storage_watch(f->directory, decide, NULL, (void *)fault);
    shared->begins = (guint)storage_count();
    bool done = mend(f->store, &error);
    shared->ends = (guint)storage_count();
    shared->told = done ? MENDED_DONE : MENDED_FAILED;
    _exit(0);
}

static void run_case(Fixture *f, const Fault *fault)
{
    int status;
    *shared = (Shared){0};
    f->directory = g_dir_make_tmp("syncd-mend-XXXXXX", NULL);
    copy_files(state, f->directory);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        mend_once(f, fault);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    g_assert_true(killed ? fault->verdict.act == STORAGE_KILL ||
                               fault->verdict.act == STORAGE_KILL_AFTER
                         : WIFEXITED(status) && WEXITSTATUS(status) == 0);
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

static void look(Fixture *f, const char *what)
{
    g_autoptr(GError) error = NULL;
    g_test_message("%s: %s", what,
                   shared->told == MENDED_DONE     ? "told that it was done"
                   : shared->told == MENDED_FAILED ? "told that it failed"
                                                   : "told nothing");
    fixture_open_mode(f, SYNCD_STORE_OPEN);
    bool done = is_mended(f);
    g_assert_true(done || shared->told != MENDED_DONE);
    if (!done) {
        g_assert_true(mend(f->store, &error));
        g_assert_true(is_mended(f));
    }
    fixture_fill(f, 3);
    fixture_close(f);
    fixture_remove(f->directory);
    g_clear_pointer(&f->directory, g_free);
}

static const struct {
    const char *name;
    Fault fault;
} faults[] = {
    {"killed before", {.verdict = {.act = STORAGE_KILL}}},
    {"killed after", {.verdict = {.act = STORAGE_KILL_AFTER}}},
    {"EIO at", {.verdict = {.act = STORAGE_FAIL, .problem = EIO}}},
    {"EIO from", {.verdict = {.act = STORAGE_FAIL, .problem = EIO}, .lasting = true}},
    {"ENOSPC from", {.verdict = {.act = STORAGE_FAIL, .problem = ENOSPC}, .lasting = true}},
};

static void every_call_may_fail(const void *data)
{
    Fixture f;
    Fault fault = faults[GPOINTER_TO_SIZE(data)].fault;
    make_state(&f);
    run_case(&f, &(Fault){0});
    look(&f, "without a fault");
    g_assert_cmpint(shared->told, ==, MENDED_DONE);
    guint first = shared->begins + 1, last = shared->ends;
    g_assert_cmpuint(last, >, first + 20);
    for (guint number = first; number <= last; number += (guint)each) {
        g_autofree char *what = g_strdup_printf(
            "%s call %u of %u to %u", faults[GPOINTER_TO_SIZE(data)].name, number, first, last);
        fault.number = number;
        run_case(&f, &fault);
        look(&f, what);
    }
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
    f.directory = g_dir_make_tmp("syncd-mend-XXXXXX", NULL);
    copy_files(state, f.directory);
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
    const GOptionEntry options[] = {
        {"each", 0, 0, G_OPTION_ARG_INT, &each, "A fault at each so-manyth call", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_assert_true(g_option_context_parse(context, &argc, &argv, NULL));
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    each = MAX(each, 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(shared != MAP_FAILED);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        g_autofree char *path = g_strdup_printf("/mend-calls/%s", faults[i].name);
        g_test_add_data_func(g_strdelimit(path, " ", '-'), GSIZE_TO_POINTER(i),
                             every_call_may_fail);
    }
    g_test_add_func("/mend-calls/control/a-wal-that-stays-is-found", a_wal_that_stays_is_found);
    return g_test_run();
}
