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

static bool check_restore(const SyncdAdmission *admission, const SyncdDeletion *deletion,
                          GError **error)
{
    SyncdDeletionState state = deletion != NULL ? deletion->state : SYNCD_DELETION_RESTORED;
    if (!admission->request->restore && state == SYNCD_DELETION_RESTORED)
        return true;
    if (admission->request->restore && syncd_deletion_move(&state, SYNCD_DELETION_RESTORE))
        return true;
    if (admission->request->restore)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "leave \"restore\" out",
                             "The object %s is not deleted", admission->request->object);
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "set \"restore\" to have a new version of it",
                             "The object %s was deleted (%s)", admission->request->object,
                             syncd_deletion_state_name(state));
    return false;
}

bool syncd_service_is_delete(const SyncdAdmission *admission)
{
    return strcmp(admission->lane, SYNCD_LANE_TOMBSTONE) == 0;
}

bool syncd_service_check_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, GError **error)
{
    SyncdDeletion deletion;
    bool found = false;
    if (scope_id != NULL && *admission->request->object != '\0' &&
        !syncd_store_find_deletion(service->store, scope_id, admission->request->object, &deletion,
                                   &found, error))
        return false;
    return syncd_service_is_delete(admission)
               ? check_delete(admission, found ? &deletion : NULL, error)
               : check_restore(admission, found ? &deletion : NULL, error);
}

/* ---- what happens ---- */

typedef struct {
    const SyncdAdmission *admission;
    const char *scope_id;
    const char *request; /* the operation that asked for it; NULL: it comes after this */
} Deletion;

/* Where everybody sees it, or in this device's own log: what it did about it. */
static bool append_event(SyncdService *service, const Deletion *deletion, SyncdDeletionEvent event,
                         bool own, GError **error)
{
    const char *kind = syncd_deletion_kind_of(event);
    bool is_operation = syncd_kind_is_operation(SYNCD_BYTES_TEXT(kind));
    g_autoptr(GString) content = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, content, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", DELETION_SCHEMA);
    syncd_json_member_string(&writer, "object_id", deletion->admission->request->object);
    syncd_json_member_string(&writer, "scope_id", deletion->scope_id);
    if (deletion->request != NULL)
        syncd_json_member_string(&writer, "deletion_request", deletion->request);
    /* Without members to tell, it has been told to all of them. */
    if (event == SYNCD_DELETION_PROPAGATE)
        syncd_json_member_uint(&writer, "members", 0);
    syncd_json_end_object(&writer);

    g_autofree char *meta = is_operation
                                ? g_strdup_printf("{\"data_class\":\"%s\",\"type\":\"sync.%s\"}",
                                                  deletion->admission->data_class, kind)
                                : g_strdup("{}");
    g_auto(SyncdReceipt) receipt = {0};
    SyncdDraft draft = {
        .kind = kind,
        .actor = own ? service->own_actor : deletion->admission->actor,
        .object = deletion->admission->request->object,
        .decision = deletion->admission->decisions->decisions[0].id,
        .engine = "",
        .lane = SYNCD_LANE_TOMBSTONE,
        .schema_id = DELETION_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(service,
                                own ? syncd_store_device_id(service->store) : deletion->scope_id,
                                &draft, &receipt, error);
}

bool syncd_service_apply_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, const char *request, GError **error)
{
    const Deletion deletion = {admission, scope_id, request};
    return syncd_service_find_own(service, error) &&
           append_event(service, &deletion, SYNCD_DELETION_AUTHORISE, false, error) &&
           append_event(service, &deletion, SYNCD_DELETION_TOMBSTONE, false, error) &&
           append_event(service, &deletion, SYNCD_DELETION_PROPAGATE, true, error) &&
           append_event(service, &deletion, SYNCD_DELETION_HIDE, true, error);
}

bool syncd_service_apply_restore(SyncdService *service, const SyncdAdmission *admission,
                                 const char *scope_id, GError **error)
{
    const Deletion deletion = {admission, scope_id, NULL};
    return append_event(service, &deletion, SYNCD_DELETION_RESTORE, false, error);
}
