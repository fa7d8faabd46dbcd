/* Denied by default: what has no row is not there, and every method has one row that can be meant.
 */
#include "bus/authorise.h"
#include "bus/call.h"
#include "bus/names.h"
#include "bus/object.h"

#include <string.h>

#define OWNER 1000u
#define STRANGER 1001u
#define ROOT 0u

static bool vtable_has(const sd_bus_vtable *vtable, const char *method)
{
    for (; vtable->type != _SD_BUS_VTABLE_END; vtable++)
        if (vtable->type == _SD_BUS_VTABLE_METHOD && strcmp(vtable->x.method.member, method) == 0)
            return true;
    return false;
}

static bool has_handler(const SyncdInterface *interface, const char *method)
{
    for (const SyncdMethod *at = interface->methods; at->member != NULL; at++)
        if (strcmp(at->member, method) == 0)
            return at->handler != NULL;
    return false;
}

static void check_methods(const SyncdInterface *interface, const sd_bus_vtable *vtable)
{
    for (; vtable->type != _SD_BUS_VTABLE_END; vtable++) {
        if (vtable->type != _SD_BUS_VTABLE_METHOD)
            continue;
        const char *method = vtable->x.method.member;
        g_test_message("%s.%s", interface->name, method);
        g_assert_nonnull(syncd_rule_find(interface->name, method));
        g_assert_true(has_handler(interface, method));
        g_assert_true(vtable->x.method.handler == syncd_call_enter);
        g_assert_true((vtable->flags & SD_BUS_VTABLE_UNPRIVILEGED) != 0);
    }
}

static void every_method_has_a_row_and_enters_by_the_gate(void)
{
    size_t n;
    const SyncdInterface *const *interfaces = syncd_interfaces(&n);
    g_assert_cmpuint(n, >, 0);
    for (size_t i = 0; i < n; i++) {
        check_methods(interfaces[i], interfaces[i]->user_vtable);
        check_methods(interfaces[i], interfaces[i]->system_vtable);
    }
}

static void every_row_is_of_a_method(void)
{
    size_t n;
    const SyncdRule *rules = syncd_rules(&n);
    for (size_t i = 0; i < n; i++) {
        const SyncdInterface *interface = syncd_interface_find(rules[i].interface);
        g_assert_nonnull(interface);
        g_assert_true(vtable_has(interface->user_vtable, rules[i].method));
        for (size_t j = 0; j < i; j++)
            g_assert_false(strcmp(rules[i].interface, rules[j].interface) == 0 &&
                           strcmp(rules[i].method, rules[j].method) == 0);
    }
}

static void whoever_may_be_asked_has_an_action(void)
{
    size_t n;
    const SyncdRule *rules = syncd_rules(&n);
    for (size_t i = 0; i < n; i++) {
        const SyncdRight rights[] = {rules[i].user, rules[i].system};
        for (size_t j = 0; j < G_N_ELEMENTS(rights); j++) {
            bool asks = rights[j].kind == SYNCD_RIGHT_OWN || rights[j].kind == SYNCD_RIGHT_ACTION;
            g_assert_cmpint(asks, ==, rights[j].action != NULL);
            if (asks)
                g_assert_true(g_str_has_prefix(rights[j].action, "org.sourceos.sync."));
        }
    }
}

static void a_method_without_a_row_is_not_there(void)
{
    g_assert_null(syncd_rule_find(SYNCD_INTERFACE_MANAGER, "Enqueue"));
    g_assert_null(syncd_rule_find("org.sourceos.Sync.Other", "Describe"));
    g_assert_null(syncd_rule_find(NULL, NULL));
}

static void the_user_instance_serves_its_user_alone(void)
{
    for (int kind = SYNCD_RIGHT_NOBODY; kind <= SYNCD_RIGHT_ACTION; kind++) {
        SyncdRight right = {(SyncdRightKind)kind, SYNCD_ACTION_RUN};
        const uid_t others[] = {STRANGER, ROOT};
        for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
            g_assert_cmpint(syncd_right_judge(right, SYNCD_INSTANCE_USER, OWNER, others[i], false),
                            ==, SYNCD_JUDGED_NO);
    }
}

static void the_table_of_judgements_holds(void)
{
    static const struct {
        SyncdRightKind kind;
        SyncdInstance instance;
        uid_t caller;
        bool others;
        SyncdJudgement judgement;
    } cases[] = {
        {SYNCD_RIGHT_NOBODY, SYNCD_INSTANCE_SYSTEM, ROOT, false, SYNCD_JUDGED_NO},
        {SYNCD_RIGHT_NOBODY, SYNCD_INSTANCE_USER, OWNER, false, SYNCD_JUDGED_NO},
        {SYNCD_RIGHT_EVERYONE, SYNCD_INSTANCE_SYSTEM, STRANGER, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_ACTOR, SYNCD_INSTANCE_SYSTEM, STRANGER, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_OWNER, SYNCD_INSTANCE_SYSTEM, STRANGER, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_OWNER, SYNCD_INSTANCE_SYSTEM, STRANGER, true, SYNCD_JUDGED_NO},
        {SYNCD_RIGHT_OWNER, SYNCD_INSTANCE_SYSTEM, OWNER, true, SYNCD_JUDGED_NO},
        {SYNCD_RIGHT_OWNER, SYNCD_INSTANCE_SYSTEM, ROOT, true, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_OWN, SYNCD_INSTANCE_SYSTEM, STRANGER, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_OWN, SYNCD_INSTANCE_SYSTEM, STRANGER, true, SYNCD_JUDGED_ASK},
        {SYNCD_RIGHT_OWN, SYNCD_INSTANCE_SYSTEM, OWNER, true, SYNCD_JUDGED_ASK},
        {SYNCD_RIGHT_OWN, SYNCD_INSTANCE_SYSTEM, ROOT, true, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_ACTION, SYNCD_INSTANCE_SYSTEM, STRANGER, false, SYNCD_JUDGED_ASK},
        {SYNCD_RIGHT_ACTION, SYNCD_INSTANCE_SYSTEM, OWNER, false, SYNCD_JUDGED_ASK},
        {SYNCD_RIGHT_ACTION, SYNCD_INSTANCE_SYSTEM, ROOT, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_EVERYONE, SYNCD_INSTANCE_USER, OWNER, false, SYNCD_JUDGED_YES},
        {SYNCD_RIGHT_ACTION, SYNCD_INSTANCE_USER, OWNER, false, SYNCD_JUDGED_ASK},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SyncdRight right = {cases[i].kind, SYNCD_ACTION_RUN};
        g_assert_cmpint(
            syncd_right_judge(right, cases[i].instance, OWNER, cases[i].caller, cases[i].others),
            ==, cases[i].judgement);
    }
    /* Consent in an instance of root's own is asked for as well. */
    SyncdRight action = {SYNCD_RIGHT_ACTION, SYNCD_ACTION_RUN};
    g_assert_cmpint(syncd_right_judge(action, SYNCD_INSTANCE_USER, ROOT, ROOT, false), ==,
                    SYNCD_JUDGED_ASK);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/authorise/every-method-has-a-row-and-enters-by-the-gate",
                    every_method_has_a_row_and_enters_by_the_gate);
    g_test_add_func("/authorise/every-row-is-of-a-method", every_row_is_of_a_method);
    g_test_add_func("/authorise/whoever-may-be-asked-has-an-action",
                    whoever_may_be_asked_has_an_action);
    g_test_add_func("/authorise/a-method-without-a-row-is-not-there",
                    a_method_without_a_row_is_not_there);
    g_test_add_func("/authorise/the-user-instance-serves-its-user-alone",
                    the_user_instance_serves_its_user_alone);
    g_test_add_func("/authorise/the-table-of-judgements-holds", the_table_of_judgements_holds);
    return g_test_run();
}
