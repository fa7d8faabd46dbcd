#include "base/json.h"

#include "base/json-scan.h"

/* In the order of SyncdJsonType. */
static const char *const type_names[] = {
    "nothing", "object", "array", "string", "integer", "real", "true", "false", "null",
};

/* Past the closing bracket of the container at `at`. */
static const char *skip_container(const char *at, const char *end)
{
    unsigned depth = 0;
    while (at != end) {
        SyncdJsonMask mask = 0;
        if (end - at >= SYNCD_JSON_BLOCK && (mask = syncd_json_mask_bracket(at)) == 0) {
            at += SYNCD_JSON_BLOCK;
            continue;
        }
        at += mask != 0 ? syncd_json_mask_first(mask) : 0;

        char byte = *at++;
        if (byte == '{' || byte == '[') {
            depth++;
        } else if (byte == '}' || byte == ']') {
            if (--depth == 0)
                return at;
        } else if (byte == '"') {
            bool escaped;
            at = syncd_json_skip_string(at, end, &escaped);
            at += at != end;
        }
    }
    return end;
}

static const char *skip_word(const char *at, const char *end)
{
    while (at != end && !syncd_json_is_space(*at) && *at != ',' && *at != ']' && *at != '}')
        at++;
    return at;
}

static SyncdJsonType number_type(const char *at, const char *end)
{
    for (; at != end; at++)
        if (*at == '.' || *at == 'e' || *at == 'E')
            return SYNCD_JSON_REAL;
    return SYNCD_JSON_INTEGER;
}

static SyncdJsonType type_of(const char *at, const char *end)
{
    switch (*at) {
    case '{':
        return SYNCD_JSON_OBJECT;
    case '[':
        return SYNCD_JSON_ARRAY;
    case '"':
        return SYNCD_JSON_STRING;
    case 't':
        return SYNCD_JSON_TRUE;
    case 'f':
        return SYNCD_JSON_FALSE;
    case 'n':
        return SYNCD_JSON_NULL;
    default:
        return number_type(at, end);
    }
}

static SyncdJson value_at(const char *at, const char *end)
{
    bool escaped;
    const char *past;
    switch (*at) {
    case '{':
    case '[':
        past = skip_container(at, end);
        break;
    case '"':
        past = syncd_json_skip_string(at + 1, end, &escaped) + 1;
        break;
    default:
        past = skip_word(at, end);
    }
    return (SyncdJson){type_of(at, past), at, past};
}

SyncdJsonToken syncd_json_token(const char *at, const char *end)
{
    at = syncd_json_skip_space(at, end);
    if (at == end)
        return (SyncdJsonToken){0, end, end};

    const char *past = at + 1;
    if (*at == '"') {
        bool escaped;
        past = syncd_json_skip_string(past, end, &escaped);
        if (past == end)
            return (SyncdJsonToken){0, end, end};
        past++;
    } else if (strchr("{}[],:", *at) == NULL) {
        past = skip_word(at, end);
    }
    return (SyncdJsonToken){*at, at, past};
}

static guint32 hex_unit(const char *at)
{
    guint32 unit = 0;
    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (guint32)g_ascii_xdigit_value(at[i]);
    return unit;
}

static guint32 next_escaped(const char **at)
{
    char byte = (*at)[1];
    *at += 2;
    switch (byte) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case 'u':
        break;
    default:
        return (guint8)byte;
    }

    guint32 unit = hex_unit(*at);
    *at += 4;
    if (unit < 0xd800 || unit > 0xdfff)
        return unit;
    guint32 low = hex_unit(*at + 2);
    *at += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

guint32 syncd_json_next_char(const char **at)
{
    guint8 byte = (guint8) * *at;
    if (byte == '\\')
        return next_escaped(at);
    if (byte < 0x80) {
        (*at)++;
        return byte;
    }
    guint32 result = g_utf8_get_char(*at);
    *at = g_utf8_next_char(*at);
    return result;
}

static bool is_plain(SyncdJson string)
{
    return memchr(string.at, '\\', (size_t)(string.end - string.at)) == NULL;
}

int syncd_json_compare_strings(SyncdJson a, SyncdJson b)
{
    const char *left = a.at + 1, *left_end = a.end - 1;
    const char *right = b.at + 1, *right_end = b.end - 1;

    if (is_plain(a) && is_plain(b)) {
        size_t left_size = (size_t)(left_end - left), right_size = (size_t)(right_end - right);
        int order = memcmp(left, right, MIN(left_size, right_size));
        return order != 0 ? order : (left_size > right_size) - (left_size < right_size);
    }
    while (left != left_end && right != right_end) {
        guint32 x = syncd_json_next_char(&left), y = syncd_json_next_char(&right);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return (left != left_end) - (right != right_end);
}

SyncdJson syncd_json_root(const char *text, size_t size)
{
    const char *end = text + size;
    const char *at = syncd_json_skip_space(text, end);
    while (end != at && syncd_json_is_space(end[-1]))
        end--;
    return at == end ? (SyncdJson){0} : (SyncdJson){type_of(at, end), at, end};
}

void syncd_json_iter_init(SyncdJsonIter *iter, SyncdJson container)
{
    *iter = (SyncdJsonIter){0};
    if (container.type != SYNCD_JSON_OBJECT && container.type != SYNCD_JSON_ARRAY)
        return;
    iter->object = container.type == SYNCD_JSON_OBJECT;
    iter->end = container.end - 1;
    iter->at = syncd_json_skip_space(container.at + 1, iter->end);
}

/* Past a comma or a colon and the spaces around it. */
static const char *skip_mark(const char *at, const char *end)
{
    at = syncd_json_skip_space(at, end);
    return at == end ? end : syncd_json_skip_space(at + 1, end);
}

bool syncd_json_iter_next(SyncdJsonIter *iter, SyncdJson *ret_name, SyncdJson *ret_value)
{
    if (iter->at == iter->end)
        return false;

    SyncdJson name = {0};
    if (iter->object) {
        name = value_at(iter->at, iter->end);
        iter->at = skip_mark(name.end, iter->end);
    }
    SyncdJson value = value_at(iter->at, iter->end);
    iter->at = skip_mark(value.end, iter->end);

    if (ret_name != NULL)
        *ret_name = name;
    if (ret_value != NULL)
        *ret_value = value;
    return true;
}

static bool string_equals(SyncdJson string, const char *text, size_t size)
{
    const char *at = string.at + 1, *end = string.end - 1;
    size_t raw_size = (size_t)(end - at);
    if (raw_size == size && memcmp(at, text, size) == 0)
        return memchr(text, '\\', size) == NULL;
    if (raw_size <= size) /* no escape is shorter than what it means */
        return false;

    const char *text_end = text + size;
    while (at != end) {
        char meant[4];
        size_t meant_size = (size_t)g_unichar_to_utf8(syncd_json_next_char(&at), meant);
        if ((size_t)(text_end - text) < meant_size || memcmp(text, meant, meant_size) != 0)
            return false;
        text += meant_size;
    }
    return text == text_end;
}

SyncdJson syncd_json_member(SyncdJson object, const char *name)
{
    if (object.type != SYNCD_JSON_OBJECT)
        return (SyncdJson){0};

    size_t size = strlen(name);
    SyncdJsonIter iter;
    SyncdJson found, value;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &found, &value))
        if (string_equals(found, name, size))
            return value;
    return (SyncdJson){0};
}

guint syncd_json_count(SyncdJson container)
{
    SyncdJsonIter iter;
    guint n = 0;
    syncd_json_iter_init(&iter, container);
    while (syncd_json_iter_next(&iter, NULL, NULL))
        n++;
    return n;
}

bool syncd_json_is(SyncdJson value, const char *text)
{
    return value.type == SYNCD_JSON_STRING && string_equals(value, text, strlen(text));
}

bool syncd_json_get_int64(SyncdJson value, gint64 *ret_value)
{
    if (value.type != SYNCD_JSON_INTEGER)
        return false;

    const char *at = value.at;
    bool negative = *at == '-';
    guint64 limit = (guint64)G_MAXINT64 + negative, magnitude = 0;
    for (at += negative; at != value.end; at++) {
        guint64 digit = (guint64)(*at - '0');
        if (magnitude > (limit - digit) / 10)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    *ret_value = (gint64)(negative ? -magnitude : magnitude);
    return true;
}

bool syncd_json_get_bool(SyncdJson value, bool *ret_value)
{
    if (value.type != SYNCD_JSON_TRUE && value.type != SYNCD_JSON_FALSE)
        return false;
    *ret_value = value.type == SYNCD_JSON_TRUE;
    return true;
}

bool syncd_json_get_plain(SyncdJson value, const char **ret_text, size_t *ret_size)
{
    if (value.type != SYNCD_JSON_STRING || !is_plain(value))
        return false;
    *ret_text = value.at + 1;
    *ret_size = (size_t)(value.end - value.at) - 2;
    return true;
}

char *syncd_json_dup_string(SyncdJson value, size_t *ret_size)
{
    if (value.type != SYNCD_JSON_STRING)
        return NULL;

    /* Unescaping never makes a string longer. */
    const char *at = value.at + 1, *end = value.end - 1;
    char *text = g_malloc((size_t)(end - at) + 1), *out = text;
    bool escaped = true;
    while (escaped) {
        const char *stop = memchr(at, '\\', (size_t)(end - at));
        escaped = stop != NULL;
        size_t run = (size_t)((escaped ? stop : end) - at);
        memcpy(out, at, run);
        out += run;
        at += run;
        if (escaped)
            out += g_unichar_to_utf8(syncd_json_next_char(&at), out);
    }
    *out = '\0';
    if (ret_size != NULL)
        *ret_size = (size_t)(out - text);
    return text;
}

char *syncd_json_dup_text(SyncdJson value)
{
    size_t size;
    g_autofree char *text = syncd_json_dup_string(value, &size);
    if (text == NULL || memchr(text, '\0', size) != NULL)
        return NULL;
    return g_steal_pointer(&text);
}

size_t syncd_json_size(SyncdJson value)
{
    return (size_t)(value.end - value.at);
}

const char *syncd_json_type_name(SyncdJsonType type)
{
    return type_names[(size_t)type < G_N_ELEMENTS(type_names) ? type : SYNCD_JSON_NONE];
}
