/* A decision at run time says that it changed nothing, and is refused when it claims otherwise. */
#include "domain/runtime-decision.h"

#include "base/json.h"

#define MS G_GUINT64_CONSTANT(1777939200000)

static char *written(const char *object)
{
    SyncdPolicyInput input = {"replicate", "secure", "secret", "uid:1000", object};
    SyncdPolicyOutcome outcome = syncd_policy_decide(&input);
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_runtime_decision_write(&writer, &input, &outcome, MS);
    return g_string_free(text, FALSE);
}

static bool check(const char *text, GError **error)
{
    g_autoptr(GError) fault = NULL;
    syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, &fault);
    g_assert_no_error(fault);
    return syncd_runtime_decision_check(syncd_json_root(text, strlen(text)), error);
}

static void is_written_as_the_contract_says(void)
{
    g_autofree char *text = written(NULL);
    g_assert_cmpstr(
        text, ==,
        "{\"schema\":\"sourceos.policy-decision/v1alpha1\","
        "\"decision_id\":\"policy-822903aefc62b22e\",\"generated_at\":\"2026-05-05T00:00:00Z\","
        "\"engine\":\"policy-fabric-local\",\"action\":\"replicate\",\"lane\":\"secure\","
        "\"status\":\"denied\",\"reason\":\"secure_lane_requires_explicit_grant\","
        "\"subject\":\"uid:1000\",\"object_id\":null,\"data_class\":\"secret\","
        "\"decision_boundary\":{\"decision_scope\":\"policy-only\","
        "\"runtime_effect_performed\":false,\"authority_mutation_performed\":false,"
        "\"state_repair_performed\":false,\"ledger_write_performed\":false,"
        "\"downstream_refs\":[]}}");
    g_assert_true(check(text, NULL));
    g_autofree char *about_object = written("note-1");
    g_assert_true(check(about_object, NULL));
}

static void what_is_written_otherwise_is_refused(void)
{
    static const struct {
        const char *was, *is, *place;
    } cases[] = {
        {"\"policy-only\"", "\"policy\"", "/decision_boundary/decision_scope"},
        {"\"runtime_effect_performed\":false", "\"runtime_effect_performed\":true",
         "/decision_boundary/runtime_effect_performed"},
        {"\"authority_mutation_performed\":false", "\"authority_mutation_performed\":true",
         "/decision_boundary/authority_mutation_performed"},
        {"\"state_repair_performed\":false", "\"state_repair_performed\":1",
         "/decision_boundary/state_repair_performed"},
        {"\"ledger_write_performed\":false", "\"ledger_write_performed\":null",
         "/decision_boundary/ledger_write_performed"},
        {",\"ledger_write_performed\":false", "", "/decision_boundary/ledger_write_performed"},
        {"\"downstream_refs\":[]", "\"downstream_refs\":{}", "/decision_boundary/downstream_refs"},
        {"\"downstream_refs\":[]", "\"downstream_refs\":[],\"x\":1", "/decision_boundary/x"},
        {"{\"decision_scope\":", "[{\"decision_scope\":", "/decision_boundary"},
        {"\"engine\"", "\"motor\"", "/motor"},
        {"\"engine\":\"policy-fabric-local\",", "", "/engine is missing"},
        {"\"engine\":\"policy-fabric-local\"", "\"engine\":\"\"", "/engine"},
        {"policy-decision/v1alpha1", "policy-decision/v2", "/schema"},
        {"\"status\":\"denied\"", "\"status\":\"allow\"", "/status"},
        {"\"status\":\"denied\"", "\"status\":\"allowed\"", "/decision_id"},
        {"\"lane\":\"secure\"", "\"lane\":\"fast\"", "/lane"},
        {"\"action\":\"replicate\"", "\"action\":\"erase\"", "/action"},
        {"00:00:00Z", "00:00:00", "/generated_at"},
        {"\"object_id\":null", "\"object_id\":7", "/object_id"},
        {"\"object_id\":null", "\"object_id\":\"\"", "/decision_id"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = written(NULL);
        g_autoptr(GString) changed = g_string_new(text);
        g_autoptr(GError) error = NULL;
        g_assert_cmpuint(g_string_replace(changed, cases[i].was, cases[i].is, 1), ==, 1);
        if (g_str_has_prefix(cases[i].is, "["))
            g_string_replace(changed, "[]}}", "[]}]}", 1);
        g_assert_false(check(changed->str, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
        if (strstr(error->message, cases[i].place) == NULL)
            g_error("\"%s\" does not name %s", error->message, cases[i].place);
    }
    g_autoptr(GError) error = NULL;
    g_assert_false(check("[]", &error));
}

static void a_document_without_a_boundary_is_accepted(void)
{
    g_autofree char *text = written(NULL);
    *strstr(text, ",\"decision_boundary\"") = '\0';
    g_autofree char *whole = g_strconcat(text, "}", NULL);
    g_assert_true(check(whole, NULL));
}

static void a_weaker_status_allows_more(void)
{
    static const char *const order[] = {"allowed", "redacted", "deferred", "denied"};
    for (unsigned i = 0; i < G_N_ELEMENTS(order); i++)
        for (unsigned j = 0; j < G_N_ELEMENTS(order); j++)
            g_assert_cmpint(syncd_policy_status_is_weaker(order[i], order[j]), ==, i < j);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_hash_init(NULL));
    g_test_add_func("/runtime-decision/is-written-as-the-contract-says",
                    is_written_as_the_contract_says);
    g_test_add_func("/runtime-decision/what-is-written-otherwise-is-refused",
                    what_is_written_otherwise_is_refused);
    g_test_add_func("/runtime-decision/a-document-without-a-boundary-is-accepted",
                    a_document_without_a_boundary_is_accepted);
    g_test_add_func("/runtime-decision/a-weaker-status-allows-more", a_weaker_status_allows_more);
    return g_test_run();
}
