/*
 * The strict JSON door and the views behind it. What the door takes, and what it refuses, is what a
 * second reader takes and refuses; the views show the document that is there; and what the writer
 * makes of it is the same document.
 */
#include "fuzz.h"
#include "plain-json.h"

#include "base/json-writer.h"
#include "base/json.h"

#define STRICT_SIZE 512 /* up to here each value is checked by itself as well */

static bool accepts(const char *text, size_t size, SyncdJsonFlags flags)
{
    g_autoptr(GError) error = NULL;
    bool good = syncd_json_check(text, size, flags, &error);
    LAW(good == (error == NULL));
    LAW(good || error->domain == SYNCD_ERROR);
    LAW(good || g_utf8_validate(error->message, -1, NULL));
    return good;
}

/* What follows the text in memory plays no part, though blocks of it are read at once. */
static void check_alone(const char *text, size_t size, bool good)
{
    static const char behind[] = "\"\\]},: 0\xc3";
    g_autoptr(GString) longer = g_string_new(NULL);
    for (size_t i = 0; i < 3; i++) {
        g_string_truncate(longer, 0);
        g_string_append_len(longer, text, (gssize)size);
        for (size_t n = 0; n < 16; n++)
            g_string_append_c(longer, behind[(i * 5 + n) % (sizeof behind - 1)]);
        LAW(syncd_json_check(longer->str, size, SYNCD_JSON_ANY, NULL) == good);
    }
}

static GString *rewrite(SyncdJson value, bool pretty)
{
    GString *out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, pretty);
    syncd_json_value(&writer, value);
    return out;
}

static void check_string(SyncdJson value)
{
    size_t size, again_size;
    g_autofree char *meant = syncd_json_dup_string(value, &size);
    g_autofree char *text = syncd_json_dup_text(value);
    LAW(meant != NULL && meant[size] == '\0');
    LAW((text == NULL) == (memchr(meant, '\0', size) != NULL));
    LAW(text == NULL || syncd_json_is(value, text));

    const char *plain;
    size_t plain_size;
    if (syncd_json_get_plain(value, &plain, &plain_size))
        LAW(plain_size == size && memcmp(plain, meant, size) == 0);

    g_autoptr(GString) out = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_string_sized(&writer, meant, size);
    LAW(accepts(out->str, out->len, SYNCD_JSON_ANY));
    g_autofree char *again =
        syncd_json_dup_string(syncd_json_root(out->str, out->len), &again_size);
    LAW(again_size == size && memcmp(again, meant, size) == 0);
}

static void check_member(SyncdJson object, SyncdJson name, SyncdJson value)
{
    g_autofree char *text = syncd_json_dup_text(name);
    if (text == NULL)
        return;
    SyncdJson found = syncd_json_member(object, text);
    LAW(found.at == value.at && found.end == value.end && found.type == value.type);
}

/* Returns how many values there are. */
static size_t walk(SyncdJson value, unsigned depth)
{
    LAW(value.type != SYNCD_JSON_NONE && value.at < value.end && depth <= SYNCD_JSON_MAX_DEPTH);
    if (syncd_json_size(value) <= STRICT_SIZE)
        LAW(accepts(value.at, syncd_json_size(value), SYNCD_JSON_ANY));
    if (value.type == SYNCD_JSON_STRING)
        check_string(value);

    size_t count = 1;
    SyncdJsonIter iter;
    SyncdJson name, inside;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &name, &inside)) {
        LAW((name.type == SYNCD_JSON_STRING) == (value.type == SYNCD_JSON_OBJECT));
        LAW(inside.at >= value.at && inside.end <= value.end);
        if (name.type == SYNCD_JSON_STRING) {
            check_string(name);
            if (syncd_json_size(value) <= STRICT_SIZE)
                check_member(value, name, inside);
        }
        count += walk(inside, depth + 1);
    }
    return count;
}

static bool all_integers(SyncdJson value)
{
    gint64 number;
    if (value.type == SYNCD_JSON_REAL)
        return false;
    if (value.type == SYNCD_JSON_INTEGER)
        return syncd_json_get_int64(value, &number);
    SyncdJsonIter iter;
    SyncdJson inside;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &inside))
        if (!all_integers(inside))
            return false;
    return true;
}

/* A document may be indented and is still the same one. */
static void check_rewriting(SyncdJson root)
{
    g_autoptr(GString) pretty = rewrite(root, true);
    LAW(accepts(pretty->str, pretty->len, SYNCD_JSON_ANY));
    SyncdJson indented = syncd_json_root(pretty->str, pretty->len);
    g_autoptr(GString) again = rewrite(indented, true);
    LAW(g_string_equal(pretty, again));
    LAW(walk(indented, 0) == walk(root, 0));

    g_autoptr(GString) same = rewrite(root, false);
    LAW(same->len == syncd_json_size(root) && memcmp(same->str, root.at, same->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    PlainJson plain = plain_json_read(size > 0 ? text : "", size);
    bool good = accepts(text, size, SYNCD_JSON_ANY);
    LAW(good == plain.is_json);
    LAW(accepts(text, size, SYNCD_JSON_MUST_BE_OBJECT) == (good && plain.object));
    LAW(accepts(text, size, SYNCD_JSON_INTEGERS_ONLY) == (good && plain.integers));
    check_alone(text, size, good);
    if (!good)
        return 0;

    SyncdJson root = syncd_json_root(text, size);
    LAW(walk(root, 0) == plain.values);
    LAW(all_integers(root) == plain.integers);
    check_rewriting(root);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    return 0;
}
