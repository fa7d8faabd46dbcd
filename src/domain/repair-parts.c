#include "domain/repair-parts.h"

#define POLICY_ENGINE "policy-fabric"

static void write_words(SyncdJsonWriter *writer, const char *name, const char *const *words)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (; *words != NULL; words++)
        syncd_json_string(writer, *words);
    syncd_json_end_array(writer);
}

void syncd_repair_write_policy(SyncdJsonWriter *writer, const char *engine, bool destroys)
{
    static const char *const required[] = {"sourceos.repair/preview", NULL};
    static const char *const destructive[] = {"sourceos.repair/apply", "sourceos.purge/apply",
                                              NULL};
    syncd_json_name(writer, "policy");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "engine", engine != NULL ? engine : POLICY_ENGINE);
    write_words(writer, "required_grants", required);
    write_words(writer, "destructive_grants_required", destructive);
    syncd_json_member_bool(writer, "destructive_actions_present", destroys);
    syncd_json_end_object(writer);
}

void syncd_repair_write_precondition(SyncdJsonWriter *writer, const char *id, const char *check)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", id);
    syncd_json_member_string(writer, "status", "required");
    syncd_json_member_string(writer, "check", check);
    syncd_json_end_object(writer);
}

void syncd_repair_write_blocked(SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", "apply_destructive_changes");
    syncd_json_member_string(
        writer, "reason", "Needs the grants that are listed, and an approval of this very plan.");
    syncd_json_end_object(writer);
}

void syncd_repair_write_after(SyncdJsonWriter *writer, bool available, const char *rollback)
{
    static const char *const postconditions[] = {
        "a new report keeps to its contract", "its diagnosis is healthy or degraded, never unsafe",
        "what the journal acknowledged is still there", NULL};
    syncd_json_name(writer, "rollback");
    syncd_json_begin_object(writer);
    syncd_json_member_bool(writer, "available", available);
    syncd_json_member_string(writer, "strategy", rollback);
    syncd_json_member_bool(writer, "requires_operator_approval", true);
    syncd_json_end_object(writer);
    write_words(writer, "postconditions", postconditions);
}
