#include "store/index-private.h"

#include "domain/search.h"

#define WORD_MIN_PREFIX 3u /* shorter ones are found whole: too much begins with them */

/* ---- rows ---- */

bool syncd_index_add_search(SyncdIndex *self, guint64 id, const char *words, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO search (rowid, words) VALUES (:id, :words)");
    syncd_bind_int(row, ":id", (gint64)id);
    syncd_bind_text(row, ":words", words);
    return syncd_statement_run(row, error);
}

bool syncd_index_remove_search(SyncdIndex *self, guint64 id, const char *words, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO search (search, rowid, words) VALUES ('delete', :id, :words)");
    syncd_bind_int(row, ":id", (gint64)id);
    syncd_bind_text(row, ":words", words);
    return syncd_statement_run(row, error);
}

/* ---- what is known ---- */

/* Entries are mostly of the scope of the one before. */
struct SyncdSearchKnown {
    char *scope, *class; /* NULL: none is known */
};

struct SyncdSearchKnown *syncd_index_search_known_new(void)
{
    return g_new0(struct SyncdSearchKnown, 1);
}

static void forget(struct SyncdSearchKnown *known)
{
    g_clear_pointer(&known->scope, g_free);
    g_clear_pointer(&known->class, g_free);
}

void syncd_index_search_known_free(struct SyncdSearchKnown *known)
{
    forget(known);
    g_free(known);
}

void syncd_index_forget_search(SyncdIndex *self)
{
    forget(self->search);
}

/* Borrowed; NULL: there is no such scope yet. */
static bool class_of(SyncdIndex *self, SyncdBytes scope, const char **ret_class, GError **error)
{
    struct SyncdSearchKnown *known = self->search;
    if (known->scope == NULL || !syncd_bytes_are(scope, known->scope)) {
        bool found;
        g_autoptr(SyncdStatement) row =
            syncd_database_statement(self->db, "SELECT class FROM scope WHERE id = :id");
        syncd_bind_text_bytes(row, ":id", scope);
        if (!syncd_statement_next(row, &found, error))
            return false;
        g_free(known->scope);
        g_free(known->class);
        known->scope = syncd_bytes_dup(scope);
        known->class = found ? g_strdup(syncd_column_text(row, 0)) : NULL;
    }
    *ret_class = known->class;
    return true;
}

bool syncd_index_may_search(SyncdIndex *self, const SyncdHeader *header, const char *data_class,
                            bool *ret_may, GError **error)
{
    const char *class;
    if (!class_of(self, header->scope, &class, error))
        return false;
    *ret_may = syncd_search_may(header->lane, class, data_class);
    return true;
}

/* ---- records and objects ---- */

static bool add_text(SyncdIndex *self, guint64 id, const char *family, SyncdBytes record,
                     const char *words, GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO search_text (id, family, record, words)"
                                           " VALUES (:id, :family, :record, :words)");
    syncd_bind_int(row, ":id", (gint64)id);
    syncd_bind_text(row, ":family", family);
    syncd_bind_text_bytes(row, ":record", record);
    syncd_bind_text(row, ":words", words);
    return syncd_statement_run(row, error) && syncd_index_add_search(self, id, words, error);
}

static bool remove_text(SyncdIndex *self, guint64 id, GError **error)
{
    g_autofree char *words = NULL;
    bool found;
    {
        g_autoptr(SyncdStatement) row =
            syncd_database_statement(self->db, "SELECT words FROM search_text WHERE id = :id");
        syncd_bind_int(row, ":id", (gint64)id);
        if (!syncd_statement_next(row, &found, error))
            return false;
        words = found ? g_strdup(syncd_column_text(row, 0)) : NULL;
    }
    if (!found)
        return true;
    SyncdStatement *row =
        syncd_database_statement(self->db, "DELETE FROM search_text WHERE id = :id");
    syncd_bind_int(row, ":id", (gint64)id);
    return syncd_index_remove_search(self, id, words, error) && syncd_statement_run(row, error);
}

static bool find_first(SyncdIndex *self, const SyncdRecordRow *record, gint64 *ret_first,
                       GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT first FROM record WHERE family = :family AND id = :id");
    syncd_bind_text(row, ":family", record->family->name);
    syncd_bind_text(row, ":id", record->id);
    return syncd_statement_number(row, (gint64)record->pos, ret_first, error);
}

bool syncd_index_search_record(SyncdIndex *self, const SyncdRecordRow *row,
                               const SyncdHeader *header, SyncdJson record, GError **error)
{
    gint64 first;
    bool may;
    g_autoptr(GString) words = g_string_new(NULL);
    if (!find_first(self, row, &first, error) ||
        !syncd_index_may_search(self, header, row->columns[SYNCD_COLUMN_PRIVACY], &may, error))
        return false;
    guint64 id = syncd_file_place((guint64)first, 0);
    syncd_search_words(SYNCD_BYTES_TEXT(row->id), words);
    syncd_search_words(SYNCD_BYTES_TEXT(row->owner), words);
    syncd_search_record_words(record, words);
    return remove_text(self, id, error) &&
           (!may ||
            add_text(self, id, row->family->name, SYNCD_BYTES_TEXT(row->id), words->str, error));
}

bool syncd_index_search_object(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                               GError **error)
{
    g_autoptr(GString) words = g_string_new(NULL);
    syncd_search_words(header->object, words);
    return add_text(self, syncd_file_place(pos, 0), "", header->object, words->str, error);
}

/* ---- asking ---- */

/* Words are letters and digits, so that nothing in them ends the quotes. */
static char *match_of(const GPtrArray *words)
{
    g_autoptr(GString) match = g_string_new(NULL);
    for (guint i = 0; i < words->len; i++) {
        const char *word = words->pdata[i];
        bool begins = g_utf8_strlen(word, -1) >= WORD_MIN_PREFIX;
        g_string_append_printf(match, "\"%s\"%s ", word, begins ? "*" : "");
    }
    return g_string_free(g_steal_pointer(&match), FALSE);
}

bool syncd_index_search(SyncdIndex *self, const GPtrArray *words, guint64 below, guint limit,
                        GArray *ids, GError **error)
{
    g_autofree char *match = match_of(words);
    SyncdStatement *rows = syncd_database_statement(
        self->db, "SELECT rowid FROM search WHERE search MATCH :match AND rowid < :below"
                  " ORDER BY rowid DESC LIMIT :limit");
    syncd_bind_text(rows, ":match", match);
    syncd_bind_int(rows, ":below", (gint64)MIN(below, G_MAXINT64));
    syncd_bind_int(rows, ":limit", limit);
    return syncd_statement_numbers(rows, ids, error);
}

bool syncd_index_search_hit(SyncdIndex *self, guint64 id, SyncdHit *ret_hit, bool *ret_found,
                            GError **error)
{
    g_autoptr(SyncdStatement) row =
        syncd_database_statement(self->db, "SELECT family, record FROM search_text WHERE id = :id");
    syncd_bind_int(row, ":id", (gint64)id);
    if (!syncd_statement_next(row, ret_found, error))
        return false;
    if (*ret_found) {
        ret_hit->family = syncd_family_find(syncd_column_text(row, 0));
        ret_hit->record = g_strdup(syncd_column_text(row, 1));
    }
    return true;
}
