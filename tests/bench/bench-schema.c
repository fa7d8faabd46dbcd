/*
 * What validating a document of a workspace operation costs, beside json-glib's parse and walk of
 * the same bytes: what a program would pay to look at each value once.
 */
#include "../unit/schema-text.h"
#include "measure.h"

#include <json-glib/json-glib.h>

#define N_ROUNDS 41u
#define TIMES 4000u

/* As in schemas/, with every keyword that the contract's records use. */
static const char schema_text[] =
    "{\"type\":\"object\",\"required\":[\"schema\",\"operation_id\",\"local_operation_id\","
    "\"operation_type\",\"status\",\"workspace_id\",\"profile_id\",\"actor_id\",\"device_id\","
    "\"causal_parent_ids\",\"conflict_ids\",\"provisional_artifact_ids\",\"replay_safe\","
    "\"created_at\",\"updated_at\"],\"properties\":{"
    "\"schema\":{\"const\":\"sourceos.workspace-operation/v1alpha1\"},"
    "\"operation_id\":{\"$ref\":\"#/$defs/id\"},\"local_operation_id\":{\"$ref\":\"#/$defs/id\"},"
    "\"operation_type\":{\"enum\":[\"sync.operation.replay\",\"sync.operation.reconcile\","
    "\"sync.conflict.detect\",\"sync.conflict.resolve\",\"sync.operation.enqueue\"]},"
    "\"status\":{\"enum\":[\"queued\",\"running\",\"completed\",\"failed\",\"accepted\"]},"
    "\"workspace_id\":{\"$ref\":\"#/$defs/id\"},\"profile_id\":{\"$ref\":\"#/$defs/id\"},"
    "\"actor_id\":{\"$ref\":\"#/$defs/id\"},\"device_id\":{\"$ref\":\"#/$defs/id\"},"
    "\"causal_parent_ids\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/id\"},"
    "\"uniqueItems\":true},\"conflict_ids\":{\"type\":\"array\",\"items\":{\"$ref\":"
    "\"#/$defs/id\"}},\"provisional_artifact_ids\":{\"type\":\"object\","
    "\"additionalProperties\":{\"type\":\"string\"}},\"replay_safe\":{\"type\":\"boolean\"},"
    "\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"updated_at\":{\"type\":\"string\",\"format\":\"date-time\"},"
    "\"sequence\":{\"type\":\"integer\",\"minimum\":0},"
    "\"leaf\":{\"type\":\"string\",\"pattern\":\"^[0-9a-f]{64}$\"}},"
    "\"$defs\":{\"id\":{\"type\":\"string\",\"minLength\":1}}}";

static const char document[] =
    "{\"schema\":\"sourceos.workspace-operation/"
    "v1alpha1\",\"operation_id\":\"op-01m7wn0tze5heydy\","
    "\"local_operation_id\":\"op-01m7wn0tze5heydy\",\"operation_type\":\"sync.operation.enqueue\","
    "\"status\":\"accepted\",\"workspace_id\":\"workspace:notes\",\"profile_id\":\"profile:own\","
    "\"actor_id\":\"actor-1000\",\"device_id\":\"device-9f86d081\",\"causal_parent_ids\":["
    "\"op-01m7wn0tze5heydx\"],\"conflict_ids\":[],\"provisional_artifact_ids\":{\"artifact:1\":"
    "\"object:a\"},\"replay_safe\":true,\"created_at\":\"2026-05-05T00:00:00Z\",\"updated_at\":"
    "\"2026-05-05T00:00:00Z\",\"sequence\":4711,\"leaf\":"
    "\"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}";

static SyncdSchema *schema;
static volatile guint64 sink; /* keeps the compiler from leaving the walk out */

static void validate(void)
{
    bool valid = false;
    g_autoptr(GError) error = NULL;
    SyncdBytes text = SYNCD_BYTES(document, sizeof document - 1);
    if (!validate_text(schema, text, NULL, &valid, &error) || !valid)
        g_error("not valid");
}

static void walk_value(JsonNode *node);

static void walk_member(JsonObject *object, const char *name, JsonNode *node, void *user_data)
{
    sink += (guint64)*name;
    walk_value(node);
}

static void walk_element(JsonArray *array, guint index, JsonNode *node, void *user_data)
{
    walk_value(node);
}

static void walk_value(JsonNode *node)
{
    if (JSON_NODE_HOLDS_OBJECT(node))
        json_object_foreach_member(json_node_get_object(node), walk_member, NULL);
    else if (JSON_NODE_HOLDS_ARRAY(node))
        json_array_foreach_element(json_node_get_array(node), walk_element, NULL);
    else if (JSON_NODE_HOLDS_VALUE(node))
        sink += (guint64)json_node_get_value_type(node);
}

static void parse_and_walk(void)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(GError) error = NULL;
    if (!json_parser_load_from_data(parser, document, sizeof document - 1, &error))
        g_error("%s", error->message);
    walk_value(json_parser_get_root(parser));
}

static double nanoseconds(void (*work)(void))
{
    gint64 begin = g_get_monotonic_time();
    for (unsigned i = 0; i < TIMES; i++)
        work();
    return seconds_since(begin) * 1e9 / TIMES;
}

int main(void)
{
    g_autoptr(GError) error = NULL;
    schema = syncd_schema_compile(SYNCD_BYTES_TEXT(schema_text), NULL, &error);
    if (schema == NULL)
        g_error("%s", error->message);

    Rounds subject = {0}, baseline = {0};
    for (unsigned round = 0; round < N_ROUNDS; round++) {
        rounds_add(&subject, nanoseconds(validate));
        rounds_add(&baseline, nanoseconds(parse_and_walk));
    }
    g_autofree char *figure =
        g_strdup_printf("validating an operation of %zu bytes", sizeof document - 1);
    tell_heading();
    tell(figure, "ns", &subject, "json-glib, parse and walk", &baseline, "at most 2");
    syncd_schema_free(schema);
    return 0;
}
