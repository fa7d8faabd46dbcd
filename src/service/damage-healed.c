/*
 * Content that is damaged and is stored again is whole again: a file with the same bytes was
 * recorded. What a commit stored is looked at then, so that nobody is told of damage that is none.
 */
#include "domain/file-changes.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/chunks.h"

#include <string.h>

/* By their names, of those that are known to be damaged or lost; the names are borrowed. */
static GHashTable *list_wrong(const SyncdService *service)
{
    const GPtrArray *const lists[] = {syncd_service_damage(service), syncd_service_losses(service)};
    GHashTable *wrong = g_hash_table_new(g_str_hash, g_str_equal);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++)
        for (guint k = 0; k < lists[i]->len; k++) {
            const SyncdVerifyFinding *finding = lists[i]->pdata[k];
            if (finding->part != NULL && finding->file != NULL)
                g_hash_table_add(wrong, finding->part);
        }
    return wrong;
}

static void look_at_chunks(SyncdService *service, const SyncdFileChange *change, GHashTable *wrong,
                           GPtrArray *healed)
{
    SyncdBytes names = change->content.chunks;
    for (size_t at = 0; change->content.kept && at + SYNCD_HASH_SIZE <= names.size;
         at += SYNCD_HASH_SIZE) {
        SyncdHash name;
        char digits[SYNCD_HASH_HEX_SIZE];
        memcpy(name.bytes, (const guint8 *)names.data + at, sizeof name.bytes);
        syncd_hash_to_hex(&name, digits);
        if (!g_hash_table_remove(wrong, digits))
            continue;
        if (syncd_store_chunk_is_whole(service->store, &name,
                                       change->size <= SYNCD_CONTENT_ROW_MAX))
            g_ptr_array_add(healed, g_strdup(digits));
    }
}

static void look_at_entry(SyncdService *service, guint64 pos, GHashTable *wrong, GPtrArray *healed)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_auto(SyncdFileChangesReader) reader = {{NULL}};
    SyncdFileChange change;
    if (!syncd_store_read(service->store, pos, &entry, NULL) ||
        !syncd_bytes_are(entry.header.schema_id, SYNCD_FILES_SCHEMA) ||
        !syncd_store_read_body(service->store, &entry, &body, NULL) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return;
    syncd_file_changes_read(&reader, syncd_json_root(body.content, body.content_size));
    while (syncd_file_changes_next(&reader, &change))
        look_at_chunks(service, &change, wrong, healed);
}

void syncd_service_look_at_stored(SyncdService *service, guint64 first, guint64 last)
{
    g_autoptr(GHashTable) wrong = list_wrong(service);
    g_autoptr(GPtrArray) healed = g_ptr_array_new_with_free_func(g_free);
    for (guint64 pos = first; pos <= last && g_hash_table_size(wrong) > 0; pos++)
        look_at_entry(service, pos, wrong, healed);
    if (healed->len > 0)
        syncd_service_forget_parts(service, healed);
}
