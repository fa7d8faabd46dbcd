/* What became of one file. */
#include "service/file-document.h"
#include "service/file-reading.h"

#include <string.h>

static bool find_file(SyncdService *service, const SyncdCaller *caller, const char *id,
                      guint64 *ret_file, GError **error)
{
    bool may;
    *ret_file = 0;
    if (!syncd_service_may_read_files(service, caller, &may, error) ||
        (may && !syncd_store_find_file_id(service->store, id, ret_file, error)))
        return false;
    if (*ret_file != 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "see the files that are recorded with `sourceos-syncd workspace files`",
                         "There is no file %.*s", SYNCD_ID_TOKEN_MAX, id);
    return false;
}

/* The place that a page goes on below. */
static bool take_cursor(const char *cursor, guint64 *ret_before, GError **error)
{
    *ret_before = G_MAXINT64;
    if (cursor == NULL || *cursor == '\0' ||
        g_ascii_string_to_unsigned(cursor, 10, 1, G_MAXINT64, ret_before, NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "start the listing again without a cursor",
                         "The cursor does not belong to the history of a file");
    return false;
}

/* That it was made is no change, and is the last one. */
static bool next_step(SyncdService *service, guint64 file, guint64 before, SyncdFileStep *ret_step,
                      bool *ret_found, GError **error)
{
    if (!syncd_store_find_file_step(service->store, file, before, ret_step, ret_found, error))
        return false;
    if (!*ret_found && file < before) {
        *ret_step = (SyncdFileStep){.place = file, .version = 1};
        *ret_found = true;
    }
    return true;
}

char *syncd_service_file_history(SyncdService *service, const SyncdCaller *caller, const char *id,
                                 const char *cursor, guint32 limit, char **ret_cursor,
                                 GError **error)
{
    g_auto(SyncdFileEntries) entries = {.service = service};
    g_autoptr(GString) out = g_string_new("[");
    guint64 file, before;
    SyncdFileStep step;
    bool found = true;
    if (limit > SYNCD_LIST_FILES_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_FILES_MAX);
        return NULL;
    }
    if (!take_cursor(cursor, &before, error) || !find_file(service, caller, id, &file, error))
        return NULL;
    for (guint32 n = 0, max = limit != 0 ? limit : SYNCD_LIST_FILES_MAX; n <= max; n++) {
        if (!next_step(service, file, before, &step, &found, error))
            return NULL;
        if (!found || n == max)
            break;
        if (out->len > 1)
            g_string_append_c(out, ',');
        if (!syncd_file_step_write(&entries, &step, out, error))
            return NULL;
        before = step.place;
    }
    g_string_append_c(out, ']');
    *ret_cursor = found ? g_strdup_printf("%" G_GUINT64_FORMAT, before) : g_strdup("");
    return g_string_free(g_steal_pointer(&out), FALSE);
}
