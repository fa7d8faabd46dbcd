#include "service/file-reading.h"

#include "service/file-document.h"
#include "service/file-find.h"
#include "service/file-mismatch.h"

#include <string.h>

/* ---- who may ---- */

bool syncd_service_may_read_files(SyncdService *service, const SyncdCaller *caller, bool *ret_may,
                                  GError **error)
{
    const SyncdCaller owner = {.uid = service->uid};
    g_auto(SyncdView) view = {0};
    g_autofree char *actor = NULL;
    if (!syncd_service_view(service, caller, &view, error) ||
        (!view.all && !syncd_service_find_caller(service, &owner, &actor, error)))
        return false;
    *ret_may = view.all || (actor != NULL && g_strcmp0(view.actor, actor) == 0);
    return true;
}

/* ---- one workspace ---- */

static bool refuse_workspace(const char *workspace, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "see those that there are with `sourceos-syncd workspace list`",
                         "No directory is the workspace %.*s", SYNCD_ID_TOKEN_MAX, workspace);
    return false;
}

static bool is_root_of(SyncdService *service, const char *workspace, bool *ret_is, GError **error)
{
    SyncdRecordQuery query = {.family = syncd_family(SYNCD_FAMILY_ROOT),
                              .columns = {[SYNCD_COLUMN_WORKSPACE] = workspace},
                              .limit = 1};
    g_autoptr(GPtrArray) rows = NULL;
    g_autofree char *cursor = NULL;
    if (!syncd_store_list_records(service->store, &query, &rows, &cursor, error))
        return false;
    *ret_is = rows->len > 0;
    return true;
}

/* The folder that it is. `*ret_found` false: nothing has been recorded yet. */
static bool find_workspace(SyncdService *service, const SyncdCaller *caller, const char *workspace,
                           SyncdFileRow *ret_folder, bool *ret_found, char **ret_scope_id,
                           GError **error)
{
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    bool may, is;
    *ret_found = false;
    if (!syncd_service_may_read_files(service, caller, &may, error))
        return false;
    if (!may || !syncd_scope_parse(workspace, &class, &name, NULL))
        return refuse_workspace(workspace, error);
    if (!syncd_store_find_scope(service->store, class, name, &scope, error) ||
        (scope != NULL && !syncd_store_find_workspace_folder(service->store, scope->id, ret_folder,
                                                             ret_found, error)))
        return false;
    *ret_scope_id = g_strdup(scope != NULL ? scope->id : "");
    if (*ret_found)
        return true;
    return is_root_of(service, workspace, &is, error) && (is || refuse_workspace(workspace, error));
}

/* ---- one file ---- */

static bool refuse_path(const SyncdFileAsked *asked, GError **error)
{
    g_autofree char *next = g_strdup_printf(
        "see what is recorded with `sourceos-syncd workspace files %s`", asked->workspace);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next,
                         asked->past
                             ? "No file of that path is recorded in %s, nor among the newest that "
                               "were deleted"
                             : "No file of that path is recorded in %s",
                         asked->workspace);
    return false;
}

char *syncd_service_get_file(SyncdService *service, const SyncdCaller *caller,
                             const SyncdFileAsked *asked, GError **error)
{
    SyncdFileRow row;
    bool found;
    g_autofree char *scope = NULL;
    g_auto(SyncdFileEntries) entries = {.service = service};
    g_autoptr(GString) out = g_string_new(NULL);
    if (!syncd_file_path_check(asked->path, error) ||
        !find_workspace(service, caller, asked->workspace, &row, &found, &scope, error) ||
        !(asked->past
              ? syncd_file_follow_past(service->store, scope, asked->path, &row, &found, error)
              : syncd_file_follow(service->store, asked->path, &row, &found, error)))
        return NULL;
    if (!found && !refuse_path(asked, error))
        return NULL;
    if (!syncd_file_document_write(&entries, &row, asked->path, out, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- walking ---- */

typedef struct {
    guint64 folder;
    size_t path; /* bytes of the path that are the folder's own */
    char after[SYNCD_FILE_NAME_MAX + 1];
    size_t after_size;
} Level;

/* Where in the tree it is: the folders down to it, and behind which name of each. */
typedef struct {
    SyncdService *service;
    GArray *levels; /* Level */
    GString *path;  /* of what was found last */
} Walk;

static void walk_clear(Walk *walk)
{
    g_array_unref(walk->levels);
    g_string_free(walk->path, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static Level *top(const Walk *walk)
{
    return &g_array_index(walk->levels, Level, walk->levels->len - 1);
}

static void descend(Walk *walk, guint64 folder)
{
    Level level = {.folder = folder, .path = walk->path->len};
    g_array_append_val(walk->levels, level);
}

static void step_over(Walk *walk, SyncdBytes name)
{
    Level *level = top(walk);
    memcpy(level->after, name.data, name.size);
    level->after_size = name.size;
    g_string_truncate(walk->path, level->path);
    if (level->path > 0)
        g_string_append_c(walk->path, '/');
    g_string_append_len(walk->path, name.data, (gssize)name.size);
}

static bool next(Walk *walk, SyncdFileRow *ret_row, bool *ret_found, GError **error)
{
    for (*ret_found = false; !*ret_found && walk->levels->len > 0;) {
        Level *level = top(walk);
        if (!syncd_store_next_file_in(walk->service->store, level->folder,
                                      SYNCD_BYTES(level->after, level->after_size), ret_row,
                                      ret_found, error))
            return false;
        if (!*ret_found)
            g_array_set_size(walk->levels, walk->levels->len - 1);
    }
    if (!*ret_found)
        return true;
    step_over(walk, SYNCD_BYTES(ret_row->name, ret_row->name_size));
    if (ret_row->kind == SYNCD_FILE_FOLDER &&
        walk->path->len + 1 + SYNCD_FILE_NAME_MAX <= SYNCD_FILE_PATH_MAX)
        descend(walk, ret_row->id);
    return true;
}

/* Goes on behind this path, as far as it is still there. */
static bool go_behind(Walk *walk, SyncdBytes rest, GError **error)
{
    SyncdBytes name;
    bool found = true;
    while (found && syncd_file_path_take(&rest, &name)) {
        SyncdFileRow row;
        if (!syncd_store_find_file_in(walk->service->store, top(walk)->folder, name, &row, &found,
                                      error))
            return false;
        step_over(walk, name);
        found = found && row.kind == SYNCD_FILE_FOLDER;
        if (found)
            descend(walk, row.id);
    }
    return true;
}

/* ---- pages ---- */

/* What is behind the folder's own path. */
static bool take_cursor(const SyncdFileListing *listing, guchar **ret_path, SyncdBytes *ret_rest,
                        GError **error)
{
    SyncdBytes base = listing->path;
    gsize size = 0;
    *ret_rest = SYNCD_BYTES("", 0);
    if (listing->cursor == NULL || *listing->cursor == '\0')
        return true;
    guchar *path = *ret_path = g_base64_decode(listing->cursor, &size);
    bool within = size >= base.size && memcmp(path, base.data, base.size) == 0 &&
                  (base.size == 0 || size == base.size || path[base.size] == '/');
    size_t skipped = base.size > 0 && size > base.size ? base.size + 1 : base.size;
    if (size > 0 && within && syncd_file_path_is(SYNCD_BYTES(path, size))) {
        *ret_rest = SYNCD_BYTES(path + skipped, size - skipped);
        return true;
    }
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "start the listing again without a cursor",
                         "The cursor does not belong to a listing of that path");
    return false;
}

static bool append(SyncdFileEntries *entries, const SyncdFileRow *row, const GString *path,
                   GString *out, GError **error)
{
    if (out->len > 1)
        g_string_append_c(out, ',');
    return syncd_file_document_write(entries, row, SYNCD_BYTES(path->str, path->len), out, error);
}

/* The path of the last one goes to `ret_cursor` when more may follow. */
static bool fill(Walk *walk, guint32 limit, GString *out, char **ret_cursor, GError **error)
{
    g_auto(SyncdFileEntries) entries = {.service = walk->service};
    SyncdFileRow row;
    g_autofree char *last = NULL;
    bool found;
    for (guint32 n = out->len > 1 ? 1 : 0; n <= limit; n++) {
        bool full = n == limit || out->len >= SYNCD_PAGE_SIZE;
        g_free(last);
        last = g_base64_encode((const guchar *)walk->path->str, walk->path->len);
        if (!next(walk, &row, &found, error))
            return false;
        if (!found || full)
            break;
        if (!append(&entries, &row, walk->path, out, error))
            return false;
    }
    *ret_cursor = found ? g_steal_pointer(&last) : g_strdup("");
    return true;
}

/* All that is in the folder; what the listing names is the first one, unless it is the workspace.
 */
static bool list_below(SyncdService *service, const SyncdFileListing *listing,
                       const SyncdFileRow *named, SyncdBytes rest, GString *out, char **ret_cursor,
                       GError **error)
{
    guint32 limit = listing->limit != 0 ? listing->limit : SYNCD_LIST_FILES_MAX;
    bool begins = listing->cursor == NULL || *listing->cursor == '\0';
    g_auto(SyncdFileEntries) entries = {.service = service};
    g_auto(Walk) walk = {service, g_array_new(FALSE, FALSE, sizeof(Level)),
                         g_string_new_len(listing->path.data, (gssize)listing->path.size)};
    if (begins && listing->path.size > 0 && !append(&entries, named, walk.path, out, error))
        return false;
    if (named->kind == SYNCD_FILE_FOLDER)
        descend(&walk, named->id);
    return (walk.levels->len == 0 || go_behind(&walk, rest, error)) &&
           fill(&walk, limit, out, ret_cursor, error);
}

char *syncd_service_list_files(SyncdService *service, const SyncdCaller *caller,
                               const SyncdFileListing *listing, char **ret_cursor, GError **error)
{
    g_autoptr(GString) out = g_string_new("[");
    g_autofree guchar *path = NULL;
    g_autofree char *scope = NULL;
    SyncdFileRow row;
    SyncdBytes rest = SYNCD_BYTES("", 0);
    bool found;
    if (listing->limit > SYNCD_LIST_FILES_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_FILES_MAX);
        return NULL;
    }
    if (!syncd_file_path_check(listing->path, error) ||
        (!listing->mismatched && !take_cursor(listing, &path, &rest, error)) ||
        !find_workspace(service, caller, listing->workspace, &row, &found, &scope, error) ||
        !syncd_file_follow(service->store, listing->path, &row, &found, error))
        return NULL;
    if (!found && listing->path.size > 0) {
        refuse_path(&(SyncdFileAsked){.workspace = listing->workspace}, error);
        return NULL;
    }
    if (!found)
        *ret_cursor = g_strdup("");
    else if (listing->mismatched
                 ? !syncd_file_mismatched_list(service, listing, out, ret_cursor, error)
                 : !list_below(service, listing, &row, rest, out, ret_cursor, error))
        return NULL;
    g_string_append_c(out, ']');
    return g_string_free(g_steal_pointer(&out), FALSE);
}
