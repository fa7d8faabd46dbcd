#include "contract/schema-private.h"

/* A name longer than this is cut in a path. */
#define STEP_MAX 256u

struct SyncdSchemaErrors {
    GPtrArray *kept; /* SyncdSchemaError with its own texts */
    guint64 dropped;
};

static void error_free(gpointer memory)
{
    SyncdSchemaError *error = memory;
    g_free((char *)error->instance_path);
    g_free((char *)error->schema_path);
    g_free((char *)error->sentence);
    g_free(error);
}

SyncdSchemaErrors *syncd_schema_errors_new(void)
{
    SyncdSchemaErrors *errors = g_new0(SyncdSchemaErrors, 1);
    errors->kept = g_ptr_array_new_with_free_func(error_free);
    return errors;
}

void syncd_schema_errors_free(SyncdSchemaErrors *errors)
{
    if (errors == NULL)
        return;
    g_ptr_array_unref(errors->kept);
    g_free(errors);
}

unsigned syncd_schema_errors_count(const SyncdSchemaErrors *errors)
{
    return errors->kept->len;
}

guint64 syncd_schema_errors_dropped(const SyncdSchemaErrors *errors)
{
    return errors->dropped;
}

const SyncdSchemaError *syncd_schema_errors_get(const SyncdSchemaErrors *errors, unsigned index)
{
    return index < errors->kept->len ? g_ptr_array_index(errors->kept, index) : NULL;
}

/* The name as a pointer has it: "~" and "/" stand for themselves only as "~0" and "~1". */
static void append_name(GString *path, SyncdJson name)
{
    size_t size;
    g_autofree char *text = syncd_json_dup_string(name, &size);
    size_t cut = MIN(size, STEP_MAX);
    while (cut < size && cut > 0 && ((guint8)text[cut] & 0xc0) == 0x80)
        cut--;
    for (size_t i = 0; i < cut; i++) {
        if (text[i] == '~' || text[i] == '/')
            g_string_append(path, text[i] == '~' ? "~0" : "~1");
        else if (text[i] == '\0')
            g_string_append(path, "\\u0000");
        else
            g_string_append_c(path, text[i]);
    }
    if (cut < size)
        g_string_append(path, "\xe2\x80\xa6");
}

static void append_path(GString *path, const SchemaStep *step)
{
    if (step == NULL)
        return;
    append_path(path, step->outer);
    g_string_append_c(path, '/');
    if (step->name.type == SYNCD_JSON_STRING)
        append_name(path, step->name);
    else
        g_string_append_printf(path, "%" G_GUINT64_FORMAT, step->index);
}

/* Takes both texts. */
G_GNUC_PRINTF(4, 0)
static void keep(SyncdSchemaErrors *errors, char *instance_path, char *schema_path,
                 const char *format, va_list args)
{
    SyncdSchemaError *error = g_new(SyncdSchemaError, 1);
    error->instance_path = instance_path;
    error->schema_path = schema_path;
    error->sentence = g_strdup_vprintf(format, args);
    g_ptr_array_add(errors->kept, error);
}

/* Without room it is only counted. */
static bool has_room(SyncdSchemaErrors *errors)
{
    bool room = errors->kept->len < SYNCD_SCHEMA_MAX_ERRORS;
    errors->dropped += !room;
    return room;
}

void syncd_schema_errors_add(SyncdSchemaErrors *errors, const SchemaStep *step,
                             const SchemaNode *node, const char *keyword, const char *format,
                             va_list args)
{
    if (!has_room(errors))
        return;
    GString *path = g_string_new(NULL);
    append_path(path, step);
    char *place = *keyword == '\0' ? g_strdup(node->location)
                                   : g_strconcat(node->location, "/", keyword, NULL);
    keep(errors, g_string_free(path, FALSE), place, format, args);
}

void syncd_schema_errors_note(SyncdSchemaErrors *errors, const char *instance_path,
                              const char *schema_path, const char *format, va_list args)
{
    if (has_room(errors))
        keep(errors, g_strdup(instance_path), g_strdup(schema_path), format, args);
}
