/*
 * Words are what people take for words, however they are written; a query is words and nothing
 * else; and what must not be found is not in the index.
 */
#include "domain/search.h"

#include "base/error.h"

#include <string.h>

static char *words(const char *text, gssize size)
{
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_search_words(SYNCD_BYTES(text, size < 0 ? strlen(text) : (size_t)size), out);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void a_text_is_cut_where_people_would(void)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", ""},
        {"...", ""},
        {"Milk-list_2024.TXT", "milk list 2024 txt "},
        {"M\xc3\xbcnchen", "munchen "},
        {"Mu\xcc\x88nchen", "munchen "}, /* as some file systems write it */
        {"\xe2\x91\xa0\xef\xac\x81n", "1fin "},
        {"\xe6\x97\xa5\xe6\x9c\xac.md", "\xe6\x97\xa5 \xe6\x9c\xac md "},
        {"a\xff"
         "b",
         "a b "},
        {"\xf0\x9f\x8c\xb7 tulips", "tulips "},
        {"\xce\x91\xce\x92", "\xce\xb1\xce\xb2 "},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *cut = words(cases[i].text, -1);
        g_assert_cmpstr(cut, ==, cases[i].words);
    }
    g_autofree char *with_nul = words("a\0\xc3\xa9", 4);
    g_assert_cmpstr(with_nul, ==, "a e ");
}

static void a_long_word_is_its_beginning(void)
{
    g_autofree char *text = g_strnfill(300, 'x'), *cut = words(text, -1);
    g_assert_cmpuint(strlen(cut), ==, SYNCD_SEARCH_WORD_MAX + 1);
}

static void a_record_is_what_it_says(void)
{
    static const char record[] =
        "{\"actor_id\":\"agent:Gardener\",\"capabilities\":[\"read\",\"write\",7],\"n\":5,"
        "\"display_name\":\"The gardener\",\"created_at\":\"2026-01-01T00:00:00Z\","
        "\"public_key\":\"abcdef\",\"deep\":{\"text\":\"unsaid\"},\"record_digest\":\"sha256:77\"}";
    g_autoptr(GString) out = g_string_new(NULL);
    syncd_search_record_words(syncd_json_root(record, strlen(record)), out);
    g_assert_cmpstr(out->str, ==, "agent gardener read write the gardener ");

    g_autofree char *much = g_strnfill(4 * SYNCD_SEARCH_RECORD_MAX, 'a');
    for (size_t i = 0; much[i] != '\0'; i += 2)
        much[i] = ' ';
    g_autofree char *large = g_strdup_printf("{\"a\":\"%s\",\"b\":\"fits\"}", much);
    g_string_truncate(out, 0);
    syncd_search_record_words(syncd_json_root(large, strlen(large)), out);
    g_assert_cmpstr(out->str, ==, "fits ");
}

static void nothing_in_a_query_is_syntax(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) query =
        syncd_search_query("\"a\" OR NEAR(b* c, 2) AND words:'--; a", &error);
    static const char *const expected[] = {"a", "or", "near", "b", "c", "2", "and", "words"};
    g_assert_no_error(error);
    g_assert_cmpuint(query->len, ==, G_N_ELEMENTS(expected));
    for (guint i = 0; i < query->len; i++)
        g_assert_cmpstr(query->pdata[i], ==, expected[i]);
}

static void a_query_has_words_and_not_too_many(void)
{
    g_autoptr(GError) none = NULL, many = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    for (unsigned i = 0; i <= SYNCD_SEARCH_QUERY_WORDS_MAX; i++)
        g_string_append_printf(text, "w%u ", i);
    g_assert_null(syncd_search_query("\"*()\"", &none));
    g_assert_error(none, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_null(syncd_search_query(text->str, &many));
    g_assert_error(many, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
}

static void what_is_closed_is_not_found(void)
{
    static const struct {
        const char *lane, *class, *data_class;
        bool may;
    } cases[] = {
        {"normal", "workspace", NULL, true},    {"audit", "device", "", true},
        {"tombstone", "profile", "work", true}, {"secure", "workspace", NULL, false},
        {"repair", "workspace", NULL, false},   {"ephemeral", "device", NULL, false},
        {"none", "device", NULL, false},        {"normal", "vault", NULL, false},
        {"normal", NULL, NULL, false},          {"normal", "org", "secret", false},
        {"normal", "org", "credential", false}, {"normal", "public", "confidential", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(
            syncd_search_may(SYNCD_BYTES_TEXT(cases[i].lane), cases[i].class, cases[i].data_class),
            ==, cases[i].may);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/search/a-text-is-cut-where-people-would", a_text_is_cut_where_people_would);
    g_test_add_func("/search/a-long-word-is-its-beginning", a_long_word_is_its_beginning);
    g_test_add_func("/search/a-record-is-what-it-says", a_record_is_what_it_says);
    g_test_add_func("/search/nothing-in-a-query-is-syntax", nothing_in_a_query_is_syntax);
    g_test_add_func("/search/a-query-has-words-and-not-too-many",
                    a_query_has_words_and_not_too_many);
    g_test_add_func("/search/what-is-closed-is-not-found", what_is_closed_is_not_found);
    return g_test_run();
}
