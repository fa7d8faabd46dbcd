/* What a schema demands of an object. */
#include "contract/schema-run.h"

typedef struct {
    SyncdJson name;
    SyncdJson value;
    const char *text; /* of the name, unescaped */
    size_t size;
    const SchemaProperty *property;
} Member;

static bool check_by_patterns(SchemaRun *run, const SchemaObject *object, const Member *member,
                              const SchemaStep *step, bool *ret_known)
{
    bool good = true;
    for (unsigned i = 0; i < object->pattern_count; i++) {
        if (!syncd_pattern_matches(object->patterns[i].pattern, member->text, member->size,
                                   &run->budget))
            continue;
        *ret_known = true;
        good &= syncd_schema_check(run, object->patterns[i].node, member->value, step, NULL);
        if (!good && schema_run_ends(run))
            return false;
    }
    return good;
}

static bool check_additional(SchemaRun *run, const SchemaNode *node, const Member *member,
                             const SchemaStep *step)
{
    if (node->object->additional->never)
        return syncd_schema_fail(run, node, step, "additionalProperties",
                                 "is a member that is not allowed");
    return syncd_schema_check(run, node->object->additional, member->value, step, NULL);
}

static bool check_member(SchemaRun *run, const SchemaNode *node, const Member *member,
                         const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaObject *object = node->object;
    const SchemaNode *named = member->property != NULL ? member->property->node : NULL;
    bool known = named != NULL, good = true;
    if (named != NULL)
        good = syncd_schema_check(run, named, member->value, step, NULL);
    if (object->pattern_count > 0 && (good || !schema_run_ends(run)))
        good &= check_by_patterns(run, object, member, step, &known);
    if (!known && object->additional != NULL) {
        known = true;
        good &= check_additional(run, node, member, step);
    }
    if (object->names != NULL && (good || !schema_run_ends(run)))
        good &= syncd_schema_check(run, object->names, member->name, step, NULL);
    if (known)
        schema_marks_set(marks, step->index);
    return good;
}

typedef struct {
    guint64 members;
    unsigned required;
} Counts;

static bool check_members(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                          const SchemaStep *step, SchemaMarks *marks, Counts *counts)
{
    bool good = true;
    Member member;
    SyncdJsonIter iter;
    run->budget -= (gint64)(syncd_json_size(value) / 64);
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, &member.name, &member.value); counts->members++) {
        g_autofree char *memory = NULL;
        if (!syncd_json_get_plain(member.name, &member.text, &member.size))
            member.text = memory = syncd_json_dup_string(member.name, &member.size);
        run->budget -= 1 + (gint64)(member.size / 64);
        member.property = syncd_schema_object_find(node->object, member.text, member.size);
        counts->required += member.property != NULL && member.property->required;
        SchemaStep inner = {step, member.name, counts->members};
        good &= check_member(run, node, &member, &inner, marks);
        if (!good && schema_run_ends(run))
            return false;
    }
    return good;
}

static bool has_member(SchemaRun *run, SyncdJson object, const char *wanted, size_t size)
{
    SyncdJsonIter iter;
    SyncdJson name;
    const SchemaValue value = {.text = (char *)wanted, .size = size};
    run->budget -= 1 + (gint64)(syncd_json_size(object) / 32);
    syncd_json_iter_init(&iter, object);
    while (run->budget > 0 && syncd_json_iter_next(&iter, &name, NULL))
        if (syncd_schema_equals(name, &value, &run->budget))
            return true;
    return false;
}

static bool report_missing(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                           const SchemaStep *step)
{
    const SchemaObject *object = node->object;
    for (unsigned i = 0; i < object->count && !schema_run_ends(run); i++) {
        const SchemaProperty *property = &object->properties[i];
        if (property->required && !has_member(run, value, property->name, property->size))
            syncd_schema_fail(run, node, step, "required", "must have the member \"%s\"",
                              property->name);
    }
    return false;
}

static bool check_dependency(SchemaRun *run, const SchemaNode *node,
                             const SchemaDependency *dependency, SyncdJson value,
                             const SchemaStep *step, SchemaMarks *marks)
{
    bool good = true;
    if (!has_member(run, value, dependency->trigger, dependency->size))
        return true;
    if (dependency->node != NULL)
        return syncd_schema_check(run, dependency->node, value, step, marks);
    for (unsigned i = 0; i < dependency->count; i++) {
        const SchemaValue *name = &dependency->names[i];
        if (has_member(run, value, name->text, name->size))
            continue;
        good = syncd_schema_fail(run, node, step, dependency->keyword,
                                 "must have the member \"%s\" because it has \"%s\"", name->text,
                                 dependency->trigger);
        if (schema_run_ends(run))
            return false;
    }
    return good;
}

static bool check_counts(SchemaRun *run, const SchemaNode *node, const SchemaStep *step,
                         guint64 count)
{
    const SchemaObject *object = node->object;
    bool good = true;
    if (count < object->min_properties)
        good = syncd_schema_fail(run, node, step, "minProperties",
                                 "must have at least %" G_GUINT64_FORMAT
                                 " members, but has %" G_GUINT64_FORMAT,
                                 object->min_properties, count);
    if (count > object->max_properties)
        good = syncd_schema_fail(run, node, step, "maxProperties",
                                 "must have at most %" G_GUINT64_FORMAT
                                 " members, but has %" G_GUINT64_FORMAT,
                                 object->max_properties, count);
    return good;
}

bool syncd_schema_check_object(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                               const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaObject *object = node->object;
    Counts counts = {0, 0};
    bool good = check_members(run, node, value, step, marks, &counts);
    if (!good && schema_run_ends(run))
        return false;
    if (counts.required < object->required_count)
        good = report_missing(run, node, value, step);
    good &= check_counts(run, node, step, counts.members);
    for (unsigned i = 0; i < object->dependency_count && (good || !schema_run_ends(run)); i++)
        good &= check_dependency(run, node, &object->dependencies[i], value, step, marks);
    return good;
}
