/*
 * An index that is of no use beside a log that lost its end: it is made anew by a plan that names
 * it, which keeps the one that was there, and by nothing else.
 */
#include "rescue-fixture.h"

#include "service/repair-private.h"

static const char *const automatic[] = {"index-rebuild", NULL};

static void gone(const ServiceFixture *f)
{
    state_remove(f, "index.db");
}

static const struct {
    void (*spoil)(const ServiceFixture *f);
    bool is_there;
} cases[] = {{damage_index, true}, {gone, false}};

/* The journal is there as a backup only, of which nobody knows whether it has all of it. */
static void begin_without_either(ServiceFixture *f, size_t i, const char *const *repaired)
{
    begin_with_backup(f);
    removed(f);
    cases[i].spoil(f);
    repair_open(f, repaired);
}

static void expect_untouched(ServiceFixture *f, size_t i)
{
    gsize size;
    g_autofree char *index = index_bytes(f, &size);
    g_assert_cmpstr(index, ==, cases[i].is_there ? "this is no database at all" : NULL);
    g_assert_true(is_found(f, "log-rolled-back"));
    g_assert_true(is_found(f, "index-unavailable"));
    g_assert_false(lookups_answer(f));
}

static void it_waits_for_a_plan_that_names_it(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        begin_without_either(&f, i, NULL);
        g_assert_false(plan_says(restore(&f), "index-rebuild"));
        rest(&f);
        expect_untouched(&f, i);
        repair_reopen(&f);
        expect_untouched(&f, i);
        /* Going on without what is missing needs one, and says what helps. */
        g_assert_false(syncd_store_adopt(f.service->store, "actor-test", &error));
        g_assert_nonnull(strstr(error->message, "sourceos-syncd repair plan"));

        SyncdRepairPlan *plan = carry_out(&f, "index-rebuild");
        g_assert_cmpuint(count_operations(&f), ==, ENTRIES);
        g_assert_false(is_found(&f, "index-unavailable"));
        rollback_repair(&f, plan);
        expect_untouched(&f, i);
        carry_out(&f, "index-rebuild");
        adopt(&f);
        put(&f, "note-later", "{}");
        g_assert_cmpuint(count_operations(&f), ==, ENTRIES + 1);
        service_clear(&f);
    }
}

/* The plan that nobody is asked for follows at once, and says what it was for. */
static void it_is_made_anew_by_itself_where_that_is_configured(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        begin_without_either(&f, i, automatic);
        restore(&f);
        rest(&f);
        g_assert_true(lookups_answer(&f));
        g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
        g_assert_cmpuint(plans->len, ==, 2);
        g_assert_cmpstr(syncd_repair_plan_approver(plans->pdata[0]), ==, "daemon");
        g_assert_true(plan_says(plans->pdata[0], "index-rebuild"));
        g_assert_true(syncd_repair_can_be_undone(plans->pdata[0]));
        g_assert_true(is_found(&f, "log-rolled-back"));
        service_clear(&f);
    }
}

/* What was in the place of the journal may be the only copy of something. */
static void it_releases_nothing_that_the_log_does_not_have(void)
{
    ServiceFixture f;
    begin_with_backup(&f);
    overwritten(&f);
    damage_index(&f);
    repair_open(&f, automatic);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(restore(&f)));
    rest(&f);
    g_assert_true(lookups_answer(&f));
    service_close(&f);
    damage_index(&f);
    repair_open(&f, automatic);
    rest(&f);
    g_assert_true(lookups_answer(&f));
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    g_assert_cmpuint(plans->len, ==, 3);
    g_assert_true(syncd_repair_can_be_undone(plans->pdata[0]));
    g_assert_false(syncd_repair_can_be_undone(plans->pdata[1]));
    rollback_repair(&f, find_repair_plan(f.service, id));
    g_assert_nonnull(syncd_store_unreadable(f.service->store));
    service_clear(&f);
}

/* What somebody has put back is not taken away again before the next start. */
static void one_that_was_put_back_stays(void)
{
    ServiceFixture f;
    begin(&f);
    damage_index(&f);
    repair_open(&f, automatic);
    rest(&f);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(f.service);
    rollback_repair(&f, plans->pdata[0]);
    rest(&f);
    g_assert_false(lookups_answer(&f));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-index/it-waits-for-a-plan-that-names-it",
                    it_waits_for_a_plan_that_names_it);
    g_test_add_func("/rescue-index/it-is-made-anew-by-itself-where-that-is-configured",
                    it_is_made_anew_by_itself_where_that_is_configured);
    g_test_add_func("/rescue-index/it-releases-nothing-that-the-log-does-not-have",
                    it_releases_nothing_that_the_log_does_not_have);
    g_test_add_func("/rescue-index/one-that-was-put-back-stays", one_that_was_put_back_stays);
    return g_test_run();
}
