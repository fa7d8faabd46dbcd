/*
 * What a crash left half written is set aside by a plan that names it, and comes back as it was;
 * of copies that nobody finished a start leaves nothing.
 */
#include "diagnose-fixture.h"
#include "repair-fixture.h"

static void assert_holds(const ServiceFixture *f, const char *name, const char *expected)
{
    g_autofree char *text = state_read(f, name, NULL);
    g_assert_cmpstr(text, ==, expected);
}

static void halves_are_set_aside_and_put_back(void)
{
    static const char *const names[] = {".verified.json.new", "keys/.a b\nc%\xff.key.new",
                                        "journal.db.before-4.new", "journal.1.new"};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        state_write(&f, names[i], names[i], -1);
    g_assert_true(is_found(&f, "leftovers"));
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    apply_repair(&f, plan);
    assert_clean(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_false(state_has(&f, names[i]));
    rollback_repair(&f, plan);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_holds(&f, names[i], names[i]);
    g_assert_true(is_found(&f, "leftovers"));
    assert_nothing_is_kept(&f);
    service_clear(&f);
}

/* What is in blobs/ is looked at for its mode only when somebody asks for it. */
static void a_half_that_was_not_told_stays(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    state_write(&f, ".one.new", "one", -1);
    SyncdRepairPlan *plan = plan_repair(&f);
    approve_repair(&f, plan);
    state_write(&f, "repair/.other.new", "other", -1);
    apply_repair(&f, plan);
    g_assert_false(state_has(&f, ".one.new"));
    assert_holds(&f, "repair/.other.new", "other");
    g_assert_true(report_says(&f, plan, "repair/.other.new as it is"));
    service_clear(&f);
}

static void halves_come_back_with_their_modes(void)
{
    static const char half[] = "blobs/00/.chunk.new";
    for (guint noted = 0; noted < 2; noted++) {
        ServiceFixture f;
        guint modes;
        repair_init(&f);
        put(&f, "note-1", "{}");
        state_add_chunks(&f, 1);
        state_write(&f, ".verified.json.new", "half", -1);
        state_write(&f, half, "half", -1);
        state_set_mode(&f, half, 0644);
        SyncdRepairPlan *plan = plan_repair(&f);
        g_assert_false(plan_says(plan, "file-modes"));
        approve_repair(&f, plan);
        apply_repair(&f, plan);
        g_assert_true(kept_is_private(&f, &modes));
        g_assert_cmpuint(modes, ==, 1);
        if (!noted)
            forget_modes(&f);
        rollback_repair(&f, plan);
        assert_holds(&f, half, "half");
        g_assert_cmpuint(state_mode(&f, half), ==, noted ? 0644 : 0600);
        g_assert_cmpuint(state_mode(&f, ".verified.json.new"), ==, 0600);
        assert_nothing_is_kept(&f);
        service_clear(&f);
    }
}

/* Of a copy that nobody finished nothing is of use. */
static void halves_of_copies_are_gone_after_a_start(void)
{
    static const char *const names[] = {"journal.db.before-4.new", "journal.1.new"};
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    rest(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        state_write(&f, names[i], names[i], -1);
    repair_reopen(&f);
    assert_clean(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_false(state_has(&f, names[i]));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/repair-leftovers/put-back", halves_are_set_aside_and_put_back);
    g_test_add_func("/repair-leftovers/told", a_half_that_was_not_told_stays);
    g_test_add_func("/repair-leftovers/modes", halves_come_back_with_their_modes);
    g_test_add_func("/repair-leftovers/after-a-start", halves_of_copies_are_gone_after_a_start);
    return g_test_run();
}
