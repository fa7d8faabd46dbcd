#include "base/canonical.h"

#include "base/json-scan.h"

/* Longer than any number in canonical form. */
#define REAL_AT_HAND 64u

typedef struct {
    SyncdJson name;
    size_t at; /* of its canonical text in the output */
    size_t size;
} Member;

/* An open container. */
typedef struct {
    bool object;
    bool name_due;
    bool unsorted;
    guint first; /* its first member in the list of all open objects' members */
} Level;

typedef struct {
    GString *out;
    const char *comma;
    const char *colon;
    GArray *members;
    Level levels[SYNCD_JSON_MAX_DEPTH];
    unsigned depth;
} Canonical;

/* The letter of the short escape for a character, or 0. */
static char short_escape(guint32 character)
{
    static const char letters[] = {
        ['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
        ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't',
    };
    return (char)(character < sizeof letters ? letters[character] : 0);
}

static void append_unit(GString *out, guint32 unit)
{
    static const char digits[] = "0123456789abcdef";
    const char text[] = {
        '\\',
        'u',
        digits[unit >> 12],
        digits[unit >> 8 & 15],
        digits[unit >> 4 & 15],
        digits[unit & 15],
    };
    g_string_append_len(out, text, sizeof text);
}

static void append_character(GString *out, guint32 character)
{
    char letter = short_escape(character);
    if (letter != 0) {
        const char text[] = {'\\', letter};
        g_string_append_len(out, text, sizeof text);
    } else if (character >= 0x10000) {
        append_unit(out, 0xd800 + ((character - 0x10000) >> 10));
        append_unit(out, 0xdc00 + ((character - 0x10000) & 0x3ff));
    } else if (character < 0x20 || character > 0x7e) {
        append_unit(out, character);
    } else {
        g_string_append_c(out, (char)character);
    }
}

static void append_string(GString *out, SyncdJsonToken token)
{
    const char *at = token.at + 1, *end = token.end - 1;
    g_string_append_c(out, '"');
    while (at != end) {
        const char *stop = syncd_json_skip_plain(at, end);
        g_string_append_len(out, at, stop - at);
        at = stop;
        if (at != end)
            append_character(out, syncd_json_next_char(&at));
    }
    g_string_append_c(out, '"');
}

static bool is_real(const char *at, const char *end)
{
    for (; at != end; at++)
        if (*at == '.' || *at == 'e' || *at == 'E')
            return true;
    return false;
}

static bool is_minus_zero(const char *at, const char *end)
{
    return end - at == 2 && memcmp(at, "-0", 2) == 0;
}

static double read_real(const char *at, const char *end)
{
    char at_hand[REAL_AT_HAND];
    size_t size = (size_t)(end - at);
    if (size >= sizeof at_hand) {
        g_autofree char *text = g_strndup(at, size);
        return g_ascii_strtod(text, NULL);
    }
    memcpy(at_hand, at, size);
    at_hand[size] = '\0';
    return g_ascii_strtod(at_hand, NULL);
}

static void append_scalar(GString *out, const char *at, const char *end)
{
    bool number = *at == '-' || syncd_json_is_digit(*at);
    if (number && is_real(at, end)) {
        char text[SYNCD_CANONICAL_DOUBLE_SIZE];
        size_t size = syncd_canonical_format_double(read_real(at, end), text);
        g_string_append_len(out, text, (gssize)size);
    } else if (is_minus_zero(at, end)) {
        g_string_append_c(out, '0');
    } else {
        g_string_append_len(out, at, end - at);
    }
}

static Member *last_member(Canonical *canonical)
{
    return &g_array_index(canonical->members, Member, canonical->members->len - 1);
}

static void begin_member(Canonical *canonical, Level *level, SyncdJsonToken token)
{
    SyncdJson name = {SYNCD_JSON_STRING, token.at, token.end};
    if (canonical->members->len > level->first && !level->unsorted)
        level->unsorted = syncd_json_compare_strings(last_member(canonical)->name, name) > 0;
    Member member = {.name = name, .at = canonical->out->len};
    g_array_append_val(canonical->members, member);
}

static void end_member(Canonical *canonical, const Level *level)
{
    if (level->object && canonical->members->len > level->first)
        last_member(canonical)->size = canonical->out->len - last_member(canonical)->at;
}

static int compare_members(const void *a, const void *b)
{
    return syncd_json_compare_strings(((const Member *)a)->name, ((const Member *)b)->name);
}

/* Members are written in the order of the text and put into theirs when the object is complete: so
 * no part of the text is read more than once, however deep it is. */
static void sort_members(Canonical *canonical, const Level *level)
{
    GString *out = canonical->out;
    Member *members = &g_array_index(canonical->members, Member, level->first);
    guint count = canonical->members->len - level->first;
    size_t start = members[0].at, size = out->len - start;

    qsort(members, count, sizeof *members, compare_members);
    g_autofree char *sorted = g_malloc(size);
    char *to = sorted;
    size_t comma_size = strlen(canonical->comma);
    for (guint i = 0; i < count; i++) {
        if (i > 0) {
            memcpy(to, canonical->comma, comma_size);
            to += comma_size;
        }
        memcpy(to, out->str + members[i].at, members[i].size);
        to += members[i].size;
    }
    memcpy(out->str + start, sorted, size);
}

static void open_level(Canonical *canonical, char bracket)
{
    canonical->levels[canonical->depth++] = (Level){
        .object = bracket == '{',
        .name_due = bracket == '{',
        .first = canonical->members->len,
    };
    g_string_append_c(canonical->out, bracket);
}

static void close_level(Canonical *canonical, char bracket)
{
    Level *level = &canonical->levels[--canonical->depth];
    end_member(canonical, level);
    if (level->unsorted)
        sort_members(canonical, level);
    g_array_set_size(canonical->members, level->first);
    g_string_append_c(canonical->out, bracket);
}

static void append_token(Canonical *canonical, SyncdJsonToken token)
{
    Level *level = canonical->depth > 0 ? &canonical->levels[canonical->depth - 1] : NULL;
    switch (token.kind) {
    case '{':
    case '[':
        open_level(canonical, token.kind);
        break;
    case '}':
    case ']':
        close_level(canonical, token.kind);
        break;
    case ',':
        end_member(canonical, level);
        level->name_due = level->object;
        g_string_append(canonical->out, canonical->comma);
        break;
    case ':':
        g_string_append(canonical->out, canonical->colon);
        break;
    case '"':
        if (level != NULL && level->name_due) {
            begin_member(canonical, level, token);
            level->name_due = false;
        }
        append_string(canonical->out, token);
        break;
    default:
        append_scalar(canonical->out, token.at, token.end);
    }
}

static void append(GString *out, SyncdJson value, const char *comma, const char *colon)
{
    g_autoptr(GArray) members = g_array_new(FALSE, FALSE, sizeof(Member));
    Canonical canonical = {.out = out, .comma = comma, .colon = colon, .members = members};
    SyncdJsonToken token = syncd_json_token(value.at, value.end);
    for (; token.kind != 0; token = syncd_json_token(token.end, value.end))
        append_token(&canonical, token);
}

void syncd_canonical_append(GString *out, SyncdJson value)
{
    append(out, value, ",", ":");
}

void syncd_canonical_append_spaced(GString *out, SyncdJson value)
{
    append(out, value, ", ", ": ");
}

static bool is_lower_hex(const char *at)
{
    for (int i = 0; i < 4; i++)
        if (!g_ascii_isxdigit(at[i]) || g_ascii_isupper(at[i]))
            return false;
    return true;
}

/* Past the escape at `at`, or NULL when it is not the one spelling of its character. */
static const char *canonical_escape(const char *at)
{
    const char *start = at;
    guint32 character = syncd_json_next_char(&at);
    if (start[1] != 'u')
        return short_escape(character) == start[1] ? at : NULL;
    if (!is_lower_hex(start + 2) || (character >= 0x10000 && !is_lower_hex(start + 8)))
        return NULL;
    bool needed = (character < 0x20 || character > 0x7e) && short_escape(character) == 0;
    return needed ? at : NULL;
}

/* From past the opening quote past the closing one, or NULL. */
static const char *canonical_string(const char *at, const char *end)
{
    for (;;) {
        at = syncd_json_skip_plain(at, end);
        if (*at == '"')
            return at + 1;
        at = *at == '\\' ? canonical_escape(at) : NULL;
        if (at == NULL)
            return NULL;
    }
}

static const char *canonical_scalar(const char *at, const char *end)
{
    const char *start = at;
    bool real = false;
    for (; at != end && *at != ',' && *at != '}' && *at != ']'; at++) {
        if (syncd_json_is_space(*at))
            return NULL;
        real |= *at == '.' || *at == 'e' || *at == 'E';
    }
    if (is_minus_zero(start, at))
        return NULL;
    if (!real || *start == 't' || *start == 'f')
        return at;

    char text[SYNCD_CANONICAL_DOUBLE_SIZE];
    size_t size = (size_t)(at - start);
    bool same = size < sizeof text &&
                syncd_canonical_format_double(read_real(start, at), text) == size &&
                memcmp(text, start, size) == 0;
    return same ? at : NULL;
}

/* An open container, and the name last read in it. */
typedef struct {
    bool object;
    bool name_due;
    SyncdJson name;
} Place;

static const char *canonical_name_or_string(const char *at, const char *end, Place *place)
{
    const char *past = canonical_string(at + 1, end);
    if (past == NULL || place == NULL || !place->name_due)
        return past;

    SyncdJson name = {SYNCD_JSON_STRING, at, past};
    if (place->name.type != SYNCD_JSON_NONE && syncd_json_compare_strings(place->name, name) >= 0)
        return NULL;
    place->name = name;
    place->name_due = false;
    return past;
}

bool syncd_canonical_is(const char *text, size_t size)
{
    Place places[SYNCD_JSON_MAX_DEPTH];
    unsigned depth = 0;
    const char *at = text, *end = text + size;
    while (at != NULL && at != end) {
        Place *place = depth > 0 ? &places[depth - 1] : NULL;
        switch (*at) {
        case '"':
            at = canonical_name_or_string(at, end, place);
            break;
        case '{':
        case '[':
            places[depth].object = places[depth].name_due = *at == '{';
            places[depth++].name.type = SYNCD_JSON_NONE;
            at++;
            break;
        case '}':
        case ']':
            depth--;
            at++;
            break;
        case ',':
            place->name_due = place->object;
            at++;
            break;
        case ':':
            at++;
            break;
        default:
            at = syncd_json_is_space(*at) ? NULL : canonical_scalar(at, end);
        }
    }
    return at != NULL && size > 0;
}
