/*
 * The structure of a database is checked while it is written, in steps: what is wrong in it is
 * found however large it is and whatever is going on, and nobody who writes is in the way, or has
 * to wait.
 */
#include "database-fixture.h"
#include "hurried.h"
#include "store/database-private.h"
#include "store/structure.h"

#include <fcntl.h>
#include <unistd.h>

#define PAGE 4096
#define PAGES_A_STEP 512u
#define ROWS (is_hurried() ? 3000u : 9000u) /* about a page each */

typedef struct {
    Place p;
    SyncdDatabase *db;
    GPtrArray *faults;
} World;

static void begin(World *w)
{
    place_init(&w->p, &first_version);
    w->db = open_good(&w->p, SYNCD_DATABASE_CREATE);
    g_autofree char *fill = g_strdup_printf(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %u)"
        " INSERT INTO thing SELECT i, hex(zeroblob(1800)) FROM n",
        ROWS);
    run(w->db, fill);
    syncd_database_free(w->db);
    w->db = open_good(&w->p, SYNCD_DATABASE_EXISTING);
    w->faults = g_ptr_array_new_with_free_func(g_free);
}

static void end(World *w)
{
    syncd_database_free(w->db);
    g_ptr_array_unref(w->faults);
    place_clear(&w->p);
}

static void zero_page(World *w, guint number)
{
    const guint8 page[PAGE] = {0};
    int fd = open(w->p.path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, page, PAGE, (off_t)number * PAGE), ==, PAGE);
    close(fd);
}

/* `between` NULL: nothing happens meanwhile. */
static guint check(World *w, void (*between)(World *w, guint step))
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdStructure) structure = syncd_structure_new(w->db);
    g_ptr_array_set_size(w->faults, 0);
    guint steps = 0;
    for (bool more = true; more; steps++) {
        syncd_structure_step(structure, w->faults, &more, &error);
        g_assert_no_error(error);
        if (between != NULL && more)
            between(w, steps);
    }
    return steps;
}

/* The file keeps still, and what is asked for in time has to wait. */
static void write_on(World *w, guint step)
{
    gsize before, after;
    g_autoptr(GError) error = NULL;
    g_autofree char *was = NULL, *is = NULL;
    g_assert_true(g_file_get_contents(w->p.path, &was, &before, NULL));
    run(w->db, "INSERT INTO thing VALUES (NULL, hex(zeroblob(1800)))");
    syncd_database_checkpoint(w->db, 0, &error);
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(w->p.path, &is, &after, NULL));
    g_assert_cmpuint(before, ==, after);
    g_assert_cmpint(memcmp(was, is, after), ==, 0);
}

static void one_that_is_written_is_checked_in_steps(void)
{
    World w;
    begin(&w);
    guint steps = check(&w, write_on);
    g_assert_cmpuint(steps, >, ROWS / PAGES_A_STEP);
    g_assert_cmpuint(w.faults->len, ==, 0);
    /* Then nothing waits any more. */
    g_autoptr(GError) error = NULL;
    syncd_database_checkpoint(w.db, 0, &error);
    g_assert_no_error(error);
    g_assert_cmpint(w.db->wal_pages, ==, 0);
    g_clear_pointer(&w.db, syncd_database_free);
    assert_answer(w.p.path, "PRAGMA integrity_check", "ok");
    g_autofree char *expected = g_strdup_printf("%u", ROWS + steps - 1);
    assert_answer(w.p.path, "SELECT count(*) FROM thing", expected);
    end(&w);
}

static void damage_is_found_meanwhile(void)
{
    World w;
    begin(&w);
    zero_page(&w, ROWS - 10);
    check(&w, write_on);
    g_assert_cmpuint(w.faults->len, >, 0);
    /* Nobody who uses it has met anything. */
    g_assert_null(syncd_database_damage(w.db));
    end(&w);
}

static void empty_once(World *w, guint step)
{
    g_autoptr(GError) error = NULL;
    write_on(w, step);
    if (step == 3)
        syncd_database_empty_wal(w->db, &error);
    g_assert_no_error(error);
}

/* What has to be in the file at once is, and the check begins anew. */
static void one_that_is_moved_is_checked_again(void)
{
    World w;
    begin(&w);
    guint once = check(&w, NULL);
    g_assert_cmpuint(check(&w, empty_once), >=, once + 3);
    g_assert_cmpuint(w.faults->len, ==, 0);
    end(&w);
}

static void empty_always(World *w, guint step)
{
    g_autoptr(GError) error = NULL;
    run(w->db, "UPDATE thing SET name = name || 'x' WHERE id = 1");
    syncd_database_empty_wal(w->db, &error);
    g_assert_no_error(error);
}

static void it_is_never_left_out(void)
{
    World w;
    begin(&w);
    zero_page(&w, ROWS - 10);
    g_assert_cmpuint(check(&w, empty_always), <, 10);
    g_assert_cmpuint(w.faults->len, >, 0);
    end(&w);
}

static void commit_once(World *w, guint step)
{
    g_autoptr(GError) error = NULL;
    if (step == 3)
        syncd_database_commit(w->db, &error);
    g_assert_no_error(error);
}

static void a_transaction_is_waited_for(void)
{
    World w;
    begin(&w);
    guint alone = check(&w, NULL);
    g_autoptr(GError) error = NULL;
    syncd_database_begin(w.db, &error);
    g_assert_no_error(error);
    run(w.db, "UPDATE thing SET name = name || 'x' WHERE id = 1");
    g_assert_cmpuint(check(&w, commit_once), ==, alone + 4);
    /* One that does not end is not waited for without end. */
    zero_page(&w, ROWS - 10);
    syncd_database_forget_pages(w.db);
    syncd_database_begin(w.db, &error);
    g_assert_no_error(error);
    check(&w, NULL);
    g_assert_cmpuint(w.faults->len, >, 0);
    syncd_database_rollback(w.db);
    end(&w);
}

/* Whoever closes it in between, and whoever gives up, leave nothing of it. */
static void one_that_is_given_up_holds_nothing(void)
{
    World w;
    begin(&w);
    for (guint steps = 1; steps < 4; steps++) {
        bool more = true;
        SyncdStructure *structure = syncd_structure_new(w.db);
        for (guint i = 0; i < steps; i++)
            g_assert_true(syncd_structure_step(structure, w.faults, &more, NULL));
        g_assert_true(more);
        if (steps == 2) {
            run(w.db, "INSERT INTO thing VALUES (NULL, 'last')");
            g_clear_pointer(&w.db, syncd_database_free);
        }
        syncd_structure_free(structure);
        if (w.db == NULL)
            w.db = open_good(&w.p, SYNCD_DATABASE_EXISTING);
        g_assert_cmpuint(w.db->looks->n, ==, 0);
    }
    g_clear_pointer(&w.db, syncd_database_free);
    assert_answer(w.p.path, "SELECT count(*) FROM thing WHERE name = 'last'", "1");
    end(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/structure/steps", one_that_is_written_is_checked_in_steps);
    g_test_add_func("/structure/damage", damage_is_found_meanwhile);
    g_test_add_func("/structure/moved", one_that_is_moved_is_checked_again);
    g_test_add_func("/structure/never-left-out", it_is_never_left_out);
    g_test_add_func("/structure/transaction", a_transaction_is_waited_for);
    g_test_add_func("/structure/given-up", one_that_is_given_up_holds_nothing);
    return g_test_run();
}
