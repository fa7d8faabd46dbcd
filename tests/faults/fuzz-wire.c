#include "fuzz-wire.h"

#include <stdbool.h>
#include <string.h>

static int append_value(sd_bus_message *message, GVariant *value);

static int append_basic(sd_bus_message *message, GVariant *value)
{
    char type = g_variant_get_type_string(value)[0];
    if (strchr("sog", type) != NULL)
        return sd_bus_message_append_basic(message, type, g_variant_get_string(value, NULL));
    /* On the wire a truth value has four bytes; a file descriptor is one that is open here. */
    if (type == 'b')
        return sd_bus_message_append_basic(message, type,
                                           &(int){g_variant_get_boolean(value) ? 1 : 0});
    if (type == 'h')
        return sd_bus_message_append_basic(message, type, &(int){0});
    return sd_bus_message_append_basic(message, type, g_variant_get_data(value));
}

static int append_children(sd_bus_message *message, GVariant *value)
{
    int r = 0;
    for (gsize i = 0; r >= 0 && i < g_variant_n_children(value); i++) {
        g_autoptr(GVariant) child = g_variant_get_child_value(value, i);
        r = append_value(message, child);
    }
    return r;
}

static int append_container(sd_bus_message *message, char kind, const char *contents,
                            GVariant *value)
{
    int r = sd_bus_message_open_container(message, kind, contents);
    if (r >= 0)
        r = append_children(message, value);
    return r >= 0 ? sd_bus_message_close_container(message) : r;
}

static int append_value(sd_bus_message *message, GVariant *value)
{
    const char *type = g_variant_get_type_string(value);
    if (g_variant_is_of_type(value, G_VARIANT_TYPE_BYTESTRING)) {
        gsize size;
        const char *bytes = g_variant_get_fixed_array(value, &size, 1);
        /* As GVariant reads bytes from a text it ends them with a NUL. */
        if (size > 0 && bytes[size - 1] == '\0')
            size--;
        return sd_bus_message_append_array(message, 'y', bytes, size);
    }
    if (type[0] == 'a')
        return append_container(message, 'a', type + 1, value);
    if (type[0] == '(' || type[0] == '{') {
        g_autofree char *contents = g_strndup(type + 1, strlen(type) - 2);
        return append_container(message, type[0] == '(' ? 'r' : 'e', contents, value);
    }
    if (type[0] == 'v') {
        g_autoptr(GVariant) inner = g_variant_get_variant(value);
        return append_container(message, 'v', g_variant_get_type_string(inner), value);
    }
    return append_basic(message, value);
}

int fuzz_wire_append_arguments(sd_bus_message *message, GVariant *arguments)
{
    return append_children(message, arguments);
}

static bool read_bytes(sd_bus_message *message, unsigned number, FuzzTextFunc func, void *data)
{
    const void *bytes = NULL;
    size_t size = 0;
    if (sd_bus_message_read_array(message, 'y', &bytes, &size) < 0)
        return false;
    g_autofree char *text = g_strndup(bytes, size);
    func(data, number, 's', text);
    return true;
}

static bool read_variant(sd_bus_message *message, unsigned number, FuzzTextFunc func, void *data)
{
    const char *text = NULL;
    if (sd_bus_message_read(message, "v", "s", &text) < 0)
        return false;
    func(data, number, 's', text);
    return true;
}

void fuzz_wire_read_texts(sd_bus_message *message, FuzzTextFunc func, void *data)
{
    char type;
    const char *contents = NULL, *text = NULL;
    for (unsigned number = 0; sd_bus_message_peek_type(message, &type, &contents) > 0; number++) {
        if (type == 's' || type == 'o') {
            if (sd_bus_message_read_basic(message, type, &text) < 0)
                return;
            func(data, number, type, text);
        } else if (type == 'a' && g_strcmp0(contents, "y") == 0) {
            if (!read_bytes(message, number, func, data))
                return;
        } else if (type == 'v' && g_strcmp0(contents, "s") == 0) {
            if (!read_variant(message, number, func, data))
                return;
        } else {
            g_autofree char *whole = type == 'a'   ? g_strconcat("a", contents, NULL)
                                     : type == 'r' ? g_strconcat("(", contents, ")", NULL)
                                                   : g_strndup(&type, 1);
            if (sd_bus_message_skip(message, whole) < 0)
                return;
        }
    }
}
