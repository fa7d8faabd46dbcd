#include "domain/runtime-decision.h"

#include "base/timestamp.h"
#include "contract/member.h"
#include "contract/vocabulary.h"

#define SCOPE "policy-only"

static const char *const effects[] = {"runtime_effect_performed", "authority_mutation_performed",
                                      "state_repair_performed", "ledger_write_performed"};

/* ---- writing ---- */

static void write_boundary(SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "decision_boundary");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "decision_scope", SCOPE);
    for (size_t i = 0; i < G_N_ELEMENTS(effects); i++)
        syncd_json_member_bool(writer, effects[i], false);
    syncd_json_name(writer, "downstream_refs");
    syncd_json_begin_array(writer);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

void syncd_runtime_decision_write(SyncdJsonWriter *writer, const SyncdPolicyInput *input,
                                  const SyncdPolicyOutcome *outcome, guint64 generated_ms)
{
    char id[SYNCD_DECISION_ID_SIZE], time[SYNCD_TIME_SIZE];
    syncd_policy_decision_id(input, outcome, id);
    syncd_time_format_ms(generated_ms, time);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema", SYNCD_RUNTIME_DECISION_SCHEMA);
    syncd_json_member_string(writer, "decision_id", id);
    syncd_json_member_string(writer, "generated_at", time);
    syncd_json_member_string(writer, "engine", SYNCD_POLICY_ID);
    syncd_json_member_string(writer, "action", input->action);
    syncd_json_member_string(writer, "lane", input->lane);
    syncd_json_member_string(writer, "status", outcome->status);
    syncd_json_member_string(writer, "reason", outcome->reason);
    syncd_json_member_string(writer, "subject", input->subject);
    syncd_json_member_string(writer, "object_id", input->object_id);
    syncd_json_member_string(writer, "data_class", input->data_class);
    write_boundary(writer);
    syncd_json_end_object(writer);
}

/* ---- checking ---- */

typedef struct {
    const char *name;
    bool required;
} Member;

static const Member decision_members[] = {
    {"schema", true},  {"decision_id", true}, {"generated_at", true}, {"engine", true},
    {"action", true},  {"lane", true},        {"status", true},       {"reason", true},
    {"subject", true}, {"data_class", true},  {"object_id", false},   {"decision_boundary", false},
};
static const Member boundary_members[] = {
    {"decision_scope", true},
    {"runtime_effect_performed", true},
    {"authority_mutation_performed", true},
    {"state_repair_performed", true},
    {"ledger_write_performed", true},
    {"downstream_refs", true},
};

static bool check_members(SyncdJson object, const Member *members, size_t n, const char *path,
                          GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, NULL)) {
        size_t i = 0;
        while (i < n && !syncd_json_is(name, members[i].name))
            i++;
        if (i < n)
            continue;
        g_autofree char *step = syncd_pointer_step(name);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s is no member here", path, step);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        if (!members[i].required || syncd_json_member(object, members[i].name).type)
            continue;
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s is missing", path,
                        members[i].name);
        return false;
    }
    return true;
}

static bool check_boundary(SyncdJson boundary, GError **error)
{
    const char *path = "/decision_boundary";
    if (!syncd_shape_check(SYNCD_SHAPE_OBJECT, boundary, "", path + 1, error) ||
        !check_members(boundary, boundary_members, G_N_ELEMENTS(boundary_members), path, error) ||
        !syncd_shape_check(SYNCD_SHAPE_STRING_LIST, syncd_json_member(boundary, "downstream_refs"),
                           path, "downstream_refs", error))
        return false;
    if (!syncd_json_is(syncd_json_member(boundary, "decision_scope"), SCOPE)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "%s/decision_scope must be \"" SCOPE "\"", path);
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(effects); i++)
        if (syncd_json_member(boundary, effects[i]).type != SYNCD_JSON_FALSE) {
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                            "%s/%s must be false: a decision has no effect of its own", path,
                            effects[i]);
            return false;
        }
    return true;
}

static bool check_word(SyncdJson document, const char *name, SyncdVocabulary vocabulary,
                       GError **error)
{
    g_autofree char *text = syncd_json_dup_text(syncd_json_member(document, name));
    if (text != NULL && syncd_vocabulary_find(vocabulary, SYNCD_BYTES_TEXT(text)) != NULL)
        return true;
    g_autofree char *known = syncd_vocabulary_list(vocabulary);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%s must be one of %s", name, known);
    return false;
}

static bool check_time(SyncdJson document, GError **error)
{
    g_autofree char *text = syncd_json_dup_text(syncd_json_member(document, "generated_at"));
    gint64 usec;
    if (text != NULL && syncd_time_parse(text, strlen(text), &usec))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/generated_at must be a time of RFC 3339 with a zone");
    return false;
}

static bool check_id(SyncdJson document, GError **error)
{
    static const char *const names[] = {"action",    "lane",   "data_class", "subject",
                                        "object_id", "status", "reason"};
    g_auto(GStrv) texts = g_new0(char *, G_N_ELEMENTS(names) + 1);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        SyncdJson value = syncd_json_member(document, names[i]);
        char *text = value.type == SYNCD_JSON_STRING ? syncd_json_dup_text(value) : g_strdup("");
        texts[i] = text != NULL ? text : g_strdup("");
    }
    bool has_object = syncd_json_member(document, "object_id").type == SYNCD_JSON_STRING;
    SyncdPolicyInput input = {texts[0], texts[1], texts[2], texts[3], has_object ? texts[4] : NULL};
    SyncdPolicyOutcome outcome = {texts[5], texts[6], false};
    char id[SYNCD_DECISION_ID_SIZE];
    syncd_policy_decision_id(&input, &outcome, id);
    if (syncd_json_is(syncd_json_member(document, "decision_id"), id))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/decision_id is not that of this content, which is %s", id);
    return false;
}

bool syncd_runtime_decision_check(SyncdJson document, GError **error)
{
    if (document.type != SYNCD_JSON_OBJECT) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "A policy decision is an object");
        return false;
    }
    if (!check_members(document, decision_members, G_N_ELEMENTS(decision_members), "", error))
        return false;
    if (!syncd_json_is(syncd_json_member(document, "schema"), SYNCD_RUNTIME_DECISION_SCHEMA)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/schema must be \"%s\"",
                        SYNCD_RUNTIME_DECISION_SCHEMA);
        return false;
    }
    static const char *const ids[] = {"decision_id", "engine", "reason", "subject", "data_class"};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        if (!syncd_shape_check(SYNCD_SHAPE_ID, syncd_json_member(document, ids[i]), "", ids[i],
                               error))
            return false;
    SyncdJson object = syncd_json_member(document, "object_id");
    SyncdJson boundary = syncd_json_member(document, "decision_boundary");
    return (object.type == SYNCD_JSON_NONE || object.type == SYNCD_JSON_NULL ||
            syncd_shape_check(SYNCD_SHAPE_STRING, object, "", "object_id", error)) &&
           check_word(document, "action", SYNCD_WORDS_POLICY_ACTION, error) &&
           check_word(document, "lane", SYNCD_WORDS_LANE, error) &&
           check_word(document, "status", SYNCD_WORDS_POLICY_STATUS, error) &&
           check_time(document, error) && check_id(document, error) &&
           (boundary.type == SYNCD_JSON_NONE || check_boundary(boundary, error));
}
