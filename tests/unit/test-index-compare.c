/*
 * What is said of an index beside one that was made anew: each row that is missing, too many or
 * other is counted once, at its table, and nothing else is.
 */
#include "store-fixture.h"
#include "store/index-compare.h"
#include "store/index-private.h"

#define LONG 60000
#define BOUND 50000

typedef struct {
    char *folders[2];
    SyncdDirectory *directories[2];
    SyncdIndex *old, *made;
    SyncdIndexComparison *comparison;
} Pair;

static void run(SyncdIndex *index, const char *sql)
{
    g_autoptr(GError) error = NULL;
    syncd_database_run(syncd_index_database(index), sql, &error);
    g_assert_no_error(error);
}

static void run_both(Pair *p, const char *sql)
{
    run(p->old, sql);
    run(p->made, sql);
}

static SyncdIndex *begin(Pair *p, int which)
{
    g_autoptr(GError) error = NULL;
    p->folders[which] = g_dir_make_tmp("syncd-compare-XXXXXX", NULL);
    p->directories[which] = syncd_directory_open(p->folders[which], SYNCD_DIRECTORY_CREATE, &error);
    g_assert_no_error(error);
    SyncdIndex *index = syncd_index_begin_new(p->directories[which], &error);
    g_assert_no_error(error);
    return index;
}

static void pair_init(Pair *p)
{
    *p = (Pair){.comparison = NULL};
    p->old = begin(p, 0);
    p->made = begin(p, 1);
}

static void pair_clear(Pair *p)
{
    syncd_index_free(p->old);
    syncd_index_free(p->made);
    syncd_index_comparison_free(p->comparison);
    for (int i = 0; i < 2; i++) {
        syncd_directory_free(p->directories[i]);
        fixture_remove(p->folders[i]);
        g_free(p->folders[i]);
    }
}

static void compare(Pair *p)
{
    bool more = true;
    g_autoptr(GError) error = NULL;
    g_clear_pointer(&p->comparison, syncd_index_comparison_free);
    p->comparison = syncd_index_comparison_new();
    while (more) {
        syncd_index_comparison_step(p->comparison, p->old, p->made, &more, &error);
        g_assert_no_error(error);
    }
}

static const SyncdIndexDifference *found(const Pair *p, const char *table)
{
    const GArray *tables = syncd_index_comparison_tables(p->comparison);
    for (guint i = 0; i < tables->len; i++) {
        const SyncdIndexDifference *difference = &g_array_index(tables, SyncdIndexDifference, i);
        if (strcmp(difference->table, table) == 0)
            return difference;
    }
    g_assert_not_reached();
}

static guint64 wrong_in_all(const Pair *p)
{
    guint64 wrong = 0;
    const GArray *tables = syncd_index_comparison_tables(p->comparison);
    for (guint i = 0; i < tables->len; i++)
        wrong += g_array_index(tables, SyncdIndexDifference, i).wrong;
    return wrong;
}

static void assert_wrong(const Pair *p, const char *table, guint64 wrong)
{
    g_assert_cmpuint(found(p, table)->wrong, ==, wrong);
    g_assert_cmpuint(wrong_in_all(p), ==, wrong);
}

#define ENTRIES(from, to)                                                                          \
    "WITH RECURSIVE n (i) AS (SELECT " from " UNION ALL SELECT i + 1 FROM n WHERE i < " to ")"     \
    " INSERT INTO entry SELECT i, 'op-' || i, 1, 2, 3, 'object', i FROM n"

static void of_a_long_table_the_newest_are_compared(void)
{
    Pair p;
    pair_init(&p);
    run_both(&p, ENTRIES("1", G_STRINGIFY(LONG)));
    compare(&p);
    assert_wrong(&p, "entry", 0);
    g_assert_cmpuint(found(&p, "entry")->compared, ==, BOUND);
    run(p.old, "UPDATE entry SET object = 'another' WHERE pos = 1");
    compare(&p);
    assert_wrong(&p, "entry", 0);
    run(p.old, "UPDATE entry SET object = 'another' WHERE pos IN (10001, 20000, 59999, 60000)");
    compare(&p);
    assert_wrong(&p, "entry", 4);
    run(p.old, "DELETE FROM entry WHERE pos > 59000");
    compare(&p);
    assert_wrong(&p, "entry", 2 + 1000);
    pair_clear(&p);
}

/* Also of one whose keys are several. */
static void the_newest_are_those_by_all_keys(void)
{
    Pair p;
    pair_init(&p);
    run_both(&p, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60000)"
                 " INSERT INTO dependency SELECT i, i % 7 FROM n");
    compare(&p);
    assert_wrong(&p, "dependency", 0);
    g_assert_cmpuint(found(&p, "dependency")->compared, ==, BOUND);
    run(p.old, "DELETE FROM dependency WHERE child IN (10000, 10001, 60000)");
    compare(&p);
    assert_wrong(&p, "dependency", 2);
    pair_clear(&p);
}

static void rows_that_are_too_many_are_not_followed_for_ever(void)
{
    Pair p;
    pair_init(&p);
    run_both(&p, ENTRIES("1", "10"));
    run(p.old, ENTRIES("11", "2000"));
    compare(&p);
    assert_wrong(&p, "entry", 1990);
    run(p.old, ENTRIES("2001", "150000"));
    compare(&p);
    g_assert_cmpuint(found(&p, "entry")->compared, <=, 2 * BOUND);
    g_assert_cmpuint(found(&p, "entry")->wrong, ==, found(&p, "entry")->compared - 10);
    pair_clear(&p);
}

/* Rows whose keys begin alike. */
#define MANY(table, values)                                                                        \
    "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2999)"              \
    " INSERT INTO " table " SELECT " values " FROM n"

/* Of tables that are sorted by several columns, over several steps. */
static void each_row_is_compared_with_its_own(void)
{
    static const struct {
        const char *table, *fill, *change, *take;
    } cases[] = {
        {"dependency", MANY("dependency", "i / 50, i"), NULL,
         "DELETE FROM dependency WHERE parent % 7 = 3"},
        {"idempotency", MANY("idempotency", "i / 500, i / 50, 'key-' || i, i"),
         "UPDATE idempotency SET pos = pos + 1 WHERE pos % 7 = 3",
         "DELETE FROM idempotency WHERE pos % 7 = 3"},
        {"name", MANY("name", "'family', 'name-' || (i / 7), i, i"),
         "UPDATE name SET pos = -1 WHERE pos % 7 = 3", "DELETE FROM name WHERE pos % 7 = 3"},
        {"decision", MANY("decision", "'policy', 'decision-' || i, i"),
         "UPDATE decision SET pos = -1 WHERE pos % 7 = 3",
         "DELETE FROM decision WHERE pos % 7 = 3"},
        {"object", MANY("object", "1, 'object-' || i, 1, 1"), NULL,
         "DELETE FROM object WHERE object LIKE '%7'"},
        {"scope", MANY("scope", "'scope-' || i, 'workspace', 'name-' || i, i"),
         "UPDATE scope SET pos = -1 WHERE pos % 7 = 3", "DELETE FROM scope WHERE pos % 7 = 3"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Pair p;
        g_test_message("%s", cases[i].table);
        pair_init(&p);
        run_both(&p, cases[i].fill);
        compare(&p);
        assert_wrong(&p, cases[i].table, 0);
        g_assert_cmpuint(found(&p, cases[i].table)->compared, ==, 3000);
        guint64 a_seventh = i == 4 ? 300 : 429;
        if (cases[i].change != NULL) {
            run(p.old, cases[i].change);
            compare(&p);
            assert_wrong(&p, cases[i].table, a_seventh);
        }
        run(p.made, cases[i].take);
        compare(&p);
        assert_wrong(&p, cases[i].table, a_seventh);
        pair_clear(&p);
    }
}

static void one_that_cannot_be_read_is_told(void)
{
    Pair p;
    pair_init(&p);
    run_both(&p, ENTRIES("1", "10"));
    run(p.old, "DROP TABLE task; UPDATE entry SET ms = 0 WHERE pos = 3");
    compare(&p);
    g_assert_true(found(&p, "task")->unread);
    g_assert_false(found(&p, "entry")->unread);
    assert_wrong(&p, "entry", 1);
    pair_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/index-compare/long", of_a_long_table_the_newest_are_compared);
    g_test_add_func("/index-compare/long-by-several-keys", the_newest_are_those_by_all_keys);
    g_test_add_func("/index-compare/too-many", rows_that_are_too_many_are_not_followed_for_ever);
    g_test_add_func("/index-compare/keys", each_row_is_compared_with_its_own);
    g_test_add_func("/index-compare/unread", one_that_cannot_be_read_is_told);
    return g_test_run();
}
