#include "base/json-writer.h"

#include <math.h>
#include <string.h>

static void write_sample(SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "text", "a\"b\\c/\n\t\x01\x7f \xc3\xa9");
    syncd_json_member_string(writer, "none", NULL);
    syncd_json_member_int(writer, "least", G_MININT64);
    syncd_json_member_uint(writer, "most", G_MAXUINT64);
    syncd_json_member_bool(writer, "yes", true);
    syncd_json_member_null(writer, "null");
    syncd_json_name(writer, "list");
    syncd_json_begin_array(writer);
    syncd_json_double(writer, 0.1);
    syncd_json_double(writer, 1);
    syncd_json_double(writer, NAN);
    syncd_json_begin_object(writer);
    syncd_json_end_object(writer);
    syncd_json_begin_array(writer);
    syncd_json_end_array(writer);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

static void compact_is_one_line(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    write_sample(&writer);
    g_assert_cmpstr(out->str, ==,
                    "{\"text\":\"a\\\"b\\\\c/\\n\\t\\u0001\x7f \xc3\xa9\",\"none\":null,"
                    "\"least\":-9223372036854775808,\"most\":18446744073709551615,\"yes\":true,"
                    "\"null\":null,\"list\":[0.1,1.0,null,{},[]]}");
    g_assert_true(syncd_json_check(out->str, out->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
}

static void pretty_has_a_line_for_each_member(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, true);
    write_sample(&writer);
    g_assert_cmpstr(out->str, ==,
                    "{\n"
                    "  \"text\": \"a\\\"b\\\\c/\\n\\t\\u0001\x7f \xc3\xa9\",\n"
                    "  \"none\": null,\n"
                    "  \"least\": -9223372036854775808,\n"
                    "  \"most\": 18446744073709551615,\n"
                    "  \"yes\": true,\n"
                    "  \"null\": null,\n"
                    "  \"list\": [\n"
                    "    0.1,\n"
                    "    1.0,\n"
                    "    null,\n"
                    "    {},\n"
                    "    []\n"
                    "  ]\n"
                    "}");
    g_assert_true(syncd_json_check(out->str, out->len, SYNCD_JSON_MUST_BE_OBJECT, NULL));
}

static void values_keep_their_bytes(void)
{
    static const char text[] =
        " {\"k\\u0061\" : [1.50, -0,1E5 ,\"\\/\\u00E9:,{\", [ ], { }],\"z\":{\"y\":\n"
        "123456789012345678901234567890}} ";
    g_assert_true(syncd_json_check(text, strlen(text), 0, NULL));
    SyncdJson value = syncd_json_root(text, strlen(text));

    g_autoptr(GString) compact = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, compact, false);
    syncd_json_begin_array(&writer);
    syncd_json_value(&writer, value);
    syncd_json_int(&writer, 7);
    syncd_json_value(&writer, (SyncdJson){0});
    syncd_json_end_array(&writer);
    g_autofree char *stripped = g_strstrip(g_strdup(text));
    g_autofree char *expected = g_strdup_printf("[%s,7,null]", stripped);
    g_assert_cmpstr(compact->str, ==, expected);

    g_autoptr(GString) pretty = g_string_new(NULL);
    syncd_json_writer_init(&writer, pretty, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_value(&writer, "in", value);
    syncd_json_member_int(&writer, "after", 7);
    syncd_json_end_object(&writer);
    g_assert_cmpstr(pretty->str, ==,
                    "{\n"
                    "  \"in\": {\n"
                    "    \"k\\u0061\": [\n"
                    "      1.50,\n"
                    "      -0,\n"
                    "      1E5,\n"
                    "      \"\\/\\u00E9:,{\",\n"
                    "      [],\n"
                    "      {}\n"
                    "    ],\n"
                    "    \"z\": {\n"
                    "      \"y\": 123456789012345678901234567890\n"
                    "    }\n"
                    "  },\n"
                    "  \"after\": 7\n"
                    "}");
}

/* Whatever bytes are given, what comes out passes the strict check. */
static void copied_members_keep_their_bytes(void)
{
    const char *text = "{\"a\\u0062\" :  [ 1.50,{}] , \"x\\u0000y\":1,\"x\":2}";
    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    SyncdJsonIter iter;
    SyncdJson name, value;
    g_assert_true(syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, NULL));
    for (int pretty = 0; pretty <= 1; pretty++) {
        g_string_truncate(out, 0);
        syncd_json_writer_init(&writer, out, pretty);
        syncd_json_begin_object(&writer);
        syncd_json_iter_init(&iter, syncd_json_root(text, strlen(text)));
        while (syncd_json_iter_next(&iter, &name, &value))
            syncd_json_member_copy(&writer, name, value);
        syncd_json_end_object(&writer);
        g_assert_true(syncd_json_check(out->str, out->len, SYNCD_JSON_ANY, NULL));
        g_assert_cmpstr(out->str, ==,
                        pretty ? "{\n  \"a\\u0062\": [\n    1.50,\n    {}\n  ],\n"
                                 "  \"x\\u0000y\": 1,\n  \"x\": 2\n}"
                               : "{\"a\\u0062\" :  [ 1.50,{}],\"x\\u0000y\":1,\"x\":2}");
    }
}

static void bad_text_is_made_good(void)
{
    static const struct {
        const char *text;
        size_t size;
        const char *json;
    } cases[] = {
        {"a\xff\xfe z", 5, "\"a\xef\xbf\xbd\xef\xbf\xbd z\""},
        {"\xc3", 1, "\"\xef\xbf\xbd\""},
        {"\xe4\xb8", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xed\xa0\x80", 3, "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
        {"\xc0\x80", 2, "\"\xef\xbf\xbd\xef\xbf\xbd\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"", 0, "\"\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_autofree char *text = g_memdup2(cases[i].text, MAX(cases[i].size, 1));
        SyncdJsonWriter writer;
        syncd_json_writer_init(&writer, out, false);
        syncd_json_string_sized(&writer, text, cases[i].size);
        g_assert_cmpstr(out->str, ==, cases[i].json);
        g_assert_true(syncd_json_check(out->str, out->len, 0, NULL));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json-writer/compact-is-one-line", compact_is_one_line);
    g_test_add_func("/json-writer/pretty-has-a-line-for-each-member",
                    pretty_has_a_line_for_each_member);
    g_test_add_func("/json-writer/values-keep-their-bytes", values_keep_their_bytes);
    g_test_add_func("/json-writer/copied-members-keep-their-bytes",
                    copied_members_keep_their_bytes);
    g_test_add_func("/json-writer/bad-text-is-made-good", bad_text_is_made_good);
    return g_test_run();
}
