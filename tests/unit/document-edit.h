/*
 * Documents for tests, made from other documents: one place is replaced, added or removed.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <string.h>

/* Checked, as everything that is judged. */
static inline SyncdJson document_of(const char *text)
{
    g_autoptr(GError) error = NULL;
    bool good = syncd_json_check(text, strlen(text), SYNCD_JSON_ANY, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    return syncd_json_root(text, strlen(text));
}

/* The value at a JSON pointer (without escapes); type NONE when there is none. */
static inline SyncdJson document_at(SyncdJson value, const char *pointer)
{
    g_auto(GStrv) steps = g_strsplit(pointer, "/", -1);
    for (guint i = 1; steps[0] != NULL && steps[i] != NULL; i++) {
        if (value.type != SYNCD_JSON_ARRAY) {
            value = syncd_json_member(value, steps[i]);
            continue;
        }
        SyncdJsonIter iter;
        SyncdJson element = {SYNCD_JSON_NONE, NULL, NULL};
        guint64 left = g_ascii_strtoull(steps[i], NULL, 10) + 1;
        syncd_json_iter_init(&iter, value);
        while (left > 0 && syncd_json_iter_next(&iter, NULL, &element))
            left--;
        value = left == 0 ? element : (SyncdJson){SYNCD_JSON_NONE, NULL, NULL};
    }
    return value;
}

static inline void document_edit_append(GString *out, SyncdJson value, char *const *steps,
                                        const char *replacement)
{
    if (*steps == NULL) {
        g_string_append(out, replacement);
        return;
    }
    SyncdJsonIter iter;
    SyncdJson name, child;
    bool found = false, object = value.type == SYNCD_JSON_OBJECT;
    unsigned index = 0, written = 0;
    g_assert_true(object || value.type == SYNCD_JSON_ARRAY);
    g_string_append_c(out, object ? '{' : '[');
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, &name, &child); index++) {
        g_autofree char *step =
            object ? syncd_json_dup_string(name, NULL) : g_strdup_printf("%u", index);
        bool here = strcmp(step, *steps) == 0;
        found |= here;
        if (here && steps[1] == NULL && replacement == NULL)
            continue;
        g_string_append(out, written++ > 0 ? "," : "");
        if (object)
            g_string_append_printf(out, "%.*s:", (int)(name.end - name.at), name.at);
        if (here)
            document_edit_append(out, child, steps + 1, replacement);
        else
            g_string_append_len(out, child.at, child.end - child.at);
    }
    if (!found) {
        g_assert_true(steps[1] == NULL && replacement != NULL);
        g_string_append(out, written > 0 ? "," : "");
        if (object)
            g_string_append_printf(out, "\"%s\":", *steps);
        g_string_append(out, replacement);
    }
    g_string_append_c(out, object ? '}' : ']');
}

/* A new text with `replacement` at the pointer; NULL removes what is there. A last step that does
 * not exist is added ("/lanes/-" adds an element). */
static inline char *document_edit(const char *text, const char *pointer, const char *replacement)
{
    GString *out = g_string_new(NULL);
    g_auto(GStrv) steps = g_strsplit(pointer, "/", -1);
    document_edit_append(out, document_of(text), steps[0] != NULL ? steps + 1 : steps, replacement);
    return g_string_free(out, FALSE);
}

/* Edits as "pointer=json" separated by " ; ", one after another; "pointer=" removes. */
static inline char *document_edits(const char *text, const char *edits)
{
    char *edited = g_strdup(text);
    g_auto(GStrv) all = g_strsplit(edits, " ; ", -1);
    for (char **edit = all; *edit != NULL && **edit != '\0'; edit++) {
        char *equals = strchr(*edit, '=');
        g_assert_nonnull(equals);
        *equals = '\0';
        char *next = document_edit(edited, *edit, equals[1] != '\0' ? equals + 1 : NULL);
        g_free(edited);
        edited = next;
    }
    return edited;
}

/* The pointers of all values, the document's own ("") first. */
static inline void document_places(SyncdJson value, const char *pointer, GPtrArray *ret_pointers)
{
    SyncdJsonIter iter;
    SyncdJson name, child;
    unsigned index = 0;
    g_ptr_array_add(ret_pointers, g_strdup(pointer));
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, &name, &child); index++) {
        g_autofree char *step =
            iter.object ? syncd_json_dup_string(name, NULL) : g_strdup_printf("%u", index);
        g_autofree char *place = g_strconcat(pointer, "/", step, NULL);
        document_places(child, place, ret_pointers);
    }
}
