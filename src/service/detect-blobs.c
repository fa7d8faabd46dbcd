/* What was found in blobs/ when all of it was looked through last, as far as it is so still. */
#include "service/damage.h"
#include "service/detect.h"
#include "store/examine.h"

bool syncd_detect_blobs(SyncdDiagnosis *self, GError **error)
{
    bool more;
    const GPtrArray *orphans = syncd_service_orphans(self->service, &more);
    g_autoptr(GPtrArray) there = g_ptr_array_new();
    for (guint i = 0; i < orphans->len; i++)
        if (syncd_store_has_state(self->service->store, orphans->pdata[i]))
            g_ptr_array_add(there, orphans->pdata[i]);
    if (there->len == 0)
        return true;
    SyncdFound *found = syncd_diagnosis_add_counted(self, "blob-orphaned", there->len, more);
    found->target = g_strdup("blobs");
    for (guint i = 0; i < there->len; i++)
        syncd_found_evidence(found, g_strdup(there->pdata[i]));
    return true;
}
