#include "service/internal.h"

#include "base/json-writer.h"
#include "contract/records.h"
#include "contract/sync-checkpoint.h"

#define PROOF_SCHEMA "sourceos.log-proof/v1"
#define CHECKPOINT_DATA_CLASS "internal"
#define CHECKPOINT_TYPE "sync.checkpoint.write"
#define QUEUE_NAMED_MAX 100u /* of what waits, so many are named */

/* ---- proofs ---- */

static void member_hash(SyncdJsonWriter *writer, const char *name, const SyncdHash *hash)
{
    char text[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, text);
    if (name != NULL)
        syncd_json_name(writer, name);
    syncd_json_string(writer, text);
}

static char *write_proof(const SyncdEntry *entry, const SyncdHead *head, const SyncdHash *leaf,
                         const GArray *path, const char *operation)
{
    GString *out = g_string_sized_new(4096);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", PROOF_SCHEMA);
    syncd_json_member_string(&writer, "operation_id", operation);
    syncd_json_name(&writer, "header");
    syncd_json_string_sized(&writer, entry->text, entry->size);
    member_hash(&writer, "leaf", leaf);
    syncd_json_member_uint(&writer, "seq", entry->header.seq);
    syncd_json_member_uint(&writer, "size", head->size);
    member_hash(&writer, "root", &head->root);
    syncd_json_name(&writer, "path");
    syncd_json_begin_array(&writer);
    for (guint i = 0; i < path->len; i++)
        member_hash(&writer, NULL, &g_array_index(path, SyncdHash, i));
    syncd_json_end_array(&writer);
    syncd_json_member_string(&writer, "note", head->note);
    syncd_json_member_string(&writer, "verifier_key", head->verifier_key);
    syncd_json_end_object(&writer);
    return g_string_free(out, FALSE);
}

char *syncd_service_prove(SyncdService *service, const SyncdCaller *caller, const char *operation,
                          GError **error)
{
    g_auto(SyncdView) view = {0};
    g_auto(SyncdEntry) entry = {0};
    g_autoptr(SyncdHead) head = NULL;
    g_autoptr(GArray) path = NULL;
    SyncdHash leaf;
    if (!syncd_service_view(service, caller, &view, error) ||
        !syncd_service_read_entry(service, &view, operation, &entry, error) ||
        !syncd_store_prove(service->store, &entry, &head, &leaf, &path, error))
        return NULL;
    return write_proof(&entry, head, &leaf, path, operation);
}

/* ---- checkpoints ---- */

typedef struct {
    GPtrArray *ops;
    bool all;
} Queue;

static bool take_waiting(void *data, const char *op, const SyncdTask *task, bool matches)
{
    Queue *queue = data;
    if (task->state.task != SYNCD_TASK_PENDING && task->state.task != SYNCD_TASK_RUNNING)
        return true;
    if (queue->ops->len == QUEUE_NAMED_MAX) {
        queue->all = false;
        return false;
    }
    g_ptr_array_add(queue->ops, g_strdup(op));
    return true;
}

static bool count_replay_safe(SyncdService *service, const GPtrArray *ops, guint64 *ret_count,
                              GError **error)
{
    *ret_count = 0;
    for (guint i = 0; i < ops->len; i++) {
        g_auto(SyncdTarget) target = {0};
        if (!syncd_service_find_target(service, ops->pdata[i], &target, error))
            return false;
        *ret_count += syncd_target_is_replay_safe(&target);
    }
    return true;
}

/* How the device stands: what the checkpoint is of, besides the log. */
static GString *write_sync_checkpoint(SyncdService *service, const char *operation,
                                      const char *decision, GError **error)
{
    guint64 pending, running, replay_safe;
    SyncdTaskQuery query = {.which = SYNCD_TASKS_ALL, .rank = -1, .state = -1};
    g_autoptr(GPtrArray) ops = g_ptr_array_new_with_free_func(g_free);
    Queue queue = {ops, true};
    if (!syncd_service_count_tasks(service, &pending, &running, error) ||
        !syncd_store_walk_tasks(service->store, &query, take_waiting, &queue, error) ||
        !count_replay_safe(service, ops, &replay_safe, error))
        return NULL;
    bool all = queue.all && ops->len == pending + running;
    g_ptr_array_add(ops, NULL);
    GString *text = g_string_new(NULL);
    const SyncdSyncCheckpoint checkpoint = {
        .operation = operation,
        .device = syncd_store_device_id(service->store),
        .decision = decision,
        .at_ms = syncd_service_now_ms(service),
        .queue_depth = pending + running,
        .queue = (const char *const *)ops->pdata,
        .replay_safe = all ? &replay_safe : NULL,
    };
    syncd_sync_checkpoint_write(&checkpoint, text);
    return text;
}

static bool append_checkpoint(SyncdService *service, const char *actor, const char *decision,
                              const char *scope_id, char **ret_operation, GError **error)
{
    g_autoptr(SyncdHead) head = syncd_store_head(service->store, scope_id, error);
    if (head == NULL)
        return false;
    g_autofree char *operation = syncd_id_new(service->sources, "op");
    g_autoptr(GString) sync = write_sync_checkpoint(service, operation, decision, error);
    if (sync == NULL)
        return false;
    SyncdCheckpointRecord record = {.scope = scope_id,
                                    .size = head->size,
                                    .root = &head->root,
                                    .sync_checkpoint = syncd_json_root(sync->str, sync->len)};
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_checkpoint_record_write(&record, content);

    g_auto(SyncdReceipt) receipt = {0};
    g_autofree char *meta =
        syncd_service_make_meta(service, scope_id, CHECKPOINT_DATA_CLASS, CHECKPOINT_TYPE, error);
    if (meta == NULL)
        return false;
    SyncdDraft draft = {
        .kind = "checkpoint.write",
        .actor = actor,
        .op = operation,
        .object = "",
        .decision = decision,
        .engine = "",
        .lane = SYNCD_LANE_AUDIT,
        .schema_id = SYNCD_CHECKPOINT_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    if (!syncd_service_append(service, scope_id, &draft, &receipt, error))
        return false;
    *ret_operation = g_steal_pointer(&receipt.op);
    return true;
}

bool syncd_service_checkpoint(SyncdService *service, const SyncdCaller *caller, const char *scope,
                              char **ret_operation, GError **error)
{
    g_autofree char *actor = NULL;
    g_autoptr(SyncdScope) found = NULL;
    g_auto(SyncdPlace) place = {0};
    g_autoptr(SyncdMandate) mandate = NULL;
    if (!syncd_service_require_caller(service, caller, &actor, error) ||
        !syncd_service_require_scope_reach(service, caller, actor, scope, error) ||
        !syncd_service_require_scope(service, scope, &found, error) ||
        !syncd_service_mandate_of_actor(service, actor, &mandate, error) ||
        !syncd_service_check_scope_place(service, caller, mandate, scope, found->class, &place,
                                         error))
        return false;
    SyncdPolicyRequest asked = {{NULL}};
    syncd_ask_about_scope(&asked, scope, found->class);
    asked.fields[SYNCD_FIELD_LANE] = SYNCD_LANE_AUDIT;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = CHECKPOINT_DATA_CLASS;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = CHECKPOINT_TYPE;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide_in(service, caller, actor, &asked, &place, error);
    if (decisions == NULL || !syncd_service_record_decisions(service, actor, decisions, error) ||
        /* The content names the head right before the entry, so nothing may be left in the turn. */
        !syncd_service_commit_turn(service, error))
        return false;
    return append_checkpoint(service, actor, decisions->decisions[0].id, found->id, ret_operation,
                             error);
}

char *syncd_service_describe_checkpoint(SyncdService *service, const char *operation,
                                        GError **error)
{
    SyncdView everything = {.all = true};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_service_read_operation(service, &everything, operation, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error))
        return NULL;
    g_autofree char *scope_id = syncd_bytes_dup(entry.header.scope);
    /* Keeping a head commits what is open, and somebody may wait for that. */
    if (!syncd_service_commit_turn(service, error) ||
        !syncd_store_keep_head(service->store, scope_id, "checkpoint.write", error))
        return NULL;
    g_autoptr(SyncdHead) head = syncd_store_head(service->store, scope_id, error);
    if (head == NULL)
        return NULL;

    g_autofree char *feed = syncd_feed_text(head->device, head->scope, head->epoch);
    g_autofree char *scope = syncd_service_scope_text(service, entry.header.scope);
    SyncdCheckpointRecord record = {
        .operation_id = operation,
        .scope = scope,
        .feed = feed,
        .size = head->size,
        .root = &head->root,
        .note = head->note,
        .verifier_key = head->verifier_key,
        .sync_checkpoint =
            syncd_json_member(syncd_json_root(body.content, body.content_size), "sync_checkpoint"),
    };
    GString *out = g_string_new(NULL);
    syncd_checkpoint_record_write(&record, out);
    return g_string_free(out, FALSE);
}
