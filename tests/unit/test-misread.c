/*
 * Damage that one read of the open journal met: it is looked at again, and what is sound then is
 * told as something that was seen. What is there still stays, whatever is asked.
 */
#include "diagnose-fixture.h"
#include "repair-fixture.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/journal-private.h"
#include "store/store-private.h"

#include <fcntl.h>

#define MARKER "marker-in-the-middle-of-the-log"
#define PAGE 4096

typedef struct {
    ServiceFixture f;
    char *operation; /* that lies in the page */
    off_t at;
    guint8 was[PAGE];
} World;

static void put_public(ServiceFixture *f, const char *body, char **ret_operation)
{
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT(body);
    g_autofree char *operation = enqueue_committed(f, &request);
    if (ret_operation != NULL)
        *ret_operation = g_steal_pointer(&operation);
}

/* The bytes of one page of the journal, which nobody has read since it was opened. */
static void begin(World *w, guint more)
{
    *w = (World){0};
    repair_init(&w->f);
    for (guint i = 0; i < 100 + more; i++)
        put_public(&w->f, i == 50 ? "{\"x\":\"" MARKER "\"}" : "{\"x\":1}",
                   i == 50 ? &w->operation : NULL);
    rest(&w->f);
    repair_reopen(&w->f);
    g_autofree char *path = state_path(&w->f, "journal.db"), *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    const char *marker = memmem(bytes, size, MARKER, strlen(MARKER));
    g_assert_nonnull(marker);
    w->at = (marker - bytes) / PAGE * PAGE;
    memcpy(w->was, bytes + w->at, PAGE);
}

static void clear(World *w)
{
    service_clear(&w->f);
    g_free(w->operation);
}

static void write_page(World *w, const guint8 *page)
{
    g_autofree char *path = state_path(&w->f, "journal.db");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, page, PAGE, w->at), ==, PAGE);
    close(fd);
}

static bool reads(World *w)
{
    g_autofree char *record =
        syncd_service_get_operation(w->f.service, &w->f.caller, w->operation, NULL);
    return record != NULL;
}

static void misread(World *w)
{
    guint8 page[PAGE];
    memset(page, 0xff, sizeof page);
    write_page(w, page);
    g_assert_false(reads(w));
}

static void heal(World *w)
{
    write_page(w, w->was);
}

static void assert_corrupt(World *w, const char *next)
{
    SyncdState state;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(w->f.service);
    const SyncdFound *corrupt = find(found, "journal-corrupt");
    g_assert_nonnull(corrupt);
    g_assert_null(find(found, "journal-misread"));
    g_assert_cmpstr(corrupt->next != NULL ? corrupt->next : corrupt->finding->next, ==, next);
    syncd_service_state(w->f.service, &state);
    g_assert_cmpstr(state.reasons[0], ==, "journal-corrupt");
}

static void assert_is_history(World *w)
{
    SyncdState state;
    g_autoptr(GPtrArray) found = syncd_service_diagnose(w->f.service);
    const SyncdFound *seen = find(found, "journal-misread");
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_nonnull(seen);
    g_assert_cmpuint(seen->count, ==, 1);
    syncd_service_state(w->f.service, &state);
    g_assert_cmpstr(state.state, ==, "clean");
    g_assert_false(state.repair_needed);
    g_assert_true(reads(w));
}

static void what_is_not_there_any_more_is_history(void)
{
    World w;
    begin(&w, 0);
    misread(&w);
    heal(&w);
    assert_is_history(&w);
    put(&w.f, "note-1", "{}");
    service_close(&w.f);
    repair_open(&w.f, NULL);
    assert_clean(&w.f);
    clear(&w);
}

/* The control: what is held in memory does not count, and nothing is looked at all the time. */
static void what_is_there_still_stays(void)
{
    World w;
    begin(&w, 0);
    misread(&w);
    assert_corrupt(&w, "sourceos-syncd repair plan");
    heal(&w);
    assert_corrupt(&w, "sourceos-syncd repair plan");
    w.f.base.now_usec += 61 * G_USEC_PER_SEC;
    assert_is_history(&w);
    clear(&w);
}

static void a_verification_of_everything_ends_it_at_once(void)
{
    World w;
    begin(&w, 0);
    misread(&w);
    assert_corrupt(&w, "sourceos-syncd repair plan");
    heal(&w);
    verify_all(&w.f);
    assert_is_history(&w);
    clear(&w);
}

static void a_verification_that_finds_it_keeps_it(void)
{
    World w;
    begin(&w, 0);
    misread(&w);
    verify_all(&w.f);
    assert_corrupt(&w, "sourceos-syncd repair plan");
    clear(&w);
}

static void change_a_byte(World *w)
{
    guint8 page[PAGE];
    memcpy(page, w->was, PAGE);
    guint8 *byte = memmem(page, PAGE, MARKER, strlen(MARKER));
    *byte ^= 1;
    write_page(w, page);
}

static bool is_body_found(World *w)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(w->f.service);
    return find(found, "body-damaged") != NULL;
}

/* A byte of a body that was read before and is held. */
static void what_is_held_does_not_answer_for_the_disk(void)
{
    World w;
    begin(&w, 0);
    g_assert_true(reads(&w));
    change_a_byte(&w);
    g_assert_true(reads(&w));
    verify_all(&w.f);
    g_assert_true(is_body_found(&w));
    clear(&w);
}

/* What is read then may be what never came to the disk. */
static void after_a_write_that_failed_nothing_is_taken_back(void)
{
    World w;
    begin(&w, 0);
    change_a_byte(&w);
    verify_all(&w.f);
    g_assert_true(is_body_found(&w));
    heal(&w);
    w.f.service->store->journal->write_fault = g_strdup("the disk said no");
    verify_all(&w.f);
    g_assert_true(is_body_found(&w));
    g_clear_pointer(&w.f.service->store->journal->write_fault, g_free);
    verify_all(&w.f);
    g_assert_false(is_body_found(&w));
    clear(&w);
}

static void assert_state(World *w, const char *reason)
{
    SyncdState state;
    syncd_service_state(w->f.service, &state);
    g_assert_true(g_strv_contains(state.reasons, reason));
}

/* Whether any generation can be made of it: not each time that somebody asks for the state. */
static void what_is_left_is_looked_at_once_for_what_was_met(void)
{
    World w;
    guint8 page[PAGE];
    memset(page, 0xa5, sizeof page);
    begin(&w, 0);
    misread(&w);
    assert_state(&w, "journal-corrupt");
    w.at = PAGE; /* what says which generation it is */
    write_page(&w, page);
    assert_state(&w, "journal-corrupt");
    g_assert_false(reads(&w));
    assert_state(&w, "journal-displaced");
    clear(&w);
}

/* The turn that met it was taken back, and the next one is none the worse. */
static void a_turn_that_met_it_is_followed_by_others(void)
{
    ServiceFixture f;
    gsize size;
    repair_init(&f);
    put_many(&f, 0, 100);
    rest(&f);
    repair_reopen(&f);
    g_autofree char *path = state_path(&f, "journal.db"),
                    *bytes = state_read(&f, "journal.db", &size), *rotten = g_memdup2(bytes, size);
    memset(rotten + 12 * PAGE, 0xa5, size - 12 * PAGE);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    g_assert_cmpint(pwrite(fd, rotten, size, 0), ==, (ssize_t)size);
    guint64 before = service_sequence(&f);
    SyncdRequest request = good_request();
    SyncdEnqueued enqueued = {0};
    syncd_service_enqueue(f.service, &f.caller, &request, &enqueued, NULL);
    g_free(enqueued.operation);
    syncd_service_commit(f.service);
    g_assert_cmpuint(service_sequence(&f), ==, before);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_DAMAGED);
    g_assert_true(is_found(&f, "journal-corrupt"));
    g_assert_cmpint(pwrite(fd, bytes, size, 0), ==, (ssize_t)size);
    close(fd);
    g_assert_true(is_found(&f, "journal-corrupt"));
    f.base.now_usec += 61 * G_USEC_PER_SEC;
    g_assert_false(is_found(&f, "journal-corrupt"));
    g_assert_true(is_found(&f, "journal-misread"));
    put(&f, "note-later", "{}");
    g_assert_cmpuint(service_sequence(&f), >, before);
    verify_all(&f);
    g_assert_false(syncd_service_is_damaged(f.service));
    repair_reopen(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* Of pages that are as they should be nothing shows it. */
static void what_contradicts_itself_is_not_looked_at_in_pages(void)
{
    World w;
    begin(&w, 0);
    misread(&w);
    heal(&w);
    SyncdDatabase *db = syncd_journal_database(w.f.service->store->journal);
    g_assert_false(
        syncd_database_run(db, "INSERT INTO meta SELECT * FROM meta WHERE name = 'device'", NULL));
    assert_corrupt(&w, "sourceos-syncd verify log --full");
    verify_all(&w.f);
    assert_is_history(&w);
    clear(&w);
}

/* Too large to be looked through at once. */
static void of_a_large_one_a_verification_tells(void)
{
    World w;
    begin(&w, 12000);
    misread(&w);
    heal(&w);
    assert_corrupt(&w, "sourceos-syncd verify log --full");
    verify_all(&w.f);
    assert_is_history(&w);
    clear(&w);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/misread/history", what_is_not_there_any_more_is_history);
    g_test_add_func("/misread/still", what_is_there_still_stays);
    g_test_add_func("/misread/verified", a_verification_of_everything_ends_it_at_once);
    g_test_add_func("/misread/found", a_verification_that_finds_it_keeps_it);
    g_test_add_func("/misread/held", what_is_held_does_not_answer_for_the_disk);
    g_test_add_func("/misread/failed", after_a_write_that_failed_nothing_is_taken_back);
    g_test_add_func("/misread/once", what_is_left_is_looked_at_once_for_what_was_met);
    g_test_add_func("/misread/turn", a_turn_that_met_it_is_followed_by_others);
    g_test_add_func("/misread/rows", what_contradicts_itself_is_not_looked_at_in_pages);
    g_test_add_func("/misread/large", of_a_large_one_a_verification_tells);
    return g_test_run();
}
