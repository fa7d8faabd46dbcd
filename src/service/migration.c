#include "service/migration.h"

#include <string.h>

void syncd_migrated_clear(SyncdMigrated *migrated)
{
    g_clear_pointer(&migrated->operation, g_free);
    g_clear_pointer(&migrated->report, g_free);
}

char *syncd_service_plan_migration(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdMigrationRequest *request, GError **error)
{
    SyncdCaller signer;
    if (!syncd_migration_heed_claim(service, caller, request, false, &signer, error))
        return NULL;
    g_autoptr(SyncdMigrationPlan) plan = syncd_migration_plan_new(service, &signer, request, error);
    return plan != NULL ? syncd_migration_report_write(plan, "planned") : NULL;
}

char *syncd_service_migration_report(SyncdService *service, const SyncdCaller *caller,
                                     const char *operation, GError **error)
{
    SyncdJson report;
    g_auto(SyncdBody) body = {0};
    return syncd_migration_read_run(service, caller, operation, &body, &report, error)
               ? g_strndup(body.content, body.content_size)
               : NULL;
}

/* ---- applying ---- */

static bool check_plan(const SyncdMigrationPlan *plan, GError **error)
{
    guint failures = syncd_migration_plan_failures(plan);
    if (plan->request->run != NULL && failures > 0) {
        syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                             "see which with `sourceos-syncd migrations rollback --dry-run`",
                             "Nothing was rolled back: %u of %u objects cannot go back, as when "
                             "they were changed since",
                             failures, plan->objects->len);
        return false;
    }
    if (g_strcmp0(plan->request->digest, plan->digest) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST, "plan again, and look at the new report",
                         "Nothing was done: it would be something else than what was shown, %s",
                         plan->digest);
    return false;
}

static bool write_object(SyncdMigrationObject *object, GError **error)
{
    g_auto(SyncdRegistered) registered = {0};
    if (!syncd_registry_write(&object->change, object->decisions, &registered, error)) {
        g_prefix_error(error, "%s: ", object->object);
        return false;
    }
    object->operation = g_steal_pointer(&registered.operation);
    return true;
}

/* An entry of the device: what it did about the objects, whose own entries are in their feeds. */
static bool write_report(const SyncdMigrationPlan *plan, SyncdDecisions *decisions,
                         SyncdMigrated *ret_migrated, GError **error)
{
    SyncdService *service = plan->service;
    g_auto(SyncdReceipt) receipt = {0};
    g_autofree char *report = syncd_migration_report_write(plan, "applied"),
                    *meta = syncd_migration_make_meta(plan->request);
    SyncdDraft draft = {
        .kind = "schema.migrated",
        .actor = plan->actor,
        .object = "",
        .decision = decisions->decisions[0].id,
        .engine = "",
        .lane = SYNCD_LANE_MIGRATION,
        .schema_id = SYNCD_MIGRATION_REPORT_SCHEMA,
        .schema_version = 1,
        .idempotency_key = plan->request->idempotency_key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES_TEXT(report),
    };
    if (!syncd_service_record_decisions(service, plan->actor, decisions, error) ||
        !syncd_service_append(service, syncd_store_device_id(service->store), &draft, &receipt,
                              error))
        return false;
    *ret_migrated =
        (SyncdMigrated){g_steal_pointer(&receipt.op), receipt.pos, g_steal_pointer(&report)};
    return true;
}

static bool write_all(const SyncdMigrationPlan *plan, SyncdDecisions *decisions,
                      SyncdMigrated *ret_migrated, GError **error)
{
    for (guint i = 0; i < plan->objects->len; i++) {
        SyncdMigrationObject *object = plan->objects->pdata[i];
        if (object->reason == NULL && !write_object(object, error))
            return false;
    }
    return write_report(plan, decisions, ret_migrated, error);
}

static SyncdDecisions *decide(const SyncdMigrationPlan *plan, const SyncdCaller *caller,
                              GError **error)
{
    SyncdPolicyRequest asked = {{NULL}};
    asked.fields[SYNCD_FIELD_LANE] = SYNCD_LANE_MIGRATION;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = SYNCD_POLICY_DATA_CLASS;
    syncd_ask_about_scope(&asked, "device", "device");
    return syncd_service_decide(plan->service, caller, plan->actor, &asked, error);
}

bool syncd_service_apply_migration(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdMigrationRequest *request,
                                   SyncdMigrated *ret_migrated, GError **error)
{
    SyncdCaller signer;
    guint64 first;
    if (!syncd_migration_heed_claim(service, caller, request, true, &signer, error) ||
        !syncd_migration_find_first(service, &signer, request, &first, error))
        return false;
    if (first != 0)
        return syncd_migration_take_first(service, request, first, ret_migrated, error);
    /* A plan is made of what is committed, so nothing may be left in the open turn. */
    if (!syncd_service_begin_whole(service, error))
        return false;
    g_autoptr(SyncdMigrationPlan) plan = syncd_migration_plan_new(service, &signer, request, error);
    if (plan == NULL || !check_plan(plan, error))
        return false;
    if (plan->objects->len == syncd_migration_plan_failures(plan)) {
        *ret_migrated =
            (SyncdMigrated){g_strdup(""), 0, syncd_migration_report_write(plan, "applied")};
        return true;
    }
    g_autoptr(SyncdDecisions) decisions = decide(plan, &signer, error);
    g_autoptr(GError) failure = NULL;
    return decisions != NULL && syncd_service_begin_whole(service, error) &&
           syncd_service_end_whole(service, write_all(plan, decisions, ret_migrated, &failure),
                                   &failure, error);
}
