#include "contract/schema-compile.h"

/* Names in a schema may be of any length; a message is for people. */
#define SHOWN 300u

static void cut(char *text)
{
    size_t size = strlen(text);
    if (size <= SHOWN)
        return;
    size = SHOWN;
    while (size > 0 && ((guint8)text[size] & 0xc0) == 0x80)
        size--;
    text[size] = '\0';
}

bool syncd_schema_refuse(const char *location, const char *keyword, GError **error,
                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *place = g_strconcat(location, *keyword != '\0' ? "/" : "", keyword, NULL);
    cut(place);
    cut(what);
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "correct the schema",
                         "%s of the schema %s", place, what);
    return false;
}

bool syncd_schema_spend(SchemaCompiler *compiler, guint64 work, const char *location,
                        GError **error)
{
    compiler->work += work;
    return compiler->work <= SCHEMA_MAX_WORK ||
           syncd_schema_refuse(location, "", error,
                               "is where compiling it has become too much work");
}

SchemaNode *syncd_schema_node(SchemaCompiler *compiler, SyncdJson value,
                              const SchemaResource *resource, const char *location, GError **error)
{
    SchemaNode *known = g_hash_table_lookup(compiler->nodes, value.at);
    if (known != NULL)
        return known;
    if (g_hash_table_size(compiler->nodes) == SCHEMA_MAX_NODES) {
        syncd_schema_refuse(location, "", error, "is one too many: %u are the limit",
                            SCHEMA_MAX_NODES);
        return NULL;
    }
    if (!syncd_schema_spend(compiler, SCHEMA_WORK_PER_LOCATION_BYTE * strlen(location), location,
                            error))
        return NULL;
    const SchemaResource *own = g_hash_table_lookup(compiler->roots, value.at);
    SchemaNode *node = syncd_schema_own(compiler->owned, g_new0(SchemaNode, 1));
    node->types = TYPE_ANY;
    node->location = syncd_schema_own(compiler->owned, g_strdup(location));
    g_hash_table_insert(compiler->nodes, (gpointer)value.at, node);

    SchemaBuild *build = g_new0(SchemaBuild, 1);
    build->node = node;
    build->value = value;
    build->resource = own != NULL ? own : resource;
    g_queue_push_tail(compiler->pending, build);
    return node;
}

/* ---- filling a node ---- */

static bool compile_keyword(SchemaCompiler *compiler, SchemaBuild *build, SyncdJson name,
                            SyncdJson value, GError **error)
{
    const SchemaKeyword *keyword = syncd_schema_keyword_find(name, build->resource->dialect);
    if (keyword == NULL) {
        g_autofree char *text = syncd_json_dup_string(name, NULL);
        return syncd_schema_refuse(build->node->location, text, error,
                                   "is a keyword that is not implemented");
    }
    return keyword->compile == NULL ||
           keyword->compile(compiler, build, keyword->name, value, error);
}

/* What counted only if another keyword was there too. */
static bool finish_node(SchemaCompiler *compiler, SchemaBuild *build, GError **error)
{
    SchemaNode *node = build->node;
    if (node->in_place != NULL && node->in_place->condition != NULL) {
        node->in_place->then = build->then;
        node->in_place->otherwise = build->otherwise;
    }
    /* In draft 7, additionalItems counts beside a list of items. */
    if (node->array != NULL && node->array->prefix.nodes != NULL && build->rest != NULL)
        node->array->items = build->rest;
    if (node->object != NULL && !syncd_schema_finish_object(compiler, build, error))
        return false;
    node->wants_marks = (node->object != NULL && node->object->unevaluated != NULL) ||
                        (node->array != NULL && node->array->unevaluated != NULL);
    return true;
}

static bool compile_node(SchemaCompiler *compiler, SchemaBuild *build, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    bool always;
    if (syncd_json_get_bool(build->value, &always)) {
        build->node->never = !always;
        return true;
    }
    if (build->value.type != SYNCD_JSON_OBJECT)
        return syncd_schema_refuse(build->node->location, "", error,
                                   "must be an object, true or false");

    /* In draft 7 nothing beside a reference counts. */
    SyncdJson reference = syncd_json_member(build->value, "$ref");
    bool alone = build->resource->dialect == DIALECT_DRAFT_7 && reference.type == SYNCD_JSON_STRING;
    syncd_json_iter_init(&iter, build->value);
    while (syncd_json_iter_next(&iter, &name, &value))
        if ((!alone || syncd_json_is(name, "$ref")) &&
            !compile_keyword(compiler, build, name, value, error))
            return false;
    return finish_node(compiler, build, error);
}

static bool compile_pending(SchemaCompiler *compiler, GError **error)
{
    SchemaBuild *build;
    while ((build = g_queue_pop_head(compiler->pending)) != NULL) {
        g_autofree SchemaBuild *owned = build;
        if (!compile_node(compiler, owned, error))
            return false;
    }
    return true;
}

/* ---- cycles ---- */

enum { UNSEEN, OPEN, DONE };

/* A node that is to be entered, or left once all that it applies has been. */
typedef struct {
    SchemaNode *node;
    bool leave;
} Step;

static void push(GArray *steps, SchemaNode *node)
{
    const Step step = {node, false};
    if (node != NULL && node->visit != DONE)
        g_array_append_val(steps, step);
}

static void push_all(GArray *steps, const SchemaNodes *nodes)
{
    for (unsigned i = nodes->count; i > 0; i--)
        push(steps, nodes->nodes[i - 1]);
}

/* What it applies to the same value; the first of them comes last and is taken first. */
static void push_applied(GArray *steps, const SchemaNode *node)
{
    const SchemaInPlace *rules = node->in_place;
    for (unsigned i = node->object != NULL ? node->object->dependency_count : 0; i > 0; i--)
        push(steps, node->object->dependencies[i - 1].node);
    if (rules == NULL)
        return;
    push(steps, rules->otherwise);
    push(steps, rules->then);
    push(steps, rules->condition);
    push(steps, rules->negated);
    push_all(steps, &rules->one);
    push_all(steps, &rules->any);
    push_all(steps, &rules->all);
    push(steps, rules->reference);
}

/* False when a node applies itself to the same value again: that would never end. A chain may be as
 * long as a schema has nodes, so that it is kept here and not on the stack. */
static bool take_steps(GArray *steps, GError **error)
{
    while (steps->len > 0) {
        const Step step = g_array_index(steps, Step, steps->len - 1);
        g_array_set_size(steps, steps->len - 1);
        if (step.leave)
            step.node->visit = DONE;
        if (step.node->visit == DONE)
            continue;
        if (step.node->visit == OPEN)
            return syncd_schema_refuse(step.node->location, "", error,
                                       "applies itself to the same value without end");
        const Step leave = {step.node, true};
        step.node->visit = OPEN;
        g_array_append_val(steps, leave);
        push_applied(steps, step.node);
    }
    return true;
}

static bool check_cycles(SchemaCompiler *compiler, GError **error)
{
    GHashTableIter iter;
    gpointer node;
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(Step));
    g_hash_table_iter_init(&iter, compiler->nodes);
    while (g_hash_table_iter_next(&iter, NULL, &node)) {
        push(steps, node);
        if (!take_steps(steps, error))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static void place_free(gpointer memory)
{
    SchemaPlace *place = memory;
    g_free(place->location);
    g_free(place);
}

static void compiler_clear(SchemaCompiler *compiler)
{
    g_queue_free_full(compiler->pending, g_free);
    g_hash_table_unref(compiler->nodes);
    g_hash_table_unref(compiler->anchors);
    g_hash_table_unref(compiler->roots);
    g_hash_table_unref(compiler->resources);
    g_ptr_array_unref(compiler->scratch);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SchemaCompiler, compiler_clear)

static void pattern_free(gpointer pattern)
{
    syncd_pattern_free(pattern);
}

void syncd_schema_free(SyncdSchema *schema)
{
    if (schema == NULL)
        return;
    g_ptr_array_unref(schema->owned);
    g_ptr_array_unref(schema->patterns);
    g_free(schema);
}

SyncdSchema *syncd_schema_compile(SyncdBytes text, const SyncdSchemaOptions *options,
                                  GError **error)
{
    static const SyncdSchemaOptions plain = {SYNCD_DIALECT_OWN, NULL, NULL};
    g_autoptr(SyncdSchema) schema = g_new0(SyncdSchema, 1);
    schema->owned = g_ptr_array_new_with_free_func(g_free);
    schema->patterns = g_ptr_array_new_with_free_func(pattern_free);
    g_auto(SchemaCompiler) compiler = {
        .options = options != NULL ? options : &plain,
        .schema = schema,
        .owned = schema->owned,
        .scratch = g_ptr_array_new_with_free_func(g_free),
        .resources = g_hash_table_new(g_str_hash, g_str_equal),
        .roots = g_hash_table_new(NULL, NULL),
        .anchors = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, place_free),
        .nodes = g_hash_table_new(NULL, NULL),
        .pending = g_queue_new(),
    };
    const SchemaResource *document = syncd_schema_load(&compiler, text, "", error);
    if (document == NULL)
        return NULL;
    schema->root = syncd_schema_node(&compiler, document->root, document, "#", error);
    if (schema->root == NULL || !compile_pending(&compiler, error) ||
        !check_cycles(&compiler, error))
        return NULL;
    return g_steal_pointer(&schema);
}
