#include "store/index-check-private.h"

/* ---- a walk ---- */

static const char *const names[SYNCD_CHECK_KEYS] = {":a", ":b", ":c"};

void syncd_check_rewind(SyncdIndexCheck *self)
{
    for (unsigned i = 0; i < SYNCD_CHECK_KEYS; i++) {
        self->cursor.numbers[i] = G_MININT64;
        g_string_truncate(self->cursor.texts[i], 0);
    }
}

static void bind_cursor(const SyncdIndexCheck *self, const char *keys, SyncdStatement *rows)
{
    for (unsigned i = 0; keys[i] != '\0'; i++) {
        const GString *text = self->cursor.texts[i];
        if (keys[i] == 'i')
            syncd_bind_int(rows, names[i], self->cursor.numbers[i]);
        else
            syncd_bind_text_bytes(rows, names[i], SYNCD_BYTES(text->str, text->len));
    }
}

static void move_cursor(SyncdIndexCheck *self, const char *keys, SyncdStatement *row)
{
    for (unsigned i = 0; keys[i] != '\0'; i++) {
        int column = (int)i + 1;
        if (keys[i] == 'i') {
            self->cursor.numbers[i] = syncd_column_int(row, column);
            continue;
        }
        SyncdBytes text = syncd_column_bytes(row, column);
        g_string_truncate(self->cursor.texts[i], 0);
        g_string_append_len(self->cursor.texts[i], text.data, (gssize)text.size);
    }
}

bool syncd_check_walk(SyncdIndexCheck *self, const SyncdCheckWalk *walk,
                      void (*take)(SyncdIndexCheck *check, SyncdStatement *row), bool *ret_more,
                      GError **error)
{
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(syncd_index_database(self->index), walk->sql);
    bool row = true;
    bind_cursor(self, walk->keys, rows);
    for (unsigned n = 0;; n++) {
        if (!syncd_statement_next(rows, &row, error))
            return false;
        *ret_more = n == SYNCD_CHECK_ROWS;
        if (!row)
            return true;
        take(self, rows);
        move_cursor(self, walk->keys, rows);
    }
}

/* ---- rows that are wrong ---- */

#define LACKS_ENTRY(column) column " NOT IN (SELECT pos FROM entry)"
#define LACKS_TASK(column) column " NOT IN (SELECT pos FROM task)"
#define LACKS_WORD(column) column " NOT IN (SELECT id FROM word)"
#define LACKS_FILE(column) column " NOT IN (SELECT id FROM file)"
#define ONE(wrong, table, key)                                                                     \
    "SELECT " wrong ", " key " FROM " table " WHERE " key " > :a ORDER BY " key                    \
    " LIMIT " SYNCD_CHECK_LIMIT
#define MORE(wrong, table, key, bound)                                                             \
    "SELECT " wrong ", " key " FROM " table " WHERE (" key ") > (" bound ") ORDER BY " key         \
    " LIMIT " SYNCD_CHECK_LIMIT
#define TWO(wrong, table, key) MORE(wrong, table, key, ":a, :b")
#define THREE(wrong, table, key) MORE(wrong, table, key, ":a, :b, :c")

/* A child waits for its parents that are not done, and is blocked by those that failed: one that
 * waits for more than there are is never handed out. */
#define PARENTS(condition)                                                                         \
    "(SELECT count(*) FROM dependency JOIN task AS parent ON parent.pos = dependency.parent"       \
    " WHERE dependency.child = task.pos AND parent.task " condition ")"
G_STATIC_ASSERT(SYNCD_TASK_SUCCEEDED == 2 && SYNCD_TASK_FAILED == 3 && SYNCD_TASK_CANCELLED == 4);

static const struct {
    const char *what;
    SyncdCheckWalk walk; /* gives 1 for a row that is wrong … */
    bool (*step)(SyncdIndexCheck *check, bool *ret_more, GError **error); /* … or this asks */
} questions[] = {
    {"structure", {NULL}, syncd_check_structure},
    {"entries", {NULL}, syncd_check_entries},
    {"log", {NULL}, syncd_check_log},
    {"lane-counts", {NULL}, syncd_check_lanes},
    {"tasks", {ONE(LACKS_ENTRY("pos") " OR " LACKS_ENTRY("moved"), "task", "pos"), "i"}, NULL},
    {"waits",
     {ONE("waits <> " PARENTS("<> 2") " OR blockers <> " PARENTS("IN (3, 4)"), "task", "pos"), "i"},
     NULL},
    {"dependencies",
     {TWO(LACKS_TASK("child") " OR " LACKS_TASK("parent"), "dependency", "child, parent"), "ii"},
     NULL},
    {"records",
     {TWO(LACKS_ENTRY("pos") " OR " LACKS_ENTRY("first"), "record", "family, id"), "tt"},
     NULL},
    {"names", {THREE(LACKS_ENTRY("pos"), "name", "family, name, scope"), "tti"}, NULL},
    {"keys", {THREE(LACKS_ENTRY("pos"), "idempotency", "actor, scope, key"), "iit"}, NULL},
    {"decisions", {TWO(LACKS_ENTRY("pos"), "decision", "policy, id"), "tt"}, NULL},
    {"deletions", {TWO(LACKS_ENTRY("pos"), "deletion", "scope, object"), "it"}, NULL},
    {"words",
     {ONE(LACKS_WORD("kind") " OR " LACKS_WORD("actor") " OR " LACKS_WORD("scope"), "entry", "pos"),
      "i"},
     NULL},
    {"folders", {ONE("folder <> 0 AND " LACKS_FILE("folder"), "file", "id"), "i"}, NULL},
    {"file-history", {TWO(LACKS_FILE("file"), "file_change", "file, place"), "ii"}, NULL},
    {"content", {TWO(LACKS_FILE("file"), "content", "file, version"), "ii"}, NULL},
    {"content-chunks", {NULL}, syncd_check_chunks},
    {"content-users",
     {ONE("NOT EXISTS (SELECT 1 FROM content AS kept WHERE kept.file = content_chunk.file"
          " AND kept.version = content_chunk.version)"
          " AND name NOT IN (SELECT name FROM content_dropped)",
          "content_chunk", "rowid"),
      "i"},
     NULL},
    {"mismatches", {ONE(LACKS_FILE("file"), "mismatch", "file"), "i"}, NULL},
};

static void take_wrong(SyncdIndexCheck *self, SyncdStatement *row)
{
    self->wrong += syncd_column_int(row, 0) != 0;
}

/* ---- what SQLite says ---- */

static void end_structure(SyncdIndexCheck *self)
{
    g_clear_pointer(&self->structure, syncd_structure_free);
    g_ptr_array_set_size(self->lines, 0);
}

bool syncd_check_structure(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    if (self->structure == NULL)
        self->structure = syncd_structure_new(syncd_index_database(self->index));
    bool ok = syncd_structure_step(self->structure, self->lines, ret_more, error);
    if (ok && *ret_more)
        return true;
    if (ok)
        syncd_check_fault(self, "structure", self->lines->len);
    end_structure(self);
    return ok;
}

/* ---- all of them ---- */

SyncdIndexCheck *syncd_index_check_new(SyncdStore *store)
{
    SyncdIndexCheck *self = g_new0(SyncdIndexCheck, 1);
    self->store = store;
    self->faults = g_array_new(FALSE, FALSE, sizeof(SyncdIndexFault));
    self->kinds = g_hash_table_new(NULL, NULL);
    self->lines = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < SYNCD_CHECK_KEYS; i++)
        self->cursor.texts[i] = g_string_new(NULL);
    return self;
}

static bool is_there_still(const SyncdIndexCheck *self)
{
    return self->index != NULL && self->store->index == self->index &&
           self->store->index_generation == self->generation;
}

void syncd_index_check_free(SyncdIndexCheck *self)
{
    if (self == NULL)
        return;
    if (is_there_still(self))
        syncd_check_end_counting(self);
    for (unsigned i = 0; i < SYNCD_CHECK_KEYS; i++)
        g_string_free(self->cursor.texts[i], TRUE);
    end_structure(self);
    g_ptr_array_unref(self->lines);
    g_hash_table_unref(self->kinds);
    g_array_unref(self->faults);
    g_free(self);
}

const GArray *syncd_index_check_faults(const SyncdIndexCheck *self)
{
    return self->faults;
}

void syncd_check_fault(SyncdIndexCheck *self, const char *what, guint64 rows)
{
    const SyncdIndexFault fault = {what, rows};
    if (rows > 0)
        g_array_append_val(self->faults, fault);
}

static void begin_anew(SyncdIndexCheck *self)
{
    end_structure(self);
    self->index = self->store->index;
    self->generation = self->store->index_generation;
    self->next = 0;
    self->begun = false;
    g_array_set_size(self->faults, 0);
}

static void go_on(SyncdIndexCheck *self)
{
    syncd_check_end_counting(self);
    self->next++;
    self->begun = false;
}

static bool ask(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    if (questions[self->next].step != NULL)
        return questions[self->next].step(self, ret_more, error);
    if (!self->begun) {
        self->begun = true;
        self->wrong = 0;
        syncd_check_rewind(self);
    }
    if (!syncd_check_walk(self, &questions[self->next].walk, take_wrong, ret_more, error))
        return false;
    if (!*ret_more)
        syncd_check_fault(self, questions[self->next].what, self->wrong);
    return true;
}

bool syncd_index_check_step(SyncdIndexCheck *self, bool *ret_more, GError **error)
{
    g_autoptr(GError) problem = NULL;
    bool more = false;
    if (!syncd_store_settle(self->store, error))
        return false;
    if (!is_there_still(self))
        begin_anew(self);
    /* Damage that SQLite itself runs into is what is looked for. */
    if (!ask(self, &more, &problem)) {
        if (!g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT)) {
            g_propagate_error(error, g_steal_pointer(&problem));
            return false;
        }
        syncd_check_fault(self, questions[self->next].what, 1);
        more = false;
    }
    if (!more)
        go_on(self);
    *ret_more = self->next < G_N_ELEMENTS(questions);
    return true;
}
