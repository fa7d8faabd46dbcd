/* What is in a file is what shall be recorded, as somebody says who looked at it. */
#include "service/file-mismatch.h"

#include "base/json-writer.h"
#include "service/file-path.h"
#include "service/files.h"
#include "service/job.h"
#include "service/restore.h"

#include <string.h>

#define ACCEPTED_SCHEMA "sourceos.workspace-accept/v1"
#define LOOK_AGAIN "see what is found with `sourceos-syncd workspace files WORKSPACE --mismatched`"

void syncd_accepted_clear(SyncdAccepted *accepted)
{
    g_free(accepted->file);
    g_free(accepted->operation);
}

/* ---- which file ---- */

static bool find_root(SyncdService *service, const SyncdCaller *caller, const char *workspace,
                      GPtrArray **ret_roots, const SyncdRoot **ret_root, GError **error)
{
    bool may;
    if (!syncd_service_may_read_files(service, caller, &may, error) ||
        !syncd_service_list_roots(service, ret_roots, error))
        return false;
    *ret_root = NULL;
    for (guint i = 0; may && i < (*ret_roots)->len; i++)
        if (strcmp(((const SyncdRoot *)(*ret_roots)->pdata[i])->workspace, workspace) == 0)
            *ret_root = (*ret_roots)->pdata[i];
    if (*ret_root != NULL)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_NOT_FOUND, "list what there is with `sourceos-syncd workspace list`",
        "There is no directory that is the workspace %.*s", SYNCD_ID_TOKEN_MAX, workspace);
    return false;
}

static bool find_file(SyncdService *service, const SyncdRoot *root, SyncdBytes path,
                      SyncdFileRow *ret_row, GError **error)
{
    SyncdBytes name;
    bool found;
    if (!syncd_file_path_check(path, error) ||
        !syncd_store_find_workspace_folder(service->store, root->scope_id, ret_row, &found, error))
        return false;
    while (found && syncd_file_path_take(&path, &name))
        if (!syncd_store_find_file_in(service->store, ret_row->id, name, ret_row, &found, error))
            return false;
    if (!found)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, LOOK_AGAIN,
                             "No file of that path is recorded in %s", root->workspace);
    return found;
}

/* What is being found out now would be recorded after it, and be another thing perhaps; where
 * nobody looks, nobody knows what is there. */
bool syncd_file_check_rest(SyncdService *service, const SyncdRoot *root, GError **error)
{
    const SyncdListener *listener = &service->listener;
    SyncdRootStanding standing;
    if (root->paused) {
        g_autofree char *next =
            g_strdup_printf("resume it with `sourceos-syncd workspace resume %s`", root->workspace);
        syncd_set_error_next(error, SYNCD_ERROR_ENGINE_DISABLED, next,
                             "%s is paused, and nobody knows what is in it", root->workspace);
        return false;
    }
    if (listener->standing == NULL)
        return true;
    if (!listener->standing(listener->data, root->id, &standing) ||
        strcmp(standing.state, "watching") != 0) {
        syncd_set_error_next(
            error, SYNCD_ERROR_BUSY, "see how it is with `sourceos-syncd workspace show`",
            "%s is not being watched, and nobody knows what is in it", root->workspace);
        return false;
    }
    if (standing.waiting == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, "try again in a moment",
                         "%s is being looked at, and may be another thing soon", root->workspace);
    return false;
}

/* ---- recording it ---- */

/* Whoever agreed to something else has to look again. */
static bool is_found(const SyncdFileRow *row, const SyncdHash *wanted, GError **error)
{
    if (row->mismatched && syncd_hash_equal(&row->mismatch.hash, wanted))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST, LOOK_AGAIN,
                         row->mismatched ? "Something else than that was found in the file"
                                         : "Nothing was found in the file that is not recorded");
    return false;
}

static SyncdRestore *accepting(SyncdService *service, const SyncdRoot *root,
                               const SyncdCaller *caller, const SyncdFileRow *row, GError **error)
{
    g_autoptr(SyncdRestore) what = g_new0(SyncdRestore, 1);
    *what = (SyncdRestore){
        .workspace = g_strdup(root->workspace),
        .from = g_strdup(""),
        .modes = g_array_new(FALSE, FALSE, sizeof(guint32)),
        .size = row->mismatch.size,
        .over = true,
        .expected = row->mismatch.hash,
        .unit = g_strdup(caller->unit),
        .caller = {.uid = caller->uid},
        .accepts = true,
    };
    what->caller.unit = what->unit;
    return syncd_restore_set_path(what, service->store, row, error) ? g_steal_pointer(&what) : NULL;
}

/* What is there is read once more, by the workspace: so what is recorded is what is kept. */
bool syncd_file_accept(SyncdService *service, const SyncdRoot *root, const SyncdCaller *caller,
                       const SyncdFileRow *row, const SyncdHash *wanted, SyncdJob **ret_job,
                       GError **error)
{
    const SyncdListener *listener = &service->listener;
    if (!is_found(row, wanted, error) || !syncd_file_check_rest(service, root, error) ||
        !syncd_store_may_write(service->store, error) ||
        !syncd_service_may_write_files(service, caller, root->workspace, false, NULL, error))
        return false;
    SyncdRestore *what = accepting(service, root, caller, row, error);
    if (what == NULL)
        return false;
    *ret_job = listener->restore != NULL
                   ? listener->restore(listener->data, root->id, what, caller->uid)
                   : NULL;
    if (listener->restore == NULL)
        syncd_restore_free(what);
    if (*ret_job == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "try again in a moment",
                             "%s restores another file, or its directory is not there",
                             root->workspace);
    return *ret_job != NULL;
}

bool syncd_service_accept_file(SyncdService *service, const SyncdCaller *caller,
                               const char *workspace, SyncdBytes path, const char *sha256,
                               SyncdAccepted *ret_accepted, SyncdJob **ret_job, GError **error)
{
    g_autoptr(GPtrArray) roots = NULL;
    const SyncdRoot *root;
    SyncdFileRow row;
    SyncdHash wanted;
    char file[SYNCD_FILE_ID_SIZE];
    if (!syncd_hash_from_hex(sha256, strlen(sha256), &wanted)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"sha256\" is no SHA-256 in hexadecimal");
        return false;
    }
    /* What the open turn says of the file is not in the index yet. */
    if (!syncd_service_commit_turn(service, error) ||
        !find_root(service, caller, workspace, &roots, &root, error) ||
        !find_file(service, root, path, &row, error))
        return false;
    /* A request that is sent again has been carried out. */
    if (!row.mismatched && row.hashed && syncd_hash_equal(&row.hash, &wanted)) {
        if (!syncd_store_file_id(service->store, row.id, file, error))
            return false;
        *ret_accepted =
            (SyncdAccepted){.file = g_strdup(file), .version = row.version, .hash = row.hash};
        *ret_job = NULL;
        return true;
    }
    return syncd_service_may_begin_job(service, caller->uid, error) &&
           syncd_file_accept(service, root, caller, &row, &wanted, ret_job, error);
}

char *syncd_service_describe_accepted(const SyncdAccepted *accepted)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", ACCEPTED_SCHEMA);
    syncd_json_member_string(&writer, "file_id", accepted->file);
    syncd_json_member_bool(&writer, "changed", accepted->operation != NULL);
    if (accepted->operation != NULL)
        syncd_json_member_string(&writer, "operation_id", accepted->operation);
    syncd_json_member_uint(&writer, "version", accepted->version);
    syncd_file_hash_write(&accepted->hash, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}
