#include "bus/sendable.h"

#include <glib.h>
#include <string.h>

/* Of a character that may be none; there are none below. */
#define FIRST_LEAD_BYTE 0xef
#define BEYOND_BMP 0x10000u

static bool is_noncharacter(gunichar c)
{
    return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static const char *find_noncharacter(const char *valid)
{
    for (const char *at = valid; *at != '\0'; at++)
        if ((guchar)*at >= FIRST_LEAD_BYTE && is_noncharacter(g_utf8_get_char(at)))
            return at;
    return NULL;
}

/* Nearly every text is: then it is looked at by words, not by characters. */
static bool is_ascii(const char *text, size_t size)
{
    guint64 bits = 0, word;
    for (; size >= sizeof word; text += sizeof word, size -= sizeof word) {
        memcpy(&word, text, sizeof word);
        bits |= word;
    }
    for (; size > 0; size--)
        bits |= (guchar)*text++;
    return (bits & G_GUINT64_CONSTANT(0x8080808080808080)) == 0;
}

bool syncd_is_sendable(const char *text)
{
    if (is_ascii(text, strlen(text)))
        return true;
    return g_utf8_validate(text, -1, NULL) && find_noncharacter(text) == NULL;
}

/* As JSON has it: two of them beyond the basic plane. */
static void append_escaped(GString *out, gunichar c)
{
    if (c < BEYOND_BMP) {
        g_string_append_printf(out, "\\u%04x", c);
        return;
    }
    g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800u + ((c - BEYOND_BMP) >> 10),
                           0xdc00u + ((c - BEYOND_BMP) & 0x3ffu));
}

char *syncd_sendable(const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_new(NULL);
    const char *from = valid;
    for (const char *at; (at = find_noncharacter(from)) != NULL; from = g_utf8_next_char(at)) {
        g_string_append_len(out, from, at - from);
        append_escaped(out, g_utf8_get_char(at));
    }
    g_string_append(out, from);
    return g_string_free(out, FALSE);
}
