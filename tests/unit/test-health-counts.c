/*
 * What a report counts: objects of lanes, and how far adding, changing and deleting got. Each
 * number is what was done, and the same when the index is made anew.
 */
#include "files-fixture.h"
#include "index-dump.h"
#include "purge-service-fixture.h"
#include "service/health.h"
#include "service/internal.h"

#define MANY_OBJECTS 3000u

/* A number of the report by its path, whose last parts are members. */
static gint64 count_at(SyncdJson block, const char *path)
{
    gint64 count;
    g_auto(GStrv) parts = g_strsplit(path, ".", -1);
    for (size_t i = 0; parts[i] != NULL; i++)
        block = syncd_json_member(block, parts[i]);
    if (!syncd_json_get_int64(block, &count))
        g_error("%s is no count", path);
    return count;
}

static SyncdJson lane_of(SyncdJson report, const char *lane)
{
    SyncdJsonIter iter;
    SyncdJson row;
    syncd_json_iter_init(&iter, syncd_json_member(report, "lanes"));
    while (syncd_json_iter_next(&iter, NULL, &row))
        if (syncd_json_is(syncd_json_member(row, "name"), lane))
            return syncd_json_member(row, "objects");
    g_assert_not_reached();
}

typedef struct {
    const char *lane; /* NULL: the pipeline */
    const char *path;
    gint64 count;
} Count;

static void assert_once(ServiceFixture *f, const Count *counts, size_t n)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    SyncdJson report = syncd_json_root(text, strlen(text));
    for (size_t i = 0; i < n; i++) {
        SyncdJson block = counts[i].lane != NULL ? lane_of(report, counts[i].lane)
                                                 : syncd_json_member(report, "pipeline");
        g_test_message("%s %s", counts[i].lane, counts[i].path);
        g_assert_cmpint(count_at(block, counts[i].path), ==, counts[i].count);
    }
}

/* As they were counted one by one, and as the log alone says. */
static void assert_counts(ServiceFixture *f, const Count *counts, size_t n)
{
    run_jobs(f);
    assert_once(f, counts, n);
    assert_index_adds_up(f->service->store);
    service_close(f);
    remove_index(&f->base);
    service_open(f);
    run_jobs(f);
    assert_once(f, counts, n);
    assert_index_adds_up(f->service->store);
}

#define ASSERT_COUNTS(f, ...)                                                                      \
    do {                                                                                           \
        const Count counts[] = {__VA_ARGS__};                                                      \
        assert_counts(f, counts, G_N_ELEMENTS(counts));                                            \
    } while (0)

static char *put_in(ServiceFixture *f, const char *lane, const char *object)
{
    SyncdRequest request = good_request();
    request.lane = lane;
    request.object = object;
    return enqueue_committed(f, &request);
}

static void the_first_operation_about_an_object_adds_it(void)
{
    ServiceFixture f;
    service_init(&f);
    g_free(put_in(&f, "memory", "note-1"));
    g_free(put_in(&f, "memory", "note-1"));
    g_free(put_in(&f, "archive", "note-1")); /* where it began is where it is */
    g_free(put_in(&f, "archive", "note-2"));
    g_free(put_in(&f, "normal", "note-2"));
    g_free(put_in(&f, "normal", "")); /* about none */
    ASSERT_COUNTS(&f, {"memory", "total", 1}, {"archive", "total", 1}, {"normal", "total", 0},
                  {NULL, "add.external_requested", 2}, {NULL, "add.journaled", 2},
                  {NULL, "add.pending", 2}, {NULL, "update.external_requested", 4},
                  {NULL, "update.pending", 4});
    service_clear(&f);
}

/* More than are remembered lately, in an order in which they push each other out. */
static void many_objects_are_each_added_once(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < 2 * MANY_OBJECTS; i++) {
        SyncdRequest request = good_request();
        g_autofree char *object = g_strdup_printf("note-%u", i % MANY_OBJECTS);
        request.object = object;
        g_free(enqueue(&f, &request).operation);
        if (i % 100 == 99)
            syncd_service_commit(f.service);
    }
    ASSERT_COUNTS(&f, {"normal", "total", MANY_OBJECTS}, {NULL, "add.journaled", MANY_OBJECTS},
                  {NULL, "update.journaled", MANY_OBJECTS});
    service_clear(&f);
}

static void what_becomes_of_an_operation_is_counted_where_it_adds_or_changes(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *adds = put_in(&f, "normal", "note-1");
    g_autofree char *fails = put_in(&f, "normal", "note-2");
    g_autofree char *changes = put_in(&f, "normal", "note-1");
    g_autofree char *first = claim_operation(&f, adds);
    complete(&f, first);
    g_autofree char *second = claim_operation(&f, fails);
    fail(&f, second, true);
    g_free(claim_operation(&f, changes));
    ASSERT_COUNTS(&f, {NULL, "add.applied", 1}, {NULL, "add.failed", 1}, {NULL, "add.running", 0},
                  {NULL, "update.running", 1}, {NULL, "update.applied", 0},
                  {NULL, "update.failed", 0});
    service_clear(&f);
}

static void a_record_adds_an_object_and_changes_it(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("normal")), ==, -1);
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), ==, -1);
    /* operations were about it before; it is one object, that was registered once */
    ASSERT_COUNTS(&f, {"normal", "total", 2}, {NULL, "add.external_requested", 3},
                  {NULL, "add.applied", 2}, {NULL, "add.pending", 1},
                  {NULL, "update.external_requested", 0});
    service_clear(&f);
}

static void what_is_deleted_is_a_tombstone_until_it_is_purged(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    ASSERT_COUNTS(&f, {"normal", "total", 2}, {"normal", "tombstones", 0});
    delete_note(&f);
    ASSERT_COUNTS(&f, {"normal", "total", 1}, {"normal", "tombstones", 1},
                  {NULL, "delete.external_requested", 1}, {NULL, "delete.authorized", 1},
                  {NULL, "delete.tombstoned", 1}, {NULL, "delete.propagated", 1},
                  {NULL, "delete.purged", 0}, {NULL, "update.external_requested", 0});
    g_free(purge(&f));
    finish(&f);
    ASSERT_COUNTS(&f, {"normal", "total", 1}, {"normal", "tombstones", 0}, {"normal", "purged", 1},
                  {NULL, "delete.purged", 1}, {NULL, "delete.proven", 1});
    service_clear(&f);
}

static void what_is_restored_is_there_again(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    SyncdRequest request = good_request();
    request.restore = true;
    g_free(enqueue_committed(&f, &request));
    ASSERT_COUNTS(&f, {"normal", "total", 2}, {"normal", "tombstones", 0},
                  {NULL, "delete.restored", 1}, {NULL, "add.external_requested", 2},
                  {NULL, "update.external_requested", 1});
    service_clear(&f);
}

static void files_are_objects_that_the_daemon_found(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    g_autofree char *file = files_make(&t, t.folder, "gone", SYNCD_FILE_REGULAR);
    files_begin(&t);
    syncd_file_changes_add_deleted(&t.writer, file);
    files_record(&t, "object.deleted");
    ASSERT_COUNTS(&t.f, {"normal", "total", 8}, {"normal", "tombstones", 1},
                  {NULL, "add.internal_generated", 9}, {NULL, "add.external_requested", 0},
                  {NULL, "add.applied", 9}, {NULL, "delete.internal_generated", 1},
                  {NULL, "delete.external_requested", 0}, {NULL, "delete.journaled", 1});
    files_clear(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define CASE(name, test) g_test_add_func("/health-counts/" name, test)
    CASE("the-first-operation-about-an-object-adds-it",
         the_first_operation_about_an_object_adds_it);
    CASE("many-objects-are-each-added-once", many_objects_are_each_added_once);
    CASE("what-becomes-of-an-operation-is-counted-where-it-adds-or-changes",
         what_becomes_of_an_operation_is_counted_where_it_adds_or_changes);
    CASE("a-record-adds-an-object-and-changes-it", a_record_adds_an_object_and_changes_it);
    CASE("what-is-deleted-is-a-tombstone-until-it-is-purged",
         what_is_deleted_is_a_tombstone_until_it_is_purged);
    CASE("what-is-restored-is-there-again", what_is_restored_is_there_again);
    CASE("files-are-objects-that-the-daemon-found", files_are_objects_that_the_daemon_found);
    return g_test_run();
}
