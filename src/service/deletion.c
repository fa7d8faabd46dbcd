/* Deleting objects, and having them again. */
#include "service/internal.h"

#include "base/json-writer.h"

#define DELETION_SCHEMA "sourceos.deletion/v1"

/* ---- may it be? ---- */

static bool check_delete(const SyncdAdmission *admission, const SyncdDeletion *deletion,
                         GError **error)
{
    SyncdDeletionState state = deletion != NULL ? deletion->state : SYNCD_DELETION_RESTORED;
    if (*admission->request->object == '\0') {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/object must name what is to be deleted: that is what the lane tombstone "
                        "is for");
        return false;
    }
    if (syncd_deletion_move(&state, SYNCD_DELETION_REQUEST))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED, "nothing more has to be done",
                         "The object %s is deleted already (%s)", admission->request->object,
                         syncd_deletion_state_name(state));
    return false;
}

/* What has a record is there, and so is what operations are about; nothing else can be deleted. */
static bool check_is_there(SyncdService *service, const SyncdAdmission *admission,
                           const SyncdRecordRow *row, const char *scope_id, GError **error)
{
    const char *object = admission->request->object;
    bool there = row != NULL;
    if (!there && scope_id != NULL &&
        !syncd_store_has_object(service->store, scope_id, object, &there, error))
        return false;
    if (!there)
        syncd_set_error_next(
            error, SYNCD_ERROR_NOT_FOUND, "check the spelling, and in which scope it is",
            "There is no object %s in %s to be deleted", object, admission->request->scope);
    return there;
}

static bool check_restore(const SyncdAdmission *admission, const SyncdDeletion *deletion,
                          GError **error)
{
    SyncdDeletionState state = deletion != NULL ? deletion->state : SYNCD_DELETION_RESTORED;
    if (!admission->request->restore && state == SYNCD_DELETION_RESTORED)
        return true;
    if (admission->request->restore && syncd_deletion_move(&state, SYNCD_DELETION_RESTORE))
        return true;
    if (state == SYNCD_DELETION_PURGED || state == SYNCD_DELETION_PROVEN)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "give what is new another id: this one is that of the purged object",
                             "The object %s was deleted and purged, and cannot be restored",
                             admission->request->object);
    else if (admission->request->restore)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "leave \"restore\" (`--restore`) out", "The object %s is not deleted",
                             admission->request->object);
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "set \"restore\" (`--restore`) to have a new version of it",
                             "The object %s was deleted (%s)", admission->request->object,
                             syncd_deletion_state_name(state));
    return false;
}

bool syncd_service_find_deletion(SyncdService *service, const char *object,
                                 const SyncdRecordRow *row, const char *scope_id,
                                 SyncdDeletion *ret_deletion, bool *ret_found, GError **error)
{
    const char *home = row != NULL ? row->scope : scope_id;
    *ret_found = false;
    if (home != NULL &&
        !syncd_store_find_deletion(service->store, home, object, ret_deletion, ret_found, error))
        return false;
    return *ret_found || row != NULL ||
           syncd_store_find_purged_record(service->store, object, ret_deletion, ret_found, error);
}

bool syncd_service_is_delete(const SyncdAdmission *admission)
{
    return strcmp(admission->lane, SYNCD_LANE_TOMBSTONE) == 0;
}

/* What has a record lies where that does. */
static bool check_home(const SyncdAdmission *admission, const SyncdRecordRow *row,
                       const char *scope_id, GError **error)
{
    if (row == NULL || g_strcmp0(row->scope, scope_id) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "write to the scope of its workspace",
                         "/scope: the object %s is registered in another one",
                         admission->request->object);
    return false;
}

bool syncd_service_check_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, GError **error)
{
    SyncdDeletion deletion;
    const SyncdRecordRow *row = NULL;
    const char *object = admission->request->object;
    bool found = false, deletes = syncd_service_is_delete(admission);
    if (*object != '\0' &&
        !syncd_service_known_record(service, SYNCD_FAMILY_OBJECT, object, &row, error))
        return false;
    if ((deletes || admission->request->restore) && !check_home(admission, row, scope_id, error))
        return false;
    if (*object != '\0' &&
        !syncd_service_find_deletion(service, object, row, scope_id, &deletion, &found, error))
        return false;
    if (deletes)
        return check_delete(admission, found ? &deletion : NULL, error) &&
               (found || check_is_there(service, admission, row, scope_id, error));
    return check_restore(admission, found ? &deletion : NULL, error);
}

/* ---- what happens ---- */

static void write_content(const SyncdDeleting *deleting, const char *kind, const char *request,
                          GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", DELETION_SCHEMA);
    syncd_json_member_string(&writer, "object_id", deleting->object);
    syncd_json_member_string(&writer, "scope_id", deleting->scope_id);
    if (request != NULL)
        syncd_json_member_string(&writer, "deletion_request", request);
    /* Without members to tell, it has been told to all of them. */
    if (strcmp(kind, syncd_deletion_kind_of(SYNCD_DELETION_PROPAGATE)) == 0)
        syncd_json_member_uint(&writer, "members", 0);
    syncd_json_end_object(&writer);
}

/* Where everybody sees it or, when `own`, in this device's log: what it did about it. */
static bool append(SyncdService *service, const SyncdDeleting *deleting, const char *kind, bool own,
                   const char *schema, SyncdBytes content, SyncdReceipt *ret_receipt,
                   GError **error)
{
    bool is_operation = syncd_kind_is_operation(SYNCD_BYTES_TEXT(kind));
    g_autofree char *type = g_strconcat("sync.", kind, NULL);
    g_autofree char *meta = is_operation
                                ? syncd_service_make_meta(service, deleting->scope_id,
                                                          deleting->data_class, type, error)
                                : g_strdup("{}");
    if (meta == NULL)
        return false;
    SyncdDraft draft = {
        .kind = kind,
        .actor = own ? service->own_actor : deleting->actor,
        .object = deleting->object,
        .decision = deleting->decision,
        .engine = "",
        .lane = SYNCD_LANE_TOMBSTONE,
        .schema_id = schema,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = content,
    };
    return syncd_service_append(service,
                                own ? syncd_store_device_id(service->store) : deleting->scope_id,
                                &draft, ret_receipt, error);
}

static bool append_event(SyncdService *service, const SyncdDeleting *deleting,
                         SyncdDeletionEvent event, const char *request, bool own, GError **error)
{
    const char *kind = syncd_deletion_kind_of(event);
    g_autoptr(GString) content = g_string_new(NULL);
    g_auto(SyncdReceipt) receipt = {0};
    write_content(deleting, kind, request, content);
    return append(service, deleting, kind, own, DELETION_SCHEMA,
                  SYNCD_BYTES(content->str, content->len), &receipt, error);
}

bool syncd_service_request_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                    char **ret_request, GError **error)
{
    g_auto(SyncdReceipt) receipt = {0};
    if (!append(service, deleting, "operation.enqueue", false, SYNCD_OPERATION_SCHEMA,
                SYNCD_BYTES_TEXT("{}"), &receipt, error))
        return false;
    *ret_request = g_steal_pointer(&receipt.op);
    return true;
}

bool syncd_service_begin_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                  const char *request, GError **error)
{
    return append_event(service, deleting, SYNCD_DELETION_AUTHORISE, request, false, error) &&
           append_event(service, deleting, SYNCD_DELETION_TOMBSTONE, request, false, error);
}

bool syncd_service_end_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                const char *request, GError **error)
{
    return syncd_service_find_own(service, error) &&
           append_event(service, deleting, SYNCD_DELETION_PROPAGATE, request, true, error) &&
           append_event(service, deleting, SYNCD_DELETION_HIDE, request, true, error);
}

static SyncdDeleting deleting_of(const SyncdAdmission *admission, const char *scope_id)
{
    return (SyncdDeleting){admission->actor, admission->request->object, scope_id,
                           admission->decisions->decisions[0].id, admission->data_class};
}

bool syncd_service_apply_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, const char *request, GError **error)
{
    const SyncdDeleting deleting = deleting_of(admission, scope_id);
    return syncd_service_begin_deletion(service, &deleting, request, error) &&
           syncd_registry_move_object(service, &deleting, SYNCD_VERB_REVOKE, SYNCD_LANE_TOMBSTONE,
                                      error) &&
           syncd_service_end_deletion(service, &deleting, request, error);
}

bool syncd_service_apply_restore(SyncdService *service, const SyncdAdmission *admission,
                                 const char *scope_id, GError **error)
{
    const SyncdDeleting deleting = deleting_of(admission, scope_id);
    return append_event(service, &deleting, SYNCD_DELETION_RESTORE, NULL, false, error) &&
           syncd_registry_move_object(service, &deleting, SYNCD_VERB_RESTORE, admission->lane,
                                      error);
}
