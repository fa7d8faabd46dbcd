#include "fuzz-targets.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define GIVEN_MAX 16u
#define DEPTH_MAX 16u

typedef struct {
    FuzzTargets *targets;
    const char *path;
    const char *interface; /* within one */
    FuzzMethod *method;
    bool is_new;
    GPtrArray *children;
} Reader;

static void method_free(void *data)
{
    FuzzMethod *method = data;
    g_free(method->interface);
    g_free(method->member);
    g_string_free(method->in, TRUE);
    g_ptr_array_unref(method->results);
    g_ptr_array_unref(method->paths);
    g_free(method);
}

static void property_free(void *data)
{
    FuzzProperty *property = data;
    g_free(property->interface);
    g_free(property->name);
    g_free(property->path);
    g_free(property->text);
    g_free(property);
}

void fuzz_targets_init(FuzzTargets *targets)
{
    targets->methods = g_ptr_array_new_with_free_func(method_free);
    targets->properties = g_ptr_array_new_with_free_func(property_free);
    targets->given = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

void fuzz_targets_clear(FuzzTargets *targets)
{
    g_ptr_array_unref(targets->methods);
    g_ptr_array_unref(targets->properties);
    g_hash_table_unref(targets->given);
}

void fuzz_targets_give(FuzzTargets *targets, const char *path)
{
    if (g_hash_table_size(targets->given) >= GIVEN_MAX)
        g_hash_table_remove_all(targets->given);
    targets->given_more |= g_hash_table_add(targets->given, g_strdup(path));
}

FuzzMethod *fuzz_targets_method(const FuzzTargets *targets, const char *interface,
                                const char *member)
{
    for (guint i = 0; i < targets->methods->len; i++) {
        FuzzMethod *method = g_ptr_array_index(targets->methods, i);
        if (strcmp(method->interface, interface) == 0 && strcmp(method->member, member) == 0)
            return method;
    }
    return NULL;
}

FuzzProperty *fuzz_targets_property(const FuzzTargets *targets, const char *interface,
                                    const char *name)
{
    for (guint i = 0; i < targets->properties->len; i++) {
        FuzzProperty *property = g_ptr_array_index(targets->properties, i);
        if (strcmp(property->interface, interface) == 0 && strcmp(property->name, name) == 0)
            return property;
    }
    return NULL;
}

/* ---- one description ---- */

static const char *attribute(const char **names, const char **values, const char *name)
{
    for (; *names != NULL; names++, values++)
        if (strcmp(*names, name) == 0)
            return *values;
    return "";
}

static void begin_method(Reader *reader, const char *member)
{
    reader->method = fuzz_targets_method(reader->targets, reader->interface, member);
    reader->is_new = reader->method == NULL;
    if (reader->is_new) {
        reader->method = g_new0(FuzzMethod, 1);
        reader->method->interface = g_strdup(reader->interface);
        reader->method->member = g_strdup(member);
        reader->method->in = g_string_new(NULL);
        reader->method->results = g_ptr_array_new_with_free_func(g_free);
        reader->method->paths = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(reader->targets->methods, reader->method);
    }
    g_ptr_array_add(reader->method->paths, g_strdup(reader->path));
}

static void add_argument(Reader *reader, const char **names, const char **values)
{
    if (strcmp(attribute(names, values, "direction"), "out") == 0)
        g_ptr_array_add(reader->method->results, g_strdup(attribute(names, values, "name")));
    else
        g_string_append(reader->method->in, attribute(names, values, "type"));
}

static void add_property(Reader *reader, const char *name, const char *access)
{
    FuzzProperty *property = fuzz_targets_property(reader->targets, reader->interface, name);
    if (property == NULL) {
        property = g_new0(FuzzProperty, 1);
        property->interface = g_strdup(reader->interface);
        property->name = g_strdup(name);
        g_ptr_array_add(reader->targets->properties, property);
    }
    g_free(property->path);
    property->path = g_strdup(reader->path);
    property->writable = strcmp(access, "readwrite") == 0;
}

static void on_start(GMarkupParseContext *context, const char *element, const char **names,
                     const char **values, void *data, GError **error)
{
    Reader *reader = data;
    const char *name = attribute(names, values, "name");
    if (strcmp(element, "interface") == 0)
        reader->interface = g_intern_string(name);
    else if (strcmp(element, "method") == 0 && reader->interface != NULL)
        begin_method(reader, name);
    else if (strcmp(element, "arg") == 0 && reader->method != NULL && reader->is_new)
        add_argument(reader, names, values);
    else if (strcmp(element, "property") == 0 && reader->interface != NULL)
        add_property(reader, name, attribute(names, values, "access"));
    else if (strcmp(element, "node") == 0 && *name != '\0')
        g_ptr_array_add(reader->children, strcmp(reader->path, "/") == 0
                                              ? g_strconcat("/", name, NULL)
                                              : g_strconcat(reader->path, "/", name, NULL));
}

static void on_end(GMarkupParseContext *context, const char *element, void *data, GError **error)
{
    Reader *reader = data;
    if (strcmp(element, "interface") == 0)
        reader->interface = NULL;
    else if (strcmp(element, "method") == 0)
        reader->method = NULL;
}

/* ---- all of them ---- */

static int look_at(FuzzTargets *targets, sd_bus *bus, const char *service, const char *path,
                   unsigned depth)
{
    static const GMarkupParser parser = {.start_element = on_start, .end_element = on_end};
    sd_bus_message *reply = NULL;
    const char *text = NULL;
    int r = sd_bus_call_method(bus, service, path, "org.freedesktop.DBus.Introspectable",
                               "Introspect", NULL, &reply, NULL);
    if (r >= 0)
        r = sd_bus_message_read_basic(reply, 's', &text);
    g_autoptr(GPtrArray) children = g_ptr_array_new_with_free_func(g_free);
    Reader reader = {.targets = targets, .path = path, .children = children};
    if (r >= 0) {
        GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &reader, NULL);
        if (!g_markup_parse_context_parse(context, text, -1, NULL))
            r = -EBADMSG;
        g_markup_parse_context_free(context);
    }
    sd_bus_message_unref(reply);
    /* What was there a moment ago may have gone. */
    for (guint i = 0; r >= 0 && depth < DEPTH_MAX && i < children->len; i++)
        (void)look_at(targets, bus, service, children->pdata[i], depth + 1);
    return r;
}

int fuzz_targets_find(FuzzTargets *targets, sd_bus *bus, const char *service)
{
    for (guint i = 0; i < targets->methods->len; i++)
        g_ptr_array_set_size(((FuzzMethod *)targets->methods->pdata[i])->paths, 0);
    int r = look_at(targets, bus, service, "/", 0);
    targets->given_more = false;

    /* Not every object is shown; one that was given may have gone. */
    GHashTableIter iter;
    void *path = NULL;
    g_hash_table_iter_init(&iter, targets->given);
    while (r >= 0 && g_hash_table_iter_next(&iter, &path, NULL))
        (void)look_at(targets, bus, service, path, DEPTH_MAX);
    return r;
}
