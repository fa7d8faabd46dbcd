/*
 * Messages about a record that is wrong or missing end with a command that registers one, where
 * there is such a command.
 */
#include "cli/parse.h"
#include "cli/registry-example.h"
#include "cli/registry.h"

#include <string.h>

static void every_kind_has_an_example(void)
{
    for (SyncdFamilyId id = 0; id < SYNCD_N_FAMILIES; id++) {
        const SyncdFamily *family = syncd_family(id);
        const char *group = syncd_cli_group_of(family);
        g_autofree char *example = syncd_cli_register_example(family);
        g_assert_nonnull(example);
        if (group == NULL)
            continue;
        g_autofree char *begin = g_strdup_printf("sourceos-syncd %s register ", group);
        g_assert_nonnull(syncd_cli_find_verb(group, "register"));
        g_assert_true(g_str_has_prefix(example, begin));
    }
}

static void what_is_missing_is_what_the_example_is_about(void)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error_next(&error, SYNCD_ERROR_NOT_FOUND, "register it first",
                         "/record/workspace_id: there is no workspace workspace:x");
    syncd_cli_explain_record(syncd_family(SYNCD_FAMILY_OBJECT), &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "register it first; for example `sourceos-syncd "
                                            "workspaces register "));
}

static void a_root_is_added_as_a_workspace(void)
{
    static const struct {
        SyncdErrorCode code;
        const char *sentence;
    } cases[] = {
        {SYNCD_ERROR_NOT_FOUND, "there is no root root-1"},
        {SYNCD_ERROR_INVALID_CONTRACT, "/record/directory must be an absolute path"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        syncd_set_error_next(&error, cases[i].code, "look again", "%s", cases[i].sentence);
        syncd_cli_explain_record(syncd_family(SYNCD_FAMILY_ROOT), &error);
        g_assert_nonnull(strstr(error->message, "for example `sourceos-syncd workspace add "));
    }
    g_assert_nonnull(syncd_cli_find_verb("workspace", "add"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli-example/every-kind-has-an-example", every_kind_has_an_example);
    g_test_add_func("/cli-example/what-is-missing-is-what-the-example-is-about",
                    what_is_missing_is_what_the_example_is_about);
    g_test_add_func("/cli-example/a-root-is-added-as-a-workspace", a_root_is_added_as_a_workspace);
    return g_test_run();
}
