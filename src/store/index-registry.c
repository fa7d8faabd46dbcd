#include "store/index-private.h"

#include "base/json.h"
#include "domain/file-changes.h"

/* ---- idempotency keys ---- */

bool syncd_index_project_key(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                             const SyncdBody *body, GError **error)
{
    gint64 actor, scope;
    g_autofree char *key = NULL;
    if (syncd_json_check(body->meta, body->meta_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        key = syncd_json_dup_text(
            syncd_json_member(syncd_json_root(body->meta, body->meta_size), "idempotency_key"));
    if (key == NULL)
        return true;
    if (!syncd_index_add_word(self, header->actor, &actor, error) ||
        !syncd_index_add_word(self, header->scope, &scope, error))
        return false;

    /* The first entry with a key keeps it. */
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "INSERT INTO idempotency (actor, scope, key, pos) VALUES (:actor, :scope, :key, :pos)"
        " ON CONFLICT DO NOTHING");
    syncd_bind_int(row, ":actor", actor);
    syncd_bind_int(row, ":scope", scope);
    syncd_bind_text(row, ":key", key);
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_run(row, error);
}

bool syncd_index_find_key(SyncdIndex *self, const char *actor, const char *scope, const char *key,
                          guint64 *ret_pos, GError **error)
{
    gint64 actor_word, scope_word;
    if (!syncd_index_word(self, SYNCD_BYTES_TEXT(actor), &actor_word, error) ||
        !syncd_index_word(self, SYNCD_BYTES_TEXT(scope), &scope_word, error))
        return false;
    SyncdStatement *row = syncd_database_statement(
        self->db,
        "SELECT pos FROM idempotency WHERE actor = :actor AND scope = :scope AND key = :key");
    syncd_bind_int(row, ":actor", actor_word);
    syncd_bind_int(row, ":scope", scope_word);
    syncd_bind_text(row, ":key", key);
    return syncd_statement_count(row, ret_pos, error);
}

/* ---- scopes and decisions ---- */

static char *text_member(SyncdJson object, const char *name)
{
    char *text = syncd_json_dup_text(syncd_json_member(object, name));
    return text != NULL ? text : g_strdup("");
}

static bool project_scope(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                          SyncdJson record, GError **error)
{
    SyncdJson scope = syncd_json_member(record, "scope");
    g_autofree char *class = text_member(scope, "class"), *name = text_member(scope, "name");
    syncd_index_forget_search(self);
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO scope (id, class, name, pos) VALUES (:id, "
                                           ":class, :name, :pos) ON CONFLICT DO NOTHING");
    syncd_bind_text_bytes(row, ":id", header->scope);
    syncd_bind_text(row, ":class", class);
    syncd_bind_text(row, ":name", name);
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_run(row, error);
}

static bool project_decision(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                             SyncdJson record, GError **error)
{
    g_autofree char *policy = text_member(record, "policy_digest"),
                    *id = text_member(record, "decision_id");
    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO decision (policy, id, pos) VALUES "
                                           "(:policy, :id, :pos) ON CONFLICT DO NOTHING");
    syncd_bind_text(row, ":policy", policy);
    syncd_bind_text(row, ":id", id);
    syncd_bind_int(row, ":pos", (gint64)pos);
    return syncd_statement_run(row, error);
}

static const struct {
    const char *kind;
    bool (*project)(SyncdIndex *self, guint64 pos, const SyncdHeader *header, SyncdJson record,
                    GError **error);
} registries[] = {
    {"feed.open", project_scope},
    {SYNCD_FILES_IGNORED, syncd_index_project_files},
    {SYNCD_FILES_CHECKED, syncd_index_project_files},
    {"policy.decision", project_decision},
};

bool syncd_index_is_registry_kind(SyncdBytes kind)
{
    for (size_t i = 0; i < G_N_ELEMENTS(registries); i++)
        if (syncd_bytes_are(kind, registries[i].kind))
            return true;
    return syncd_family_of_kind(kind) != NULL;
}

bool syncd_index_project_registry(SyncdIndex *self, guint64 pos, const SyncdHeader *header,
                                  const SyncdBody *body, GError **error)
{
    /* A record that does not parse is shown by verification; it registers nothing. */
    if (!syncd_json_check(body->content, body->content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return true;
    SyncdJson record = syncd_json_root(body->content, body->content_size);
    for (size_t i = 0; i < G_N_ELEMENTS(registries); i++)
        if (syncd_bytes_are(header->kind, registries[i].kind))
            return registries[i].project(self, pos, header, record, error);
    if (syncd_bytes_are(header->schema_id, SYNCD_FILES_SCHEMA))
        return syncd_index_project_files(self, pos, header, record, error);
    return syncd_index_project_record(self, pos, header, body, error);
}

bool syncd_index_has_decision(SyncdIndex *self, const char *policy, const char *id, bool *ret_has,
                              GError **error)
{
    SyncdStatement *row = syncd_database_statement(
        self->db, "SELECT count(*) FROM decision WHERE policy = :policy AND id = :id");
    syncd_bind_text(row, ":policy", policy);
    syncd_bind_text(row, ":id", id);
    return syncd_statement_holds(row, ret_has, error);
}

bool syncd_index_scopes(SyncdIndex *self, GPtrArray *scopes, GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT id, class, name FROM scope ORDER BY pos");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return true;
        SyncdScope *scope = g_new0(SyncdScope, 1);
        scope->id = g_strdup(syncd_column_text(rows, 0));
        scope->class = g_strdup(syncd_column_text(rows, 1));
        scope->name = g_strdup(syncd_column_text(rows, 2));
        g_ptr_array_add(scopes, scope);
    }
}
