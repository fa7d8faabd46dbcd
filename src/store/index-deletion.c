/* What was deleted: the state of each object's deletion, folded from the log. */
#include "store/index-private.h"

#include "base/json.h"
#include "store/deletion-move.h"

static void read_deletion(SyncdStatement *row, SyncdDeletion *deletion)
{
    *deletion = (SyncdDeletion){
        .state = (SyncdDeletionState)syncd_column_int(row, 0),
        .version = (guint64)syncd_column_int(row, 1),
        .moved = (guint64)syncd_column_int(row, 2),
    };
}

/* Every write asks twice about its object. Where nothing was ever deleted, once for all is enough.
 */
static bool has_any(SyncdIndex *self, bool *ret_any, GError **error)
{
    gint64 any = 0;
    if (!self->none_deleted &&
        !syncd_statement_number(
            syncd_database_statement(self->db, "SELECT EXISTS (SELECT 1 FROM deletion)"), 1, &any,
            error))
        return false;
    self->none_deleted = any == 0;
    *ret_any = any != 0;
    return true;
}

bool syncd_index_find_deletion(SyncdIndex *self, const char *scope_id, const char *object,
                               SyncdDeletion *ret_deletion, bool *ret_found, GError **error)
{
    gint64 scope = 0;
    bool any;
    *ret_found = false;
    if (!has_any(self, &any, error) ||
        (any && !syncd_index_word(self, SYNCD_BYTES_TEXT(scope_id), &scope, error)))
        return false;
    if (scope == 0)
        return true;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db,
        "SELECT state, version, pos FROM deletion WHERE scope = :scope AND object = :object");
    syncd_bind_int(rows, ":scope", scope);
    syncd_bind_text(rows, ":object", object);
    if (!syncd_statement_next(rows, ret_found, error))
        return false;
    if (*ret_found)
        read_deletion(rows, ret_deletion);
    return true;
}

/* The number of the states is that of the lookup, which is used only where they are the same. */
#define PURGED "state IN (5, 6)"
G_STATIC_ASSERT(SYNCD_DELETION_PURGED == 5 && SYNCD_DELETION_PROVEN == 6);

bool syncd_index_find_purged_record(SyncdIndex *self, const char *object,
                                    SyncdDeletion *ret_deletion, bool *ret_found, GError **error)
{
    gint64 created;
    bool any;
    *ret_found = false;
    if (!has_any(self, &any, error) ||
        (any && !syncd_index_word(self, SYNCD_BYTES_TEXT("object.created"), &created, error)))
        return false;
    if (!any)
        return true;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        self->db, "SELECT state, version, pos FROM deletion WHERE object = :object AND " PURGED
                  " AND EXISTS (SELECT 1 FROM entry WHERE entry.object = :object AND"
                  " entry.object <> '' AND entry.scope = deletion.scope AND kind = :created)");
    syncd_bind_text(rows, ":object", object);
    syncd_bind_int(rows, ":created", created);
    if (!syncd_statement_next(rows, ret_found, error))
        return false;
    if (*ret_found)
        read_deletion(rows, ret_deletion);
    return true;
}

bool syncd_index_find_deletion_in(SyncdIndex *self, SyncdDeletionState state, guint64 after,
                                  guint64 *ret_pos, GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT pos FROM deletion WHERE state = :state AND pos > :after"
                  " ORDER BY pos LIMIT 1");
    syncd_bind_int(row, ":state", state);
    syncd_bind_int(row, ":after", (gint64)after);
    return syncd_statement_count(row, ret_pos, error);
}

/* As above: the number is that of the lookup. */
#define HIDDEN "state = 4"
G_STATIC_ASSERT(SYNCD_DELETION_HIDDEN == 4);

bool syncd_index_next_hidden(SyncdIndex *self, guint64 after, guint64 *ret_pos, char **ret_scope_id,
                             char **ret_object, GError **error)
{
    bool found;
    const char *scope = NULL;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT pos, scope, object FROM deletion WHERE " HIDDEN
                                           " AND pos > :after ORDER BY pos LIMIT 1");
    syncd_bind_int(rows, ":after", (gint64)after);
    *ret_pos = 0;
    if (!syncd_statement_next(rows, &found, error) ||
        (found && !syncd_index_word_text(self, syncd_column_int(rows, 1), &scope, error)))
        return false;
    if (!found)
        return true;
    *ret_pos = (guint64)syncd_column_int(rows, 0);
    *ret_scope_id = g_strdup(scope != NULL ? scope : "");
    *ret_object = g_strdup(syncd_column_text(rows, 2));
    return true;
}

static bool write_deletion(SyncdIndex *self, const SyncdDeletionMove *move,
                           const SyncdDeletion *deletion, SyncdDeletionState before, GError **error)
{
    gint64 scope;
    self->none_deleted = false;
    if (!syncd_index_add_word(self, SYNCD_BYTES_TEXT(move->scope_id), &scope, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO deletion (scope, object, state, version, pos)"
                  " VALUES (:scope, :object, :state, :version, :pos)"
                  " ON CONFLICT (scope, object) DO UPDATE SET state = excluded.state,"
                  " version = excluded.version, pos = excluded.pos");
    syncd_bind_int(row, ":scope", scope);
    syncd_bind_text(row, ":object", move->object);
    syncd_bind_int(row, ":state", deletion->state);
    syncd_bind_int(row, ":version", (gint64)deletion->version);
    syncd_bind_int(row, ":pos", (gint64)deletion->moved);
    return syncd_statement_run(row, error) &&
           syncd_index_count_deletion(self, scope, move->object, before, deletion->state, error);
}

bool syncd_index_project_deletion(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error)
{
    g_auto(SyncdDeletionMove) move = {0};
    SyncdDeletion deletion;
    bool found;
    if (!syncd_deletion_move_parse(header, pos, body, &move))
        return true;
    if (!syncd_index_find_deletion(self, move.scope_id, move.object, &deletion, &found, error))
        return false;
    SyncdDeletionState before = found ? deletion.state : SYNCD_DELETION_REQUESTED;
    if (!syncd_deletion_apply(&deletion, found, &move))
        return true;
    if (move.event == SYNCD_DELETION_REQUEST)
        self->lanes[syncd_lane_find(header->lane)->rank][SYNCD_LANE_OPERATIONS]++;
    return write_deletion(self, &move, &deletion, before, error);
}
