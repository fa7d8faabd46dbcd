#include "store/database-private.h"

static const char sql_schema[] =
    "SELECT name, coalesce(sql, '') FROM sqlite_schema ORDER BY name, type";

static GHashTable *make_schema(SyncdDatabase *db, GError **error)
{
    SyncdDatabaseKind kind = *db->kind;
    g_autoptr(SyncdDatabase) fresh = g_new0(SyncdDatabase, 1);
    fresh->kind = &kind;
    fresh->statements =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, syncd_statement_free);
    int rc = sqlite3_open_v2(":memory:", &fresh->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             NULL);
    if (rc != SQLITE_OK) {
        syncd_database_set_error(fresh, rc, error);
        return NULL;
    }
    for (size_t i = 0; i < kind.migrations->n_steps; i++)
        if (!syncd_database_run(fresh, kind.migrations->steps[i].sql, error))
            return NULL;

    g_autoptr(GHashTable) schema = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(SyncdStatement) rows = syncd_database_statement(fresh, sql_schema);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return NULL;
        if (!row)
            break;
        g_hash_table_insert(schema, g_strdup(syncd_column_text(rows, 0)),
                            g_strdup(syncd_column_text(rows, 1)));
    }
    return g_steal_pointer(&schema);
}

static char *text_of(const SyncdMigrations *migrations)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < migrations->n_steps; i++)
        g_string_append(text, migrations->steps[i].sql);
    return g_string_free(text, FALSE);
}

/* Borrowed. Only SQLite can tell what migrations make, and that is dear; the same ones always make
 * the same, so each is asked for once. */
static GHashTable *expected_schema(SyncdDatabase *db, GError **error)
{
    static GHashTable *schemas; /* text of the migrations -> name -> sql */
    g_autofree char *text = text_of(db->kind->migrations);
    if (schemas == NULL)
        schemas = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTable *schema = g_hash_table_lookup(schemas, text);
    if (schema == NULL && (schema = make_schema(db, error)) != NULL)
        g_hash_table_insert(schemas, g_steal_pointer(&text), schema);
    return schema;
}

bool syncd_database_check_schema(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    GHashTable *expected = expected_schema(db, error);
    if (expected == NULL)
        return false;
    g_autoptr(GHashTable) present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, sql_schema);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            break;
        const char *name = syncd_column_text(rows, 0);
        const char *sql = g_hash_table_lookup(expected, name);
        if (sql == NULL)
            g_ptr_array_add(faults, g_strdup_printf("the schema has an unknown object '%s'", name));
        else if (strcmp(sql, syncd_column_text(rows, 1)) != 0)
            g_ptr_array_add(faults, g_strdup_printf("the schema of '%s' was changed", name));
        if (!g_hash_table_add(present, g_strdup(name)))
            g_ptr_array_add(faults, g_strdup_printf("the schema has '%s' twice", name));
    }

    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, expected);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(present, name))
            g_ptr_array_add(faults, g_strdup_printf("the schema lacks '%s'", (const char *)name));
    return true;
}

/* What the disk did not give is no fault of the structure. */
static bool check_was_read(SyncdDatabase *db, GError **error)
{
    if (!syncd_database_could_not_read(db->handle))
        return true;
    syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED, "%s cannot be read in whole",
                    db->kind->name);
    return false;
}

bool syncd_database_check_structure(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    guint before = faults->len;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, "PRAGMA integrity_check(20)");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return faults->len == before || check_was_read(db, error);
        const char *text = syncd_column_text(rows, 0);
        if (strcmp(text, "ok") != 0)
            g_ptr_array_add(faults, g_strdup(text));
    }
}
