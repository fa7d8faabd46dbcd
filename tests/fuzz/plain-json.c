#include "plain-json.h"

#include <errno.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 64

typedef struct {
    const char *at; /* the text ends in a NUL that is not part of it */
    const char *end;
    PlainJson found;
} Reader;

static bool read_value(Reader *reader, int depth);

static bool take(Reader *reader, const char *word)
{
    size_t size = strlen(word);
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

static void skip_space(Reader *reader)
{
    while (take(reader, " ") || take(reader, "\t") || take(reader, "\n") || take(reader, "\r"))
        ;
}

/* ---- strings ---- */

static bool read_unit(Reader *reader, gunichar *ret_unit)
{
    char digits[5] = {0};
    if (reader->end - reader->at < 4)
        return false;
    memcpy(digits, reader->at, 4);
    for (int i = 0; i < 4; i++)
        if (!g_ascii_isxdigit(digits[i]))
            return false;
    *ret_unit = (gunichar)strtoul(digits, NULL, 16);
    reader->at += 4;
    return true;
}

static bool read_escape(Reader *reader, GString *out)
{
    static const char *const pairs[] = {"\"\"", "\\\\", "//", "b\b", "f\f", "n\n", "r\r", "t\t"};
    for (size_t i = 0; i < G_N_ELEMENTS(pairs); i++) {
        const char letter[] = {pairs[i][0], '\0'};
        if (take(reader, letter)) {
            g_string_append_c(out, pairs[i][1]);
            return true;
        }
    }
    gunichar unit, low;
    if (!take(reader, "u") || !read_unit(reader, &unit))
        return false;
    if (unit >= 0xd800 && unit <= 0xdbff) {
        if (!take(reader, "\\u") || !read_unit(reader, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        unit = 0x10000 + (unit - 0xd800) * 0x400 + (low - 0xdc00);
    } else if (unit >= 0xdc00 && unit <= 0xdfff) {
        return false;
    }
    /* No byte of UTF-8 is 0xff: it stands for U+0000, so that what is read is a C string. */
    if (unit == 0)
        g_string_append_c(out, '\xff');
    else
        g_string_append_unichar(out, unit);
    return true;
}

/* What the string means; NULL when it is none. */
static char *read_string(Reader *reader)
{
    g_autoptr(GString) out = g_string_new(NULL);
    if (!take(reader, "\""))
        return NULL;
    while (reader->at != reader->end) {
        if (take(reader, "\""))
            return g_string_free(g_steal_pointer(&out), FALSE);
        if (take(reader, "\\")) {
            if (!read_escape(reader, out))
                return NULL;
            continue;
        }
        gunichar c = g_utf8_get_char_validated(reader->at, reader->end - reader->at);
        if (c < 0x20 || c == (gunichar)-1 || c == (gunichar)-2)
            return NULL;
        g_string_append_unichar(out, c);
        reader->at = g_utf8_next_char(reader->at);
    }
    return NULL;
}

/* ---- numbers ---- */

static size_t skip_digits(Reader *reader)
{
    const char *start = reader->at;
    while (reader->at != reader->end && g_ascii_isdigit(*reader->at))
        reader->at++;
    return (size_t)(reader->at - start);
}

static bool judge_number(Reader *reader, const char *start, bool integer)
{
    g_autofree char *text = g_strndup(start, (size_t)(reader->at - start));
    if (!integer) {
        reader->found.integers = false;
        return isfinite(g_ascii_strtod(text, NULL));
    }
    errno = 0;
    g_ascii_strtoll(text, NULL, 10);
    if (errno == ERANGE)
        reader->found.integers = false;
    return true;
}

static bool read_number(Reader *reader)
{
    const char *start = reader->at;
    bool integer = true;
    take(reader, "-");
    if (!take(reader, "0") && skip_digits(reader) == 0)
        return false;
    if (take(reader, ".")) {
        integer = false;
        if (skip_digits(reader) == 0)
            return false;
    }
    if (take(reader, "e") || take(reader, "E")) {
        integer = false;
        if (!take(reader, "+"))
            take(reader, "-");
        if (skip_digits(reader) == 0)
            return false;
    }
    return judge_number(reader, start, integer);
}

/* ---- containers ---- */

static bool read_array(Reader *reader, int depth)
{
    skip_space(reader);
    if (take(reader, "]"))
        return true;
    do {
        if (!read_value(reader, depth))
            return false;
    } while (take(reader, ","));
    return take(reader, "]");
}

static bool read_object(Reader *reader, int depth)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    skip_space(reader);
    if (take(reader, "}"))
        return true;
    do {
        skip_space(reader);
        char *name = read_string(reader);
        if (name == NULL || !g_hash_table_add(names, name))
            return false;
        skip_space(reader);
        if (!take(reader, ":") || !read_value(reader, depth))
            return false;
    } while (take(reader, ","));
    return take(reader, "}");
}

static bool read_scalar(Reader *reader)
{
    if (reader->at != reader->end && *reader->at == '"') {
        g_autofree char *text = read_string(reader);
        return text != NULL;
    }
    return take(reader, "true") || take(reader, "false") || take(reader, "null") ||
           read_number(reader);
}

static bool read_value(Reader *reader, int depth)
{
    bool good;
    reader->found.values++;
    skip_space(reader);
    if (take(reader, "["))
        good = depth < MAX_DEPTH && read_array(reader, depth + 1);
    else if (take(reader, "{"))
        good = depth < MAX_DEPTH && read_object(reader, depth + 1);
    else
        good = read_scalar(reader);
    skip_space(reader);
    return good;
}

PlainJson plain_json_read(const char *text, size_t size)
{
    g_autofree char *copy = g_strndup(text, size);
    memcpy(copy, text, size); /* also what follows a NUL */
    Reader reader = {.at = copy, .end = copy + size, .found = {.integers = true}};
    skip_space(&reader);
    reader.found.object = reader.at != reader.end && *reader.at == '{';
    reader.found.is_json = read_value(&reader, 0) && reader.at == reader.end;
    return reader.found;
}
