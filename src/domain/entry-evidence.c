#include "domain/entry-evidence.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "contract/records.h"
#include "domain/kind.h"
#include "domain/repair-plan.h"
#include "domain/report.h"

#include <string.h>

/* What callers write may name any schema: it is no document of the daemon's. */
static const struct {
    const char *schema, *type;
} documents[] = {
    {SYNCD_DECISION_SCHEMA, "policy-decision"},
    {SYNCD_REPAIR_PLAN_SCHEMA, "repair-plan"},
    {SYNCD_REPORT_SCHEMA, "state-integrity-report"},
};

const char *syncd_entry_evidence_type(SyncdBytes kind, SyncdBytes schema_id)
{
    bool own = syncd_kind_find(kind)->writer == SYNCD_WRITTEN_BY_DAEMON;
    for (size_t i = 0; own && i < G_N_ELEMENTS(documents); i++)
        if (syncd_bytes_are(schema_id, documents[i].schema))
            return documents[i].type;
    return SYNCD_EVIDENCE_OF_ENTRIES;
}

bool syncd_entry_evidence_is_document(const char *type)
{
    return strcmp(type, SYNCD_EVIDENCE_OF_ENTRIES) != 0;
}

static void member_id(SyncdJsonWriter *writer, const char *name, SyncdBytes id)
{
    syncd_json_name(writer, name);
    if (id.size > 0)
        syncd_json_string_sized(writer, id.data, id.size);
    else
        syncd_json_null(writer);
}

static void write_content(SyncdJsonWriter *writer, const SyncdEntryFacts *facts)
{
    char digest[SYNCD_DIGEST_SIZE];
    if (facts->body_digest != NULL)
        syncd_hash_to_digest(facts->body_digest, digest);
    member_id(writer, "content_schema", facts->schema_id);
    syncd_json_member_uint(writer, "content_schema_version", facts->schema_version);
    syncd_json_member_string(writer, "body_digest", facts->body_digest != NULL ? digest : NULL);
    syncd_json_member_uint(writer, "body_size", facts->body_size);
    if (facts->unreadable != NULL)
        syncd_json_member_string(writer, "unreadable", facts->unreadable);
}

void syncd_entry_summary_write(const SyncdEntryFacts *facts, GString *out)
{
    char time[SYNCD_TIME_SIZE], leaf[SYNCD_HASH_HEX_SIZE];
    syncd_time_format_ms(facts->ms, time);
    syncd_hash_to_hex(facts->leaf, leaf);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_ENTRY_SUMMARY_SCHEMA);
    member_id(&writer, "kind", facts->kind);
    syncd_json_member_string(&writer, "event_type", syncd_kind_find(facts->kind)->event_type);
    member_id(&writer, "operation_id", facts->operation);
    member_id(&writer, "actor_id", facts->actor);
    member_id(&writer, "object_id", facts->object);
    member_id(&writer, "policy_decision_ref", facts->decision);
    member_id(&writer, "lane", facts->lane);
    syncd_json_member_string(&writer, "occurred_at", time);
    syncd_json_member_string(&writer, "feed", facts->feed);
    syncd_json_member_uint(&writer, "seq", facts->seq);
    syncd_json_member_string(&writer, "leaf", leaf);
    write_content(&writer, facts);
    syncd_json_end_object(&writer);
}
