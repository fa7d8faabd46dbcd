/*
 * Clearing up after a purge that fails is tried again, later and later: what was done by then is
 * not done again, and why it is not done yet is told.
 */
#include "purge-service-fixture.h"
#include "service/internal.h"
#include "store/store-private.h"

static char *begin_purged(ServiceFixture *f)
{
    g_free(begin(f));
    delete_note(f);
    return purge(f);
}

/* ---- what was done is not done again ---- */

static char *made_index(ServiceFixture *f)
{
    return g_build_filename(f->base.directory, "index.db.new", NULL);
}

/* A folder that holds something cannot be removed as a file. */
static void stand_in_the_way(ServiceFixture *f)
{
    g_autofree char *made = made_index(f), *inside = g_build_filename(made, "x", NULL);
    g_assert_cmpint(g_mkdir_with_parents(inside, 0700), ==, 0);
}

static void get_out_of_the_way(ServiceFixture *f)
{
    g_autofree char *made = made_index(f);
    fixture_remove(made);
}

static guint64 index_inode(ServiceFixture *f)
{
    GStatBuf st;
    g_autofree char *index = g_build_filename(f->base.directory, "index.db", NULL);
    g_assert_cmpint(g_stat(index, &st), ==, 0);
    return st.st_ino;
}

static void what_is_counted_counts_over_what_fails(void)
{
    ServiceFixture f;
    g_autofree char *purged = begin_purged(&f);
    g_autofree char *copy = g_build_filename(f.base.directory, "journal.db.before-2", NULL);
    g_assert_true(g_file_set_contents(copy, MARKER, -1, NULL));
    stand_in_the_way(&f);
    finish(&f);
    g_assert_false(g_file_test(copy, G_FILE_TEST_EXISTS));
    get_out_of_the_way(&f);
    f.base.now_usec = f.service->purge_retry;
    finish(&f);
    g_autofree char *now = report(&f, purged), *line = newest_line(&f),
                    *body = member_of(line, "body");
    assert_member(now, "state", "\"proven\"");
    assert_member(body, "copies_removed", "1");
    service_clear(&f);
}

/* Until there is a turn, which is that of the proof. */
static void work_to_the_proof(ServiceFixture *f)
{
    for (int i = 0; i < 1000 && !syncd_service_has_turn(f->service); i++)
        syncd_service_work(f->service);
    g_assert_true(syncd_service_has_turn(f->service));
}

static void a_proof_that_is_not_committed_is_written_again(void)
{
    ServiceFixture f;
    g_autoptr(GError) lost = g_error_new(SYNCD_ERROR, SYNCD_ERROR_NO_SPACE, "no room");
    g_autofree char *purged = begin_purged(&f);
    work_to_the_proof(&f);
    guint64 inode = index_inode(&f);
    syncd_service_discard(f.service, lost);
    finish(&f);
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    guint64 due = syncd_service_next_due(f.service);
    g_assert_cmpuint(due, >, f.base.now_usec);
    f.base.now_usec = due;
    finish(&f);
    g_autofree char *later = report(&f, purged);
    assert_member(later, "state", "\"proven\"");
    g_assert_cmpuint(index_inode(&f), ==, inode);
    g_assert_cmpuint(count_events(&f, "sync.object.purge_proven"), ==, 1);
    service_clear(&f);
}

/* ---- what cannot be done is tried less and less often ---- */

static void it_waits_longer_each_time(void)
{
    ServiceFixture f;
    guint64 expected = 60 * G_USEC_PER_SEC;
    g_autofree char *purged = begin_purged(&f);
    stand_in_the_way(&f);
    for (int i = 0; i < 10; i++) {
        finish(&f);
        guint64 due = f.service->purge_retry, wait = due - f.base.now_usec;
        g_assert_cmpuint(syncd_service_next_due(f.service), <=, due);
        g_assert_cmpuint(wait, <=, expected);
        g_assert_cmpuint(wait, >, expected - G_USEC_PER_SEC);
        expected = MIN(2 * expected, (guint64)3600 * G_USEC_PER_SEC);
        f.base.now_usec = due;
    }
    get_out_of_the_way(&f);
    finish(&f);
    g_autofree char *now = report(&f, purged);
    assert_member(now, "state", "\"proven\"");
    service_clear(&f);
}

static bool says_no_space(ServiceFixture *f)
{
    SyncdState state;
    syncd_service_state(f->service, &state);
    return g_strv_contains(state.reasons, "no-space");
}

/* As when the disk is full by then. */
static void leave_no_room(ServiceFixture *f)
{
    SyncdIndex **made = &f->service->store->remake.index;
    for (int i = 0; i < 100 && *made == NULL; i++)
        syncd_service_work(f->service);
    g_assert_nonnull(*made);
    syncd_database_run(syncd_index_database(*made), "PRAGMA max_page_count = 1", NULL);
}

static void want_of_room_is_told(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    for (int i = 0; i < 60; i++)
        put(&f, "note-2", "{}");
    delete_note(&f);
    g_autofree char *purged = purge(&f);
    g_assert_false(says_no_space(&f));
    /* Room comes and goes: it is not waited for longer and longer. */
    for (int i = 0; i < 4; i++) {
        leave_no_room(&f);
        finish(&f);
        g_assert_cmpuint(f.service->purge_retry - f.base.now_usec, <=, 60 * G_USEC_PER_SEC);
        f.base.now_usec = f.service->purge_retry;
    }
    g_autofree char *soon = report(&f, purged);
    assert_member(soon, "state", "\"purged\"");
    g_assert_true(says_no_space(&f));
    finish(&f);
    g_autofree char *later = report(&f, purged);
    assert_member(later, "state", "\"proven\"");
    g_assert_false(says_no_space(&f));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/purge-again/counts", what_is_counted_counts_over_what_fails);
    g_test_add_func("/purge-again/proof-again", a_proof_that_is_not_committed_is_written_again);
    g_test_add_func("/purge-again/longer", it_waits_longer_each_time);
    g_test_add_func("/purge-again/no-space", want_of_room_is_told);
    return g_test_run();
}
