/*
 * Taking back that another journal was put into the place of one that cannot be opened, when the
 * one that is there by now cannot be opened either: what came since is in no other file.
 */
#include "rescue-fixture.h"

/* A repair of it is complete, more came since, and then that was broken, too. */
static SyncdRepairPlan *break_twice(ServiceFixture *f)
{
    begin(f);
    without_header(f);
    repair_open(f, NULL);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(restore(f)));
    put(f, "note-later", "{}");
    rest(f);
    service_close(f);
    without_header(f);
    state_write(f, "journal.db-wal", "what nobody can read", -1);
    repair_open(f, NULL);
    expect_served(f);
    return find_repair_plan(f->service, id);
}

static void expect_same(const ServiceFixture *f, const char *one, const char *other)
{
    gsize size, other_size;
    g_autofree char *bytes = state_read(f, one, &size), *others = state_read(f, other, &other_size);
    g_assert_cmpmem(bytes, size, others, other_size);
}

static void what_is_there_is_kept_though_it_cannot_be_opened(void)
{
    ServiceFixture f;
    SyncdRepairPlan *plan = break_twice(&f);
    state_copy(&f, "journal.db", "was");
    state_copy(&f, "journal.db-wal", "was-wal");
    rollback_repair(&f, plan);
    expect_same(&f, "journal.1", "was");
    expect_same(&f, "journal.1-wal", "was-wal");
    g_assert_true(report_says(&f, plan, "as journal.1"));
    service_clear(&f);
}

/* And is found there by whoever makes its name that of the journal. */
static void so_it_can_be_salvaged_still(void)
{
    ServiceFixture f;
    rollback_repair(&f, break_twice(&f));
    service_close(&f);
    state_copy(&f, "journal.1", "journal.db");
    repair_open(&f, NULL);
    restore(&f);
    g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 1);
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/rescue-twice/kept", what_is_there_is_kept_though_it_cannot_be_opened);
    g_test_add_func("/rescue-twice/salvaged", so_it_can_be_salvaged_still);
    return g_test_run();
}
