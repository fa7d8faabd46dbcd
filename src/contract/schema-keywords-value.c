/* What a schema demands of any value, of numbers and of strings. */
#include "contract/schema-read.h"

/* ---- any value ---- */

static bool add_type(SyncdJson name, SchemaTypes *types)
{
    static const struct {
        const char *name;
        SchemaTypes types;
    } known[] = {
        {"null", TYPE_NULL},     {"boolean", TYPE_BOOLEAN}, {"integer", TYPE_INTEGER},
        {"number", TYPE_NUMBER}, {"string", TYPE_STRING},   {"array", TYPE_ARRAY},
        {"object", TYPE_OBJECT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        if (syncd_json_is(name, known[i].name)) {
            *types |= known[i].types;
            return true;
        }
    }
    return false;
}

KEYWORD(compile_type)
{
    SchemaTypes types = (SchemaTypes)0;
    SyncdJsonIter iter;
    SyncdJson element;
    bool good =
        value.type != SYNCD_JSON_ARRAY ? add_type(value, &types) : syncd_json_count(value) > 0;
    syncd_json_iter_init(&iter, value);
    while (good && value.type == SYNCD_JSON_ARRAY && syncd_json_iter_next(&iter, NULL, &element))
        good = add_type(element, &types);
    build->node->types = types;
    return good ||
           syncd_schema_wants(build, keyword, error,
                              "one of null, boolean, integer, number, string, array, object, or a "
                              "list of them");
}

static SchemaValue value_of(SchemaCompiler *compiler, SyncdJson value)
{
    SchemaValue result = {.value = value};
    result.text = syncd_schema_own_text(compiler, value, &result.size);
    return result;
}

KEYWORD(compile_enum)
{
    unsigned count = syncd_json_count(value);
    if (value.type != SYNCD_JSON_ARRAY || count == 0)
        return syncd_schema_wants(build, keyword, error, "a list that is not empty");
    SchemaValues *values = syncd_schema_own(compiler->owned, g_new0(SchemaValues, 1));
    values->values = syncd_schema_own(compiler->owned, g_new0(SchemaValue, count));
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &element))
        values->values[values->count++] = value_of(compiler, element);
    build->node->values = values;
    return true;
}

KEYWORD(compile_const)
{
    SchemaValues *values = syncd_schema_own(compiler->owned, g_new0(SchemaValues, 1));
    values->values = syncd_schema_own(compiler->owned, g_new0(SchemaValue, 1));
    values->values[0] = value_of(compiler, value);
    values->count = 1;
    values->is_const = true;
    build->node->constant = values;
    return true;
}

/* ---- numbers ---- */

KEYWORD(compile_bound)
{
    SchemaNumber *number = syncd_schema_number_of(compiler, build->node);
    SchemaBound *bound = strcmp(keyword, "minimum") == 0            ? &number->minimum
                         : strcmp(keyword, "maximum") == 0          ? &number->maximum
                         : strcmp(keyword, "exclusiveMinimum") == 0 ? &number->exclusive_minimum
                                                                    : &number->exclusive_maximum;
    bound->given = true;
    bound->text = value;
    return syncd_schema_read_decimal(build, keyword, value, &bound->limit, error);
}

KEYWORD(compile_multiple_of)
{
    SchemaNumber *number = syncd_schema_number_of(compiler, build->node);
    SyncdDecimal decimal;
    number->has_divisor = true;
    number->divisor_text = value;
    return syncd_schema_read_decimal(build, keyword, value, &decimal, error) &&
           (syncd_divisor_read(&decimal, &number->divisor) ||
            syncd_schema_wants(build, keyword, error, "above zero and of at most 18 digits"));
}

/* ---- strings ---- */

KEYWORD(compile_min_length)
{
    return syncd_schema_read_count(
        build, keyword, value, &syncd_schema_string_of(compiler, build->node)->min_length, error);
}

KEYWORD(compile_max_length)
{
    return syncd_schema_read_count(
        build, keyword, value, &syncd_schema_string_of(compiler, build->node)->max_length, error);
}

KEYWORD(compile_pattern)
{
    SchemaString *string = syncd_schema_string_of(compiler, build->node);
    string->pattern =
        syncd_schema_read_pattern(compiler, build, keyword, value, &string->pattern_text, error);
    return string->pattern != NULL;
}

KEYWORD(compile_format)
{
    SchemaString *string = syncd_schema_string_of(compiler, build->node);
    g_autofree char *name = syncd_json_dup_text(value);
    string->format = name != NULL ? syncd_schema_format_find(name, &string->format_name) : NULL;
    return string->format != NULL ||
           syncd_schema_wants(build, keyword, error, "a format that is implemented");
}

const SchemaKeyword syncd_schema_value_keywords[] = {
    {"type", BOTH, HOLDS_NOTHING, compile_type},
    {"enum", BOTH, HOLDS_NOTHING, compile_enum},
    {"const", BOTH, HOLDS_NOTHING, compile_const},
    {"multipleOf", BOTH, HOLDS_NOTHING, compile_multiple_of},
    {"minimum", BOTH, HOLDS_NOTHING, compile_bound},
    {"maximum", BOTH, HOLDS_NOTHING, compile_bound},
    {"exclusiveMinimum", BOTH, HOLDS_NOTHING, compile_bound},
    {"exclusiveMaximum", BOTH, HOLDS_NOTHING, compile_bound},
    {"minLength", BOTH, HOLDS_NOTHING, compile_min_length},
    {"maxLength", BOTH, HOLDS_NOTHING, compile_max_length},
    {"pattern", BOTH, HOLDS_NOTHING, compile_pattern},
    {"format", BOTH, HOLDS_NOTHING, compile_format},
    {NULL},
};
