#include "contract/operation.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "contract/member.h"

typedef enum {
    MEMBER_ARTIFACT_ADMISSION_REF,
    MEMBER_ARTIFACT_RECONCILIATION,
    MEMBER_CONFLICT_IDS,
    MEMBER_ENCRYPTION_PROFILE_REF,
    MEMBER_LEDGER_EVIDENCE_REFS,
    MEMBER_PROFILE_ID,
    MEMBER_PROVISIONAL_ARTIFACT_IDS,
    MEMBER_REMOTE_OPERATION_ID,
    MEMBER_REPLAY_IDEMPOTENCY_KEY,
    MEMBER_REPLAY_SAFE,
    MEMBER_WORKSPACE_ID,
    N_SETTABLE,
    MEMBER_SCHEMA = N_SETTABLE,
    MEMBER_STAMPED, /* only the daemon knows it: what a body says of it counts for nothing */
    MEMBER_UNKNOWN,
} Member;

typedef struct {
    const char *name;
    Member member;
    SyncdShape shape;
} MemberRule;

#define STAMPED(name) name, MEMBER_STAMPED, SYNCD_SHAPE_ANY

/* Every member of a record that is not unknown. Sorted by name: it is searched by halves. */
static const MemberRule member_rules[] = {
    {STAMPED("actor_id")},
    {"artifact_admission_ref", MEMBER_ARTIFACT_ADMISSION_REF, SYNCD_SHAPE_ID},
    {"artifact_reconciliation", MEMBER_ARTIFACT_RECONCILIATION, SYNCD_SHAPE_ID_MAP},
    {STAMPED("body_error")},
    {STAMPED("causal_parent_ids")},
    {STAMPED("checkpoint_ref")},
    {"conflict_ids", MEMBER_CONFLICT_IDS, SYNCD_SHAPE_ID_LIST},
    {STAMPED("created_at")},
    {STAMPED("data_class")},
    {STAMPED("device_id")},
    {STAMPED("durable")},
    {"encryption_profile_ref", MEMBER_ENCRYPTION_PROFILE_REF, SYNCD_SHAPE_ID},
    {STAMPED("entry_error")},
    {STAMPED("feed")},
    {STAMPED("lane")},
    {STAMPED("leaf")},
    {STAMPED("lease_expired")},
    {"ledger_evidence_refs", MEMBER_LEDGER_EVIDENCE_REFS, SYNCD_SHAPE_ID_LIST},
    {STAMPED("local_log_ref")},
    {STAMPED("local_operation_id")},
    {STAMPED("object_id")},
    {STAMPED("operation_id")},
    {STAMPED("operation_type")},
    {STAMPED("policy_decision_ref")},
    {"profile_id", MEMBER_PROFILE_ID, SYNCD_SHAPE_ID},
    {"provisional_artifact_ids", MEMBER_PROVISIONAL_ARTIFACT_IDS, SYNCD_SHAPE_ID_MAP},
    {STAMPED("purged")},
    {"remote_operation_id", MEMBER_REMOTE_OPERATION_ID, SYNCD_SHAPE_ID},
    {"replay_idempotency_key", MEMBER_REPLAY_IDEMPOTENCY_KEY, SYNCD_SHAPE_ID},
    {"replay_safe", MEMBER_REPLAY_SAFE, SYNCD_SHAPE_BOOL},
    {"schema", MEMBER_SCHEMA, SYNCD_SHAPE_STRING},
    {STAMPED("scope")},
    {STAMPED("seq")},
    {STAMPED("sequence")},
    {STAMPED("stale_task")},
    {STAMPED("status")},
    {STAMPED("updated_at")},
    {"workspace_id", MEMBER_WORKSPACE_ID, SYNCD_SHAPE_ID},
};

static const MemberRule unknown_member = {"", MEMBER_UNKNOWN, SYNCD_SHAPE_ANY};

static const MemberRule *find_rule_of(const char *name, size_t size)
{
    size_t from = 0, to = G_N_ELEMENTS(member_rules);
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        const char *known = member_rules[middle].name;
        size_t known_size = strlen(known);
        int order = memcmp(name, known, MIN(size, known_size));
        if (order == 0)
            order = (size > known_size) - (size < known_size);
        if (order == 0)
            return &member_rules[middle];
        if (order > 0)
            from = middle + 1;
        else
            to = middle;
    }
    return &unknown_member;
}

static const MemberRule *find_rule(SyncdJson name)
{
    const char *plain;
    size_t size;
    if (syncd_json_get_plain(name, &plain, &size))
        return find_rule_of(plain, size);
    /* A name may be spelled with escapes and still be a known one. */
    g_autofree char *text = syncd_json_dup_string(name, &size);
    return find_rule_of(text, size);
}

static bool check_schema(SyncdJson value, GError **error)
{
    if (syncd_json_is(value, SYNCD_OPERATION_SCHEMA))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/body/schema must be \"" SYNCD_OPERATION_SCHEMA "\" when it is given");
    return false;
}

bool syncd_operation_check_body(SyncdBytes body, GError **error)
{
    if (!syncd_json_check(body.data, body.size, SYNCD_JSON_MUST_BE_OBJECT, error)) {
        g_prefix_error(error, "/body: ");
        return false;
    }

    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, syncd_json_root(body.data, body.size));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        const MemberRule *rule = find_rule(name);
        if (!syncd_shape_check(rule->shape, value, "/body", rule->name, error) ||
            (rule->member == MEMBER_SCHEMA && !check_schema(value, error)))
            return false;
    }
    return true;
}

void syncd_operation_read_place(SyncdBytes body, SyncdOperationPlace *ret_place)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    *ret_place = (SyncdOperationPlace){0};
    syncd_json_iter_init(&iter, syncd_json_root(body.data, body.size));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        Member member = find_rule(name)->member;
        if (member == MEMBER_WORKSPACE_ID)
            ret_place->workspace = value;
        else if (member == MEMBER_PROFILE_ID)
            ret_place->profile = value;
        else if (member == MEMBER_ENCRYPTION_PROFILE_REF)
            ret_place->encryption_profile = value;
    }
}

/* ---- the record ---- */

typedef struct {
    SyncdJson set[N_SETTABLE]; /* what the body says of the members a caller may set */
    SyncdJson body;
    bool has_unknown;
} Body;

static void read_body(SyncdBytes content, Body *ret_body)
{
    *ret_body = (Body){0};
    if (content.size == 0)
        return;
    SyncdJsonIter iter;
    SyncdJson name, value;
    ret_body->body = syncd_json_root(content.data, content.size);
    syncd_json_iter_init(&iter, ret_body->body);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        Member member = find_rule(name)->member;
        if (member < N_SETTABLE)
            ret_body->set[member] = value;
        else if (member == MEMBER_UNKNOWN)
            ret_body->has_unknown = true;
    }
}

static void append(GString *out, const char *text)
{
    syncd_text_append(out, SYNCD_BYTES_TEXT(text));
}

static void append_number(GString *out, guint64 number)
{
    char digits[20], *at = digits + sizeof digits;
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) != 0);
    syncd_text_append(out, SYNCD_BYTES(at, (size_t)(digits + sizeof digits - at)));
}

static void append_feed(GString *out, const SyncdOperationFacts *facts)
{
    syncd_text_append(out, facts->device);
    g_string_append_c(out, '/');
    syncd_text_append(out, facts->scope);
    g_string_append_c(out, '/');
    append_number(out, facts->epoch);
}

void syncd_scope_text_append(GString *out, const char *scope_class, const char *scope_name,
                             SyncdBytes scope_id)
{
    if (scope_class == NULL) {
        syncd_text_append(out, scope_id);
        return;
    }
    append(out, scope_class);
    if (*scope_name != '\0') {
        g_string_append_c(out, ':');
        append(out, scope_name);
    }
}

/* Everything written below as text is an opaque token, which JSON does not escape. */
static void open_token(GString *out, const char *name)
{
    append(out, ",\"");
    append(out, name);
    append(out, "\":\"");
}

static void write_token(GString *out, const char *name, SyncdBytes token)
{
    open_token(out, name);
    syncd_text_append(out, token);
    g_string_append_c(out, '"');
}

static void write_value(GString *out, const char *name, SyncdJson value, const char *otherwise)
{
    append(out, ",\"");
    append(out, name);
    append(out, "\":");
    if (value.type != SYNCD_JSON_NONE)
        syncd_text_append(out, SYNCD_BYTES(value.at, syncd_json_size(value)));
    else
        append(out, otherwise);
}

static void write_optional(GString *out, const char *name, SyncdJson value)
{
    if (value.type != SYNCD_JSON_NONE)
        write_value(out, name, value, "");
}

static void write_number(GString *out, const char *name, guint64 number)
{
    append(out, ",\"");
    append(out, name);
    append(out, "\":");
    append_number(out, number);
}

/* A workspace scope is the workspace; elsewhere the body may name one, and what was found out when
 * the operation was taken is in its meta data. */
static void write_group(GString *out, const char *name, const char *class, SyncdJson said,
                        SyncdJson found, const SyncdOperationFacts *facts)
{
    bool is_scope = g_strcmp0(facts->scope_class, class) == 0;
    SyncdJson value = said.type != SYNCD_JSON_NONE ? said : found;
    if (!is_scope && value.type != SYNCD_JSON_NONE) {
        write_value(out, name, value, "");
        return;
    }
    open_token(out, name);
    append(out, class);
    g_string_append_c(out, ':');
    append(out, is_scope ? facts->scope_name : SYNCD_DEFAULT_NAME);
    g_string_append_c(out, '"');
}

static void write_encryption_profile(GString *out, SyncdJson said, SyncdJson found,
                                     const SyncdOperationFacts *facts)
{
    SyncdJson value = said.type != SYNCD_JSON_NONE ? said : found;
    if (value.type != SYNCD_JSON_NONE) {
        write_value(out, "encryption_profile_ref", value, "");
        return;
    }
    open_token(out, "encryption_profile_ref");
    append(out, "encryption-profile:");
    append(out, facts->scope_class != NULL ? facts->scope_class : "unknown");
    g_string_append_c(out, '"');
}

static void write_identity(GString *out, const SyncdOperationFacts *facts, const Body *body,
                           SyncdJson meta)
{
    append(out, "{\"schema\":\"" SYNCD_OPERATION_SCHEMA "\"");
    write_token(out, "operation_id", facts->operation);
    write_token(out, "local_operation_id", facts->operation);
    open_token(out, "operation_type");
    append(out, "sync.");
    syncd_text_append(out, facts->kind);
    g_string_append_c(out, '"');
    write_token(out, "status", SYNCD_BYTES_TEXT(facts->status));
    write_group(out, "workspace_id", "workspace", body->set[MEMBER_WORKSPACE_ID],
                syncd_json_member(meta, "workspace_id"), facts);
    write_group(out, "profile_id", "profile", body->set[MEMBER_PROFILE_ID],
                syncd_json_member(meta, "profile_id"), facts);
    write_token(out, "actor_id", facts->actor);
    write_token(out, "device_id", facts->device);
    write_encryption_profile(out, body->set[MEMBER_ENCRYPTION_PROFILE_REF],
                             syncd_json_member(meta, "encryption_profile_ref"), facts);
}

/* What a reconciliation says holds; what a body says of it was checked by nobody. */
static SyncdJson reconciled(const SyncdOperationFacts *facts, const char *name, SyncdJson otherwise)
{
    SyncdJson value = syncd_json_member(facts->reconciled, name);
    return value.type != SYNCD_JSON_NONE ? value : otherwise;
}

/* With the entry that moved the operation at the end. */
static void write_evidence(GString *out, const SyncdOperationFacts *facts, SyncdJson refs)
{
    SyncdJsonIter iter;
    SyncdJson ref;
    append(out, ",\"ledger_evidence_refs\":[");
    syncd_json_iter_init(&iter, refs);
    for (bool first = true; syncd_json_iter_next(&iter, NULL, &ref); first = false) {
        if (!first)
            g_string_append_c(out, ',');
        syncd_text_append(out, SYNCD_BYTES(ref.at, syncd_json_size(ref)));
    }
    if (facts->evidence.size > 0) {
        append(out, out->str[out->len - 1] == '[' ? "\"" : ",\"");
        syncd_text_append(out, facts->evidence);
        g_string_append_c(out, '"');
    }
    g_string_append_c(out, ']');
}

/* Where the log has it. */
static void write_log(GString *out, const SyncdOperationFacts *facts)
{
    if (facts->sequence == 0) {
        append(out, ",\"local_log_ref\":\"none\",\"checkpoint_ref\":\"none\"");
        return;
    }
    open_token(out, "local_log_ref");
    append(out, "journal:");
    append_feed(out, facts);
    g_string_append_c(out, '/');
    append_number(out, facts->seq);
    append(out, "\",\"checkpoint_ref\":\"checkpoint:");
    append_feed(out, facts);
    g_string_append_c(out, '"');
}

static void write_references(GString *out, const SyncdOperationFacts *facts, const Body *body,
                             SyncdJson meta)
{
    write_log(out, facts);
    write_value(out, "causal_parent_ids", syncd_json_member(meta, "parents"), "[]");
    write_value(out, "conflict_ids", body->set[MEMBER_CONFLICT_IDS], "[]");
    write_value(out, "provisional_artifact_ids", body->set[MEMBER_PROVISIONAL_ARTIFACT_IDS], "{}");
    write_value(out, "artifact_reconciliation",
                syncd_json_member(facts->reconciled, "artifact_reconciliation"), "{}");
    write_token(out, "policy_decision_ref", facts->decision);
    write_value(
        out, "artifact_admission_ref",
        reconciled(facts, "artifact_admission_ref", body->set[MEMBER_ARTIFACT_ADMISSION_REF]),
        "\"none\"");
    write_evidence(
        out, facts,
        reconciled(facts, "ledger_evidence_refs", body->set[MEMBER_LEDGER_EVIDENCE_REFS]));
    write_value(out, "replay_safe", body->set[MEMBER_REPLAY_SAFE], "true");
    append(out, facts->stale_task ? ",\"stale_task\":true" : ",\"stale_task\":false");
    append(out, facts->lease_expired ? ",\"lease_expired\":true" : ",\"lease_expired\":false");
    write_optional(out, "remote_operation_id",
                   syncd_json_member(facts->reconciled, "remote_operation_id"));
    SyncdJson key = syncd_json_member(meta, "idempotency_key");
    write_optional(out, "replay_idempotency_key",
                   key.type != SYNCD_JSON_NONE ? key : body->set[MEMBER_REPLAY_IDEMPOTENCY_KEY]);
}

static void write_place(GString *out, const SyncdOperationFacts *facts, SyncdJson meta)
{
    char time[SYNCD_TIME_SIZE], leaf[SYNCD_HASH_HEX_SIZE];
    syncd_time_format_ms(facts->ms, time);
    syncd_hash_to_hex(&facts->leaf, leaf);

    write_token(out, "created_at", SYNCD_BYTES_TEXT(time));
    syncd_time_format_ms(facts->updated_ms, time);
    write_token(out, "updated_at", SYNCD_BYTES_TEXT(time));
    append(out, facts->sequence != 0 ? ",\"durable\":true" : ",\"durable\":false");
    if (facts->sequence != 0)
        write_number(out, "sequence", facts->sequence);
    open_token(out, "scope");
    syncd_scope_text_append(out, facts->scope_class, facts->scope_name, facts->scope);
    g_string_append_c(out, '"');
    write_token(out, "object_id", facts->object);
    write_token(out, "lane", facts->lane);
    write_value(out, "data_class", syncd_json_member(meta, "data_class"), "null");
    if (facts->sequence == 0)
        return;
    write_token(out, "leaf", SYNCD_BYTES(leaf, SYNCD_HASH_HEX_SIZE - 1));
    open_token(out, "feed");
    append_feed(out, facts);
    g_string_append_c(out, '"');
    write_number(out, "seq", facts->seq);
}

static void write_sentence(GString *out, const char *name, const char *sentence)
{
    SyncdJsonWriter writer;
    append(out, name);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_string(&writer, sentence);
}

static void write_missing(GString *out, const SyncdOperationFacts *facts)
{
    char time[SYNCD_TIME_SIZE];
    write_sentence(out, ",\"body_error\":", facts->body_error);
    if (facts->purged_by.size == 0)
        return;
    syncd_time_format_ms(facts->purged_ms, time);
    append(out, ",\"purged\":{\"at\":\"");
    append(out, time);
    g_string_append_c(out, '"');
    write_token(out, "operation_id", facts->purged_by);
    g_string_append_c(out, '}');
}

static void write_unknown(GString *out, const Body *body)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, body->body);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        if (find_rule(name)->member != MEMBER_UNKNOWN)
            continue;
        g_string_append_c(out, ',');
        g_string_append_len(out, name.at, value.end - name.at);
    }
}

void syncd_operation_write(const SyncdOperationFacts *facts, GString *out)
{
    Body body;
    read_body(facts->content, &body);
    SyncdJson meta =
        facts->meta.size > 0 ? syncd_json_root(facts->meta.data, facts->meta.size) : (SyncdJson){0};

    write_identity(out, facts, &body, meta);
    write_references(out, facts, &body, meta);
    write_place(out, facts, meta);
    if (facts->body_error != NULL)
        write_missing(out, facts);
    if (facts->entry_error != NULL)
        write_sentence(out, ",\"entry_error\":", facts->entry_error);
    if (body.has_unknown)
        write_unknown(out, &body);
    g_string_append_c(out, '}');
}
