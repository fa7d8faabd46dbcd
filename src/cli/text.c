#include "cli/text.h"

#include <string.h>

/* Characters that change how others are shown, or are not seen at all. */
static bool steers(gunichar c)
{
    static const struct {
        gunichar first;
        gunichar last;
    } ranges[] = {
        {0x0000, 0x001f},   {0x007f, 0x009f},   {0x00ad, 0x00ad},   {0x034f, 0x034f},
        {0x061c, 0x061c},   {0x115f, 0x1160},   {0x17b4, 0x17b5},   {0x180b, 0x180f},
        {0x200b, 0x200f},   {0x2028, 0x202e},   {0x2060, 0x206f},   {0x3164, 0x3164},
        {0xfe00, 0xfe0f},   {0xfeff, 0xfeff},   {0xffa0, 0xffa0},   {0xfff0, 0xfffb},
        {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(ranges); i++)
        if (c >= ranges[i].first && c <= ranges[i].last)
            return true;
    return false;
}

void syncd_text_append_safe(GString *out, const char *text, gssize size)
{
    const char *end = text + (size < 0 ? (gssize)strlen(text) : size);
    for (const char *at = text; at < end;) {
        gunichar c = g_utf8_get_char_validated(at, end - at);
        if (c == (gunichar)-1 || c == (gunichar)-2) {
            g_string_append_printf(out, "<%02X>", (guint8)*at++);
            continue;
        }
        const char *next = g_utf8_next_char(at);
        if (steers(c))
            g_string_append_printf(out, "<U+%04X>", c);
        else
            g_string_append_len(out, at, next - at);
        at = next;
    }
}

char *syncd_text_safe(const char *text)
{
    GString *out = g_string_new(NULL);
    syncd_text_append_safe(out, text, -1);
    return g_string_free(out, FALSE);
}

static void append_escape(GString *out, gunichar c)
{
    if (c < 0x10000)
        g_string_append_printf(out, "\\u%04x", c);
    else
        g_string_append_printf(out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                               0xdc00 + ((c - 0x10000) & 0x3ff));
}

void syncd_text_append_json(GString *out, const char *json, size_t size, bool one_line)
{
    const char *end = json + size;
    for (const char *at = json; at < end;) {
        guint8 byte = (guint8)*at;
        if (byte < 0x80 && byte != 0x7f) {
            /* In checked text, control characters stand only between values, and so does the space
             * that follows them. */
            bool breaks = byte < 0x20 && one_line;
            g_string_append_c(out, breaks ? ' ' : *at);
            for (at++; breaks && at < end && g_ascii_isspace(*at);)
                at++;
            continue;
        }
        gunichar c = g_utf8_get_char(at);
        const char *next = g_utf8_next_char(at);
        if (steers(c))
            append_escape(out, c);
        else
            g_string_append_len(out, at, next - at);
        at = next;
    }
}
