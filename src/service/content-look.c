#include "service/content-look.h"

#include "service/damage.h"
#include "store/files.h"
#include "store/missing-keys.h"

#include <string.h>

#define CHUNK_COST 4096u /* of finding one, however short it is */

/* Of more than are told at once nobody knows which else there are. */
static bool was_verified(const SyncdService *service, guint64 pos)
{
    return pos <= syncd_service_verified(service).sequence &&
           syncd_service_damage(service)->len < SYNCD_VERIFY_MAX_FINDINGS;
}

SyncdContentSeen syncd_content_look_at_version(SyncdService *service, const SyncdContentRow *row,
                                               guint64 *left)
{
    const guint8 *names = g_bytes_get_data(row->chunks, NULL);
    gsize size = g_bytes_get_size(row->chunks);
    guint64 cost = row->size + size / SYNCD_HASH_SIZE * CHUNK_COST;
    if (cost > *left)
        return was_verified(service, syncd_file_place_pos(row->place)) ? SYNCD_CONTENT_WHOLE
                                                                       : SYNCD_CONTENT_NOT_SEEN;
    *left -= cost;
    for (gsize at = 0; at + SYNCD_HASH_SIZE <= size; at += SYNCD_HASH_SIZE) {
        SyncdHash name;
        memcpy(name.bytes, names + at, sizeof name.bytes);
        if (!syncd_store_chunk_is_whole(service->store, &name, row->size <= SYNCD_CONTENT_ROW_MAX))
            return SYNCD_CONTENT_DAMAGED;
    }
    return SYNCD_CONTENT_WHOLE;
}

bool syncd_content_is_sealed(SyncdService *service, SyncdBytes scope_id)
{
    g_autoptr(GPtrArray) missing = syncd_store_missing_keys(service->store);
    for (guint i = 0; i < missing->len; i++)
        if (syncd_bytes_are(scope_id, ((SyncdMissingKey *)missing->pdata[i])->scope_id))
            return true;
    return false;
}

typedef struct {
    SyncdService *service;
    SyncdContentSeen seen;
} Looking;

static bool look(void *data, const SyncdRow *row)
{
    Looking *looking = data;
    if (row->unreadable != NULL && row->purged_by == 0 && !row->lost &&
        !syncd_content_is_sealed(looking->service, row->entry.header.scope))
        looking->seen = SYNCD_CONTENT_DAMAGED;
    return false;
}

SyncdContentSeen syncd_content_look_at_entry(SyncdService *service, guint64 pos)
{
    Looking looking = {service, SYNCD_CONTENT_WHOLE};
    bool read =
        syncd_store_read_many(service->store, &pos, 1, SYNCD_READ_BODY, look, &looking, NULL);
    return read ? looking.seen : SYNCD_CONTENT_DAMAGED;
}
