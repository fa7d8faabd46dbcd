#include "service/content-faults.h"

#include "service/damage.h"
#include "service/detect.h"
#include "service/internal.h"
#include "store/files.h"

#include <string.h>

bool syncd_content_fault_is(const SyncdVerifyFinding *finding)
{
    static const char *const codes[] = {"body-damaged", "blob-damaged", "blob-lost", "log-lost",
                                        NULL};
    return g_strv_contains(codes, syncd_log_finding_code(finding));
}

static void take(SyncdContentFaults *self, const SyncdVerifyFinding *finding)
{
    SyncdHash name;
    gint64 pos = finding->pos;
    const char *part = finding->part, *code = syncd_log_finding_code(finding);
    if (!syncd_content_fault_is(finding))
        return;
    if (part != NULL && syncd_hash_from_hex(part, strlen(part), &name))
        g_hash_table_insert(self->chunks, g_memdup2(&name, sizeof name), (void *)code);
    else if (pos > 0)
        g_hash_table_insert(self->entries, g_memdup2(&pos, sizeof pos), (void *)code);
}

/* What is damaged still is said rather than what was lost before. */
void syncd_content_faults_gather(const SyncdService *service, SyncdContentFaults *ret_faults)
{
    const GPtrArray *const lists[] = {syncd_service_losses(service), syncd_service_damage(service)};
    *ret_faults = (SyncdContentFaults){
        g_hash_table_new_full(syncd_hash_of_key, syncd_hash_is_same_key, g_free, NULL),
        g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint k = 0; k < lists[i]->len; k++)
            take(ret_faults, lists[i]->pdata[k]);
}

void syncd_content_faults_clear(SyncdContentFaults *self)
{
    g_clear_pointer(&self->chunks, g_hash_table_unref);
    g_clear_pointer(&self->entries, g_hash_table_unref);
}

bool syncd_content_faults_are_none(const SyncdContentFaults *self)
{
    return g_hash_table_size(self->chunks) + g_hash_table_size(self->entries) == 0;
}

const char *syncd_content_fault_of_entry(const SyncdContentFaults *self, guint64 pos)
{
    return g_hash_table_lookup(self->entries, &(gint64){(gint64)pos});
}

const char *syncd_content_fault_of_version(const SyncdContentFaults *self,
                                           const SyncdContentRow *row)
{
    const guint8 *names = g_bytes_get_data(row->chunks, NULL);
    gsize size = g_bytes_get_size(row->chunks);
    for (gsize at = 0; at + SYNCD_HASH_SIZE <= size; at += SYNCD_HASH_SIZE) {
        const char *code = g_hash_table_lookup(self->chunks, names + at);
        if (code != NULL)
            return code;
    }
    return syncd_content_fault_of_entry(self, syncd_file_place_pos(row->place));
}

bool syncd_content_faults_hit(const SyncdContentFaults *self, SyncdService *service, guint64 file,
                              guint64 version)
{
    g_auto(SyncdContentRow) row = {0};
    bool found;
    return !syncd_content_faults_are_none(self) &&
           syncd_store_find_content(service->store, file, version, &row, &found, NULL) && found &&
           row.version == version && syncd_content_fault_of_version(self, &row) != NULL;
}
