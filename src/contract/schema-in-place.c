/* Schemas that apply others to the same value. */
#include "contract/schema-run.h"

bool syncd_schema_try(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                      const SchemaStep *step, SchemaMarks *marks)
{
    run->quiet++;
    bool good = syncd_schema_check(run, node, value, step, marks);
    run->quiet--;
    return good;
}

static bool check_all(SchemaRun *run, const SchemaNodes *all, SyncdJson value,
                      const SchemaStep *step, SchemaMarks *marks)
{
    bool good = true;
    for (unsigned i = 0; i < all->count; i++) {
        good &= syncd_schema_check(run, all->nodes[i], value, step, marks);
        if (!good && schema_run_ends(run))
            return false;
    }
    return good;
}

/* With marks every alternative counts, without them one is enough. */
static bool check_any(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                      const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaNodes *any = &node->in_place->any;
    bool good = any->count == 0;
    for (unsigned i = 0; i < any->count && (marks != NULL || !good) && run->budget > 0; i++)
        good |= syncd_schema_try(run, any->nodes[i], value, step, marks);
    if (good)
        return true;
    return syncd_schema_fail(run, node, step, "anyOf", "matches none of the %u alternatives",
                             any->count);
}

static bool check_one(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                      const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaNodes *one = &node->in_place->one;
    unsigned first = 0, matches = 0;
    if (one->count == 0)
        return true;
    for (unsigned i = 0; i < one->count && run->budget > 0; i++) {
        if (!syncd_schema_try(run, one->nodes[i], value, step, marks))
            continue;
        if (matches++ > 0)
            return syncd_schema_fail(run, node, step, "oneOf",
                                     "must match one alternative, but matches both number %u and "
                                     "number %u",
                                     first, i);
        first = i;
    }
    return matches == 1 || syncd_schema_fail(run, node, step, "oneOf",
                                             "matches none of the %u alternatives", one->count);
}

static bool check_condition(SchemaRun *run, const SchemaInPlace *rules, SyncdJson value,
                            const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaNode *next = syncd_schema_try(run, rules->condition, value, step, marks)
                                 ? rules->then
                                 : rules->otherwise;
    return next == NULL || syncd_schema_check(run, next, value, step, marks);
}

bool syncd_schema_check_in_place(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                 const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaInPlace *rules = node->in_place;
    bool good =
        rules->reference == NULL || syncd_schema_check(run, rules->reference, value, step, marks);
    if (good || !schema_run_ends(run))
        good &= check_all(run, &rules->all, value, step, marks);
    if (good || !schema_run_ends(run))
        good &= check_any(run, node, value, step, marks);
    if (good || !schema_run_ends(run))
        good &= check_one(run, node, value, step, marks);
    if (rules->negated != NULL && (good || !schema_run_ends(run)) &&
        syncd_schema_try(run, rules->negated, value, step, NULL))
        good = syncd_schema_fail(run, node, step, "not", "matches what it must not match");
    if (rules->condition != NULL && (good || !schema_run_ends(run)))
        good &= check_condition(run, rules, value, step, marks);
    return good;
}
