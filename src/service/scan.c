/* Somebody wants all of a workspace to be looked at. */
#include "service/file-reading.h"
#include "service/files.h"
#include "service/internal.h"
#include "service/job.h"

#include <string.h>

#define LIST_THEM "list what there is with `sourceos-syncd workspace list`"

static const SyncdRoot *find_root(const GPtrArray *roots, const char *workspace)
{
    for (guint i = 0; i < roots->len; i++)
        if (strcmp(((const SyncdRoot *)roots->pdata[i])->workspace, workspace) == 0)
            return roots->pdata[i];
    return NULL;
}

static SyncdJob *begin(SyncdService *service, const SyncdCaller *caller, const SyncdRoot *root,
                       bool deep, GError **error)
{
    const SyncdListener *listener = &service->listener;
    if (root->paused) {
        g_autofree char *next = g_strdup_printf(
            "resume it with `sourceos-syncd workspace resume %s`: that scans it", root->workspace);
        syncd_set_error_next(error, SYNCD_ERROR_ENGINE_DISABLED, next,
                             "%s is paused, and nothing in it is looked at", root->workspace);
        return NULL;
    }
    if (!syncd_service_may_begin_job(service, caller->uid, error))
        return NULL;
    SyncdJob *job =
        listener->scan != NULL ? listener->scan(listener->data, root->id, deep, caller->uid) : NULL;
    g_autofree char *why = g_strdup_printf("see why with `sourceos-syncd workspace show %s`; it is "
                                           "scanned as soon as it can be read again",
                                           root->workspace);
    if (job == NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, why,
                             "The directory of %s cannot be read", root->workspace);
    return job;
}

bool syncd_service_scan(SyncdService *service, const SyncdCaller *caller, const char *workspace,
                        bool deep, SyncdJob **ret_job, GError **error)
{
    g_autoptr(GPtrArray) roots = NULL;
    bool may;
    if (!syncd_service_may_read_files(service, caller, &may, error) ||
        !syncd_service_list_roots(service, &roots, error))
        return false;
    const SyncdRoot *root = may ? find_root(roots, workspace) : NULL;
    if (root == NULL) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, LIST_THEM,
                             "There is no directory that is the workspace %.*s", SYNCD_ID_TOKEN_MAX,
                             workspace);
        return false;
    }
    *ret_job = begin(service, caller, root, deep, error);
    return *ret_job != NULL;
}
