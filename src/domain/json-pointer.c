#include "domain/json-pointer.h"

#include "base/json-writer.h"

#include <string.h>

/* "~1" is a slash, "~0" a tilde; another tilde is none. */
static char *read_step(const char *at, size_t size)
{
    g_autoptr(GString) step = g_string_sized_new(size);
    for (size_t i = 0; i < size; i++) {
        bool escape = at[i] == '~';
        if (escape && (i + 1 == size || strchr("01", at[i + 1]) == NULL))
            return NULL;
        g_string_append_c(step, !escape ? at[i] : at[i + 1] == '1' ? '/' : '~');
        i += escape;
    }
    return g_string_free(g_steal_pointer(&step), FALSE);
}

GStrv syncd_pointer_read(const char *text)
{
    g_autoptr(GPtrArray) steps = g_ptr_array_new_with_free_func(g_free);
    while (*text == '/') {
        size_t size = strcspn(text + 1, "/");
        char *step = read_step(text + 1, size);
        if (step == NULL || steps->len == SYNCD_POINTER_STEPS_MAX) {
            g_free(step);
            return NULL;
        }
        g_ptr_array_add(steps, step);
        text += 1 + size;
    }
    if (*text != '\0' || steps->len == 0)
        return NULL;
    g_ptr_array_add(steps, NULL);
    return (GStrv)g_ptr_array_free(g_steal_pointer(&steps), FALSE);
}

SyncdJson syncd_pointer_get(SyncdJson document, const char *const *steps)
{
    for (; *steps != NULL; steps++)
        document = syncd_json_member(document, *steps);
    return document;
}

SyncdJson syncd_pointer_parent(SyncdJson document, const char *const *steps)
{
    for (; steps[1] != NULL; steps++)
        document = syncd_json_member(document, *steps);
    return document.type == SYNCD_JSON_OBJECT ? document : (SyncdJson){0};
}

static void put(SyncdJsonWriter *writer, SyncdJson object, const char *const *steps,
                SyncdJson new_value)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    bool found = false, is_last = steps[1] == NULL;
    syncd_json_begin_object(writer);
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        if (!syncd_json_is(name, *steps)) {
            syncd_json_member_copy(writer, name, value);
            continue;
        }
        found = true;
        if (is_last && new_value.type == SYNCD_JSON_NONE)
            continue;
        syncd_json_name(writer, *steps);
        if (is_last)
            syncd_json_value(writer, new_value);
        else
            put(writer, value, steps + 1, new_value);
    }
    if (!found && is_last && new_value.type != SYNCD_JSON_NONE)
        syncd_json_member_value(writer, *steps, new_value);
    syncd_json_end_object(writer);
}

void syncd_pointer_put(SyncdJson document, const char *const *steps, SyncdJson value, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    put(&writer, document, steps, value);
}
