/*
 * The canonical form: the same document, in a spelling that is its own canonical form and the only
 * text that passes for canonical.
 */
#include "fuzz.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "base/json.h"

static bool same_value(SyncdJson one, SyncdJson other);

static double number_of(SyncdJson value)
{
    g_autofree char *text = g_strndup(value.at, syncd_json_size(value));
    return g_ascii_strtod(text, NULL);
}

static bool same_string(SyncdJson one, SyncdJson other)
{
    size_t size, other_size;
    g_autofree char *text = syncd_json_dup_string(one, &size);
    g_autofree char *other_text = syncd_json_dup_string(other, &other_size);
    return size == other_size && memcmp(text, other_text, size) == 0;
}

static bool same_integer(SyncdJson one, SyncdJson other)
{
    bool is_minus_zero = syncd_json_size(one) == 2 && memcmp(one.at, "-0", 2) == 0;
    return is_minus_zero ? syncd_json_size(other) == 1 && *other.at == '0'
                         : syncd_json_size(one) == syncd_json_size(other) &&
                               memcmp(one.at, other.at, syncd_json_size(one)) == 0;
}

static SyncdJson find_member(SyncdJson object, SyncdJson wanted)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (same_string(wanted, name))
            return value;
    return (SyncdJson){0};
}

/* Elements one by one, members by their names. */
static bool same_content(SyncdJson one, SyncdJson other)
{
    SyncdJsonIter iter, other_iter;
    SyncdJson name, value, other_value;
    syncd_json_iter_init(&iter, one);
    syncd_json_iter_init(&other_iter, other);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        if (!syncd_json_iter_next(&other_iter, NULL, &other_value))
            return false;
        if (one.type == SYNCD_JSON_OBJECT)
            other_value = find_member(other, name);
        if (!same_value(value, other_value))
            return false;
    }
    return !syncd_json_iter_next(&other_iter, NULL, NULL);
}

static bool same_value(SyncdJson one, SyncdJson other)
{
    if (one.type != other.type)
        return false;
    switch (one.type) {
    case SYNCD_JSON_OBJECT:
    case SYNCD_JSON_ARRAY:
        return same_content(one, other);
    case SYNCD_JSON_STRING:
        return same_string(one, other);
    case SYNCD_JSON_INTEGER:
        return same_integer(one, other);
    case SYNCD_JSON_REAL:
        return number_of(one) == number_of(other);
    default:
        return true;
    }
}

typedef void (*SpellFunc)(GString *out, SyncdJson value);

static GString *spell(SpellFunc func, const char *text, size_t size)
{
    GString *out = g_string_new(NULL);
    LAW(syncd_json_check(text, size, SYNCD_JSON_ANY, NULL));
    func(out, syncd_json_root(text, size));
    return out;
}

static bool is_plain_ascii(const GString *text)
{
    for (size_t i = 0; i < text->len; i++)
        if (text->str[i] < 0x20 || text->str[i] > 0x7e)
            return false;
    return true;
}

static void check_document(const char *text, size_t size)
{
    g_autoptr(GString) canonical = spell(syncd_canonical_append, text, size);
    LAW(is_plain_ascii(canonical));
    LAW(syncd_canonical_is(canonical->str, canonical->len));
    LAW(syncd_canonical_is(text, size) ==
        (canonical->len == size && memcmp(canonical->str, text, size) == 0));
    g_autoptr(GString) again = spell(syncd_canonical_append, canonical->str, canonical->len);
    LAW(g_string_equal(canonical, again));
    LAW(same_value(syncd_json_root(text, size), syncd_json_root(canonical->str, canonical->len)));

    /* However it is spelled, its canonical form is that one. */
    g_autoptr(GString) spaced = spell(syncd_canonical_append_spaced, text, size);
    g_autoptr(GString) from_spaced = spell(syncd_canonical_append, spaced->str, spaced->len);
    LAW(g_string_equal(canonical, from_spaced));

    g_autoptr(GString) pretty = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, pretty, true);
    syncd_json_value(&writer, syncd_json_root(text, size));
    g_autoptr(GString) from_pretty = spell(syncd_canonical_append, pretty->str, pretty->len);
    LAW(g_string_equal(canonical, from_pretty));
}

/* Any double but those that are not finite has one spelling, and that spelling means it. */
static void check_double(double value)
{
    char text[SYNCD_CANONICAL_DOUBLE_SIZE];
    size_t size = syncd_canonical_format_double(value, text);
    LAW((size == 0) == (value - value != 0));
    if (size == 0)
        return;
    LAW(strlen(text) == size && g_ascii_strtod(text, NULL) == value);
    LAW(syncd_json_check(text, size, SYNCD_JSON_ANY, NULL));
    LAW(syncd_canonical_is(text, size));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double value;
    if (size >= sizeof value) {
        memcpy(&value, data, sizeof value);
        check_double(value);
    }
    if (syncd_json_check((const char *)data, size, SYNCD_JSON_ANY, NULL))
        check_document((const char *)data, size);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
