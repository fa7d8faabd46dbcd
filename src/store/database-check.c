#include "store/database-private.h"

#define SCHEMA_FAULTS_MAX 20u

static const char sql_schema[] =
    "SELECT type || ' ' || name, coalesce(sql, ''), tbl_name FROM sqlite_schema ORDER BY name";

typedef struct {
    char *sql, *table;
} Object;

static void object_free(void *data)
{
    Object *object = data;
    g_free(object->sql);
    g_free(object->table);
    g_free(object);
}

static GHashTable *make_schema(SyncdDatabase *db, size_t version, GError **error)
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
    for (size_t i = 0; i < version; i++)
        if (!syncd_database_run(fresh, kind.migrations->steps[i].sql, error))
            return NULL;

    g_autoptr(GHashTable) schema =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, object_free);
    g_autoptr(SyncdStatement) rows = syncd_database_statement(fresh, sql_schema);
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return NULL;
        if (!row)
            break;
        Object *object = g_new(Object, 1);
        *object =
            (Object){g_strdup(syncd_column_text(rows, 1)), g_strdup(syncd_column_text(rows, 2))};
        g_hash_table_insert(schema, g_strdup(syncd_column_text(rows, 0)), object);
    }
    return g_steal_pointer(&schema);
}

static char *text_of(const SyncdMigrations *migrations, size_t version)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < version; i++)
        g_string_append(text, migrations->steps[i].sql);
    return g_string_free(text, FALSE);
}

/* Borrowed. Only SQLite can tell what migrations make, and that is dear; the same ones always make
 * the same, so each is asked for once. */
static GHashTable *expected_schema(SyncdDatabase *db, size_t version, GError **error)
{
    static GHashTable *schemas; /* text of the migrations -> type and name -> Object */
    g_autofree char *text = text_of(db->kind->migrations, version);
    if (schemas == NULL)
        schemas = g_hash_table_new(g_str_hash, g_str_equal);
    GHashTable *schema = g_hash_table_lookup(schemas, text);
    if (schema == NULL && (schema = make_schema(db, version, error)) != NULL)
        g_hash_table_insert(schemas, g_steal_pointer(&text), schema);
    return schema;
}

/* With what the first `version` migrations make. */
static bool compare_schema(SyncdDatabase *db, size_t version, GPtrArray *faults, GError **error)
{
    GHashTable *expected = expected_schema(db, version, error);
    if (expected == NULL)
        return false;
    g_autoptr(GHashTable) present = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, sql_schema);
    while (faults->len < SCHEMA_FAULTS_MAX) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            break;
        const char *name = syncd_column_text(rows, 0);
        const Object *object = g_hash_table_lookup(expected, name);
        if (object == NULL)
            g_ptr_array_add(faults, g_strdup_printf("the schema has an unknown %s", name));
        else if (strcmp(object->sql, syncd_column_text(rows, 1)) != 0 ||
                 strcmp(object->table, syncd_column_text(rows, 2)) != 0)
            g_ptr_array_add(faults, g_strdup_printf("the schema of the %s was changed", name));
        if (!g_hash_table_add(present, g_strdup(name)))
            g_ptr_array_add(faults, g_strdup_printf("the schema has the %s twice", name));
    }

    GHashTableIter iter;
    void *name;
    g_hash_table_iter_init(&iter, expected);
    while (faults->len < SCHEMA_FAULTS_MAX && g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(present, name))
            g_ptr_array_add(faults, g_strdup_printf("the schema lacks the %s", (const char *)name));
    return true;
}

bool syncd_database_check_schema(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    return compare_schema(db, db->kind->migrations->n_steps, faults, error);
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

/* To SQLite what such a table is made of are rows, whatever is in them; and what asks the module
 * looks like writing to it. */
static bool check_module(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    gint64 query_only;
    g_autoptr(GError) problem = NULL;
    if (db->kind->check == NULL)
        return true;
    if (!syncd_database_number(db, "PRAGMA query_only", &query_only, error) ||
        !syncd_database_run(db, "PRAGMA query_only = OFF;", error))
        return false;
    bool ok = syncd_database_run(db, db->kind->check, &problem);
    if (query_only != 0 && !syncd_database_run(db, "PRAGMA query_only = ON;", error))
        return false;
    bool malformed = g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    if (malformed)
        g_ptr_array_add(faults, g_strdup(problem->message));
    else if (!ok)
        g_propagate_error(error, g_steal_pointer(&problem));
    return ok || malformed;
}

static bool check_structure(SyncdDatabase *db, const SyncdDatabaseTask *task, GError **error)
{
    GPtrArray *faults = task->faults;
    guint before = faults->len;
    g_autoptr(SyncdStatement) rows = syncd_database_statement(db, "PRAGMA integrity_check(20)");
    for (;;) {
        bool row;
        if (!syncd_statement_next(rows, &row, error))
            return false;
        if (!row)
            return (faults->len > before || check_module(db, faults, error)) &&
                   (faults->len == before || check_was_read(db, error));
        const char *text = syncd_column_text(rows, 0);
        if (strcmp(text, "ok") != 0)
            g_ptr_array_add(faults, g_strdup(text));
    }
}

bool syncd_database_check_structure_step(SyncdDatabase *db, GPtrArray *faults, bool *ret_more,
                                         GError **error)
{
    const SyncdDatabaseTask task = {.work = check_structure, .faults = faults};
    return syncd_database_step(db, &task, ret_more, error);
}

/* In steps as well, which follow no tree deeper than their stack is. */
bool syncd_database_check_structure(SyncdDatabase *db, GPtrArray *faults, GError **error)
{
    bool ok = true, more = true;
    while (ok && more)
        ok = syncd_database_check_structure_step(db, faults, &more, error);
    return ok;
}

/* Nothing of it was used so far: which schema it has tells whether anything may be. */
bool syncd_database_judge_schema(SyncdDatabase *db, GError **error)
{
    gint64 version, others;
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    if (!syncd_database_number(db, "PRAGMA user_version", &version, error) ||
        !syncd_database_number(db,
                               "SELECT count(*) FROM sqlite_schema WHERE type = 'view'"
                               " OR (type = 'table' AND rootpage = 0)",
                               &others, error) ||
        !compare_schema(db, (size_t)version, faults, error))
        return false;
    if (faults->len == 0)
        return true;
    db->schema_fault = g_strdup(faults->pdata[0]);
    /* In our own one what cannot be asked anything that never ends is read as far as it goes. What
     * its triggers would do to the rows nobody knows. */
    if (db->mode != SYNCD_DATABASE_COPY && others == 0) {
        sqlite3_db_config(db->handle, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
        return true;
    }
    syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT, "%s is not as this program makes it: %s",
                    db->kind->name, db->schema_fault);
    return false;
}

const char *syncd_database_schema_fault(const SyncdDatabase *db)
{
    return db->schema_fault;
}
