/*
 * The report of a repair: what was wrong, what was done about it, what is left, and the proof that
 * the log is the one that was there when it was planned.
 */
#include "service/repair-private.h"

#include "base/timestamp.h"
#include "store/repair-store.h"
#include "store/rollback.h"

static void write_objects(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "affected_objects");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        syncd_json_string(writer, work->object != NULL ? work->object : work->target);
    }
    syncd_json_end_array(writer);
}

/* What all of the steps say, each sentence once. */
static GPtrArray *gather_said(const GPtrArray *acts, size_t offset)
{
    GPtrArray *said = g_ptr_array_new();
    for (guint i = 0; i < acts->len; i++) {
        const GPtrArray *list =
            *(GPtrArray *const *)(const void *)((const char *)acts->pdata[i] + offset);
        for (guint k = 0; k < list->len; k++)
            if (!g_ptr_array_find_with_equal_func(said, list->pdata[k], g_str_equal, NULL))
                g_ptr_array_add(said, list->pdata[k]);
    }
    return said;
}

static void write_said(const GPtrArray *acts, size_t offset, const char *name,
                       SyncdJsonWriter *writer)
{
    g_autoptr(GPtrArray) said = gather_said(acts, offset);
    syncd_json_member_strings(writer, name, said);
}

/* What is gone for good, and by which operation: also of a plan that failed. */
static void write_purged(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "purged");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (!work->kind->destructive || work->note == NULL)
            continue;
        syncd_json_begin_object(writer);
        syncd_json_member_string(writer, "target", work->target);
        if (work->object != NULL)
            syncd_json_member_string(writer, "object_id", work->object);
        syncd_json_member_string(writer, "operation", work->note);
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

static void write_failure(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    const SyncdRepairWork *first = plan->steps->pdata[0];
    g_autofree char *failure = plan->steps->len == 1
                                   ? g_strdup_printf("%s (%s)", first->cause, first->target)
                                   : g_strdup_printf("%s (%s) and %u more", first->cause,
                                                     first->target, plan->steps->len - 1);
    syncd_json_member_string(writer, "failure", failure);
}

static void write_decisions(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    char decision[SYNCD_DECISION_ID_SIZE];
    SyncdCaller approver = {.uid = plan->approver_uid, .rehearses = true};
    bool own = g_strcmp0(plan->approver, SYNCD_IDENTITY_DAEMON) == 0;
    syncd_json_name(writer, "policy_decisions");
    syncd_json_begin_array(writer);
    if (syncd_repair_ask(plan->service, own ? NULL : &approver, "write", SYNCD_LANE_AUDIT, decision,
                         NULL))
        syncd_json_string(writer, decision);
    syncd_json_end_array(writer);
}

/* What the steps say of what they could not do, and what is found by now. */
static void write_unresolved(const GPtrArray *said, const GPtrArray *needs, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "unresolved_conflicts");
    syncd_json_begin_array(writer);
    for (guint i = 0; i < said->len; i++)
        syncd_json_string(writer, said->pdata[i]);
    for (guint i = 0; needs != NULL && i < needs->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        g_autofree char *text = g_strdup_printf("%s (%s)", need->cause->code, need->target);
        syncd_json_string(writer, text);
    }
    syncd_json_end_array(writer);
}

/* One that was not as it was shown has no note of an operation. */
static bool is_purged_whole(const SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const SyncdRepairWork *)plan->steps->pdata[i])->note == NULL)
            return false;
    return true;
}

static bool leaves_unverified(const SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const SyncdRepairWork *)plan->steps->pdata[i])->kind->unverified)
            return true;
    return false;
}

static const char *next_of(const SyncdRepairPlan *plan, const GPtrArray *said,
                           const GPtrArray *needs)
{
    if (plan->state == SYNCD_REPAIR_FAILED && plan->purges)
        return "What was purged is gone. See what failed, and plan the rest with `sourceos-syncd "
               "repair plan --purge`.";
    /* Another plan helps only where that says so. */
    if (plan->state == SYNCD_REPAIR_FAILED)
        return "See what failed, and what helps now with `sourceos-syncd doctor`.";
    if (plan->state == SYNCD_REPAIR_ROLLED_BACK && plan->kept)
        return "What is kept still goes once the plan is discarded with `sourceos-syncd repair "
               "discard`. Plan again with `sourceos-syncd repair plan` when it is to be repaired "
               "after all.";
    if (plan->state == SYNCD_REPAIR_ROLLED_BACK)
        return "Plan again with `sourceos-syncd repair plan` when it is to be repaired after all.";
    if (plan->purges && !is_purged_whole(plan))
        return "What is not as it was shown stays. Plan again with `sourceos-syncd repair plan "
               "--purge`, and look at what that would purge.";
    if (plan->purges)
        return "The proofs of what was purged follow by themselves: `sourceos-syncd events list "
               "--type sync.object.purge_proven` shows them.";
    if (said->len > 0)
        return "Do what is said of each that is still wrong, and plan again with `sourceos-syncd "
               "repair plan`.";
    if (needs == NULL || needs->len > 0 || syncd_store_rollback(plan->service->store) != NULL)
        return "See what is left with `sourceos-syncd doctor`.";
    if (leaves_unverified(plan))
        return "Have the log verified with `sourceos-syncd verify log --full`; what that finds "
               "damaged, another `sourceos-syncd repair plan` mends.";
    return "Nothing.";
}

static void write_next(const SyncdRepairPlan *plan, const GPtrArray *said, const GPtrArray *needs,
                       SyncdJsonWriter *writer)
{
    g_autofree char *unproven =
        plan->unproven ? syncd_repair_way_on_unproven(plan, "Have the log") : NULL;
    g_autofree char *sentence = unproven != NULL ? g_strconcat(unproven, ".", NULL) : NULL;
    syncd_json_member_string(writer, "next_action",
                             sentence != NULL ? sentence : next_of(plan, said, needs));
}

/* ---- all of it ---- */

static void write_times(const SyncdRepairPlan *plan, SyncdJsonWriter *writer)
{
    char at[SYNCD_TIME_SIZE];
    const struct {
        const char *name;
        guint64 usec;
    } times[] = {{"planned_at", plan->planned_usec},
                 {"approved_at", plan->approved_usec},
                 {"begun_at", plan->begun_usec},
                 {"ended_at", plan->ended_usec}};
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++) {
        syncd_time_format_ms(times[i].usec / 1000, at);
        syncd_json_member_string(writer, times[i].name, at);
    }
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
        syncd_json_member_string(writer, "state", syncd_repair_step_state_name(work->state));
        syncd_json_end_object(writer);
    }
    syncd_json_end_array(writer);
}

char *syncd_repair_write_report(SyncdRepairPlan *plan, const GPtrArray *acts)
{
    char at[SYNCD_TIME_SIZE];
    g_autofree char *id = syncd_id_new(plan->service->sources, "repair-report");
    g_autoptr(GString) text = g_string_new(NULL);
    /* Who purges does not ask what else is wrong. */
    g_autoptr(GPtrArray) needs =
        plan->purges ? NULL : syncd_repair_find_needs(plan->service, NULL, NULL, NULL, NULL);
    g_autoptr(GPtrArray) unresolved = gather_said(acts, offsetof(SyncdRepairAct, unresolved));
    SyncdJsonWriter writer;
    syncd_time_format_ms(syncd_service_now_ms(plan->service), at);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_REPORT_SCHEMA);
    syncd_json_member_string(&writer, "report_id", id);
    syncd_json_member_string(&writer, "generated_at", at);
    write_failure(plan, &writer);
    write_objects(plan, &writer);
    write_said(acts, offsetof(SyncdRepairAct, actors), "affected_actors", &writer);
    write_said(acts, offsetof(SyncdRepairAct, preserved), "preserved", &writer);
    write_said(acts, offsetof(SyncdRepairAct, rebuilt), "rebuilt", &writer);
    write_said(acts, offsetof(SyncdRepairAct, quarantined), "quarantined", &writer);
    write_said(acts, offsetof(SyncdRepairAct, given_up), "given_up", &writer);
    if (plan->purges)
        write_purged(plan, &writer);
    write_unresolved(unresolved, needs, &writer);
    write_decisions(plan, &writer);
    write_next(plan, unresolved, needs, &writer);
    syncd_json_member_string(&writer, "plan_id", plan->id);
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "outcome", syncd_repair_state_name(plan->state));
    if (syncd_repair_plan_reason(plan) != NULL)
        syncd_json_member_string(&writer, "reason", syncd_repair_plan_reason(plan));
    syncd_json_member_bool(&writer, "rollback_available", syncd_repair_can_be_undone(plan));
    syncd_json_member_string(&writer, "approved_by", plan->approver);
    if (plan->undoer != NULL)
        syncd_json_member_string(&writer, "rolled_back_by", plan->undoer);
    write_times(plan, &writer);
    write_steps(plan, &writer);
    syncd_repair_write_proof(plan, &writer);
    syncd_json_end_object(&writer);
    return g_string_free(g_steal_pointer(&text), FALSE);
}
