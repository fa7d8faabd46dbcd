#include "store/index-private.h"

#include "domain/kind.h"

#include <stdio.h>

/* A page never costs more than this, whatever its conditions: a cursor goes on from where it
 * stopped. */
#define ROWS_EXAMINED_MAX 20000u
#define LIMIT_MAX 1000u

/* ---- the ways to walk the entries: one condition drives, the others are checked row by row ----
 */

#define ROW "SELECT pos, kind, actor, scope, object, ms FROM entry "
#define BY_POS "pos > :above AND pos < :below ORDER BY pos "
#define BY_TIME "(ms, pos) > (:above_ms, :above) AND (ms, pos) < (:below_ms, :below) ORDER BY ms "

typedef enum { BY_OBJECT, BY_ACTOR, BY_SCOPE, BY_KIND, BY_MS, BY_NOTHING } Driver;

static const char *const walks[][2] = {
    [BY_OBJECT] = {ROW "WHERE object = :text AND object <> '' AND " BY_POS "DESC",
                   ROW "WHERE object = :text AND object <> '' AND " BY_POS "ASC"},
    [BY_ACTOR] = {ROW "WHERE actor = :word AND " BY_POS "DESC",
                  ROW "WHERE actor = :word AND " BY_POS "ASC"},
    [BY_SCOPE] = {ROW "WHERE scope = :word AND " BY_POS "DESC",
                  ROW "WHERE scope = :word AND " BY_POS "ASC"},
    [BY_KIND] = {ROW "WHERE kind = :word AND " BY_POS "DESC",
                 ROW "WHERE kind = :word AND " BY_POS "ASC"},
    [BY_MS] = {ROW "WHERE " BY_TIME "DESC, pos DESC", ROW "WHERE " BY_TIME "ASC, pos ASC"},
    [BY_NOTHING] = {ROW "WHERE " BY_POS "DESC", ROW "WHERE " BY_POS "ASC"},
};

/* ---- conditions, with words in place of texts ---- */

typedef struct {
    gint64 kind, actor, scope; /* 0: any */
    const char *object;        /* NULL: any */
    guint64 since_ms, until_ms;
    bool operations_only;
    bool impossible;                          /* names a word that no entry has */
    guint64 above, below, above_ms, below_ms; /* exclusive bounds of the walk */
    Driver driver;
} Conditions;

static bool resolve_word(SyncdIndex *self, const char *text, gint64 *ret_word, bool *ret_impossible,
                         GError **error)
{
    *ret_word = 0;
    if (text == NULL)
        return true;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(text), ret_word, error))
        return false;
    if (*ret_word == 0)
        *ret_impossible = true;
    return true;
}

static Driver choose_driver(const Conditions *conditions)
{
    if (conditions->object != NULL)
        return BY_OBJECT;
    if (conditions->since_ms > 0 || conditions->until_ms > 0)
        return BY_MS;
    if (conditions->kind != 0)
        return BY_KIND;
    if (conditions->scope != 0)
        return BY_SCOPE;
    return conditions->actor != 0 ? BY_ACTOR : BY_NOTHING;
}

static bool resolve(SyncdIndex *self, const SyncdQuery *query, guint64 newest, Conditions *ret,
                    GError **error)
{
    *ret = (Conditions){
        .object = query->object,
        .since_ms = MIN(query->since_ms, G_MAXINT64),
        .until_ms = MIN(query->until_ms, G_MAXINT64),
        .operations_only = query->operations_only,
        .above = MIN(query->after, G_MAXINT64),
        .below = newest + 1,
    };
    if (!resolve_word(self, query->kind, &ret->kind, &ret->impossible, error) ||
        !resolve_word(self, query->actor, &ret->actor, &ret->impossible, error) ||
        !resolve_word(self, query->scope_id, &ret->scope, &ret->impossible, error))
        return false;
    ret->driver = choose_driver(ret);
    if (ret->driver == BY_MS) {
        /* Bounds of the walk are in time; `after` is then one more condition to check. */
        ret->above_ms = ret->since_ms;
        ret->above = 0;
        ret->below_ms = ret->until_ms > 0 ? ret->until_ms : G_MAXINT64;
        ret->below = 0;
    }
    return true;
}

/* ---- cursors: where to go on, bound to the conditions they were given for ---- */

static void digest_conditions(const SyncdQuery *query, char ret_text[17])
{
    g_autofree char *text = g_strdup_printf(
        "%d\n%s\n%d\n%s\n%s\n%s\n%s\n%" G_GUINT64_FORMAT "\n%" G_GUINT64_FORMAT
        "\n%" G_GUINT64_FORMAT,
        (int)query->order, query->kind != NULL ? query->kind : "", query->operations_only,
        query->actor != NULL ? query->actor : "", query->scope_id != NULL ? query->scope_id : "",
        query->object != NULL ? query->object : "", query->op != NULL ? query->op : "",
        query->after, query->since_ms, query->until_ms);
    SyncdHash hash = syncd_hash(text, strlen(text));
    syncd_hex_encode(hash.bytes, 8, ret_text);
}

static char *format_cursor(const SyncdQuery *query, guint64 pos, guint64 ms)
{
    char digest[17];
    digest_conditions(query, digest);
    return g_strdup_printf("%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x-%s", pos, ms, digest);
}

static bool apply_cursor(const SyncdQuery *query, guint64 newest, Conditions *conditions,
                         GError **error)
{
    if (query->cursor == NULL || query->cursor[0] == '\0')
        return true;

    char digest[17];
    guint64 pos, ms;
    g_auto(GStrv) parts = g_strsplit(query->cursor, "-", 4);
    digest_conditions(query, digest);
    if (strlen(query->cursor) > 64 || g_strv_length(parts) != 3 || strcmp(parts[2], digest) != 0 ||
        !g_ascii_string_to_unsigned(parts[0], 16, 1, G_MAXINT64, &pos, NULL) ||
        !g_ascii_string_to_unsigned(parts[1], 16, 0, G_MAXINT64, &ms, NULL)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "start the listing again without a cursor",
                             "The cursor does not belong to a listing with these conditions");
        return false;
    }
    if (pos > newest) {
        syncd_set_error(error, SYNCD_ERROR_CURSOR_EXPIRED,
                        "The cursor points past the end of the log");
        return false;
    }
    bool newest_first = query->order == SYNCD_NEWEST_FIRST;
    *(newest_first ? &conditions->below : &conditions->above) = pos;
    *(newest_first ? &conditions->below_ms : &conditions->above_ms) = ms;
    return true;
}

/* ---- walking ---- */

static SyncdStatement *begin_walk(SyncdIndex *self, const SyncdQuery *query,
                                  const Conditions *conditions)
{
    SyncdStatement *rows = syncd_database_statement(
        self->db, walks[conditions->driver][query->order == SYNCD_NEWEST_FIRST ? 0 : 1]);
    switch (conditions->driver) {
    case BY_OBJECT:
        syncd_bind_text(rows, ":text", conditions->object);
        break;
    case BY_ACTOR:
        syncd_bind_int(rows, ":word", conditions->actor);
        break;
    case BY_SCOPE:
        syncd_bind_int(rows, ":word", conditions->scope);
        break;
    case BY_KIND:
        syncd_bind_int(rows, ":word", conditions->kind);
        break;
    case BY_MS:
        syncd_bind_int(rows, ":above_ms", (gint64)conditions->above_ms);
        syncd_bind_int(rows, ":below_ms", (gint64)conditions->below_ms);
        break;
    case BY_NOTHING:
        break;
    }
    syncd_bind_int(rows, ":above", (gint64)conditions->above);
    syncd_bind_int(rows, ":below", (gint64)conditions->below);
    return rows;
}

static bool matches(SyncdIndex *self, const SyncdQuery *query, const Conditions *c,
                    SyncdStatement *row, bool *ret_matches, GError **error)
{
    guint64 ms = (guint64)syncd_column_int(row, 5);
    *ret_matches = (c->kind == 0 || syncd_column_int(row, 1) == c->kind) &&
                   (c->actor == 0 || syncd_column_int(row, 2) == c->actor) &&
                   (c->scope == 0 || syncd_column_int(row, 3) == c->scope) &&
                   (c->object == NULL || strcmp(syncd_column_text(row, 4), c->object) == 0) &&
                   ms >= c->since_ms && (c->until_ms == 0 || ms < c->until_ms) &&
                   (guint64)syncd_column_int(row, 0) > query->after;
    if (*ret_matches && c->operations_only) {
        const char *kind;
        if (!syncd_index_word_text(self, syncd_column_int(row, 1), &kind, error))
            return false;
        *ret_matches = kind != NULL && syncd_kind_is_operation(SYNCD_BYTES_TEXT(kind));
    }
    return true;
}

static bool walk(SyncdIndex *self, const SyncdQuery *query, const Conditions *conditions,
                 GArray *positions, char **ret_cursor, GError **error)
{
    unsigned limit = CLAMP(query->limit, 1, LIMIT_MAX);
    g_autoptr(SyncdStatement) rows = begin_walk(self, query, conditions);
    guint64 pos = 0, ms = 0;
    for (unsigned examined = 0;; examined++) {
        bool row, match;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row) {
            *ret_cursor = g_strdup("");
            return true;
        }
        /* One row more than asked for shows whether there is a next page. */
        if (positions->len == limit || examined == ROWS_EXAMINED_MAX) {
            *ret_cursor = format_cursor(query, pos, ms);
            return true;
        }
        if (!matches(self, query, conditions, rows, &match, error))
            return false;
        pos = (guint64)syncd_column_int(rows, 0);
        ms = (guint64)syncd_column_int(rows, 5);
        if (match)
            g_array_append_val(positions, pos);
    }
}

/* Positions have no gaps, so whoever asks for everything needs no look at the rows. */
static bool asks_for_everything(const Conditions *conditions)
{
    return conditions->driver == BY_NOTHING && !conditions->operations_only;
}

static void count_off(const SyncdQuery *query, const Conditions *conditions, GArray *positions,
                      char **ret_cursor)
{
    bool newest_first = query->order == SYNCD_NEWEST_FIRST;
    guint64 limit = CLAMP(query->limit, 1, LIMIT_MAX), pos = 0;
    guint64 first = conditions->above + 1,
            n = conditions->below > first ? conditions->below - first : 0;
    for (guint64 i = 0; i < MIN(n, limit); i++) {
        pos = newest_first ? conditions->below - 1 - i : first + i;
        g_array_append_val(positions, pos);
    }
    *ret_cursor = n > limit ? format_cursor(query, pos, 0) : g_strdup("");
}

static bool query_one(SyncdIndex *self, const SyncdQuery *query, const Conditions *conditions,
                      GArray *positions, GError **error)
{
    bool row, match = false;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(self->db, ROW "WHERE op = :op");
    syncd_bind_text(rows, ":op", query->op);
    if (!syncd_statement_next(rows, &row, error) ||
        (row && !matches(self, query, conditions, rows, &match, error)))
        return false;
    guint64 pos = match ? (guint64)syncd_column_int(rows, 0) : 0;
    if (match)
        g_array_append_val(positions, pos);
    return true;
}

bool syncd_index_query(SyncdIndex *self, const SyncdQuery *query, guint64 newest,
                       GArray **ret_positions, char **ret_cursor, GError **error)
{
    Conditions conditions;
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autofree char *cursor = NULL;
    if (!resolve(self, query, newest, &conditions, error) ||
        !apply_cursor(query, newest, &conditions, error))
        return false;
    if (conditions.impossible) {
        cursor = g_strdup("");
    } else if (query->op != NULL) {
        cursor = g_strdup("");
        if (!query_one(self, query, &conditions, positions, error))
            return false;
    } else if (asks_for_everything(&conditions)) {
        count_off(query, &conditions, positions, &cursor);
    } else if (!walk(self, query, &conditions, positions, &cursor, error)) {
        return false;
    }
    *ret_positions = g_steal_pointer(&positions);
    *ret_cursor = g_steal_pointer(&cursor);
    return true;
}
