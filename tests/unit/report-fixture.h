/*
 * A healthy State Integrity Report, and the moment at which it is fresh.
 */
#pragma once

#include "document-edit.h"
#include "domain/judgement.h"

#define REPORT_NOW G_GINT64_CONSTANT(1780000030000000) /* 2026-05-28T20:27:10Z */

static const char REPORT_HEALTHY[] =
    "{\"schema\":\"sourceos.state-integrity-report/v1alpha1\","
    "\"generated_at\":\"2026-05-28T20:27:00Z\","
    "\"identity\":{\"component\":\"sourceos-syncd\",\"repo\":\"example/sourceos-syncd\","
    "\"pid\":41,\"process_name\":\"sourceos-syncd\",\"node_id_hash\":\"sha256:ab\","
    "\"boot_id\":null,\"version\":\"0.1.0\",\"platform\":\"linux\","
    "\"service_manager\":\"systemd\"},"
    "\"collection\":{\"status\":\"complete\",\"duration_ms\":3,\"errors\":[],"
    "\"redacted_fields\":[],\"permission_denied_fields\":[],\"timed_out_fields\":[],"
    "\"unavailable_fields\":[]},"
    "\"runtime\":{\"process_started_at\":\"2026-05-28T08:00:00Z\","
    "\"last_heartbeat_at\":\"2026-05-28T20:26:50Z\",\"last_dirty_open_at\":null},"
    "\"stores\":[{\"name\":\"journal\",\"role\":\"active\",\"backend\":\"sqlite\","
    "\"schema_version\":\"1\",\"runtime_version\":\"0.1.0\",\"migration_state\":\"none\","
    "\"checksum_state\":\"verified\",\"shadow_present\":true,\"flags_raw\":42,"
    "\"flags_hex\":\"0x2a\",\"unknown_flags\":[]}],"
    "\"lanes\":[{\"name\":\"secure\",\"status\":\"active\","
    "\"sla\":{\"max_heartbeat_age_ms\":30000,\"max_replay_lag_events\":100,"
    "\"max_replay_lag_ms\":10000},\"objects\":{\"total\":3,\"corrupted\":0},"
    "\"journal\":{\"replay_lag_events\":0,\"oldest_unapplied_event_age_ms\":0,"
    "\"checksum_state\":\"verified\"},\"maintenance\":{}},"
    "{\"name\":\"normal\",\"status\":\"active\","
    "\"sla\":{\"max_heartbeat_age_ms\":60000,\"max_replay_lag_events\":10},"
    "\"objects\":{},\"journal\":{\"replay_lag_events\":0},\"maintenance\":{}}],"
    "\"pipeline\":{},"
    "\"resources\":{\"disk\":{\"free_bytes\":600,\"total_bytes\":1000,\"free_ratio\":0.6,"
    "\"pressure\":\"none\"},\"memory\":{}},"
    "\"policy\":{\"policy_engine\":\"policy-fabric-local\","
    "\"policy_decisions\":{\"allowed\":7,\"denied\":0}},"
    "\"invariants\":[{\"id\":\"keys.present\",\"status\":\"pass\",\"severity\":\"info\","
    "\"evidence\":{},\"remediation\":\"none\"}],"
    "\"diagnosis\":{},"
    "\"controls\":[],"
    "\"attestation\":{\"signed\":false,\"reason\":\"a test\"}}";

typedef struct {
    char *text;
    SyncdJudgement *judgement;
} JudgedText;

static inline void judged_text_clear(JudgedText *judged)
{
    syncd_judgement_free(judged->judgement);
    g_free(judged->text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(JudgedText, judged_text_clear)

/* The healthy report with edits (document-edit.h), judged by somebody who believes `keys`. */
static inline JudgedText judge_with(const char *edits, const SyncdAttestationKeys *keys)
{
    SyncdCircumstances circumstances = {
        REPORT_NOW, SYNCD_REPORT_MAX_AGE_SECONDS * G_GINT64_CONSTANT(1000000), keys};
    JudgedText judged = {.text = document_edits(REPORT_HEALTHY, edits)};
    judged.judgement = syncd_judgement_make(document_of(judged.text), &circumstances);
    return judged;
}
