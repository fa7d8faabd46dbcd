#include "service/find.h"

#include "base/json-writer.h"
#include "domain/search.h"
#include "service/file-document.h"
#include "service/file-find.h"
#include "service/file-reading.h"
#include "service/registry.h"
#include "store/search.h"

#include <string.h>

#define FILE_KIND "file"
#define OBJECT_KIND "object"
#define BATCH 256u
/* Rows that a page looks at, folders on the way to a file among them, whatever it leaves out: its
 * cursor goes on from there. */
#define LOOKED_AT_MAX 4096u
#define CURSOR_DIGEST 16

typedef struct {
    SyncdService *service;
    const SyncdSearchAsked *asked;
    SyncdView view;
    bool files; /* the caller may read files */
    GPtrArray *words;
    GHashTable *workspaces; /* number of a workspace's folder: "workspace:notes" */
    SyncdFileEntries entries;
    GString *out;
    guint32 n;
    guint looked_at;
} Find;

static void find_clear(Find *find)
{
    syncd_view_clear(&find->view);
    syncd_file_entries_clear(&find->entries);
    g_clear_pointer(&find->words, g_ptr_array_unref);
    g_clear_pointer(&find->workspaces, g_hash_table_unref);
    if (find->out != NULL)
        g_string_free(find->out, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Find, find_clear)

/* ---- hits ---- */

typedef struct {
    const char *kind, *id, *scope, *title;
    guint64 sequence;
    const GString *document; /* NULL: there is none */
} Hit;

static void write_hit(Find *find, const Hit *hit)
{
    SyncdJsonWriter writer;
    if (find->n++ > 0)
        g_string_append_c(find->out, ',');
    syncd_json_writer_init(&writer, find->out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "kind", hit->kind);
    syncd_json_member_string(&writer, "id", hit->id);
    syncd_json_member_string(&writer, "scope", hit->scope);
    syncd_json_member_string(&writer, "title", hit->title);
    syncd_json_member_uint(&writer, "sequence", hit->sequence);
    if (hit->document != NULL)
        syncd_json_member_value(&writer, "document",
                                syncd_json_root(hit->document->str, hit->document->len));
    syncd_json_end_object(&writer);
}

static bool asks_for(const Find *find, const char *kind)
{
    return find->asked->kind == NULL || strcmp(find->asked->kind, kind) == 0;
}

static bool asks_for_workspace(const Find *find, const char *workspace)
{
    return find->asked->workspace == NULL || strcmp(find->asked->workspace, workspace) == 0;
}

/* What local policy says now, on top of what may be in the index. */
static bool policy_lets(const Find *find, const char *scope, const char *data_class,
                        const char *object_type, const char *object)
{
    const char *class = NULL, *name;
    SyncdPolicyRequest asked = {{NULL}};
    if (syncd_scope_parse(scope, &class, &name, NULL))
        syncd_ask_about_scope(&asked, scope, class);
    asked.fields[SYNCD_FIELD_ACTION] = "index";
    asked.fields[SYNCD_FIELD_LANE] = SYNCD_LANE_NORMAL;
    asked.fields[SYNCD_FIELD_DATA_CLASS] =
        *data_class != '\0' ? data_class : SYNCD_POLICY_DATA_CLASS;
    asked.fields[SYNCD_FIELD_OBJECT_TYPE] = *object_type != '\0' ? object_type : NULL;
    asked.fields[SYNCD_FIELD_OBJECT] = object;
    return syncd_policy_set_decide(find->service->policy, &asked).outcome.allowed;
}

/* ---- files ---- */

static bool scope_of_entry(SyncdService *service, guint64 pos, char **ret_scope, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_store_read(service->store, pos, &entry, error))
        return false;
    *ret_scope = syncd_service_scope_text(service, entry.header.scope);
    return true;
}

static bool find_workspace_of(Find *find, guint64 folder, const char **ret_workspace,
                              GError **error)
{
    char *workspace;
    *ret_workspace = g_hash_table_lookup(find->workspaces, &folder);
    if (*ret_workspace != NULL)
        return true;
    if (!scope_of_entry(find->service, syncd_file_place_pos(folder), &workspace, error))
        return false;
    g_hash_table_insert(find->workspaces, g_memdup2(&folder, sizeof folder), workspace);
    *ret_workspace = workspace;
    return true;
}

static guint folders_in(const GString *path)
{
    guint n = 0;
    for (const char *at = path->str; (at = strchr(at, '/')) != NULL; at++)
        n++;
    return n;
}

static bool take_file(Find *find, guint64 id, GError **error)
{
    SyncdFileRow row;
    bool found, whole;
    guint64 top;
    const char *workspace = NULL;
    char file[SYNCD_FILE_ID_SIZE];
    g_autoptr(GString) path = g_string_new(NULL), document = g_string_new(NULL);
    if (!find->files || !asks_for(find, FILE_KIND))
        return true;
    if (!syncd_store_find_file(find->service->store, id, &row, &found, error))
        return false;
    if (!found || !row.live)
        return true;
    if (!syncd_file_read_path(find->service->store, &row, path, &top, &whole, error) ||
        (whole && !find_workspace_of(find, top, &workspace, error)))
        return false;
    find->looked_at += folders_in(path);
    if (!whole || !asks_for_workspace(find, workspace) ||
        !policy_lets(find, workspace, "", FILE_KIND, NULL))
        return true;
    if (!syncd_store_file_id(find->service->store, id, file, error) ||
        !syncd_file_document_write(&find->entries, &row, SYNCD_BYTES(path->str, path->len),
                                   document, error))
        return false;
    g_autofree char *title = g_utf8_make_valid(path->str, (gssize)path->len);
    const Hit hit = {FILE_KIND, file, workspace, title, syncd_file_place_pos(row.changed),
                     document};
    write_hit(find, &hit);
    return true;
}

/* ---- records ---- */

/* What people call it. */
static char *title_of(const GString *document, const char *id)
{
    static const char *const names[] = {"display_name", "name", "title", "heading", "label"};
    SyncdJson record = syncd_json_member(syncd_json_root(document->str, document->len), "record");
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        char *text = syncd_json_dup_text(syncd_json_member(record, names[i]));
        if (text != NULL && *text != '\0')
            return text;
        g_free(text);
    }
    return g_strdup(id);
}

static bool lies_in_workspace(const Find *find, const SyncdRecordRow *row, const char *scope)
{
    return asks_for_workspace(find, row->columns[SYNCD_COLUMN_WORKSPACE]) ||
           asks_for_workspace(find, row->id) || asks_for_workspace(find, scope);
}

static bool take_record(Find *find, const SyncdHit *found, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    g_autoptr(GString) document = g_string_new(NULL);
    bool is;
    if (!asks_for(find, found->family->name))
        return true;
    if (!syncd_store_find_record(find->service->store, found->family, found->record, &row, &is,
                                 error))
        return false;
    if (!is || row.pos > syncd_store_sequence(find->service->store) ||
        !syncd_registry_shows(&find->view, &row))
        return true;
    g_autofree char *scope = syncd_service_scope_text(find->service, SYNCD_BYTES_TEXT(row.scope));
    if (!lies_in_workspace(find, &row, scope) ||
        !policy_lets(find, scope, row.columns[SYNCD_COLUMN_PRIVACY], row.columns[SYNCD_COLUMN_TYPE],
                     row.id))
        return true;
    if (!syncd_registry_append_row(find->service, &find->view, &row, document, error))
        return false;
    g_autofree char *title = title_of(document, row.id);
    const Hit hit = {found->family->name, row.id, scope, title, row.pos, document};
    write_hit(find, &hit);
    return true;
}

/* ---- objects that are not registered ---- */

/* Who did nothing about it in that scope does not hear that somebody did. */
static bool may_see_object(Find *find, const char *object, guint64 pos, bool *ret_may,
                           GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    *ret_may = find->view.all;
    if (*ret_may)
        return true;
    if (!syncd_store_read(find->service->store, pos, &entry, error))
        return false;
    g_autofree char *scope = syncd_bytes_dup(entry.header.scope);
    const SyncdQuery query = {.object = object,
                              .scope_id = scope,
                              .actor = find->view.actor != NULL ? find->view.actor : "",
                              .limit = 1};
    g_autoptr(GArray) positions = NULL;
    g_autofree char *cursor = NULL;
    if (!syncd_store_query(find->service->store, &query, &positions, &cursor, error))
        return false;
    *ret_may = positions->len > 0;
    return true;
}

static bool take_object(Find *find, guint64 id, const SyncdHit *found, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    bool registered, may;
    g_autofree char *scope = NULL;
    if (!asks_for(find, OBJECT_KIND))
        return true;
    if (!syncd_store_find_record(find->service->store, syncd_family(SYNCD_FAMILY_OBJECT),
                                 found->record, &row, &registered, error) ||
        !may_see_object(find, found->record, syncd_file_place_pos(id), &may, error) ||
        !scope_of_entry(find->service, syncd_file_place_pos(id), &scope, error))
        return false;
    if (registered || !may || !asks_for_workspace(find, scope) ||
        !policy_lets(find, scope, "", "", found->record))
        return true;
    const Hit hit = {OBJECT_KIND, found->record, scope, found->record, syncd_file_place_pos(id),
                     NULL};
    write_hit(find, &hit);
    return true;
}

static bool take(Find *find, guint64 id, GError **error)
{
    g_auto(SyncdHit) hit = {0};
    bool is;
    if (!syncd_store_find_hit(find->service->store, id, &hit, &is, error))
        return false;
    if (!is)
        return take_file(find, id, error);
    return hit.family != NULL ? take_record(find, &hit, error) : take_object(find, id, &hit, error);
}

/* ---- pages ---- */

static bool check(const SyncdSearchAsked *asked, GError **error)
{
    if (asked->limit > SYNCD_LIST_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_MAX);
        return false;
    }
    if (asked->kind == NULL || strcmp(asked->kind, FILE_KIND) == 0 ||
        syncd_family_find(asked->kind) != NULL)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "say \"file\", \"object\", \"actor\" or another kind of record",
                         "\"%.*s\" is no kind of what can be found", SYNCD_ID_TOKEN_MAX,
                         asked->kind);
    return false;
}

static char *digest_of(const Find *find)
{
    char digest[CURSOR_DIGEST + 1];
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < find->words->len; i++)
        g_string_append_printf(text, "%s ", (const char *)find->words->pdata[i]);
    g_string_append_printf(text, "\n%s\n%s", find->asked->kind != NULL ? find->asked->kind : "",
                           find->asked->workspace != NULL ? find->asked->workspace : "");
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hex_encode(hash.bytes, CURSOR_DIGEST / 2, digest);
    return g_strdup(digest);
}

static bool take_cursor(const Find *find, guint64 *ret_below, GError **error)
{
    g_autofree char *digest = digest_of(find);
    const char *cursor = find->asked->cursor;
    *ret_below = G_MAXINT64;
    if (cursor == NULL || *cursor == '\0')
        return true;
    if (strncmp(cursor, digest, CURSOR_DIGEST) == 0 && cursor[CURSOR_DIGEST] == '-' &&
        g_ascii_string_to_unsigned(cursor + CURSOR_DIGEST + 1, 16, 1, G_MAXINT64, ret_below, NULL))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "start the search again without a cursor",
                         "The cursor does not belong to a search for these words");
    return false;
}

static bool is_full(const Find *find)
{
    guint32 limit = find->asked->limit != 0 ? find->asked->limit : SYNCD_LIST_MAX;
    return find->n == limit || find->out->len >= SYNCD_PAGE_SIZE ||
           find->looked_at >= LOOKED_AT_MAX;
}

/* `*at` ends at the last one that was looked at; `*ret_more` while there may be others. */
static bool fill(Find *find, guint64 *at, bool *ret_more, GError **error)
{
    *ret_more = true;
    while (*ret_more && !is_full(find)) {
        g_autoptr(GArray) ids = g_array_new(FALSE, FALSE, sizeof(guint64));
        guint i;
        if (!syncd_store_search(find->service->store, find->words, *at, BATCH, ids, error))
            return false;
        for (i = 0; i < ids->len && !is_full(find); i++, find->looked_at++) {
            *at = g_array_index(ids, guint64, i);
            if (!take(find, *at, error))
                return false;
        }
        *ret_more = i < ids->len || ids->len == BATCH;
    }
    return true;
}

char *syncd_service_find(SyncdService *service, const SyncdCaller *caller,
                         const SyncdSearchAsked *asked, char **ret_cursor, GError **error)
{
    g_auto(Find) find = {.service = service, .asked = asked, .entries = {.service = service}};
    guint64 at;
    bool more;
    find.out = g_string_new("[");
    find.workspaces = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    if (!check(asked, error) || (find.words = syncd_search_query(asked->words, error)) == NULL ||
        !take_cursor(&find, &at, error) ||
        !syncd_service_view(service, caller, &find.view, error) ||
        !syncd_service_may_read_files(service, caller, &find.files, error) ||
        !fill(&find, &at, &more, error))
        return NULL;
    g_autofree char *digest = digest_of(&find);
    *ret_cursor = more ? g_strdup_printf("%s-%" G_GINT64_MODIFIER "x", digest, at) : g_strdup("");
    g_string_append_c(find.out, ']');
    return g_string_free(g_steal_pointer(&find.out), FALSE);
}
