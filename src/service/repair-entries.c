/* What the log says of repair: asked for first, and owed where the log takes nothing now. */
#include "service/repair-private.h"

#include "base/log.h"

#define DATA_CLASS "internal"
#define TYPE "sync.repair.apply"
#define APPLIED "repair.apply"

/* ---- policy ---- */

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *action,
                   const char *lane, const SyncdPolicyDecision *answer, GError **error)
{
    if (caller != NULL)
        syncd_service_note_policy(service, caller, action, answer->outcome.reason);
    g_autofree char *next = g_strdup_printf(
        "see why with `sourceos-syncd policy explain --action=%s --lane=%s`", action, lane);
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, next,
                         "Policy answers %s to %s in the lane %s: %s", answer->outcome.status,
                         action, lane, answer->outcome.reason);
    return false;
}

/* Where there is no index nobody can be looked up: then he is asked about by what he is found by.
 */
bool syncd_repair_ask(SyncdService *service, const SyncdCaller *caller, const char *action,
                      const char *lane, char ret_decision[SYNCD_DECISION_ID_SIZE], GError **error)
{
    g_autofree char *identity =
        caller != NULL ? syncd_identity_of(caller->uid) : g_strdup(SYNCD_IDENTITY_DAEMON);
    g_auto(SyncdRecordRow) row = {0};
    bool found = false;
    syncd_store_find_identity(service->store, identity, &row, &found, NULL);
    g_autofree char *subject = found ? syncd_service_subject_of(service, row.id, NULL) : NULL;
    SyncdPolicyRequest asked = {{NULL}};
    syncd_ask_about_scope(&asked, "device", "device");
    asked.fields[SYNCD_FIELD_ACTION] = action;
    asked.fields[SYNCD_FIELD_LANE] = lane;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = DATA_CLASS;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = TYPE;
    asked.fields[SYNCD_FIELD_SUBJECT] = subject != NULL ? subject : identity;
    asked.fields[SYNCD_FIELD_ACTOR_TYPE] = found ? row.columns[SYNCD_COLUMN_TYPE] : NULL;
    SyncdPolicyDecision answer = syncd_policy_set_decide(service->policy, &asked);
    if (ret_decision != NULL) {
        const SyncdPolicyInput input = {action, lane, DATA_CLASS, asked.fields[SYNCD_FIELD_SUBJECT],
                                        NULL};
        syncd_policy_decision_id(&input, &answer.outcome, ret_decision);
    }
    return answer.outcome.allowed || refuse(service, caller, action, lane, &answer, error);
}

/* ---- what is owed ---- */

void syncd_repair_owed_free(void *data)
{
    SyncdRepairOwed *owed = data;
    g_free(owed->operation);
    g_free(owed->kind);
    g_free(owed->identity);
    g_free(owed->content);
    g_free(owed);
}

SyncdRepairOwed *syncd_repair_owe(SyncdRepairPlan *plan, const char *kind, const char *identity,
                                  char *content)
{
    SyncdRepairOwed *owed = g_new0(SyncdRepairOwed, 1);
    *owed = (SyncdRepairOwed){syncd_id_new(plan->service->sources, "op"), g_strdup(kind),
                              g_strdup(identity), content};
    g_ptr_array_add(plan->owed, owed);
    return owed;
}

static bool find_actor(SyncdService *service, const char *identity, char **ret_actor,
                       GError **error)
{
    if (!syncd_service_find_own(service, error) ||
        !syncd_store_find_actor(service->store, identity, ret_actor, error))
        return false;
    if (*ret_actor == NULL)
        *ret_actor = g_strdup(service->own_actor);
    return true;
}

static const char *schema_of(const char *kind)
{
    if (strcmp(kind, "repair-plan.made") == 0)
        return SYNCD_REPAIR_PLAN_SCHEMA;
    if (strcmp(kind, APPLIED) == 0 || strcmp(kind, "repair-plan.undone") == 0 ||
        strcmp(kind, "repair-plan.unproven") == 0)
        return SYNCD_REPAIR_REPORT_SCHEMA;
    return SYNCD_REPAIR_APPROVAL_SCHEMA;
}

static bool append(SyncdService *service, const SyncdRepairOwed *owed, GError **error)
{
    SyncdCaller self = {.uid = service->uid, .rehearses = true};
    SyncdPolicyRequest asked = {{NULL}};
    g_autofree char *actor = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    const char *device = syncd_store_device_id(service->store);
    syncd_ask_about_scope(&asked, "device", "device");
    asked.fields[SYNCD_FIELD_LANE] = SYNCD_LANE_AUDIT;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = DATA_CLASS;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = TYPE;
    if (!find_actor(service, owed->identity, &actor, error))
        return false;
    bool applied = strcmp(owed->kind, APPLIED) == 0;
    const char *writer = applied ? service->own_actor : actor;
    g_autoptr(SyncdDecisions) decisions =
        syncd_service_decide(service, &self, writer, &asked, error);
    if (decisions == NULL || !syncd_service_record_decisions(service, writer, decisions, error))
        return false;
    g_autofree char *meta = applied
                                ? syncd_service_make_meta(service, device, DATA_CLASS, TYPE, error)
                                : g_strdup("{}");
    SyncdDraft draft = {
        .kind = owed->kind,
        .actor = writer,
        .op = owed->operation,
        .object = "",
        .decision = decisions->decisions[0].id,
        .engine = "",
        .lane = SYNCD_LANE_AUDIT,
        .schema_id = schema_of(owed->kind),
        .schema_version = 1,
        .meta = meta != NULL ? SYNCD_BYTES_TEXT(meta) : SYNCD_BYTES("", 0),
        .content = SYNCD_BYTES_TEXT(owed->content),
    };
    return meta != NULL && syncd_service_append(service, device, &draft, &receipt, error);
}

/* `*ret_durable`: it is in the log, and was not just put there. */
static bool settle_one(SyncdService *service, const SyncdRepairOwed *owed, bool *ret_durable,
                       GError **error)
{
    guint64 pos;
    *ret_durable = false;
    if (!syncd_store_find_op(service->store, owed->operation, &pos, error))
        return false;
    *ret_durable = pos != 0 && pos <= syncd_store_sequence(service->store);
    return pos != 0 || append(service, owed, error);
}

static bool settle_plan(SyncdRepairPlan *plan, GError **error)
{
    while (plan->owed->len > 0) {
        bool durable, all = true;
        for (guint i = 0; i < plan->owed->len; i++) {
            if (!settle_one(plan->service, plan->owed->pdata[i], &durable, error))
                return false;
            if (durable) {
                g_ptr_array_remove_index(plan->owed, i--);
                plan->unsaved = true;
            } else {
                all = false;
            }
        }
        if (!all)
            return true; /* they are, after the commit */
    }
    return true;
}

/* That the log does not take it fails nobody who waits for it: the ledger has it. */
static void leave_owed(SyncdService *service, bool had_turn, const GError *why)
{
    if (!had_turn && syncd_service_has_turn(service))
        syncd_service_discard(service, why);
}

void syncd_repair_settle(SyncdService *service)
{
    SyncdRepairs *repairs = service->repairs;
    bool is_news = repairs->retry == 0;
    if (repairs->retry > syncd_service_monotonic(service))
        return;
    /* Whatever ends what keeps it from that asks for work; a time that has passed would hide all
     * others that are due. */
    repairs->retry = 0;
    if (syncd_store_condition(service->store) != SYNCD_STORE_WRITABLE ||
        syncd_store_is_indexing(service->store) || syncd_store_lacks_index(service->store))
        return;
    for (guint i = 0; i < repairs->plans->len; i++) {
        SyncdRepairPlan *plan = repairs->plans->pdata[i];
        g_autoptr(GError) error = NULL;
        bool had_turn = syncd_service_has_turn(service);
        if ((plan->owed->len > 0 && !settle_plan(plan, &error)) ||
            (plan->unsaved && !syncd_repair_save(plan, &error))) {
            if (is_news)
                syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR,
                          "The log does not say yet what was done about %s: %s", plan->id,
                          error->message);
            repairs->retry = syncd_service_monotonic(service) + SYNCD_REPAIR_RETRY_USEC;
            leave_owed(service, had_turn, error);
        }
    }
}
