/*
 * --set=MEMBER=VALUE gives a member what its contract wants, whatever the value looks like.
 */
#include "base/error.h"
#include "cli/setting.h"

static void values_are_what_the_contract_wants(void)
{
    static const struct {
        SyncdFamilyId family;
        const char *member, *text, *json;
    } cases[] = {
        {SYNCD_FAMILY_OBJECT, "schema_version", "1", "\"1\""},
        {SYNCD_FAMILY_OBJECT, "schema_version", "\"1\"", "\"1\""},
        {SYNCD_FAMILY_OBJECT, "object_id", "true", "\"true\""},
        {SYNCD_FAMILY_OBJECT, "content_hash", "null", "null"},
        {SYNCD_FAMILY_OBJECT, "content_hash", "7", "\"7\""},
        {SYNCD_FAMILY_OBJECT, "retention_class", "normal", "\"normal\""},
        {SYNCD_FAMILY_ACTOR, "capabilities", "[\"read\"]", "[\"read\"]"},
        {SYNCD_FAMILY_ACTOR, "capabilities", "read, write", "[\"read\",\"write\"]"},
        {SYNCD_FAMILY_ACTOR, "capabilities", "read", "[\"read\"]"},
        {SYNCD_FAMILY_PLAN, "object_ids", "7", "[\"7\"]"},
        {SYNCD_FAMILY_SCHEMA, "field_owners", "{}", "{}"},
        {SYNCD_FAMILY_OBJECT, "of_my_own", "7", "7"},
        {SYNCD_FAMILY_OBJECT, "owner_identitty", "me", "\"me\""},
        {SYNCD_FAMILY_ACTOR, "favourite_colour", "red", "\"red\""},
        {SYNCD_FAMILY_OBJECT, "of_my_own", "seven", "\"seven\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *json = syncd_setting_value(syncd_family(cases[i].family), cases[i].member,
                                                    cases[i].text, &error);
        g_assert_no_error(error);
        g_assert_cmpstr(json, ==, cases[i].json);
    }
}

static void what_cannot_be_is_refused_by_name(void)
{
    static const struct {
        SyncdFamilyId family;
        const char *member, *text, *says;
    } cases[] = {
        {SYNCD_FAMILY_SCHEMA, "field_owners", "me", "field_owners must be an object of JSON"},
        {SYNCD_FAMILY_SCHEMA, "field_owners", "7", "and `7` is none"},
        {SYNCD_FAMILY_MIGRATION, "steps", "move", "steps must be an array of JSON"},
        {SYNCD_FAMILY_ACTOR, "capabilites", "read", "the nearest is `capabilities`"},
        {SYNCD_FAMILY_PROFILE, "profile_clas", "work", "write --set=profile_class="},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(syncd_setting_value(syncd_family(cases[i].family), cases[i].member,
                                          cases[i].text, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_USAGE);
        g_assert_nonnull(strstr(error->message, cases[i].says));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cli/setting/values-are-what-the-contract-wants",
                    values_are_what_the_contract_wants);
    g_test_add_func("/cli/setting/what-cannot-be-is-refused-by-name",
                    what_cannot_be_is_refused_by_name);
    return g_test_run();
}
