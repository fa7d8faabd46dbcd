/*
 * What a repair kept may be tens of thousands of files. When there is no way back any more they go
 * in steps, so that nobody waits for all of them, and none is left.
 */
#include "repair-fixture.h"
#include "service/repair-private.h"
#include "store/repair-store.h"

#define MANY (2 * SYNCD_REPAIR_REMOVED_AT_ONCE + 10)

static bool is_half(const char *name)
{
    return strstr(name, ".half.") != NULL;
}

static guint halves(ServiceFixture *f)
{
    g_autoptr(GPtrArray) names = NULL;
    g_assert_true(syncd_store_list_repair(f->service->store, is_half, &names, NULL));
    return names->len;
}

/* A half, of what nobody writes meanwhile, and what a plan kept that nobody knows any more: all of
 * it is set aside. */
static SyncdRepairPlan *many_are_kept(ServiceFixture *f)
{
    g_autofree char *folder = g_build_filename(f->base.directory, "repair", NULL);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    for (guint i = 0; i < MANY; i++) {
        g_autofree char *path = i == 0 ? g_strconcat(f->base.directory, "/.nobody.json.new", NULL)
                                       : g_strdup_printf("%s/plan-gone.0.%u", folder, i);
        write_private(path, "", 0);
    }
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    apply_repair(f, plan);
    g_assert_cmpuint(halves(f), ==, MANY);
    return plan;
}

/* As a daemon that is woken when something is due. */
static void assert_all_go_in_steps(ServiceFixture *f, guint left)
{
    while (halves(f) > 0) {
        g_assert_cmpuint(syncd_repair_next_due(f->service), <=, f->base.now_usec);
        rest(f);
        guint now = halves(f);
        g_assert_cmpuint(now, <, left);
        g_assert_cmpuint(left - now, <=, 3 * SYNCD_REPAIR_REMOVED_AT_ONCE);
        left = now;
    }
}

static void what_was_kept_goes_in_steps(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    SyncdRepairPlan *plan = many_are_kept(&f);
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan),
                                 &error);
    g_assert_no_error(error);
    g_assert_null(find_repair_plan(f.service, id));
    guint left = halves(&f);
    g_assert_cmpuint(left, ==, MANY - (SYNCD_REPAIR_REMOVED_AT_ONCE - 1)); /* the list is one */
    assert_all_go_in_steps(&f, left);
    rest(&f);
    g_assert_false(syncd_repair_is_known(f.service, id));
    service_clear(&f);
}

/* Killed in between. */
static void what_was_left_goes_after_a_start(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    SyncdRepairPlan *plan = many_are_kept(&f);
    syncd_service_discard_repair(f.service, &f.caller, plan, syncd_repair_plan_digest(plan), NULL);
    repair_reopen(&f);
    guint left = halves(&f);
    g_assert_cmpuint(left, >, 0);
    assert_all_go_in_steps(&f, left);
    service_clear(&f);
}

/* Whoever approves of the second is told that the first cannot be taken back then. */
static void another_repair_says_what_it_releases(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    state_set_mode(&f, "journal.db", 0640);
    SyncdRepairPlan *first = plan_repair(&f);
    g_assert_false(plan_says(first, "released"));
    approve_repair(&f, first);
    apply_repair(&f, first);
    g_autofree char *old = g_strdup(syncd_repair_plan_id(first));
    state_set_mode(&f, "journal.db", 0644);
    SyncdRepairPlan *second = plan_repair(&f);
    g_autofree char *told = g_strdup_printf("What %s kept is released once this is done", old),
                    *listed = g_strdup_printf("\"releases\":[\"%s\"]", old),
                    *said = g_strdup_printf("\"released_by\":\"%s\"", syncd_repair_plan_id(second)),
                    *description = syncd_repair_plan_describe(second);
    g_assert_true(plan_says(second, told));
    g_assert_nonnull(strstr(description, listed));
    approve_repair(&f, second);
    apply_repair(&f, second);
    for (guint start = 0; start < 2; start++) {
        g_autofree char *past = syncd_repair_plan_describe(find_repair_plan(f.service, old));
        g_assert_nonnull(strstr(past, said));
        g_assert_nonnull(strstr(past, "\"rollback_until_usec\":null"));
        repair_reopen(&f);
    }
    service_clear(&f);
}

static void open_mode(ServiceFixture *f)
{
    state_set_mode(f, "journal.db", 0640);
}

/* Two plans of the same, of which the one is carried out, and then the same is wrong once more. */
static SyncdRepairPlan *one_is_applied_of_two(ServiceFixture *f, char **ret_applied)
{
    repair_init(f);
    put(f, "note-1", "{}");
    open_mode(f);
    SyncdRepairPlan *one = approve_repair(f, plan_repair(f));
    SyncdRepairPlan *other = approve_repair(f, plan_repair(f));
    apply_repair(f, one);
    *ret_applied = g_strdup(syncd_repair_plan_id(one));
    open_mode(f);
    return other;
}

/* Nobody approved of that what ended since is released. */
static void what_ended_since_is_not_released(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    g_autofree char *applied = NULL;
    SyncdRepairPlan *other = one_is_applied_of_two(&f, &applied);
    const char *digest = syncd_repair_plan_digest(other);
    for (guint start = 0; start < 2; start++) {
        g_autoptr(GError) refused = NULL, unasked = NULL;
        g_assert_false(
            syncd_service_apply_repair(f.service, &f.caller, other, digest, &job, &refused));
        g_assert_error(refused, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
        g_assert_nonnull(strstr(refused->message, applied));
        g_assert_false(syncd_repair_plan_check(other, &unasked));
        g_assert_error(unasked, SYNCD_ERROR, SYNCD_ERROR_PLAN_STALE);
        syncd_service_judge_repairs(f.service);
        g_assert_nonnull(syncd_repair_plan_stale(other));
        g_autofree char *past = syncd_repair_plan_describe(find_repair_plan(f.service, applied)),
                        *id = g_strdup(syncd_repair_plan_id(other));
        g_assert_null(strstr(past, "\"rollback_until_usec\":null"));
        repair_reopen(&f);
        other = find_repair_plan(f.service, id);
        digest = syncd_repair_plan_digest(other);
    }
    SyncdRepairPlan *anew = plan_repair(&f);
    g_assert_true(plan_says(anew, applied));
    g_assert_true(syncd_repair_plan_check(anew, NULL));
    approve_repair(&f, anew);
    apply_repair(&f, anew);
    service_clear(&f);
}

/* Whatever became of it meanwhile. */
static void what_is_gone_need_not_be_released(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    g_autofree char *applied = NULL;
    one_is_applied_of_two(&f, &applied);
    SyncdRepairPlan *anew = approve_repair(&f, plan_repair(&f));
    SyncdRepairPlan *past = find_repair_plan(f.service, applied);
    g_assert_true(plan_says(anew, applied));
    syncd_service_discard_repair(f.service, &f.caller, past, syncd_repair_plan_digest(past),
                                 &error);
    g_assert_no_error(error);
    apply_repair(&f, anew);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-release/what-was-kept-goes-in-steps", what_was_kept_goes_in_steps);
    g_test_add_func("/repair-release/what-was-left-goes-after-a-start",
                    what_was_left_goes_after_a_start);
    g_test_add_func("/repair-release/another", another_repair_says_what_it_releases);
    g_test_add_func("/repair-release/ended-since", what_ended_since_is_not_released);
    g_test_add_func("/repair-release/gone", what_is_gone_need_not_be_released);
    return g_test_run();
}
