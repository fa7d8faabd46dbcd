/* Keys that are not here, and what that means. */
#include "service/detect.h"
#include "store/examine.h"

/* A key is known as long as the process runs: that it is nowhere else is told before it is lost. */
static void add_gone(SyncdDiagnosis *self)
{
    g_autoptr(GPtrArray) gone = syncd_store_keys_gone(self->service->store);
    if (gone->len == 0)
        return;
    SyncdFound *found = syncd_diagnosis_add_counted(self, "key-files", gone->len, false);
    for (guint i = 0; i < gone->len; i++)
        syncd_found_evidence(found, g_strdup(gone->pdata[i]));
}

static void add_missing(SyncdDiagnosis *self)
{
    g_autoptr(GPtrArray) scopes = syncd_store_scopes_without_key(self->service->store);
    for (guint i = 0; i < scopes->len; i++) {
        const SyncdScope *scope = scopes->pdata[i];
        g_autofree char *text =
            syncd_service_scope_text(self->service, SYNCD_BYTES_TEXT(scope->id));
        SyncdFound *found = syncd_diagnosis_add(self, "key-missing", "scope", text, NULL);
        found->object = g_strdup(scope->id);
    }
}

bool syncd_detect_keys(SyncdDiagnosis *self, GError **error)
{
    add_gone(self);
    add_missing(self);
    return true;
}
