#include "contract/sync-checkpoint.h"

#include "base/json-writer.h"
#include "base/timestamp.h"

#define URN "urn:srcos:"
#define SPEC_VERSION "2.0.0"

static void write_urn(SyncdJsonWriter *writer, const char *family, const char *id)
{
    g_autofree char *urn = g_strconcat(URN, family, ":", id, NULL);
    syncd_json_string(writer, urn);
}

void syncd_sync_checkpoint_write(const SyncdSyncCheckpoint *checkpoint, GString *out)
{
    char at[SYNCD_TIME_SIZE];
    SyncdJsonWriter writer;
    syncd_time_format_ms(checkpoint->at_ms, at);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_name(&writer, "id");
    write_urn(&writer, "sync-checkpoint", checkpoint->operation);
    syncd_json_member_string(&writer, "type", "SyncCheckpoint");
    syncd_json_member_string(&writer, "specVersion", SPEC_VERSION);
    syncd_json_name(&writer, "deviceRef");
    write_urn(&writer, "device-identity", checkpoint->device);
    syncd_json_member_string(&writer, "checkpointAt", at);
    syncd_json_member_string(&writer, "syncState",
                             checkpoint->queue_depth > 0 ? "offline-queued" : "idle");
    syncd_json_member_uint(&writer, "queueDepth", checkpoint->queue_depth);
    syncd_json_name(&writer, "offlineQueueRefs");
    syncd_json_begin_array(&writer);
    for (size_t i = 0; checkpoint->queue[i] != NULL; i++)
        write_urn(&writer, "local-operation-log", checkpoint->queue[i]);
    syncd_json_end_array(&writer);
    syncd_json_member_bool(&writer, "replayPending", checkpoint->queue_depth > 0);
    syncd_json_name(&writer, "replaySafeQueueDepth");
    if (checkpoint->replay_safe != NULL)
        syncd_json_uint(&writer, *checkpoint->replay_safe);
    else
        syncd_json_null(&writer);
    syncd_json_name(&writer, "policyDecisionRefs");
    syncd_json_begin_array(&writer);
    syncd_json_string(&writer, checkpoint->decision);
    syncd_json_end_array(&writer);
    syncd_json_end_object(&writer);
}
