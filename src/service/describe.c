#include "service/internal.h"

#include "base/json-writer.h"
#include "base/timestamp.h"

#include "config.h"

static void write_reasons(SyncdJsonWriter *writer, const SyncdState *state)
{
    syncd_json_name(writer, "state_reasons");
    syncd_json_begin_array(writer);
    for (const char *const *reason = state->reasons; *reason != NULL; reason++)
        syncd_json_string(writer, *reason);
    syncd_json_end_array(writer);
}

/* ---- Describe ---- */

/* What a journal has that cannot be opened nobody knows. */
static void write_known(const SyncdService *service, SyncdJsonWriter *writer, const char *name,
                        guint64 number)
{
    if (syncd_store_unreadable(service->store) != NULL)
        syncd_json_member_null(writer, name);
    else
        syncd_json_member_uint(writer, name, number);
}

/* Open to everybody, so: states and counts, nothing that names anything. */
static void write_counts(const SyncdService *service, const SyncdState *state,
                         SyncdJsonWriter *writer)
{
    syncd_json_member_string(writer, "version", SYNCD_VERSION);
    syncd_json_member_int(writer, "api_version", SYNCD_API_VERSION);
    syncd_json_member_string(writer, "instance", syncd_instance_name(service->instance));
    syncd_json_member_string(writer, "state", state->state);
    write_reasons(writer, state);
    write_known(service, writer, "sequence", state->sequence);
    write_known(service, writer, "pending_operations", state->pending_operations);
    syncd_json_member_uint(writer, "conflict_count", state->conflict_count);
    syncd_json_member_uint(writer, "policy_blocked_count", state->policy_blocked_count);
    syncd_json_member_uint(writer, "pending_approvals", state->pending_approvals);
    syncd_json_member_bool(writer, "repair_needed", state->repair_needed);
    syncd_json_member_bool(writer, "paused", state->paused);
    write_known(service, writer, "last_activity_usec", state->last_activity_usec);
}

static void write_storage(const SyncdService *service, SyncdJsonWriter *writer)
{
    const SyncdStore *store = service->store;
    syncd_json_name(writer, "storage");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "condition",
                             syncd_store_condition_name(syncd_store_condition(store)));
    syncd_json_member_bool(writer, "indexing", syncd_store_is_indexing(store));
    syncd_json_member_uint(writer, "journal_bytes", syncd_store_journal_bytes(service->store));
    syncd_json_end_object(writer);
}

static void write_feed(SyncdService *service, const SyncdHead *head, SyncdJsonWriter *writer)
{
    g_autofree char *feed = syncd_feed_text(head->device, head->scope, head->epoch);
    g_autofree char *scope = syncd_service_scope_text(service, SYNCD_BYTES_TEXT(head->scope));
    char root[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&head->root, root);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "feed", feed);
    syncd_json_member_string(writer, "scope", scope);
    syncd_json_member_bool(writer, "own", head->own);
    syncd_json_member_uint(writer, "size", head->size);
    syncd_json_member_string(writer, "root", root);
    syncd_json_member_string(writer, "note", head->note);
    syncd_json_member_string(writer, "verifier_key", head->verifier_key);
    syncd_json_end_object(writer);
}

static void write_feeds(SyncdService *service, SyncdJsonWriter *writer)
{
    g_autoptr(GPtrArray) heads = syncd_store_heads(service->store);
    syncd_json_name(writer, "feeds");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < heads->len; i++)
        write_feed(service, g_ptr_array_index(heads, i), writer);
    syncd_json_end_array(writer);
}

static const char *level_state(const SyncdService *service, SyncdPolicyLevel level)
{
    if (syncd_policy_set_is_unusable(service->policy, level))
        return "unusable";
    return service->policy_standing.levels[level].last_good ? "last-good" : "current";
}

static void write_since(SyncdJsonWriter *writer, guint64 ms)
{
    char since[SYNCD_TIME_SIZE];
    syncd_time_format_ms(ms, since);
    syncd_json_member_string(writer, "in_force_since", ms > 0 ? since : NULL);
}

static void write_level(const SyncdService *service, SyncdPolicyLevel level,
                        SyncdJsonWriter *writer)
{
    const SyncdPolicyLevelStanding *standing = &service->policy_standing.levels[level];
    if (standing->since_ms == 0 && !syncd_policy_set_is_unusable(service->policy, level))
        return;
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "level", syncd_policy_level_name(level));
    syncd_json_member_string(writer, "state", level_state(service, level));
    syncd_json_member_uint(writer, "rules", syncd_policy_set_rules(service->policy, level)->len);
    write_since(writer, standing->since_ms);
    syncd_json_member_bool(writer, "kept", standing->kept);
    syncd_json_end_object(writer);
}

/* Which rules are in force, and since when: since the last change of any level. */
static void write_policy(const SyncdService *service, SyncdJsonWriter *writer)
{
    guint64 rules = 0, since_ms = 0;
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++) {
        rules += syncd_policy_set_rules(service->policy, level)->len;
        since_ms = MAX(since_ms, service->policy_standing.levels[level].since_ms);
    }
    syncd_json_name(writer, "policy");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "digest", service->policy_digest);
    syncd_json_member_uint(writer, "rules", rules);
    write_since(writer, since_ms);
    syncd_json_member_string(writer, "refused", service->policy_fault);
    syncd_json_name(writer, "levels");
    syncd_json_begin_array(writer);
    for (SyncdPolicyLevel level = 0; level < SYNCD_N_POLICY_LEVELS; level++)
        write_level(service, level, writer);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

static void write_limits(SyncdJsonWriter *writer)
{
    static const struct {
        const char *name;
        guint64 value;
    } limits[] = {
        {"body_bytes", SYNCD_STORE_CONTENT_MAX},
        {"many_requests", SYNCD_MANY_MAX},
        {"many_bytes", SYNCD_MANY_SIZE},
        {"list", SYNCD_LIST_MAX},
        {"list_bytes", SYNCD_LIST_BYTES_MAX},
        {"idempotency_key", SYNCD_STORE_KEY_MAX},
        {"parents", SYNCD_HEADER_MAX_PARENTS},
        {"scopes", SYNCD_STORE_SCOPES_MAX},
        {"jobs", SYNCD_JOBS_MAX},
        {"leases", SYNCD_LEASES_MAX},
        {"leases_of_an_actor", SYNCD_LEASES_EACH_MAX},
        {"ephemeral", SYNCD_EPHEMERAL_EACH_MAX},
        {"ephemeral_bytes", SYNCD_EPHEMERAL_EACH_SIZE},
        {"ephemeral_body_bytes", SYNCD_EPHEMERAL_BODY_SIZE},
        {"ephemeral_users", SYNCD_EPHEMERAL_UIDS_MAX},
        {"ephemeral_ms", SYNCD_EPHEMERAL_LIFE_MS},
    };
    syncd_json_name(writer, "limits");
    syncd_json_begin_object(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(limits); i++)
        syncd_json_member_uint(writer, limits[i].name, limits[i].value);
    syncd_json_end_object(writer);
}

static void write_ephemeral(const SyncdService *service, SyncdJsonWriter *writer)
{
    SyncdEphemeralCounts counts = syncd_ephemerals_count(service->ephemerals);
    syncd_json_name(writer, "ephemeral");
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "operations", counts.operations);
    syncd_json_member_uint(writer, "bytes", counts.bytes);
    syncd_json_member_uint(writer, "dropped", counts.dropped);
    syncd_json_member_uint(writer, "expired", counts.expired);
    syncd_json_end_object(writer);
}

/* While the index is made anew nobody knows the counts; what a lane is can still be told. */
static void write_lanes(SyncdService *service, SyncdJsonWriter *writer)
{
    static const struct {
        const char *name;
        unsigned counter;
    } counters[] = {
        {"entries", SYNCD_LANE_ENTRIES},
        {"operations", SYNCD_LANE_OPERATIONS},
        {"pending", SYNCD_TASK_PENDING},
        {"running", SYNCD_TASK_RUNNING},
        {"succeeded", SYNCD_TASK_SUCCEEDED},
        {"failed", SYNCD_TASK_FAILED},
        {"cancelled", SYNCD_TASK_CANCELLED},
        {"attempts", SYNCD_LANE_ATTEMPTS},
        {"lost", SYNCD_LANE_LOST},
        {"replayed", SYNCD_LANE_REPLAYED},
        {"reconciled", SYNCD_LANE_RECONCILED},
    };
    gint64 counts[SYNCD_N_LANES][SYNCD_N_LANE_COUNTERS];
    bool counted = syncd_store_lane_counts(service->store, counts, NULL);
    syncd_json_name(writer, "lanes");
    syncd_json_begin_array(writer);
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++) {
        const SyncdLane *lane = syncd_lane_of_rank(rank);
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "name", lane->name);
        syncd_json_member_bool(writer, "durable", lane->durable);
        syncd_json_member_string(writer, "searchable", lane->searchable);
        syncd_json_member_string(writer, "agent_visible", lane->agent_visible);
        syncd_json_member_string(writer, "replicated", lane->replicated);
        syncd_json_member_string(writer, "purge", lane->purge);
        syncd_json_member_uint(writer, "max_heartbeat_age_ms", lane->heartbeat_ms);
        syncd_json_member_uint(writer, "max_replay_lag_events", lane->lag_events);
        syncd_json_member_uint(writer, "max_replay_lag_ms", lane->lag_ms);
        for (size_t i = 0; counted && i < G_N_ELEMENTS(counters); i++)
            syncd_json_member_int(writer, counters[i].name, counts[rank][counters[i].counter]);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

/* A copy of a state may lack its keys. */
static void write_attestation_key(const SyncdService *service, SyncdJsonWriter *writer)
{
    const SyncdAttestor *attestor = service->attestor;
    syncd_json_member_string(writer, "attestation_key",
                             attestor != NULL ? syncd_attestor_key(attestor) : NULL);
}

bool syncd_service_may_inspect(const SyncdService *service, const SyncdCaller *caller)
{
    return caller != NULL && (caller->inspector || (service->instance == SYNCD_INSTANCE_USER &&
                                                    caller->uid == service->uid));
}

char *syncd_service_describe(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    SyncdState state;
    syncd_service_state(service, &state);
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    write_counts(service, &state, &writer);
    if (syncd_service_may_inspect(service, caller)) {
        g_autofree char *actor = NULL;
        /* While the index is rebuilt nobody knows; everything else can still be told. */
        syncd_service_find_caller(service, caller, &actor, NULL);
        write_storage(service, &writer);
        syncd_json_member_string(&writer, "device_id", syncd_store_device_id(service->store));
        write_attestation_key(service, &writer);
        syncd_json_member_string(&writer, "actor_id", actor);
        write_policy(service, &writer);
        write_feeds(service, &writer);
        write_limits(&writer);
        write_lanes(service, &writer);
        write_ephemeral(service, &writer);
    }
    syncd_json_end_object(&writer);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- status.json ---- */

static const char *note_of(const SyncdState *state)
{
    static const struct {
        const char *state;
        const char *note;
    } notes[] = {
        {"clean", "Local state is consistent."},
        {"degraded", "The daemon runs with limits; see the state reasons."},
        {"conflicted", "Conflicts wait for a choice."},
        {"policy-blocked", "Policy refused a request in the last minute."},
        {"offline", "Peers cannot be reached; local work goes on."},
        {"repair-recommended", "There are faults; see them with `sourceos-syncd doctor`."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(notes); i++)
        if (strcmp(notes[i].state, state->state) == 0)
            return notes[i].note;
    return "";
}

char *syncd_service_status(SyncdService *service)
{
    bool is_user = service->instance == SYNCD_INSTANCE_USER;
    char now[SYNCD_TIME_SIZE];
    SyncdState state;
    syncd_service_state(service, &state);
    syncd_time_format_ms(syncd_service_now_ms(service), now);

    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_bool(&writer, "daemon_available", true);
    syncd_json_member_string(&writer, "daemon_state", state.state);
    syncd_json_member_string(&writer, "active_profile",
                             is_user ? "profile:" SYNCD_DEFAULT_NAME : NULL);
    syncd_json_member_null(&writer, "active_workspace");
    syncd_json_member_string(&writer, "active_device",
                             is_user ? syncd_store_device_id(service->store) : NULL);
    syncd_json_member_bool(&writer, "degraded", strcmp(state.state, "degraded") == 0);
    syncd_json_member_bool(&writer, "policy_blocked", strcmp(state.state, "policy-blocked") == 0);
    syncd_json_member_uint(&writer, "conflict_count", state.conflict_count);
    syncd_json_member_bool(&writer, "repair_needed", state.repair_needed);
    syncd_json_member_string(&writer, "note", note_of(&state));
    syncd_json_member_string(&writer, "instance", syncd_instance_name(service->instance));
    write_reasons(&writer, &state);
    write_known(service, &writer, "pending_operations", state.pending_operations);
    write_known(service, &writer, "sequence", state.sequence);
    syncd_json_member_uint(&writer, "pending_approvals", state.pending_approvals);
    syncd_json_member_bool(&writer, "paused", state.paused);
    syncd_json_member_string(&writer, "version", SYNCD_VERSION);
    syncd_json_member_string(&writer, "updated_at", now);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}
