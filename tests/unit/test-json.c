#include "base/json.h"

#include <string.h>

#define MIB (1024u * 1024u)

typedef struct {
    const char *text;
    size_t size; /* 0: strlen(text) */
    SyncdJsonFlags flags;
    SyncdErrorCode code;
    const char *place; /* in the message */
} Refusal;

#define ENCODING SYNCD_ERROR_INVALID_ENCODING
#define SIZED(literal) literal, sizeof(literal) - 1

static const Refusal refusals[] = {
    {"", 0, 0, ENCODING, "no JSON value at the top level (byte 0)"},
    {" \n\t", 0, 0, ENCODING, "no JSON value at the top level (byte 3)"},
    {SIZED("\0"), 0, ENCODING, "(byte 0)"},
    {SIZED("1\0"), 0, ENCODING, "(byte 1)"},
    {SIZED("{\"a\":\"x\0y\"}"), 0, ENCODING, "control character in a string at /a (byte 7)"},
    {"\xef\xbb\xbf{}", 0, 0, ENCODING, "byte order mark"},
    {"{}\xef\xbb\xbf", 0, 0, ENCODING, "(byte 2)"},
    {"\xff\xfe{", 0, 0, ENCODING, "(byte 0)"},

    {"{'a':1}", 0, 0, ENCODING, "double quotes belongs at the top level (byte 1)"},
    {"'a'", 0, 0, ENCODING, "(byte 0)"},
    {"{a:1}", 0, 0, ENCODING, "(byte 1)"},
    {"// c\n1", 0, 0, ENCODING, "(byte 0)"},
    {"1 /* c */", 0, 0, ENCODING, "more text after the document at the top level (byte 2)"},
    {"[1,/* c */2]", 0, 0, ENCODING, "at /1 (byte 3)"},
    {"{} {}", 0, 0, ENCODING, "(byte 3)"},
    {"{}{}", 0, 0, ENCODING, "(byte 2)"},
    {"1 2", 0, 0, ENCODING, "(byte 2)"},
    {"{}]", 0, 0, ENCODING, "(byte 2)"},
    {"[1,]", 0, 0, ENCODING, "a comma with nothing after it at /1 (byte 3)"},
    {"{\"a\":1,}", 0, 0, ENCODING, "a comma with nothing after it at the top level (byte 7)"},
    {"[,1]", 0, 0, ENCODING, "at /0 (byte 1)"},
    {"[1,,2]", 0, 0, ENCODING, "at /1 (byte 3)"},
    {"[1 2]", 0, 0, ENCODING, "neither a comma nor the closing bracket after a value at /0"},
    {"[1}", 0, 0, ENCODING, "(byte 2)"},
    {"{\"a\":1]", 0, 0, ENCODING, "at /a (byte 6)"},
    {"{\"a\" 1}", 0, 0, ENCODING, "no colon after a name at /a (byte 5)"},
    {"{\"a\":}", 0, 0, ENCODING, "at /a (byte 5)"},
    {"{\"a\"}", 0, 0, ENCODING, "no colon"},
    {"{1:2}", 0, 0, ENCODING, "(byte 1)"},
    {"{,}", 0, 0, ENCODING, "(byte 1)"},
    {"]", 0, 0, ENCODING, "(byte 0)"},
    {":", 0, 0, ENCODING, "(byte 0)"},
    {"1\f", 0, 0, ENCODING, "(byte 1)"},
    {"\xc2\xa0"
     "1",
     0, 0, ENCODING, "(byte 0)"},

    {"{", 0, 0, ENCODING, "ends before the document does at the top level (byte 1)"},
    {"{\"body\":{\"items\":[1,2,3,", 0, 0, ENCODING,
     "ends before the document does at /body/items/3"},
    {"\"", 0, 0, ENCODING, "ends before"},
    {"\"abc", 0, 0, ENCODING, "ends before"},
    {"\"abc\\", 0, 0, ENCODING, "ends before"},
    {"\"abc\\\"", 0, 0, ENCODING, "ends before"},
    {"{\"a\"", 0, 0, ENCODING, "ends before"},
    {"{\"a\":", 0, 0, ENCODING, "ends before the document does at /a (byte 5)"},
    {"{\"a\":1,", 0, 0, ENCODING, "ends before"},
    {"[", 0, 0, ENCODING, "ends before"},
    {"tru", 0, 0, ENCODING, "ends before the document does at the top level (byte 3)"},
    {"-", 0, 0, ENCODING, "ends before"},
    {"1.", 0, 0, ENCODING, "ends before"},
    {"1e", 0, 0, ENCODING, "ends before"},
    {"1e+", 0, 0, ENCODING, "ends before"},
    {"\"\xf0\x9f\x94", 0, 0, ENCODING, "not UTF-8"},

    {"True", 0, 0, ENCODING, "(byte 0)"},
    {"truth", 0, 0, ENCODING, "(byte 0)"},
    {"truee", 0, 0, ENCODING, "(byte 4)"},
    {"nul0", 0, 0, ENCODING, "(byte 0)"},
    {"undefined", 0, 0, ENCODING, "(byte 0)"},
    {"NaN", 0, 0, ENCODING, "(byte 0)"},
    {"Infinity", 0, 0, ENCODING, "(byte 0)"},
    {"-Infinity", 0, 0, ENCODING, "(byte 1)"},
    {"0x10", 0, 0, ENCODING, "(byte 1)"},
    {"+1", 0, 0, ENCODING, "(byte 0)"},
    {".5", 0, 0, ENCODING, "(byte 0)"},
    {"[1.]", 0, 0, ENCODING, "a number without its digits at /0 (byte 3)"},
    {"[1.e5]", 0, 0, ENCODING, "a number without its digits"},
    {"[1e]", 0, 0, ENCODING, "a number without its digits"},
    {"[1e+]", 0, 0, ENCODING, "a number without its digits"},
    {"[-]", 0, 0, ENCODING, "a number without its digits"},
    {"[--1]", 0, 0, ENCODING, "a number without its digits"},
    {"01", 0, 0, ENCODING, "leading zero"},
    {"-01", 0, 0, ENCODING, "leading zero"},
    {"00", 0, 0, ENCODING, "leading zero"},
    {"01.5", 0, 0, ENCODING, "leading zero"},
    {"1_000", 0, 0, ENCODING, "(byte 1)"},
    {"[1e999]", 0, 0, ENCODING, "a number too large for a double at /0 (byte 1)"},
    {"-1e999", 0, 0, ENCODING, "too large for a double"},
    {"1e99999999999999999999", 0, 0, ENCODING, "too large for a double"},
    {"1e309", 0, 0, ENCODING, "too large for a double"},
    {"0.01e311", 0, 0, ENCODING, "too large for a double"},
    {"1000e306", 0, 0, ENCODING, "too large for a double"},
    {"1.7976931348623159e308", 0, 0, ENCODING, "too large for a double"},
    {"17.976931348623159e307", 0, 0, ENCODING, "too large for a double"},

    {"{\"n\":1.0}", 0, SYNCD_JSON_INTEGERS_ONLY, ENCODING,
     "only integers may stand at /n (byte 5)"},
    {"1e2", 0, SYNCD_JSON_INTEGERS_ONLY, ENCODING, "only integers"},
    {"9223372036854775808", 0, SYNCD_JSON_INTEGERS_ONLY, ENCODING, "fit into 64 bits"},
    {"-9223372036854775809", 0, SYNCD_JSON_INTEGERS_ONLY, ENCODING, "fit into 64 bits"},
    {"10000000000000000000000", 0, SYNCD_JSON_INTEGERS_ONLY, ENCODING, "fit into 64 bits"},

    {"\"\t\"", 0, 0, ENCODING, "control character"},
    {"\"\n\"", 0, 0, ENCODING, "control character"},
    {"{\"\x1f\":1}", 0, 0, ENCODING, "control character in a string at the top level (byte 2)"},
    {"\"a string of more than sixteen bytes \x01\"", 0, 0, ENCODING, "control character"},
    {"\"\\x41\"", 0, 0, ENCODING, "an escape that JSON does not have"},
    {"\"\\'\"", 0, 0, ENCODING, "an escape that JSON does not have"},
    {"\"\\U0041\"", 0, 0, ENCODING, "an escape that JSON does not have"},
    {"\"\\u00g0\"", 0, 0, ENCODING, "an escape that JSON does not have"},
    {"\"\\u12\"", 0, 0, ENCODING, "an escape that JSON does not have"},
    {SIZED("\"\\\0\""), 0, ENCODING, "an escape that JSON does not have"},
    {"[\"\\ud800\"]", 0, 0, ENCODING, "half of a surrogate pair at /0 (byte 2)"},
    {"\"\\udc00\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\\udc00\\ud800\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\\ud800\\ud800\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\\ud800\\u0041\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\\ud800x-------\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\\ud83d\\n\\udd12\"", 0, 0, ENCODING, "half of a surrogate pair"},
    {"\"\xed\xa0\x80\"", 0, 0, ENCODING, "not UTF-8"},             /* a raw surrogate */
    {"\"\xed\xa0\xbd\xed\xb4\x92\"", 0, 0, ENCODING, "not UTF-8"}, /* a pair of them */
    {"\"\xc0\x80\"", 0, 0, ENCODING, "not UTF-8"},                 /* overlong */
    {"\"\xc1\xbf\"", 0, 0, ENCODING, "not UTF-8"},                 /* overlong */
    {"\"\xe0\x9f\xbf\"", 0, 0, ENCODING, "not UTF-8"},             /* overlong */
    {"\"\xf0\x8f\xbf\xbf\"", 0, 0, ENCODING, "not UTF-8"},         /* overlong */
    {"\"\xf4\x90\x80\x80\"", 0, 0, ENCODING, "not UTF-8"},         /* past U+10FFFF */
    {"\"\xf8\x88\x80\x80\x80\"", 0, 0, ENCODING, "not UTF-8"},     /* five bytes */
    {"\"\x80\"", 0, 0, ENCODING, "not UTF-8"},                     /* no lead */
    {"\"\xc3(\"", 0, 0, ENCODING, "not UTF-8"},                    /* no continuation */
    {"\"\xe4\xb8\"", 0, 0, ENCODING, "not UTF-8"},                 /* cut short */
    {"\"ok \xc3\xa9 then \xff\"", 0, 0, ENCODING, "(byte 12)"},

    {"{\"a\":1,\"a\":2}", 0, 0, ENCODING, "a name that its object already has at /a (byte 7)"},
    {"{\"a\":1,\"\\u0061\":2}", 0, 0, ENCODING, "already has at /a (byte 7)"},
    {"{\"\\u0061\":1,\"a\":2}", 0, 0, ENCODING, "already has at /a (byte 12)"},
    {"{\"\\u00e9\":1,\"\xc3\xa9\":2}", 0, 0, ENCODING, "already has at /\xc3\xa9"},
    {"{\"\\ud83d\\udd12\":1,\"\xf0\x9f\x94\x92\":2}", 0, 0, ENCODING, "already has"},
    {"{\"/\":1,\"\\/\":2}", 0, 0, ENCODING, "already has at /~1 (byte 7)"},
    {"{\"\":1,\"\":2}", 0, 0, ENCODING, "already has at / (byte 6)"},
    {"{\"\\u0000\":1,\"\\u0000\":2}", 0, 0, ENCODING, "already has"},
    {"{\"x\":[{},{\"a~/b\":{\"k\":1,\"l\":2,\"k\":3}}]}", 0, 0, ENCODING,
     "already has at /x/1/a~0~1b/k (byte 30)"},
    {"{\"a\":{\"a\":1},\"b\":2,\"a\":3}", 0, 0, ENCODING, "already has at /a (byte 19)"},
    {"{\"a long name that is the same\":1,\"a long name that is the same\":2}", 0, 0, ENCODING,
     "already has"},

    {"[1]", 0, SYNCD_JSON_MUST_BE_OBJECT, SYNCD_ERROR_INVALID_CONTRACT,
     "the document is no object"},
    {" null ", 0, SYNCD_JSON_MUST_BE_OBJECT, SYNCD_ERROR_INVALID_CONTRACT, "(byte 1)"},
    {"[1", 0, SYNCD_JSON_MUST_BE_OBJECT, ENCODING, "ends before"},
};

static void refuses(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        const Refusal *refusal = &refusals[i];
        size_t size = refusal->size > 0 ? refusal->size : strlen(refusal->text);
        /* A copy without room: reading past the end is seen by the sanitizer. */
        g_autofree char *text = g_memdup2(refusal->text, size);
        g_autoptr(GError) error = NULL;
        bool passed = syncd_json_check(text, size, refusal->flags, &error);
        if (passed)
            g_error("passed: %s", refusal->text);
        g_assert_error(error, SYNCD_ERROR, (int)refusal->code);
        if (strstr(error->message, refusal->place) == NULL)
            g_error("%s: %s", refusal->text, error->message);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_false(syncd_json_check(text, size, refusal->flags, NULL));
    }
}

static void accepts(void)
{
    static const struct {
        const char *text;
        SyncdJsonFlags flags;
    } cases[] = {
        {"{}", SYNCD_JSON_MUST_BE_OBJECT},
        {" \t\r\n{ } \t\r\n", SYNCD_JSON_MUST_BE_OBJECT},
        {"[]", 0},
        {"\"\"", 0},
        {"null", 0},
        {"true", 0},
        {"false", 0},
        {"0", SYNCD_JSON_INTEGERS_ONLY},
        {"-0", SYNCD_JSON_INTEGERS_ONLY},
        {"9223372036854775807", SYNCD_JSON_INTEGERS_ONLY},
        {"-9223372036854775808", SYNCD_JSON_INTEGERS_ONLY},
        {"123456789012345678901234567890", 0},
        {"-0.0", 0},
        {"1E+2", 0},
        {"0e999", 0},
        {"0.000e99999999999999", 0},
        {"1e-999", 0},
        {"1.7976931348623157e308", 0},
        {"1.7976931348623158e308", 0},
        {"0.00017976931348623157e312", 0},
        {"179769313486231570000e288", 0},
        {"\"\\u0000\"", 0},
        {"\"\\ud83d\\udd12 \\uD83D\\uDD12\"", 0},
        {"\"\x7f\"", 0},
        {"\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\"", 0},
        {"\"\xf4\x8f\xbf\xbf\"", 0},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"", 0},
        {"{\"a\":{\"a\":{\"a\":[{\"a\":1},{\"a\":2}]}},\"A\":1,\"\":2}", 0},
        {"{\"a\":1,\"a\\u0000\":2,\"a\\u0000b\":3}", 0},
        {"[\n                                        1,\n                 2\n]", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t size = strlen(cases[i].text);
        g_autofree char *text = g_memdup2(cases[i].text, size);
        g_autoptr(GError) error = NULL;
        syncd_json_check(text, size, cases[i].flags, &error);
        g_assert_no_error(error);
    }
}

/* Every byte of a document is replaced by every byte, and the document cut after every byte: the
 * check says yes or no and reads nothing outside. */
static void survives_any_byte(void)
{
    static const char document[] =
        "{\"kind\":\"op\\n\\u00e9\\ud83d\\udd12\xc3\xa9\",\"n\":[-12,3.5e-7,true,null],\"o\":{}}";
    size_t size = sizeof document - 1;
    for (size_t at = 0; at < size; at++) {
        g_autofree char *cut = g_memdup2(document, MAX(at, 1));
        g_assert_false(syncd_json_check(cut, at, 0, NULL));
        for (int byte = 0; byte < 256; byte++) {
            g_autofree char *text = g_memdup2(document, size);
            text[at] = (char)byte;
            g_autoptr(GError) error = NULL;
            if (syncd_json_check(text, size, 0, &error))
                g_assert_true(g_utf8_validate_len(text, size, NULL));
            else
                g_assert_nonnull(error);
        }
    }
}

/* A string at every distance from the end of a block, with every odd byte at every place. */
static void strings_of_any_length(void)
{
    for (size_t size = 0; size < 50; size++) {
        g_autofree char *text = g_malloc(size + 2);
        memset(text, 'x', size + 2);
        text[0] = text[size + 1] = '"';
        g_assert_true(syncd_json_check(text, size + 2, 0, NULL));
        for (size_t at = 1; at <= size; at++) {
            static const char odd[] = {'\0', '\x1f', '\x80', '\xff', '"', '\\'};
            for (size_t i = 0; i < sizeof odd; i++) {
                text[at] = odd[i];
                g_assert_false(syncd_json_check(text, size + 2, 0, NULL));
            }
            text[at] = '\x7f';
            g_assert_true(syncd_json_check(text, size + 2, 0, NULL));
            text[at] = 'x';
        }
    }
}

static char *nested(unsigned levels, const char *open, const char *inner, const char *close)
{
    GString *text = g_string_new(NULL);
    for (unsigned i = 0; i < levels; i++)
        g_string_append(text, open);
    g_string_append(text, inner);
    for (unsigned i = 0; i < levels; i++)
        g_string_append(text, close);
    return g_string_free(text, FALSE);
}

static void depth_is_limited(void)
{
    static const char *const shapes[][3] = {
        {"[", "", "]"}, {"{\"a\":", "1", "}"}, {"[1,", "2", "]"}, {"[[],", "3", "]"}};
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        const char *const *shape = shapes[i];
        unsigned most = SYNCD_JSON_MAX_DEPTH - (i == 3);
        g_autofree char *passes = nested(most, shape[0], shape[1], shape[2]);
        g_assert_true(syncd_json_check(passes, strlen(passes), 0, NULL));

        g_autofree char *fails = nested(SYNCD_JSON_MAX_DEPTH + 1, shape[0], shape[1], shape[2]);
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_json_check(fails, strlen(fails), 0, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_DEEP);
    }

    g_autofree char *brackets = g_strnfill(100000, '[');
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_json_check(brackets, 100000, 0, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_DEEP);
    g_assert_nonnull(strstr(error->message, "/0/0/0"));
    g_assert_nonnull(strstr(error->message, "(byte 64)"));
}

static void size_is_limited(void)
{
    size_t most = SYNCD_JSON_MAX_SIZE;
    g_autofree char *text = g_malloc(most + 1);
    memset(text, ' ', most + 1);
    text[0] = '1';
    g_assert_true(syncd_json_check(text, most, 0, NULL));
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_json_check(text, most + 1, 0, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
}

/* A name in a message is cut, and what a terminal would obey is replaced. */
static void messages_stay_small(void)
{
    g_autofree char *name = g_strnfill(MIB, 'n');
    g_autofree char *text = g_strdup_printf("{\"%s\":{\"\\u001b[2J\\u0000\":x}}", name);
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_json_check(text, strlen(text), 0, &error));
    g_assert_cmpuint(strlen(error->message), <, 400);
    g_assert_null(strchr(error->message, '\x1b'));
    g_assert_nonnull(strstr(error->message, "\xef\xbf\xbd[2J\xef\xbf\xbd (byte"));
}

typedef enum { SHORT, SAME_ENDS, LONG_PREFIX, ESCAPED } NameShape;

static void append_name(GString *text, NameShape shape, unsigned number)
{
    switch (shape) {
    case SHORT:
        g_string_append_printf(text, "\"%x\"", number);
        break;
    case SAME_ENDS:
        g_string_append_printf(text, "\"beginning%06xending...\"", number);
        break;
    case LONG_PREFIX:
        g_string_append_printf(text, "\"%0200x\"", number);
        break;
    case ESCAPED:
        g_string_append_printf(text, "\"\\u006e%x\"", number);
        break;
    }
}

/* Different names pass in any number; one that comes back is found, wherever the first was. */
static void duplicates_among_many(void)
{
    static const unsigned counts[] = {2, 3, 31, 32, 33, 34, 60, 61, 127, 128, 129, 300, 5000};
    for (NameShape shape = SHORT; shape <= ESCAPED; shape++) {
        for (size_t i = 0; i < G_N_ELEMENTS(counts); i++) {
            g_autoptr(GString) text = g_string_new("{\"in\":{");
            for (unsigned number = 0; number < counts[i]; number++) {
                g_string_append(text, number > 0 ? "," : "");
                append_name(text, shape, number);
                g_string_append(text, ":{\"0\":0,\"n1\":1}");
            }
            size_t size = text->len;
            g_string_append(text, "},\"n1\":1}");
            g_assert_true(syncd_json_check(text->str, text->len, 0, NULL));

            const unsigned again[] = {0, counts[i] / 2, counts[i] - 1};
            for (size_t j = 0; j < G_N_ELEMENTS(again); j++) {
                g_string_truncate(text, size);
                g_string_append_c(text, ',');
                append_name(text, shape, again[j]);
                g_string_append(text, ":1}}");
                g_autoptr(GError) error = NULL;
                g_assert_false(syncd_json_check(text->str, text->len, 0, &error));
                g_autofree char *byte = g_strdup_printf("(byte %zu)", size + 1);
                g_assert_nonnull(strstr(error->message, byte));
            }
        }
    }
}

/* Names that come back without end are refused before all of them are kept. */
static void duplicates_without_end(void)
{
    static const char *const shapes[] = {"\"\":1,", "\"\":{\"a\":1,\"b\":2},"};
    for (size_t i = 0; i < G_N_ELEMENTS(shapes); i++) {
        g_autoptr(GString) text = g_string_sized_new(SYNCD_JSON_MAX_SIZE);
        g_string_append_c(text, '{');
        while (text->len + strlen(shapes[i]) + 8 < SYNCD_JSON_MAX_SIZE)
            g_string_append(text, shapes[i]);
        g_string_append(text, "\"z\":0}");
        g_autoptr(GError) error = NULL;
        g_assert_false(syncd_json_check(text->str, text->len, 0, &error));
        g_assert_nonnull(strstr(error->message, "already has at / (byte"));
    }
}

static void members_are_found(void)
{
    static const char text[] =
        " { \"a\" : [1, {\"b\":\"]}\\\"\"}, -2.5], \"\\u0062\":{\"c\":null}, "
        "\"\":true , \"d\\\\\":\"\\u00e9\\ud83d\\udd12\", \"z\":false} ";
    g_assert_true(syncd_json_check(text, strlen(text), SYNCD_JSON_MUST_BE_OBJECT, NULL));
    SyncdJson root = syncd_json_root(text, strlen(text));
    g_assert_cmpint(root.type, ==, SYNCD_JSON_OBJECT);

    SyncdJson a = syncd_json_member(root, "a");
    g_assert_cmpint(a.type, ==, SYNCD_JSON_ARRAY);
    SyncdJson b = syncd_json_member(root, "b");
    g_assert_cmpint(syncd_json_member(b, "c").type, ==, SYNCD_JSON_NULL);
    g_assert_cmpint(syncd_json_member(root, "").type, ==, SYNCD_JSON_TRUE);
    g_assert_true(syncd_json_is(syncd_json_member(root, "d\\"), "\xc3\xa9\xf0\x9f\x94\x92"));
    g_assert_cmpint(syncd_json_member(root, "z").type, ==, SYNCD_JSON_FALSE);
    g_assert_cmpint(syncd_json_member(root, "c").type, ==, SYNCD_JSON_NONE);
    g_assert_cmpint(syncd_json_member(root, "\\u0062").type, ==, SYNCD_JSON_NONE);
    g_assert_cmpint(syncd_json_member(root, "d\\\\").type, ==, SYNCD_JSON_NONE);
    g_assert_cmpint(syncd_json_member(a, "a").type, ==, SYNCD_JSON_NONE);
    g_assert_cmpint(syncd_json_member((SyncdJson){0}, "a").type, ==, SYNCD_JSON_NONE);

    SyncdJsonIter iter;
    SyncdJson name, value;
    unsigned count = 0;
    syncd_json_iter_init(&iter, a);
    static const SyncdJsonType types[] = {SYNCD_JSON_INTEGER, SYNCD_JSON_OBJECT, SYNCD_JSON_REAL};
    for (; syncd_json_iter_next(&iter, &name, &value); count++) {
        g_assert_cmpint(name.type, ==, SYNCD_JSON_NONE);
        g_assert_cmpint(value.type, ==, types[count]);
    }
    g_assert_cmpuint(count, ==, 3);
    g_assert_false(syncd_json_iter_next(&iter, NULL, NULL));

    syncd_json_iter_init(&iter, root);
    g_assert_true(syncd_json_iter_next(&iter, &name, NULL));
    g_assert_true(syncd_json_is(name, "a"));
    syncd_json_iter_init(&iter, syncd_json_root("[ ]", 3));
    g_assert_false(syncd_json_iter_next(&iter, &name, &value));
    syncd_json_iter_init(&iter, syncd_json_root("7", 1));
    g_assert_false(syncd_json_iter_next(&iter, &name, &value));
}

static void integers_are_read_in_full(void)
{
    static const struct {
        const char *text;
        bool fits;
        gint64 value;
    } cases[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"-17", true, -17},
        {"9223372036854775807", true, G_MAXINT64},
        {"-9223372036854775808", true, G_MININT64},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"18446744073709551617", false, 0},
        {"99999999999999999999999999", false, 0},
        {"1.0", false, 0},
        {"\"1\"", false, 0},
        {"true", false, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 value = 42;
        SyncdJson root = syncd_json_root(cases[i].text, strlen(cases[i].text));
        g_assert_cmpint(syncd_json_get_int64(root, &value), ==, cases[i].fits);
        g_assert_cmpint(value, ==, cases[i].fits ? cases[i].value : 42);
    }

    bool truth = false;
    g_assert_true(syncd_json_get_bool(syncd_json_root("true", 4), &truth));
    g_assert_true(truth);
    g_assert_true(syncd_json_get_bool(syncd_json_root("false", 5), &truth));
    g_assert_false(truth);
    g_assert_false(syncd_json_get_bool(syncd_json_root("1", 1), &truth));
}

static void strings_are_unescaped(void)
{
    static const char text[] =
        "\"a\\u0000b\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00E9\xc3\xa9\\ud83d\\udd12\"";
    static const char meant[] = "a\0b\"\\/\b\f\n\r\t\xc3\xa9\xc3\xa9\xf0\x9f\x94\x92";
    SyncdJson root = syncd_json_root(text, strlen(text));
    size_t size;
    g_autofree char *string = syncd_json_dup_string(root, &size);
    g_assert_cmpmem(string, size + 1, meant, sizeof meant);
    g_assert_null(syncd_json_dup_text(root));
    g_assert_false(syncd_json_is(root, "a"));
    g_assert_null(syncd_json_dup_string(syncd_json_root("12", 2), &size));

    const char *plain;
    g_assert_false(syncd_json_get_plain(root, &plain, &size));
    SyncdJson simple = syncd_json_root("\"caf\xc3\xa9\"", 7);
    g_assert_true(syncd_json_get_plain(simple, &plain, &size));
    g_assert_cmpmem(plain, size, "caf\xc3\xa9", 5);
    g_autofree char *copy = syncd_json_dup_text(simple);
    g_assert_cmpstr(copy, ==, "caf\xc3\xa9");
    g_assert_true(syncd_json_is(simple, "caf\xc3\xa9"));
    g_assert_false(syncd_json_is(simple, "caf"));
    g_assert_false(syncd_json_is(simple, "caf\xc3\xa9s"));
    g_assert_cmpuint(syncd_json_size(simple), ==, 7);
    g_assert_cmpstr(syncd_json_type_name(simple.type), ==, "string");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/refuses", refuses);
    g_test_add_func("/json/accepts", accepts);
    g_test_add_func("/json/survives-any-byte", survives_any_byte);
    g_test_add_func("/json/strings-of-any-length", strings_of_any_length);
    g_test_add_func("/json/depth-is-limited", depth_is_limited);
    g_test_add_func("/json/size-is-limited", size_is_limited);
    g_test_add_func("/json/messages-stay-small", messages_stay_small);
    g_test_add_func("/json/duplicates-among-many", duplicates_among_many);
    g_test_add_func("/json/duplicates-without-end", duplicates_without_end);
    g_test_add_func("/json/members-are-found", members_are_found);
    g_test_add_func("/json/integers-are-read-in-full", integers_are_read_in_full);
    g_test_add_func("/json/strings-are-unescaped", strings_are_unescaped);
    return g_test_run();
}
