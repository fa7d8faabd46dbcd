/* What was evaluated, for unevaluatedItems and unevaluatedProperties. */
#include "contract/schema-run.h"

#define BITS_AT_HAND 4u

bool syncd_schema_check_marking(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                const SchemaStep *step, SchemaMarks *marks, SchemaPart part)
{
    if (value.type != SYNCD_JSON_OBJECT && value.type != SYNCD_JSON_ARRAY)
        return part(run, node, value, step, NULL);

    guint64 at_hand[BITS_AT_HAND] = {0};
    g_autofree guint64 *memory = NULL;
    SchemaMarks own = {at_hand, marks != NULL ? marks->count : syncd_json_count(value)};
    guint64 words = own.count / 64 + 1;
    run->budget -= (gint64)(words + syncd_json_size(value) / 64);
    if (words > BITS_AT_HAND)
        own.bits = memory = g_new0(guint64, words);
    bool good = part(run, node, value, step, &own);
    for (guint64 i = 0; good && marks != NULL && i < words; i++)
        marks->bits[i] |= own.bits[i];
    return good;
}

bool syncd_schema_check_unevaluated(SchemaRun *run, const SchemaNode *node, SyncdJson value,
                                    const SchemaStep *step, SchemaMarks *marks)
{
    const SchemaNode *wanted = NULL;
    if (value.type == SYNCD_JSON_OBJECT && node->object != NULL)
        wanted = node->object->unevaluated;
    else if (value.type == SYNCD_JSON_ARRAY && node->array != NULL)
        wanted = node->array->unevaluated;
    if (wanted == NULL)
        return true;

    bool good = true, object = value.type == SYNCD_JSON_OBJECT;
    SyncdJsonIter iter;
    SyncdJson name, element;
    run->budget -= (gint64)(syncd_json_size(value) / 64);
    syncd_json_iter_init(&iter, value);
    for (guint64 i = 0; syncd_json_iter_next(&iter, &name, &element); i++) {
        if (marks->bits[i / 64] >> i % 64 & 1)
            continue;
        SchemaStep inner = {step, name, i};
        if (wanted->never)
            good = syncd_schema_fail(
                run, node, &inner, object ? "unevaluatedProperties" : "unevaluatedItems",
                object ? "is a member that nothing allows" : "is an element that nothing allows");
        else
            good &= syncd_schema_check(run, wanted, element, &inner, NULL);
        if (!good && schema_run_ends(run))
            return false;
        schema_marks_set(marks, i);
    }
    return good;
}
