/* Rows of kept content (docs/format.md 6.2): each has its hash as name, so each is judged alone. */
#include "store/mend-private.h"

#define ROWS_A_STEP 64u

static SyncdBytes bytes_of(const SyncdHash *name)
{
    return SYNCD_BYTES(name->bytes, sizeof name->bytes);
}

static bool is_named(GBytes *bytes, const SyncdHash *name)
{
    if (bytes == NULL)
        return false;
    SyncdHash hash = syncd_hash(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
    return syncd_hash_equal(&hash, name);
}

/* The next name of a journal behind one; the lookup of names has them all, and needs no row. */
static bool next_name(SyncdDatabase *db, bool any, const SyncdHash *after, SyncdHash *ret_name,
                      bool *ret_found, GError **error)
{
    g_autoptr(SyncdStatement) rows = syncd_database_statement(
        db, "SELECT name FROM content WHERE name > :after ORDER BY name LIMIT 1");
    syncd_bind_blob(rows, ":after", any ? bytes_of(after) : SYNCD_BYTES("", 0));
    do {
        if (!syncd_statement_next(rows, ret_found, error))
            return false;
    } while (*ret_found && syncd_column_bytes(rows, 0).size != sizeof ret_name->bytes);
    if (*ret_found)
        memcpy(ret_name->bytes, syncd_column_bytes(rows, 0).data, sizeof ret_name->bytes);
    return true;
}

static GBytes *find_bytes(SyncdMend *self, const SyncdHash *name, const char **ret_source)
{
    GBytes *bytes = NULL;
    *ret_source = NULL;
    if (syncd_journal_read_content(self->store->journal, name, &bytes, NULL) &&
        is_named(bytes, name))
        return bytes;
    g_clear_pointer(&bytes, g_bytes_unref);
    for (guint from = 0; from < self->sources->len; from++) {
        SyncdSource *source = self->sources->pdata[from];
        bytes = source->content(source, name);
        *ret_source = source->name;
        if (is_named(bytes, name))
            return bytes;
        g_clear_pointer(&bytes, g_bytes_unref);
    }
    *ret_source = NULL;
    return NULL;
}

/* The next name, as far as names can be read: what cannot be is said once. */
static bool step_on(SyncdMend *self, bool *ret_found)
{
    SyncdHash name;
    if (!next_name(syncd_mend_journal(self), self->has_content, &self->content, &name, ret_found,
                   NULL)) {
        *ret_found = false;
        return false;
    }
    self->content = *ret_found ? name : self->content;
    self->has_content = self->has_content || *ret_found;
    return true;
}

/* It is of no entry: many may name it. */
static void add_named(SyncdMend *self, SyncdMendOutcome outcome, const char *source)
{
    char digest[SYNCD_DIGEST_SIZE];
    guint before = self->items->len;
    syncd_mend_add(self, "content", outcome, NULL, -1, -1, source);
    if (self->items->len == before)
        return;
    syncd_hash_to_digest(&self->content, digest);
    ((SyncdMendItem *)self->items->pdata[before])->digest = g_strdup(digest);
}

bool syncd_mend_examine_content(SyncdMend *self, GError **error)
{
    bool found = true;
    for (unsigned i = 0; i < ROWS_A_STEP && found && !self->stopped; i++) {
        const char *source = NULL;
        if (!step_on(self, &found))
            syncd_mend_add(self, "content", SYNCD_MEND_LOST, NULL, -1, -1, NULL);
        g_autoptr(GBytes) bytes = found ? find_bytes(self, &self->content, &source) : NULL;
        if (found && (bytes == NULL || source != NULL))
            add_named(self, bytes != NULL ? SYNCD_MEND_REFILLED : SYNCD_MEND_LOST, source);
    }
    if (!found || self->stopped)
        self->phase = self->stopped ? MEND_EXAMINED : MEND_CHECKPOINTS;
    return true;
}

static bool copy_row(SyncdMend *self, const SyncdHash *name, GError **error)
{
    const char *source;
    g_autoptr(GBytes) bytes = find_bytes(self, name, &source);
    if (bytes == NULL)
        return true; /* lost, and told */
    SyncdStatement *row = syncd_database_statement(
        self->db, "INSERT INTO content (name, bytes) VALUES (:name, :bytes)");
    syncd_bind_blob(row, ":name", bytes_of(name));
    syncd_bind_blob(row, ":bytes",
                    SYNCD_BYTES(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)));
    return syncd_statement_run(row, error);
}

bool syncd_mend_copy_content(SyncdMend *self, bool *ret_more, GError **error)
{
    *ret_more = true;
    for (unsigned i = 0; i < ROWS_A_STEP && *ret_more; i++) {
        step_on(self, ret_more);
        if (*ret_more && !copy_row(self, &self->content, error))
            return false;
    }
    return true;
}

static bool drop_row(SyncdMend *self, const SyncdHash *name, GError **error)
{
    SyncdStatement *row =
        syncd_database_statement(self->db, "DELETE FROM content WHERE name = :name");
    syncd_bind_blob(row, ":name", bytes_of(name));
    return syncd_statement_run(row, error);
}

/* What the journal has of that name now, the other one has, too. */
static bool follow(SyncdMend *self, const SyncdHash *name, GError **error)
{
    gint64 ours = 0, theirs = 0;
    static const char count[] = "SELECT count(*) FROM content WHERE name = :name";
    SyncdStatement *here = syncd_database_statement(syncd_mend_journal(self), count);
    syncd_bind_blob(here, ":name", bytes_of(name));
    if (!syncd_statement_number(here, 0, &ours, NULL))
        return true; /* nobody knows whether it is there */
    SyncdStatement *there = syncd_database_statement(self->db, count);
    syncd_bind_blob(there, ":name", bytes_of(name));
    if (!syncd_statement_number(there, 0, &theirs, error))
        return false;
    return ours == theirs || (ours > 0 ? copy_row(self, name, error) : drop_row(self, name, error));
}

bool syncd_mend_follow_content(SyncdMend *self, bool *ret_more, GError **error)
{
    SyncdHash name;
    *ret_more = true;
    for (unsigned i = 0; i < ROWS_A_STEP; i++) {
        if (!syncd_journal_take_content_change(self->store->journal, &name)) {
            *ret_more = false;
            return true;
        }
        if (!follow(self, &name, error))
            return false;
    }
    return true;
}
