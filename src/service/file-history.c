/* What became of one file. */
#include "service/file-reading.h"
#include "service/file-step.h"
#include "store/chunks.h"

#include <string.h>

#define READ_MAX (8u * 1024u * 1024u) /* of documents, for a page */

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

/* Whether the content that it had then can be brought back. */
static bool is_kept(SyncdService *service, guint64 file, SyncdFileStep *step, GError **error)
{
    g_auto(SyncdContentRow) row = {0};
    bool found;
    if (!syncd_store_find_content(service->store, file, step->version, &row, &found, error))
        return false;
    step->kept = found && row.version == step->version;
    return true;
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
    return !*ret_found || is_kept(service, file, ret_step, error);
}

/* A page of them, each held against the one before it. Ends early where documents were long. */
static bool append_steps(SyncdService *service, guint64 file, guint64 *before, guint32 max,
                         GString *out, bool *ret_more, GError **error)
{
    g_auto(SyncdFileEntries) earlier = {.service = service}, entries = {.service = service};
    SyncdFileFacts facts = {{0}}, next;
    SyncdFileStep step;
    guint64 cost = 0;
    bool found;
    for (guint32 n = 0;; n++) {
        if (!next_step(service, file, *before, &step, &found, error) ||
            (found && !syncd_file_facts_read(&earlier, &step, &next, &cost, error)))
            return false;
        if (n > 1)
            g_string_append_c(out, ',');
        if (n > 0 && !syncd_file_facts_write(&entries, &facts, found ? &next : NULL, out, error))
            return false;
        *ret_more = found;
        if (!found || n == max || (n > 0 && cost > READ_MAX))
            return true;
        facts = next;
        *before = step.place;
    }
}

char *syncd_service_file_history(SyncdService *service, const SyncdCaller *caller, const char *id,
                                 const char *cursor, guint32 limit, char **ret_cursor,
                                 GError **error)
{
    g_autoptr(GString) out = g_string_new("[");
    guint64 file, before;
    bool more;
    if (limit > SYNCD_LIST_FILES_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_FILES_MAX);
        return NULL;
    }
    if (!take_cursor(cursor, &before, error) || !find_file(service, caller, id, &file, error) ||
        !append_steps(service, file, &before, limit != 0 ? limit : SYNCD_LIST_FILES_MAX, out, &more,
                      error))
        return NULL;
    g_string_append_c(out, ']');
    *ret_cursor = more ? g_strdup_printf("%" G_GUINT64_FORMAT, before) : g_strdup("");
    return g_string_free(g_steal_pointer(&out), FALSE);
}
