/* Documents, the resources and anchors in them, and what references lead to. */
#include "contract/schema-compile.h"

SchemaDialects syncd_schema_dialect(SyncdJson value)
{
    static const struct {
        const char *uri;
        SchemaDialects dialect;
    } known[] = {
        {"https://json-schema.org/draft/2020-12/schema", DIALECT_2020_12},
        {"https://json-schema.org/draft/2020-12/schema#", DIALECT_2020_12},
        {"http://json-schema.org/draft-07/schema", DIALECT_DRAFT_7},
        {"http://json-schema.org/draft-07/schema#", DIALECT_DRAFT_7},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++)
        if (syncd_json_is(value, known[i].uri))
            return known[i].dialect;
    return (SchemaDialects)0;
}

void syncd_schema_append_step(GString *location, const char *name)
{
    g_string_append_c(location, '/');
    for (; *name != '\0'; name++) {
        if (*name == '~' || *name == '/')
            g_string_append(location, *name == '~' ? "~0" : "~1");
        else
            g_string_append_c(location, *name);
    }
}

/* ---- URIs ---- */

static bool is_absolute(const char *uri)
{
    const char *at = uri;
    while (g_ascii_isalnum(*at) || (at != uri && strchr("+-.", *at) != NULL && *at != '\0'))
        at++;
    return at != uri && g_ascii_isalpha(*uri) && *at == ':';
}

/* Without the fragment. NULL when it is no URI. */
static char *resolve_uri(const char *base, const char *reference)
{
    g_autofree char *plain = g_strndup(reference, strcspn(reference, "#"));
    if (*plain == '\0')
        return g_strdup(base);
    if (*base == '\0' || is_absolute(plain))
        return g_steal_pointer(&plain);
    return g_uri_resolve_relative(base, plain, G_URI_FLAGS_ENCODED | G_URI_FLAGS_PARSE_RELAXED,
                                  NULL);
}

/* ---- what is in a document ---- */

typedef struct {
    SchemaCompiler *compiler;
    GString *location;
    GError **error;
} Scan;

static bool scan_schema(Scan *scan, SyncdJson value, const SchemaResource *resource);

static SchemaResource *add_resource(SchemaCompiler *compiler, const char *uri, SyncdJson root,
                                    const char *location, SchemaDialects dialect)
{
    SchemaResource *resource = syncd_schema_own(compiler->scratch, g_new0(SchemaResource, 1));
    resource->uri = syncd_schema_own(compiler->scratch, g_strdup(uri));
    resource->location = syncd_schema_own(compiler->scratch, g_strdup(location));
    resource->root = root;
    resource->dialect = dialect;
    g_hash_table_insert(compiler->resources, resource->uri, resource);
    g_hash_table_insert(compiler->roots, (gpointer)root.at, resource);
    return resource;
}

static bool add_anchor(Scan *scan, const SchemaResource *resource, SyncdJson value,
                       const char *name)
{
    g_autofree char *key = g_strconcat(resource->uri, "#", name, NULL);
    if (g_hash_table_contains(scan->compiler->anchors, key))
        return syncd_schema_refuse(scan->location->str, "", scan->error,
                                   "has the anchor \"%s\" of another part", name);
    if (!syncd_schema_spend(scan->compiler, SCHEMA_WORK_PER_LOCATION_BYTE * scan->location->len,
                            scan->location->str, scan->error))
        return false;
    SchemaPlace *place = g_new0(SchemaPlace, 1);
    *place = (SchemaPlace){value, resource, g_strdup(scan->location->str)};
    g_hash_table_insert(scan->compiler->anchors, g_steal_pointer(&key), place);
    return true;
}

/* `$id` and `$anchor` of the schema; *resource becomes the one it begins. */
static bool scan_names(Scan *scan, SyncdJson value, const SchemaResource **resource)
{
    SchemaDialects dialect = (*resource)->dialect;
    if (dialect == DIALECT_DRAFT_7 && syncd_json_member(value, "$ref").type == SYNCD_JSON_STRING)
        return true;
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(value, "$id"));
    g_autofree char *anchor = syncd_json_dup_text(syncd_json_member(value, "$anchor"));
    if (id != NULL && *id == '#' && id[1] != '\0')
        return dialect == DIALECT_DRAFT_7
                   ? add_anchor(scan, *resource, value, id + 1)
                   : syncd_schema_refuse(scan->location->str, "$id", scan->error,
                                         "must not be a fragment: use $anchor");
    if (id != NULL && value.at != (*resource)->root.at) {
        g_autofree char *uri = resolve_uri((*resource)->uri, id);
        if (uri == NULL || g_hash_table_contains(scan->compiler->resources, uri))
            return syncd_schema_refuse(scan->location->str, "$id", scan->error,
                                       uri == NULL ? "must be a URI" : "names another part too");
        if (!syncd_schema_spend(scan->compiler,
                                SCHEMA_WORK_PER_LOCATION_BYTE * (scan->location->len + strlen(uri)),
                                scan->location->str, scan->error))
            return false;
        SchemaDialects own = syncd_schema_dialect(syncd_json_member(value, "$schema"));
        *resource =
            add_resource(scan->compiler, uri, value, scan->location->str, own != 0 ? own : dialect);
    }
    return anchor == NULL || dialect == DIALECT_DRAFT_7 ||
           add_anchor(scan, *resource, value, anchor);
}

static bool scan_each(Scan *scan, SyncdJson container, const SchemaResource *resource,
                      bool only_schemas)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    size_t before = scan->location->len;
    syncd_json_iter_init(&iter, container);
    for (guint64 i = 0; syncd_json_iter_next(&iter, &name, &value); i++) {
        if (only_schemas && value.type != SYNCD_JSON_OBJECT)
            continue;
        g_autofree char *step = name.type == SYNCD_JSON_STRING
                                    ? syncd_json_dup_string(name, NULL)
                                    : g_strdup_printf("%" G_GUINT64_FORMAT, i);
        syncd_schema_append_step(scan->location, step);
        if (!scan_schema(scan, value, resource))
            return false;
        g_string_truncate(scan->location, before);
    }
    return true;
}

static bool scan_held(Scan *scan, SchemaHolds holds, SyncdJson value,
                      const SchemaResource *resource)
{
    if (holds == HOLDS_SCHEMA || (holds == HOLDS_SCHEMA_OR_LIST && value.type != SYNCD_JSON_ARRAY))
        return scan_schema(scan, value, resource);
    return scan_each(scan, value, resource, holds == HOLDS_MAP_OR_STRINGS);
}

/* Shapes are checked when nodes are made: here only what looks like a schema is looked into. */
static bool scan_schema(Scan *scan, SyncdJson schema, const SchemaResource *resource)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    if (schema.type != SYNCD_JSON_OBJECT)
        return true;
    if (!scan_names(scan, schema, &resource))
        return false;
    syncd_json_iter_init(&iter, schema);
    while (syncd_json_iter_next(&iter, &name, &value)) {
        const SchemaKeyword *keyword = syncd_schema_keyword_find(name, resource->dialect);
        if (keyword == NULL || keyword->holds == HOLDS_NOTHING)
            continue;
        size_t before = scan->location->len;
        syncd_schema_append_step(scan->location, keyword->name);
        if (!scan_held(scan, keyword->holds, value, resource))
            return false;
        g_string_truncate(scan->location, before);
    }
    return true;
}

/* ---- documents ---- */

static bool find_dialect(const SchemaCompiler *compiler, SyncdJson root, const char *location,
                         SchemaDialects *ret_dialect, GError **error)
{
    SyncdJson said = syncd_json_member(root, "$schema");
    *ret_dialect = syncd_schema_dialect(said);
    if (said.type != SYNCD_JSON_NONE && *ret_dialect == 0)
        return syncd_schema_refuse(location, "$schema", error,
                                   "must name JSON Schema 2020-12 or draft 7");
    if (*ret_dialect == 0)
        *ret_dialect =
            compiler->options->dialect == SYNCD_DIALECT_DRAFT_7 ? DIALECT_DRAFT_7 : DIALECT_2020_12;
    return true;
}

const SchemaResource *syncd_schema_load(SchemaCompiler *compiler, SyncdBytes text, const char *uri,
                                        GError **error)
{
    g_autofree char *start = g_strconcat(uri, "#", NULL);
    if (text.size > SCHEMA_MAX_SIZE) {
        syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "shorten it",
                             "The schema has more than %u bytes", SCHEMA_MAX_SIZE);
        return NULL;
    }
    if (!syncd_json_check(text.data, text.size, SYNCD_JSON_ANY, error))
        return NULL;
    char *copy = syncd_schema_own(compiler->owned, g_memdup2(text.data, text.size));
    SyncdJson root = syncd_json_root(copy, text.size);
    SchemaDialects dialect;
    if (!find_dialect(compiler, root, start, &dialect, error))
        return NULL;

    g_autofree char *id = syncd_json_dup_text(syncd_json_member(root, "$id"));
    g_autofree char *own = resolve_uri(uri, id != NULL ? id : "");
    SchemaResource *resource =
        add_resource(compiler, own != NULL ? own : uri, root, start, dialect);
    if (*uri != '\0')
        g_hash_table_insert(compiler->resources, syncd_schema_own(compiler->scratch, g_strdup(uri)),
                            resource);
    g_autoptr(GString) location = g_string_new(start);
    Scan scan = {compiler, location, error};
    return scan_schema(&scan, root, resource) ? resource : NULL;
}

/* ---- references ---- */

static SyncdJson step_into(SyncdJson value, const char *step)
{
    SyncdJsonIter iter;
    SyncdJson element;
    if (value.type != SYNCD_JSON_ARRAY)
        return syncd_json_member(value, step);
    char *end;
    guint64 wanted = g_ascii_strtoull(step, &end, 10);
    bool number = g_ascii_isdigit(*step) && *end == '\0';
    syncd_json_iter_init(&iter, value);
    for (guint64 i = 0; number && syncd_json_iter_next(&iter, NULL, &element); i++)
        if (i == wanted)
            return element;
    return (SyncdJson){0};
}

/* A step of a pointer as the name that it means. */
static char *unescape_step(const char *step)
{
    GString *name = g_string_new(NULL);
    for (; *step != '\0'; step++) {
        bool escaped = step[0] == '~' && (step[1] == '0' || step[1] == '1');
        g_string_append_c(name, !escaped ? *step : step[1] == '0' ? '~' : '/');
        step += escaped;
    }
    return g_string_free(name, FALSE);
}

static bool follow_pointer(const SchemaCompiler *compiler, const char *pointer, SchemaPlace *place)
{
    g_auto(GStrv) steps = g_strsplit(pointer + 1, "/", -1);
    GString *location = g_string_new(place->location);
    for (char **step = steps; *step != NULL && place->value.type != SYNCD_JSON_NONE; step++) {
        g_autofree char *name = unescape_step(*step);
        place->value = step_into(place->value, name);
        syncd_schema_append_step(location, name);
        const SchemaResource *own = g_hash_table_lookup(compiler->roots, place->value.at);
        place->resource = own != NULL ? own : place->resource;
    }
    g_free(place->location);
    place->location = g_string_free(location, FALSE);
    return place->value.type != SYNCD_JSON_NONE;
}

static bool find_place(SchemaCompiler *compiler, const SchemaResource *resource,
                       const char *fragment, SchemaPlace *ret_place)
{
    *ret_place = (SchemaPlace){resource->root, resource, g_strdup(resource->location)};
    if (*fragment == '\0')
        return true;
    if (*fragment == '/')
        return follow_pointer(compiler, fragment, ret_place);
    g_autofree char *key = g_strconcat(resource->uri, "#", fragment, NULL);
    const SchemaPlace *known = g_hash_table_lookup(compiler->anchors, key);
    if (known == NULL)
        return false;
    g_free(ret_place->location);
    *ret_place = (SchemaPlace){known->value, known->resource, g_strdup(known->location)};
    return true;
}

static const SchemaResource *find_resource(SchemaCompiler *compiler, const char *uri,
                                           const char *location, GError **error)
{
    const SchemaResource *known = g_hash_table_lookup(compiler->resources, uri);
    SyncdBytes text;
    if (known != NULL)
        return known;
    if (compiler->options->find != NULL &&
        compiler->options->find(compiler->options->user_data, uri, &text))
        return syncd_schema_load(compiler, text, uri, error);
    syncd_schema_refuse(location, "$ref", error,
                        "leads to \"%s\", which is not among the installed schemas", uri);
    return NULL;
}

SchemaNode *syncd_schema_resolve(SchemaCompiler *compiler, const SchemaResource *from,
                                 const char *location, const char *reference, GError **error)
{
    g_autofree char *uri = resolve_uri(from->uri, reference);
    const char *mark = strchr(reference, '#');
    g_autofree char *fragment = mark != NULL ? g_uri_unescape_string(mark + 1, NULL) : g_strdup("");
    if (uri == NULL || fragment == NULL) {
        syncd_schema_refuse(location, "$ref", error, "is no URI");
        return NULL;
    }
    const SchemaResource *resource =
        strcmp(uri, from->uri) == 0 ? from : find_resource(compiler, uri, location, error);
    if (resource == NULL)
        return NULL;
    if (!syncd_schema_spend(compiler, syncd_json_size(resource->root), location, error))
        return NULL;
    SchemaPlace place;
    bool found = find_place(compiler, resource, fragment, &place);
    g_autofree char *place_location = place.location;
    if (!found) {
        syncd_schema_refuse(location, "$ref", error, "leads to \"%s\", where nothing is",
                            reference);
        return NULL;
    }
    return syncd_schema_node(compiler, place.value, place.resource, place_location, error);
}
