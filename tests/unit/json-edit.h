/*
 * One edit of JSON text: a value put in at a pointer, or taken out.
 */
#pragma once

#include "base/json.h"

#include <glib.h>

/* The next step of a pointer, unescaped; NULL at its end. */
static inline char *json_edit_step(const char **pointer)
{
    if (**pointer != '/')
        return NULL;
    const char *end = strchr(*pointer + 1, '/');
    GString *step = g_string_new_len(*pointer + 1, end != NULL ? end - *pointer - 1 : -1);
    g_string_replace(step, "~1", "/", 0);
    g_string_replace(step, "~0", "~", 0);
    *pointer = end != NULL ? end : *pointer + strlen(*pointer);
    return g_string_free(step, FALSE);
}

static inline void json_edit_append(GString *out, SyncdJson value, const char *pointer,
                                    const char *with);

static inline void json_edit_element(GString *out, SyncdJson name, const char *text, bool *first)
{
    if (!*first)
        g_string_append_c(out, ',');
    *first = false;
    if (name.type == SYNCD_JSON_STRING) {
        g_string_append_len(out, name.at, name.end - name.at);
        g_string_append_c(out, ':');
    }
    g_string_append(out, text);
}

/* The container without, or with another, element `step`; it is added when it is not there. */
static inline void json_edit_container(GString *out, SyncdJson container, const char *step,
                                       const char *rest, const char *with)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    bool first = true, found = false;
    unsigned index = 0;
    g_string_append_c(out, container.type == SYNCD_JSON_OBJECT ? '{' : '[');
    syncd_json_iter_init(&iter, container);
    for (; syncd_json_iter_next(&iter, &name, &value); index++) {
        g_autofree char *number = g_strdup_printf("%u", index);
        bool here = iter.object ? syncd_json_is(name, step) : strcmp(number, step) == 0;
        found |= here;
        if (here && *rest == '\0' && with == NULL)
            continue;
        g_autoptr(GString) text = g_string_new(NULL);
        if (here)
            json_edit_append(text, value, rest, with);
        else
            g_string_append_len(text, value.at, value.end - value.at);
        json_edit_element(out, name, text->str, &first);
    }
    if (!found && with != NULL) {
        g_autofree char *member = g_strconcat(first ? "" : ",", "\"", step, "\":", with, NULL);
        g_string_append(out, container.type == SYNCD_JSON_OBJECT ? member : with);
    }
    g_string_append_c(out, container.type == SYNCD_JSON_OBJECT ? '}' : ']');
}

static inline void json_edit_append(GString *out, SyncdJson value, const char *pointer,
                                    const char *with)
{
    g_autofree char *step = json_edit_step(&pointer);
    if (step == NULL)
        g_string_append(out, with);
    else
        json_edit_container(out, value, step, pointer, with);
}

/* `with` is JSON text, NULL to take the value out. Names in the pointer need no escapes in JSON. */
static inline char *json_edit(SyncdJson document, const char *pointer, const char *with)
{
    GString *out = g_string_new(NULL);
    json_edit_append(out, document, pointer, with);
    return g_string_free(out, FALSE);
}

/* The value at a pointer; type NONE when it is not there. */
static inline SyncdJson json_at(SyncdJson value, const char *pointer)
{
    for (;;) {
        g_autofree char *step = json_edit_step(&pointer);
        if (step == NULL)
            return value;
        if (value.type == SYNCD_JSON_OBJECT) {
            value = syncd_json_member(value, step);
            continue;
        }
        SyncdJsonIter iter;
        SyncdJson element = {0};
        guint64 left = g_ascii_strtoull(step, NULL, 10);
        syncd_json_iter_init(&iter, value);
        do
            if (!syncd_json_iter_next(&iter, NULL, &element))
                return (SyncdJson){0};
        while (left-- > 0);
        value = element;
    }
}
