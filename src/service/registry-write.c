/* A change that passed every check, on its way into the log. */
#include "service/registry.h"

#include <string.h>

static bool open_home(SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    SyncdService *service = change->service;
    bool had_turn = syncd_service_has_turn(service);
    if (change->scope_id != NULL)
        return true;
    if (!syncd_scope_parse(change->scope_text, &class, &name, error))
        return false;
    bool done = syncd_store_open_scope(service->store, class, name, change->actor, &scope, error);
    syncd_service_tell_turn(service, had_turn);
    if (!done)
        return false;
    change->scope_id = g_strdup(scope->id);
    return true;
}

/* ---- the entry ---- */

bool syncd_registry_is_deletion(const SyncdChange *change)
{
    return change->verb == SYNCD_VERB_REVOKE && change->family == syncd_family(SYNCD_FAMILY_OBJECT);
}

const char *syncd_registry_lane(const SyncdChange *change)
{
    if (change->lane != NULL)
        return change->lane;
    if (change->migrates)
        return SYNCD_LANE_MIGRATION;
    if (syncd_registry_is_deletion(change))
        return SYNCD_LANE_TOMBSTONE;
    return change->family->configuration ? SYNCD_LANE_AUDIT : SYNCD_LANE_NORMAL;
}

bool syncd_registry_write_entry(SyncdChange *change, const char *decision,
                                SyncdReceipt *ret_receipt, GError **error)
{
    g_autofree char *meta = syncd_registry_make_meta(change);
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_registry_compose(change, decision, content);
    SyncdDraft draft = {
        .kind = change->step->kind,
        .actor = change->actor,
        .object = change->family->opaque ? change->id : "",
        .decision = decision,
        .engine = "",
        .lane = syncd_registry_lane(change),
        .schema_id = change->family->schema,
        .schema_version = 1,
        .idempotency_key = change->request->idempotency_key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(change->service, change->scope_id, &draft, ret_receipt, error);
}

/* ---- the end of an object ---- */

/* Whoever ends the record of an object deletes the object, with all that belongs to it. */
static bool delete_object(SyncdChange *change, const char *decision, SyncdReceipt *ret_receipt,
                          GError **error)
{
    SyncdService *service = change->service;
    g_autofree char *request = NULL;
    const SyncdDeleting deleting = {change->actor, change->id, change->scope_id, decision,
                                    change->data_class};
    return syncd_service_request_deletion(service, &deleting, &request, error) &&
           syncd_service_begin_deletion(service, &deleting, request, error) &&
           syncd_registry_write_entry(change, decision, ret_receipt, error) &&
           syncd_service_end_deletion(service, &deleting, request, error);
}

static bool delete_whole(SyncdChange *change, const char *decision, SyncdReceipt *ret_receipt,
                         GError **error)
{
    g_autoptr(GError) failure = NULL;
    return syncd_service_begin_whole(change->service, error) &&
           syncd_service_end_whole(change->service,
                                   delete_object(change, decision, ret_receipt, &failure), &failure,
                                   error);
}

static bool write_change(SyncdChange *change, const SyncdDecisions *decisions,
                         SyncdRegistered *ret_registered, GError **error)
{
    g_auto(SyncdReceipt) receipt = {0};
    const char *decision = decisions->decisions[0].id;
    if (!(syncd_registry_is_deletion(change) ? delete_whole : syncd_registry_write_entry)(
            change, decision, &receipt, error))
        return false;
    *ret_registered = (SyncdRegistered){g_steal_pointer(&change->id), g_steal_pointer(&receipt.op),
                                        receipt.pos, false};
    return true;
}

/* ---- all of it ---- */

bool syncd_registry_write(SyncdChange *change, SyncdDecisions *decisions,
                          SyncdRegistered *ret_registered, GError **error)
{
    return open_home(change, error) &&
           syncd_service_record_decisions(change->service, change->actor, decisions, error) &&
           write_change(change, decisions, ret_registered, error);
}

/* Opening a scope is an entry of its own. */
bool syncd_registry_write_whole(SyncdChange *change, SyncdDecisions *decisions,
                                SyncdRegistered *ret_registered, GError **error)
{
    g_autoptr(GError) failure = NULL;
    return syncd_service_begin_whole(change->service, error) &&
           syncd_service_end_whole(
               change->service, syncd_registry_write(change, decisions, ret_registered, &failure),
               &failure, error);
}

bool syncd_registry_may_write(const SyncdChange *change, GError **error)
{
    const char *class, *name;
    SyncdService *service = change->service;
    if (change->scope_id != NULL)
        return syncd_store_may_write(service->store, error) &&
               syncd_service_may_append(service, change->actor, change->scope_id,
                                        change->step->kind, error);
    return syncd_scope_parse(change->scope_text, &class, &name, error) &&
           syncd_service_require_scope_reach(service, change->caller, change->actor,
                                             change->scope_text, error) &&
           syncd_store_may_open_scope(service->store, class, name, error);
}
