#include "service/content-reading.h"

#include "domain/file-changes.h"
#include "service/damage.h"
#include "service/internal.h"
#include "store/chunks.h"
#include "store/files.h"
#include "store/missing-keys.h"

#include <string.h>

/* Of the entry that named it; 0: nobody knows. */
static guint64 entry_of(SyncdService *service, const SyncdContentAsked *asked)
{
    g_auto(SyncdContentRow) row = {0};
    guint64 file;
    bool found;
    if (!syncd_store_find_file_id(service->store, asked->file, &file, NULL) || file == 0 ||
        !syncd_store_find_content(service->store, file, asked->version, &row, &found, NULL) ||
        !found)
        return 0;
    return syncd_file_place_pos(row.place);
}

static void note(SyncdService *service, const SyncdContentAsked *asked, const SyncdHash *name,
                 bool missing)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    guint64 pos = entry_of(service, asked);
    if (pos == 0)
        return;
    syncd_hash_to_hex(name, digits);
    g_autofree char *detail =
        g_strdup_printf("the chunk %s of the content of %s is %s", digits, asked->file,
                        missing ? "missing" : "not what was kept");
    const SyncdVerifyFinding found = {.code = "kept-content",
                                      .error = SYNCD_ERROR_JOURNAL_CORRUPT,
                                      .feed = (char *)"",
                                      .seq = -1,
                                      .pos = (gint64)pos,
                                      .detail = detail,
                                      .part = digits,
                                      .file = (char *)asked->file};
    syncd_service_note_content_damage(service, &found);
}

GBytes *syncd_service_read_content(SyncdService *service, const SyncdContentAsked *asked,
                                   guint64 number, GError **error)
{
    g_autoptr(GError) problem = NULL;
    SyncdHash name;
    if (!syncd_store_check_not_hidden(service->store, asked->scope, error))
        return NULL;
    size_t size = MIN(asked->size - number * SYNCD_FILE_CHUNK, SYNCD_FILE_CHUNK);
    memcpy(name.bytes, (const guint8 *)asked->chunks.data + number * sizeof name.bytes,
           sizeof name.bytes);
    GBytes *bytes = syncd_store_get_chunk(service->store, asked->scope, &name, size,
                                          asked->size <= SYNCD_CONTENT_ROW_MAX, &problem);
    bool missing = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    if (missing || g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
        note(service, asked, &name, missing);
        syncd_set_error_next(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                             "see what can be had of it with `sourceos-syncd doctor`",
                             "The content of version %" G_GUINT64_FORMAT " is kept, but %s",
                             asked->version,
                             missing ? "bytes of it are missing" : "is not what it was");
    } else if (problem != NULL) {
        g_propagate_error(error, g_steal_pointer(&problem));
    }
    return bytes;
}
