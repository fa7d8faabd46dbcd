#include "cli/record.h"

#include "cli/text.h"
#include "cli/when.h"

#include <string.h>

#define GAP "  "
#define BELOW 4 /* where a value stands that has no room behind its name */

static char *safe_name(SyncdJson name)
{
    g_autofree char *text = syncd_json_dup_string(name, NULL);
    return syncd_text_safe(text);
}

/* False for what is no list of texts. */
static bool append_list(GString *line, SyncdJson value)
{
    g_autoptr(GString) list = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson one;
    if (value.type != SYNCD_JSON_ARRAY)
        return false;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *text = syncd_json_dup_text(one);
        if (text == NULL || strchr(text, ',') != NULL)
            return false;
        g_string_append(list, list->len > 0 ? ", " : "");
        syncd_text_append_safe(list, text, -1);
    }
    g_string_append(line, list->str);
    return true;
}

static void append_json(GString *line, SyncdJson value)
{
    g_autoptr(GString) json = g_string_new(NULL);
    syncd_text_append_json(json, value.at, (size_t)(value.end - value.at), true);
    g_string_append(line, json->str);
}

static void append_value(GString *line, const char *name, SyncdJson value)
{
    g_autofree char *text = syncd_json_dup_text(value);
    if (append_list(line, value))
        return;
    if (text == NULL) {
        append_json(line, value);
        return;
    }
    g_autofree char *time = g_str_has_suffix(name, "_at") ? syncd_when_local(text) : NULL;
    syncd_text_append_safe(line, time != NULL ? time : text, -1);
}

static bool has_objects(SyncdJson list)
{
    SyncdJsonIter iter;
    SyncdJson one;
    bool has = false;
    syncd_json_iter_init(&iter, list);
    while (!has && syncd_json_iter_next(&iter, NULL, &one))
        has = one.type == SYNCD_JSON_OBJECT;
    return has;
}

/* What a value is on lines of its own: each member of an object is one, and each object of a list;
 * what is in them is JSON. */
static GPtrArray *lines_of(const char *name, SyncdJson value)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GString) whole = g_string_new(NULL);
    bool is_object = value.type == SYNCD_JSON_OBJECT;
    SyncdJsonIter iter;
    SyncdJson member, part;
    if (!is_object && (value.type != SYNCD_JSON_ARRAY || !has_objects(value))) {
        append_value(whole, name, value);
        g_ptr_array_add(lines, g_strdup(whole->str));
        return lines;
    }
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, &member, &part)) {
        GString *line = g_string_new(NULL);
        g_autofree char *label = is_object ? safe_name(member) : g_strdup("");
        g_string_append_printf(line, "%s%s", label, is_object ? ": " : "");
        append_value(line, label, part);
        g_ptr_array_add(lines, g_string_free(line, FALSE));
    }
    return lines;
}

/* Empty members say nothing to a person; JSON has them. */
static bool is_empty(SyncdJson value)
{
    SyncdJsonIter iter;
    if (value.type == SYNCD_JSON_NULL || syncd_json_is(value, ""))
        return true;
    if (value.type != SYNCD_JSON_ARRAY && value.type != SYNCD_JSON_OBJECT)
        return false;
    syncd_json_iter_init(&iter, value);
    return !syncd_json_iter_next(&iter, NULL, NULL);
}

/* Whether each word of them finds room behind that column. */
static bool have_room(const GPtrArray *lines, size_t start, size_t width)
{
    for (guint i = 0; i < lines->len && width > 0; i++) {
        g_auto(GStrv) words = g_strsplit(lines->pdata[i], " ", -1);
        for (char **word = words; *word != NULL; word++)
            if (start + syncd_text_width(*word) > width)
                return false;
    }
    return true;
}

/* A line that goes on is indented, so that it is told from the next part. */
static void print_lines(SyncdOutput *output, GString *line, size_t start, const char *label,
                        SyncdJson value)
{
    g_autoptr(GPtrArray) lines = lines_of(label, value);
    if (!have_room(lines, start, syncd_output_width(output))) {
        g_string_truncate(line, strlen(label));
        g_string_append_printf(line, "\n%*s", BELOW, "");
        start = BELOW;
    }
    for (guint i = 0; i < lines->len; i++) {
        size_t indent = start + (lines->len > 1 ? 2 : 0);
        if (i > 0)
            g_string_append_printf(line, "%*s", (int)start, "");
        syncd_text_wrap(line, lines->pdata[i], start, indent, syncd_output_width(output));
        g_string_append_c(line, '\n');
    }
    syncd_output_text(output, line->str);
}

void syncd_record_print(SyncdOutput *output, SyncdJson record)
{
    size_t width = 0;
    for (size_t pass = 0; pass < 2; pass++) {
        SyncdJsonIter iter;
        SyncdJson name;
        SyncdJson value;
        syncd_json_iter_init(&iter, record);
        while (syncd_json_iter_next(&iter, &name, &value)) {
            if (is_empty(value))
                continue;
            g_autofree char *label = safe_name(name);
            if (pass == 0) {
                width = MAX(width, syncd_text_width(label));
                continue;
            }
            g_autoptr(GString) line = g_string_new(label);
            syncd_text_pad(line, 0, width);
            g_string_append(line, GAP);
            print_lines(output, line, width + strlen(GAP), label, value);
        }
    }
}

void syncd_record_show(SyncdCli *cli, const char *document)
{
    size_t size = strlen(document);
    if (syncd_cli_json(cli))
        syncd_output_json(cli->out, document, size, true);
    else
        syncd_record_print(cli->out, syncd_json_root(document, size));
}
