/*
 * Of chunks that nothing names there may be more than a plan can name. What it tells of all of them
 * is a digest: they are set aside as long as they are the very same, and else those that it names;
 * what came since is left, and the report says so.
 */
#include "sweep-fixture.h"

#define MANY 300u
#define NAMED 256u /* by a plan, at most */

typedef struct {
    ServiceFixture f;
    GPtrArray *orphans; /* char *: by their numbers */
} Many;

static void add_orphan(Many *many)
{
    g_ptr_array_add(many->orphans, put_orphan(&many->f, many->orphans->len, SYNCD_CHUNK_OF_ENTRY));
}

static void many_init(Many *many)
{
    *many = (Many){.orphans = g_ptr_array_new_with_free_func(g_free)};
    repair_init(&many->f);
    put(&many->f, "note-1", "{}");
    while (many->orphans->len < MANY)
        add_orphan(many);
    verify_all(&many->f);
}

static void many_clear(Many *many)
{
    service_clear(&many->f);
    g_ptr_array_unref(many->orphans);
}

static guint count_there(Many *many)
{
    guint n = 0;
    for (guint i = 0; i < many->orphans->len; i++)
        n += is_orphan_there(&many->f, many->orphans->pdata[i], i);
    return n;
}

static void all_of_very_many_are_set_aside(void)
{
    Many many;
    many_init(&many);
    SyncdRepairPlan *plan = approve_repair(&many.f, plan_repair(&many.f));
    repair_reopen(&many.f);
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(many.f.service);
    plan = plans->pdata[0];
    apply_repair(&many.f, plan);
    g_assert_cmpuint(count_there(&many), ==, 0);
    rollback_repair(&many.f, plan);
    g_assert_cmpuint(count_there(&many), ==, MANY);
    many_clear(&many);
}

/* Then nobody knows which of them were told of, but for those that are named. */
static void of_very_many_only_what_was_told_goes(void)
{
    Many many;
    many_init(&many);
    SyncdRepairPlan *plan = approve_repair(&many.f, plan_repair(&many.f));
    add_orphan(&many);
    const char *since = many.orphans->pdata[MANY];
    apply_repair(&many.f, plan);
    g_assert_true(is_orphan_there(&many.f, since, MANY));
    g_assert_cmpuint(count_there(&many), ==, MANY + 1 - NAMED);
    for (guint i = 0; i < many.orphans->len; i++)
        g_assert_true(is_orphan_there(&many.f, many.orphans->pdata[i], i) !=
                      plan_says(plan, many.orphans->pdata[i]));
    g_autofree char *left = g_strdup_printf("%s as it is", since);
    g_assert_true(report_says(&many.f, plan, left));
    /* They are for another plan, at once. */
    g_assert_cmpuint(orphans_found(&many.f), ==, MANY + 1 - NAMED);
    plan = approve_repair(&many.f, plan_repair(&many.f));
    apply_repair(&many.f, plan);
    g_assert_cmpuint(count_there(&many), ==, 0);
    many_clear(&many);
}

static void of_very_many_none_may_have_been_found_since(void)
{
    Many many;
    SyncdJob *job = NULL;
    g_autoptr(GError) error = NULL;
    many_init(&many);
    SyncdRepairPlan *plan = approve_repair(&many.f, plan_repair(&many.f));
    add_orphan(&many);
    verify_all(&many.f);
    g_assert_false(syncd_service_apply_repair(many.f.service, &many.f.caller, plan,
                                              syncd_repair_plan_digest(plan), &job, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
    g_assert_cmpuint(count_there(&many), ==, MANY + 1);
    many_clear(&many);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-sweep-many/all", all_of_very_many_are_set_aside);
    g_test_add_func("/repair-sweep-many/told", of_very_many_only_what_was_told_goes);
    g_test_add_func("/repair-sweep-many/found", of_very_many_none_may_have_been_found_since);
    return g_test_run();
}
