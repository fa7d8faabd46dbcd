/*
 * Chunks that nothing names are found, and a plan sets them aside; what anything names, or may come
 * to name, stays where it is. Taking that back puts them in their place, byte for byte, wherever
 * the daemon was killed meanwhile.
 */
#include "sweep-fixture.h"

#include "service/internal.h"
#include "store/orphans.h"
#include "store/repair-store.h"

#include <errno.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LARGE_SIZE (100u * 1024u)
#define ORPHANS 5u

/* In libc's place. */
static guint synced;

int fsync(int fd)
{
    synced++;
    return (int)syscall(SYS_fsync, fd);
}

/* No note of a mode can be removed. */
static bool notes_stay;

int unlinkat(int fd, const char *name, int flags)
{
    if (notes_stay && g_str_has_suffix(name, ".mode")) {
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_unlinkat, fd, name, flags);
}

static char *body_of(char filling)
{
    g_autofree char *text = g_strnfill(LARGE_SIZE, filling);
    return g_strdup_printf("{\"x\":\"%s\"}", text);
}

static SyncdEnqueued enqueue_large(ServiceFixture *f, const char *scope, const char *body)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.body = SYNCD_BYTES_TEXT(body);
    return enqueue(f, &request);
}

static char *put_large(ServiceFixture *f, const char *scope, char filling)
{
    g_autofree char *body = body_of(filling);
    SyncdEnqueued enqueued = enqueue_large(f, scope, body);
    syncd_service_commit(f->service);
    return enqueued.operation;
}

typedef struct {
    ServiceFixture f;
    char *operations[2];
    char *orphans[ORPHANS];
} World;

static void world_init(World *world)
{
    repair_init(&world->f);
    world->operations[0] = put_large(&world->f, "workspace:notes", 'a');
    world->operations[1] = put_large(&world->f, "public:site", 'b');
    rest(&world->f);
    for (guint i = 0; i < ORPHANS; i++)
        world->orphans[i] =
            put_orphan(&world->f, i, i % 2 == 0 ? SYNCD_CHUNK_OF_ENTRY : SYNCD_CHUNK_OF_FILE);
    verify_all(&world->f);
}

static void world_clear(World *world)
{
    service_clear(&world->f);
    for (guint i = 0; i < G_N_ELEMENTS(world->operations); i++)
        g_free(world->operations[i]);
    for (guint i = 0; i < ORPHANS; i++)
        g_free(world->orphans[i]);
}

static void assert_content_is_whole(World *world)
{
    for (guint i = 0; i < G_N_ELEMENTS(world->operations); i++) {
        g_autofree char *document = get(&world->f, world->operations[i]);
        g_assert_cmpuint(strlen(document), >, LARGE_SIZE);
    }
}

static void assert_orphans_are(World *world, bool there)
{
    for (guint i = 0; i < ORPHANS; i++)
        g_assert_true(is_orphan_there(&world->f, world->orphans[i], i) == there);
}

static bool is_kept_chunk(const char *name)
{
    return strlen(name) > 64 && !g_str_has_suffix(name, ".plan");
}

static guint kept_chunks(ServiceFixture *f)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(f->service->store, is_kept_chunk, &names, NULL));
    return names->len;
}

static void what_nothing_names_is_set_aside_and_put_back(void)
{
    World world;
    world_init(&world);
    g_assert_cmpuint(orphans_found(&world.f), ==, ORPHANS);
    SyncdRepairPlan *plan = plan_repair(&world.f);
    g_assert_false(syncd_repair_plan_is_destructive(plan));
    approve_repair(&world.f, plan);
    apply_repair(&world.f, plan);
    assert_orphans_are(&world, false);
    assert_content_is_whole(&world);
    verify_all(&world.f);
    assert_clean(&world.f);
    g_assert_cmpuint(kept_chunks(&world.f), ==, ORPHANS);
    rollback_repair(&world.f, plan);
    assert_orphans_are(&world, true);
    g_assert_cmpuint(kept_chunks(&world.f), ==, 0);
    g_assert_cmpuint(orphans_found(&world.f), ==, ORPHANS);
    world_clear(&world);
}

/* Nobody else reads what is set aside, whoever could before. */
static void it_comes_back_with_its_mode(void)
{
    for (guint noted = 0; noted < 2; noted++) {
        World world;
        guint modes;
        world_init(&world);
        state_set_mode(&world.f, world.orphans[0], 0644);
        SyncdRepairPlan *plan = plan_repair(&world.f);
        g_assert_false(plan_says(plan, "file-modes"));
        approve_repair(&world.f, plan);
        apply_repair(&world.f, plan);
        g_assert_true(kept_is_private(&world.f, &modes));
        g_assert_cmpuint(modes, ==, 1);
        if (!noted)
            forget_modes(&world.f);
        rollback_repair(&world.f, plan);
        assert_orphans_are(&world, true);
        g_assert_cmpuint(state_mode(&world.f, world.orphans[0]), ==, noted ? 0644 : 0600);
        g_assert_cmpuint(state_mode(&world.f, world.orphans[1]), ==, 0600);
        g_assert_cmpuint(kept_chunks(&world.f), ==, 0);
        world_clear(&world);
    }
}

/* Whoever put one there since gave it a mode; also where the way back ended in the middle. */
static void what_somebody_put_there_since_keeps_its_mode(void)
{
    World world;
    world_init(&world);
    state_set_mode(&world.f, world.orphans[0], 0644);
    SyncdRepairPlan *plan = plan_repair(&world.f);
    approve_repair(&world.f, plan);
    apply_repair(&world.f, plan);
    g_free(put_orphan(&world.f, 0, SYNCD_CHUNK_OF_ENTRY));
    notes_stay = true;
    SyncdJob *job = begin_rollback(&world.f, plan);
    run_jobs(&world.f);
    notes_stay = false;
    g_assert_cmpstr(syncd_job_state(job), ==, "failed");
    rollback_repair(&world.f, plan);
    g_assert_cmpuint(state_mode(&world.f, world.orphans[0]), ==, 0600);
    world_clear(&world);
}

/* After a restart what was found is known still, but for what is gone by then: the start removes
 * chunks of files. */
static void what_is_gone_is_not_found(void)
{
    World world;
    world_init(&world);
    repair_reopen(&world.f);
    rest(&world.f);
    g_assert_cmpuint(orphans_found(&world.f), ==, (ORPHANS + 1) / 2);
    g_autofree char *path = state_path(&world.f, world.orphans[0]);
    g_assert_cmpint(g_remove(path), ==, 0);
    g_assert_cmpuint(orphans_found(&world.f), ==, (ORPHANS + 1) / 2 - 1);
    world_clear(&world);
}

/* Whoever approved was told which. */
static void one_that_was_not_told_stays(void)
{
    World world;
    world_init(&world);
    SyncdRepairPlan *plan = plan_repair(&world.f);
    g_assert_true(plan_says(plan, world.orphans[0]));
    approve_repair(&world.f, plan);
    g_autofree char *since = put_orphan(&world.f, ORPHANS, SYNCD_CHUNK_OF_ENTRY);
    apply_repair(&world.f, plan);
    assert_orphans_are(&world, false);
    g_assert_true(is_orphan_there(&world.f, since, ORPHANS));
    g_autofree char *left = g_strdup_printf("%s as it is: the plan does not name it", since);
    g_assert_true(report_says(&world.f, plan, left));
    g_assert_cmpuint(orphans_found(&world.f), ==, 1);
    world_clear(&world);
}

/* ---- what is named, or will be ---- */

/* An entry that was taken back left a chunk; the next one has the same content. */
static void what_comes_to_be_named_stays(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_autofree char *body = body_of('c'), *other = put_orphan(&f, 0, SYNCD_CHUNK_OF_ENTRY);
    g_autoptr(GError) taken_back = NULL;
    syncd_set_error(&taken_back, SYNCD_ERROR_CANCELLED, "taken back");
    SyncdEnqueued enqueued = enqueue_large(&f, "workspace:notes", body);
    syncd_service_discard(f.service, taken_back);
    syncd_enqueued_clear(&enqueued);
    verify_all(&f);
    g_assert_cmpuint(orphans_found(&f), ==, 2);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    enqueued = enqueue_large(&f, "workspace:notes", body);
    apply_repair(&f, plan);
    g_assert_false(is_orphan_there(&f, other, 0));
    g_autofree char *document = get(&f, enqueued.operation);
    g_assert_cmpuint(strlen(document), >, LARGE_SIZE);
    syncd_enqueued_clear(&enqueued);
    verify_all(&f);
    assert_clean(&f);
    service_clear(&f);
}

static bool steps_to_the_end(SyncdOrphans *orphans)
{
    g_autoptr(GError) error = NULL;
    bool more = true;
    for (guint i = 0; more && i < 1000; i++)
        syncd_orphans_step(orphans, &more, &error);
    g_assert_no_error(error);
    return !more;
}

/* Whoever finds them asks once more before one is touched, and never while a turn is open. */
static void what_was_found_is_asked_about_once_more(void)
{
    ServiceFixture f;
    g_autoptr(GError) taken_back = NULL, error = NULL;
    bool is;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    g_autofree char *body = body_of('c'), *other = put_orphan(&f, 0, SYNCD_CHUNK_OF_ENTRY);
    syncd_set_error(&taken_back, SYNCD_ERROR_CANCELLED, "taken back");
    SyncdEnqueued enqueued = enqueue_large(&f, "workspace:notes", body);
    syncd_service_discard(f.service, taken_back);
    syncd_enqueued_clear(&enqueued);
    g_autoptr(SyncdOrphans) orphans = syncd_orphans_new(f.service->store, SYNCD_ORPHANS_AT_ONCE);
    g_assert_true(steps_to_the_end(orphans));
    const GPtrArray *found = syncd_orphans_found(orphans);
    g_assert_cmpuint(found->len, ==, 2);
    enqueued = enqueue_large(&f, "workspace:notes", body);
    g_autoptr(SyncdOrphans) meanwhile = syncd_orphans_new(f.service->store, SYNCD_ORPHANS_AT_ONCE);
    g_assert_false(steps_to_the_end(meanwhile));
    g_assert_true(syncd_orphans_waits(meanwhile));
    syncd_service_commit(f.service);
    g_assert_true(steps_to_the_end(meanwhile));
    g_assert_cmpuint(syncd_orphans_found(meanwhile)->len, ==, 1);
    for (guint i = 0; i < found->len; i++) {
        g_assert_true(syncd_orphans_is_one(orphans, found->pdata[i], &is, &error));
        g_assert_true(is == (strcmp(found->pdata[i], other) == 0));
    }
    syncd_enqueued_clear(&enqueued);
    service_clear(&f);
}

/* Not even found: the turn is committed before. */
static void what_an_open_turn_names_is_no_orphan(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    SyncdJob *job;
    repair_init(&f);
    put(&f, "note-1", "{}");
    g_autofree char *body = body_of('c');
    SyncdEnqueued enqueued = enqueue_large(&f, "workspace:notes", body);
    g_assert_true(
        syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_FULL, NULL, &job, &error));
    run_jobs(&f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    g_assert_cmpuint(orphans_found(&f), ==, 0);
    syncd_enqueued_clear(&enqueued);
    service_clear(&f);
}

/* A list that nobody can read may name any. */
static void where_a_list_is_damaged_nothing_is_an_orphan(void)
{
    World world;
    gsize size;
    world_init(&world);
    service_close(&world.f);
    g_autofree char *path = state_path(&world.f, "journal.db"), *bytes = NULL;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    char *at = memmem(bytes, size, "{\"chunks\":", 10); /* of the public one */
    g_assert_nonnull(at);
    at[2] = 'x';
    write_private(path, bytes, (gssize)size);
    repair_open(&world.f, NULL);
    verify_all(&world.f);
    g_assert_true(is_found(&world.f, "body-damaged"));
    g_assert_false(is_found(&world.f, "blob-orphaned"));
    world_clear(&world);
}

/* Nor is it known of one that has no header whether it was a list. */
static void where_a_header_is_damaged_nothing_is_an_orphan(void)
{
    World world;
    sqlite3 *db;
    world_init(&world);
    service_close(&world.f);
    g_autofree char *path = state_path(&world.f, "journal.db");
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
    g_assert_cmpint(sqlite3_exec(db,
                                 "UPDATE entry SET header = zeroblob(length(header))"
                                 " WHERE instr(header, '\"form\":\"list\"') > 0",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    repair_open(&world.f, NULL);
    verify_all(&world.f);
    g_assert_true(is_found(&world.f, "log-damaged"));
    g_assert_false(is_found(&world.f, "blob-orphaned"));
    world_clear(&world);
}

/* However few are looked for in the log at once, all are found. */
static void they_are_found_in_any_number_of_rounds(void)
{
    World world;
    world_init(&world);
    for (guint at_once = 1; at_once < 2 * ORPHANS; at_once++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(SyncdOrphans) orphans = syncd_orphans_new(world.f.service->store, at_once);
        bool more = true;
        while (more && syncd_orphans_step(orphans, &more, &error))
            ;
        g_assert_no_error(error);
        g_assert_cmpuint(syncd_orphans_found(orphans)->len, ==, ORPHANS);
    }
    world_clear(&world);
}

/* ---- modes ---- */

static void modes_of_chunks_are_mended_and_put_back(void)
{
    World world;
    world_init(&world);
    const char *file = world.orphans[0];
    g_autofree char *folder = g_path_get_dirname(file);
    state_set_mode(&world.f, file, 0644);
    state_set_mode(&world.f, folder, 0755);
    g_assert_false(is_found(&world.f, "file-modes"));
    verify_all(&world.f);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world.f.service);
    g_assert_cmpuint(find(found, "file-modes")->count, ==, 2);
    SyncdRepairPlan *plan = plan_repair(&world.f);
    approve_repair(&world.f, plan);
    apply_repair(&world.f, plan);
    assert_clean(&world.f);
    g_assert_cmpuint(state_mode(&world.f, folder), ==, 0700);
    rollback_repair(&world.f, plan);
    g_assert_cmpuint(state_mode(&world.f, file), ==, 0644);
    g_assert_cmpuint(state_mode(&world.f, folder), ==, 0755);
    world_clear(&world);
}

/* ---- a kill anywhere ---- */

static bool runs(const SyncdRepairPlan *plan)
{
    return strcmp(syncd_repair_plan_state(plan), "running") == 0;
}

static void a_kill_leaves_all_or_nothing(void)
{
    bool through = false;
    for (guint steps = 0; !through; steps += is_hurried() ? 9 : 1) {
        World world;
        g_autoptr(GError) error = NULL;
        SyncdJob *job;
        world_init(&world);
        SyncdRepairPlan *plan = plan_repair(&world.f);
        g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
        approve_repair(&world.f, plan);
        begin_repair(&world.f, plan);
        for (guint i = 0; i < steps && runs(plan); i++)
            syncd_service_work(world.f.service);
        through = !runs(plan);
        repair_reopen(&world.f);
        run_jobs(&world.f);
        plan = find_repair_plan(world.f.service, id);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        assert_content_is_whole(&world);
        /* The start may have removed those of files before. */
        g_assert_cmpuint(kept_chunks(&world.f), >=, (ORPHANS + 1) / 2);
        assert_orphans_are(&world, false);
        syncd_service_rollback_repair(world.f.service, &world.f.caller, plan,
                                      syncd_repair_plan_digest(plan), &job, &error);
        g_assert_no_error(error);
        for (guint i = 0; i < steps && runs(plan); i++)
            syncd_service_work(world.f.service);
        through &= !runs(plan);
        repair_reopen(&world.f);
        run_jobs(&world.f);
        plan = find_repair_plan(world.f.service, id);
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
        for (guint i = 0; i < ORPHANS; i += 2)
            g_assert_true(is_orphan_there(&world.f, world.orphans[i], i));
        assert_content_is_whole(&world);
        g_assert_cmpuint(kept_chunks(&world.f), ==, 0);
        world_clear(&world);
    }
}

static guint syncs_of_a_discard(guint orphans)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    repair_init(&f);
    for (guint i = 0; i < orphans; i++)
        g_free(put_orphan(&f, i, SYNCD_CHUNK_OF_ENTRY));
    verify_all(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    g_assert_cmpuint(kept_chunks(&f), ==, orphans);
    rest(&f);
    guint before = synced;
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    guint syncs = synced - before;
    g_assert_cmpuint(kept_chunks(&f), ==, 0);
    service_clear(&f);
    return syncs;
}

/* A disk takes its time for each, and nobody is answered meanwhile. */
static void what_is_kept_is_removed_at_once(void)
{
    g_assert_cmpuint(syncs_of_a_discard(1), >, 0);
    g_assert_cmpuint(syncs_of_a_discard(40), ==, syncs_of_a_discard(1));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-sweep/aside", what_nothing_names_is_set_aside_and_put_back);
    g_test_add_func("/repair-sweep/mode", it_comes_back_with_its_mode);
    g_test_add_func("/repair-sweep/put-there-since", what_somebody_put_there_since_keeps_its_mode);
    g_test_add_func("/repair-sweep/told", one_that_was_not_told_stays);
    g_test_add_func("/repair-sweep/gone", what_is_gone_is_not_found);
    g_test_add_func("/repair-sweep/named", what_comes_to_be_named_stays);
    g_test_add_func("/repair-sweep/again", what_was_found_is_asked_about_once_more);
    g_test_add_func("/repair-sweep/turn", what_an_open_turn_names_is_no_orphan);
    g_test_add_func("/repair-sweep/unreadable", where_a_list_is_damaged_nothing_is_an_orphan);
    g_test_add_func("/repair-sweep/headers", where_a_header_is_damaged_nothing_is_an_orphan);
    g_test_add_func("/repair-sweep/rounds", they_are_found_in_any_number_of_rounds);
    g_test_add_func("/repair-sweep/modes", modes_of_chunks_are_mended_and_put_back);
    g_test_add_func("/repair-sweep/kill", a_kill_leaves_all_or_nothing);
    g_test_add_func("/repair-sweep/at-once", what_is_kept_is_removed_at_once);
    return g_test_run();
}
