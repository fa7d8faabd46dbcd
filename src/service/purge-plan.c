#include "service/purge.h"

#include "base/canonical.h"
#include "service/purge-along.h"
#include "service/registry.h"

#include <string.h>

void syncd_purge_plan_free(SyncdPurgePlan *plan)
{
    if (plan == NULL)
        return;
    syncd_scope_free(plan->scope);
    syncd_purgeable_free(plan->purgeable);
    g_clear_pointer(&plan->decisions, syncd_decisions_unref);
    g_free(plan->actor);
    g_free(plan->subject);
    g_free(plan->along);
    g_free(plan);
}

const char *syncd_purge_plan_decision(const SyncdPurgePlan *plan)
{
    return plan->decisions->decisions[plan->decisions->n_decisions - 1].id;
}

/* ---- what must be so first ---- */

static bool check_object(const char *object, GError **error)
{
    if (syncd_id_is_token(object, strlen(object)))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/object must name what is to be purged");
    return false;
}

static bool check_state(const SyncdPurgePlan *plan, GError **error)
{
    const char *object = plan->request->object;
    SyncdDeletion deletion;
    bool found;
    if (!syncd_store_find_deletion(plan->service->store, plan->scope->id, object, &deletion, &found,
                                   error))
        return false;
    SyncdDeletionState next = found ? deletion.state : SYNCD_DELETION_RESTORED;
    if (syncd_deletion_move(&next, SYNCD_DELETION_PURGE))
        return true;
    if (found &&
        (deletion.state == SYNCD_DELETION_PURGED || deletion.state == SYNCD_DELETION_PROVEN))
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, "nothing more has to be done",
                             "The object %s is purged already (%s)", object,
                             syncd_deletion_state_name(deletion.state));
    else
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "delete it first, with `sourceos-syncd ops delete`",
                             "The object %s is not deleted in %s%s%s", object, plan->request->scope,
                             found ? ", but " : "",
                             found ? syncd_deletion_state_name(deletion.state) : "");
    return false;
}

/* ---- what must be kept ---- */

static bool refuse_class(const SyncdPurgePlan *plan, const char *what, SyncdJson record,
                         GError **error)
{
    static const char *const kept[] = {"retained", "legal_hold", NULL};
    g_autofree char *class = syncd_record_member(record, "retention_class");
    if (!g_strv_contains(kept, class))
        return true;
    syncd_service_note_policy(plan->service, plan->caller, "purge", "retention_class");
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                         "who answers for it changes that class, or the object stays as it is",
                         "The object %s must be kept: the retention class of its %s is %s",
                         plan->request->object, what, class);
    return false;
}

static bool check_schema(const SyncdPurgePlan *plan, SyncdJson object, GError **error)
{
    const SyncdRecordRow *row;
    SyncdJson schema;
    g_auto(SyncdBody) body = {0};
    g_autofree char *id = syncd_record_member(object, "schema_id"),
                    *version = syncd_record_member(object, "schema_version"),
                    *key = g_strdup_printf("%s@%s", id, version);
    return syncd_service_known_record(plan->service, SYNCD_FAMILY_SCHEMA, key, &row, error) &&
           (row == NULL || (syncd_registry_read(plan->service, row, &body, &schema, error) &&
                            refuse_class(plan, "schema", schema, error)));
}

static bool check_retention(SyncdPurgePlan *plan, GError **error)
{
    const SyncdRecordRow *row;
    SyncdJson record;
    g_auto(SyncdBody) body = {0};
    if (!syncd_service_known_record(plan->service, SYNCD_FAMILY_OBJECT, plan->request->object, &row,
                                    error))
        return false;
    plan->record = row != NULL && strcmp(row->scope, plan->scope->id) == 0;
    return !plan->record ||
           (syncd_registry_read(plan->service, row, &body, &record, error) &&
            refuse_class(plan, "record", record, error) && check_schema(plan, record, error));
}

/* ---- what must have ended ---- */

static bool check_ended(const SyncdPurgePlan *plan, GError **error)
{
    const SyncdPurgeable *purgeable = plan->purgeable;
    if (purgeable->unfinished > 0)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY,
                             "see them with `sourceos-syncd tasks list`, and complete or cancel "
                             "them",
                             purgeable->unfinished == 1
                                 ? "%u operation of the object %s has not ended"
                                 : "%u operations of the object %s have not ended",
                             purgeable->unfinished, plan->request->object);
    else if (purgeable->unstable > 0)
        syncd_set_error_next(
            error, SYNCD_ERROR_BUSY, "wait until every member of the scope has them",
            purgeable->unstable == 1 ? "%u entry of the object %s is not known to all members"
                                     : "%u entries of the object %s are not known to all members",
            purgeable->unstable, plan->request->object);
    return purgeable->unfinished == 0 && purgeable->unstable == 0;
}

static bool decide(SyncdPurgePlan *plan, GError **error)
{
    SyncdPolicyRequest asked = {{NULL}};
    g_auto(SyncdPlace) place = {0};
    const SyncdRecordRow *row;
    if (!syncd_service_known_record(plan->service, SYNCD_FAMILY_OBJECT, plan->request->object, &row,
                                    error))
        return false;
    asked.fields[SYNCD_FIELD_LANE] = SYNCD_LANE_TOMBSTONE;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = SYNCD_POLICY_DATA_CLASS;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = "sync.tombstone.apply";
    asked.fields[SYNCD_FIELD_OBJECT] = plan->request->object;
    syncd_ask_about_scope(&asked, plan->request->scope, plan->scope->class);
    if (plan->record) {
        syncd_place_of_object(row, &place);
        asked.fields[SYNCD_FIELD_OBJECT_TYPE] = place.object_type;
        asked.fields[SYNCD_FIELD_PROFILE] = place.object_profile;
        asked.fields[SYNCD_FIELD_WORKSPACE] = row->columns[SYNCD_COLUMN_WORKSPACE];
        if (place.object_class != NULL)
            asked.fields[SYNCD_FIELD_DATA_CLASS] = place.object_class;
    }
    plan->decisions =
        syncd_service_decide_purge(plan->service, plan->caller, plan->actor, &asked, error);
    return plan->decisions != NULL;
}

static bool require_caller(SyncdPurgePlan *plan, GError **error)
{
    g_autoptr(SyncdMandate) mandate =
        syncd_service_require_mandate(plan->service, plan->caller, error);
    if (mandate == NULL ||
        !syncd_service_require_capability(plan->service, plan->caller, mandate, "delete", error))
        return false;
    plan->actor = g_strdup(mandate->actor);
    plan->subject = syncd_service_subject_of(plan->service, plan->actor, error);
    return plan->subject != NULL;
}

/* ---- the document ---- */

void syncd_purge_write_unreachable(SyncdJsonWriter *writer)
{
    static const char *const places[] = {
        "backups and copies of the state directory",
        "snapshots of the file system",
        "blocks of the disk and cells of flash memory that held earlier versions of its files",
        "copies that callers of this daemon, or other devices, have made",
        ("reasons and evidence that were given when tasks of its operations ended, and the "
         "idempotency keys of those operations: they stand in entries of the tasks, which stay"),
    };
    syncd_json_name(writer, "unreachable");
    syncd_json_begin_array(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
        syncd_json_string(writer, places[i]);
    syncd_json_end_array(writer);
}

/* Of the list of leaves: which entries, and each of them whole. */
static void write_entries_digest(const SyncdPurgePlan *plan, SyncdJsonWriter *writer)
{
    char digest[SYNCD_DIGEST_SIZE];
    g_autoptr(GByteArray) leaves = g_byte_array_new();
    for (guint i = 0; i < plan->purgeable->entries->len; i++) {
        const SyncdPurgedEntry *entry = plan->purgeable->entries->pdata[i];
        g_byte_array_append(leaves, entry->leaf.bytes, sizeof entry->leaf.bytes);
    }
    SyncdHash hash = syncd_hash(leaves->data, leaves->len);
    syncd_hash_to_digest(&hash, digest);
    syncd_json_member_string(writer, "entries_digest", digest);
}

static guint count_shared(const SyncdPurgePlan *plan)
{
    guint n = 0;
    for (guint i = 0; i < plan->purgeable->chunks->len; i++)
        n += ((const SyncdPurgedChunk *)plan->purgeable->chunks->pdata[i])->shared;
    return n;
}

static void write_amount(const SyncdPurgePlan *plan, SyncdJsonWriter *writer)
{
    const SyncdPurgeable *purgeable = plan->purgeable;
    syncd_json_member_uint(writer, "entries", purgeable->entries->len);
    syncd_json_member_uint(writer, "bytes", purgeable->bytes);
    syncd_json_member_uint(writer, "chunks", purgeable->chunks->len);
    syncd_json_member_uint(writer, "chunk_bytes", purgeable->chunk_bytes);
}

char *syncd_purge_plan_preview(const SyncdPurgePlan *plan)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    GString *out = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "scope", plan->request->scope);
    write_amount(plan, &writer);
    write_entries_digest(plan, &writer);
    syncd_json_member_bool(&writer, "record", plan->record);
    syncd_json_member_string(&writer, "policy_decision_ref", syncd_purge_plan_decision(plan));
    syncd_json_end_object(&writer);
    syncd_canonical_append(out, syncd_json_root(text->str, text->len));
    return g_string_free(out, FALSE);
}

static void write_plan(const SyncdPurgePlan *plan, const char *digest, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_PURGE_PLAN_SCHEMA);
    syncd_json_member_string(&writer, "object_id", plan->request->object);
    syncd_json_member_string(&writer, "scope", plan->request->scope);
    syncd_json_member_string(&writer, "scope_id", plan->scope->id);
    write_amount(plan, &writer);
    syncd_json_member_uint(&writer, "shared_chunks", count_shared(plan));
    syncd_json_member_bool(&writer, "record", plan->record);
    syncd_json_member_string(&writer, "policy_decision_ref", syncd_purge_plan_decision(plan));
    write_entries_digest(plan, &writer);
    if (plan->along != NULL)
        syncd_json_member_value(&writer, "copies",
                                syncd_json_root(plan->along, strlen(plan->along)));
    syncd_purge_write_unreachable(&writer);
    if (digest != NULL)
        syncd_json_member_string(&writer, "digest", digest);
    syncd_json_end_object(&writer);
}

char *syncd_purge_plan_write(const SyncdPurgePlan *plan)
{
    GString *text = g_string_new(NULL);
    write_plan(plan, plan->digest, text);
    return g_string_free(text, FALSE);
}

static void digest_plan(SyncdPurgePlan *plan)
{
    g_autoptr(GString) text = g_string_new(NULL);
    write_plan(plan, NULL, text);
    SyncdHash hash = syncd_hash_canonical(syncd_json_root(text->str, text->len));
    syncd_hash_to_digest(&hash, plan->digest);
}

SyncdPurgePlan *syncd_purge_plan_new(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdPurgeRequest *request, GError **error)
{
    g_autoptr(SyncdPurgePlan) plan = g_new0(SyncdPurgePlan, 1);
    plan->service = service;
    plan->caller = caller;
    plan->request = request;
    if (!require_caller(plan, error) || !check_object(request->object, error) ||
        !syncd_service_require_scope_reach(service, caller, plan->actor, request->scope, error) ||
        !syncd_service_require_scope(service, request->scope, &plan->scope, error) ||
        !check_state(plan, error) || !check_retention(plan, error) || !decide(plan, error) ||
        !syncd_service_check_no_unproven(service, caller, error))
        return NULL;
    return g_steal_pointer(&plan);
}

bool syncd_purge_plan_complete(SyncdPurgePlan *plan, SyncdPurgeable *purgeable, GError **error)
{
    plan->purgeable = purgeable;
    if (!check_ended(plan, error))
        return false;
    digest_plan(plan);
    g_autoptr(GString) entry = syncd_purge_write(plan, error);
    return entry != NULL;
}
