/*
 * The policy in force. Whatever the files say: a denial dominates, a user only narrows, what fails
 * closed stays closed, and the order of reading changes nothing.
 */
#include "contract/records.h"
#include "contract/vocabulary.h"
#include "hurried.h"
#include "policy-fixture.h"

#define WRITE_SECURE "\"actions\":[\"write\"],\"lanes\":[\"secure\"]"
#define SECRETS "\"data_classes\":[\"secret\"]"
#define REPLICATE_SECURE "\"actions\":[\"replicate\"],\"lanes\":[\"secure\"]"

/* ---- single promises ---- */

static void without_files_the_table_decides_and_lanes_fail_closed(void)
{
    g_autoptr(SyncdPolicySet) set = set_of(NULL, NULL);
    const char *const *action = syncd_vocabulary_words(SYNCD_WORDS_POLICY_ACTION);
    for (; *action != NULL; action++) {
        const char *const *lane = syncd_vocabulary_words(SYNCD_WORDS_LANE);
        for (; *lane != NULL; lane++) {
            SyncdPolicyRequest request = asks(*action, *lane, "internal");
            SyncdPolicyInput input = {*action, *lane, "internal", SYNCD_POLICY_SUBJECT, NULL};
            SyncdPolicyOutcome table = syncd_policy_decide(&input);
            bool closed = g_str_equal(*lane, "secure") || g_str_equal(*lane, "policy") ||
                          g_str_equal(*lane, "repair");
            g_autofree char *as_table = g_strconcat(table.status, " ", table.reason, NULL);
            assert_answer(set, request,
                          closed && table.allowed ? "denied " SYNCD_POLICY_REASON_CLOSED
                                                  : as_table);
        }
    }
    assert_answer(set, asks("erase", "normal", "internal"), "deferred unknown_action");
}

static void a_rule_of_the_machine_opens_a_lane_that_fails_closed(void)
{
    g_autoptr(SyncdPolicySet) set =
        set_of(FILE_OF(RULE(WRITE_SECURE, "allow", "secure_writes")), NULL);
    assert_answer(set, asks("write", "secure", "internal"), "allowed secure_writes");
    assert_answer(set, asks("retain", "secure", "internal"), "denied " SYNCD_POLICY_REASON_CLOSED);
    g_autoptr(SyncdPolicySet) user =
        set_of(NULL, FILE_OF(RULE(WRITE_SECURE, "allow", "secure_writes")));
    assert_answer(user, asks("write", "secure", "internal"), "denied " SYNCD_POLICY_REASON_CLOSED);
}

static void lanes_are_closed_while_rules_are_unusable(void)
{
    g_autoptr(GPtrArray) rules =
        parse_as(SYNCD_POLICY_MACHINE, "a.json", FILE_OF(RULE("", "allow", "all")));
    g_autoptr(SyncdPolicySet) set =
        syncd_policy_set_new(rules, NULL, 1u << SYNCD_POLICY_USER, NULL);
    assert_answer(set, asks("write", "secure", "internal"), "denied " SYNCD_POLICY_REASON_UNUSABLE);
    assert_answer(set, asks("write", "normal", "internal"), "allowed all");
}

static void the_table_is_opened_by_an_explicit_grant_only(void)
{
    SyncdPolicyRequest secure = asks("replicate", "secure", "internal");
    SyncdPolicyRequest secret = asks("replicate", "secure", "secret");
    g_autoptr(SyncdPolicySet) allow =
        set_of(FILE_OF(RULE(REPLICATE_SECURE, "allow", "copies")), NULL);
    assert_answer(allow, secure, "denied secure_lane_requires_explicit_grant");

    g_autoptr(SyncdPolicySet) grant = set_of(
        FILE_OF(GRANT(REPLICATE_SECURE, "secure_lane_requires_explicit_grant", "copies")), NULL);
    assert_answer(grant, secure, "allowed copies");
    /* one grant opens one denial */
    assert_answer(grant, secret, "denied sensitive_data_requires_explicit_grant");

    g_autoptr(SyncdPolicySet) both =
        set_of(FILE_OF(GRANT(REPLICATE_SECURE,
                             "secure_lane_requires_explicit_grant\","
                             "\"sensitive_data_requires_explicit_grant",
                             "copies")),
               NULL);
    assert_answer(both, secret, "allowed copies");

    /* a more specific rule that grants nothing takes its place */
    g_autoptr(SyncdPolicySet) beaten = set_of(
        FILE_OF(GRANT(REPLICATE_SECURE, "secure_lane_requires_explicit_grant",
                      "copies") "," RULE(REPLICATE_SECURE ",\"objects\":[\"o\"]", "allow", "one")),
        NULL);
    secure.fields[SYNCD_FIELD_OBJECT] = "o";
    assert_answer(beaten, secure, "denied secure_lane_requires_explicit_grant");
}

static void what_cannot_be_granted_stays(void)
{
    g_autoptr(SyncdPolicySet) set = set_of(FILE_OF(RULE("", "allow", "all")), NULL);
    assert_answer(set, asks("index", "secure", "internal"),
                  "redacted secure_lane_indexing_requires_redaction");
    assert_answer(set, asks("retain", "ephemeral", "internal"),
                  "deferred ephemeral_retention_requires_ttl");
    g_autoptr(SyncdPolicySet) deny = set_of(FILE_OF(RULE("", "deny", "none")), NULL);
    assert_answer(deny, asks("index", "secure", "internal"), "denied none");
    g_autoptr(SyncdPolicySet) review = set_of(FILE_OF(RULE("", "review_required", "ask")), NULL);
    assert_answer(review, asks("index", "secure", "internal"), "deferred ask");
    assert_answer(review, asks("write", "repair", "internal"),
                  "denied repair_lane_is_quarantine_scoped");
}

static void the_most_specific_rule_decides(void)
{
    g_autoptr(SyncdPolicySet) set = set_of(
        FILE_OF(RULE("", "allow", "r0") "," RULE("\"lanes\":[\"normal\"]", "deny", "r1") "," RULE(
            "\"actions\":[\"write\"],\"lanes\":[\"normal\"]", "allow",
            "r2") "," RULE("\"scopes\":[\"workspace:a\"]", "deny",
                           "r3") "," RULE("\"objects\":[\"o\"]", "review_required", "r4")),
        NULL);
    SyncdPolicyRequest request = asks("read", "archive", "internal");
    assert_answer(set, request, "allowed r0");
    request.fields[SYNCD_FIELD_LANE] = "normal";
    assert_answer(set, request, "denied r1");
    request.fields[SYNCD_FIELD_ACTION] = "write";
    assert_answer(set, request, "allowed r2");
    request.fields[SYNCD_FIELD_SCOPE] = "workspace:a";
    assert_answer(set, request, "denied r3");
    request.fields[SYNCD_FIELD_OBJECT] = "o";
    assert_answer(set, request, "deferred r4");
}

static void a_user_narrows_and_never_widens(void)
{
    const char *machine = FILE_OF(RULE("\"lanes\":[\"normal\"]", "review_required", "m"));
    g_autoptr(SyncdPolicySet) allow =
        set_of(machine, FILE_OF(RULE("\"objects\":[\"o\"]", "allow", "u")));
    SyncdPolicyRequest request = asks("write", "normal", "internal");
    request.fields[SYNCD_FIELD_OBJECT] = "o";
    assert_answer(allow, request, "deferred m");
    g_autoptr(SyncdPolicySet) deny = set_of(machine, FILE_OF(RULE("", "deny", "u")));
    assert_answer(deny, request, "denied u");
    /* among the user's own rules the more specific one counts */
    g_autoptr(SyncdPolicySet) except =
        set_of(NULL, FILE_OF(RULE("", "deny", "u") "," RULE("\"objects\":[\"o\"]", "allow", "v")));
    assert_answer(except, request, "allowed default_local_policy_allows");
}

static void a_reason_names_one_rule(void)
{
    g_autoptr(GPtrArray) one =
        parse_as(SYNCD_POLICY_MACHINE, "a.json", FILE_OF(RULE("", "deny", "r")));
    g_autoptr(GPtrArray) two =
        parse_as(SYNCD_POLICY_USER, "b.json", FILE_OF(RULE("", "deny", "r")));
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_policy_set_new(one, two, 0, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_true(g_str_has_prefix(error->message, "b.json: "));
    g_assert_nonnull(strstr(error->message, "a.json"));
}

static void the_number_of_shapes_is_limited(void)
{
    g_autoptr(GPtrArray) rules =
        g_ptr_array_new_with_free_func((GDestroyNotify)syncd_policy_rule_free);
    for (unsigned i = 0; i <= SYNCD_POLICY_SHAPES_MAX; i++) {
        SyncdPolicyRule *rule = g_new0(SyncdPolicyRule, 1);
        rule->fields = i;
        for (unsigned bit = 0; bit < SYNCD_N_POLICY_FIELDS; bit++)
            if (i & 1u << bit)
                rule->words[bit] = g_strsplit("w", ",", -1);
        rule->reason = g_strdup_printf("r%u", i);
        rule->canonical = g_strdup_printf("%u", i);
        rule->file = g_strdup("a.json");
        g_ptr_array_add(rules, rule);
    }
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_policy_set_new(rules, NULL, 0, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
}

/* ---- laws, over rules made up from a seed ---- */

static guint64 seed;

static unsigned pick(unsigned n)
{
    seed = seed * G_GUINT64_CONSTANT(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(seed >> 33) % n;
}

static const char *const drawn[SYNCD_N_POLICY_FIELDS][4] = {
    [SYNCD_FIELD_ACTION] = {"read", "write", "replicate", "index"},
    [SYNCD_FIELD_LANE] = {"normal", "secure", "repair", "ephemeral"},
    [SYNCD_FIELD_DATA_CLASS] = {"internal", "secret", "credential", "public"},
    [SYNCD_FIELD_SCOPE_CLASS] = {"device", "workspace", "profile", "vault"},
    [SYNCD_FIELD_ACTOR_TYPE] = {"human", "agent", "app", "service"},
    [SYNCD_FIELD_OPERATION_TYPE] = {"sync.operation.enqueue", "sync.operation.replay",
                                    "sync.repair.apply", "sync.tombstone.apply"},
    [SYNCD_FIELD_OBJECT_TYPE] = {"a", "b", "c", "d"},
    [SYNCD_FIELD_PROFILE] = {"profile:a", "profile:b", "profile:c", "profile:d"},
    [SYNCD_FIELD_WORKSPACE] = {"workspace:a", "workspace:b", "workspace:c", "workspace:d"},
    [SYNCD_FIELD_SCOPE] = {"workspace:a", "workspace:b", "device", "profile:c"},
    [SYNCD_FIELD_SUBJECT] = {"uid:1", "uid:2", "uid:3", "uid:4"},
    [SYNCD_FIELD_OBJECT] = {"o1", "o2", "o3", "o4"},
};

/* Few fields have conditions, so that rules meet. A scope and a class that it is not of would be
 * refused. */
static char *draw_rule(SyncdPolicyLevel level, unsigned number)
{
    static const char *const effects[] = {"allow", "review_required", "deny"};
    static const char *const grants[] = {"secure_lane_requires_explicit_grant",
                                         "repair_lane_is_quarantine_scoped",
                                         "sensitive_data_requires_explicit_grant"};
    const char *effect = effects[pick(3)];
    g_autoptr(GString) match = g_string_new(NULL);
    for (SyncdPolicyField field = 0; field < SYNCD_N_POLICY_FIELDS; field++) {
        bool has_class = strstr(match->str, "scope_classes") != NULL;
        if (pick(6) != 0 || (field == SYNCD_FIELD_SCOPE && has_class))
            continue;
        g_string_append_printf(match, "%s\"%s\":[\"%s\",\"%s\"]", match->len > 0 ? "," : "",
                               syncd_policy_condition_name(field), drawn[field][pick(4)],
                               drawn[field][pick(4)]);
    }
    bool grant = level == SYNCD_POLICY_MACHINE && *effect == 'a' && pick(2) == 0;
    g_autofree char *list =
        grant ? g_strdup_printf(",\"grants\":[\"%s\"]", grants[pick(3)]) : g_strdup("");
    return g_strdup_printf("{\"match\":{%s},\"effect\":\"%s\",\"reason\":\"%c%u\","
                           "\"rationale\":\"r\"%s}",
                           match->str, effect, level == SYNCD_POLICY_MACHINE ? 'm' : 'u', number,
                           list);
}

static GPtrArray *draw_rules(SyncdPolicyLevel level, unsigned n)
{
    GPtrArray *rules = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < n; i++)
        g_ptr_array_add(rules, draw_rule(level, i));
    return rules;
}

static void shuffle(GPtrArray *list)
{
    for (guint i = list->len; i > 1; i--) {
        guint other = pick(i);
        void *kept = list->pdata[i - 1];
        list->pdata[i - 1] = list->pdata[other];
        list->pdata[other] = kept;
    }
}

/* As files of one to three rules. */
static GPtrArray *read_rules(SyncdPolicyLevel level, const GPtrArray *texts)
{
    GPtrArray *all = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_policy_rule_free);
    for (guint i = 0; i < texts->len;) {
        g_autoptr(GString) file =
            g_string_new("{\"schema\":\"sourceos.policy-rules/v1\",\"rules\":[");
        guint left = 1 + pick(3);
        for (const char *comma = ""; i < texts->len && left > 0; i++, left--, comma = ",")
            g_string_append_printf(file, "%s%s", comma, (char *)texts->pdata[i]);
        g_string_append(file, "]}");
        g_autofree char *name = g_strdup_printf("%u.json", i);
        g_ptr_array_extend_and_steal(all, parse_as(level, name, file->str));
    }
    return all;
}

static SyncdPolicySet *make_set(const GPtrArray *machine, const GPtrArray *user)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) machines = read_rules(SYNCD_POLICY_MACHINE, machine);
    g_autoptr(GPtrArray) users = read_rules(SYNCD_POLICY_USER, user);
    SyncdPolicySet *set = syncd_policy_set_new(machines, users, 0, &error);
    g_assert_no_error(error);
    return set;
}

static SyncdPolicyRequest draw_request(void)
{
    SyncdPolicyRequest request = {{NULL}};
    for (SyncdPolicyField field = 0; field < SYNCD_N_POLICY_FIELDS; field++)
        if (field <= SYNCD_FIELD_DATA_CLASS || pick(4) != 0)
            request.fields[field] = drawn[field][pick(4)];
    return request;
}

static unsigned strength_of(const char *answer)
{
    static const char *const order[] = {"allowed ", "redacted ", "deferred ", "denied "};
    unsigned i = 0;
    while (!g_str_has_prefix(answer, order[i]))
        i++;
    return i;
}

#define ROUNDS (is_hurried() ? 30u : 300u)
#define REQUESTS 60

static void order_changes_nothing(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) machine = draw_rules(SYNCD_POLICY_MACHINE, pick(30));
        g_autoptr(GPtrArray) user = draw_rules(SYNCD_POLICY_USER, pick(10));
        g_autoptr(SyncdPolicySet) first = make_set(machine, user);
        shuffle(machine);
        shuffle(user);
        g_autoptr(SyncdPolicySet) second = make_set(machine, user);
        g_assert_cmpstr(syncd_policy_set_digest(first), ==, syncd_policy_set_digest(second));
        for (unsigned i = 0; i < REQUESTS; i++) {
            SyncdPolicyRequest request = draw_request();
            g_autofree char *expected = answer(first, &request);
            assert_answer(second, request, expected);
        }
    }
}

static void a_digest_means_the_rules(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) machine = draw_rules(SYNCD_POLICY_MACHINE, 1 + pick(20));
        g_autoptr(GPtrArray) user = draw_rules(SYNCD_POLICY_USER, pick(5));
        g_autoptr(SyncdPolicySet) before = make_set(machine, user);
        guint changed = pick(machine->len);
        G_GNUC_UNUSED g_autofree char *old = machine->pdata[changed];
        machine->pdata[changed] = draw_rule(SYNCD_POLICY_MACHINE, changed);
        g_autoptr(SyncdPolicySet) after = make_set(machine, user);
        g_autofree char *before_text = NULL, *after_text = NULL;
        for (int which = 0; which < 2; which++) {
            const SyncdPolicySet *set = which == 0 ? before : after;
            GString *text = g_string_new(NULL);
            for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
                const GPtrArray *rules = syncd_policy_set_rules(set, level);
                for (guint i = 0; i < rules->len; i++)
                    g_string_append(text, ((SyncdPolicyRule *)rules->pdata[i])->canonical);
            }
            *(which == 0 ? &before_text : &after_text) = g_string_free(text, FALSE);
        }
        g_assert_cmpint(
            g_str_equal(before_text, after_text), ==,
            g_str_equal(syncd_policy_set_digest(before), syncd_policy_set_digest(after)));
    }
}

static void user_rules_only_narrow(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) machine = draw_rules(SYNCD_POLICY_MACHINE, pick(20));
        g_autoptr(GPtrArray) user = draw_rules(SYNCD_POLICY_USER, 1 + pick(10));
        g_autoptr(GPtrArray) nobody = draw_rules(SYNCD_POLICY_USER, 0);
        g_autoptr(SyncdPolicySet) with = make_set(machine, user);
        g_autoptr(SyncdPolicySet) without = make_set(machine, nobody);
        for (unsigned i = 0; i < REQUESTS; i++) {
            SyncdPolicyRequest request = draw_request();
            g_autofree char *narrow = answer(with, &request);
            g_autofree char *wide = answer(without, &request);
            g_assert_cmpuint(strength_of(narrow), >=, strength_of(wide));
        }
    }
}

static void a_denial_dominates(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) machine = draw_rules(SYNCD_POLICY_MACHINE, pick(20));
        g_autoptr(GPtrArray) user = draw_rules(SYNCD_POLICY_USER, pick(5));
        /* of every rule, its twin that denies */
        for (guint i = machine->len; i-- > 0;) {
            const char *text = machine->pdata[i];
            g_autofree char *match = g_strndup(text, (size_t)(strstr(text, "},") + 2 - text));
            g_ptr_array_add(machine, g_strdup_printf("%s\"effect\":\"deny\",\"reason\":\"d%u\","
                                                     "\"rationale\":\"r\"}",
                                                     match, i));
        }
        g_autoptr(SyncdPolicySet) set = make_set(machine, user);
        for (unsigned i = 0; i < REQUESTS; i++) {
            SyncdPolicyRequest request = draw_request();
            bool matched = false;
            const GPtrArray *rules = syncd_policy_set_rules(set, SYNCD_POLICY_MACHINE);
            for (guint j = 0; j < rules->len; j++)
                matched |= syncd_policy_rule_matches(rules->pdata[j], &request);
            g_autofree char *given = answer(set, &request);
            g_assert_true(!matched || g_str_has_prefix(given, "denied "));
        }
    }
}

/* A scan over all rules finds what the tables find, and exactly one voice decides. */
static void an_explanation_agrees_with_the_decision(void)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        g_autoptr(GPtrArray) machine = draw_rules(SYNCD_POLICY_MACHINE, pick(30));
        g_autoptr(GPtrArray) user = draw_rules(SYNCD_POLICY_USER, pick(10));
        g_autoptr(SyncdPolicySet) set = make_set(machine, user);
        for (unsigned i = 0; i < REQUESTS; i++) {
            SyncdPolicyRequest request = draw_request();
            SyncdPolicyDecision decision, again = syncd_policy_set_decide(set, &request);
            g_autoptr(GArray) voices = syncd_policy_set_explain(set, &request, &decision);
            unsigned deciders = 0;
            const SyncdPolicyRule *first[SYNCD_N_POLICY_LEVELS] = {NULL};
            g_assert_true(decision.rule == again.rule);
            g_assert_cmpstr(decision.outcome.reason, ==, again.outcome.reason);
            for (guint j = 0; j < voices->len; j++) {
                const SyncdPolicyVoice *voice = &g_array_index(voices, SyncdPolicyVoice, j);
                deciders += g_str_equal(voice->fate, "decides");
                if (voice->rule != NULL && first[voice->rule->level] == NULL)
                    first[voice->rule->level] = voice->rule;
            }
            bool closed = g_str_equal(decision.outcome.reason, SYNCD_POLICY_REASON_CLOSED);
            g_assert_cmpuint(deciders, ==, closed ? 0 : 1);
            g_assert_true(decision.rule == NULL || decision.rule == first[decision.rule->level]);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    seed = 4711;
#define ADD(name, func) g_test_add_func("/policy-set/" name, func)
    ADD("without-files-the-table-decides-and-lanes-fail-closed",
        without_files_the_table_decides_and_lanes_fail_closed);
    ADD("a-rule-of-the-machine-opens-a-lane-that-fails-closed",
        a_rule_of_the_machine_opens_a_lane_that_fails_closed);
    ADD("lanes-are-closed-while-rules-are-unusable", lanes_are_closed_while_rules_are_unusable);
    ADD("the-table-is-opened-by-an-explicit-grant-only",
        the_table_is_opened_by_an_explicit_grant_only);
    ADD("what-cannot-be-granted-stays", what_cannot_be_granted_stays);
    ADD("the-most-specific-rule-decides", the_most_specific_rule_decides);
    ADD("a-user-narrows-and-never-widens", a_user_narrows_and_never_widens);
    ADD("a-reason-names-one-rule", a_reason_names_one_rule);
    ADD("the-number-of-shapes-is-limited", the_number_of_shapes_is_limited);
    ADD("order-changes-nothing", order_changes_nothing);
    ADD("a-digest-means-the-rules", a_digest_means_the_rules);
    ADD("user-rules-only-narrow", user_rules_only_narrow);
    ADD("a-denial-dominates", a_denial_dominates);
    ADD("an-explanation-agrees-with-the-decision", an_explanation_agrees_with_the_decision);
#undef ADD
    return g_test_run();
}
