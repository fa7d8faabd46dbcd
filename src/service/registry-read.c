#include "base/json-writer.h"
#include "service/registry.h"

#include <string.h>

/* What the open turn holds is there for whoever comes after it in the same turn. */
bool syncd_registry_find_active(SyncdService *service, SyncdFamilyId family, const char *schema_id,
                                SyncdRecordFunc func, void *data, bool *ret_found, GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const SyncdRecordQuery query = {
        .family = syncd_family(family),
        .state = SYNCD_STATE_ACTIVE,
        .columns = {[SYNCD_COLUMN_SCHEMA] = schema_id},
    };
    *ret_found = false;
    if (!syncd_store_find_records(service->store, &query, &rows, error))
        return false;
    for (guint i = 0; i < rows->len && !*ret_found; i++)
        if (!func(service, rows->pdata[i], data, ret_found, error))
            return false;
    return true;
}

bool syncd_registry_shows(const SyncdView *view, const SyncdRecordRow *row)
{
    return view->all || (view->actor != NULL && (strcmp(view->actor, row->owner) == 0 ||
                                                 strcmp(view->actor, row->id) == 0));
}

static bool write_reasons(SyncdService *service, const SyncdView *view, const SyncdRecordRow *row,
                          SyncdJson record, SyncdJsonWriter *writer, GError **error)
{
    const char *reason;
    if (row->family != syncd_family(SYNCD_FAMILY_OBJECT))
        return true;
    if (!syncd_registry_standing(service, view, row, record, &reason, error))
        return false;
    syncd_json_name(writer, "reasons");
    syncd_json_begin_array(writer);
    if (reason != NULL)
        syncd_json_string(writer, reason);
    syncd_json_end_array(writer);
    return true;
}

static bool write_row(SyncdService *service, const SyncdView *view, const SyncdRecordRow *row,
                      const SyncdBody *body, const SyncdEntry *entry, const char *unreadable,
                      GString *out, GError **error)
{
    SyncdJsonWriter writer;
    g_autofree char *scope = syncd_service_scope_text(service, SYNCD_BYTES_TEXT(row->scope));
    g_autofree char *operation = syncd_bytes_dup(entry->header.op);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "kind", row->family->name);
    syncd_json_member_string(&writer, "id", row->id);
    syncd_json_member_string(&writer, "state", row->state);
    syncd_json_member_string(&writer, "scope", scope);
    syncd_json_member_uint(&writer, "sequence", row->pos);
    syncd_json_member_string(&writer, "operation", operation);
    if (unreadable != NULL) {
        syncd_json_member_null(&writer, "record");
        syncd_json_member_string(&writer, "record_error", unreadable);
    } else {
        char digest[SYNCD_DIGEST_SIZE];
        SyncdHash hash = syncd_hash(body->content, body->content_size);
        syncd_hash_to_digest(&hash, digest);
        syncd_json_member_string(&writer, "digest", digest);
        SyncdJson record = syncd_json_root(body->content, body->content_size);
        if (!write_reasons(service, view, row, record, &writer, error))
            return false;
        syncd_json_member_value(&writer, "record", record);
    }
    syncd_json_end_object(&writer);
    return true;
}

/* One document that cannot be read takes nothing from the others. */
bool syncd_registry_append_row(SyncdService *service, const SyncdView *view,
                               const SyncdRecordRow *row, GString *out, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_autoptr(GError) unreadable = NULL;
    if (!syncd_store_read(service->store, row->pos, &entry, error))
        return false;
    if (syncd_store_read_body(service->store, &entry, &body, &unreadable))
        syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, &unreadable);
    return write_row(service, view, row, &body, &entry,
                     unreadable != NULL ? unreadable->message : NULL, out, error);
}

static const SyncdFamily *require_family(const char *kind, GError **error)
{
    bool ignored;
    return syncd_service_registry_is_configuration(kind, &ignored, error) ? syncd_family_find(kind)
                                                                          : NULL;
}

void syncd_registry_refuse_absent(const SyncdFamily *family, const char *id, GError **error)
{
    bool is_root = family == syncd_family(SYNCD_FAMILY_ROOT);
    g_autofree char *next =
        is_root
            ? g_strdup("list what there is with `sourceos-syncd workspace list`")
            : g_strdup_printf("list what there is with `sourceos-syncd %ss list`", family->name);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next, "There is no %s %.*s", family->name,
                         SYNCD_ID_TOKEN_MAX, id);
}

/* What the open turn holds is not durable, so nobody may hear of it yet. */
char *syncd_service_show_record(SyncdService *service, const SyncdCaller *caller, const char *kind,
                                const char *id, GError **error)
{
    bool found = false;
    g_auto(SyncdView) view = {0};
    g_auto(SyncdRecordRow) row = {0};
    const SyncdFamily *family = require_family(kind, error);
    if (family == NULL || !syncd_service_view(service, caller, &view, error) ||
        !syncd_store_find_record(service->store, family, id, &row, &found, error) ||
        (found && row.pos > syncd_store_sequence(service->store) &&
         !syncd_service_commit_turn(service, error)))
        return NULL;
    if (!found || !syncd_registry_shows(&view, &row)) {
        syncd_registry_refuse_absent(family, id, error);
        return NULL;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    if (!syncd_registry_append_row(service, &view, &row, out, error))
        return NULL;
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- pages ---- */

static bool take_listing(SyncdService *service, const SyncdView *view,
                         const SyncdRegistryListing *listing, SyncdRecordQuery *query,
                         GError **error)
{
    if (listing->limit > SYNCD_LIST_MAX) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                        SYNCD_LIST_MAX);
        return false;
    }
    *query = (SyncdRecordQuery){
        .family = require_family(listing->kind, error),
        .state = listing->state,
        .columns = {[SYNCD_COLUMN_TYPE] = listing->type,
                    [SYNCD_COLUMN_WORKSPACE] = listing->workspace,
                    [SYNCD_COLUMN_PROFILE] = listing->profile,
                    [SYNCD_COLUMN_SCHEMA] = listing->schema,
                    [SYNCD_COLUMN_IDENTITY] = listing->identity},
        .viewer = view->all             ? NULL
                  : view->actor != NULL ? view->actor
                                        : "",
        .cursor = listing->cursor,
        .limit = listing->limit != 0 ? listing->limit : SYNCD_LIST_MAX,
    };
    return query->family != NULL;
}

/* The rows that fit; the first one goes out whatever its size. */
static bool append_rows(SyncdService *service, const SyncdView *view, const GPtrArray *rows,
                        GString *out, guint *ret_n, GError **error)
{
    for (*ret_n = 0; *ret_n < rows->len; (*ret_n)++) {
        gsize before = out->len;
        if (*ret_n > 0)
            g_string_append_c(out, ',');
        if (!syncd_registry_append_row(service, view, rows->pdata[*ret_n], out, error))
            return false;
        if (*ret_n > 0 && out->len > SYNCD_PAGE_SIZE) {
            g_string_truncate(out, before);
            return true;
        }
    }
    return true;
}

char *syncd_service_list_records(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRegistryListing *listing, char **ret_cursor,
                                 GError **error)
{
    g_auto(SyncdView) view = {0};
    g_autoptr(SyncdScope) scope = NULL;
    g_autoptr(GPtrArray) rows = NULL;
    g_autofree char *cursor = NULL;
    g_autoptr(GString) out = g_string_new("[");
    SyncdRecordQuery query;
    guint n;
    if (!syncd_service_view(service, caller, &view, error) ||
        !take_listing(service, &view, listing, &query, error) ||
        (listing->scope != NULL &&
         !syncd_service_find_scope_for(service, &view, listing->scope, &scope, error)))
        return NULL;
    if (listing->scope != NULL && scope == NULL) {
        *ret_cursor = g_strdup("");
        return g_strdup("[]");
    }
    query.scope_id = scope != NULL ? scope->id : NULL;
    if (!syncd_store_list_records(service->store, &query, &rows, &cursor, error) ||
        !append_rows(service, &view, rows, out, &n, error))
        return NULL;
    if (n < rows->len) {
        /* The cursor of the shorter page comes from asking for just that page. */
        g_clear_pointer(&rows, g_ptr_array_unref);
        g_clear_pointer(&cursor, g_free);
        query.limit = n;
        if (!syncd_store_list_records(service->store, &query, &rows, &cursor, error))
            return NULL;
    }
    g_string_append_c(out, ']');
    *ret_cursor = g_steal_pointer(&cursor);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
