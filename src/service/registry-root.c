#include "service/registry.h"

#include <string.h>

#define DIRECTORY_MAX 4096u
#define ROOTS_PAGE 100u

/* Where the system instance never looks: homes are their users' own instances' affair. */
static const char *const homes[] = {"/home", "/root", "/run/user"};

/* Whether `path` is `folder` or lies in it. */
static bool lies_in(const char *path, const char *folder)
{
    size_t size = strlen(folder);
    return strncmp(path, folder, size) == 0 && (path[size] == '\0' || path[size] == '/');
}

/* As the kernel would say it, but for symlinks: every path has one spelling. */
static bool is_absolute(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    bool plain = path[0] == '/' && path[1] != '\0' && strlen(path) < DIRECTORY_MAX;
    for (size_t i = 1; plain && parts[i] != NULL; i++)
        plain = *parts[i] != '\0' && strcmp(parts[i], ".") != 0 && strcmp(parts[i], "..") != 0;
    for (const char *at = path; plain && *at != '\0'; at++)
        plain = !g_ascii_iscntrl(*at);
    return plain;
}

static bool check_directory(const SyncdChange *change, const char *directory, GError **error)
{
    if (!is_absolute(directory)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/directory must be an absolute path of less than %u bytes, other "
                        "than \"/\", without \"//\", \".\" and \"..\", control characters and a "
                        "\"/\" at its end",
                        DIRECTORY_MAX);
        return false;
    }
    for (size_t i = 0;
         change->service->instance == SYNCD_INSTANCE_SYSTEM && i < G_N_ELEMENTS(homes); i++) {
        if (!lies_in(directory, homes[i]))
            continue;
        syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                             "add it to the instance of the user whose home it is, with --user",
                             "/record/directory: the system instance does not look into %s",
                             homes[i]);
        return false;
    }
    return true;
}

static bool refuse_other(const SyncdChange *change, const SyncdRecordRow *row, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "remove that one first, or choose another workspace and another directory",
                         "%s is %s already (%s): a workspace is one directory here, and none lies "
                         "in another",
                         row->columns[SYNCD_COLUMN_WORKSPACE], row->columns[SYNCD_COLUMN_TYPE],
                         row->id);
    return false;
}

static bool check_others(const SyncdChange *change, const char *workspace, const char *directory,
                         GError **error)
{
    SyncdRecordQuery query = {.family = change->family, .limit = ROOTS_PAGE};
    g_autofree char *cursor = g_strdup("");
    do {
        g_autoptr(GPtrArray) rows = NULL;
        g_autofree char *next = NULL;
        query.cursor = cursor;
        if (!syncd_store_list_records(change->service->store, &query, &rows, &next, error))
            return false;
        for (guint i = 0; i < rows->len; i++) {
            const SyncdRecordRow *row = rows->pdata[i];
            const char *theirs = row->columns[SYNCD_COLUMN_TYPE];
            if (strcmp(row->id, change->id) != 0 && strcmp(row->state, SYNCD_STATE_REVOKED) != 0 &&
                (strcmp(row->columns[SYNCD_COLUMN_WORKSPACE], workspace) == 0 ||
                 lies_in(theirs, directory) || lies_in(directory, theirs)))
                return refuse_other(change, row, error);
        }
        g_free(cursor);
        cursor = g_steal_pointer(&next);
    } while (*cursor != '\0');
    return true;
}

/* What was recorded is about the directory that there was. */
static bool check_stays(const SyncdChange *change, SyncdColumn column, const char *now,
                        GError **error)
{
    if (!change->present || strcmp(change->row.columns[column], now) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "revoke this one and register another one",
                         "/record/%s: it is %s for as long as the record is there",
                         change->family->columns[column], change->row.columns[column]);
    return false;
}

bool syncd_registry_check_root(SyncdChange *change, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id"),
                    *directory = syncd_record_member(change->record, "directory");
    if (change->verb == SYNCD_VERB_REVOKE)
        return true;
    if (!check_directory(change, directory, error) ||
        !check_stays(change, SYNCD_COLUMN_TYPE, directory, error) ||
        !check_stays(change, SYNCD_COLUMN_WORKSPACE, workspace, error) ||
        !syncd_registry_find_live(change->service, SYNCD_FAMILY_WORKSPACE, workspace, &row, &found,
                                  error))
        return false;
    if (!found)
        return syncd_registry_refuse_missing(change, "workspace_id", "workspace", workspace, error);
    return check_others(change, workspace, directory, error);
}
