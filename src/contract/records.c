#include "contract/records.h"

#include "base/json-writer.h"
#include "base/timestamp.h"

#define EVENT_LEAF_DIGITS 32
/* The local rules do not look at profile or workspace: their decisions hold for every one. */
#define ANY_PROFILE "profile:any"
#define ANY_WORKSPACE "workspace:any"

static void begin(SyncdJsonWriter *writer, GString *out, const char *schema)
{
    syncd_json_writer_init(writer, out, false);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema", schema);
}

static void member_time(SyncdJsonWriter *writer, const char *name, guint64 ms)
{
    char text[SYNCD_TIME_SIZE];
    syncd_time_format_ms(ms, text);
    syncd_json_member_string(writer, name, text);
}

static void member_bytes(SyncdJsonWriter *writer, const char *name, SyncdBytes text)
{
    syncd_json_name(writer, name);
    syncd_json_string_sized(writer, text.data, text.size);
}

static void member_strings(SyncdJsonWriter *writer, const char *name, const char *const *texts)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (; texts != NULL && *texts != NULL; texts++)
        syncd_json_string(writer, *texts);
    syncd_json_end_array(writer);
}

static void member_optional(SyncdJsonWriter *writer, const char *name, const char *text)
{
    if (text != NULL)
        syncd_json_member_string(writer, name, text);
}

void syncd_device_record_write(const SyncdDeviceRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    begin(&writer, out, SYNCD_DEVICE_SCHEMA);
    syncd_json_member_string(&writer, "device_id", record->device_id);
    syncd_json_member_string(&writer, "display_name", record->display_name);
    syncd_json_member_string(&writer, "trust_level", record->trust_level);
    syncd_json_member_string(&writer, "device_state", record->device_state);
    member_time(&writer, "created_at", record->created_ms);
    syncd_json_end_object(&writer);
}

void syncd_actor_record_write(const SyncdActorRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    begin(&writer, out, SYNCD_ACTOR_SCHEMA);
    syncd_json_member_string(&writer, "actor_id", record->actor_id);
    syncd_json_member_string(&writer, "actor_type", record->actor_type);
    syncd_json_member_string(&writer, "display_name", record->display_name);
    syncd_json_member_string(&writer, "identity_id", record->identity_id);
    member_strings(&writer, "workspace_scope", NULL);
    member_strings(&writer, "profile_scope", NULL);
    member_strings(&writer, "capabilities", record->capabilities);
    syncd_json_member_string(&writer, "trust_level", record->trust_level);
    syncd_json_member_string(&writer, "policy_subject", record->policy_subject);
    syncd_json_member_string(&writer, "signing_key_ref", record->signing_key_ref);
    member_time(&writer, "created_at", record->created_ms);
    syncd_json_end_object(&writer);
}

const char *syncd_decision_effect(const char *status)
{
    if (strcmp(status, "allowed") == 0)
        return "allow";
    return strcmp(status, "deferred") == 0 ? "review_required" : "deny";
}

/* What was asked, and what the answer was. */
static void write_evaluated(SyncdJsonWriter *writer, const SyncdDecisionRecord *record)
{
    syncd_json_name(writer, "evaluated");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "action", record->action);
    syncd_json_member_string(writer, "lane", record->lane);
    syncd_json_member_string(writer, "data_class", record->data_class);
    syncd_json_member_string(writer, "subject", record->subject);
    syncd_json_member_string(writer, "object_id", record->object_id);
    syncd_json_member_string(writer, "status", record->status);
    syncd_json_member_string(writer, "reason", record->reason);
    syncd_json_member_string(writer, "rule_level", record->rule_level);
    syncd_json_end_object(writer);
}

void syncd_decision_record_write(const SyncdDecisionRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    begin(&writer, out, SYNCD_DECISION_SCHEMA);
    syncd_json_member_string(&writer, "decision_id", record->decision_id);
    syncd_json_member_string(&writer, "effect", syncd_decision_effect(record->status));
    syncd_json_member_string(&writer, "policy_id", record->policy_id);
    syncd_json_member_string(&writer, "policy_version", record->policy_version);
    syncd_json_member_string(&writer, "policy_digest", record->policy_digest);
    syncd_json_member_string(&writer, "actor_id", record->actor_id);
    syncd_json_member_string(&writer, "profile_id", ANY_PROFILE);
    syncd_json_member_string(&writer, "workspace_id", ANY_WORKSPACE);
    syncd_json_member_string(&writer, "rationale", record->rationale);
    write_evaluated(&writer, record);
    member_time(&writer, "decided_at", record->decided_ms);
    syncd_json_end_object(&writer);
}

void syncd_refusal_record_write(const SyncdRefusalRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    begin(&writer, out, SYNCD_REFUSAL_SCHEMA);
    syncd_json_member_string(&writer, "actor_id", record->actor_id);
    syncd_json_member_string(&writer, "action", record->action);
    syncd_json_member_string(&writer, "reason", record->reason);
    syncd_json_member_uint(&writer, "count", record->count);
    member_time(&writer, "first_at", record->first_ms);
    member_time(&writer, "last_at", record->last_ms);
    syncd_json_member_string(&writer, "policy_id", record->policy_id);
    syncd_json_member_string(&writer, "policy_version", record->policy_version);
    syncd_json_member_string(&writer, "policy_digest", record->policy_digest);
    if (record->denied != NULL) {
        member_optional(&writer, "object_id", record->denied->object_id);
        member_optional(&writer, "decision_id", record->denied->decision_id);
        syncd_json_member_string(&writer, "rationale", record->denied->rationale);
        write_evaluated(&writer, record->denied);
    }
    syncd_json_end_object(&writer);
}

void syncd_checkpoint_record_write(const SyncdCheckpointRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    char root[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(record->root, root);

    begin(&writer, out, SYNCD_CHECKPOINT_SCHEMA);
    member_optional(&writer, "operation_id", record->operation_id);
    syncd_json_member_string(&writer, "scope", record->scope);
    member_optional(&writer, "feed", record->feed);
    syncd_json_member_uint(&writer, "size", record->size);
    syncd_json_member_string(&writer, "root", root);
    member_optional(&writer, "note", record->note);
    member_optional(&writer, "verifier_key", record->verifier_key);
    if (record->sync_checkpoint.type != SYNCD_JSON_NONE)
        syncd_json_member_value(&writer, "sync_checkpoint", record->sync_checkpoint);
    syncd_json_end_object(&writer);
}

void syncd_event_record_write(const SyncdEventRecord *record, GString *out)
{
    SyncdJsonWriter writer;
    char id[sizeof "evt_" + SYNCD_HASH_HEX_SIZE] = "evt_";
    syncd_hash_to_hex(record->leaf, id + strlen("evt_"));
    id[strlen("evt_") + EVENT_LEAF_DIGITS] = '\0';

    begin(&writer, out, SYNCD_EVENT_SCHEMA);
    syncd_json_member_string(&writer, "event_id", id);
    syncd_json_member_string(&writer, "event_type", record->event_type);
    member_time(&writer, "occurred_at", record->occurred_ms);
    syncd_json_member_string(&writer, "summary", record->summary);
    member_bytes(&writer, "actor_id", record->actor_id);
    if (record->object_id.size > 0)
        member_bytes(&writer, "object_id", record->object_id);
    member_bytes(&writer, "device_id", record->device_id);
    if (record->policy_decision_ref.size > 0)
        member_bytes(&writer, "policy_decision_ref", record->policy_decision_ref);
    syncd_json_member_uint(&writer, "sequence", record->sequence);
    member_bytes(&writer, "operation_id", record->operation_id);
    syncd_json_member_string(&writer, "scope", record->scope);
    member_bytes(&writer, "kind", record->kind);
    member_optional(&writer, "reason_code", record->reason_code);
    if (record->policy.type != SYNCD_JSON_NONE)
        syncd_json_member_value(&writer, "policy", record->policy);
    member_optional(&writer, "entry_error", record->entry_error);
    syncd_json_end_object(&writer);
}
