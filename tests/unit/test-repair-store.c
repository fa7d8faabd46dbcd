/* The index, set aside while it serves and put back: what repair asks of the store. */
#include "index-count.h"
#include "store-fixture.h"
#include "store/aside.h"
#include "store/repair-store.h"

#define SNAPSHOT "plan-x.0"

static void fill(Fixture *f, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdCommit) commit = {0};
    for (unsigned i = 0; i < n; i++) {
        SyncdReceipt receipt = fixture_append(f, "note-1", NULL, "{}");
        syncd_receipt_clear(&receipt);
    }
    syncd_store_commit(f->store, &commit, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_store_settle(f->store, &error));
}

static guint64 count(Fixture *f)
{
    guint64 n = 0;
    g_autoptr(GError) error = NULL;
    count_kind(f->store, "operation.enqueue", &n, &error);
    g_assert_no_error(error);
    return n;
}

static ino_t inode_of(const Fixture *f, const char *name)
{
    GStatBuf st;
    g_autofree char *path = g_build_filename(f->directory, name, NULL);
    return g_stat(path, &st) == 0 ? st.st_ino : 0;
}

/* The old file itself is kept: so it is byte for byte what it was. */
static void an_index_serves_until_another_takes_its_place(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    bool more = true;
    double progress, last = 0;
    guint steps = 0;
    fixture_init(&f, 3);
    f.holds_index = true;
    fixture_open(&f);
    fill(&f, 300);
    fill(&f, 300);
    g_assert_null(syncd_store_index_fault(f.store));
    ino_t before = inode_of(&f, "index.db");
    for (; more; steps++) {
        g_assert_true(syncd_store_step_index_repair(f.store, SNAPSHOT, &more, &progress, &error));
        g_assert_no_error(error);
        g_assert_cmpfloat(progress, >=, last);
        last = progress;
        g_assert_cmpuint(count(&f), ==, 600);
    }
    g_assert_cmpuint(steps, >, 3);
    g_assert_cmpfloat(progress, ==, 1.0);
    g_assert_true(syncd_store_has_repair(f.store, SNAPSHOT));
    g_assert_true(inode_of(&f, "index.db") != before);
    g_assert_true(inode_of(&f, "repair/" SNAPSHOT) == before);

    fill(&f, 10);
    g_assert_true(syncd_store_undo_index_repair(f.store, SNAPSHOT, &error));
    g_assert_no_error(error);
    g_assert_true(inode_of(&f, "index.db") == before);
    g_assert_false(syncd_store_has_repair(f.store, SNAPSHOT));
    /* … and it is brought up to the log, as at a start. */
    g_assert_true(syncd_store_settle(f.store, &error));
    g_assert_cmpuint(count(&f), ==, 610);
    g_assert_true(syncd_store_undo_index_repair(f.store, SNAPSHOT, &error));
    g_assert_cmpuint(count(&f), ==, 610);
    fixture_clear(&f);
}

static void repair(Fixture *f, bool writes)
{
    g_autoptr(GError) error = NULL;
    double progress;
    bool more = true;
    while (more) {
        g_assert_true(syncd_store_step_index_repair(f->store, SNAPSHOT, &more, &progress, &error));
        g_assert_no_error(error);
        if (more && writes)
            fill(f, 1);
    }
}

static char *path_of(const Fixture *f, const char *name)
{
    return g_build_filename(f->directory, name, NULL);
}

static guint mode_of(const Fixture *f, const char *name)
{
    GStatBuf st;
    g_autofree char *path = path_of(f, name);
    g_assert_cmpint(g_stat(path, &st), ==, 0);
    return st.st_mode & 07777;
}

/* It is read by nobody else while it is kept, whether or not it serves when it is set aside; what
 * was kept without a note of its mode comes back, too. */
static void it_comes_back_with_its_mode(void)
{
    for (guint i = 0; i < 4; i++) {
        bool serves = i < 2, noted = i % 2 == 0;
        Fixture f;
        g_autoptr(GError) error = NULL;
        fixture_init(&f, 3);
        f.holds_index = true;
        fixture_open(&f);
        fill(&f, 10);
        g_autofree char *index = path_of(&f, "index.db"),
                        *note = path_of(&f, "repair/" SNAPSHOT ".mode");
        if (!serves) {
            fixture_close(&f);
            g_assert_true(g_file_set_contents(index, "no database", -1, NULL));
        }
        g_assert_cmpint(g_chmod(index, 0644), ==, 0);
        if (!serves)
            fixture_open(&f);
        repair(&f, false);
        g_assert_cmpuint(mode_of(&f, "repair/" SNAPSHOT), ==, 0600);
        g_assert_cmpuint(mode_of(&f, "index.db"), ==, 0600);
        if (!noted)
            g_assert_cmpint(g_remove(note), ==, 0);
        g_assert_true(syncd_store_undo_index_repair(f.store, SNAPSHOT, &error));
        g_assert_no_error(error);
        g_assert_cmpuint(mode_of(&f, "index.db"), ==, noted ? 0644 : 0600);
        g_assert_false(g_file_test(note, G_FILE_TEST_EXISTS));
        fixture_clear(&f);
    }
}

/* As whoever was interrupted leaves it: the file is back, and its mode is not yet. */
static void its_mode_comes_back_with_the_next_try(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 3);
    fixture_open(&f);
    fill(&f, 10);
    g_autofree char *index = path_of(&f, "index.db");
    g_assert_cmpint(g_chmod(index, 0644), ==, 0);
    g_assert_true(syncd_store_note_mode(f.store, "index.db", SNAPSHOT, &error));
    g_assert_cmpint(g_chmod(index, 0600), ==, 0);
    g_assert_true(syncd_store_undo_index_repair(f.store, SNAPSHOT, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(mode_of(&f, "index.db"), ==, 0644);
    g_assert_false(syncd_store_has_repair(f.store, SNAPSHOT ".mode"));
    fixture_clear(&f);
}

static void run(Fixture *f, const char *sql)
{
    g_autoptr(GError) error = NULL;
    syncd_database_run(syncd_index_database(f->store->index), sql, &error);
    g_assert_no_error(error);
}

static void assert_wrong(Fixture *f, const char *table, guint64 wrong)
{
    const GArray *tables = syncd_store_index_differences(f->store);
    g_assert_nonnull(tables);
    g_assert_cmpuint(tables->len, >, 10);
    for (guint i = 0; i < tables->len; i++) {
        const SyncdIndexDifference *found = &g_array_index(tables, SyncdIndexDifference, i);
        g_assert_false(found->unread);
        g_assert_cmpuint(found->wrong, ==, g_strcmp0(found->table, table) == 0 ? wrong : 0);
    }
}

/* Also while the log grows: both are compared at the same place of it. */
static void what_was_wrong_with_it_is_known(void)
{
    static const struct {
        const char *sql, *table;
        guint64 wrong;
    } cases[] = {
        {"SELECT 1", NULL, 0},
        {"UPDATE tally SET count = count + 1", "tally", 2},
        {"DELETE FROM entry WHERE pos % 100 = 7", "entry", 6},
        {"UPDATE task SET operation = 3, task = 2 WHERE pos = 9", "task", 1},
        {"INSERT INTO decision VALUES ('p', 'd', 7)", "decision", 1},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Fixture f;
        g_test_message("%s", cases[i].sql);
        fixture_init(&f, 3);
        f.holds_index = true;
        fixture_open(&f);
        fill(&f, 600);
        g_assert_null(syncd_store_index_differences(f.store));
        run(&f, cases[i].sql);
        repair(&f, i % 2 == 0);
        assert_wrong(&f, cases[i].table, cases[i].wrong);
        fixture_clear(&f);
    }
}

static void where_there_was_none_there_is_none_again(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    bool more = true;
    double progress;
    fixture_init(&f, 3);
    f.holds_index = true;
    fixture_open(&f);
    fill(&f, 20);
    fixture_close(&f);
    g_autofree char *path = g_build_filename(f.directory, "index.db", NULL),
                    *wal = g_strconcat(path, "-wal", NULL);
    g_remove(path);
    g_remove(wal);
    fixture_open(&f);
    g_assert_nonnull(syncd_store_index_fault(f.store));
    while (more)
        g_assert_true(syncd_store_step_index_repair(f.store, SNAPSHOT, &more, &progress, &error));
    g_assert_cmpuint(count(&f), ==, 20);
    g_assert_true(syncd_store_undo_index_repair(f.store, SNAPSHOT, &error));
    g_assert_cmpuint(inode_of(&f, "index.db"), ==, 0);
    g_assert_nonnull(syncd_store_index_fault(f.store));
    fixture_clear(&f);
}

/* The control is that another root of the same size does not hold. */
static void a_log_that_only_grew_proves_it(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    bool holds;
    fixture_init(&f, 3);
    fixture_open(&f);
    fill(&f, 20);
    g_autoptr(SyncdHead) before = syncd_store_head(f.store, syncd_store_device_id(f.store), &error);
    g_assert_no_error(error);
    g_autofree char *feed = g_strdup_printf("%s/%s/1", before->device, before->scope);
    fill(&f, 33);
    for (int wrong = 0; wrong < 2; wrong++) {
        g_autoptr(SyncdHead) now = NULL;
        g_autoptr(GArray) path = NULL;
        SyncdHash root = before->root;
        root.bytes[0] ^= wrong;
        g_assert_true(syncd_store_prove_prefix(f.store, feed, before->size, &root, &holds, &now,
                                               &path, &error));
        g_assert_cmpuint(now->size, ==, before->size + 33);
        g_assert_true(holds == !wrong);
        g_assert_true(syncd_tree_verify_consistency(before->size, now->size, &root, &now->root,
                                                    (const SyncdHash *)(void *)path->data,
                                                    path->len) == !wrong);
    }
    g_autoptr(SyncdHead) later = NULL;
    g_autoptr(GArray) nothing = NULL;
    g_assert_true(syncd_store_prove_prefix(f.store, feed, 1000000, &before->root, &holds, &later,
                                           &nothing, &error));
    g_assert_false(holds);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-store/mode", it_comes_back_with_its_mode);
    g_test_add_func("/repair-store/mode-next", its_mode_comes_back_with_the_next_try);
    g_test_add_func("/repair-store/compared", what_was_wrong_with_it_is_known);
    g_test_add_func("/repair-store/serves", an_index_serves_until_another_takes_its_place);
    g_test_add_func("/repair-store/none", where_there_was_none_there_is_none_again);
    g_test_add_func("/repair-store/prefix", a_log_that_only_grew_proves_it);
    return g_test_run();
}
