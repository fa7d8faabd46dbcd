#include "service/files.h"

#include "domain/file-content.h"
#include "service/registry.h"

#include <string.h>

#define ROOTS_PAGE 100u
#define ENGINE "workspace"
#define DELETED "object.deleted"

void syncd_root_free(SyncdRoot *self)
{
    if (self == NULL)
        return;
    g_free(self->id);
    g_free(self->workspace);
    g_free(self->directory);
    g_free(self->scope_id);
    g_free(self->ignore);
    g_free(self->pause_reason);
    g_free(self);
}

SyncdRoot *syncd_root_copy(const SyncdRoot *root)
{
    SyncdRoot *copy = g_memdup2(root, sizeof *root);
    copy->id = g_strdup(root->id);
    copy->workspace = g_strdup(root->workspace);
    copy->directory = g_strdup(root->directory);
    copy->scope_id = g_strdup(root->scope_id);
    copy->ignore = g_strdup(root->ignore);
    copy->pause_reason = g_strdup(root->pause_reason);
    return copy;
}

bool syncd_root_keeps_replaced(const SyncdRoot *root, guint64 size)
{
    return root->keeps && root->keep_versions > 0 && size <= root->keep_max;
}

bool syncd_root_keeps_as(const SyncdRoot *root, const SyncdRoot *other)
{
    return root->keeps == other->keeps && root->keep_versions == other->keep_versions &&
           root->keep_max == other->keep_max;
}

guint64 syncd_service_clock(const SyncdService *service)
{
    return syncd_service_monotonic(service);
}

SyncdStore *syncd_service_store(SyncdService *service)
{
    return service->store;
}

/* That its record cannot be read keeps no other from being served. */
static void read_record(SyncdService *service, const SyncdRecordRow *row, SyncdRoot *root)
{
    g_auto(SyncdBody) body = {0};
    SyncdJson record;
    gint64 versions = 0, max = 0, days = SYNCD_FILE_DELETED_DAYS;
    if (!syncd_registry_read(service, row, &body, &record, NULL))
        return;
    g_autofree char *cause = syncd_record_member(record, "pause_cause");
    SyncdJson keep = syncd_json_member(record, SYNCD_ROOT_KEEP);
    root->asks = root->paused && strcmp(cause, SYNCD_PAUSE_DELETIONS) == 0;
    g_free(root->pause_reason);
    root->pause_reason = syncd_record_member(record, "pause_reason");
    root->keeps = syncd_json_get_int64(syncd_json_member(keep, "versions"), &versions) &&
                  syncd_json_get_int64(syncd_json_member(keep, "max_bytes"), &max);
    syncd_json_get_int64(syncd_json_member(keep, "deleted_days"), &days);
    root->deleted_days = (guint)CLAMP(days, 0, (gint64)SYNCD_FILE_DELETED_DAYS_MAX);
    root->keep_versions = (guint)CLAMP(versions, 0, (gint64)SYNCD_FILE_VERSIONS_MAX);
    root->keep_max = (guint64)CLAMP(max, 0, (gint64)SYNCD_FILE_KEPT_MAX);
}

/* Those of a record that cannot be read are none. */
static char *find_rules(SyncdService *service, const char *workspace)
{
    g_auto(SyncdRecordRow) row = {0};
    g_auto(SyncdBody) body = {0};
    SyncdJson record;
    bool found;
    if (!syncd_registry_find_live(service, SYNCD_FAMILY_WORKSPACE, workspace, &row, &found, NULL) ||
        !found || !syncd_registry_read(service, &row, &body, &record, NULL))
        return g_strdup("");
    GString *text = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson line;
    syncd_json_iter_init(&iter, syncd_json_member(record, "ignore_rules"));
    while (syncd_json_iter_next(&iter, NULL, &line)) {
        g_autofree char *rule = syncd_json_dup_text(line);
        if (rule != NULL)
            g_string_append_printf(text, "%s\n", rule);
    }
    return g_string_free(text, FALSE);
}

bool syncd_service_each_root(SyncdService *service, SyncdRootFunc take, void *data, GError **error)
{
    SyncdRecordQuery query = {.family = syncd_family(SYNCD_FAMILY_ROOT), .limit = ROOTS_PAGE};
    g_autofree char *cursor = g_strdup("");
    do {
        g_autoptr(GPtrArray) rows = NULL;
        g_autofree char *next = NULL;
        query.cursor = cursor;
        if (!syncd_store_list_records(service->store, &query, &rows, &next, error))
            return false;
        for (guint i = 0; i < rows->len; i++) {
            const SyncdRecordRow *row = rows->pdata[i];
            if (strcmp(row->state, SYNCD_STATE_REVOKED) != 0 && !take(service, row, data, error))
                return false;
        }
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    return true;
}

static bool add_root(SyncdService *service, const SyncdRecordRow *row, void *data, GError **error)
{
    const char *class, *name, *workspace = row->columns[SYNCD_COLUMN_WORKSPACE];
    g_autoptr(SyncdScope) scope = NULL;
    if (!syncd_scope_parse(workspace, &class, &name, NULL))
        return true;
    if (!syncd_store_find_scope(service->store, class, name, &scope, error))
        return false;
    if (scope == NULL)
        return true;
    SyncdRoot *root = g_new0(SyncdRoot, 1);
    *root = (SyncdRoot){
        .id = g_strdup(row->id),
        .workspace = g_strdup(workspace),
        .directory = g_strdup(row->columns[SYNCD_COLUMN_TYPE]),
        .scope_id = g_strdup(scope->id),
        .since = row->first,
        .ignore = find_rules(service, workspace),
        .paused = strcmp(row->state, SYNCD_STATE_ACTIVE) != 0,
        .pause_reason = g_strdup(""),
        .deleted_days = SYNCD_FILE_DELETED_DAYS,
    };
    read_record(service, row, root);
    g_ptr_array_add(data, root);
    return true;
}

bool syncd_service_list_roots(SyncdService *service, GPtrArray **ret_roots, GError **error)
{
    g_autoptr(GPtrArray) roots = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_root_free);
    if (!syncd_service_each_root(service, add_root, roots, error))
        return false;
    *ret_roots = g_steal_pointer(&roots);
    return true;
}

char *syncd_service_new_operation(SyncdService *service)
{
    return syncd_id_new(service->sources, "op");
}

/* Where nobody knows even the daemon, nothing is recorded as anybody's. */
const char *syncd_service_nobody(SyncdService *service)
{
    return syncd_service_find_own(service, NULL) ? service->own_actor : "";
}

uid_t syncd_service_owner(const SyncdService *service)
{
    return service->uid;
}

/* Whoever it is may write there, and policy lets him. */
static SyncdDecisions *decide(SyncdService *service, const char *workspace,
                              const SyncdCaller *caller, bool deletes, char **ret_actor,
                              GError **error)
{
    const char *class, *name;
    g_auto(SyncdPlace) place = {0};
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    SyncdPolicyRequest asked = {{NULL}};
    if (mandate == NULL || !syncd_scope_parse(workspace, &class, &name, error) ||
        !syncd_service_require_capability(service, caller, mandate, deletes ? "delete" : "write",
                                          error) ||
        !syncd_service_check_scope_place(service, caller, mandate, workspace, class, &place, error))
        return NULL;
    syncd_ask_about_scope(&asked, workspace, class);
    asked.fields[SYNCD_FIELD_LANE] = deletes ? SYNCD_LANE_TOMBSTONE : SYNCD_LANE_NORMAL;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = SYNCD_POLICY_DATA_CLASS;
    asked.fields[SYNCD_FIELD_OBJECT_TYPE] = "file";
    if (ret_actor != NULL)
        *ret_actor = g_strdup(mandate->actor);
    return syncd_service_decide_in(service, caller, mandate->actor, &asked, &place, error);
}

bool syncd_service_may_write_files(SyncdService *service, const SyncdCaller *caller,
                                   const char *workspace, bool deletes, char **ret_actor,
                                   GError **error)
{
    g_autoptr(SyncdDecisions) decisions =
        decide(service, workspace, caller, deletes, ret_actor, error);
    return decisions != NULL;
}

bool syncd_restore_only_accepts(const SyncdRestore *restore)
{
    return restore->accepts && restore->chunks == NULL;
}

void syncd_restore_free(SyncdRestore *self)
{
    if (self == NULL)
        return;
    g_free(self->workspace);
    g_free(self->folder);
    g_free(self->name);
    g_free(self->from);
    g_free(self->unit);
    g_free(self->keep_as);
    g_free(self->kept_as);
    g_clear_pointer(&self->chunks, g_bytes_unref);
    g_clear_pointer(&self->modes, g_array_unref);
    g_free(self);
}

bool syncd_service_record_files(SyncdService *service, const SyncdRoot *root,
                                const SyncdFilesDraft *files, guint64 *ret_pos, GError **error)
{
    const char *kind = files->kind;
    bool deletes = strcmp(kind, DELETED) == 0;
    const char *nobody = syncd_service_nobody(service);
    bool unknown = *nobody != '\0' && g_strcmp0(files->actor, nobody) == 0;
    /* What nobody can be named for was found all the same: it is asked whether whose workspace it
     * is may have it so. */
    const SyncdCaller who = {.uid = service->uid, .agent = unknown ? NULL : files->actor};
    g_autofree char *actor = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    g_autoptr(SyncdDecisions) decisions =
        decide(service, root->workspace, files->caller != NULL ? files->caller : &who, deletes,
               &actor, error);
    if (decisions == NULL || !syncd_service_record_decisions(service, actor, decisions, error))
        return false;
    const SyncdDraft draft = {
        .kind = kind,
        .actor = unknown ? nobody : actor,
        .op = files->operation,
        .object = "",
        .decision = decisions->decisions[0].id,
        .engine = ENGINE,
        .lane = deletes ? SYNCD_LANE_TOMBSTONE : SYNCD_LANE_NORMAL,
        .schema_id = SYNCD_FILES_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = files->content,
        .rows = files->rows,
        .n_rows = files->n_rows,
    };
    if (!syncd_service_append(service, root->scope_id, &draft, &receipt, error))
        return false;
    *ret_pos = receipt.pos;
    return true;
}
