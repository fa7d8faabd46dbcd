#include "domain/search.h"

#include "base/error.h"
#include "domain/lane.h"

#include <string.h>

#define SCOPE_CLASS_VAULT "vault"

/* ---- words ---- */

typedef struct {
    GString *out;
    size_t start; /* of the word that is being written */
} Cutter;

static void end_word(Cutter *cutter)
{
    if (cutter->out->len > cutter->start)
        g_string_append_c(cutter->out, ' ');
    cutter->start = cutter->out->len;
}

static void add_letter(Cutter *cutter, const char *bytes, size_t size)
{
    if (cutter->out->len - cutter->start + size <= SYNCD_SEARCH_WORD_MAX)
        g_string_append_len(cutter->out, bytes, (gssize)size);
}

static bool is_plain(SyncdBytes text)
{
    const guint8 *bytes = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (bytes[i] >= 0x80)
            return false;
    return true;
}

static void cut_plain(Cutter *cutter, SyncdBytes text)
{
    const char *bytes = text.data;
    for (size_t i = 0; i < text.size; i++) {
        char letter = g_ascii_tolower(bytes[i]);
        if (g_ascii_isalnum(letter))
            add_letter(cutter, &letter, 1);
        else
            end_word(cutter);
    }
}

/* Where a letter is most of a word and no space ends one. */
static bool stands_alone(gunichar letter)
{
    static const GUnicodeScript scripts[] = {
        G_UNICODE_SCRIPT_HAN,     G_UNICODE_SCRIPT_HIRAGANA, G_UNICODE_SCRIPT_KATAKANA,
        G_UNICODE_SCRIPT_THAI,    G_UNICODE_SCRIPT_LAO,      G_UNICODE_SCRIPT_KHMER,
        G_UNICODE_SCRIPT_MYANMAR,
    };
    GUnicodeScript script = g_unichar_get_script(letter);
    for (size_t i = 0; i < G_N_ELEMENTS(scripts); i++)
        if (script == scripts[i])
            return true;
    return false;
}

static void cut_letter(Cutter *cutter, gunichar letter)
{
    char bytes[6];
    if (g_unichar_ismark(letter))
        return;
    if (!g_unichar_isalnum(letter)) {
        end_word(cutter);
        return;
    }
    bool alone = stands_alone(letter);
    if (alone)
        end_word(cutter);
    add_letter(cutter, bytes, (size_t)g_unichar_to_utf8(g_unichar_tolower(letter), bytes));
    if (alone)
        end_word(cutter);
}

void syncd_search_words(SyncdBytes text, GString *words)
{
    Cutter cutter = {words, words->len};
    if (is_plain(text)) {
        cut_plain(&cutter, text);
    } else {
        g_autofree char *valid = g_utf8_make_valid(text.data, (gssize)text.size);
        g_autofree char *letters = g_utf8_normalize(valid, -1, G_NORMALIZE_ALL);
        for (const char *at = letters; *at != '\0'; at = g_utf8_next_char(at))
            cut_letter(&cutter, g_utf8_get_char(at));
    }
    end_word(&cutter);
}

/* ---- records ---- */

/* Members whose texts nobody remembers. */
static bool is_for_machines(SyncdJson name)
{
    static const char *const ends[] = {"_at", "_key", "_digest", "_hash", "signature"};
    g_autofree char *text = syncd_json_dup_text(name);
    for (size_t i = 0; text != NULL && i < G_N_ELEMENTS(ends); i++)
        if (g_str_has_suffix(text, ends[i]))
            return true;
    return text == NULL;
}

static void add_text(SyncdJson value, GString *words)
{
    g_autofree char *text = value.type == SYNCD_JSON_STRING ? syncd_json_dup_text(value) : NULL;
    size_t before = words->len;
    if (text == NULL)
        return;
    syncd_search_words(SYNCD_BYTES_TEXT(text), words);
    if (words->len > SYNCD_SEARCH_RECORD_MAX)
        g_string_truncate(words, before);
}

void syncd_search_record_words(SyncdJson record, GString *words)
{
    SyncdJsonIter members;
    SyncdJson name, value;
    if (record.type != SYNCD_JSON_OBJECT)
        return;
    syncd_json_iter_init(&members, record);
    while (syncd_json_iter_next(&members, &name, &value)) {
        SyncdJsonIter items;
        SyncdJson item;
        if (is_for_machines(name))
            continue;
        add_text(value, words);
        if (value.type != SYNCD_JSON_ARRAY)
            continue;
        syncd_json_iter_init(&items, value);
        while (syncd_json_iter_next(&items, NULL, &item))
            add_text(item, words);
    }
}

/* ---- queries ---- */

GPtrArray *syncd_search_query(const char *text, GError **error)
{
    g_autoptr(GString) words = g_string_new(NULL);
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    syncd_search_words(SYNCD_BYTES_TEXT(text), words);
    g_auto(GStrv) split = g_strsplit(words->str, " ", -1);
    for (size_t i = 0; split[i] != NULL && found->len <= SYNCD_SEARCH_QUERY_WORDS_MAX; i++)
        if (*split[i] != '\0' &&
            !g_ptr_array_find_with_equal_func(found, split[i], g_str_equal, NULL))
            g_ptr_array_add(found, g_strdup(split[i]));
    if (found->len > 0 && found->len <= SYNCD_SEARCH_QUERY_WORDS_MAX)
        return g_steal_pointer(&found);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "name one to 16 words, or the beginnings of some",
                         found->len == 0 ? "There is no word in what is looked for"
                                         : "What is looked for has more than %u words",
                         SYNCD_SEARCH_QUERY_WORDS_MAX);
    return NULL;
}

/* ---- what may be found ---- */

static bool lane_may(SyncdBytes lane)
{
    const SyncdLane *row = syncd_lane_find(lane);
    return row != NULL && strcmp(row->searchable, "no") != 0 &&
           strcmp(row->searchable, "redacted") != 0;
}

bool syncd_search_may(SyncdBytes lane, const char *scope_class, const char *data_class)
{
    static const char *const closed[] = {"secret", "credential", NULL};
    return lane_may(lane) && scope_class != NULL && strcmp(scope_class, SCOPE_CLASS_VAULT) != 0 &&
           (data_class == NULL || !g_strv_contains(closed, data_class));
}
