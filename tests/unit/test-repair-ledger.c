/* A ledger that cannot be written, and what may be in it that nobody wrote. */
#include "repair-life-fixture.h"

#include <unistd.h>

/* ---- a disk that takes nothing ---- */

static void what_cannot_be_written_is_tried_again_in_a_while(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    hold_state(&f, id, true);
    pass(&f, SYNCD_REPAIR_PLAN_USEC);
    run_jobs(&f);
    g_assert_nonnull(find_repair_plan(f.service, id));
    g_assert_cmpuint(syncd_service_next_due(f.service), >, syncd_service_monotonic(f.service));
    hold_state(&f, id, false);
    run_jobs(&f);
    g_assert_nonnull(find_repair_plan(f.service, id));
    pass(&f, 60 * (guint64)G_USEC_PER_SEC);
    run_jobs(&f);
    g_assert_null(find_repair_plan(f.service, id));
    service_clear(&f);
}

/* Nothing is repaired over it, and nothing takes its way back away. */
static void what_is_half_done_keeps_its_way_back(void)
{
    ServiceFixture f;
    gsize size;
    start_broken(&f);
    SyncdRepairPlan *plan = plan_repair(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan)),
                    *journal = g_build_filename(f.base.directory, "journal.db", NULL);
    leave_half_done(&f, plan);
    g_assert_true(has_snapshot(&f, id));
    g_assert_cmpint(g_chmod(journal, 0640), ==, 0);
    SyncdRepairPlan *other = plan_repair(&f);
    approve_repair(&f, other);
    assert_refused(&f, other, syncd_repair_plan_digest(other), SYNCD_ERROR_BUSY);
    g_assert_true(has_snapshot(&f, id));
    rollback_repair(&f, plan);
    g_autofree char *bytes = index_bytes(&f, &size);
    g_assert_cmpstr(bytes, ==, "this is no database at all");
    other = plan_repair(&f);
    approve_repair(&f, other);
    apply_repair(&f, other);
    service_clear(&f);
}

/* ---- ledgers that nobody wrote ---- */

static char *ledger_file(const ServiceFixture *f, const char *plan, const char *suffix)
{
    return g_strdup_printf("%s/repair/%s%s", f->base.directory, plan, suffix);
}

static bool finds(ServiceFixture *f, const char *code)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    for (guint i = 0; i < found->len; i++)
        if (strcmp(((SyncdFound *)found->pdata[i])->finding->code, code) == 0)
            return true;
    return false;
}

static void edit(const char *path, const char *from, const char *to)
{
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    g_auto(GStrv) parts = g_strsplit(text, from, 2);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_autofree char *edited = g_strjoinv(to, parts);
    write_private(path, edited, -1);
}

static void what_is_damaged_is_set_aside_and_named(void)
{
    static const struct {
        const char *suffix, *from, *to;
    } cases[] = {
        {".state", "\"state\":\"preview\"", "\"state\":\"approved\""},
        {".state", "{", "["},
        {".state", "repair-state/v1", "repair-state/v2"},
        {".state", "\"steps\":[", "\"steps\":[{\"state\":\"done\",\"note\":null},"},
        {".plan", "index-rebuild", "index-destroy"},
        {".plan", "\"target\": \"index\"", "\"target\": \"journal\""},
        {".plan", "{", ""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        start_broken(&f);
        g_assert_false(finds(&f, "repair-set-aside"));
        SyncdRepairPlan *approved = approve_repair(&f, plan_repair(&f));
        g_autofree char *other = g_strdup(syncd_repair_plan_id(approved)),
                        *id = g_strdup(syncd_repair_plan_id(plan_repair(&f))),
                        *path = ledger_file(&f, id, cases[i].suffix),
                        *aside = g_strconcat(path, ".damaged", NULL);
        service_close(&f);
        edit(path, cases[i].from, cases[i].to);
        repair_open(&f, NULL);
        g_assert_null(find_repair_plan(f.service, id));
        g_assert_nonnull(find_repair_plan(f.service, other));
        g_assert_true(g_file_test(aside, G_FILE_TEST_EXISTS));
        g_assert_true(finds(&f, "repair-set-aside"));
        service_clear(&f);
    }
}

static void anything_may_lie_in_the_ledger(void)
{
    static const char *const names[] = {"x", ".plan", ".state", "a.plan", "b.state", "c.report"};
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *kept = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    service_close(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, "repair", names[i], NULL);
        write_private(path, "no JSON", -1);
    }
    g_autofree char *folder = g_build_filename(f.base.directory, "repair", "d.plan", NULL),
                    *link = g_build_filename(f.base.directory, "repair", "e.state", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    g_assert_cmpint(symlink("/etc/passwd", link), ==, 0);
    repair_open(&f, NULL);
    g_assert_nonnull(find_repair_plan(f.service, kept));
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, ==, 1);
    service_clear(&f);
}

/* What repairs keep may be many files. */
static void no_plan_is_missed_among_what_is_kept(void)
{
    ServiceFixture f;
    start_broken(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan_repair(&f)));
    service_close(&f);
    for (guint i = 0; i < 3000; i++) {
        g_autofree char *path = g_strdup_printf("%s/repair/x.0.half.%u", f.base.directory, i);
        g_assert_true(g_file_set_contents_full(path, "", 0, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
    repair_open(&f, NULL);
    g_assert_nonnull(find_repair_plan(f.service, id));
    g_assert_cmpuint(syncd_service_repair_set_aside(f.service)->len, ==, 0);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/repair-ledger/held", what_cannot_be_written_is_tried_again_in_a_while);
    g_test_add_func("/repair-ledger/half-done", what_is_half_done_keeps_its_way_back);
    g_test_add_func("/repair-ledger/damaged", what_is_damaged_is_set_aside_and_named);
    g_test_add_func("/repair-ledger/anything", anything_may_lie_in_the_ledger);
    g_test_add_func("/repair-ledger/crowd", no_plan_is_missed_among_what_is_kept);
    return g_test_run();
}
