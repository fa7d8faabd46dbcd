/* What is told of plans: the description that lists and properties are made of, and reports. */
#include "service/repair-private.h"

static void member_time(SyncdJsonWriter *writer, const char *name, guint64 usec)
{
    if (usec != 0)
        syncd_json_member_uint(writer, name, usec);
    else
        syncd_json_member_null(writer, name);
}

static void write_steps(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "steps");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "id", work->kind->name);
        syncd_json_member_string(writer, "target", work->target);
        syncd_json_member_string(writer, "object_id", work->object);
        syncd_json_member_string(writer, "cause", work->cause);
        syncd_json_member_string(writer, "risk", work->risk);
        syncd_json_member_bool(writer, "destructive",
                               work->kind->destructive || work->gives_up > 0);
        syncd_json_member_string(writer, "description", work->description);
        syncd_json_member_string(writer, "state", syncd_repair_step_state_name(work->state));
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

/* Of one that can still be carried out: those for which there is no way back then. */
static void write_released(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    bool waits = plan->state <= SYNCD_REPAIR_APPROVED;
    g_autoptr(GPtrArray) released = syncd_repair_list_released(plan->service);
    syncd_json_name(writer, "releases");
    syncd_json_begin_array(writer);
    for (guint i = 0; waits && i < released->len; i++)
        syncd_json_string(writer, ((SyncdRepairPlan *)released->pdata[i])->id);
    syncd_json_end_array(writer);
}

char *syncd_repair_plan_describe(const SyncdRepairPlan *plan)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    g_autoptr(GError) refusal = NULL;
    bool kept = syncd_repair_can_be_undone(plan), any = true;
    if (kept && !syncd_repair_returns(plan, &refusal))
        g_ptr_array_unref(syncd_repair_look_at_kept(plan, &any));
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "id", plan->id);
    syncd_json_member_string(&writer, "state", syncd_repair_plan_state(plan));
    syncd_json_member_string(&writer, "digest", plan->digest);
    syncd_json_member_string(&writer, "risk", plan->risk);
    syncd_json_member_bool(&writer, "destructive", plan->destructive);
    syncd_json_member_bool(&writer, "automatic", plan->automatic);
    syncd_json_member_bool(&writer, "undoing", plan->undoing);
    syncd_json_member_bool(&writer, "interrupted", plan->interrupted);
    syncd_json_member_uint(&writer, "uid", plan->uid);
    syncd_json_member_string(&writer, "approver", plan->approver);
    member_time(&writer, "planned_usec", plan->planned_usec);
    member_time(&writer, "expires_usec", plan->expires_usec);
    member_time(&writer, "approved_usec", plan->approved_usec);
    member_time(&writer, "approval_until_usec", plan->approval_until_usec);
    member_time(&writer, "begun_usec", plan->begun_usec);
    member_time(&writer, "ended_usec", plan->ended_usec);
    member_time(&writer, "rollback_until_usec",
                kept && any ? plan->ended_usec + SYNCD_REPAIR_SNAPSHOT_USEC : 0);
    syncd_json_member_string(&writer, "rollback_refused",
                             refusal != NULL ? refusal->message : NULL);
    syncd_json_member_string(&writer, "released_by", plan->kept ? NULL : plan->releaser);
    write_released(plan, &writer);
    syncd_json_member_string(&writer, "stale", syncd_repair_plan_stale(plan));
    syncd_json_member_string(&writer, "job", plan->job);
    syncd_json_member_string(&writer, "failure", syncd_repair_plan_reason(plan));
    syncd_json_member_bool(&writer, "report", syncd_repair_plan_has_ended(plan));
    write_steps(plan, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

char *syncd_service_repair_report(SyncdService *service, SyncdRepairPlan *plan, GError **error)
{
    if (!syncd_repair_plan_has_ended(plan)) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                             "see how it is with `sourceos-syncd repair show`",
                             "The plan %s has not ended, and there is no report of it", plan->id);
        return NULL;
    }
    return syncd_repair_read_report(plan, error);
}
