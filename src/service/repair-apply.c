/* Beginning: what is asked before a plan is applied or rolled back, and what the ledger says then.
 */
#include "service/repair-private.h"

#include "base/timestamp.h"

static char *write_beginning(const SyncdRepairPlan *plan, const char *identity)
{
    char at[SYNCD_TIME_SIZE];
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_time_format_ms(plan->begun_usec / 1000, at);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_APPROVAL_SCHEMA);
    syncd_json_member_string(&writer, "plan_id", plan->id);
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "approval", plan->approval);
    syncd_json_member_string(&writer, "approver", plan->approver);
    syncd_json_member_string(&writer, "applied_by", identity);
    syncd_json_member_string(&writer, "begun_at", at);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

bool syncd_repair_begin(SyncdRepairPlan *plan, const char *identity, GError **error)
{
    SyncdRepairState before = plan->state;
    plan->state = SYNCD_REPAIR_RUNNING;
    plan->kept = true;
    plan->begun_usec = syncd_sources_realtime_usec(plan->service->sources);
    syncd_repair_owe(plan, "repair-plan.begun", identity, write_beginning(plan, identity));
    if (syncd_repair_save(plan, error)) {
        syncd_repair_settle(plan->service);
        return true;
    }
    plan->state = before;
    plan->kept = false;
    plan->approval_until_usec = 0; /* what the disk says of it nobody knows: ask again */
    g_ptr_array_set_size(plan->owed, (gint)plan->owed->len - 1);
    return false;
}

bool syncd_service_apply_repair(SyncdService *service, const SyncdCaller *caller,
                                SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) ||
        !syncd_repair_check_idle(service, error) || !syncd_repair_check_alone(plan, error) ||
        !syncd_service_may_begin_job(service, caller->uid, error))
        return false;
    if (plan->state != SYNCD_REPAIR_RUNNING) { /* else it was interrupted, and goes on */
        if (!syncd_repair_check_open(plan, error) || !syncd_repair_require_approval(plan, error) ||
            !syncd_repair_ask(service, caller, "write", SYNCD_LANE_AUDIT, NULL, error) ||
            !syncd_service_commit_turn(service, error) || !syncd_repair_check_along(plan, error) ||
            !syncd_repair_check_needs(plan, error) || !syncd_repair_check_heads(plan, error) ||
            !syncd_repair_check_room(plan, error) || !syncd_repair_begin(plan, identity, error))
            return false;
    }
    *ret_job = syncd_repair_run(plan, caller->uid, false);
    return true;
}

/* Where the log cannot be opened nobody knows of files, so it would be tried again until that is
 * over. It is refused instead: the same may be wanted no more by then. */
static bool check_log(const SyncdRepairPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const SyncdRepairWork *)plan->steps->pdata[i])->kind->of_file)
            return syncd_store_check_readable(plan->service->store, error);
    return true;
}

static bool check_kept(const SyncdRepairPlan *plan, GError **error)
{
    if (plan->purges && plan->state > SYNCD_REPAIR_APPROVED) {
        g_autofree char *next = plan->state == SYNCD_REPAIR_RUNNING
                                    ? syncd_repair_way_on(plan)
                                    : g_strdup("nothing brings it back but a backup");
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, next, "What %s purged cannot come back",
                             plan->id);
        return false;
    }
    if (syncd_repair_can_be_undone(plan) || plan->state == SYNCD_REPAIR_RUNNING)
        return true;
    if (plan->state <= SYNCD_REPAIR_APPROVED)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "discard it instead",
                             "The plan %s was not applied", plan->id);
    else if (plan->state == SYNCD_REPAIR_ROLLED_BACK || plan->failure != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                             "see what came of it with `sourceos-syncd repair show`",
                             "The plan %s is %s", plan->id, syncd_repair_state_name(plan->state));
    else if (plan->releaser != NULL)
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "plan a repair of what is wrong now with `sourceos-syncd repair plan`",
                             "What was there before %s was released by %s", plan->id,
                             plan->releaser);
    else
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "plan a repair of what is wrong now with `sourceos-syncd repair plan`",
                             "Nothing is kept of what was there before %s", plan->id);
    return false;
}

bool syncd_service_rollback_repair(SyncdService *service, const SyncdCaller *caller,
                                   SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                   GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) ||
        !syncd_repair_check_idle(service, error) || !syncd_repair_check_alone(plan, error) ||
        !check_kept(plan, error) || !syncd_repair_returns(plan, error) || !check_log(plan, error) ||
        !syncd_service_may_begin_job(service, caller->uid, error) ||
        !syncd_repair_ask(service, caller, "write", SYNCD_LANE_AUDIT, NULL, error) ||
        !syncd_service_commit_turn(service, error))
        return false;
    SyncdRepairState before = plan->state;
    bool was_undoing = plan->undoing;
    if (!was_undoing) {
        g_free(plan->undoer);
        plan->undoer = g_strdup(identity);
    }
    plan->state = SYNCD_REPAIR_RUNNING;
    plan->undoing = true;
    if (!syncd_repair_save(plan, error)) {
        plan->state = before;
        plan->undoing = was_undoing;
        return false;
    }
    plan->resumed = false; /* it is asked for */
    *ret_job = syncd_repair_run(plan, caller->uid, false);
    return true;
}
