#include "base/json-writer.h"
#include "base/timestamp.h"
#include "service/registry.h"

#include <string.h>

static void member_time(SyncdJsonWriter *writer, const char *name, guint64 ms)
{
    char text[SYNCD_TIME_SIZE];
    syncd_time_format_ms(ms, text);
    syncd_json_member_string(writer, name, text);
}

static bool is_ours(const SyncdFamily *family, SyncdJson name)
{
    g_autofree char *text = syncd_json_dup_text(name);
    return text != NULL && ((family->state != NULL && strcmp(text, family->state) == 0) ||
                            syncd_family_stamps(family, text));
}

/* Why a root is paused is said while it is, and its cause by the daemon alone: whoever resumes one
 * that lost many files agrees. */
static bool is_of_no_pause(const SyncdChange *change, SyncdJson name)
{
    bool paused = strcmp(change->state, SYNCD_STATE_PAUSED) == 0;
    return change->family == syncd_family(SYNCD_FAMILY_ROOT) &&
           ((syncd_json_is(name, "pause_cause") && (change->caller != NULL || !paused)) ||
            (syncd_json_is(name, "pause_reason") && !paused));
}

/* What the caller says, byte for byte. */
static void copy_members(const SyncdChange *change, SyncdJsonWriter *writer)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, change->record);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        if (!is_ours(change->family, name) && !is_of_no_pause(change, name))
            syncd_json_member_copy(writer, name, value);
    }
}

/* What was stamped when it was registered stays; until then it is what it would be now. */
static void keep_or(const SyncdChange *change, SyncdJsonWriter *writer, const char *name,
                    const char *otherwise)
{
    g_autofree char *kept = syncd_record_member(change->previous, name);
    syncd_json_member_string(writer, name, *kept != '\0' ? kept : otherwise);
}

static void write_family(const SyncdChange *change, const char *decision, SyncdJsonWriter *writer)
{
    if (change->family == syncd_family(SYNCD_FAMILY_OBJECT)) {
        keep_or(change, writer, "created_by_actor", change->actor);
        syncd_json_member_string(writer, "last_modified_by_actor", change->actor);
    } else if (change->family == syncd_family(SYNCD_FAMILY_PLAN)) {
        keep_or(change, writer, "source_actor", change->actor);
        syncd_json_member_string(writer, "policy_decision_ref", decision);
    }
}

void syncd_registry_compose(const SyncdChange *change, const char *decision, GString *out)
{
    guint64 now_ms = syncd_service_now_ms(change->service);
    const SyncdFamily *family = change->family;
    char now[SYNCD_TIME_SIZE];
    SyncdJsonWriter writer;
    syncd_time_format_ms(now_ms, now);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", family->schema);
    if (syncd_json_member(change->record, family->id).type == SYNCD_JSON_NONE)
        syncd_json_member_string(&writer, family->id, change->id);
    copy_members(change, &writer);
    if (family->state != NULL)
        syncd_json_member_string(&writer, family->state, change->state);
    write_family(change, decision, &writer);
    keep_or(change, &writer, "registered_by", change->present ? change->row.owner : change->actor);
    keep_or(change, &writer, "created_at", now);
    member_time(&writer, "updated_at", now_ms);
    if (strcmp(change->state, SYNCD_STATE_REVOKED) == 0)
        member_time(&writer, "revoked_at", now_ms);
    if (change->request->reason != NULL)
        syncd_json_member_string(&writer, "revoke_reason", change->request->reason);
    syncd_json_end_object(&writer);
}
