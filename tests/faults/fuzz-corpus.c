#include "fuzz-corpus.h"

#include "fuzz-values.h"

#include <string.h>

#define KEPT_MAX 64u /* of one result */
#define PIECES_MAX 1024u
#define PIECE_SIZE_MAX 128u
#define PIECES_OF_ONE 8u
#define TEXT_SIZE_MAX 256u

static void good_free(void *data)
{
    FuzzGood *good = data;
    g_variant_unref(good->arguments);
    g_free(good);
}

static void texts_free(void *data)
{
    g_ptr_array_unref(data);
}

void fuzz_corpus_init(FuzzCorpus *corpus)
{
    *corpus = (FuzzCorpus){
        .goods = g_ptr_array_new_with_free_func(good_free),
        .words = g_ptr_array_new_with_free_func(g_free),
        .learned = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, texts_free),
        .pieces = g_ptr_array_new_with_free_func(g_free),
    };
}

void fuzz_corpus_clear(FuzzCorpus *corpus)
{
    g_ptr_array_unref(corpus->goods);
    g_ptr_array_unref(corpus->words);
    g_hash_table_unref(corpus->learned);
    g_ptr_array_unref(corpus->pieces);
}

/* ---- the file ---- */

static char *note_word(void *data, const char *text)
{
    FuzzCorpus *corpus = data;
    if (text[0] != '$')
        g_ptr_array_add(corpus->words, g_strdup(text));
    return NULL;
}

static bool add_line(FuzzCorpus *corpus, const char *line, const FuzzTargets *targets,
                     GError **error)
{
    const char *space = strchr(line, ' ');
    g_autofree char *name = space != NULL ? g_strndup(line, (gsize)(space - line)) : NULL;
    char *dot = name != NULL ? strrchr(name, '.') : NULL;
    const FuzzMethod *method = NULL;
    if (dot != NULL) {
        *dot = '\0';
        method = fuzz_targets_method(targets, name, dot + 1);
    }
    if (method == NULL) {
        g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "No such method: %s", line);
        return false;
    }
    g_autofree char *type = g_strdup_printf("(%s)", method->in->str);
    GVariant *arguments = g_variant_parse(G_VARIANT_TYPE(type), space + 1, NULL, NULL, error);
    if (arguments == NULL) {
        g_prefix_error(error, "%s: ", line);
        return false;
    }
    FuzzGood *good = g_new0(FuzzGood, 1);
    *good = (FuzzGood){method, g_variant_ref_sink(arguments)};
    g_ptr_array_add(corpus->goods, good);
    g_variant_unref(g_variant_ref_sink(fuzz_replace_texts(arguments, note_word, corpus)));
    return true;
}

bool fuzz_corpus_load(FuzzCorpus *corpus, const char *path, const FuzzTargets *targets,
                      GError **error)
{
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, error))
        return false;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (**line != '\0' && **line != '#' && !add_line(corpus, *line, targets, error))
            return false;
    return true;
}

/* ---- learning ---- */

/* Whatever stands between quotes and could be an id. */
static void learn_pieces(FuzzCorpus *corpus, const char *document)
{
    unsigned n = 0;
    for (const char *at = strchr(document, '"'); at != NULL && n < PIECES_OF_ONE;
         at = strchr(at + 1, '"')) {
        size_t size = strspn(at + 1, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".:_-");
        if (size < 3 || size > PIECE_SIZE_MAX || at[1 + size] != '"')
            continue;
        if (corpus->pieces->len >= PIECES_MAX)
            g_ptr_array_remove_index_fast(corpus->pieces, 0);
        g_ptr_array_add(corpus->pieces, g_strndup(at + 1, size));
        at += size;
        n++;
    }
}

void fuzz_corpus_learn(FuzzCorpus *corpus, const FuzzMethod *method, unsigned result,
                       const char *text)
{
    if (result >= method->results->len || *text == '\0')
        return;
    if (strlen(text) > TEXT_SIZE_MAX || text[0] == '{' || text[0] == '[') {
        learn_pieces(corpus, text);
        return;
    }
    g_autofree char *key = g_strdup_printf(
        "%s.%s", method->member, (const char *)g_ptr_array_index(method->results, result));
    GPtrArray *texts = g_hash_table_lookup(corpus->learned, key);
    if (texts == NULL) {
        texts = g_ptr_array_new_with_free_func(g_free);
        g_hash_table_insert(corpus->learned, g_steal_pointer(&key), texts);
    }
    if (texts->len >= KEPT_MAX)
        g_ptr_array_remove_index(texts, 0);
    g_ptr_array_add(texts, g_strdup(text));
}

/* ---- use ---- */

static const char *any_of(const GPtrArray *texts, GRand *random)
{
    if (texts == NULL || texts->len == 0)
        return NULL;
    return g_ptr_array_index(texts, (guint)g_rand_int_range(random, 0, (gint32)texts->len));
}

typedef struct {
    FuzzCorpus *corpus;
    GRand *random;
    bool newest;
    bool lacks; /* nothing was learned yet that could stand there */
} Filling;

static char *fill_in(void *data, const char *text)
{
    Filling *filling = data;
    if (text[0] != '$')
        return NULL;
    if (strcmp(text, "$unique") == 0)
        return g_strdup_printf("unique-%" G_GUINT64_FORMAT, filling->corpus->n_unique++);
    const GPtrArray *texts = g_hash_table_lookup(filling->corpus->learned, text + 1);
    const char *learned = filling->newest && texts != NULL && texts->len > 0
                              ? texts->pdata[texts->len - 1]
                              : any_of(texts, filling->random);
    filling->lacks = filling->lacks || learned == NULL;
    return g_strdup(learned);
}

static GVariant *fill(Filling *filling, GVariant *arguments)
{
    g_autoptr(GVariant) filled =
        g_variant_ref_sink(fuzz_replace_texts(arguments, fill_in, filling));
    return filling->lacks ? NULL : g_steal_pointer(&filled);
}

GVariant *fuzz_corpus_line(FuzzCorpus *corpus, guint line, GRand *random)
{
    const FuzzGood *good = g_ptr_array_index(corpus->goods, line);
    return fill(&(Filling){corpus, random, true, false}, good->arguments);
}

GVariant *fuzz_corpus_good(FuzzCorpus *corpus, const FuzzMethod *method, GRand *random)
{
    g_autoptr(GPtrArray) fitting = g_ptr_array_new();
    for (guint i = 0; i < corpus->goods->len; i++) {
        FuzzGood *good = g_ptr_array_index(corpus->goods, i);
        if (good->method == method)
            g_ptr_array_add(fitting, good->arguments);
    }
    if (fitting->len == 0)
        return method->in->len == 0 ? g_variant_new_tuple(NULL, 0) : NULL;

    return fill(
        &(Filling){corpus, random, false, false},
        g_ptr_array_index(fitting, (guint)g_rand_int_range(random, 0, (gint32)fitting->len)));
}

const char *fuzz_corpus_offer(void *data, GRand *random)
{
    const FuzzCorpus *corpus = data;
    const GPtrArray *from = g_rand_boolean(random) ? corpus->words : corpus->pieces;
    if (g_rand_int_range(random, 0, 3) != 0 || g_hash_table_size(corpus->learned) == 0)
        return any_of(from, random);
    guint32 skip = (guint32)g_rand_int_range(random, 0, (gint32)g_hash_table_size(corpus->learned));
    GHashTableIter iter;
    void *texts = NULL;
    g_hash_table_iter_init(&iter, corpus->learned);
    while (g_hash_table_iter_next(&iter, NULL, &texts) && skip-- > 0)
        ;
    return any_of(texts, random);
}
