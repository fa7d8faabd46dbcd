/* What a schema demands of an array. */
#include "contract/schema-run.h"

typedef struct {
    guint64 count;
    guint64 contained;
} Counts;

/* The schema of the element with this number, NULL when none is for it alone. */
static const SchemaNode *node_of(const SchemaArray *array, guint64 index)
{
    return index < array->prefix.count ? array->prefix.nodes[index] : array->items;
}

static bool check_element(SchemaRun *run, const SchemaNode *node, SyncdJson element,
                          const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaArray *array = node->array;
    const SchemaNode *wanted = node_of(array, step->index);
    if (wanted == NULL)
        return true;
    schema_marks_set(marks, step->index);
    if (wanted->never && step->index >= array->prefix.count)
        return syncd_schema_fail(run, node, step, array->items_name,
                                 "is one element too many: %u are allowed", array->prefix.count);
    return syncd_schema_check(run, wanted, element, step, NULL);
}

static bool check_elements(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                           const SchemaStep *step, SchemaMarks *marks, Counts *counts)
{
    const SchemaArray *array = node->array;
    bool good = true;
    SyncdJsonIter iter;
    SyncdJson element;
    run->budget -= (gint64)(syncd_json_size(value) / 64);
    syncd_json_iter_init(&iter, value);
    for (; syncd_json_iter_next(&iter, NULL, &element); counts->count++) {
        SchemaStep inner = {step, {0}, counts->count};
        run->budget--;
        good &= check_element(run, node, element, &inner, marks);
        if (!good && schema_run_ends(run))
            return false;
        if (array->contains != NULL &&
            syncd_schema_try(run, array->contains, element, &inner, NULL)) {
            counts->contained++;
            schema_marks_set(marks, counts->count);
        }
    }
    return good;
}

static bool check_counts(SchemaRun *run, const SchemaNode *node, const SchemaStep *step,
                         const Counts *counts)
{
    const SchemaArray *array = node->array;
    bool good = true;
    if (counts->count < array->min_items)
        good = syncd_schema_fail(run, node, step, "minItems",
                                 "must have at least %" G_GUINT64_FORMAT
                                 " elements, but has %" G_GUINT64_FORMAT,
                                 array->min_items, counts->count);
    if (counts->count > array->max_items)
        good = syncd_schema_fail(run, node, step, "maxItems",
                                 "must have at most %" G_GUINT64_FORMAT
                                 " elements, but has %" G_GUINT64_FORMAT,
                                 array->max_items, counts->count);
    if (array->contains == NULL)
        return good;
    if (counts->contained < array->min_contains)
        good = syncd_schema_fail(run, node, step,
                                 array->min_contains == 1 ? "contains" : "minContains",
                                 "must contain %" G_GUINT64_FORMAT
                                 " elements of the wanted kind, but has %" G_GUINT64_FORMAT,
                                 array->min_contains, counts->contained);
    if (counts->contained > array->max_contains)
        good = syncd_schema_fail(run, node, step, "maxContains",
                                 "must contain at most %" G_GUINT64_FORMAT
                                 " elements of that kind, but has %" G_GUINT64_FORMAT,
                                 array->max_contains, counts->contained);
    return good;
}

static bool check_unique(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                         const SchemaStep *step)
{
    guint64 first, second;
    if (!syncd_schema_find_twins(value, &first, &second, &run->budget))
        return true;
    return syncd_schema_fail(run, node, step, "uniqueItems",
                             "must not have the same element twice: %" G_GUINT64_FORMAT
                             " and %" G_GUINT64_FORMAT,
                             first, second);
}

bool syncd_schema_check_array(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                              const SchemaStep *step, SchemaMarks *marks)
{
    Counts counts = {0, 0};
    bool good = check_elements(run, node, value, step, marks, &counts);
    if (!good && schema_run_ends(run))
        return false;
    good &= check_counts(run, node, step, &counts);
    if (node->array->unique && (good || !schema_run_ends(run)))
        good &= check_unique(run, node, value, step);
    return good;
}
