#include "service/registry.h"

#include "base/path.h"

#include <string.h>

#define DIRECTORY_MAX 4096u

/* Where the system instance never looks: homes are their users' own instances' affair. */
static const char *const homes[] = {"/home", "/root", "/run/user", "/var/home", "/var/roothome"};

/* ---- the directory by itself ---- */

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

static bool overlap(const char *one, const char *other)
{
    return syncd_path_lies_in(one, other) || syncd_path_lies_in(other, one);
}

/* One text for both, so that it tells nobody which it is. */
static bool refuse_directory(GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, "choose another directory",
                         "/record/directory: it is, holds or lies in a directory of the daemon "
                         "itself, or one that is a workspace which you do not reach");
    return false;
}

static bool check_homes(const SyncdChange *change, const char *directory, GError **error)
{
    if (change->service->instance != SYNCD_INSTANCE_SYSTEM)
        return true;
    for (size_t i = 0; i < G_N_ELEMENTS(homes); i++) {
        if (!overlap(directory, homes[i]))
            continue;
        syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                             "add it to the instance of the user whose home it is, with --user",
                             "/record/directory: the system instance does not look into %s",
                             homes[i]);
        return false;
    }
    return true;
}

/* The log of the changes of the log would never end. */
static bool check_own(const SyncdChange *change, const char *directory, GError **error)
{
    char **own = change->service->own_directories;
    for (size_t i = 0; own != NULL && own[i] != NULL; i++)
        if (overlap(directory, own[i]))
            return refuse_directory(error);
    return true;
}

static bool check_directory(const SyncdChange *change, const char *directory, GError **error)
{
    if (is_absolute(directory))
        return check_homes(change, directory, error) && check_own(change, directory, error);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/directory must be an absolute path of less than %u bytes, other than "
                    "\"/\", without \"//\", \".\" and \"..\", control characters and a \"/\" at "
                    "its end",
                    DIRECTORY_MAX);
    return false;
}

/* ---- whose it is ---- */

static bool check_reach(const SyncdChange *change, const char *workspace, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    return syncd_service_check_scope_place(change->service, change->caller, change->mandate,
                                           workspace, "workspace", &place, error);
}

/* ---- beside the others ---- */

static bool refuse_other(const SyncdChange *change, const SyncdRecordRow *row, GError **error)
{
    bool reaches;
    if (!syncd_registry_reaches(change, row, &reaches, error))
        return false;
    if (!reaches)
        return refuse_directory(error);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "remove that one first, or choose another workspace and another directory",
                         "%s is %s already (%s): a workspace is one directory here, and none lies "
                         "in another",
                         row->columns[SYNCD_COLUMN_WORKSPACE], row->columns[SYNCD_COLUMN_TYPE],
                         row->id);
    return false;
}

/* Also those that came in with the same turn. */
static bool find_roots(SyncdService *service, GPtrArray **ret_rows, GError **error)
{
    const SyncdRecordQuery query = {.family = syncd_family(SYNCD_FAMILY_ROOT)};
    return syncd_store_find_records(service->store, &query, ret_rows, error);
}

static bool is_live(const SyncdRecordRow *row)
{
    return strcmp(row->state, SYNCD_STATE_REVOKED) != 0;
}

static bool check_others(const SyncdChange *change, const char *workspace, const char *directory,
                         GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!find_roots(change->service, &rows, error))
        return false;
    for (guint i = 0; i < rows->len; i++) {
        const SyncdRecordRow *row = rows->pdata[i];
        if (strcmp(row->id, change->id) != 0 && is_live(row) &&
            (strcmp(row->columns[SYNCD_COLUMN_WORKSPACE], workspace) == 0 ||
             overlap(row->columns[SYNCD_COLUMN_TYPE], directory)))
            return refuse_other(change, row, error);
    }
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
    /* That the caller reaches it was asked before. It ends whatever became of its workspace … */
    if (change->verb == SYNCD_VERB_REVOKE)
        return true;
    if (!check_stays(change, SYNCD_COLUMN_TYPE, directory, error) ||
        !check_stays(change, SYNCD_COLUMN_WORKSPACE, workspace, error))
        return false;
    /* … and stops. */
    if (change->present && strcmp(change->state, SYNCD_STATE_ACTIVE) != 0)
        return true;
    if (!check_reach(change, workspace, error) || !check_directory(change, directory, error) ||
        !syncd_registry_find_live(change->service, SYNCD_FAMILY_WORKSPACE, workspace, &row, &found,
                                  error))
        return false;
    if (!found)
        return syncd_registry_refuse_missing(change, "workspace_id", "workspace", workspace, error);
    return check_others(change, workspace, directory, error);
}

/* ---- what a root stands on ---- */

static bool stands_on(SyncdService *service, const SyncdRecordRow *root, SyncdFamilyId family,
                      const char *id, bool *ret_stands, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    if (!syncd_service_find_place(service, root->columns[SYNCD_COLUMN_WORKSPACE], "workspace",
                                  &place, error))
        return false;
    *ret_stands = strcmp(family == SYNCD_FAMILY_PROFILE ? place.profile : place.workspace, id) == 0;
    return true;
}

static bool refuse_end(const SyncdChange *change, const SyncdRecordRow *root, GError **error)
{
    bool reaches, system = change->service->instance == SYNCD_INSTANCE_SYSTEM;
    if (!syncd_registry_reaches(change, root, &reaches, error))
        return false;
    g_autofree char *next =
        g_strdup_printf("remove that first, with `sourceos-syncd %sworkspace remove %s`",
                        system ? "--system " : "", root->columns[SYNCD_COLUMN_WORKSPACE]);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         reaches ? next : "let an actor that reaches all of it do this",
                         "A directory is recorded for %s (the root %s)", change->id,
                         reaches ? root->id : "of a workspace that you do not reach");
    return false;
}

/* What is in a directory is recorded for as long as somebody wants it to be, and never ends because
 * of something else. */
bool syncd_registry_check_no_root(const SyncdChange *change, SyncdFamilyId family, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    if (!find_roots(change->service, &rows, error))
        return false;
    for (guint i = 0; i < rows->len; i++) {
        bool stands;
        if (!is_live(rows->pdata[i]))
            continue;
        if (!stands_on(change->service, rows->pdata[i], family, change->id, &stands, error))
            return false;
        if (stands)
            return refuse_end(change, rows->pdata[i], error);
    }
    return true;
}
