/*
 * A journal that is cut short while it is open, on a disk without room: what is open of it is
 * neither lost nor in anybody's way, and whatever could not be done, forward or back, can be once
 * there is room.
 */
#include "disk-fixture.h"
#include "rescue-fixture.h"
#include "service/repair-private.h"
#include "store/displaced.h"

/* On a small disk; false: there can be none here. */
static bool begin_small(ServiceFixture *f)
{
    *f =
        (ServiceFixture){.instance = SYNCD_INSTANCE_USER, .owner = OWNER, .caller = {.uid = OWNER}};
    if (!begin_small_disk(&f->base, 7, "size=24m"))
        return false;
    f->base.stands_in = true;
    repair_open(f, NULL);
    put_many(f, 0, ENTRIES);
    rest(f);
    service_close(f);
    state_copy(f, "journal.db", "journal-backup.db");
    repair_open(f, NULL);
    put_many(f, ENTRIES, 5);
    rest(f);
    return true;
}

static void end_small(ServiceFixture *f)
{
    service_close(f);
    end_small_disk(&f->base);
}

static SyncdRepairPlan *approved(ServiceFixture *f)
{
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    return plan;
}

/* The ledger itself may find no room then: it is tried again. */
static void run_to_its_end(ServiceFixture *f, SyncdRepairPlan *plan)
{
    for (unsigned i = 0; i < 10 && strcmp(syncd_repair_plan_state(plan), "running") == 0; i++) {
        run_jobs(f);
        f->base.now_usec += SYNCD_REPAIR_RETRY_USEC;
    }
}

/* Forward, with so much room: it fails for want of it, or waits, or goes on, and what is open is
 * held on until it is kept; `ends`: the daemon is stopped before there is room. */
static void go_forward(guint64 room, bool ends)
{
    ServiceFixture f;
    if (!begin_small(&f))
        return;
    state_cut(&f, "journal.db", 8192);
    SyncdRepairPlan *plan = approved(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    SyncdJob *job = begin_repair(&f, plan);
    fill_disk_but(&f.base, room);
    run_jobs(&f);
    g_assert_true(syncd_job_error(job) == NULL ||
                  syncd_job_error(job)->code == SYNCD_ERROR_NO_SPACE);
    bool failed = strcmp(syncd_repair_plan_state(plan), "failed") == 0;
    if (failed)
        expect_served(&f);
    g_assert_true(!failed || syncd_store_holds_cut(f.service->store) || state_has(&f, "journal.1"));
    free_disk(&f.base);
    if (ends)
        repair_reopen(&f);
    run_to_its_end(&f, find_repair_plan(f.service, id));
    if (is_found(&f, "journal-cut") || is_found(&f, "journal-unreadable"))
        restore(&f);
    g_assert_false(syncd_store_holds_cut(f.service->store));
    adopt(&f);
    expect_all(&f, ENTRIES + 5);
    end_small(&f);
}

static void what_cannot_be_kept_is_not_let_go_of(gconstpointer data)
{
    go_forward(GPOINTER_TO_SIZE(data), false);
}

static void what_is_held_is_kept_at_the_end(gconstpointer data)
{
    go_forward(GPOINTER_TO_SIZE(data), true);
}

/* Before anything was said: it is refused, and nothing has happened. */
static void the_way_back_is_not_begun_without_room(void)
{
    ServiceFixture f;
    if (!begin_small(&f))
        return;
    state_cut(&f, "journal.db", 8192);
    SyncdRepairPlan *plan = restore(&f);
    fill_disk(&f.base);
    expect_not_taken_back(&f, plan, SYNCD_ERROR_NO_SPACE, NULL);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
    g_assert_null(syncd_store_unreadable(f.service->store));
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 5);
    free_disk(&f.base);
    rollback_repair(&f, plan);
    end_small(&f);
}

/* On the way there is so much room: it ends, or waits, and then goes on. The log that the repair
 * made is not lost by that. */
static void the_way_back_goes_on_once_there_is_room(gconstpointer data)
{
    ServiceFixture f;
    gsize size, size_after;
    guint64 room = GPOINTER_TO_SIZE(data);
    if (!begin_small(&f))
        return;
    state_cut(&f, "journal.db", 8192);
    g_autofree char *cut = state_read(&f, "journal.db", &size);
    SyncdRepairPlan *plan = restore(&f);
    begin_rollback(&f, plan);
    fill_disk_but(&f.base, room);
    run_to_its_end(&f, plan);
    free_disk(&f.base);
    run_to_its_end(&f, plan);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "rolled_back");
    g_assert_true(is_found(&f, "journal-unreadable"));
    g_autofree char *after = state_read(&f, "journal.db", &size_after);
    g_assert_cmpmem(after, size_after, cut, size);
    restore(&f);
    adopt(&f);
    g_assert_cmpint(syncd_store_condition(f.service->store), ==, SYNCD_STORE_WRITABLE);
    put(&f, "note-later", "{}");
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 6);
    verify_all(&f);
    g_assert_false(syncd_service_is_damaged(f.service));
    end_small(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    static const struct {
        const char *name;
        GTestDataFunc func;
    } tests[] = {
        {"what-cannot-be-kept-is-not-let-go-of", what_cannot_be_kept_is_not_let_go_of},
        {"what-is-held-is-kept-at-the-end", what_is_held_is_kept_at_the_end},
        {"the-way-back-goes-on-once-there-is-room", the_way_back_goes_on_once_there_is_room},
    };
    static const guint rooms[] = {1, 8, 16, 32, 48, 64, 96, 128, 256};
    g_test_add_func("/rescue-room/the-way-back-is-not-begun-without-room",
                    the_way_back_is_not_begun_without_room);
    for (size_t i = 0; i < G_N_ELEMENTS(tests) * G_N_ELEMENTS(rooms); i++) {
        guint room = rooms[i % G_N_ELEMENTS(rooms)];
        g_autofree char *path =
            g_strdup_printf("/rescue-room/%s/%u", tests[i / G_N_ELEMENTS(rooms)].name, room);
        g_test_add_data_func(path, GSIZE_TO_POINTER(room * 1024),
                             tests[i / G_N_ELEMENTS(rooms)].func);
    }
    return g_test_run();
}
