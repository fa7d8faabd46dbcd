#include "service/purge.h"

void syncd_purged_clear(SyncdPurged *purged)
{
    g_clear_pointer(&purged->operation, g_free);
}

/* ---- carrying it out ---- */

static void write_hash(SyncdJsonWriter *writer, const char *name, const SyncdHash *hash)
{
    char hex[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(hash, hex);
    syncd_json_member_string(writer, name, hex);
}

static void write_entries(const SyncdPurgeable *purgeable, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "entries");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < purgeable->entries->len; i++) {
        const SyncdPurgedEntry *entry = purgeable->entries->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "operation", entry->op);
        syncd_json_member_string(writer, "feed", entry->feed);
        syncd_json_member_uint(writer, "sequence", entry->pos);
        write_hash(writer, "leaf", &entry->leaf);
        write_hash(writer, "body_digest", &entry->digest);
        syncd_json_member_uint(writer, "size", entry->size);
        if (entry->state != NULL)
            syncd_json_member_string(writer, "state", entry->state);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void write_chunks(const SyncdPurgeable *purgeable, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "chunks");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < purgeable->chunks->len; i++) {
        const SyncdPurgedChunk *chunk = purgeable->chunks->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "name", chunk->name);
        syncd_json_member_uint(writer, "size", chunk->size);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

GString *syncd_purge_write(const SyncdPurgePlan *plan, GError **error)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_json_writer_init(&writer, content, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_PURGE_SCHEMA);
    syncd_json_member_string(&writer, "object_id", plan->request->object);
    syncd_json_member_string(&writer, "scope_id", plan->scope->id);
    syncd_json_name(&writer, "approval");
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "action", "purge");
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "subject", plan->subject);
    syncd_json_end_object(&writer);
    syncd_json_member_uint(&writer, "bytes", plan->purgeable->bytes);
    syncd_json_member_uint(&writer, "chunk_bytes", plan->purgeable->chunk_bytes);
    write_entries(plan->purgeable, &writer);
    write_chunks(plan->purgeable, &writer);
    syncd_json_end_object(&writer);
    if (content->len <= SYNCD_STORE_CONTENT_MAX)
        return g_steal_pointer(&content);
    syncd_set_error_next(
        error, SYNCD_ERROR_LIMITS_EXCEEDED, "it has to stay as it is, deleted and hidden",
        "The object %s has %u entries and %u chunks: one purge cannot list them",
        plan->request->object, plan->purgeable->entries->len, plan->purgeable->chunks->len);
    return NULL;
}

static bool carry_out(const SyncdPurgePlan *plan, SyncdPurged *ret_purged, GError **error)
{
    SyncdService *service = plan->service;
    g_auto(SyncdReceipt) receipt = {0};
    g_autoptr(GString) content = syncd_purge_write(plan, error);
    if (content == NULL)
        return false;
    SyncdDraft draft = {
        .kind = syncd_deletion_kind_of(SYNCD_DELETION_PURGE),
        .actor = plan->actor,
        .object = plan->request->object,
        .decision = syncd_purge_plan_decision(plan),
        .engine = "",
        .lane = SYNCD_LANE_TOMBSTONE,
        .schema_id = SYNCD_PURGE_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    if (!syncd_service_record_decisions(service, plan->actor, plan->decisions, error) ||
        !syncd_service_append(service, plan->scope->id, &draft, &receipt, error) ||
        !syncd_store_purge(service->store, plan->purgeable, receipt.pos, error))
        return false;
    /* What it said of its place is gone too. */
    g_hash_table_remove_all(service->said);
    *ret_purged = (SyncdPurged){g_steal_pointer(&receipt.op), receipt.pos};
    return true;
}

static bool check_digest(const SyncdPurgePlan *plan, GError **error)
{
    if (g_strcmp0(plan->request->digest, plan->digest) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST, "plan again, and look at the new plan",
                         "Nothing was purged: it would be something else than what was shown, %s",
                         plan->digest);
    return false;
}

bool syncd_purge_plan_carry_out(const SyncdPurgePlan *plan, SyncdPurged *ret_purged, GError **error)
{
    SyncdService *service = plan->service;
    g_auto(SyncdPurged) purged = {0};
    g_autoptr(GError) failure = NULL;
    if (!check_digest(plan, error) ||
        !syncd_service_end_whole(service, carry_out(plan, &purged, &failure), &failure, error) ||
        /* Nobody may read that something is purged before it is durably so. */
        !syncd_service_commit_turn(service, error))
        return false;
    *ret_purged = purged;
    purged = (SyncdPurged){NULL};
    service->has_purges = true;
    service->purge_retry = 0;
    syncd_service_ask_for_work(service);
    return true;
}

/* ---- how far it is ---- */

static void copy_members(SyncdJson content, SyncdJsonWriter *writer)
{
    static const char *const names[] = {"object_id", "scope_id", "approval", "bytes",
                                        "chunk_bytes"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        syncd_json_member_value(writer, names[i], syncd_json_member(content, names[i]));
}

/* The entry that proved it; NULL as long as none has. */
static bool find_proof(SyncdService *service, SyncdJson content, char **ret_proof, GError **error)
{
    SyncdDeletion deletion;
    bool found;
    g_auto(SyncdEntry) entry = {0};
    g_autofree char *scope = syncd_json_dup_text(syncd_json_member(content, "scope_id")),
                    *object = syncd_json_dup_text(syncd_json_member(content, "object_id"));
    *ret_proof = NULL;
    if (scope == NULL || object == NULL)
        return true;
    if (!syncd_store_find_deletion(service->store, scope, object, &deletion, &found, error))
        return false;
    if (!found || deletion.state != SYNCD_DELETION_PROVEN ||
        deletion.moved > syncd_store_sequence(service->store))
        return true;
    if (!syncd_store_read(service->store, deletion.moved, &entry, error))
        return false;
    *ret_proof = syncd_bytes_dup(entry.header.op);
    return true;
}

char *syncd_service_describe_purge(SyncdService *service, const SyncdCaller *caller,
                                   const char *operation, GError **error)
{
    g_auto(SyncdView) view = {0};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autofree char *proof = NULL;
    if (!syncd_service_view(service, caller, &view, error) ||
        !syncd_service_read_entry(service, &view, operation, &entry, error))
        return NULL;
    if (!syncd_bytes_are(entry.header.kind, syncd_deletion_kind_of(SYNCD_DELETION_PURGE))) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "The operation %s is no purge", operation);
        return NULL;
    }
    if (!syncd_store_read_body(service->store, &entry, &body, error) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;
    SyncdJson content = syncd_json_root(body.content, body.content_size);
    if (!find_proof(service, content, &proof, error))
        return NULL;

    SyncdJsonWriter writer;
    g_autofree char *decision = syncd_bytes_dup(entry.header.decision);
    g_autoptr(GString) report = g_string_new(NULL);
    syncd_json_writer_init(&writer, report, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_PURGE_REPORT_SCHEMA);
    syncd_json_member_string(
        &writer, "state",
        syncd_deletion_state_name(proof != NULL ? SYNCD_DELETION_PROVEN : SYNCD_DELETION_PURGED));
    syncd_json_member_string(&writer, "operation", operation);
    syncd_json_member_uint(&writer, "sequence", entry.pos);
    syncd_json_member_string(&writer, "proof", proof);
    syncd_json_member_string(&writer, "policy_decision_ref", decision);
    copy_members(content, &writer);
    syncd_json_member_uint(&writer, "entries",
                           syncd_json_count(syncd_json_member(content, "entries")));
    syncd_json_member_uint(&writer, "chunks",
                           syncd_json_count(syncd_json_member(content, "chunks")));
    syncd_purge_write_unreachable(&writer);
    syncd_json_end_object(&writer);
    return g_string_free(g_steal_pointer(&report), FALSE);
}
