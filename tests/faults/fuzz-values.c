#include "fuzz-values.h"

#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 12u
#define LONG_TEXT (64u << 10)
#define VERY_LONG_TEXT (1u << 20)

static guint32 pick(const FuzzSource *source, guint32 n)
{
    return (guint32)g_rand_int_range(source->random, 0, (gint32)n);
}

/* True once in n times. */
static bool once_in(const FuzzSource *source, guint32 n)
{
    return pick(source, n) == 0;
}

/* ---- texts ---- */

static const char *const texts[] = {
    "",
    "a",
    "/",
    "-1",
    "1e999",
    "../../etc/passwd",
    "%s%n%s",
    "'; DROP TABLE entries;--",
    "\u202e\u0301\ufdd0",
    "\x01\x7f",
    "[]",
    "null",
    "{}",
    "{\"a\":1,\"a\":2}",
    "{\"a\":\"\\ud800\"}",
    "{\"a\":99999999999999999999}",
    "workspace:",
    "device",
    "public:site",
    "op-00000000000000000000000000",
    "18446744073709551616",
    "org.freedesktop.DBus",
};

static char *long_text(const FuzzSource *source)
{
    static const char *const parts[] = {"A", "[", "{\"a\":", "\u00e9", "0", "\"", "\\u0000", " "};
    guint32 size = once_in(source, 20) ? VERY_LONG_TEXT : 1 + pick(source, LONG_TEXT);
    const char *part = parts[pick(source, G_N_ELEMENTS(parts))];
    GString *text = g_string_sized_new(size);
    while (text->len < size)
        g_string_append(text, part);
    return g_string_free(text, FALSE);
}

static char *random_text(const FuzzSource *source)
{
    GString *text = g_string_new(NULL);
    for (guint32 n = pick(source, 60); n > 0; n--)
        g_string_append_unichar(text, 1 + pick(source, once_in(source, 4) ? 0xd7ff : 0x7f));
    return g_string_free(text, FALSE);
}

static char *make_text(const FuzzSource *source)
{
    guint32 way = pick(source, 100);
    if (way < 50) {
        const char *offered = source->offer(source->data, source->random);
        if (offered != NULL)
            return g_strdup(offered);
    }
    if (way < 75)
        return g_strdup(texts[pick(source, G_N_ELEMENTS(texts))]);
    return way < 98 ? random_text(source) : long_text(source);
}

/* One byte, or a stretch of bytes, is another; what is no text any more is made one again. */
static char *change_text(const FuzzSource *source, const char *text)
{
    g_autoptr(GString) changed = g_string_new(text);
    gsize at = changed->len > 0 ? pick(source, (guint32)changed->len) : 0;
    switch (pick(source, 6)) {
    case 0:
        g_string_truncate(changed, at);
        break;
    case 1:
        g_string_insert(changed, (gssize)at, text);
        break;
    case 2:
        g_string_insert_unichar(changed, -1, 1 + pick(source, 0xd7ff));
        break;
    case 3:
        if (changed->len > 0)
            g_string_erase(changed, (gssize)at, 1);
        break;
    case 4:
        if (changed->len > 0)
            changed->str[at] = (char)(1 + pick(source, 0x7e));
        break;
    default:
        return make_text(source);
    }
    return g_utf8_make_valid(changed->str, (gssize)changed->len);
}

/* ---- values of a type ---- */

static gint64 make_number(const FuzzSource *source)
{
    static const gint64 numbers[] = {0,          1,           2,          5,         100,
                                     101,        1000,        1001,       -1,        G_MAXINT32,
                                     G_MININT32, G_MAXUINT32, G_MAXINT64, G_MININT64};
    if (once_in(source, 3))
        return (gint64)(((guint64)g_rand_int(source->random) << 32) | g_rand_int(source->random));
    return numbers[pick(source, G_N_ELEMENTS(numbers))];
}

static double make_double(const FuzzSource *source)
{
    static const double numbers[] = {0.0, -0.0, 1e308, 5e-324, 0.5, (double)G_MAXUINT64};
    return numbers[pick(source, G_N_ELEMENTS(numbers))];
}

static GVariant *make_path(const FuzzSource *source)
{
    g_autoptr(GString) path = g_string_new("/org/sourceos/Sync");
    for (guint32 n = pick(source, once_in(source, 10) ? 200 : 3); n > 0; n--)
        g_string_append(path, "/a_2d");
    return g_variant_new_object_path(path->str);
}

static GVariant *make_basic(const FuzzSource *source, char type)
{
    switch (type) {
    case 'y':
        return g_variant_new_byte((guint8)make_number(source));
    case 'b':
        return g_variant_new_boolean(once_in(source, 2));
    case 'n':
        return g_variant_new_int16((gint16)make_number(source));
    case 'q':
        return g_variant_new_uint16((guint16)make_number(source));
    case 'i':
        return g_variant_new_int32((gint32)make_number(source));
    case 'u':
        return g_variant_new_uint32((guint32)make_number(source));
    case 'x':
        return g_variant_new_int64(make_number(source));
    case 't':
        return g_variant_new_uint64((guint64)make_number(source));
    case 'h':
        return g_variant_new_handle(0);
    case 'd':
        return g_variant_new_double(make_double(source));
    case 'o':
        return make_path(source);
    case 'g':
        return g_variant_new_signature(fuzz_signature(source));
    default:
        return g_variant_new_take_string(make_text(source));
    }
}

const char *fuzz_signature(const FuzzSource *source)
{
    static const char *const signatures[] = {
        "",   "s",  "ss",    "u",     "b",    "t",         "v",         "as",
        "ay", "av", "a{sv}", "a{ss}", "(ii)", "a(sa{sv})", "ssssa{sv}", "((((((((((i))))))))))",
        "sv", "d",  "o",     "x",
    };
    return signatures[pick(source, G_N_ELEMENTS(signatures))];
}

static GVariant *make_value(const FuzzSource *source, const GVariantType *type, unsigned depth);

static GVariant *make_bytes(const FuzzSource *source)
{
    g_autofree char *text = make_text(source);
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, text, strlen(text), 1);
}

static GVariant *make_array(const FuzzSource *source, const GVariantType *type, unsigned depth)
{
    static const guint32 sizes[] = {0, 1, 1, 2, 3, 40};
    if (g_variant_type_equal(type, G_VARIANT_TYPE_BYTESTRING))
        return make_bytes(source);
    GVariantBuilder builder;
    g_variant_builder_init(&builder, type);
    guint32 size = sizes[pick(source, depth < 3 ? G_N_ELEMENTS(sizes) : 3)];
    while (size-- > 0)
        g_variant_builder_add_value(&builder,
                                    make_value(source, g_variant_type_element(type), depth + 1));
    return g_variant_builder_end(&builder);
}

static GVariant *make_members(const FuzzSource *source, const GVariantType *type, unsigned depth)
{
    GVariantBuilder builder;
    g_variant_builder_init(&builder, type);
    for (const GVariantType *member = g_variant_type_first(type); member != NULL;
         member = g_variant_type_next(member))
        g_variant_builder_add_value(&builder, make_value(source, member, depth + 1));
    return g_variant_builder_end(&builder);
}

static GVariant *make_variant(const FuzzSource *source, unsigned depth)
{
    static const char *const types[] = {"s", "s", "u", "b", "t", "as", "v", "a{sv}", "ay", "(sv)"};
    const char *type = types[depth < DEPTH_MAX ? pick(source, G_N_ELEMENTS(types)) : 0];
    return g_variant_new_variant(make_value(source, G_VARIANT_TYPE(type), depth + 1));
}

static GVariant *make_value(const FuzzSource *source, const GVariantType *type, unsigned depth)
{
    if (g_variant_type_is_array(type))
        return make_array(source, type, depth);
    if (g_variant_type_is_variant(type))
        return make_variant(source, depth);
    if (g_variant_type_is_tuple(type) || g_variant_type_is_dict_entry(type))
        return make_members(source, type, depth);
    return make_basic(source, g_variant_type_peek_string(type)[0]);
}

GVariant *fuzz_value(const FuzzSource *source, const char *type)
{
    return make_value(source, G_VARIANT_TYPE(type), 0);
}

GVariant *fuzz_arguments(const FuzzSource *source, const char *signature)
{
    g_autofree char *type = g_strdup_printf("(%s)", signature);
    return make_value(source, G_VARIANT_TYPE(type), 0);
}

/* ---- changes ---- */

static GVariant *change_leaf(const FuzzSource *source, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING))
        return g_variant_new_take_string(change_text(source, g_variant_get_string(value, NULL)));
    return make_value(source, g_variant_get_type(value), 0);
}

static GVariant *change_bytes(const FuzzSource *source, GVariant *value)
{
    gsize size;
    const char *bytes = g_variant_get_fixed_array(value, &size, 1);
    g_autofree char *text = g_strndup(bytes, size);
    g_autofree char *changed = change_text(source, text);
    return g_variant_new_fixed_array(G_VARIANT_TYPE_BYTE, changed, strlen(changed), 1);
}

/* Which child becomes what: dropped, doubled, or changed itself. */
static GVariant *change_children(const FuzzSource *source, GVariant *value)
{
    gsize n = g_variant_n_children(value);
    gsize chosen = pick(source, (guint32)n);
    bool is_array = g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY);
    guint32 way = is_array ? pick(source, 6) : 5;

    GVariantBuilder builder;
    g_variant_builder_init(&builder, g_variant_get_type(value));
    for (gsize i = 0; i < n; i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        if (i != chosen) {
            g_variant_builder_add_value(&builder, child);
            continue;
        }
        for (guint32 copies = way == 0 ? 0 : way == 1 ? 2 : 1; copies > 0; copies--)
            g_variant_builder_add_value(&builder, way <= 1 ? child : fuzz_mutate(source, child));
    }
    return g_variant_builder_end(&builder);
}

GVariant *fuzz_mutate(const FuzzSource *source, GVariant *value)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BYTESTRING))
        return change_bytes(source, value);
    if (!g_variant_is_container(value) || g_variant_n_children(value) == 0)
        return change_leaf(source, value);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_VARIANT)) {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);
        return once_in(source, 3) ? make_variant(source, 0)
                                  : g_variant_new_variant(fuzz_mutate(source, inner));
    }
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_ARRAY) && once_in(source, 5))
        return make_value(source, g_variant_get_type(value), 0);
    return change_children(source, value);
}

GVariant *fuzz_replace_texts(GVariant *value, char *(*replace)(void *data, const char *text),
                             void *data)
{
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_STRING)) {
        char *text = replace(data, g_variant_get_string(value, NULL));
        return text != NULL ? g_variant_new_take_string(text) : value;
    }
    if (!g_variant_is_container(value) || g_variant_is_of_type(value, G_VARIANT_TYPE_BYTESTRING))
        return value;
    GVariantBuilder builder;
    g_variant_builder_init(&builder, g_variant_get_type(value));
    for (gsize i = 0; i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        g_variant_builder_add_value(&builder, fuzz_replace_texts(child, replace, data));
    }
    return g_variant_builder_end(&builder);
}
