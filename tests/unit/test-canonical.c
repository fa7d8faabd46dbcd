#include "base/canonical.h"

#include <math.h>
#include <string.h>

static char *canonical(const char *text, bool spaced)
{
    GString *out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    syncd_json_check(text, strlen(text), 0, &error);
    g_assert_no_error(error);
    SyncdJson root = syncd_json_root(text, strlen(text));
    if (spaced)
        syncd_canonical_append_spaced(out, root);
    else
        syncd_canonical_append(out, root);
    return g_string_free(out, FALSE);
}

static void assert_canonical(const char *text, const char *expected)
{
    g_autofree char *once = canonical(text, false);
    g_assert_cmpstr(once, ==, expected);
    g_autofree char *twice = canonical(once, false);
    g_assert_cmpstr(twice, ==, once);
    g_assert_true(syncd_canonical_is(once, strlen(once)));
    g_assert_cmpint(syncd_canonical_is(text, strlen(text)), ==, strcmp(text, once) == 0);
}

static const struct {
    const char *text;
    const char *expected;
} spellings[] = {
    {" { } ", "{}"},
    {"[ ]", "[]"},
    {"{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
    {"[ 3 , 1 , 2 ]", "[3,1,2]"},
    {"{\"z\":{\"b\":[{\"d\":1,\"c\":2}],\"a\":0},\"a\":[]}",
     "{\"a\":[],\"z\":{\"a\":0,\"b\":[{\"c\":2,\"d\":1}]}}"},
    {"{\"A\":1,\"a\":2,\"_\":3,\"0\":4,\"\":5}", "{\"\":5,\"0\":4,\"A\":1,\"_\":3,\"a\":2}"},
    {"{\"ab\":1,\"a\":2,\"abc\":3}", "{\"a\":2,\"ab\":1,\"abc\":3}"},
    /* names sort by what they mean: U+0061 U+0022 before U+0061 U+0041, and U+FFFF before U+10000
     * although its UTF-16 is larger */
    {"{\"aA\":1,\"a\\\"\":2}", "{\"a\\\"\":2,\"aA\":1}"},
    {"{\"\\ud800\\udc00\":1,\"\\uffff\":2}", "{\"\\uffff\":2,\"\\ud800\\udc00\":1}"},
    {"{\"\xf0\x90\x80\x80\":1,\"\\uffff\":2}", "{\"\\uffff\":2,\"\\ud800\\udc00\":1}"},
    {"{\"\\u0062\":1,\"a\":2}", "{\"a\":2,\"b\":1}"},
    {"{\"\xc3\xa9\":1,\"z\":2}", "{\"z\":2,\"\\u00e9\":1}"},
    {"{\"a\\u0000\":1,\"a\":2}", "{\"a\":2,\"a\\u0000\":1}"},

    {"\"\\u00E9\xc3\xa9\\u4E2D\\uD83D\\uDD12\xf0\x9f\x94\x92\"",
     "\"\\u00e9\\u00e9\\u4e2d\\ud83d\\udd12\\ud83d\\udd12\""},
    {"\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\\\/\\u007f\\u0080\\u2028\\u2029\"",
     "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f\\\"\\\\/\\u007f\\u0080\\u2028\\u2029\""},
    {"\"\\u0008\\u0009\\u000A\\u000C\\u000D\\u0022\\u005C\\u002F\\u0041\"",
     "\"\\b\\t\\n\\f\\r\\\"\\\\/A\""},
    {"\"\x7f ~\"", "\"\\u007f ~\""},

    {"0", "0"},
    {"-0", "0"},
    {"[-0,-1]", "[0,-1]"},
    {"123456789012345678901234567890", "123456789012345678901234567890"},
    {"-123456789012345678901234567890", "-123456789012345678901234567890"},
    {"{\"t\":true,\"f\":false,\"n\":null}", "{\"f\":false,\"n\":null,\"t\":true}"},
    {"{\"int\":1,\"float\":1.0}", "{\"float\":1.0,\"int\":1}"},
};

static void one_spelling(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++)
        assert_canonical(spellings[i].text, spellings[i].expected);
}

static const struct {
    const char *text;
    const char *expected;
} reals[] = {
    {"0.0", "0.0"},
    {"-0.0", "-0.0"},
    {"-0e5", "-0.0"},
    {"1.0", "1.0"},
    {"-2.50", "-2.5"},
    {"100.0", "100.0"},
    {"1e2", "100.0"},
    {"1E5", "100000.0"},
    {"0.1", "0.1"},
    {"0.30000000000000004", "0.30000000000000004"},
    {"1e15", "1000000000000000.0"},
    {"9007199254740993.0", "9007199254740992.0"},
    {"9999999999999998.0", "9999999999999998.0"},
    {"9999999999999999.9", "1e+16"},
    {"1e16", "1e+16"},
    {"12345678901234567890.0", "1.2345678901234567e+19"},
    {"1e21", "1e+21"},
    {"1e22", "1e+22"},
    {"1e23", "1e+23"},
    {"1.5e300", "1.5e+300"},
    {"1.7976931348623157e308", "1.7976931348623157e+308"},
    {"0.0001", "0.0001"},
    {"0.00012345678901234567", "0.00012345678901234567"},
    {"0.00001", "1e-05"},
    {"1e-4", "0.0001"},
    {"1e-7", "1e-07"},
    {"1.25e-10", "1.25e-10"},
    {"2.2250738585072014e-308", "2.2250738585072014e-308"},
    {"2.225073858507201e-308", "2.225073858507201e-308"}, /* the largest subnormal */
    {"5e-324", "5e-324"},
    {"4.9e-324", "5e-324"},
    {"1.5e-323", "1.5e-323"},
    {"1e-999", "0.0"},
    {"-1e-999", "-0.0"},
    /* 2^-44: the nearest decimal of sixteen digits is another double, the next one is not */
    {"5.684341886080801486968994140625e-14", "5.684341886080802e-14"},
};

static void shortest_reals(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reals); i++)
        assert_canonical(reals[i].text, reals[i].expected);

    char text[SYNCD_CANONICAL_DOUBLE_SIZE];
    g_assert_cmpuint(syncd_canonical_format_double(INFINITY, text), ==, 0);
    g_assert_cmpuint(syncd_canonical_format_double(NAN, text), ==, 0);
    g_assert_cmpuint(syncd_canonical_format_double(-1.7976931348623157e-308, text), ==, 24);
}

static void reals_read_back(void)
{
    for (unsigned i = 0; i < 20000; i++) {
        union {
            guint64 bits;
            double value;
        } any = {.bits = (guint64)g_test_rand_int() << 32 | (guint32)g_test_rand_int()};
        if (i < 2046)
            any.bits = (guint64)i << 52 | i % 2; /* about every power of two */
        char text[SYNCD_CANONICAL_DOUBLE_SIZE];
        size_t size = syncd_canonical_format_double(any.value, text);
        g_assert_cmpuint(size, ==, strlen(text));
        if (size > 0) {
            g_assert_true(g_ascii_strtod(text, NULL) == any.value);
            g_assert_true(syncd_json_check(text, size, 0, NULL));
            g_assert_true(syncd_canonical_is(text, size));
        }
    }
}

static void a_long_real_is_read_whole(void)
{
    g_autofree char *zeros = g_strnfill(100000, '0');
    g_autofree char *text = g_strdup_printf("0.%s5e100001", zeros);
    assert_canonical(text, "5.0");
}

static void other_spellings_are_told_apart(void)
{
    static const char *const others[] = {
        " {}",
        "{} ",
        "{ }",
        "[1, 2]",
        "{\"a\": 1}",
        "{\"b\":1,\"a\":2}",
        "[{\"b\":1,\"a\":2}]",
        "{\"x\":{\"b\":1,\"a\":2}}",
        "{\"aa\":1,\"a\":2}",
        "\"\\u00E9\"",
        "\"\xc3\xa9\"",
        "\"\x7f\"",
        "\"\\/\"",
        "\"\\u0041\"",
        "\"\\u0022\"",
        "\"\\u000a\"",
        "\"\\uD83d\\udd12\"",
        "\"\\ud83d\\uDd12\"",
        "-0",
        "1.00",
        "1e5",
        "1E+16",
        "1e16",
        "0.00001",
        "1.0e+16",
        "-0e0",
        "{\"\\ud800\\udc00\":1,\"\\uffff\":2}",
        "0.1000000000000000055511151231257827021181583404541",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        size_t size = strlen(others[i]);
        g_autofree char *text = g_memdup2(others[i], size);
        g_assert_true(syncd_json_check(text, size, 0, NULL));
        if (syncd_canonical_is(text, size))
            g_error("not canonical: %s", others[i]);
    }
}

static void spaced(void)
{
    g_autofree char *text = canonical("{\"b\":[1,2,{}],\"a\":{\"d\":\",:\",\"c\":[]}}", true);
    g_assert_cmpstr(text, ==, "{\"a\": {\"c\": [], \"d\": \",:\"}, \"b\": [1, 2, {}]}");
}

static void appends(void)
{
    g_autoptr(GString) out = g_string_new("before ");
    syncd_canonical_append(out, syncd_json_root("{\"b\":1,\"a\":2}", 13));
    g_assert_cmpstr(out->str, ==, "before {\"a\":2,\"b\":1}");
}

static void sorts_many_members(void)
{
    g_autoptr(GString) text = g_string_new("{");
    g_autoptr(GString) expected = g_string_new("{");
    for (unsigned i = 0; i < 10000; i++) {
        g_string_append_printf(text, "%s\"k%04u\":{\"b\":%u,\"a\":0}", i > 0 ? "," : "",
                               i * 7919 % 10000, i * 7919 % 10000);
        g_string_append_printf(expected, "%s\"k%04u\":{\"a\":0,\"b\":%u}", i > 0 ? "," : "", i, i);
    }
    g_string_append_c(text, '}');
    g_string_append_c(expected, '}');
    assert_canonical(text->str, expected->str);
}

/* The vectors shared with other implementations, when they are at hand. */
static void shared_vectors(void)
{
    const char *path = g_getenv("SYNCD_CANONICAL_VECTORS");
    g_autofree char *text = NULL;
    size_t size;
    if (path == NULL || !g_file_get_contents(path, &text, &size, NULL)) {
        g_test_message("no shared vectors here; the table above says the same");
        return;
    }

    g_assert_true(syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    SyncdJsonIter iter;
    SyncdJson vector;
    unsigned count = 0;
    syncd_json_iter_init(&iter, syncd_json_member(syncd_json_root(text, size), "vectors"));
    for (; syncd_json_iter_next(&iter, NULL, &vector); count++) {
        g_autofree char *from = syncd_json_dup_text(syncd_json_member(vector, "text"));
        g_autofree char *to = syncd_json_dup_text(syncd_json_member(vector, "canonical"));
        assert_canonical(from, to);
        g_autofree char *hex = g_compute_checksum_for_string(G_CHECKSUM_SHA256, to, -1);
        g_autofree char *digest = g_strconcat("sha256:", hex, NULL);
        g_assert_true(syncd_json_is(syncd_json_member(vector, "digest"), digest));
    }
    g_assert_cmpuint(count, >, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/canonical/one-spelling", one_spelling);
    g_test_add_func("/canonical/shortest-reals", shortest_reals);
    g_test_add_func("/canonical/reals-read-back", reals_read_back);
    g_test_add_func("/canonical/a-long-real-is-read-whole", a_long_real_is_read_whole);
    g_test_add_func("/canonical/other-spellings-are-told-apart", other_spellings_are_told_apart);
    g_test_add_func("/canonical/spaced", spaced);
    g_test_add_func("/canonical/appends", appends);
    g_test_add_func("/canonical/sorts-many-members", sorts_many_members);
    g_test_add_func("/canonical/shared-vectors", shared_vectors);
    return g_test_run();
}
