/*
 * A fiber goes on where it paused, however deep that was, and nothing else is disturbed.
 */
#include "base/fiber.h"

#include <string.h>

#define PAUSES 1000

typedef struct {
    int at;
    size_t left; /* of its stack; what is deeper has less */
} Walk;

static int deep(SyncdFiber *fiber, Walk *walk, int depth)
{
    char room[256];
    memset(room, depth, sizeof room);
    size_t left = syncd_fiber_stack_left(fiber);
    g_assert_true(left < walk->left);
    walk->left = left;
    if (depth > 0)
        return deep(fiber, walk, depth - 1) + room[0] - depth;
    for (int i = 0; i < PAUSES; i++) {
        walk->at++;
        syncd_fiber_pause(fiber);
    }
    return room[0];
}

static void walk_deep(SyncdFiber *fiber, void *data)
{
    Walk *walk = data;
    walk->left = syncd_fiber_stack_left(fiber);
    walk->at += deep(fiber, walk, 100);
}

static bool begins(SyncdFiber *fiber)
{
    if (fiber == NULL)
        g_test_skip("this build has no fibers");
    return fiber != NULL;
}

static void it_goes_on_where_it_paused(void)
{
    Walk walk = {0};
    int pauses = 0;
    g_autoptr(SyncdFiber) fiber = syncd_fiber_new(walk_deep, &walk);
    if (!begins(fiber))
        return;
    g_assert_cmpint(walk.at, ==, 0);
    while (syncd_fiber_resume(fiber))
        g_assert_cmpint(walk.at, ==, ++pauses);
    g_assert_cmpint(pauses, ==, PAUSES);
    g_assert_cmpint(walk.at, ==, PAUSES);
}

static void say(SyncdFiber *fiber, void *data)
{
    GString *said = data;
    g_autofree char *mine = g_strdup("mine");
    for (int i = 0; i < 3; i++) {
        g_string_append_printf(said, "%s%d ", mine, i);
        syncd_fiber_pause(fiber);
    }
}

static void two_take_turns(void)
{
    g_autoptr(GString) said = g_string_new(NULL);
    g_autoptr(SyncdFiber) one = syncd_fiber_new(say, said), other = syncd_fiber_new(say, said);
    if (!begins(one) || !begins(other))
        return;
    while (syncd_fiber_resume(one))
        g_assert_true(syncd_fiber_resume(other));
    g_assert_false(syncd_fiber_resume(other));
    g_assert_cmpstr(said->str, ==, "mine0 mine0 mine1 mine1 mine2 mine2 ");
}

static void one_that_was_never_begun_is_nothing(void)
{
    Walk walk = {0};
    g_autoptr(SyncdFiber) fiber = syncd_fiber_new(walk_deep, &walk);
    g_clear_pointer(&fiber, syncd_fiber_free);
    g_assert_cmpint(walk.at, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/fiber/goes-on", it_goes_on_where_it_paused);
    g_test_add_func("/fiber/two", two_take_turns);
    g_test_add_func("/fiber/never-begun", one_that_was_never_begun_is_nothing);
    return g_test_run();
}
