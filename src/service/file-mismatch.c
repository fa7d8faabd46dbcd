#include "service/file-mismatch.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/file-changes.h"
#include "domain/scope.h"
#include "service/content-look.h"
#include "service/file-find.h"

#include <string.h>

#define FILE_PREFIX "file-"
#define RECORD_PREFIX "urn:srcos:stale-state:"
#define LOOKUPS_MAX 65536u /* of folders, for one page */

/* ---- what is said of one ---- */

static void write_found(const SyncdFileMismatch *found, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "found");
    syncd_json_begin_object(writer);
    syncd_json_member_uint(writer, "size", found->size);
    syncd_file_hash_write(&found->hash, writer);
    syncd_json_end_object(writer);
}

/* And whether it can be put right. */
static void write_record(const SyncdEntry *entry, const char *file, const char *place, bool kept,
                         SyncdJsonWriter *writer)
{
    char time[SYNCD_TIME_SIZE];
    g_autofree char *id = g_strconcat(RECORD_PREFIX, place + strlen(FILE_PREFIX), NULL);
    syncd_time_format_ms(entry->header.hlc.ms, time);
    syncd_json_name(writer, "stale_state");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "id", id);
    syncd_json_member_string(writer, "type", "StaleStateRecord");
    syncd_json_member_string(writer, "specVersion", "v0.1");
    syncd_json_member_string(writer, "objectRef", file);
    syncd_json_member_string(writer, "stalenessClass", "checksum-mismatch");
    syncd_json_member_string(writer, "observedAt", time);
    syncd_json_member_bool(writer, "autoRepairEligible", kept);
    syncd_json_name(writer, "evidenceRefs");
    syncd_json_begin_array(writer);
    syncd_json_string_sized(writer, entry->header.op.data, entry->header.op.size);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

/* Only what is kept, and whole, can be put back. */
static bool may_be_restored(SyncdFileEntries *entries, const SyncdFileRow *row)
{
    SyncdService *service = entries->service;
    g_auto(SyncdContentRow) content = {0};
    bool found;
    if (entries->faults.chunks == NULL) {
        syncd_content_faults_gather(service, &entries->faults);
        entries->left = SYNCD_CONTENT_LOOK_BYTES;
    }
    return row->kept &&
           syncd_store_find_content(service->store, row->id, row->version, &content, &found,
                                    NULL) &&
           found && content.version == row->version &&
           syncd_content_fault_of_version(&entries->faults, &content) == NULL &&
           syncd_content_look_at_version(service, &content, &entries->left) == SYNCD_CONTENT_WHOLE;
}

bool syncd_file_mismatch_write(SyncdFileEntries *entries, const SyncdFileRow *row,
                               SyncdJsonWriter *writer, GError **error)
{
    SyncdStore *store = entries->service->store;
    char file[SYNCD_FILE_ID_SIZE], place[SYNCD_FILE_ID_SIZE];
    if (!row->mismatched)
        return true;
    if (!syncd_store_file_id(store, row->id, file, error) ||
        !syncd_store_file_id(store, row->mismatch.place, place, error) ||
        !syncd_file_entries_read(entries, syncd_file_place_pos(row->mismatch.place), error))
        return false;
    write_record(&entries->entry, file, place, may_be_restored(entries, row), writer);
    write_found(&row->mismatch, writer);
    return true;
}

/* ---- which there are ---- */

typedef struct {
    GArray *rows; /* SyncdFileRow */
    guint max;
} Page;

static bool collect(void *data, const SyncdFileRow *row)
{
    const Page *page = data;
    g_array_append_val(page->rows, *row);
    return page->rows->len < page->max;
}

static bool lies_in(SyncdBytes base, const GString *path)
{
    return base.size == 0 ||
           (path->len >= base.size && memcmp(path->str, base.data, base.size) == 0 &&
            (path->len == base.size || path->str[base.size] == '/'));
}

static guint count_folders(const GString *path)
{
    guint n = 1;
    for (gsize i = 0; i < path->len; i++)
        n += path->str[i] == '/';
    return n;
}

/* As many as have room in it, and are found in time; `*ret_n` is how many were looked at. */
static bool write_page(SyncdService *service, const SyncdFileListing *listing, const GArray *rows,
                       guint limit, guint *ret_n, GString *out, GError **error)
{
    g_auto(SyncdFileEntries) entries = {.service = service};
    g_autoptr(GString) path = g_string_new(NULL);
    gsize begin = out->len;
    guint n = MIN(rows->len, limit), lookups = 0, i;
    for (i = 0; i < n && out->len < SYNCD_PAGE_SIZE && lookups < LOOKUPS_MAX; i++) {
        const SyncdFileRow *row = &g_array_index(rows, SyncdFileRow, i);
        guint64 top;
        bool whole;
        g_string_truncate(path, 0);
        if (!syncd_file_read_path(service->store, row, path, &top, &whole, error))
            return false;
        lookups += count_folders(path);
        if (!whole || !lies_in(listing->path, path))
            continue;
        if (out->len > begin)
            g_string_append_c(out, ',');
        if (!syncd_file_document_write(&entries, row, SYNCD_BYTES(path->str, path->len), out,
                                       error))
            return false;
    }
    *ret_n = i;
    return true;
}

/* The cursor is the number of the file that was the last one. */
static bool read_cursor(const SyncdFileListing *listing, guint64 *ret_after, GError **error)
{
    const char *cursor = listing->cursor;
    char *end = NULL;
    *ret_after = 0;
    if (cursor == NULL || *cursor == '\0')
        return true;
    *ret_after = g_ascii_strtoull(cursor, &end, 10);
    if (g_ascii_isdigit(*cursor) && *end == '\0' && *ret_after <= G_MAXINT64)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "start the listing again without a cursor",
                         "The cursor does not belong to a listing of such files");
    return false;
}

bool syncd_file_mismatched_list(SyncdService *service, const SyncdFileListing *listing,
                                GString *out, char **ret_cursor, GError **error)
{
    guint limit = listing->limit != 0 ? listing->limit : SYNCD_LIST_FILES_MAX;
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(SyncdFileRow));
    g_autoptr(SyncdScope) scope = NULL;
    const char *class, *name;
    Page page = {rows, limit + 1};
    guint64 after;
    guint n;
    if (!read_cursor(listing, &after, error) ||
        !syncd_scope_parse(listing->workspace, &class, &name, error) ||
        !syncd_store_find_scope(service->store, class, name, &scope, error) ||
        (scope != NULL &&
         !syncd_store_walk_mismatched(service->store, scope->id, after, collect, &page, error)))
        return false;
    if (!write_page(service, listing, rows, limit, &n, out, error))
        return false;
    *ret_cursor = rows->len > n ? g_strdup_printf("%" G_GUINT64_FORMAT,
                                                  g_array_index(rows, SyncdFileRow, n - 1).id)
                                : g_strdup("");
    return true;
}
