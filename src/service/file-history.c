/* What became of one file. */
#include "domain/findings.h"
#include "service/content-faults.h"
#include "service/content-look.h"
#include "service/file-reading.h"
#include "service/file-step.h"
#include "store/chunks.h"
#include "store/missing-keys.h"

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

/* One file, and what is known to be wrong with content. */
typedef struct {
    SyncdService *service;
    guint64 file;
    SyncdContentFaults faults;
    bool lacks_keys;
    guint64 left; /* so many bytes of it are looked at yet */
} History;

static void history_clear(History *self)
{
    syncd_content_faults_clear(&self->faults);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(History, history_clear)

static bool lacks_key(const History *self, const SyncdContentRow *row)
{
    g_auto(SyncdEntry) entry = {0};
    if (!self->lacks_keys ||
        !syncd_store_read(self->service->store, syncd_file_place_pos(row->place), &entry, NULL))
        return false;
    return syncd_content_is_sealed(self->service, entry.header.scope);
}

static const char unseen[] = "unknown";

static const char *fault_of(History *self, const SyncdContentRow *row)
{
    static const char *const seen[] = {
        [SYNCD_CONTENT_WHOLE] = NULL,
        [SYNCD_CONTENT_DAMAGED] = "damaged",
        [SYNCD_CONTENT_NOT_SEEN] = unseen,
    };
    const char *code = syncd_content_fault_of_version(&self->faults, row);
    if (code != NULL)
        return syncd_finding_is_bad(syncd_finding_find(SYNCD_BYTES_TEXT(code))) ? "damaged"
                                                                                : "lost";
    return lacks_key(self, row)
               ? "sealed"
               : seen[syncd_content_look_at_version(self->service, row, &self->left)];
}

/* Whether the content that it had then can be brought back. What nobody has looked at is kept all
 * the same. */
static bool look_at_content(History *self, SyncdFileFacts *facts, GError **error)
{
    g_auto(SyncdContentRow) row = {0};
    bool found;
    if (!syncd_store_find_content(self->service->store, self->file, facts->step.version, &row,
                                  &found, error))
        return false;
    bool kept = found && row.version == facts->step.version;
    facts->fault = kept ? fault_of(self, &row) : NULL;
    facts->step.kept = kept && (facts->fault == NULL || facts->fault == unseen);
    return true;
}

/* That it was made is no change, and is the last one. */
static bool next_step(const History *self, guint64 before, SyncdFileStep *ret_step, bool *ret_found,
                      GError **error)
{
    if (!syncd_store_find_file_step(self->service->store, self->file, before, G_MAXINT64, ret_step,
                                    ret_found, error))
        return false;
    if (!*ret_found && self->file < before) {
        *ret_step = (SyncdFileStep){.place = self->file, .version = 1};
        *ret_found = true;
    }
    return true;
}

/* A page of them, each held against the one before it. Ends early where documents were long. */
static bool append_steps(History *self, guint64 *before, guint32 max, GString *out, bool *ret_more,
                         GError **error)
{
    g_auto(SyncdFileEntries) earlier = {.service = self->service},
                             entries = {.service = self->service};
    SyncdFileFacts facts = {{0}}, next;
    SyncdFileStep step;
    guint64 cost = 0;
    bool found;
    for (guint32 n = 0;; n++) {
        if (!next_step(self, *before, &step, &found, error) ||
            (found && (!syncd_file_facts_read(&earlier, &step, &next, &cost, error) ||
                       !look_at_content(self, &next, error))))
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
    g_auto(History) history = {
        .service = service,
        .lacks_keys = syncd_store_lacks_keys(service->store),
        .left = SYNCD_CONTENT_LOOK_BYTES,
    };
    guint64 before;
    bool more;
    if (limit > SYNCD_LIST_FILES_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_FILES_MAX);
        return NULL;
    }
    if (!take_cursor(cursor, &before, error) ||
        !find_file(service, caller, id, &history.file, error))
        return NULL;
    syncd_content_faults_gather(service, &history.faults);
    if (!append_steps(&history, &before, limit != 0 ? limit : SYNCD_LIST_FILES_MAX, out, &more,
                      error))
        return NULL;
    g_string_append_c(out, ']');
    *ret_cursor = more ? g_strdup_printf("%" G_GUINT64_FORMAT, before) : g_strdup("");
    return g_string_free(g_steal_pointer(&out), FALSE);
}
