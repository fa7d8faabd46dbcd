#include "service/internal.h"

#include "contract/records.h"

static const char *const needed_actions[SYNCD_N_DECISIONS] = {"write", "retain"};

static guint hash_class(const void *key)
{
    const SyncdDecisions *decisions = key;
    return decisions->uid * 31 + g_str_hash(decisions->lane) * 7 +
           g_str_hash(decisions->data_class);
}

static gboolean same_class(const void *one, const void *other)
{
    const SyncdDecisions *left = one, *right = other;
    return left->uid == right->uid && strcmp(left->lane, right->lane) == 0 &&
           strcmp(left->data_class, right->data_class) == 0;
}

static void decisions_free(SyncdDecisions *decisions)
{
    if (decisions == NULL)
        return;
    g_free(decisions->subject);
    g_free(decisions);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDecisions, decisions_free)

GHashTable *syncd_decisions_new(void)
{
    return g_hash_table_new_full(hash_class, same_class, (GDestroyNotify)decisions_free, NULL);
}

static bool decide(SyncdService *service, const SyncdCaller *caller, SyncdDecisions *decisions,
                   GError **error)
{
    for (size_t i = 0; i < SYNCD_N_DECISIONS; i++) {
        SyncdDecision *decision = &decisions->decisions[i];
        decision->input = (SyncdPolicyInput){needed_actions[i], decisions->lane,
                                             decisions->data_class, decisions->subject, NULL};
        decision->outcome = syncd_policy_decide(&decision->input);
        if (!decision->outcome.allowed) {
            syncd_service_note_policy(service, caller, decision->input.action,
                                      decision->outcome.reason);
            syncd_set_error(error, SYNCD_ERROR_POLICY_DENIED,
                            "Policy %s answers %s to %s in the lane %s: %s",
                            SYNCD_POLICY_ID " " SYNCD_POLICY_VERSION, decision->outcome.status,
                            decision->input.action, decisions->lane, decision->outcome.reason);
            return false;
        }
        syncd_policy_decision_id(&decision->input, &decision->outcome, decision->id);
    }
    return true;
}

SyncdDecisions *syncd_service_decide(SyncdService *service, const SyncdCaller *caller,
                                     const char *lane, const char *data_class, GError **error)
{
    const SyncdDecisions class = {.uid = caller->uid, .lane = lane, .data_class = data_class};
    SyncdDecisions *known = g_hash_table_lookup(service->decisions, &class);
    if (known != NULL)
        return known;

    g_autoptr(SyncdDecisions) decisions = g_new0(SyncdDecisions, 1);
    *decisions = class;
    decisions->subject = syncd_identity_of(caller->uid);
    if (!decide(service, caller, decisions, error))
        return NULL;
    known = decisions;
    g_hash_table_add(service->decisions, g_steal_pointer(&decisions));
    return known;
}

static bool record_decision(SyncdService *service, const char *actor, const SyncdDecision *decision,
                            GError **error)
{
    SyncdDecisionRecord record = {
        .decision_id = decision->id,
        .policy_digest = service->policy_digest,
        .policy_id = SYNCD_POLICY_ID,
        .policy_version = SYNCD_POLICY_VERSION,
        .actor_id = actor,
        .action = decision->input.action,
        .lane = decision->input.lane,
        .data_class = decision->input.data_class,
        .subject = decision->input.subject,
        .status = decision->outcome.status,
        .reason = decision->outcome.reason,
        .decided_ms = syncd_service_now_ms(service),
    };
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_decision_record_write(&record, content);
    return syncd_service_append_own(service, "policy.decision", SYNCD_LANE_POLICY,
                                    SYNCD_DECISION_SCHEMA, content, error);
}

bool syncd_service_record_decisions(SyncdService *service, const char *actor,
                                    SyncdDecisions *decisions, GError **error)
{
    if (decisions->recorded == syncd_store_registries(service->store))
        return true;
    for (size_t i = 0; i < SYNCD_N_DECISIONS; i++) {
        const SyncdDecision *decision = &decisions->decisions[i];
        bool has;
        if (!syncd_store_has_decision(service->store, service->policy_digest, decision->id, &has,
                                      error) ||
            (!has && !record_decision(service, actor, decision, error)))
            return false;
    }
    decisions->recorded = syncd_store_registries(service->store);
    return true;
}
