/*
 * A journal that was damaged is mended by another generation of it: the same leaves, heads and
 * roots, whatever had to be brought from elsewhere; what is lost is named, and exactly that.
 */
#include "purge-fixture.h"

#include "store/mend-private.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MARKER "what-nobody-brings-back"
#define ENTRIES 1600u /* two levels of tiles, and a tail … */
#define FEWER 400u    /* … or one */

typedef struct {
    Fixture f;
    char *journal;
    GPtrArray *texts; /* header and content of every entry, as they were */
    GPtrArray *notes; /* of all heads */
} Mending;

/* ---- the log ---- */

static char *read_all(SyncdStore *store, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) error = NULL;
    if (!syncd_store_read(store, pos, &entry, &error))
        return g_strdup("unreadable");
    if (!syncd_store_read_body(store, &entry, &body, &error))
        return g_strconcat(entry.text, "\n", NULL);
    return g_strconcat(entry.text, "\n", body.meta, "\n", body.content, NULL);
}

static void remember(Mending *m)
{
    g_ptr_array_set_size(m->texts, 0);
    g_ptr_array_set_size(m->notes, 0);
    for (guint64 pos = 1; pos <= syncd_store_sequence(m->f.store); pos++)
        g_ptr_array_add(m->texts, read_all(m->f.store, pos));
    g_autoptr(GPtrArray) heads = syncd_store_heads(m->f.store);
    for (guint i = 0; i < heads->len; i++)
        g_ptr_array_add(m->notes, g_strdup(((SyncdHead *)heads->pdata[i])->note));
}

static void fill(Mending *m, unsigned n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    syncd_store_settle(m->f.store, &error);
    g_assert_no_error(error);
    syncd_store_find_scope(m->f.store, "public", "p", &scope, &error);
    g_assert_no_error(error);
    if (scope == NULL)
        syncd_store_open_scope(m->f.store, "public", "p", "actor-test", &scope, &error);
    g_assert_no_error(error);
    for (unsigned i = 0; i < n; i++) {
        g_autofree char *content = g_strdup_printf("{\"n\":%u}", i);
        SyncdReceipt receipt =
            fixture_append_to(&m->f, i % 3 == 0 ? scope->id : syncd_store_device_id(m->f.store),
                              "object:1", NULL, content, strlen(content));
        syncd_receipt_clear(&receipt);
        if (syncd_store_turn_is_full(m->f.store))
            fixture_commit(&m->f);
    }
    fixture_commit(&m->f);
}

static void prepare(Mending *m, unsigned n)
{
    g_autoptr(GError) error = NULL;
    fixture_init(&m->f, 17);
    m->texts = g_ptr_array_new_with_free_func(g_free);
    m->notes = g_ptr_array_new_with_free_func(g_free);
    m->journal = g_build_filename(m->f.directory, "journal.db", NULL);
    fixture_open(&m->f);
    fill(m, n);
    syncd_store_keep_head(m->f.store, syncd_store_device_id(m->f.store), "checkpoint.write",
                          &error);
    g_assert_no_error(error);
    remember(m);
}

static void finish(Mending *m)
{
    g_ptr_array_unref(m->texts);
    g_ptr_array_unref(m->notes);
    g_free(m->journal);
    fixture_clear(&m->f);
}

/* ---- damage ---- */

static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    char *problem = NULL;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    sqlite3_exec(db, sql, NULL, NULL, &problem);
    g_assert_cmpstr(problem, ==, NULL);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
}

static void damage(Mending *m, const char *sql)
{
    fixture_close(&m->f);
    run_sql(m->journal, sql);
    fixture_open_mode(&m->f, SYNCD_STORE_OPEN);
}

/* ---- mending ---- */

static SyncdMend *examine(Mending *m)
{
    g_autoptr(GError) error = NULL;
    SyncdMend *mend = syncd_mend_new(m->f.store, &error);
    g_assert_no_error(error);
    for (bool more = true; more;) {
        syncd_mend_examine(mend, &more, &error);
        g_assert_no_error(error);
    }
    for (guint i = 0; i < syncd_mend_items(mend)->len; i++) {
        const SyncdMendItem *item = syncd_mend_items(mend)->pdata[i];
        g_test_message("%s %d %s seq %d pos %d %s", item->what, item->outcome, item->feed,
                       (int)item->seq, (int)item->pos, item->source);
    }
    return mend;
}

static void build_and_switch(SyncdMend *mend)
{
    g_autoptr(GError) error = NULL;
    for (bool more = true; more;) {
        syncd_mend_build(mend, &more, &error);
        g_assert_no_error(error);
    }
    syncd_mend_switch(mend, &error);
    g_assert_no_error(error);
}

static void assert_heads(const Mending *m)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(m->f.store);
    g_assert_cmpuint(heads->len, ==, m->notes->len);
    for (guint i = 0; i < heads->len; i++)
        g_assert_cmpstr(((SyncdHead *)heads->pdata[i])->note, ==, m->notes->pdata[i]);
}

static void assert_losses(Mending *m, guint64 n)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(&m->f, SYNCD_VERIFY_FULL, NULL);
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        g_test_message("%s %s: %s", finding->code, finding->feed, finding->detail);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    g_assert_cmpuint(syncd_verify_n_losses(verify), ==, n);
}

/* All is as it was. */
static void assert_whole(Mending *m)
{
    assert_heads(m);
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        g_assert_cmpstr(now, ==, m->texts->pdata[i]);
    }
    assert_losses(m, 0);
}

static void assert_goes_on(Mending *m)
{
    fill(m, 40);
    fixture_assert_sound(&m->f);
    fixture_close(&m->f);
    fixture_open_mode(&m->f, SYNCD_STORE_OPEN);
    g_assert_cmpint(syncd_store_condition(m->f.store), ==, SYNCD_STORE_WRITABLE);
    fixture_assert_sound(&m->f);
}

/* A generation without damage before it: what the next one can be refilled from. */
static void make_earlier_generation(Mending *m)
{
    g_autoptr(SyncdMend) mend = examine(m);
    g_assert_false(syncd_mend_is_needed(mend));
    build_and_switch(mend);
}

static gint64 count_rows(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *rows;
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, sql, -1, &rows, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(rows), ==, SQLITE_ROW);
    gint64 n = sqlite3_column_int64(rows, 0);
    sqlite3_finalize(rows);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    return n;
}

static void put_contents(Mending *m, guint from, guint until)
{
    g_autoptr(GError) error = NULL;
    for (guint i = from; i < until; i++) {
        g_autofree char *text = g_strdup_printf("content %u", i);
        SyncdHash name = syncd_hash(text, strlen(text));
        syncd_journal_put_content(m->f.store->journal, &name, SYNCD_BYTES_TEXT(text), &error);
        g_assert_no_error(error);
    }
    fixture_commit(&m->f);
}

static void drop_contents(Mending *m, guint until)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < until; i++) {
        g_autofree char *text = g_strdup_printf("content %u", i);
        SyncdHash name = syncd_hash(text, strlen(text));
        syncd_journal_drop_content(m->f.store->journal, &name, &error);
        g_assert_no_error(error);
    }
    fixture_commit(&m->f);
}

static void keep_heads(Mending *m, guint n)
{
    g_autoptr(GError) error = NULL;
    for (guint i = 0; i < n; i++) {
        fill(m, 1);
        syncd_store_keep_head(m->f.store, syncd_store_device_id(m->f.store), "checkpoint.write",
                              &error);
        g_assert_no_error(error);
    }
}

static guint build_until(SyncdMend *mend, SyncdMendPhase phase)
{
    g_autoptr(GError) error = NULL;
    guint steps = 0;
    for (bool more = true; more && mend->phase < phase; steps++) {
        syncd_mend_build(mend, &more, &error);
        g_assert_no_error(error);
    }
    return steps;
}

/* However much it is, no step has more of it than the others: not even the last one. */
static void what_comes_meanwhile_is_taken_over_in_steps(void)
{
    enum { BEFORE = 300, DROPPED = 100, SINCE = 1000, HEADS = 200 };
    Mending m;
    g_autoptr(GError) error = NULL;
    SyncdHash name;
    prepare(&m, FEWER);
    put_contents(&m, 0, BEFORE);
    keep_heads(&m, HEADS);
    g_autoptr(SyncdMend) mend = examine(&m);
    build_until(mend, MEND_BUILD_CONTENT);
    drop_contents(&m, DROPPED);
    put_contents(&m, BEFORE, SINCE);
    g_assert_cmpuint(build_until(mend, MEND_VERIFY), >=, SINCE / 64 + HEADS / 64);
    put_contents(&m, 0, DROPPED / 2);
    put_contents(&m, SINCE, 2 * SINCE);
    keep_heads(&m, HEADS);
    build_until(mend, MEND_CATCH_UP);
    g_assert_cmpuint(build_until(mend, MEND_READY), >=, SINCE / 64);
    g_assert_false(syncd_journal_take_content_change(m.f.store->journal, &name));
    drop_contents(&m, 1);
    syncd_mend_switch(mend, &error);
    g_assert_no_error(error);
    remember(&m);
    assert_whole(&m);
    assert_goes_on(&m);
    fixture_close(&m.f);
    g_assert_cmpint(count_rows(m.journal, "SELECT count(*) FROM content"), ==,
                    2 * SINCE - DROPPED + DROPPED / 2 - 1);
    g_assert_cmpint(count_rows(m.journal, "SELECT count(*) FROM checkpoint"), ==, 1 + 2 * HEADS);
    finish(&m);
}

static void a_sound_log_needs_nothing_and_may_have_another_generation(void)
{
    Mending m;
    guint64 generation;
    prepare(&m, ENTRIES);
    g_assert_true(syncd_store_generation(m.f.store, &generation, NULL));
    g_assert_cmpuint(generation, ==, 1);
    make_earlier_generation(&m);
    g_assert_true(syncd_store_generation(m.f.store, &generation, NULL));
    g_assert_cmpuint(generation, ==, 2);
    assert_whole(&m);
    g_autofree char *kept = g_build_filename(m.f.directory, "journal.1", NULL);
    g_autofree char *built = g_build_filename(m.f.directory, "journal.db.new", NULL);
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(built, G_FILE_TEST_EXISTS));
    assert_goes_on(&m);
    finish(&m);
}

typedef struct {
    const char *sql;
    const char *what;
    SyncdMendOutcome outcome; /* with an earlier generation */
    SyncdMendOutcome alone;   /* without */
    guint n;
} Damage;

static const Damage damages[] = {
    {"UPDATE entry SET header = zeroblob(length(header)) WHERE pos = 100", "header",
     SYNCD_MEND_REFILLED, SYNCD_MEND_LOST, 1},
    {"UPDATE entry SET header = CAST(replace(header, 'object:1', 'object:2') AS BLOB) WHERE "
     "pos IN (100, 300)",
     "header", SYNCD_MEND_REFILLED, SYNCD_MEND_LOST, 2},
    {"UPDATE entry SET header = CAST(replace(header, 'object:1', 'object:2') AS BLOB) WHERE "
     "pos = (SELECT max(pos) FROM entry) - 3",
     "header", SYNCD_MEND_REFILLED, SYNCD_MEND_LOST, 1},
    {"DELETE FROM entry WHERE pos BETWEEN 200 AND 203", "header", SYNCD_MEND_REFILLED,
     SYNCD_MEND_LOST, 4},
    {"DELETE FROM entry WHERE pos = (SELECT max(pos) FROM entry)", "header", SYNCD_MEND_REFILLED,
     SYNCD_MEND_LOST, 1},
    {"UPDATE entry SET body = zeroblob(100) WHERE pos IN (7, 8)", "body", SYNCD_MEND_REFILLED,
     SYNCD_MEND_LOST, 2},
    {"UPDATE entry SET body = NULL WHERE pos = 7", "body", SYNCD_MEND_REFILLED, SYNCD_MEND_LOST, 1},
    {"UPDATE entry SET tiles = zeroblob(length(tiles)) WHERE pos = (SELECT pos FROM entry WHERE "
     "tiles IS NOT NULL ORDER BY pos LIMIT 1)",
     "tiles", SYNCD_MEND_DERIVED, SYNCD_MEND_DERIVED, 1},
    {"UPDATE entry SET seq = -1 WHERE pos = 30", "place", SYNCD_MEND_DERIVED, SYNCD_MEND_DERIVED,
     1},
    {"UPDATE head SET frontier = zeroblob(length(frontier))", "head", SYNCD_MEND_DERIVED,
     SYNCD_MEND_DERIVED, 2},
    {"UPDATE head SET note = 'x'", "head", SYNCD_MEND_DERIVED, SYNCD_MEND_DERIVED, 2},
    {"UPDATE meta SET value = 'x' WHERE name = 'machine'", "meta", SYNCD_MEND_DERIVED,
     SYNCD_MEND_DERIVED, 1},
};

static guint count_items(const SyncdMend *mend, const char *what, SyncdMendOutcome outcome)
{
    guint n = 0;
    for (guint i = 0; i < syncd_mend_items(mend)->len; i++) {
        const SyncdMendItem *item = syncd_mend_items(mend)->pdata[i];
        n += item->outcome == outcome && strcmp(item->what, what) == 0;
    }
    return n;
}

static void an_earlier_generation_refills_what_it_has(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        Mending m;
        prepare(&m, i < 2 ? ENTRIES : FEWER);
        make_earlier_generation(&m);
        g_test_message("%s", damages[i].sql);
        damage(&m, damages[i].sql);
        g_autoptr(SyncdMend) mend = examine(&m);
        g_assert_cmpuint(count_items(mend, damages[i].what, damages[i].outcome), ==, damages[i].n);
        g_assert_cmpuint(syncd_mend_count(mend, SYNCD_MEND_LOST), ==, 0);
        build_and_switch(mend);
        g_clear_pointer(&mend, syncd_mend_free);
        assert_whole(&m);
        assert_goes_on(&m);
        finish(&m);
    }
}

static void what_is_nowhere_is_lost_and_named(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        Mending m;
        prepare(&m, i < 2 ? ENTRIES : FEWER);
        g_test_message("%s", damages[i].sql);
        damage(&m, damages[i].sql);
        g_autoptr(SyncdMend) mend = examine(&m);
        g_assert_cmpuint(count_items(mend, damages[i].what, damages[i].alone), ==, damages[i].n);
        build_and_switch(mend);
        g_clear_pointer(&mend, syncd_mend_free);
        assert_heads(&m);
        assert_losses(&m, damages[i].alone == SYNCD_MEND_LOST ? damages[i].n : 0);
        fill(&m, 40);
        fixture_close(&m.f);
        fixture_open_mode(&m.f, SYNCD_STORE_OPEN);
        g_assert_cmpint(syncd_store_condition(m.f.store), ==, SYNCD_STORE_WRITABLE);
        assert_losses(&m, damages[i].alone == SYNCD_MEND_LOST ? damages[i].n : 0);
        finish(&m);
    }
}

/* ---- damage of any kind, anywhere ---- */

typedef enum { PAGE_ZEROED, PAGE_NOISE, BYTE_CHANGED, N_HARMS } Harm;

static void harm_pages(Mending *m, guint n)
{
    guint8 page[4096];
    int fd = open(m->journal, O_RDWR | O_CLOEXEC);
    off_t pages = lseek(fd, 0, SEEK_END) / (off_t)sizeof page;
    for (guint i = 0; i < n; i++) {
        /* The first page has the schema: without it there is no database. */
        off_t at = (off_t)(1 + fixture_next(&m->f) % (guint64)(pages - 1)) * (off_t)sizeof page;
        Harm harm = (Harm)(fixture_next(&m->f) % N_HARMS);
        g_assert_cmpint(pread(fd, page, sizeof page, at), ==, sizeof page);
        if (harm == PAGE_ZEROED)
            memset(page, 0, sizeof page);
        else if (harm == PAGE_NOISE)
            fixture_random(&m->f, page, sizeof page);
        else
            page[fixture_next(&m->f) % sizeof page] ^= (guint8)(1 + fixture_next(&m->f) % 255);
        g_test_message("page %d: harm %d", (int)(at / 4096) + 1, harm);
        g_assert_cmpint(pwrite(fd, page, sizeof page, at), ==, sizeof page);
    }
    close(fd);
}

static bool open_damaged(Mending *m)
{
    g_autoptr(GError) error = NULL;
    SyncdStoreOptions options = {.directory = m->f.directory,
                                 .mode = SYNCD_STORE_OPEN,
                                 .sources = &m->f.sources,
                                 .machine = m->f.machine};
    m->f.store = syncd_store_open(&options, &error);
    if (m->f.store == NULL)
        g_test_message("not opened: %s", error->message);
    return m->f.store != NULL;
}

/* What the earlier generation had is as it was; of what came since, what is not as it was is named.
 */
static void assert_nothing_is_pretended(Mending *m, guint64 covered)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(&m->f, SYNCD_VERIFY_FULL, NULL);
    g_autoptr(GHashTable) named = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (guint i = 0; i < syncd_verify_findings(verify)->len; i++) {
        const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[i];
        g_test_message("%s %s: %s", finding->code, finding->feed, finding->detail);
    }
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    for (guint i = 0; i < syncd_verify_losses(verify)->len; i++) {
        const SyncdVerifyFinding *loss = syncd_verify_losses(verify)->pdata[i];
        g_assert_cmpint(loss->pos, >, (gint64)covered);
        g_hash_table_add(named, GSIZE_TO_POINTER(loss->pos));
    }
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        bool lost = g_hash_table_contains(named, GSIZE_TO_POINTER(i + 1));
        g_assert_cmpint(strcmp(now, m->texts->pdata[i]) != 0, ==, lost);
    }
}

static void mend_what_was_harmed(Mending *m, guint64 covered, guint *mended, guint *beyond)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdMend) mend = examine(m);
    if (!syncd_mend_is_possible(mend, &error)) {
        g_test_message("%s", error->message);
        g_assert_cmpuint(syncd_mend_count(mend, SYNCD_MEND_BEYOND), >, 0);
        for (guint i = 0; i < syncd_mend_items(mend)->len; i++) {
            const SyncdMendItem *item = syncd_mend_items(mend)->pdata[i];
            g_assert_true(item->outcome != SYNCD_MEND_BEYOND || item->pos < 0 ||
                          item->pos > (gint64)covered);
        }
        ++*beyond;
        return;
    }
    build_and_switch(mend);
    g_clear_pointer(&mend, syncd_mend_free);
    assert_heads(m);
    assert_nothing_is_pretended(m, covered);
    g_assert_cmpint(syncd_store_condition(m->f.store), ==, SYNCD_STORE_WRITABLE);
    ++*mended;
}

static void what_is_damaged_anywhere_is_mended_or_named(void)
{
    guint mended = 0, beyond = 0, unopened = 0, rounds = is_hurried() ? 8 : 40;
    for (guint i = 0; i < rounds; i++) {
        Mending m;
        prepare(&m, 400);
        make_earlier_generation(&m);
        guint64 covered = syncd_store_sequence(m.f.store);
        fill(&m, 100);
        remember(&m);
        fixture_close(&m.f);
        m.f.seed = i;
        harm_pages(&m, 1 + i % 4);
        if (open_damaged(&m))
            mend_what_was_harmed(&m, covered, &mended, &beyond);
        else
            unopened++;
        finish(&m);
    }
    g_test_message("%u mended, %u beyond it, %u that cannot even be opened", mended, beyond,
                   unopened);
    g_assert_cmpuint(mended, >, rounds / 2);
}

/* ---- before it is mended ---- */

static guint count_as_they_were(Mending *m)
{
    guint n = 0;
    for (guint i = 0; i < m->texts->len; i++) {
        g_autofree char *now = read_all(m->f.store, i + 1);
        n += strcmp(now, m->texts->pdata[i]) == 0;
    }
    return n;
}

static guint64 count_findings(Mending *m)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdVerify) verify = syncd_verify_new(m->f.store, SYNCD_VERIFY_FULL, NULL, &error);
    for (bool more = true; more && error == NULL;)
        syncd_verify_step(verify, &more, &error);
    return syncd_verify_n_findings(verify);
}

/* One bad page costs what is on it, or beneath it; the rest is read, and that something is wrong is
 * known. */
static void what_is_damaged_is_served_as_far_as_it_goes(void)
{
    guint whole = 0, rounds = is_hurried() ? 8 : 30;
    for (guint i = 0; i < rounds; i++) {
        Mending m;
        prepare(&m, 300);
        fixture_close(&m.f);
        m.f.seed = 1000 + i;
        harm_pages(&m, 1);
        g_assert_true(open_damaged(&m));
        guint same = count_as_they_were(&m);
        g_assert_true(same == m.texts->len || count_findings(&m) > 0);
        whole += same >= m.texts->len - 40;
        finish(&m);
    }
    g_assert_cmpuint(whole, >, rounds * 3 / 4);
}

/* What SQLite itself does not open is not opened, and not replaced by anything. */
static void a_journal_that_was_cut_is_left_as_it_is(void)
{
    Mending m;
    struct stat st;
    prepare(&m, 300);
    fixture_close(&m.f);
    g_assert_cmpint(truncate(m.journal, 8 * 4096 + 100), ==, 0);
    g_assert_false(open_damaged(&m));
    g_assert_cmpint(stat(m.journal, &st), ==, 0);
    g_assert_cmpint(st.st_size, ==, 8 * 4096 + 100);
    finish(&m);
}

/* ---- purges ---- */

static void what_is_purged_is_in_no_generation(void)
{
    Mending m;
    g_autoptr(GError) error = NULL;
    SyncdPurgeable *purgeable = NULL;
    g_autoptr(SyncdScope) scope = NULL;
    prepare(&m, 60);
    g_assert_true(syncd_store_find_scope(m.f.store, "public", "p", &scope, &error));
    SyncdReceipt receipt = fixture_append_to(&m.f, scope->id, "gone", NULL, MARKER, strlen(MARKER));
    syncd_receipt_clear(&receipt);
    fixture_delete(&m.f, scope->id, "gone", &error);
    g_assert_no_error(error);
    fixture_commit(&m.f);
    make_earlier_generation(&m);
    g_autofree char *kept = g_build_filename(m.f.directory, "journal.1", NULL);
    g_assert_true(files_hold(kept, SYNCD_BYTES_TEXT(MARKER)));
    g_autoptr(SyncdMend) mend = examine(&m);
    bool more = true, built = true;
    for (unsigned i = 0; i < 3; i++)
        g_assert_true(syncd_mend_build(mend, &more, &error));
    g_autofree char *next = g_build_filename(m.f.directory, "journal.db.new", NULL);
    g_assert_true(g_file_test(next, G_FILE_TEST_EXISTS));

    fixture_purge(&m.f, scope->id, "gone", &purgeable, &error);
    g_assert_no_error(error);
    fixture_commit(&m.f);
    g_autoptr(SyncdScrub) scrub =
        syncd_store_begin_scrub(m.f.store, purgeable->scope_id, purgeable->chunks);
    while (more) {
        syncd_scrub_step(scrub, &more, &error);
        g_assert_no_error(error);
    }
    g_assert_cmpuint(syncd_scrub_result(scrub, 0).copies, >=, 2);
    g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
    g_assert_false(state_holds(&m.f, MARKER));
    /* One that was begun before does not bring it back. */
    for (more = true; more && built;)
        built = syncd_mend_build(mend, &more, &error);
    g_assert_false(built);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_BUSY);
    syncd_purgeable_free(purgeable);
    g_clear_pointer(&scrub, syncd_scrub_free);
    g_clear_pointer(&mend, syncd_mend_free);
    finish(&m);
}

static void damage_generation(Mending *m)
{
    fixture_close(&m->f);
    run_sql(m->journal, "UPDATE meta SET value = replace(value, '-', '-0') WHERE "
                        "name = 'generation'");
    fixture_open_mode(&m->f, SYNCD_STORE_OPEN);
}

/* Nobody takes it for what a process that was killed has left. */
static void an_earlier_generation_outlives_the_number_of_the_one_there_is(void)
{
    Mending m;
    guint64 generation;
    prepare(&m, 60);
    make_earlier_generation(&m);
    g_autofree char *kept = g_build_filename(m.f.directory, "journal.1", NULL);
    damage_generation(&m);
    g_assert_true(syncd_store_generation(m.f.store, &generation, NULL));
    g_assert_cmpuint(generation, ==, 1);
    g_assert_true(g_file_test(kept, G_FILE_TEST_EXISTS));

    /* a second name of the journal itself is what one leaves that was killed before it exchanged */
    g_assert_cmpint(g_unlink(kept), ==, 0);
    g_assert_cmpint(link(m.journal, kept), ==, 0);
    fixture_close(&m.f);
    fixture_open_mode(&m.f, SYNCD_STORE_OPEN);
    g_assert_false(g_file_test(kept, G_FILE_TEST_EXISTS));
    finish(&m);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mend/sound", a_sound_log_needs_nothing_and_may_have_another_generation);
    g_test_add_func("/mend/refilled", an_earlier_generation_refills_what_it_has);
    g_test_add_func("/mend/meanwhile", what_comes_meanwhile_is_taken_over_in_steps);
    g_test_add_func("/mend/lost", what_is_nowhere_is_lost_and_named);
    g_test_add_func("/mend/anywhere", what_is_damaged_anywhere_is_mended_or_named);
    g_test_add_func("/mend/served", what_is_damaged_is_served_as_far_as_it_goes);
    g_test_add_func("/mend/cut", a_journal_that_was_cut_is_left_as_it_is);
    g_test_add_func("/mend/outlives",
                    an_earlier_generation_outlives_the_number_of_the_one_there_is);
    g_test_add_func("/mend/purged", what_is_purged_is_in_no_generation);
    return g_test_run();
}
