#include "service/migration.h"

#include <string.h>

#define RUN_KIND "schema.migrated"
#define PAGE SYNCD_LIST_MAX /* objects of the schema, of whatever version */

void syncd_migration_plan_free(SyncdMigrationPlan *plan)
{
    if (plan == NULL)
        return;
    g_free(plan->actor);
    syncd_mandate_unref(plan->mandate);
    syncd_manifest_clear(&plan->manifest);
    syncd_migration_free(plan->back);
    syncd_record_row_clear(&plan->target);
    g_free(plan->next_cursor);
    g_ptr_array_unref(plan->objects);
    g_free(plan);
}

guint syncd_migration_plan_failures(const SyncdMigrationPlan *plan)
{
    guint n = 0;
    for (guint i = 0; i < plan->objects->len; i++)
        n += ((const SyncdMigrationObject *)plan->objects->pdata[i])->reason != NULL;
    return n;
}

/* ---- who asks, and for what ---- */

static bool take_caller(SyncdMigrationPlan *plan, const SyncdCaller *caller, GError **error)
{
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(plan->service, caller, error);
    if (mandate == NULL ||
        !syncd_service_require_capability(plan->service, caller, mandate, "migrate_schema", error))
        return false;
    plan->caller = *caller;
    plan->caller.rehearses = true;
    plan->actor = g_strdup(mandate->actor);
    plan->mandate = g_steal_pointer(&mandate);
    return true;
}

bool syncd_migration_reaches(const SyncdMigrationPlan *plan, const SyncdRecordRow *row,
                             bool *ret_reaches, GError **error)
{
    const SyncdReach reach = {.mandate = plan->mandate};
    return syncd_service_reaches_record(plan->service, &reach, row, ret_reaches, error);
}

/* Both ways lead to a schema that stands. */
static bool find_target(SyncdMigrationPlan *plan, GError **error)
{
    bool found;
    g_autofree char *name = syncd_migration_end_name(plan->to);
    if (!syncd_registry_find_live(plan->service, SYNCD_FAMILY_SCHEMA, name, &plan->target, &found,
                                  error) ||
        (found && !syncd_migration_reaches(plan, &plan->target, &found, error)))
        return false;
    if (!found)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see `sourceos-syncd schemas list`; a version that was revoked does "
                             "not come back",
                             "There is no schema %s any more (schema_unknown)", name);
    return found;
}

static bool take_manifest(SyncdMigrationPlan *plan, const char *id, bool back, GError **error)
{
    bool found;
    if (!syncd_manifest_read(plan->service, id, &plan->manifest, error) ||
        !syncd_migration_reaches(plan, &plan->manifest.row, &found, error))
        return false;
    if (!found)
        return syncd_manifest_refuse_absent(id, error);
    const SyncdMigration *migration = plan->manifest.migration;
    plan->back = syncd_migration_invert(migration);
    plan->from = back ? &migration->to : &migration->from;
    plan->to = back ? &migration->from : &migration->to;
    return find_target(plan, error);
}

/* ---- forward ---- */

static bool check_standing(SyncdMigrationPlan *plan, GError **error)
{
    const SyncdRecordRow *row = &plan->manifest.row;
    if (strcmp(row->state, SYNCD_STATE_ACTIVE) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "register another one",
                             "The migration %s is %s", row->id, row->state);
        return false;
    }
    return syncd_manifest_check_signature(plan->service, &plan->caller, plan->manifest.record,
                                          plan->manifest.migration->author, error);
}

static bool has_ended(const SyncdRecordRow *row)
{
    static const char *const ends[] = {"deleted", "tombstoned", NULL};
    return g_strv_contains(ends, row->state);
}

static bool plan_row(SyncdMigrationPlan *plan, const SyncdRecordRow *row, GError **error)
{
    bool reached;
    SyncdMigrationObject *object = NULL;
    if (!syncd_migration_reaches(plan, row, &reached, error))
        return false;
    if (!reached)
        return true;
    plan->examined++;
    if (!has_ended(row) && !syncd_migration_object_plan(plan, row, &object, error))
        return false;
    if (object != NULL)
        g_ptr_array_add(plan->objects, object);
    return true;
}

static bool plan_page(SyncdMigrationPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    SyncdRecordQuery query = {
        .family = syncd_family(SYNCD_FAMILY_OBJECT),
        .columns = {[SYNCD_COLUMN_SCHEMA] = plan->from->schema_id},
        .cursor = plan->request->cursor,
        .limit = PAGE,
    };
    if (!syncd_store_list_records(plan->service->store, &query, &rows, &plan->next_cursor, error))
        return false;
    for (guint i = 0; i < rows->len; i++)
        if (!plan_row(plan, rows->pdata[i], error))
            return false;
    return true;
}

static bool plan_forward(SyncdMigrationPlan *plan, GError **error)
{
    return take_manifest(plan, plan->request->migration, false, error) &&
           check_standing(plan, error) && plan_page(plan, error);
}

/* ---- back ---- */

bool syncd_migration_read_run(SyncdService *service, const SyncdCaller *caller,
                              const char *operation, SyncdBody *ret_body, SyncdJson *ret_report,
                              GError **error)
{
    g_auto(SyncdView) view = {0};
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_service_view(service, caller, &view, error) ||
        !syncd_service_read_entry(service, &view, operation, &entry, error))
        return false;
    g_autofree char *kind = syncd_bytes_dup(entry.header.kind);
    if (strcmp(kind, RUN_KIND) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see `sourceos-syncd events list --type=sync.schema.migrated`",
                             "%.*s is no migration that was applied", SYNCD_ID_TOKEN_MAX,
                             operation);
        return false;
    }
    if (!syncd_store_read_body(service->store, &entry, ret_body, error) ||
        !syncd_json_check(ret_body->content, ret_body->content_size, SYNCD_JSON_MUST_BE_OBJECT,
                          error))
        return false;
    *ret_report = syncd_json_root(ret_body->content, ret_body->content_size);
    return true;
}

static bool undo_objects(SyncdMigrationPlan *plan, SyncdJson report, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson done;
    syncd_json_iter_init(&iter, syncd_json_member(report, "objects"));
    while (syncd_json_iter_next(&iter, NULL, &done)) {
        SyncdMigrationObject *object;
        if (!syncd_migration_object_undo(plan, done, &object, error))
            return false;
        g_ptr_array_add(plan->objects, object);
    }
    plan->examined = plan->objects->len;
    plan->next_cursor = g_strdup("");
    return true;
}

static bool plan_back(SyncdMigrationPlan *plan, GError **error)
{
    SyncdJson report;
    g_auto(SyncdBody) body = {0};
    if (!syncd_migration_read_run(plan->service, &plan->caller, plan->request->run, &body, &report,
                                  error))
        return false;
    if (!syncd_json_is(syncd_json_member(report, "direction"), "forward")) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "migrate again instead",
                             "%s is a rollback itself", plan->request->run);
        return false;
    }
    g_autofree char *id = syncd_record_member(report, "migration_id");
    return take_manifest(plan, id, true, error) && undo_objects(plan, report, error);
}

/* What the open turn holds is not durable, and a turn of its own takes nothing from others when it
 * is taken back. */
SyncdMigrationPlan *syncd_migration_plan_new(SyncdService *service, const SyncdCaller *caller,
                                             const SyncdMigrationRequest *request, GError **error)
{
    g_autoptr(SyncdMigrationPlan) plan = g_new0(SyncdMigrationPlan, 1);
    plan->service = service;
    plan->request = request;
    plan->objects = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_migration_object_free);
    if (!take_caller(plan, caller, error) || !syncd_service_commit_turn(service, error) ||
        !(request->run != NULL ? plan_back : plan_forward)(plan, error))
        return NULL;
    syncd_migration_report_digest(plan);
    return g_steal_pointer(&plan);
}
