/* What is only this device's business: a member of the diagnosis. */
#include "domain/found.h"
#include "service/health-facts.h"

#include <string.h>

static void write_names(SyncdJsonWriter *writer, const char *name, const char *const *names)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (; *names != NULL; names++)
        syncd_json_string(writer, *names);
    syncd_json_end_array(writer);
}

/* As docs/format.md 1 has them. */
static void write_places(SyncdJsonWriter *writer)
{
    static const char *const durable[] = {"journal.db", "blobs/", "keys/", "policy/", NULL};
    static const char *const rebuildable[] = {"index.db", "verified.json", "runtime.json", NULL};
    static const char *const disposable[] = {"lock", "reserve", NULL};
    write_names(writer, "durable_dirs", durable);
    write_names(writer, "rebuildable_dirs", rebuildable);
    write_names(writer, "disposable_dirs", disposable);
}

/* An open that was not clean and is accounted for is history, not a finding. */
static void write_dirty_open(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdRuntime *runtime = &facts->runtime;
    syncd_json_name(writer, "dirty_open");
    if (runtime->settled_open == 0) {
        syncd_json_null(writer);
        return;
    }
    syncd_json_begin_object(writer);
    syncd_health_write_time(writer, "opened_at", runtime->settled_open);
    syncd_health_write_time(writer, "found_sound_at", runtime->settled);
    syncd_json_end_object(writer);
}

static void write_state(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdState *state = facts->state;
    if (state == NULL)
        return;
    syncd_json_member_string(writer, "state", state->state);
    write_names(writer, "state_reasons", state->reasons);
    syncd_json_member_uint(writer, "sequence", state->sequence);
    syncd_json_member_uint(writer, "pending_approvals", state->pending_approvals);
}

/* What is found, by its name alone: reports are shown to others. */
static void write_findings(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    if (facts->found == NULL)
        return;
    syncd_json_name(writer, "findings");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < facts->found->len; i++) {
        const SyncdFound *found = facts->found->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "code", found->finding->code);
        syncd_json_member_string(writer, "severity", found->finding->severity);
        syncd_json_member_uint(writer, "count", found->count);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

void syncd_health_write_local_state(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    bool initialised = facts->state_missing == NULL;
    syncd_json_name(writer, "local_state");
    syncd_json_begin_object(writer);
    syncd_json_member_bool(writer, "initialized", initialised);
    syncd_json_member_null(writer, "root");
    write_places(writer);
    syncd_json_member_bool(writer, "journal_present", initialised);
    syncd_json_member_bool(writer, "manifest_present", false);
    if (initialised) {
        write_state(facts, writer);
        syncd_json_member_uint(writer, "feeds", facts->feeds);
        syncd_json_member_uint(writer, "copies_before_migrations", facts->store.copies);
        write_dirty_open(facts, writer);
        write_findings(facts, writer);
    }
    syncd_json_end_object(writer);
}
