#include "store/index-private.h"

#include "store/record.h"

#include <string.h>

/* A page never costs more than this; its cursor goes on from where it stopped. */
#define ROWS_EXAMINED_MAX 20000u
#define CURSOR_DIGEST 16

/* clang-format off */
#define COLUMNS "family, id, state, scope, owner, type, workspace, profile, schema, identity, privacy, encryption, first, pos"
/* clang-format on */
#define FIRST_COLUMN 5

/* ---- projecting ---- */

static bool state_of(SyncdIndex *self, const SyncdRecordRow *row, char **ret_state, GError **error)
{
    bool found;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT state FROM record WHERE family = :family AND id = :id");
    syncd_bind_text(rows, ":family", row->family->name);
    syncd_bind_text(rows, ":id", row->id);
    if (!syncd_statement_next(rows, &found, error))
        return false;
    *ret_state = g_strdup(found ? syncd_column_text(rows, 0) : SYNCD_STATE_ABSENT);
    return true;
}

static void bind_columns(SyncdStatement *statement, const SyncdRecordRow *row)
{
    static const char *const names[SYNCD_N_COLUMNS] = {
        [SYNCD_COLUMN_TYPE] = ":type",
        [SYNCD_COLUMN_WORKSPACE] = ":workspace",
        [SYNCD_COLUMN_PROFILE] = ":profile",
        [SYNCD_COLUMN_SCHEMA] = ":schema",
        [SYNCD_COLUMN_IDENTITY] = ":identity",
        [SYNCD_COLUMN_PRIVACY] = ":privacy",
        [SYNCD_COLUMN_ENCRYPTION] = ":encryption",
    };
    for (size_t i = 0; i < SYNCD_N_COLUMNS; i++)
        syncd_bind_text(statement, names[i], row->columns[i]);
}

static bool write_row(SyncdIndex *self, const SyncdRecordRow *row, GError **error)
{
    SyncdStatement *statement = syncd_database_statement(
        self->db,
        "INSERT INTO record (family, id, state, scope, owner, type, workspace, profile, schema,"
        " identity, privacy, encryption, first, pos) VALUES (:family, :id, :state, :scope, :owner,"
        " :type, :workspace, :profile, :schema, :identity, :privacy, :encryption, :pos, :pos)"
        " ON CONFLICT (family, id) DO UPDATE SET"
        " state = excluded.state, scope = excluded.scope, type = excluded.type,"
        " workspace = excluded.workspace, profile = excluded.profile, schema = excluded.schema,"
        " identity = excluded.identity, privacy = excluded.privacy,"
        " encryption = excluded.encryption, pos = excluded.pos");
    syncd_bind_text(statement, ":family", row->family->name);
    syncd_bind_text(statement, ":id", row->id);
    syncd_bind_text(statement, ":state", row->state);
    syncd_bind_text(statement, ":scope", row->scope);
    syncd_bind_text(statement, ":owner", row->owner);
    bind_columns(statement, row);
    syncd_bind_int(statement, ":pos", (gint64)row->pos);
    return syncd_statement_run(statement, error);
}

bool syncd_index_project_record(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                                const SyncdBody *body, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    g_autofree char *state = NULL;
    if (!syncd_record_row_read(pos, header, SYNCD_BYTES(body->content, body->content_size), &row))
        return true;
    if (!state_of(self, &row, &state, error))
        return false;
    /* A step that no table has was taken by nobody. */
    return !syncd_transition_is_tabled(header->kind, state, row.state) ||
           (write_row(self, &row, error) &&
            syncd_index_search_record(self, &row, header,
                                      syncd_json_root(body->content, body->content_size), error));
}

/* ---- asking ---- */

static void read_row(SyncdStatement *rows, SyncdRecordRow *ret_row)
{
    *ret_row = (SyncdRecordRow){
        .family = syncd_family_find(syncd_column_text(rows, 0)),
        .id = g_strdup(syncd_column_text(rows, 1)),
        .state = g_strdup(syncd_column_text(rows, 2)),
        .scope = g_strdup(syncd_column_text(rows, 3)),
        .owner = g_strdup(syncd_column_text(rows, 4)),
        .first = (guint64)syncd_column_int(rows, FIRST_COLUMN + SYNCD_N_COLUMNS),
        .pos = (guint64)syncd_column_int(rows, FIRST_COLUMN + SYNCD_N_COLUMNS + 1),
    };
    for (int i = 0; i < SYNCD_N_COLUMNS; i++)
        ret_row->columns[i] = g_strdup(syncd_column_text(rows, FIRST_COLUMN + i));
}

bool syncd_index_find_record(SyncdIndex *self, const SyncdFamily *family, const char *id,
                             SyncdRecordRow *ret_row, bool *ret_found, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT " COLUMNS " FROM record WHERE family = :family AND id = :id");
    syncd_bind_text(rows, ":family", family->name);
    syncd_bind_text(rows, ":id", id);
    if (!syncd_statement_next(rows, ret_found, error))
        return false;
    if (*ret_found)
        read_row(rows, ret_row);
    return true;
}

bool syncd_index_find_identity(SyncdIndex *self, const char *identity, SyncdRecordRow *ret_row,
                               bool (*skip)(void *data, const SyncdRecordRow *row), void *data,
                               bool *ret_found, GError **error)
{
    /* Those with an identity are few; the order is that of syncd_record_row_outranks(). */
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT " COLUMNS " FROM record WHERE identity = :identity AND identity <> ''"
                  " ORDER BY state = 'revoked', first");
    syncd_bind_text(rows, ":identity", identity);
    for (;;) {
        g_auto(SyncdRecordRow) row = {0};
        if (!syncd_statement_next(rows, ret_found, error))
            return false;
        if (!*ret_found)
            return true;
        read_row(rows, &row);
        if (skip(data, &row))
            continue;
        *ret_row = row;
        row = (SyncdRecordRow){0};
        return true;
    }
}

/* ---- listing ---- */

static char *digest_of(const SyncdRecordQuery *query)
{
    char digest[CURSOR_DIGEST + 1];
    g_autoptr(GString) text = g_string_new(query->family->name);
    const char *const conditions[] = {query->state, query->scope_id, query->viewer};
    for (size_t i = 0; i < G_N_ELEMENTS(conditions); i++)
        g_string_append_printf(text, "\n%s", conditions[i] != NULL ? conditions[i] : "");
    for (size_t i = 0; i < SYNCD_N_COLUMNS; i++)
        g_string_append_printf(text, "\n%s", query->columns[i] != NULL ? query->columns[i] : "");
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hex_encode(hash.bytes, CURSOR_DIGEST / 2, digest);
    return g_strdup(digest);
}

static bool take_cursor(const SyncdRecordQuery *query, const char *digest, const char **ret_after,
                        GError **error)
{
    *ret_after = "";
    if (query->cursor == NULL || *query->cursor == '\0')
        return true;
    if (strncmp(query->cursor, digest, CURSOR_DIGEST) == 0 && query->cursor[CURSOR_DIGEST] == '-') {
        *ret_after = query->cursor + CURSOR_DIGEST + 1;
        return true;
    }
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "start the listing again without a cursor",
                         "The cursor does not belong to a listing with these conditions");
    return false;
}

bool syncd_index_list_records(SyncdIndex *self, const SyncdRecordQuery *query, GPtrArray *rows,
                              char **ret_cursor, GError **error)
{
    const char *after;
    g_autofree char *digest = digest_of(query), *last = g_strdup("");
    if (!take_cursor(query, digest, &after, error))
        return false;
    /* Most are active; what is not has a lookup of its own. */
    bool rare = query->state != NULL && strcmp(query->state, SYNCD_STATE_ACTIVE) != 0;
    g_autoptr(SyncdStatement) found = syncd_database_statement(
        self->db, rare ? "SELECT " COLUMNS " FROM record WHERE family = :family AND state = :state"
                         " AND state <> 'active' AND id > :after ORDER BY id"
                       : "SELECT " COLUMNS
                         " FROM record WHERE family = :family AND id > :after ORDER BY id");
    syncd_bind_text(found, ":family", query->family->name);
    if (rare)
        syncd_bind_text(found, ":state", query->state);
    syncd_bind_text(found, ":after", after);
    for (unsigned examined = 0;; examined++) {
        g_auto(SyncdRecordRow) row = {0};
        bool more;
        if (!syncd_statement_next(found, &more, error))
            return false;
        if (!more || rows->len == query->limit || examined == ROWS_EXAMINED_MAX) {
            *ret_cursor = more ? g_strconcat(digest, "-", last, NULL) : g_strdup("");
            return true;
        }
        read_row(found, &row);
        g_free(last);
        last = g_strdup(row.id);
        if (syncd_record_row_matches(query, &row))
            g_ptr_array_add(rows, syncd_record_row_dup(&row));
    }
}
