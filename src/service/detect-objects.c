/* Objects that nobody can go on with. */
#include "service/detect.h"

static bool add_in_state(SyncdDiagnosis *self, const char *code, const char *state, GError **error)
{
    const SyncdRecordQuery query = {
        .family = syncd_family(SYNCD_FAMILY_OBJECT), .state = state, .limit = SYNCD_LIST_MAX};
    g_autoptr(GPtrArray) rows = NULL;
    g_autofree char *cursor = NULL;
    if (!syncd_store_list_records(self->service->store, &query, &rows, &cursor, error))
        return false;
    if (rows->len == 0)
        return true;
    SyncdFound *found = syncd_diagnosis_add_counted(self, code, rows->len, *cursor != '\0');
    found->object = g_strdup(((const SyncdRecordRow *)rows->pdata[0])->id);
    for (guint i = 0; i < rows->len; i++)
        syncd_found_evidence(found, g_strdup(((const SyncdRecordRow *)rows->pdata[i])->id));
    return true;
}

bool syncd_detect_objects(SyncdDiagnosis *self, GError **error)
{
    return add_in_state(self, "objects-quarantined", "quarantined", error) &&
           add_in_state(self, "objects-conflicted", "conflicted", error);
}
