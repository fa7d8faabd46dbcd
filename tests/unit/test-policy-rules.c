/*
 * A file of rules is taken whole or refused whole; the refusal names the file and the place.
 */
#include "policy-fixture.h"

#define GOOD RULE("\"lanes\":[\"secure\"]", "deny", "a")

static void refuses(const char *text, SyncdPolicyLevel level, const char *place)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) rules =
        syncd_policy_rules_parse(level, "50-site.json", SYNCD_BYTES_TEXT(text), &error);
    g_assert_null(rules);
    g_assert_nonnull(error);
    g_assert_true(error->domain == SYNCD_ERROR);
    g_assert_true(g_str_has_prefix(error->message, "50-site.json: "));
    if (strstr(error->message, place) == NULL)
        g_error("\"%s\" does not name %s", error->message, place);
}

static void reads_every_member(void)
{
    g_autoptr(GPtrArray) rules = parse_as(
        SYNCD_POLICY_MACHINE, "a.json",
        "{\"schema\":\"sourceos.policy-rules/v1\",\"description\":\"d\",\"rules\":[{"
        "\"match\":{\"actions\":[\"write\",\"read\",\"write\"],\"lanes\":[\"repair\"],"
        "\"data_classes\":[\"secret\"],\"scope_classes\":[\"vault\"],\"actor_types\":[\"agent\"],"
        "\"operation_types\":[\"sync.tombstone.apply\"],\"object_types\":[\"note\"],"
        "\"profiles\":[\"profile:p\"],\"workspaces\":[\"workspace:w\"],\"scopes\":[\"vault:w\"],"
        "\"subjects\":[\"uid:1000\"],\"objects\":[\"o\"]},\"effect\":\"allow\","
        "\"reason\":\"site_repair\",\"rationale\":\"Caf\xc3\xa9.\","
        "\"grants\":[\"repair_lane_is_quarantine_scoped\"]}]}");
    g_assert_cmpuint(rules->len, ==, 1);
    const SyncdPolicyRule *rule = g_ptr_array_index(rules, 0);
    g_assert_cmpuint(rule->fields, ==, (1u << SYNCD_N_POLICY_FIELDS) - 1);
    g_assert_cmpint(rule->effect, ==, SYNCD_EFFECT_ALLOW);
    g_assert_cmpuint(rule->grants, !=, 0);
    g_assert_cmpstr(
        rule->canonical, ==,
        "{\"effect\":\"allow\",\"grants\":[\"repair_lane_is_quarantine_scoped\"],"
        "\"level\":\"machine\",\"match\":{\"actions\":[\"read\",\"write\"],"
        "\"actor_types\":[\"agent\"],\"data_classes\":[\"secret\"],\"lanes\":[\"repair\"],"
        "\"object_types\":[\"note\"],\"objects\":[\"o\"],"
        "\"operation_types\":[\"sync.tombstone.apply\"],\"profiles\":[\"profile:p\"],"
        "\"scope_classes\":[\"vault\"],\"scopes\":[\"vault:w\"],\"subjects\":[\"uid:1000\"],"
        "\"workspaces\":[\"workspace:w\"]},\"rationale\":\"Caf\\u00e9.\",\"reason\":\"site_"
        "repair\"}");
}

/* The document that the schema is tested with. */
static void reads_the_golden_document(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    g_autofree char *path =
        g_build_filename(g_getenv("SYNCD_GOLDEN"), "sourceos.policy-rules.v1", "board.json", NULL);
    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_autoptr(GPtrArray) rules = parse_as(SYNCD_POLICY_MACHINE, "board.json", text);
    const SyncdPolicyRule *rule = g_ptr_array_index(rules, 0);
    g_assert_cmpuint(rule->fields, ==, (1u << SYNCD_N_POLICY_FIELDS) - 1);
}

static void refuses_what_is_not_as_specified(void)
{
    static const struct {
        const char *text, *place;
    } cases[] = {
        {"", "byte"},
        {"[]", "object"},
        {"{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[]", "byte"},
        {"{\"schema\":\"sourceos.policy-rules/v1\",\"schema\":\"x\",\"rules\":[]}", "schema"},
        {"{\"rules\":[]}", "/schema"},
        {"{\"schema\":\"sourceos.policy-rules/v2\",\"rules\":[]}", "/schema"},
        {"{\"schema\":\"sourceos.policy-rules/v1\"}", "/rules"},
        {"{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":{}}", "/rules"},
        {"{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[],\"ruls\":[]}", "/ruls"},
        {"{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[],\"description\":1}",
         "/description"},
        {FILE_OF("1"), "/rules/0 must be an object"},
        {FILE_OF(GOOD ",null"), "/rules/1 must be an object"},
        {FILE_OF("{}"), "/rules/0/match is missing"},
        {FILE_OF("{\"match\":{},\"effect\":\"deny\",\"reason\":\"a\"}"),
         "/rules/0/rationale is missing"},
        {FILE_OF("{\"match\":{},\"efect\":\"deny\",\"reason\":\"a\"}"), "/rules/0/efect"},
        {FILE_OF(RULE("\"lane\":[\"secure\"]", "deny", "a")), "/rules/0/match/lane is no member"},
        {FILE_OF(RULE("\"lanes\":[]", "deny", "a")), "/rules/0/match/lanes must have 1"},
        {FILE_OF(RULE("\"lanes\":\"secure\"", "deny", "a")), "/rules/0/match/lanes must be"},
        {FILE_OF(RULE("\"lanes\":[\"secure\",\"fast\"]", "deny", "a")), "/rules/0/match/lanes/1"},
        {FILE_OF(RULE("\"lanes\":[1]", "deny", "a")), "/rules/0/match/lanes/0"},
        {FILE_OF(RULE("\"objects\":[\"\"]", "deny", "a")), "/rules/0/match/objects/0"},
        {FILE_OF(RULE("\"objects\":[\"a\\u0000b\"]", "deny", "a")), "/rules/0/match/objects/0"},
        {FILE_OF(RULE("\"objects\":[\"a\\nb\"]", "deny", "a")), "/rules/0/match/objects/0"},
        {FILE_OF(RULE("", "permit", "a")), "/rules/0/effect"},
        {FILE_OF(RULE("", "deny", "")), "/rules/0/reason"},
        {FILE_OF(RULE("", "deny", "Not_so")), "/rules/0/reason"},
        {FILE_OF(RULE("", "deny", "a b")), "/rules/0/reason"},
        {FILE_OF(RULE("", "allow", "default_local_policy_allows")), "/rules/0/reason"},
        {FILE_OF(RULE("", "deny", "unknown_action")), "/rules/0/reason"},
        {FILE_OF(RULE("", "deny", "lane_fails_closed_without_a_rule")), "/rules/0/reason"},
        {FILE_OF("{\"match\":{},\"effect\":\"deny\",\"reason\":\"a\",\"rationale\":\"\"}"),
         "/rules/0/rationale"},
        {FILE_OF(GRANT("", "everything", "a")), "/rules/0/grants/0"},
        {FILE_OF(GRANT("", "ephemeral_retention_requires_ttl", "a")), "/rules/0/grants/0"},
        {FILE_OF("{\"match\":{},\"effect\":\"deny\",\"reason\":\"a\",\"rationale\":\"r\","
                 "\"grants\":[\"secure_lane_requires_explicit_grant\"]}"),
         "/rules/0/grants"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        refuses(cases[i].text, SYNCD_POLICY_MACHINE, cases[i].place);
}

/* A rule that nothing can meet would be a rule that its author believes in. */
static void refuses_what_no_request_can_state(void)
{
    static const struct {
        const char *match, *place, *next;
    } cases[] = {
        {"\"workspaces\":[\"workspace:a\",\"notes\"]",
         "50-site.json: rule a: /rules/0/match/workspaces/1 is \"notes\", which no request states: "
         "a workspace is \"workspace:\" and a name",
         "write \"workspace:notes\""},
        {"\"workspaces\":[\"Workspace:notes\"]", "workspaces/0", "write \"workspace:notes\""},
        {"\"workspaces\":[\"workspaces/notes\"]", "workspaces/0", "write \"workspace:notes\""},
        {"\"workspaces\":[\"my notes\"]", "workspaces/0", "write \"workspace:\" and a name of"},
        {"\"workspaces\":[\"workspace:\"]", "workspaces/0", "write \"workspace:\" and a name of"},
        {"\"workspaces\":[\"profile:home\"]", "workspaces/0", "write it in \"profiles\""},
        {"\"workspaces\":[\"device\"]", "workspaces/0", "write it in \"scopes\""},
        {"\"profiles\":[\"home\"]", "profiles/0", "write \"profile:home\""},
        {"\"scopes\":[\"notes\"]", "scopes/0", "write \"workspace:notes\""},
        {"\"scopes\":[\"Device\"]", "scopes/0", "write \"device\""},
        {"\"scopes\":[\"device:laptop\"]", "scopes/0", "write \"device\""},
        {"\"scopes\":[\"VAULT:keys\"]", "scopes/0", "write \"vault:keys\""},
        {"\"scopes\":[\"team:a\"]", "scopes/0", "the classes are public, profile"},
        {"\"objects\":[\"my note\"]", "objects/0", "write the id of an object"},
        {"\"objects\":[\"a/b\"]", "objects/0", "write the id of an object"},
        {"\"scopes\":[\"workspace:a\",\"vault:b\"],\"scope_classes\":[\"workspace\"]",
         "/match/scopes has \"vault:b\", which is of none of its scope_classes", "write one"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strconcat(
            "{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[{\"match\":{", cases[i].match,
            "},\"effect\":\"deny\",\"reason\":\"a\",\"rationale\":\"r\"}]}", NULL);
        refuses(text, SYNCD_POLICY_USER, cases[i].place);
        refuses(text, SYNCD_POLICY_USER, cases[i].next);
    }
}

/* Subjects may be names of somebody's own, and types of objects any word. */
static void takes_what_a_request_can_state(void)
{
    g_autoptr(GPtrArray) rules = parse_as(
        SYNCD_POLICY_USER, "a.json",
        FILE_OF(RULE("\"scopes\":[\"device\",\"org:a:b\"],\"workspaces\":[\"workspace:9.x\"],"
                     "\"profiles\":[\"profile:default\"],\"subjects\":[\"suspect\",\"1\"],"
                     "\"object_types\":[\"a note\"],\"objects\":[\"note:7\"],"
                     "\"scope_classes\":[\"org\",\"device\",\"vault\"]",
                     "deny", "a")));
    g_assert_cmpuint(rules->len, ==, 1);
}

static void only_the_machine_grants(void)
{
    const char *text = FILE_OF(GRANT("", "secure_lane_requires_explicit_grant", "a"));
    g_autoptr(GPtrArray) rules = parse_as(SYNCD_POLICY_MACHINE, "a.json", text);
    g_assert_cmpuint(rules->len, ==, 1);
    refuses(text, SYNCD_POLICY_USER, "/rules/0/grants");
}

/* `each` with its number in place of '#'. */
static char *many(const char *first, const char *each, unsigned n, const char *last)
{
    GString *text = g_string_new(first);
    for (unsigned i = 0; i < n; i++) {
        g_string_append(text, i > 0 ? "," : "");
        g_autoptr(GString) one = g_string_new(each);
        g_autofree char *number = g_strdup_printf("%u", i);
        g_string_replace(one, "#", number, 0);
        g_string_append(text, one->str);
    }
    g_string_append(text, last);
    return g_string_free(text, FALSE);
}

static void has_limits(void)
{
    g_autofree char *words = many("{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[{\"match\":{"
                                  "\"objects\":[",
                                  "\"o#\"", SYNCD_POLICY_WORDS_MAX + 1,
                                  "]},\"effect\":\"deny\",\"reason\":\"a\",\"rationale\":\"r\"}]}");
    refuses(words, SYNCD_POLICY_USER, "/rules/0/match/objects must have");

    g_autofree char *objects = many("\"objects\":[", "\"o#\"", 65, "],");
    g_autofree char *profiles = many("\"profiles\":[", "\"profile:p#\"", 65, "]");
    g_autofree char *wide = g_strconcat(
        "{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[{\"match\":{", objects, profiles,
        "},\"effect\":\"deny\",\"reason\":\"a\",\"rationale\":\"r\"}]}", NULL);
    refuses(wide, SYNCD_POLICY_USER, "/rules/0/match combines");

    g_autofree char *rules =
        many("{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[",
             "{\"match\":{},\"effect\":\"deny\",\"reason\":\"a#\",\"rationale\":\"r\"}",
             SYNCD_POLICY_FILE_RULES_MAX + 1, "]}");
    refuses(rules, SYNCD_POLICY_USER, "/rules has more than");

    g_autofree char *space = g_strnfill(SYNCD_POLICY_FILE_MAX + 1, ' ');
    refuses(space, SYNCD_POLICY_USER, "more than");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/policy-rules/reads-every-member", reads_every_member);
    g_test_add_func("/policy-rules/reads-the-golden-document", reads_the_golden_document);
    g_test_add_func("/policy-rules/refuses-what-is-not-as-specified",
                    refuses_what_is_not_as_specified);
    g_test_add_func("/policy-rules/refuses-what-no-request-can-state",
                    refuses_what_no_request_can_state);
    g_test_add_func("/policy-rules/takes-what-a-request-can-state", takes_what_a_request_can_state);
    g_test_add_func("/policy-rules/only-the-machine-grants", only_the_machine_grants);
    g_test_add_func("/policy-rules/has-limits", has_limits);
    return g_test_run();
}
