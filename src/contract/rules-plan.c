/* Repair plans: the numbers of their steps, and what they destroy. */
#include "contract/decimal.h"
#include "contract/rules.h"

static bool is_number(SyncdJson value, guint64 wanted)
{
    guint64 number;
    SyncdDecimal decimal = syncd_decimal_read(value);
    return syncd_decimal_get_uint64(&decimal, &number) && number == wanted;
}

static void check_step(SyncdJson step, unsigned index, bool is_preview, SyncdRuling *ruling)
{
    SyncdJson order = syncd_json_member(step, "order");
    if (syncd_rule_is_count(order) && !is_number(order, (guint64)index + 1)) {
        g_autofree char *path = g_strdup_printf("/steps/%u/order", index);
        syncd_rule_break(ruling, "steps-are-numbered", path, "must be %u, its place", index + 1);
    }
    if (is_preview && syncd_json_member(step, "destructive").type == SYNCD_JSON_TRUE) {
        g_autofree char *path = g_strdup_printf("/steps/%u/destructive", index);
        syncd_rule_break(ruling, "previews-destroy-nothing", path,
                         "must be false as long as the plan is a preview");
    }
}

void syncd_rules_of_plan(SyncdJson plan, SyncdRuling *ruling)
{
    SyncdJsonIter iter;
    SyncdJson step;
    SyncdJson steps = syncd_json_member(plan, "steps");
    bool is_preview = syncd_json_is(syncd_json_member(plan, "status"), "preview");
    bool destroys = false, said;
    unsigned index = 0;
    if (steps.type != SYNCD_JSON_ARRAY)
        return;
    syncd_json_iter_init(&iter, steps);
    for (; syncd_json_iter_next(&iter, NULL, &step); index++) {
        check_step(step, index, is_preview, ruling);
        destroys |= syncd_json_member(step, "destructive").type == SYNCD_JSON_TRUE;
    }
    SyncdJson policy = syncd_json_member(plan, "policy");
    if (syncd_json_get_bool(syncd_json_member(policy, "destructive_actions_present"), &said) &&
        said != destroys)
        syncd_rule_break(ruling, "destruction-is-said", "/policy/destructive_actions_present",
                         destroys ? "must be true, because a step is destructive"
                                  : "must be false, because no step is destructive");
}
