#include "service/internal.h"

#include "base/json-writer.h"
#include "contract/member.h"

/* ---- a line ---- */

typedef struct {
    SyncdRequest request;
    char *type, *scope, *object, *idempotency_key, *lane, *data_class;
    GStrv parents;
    SyncdAdmission admission;
} Line;

static void line_free(Line *line)
{
    syncd_admission_clear(&line->admission);
    g_free(line->type);
    g_free(line->scope);
    g_free(line->object);
    g_free(line->idempotency_key);
    g_free(line->lane);
    g_free(line->data_class);
    g_strfreev(line->parents);
    g_free(line);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Line, line_free)

typedef struct {
    const char *name;
    SyncdShape shape;
    bool required;
    size_t text; /* where the text goes; 0 for members that are no text */
} LineMember;

static const LineMember line_members[] = {
    {"type", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(Line, type)},
    {"scope", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(Line, scope)},
    {"object", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(Line, object)},
    {"body", SYNCD_SHAPE_OBJECT, true, 0},
    {"idempotency_key", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(Line, idempotency_key)},
    {"lane", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(Line, lane)},
    {"data_class", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(Line, data_class)},
    {"parents", SYNCD_SHAPE_STRING_LIST, false, 0},
    {"create_scope", SYNCD_SHAPE_BOOL, false, 0},
    {"restore", SYNCD_SHAPE_BOOL, false, 0},
};

static const LineMember *find_member(SyncdJson name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(line_members); i++)
        if (syncd_json_is(name, line_members[i].name))
            return &line_members[i];
    return NULL;
}

static bool refuse_nul(const char *place, GError **error)
{
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%s must not contain U+0000", place);
    return false;
}

static bool take_parents(SyncdJson value, Line *line, GError **error)
{
    g_autoptr(GPtrArray) parents = g_ptr_array_new_with_free_func(g_free);
    SyncdJsonIter iter;
    SyncdJson parent;
    syncd_json_iter_init(&iter, value);
    while (syncd_json_iter_next(&iter, NULL, &parent)) {
        char *text = syncd_json_dup_text(parent);
        if (text == NULL)
            return refuse_nul("parents", error);
        g_ptr_array_add(parents, text);
    }
    g_ptr_array_add(parents, NULL);
    line->parents = (GStrv)g_ptr_array_steal(parents, NULL);
    return true;
}

static bool take_member(SyncdJson name, SyncdJson value, Line *line, GError **error)
{
    const LineMember *member = find_member(name);
    if (member == NULL) {
        g_autofree char *step = syncd_pointer_step(name);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%s is no member of a request", step);
        return false;
    }
    if (!syncd_shape_check(member->shape, value, "", member->name, error))
        return false;
    if (member->text != 0) {
        char **text = G_STRUCT_MEMBER_P(line, member->text);
        *text = syncd_json_dup_text(value);
        return *text != NULL || refuse_nul(member->name, error);
    }
    if (member->shape == SYNCD_SHAPE_STRING_LIST)
        return take_parents(value, line, error);
    if (member->shape == SYNCD_SHAPE_BOOL)
        return syncd_json_get_bool(value, strcmp(member->name, "restore") == 0
                                              ? &line->request.restore
                                              : &line->request.create_scope);
    line->request.body = SYNCD_BYTES(value.at, syncd_json_size(value));
    return true;
}

static bool check_required(SyncdJson object, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(line_members); i++) {
        const LineMember *member = &line_members[i];
        if (!member->required || syncd_json_member(object, member->name).type != SYNCD_JSON_NONE)
            continue;
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%s is missing", member->name);
        return false;
    }
    return true;
}

static Line *parse_line(SyncdBytes text, GError **error)
{
    if (!syncd_json_check(text.data, text.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;

    g_autoptr(Line) line = g_new0(Line, 1);
    SyncdJsonIter iter;
    SyncdJson name, value, object = syncd_json_root(text.data, text.size);
    if (!check_required(object, error))
        return NULL;
    syncd_json_iter_init(&iter, object);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!take_member(name, value, line, error))
            return NULL;

    line->request.type = line->type;
    line->request.scope = line->scope;
    line->request.object = line->object;
    line->request.idempotency_key = line->idempotency_key;
    line->request.lane = line->lane;
    line->request.data_class = line->data_class;
    line->request.parents = (const char *const *)line->parents;
    return g_steal_pointer(&line);
}

/* ---- all lines ---- */

static bool check_scope(SyncdService *service, const Line *line, GHashTable *opened, GError **error)
{
    /* An earlier line of the same call may be about to open it. */
    if (g_hash_table_contains(opened, line->scope))
        return true;
    if (!syncd_service_check_scope(service, &line->admission, error))
        return false;
    if (line->request.create_scope)
        g_hash_table_add(opened, line->scope);
    return true;
}

static bool add_line(SyncdService *service, const SyncdCaller *caller, SyncdBytes text,
                     GPtrArray *lines, GHashTable *opened, GError **error)
{
    if (lines->len == SYNCD_MANY_MAX) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "There are more than %u requests",
                        SYNCD_MANY_MAX);
        return false;
    }
    Line *line = parse_line(text, error);
    if (line != NULL)
        g_ptr_array_add(lines, line);
    if (line == NULL ||
        !syncd_service_check_request(service, caller, &line->request, &line->admission, error) ||
        !check_scope(service, line, opened, error)) {
        g_prefix_error(error, "Line %u: ", lines->len + (line == NULL));
        return false;
    }
    return true;
}

static GPtrArray *check_lines(SyncdService *service, const SyncdCaller *caller, SyncdBytes text,
                              GError **error)
{
    if (text.size > SYNCD_MANY_SIZE) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "The requests have more than %u bytes",
                        SYNCD_MANY_SIZE);
        return NULL;
    }
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func((GDestroyNotify)line_free);
    g_autoptr(GHashTable) opened = g_hash_table_new(g_str_hash, g_str_equal);
    const char *at = text.data, *end = at + text.size;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (stop == NULL)
            stop = end;
        if (!add_line(service, caller, SYNCD_BYTES(at, (size_t)(stop - at)), lines, opened, error))
            return NULL;
        at = stop + 1;
    }
    return g_steal_pointer(&lines);
}

static void write_result(const SyncdEnqueued *enqueued, GString *out)
{
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, out, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "operation", enqueued->operation);
    syncd_json_member_uint(&writer, "sequence", enqueued->sequence);
    syncd_json_member_bool(&writer, "duplicate", enqueued->duplicate);
    syncd_json_end_object(&writer);
    g_string_append_c(out, '\n');
}

static bool admit_lines(SyncdService *service, const GPtrArray *lines, GString *out, GError **error)
{
    for (guint i = 0; i < lines->len; i++) {
        const Line *line = g_ptr_array_index(lines, i);
        g_auto(SyncdEnqueued) enqueued = {0};
        if (!syncd_service_admit(service, &line->admission, &enqueued, error)) {
            g_prefix_error(error, "Line %u: ", i + 1);
            return false;
        }
        write_result(&enqueued, out);
    }
    return true;
}

GString *syncd_service_enqueue_many(SyncdService *service, const SyncdCaller *caller,
                                    SyncdBytes lines, GError **error)
{
    g_autoptr(GPtrArray) checked = check_lines(service, caller, lines, error);
    if (checked == NULL)
        return NULL;

    /* A turn of its own, so that taking it back takes nothing from others. */
    if (!syncd_service_commit_turn(service, error))
        return NULL;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) failure = NULL;
    if (!admit_lines(service, checked, out, &failure)) {
        if (syncd_service_has_turn(service))
            syncd_service_discard(service, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    return g_steal_pointer(&out);
}
