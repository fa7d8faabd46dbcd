#include "service/entry-faults.h"

#include "service/damage.h"
#include "store/verify.h"

static const SyncdVerifyFinding *find_known(const GPtrArray *damage, guint64 pos)
{
    for (guint i = 0; i < damage->len; i++) {
        const SyncdVerifyFinding *finding = damage->pdata[i];
        if (finding->pos == (gint64)pos && !syncd_damage_is_of_content(finding))
            return finding;
    }
    return NULL;
}

char *syncd_service_entry_fault(SyncdService *service, const SyncdEntry *entry)
{
    const GPtrArray *damage = syncd_service_damage(service);
    g_autoptr(GError) problem = NULL;
    SyncdHash leaf;
    if (damage->len == 0 || entry->header.lost)
        return NULL;
    const SyncdVerifyFinding *known = find_known(damage, entry->pos);
    if (known != NULL)
        return g_strdup(known->detail);
    if (syncd_store_check_entry(service->store, entry, &leaf, &problem))
        return NULL;
    g_autofree char *next = NULL;
    char *sentence = NULL;
    syncd_error_split(problem->message, &sentence, &next);
    return sentence;
}
