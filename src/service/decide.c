#include "service/internal.h"

#include "contract/records.h"

static const char *const needed_actions[SYNCD_N_DECISIONS] = {"write", "retain"};

void syncd_decisions_clear(SyncdDecisions *decisions)
{
    g_clear_pointer(&decisions->subject, g_free);
}

bool syncd_service_decide(SyncdService *service, const SyncdCaller *caller, const char *lane,
                          const char *data_class, SyncdDecisions *ret_decisions, GError **error)
{
    ret_decisions->subject = syncd_identity_of(caller->uid);
    for (size_t i = 0; i < SYNCD_N_DECISIONS; i++) {
        SyncdDecision *decision = &ret_decisions->decisions[i];
        decision->input =
            (SyncdPolicyInput){needed_actions[i], lane, data_class, ret_decisions->subject, NULL};
        decision->outcome = syncd_policy_decide(&decision->input);
        if (!decision->outcome.allowed) {
            syncd_service_note_policy(service, caller, decision->input.action,
                                      decision->outcome.reason);
            syncd_set_error(error, SYNCD_ERROR_POLICY_DENIED,
                            "Policy %s answers %s to %s in the lane %s: %s",
                            SYNCD_POLICY_ID " " SYNCD_POLICY_VERSION, decision->outcome.status,
                            decision->input.action, lane, decision->outcome.reason);
            return false;
        }
        syncd_policy_decision_id(&decision->input, &decision->outcome, decision->id);
    }
    return true;
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
                                    const SyncdDecisions *decisions, GError **error)
{
    for (size_t i = 0; i < SYNCD_N_DECISIONS; i++) {
        const SyncdDecision *decision = &decisions->decisions[i];
        bool has;
        if (!syncd_store_has_decision(service->store, service->policy_digest, decision->id, &has,
                                      error) ||
            (!has && !record_decision(service, actor, decision, error)))
            return false;
    }
    return true;
}
