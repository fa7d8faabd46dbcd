/*
 * Laws of the store, over histories made from a seed: whatever the order of appends, commits,
 * discarded turns, restarts and lost indexes, the index is a function of the log, verification is
 * clean, and reads give what was acknowledged.
 */
#include "crypto/seal.h"
#include "index-dump.h"
#include "store-fixture.h"

#include <sqlite3.h>
#include <unistd.h>

typedef struct {
    char *op;
    char *object;
    char *key;
    char *content;
    guint64 pos;
} Model;

static void model_free(void *data)
{
    Model *model = data;
    g_free(model->op);
    g_free(model->object);
    g_free(model->key);
    g_free(model->content);
    g_free(model);
}

static unsigned below(Fixture *f, unsigned n)
{
    return (unsigned)(fixture_next(f) % n);
}

static void append_random(Fixture *f, GPtrArray *turn, GPtrArray *scopes)
{
    Model *model = g_new0(Model, 1);
    const char *scope = scopes->len > 0 && below(f, 2) ? scopes->pdata[below(f, scopes->len)]
                                                       : syncd_store_device_id(f->store);
    size_t size = below(f, 50) == 0 ? SYNCD_STORE_INLINE_MAX + below(f, 5000) : 2 + below(f, 400);
    model->object = below(f, 4) ? g_strdup_printf("object:%u", below(f, 9)) : g_strdup("");
    model->key = below(f, 3) ? NULL : g_strdup_printf("key-%u-%u", turn->len, below(f, 1000000));
    model->content = g_strnfill(size, (char)('a' + below(f, 26)));
    g_auto(SyncdReceipt) receipt =
        fixture_append_to(f, scope, model->object, model->key, model->content, size);
    model->op = g_strdup(receipt.op);
    model->pos = receipt.pos;
    g_ptr_array_add(turn, model);
}

static void open_random_scope(Fixture *f, GPtrArray *scopes)
{
    static const char *const classes[] = {"public", "profile", "workspace", "org", "vault"};
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    g_autofree char *name = g_strdup_printf("s%" G_GINT64_MODIFIER "x", fixture_next(f));
    g_assert_true(
        syncd_store_open_scope(f->store, classes[below(f, 5)], name, "actor-test", &scope, &error));
    g_assert_no_error(error);
    g_ptr_array_add(scopes, g_strdup(scope->id));
}

static void check_reads(Fixture *f, GPtrArray *models)
{
    for (guint i = 0; i < models->len; i++) {
        const Model *model = models->pdata[i];
        g_autoptr(GError) error = NULL;
        g_auto(SyncdEntry) entry = {0};
        g_auto(SyncdBody) body = {0};
        guint64 pos;
        g_assert_true(syncd_store_find_op(f->store, model->op, &pos, &error));
        g_assert_cmpuint(pos, ==, model->pos);
        g_assert_true(syncd_store_read(f->store, pos, &entry, &error));
        g_assert_true(syncd_bytes_are(entry.header.object, model->object));
        g_assert_true(syncd_store_read_body(f->store, &entry, &body, &error));
        g_assert_cmpmem(body.content, body.content_size, model->content, strlen(model->content));
        if (model->key == NULL)
            continue;
        g_autofree char *scope = syncd_bytes_dup(entry.header.scope);
        g_assert_true(
            syncd_store_find_key(f->store, "actor-test", scope, model->key, &pos, &error));
        g_assert_cmpuint(pos, ==, model->pos);
    }
}

static void keep(GPtrArray *models, GPtrArray *turn)
{
    while (turn->len > 0)
        g_ptr_array_insert(models, -1, g_ptr_array_steal_index(turn, 0));
}

static void one_history(guint64 seed)
{
    Fixture f;
    fixture_init(&f, seed);
    fixture_open(&f);
    g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(model_free);
    g_autoptr(GPtrArray) turn = g_ptr_array_new_with_free_func(model_free);
    g_autoptr(GPtrArray) scopes = g_ptr_array_new_with_free_func(g_free);
    guint committed_scopes = 0;
    for (int step = 0; step < 150; step++) {
        switch (below(&f, 12)) {
        case 0:
            syncd_store_discard(f.store);
            g_ptr_array_set_size(turn, 0);
            g_ptr_array_set_size(scopes, (gint)committed_scopes);
            break;
        case 1:
        case 2:
            fixture_commit(&f);
            keep(models, turn);
            committed_scopes = scopes->len;
            break;
        case 3:
            /* A restart takes back what was not committed, like a discarded turn. */
            fixture_close(&f);
            g_ptr_array_set_size(turn, 0);
            g_ptr_array_set_size(scopes, (gint)committed_scopes);
            if (below(&f, 3) == 0)
                remove_index(&f);
            f.now_usec += below(&f, 2) ? 1000000 : G_GUINT64_CONSTANT(0);
            if (below(&f, 5) == 0)
                f.now_usec -= G_GUINT64_CONSTANT(86400000000);
            /* Until the first commit there is nothing to come back to. */
            fixture_open(&f);
            break;
        case 4:
            open_random_scope(&f, scopes);
            break;
        case 5:
            while (syncd_store_work(f.store))
                ;
            break;
        default:
            append_random(&f, turn, scopes);
        }
    }
    fixture_commit(&f);
    keep(models, turn);
    check_reads(&f, models);
    fixture_assert_sound(&f);
    assert_index_adds_up(f.store);
    fixture_close(&f);

    g_autofree char *incremental = dump_index(f.directory);
    remove_index(&f);
    fixture_open(&f);
    check_reads(&f, models);
    fixture_close(&f);
    g_autofree char *rebuilt = dump_index(f.directory);
    if (strcmp(incremental, rebuilt) != 0)
        g_error("seed %" G_GUINT64_FORMAT ": rebuilt\n%s\nis not incremental\n%s", seed, rebuilt,
                incremental);
    fixture_clear(&f);
}

static void a_rebuilt_index_equals_the_incremental_one(void)
{
    guint64 seeds = g_test_slow() ? 500 : is_slowed() ? 5 : 25;
    for (guint64 seed = 1; seed <= seeds; seed++)
        one_history(seed * 7919);
}

/* What may happen to index.db never reaches what was acknowledged. */
static void a_spoilt_index_is_made_anew(void)
{
    Fixture f;
    fixture_init(&f, 99);
    fixture_open(&f);
    g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(model_free);
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    for (int i = 0; i < 60; i++)
        append_random(&f, models, none);
    fixture_commit(&f);
    fixture_close(&f);
    g_autofree char *good = dump_index(f.directory);
    g_autofree char *index = g_build_filename(f.directory, "index.db", NULL);
    g_autofree char *older = NULL;
    size_t older_size;
    g_assert_true(g_file_get_contents(index, &older, &older_size, NULL));

    for (int how = 0; how < 9; how++) {
        g_autofree char *noise = g_malloc(older_size);
        fixture_random(&f, noise, older_size);
        sqlite3 *db;
        switch (how) {
        case 0:
            g_unlink(index);
            break;
        case 1:
            g_assert_cmpint(truncate(index, (off_t)older_size / 2), ==, 0);
            break;
        case 2:
            g_assert_cmpint(truncate(index, 0), ==, 0);
            break;
        case 3:
            g_file_set_contents(index, noise, (gssize)older_size, NULL);
            break;
        default:
            g_assert_cmpint(sqlite3_open(index, &db), ==, SQLITE_OK);
            const char *sql = how == 4   ? "UPDATE cursor SET size = size + 1"
                              : how == 5 ? "UPDATE cursor SET root = zeroblob(32)"
                              : how == 6 ? "PRAGMA user_version = 77"
                              : how == 7 ? "DELETE FROM entry WHERE pos > 10"
                                         : "DROP INDEX entry_by_op";
            g_assert_cmpint(sqlite3_exec(db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
            sqlite3_close(db);
        }
        fixture_open(&f);
        check_reads(&f, models);
        fixture_close(&f);
        g_autofree char *now = dump_index(f.directory);
        g_assert_cmpstr(now, ==, good);
    }

    /* Older than the journal, and newer than a journal that went back: both are other logs' indexes
     * or catch up. */
    fixture_open(&f);
    fixture_fill(&f, 10);
    fixture_close(&f);
    g_autofree char *newer = dump_index(f.directory);
    g_assert_true(g_file_set_contents(index, older, (gssize)older_size, NULL));
    fixture_open(&f);
    fixture_close(&f);
    g_autofree char *caught_up = dump_index(f.directory);
    g_assert_cmpstr(caught_up, ==, newer);
    fixture_clear(&f);
}

static gint64 root_page_of(const char *path, const char *table)
{
    sqlite3 *db;
    sqlite3_stmt *row;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = ?1", -1, &row, NULL);
    sqlite3_bind_text(row, 1, table, -1, SQLITE_STATIC);
    g_assert_cmpint(sqlite3_step(row), ==, SQLITE_ROW);
    gint64 page = sqlite3_column_int64(row, 0);
    sqlite3_finalize(row);
    sqlite3_close(db);
    return page;
}

/* Damage that opening does not see is no damage of the log either. */
static void an_index_that_proves_damaged_later_is_made_anew(void)
{
    Fixture f;
    fixture_init(&f, 100);
    fixture_open(&f);
    fixture_fill(&f, 20);
    fixture_close(&f);
    g_autofree char *index = g_build_filename(f.directory, "index.db", NULL);
    g_autofree char *older = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(index, &older, &size, NULL));
    size_t page = 4096 * (size_t)(root_page_of(index, "tally") - 1);
    g_assert_cmpuint(page, <, size);

    fixture_open(&f);
    fixture_fill(&f, 20);
    fixture_close(&f);
    g_autofree char *good = dump_index(f.directory);
    memset(older + page, 0xa5, 4096);
    g_assert_true(g_file_set_contents(index, older, (gssize)size, NULL));
    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    fixture_close(&f);
    g_autofree char *now = dump_index(f.directory);
    g_assert_cmpstr(now, ==, good);
    fixture_clear(&f);
}

static void an_index_newer_than_the_journal_is_made_anew(void)
{
    Fixture f;
    fixture_init(&f, 5);
    fixture_open(&f);
    fixture_fill(&f, 20);
    fixture_close(&f);
    g_autofree char *journal = g_build_filename(f.directory, "journal.db", NULL);
    g_autofree char *old = NULL;
    size_t size;
    g_assert_true(g_file_get_contents(journal, &old, &size, NULL));
    g_autofree char *before = dump_index(f.directory);
    fixture_open(&f);
    fixture_fill(&f, 20);
    fixture_close(&f);
    g_assert_true(g_file_set_contents(journal, old, (gssize)size, NULL));
    fixture_open(&f);
    g_assert_cmpuint(syncd_store_sequence(f.store), ==, 21);
    fixture_close(&f);
    g_autofree char *after = dump_index(f.directory);
    g_assert_cmpstr(after, ==, before);
    fixture_clear(&f);
}

static void verification_goes_on_where_it_stopped(void)
{
    Fixture f;
    fixture_init(&f, 6);
    fixture_open(&f);
    fixture_fill(&f, 100);
    g_autoptr(SyncdVerify) first = fixture_verify(&f, SYNCD_VERIFY_INCREMENTAL, NULL);
    g_assert_cmpuint(syncd_verify_checked(first), ==, 101);
    fixture_fill(&f, 30);
    fixture_close(&f);
    fixture_open(&f);
    g_autoptr(SyncdVerify) second = fixture_verify(&f, SYNCD_VERIFY_INCREMENTAL, NULL);
    g_assert_cmpuint(syncd_verify_checked(second), ==, 30);
    g_assert_cmpuint(syncd_verify_n_findings(second), ==, 0);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store-property/a-rebuilt-index-equals-the-incremental-one",
                    a_rebuilt_index_equals_the_incremental_one);
    g_test_add_func("/store-property/a-spoilt-index-is-made-anew", a_spoilt_index_is_made_anew);
    g_test_add_func("/store-property/an-index-that-proves-damaged-later-is-made-anew",
                    an_index_that_proves_damaged_later_is_made_anew);
    g_test_add_func("/store-property/an-index-newer-than-the-journal-is-made-anew",
                    an_index_newer_than_the_journal_is_made_anew);
    g_test_add_func("/store-property/verification-goes-on-where-it-stopped",
                    verification_goes_on_where_it_stopped);
    return g_test_run();
}
