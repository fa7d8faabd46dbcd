/*
 * A check of the index takes a few rows at a time, and says the same as if it had asked for all of
 * them at once: also of counts that change while they are counted.
 */
#include "task-fixture.h"

#include "service/internal.h"
#include "store/database-private.h"
#include "store/index-check-private.h"

#define ROWS 2000u /* of a step */

static void put_some(ServiceFixture *f, guint from, guint until)
{
    for (guint i = from; i < until; i++) {
        g_autofree char *object = g_strdup_printf("note-%u", i);
        put(f, object, "{}");
    }
}

/* So many rows that nobody projected, of operations that wait; of objects; and the counts. */
static void fill_index(ServiceFixture *f, guint n)
{
    SyncdDatabase *db = syncd_index_database(f->service->store->index);
    static const char *const all[] = {
        "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < :n) INSERT INTO"
        " object (scope, object, rank, found) SELECT 1, 'many-' || n, 7, 0 FROM i",
        "WITH RECURSIVE i (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM i WHERE n < :n) INSERT INTO"
        " file_change (file, place, version) SELECT (SELECT max(id) FROM file), n, 1 FROM i"
        " WHERE EXISTS (SELECT 1 FROM file)",
        "INSERT INTO lane_count (rank, counter, count) VALUES (7, 22, :n) ON CONFLICT DO UPDATE SET"
        " count = count + excluded.count",
    };
    g_autoptr(GError) error = NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        SyncdStatement *row = syncd_database_statement(db, all[i]);
        syncd_bind_int(row, ":n", n);
        syncd_statement_run(row, &error);
        g_assert_no_error(error);
    }
}

static guint check(ServiceFixture *f, void (*meanwhile)(ServiceFixture *f, guint step))
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdIndexCheck) check = syncd_index_check_new(f->service->store);
    guint steps = 0;
    for (bool more = true; more; steps++) {
        syncd_index_check_step(check, &more, &error);
        g_assert_no_error(error);
        if (meanwhile != NULL)
            meanwhile(f, steps);
    }
    const GArray *faults = syncd_index_check_faults(check);
    for (guint i = 0; i < faults->len; i++)
        g_test_message("%s: %u", g_array_index(faults, SyncdIndexFault, i).what,
                       (guint)g_array_index(faults, SyncdIndexFault, i).rows);
    g_assert_cmpuint(faults->len, ==, 0);
    return steps;
}

static void no_step_has_more_than_its_rows(void)
{
    enum { MANY = 20 };
    ServiceFixture f;
    service_init(&f);
    put_some(&f, 0, 10);
    guint few = check(&f, NULL);
    fill_index(&f, MANY * ROWS);
    g_assert_cmpuint(check(&f, NULL), >=, few + MANY);
    service_clear(&f);
}

/* Operations are enqueued, claimed and finished, and objects begin, while they are counted. */
static void move_on(ServiceFixture *f, guint step)
{
    put_some(f, 1000 + 3 * step, 1000 + 3 * step + 3);
    g_autofree char *task = claim(f, NULL);
    if (task != NULL && step % 2 == 0)
        complete(f, task);
}

static void what_changes_meanwhile_is_counted_right(void)
{
    ServiceFixture f;
    service_init(&f);
    put_some(&f, 0, 50);
    fill_index(&f, 10 * ROWS);
    check(&f, move_on);
    check(&f, NULL);
    service_clear(&f);
}

/* Its own tables are sound to SQLite, whatever is in their rows. */
static void what_is_found_by_words_is_checked(void)
{
    ServiceFixture f;
    service_init(&f);
    put_some(&f, 0, 50);
    check(&f, NULL);
    g_autoptr(GError) error = NULL;
    SyncdDatabase *db = syncd_index_database(f.service->store->index);
    sqlite3_db_config(db->handle, SQLITE_DBCONFIG_DEFENSIVE, 0, NULL);
    syncd_database_run(db,
                       "UPDATE search_data SET block = substr(block, 1, length(block) / 2) ||"
                       " zeroblob(length(block) - length(block) / 2) WHERE id > 1000;",
                       &error);
    g_assert_no_error(error);
    g_autoptr(SyncdIndexCheck) check = syncd_index_check_new(f.service->store);
    for (bool more = true; more;) {
        syncd_index_check_step(check, &more, &error);
        g_assert_no_error(error);
    }
    const GArray *faults = syncd_index_check_faults(check);
    g_assert_cmpuint(faults->len, ==, 1);
    g_assert_cmpstr(g_array_index(faults, SyncdIndexFault, 0).what, ==, "structure");
    g_clear_pointer(&check, syncd_index_check_free); /* which looks at the store */
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index-check/steps", no_step_has_more_than_its_rows);
    g_test_add_func("/index-check/meanwhile", what_changes_meanwhile_is_counted_right);
    g_test_add_func("/index-check/words", what_is_found_by_words_is_checked);
    return g_test_run();
}
