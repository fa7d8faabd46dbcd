#include "domain/migration-steps.h"

#include "base/json-writer.h"
#include "contract/installed.h"
#include "domain/family.h"
#include "domain/json-pointer.h"

#include <string.h>

typedef const char *(*RunFunc)(const SyncdMigrationStep *step, SyncdJson document, GString *out);

struct SyncdMigrationOp {
    const char *name;
    const char *argument; /* the member that holds it; NULL: none */
    RunFunc run;
    /* The inverse's operation, pointer and argument; false when something is lost. */
    bool (*invert)(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse);
};

typedef enum { MOVE, ADD, DEFAULT, REMOVE, MAP, WRAP, UNWRAP, N_OPS } OpId;
static const SyncdMigrationOp ops[N_OPS];

#define STEPS(strv) ((const char *const *)(strv))

static SyncdJson json_of(const char *text)
{
    return syncd_json_root(text, strlen(text));
}

static SyncdJson value_at(const SyncdMigrationStep *step, SyncdJson document)
{
    return syncd_pointer_get(document, STEPS(step->path));
}

static const char *keep(SyncdJson document, GString *out)
{
    g_string_append_len(out, document.at, (gssize)syncd_json_size(document));
    return NULL;
}

static const char *put(const SyncdMigrationStep *step, SyncdJson document, SyncdJson value,
                       GString *out)
{
    syncd_pointer_put(document, STEPS(step->path), value, out);
    return NULL;
}

/* ---- what each does ---- */

static const char *run_move(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    SyncdJson value = value_at(step, document);
    if (value.type == SYNCD_JSON_NONE)
        return keep(document, out);
    if (syncd_pointer_get(document, STEPS(step->to_path)).type != SYNCD_JSON_NONE)
        return "cannot be moved: there is something where it would be";
    if (syncd_pointer_parent(document, STEPS(step->to_path)).type == SYNCD_JSON_NONE)
        return "cannot be moved: there is no object for it";
    g_autoptr(GString) without = g_string_new(NULL);
    put(step, document, (SyncdJson){0}, without);
    syncd_pointer_put(syncd_json_root(without->str, without->len), STEPS(step->to_path), value,
                      out);
    return NULL;
}

static const char *run_default(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    if (value_at(step, document).type != SYNCD_JSON_NONE)
        return keep(document, out);
    if (syncd_pointer_parent(document, STEPS(step->path)).type == SYNCD_JSON_NONE)
        return "cannot be added: there is no object for it";
    return put(step, document, json_of(step->to), out);
}

static const char *run_add(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    if (value_at(step, document).type != SYNCD_JSON_NONE)
        return "cannot be added: it is there already";
    return run_default(step, document, out);
}

static const char *run_remove(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    bool there = value_at(step, document).type != SYNCD_JSON_NONE;
    return there ? put(step, document, (SyncdJson){0}, out) : keep(document, out);
}

static const char *run_map(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    SyncdJson value = value_at(step, document);
    if (value.type == SYNCD_JSON_NONE)
        return keep(document, out);
    g_autofree char *text = syncd_json_dup_text(value);
    SyncdJson other = text != NULL ? syncd_json_member(json_of(step->to), text) : (SyncdJson){0};
    return other.type != SYNCD_JSON_NONE ? put(step, document, other, out)
                                         : "has a value that the manifest does not map";
}

static const char *run_wrap(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    SyncdJson value = value_at(step, document);
    SyncdJsonWriter writer;
    g_autoptr(GString) around = g_string_new(NULL);
    if (value.type == SYNCD_JSON_NONE)
        return keep(document, out);
    syncd_json_writer_init(&writer, around, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_value(&writer, step->to, value);
    syncd_json_end_object(&writer);
    return put(step, document, syncd_json_root(around->str, around->len), out);
}

static const char *run_unwrap(const SyncdMigrationStep *step, SyncdJson document, GString *out)
{
    SyncdJsonIter iter;
    SyncdJson name, inner, value = value_at(step, document);
    if (value.type == SYNCD_JSON_NONE)
        return keep(document, out);
    syncd_json_iter_init(&iter, value);
    if (value.type != SYNCD_JSON_OBJECT || !syncd_json_iter_next(&iter, &name, &inner) ||
        !syncd_json_is(name, step->to) || syncd_json_iter_next(&iter, NULL, NULL))
        return "cannot be unwrapped: it is no object with that member alone";
    return put(step, document, inner, out);
}

/* ---- the way back ---- */

static bool invert_to(OpId op, const char *pointer, const char *to, SyncdMigrationStep *ret_inverse)
{
    *ret_inverse = (SyncdMigrationStep){.op = &ops[op]};
    ret_inverse->pointer = g_strdup(pointer);
    ret_inverse->to = g_strdup(to);
    return true;
}

static bool invert_move(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse)
{
    return invert_to(MOVE, step->to, step->pointer, ret_inverse);
}

static bool invert_add(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse)
{
    return invert_to(REMOVE, step->pointer, NULL, ret_inverse);
}

static bool invert_wrap(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse)
{
    return invert_to(UNWRAP, step->pointer, step->to, ret_inverse);
}

static bool invert_unwrap(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse)
{
    return invert_to(WRAP, step->pointer, step->to, ret_inverse);
}

/* When each text becomes another text of its own. */
static bool invert_map(const SyncdMigrationStep *step, SyncdMigrationStep *ret_inverse)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJsonWriter writer;
    g_autoptr(GString) back = g_string_new(NULL);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    syncd_json_writer_init(&writer, back, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, json_of(step->to));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        char *text = syncd_json_dup_text(value);
        if (text == NULL || !g_hash_table_add(seen, text))
            return false;
        syncd_json_member_value(&writer, text, name);
    }
    syncd_json_end_object(&writer);
    return invert_to(MAP, step->pointer, back->str, ret_inverse);
}

static bool lose(const SyncdMigrationStep *step G_GNUC_UNUSED,
                 SyncdMigrationStep *ret_inverse G_GNUC_UNUSED)
{
    return false;
}

/* clang-format off */
static const SyncdMigrationOp ops[N_OPS] = {
    [MOVE] = {"move", "to", run_move, invert_move},
    [ADD] = {"add", "value", run_add, invert_add},
    /* Afterwards nobody knows whether it was there. */
    [DEFAULT] = {"default", "value", run_default, lose},
    [REMOVE] = {"remove", NULL, run_remove, lose},
    [MAP] = {"map", "values", run_map, invert_map},
    [WRAP] = {"wrap", "member", run_wrap, invert_wrap},
    [UNWRAP] = {"unwrap", "member", run_unwrap, invert_unwrap},
};
/* clang-format on */

/* ---- a step ---- */

void syncd_migration_step_free(SyncdMigrationStep *step)
{
    if (step == NULL)
        return;
    g_free(step->pointer);
    g_strfreev(step->path);
    g_free(step->to);
    g_strfreev(step->to_path);
    g_free(step);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMigrationStep, syncd_migration_step_free)

/* What the contract of object records names, and what the registry writes. */
static bool is_of_every_object(const char *name)
{
    const SyncdFamily *objects = syncd_family(SYNCD_FAMILY_OBJECT);
    const SyncdInstalledSchema *schema = syncd_installed_schema_find(objects->schema);
    SyncdJson members = syncd_json_member(json_of(schema->text), "properties");
    return syncd_json_member(members, name).type != SYNCD_JSON_NONE ||
           syncd_family_stamps(objects, name);
}

static bool read_pointer(const char *text, guint index, const char *member, GStrv *ret_path,
                         GError **error)
{
    *ret_path = text != NULL ? syncd_pointer_read(text) : NULL;
    if (*ret_path == NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/steps/%u/%s must be a JSON pointer of at most %u steps", index, member,
                        SYNCD_POINTER_STEPS_MAX);
        return false;
    }
    if (!is_of_every_object((*ret_path)[0]))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "migrate only what the schema itself brings",
                         "/steps/%u/%s: /%s is in every object's record, whatever its schema",
                         index, member, (*ret_path)[0]);
    return false;
}

static const SyncdMigrationOp *find_op(SyncdJson name)
{
    size_t i = 0;
    while (!syncd_json_is(name, ops[i].name))
        i++;
    return &ops[i];
}

static char *read_argument(const SyncdMigrationOp *op, SyncdJson step)
{
    static const char *const documents[] = {"value", "values", NULL};
    if (op->argument == NULL)
        return NULL;
    SyncdJson argument = syncd_json_member(step, op->argument);
    return g_strv_contains(documents, op->argument)
               ? g_strndup(argument.at, syncd_json_size(argument))
               : syncd_json_dup_text(argument);
}

SyncdMigrationStep *syncd_migration_step_read(SyncdJson json, guint index, GError **error)
{
    g_autoptr(SyncdMigrationStep) step = g_new0(SyncdMigrationStep, 1);
    step->op = find_op(syncd_json_member(json, "op"));
    step->pointer = syncd_json_dup_text(syncd_json_member(json, "path"));
    step->to = read_argument(step->op, json);
    if (!read_pointer(step->pointer, index, "path", &step->path, error) ||
        (step->op == &ops[MOVE] && !read_pointer(step->to, index, "to", &step->to_path, error)))
        return NULL;
    if (step->op->argument != NULL && step->to == NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/steps/%u/%s must not contain U+0000",
                        index, step->op->argument);
        return NULL;
    }
    return g_steal_pointer(&step);
}

SyncdMigrationStep *syncd_migration_step_invert(const SyncdMigrationStep *step)
{
    g_autoptr(SyncdMigrationStep) inverse = g_new0(SyncdMigrationStep, 1);
    if (!step->op->invert(step, inverse))
        return NULL;
    inverse->path = syncd_pointer_read(inverse->pointer);
    if (inverse->op == &ops[MOVE])
        inverse->to_path = syncd_pointer_read(inverse->to);
    return g_steal_pointer(&inverse);
}

const char *syncd_migration_step_run(const SyncdMigrationStep *step, SyncdJson document,
                                     GString *out)
{
    return step->op->run(step, document, out);
}
