#include "base/json-writer.h"

#include "base/canonical.h"
#include "base/json-scan.h"

#define INDENT 2

void syncd_json_writer_init(SyncdJsonWriter *writer, GString *out, bool pretty)
{
    *writer = (SyncdJsonWriter){.out = out, .pretty = pretty};
}

static void break_line(SyncdJsonWriter *writer)
{
    static const char spaces[] = "                                ";
    g_string_append_c(writer->out, '\n');
    for (size_t left = (size_t)writer->depth * INDENT; left > 0;) {
        size_t run = MIN(left, sizeof spaces - 1);
        g_string_append_len(writer->out, spaces, (gssize)run);
        left -= run;
    }
}

/* Whatever has to stand before a name, or before a value that has none. */
static void separate(SyncdJsonWriter *writer)
{
    if (writer->after_name) {
        writer->after_name = false;
        return;
    }
    if (writer->need_comma)
        g_string_append_c(writer->out, ',');
    if (writer->pretty && writer->depth > 0)
        break_line(writer);
}

static void append_value(SyncdJsonWriter *writer, const char *text, size_t size)
{
    separate(writer);
    g_string_append_len(writer->out, text, (gssize)size);
    writer->need_comma = true;
}

static void begin(SyncdJsonWriter *writer, char bracket)
{
    separate(writer);
    g_string_append_c(writer->out, bracket);
    writer->depth++;
    writer->need_comma = false;
}

static void end(SyncdJsonWriter *writer, char bracket)
{
    writer->depth--;
    /* A comma is due exactly when something was written inside. */
    if (writer->pretty && writer->need_comma)
        break_line(writer);
    g_string_append_c(writer->out, bracket);
    writer->need_comma = true;
}

void syncd_json_begin_object(SyncdJsonWriter *writer)
{
    begin(writer, '{');
}

void syncd_json_end_object(SyncdJsonWriter *writer)
{
    end(writer, '}');
}

void syncd_json_begin_array(SyncdJsonWriter *writer)
{
    begin(writer, '[');
}

void syncd_json_end_array(SyncdJsonWriter *writer)
{
    end(writer, ']');
}

static void append_escape(GString *out, char byte)
{
    static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
    const char *known = byte != '\0' ? strchr(from, byte) : NULL;
    if (known != NULL) {
        g_string_append_c(out, '\\');
        g_string_append_c(out, to[known - from]);
    } else {
        g_string_append_printf(out, "\\u%04x", (guint)byte);
    }
}

/* Appends the character beyond ASCII at `at`, or U+FFFD in place of one bad byte. */
static const char *append_unicode(GString *out, const char *at, const char *text_end)
{
    gunichar character = g_utf8_get_char_validated(at, text_end - at);
    bool bad = character == (gunichar)-1 || character == (gunichar)-2;
    g_string_append_unichar(out, bad ? 0xfffd : character);
    return bad ? at + 1 : g_utf8_next_char(at);
}

static void append_quoted(GString *out, const char *text, size_t size)
{
    /* No bytes may have no address either. */
    const char *at = size > 0 ? text : "", *text_end = at + size;
    g_string_append_c(out, '"');
    while (at != text_end) {
        const char *stop = syncd_json_skip_plain(at, text_end);
        g_string_append_len(out, at, stop - at);
        at = stop;
        if (at == text_end)
            break;
        if ((guint8)*at >= 0x80)
            at = append_unicode(out, at, text_end);
        else if (*at == 0x7f)
            g_string_append_c(out, *at++);
        else
            append_escape(out, *at++);
    }
    g_string_append_c(out, '"');
}

void syncd_json_name(SyncdJsonWriter *writer, const char *name)
{
    separate(writer);
    append_quoted(writer->out, name, strlen(name));
    g_string_append(writer->out, writer->pretty ? ": " : ":");
    writer->after_name = true;
}

void syncd_json_string(SyncdJsonWriter *writer, const char *text)
{
    if (text == NULL)
        syncd_json_null(writer);
    else
        syncd_json_string_sized(writer, text, strlen(text));
}

void syncd_json_string_sized(SyncdJsonWriter *writer, const char *text, size_t size)
{
    separate(writer);
    append_quoted(writer->out, text, size);
    writer->need_comma = true;
}

void syncd_json_int(SyncdJsonWriter *writer, gint64 value)
{
    char text[32];
    int size = g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, value);
    append_value(writer, text, (size_t)size);
}

void syncd_json_uint(SyncdJsonWriter *writer, guint64 value)
{
    char text[32];
    int size = g_snprintf(text, sizeof text, "%" G_GUINT64_FORMAT, value);
    append_value(writer, text, (size_t)size);
}

void syncd_json_double(SyncdJsonWriter *writer, double value)
{
    char text[SYNCD_CANONICAL_DOUBLE_SIZE];
    size_t size = syncd_canonical_format_double(value, text);
    if (size == 0)
        syncd_json_null(writer);
    else
        append_value(writer, text, size);
}

void syncd_json_bool(SyncdJsonWriter *writer, bool value)
{
    append_value(writer, value ? "true" : "false", value ? 4 : 5);
}

void syncd_json_null(SyncdJsonWriter *writer)
{
    append_value(writer, "null", 4);
}

static void append_pretty(SyncdJsonWriter *writer, SyncdJson value)
{
    SyncdJsonToken token = syncd_json_token(value.at, value.end);
    for (; token.kind != 0; token = syncd_json_token(token.end, value.end)) {
        switch (token.kind) {
        case '{':
        case '[':
            begin(writer, token.kind);
            break;
        case '}':
        case ']':
            end(writer, token.kind);
            break;
        case ',':
            break;
        case ':':
            /* What was taken for a value was a name. */
            g_string_append(writer->out, ": ");
            writer->after_name = true;
            break;
        default:
            append_value(writer, token.at, (size_t)(token.end - token.at));
        }
    }
}

void syncd_json_value(SyncdJsonWriter *writer, SyncdJson value)
{
    if (value.type == SYNCD_JSON_NONE)
        syncd_json_null(writer);
    else if (writer->pretty)
        append_pretty(writer, value);
    else
        append_value(writer, value.at, syncd_json_size(value));
}

void syncd_json_member_copy(SyncdJsonWriter *writer, SyncdJson name, SyncdJson value)
{
    if (!writer->pretty) {
        append_value(writer, name.at, (size_t)(value.end - name.at));
        return;
    }
    separate(writer);
    g_string_append_len(writer->out, name.at, name.end - name.at);
    g_string_append(writer->out, ": ");
    writer->after_name = true;
    syncd_json_value(writer, value);
}

void syncd_json_member_string(SyncdJsonWriter *writer, const char *name, const char *text)
{
    syncd_json_name(writer, name);
    syncd_json_string(writer, text);
}

void syncd_json_member_int(SyncdJsonWriter *writer, const char *name, gint64 value)
{
    syncd_json_name(writer, name);
    syncd_json_int(writer, value);
}

void syncd_json_member_uint(SyncdJsonWriter *writer, const char *name, guint64 value)
{
    syncd_json_name(writer, name);
    syncd_json_uint(writer, value);
}

void syncd_json_member_bool(SyncdJsonWriter *writer, const char *name, bool value)
{
    syncd_json_name(writer, name);
    syncd_json_bool(writer, value);
}

void syncd_json_member_null(SyncdJsonWriter *writer, const char *name)
{
    syncd_json_name(writer, name);
    syncd_json_null(writer);
}

void syncd_json_member_value(SyncdJsonWriter *writer, const char *name, SyncdJson value)
{
    syncd_json_name(writer, name);
    syncd_json_value(writer, value);
}

void syncd_json_member_strings(SyncdJsonWriter *writer, const char *name, const GPtrArray *texts)
{
    syncd_json_name(writer, name);
    syncd_json_begin_array(writer);
    for (guint i = 0; texts != NULL && i < texts->len; i++)
        syncd_json_string(writer, texts->pdata[i]);
    syncd_json_end_array(writer);
}
