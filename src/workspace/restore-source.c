/*
 * Where the bytes come from that are brought back: from the chunks of a version, or from the ledger
 * of repairs, where what was replaced was kept.
 */
#include "service/content-reading.h"
#include "store/repair-store.h"
#include "workspace/workspace-private.h"

static void send_part(SyncdWorkspace *self, guint64 chunk, SyncdBytes part)
{
    SyncdWireMessage data = {.type = SYNCD_WIRE_DATA};
    for (size_t at = 0; at < part.size; at += data.bytes.size) {
        data.offset = chunk * SYNCD_FILE_CHUNK + at;
        data.bytes =
            SYNCD_BYTES((const guint8 *)part.data + at, MIN(part.size - at, SYNCD_WIRE_BYTES_MAX));
        syncd_reader_process_tell(self->process, &data);
    }
}

static GBytes *get_kept(SyncdStore *store, const SyncdRestore *what, GError **error)
{
    size_t size;
    char *bytes =
        syncd_store_get_repair(store, what->kept_as, SYNCD_RESTORE_KEPT_MAX, &size, error);
    if (bytes == NULL)
        return NULL;
    if (size == what->size)
        return g_bytes_new_take(bytes, size);
    g_free(bytes);
    syncd_set_error(error, SYNCD_ERROR_FAILED, "What was kept of it is not what was there");
    return NULL;
}

static GBytes *get_chunk(SyncdWorkspace *self, const SyncdRestore *what, guint64 chunk,
                         GError **error)
{
    const SyncdContentAsked asked = {
        .scope = self->root->scope_id,
        .file = what->from,
        .version = what->version,
        .chunks = {g_bytes_get_data(what->chunks, NULL), g_bytes_get_size(what->chunks)},
        .size = what->size,
    };
    return syncd_service_read_content(self->service, &asked, chunk, error);
}

bool syncd_workspace_send_chunk(SyncdWorkspace *self, const SyncdRestore *what, guint64 chunk,
                                size_t size, GBytes **kept, GError **error)
{
    g_autoptr(GBytes) part = NULL;
    if (what->kept_as != NULL && *kept == NULL)
        *kept = get_kept(syncd_service_store(self->service), what, error);
    if (what->kept_as == NULL)
        part = get_chunk(self, what, chunk, error);
    else if (*kept != NULL)
        part = g_bytes_new_from_bytes(*kept, chunk * SYNCD_FILE_CHUNK, size);
    if (part == NULL)
        return false;
    send_part(self, chunk, SYNCD_BYTES(g_bytes_get_data(part, NULL), size));
    return true;
}
