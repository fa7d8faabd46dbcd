#include "service/internal.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/names.h"
#include "domain/replay.h"

#define REPLAY_KIND "operation.replay"
#define REPLAY_SCHEMA "sourceos.operation-replay/v1"
#define EVIDENCE_SCHEMA "sourceos.replay-evidence/v1"

/* What a replay is about. */
typedef struct {
    char *actor;
    char *key;
    char *scope_id;
    SyncdTarget target;
} Replay;

static void replay_clear(Replay *replay)
{
    g_clear_pointer(&replay->actor, g_free);
    g_clear_pointer(&replay->key, g_free);
    g_clear_pointer(&replay->scope_id, g_free);
    syncd_target_clear(&replay->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Replay, replay_clear)

/* ---- the key ---- */

/* The one that is given, else the one that the operation was enqueued with. */
static bool find_key(const SyncdTarget *target, const char *given, char **ret_key, GError **error)
{
    SyncdJson key = syncd_json_member(syncd_target_meta(target), "idempotency_key");
    if (key.type == SYNCD_JSON_NONE)
        key = syncd_json_member(syncd_target_content(target), "replay_idempotency_key");
    *ret_key = given != NULL ? g_strdup(given) : syncd_json_dup_text(key);
    if (*ret_key != NULL)
        return syncd_service_check_key(*ret_key, error);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "give the replay a key of its own: \"idempotency_key\", or `--key`",
                         "The operation %s was enqueued without an idempotency key",
                         target->operation);
    return false;
}

/* ---- the judgement ---- */

static bool check_replay(SyncdService *service, const SyncdCaller *caller, const Replay *replay,
                         GError **error)
{
    const SyncdTarget *target = &replay->target;
    const SyncdHeader *header = &target->entry.header;
    guint64 now_ms = syncd_service_task_ms(service);
    SyncdReplayFacts facts = {
        .operation = target->operation,
        .state = target->task.state,
        .replay_safe = syncd_target_is_replay_safe(target),
        .own_device = syncd_bytes_are(header->device, syncd_store_device_id(service->store)),
        .own_actor = caller->inspector || syncd_bytes_are(header->actor, replay->actor),
        .age_ms = now_ms > header->hlc.ms ? now_ms - header->hlc.ms : 0,
        .replays = target->task.replays,
    };
    guint64 since_ms = now_ms - MIN(now_ms, syncd_replay_limits.window_ms);
    if (!syncd_store_count_recent(service->store, REPLAY_KIND, replay->actor, since_ms,
                                  syncd_replay_limits.per_device, &facts.device_recent,
                                  &facts.actor_recent, error))
        return false;

    g_autoptr(GError) refusal = NULL;
    if (syncd_replay_check(&facts, &refusal))
        return true;
    syncd_service_note_refusal(service, caller, "replay", syncd_error_info_of(refusal)->name);
    g_propagate_error(error, g_steal_pointer(&refusal));
    return false;
}

/* ---- the entry ---- */

static void write_content(const Replay *replay, GString *out)
{
    const SyncdTarget *target = &replay->target;
    char leaf[SYNCD_HASH_HEX_SIZE], digest[SYNCD_DIGEST_SIZE];
    SyncdHash body = syncd_hash(target->body.content, target->body.content_size);
    syncd_hash_to_hex(&target->leaf, leaf);
    syncd_hash_to_digest(&body, digest);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", REPLAY_SCHEMA);
    syncd_json_member_string(&writer, "replayed_operation_id", target->operation);
    syncd_json_member_string(&writer, "replay_idempotency_key", replay->key);
    syncd_json_member_string(&writer, "operation_leaf", leaf);
    syncd_json_member_string(&writer, "operation_body_digest", digest);
    syncd_json_end_object(&writer);
}

static bool append_replay(SyncdService *service, const SyncdCaller *caller, const Replay *replay,
                          SyncdReplayed *ret_replayed, GError **error)
{
    g_autoptr(GString) content = g_string_new(NULL);
    write_content(replay, content);
    return syncd_service_append_about(service, caller, replay->actor, &replay->target, REPLAY_KIND,
                                      REPLAY_SCHEMA, content, &ret_replayed->evidence, error);
}

/* ---- the use case ---- */

static bool name_first(SyncdService *service, guint64 pos, SyncdReplayed *ret_replayed,
                       GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_store_read(service->store, pos, &entry, error))
        return false;
    *ret_replayed = (SyncdReplayed){syncd_bytes_dup(entry.header.op), true};
    return true;
}

void syncd_replayed_clear(SyncdReplayed *replayed)
{
    g_clear_pointer(&replayed->evidence, g_free);
}

bool syncd_service_replay(SyncdService *service, const SyncdCaller *caller, const char *operation,
                          const char *key, SyncdReplayed *ret_replayed, GError **error)
{
    g_auto(Replay) replay = {0};
    guint64 first;
    if (!syncd_service_require_writer(service, caller, &replay.actor, error) ||
        !syncd_service_read_target(service, caller, operation, &replay.target, error) ||
        !find_key(&replay.target, key, &replay.key, error))
        return false;
    replay.scope_id = syncd_bytes_dup(replay.target.entry.header.scope);
    g_autofree char *name = syncd_name_of_replay(operation, replay.key);
    if (!syncd_store_find_name(service->store, SYNCD_FAMILY_REPLAY, name, replay.scope_id, &first,
                               error))
        return false;
    if (first != 0)
        return name_first(service, first, ret_replayed, error);
    return check_replay(service, caller, &replay, error) &&
           syncd_service_check_not_deleted(service, &replay.target, error) &&
           append_replay(service, caller, &replay, ret_replayed, error);
}

/* ---- the evidence ---- */

char *syncd_service_describe_replay(SyncdService *service, const char *evidence, GError **error)
{
    SyncdView everything = {.all = true};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_service_read_operation(service, &everything, evidence, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error))
        return NULL;
    const SyncdHeader *header = &entry.header;
    g_autofree char *device = syncd_bytes_dup(header->device),
                    *scope_id = syncd_bytes_dup(header->scope),
                    *actor = syncd_bytes_dup(header->actor),
                    *decision = syncd_bytes_dup(header->decision),
                    *feed = syncd_feed_text(device, scope_id, header->epoch);
    char leaf_text[SYNCD_HASH_HEX_SIZE], time[SYNCD_TIME_SIZE];
    SyncdHash leaf = syncd_tree_leaf(entry.text, entry.size);
    syncd_hash_to_hex(&leaf, leaf_text);
    syncd_time_format_ms(header->hlc.ms, time);

    SyncdJson record = syncd_json_root(body.content, body.content_size);
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", EVIDENCE_SCHEMA);
    syncd_json_member_string(&writer, "evidence_ref", evidence);
    static const char *const members[] = {"replayed_operation_id", "replay_idempotency_key",
                                          "operation_leaf", "operation_body_digest"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        syncd_json_member_value(&writer, members[i], syncd_json_member(record, members[i]));
    syncd_json_member_string(&writer, "policy_decision_ref", decision);
    syncd_json_member_string(&writer, "actor_id", actor);
    syncd_json_member_string(&writer, "replayed_at", time);
    syncd_json_member_uint(&writer, "sequence", entry.pos);
    syncd_json_member_string(&writer, "leaf", leaf_text);
    syncd_json_member_string(&writer, "feed", feed);
    syncd_json_member_uint(&writer, "seq", header->seq);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}
