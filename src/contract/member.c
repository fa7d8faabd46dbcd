#include "contract/member.h"

#define STEP_SHOWN 64 /* characters of a name that a message repeats */

char *syncd_pointer_step(SyncdJson name)
{
    g_autofree char *text = syncd_json_dup_string(name, NULL);
    GString *step = g_string_new(NULL);
    unsigned shown = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at), shown++) {
        gunichar character = g_utf8_get_char(at);
        if (shown == STEP_SHOWN) {
            g_string_append(step, "\xe2\x80\xa6");
            break;
        }
        if (character == '~')
            g_string_append(step, "~0");
        else if (character == '/')
            g_string_append(step, "~1");
        else
            g_string_append_unichar(step, g_unichar_isprint(character) ? character : 0xfffd);
    }
    return g_string_free(step, FALSE);
}

static bool refuse(GError **error, const char *parent, const char *name, const char *step,
                   const char *wanted, SyncdJson value)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s%s%s must be %s, but is %s", parent,
                    name, *step != '\0' ? "/" : "", step, wanted, syncd_json_type_name(value.type));
    return false;
}

static bool is_empty(SyncdJson text)
{
    return syncd_json_size(text) == strlen("\"\"");
}

static bool check_ids(SyncdJson container, const char *parent, const char *name, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson key, value;
    unsigned index = 0;
    syncd_json_iter_init(&iter, container);
    for (; syncd_json_iter_next(&iter, &key, &value); index++) {
        if (!is_empty(value) && !(iter.object && is_empty(key)))
            continue;
        g_autofree char *step =
            iter.object ? syncd_pointer_step(key) : g_strdup_printf("%u", index);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s/%s must not be empty", parent,
                        name, step);
        return false;
    }
    return true;
}

static bool check_strings(SyncdJson container, const char *parent, const char *name, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson key, value;
    unsigned index = 0;
    syncd_json_iter_init(&iter, container);
    for (; syncd_json_iter_next(&iter, &key, &value); index++) {
        if (value.type == SYNCD_JSON_STRING)
            continue;
        g_autofree char *step =
            iter.object ? syncd_pointer_step(key) : g_strdup_printf("%u", index);
        return refuse(error, parent, name, step, "a string", value);
    }
    return true;
}

bool syncd_shape_check(SyncdShape shape, SyncdJson value, const char *parent, const char *name,
                       GError **error)
{
    switch (shape) {
    case SYNCD_SHAPE_ANY:
        return true;
    case SYNCD_SHAPE_ID:
        if (value.type != SYNCD_JSON_STRING)
            return refuse(error, parent, name, "", "a string", value);
        if (!is_empty(value))
            return true;
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s/%s must not be empty", parent,
                        name);
        return false;
    case SYNCD_SHAPE_STRING:
        return value.type == SYNCD_JSON_STRING ||
               refuse(error, parent, name, "", "a string", value);
    case SYNCD_SHAPE_BOOL:
        return value.type == SYNCD_JSON_TRUE || value.type == SYNCD_JSON_FALSE ||
               refuse(error, parent, name, "", "true or false", value);
    case SYNCD_SHAPE_OBJECT:
        return value.type == SYNCD_JSON_OBJECT ||
               refuse(error, parent, name, "", "an object", value);
    case SYNCD_SHAPE_STRING_LIST:
    case SYNCD_SHAPE_ID_LIST:
        if (value.type != SYNCD_JSON_ARRAY)
            return refuse(error, parent, name, "", "an array of strings", value);
        return check_strings(value, parent, name, error) &&
               (shape != SYNCD_SHAPE_ID_LIST || check_ids(value, parent, name, error));
    case SYNCD_SHAPE_ID_MAP:
        if (value.type != SYNCD_JSON_OBJECT)
            return refuse(error, parent, name, "", "an object of strings", value);
        return check_strings(value, parent, name, error) && check_ids(value, parent, name, error);
    }
    g_assert_not_reached();
}
