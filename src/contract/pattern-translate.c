#include "contract/pattern-translate.h"

#include <string.h>

/* What `\s` means, as members of a class, and all else. */
#define SPACES                                                                                     \
    "\\x{9}-\\x{d}\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}"  \
    "\\x{3000}\\x{feff}"
#define NOT_SPACES                                                                                 \
    "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}"               \
    "\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}"                 \
    "\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}"
#define ANY_BUT_LINE_ENDS "[^\\n\\r\\x{2028}\\x{2029}]"

typedef struct {
    const char *text;
    const char *at;
    const char *end;
    GString *out;
    GError **error;
    bool repeatable; /* what was read last may be followed by a quantifier */
} Translation;

static bool refuse(Translation *t, const char *why)
{
    syncd_set_error_next(t->error, SYNCD_ERROR_INVALID_CONTRACT,
                         "write the pattern as ECMA-262 has it, with the flag u",
                         "%s, at byte %zu of the pattern", why, (size_t)(t->at - t->text));
    return false;
}

static bool is_next(const Translation *t, char byte)
{
    return t->at != t->end && *t->at == byte;
}

static bool starts_with(const Translation *t, const char *prefix)
{
    size_t size = strlen(prefix);
    return (size_t)(t->end - t->at) >= size && memcmp(t->at, prefix, size) == 0;
}

static void put_character(Translation *t, guint32 character)
{
    g_string_append_printf(t->out, "\\x{%x}", character);
}

/* ---- escapes ---- */

/* `count` hexadecimal digits at `at`, or -1. */
static gint32 read_hex(const Translation *t, const char *at, int count)
{
    gint32 value = 0;
    if (t->end - at < count)
        return -1;
    for (int i = 0; i < count; i++) {
        int digit = g_ascii_xdigit_value(at[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* After `\u`. */
static bool read_unicode(Translation *t, guint32 *ret_character)
{
    if (is_next(t, '{')) {
        const char *at = t->at + 1;
        guint32 value = 0;
        for (; at != t->end && g_ascii_isxdigit(*at) && value <= 0x10ffff; at++)
            value = value << 4 | (guint32)g_ascii_xdigit_value(*at);
        if (at == t->at + 1 || at == t->end || *at != '}' || value > 0x10ffff)
            return refuse(t, "\\u{} needs the number of a character");
        t->at = at + 1;
        *ret_character = value;
        return true;
    }
    gint32 unit = read_hex(t, t->at, 4);
    if (unit < 0)
        return refuse(t, "\\u needs four hexadecimal digits");
    t->at += 4;
    *ret_character = (guint32)unit;
    if (unit >= 0xd800 && unit <= 0xdbff && starts_with(t, "\\u")) {
        gint32 low = read_hex(t, t->at + 2, 4);
        if (low >= 0xdc00 && low <= 0xdfff) {
            t->at += 6;
            *ret_character = 0x10000 + ((guint32)(unit - 0xd800) << 10) + (guint32)(low - 0xdc00);
        }
    }
    return true;
}

/* An escape that means one character; `t->at` is past the letter. False when it is none, with
 * `ret_fault` when it is a wrong one. */
static bool read_character_escape(Translation *t, char letter, guint32 *ret_character,
                                  bool *ret_fault)
{
    static const struct {
        char letter;
        guint8 character;
    } controls[] = {{'t', '\t'}, {'n', '\n'}, {'v', 0x0b}, {'f', '\f'}, {'r', '\r'}};
    *ret_fault = false;
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++) {
        if (controls[i].letter == letter) {
            *ret_character = controls[i].character;
            return true;
        }
    }
    if (letter == '0' && !(t->at != t->end && g_ascii_isdigit(*t->at))) {
        *ret_character = 0;
        return true;
    }
    if (letter == 'c' && t->at != t->end && g_ascii_isalpha(*t->at)) {
        *ret_character = (guint32)(*t->at++ & 0x1f);
        return true;
    }
    if (letter == 'x') {
        gint32 value = read_hex(t, t->at, 2);
        *ret_fault = value < 0 && !refuse(t, "\\x needs two hexadecimal digits");
        t->at += value < 0 ? 0 : 2;
        *ret_character = (guint32)value;
        return value >= 0;
    }
    if (letter == 'u') {
        *ret_fault = !read_unicode(t, ret_character);
        if (!*ret_fault && *ret_character >= 0xd800 && *ret_character <= 0xdfff)
            *ret_fault = !refuse(t, "half of a surrogate pair is in no text");
        return !*ret_fault;
    }
    if (g_ascii_ispunct(letter)) {
        *ret_character = (guint8)letter;
        return true;
    }
    return false;
}

/* `\p{...}` and `\P{...}`, past the letter. PCRE2 knows the properties. */
static bool read_property(Translation *t, char letter)
{
    const char *close = is_next(t, '{') ? memchr(t->at, '}', (size_t)(t->end - t->at)) : NULL;
    if (close == NULL || close == t->at + 1)
        return refuse(t, "\\p needs the name of a property in braces");
    const char *name = t->at + 1;
    for (const char *at = name; at != close; at++)
        if (!g_ascii_isalnum(*at) && *at != '_' && *at != '=')
            return refuse(t, "\\p needs the name of a property in braces");
    static const char *const prefixes[] = {"General_Category=", "gc="};
    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++)
        if (g_str_has_prefix(name, prefixes[i]))
            name += strlen(prefixes[i]);
    g_string_append_printf(t->out, "\\%c{%.*s}", letter, (int)(close - name), name);
    t->at = close + 1;
    return true;
}

/* ---- classes ---- */

static bool translate_class_escape(Translation *t, bool *ret_is_set)
{
    if (++t->at == t->end)
        return refuse(t, "the pattern ends in an escape");
    char letter = *t->at++;
    guint32 character;
    bool fault;
    *ret_is_set = strchr("dDwWsSpP", letter) != NULL;
    if (letter == 's' || letter == 'S')
        g_string_append(t->out, letter == 's' ? SPACES : NOT_SPACES);
    else if (letter == 'p' || letter == 'P')
        return read_property(t, letter);
    else if (*ret_is_set)
        g_string_append_printf(t->out, "\\%c", letter);
    else if (letter == 'b')
        put_character(t, '\b');
    else if (read_character_escape(t, letter, &character, &fault))
        put_character(t, character);
    else
        return !fault && refuse(t, "this escape means nothing");
    return true;
}

static bool translate_class_atom(Translation *t, bool *ret_is_set)
{
    if (*t->at == '\\')
        return translate_class_escape(t, ret_is_set);
    *ret_is_set = false;
    put_character(t, g_utf8_get_char(t->at));
    t->at = g_utf8_next_char(t->at);
    return true;
}

static bool translate_class(Translation *t)
{
    t->at++;
    bool negated = is_next(t, '^');
    t->at += negated;
    if (is_next(t, ']')) {
        t->at++;
        g_string_append(t->out, negated ? "(?s:.)" : "(?!)");
        return true;
    }
    g_string_append(t->out, negated ? "[^" : "[");
    while (t->at != t->end && *t->at != ']') {
        bool from_set, to_set;
        if (!translate_class_atom(t, &from_set))
            return false;
        if (t->end - t->at < 2 || *t->at != '-' || t->at[1] == ']')
            continue;
        if (from_set)
            return refuse(t, "a range begins with a set of characters");
        g_string_append_c(t->out, '-');
        t->at++;
        if (!translate_class_atom(t, &to_set))
            return false;
        if (to_set)
            return refuse(t, "a range ends with a set of characters");
    }
    if (t->at == t->end)
        return refuse(t, "a class is not closed");
    t->at++;
    g_string_append_c(t->out, ']');
    return true;
}

/* ---- everything else ---- */

static bool translate_back_reference(Translation *t, char letter)
{
    if (letter == 'k') {
        const char *close = is_next(t, '<') ? memchr(t->at, '>', (size_t)(t->end - t->at)) : NULL;
        if (close == NULL)
            return refuse(t, "\\k needs the name of a group");
        g_string_append_printf(t->out, "\\k%.*s>", (int)(close - t->at), t->at);
        t->at = close + 1;
        return true;
    }
    const char *digits = t->at - 1;
    while (t->at != t->end && g_ascii_isdigit(*t->at))
        t->at++;
    g_string_append_printf(t->out, "\\g{%.*s}", (int)(t->at - digits), digits);
    return true;
}

static bool translate_escape(Translation *t)
{
    if (++t->at == t->end)
        return refuse(t, "the pattern ends in an escape");
    char letter = *t->at++;
    guint32 character;
    bool fault;
    t->repeatable = letter != 'b' && letter != 'B';
    if (letter == 's' || letter == 'S')
        g_string_append_printf(t->out, "[%s" SPACES "]", letter == 's' ? "" : "^");
    else if (letter == 'p' || letter == 'P')
        return read_property(t, letter);
    else if (letter != '\0' && strchr("dDwWbB", letter) != NULL)
        g_string_append_printf(t->out, "\\%c", letter);
    else if (letter == 'k' || (letter >= '1' && letter <= '9'))
        return translate_back_reference(t, letter);
    else if (read_character_escape(t, letter, &character, &fault))
        put_character(t, character);
    else
        return !fault && refuse(t, "this escape means nothing");
    return true;
}

/* `(?<name>`: PCRE2 knows which names there may be. */
static bool translate_group_name(Translation *t)
{
    const char *close = memchr(t->at, '>', (size_t)(t->end - t->at));
    if (close == NULL)
        return refuse(t, "the name of a group does not end");
    g_string_append_len(t->out, t->at, close + 1 - t->at);
    t->at = close + 1;
    return true;
}

static bool translate_group(Translation *t)
{
    static const char *const kinds[] = {"(?:", "(?=", "(?!", "(?<=", "(?<!"};
    t->repeatable = false;
    if (starts_with(t, "(*"))
        return refuse(t, "nothing to repeat");
    if (!starts_with(t, "(?")) {
        g_string_append_c(t->out, '(');
        t->at++;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (starts_with(t, kinds[i])) {
            g_string_append(t->out, kinds[i]);
            t->at += strlen(kinds[i]);
            return true;
        }
    }
    return starts_with(t, "(?<") ? translate_group_name(t)
                                 : refuse(t, "this kind of group is not of the language");
}

/* The size of `{n}`, `{n,}` or `{n,m}` at `t->at`, 0 when it is something else. */
static size_t counted_size(const Translation *t)
{
    const char *at = t->at + 1, *digits = at;
    while (at != t->end && g_ascii_isdigit(*at))
        at++;
    if (at == digits)
        return 0;
    if (at != t->end && *at == ',')
        at++;
    while (at != t->end && g_ascii_isdigit(*at))
        at++;
    return at != t->end && *at == '}' ? (size_t)(at + 1 - t->at) : 0;
}

static bool translate_quantifier(Translation *t, size_t size)
{
    if (!t->repeatable)
        return refuse(t, "nothing to repeat");
    g_string_append_len(t->out, t->at, (gssize)size);
    t->at += size;
    if (is_next(t, '?')) {
        g_string_append_c(t->out, '?');
        t->at++;
    }
    t->repeatable = false;
    return true;
}

static bool translate_literal(Translation *t)
{
    const char *next = g_utf8_next_char(t->at);
    if (g_ascii_isalnum(*t->at))
        g_string_append_c(t->out, *t->at);
    else
        put_character(t, g_utf8_get_char(t->at));
    t->at = next;
    t->repeatable = true;
    return true;
}

static bool translate_next(Translation *t)
{
    size_t counted;
    switch (*t->at) {
    case '\\':
        return translate_escape(t);
    case '[':
        t->repeatable = true;
        return translate_class(t);
    case '(':
        return translate_group(t);
    case '.':
        g_string_append(t->out, ANY_BUT_LINE_ENDS);
        t->at++;
        t->repeatable = true;
        return true;
    case '*':
    case '+':
    case '?':
        return translate_quantifier(t, 1);
    case '{':
        counted = counted_size(t);
        return counted > 0 ? translate_quantifier(t, counted) : translate_literal(t);
    case '^':
    case '$':
    case '|':
    case ')':
        t->repeatable = *t->at == ')';
        g_string_append_c(t->out, *t->at++);
        return true;
    default:
        return translate_literal(t);
    }
}

GString *syncd_pattern_translate(const char *text, size_t size, GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    Translation t = {text, text, text + size, out, error, false};
    while (t.at != t.end)
        if (!translate_next(&t))
            return NULL;
    return g_steal_pointer(&out);
}
