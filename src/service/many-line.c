#include "service/many-line.h"

#include "contract/member.h"

void syncd_line_free(SyncdLine *line)
{
    if (line == NULL)
        return;
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

typedef struct {
    const char *name;
    SyncdShape shape;
    bool required;
    size_t text; /* where the text goes; 0 for members that are no text */
} LineMember;

static const LineMember line_members[] = {
    {"type", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(SyncdLine, type)},
    {"scope", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(SyncdLine, scope)},
    {"object", SYNCD_SHAPE_STRING, true, G_STRUCT_OFFSET(SyncdLine, object)},
    {"body", SYNCD_SHAPE_OBJECT, true, 0},
    {"idempotency_key", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(SyncdLine, idempotency_key)},
    {"lane", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(SyncdLine, lane)},
    {"data_class", SYNCD_SHAPE_STRING, false, G_STRUCT_OFFSET(SyncdLine, data_class)},
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

static bool take_parents(SyncdJson value, SyncdLine *line, GError **error)
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

static bool take_member(SyncdJson name, SyncdJson value, SyncdLine *line, GError **error)
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

SyncdLine *syncd_line_parse(SyncdBytes text, GError **error)
{
    if (!syncd_json_check(text.data, text.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return NULL;

    g_autoptr(SyncdLine) line = g_new0(SyncdLine, 1);
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
