#include "contract/task-record.h"

#include "base/json-writer.h"
#include "base/timestamp.h"

static void member_time(SyncdJsonWriter *writer, const char *name, guint64 ms)
{
    char text[SYNCD_TIME_SIZE];
    if (ms == 0)
        return;
    syncd_time_format_ms(ms, text);
    syncd_json_member_string(writer, name, text);
}

static void member_text(SyncdJsonWriter *writer, const char *name, const char *text)
{
    if (text != NULL)
        syncd_json_member_string(writer, name, text);
}

static void member_number(SyncdJsonWriter *writer, const char *name, guint64 number)
{
    if (number != 0)
        syncd_json_member_uint(writer, name, number);
}

void syncd_task_record_write(const SyncdTaskRecord *record, GString *out)
{
    g_autofree char *task = g_strconcat(SYNCD_TASK_PREFIX, record->operation, NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_TASK_SCHEMA);
    syncd_json_member_string(&writer, "task_id", task);
    syncd_json_member_string(&writer, "operation_id", record->operation);
    syncd_json_member_string(&writer, "operation_type", "sync.operation.enqueue");
    syncd_json_member_string(&writer, "status", record->status);
    syncd_json_member_uint(&writer, "attempt", record->attempt);
    syncd_json_member_string(&writer, "idempotency_key", record->idempotency_key);
    syncd_json_name(&writer, "policy_decision_ref");
    syncd_json_string_sized(&writer, record->decision.data, record->decision.size);
    syncd_json_name(&writer, "evidence_refs");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; record->evidence != NULL && record->evidence[i] != NULL; i++)
        syncd_json_string(&writer, record->evidence[i]);
    syncd_json_end_array(&writer);
    member_time(&writer, "created_at", record->created_ms);
    member_time(&writer, "updated_at", record->updated_ms);
    member_time(&writer, "started_at", record->started_ms);
    member_time(&writer, "completed_at", record->completed_ms);
    syncd_json_member_bool(&writer, "replay_safe", record->replay_safe);
    member_text(&writer, "lease", record->lease);
    member_number(&writer, "lease_ms", record->lease_ms);
    if (record->detached)
        syncd_json_member_bool(&writer, "detached", true);
    member_text(&writer, "reason", record->reason);
    member_number(&writer, "retry_after_ms", record->retry_after_ms);
    syncd_json_end_object(&writer);
}
