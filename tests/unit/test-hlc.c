#include "base/hlc.h"

static void later_than_all_before(void)
{
    SyncdHlc clock = {0}, last = {0};
    /* forward, standing still, back by years, forward again */
    const guint64 wall[] = {1000, 1000, 1001, 5, 5, 1001, 2000, 0};
    for (size_t i = 0; i < G_N_ELEMENTS(wall); i++) {
        SyncdHlc now = syncd_hlc_tick(&clock, wall[i]);
        g_assert_cmpint(syncd_hlc_compare(now, last), >, 0);
        last = now;
    }
    g_assert_cmpuint(last.ms, ==, 2000);
}

static void counter_carries(void)
{
    SyncdHlc clock = {7, SYNCD_HLC_COUNTER_MAX};
    SyncdHlc next = syncd_hlc_tick(&clock, 3);
    g_assert_cmpuint(next.ms, ==, 8);
    g_assert_cmpuint(next.counter, ==, 0);
}

static void observe_moves_forward_only(void)
{
    SyncdHlc clock = {1000, 3};
    g_assert_true(syncd_hlc_observe(&clock, (SyncdHlc){900, 9}, 1000));
    g_assert_cmpuint(clock.ms, ==, 1000);
    g_assert_true(syncd_hlc_observe(&clock, (SyncdHlc){1000 + SYNCD_HLC_MAX_AHEAD_MS, 0}, 1000));
    g_assert_cmpuint(clock.ms, ==, 1000 + SYNCD_HLC_MAX_AHEAD_MS);
    g_assert_false(syncd_hlc_observe(&clock, (SyncdHlc){2001 + SYNCD_HLC_MAX_AHEAD_MS, 0}, 2000));
    g_assert_false(syncd_hlc_observe(&clock, (SyncdHlc){5, SYNCD_HLC_COUNTER_MAX + 1}, 2000));
    g_assert_cmpuint(clock.ms, ==, 1000 + SYNCD_HLC_MAX_AHEAD_MS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/hlc/later-than-all-before", later_than_all_before);
    g_test_add_func("/hlc/counter-carries", counter_carries);
    g_test_add_func("/hlc/observe-moves-forward-only", observe_moves_forward_only);
    return g_test_run();
}
