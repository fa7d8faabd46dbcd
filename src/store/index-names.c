#include "store/index-private.h"

bool syncd_index_add_name(SyncdIndex *self, const char *family, const char *name, SyncdBytes scope,
                          guint64 pos, GError **error)
{
    gint64 word;
    if (!syncd_index_add_word(self, scope, &word, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO name (family, name, scope, pos) VALUES (:family, :name, :scope, "
                  ":pos) ON CONFLICT DO NOTHING");
    syncd_bind_text(row, ":family", family);
    syncd_bind_text(row, ":name", name);
    syncd_bind_int(row, ":scope", word);
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_run(row, error);
}

bool syncd_index_find_name(SyncdIndex *self, const char *family, const char *name,
                           const char *scope, guint64 *ret_pos, GError **error)
{
    gint64 word = 0;
    *ret_pos = 0;
    if (scope != NULL) {
        if (!syncd_index_word(self, SYNCD_BYTES_TEXT(scope), &word, error))
            return false;
        if (word == 0)
            return true;
    }
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT pos FROM name WHERE family = :family AND name = :name"
                  " AND (:scope = 0 OR scope = :scope) ORDER BY pos LIMIT 1");
    syncd_bind_text(row, ":family", family);
    syncd_bind_text(row, ":name", name);
    syncd_bind_int(row, ":scope", word);
    return syncd_statement_count(row, ret_pos, error);
}

bool syncd_index_list_name(SyncdIndex *self, const char *family, const char *name,
                           GArray *positions, GError **error)
{
    SyncdStatement *rows = syncd_database_statement(
        self->db,
        "SELECT pos FROM name WHERE family = :family AND name = :name ORDER BY pos LIMIT :max");
    syncd_bind_text(rows, ":family", family);
    syncd_bind_text(rows, ":name", name);
    syncd_bind_int(rows, ":max", SYNCD_STORE_SCOPES_MAX);
    return syncd_statement_numbers(rows, positions, error);
}

bool syncd_index_find_decision(SyncdIndex *self, const char *id, guint64 *ret_pos, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT pos FROM decision WHERE id = :id ORDER BY pos LIMIT 1");
    syncd_bind_text(row, ":id", id);
    return syncd_statement_count(row, ret_pos, error);
}
