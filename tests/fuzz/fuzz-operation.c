/*
 * The body of a request, and the record that is written from it. Whatever a caller puts into a
 * body: the record is one document, keeps to its contract, says of the operation what the log says,
 * and holds each member that nobody knows byte for byte.
 */
#include "fuzz.h"

#include "base/json.h"
#include "contract/check.h"
#include "contract/operation.h"

static SyncdOperationFacts facts_about(SyncdBytes content)
{
    return (SyncdOperationFacts){
        .operation = SYNCD_BYTES_TEXT("op-1"),
        .kind = SYNCD_BYTES_TEXT("operation.enqueue"),
        .status = "queued",
        .actor = SYNCD_BYTES_TEXT("actor-1"),
        .device = SYNCD_BYTES_TEXT("device-1"),
        .decision = SYNCD_BYTES_TEXT("policy-1"),
        .lane = SYNCD_BYTES_TEXT("normal"),
        .object = SYNCD_BYTES_TEXT("note-1"),
        .scope = SYNCD_BYTES_TEXT("workspace-1"),
        .scope_class = "workspace",
        .scope_name = "notes",
        .epoch = 1,
        .seq = 2,
        .sequence = 3,
        .ms = 1000,
        .meta = SYNCD_BYTES_TEXT("{\"data_class\":\"internal\"}"),
        .content = content,
    };
}

/* What a body must not be able to say. */
static const struct {
    const char *name;
    const char *value;
} stamped[] = {
    {"schema", SYNCD_OPERATION_SCHEMA},  {"operation_id", "op-1"},
    {"local_operation_id", "op-1"},      {"actor_id", "actor-1"},
    {"device_id", "device-1"},           {"object_id", "note-1"},
    {"policy_decision_ref", "policy-1"}, {"lane", "normal"},
    {"data_class", "internal"},          {"status", "queued"},
    {"scope", "workspace:notes"},        {"feed", "device-1/workspace-1/1"},
};

static bool same_bytes(SyncdJson one, SyncdJson other)
{
    return syncd_json_size(one) == syncd_json_size(other) &&
           memcmp(one.at, other.at, syncd_json_size(one)) == 0;
}

/* The members of the record of an empty body are those that somebody knows. */
static SyncdJson known_members(void)
{
    static GString *record;
    if (record == NULL) {
        SyncdOperationFacts facts = facts_about(SYNCD_BYTES_TEXT("{}"));
        record = g_string_new(NULL);
        syncd_operation_write(&facts, record);
    }
    return syncd_json_root(record->str, record->len);
}

static void check_members(SyncdJson record, SyncdJson body)
{
    static const char *const optional[] = {"remote_operation_id", "replay_idempotency_key",
                                           "body_error"};
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, body);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *text = syncd_json_dup_text(name);
        bool known = text == NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(optional) && !known; i++)
            known = strcmp(text, optional[i]) == 0;
        if (!known && syncd_json_member(known_members(), text).type == SYNCD_JSON_NONE)
            LAW(same_bytes(value, syncd_json_member(record, text)));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    SyncdBytes content = {data, size};
    g_autoptr(GError) error = NULL;
    bool good = syncd_operation_check_body(content, &error);
    LAW(good == (error == NULL));
    LAW(good || g_utf8_validate(error->message, -1, NULL));
    if (!good)
        return 0;

    g_autoptr(GString) text = g_string_new(NULL);
    SyncdOperationFacts facts = facts_about(content);
    syncd_operation_write(&facts, text);
    LAW(syncd_json_check(text->str, text->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    SyncdJson record = syncd_json_root(text->str, text->len);
    for (size_t i = 0; i < G_N_ELEMENTS(stamped); i++)
        LAW(syncd_json_is(syncd_json_member(record, stamped[i].name), stamped[i].value));
    LAW(syncd_contract_demand(SYNCD_OPERATION_SCHEMA, record, "", &error));
    check_members(record, syncd_json_root((const char *)data, size));
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
