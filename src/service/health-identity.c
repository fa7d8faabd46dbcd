/* Who speaks, since when, and how complete what he says is. */
#include "service/health-facts.h"

#include "base/timestamp.h"
#include "config.h"
#include "domain/problems.h"

#include <string.h>

#define COMPONENT "sourceos-syncd"
#define REPOSITORY "SourceOS-Linux/sourceos-syncd"

void syncd_health_write_time(SyncdJsonWriter *writer, const char *name, guint64 usec)
{
    char text[SYNCD_TIME_SIZE];
    syncd_time_format_ms(usec / 1000, text);
    syncd_json_member_string(writer, name, usec > 0 ? text : NULL);
}

/* What a build was not told is null. */
static const char *known(const char *text)
{
    return *text != '\0' ? text : NULL;
}

void syncd_health_write_identity(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const char *manager = facts->process->manager;
    syncd_json_name(writer, "identity");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "component", COMPONENT);
    syncd_json_member_string(writer, "repo", REPOSITORY);
    syncd_json_member_uint(writer, "pid", facts->process->pid);
    syncd_json_member_string(writer, "process_name", COMPONENT);
    /* The contract wants text: what begins so and goes on with no digits is the hash of nothing. */
    syncd_json_member_string(writer, "node_id_hash",
                             facts->node[0] != '\0' ? facts->node : "sha256:unknown");
    syncd_json_member_string(writer, "boot_id", known(facts->boot));
    syncd_json_member_string(writer, "version", SYNCD_VERSION);
    syncd_json_member_string(writer, "commit", known(SYNCD_COMMIT));
    syncd_json_member_string(writer, "build_provenance", SYNCD_PROVENANCE);
    syncd_json_member_string(writer, "platform", "linux");
    syncd_json_member_string(writer, "service_manager", manager != NULL ? manager : "manual");
    syncd_json_member_string(writer, "instance", syncd_instance_name(facts->instance));
    syncd_json_end_object(writer);
}

static const char *status_of(const SyncdHealthFacts *facts)
{
    if (facts->state_missing != NULL || facts->unreadable)
        return "failed";
    bool whole = facts->errors->len == 0 && facts->denied->len == 0 && facts->store.counted &&
                 facts->outside.disk_problem == 0;
    return whole ? "complete" : "partial";
}

void syncd_health_write_collection(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    static const char *const redacted[] = {"diagnosis.local_state.root", NULL};
    g_autoptr(GPtrArray) none = g_ptr_array_new();
    syncd_json_name(writer, "collection");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "status", status_of(facts));
    syncd_json_member_uint(writer, "duration_ms", facts->duration_usec / 1000);
    syncd_json_member_strings(writer, "errors", facts->errors);
    syncd_json_name(writer, "redacted_fields");
    syncd_json_begin_array(writer);
    for (size_t i = 0; redacted[i] != NULL; i++)
        syncd_json_string(writer, redacted[i]);
    syncd_json_end_array(writer);
    syncd_json_member_strings(writer, "permission_denied_fields", facts->denied);
    syncd_json_member_strings(writer, "timed_out_fields", none);
    syncd_json_member_strings(writer, "unavailable_fields", facts->unavailable);
    syncd_json_end_object(writer);
}

/* The loop that answers this call is the heartbeat. */
void syncd_health_write_runtime(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdRuntime *runtime = &facts->runtime;
    const struct {
        const char *name;
        guint64 usec;
    } times[] = {
        {"process_started_at", runtime->process_started},
        {"runtime_ready_at", runtime->ready},
        {"store_opened_at", runtime->opened},
        {"replay_started_at", runtime->replay_started},
        {"replay_completed_at", runtime->replay_completed},
        {"first_heartbeat_at", runtime->first_heartbeat},
        {"last_heartbeat_at", runtime->begun ? facts->now_usec : 0},
        {"last_clean_shutdown_at", runtime->clean_end},
        {"last_dirty_open_at", runtime->dirty_open},
    };
    syncd_json_name(writer, "runtime");
    syncd_json_begin_object(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        syncd_health_write_time(writer, times[i].name, times[i].usec);
    syncd_json_end_object(writer);
}
