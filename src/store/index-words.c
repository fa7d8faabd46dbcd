#include "store/index-private.h"

/* Words are looked up by views of text, so that nothing is copied to ask for one that is known. */
static guint hash_word(gconstpointer key)
{
    return syncd_bytes_hash(*(const SyncdBytes *)key);
}

static gboolean same_word(gconstpointer a, gconstpointer b)
{
    const SyncdBytes *left = a, *right = b;
    return left->size == right->size &&
           (left->size == 0 || memcmp(left->data, right->data, left->size) == 0);
}

/* The text lies behind its view. An empty one may be nowhere. */
static SyncdBytes *word_new(SyncdBytes text)
{
    SyncdBytes *word = g_malloc(sizeof *word + text.size + 1);
    char *copy = (char *)(word + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *word = SYNCD_BYTES(copy, text.size);
    return word;
}

void syncd_index_init_words(SyncdIndex *self)
{
    self->words = g_hash_table_new_full(hash_word, same_word, g_free, NULL);
    self->word_texts = g_hash_table_new(g_direct_hash, g_direct_equal);
}

void syncd_index_clear_words(SyncdIndex *self)
{
    g_hash_table_unref(self->word_texts);
    g_hash_table_unref(self->words);
}

void syncd_index_forget_words(SyncdIndex *self)
{
    g_hash_table_remove_all(self->word_texts);
    g_hash_table_remove_all(self->words);
    self->next_word = 0;
}

/* Gives the text that is kept. A damaged index may hold a text twice. */
static const char *remember_word(SyncdIndex *self, SyncdBytes text, gint64 word)
{
    void *kept;
    if (!g_hash_table_lookup_extended(self->words, &text, &kept, NULL)) {
        kept = word_new(text);
        g_hash_table_insert(self->words, kept, GSIZE_TO_POINTER(word));
    }
    const char *kept_text = ((const SyncdBytes *)kept)->data;
    g_hash_table_insert(self->word_texts, GSIZE_TO_POINTER(word), (void *)kept_text);
    return kept_text;
}

bool syncd_index_word(SyncdIndex *self, SyncdBytes text, gint64 *ret_word, GError **error)
{
    *ret_word = GPOINTER_TO_SIZE(g_hash_table_lookup(self->words, &text));
    if (*ret_word != 0)
        return true;
    SyncdStatement *row =
        syncd_database_statement(self->db, "SELECT id FROM word WHERE text = :text");
    syncd_bind_text_bytes(row, ":text", text);
    if (!syncd_statement_number(row, 0, ret_word, error))
        return false;
    if (*ret_word != 0)
        remember_word(self, text, *ret_word);
    return true;
}

bool syncd_index_add_word(SyncdIndex *self, SyncdBytes text, gint64 *ret_word, GError **error)
{
    if (!syncd_index_word(self, text, ret_word, error))
        return false;
    if (*ret_word != 0)
        return true;
    if (self->next_word == 0 &&
        !syncd_statement_number(
            syncd_database_statement(self->db, "SELECT coalesce(max(id), 0) + 1 FROM word"), 1,
            &self->next_word, error))
        return false;

    SyncdStatement *row =
        syncd_database_statement(self->db, "INSERT INTO word (id, text) VALUES (:id, :text)");
    syncd_bind_int(row, ":id", self->next_word);
    syncd_bind_text_bytes(row, ":text", text);
    if (!syncd_statement_run(row, error))
        return false;
    *ret_word = self->next_word++;
    remember_word(self, text, *ret_word);
    return true;
}

bool syncd_index_word_text(SyncdIndex *self, gint64 word, const char **ret_text, GError **error)
{
    *ret_text = g_hash_table_lookup(self->word_texts, GSIZE_TO_POINTER(word));
    if (*ret_text != NULL)
        return true;
    g_autoptr(SyncdStatement) rows =
        syncd_database_statement(self->db, "SELECT text FROM word WHERE id = :id");
    bool row;
    syncd_bind_int(rows, ":id", word);
    if (!syncd_statement_next(rows, &row, error))
        return false;
    if (row)
        *ret_text = remember_word(self, SYNCD_BYTES_TEXT(syncd_column_text(rows, 0)), word);
    return true;
}
