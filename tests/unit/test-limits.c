/* One user cannot hold more than the table gives him, and cannot take from others. */
#include "bus/limits.h"

#include "base/error.h"

static void refuses(SyncdLimits *limits, SyncdLimit limit, uid_t uid)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_limits_take(limits, limit, uid, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
}

static void a_user_at_his_limit_is_refused_and_others_are_not(void)
{
    g_autoptr(SyncdLimits) limits = syncd_limits_new();
    for (int i = 0; i < 256; i++)
        g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_CALLS, 1000, NULL));
    refuses(limits, SYNCD_LIMIT_CALLS, 1000);
    g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_CALLS, 1001, NULL));
    g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_QUESTIONS, 1000, NULL));
}

static void what_is_given_back_can_be_taken_again(void)
{
    g_autoptr(SyncdLimits) limits = syncd_limits_new();
    syncd_limits_set(limits, SYNCD_LIMIT_CALLS, 1);
    for (int i = 0; i < 3; i++) {
        g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_CALLS, 0, NULL));
        refuses(limits, SYNCD_LIMIT_CALLS, 0);
        syncd_limits_give(limits, SYNCD_LIMIT_CALLS, 0);
        g_assert_cmpuint(syncd_limits_held(limits, SYNCD_LIMIT_CALLS, 0), ==, 0);
    }
}

static void many_users_together_have_a_limit_too(void)
{
    g_autoptr(SyncdLimits) limits = syncd_limits_new();
    for (uid_t uid = 0; uid < 64; uid++)
        g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_QUESTIONS, uid, NULL));
    refuses(limits, SYNCD_LIMIT_QUESTIONS, 64);
    syncd_limits_give(limits, SYNCD_LIMIT_QUESTIONS, 3);
    g_assert_true(syncd_limits_take(limits, SYNCD_LIMIT_QUESTIONS, 64, NULL));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/limits/a-user-at-his-limit-is-refused-and-others-are-not",
                    a_user_at_his_limit_is_refused_and_others_are_not);
    g_test_add_func("/limits/what-is-given-back-can-be-taken-again",
                    what_is_given_back_can_be_taken_again);
    g_test_add_func("/limits/many-users-together-have-a-limit-too",
                    many_users_together_have_a_limit_too);
    return g_test_run();
}
