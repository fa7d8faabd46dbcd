/*
 * The process dies before or after, or the disk errs or is full at, each storage call of putting
 * another journal into the place of one that cannot be opened, and of taking that back. Nothing
 * that was acknowledged is lost then, whether it lay in the journal, in its WAL, or came since.
 *
 * test-rescue-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"

#include "../unit/raw-sql.h"
#include "../unit/store-fixture.h"

#include "store/rescue.h"
#include "store/store-private.h"

#include <string.h>

#define ENTRIES 40u
#define KEPT "plan.0"
#define MODE 0640 /* of what was there, which nothing says to be wrong */
#define PAGE 4096u
#define WAL_HEADER 32u
#define FRAME (24u + PAGE)

typedef struct {
    Fixture f;
    char *state;
    guint64 sequence; /* the last that was acknowledged */
    guint mode;       /* of the journal that was there */
} World;

/* ---- the state ---- */

static char *file(const World *w, const char *name)
{
    return g_build_filename(w->f.directory, name, NULL);
}

static char *read_file(const World *w, const char *name, gsize *ret_size)
{
    char *bytes = NULL;
    g_autofree char *path = file(w, name);
    g_assert_true(g_file_get_contents(path, &bytes, ret_size, NULL));
    return bytes;
}

/* Whether the first page is in the WAL, which then makes up for what is wrong with the file's. */
static bool wal_has_first_page(const World *w)
{
    gsize size;
    g_autofree char *wal = read_file(w, "journal.db-wal", &size);
    for (gsize at = WAL_HEADER; at + FRAME <= size; at += FRAME)
        if (memcmp(wal + at, "\0\0\0\1", 4) == 0)
            return true;
    return false;
}

static void damage(const World *w)
{
    gsize size;
    g_autofree char *path = file(w, "journal.db"), *bytes = read_file(w, "journal.db", &size);
    memset(bytes, 0xa5, PAGE);
    g_assert_true(
        g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static guint mode_of(const World *w, const char *name)
{
    GStatBuf st;
    g_autofree char *path = file(w, name);
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

/* As a process that was killed leaves it: the last entry is in the WAL alone. */
static void make_state(World *w)
{
    *w = (World){.state = NULL};
    fixture_init(&w->f, 5);
    w->f.stands_in = true;
    fixture_open(&w->f);
    fixture_fill(&w->f, ENTRIES);
    do {
        fixture_close(&w->f);
        fixture_open(&w->f);
        fixture_fill(&w->f, 1);
        syncd_store_settle(w->f.store, NULL);
    } while (wal_has_first_page(w));
    w->sequence = syncd_store_sequence(w->f.store);
    w->state = copy_state(w->f.directory);
    fixture_clear(&w->f);
    w->f.directory = w->state;
    g_autofree char *ledger = file(w, "repair"), *journal = file(w, "journal.db"),
                    *wal = file(w, "journal.db-wal");
    g_assert_cmpint(g_mkdir(ledger, 0700), ==, 0);
    damage(w);
    g_assert_cmpint(g_chmod(journal, MODE), ==, 0);
    g_assert_cmpint(g_chmod(wal, MODE), ==, 0);
}

static const char *begin_case(void *world)
{
    World *w = world;
    return w->f.directory = copy_state(w->state);
}

static void clear_state(World *w)
{
    w->f.directory = w->state;
    fixture_clear(&w->f);
}

/* All is well but for its WAL: without that it can be opened, and lacks what was in it. What has
 * all of it is a backup. */
static void make_state_of_wal(World *w)
{
    *w = (World){.state = NULL};
    fixture_init(&w->f, 5);
    w->f.stands_in = true;
    fixture_open(&w->f);
    fixture_fill(&w->f, ENTRIES);
    fixture_close(&w->f);
    fixture_open(&w->f);
    fixture_fill(&w->f, 1);
    syncd_store_settle(w->f.store, NULL);
    w->sequence = syncd_store_sequence(w->f.store);
    w->state = copy_state(w->f.directory);
    fixture_clear(&w->f);
    w->f.directory = w->state;
    g_autofree char *ledger = file(w, "repair"), *backup = file(w, "journal-backup.db"),
                    *journal = file(w, "journal.db"),
                    *copy = g_strdup_printf("VACUUM INTO '%s'", backup);
    g_assert_cmpint(g_mkdir(ledger, 0700), ==, 0);
    sqlite3 *db = open_raw(journal);
    g_assert_cmpint(sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL), ==,
                    SQLITE_OK);
    exec_raw(db, copy);
    exec_raw(db, "PRAGMA writable_schema = ON;"
                 "UPDATE sqlite_schema SET sql = 'no SQL' WHERE type = 'table'");
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

/* ---- what a repair does (service/repair-restore-journal.c) ---- */

static bool rescue(SyncdStore *store)
{
    g_autoptr(SyncdRescue) self = NULL;
    bool more = true;
    if (syncd_store_unreadable(store) == NULL)
        return true;
    if (!syncd_store_keep_unreadable(store, KEPT, NULL))
        return false;
    self = syncd_rescue_new(store, NULL, 0);
    while (more)
        if (!syncd_rescue_step(self, &more, NULL))
            return false;
    syncd_store_close_unreadable(store, KEPT);
    return true;
}

static void open_again(World *w)
{
    fixture_close(&w->f);
    fixture_open(&w->f);
}

/* All of it, and nothing wrong with it. */
static bool is_whole(World *w, guint64 sequence)
{
    g_assert_null(syncd_store_unreadable(w->f.store));
    g_autoptr(SyncdVerify) verify = fixture_verify(&w->f, SYNCD_VERIFY_FULL, NULL);
    return syncd_store_sequence(w->f.store) == sequence &&
           syncd_store_condition(w->f.store) == SYNCD_STORE_WRITABLE &&
           syncd_verify_n_findings(verify) == 0;
}

/* A page that the disk does not give is damage, which is found, and what there was is kept. */
static bool is_damaged(World *w)
{
    gsize size, was_size;
    g_autoptr(SyncdVerify) verify = fixture_verify(&w->f, SYNCD_VERIFY_FULL, NULL);
    if (!call_work_went_wrong() || syncd_verify_n_findings(verify) == 0)
        return false;
    g_autofree char *kept = read_file(w, "repair/" KEPT, &size), *was = NULL;
    g_autofree char *path = g_build_filename(w->state, "journal.db", NULL);
    g_assert_true(g_file_get_contents(path, &was, &was_size, NULL));
    return size == was_size && memcmp(kept, was, size) == 0;
}

static void remove_copy(World *w)
{
    fixture_close(&w->f);
    fixture_remove(w->f.directory);
    g_clear_pointer(&w->f.directory, g_free);
}

/* ---- forward ---- */

static void rescue_it(void *world)
{
    World *w = world;
    fixture_open(&w->f);
    call_work_begins();
    bool done = rescue(w->f.store);
    call_work_ends(done ? WORK_DONE : WORK_FAILED);
}

static void look_at_rescue(void *world, int told)
{
    World *w = world;
    fixture_open(&w->f);
    g_assert_true(told != WORK_DONE || syncd_store_unreadable(w->f.store) == NULL);
    g_assert_true(rescue(w->f.store));
    g_assert_true(is_whole(w, w->sequence) || (told == WORK_DONE && is_damaged(w)));
    remove_copy(w);
}

static void a_rescue_loses_nothing(void)
{
    static const CallWork work = {begin_case, rescue_it, look_at_rescue};
    World w;
    make_state(&w);
    call_faults_run_all(&work, &w);
    clear_state(&w);
}

/* Nobody ever takes the journal without its WAL for what was put into its place. */
static void a_journal_is_never_without_its_wal(void)
{
    static const CallWork work = {begin_case, rescue_it, look_at_rescue};
    World w;
    make_state_of_wal(&w);
    call_faults_run_all(&work, &w);
    clear_state(&w);
}

/* ---- and back ---- */

#define LATER 3u

static void take_it_back(void *world)
{
    World *w = world;
    g_autofree char *unopened = NULL;
    fixture_open(&w->f);
    call_work_begins();
    bool done = syncd_store_put_unreadable_back(w->f.store, KEPT, &unopened, NULL);
    call_work_ends(done ? WORK_DONE : WORK_FAILED);
}

/* What was there is there again, whole, and what came since can be had. */
static void look_at_what_is_back(void *world, int told)
{
    World *w = world;
    gsize size, was_size;
    g_autofree char *unopened = NULL;
    fixture_open(&w->f);
    g_assert_true(syncd_store_put_unreadable_back(w->f.store, KEPT, &unopened, NULL));
    g_assert_nonnull(syncd_store_unreadable(w->f.store));
    open_again(w);
    g_assert_nonnull(syncd_store_unreadable(w->f.store));
    g_autofree char *wal = read_file(w, "journal.db-wal", &size);
    g_assert_cmpuint(size, >, 0);
    g_autofree char *kept = g_build_filename(w->state, "repair", KEPT "-wal", NULL), *was = NULL;
    g_assert_true(g_file_get_contents(kept, &was, &was_size, NULL));
    g_assert_cmpmem(wal, size, was, was_size);
    g_assert_cmpuint(mode_of(w, "journal.db"), ==, w->mode);
    g_assert_cmpuint(mode_of(w, "journal.db-wal"), ==, w->mode);
    g_assert_true(rescue(w->f.store));
    g_assert_true(is_whole(w, w->sequence + LATER));
    remove_copy(w);
}

static void take_back(void (*make)(World *w))
{
    static const CallWork work = {begin_case, take_it_back, look_at_what_is_back};
    World w;
    make(&w);
    w.mode = mode_of(&w, "journal.db");
    fixture_open(&w.f);
    g_assert_true(rescue(w.f.store));
    g_assert_true(is_whole(&w, w.sequence));
    g_assert_cmpuint(mode_of(&w, "repair/" KEPT), ==, 0600);
    g_assert_cmpuint(mode_of(&w, "repair/" KEPT "-wal"), ==, 0600);
    fixture_fill(&w.f, LATER);
    fixture_close(&w.f);
    call_faults_run_all(&work, &w);
    clear_state(&w);
}

static void taking_it_back_loses_nothing(void)
{
    take_back(make_state);
}

static void taking_it_back_brings_the_wal_first(void)
{
    take_back(make_state_of_wal);
}

/* The control: were the WAL gone, what was in it would be missed. */
static void a_wal_that_is_gone_is_missed(void)
{
    World w;
    make_state(&w);
    begin_case(&w);
    g_autofree char *wal = file(&w, "journal.db-wal");
    g_assert_cmpint(g_remove(wal), ==, 0);
    fixture_open(&w.f);
    g_assert_true(rescue(w.f.store));
    g_assert_cmpuint(syncd_store_sequence(w.f.store), <, w.sequence);
    g_assert_cmpint(syncd_store_condition(w.f.store), ==, SYNCD_STORE_ROLLED_BACK);
    remove_copy(&w);
    clear_state(&w);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    g_test_add_func("/rescue-calls/a-rescue-loses-nothing", a_rescue_loses_nothing);
    g_test_add_func("/rescue-calls/a-journal-is-never-without-its-wal",
                    a_journal_is_never_without_its_wal);
    g_test_add_func("/rescue-calls/taking-it-back-loses-nothing", taking_it_back_loses_nothing);
    g_test_add_func("/rescue-calls/taking-it-back-brings-the-wal-first",
                    taking_it_back_brings_the_wal_first);
    g_test_add_func("/rescue-calls/control/a-wal-that-is-gone-is-missed",
                    a_wal_that_is_gone_is_missed);
    return call_faults_end();
}
