#include "store/index-compare.h"

#include "store/database.h"

#include <string.h>

#define ROWS_A_STEP 1000u

/* ---- the tables ---- */

/* Of each table so many rows are compared, the last in the order of its keys. */
#define ROWS "50000"
#define ROWS_MAX 100000u /* where the old one has rows that the other does not */

typedef struct {
    const char *name;
    const char *keys;  /* a character for each column that it is sorted by: n a number, t a text */
    const char *start; /* the keys before the first row that is compared */
    const char *rows;  /* those that follow a row, its keys first */
} Table;

/* `down` are the keys from the last to the first: DESC is of one key. */
#define TABLE(name, types, keys, down, after)                                                      \
    {                                                                                              \
        name, types, "SELECT " keys " FROM " name " ORDER BY " down " LIMIT 1 OFFSET " ROWS,       \
            "SELECT " keys ", * FROM " name " WHERE (" keys ") > (" after ") ORDER BY " keys       \
    }
#define BY1(name, types, a) TABLE(name, types, a, a " DESC", ":key0")
#define BY2(name, types, a, b) TABLE(name, types, a ", " b, a " DESC, " b " DESC", ":key0, :key1")
#define BY3(name, types, a, b, c)                                                                  \
    TABLE(name, types, a ", " b ", " c, a " DESC, " b " DESC, " c " DESC", ":key0, :key1, :key2")

static const Table tables[] = {
    BY1("cursor", "n", "feed"),
    BY1("word", "n", "id"),
    BY1("entry", "n", "pos"),
    BY3("idempotency", "nnt", "actor", "scope", "key"),
    BY1("tally", "n", "kind"),
    BY1("scope", "t", "id"),
    BY2("decision", "tt", "policy", "id"),
    BY2("record", "tt", "family", "id"),
    BY1("task", "n", "pos"),
    BY2("dependency", "nn", "child", "parent"),
    BY3("name", "ttn", "family", "name", "scope"),
    BY2("lane_count", "nn", "rank", "counter"),
    BY2("deletion", "nt", "scope", "object"),
    BY1("file", "n", "id"),
    BY2("file_change", "nn", "file", "place"),
    BY1("search_text", "n", "id"),
    BY2("object", "nt", "scope", "object"),
};

#define KEYS_MAX 3u
static const char *const key_names[KEYS_MAX] = {":key0", ":key1", ":key2"};

/* ---- a comparison ---- */

typedef struct {
    gint64 number;
    char *text;
    size_t size;
} Key;

struct SyncdIndexComparison {
    unsigned at; /* the table */
    bool begun;
    Key keys[KEYS_MAX]; /* of the row that was compared last */
    GArray *found;      /* SyncdIndexDifference */
};

SyncdIndexComparison *syncd_index_comparison_new(void)
{
    SyncdIndexComparison *self = g_new0(SyncdIndexComparison, 1);
    self->found = g_array_new(FALSE, FALSE, sizeof(SyncdIndexDifference));
    return self;
}

/* Before all others. */
static void reset_keys(SyncdIndexComparison *self)
{
    for (unsigned i = 0; i < KEYS_MAX; i++) {
        g_free(self->keys[i].text);
        self->keys[i] = (Key){.number = -1};
    }
}

static void take_keys(SyncdIndexComparison *self, SyncdStatement *row)
{
    const char *types = tables[self->at].keys;
    reset_keys(self);
    for (int i = 0; types[i] != '\0'; i++) {
        Key *key = &self->keys[i];
        if (types[i] == 'n') {
            key->number = syncd_column_int(row, i);
            continue;
        }
        SyncdBytes text = syncd_column_bytes(row, i);
        key->text = g_memdup2(text.data, text.size);
        key->size = text.size;
    }
}

void syncd_index_comparison_free(SyncdIndexComparison *self)
{
    if (self == NULL)
        return;
    reset_keys(self);
    g_array_unref(self->found);
    g_free(self);
}

const GArray *syncd_index_comparison_tables(const SyncdIndexComparison *self)
{
    return self->found;
}

/* ---- two tables side by side ---- */

typedef struct {
    SyncdStatement *rows;
    bool has;
} Side;

typedef enum { GOES_ON, AT_END, OLD_FAILED, MADE_FAILED } Outcome;

static bool begin_table(SyncdIndexComparison *self, SyncdIndex *made, GError **error)
{
    const Table *table = &tables[self->at];
    SyncdIndexDifference none = {.table = table->name};
    g_autoptr(SyncdStatement) row =
        syncd_database_statement(syncd_index_database(made), table->start);
    bool has;
    g_array_append_val(self->found, none);
    reset_keys(self);
    self->begun = true;
    if (!syncd_statement_next(row, &has, error))
        return false;
    if (has)
        take_keys(self, row);
    return true;
}

static SyncdStatement *rows_of(const SyncdIndexComparison *self, SyncdIndex *index)
{
    const Table *table = &tables[self->at];
    SyncdStatement *rows = syncd_database_statement(syncd_index_database(index), table->rows);
    for (unsigned i = 0; table->keys[i] != '\0'; i++) {
        const Key *key = &self->keys[i];
        if (table->keys[i] == 'n')
            syncd_bind_int(rows, key_names[i], key->number);
        else
            syncd_bind_text_bytes(rows, key_names[i], SYNCD_BYTES(key->text, key->size));
    }
    return rows;
}

static int compare_columns(const Side *one, const Side *other, int from, int to)
{
    int order = 0;
    for (int i = from; i < to && order == 0; i++)
        order = syncd_column_compare(one->rows, other->rows, i);
    return order;
}

/* Whose row comes first: below 0 the one's, above 0 the other's; 0: they have the same keys. */
static int order_of(const Side *one, const Side *other, int n_keys)
{
    if (!one->has || !other->has)
        return (int)other->has - (int)one->has;
    return compare_columns(one, other, 0, n_keys);
}

static Outcome compare_rows(SyncdIndexComparison *self, Side *old, Side *made, GError **error)
{
    SyncdIndexDifference *found =
        &g_array_index(self->found, SyncdIndexDifference, self->found->len - 1);
    int n_keys = (int)strlen(tables[self->at].keys);
    int order = 0; /* whose row was compared and makes way for the next one; 0: both */
    for (unsigned n = 0; n < ROWS_A_STEP; n++) {
        if (order <= 0 && !syncd_statement_next(old->rows, &old->has, NULL)) {
            found->unread = true;
            return OLD_FAILED;
        }
        if (order >= 0 && !syncd_statement_next(made->rows, &made->has, error))
            return MADE_FAILED;
        if (!old->has && !made->has)
            return AT_END;
        order = order_of(old, made, n_keys);
        found->compared++;
        found->wrong +=
            order != 0 || compare_columns(old, made, n_keys, syncd_column_count(made->rows)) != 0;
    }
    take_keys(self, order <= 0 ? old->rows : made->rows);
    return found->compared < ROWS_MAX ? GOES_ON : AT_END;
}

bool syncd_index_comparison_step(SyncdIndexComparison *self, SyncdIndex *old, SyncdIndex *made,
                                 bool *ret_more, GError **error)
{
    if (!self->begun && !begin_table(self, made, error))
        return false;
    Side one = {rows_of(self, old), false}, other = {rows_of(self, made), false};
    Outcome outcome = compare_rows(self, &one, &other, error);
    syncd_statement_done(one.rows);
    syncd_statement_done(other.rows);
    if (outcome != GOES_ON) {
        self->begun = false;
        self->at++;
    }
    *ret_more = self->at < G_N_ELEMENTS(tables);
    return outcome != MADE_FAILED;
}
