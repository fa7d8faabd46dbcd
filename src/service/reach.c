/* Who reaches what is registered: a record that one does not reach is, to him, not there. */
#include "service/internal.h"

#include <string.h>

static bool reaches_workspace(SyncdService *service, const SyncdMandate *mandate,
                              const char *workspace, bool *ret_reaches, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    if (!syncd_service_find_place(service, workspace, "workspace", &place, error))
        return false;
    *ret_reaches = syncd_mandate_reaches_workspace(mandate, place.workspace) &&
                   syncd_mandate_reaches_profile(mandate, place.profile);
    return true;
}

static bool lies_beside(const SyncdReach *reach, const char *scope)
{
    return g_strcmp0(reach->workspace, scope) == 0 || g_strcmp0(reach->profile, scope) == 0;
}

/* What is on the device is for everybody there. */
static bool reaches_chosen(SyncdService *service, const SyncdReach *reach, const char *scope_id,
                           bool *ret_reaches, GError **error)
{
    const SyncdScope *scope = syncd_store_scope(service->store, scope_id);
    g_autofree char *text = syncd_service_scope_text(service, SYNCD_BYTES_TEXT(scope_id));
    *ret_reaches = scope != NULL && (*scope->name == '\0' || lies_beside(reach, text));
    if (*ret_reaches || scope == NULL || reach->mandate == NULL)
        return true;
    if (strcmp(scope->class, "workspace") == 0)
        return reaches_workspace(service, reach->mandate, text, ret_reaches, error);
    *ret_reaches = syncd_mandate_reaches_scope(reach->mandate, scope->class, text);
    return true;
}

static bool is_of(const SyncdRecordRow *row, SyncdFamilyId family)
{
    return row->family == syncd_family(family);
}

/* The row may be one that is borrowed: it is not looked at any more once others were asked for. */
bool syncd_service_reaches_record(SyncdService *service, const SyncdReach *reach,
                                  const SyncdRecordRow *row, bool *ret_reaches, GError **error)
{
    const SyncdMandate *mandate = reach->mandate;
    const char *workspace = row->columns[SYNCD_COLUMN_WORKSPACE],
               *profile = row->columns[SYNCD_COLUMN_PROFILE];
    *ret_reaches = reach->all;
    if (reach->all)
        return true;
    if (row->family->home == SYNCD_HOME_CHOSEN)
        return reaches_chosen(service, reach, row->scope, ret_reaches, error);
    if (mandate == NULL)
        return true;
    if (is_of(row, SYNCD_FAMILY_ROOT))
        return reaches_workspace(service, mandate, workspace, ret_reaches, error);
    if (is_of(row, SYNCD_FAMILY_PROFILE))
        *ret_reaches = syncd_mandate_reaches_profile(mandate, row->id);
    else if (is_of(row, SYNCD_FAMILY_WORKSPACE))
        *ret_reaches = syncd_mandate_reaches_workspace(mandate, row->id) &&
                       syncd_mandate_reaches_profile(mandate, profile);
    else
        *ret_reaches = row->family->home != SYNCD_HOME_WORKSPACE ||
                       (syncd_mandate_reaches_workspace(mandate, workspace) &&
                        syncd_mandate_reaches_profile(mandate, profile));
    return true;
}
