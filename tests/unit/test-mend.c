/*
 * A journal that was damaged is mended by another generation of it: the same leaves, heads and
 * roots, whatever had to be brought from elsewhere; what is lost is named, and exactly that.
 */
#include "hurried.h"
#include "mend-fixture.h"
#include "purge-fixture.h"

#include <unistd.h>

#define MARKER "what-nobody-brings-back"
#define ENTRIES (is_hurried() ? 1100u : 1600u) /* two levels of tiles, and a tail … */
#define FEWER 400u                             /* … or one */

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
    enum { BEFORE = 300, DROPPED = 100 };
    const guint since = is_hurried() ? 400 : 1000, n_heads = is_hurried() ? 100 : 200;
    Mending m;
    g_autoptr(GError) error = NULL;
    SyncdHash name;
    prepare(&m, FEWER);
    put_contents(&m, 0, BEFORE);
    keep_heads(&m, n_heads);
    g_autoptr(SyncdMend) mend = examine(&m);
    build_until(mend, MEND_BUILD_CONTENT);
    drop_contents(&m, DROPPED);
    put_contents(&m, BEFORE, since);
    g_assert_cmpuint(build_until(mend, MEND_VERIFY), >=, since / 64 + n_heads / 64);
    put_contents(&m, 0, DROPPED / 2);
    put_contents(&m, since, 2 * since);
    keep_heads(&m, n_heads);
    build_until(mend, MEND_CATCH_UP);
    g_assert_cmpuint(build_until(mend, MEND_READY), >=, since / 64);
    g_assert_false(syncd_journal_take_content_change(m.f.store->journal, &name));
    drop_contents(&m, 1);
    syncd_mend_switch(mend, &error);
    g_assert_no_error(error);
    remember(&m);
    assert_whole(&m);
    assert_goes_on(&m);
    fixture_close(&m.f);
    g_autofree char *contents = ask_raw(m.journal, "SELECT count(*) FROM content"),
                    *heads = ask_raw(m.journal, "SELECT count(*) FROM checkpoint");
    g_assert_cmpint(atoi(contents), ==, 2 * since - DROPPED + DROPPED / 2 - 1);
    g_assert_cmpint(atoi(heads), ==, 1 + 2 * n_heads);
    finish(&m);
}

static void a_sound_log_needs_nothing_and_may_have_another_generation(void)
{
    Mending m;
    guint64 generation;
    prepare(&m, ENTRIES);
    g_assert_true(syncd_store_generation(m.f.store, &generation, NULL));
    g_assert_cmpuint(generation, ==, 1);
    g_assert_cmpint(chmod(m.journal, 0644), ==, 0);
    make_earlier_generation(&m);
    g_assert_true(syncd_store_generation(m.f.store, &generation, NULL));
    g_assert_cmpuint(generation, ==, 2);
    assert_whole(&m);
    g_autofree char *kept = g_build_filename(m.f.directory, "journal.1", NULL);
    g_autofree char *built = g_build_filename(m.f.directory, "journal.db.new", NULL);
    struct stat st;
    g_assert_cmpint(lstat(kept, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 07777, ==, 0600); /* whatever it had */
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

/* Where everything is slow, some are refilled and some of the others are lost. */
static void an_earlier_generation_refills_what_it_has(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i += is_hurried() ? 3 : 1) {
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
    for (size_t i = is_hurried() ? 2 : 0; i < G_N_ELEMENTS(damages); i += is_hurried() ? 3 : 1) {
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

/* By its digest: it is of no entry of its own. */
static void content_that_is_lost_is_named(void)
{
    Mending m;
    SyncdHash name = syncd_hash("content 1", strlen("content 1"));
    char digest[SYNCD_DIGEST_SIZE];
    syncd_hash_to_digest(&name, digest);
    prepare(&m, FEWER);
    put_contents(&m, 0, 3);
    damage(&m, "UPDATE content SET bytes = x'00' WHERE bytes = CAST('content 1' AS BLOB)");
    g_autoptr(SyncdMend) mend = examine(&m);
    g_assert_cmpuint(count_items(mend, "content", SYNCD_MEND_LOST), ==, 1);
    const GPtrArray *items = syncd_mend_items(mend);
    g_autofree char *said = syncd_mend_item_name(items->pdata[items->len - 1]),
                    *expected = g_strconcat("content ", digest, NULL);
    g_assert_cmpstr(said, ==, expected);
    g_clear_pointer(&mend, syncd_mend_free);
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

/* Nobody takes it for what a process that was killed has left. */
static void an_earlier_generation_outlives_the_number_of_the_one_there_is(void)
{
    Mending m;
    guint64 generation;
    prepare(&m, 60);
    make_earlier_generation(&m);
    g_autofree char *kept = g_build_filename(m.f.directory, "journal.1", NULL);
    damage(&m, "UPDATE meta SET value = replace(value, '-', '-0') WHERE name = 'generation'");
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
    g_test_add_func("/mend/lost-content", content_that_is_lost_is_named);
    g_test_add_func("/mend/lost", what_is_nowhere_is_lost_and_named);
    g_test_add_func("/mend/outlives",
                    an_earlier_generation_outlives_the_number_of_the_one_there_is);
    g_test_add_func("/mend/purged", what_is_purged_is_in_no_generation);
    return g_test_run();
}
