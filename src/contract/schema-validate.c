#include "contract/schema-private.h"

#include "contract/schema-run.h"

/* Work that any document may cost, and more for each byte of it. */
#define FREE_BUDGET 1000000
#define BUDGET_PER_BYTE 8
/* Schemas that apply others to the same value, one inside the other. */
#define MAX_NESTING 400u

static const struct {
    SchemaTypes type;
    const char *name;
} type_names[] = {
    {TYPE_NULL, "null"},        {TYPE_BOOLEAN, "a boolean"}, {TYPE_INTEGER, "an integer"},
    {TYPE_NUMBER, "a number"},  {TYPE_STRING, "a string"},   {TYPE_ARRAY, "an array"},
    {TYPE_OBJECT, "an object"},
};

bool syncd_schema_fail(SchemaRun *run, const SchemaNode *node, const SchemaStep *step,
                       const char *keyword, const char *format, ...)
{
    if (run->quiet > 0)
        return false;
    va_list args;
    va_start(args, format);
    syncd_schema_errors_add(run->errors, step, node, keyword, format, args);
    va_end(args);
    return false;
}

/* ---- type, enum, const ---- */

static SchemaTypes types_of(SyncdJson value)
{
    static const SchemaTypes types[] = {
        [SYNCD_JSON_NULL] = TYPE_NULL,      [SYNCD_JSON_TRUE] = TYPE_BOOLEAN,
        [SYNCD_JSON_FALSE] = TYPE_BOOLEAN,  [SYNCD_JSON_INTEGER] = TYPE_INTEGER | TYPE_NUMBER,
        [SYNCD_JSON_REAL] = TYPE_NUMBER,    [SYNCD_JSON_STRING] = TYPE_STRING,
        [SYNCD_JSON_ARRAY] = TYPE_ARRAY,    [SYNCD_JSON_OBJECT] = TYPE_OBJECT,
        [SYNCD_JSON_NONE] = (SchemaTypes)0,
    };
    return types[value.type];
}

static const char *name_of(SyncdJson value)
{
    SchemaTypes types = types_of(value);
    for (size_t i = 0; i < G_N_ELEMENTS(type_names); i++)
        if (types & type_names[i].type)
            return type_names[i].name;
    return "nothing";
}

static bool check_type(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                       const SchemaStep *step)
{
    SchemaTypes types = types_of(value);
    if (types & node->types)
        return true;
    if (value.type == SYNCD_JSON_REAL && (node->types & TYPE_INTEGER)) {
        SyncdDecimal decimal = syncd_decimal_read(value);
        if (syncd_decimal_is_integer(&decimal))
            return true;
    }
    if (run->quiet > 0)
        return false;
    g_autoptr(GString) wanted = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(type_names); i++)
        if (node->types & type_names[i].type)
            g_string_append_printf(wanted, "%s%s", wanted->len > 0 ? " or " : "",
                                   type_names[i].name);
    return syncd_schema_fail(run, node, step, "type", "must be %s, but is %s", wanted->str,
                             name_of(value));
}

/* Shown in a message: cut when it is long. */
static char *show(SyncdJson value)
{
    enum { SHOWN = 80 };
    size_t size = syncd_json_size(value);
    if (size <= SHOWN)
        return g_strndup(value.at, size);
    size_t cut = SHOWN;
    while (cut > 0 && ((guint8)value.at[cut] & 0xc0) == 0x80)
        cut--;
    return g_strdup_printf("%.*s\xe2\x80\xa6", (int)cut, value.at);
}

static bool check_values(SchemaRun *run, const SchemaNode *node, const SchemaValues *values,
                         SyncdJson value, const SchemaStep *step)
{
    for (unsigned i = 0; i < values->count && run->budget > 0; i++)
        if (syncd_schema_equals(value, &values->values[i], &run->budget))
            return true;
    const char *keyword = values->is_const ? "const" : "enum";
    if (run->quiet > 0)
        return false;
    g_autoptr(GString) wanted = g_string_new(NULL);
    for (unsigned i = 0; i < values->count && wanted->len < 500; i++) {
        g_autofree char *text = show(values->values[i].value);
        g_string_append_printf(wanted, "%s%s", i > 0 ? ", " : "", text);
        if (wanted->len >= 500 && i + 1 < values->count)
            g_string_append(wanted, " \xe2\x80\xa6");
    }
    g_autofree char *got = show(value);
    return syncd_schema_fail(run, node, step, keyword,
                             values->count == 1 ? "must be %s, but is %s"
                                                : "must be one of %s, but is %s",
                             wanted->str, got);
}

/* ---- numbers ---- */

static bool check_bound(SchemaRun *run, const SchemaNode *node, const SchemaStep *step,
                        const SchemaBound *bound, bool holds, const char *keyword,
                        const char *relation, SyncdJson value)
{
    if (!bound->given || holds)
        return true;
    if (run->quiet > 0)
        return false;
    g_autofree char *limit = show(bound->text), *got = show(value);
    return syncd_schema_fail(run, node, step, keyword, "must be %s %s, but is %s", relation, limit,
                             got);
}

static int compare(const SyncdDecimal *decimal, const SchemaBound *bound)
{
    return bound->given ? syncd_decimal_compare(decimal, &bound->limit) : 0;
}

static bool check_number(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                         const SchemaStep *step)
{
    const SchemaNumber *number = node->number;
    SyncdDecimal decimal = syncd_decimal_read(value);
    run->budget -= (gint64)(syncd_json_size(value) / 8);
    bool good = check_bound(run, node, step, &number->minimum,
                            compare(&decimal, &number->minimum) >= 0, "minimum", "at least", value);
    good &= check_bound(run, node, step, &number->maximum, compare(&decimal, &number->maximum) <= 0,
                        "maximum", "at most", value);
    good &= check_bound(run, node, step, &number->exclusive_minimum,
                        compare(&decimal, &number->exclusive_minimum) > 0, "exclusiveMinimum",
                        "more than", value);
    good &= check_bound(run, node, step, &number->exclusive_maximum,
                        compare(&decimal, &number->exclusive_maximum) < 0, "exclusiveMaximum",
                        "less than", value);
    if (number->has_divisor && !syncd_decimal_is_multiple(&decimal, &number->divisor)) {
        g_autofree char *divisor = show(number->divisor_text);
        good =
            syncd_schema_fail(run, node, step, "multipleOf", "must be a multiple of %s", divisor);
    }
    return good;
}

/* ---- strings ---- */

static guint64 count_characters(const char *text, size_t size)
{
    guint64 count = 0;
    for (size_t i = 0; i < size; i++)
        count += ((guint8)text[i] & 0xc0) != 0x80;
    return count;
}

static bool check_text(SchemaRun *run, const SchemaNode *node, const char *text, size_t size,
                       const SchemaStep *step)
{
    const SchemaString *string = node->string;
    bool good = true;
    if (string->min_length > 0 || string->max_length < size) {
        guint64 length = count_characters(text, size);
        if (length < string->min_length)
            good = syncd_schema_fail(run, node, step, "minLength",
                                     string->min_length == 1
                                         ? "must not be empty"
                                         : "must have at least %" G_GUINT64_FORMAT
                                           " characters, but has %" G_GUINT64_FORMAT,
                                     string->min_length, length);
        if (length > string->max_length)
            good = syncd_schema_fail(run, node, step, "maxLength",
                                     "must have at most %" G_GUINT64_FORMAT
                                     " characters, but has %" G_GUINT64_FORMAT,
                                     string->max_length, length);
    }
    if (string->pattern != NULL &&
        !syncd_pattern_matches(string->pattern, text, size, &run->budget))
        good = syncd_schema_fail(run, node, step, "pattern", "must match the pattern %s",
                                 string->pattern_text);
    if (string->format != NULL && !string->format(text, size))
        good = syncd_schema_fail(run, node, step, "format", "must be a text of the format %s",
                                 string->format_name);
    return good;
}

static bool check_string(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                         const SchemaStep *step)
{
    const char *text;
    size_t size;
    bool is_regex = node->string->format == syncd_pattern_is;
    run->budget -= (gint64)(is_regex ? syncd_json_size(value) * 4 : syncd_json_size(value) / 16);
    if (syncd_json_get_plain(value, &text, &size))
        return check_text(run, node, text, size, step);
    g_autofree char *memory = syncd_json_dup_string(value, &size);
    return check_text(run, node, memory, size, step);
}

/* ---- one value ---- */

static bool check_by_type(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                          const SchemaStep *step, SchemaMarks *marks)
{
    switch (value.type) {
    case SYNCD_JSON_INTEGER:
    case SYNCD_JSON_REAL:
        return node->number == NULL || check_number(run, node, value, step);
    case SYNCD_JSON_STRING:
        return node->string == NULL || check_string(run, node, value, step);
    case SYNCD_JSON_ARRAY:
        return node->array == NULL || syncd_schema_check_array(run, node, value, step, marks);
    case SYNCD_JSON_OBJECT:
        return node->object == NULL || syncd_schema_check_object(run, node, value, step, marks);
    default:
        return true;
    }
}

/* What the schema says is unevaluated can be asked only after all else was. */
static bool check_parts(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                        const SchemaStep *step, SchemaMarks *marks)
{
    bool good = (node->types == TYPE_ANY || check_type(run, node, value, step));
    if (!good && run->quiet > 0)
        return false;
    if (node->constant != NULL)
        good &= check_values(run, node, node->constant, value, step);
    if (node->values != NULL)
        good &= check_values(run, node, node->values, value, step);
    if (!good && run->quiet > 0)
        return false;
    good &= check_by_type(run, node, value, step, marks);
    if (node->in_place != NULL && (good || run->quiet == 0))
        good &= syncd_schema_check_in_place(run, node, value, step, marks);
    if (node->wants_marks && (good || run->quiet == 0))
        good &= syncd_schema_check_unevaluated(run, node, value, step, marks);
    return good;
}

bool syncd_schema_check(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                        const SchemaStep *step, SchemaMarks *marks)
{
    if (--run->budget <= 0)
        return false;
    if (node->never)
        return syncd_schema_fail(run, node, step, "", "nothing is allowed here");
    if (run->nesting == MAX_NESTING) {
        run->budget = 0;
        return false;
    }
    run->nesting++;
    bool good = (marks == NULL && !node->wants_marks)
                    ? check_parts(run, node, value, step, NULL)
                    : syncd_schema_check_marking(run, node, value, step, marks, check_parts);
    run->nesting--;
    return good;
}

/* ---- the entrances ---- */

bool syncd_schema_validate(const SyncdSchema *schema, SyncdJson value, SyncdSchemaErrors *errors,
                           bool *ret_valid, GError **error)
{
    SchemaRun run = {
        .errors = errors,
        .quiet = errors == NULL,
        .budget = FREE_BUDGET + BUDGET_PER_BYTE * (gint64)syncd_json_size(value),
    };
    bool valid = syncd_schema_check(&run, schema->root, value, NULL, NULL);
    if (run.budget <= 0) {
        syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                             "split the document, or make the schema simpler",
                             "The document takes too long to validate against this schema");
        return false;
    }
    *ret_valid = valid;
    return true;
}

bool syncd_schema_demand(const SyncdSchema *schema, SyncdJson value, const char *where,
                         GError **error)
{
    bool valid;
    if (!syncd_schema_validate(schema, value, NULL, &valid, error))
        return false;
    if (valid)
        return true;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    if (!syncd_schema_validate(schema, value, errors, &valid, error))
        return false;
    const SyncdSchemaError *first = syncd_schema_errors_get(errors, 0);
    const char *path = *where == '\0' && *first->instance_path == '\0' ? "The document" : where;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s%s %s", path, first->instance_path,
                    first->sentence);
    return false;
}
