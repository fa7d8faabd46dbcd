/* Conflict records: what was chosen could be chosen. Service graphs: what is counted is there. */
#include "contract/decimal.h"
#include "contract/rules.h"

static void check_option(SyncdJson card, const char *name, const char *rule, GHashTable *options,
                         SyncdRuling *ruling)
{
    SyncdJson value = syncd_json_member(card, name);
    if (value.type != SYNCD_JSON_STRING || syncd_rule_has(options, value))
        return;
    g_autofree char *path = g_strconcat("/decision_card/", name, NULL);
    syncd_rule_break(ruling, rule, path, "must be one of the card's options");
}

void syncd_rules_of_conflict(SyncdJson conflict, SyncdRuling *ruling)
{
    SyncdJson card = syncd_json_member(conflict, "decision_card");
    SyncdJson options = syncd_json_member(card, "options");
    if (options.type != SYNCD_JSON_ARRAY)
        return;
    g_autoptr(GHashTable) known = syncd_rule_texts(options, NULL);
    check_option(card, "recommended_option", "recommended-is-an-option", known, ruling);
    check_option(card, "selected_option", "selected-is-an-option", known, ruling);
}

void syncd_rules_of_graph(SyncdJson graph, SyncdRuling *ruling)
{
    guint64 number;
    SyncdJson services = syncd_json_member(graph, "services");
    SyncdJson count = syncd_json_member(graph, "service_count");
    syncd_rule_differ(ruling, "service-ids-differ", "/services", services, "service_id");
    if (services.type != SYNCD_JSON_ARRAY || !syncd_rule_is_count(count))
        return;
    SyncdDecimal decimal = syncd_decimal_read(count);
    if (!syncd_decimal_get_uint64(&decimal, &number) || number != syncd_json_count(services))
        syncd_rule_break(ruling, "services-are-counted", "/service_count",
                         "must be the number of services");
}
