/* What there is of plans, approving and discarding them, and what time does to them. */
#include "service/repair-private.h"

#include "base/log.h"
#include "base/timestamp.h"

#include <string.h>

/* A clock that was set back makes nothing last longer than this. */
#define CLOCK_SLACK_USEC (5u * 60u * (guint64)G_USEC_PER_SEC)

SyncdRepairs *syncd_repairs_new(void)
{
    SyncdRepairs *repairs = g_new0(SyncdRepairs, 1);
    repairs->plans = g_ptr_array_new_with_free_func((GDestroyNotify)syncd_repair_plan_free);
    repairs->damaged = g_ptr_array_new_with_free_func(g_free);
    return repairs;
}

void syncd_repairs_free(SyncdRepairs *repairs)
{
    if (repairs == NULL)
        return;
    g_ptr_array_unref(repairs->plans);
    g_ptr_array_unref(repairs->damaged);
    g_free(repairs->unreadable);
    g_strfreev(repairs->automatic);
    g_free(repairs);
}

const char *syncd_repair_state_name(SyncdRepairState state)
{
    static const char *const names[] = {"preview",  "approved", "running",
                                        "complete", "failed",   "rolled_back"};
    return names[state];
}

const char *syncd_repair_step_state_name(SyncdRepairStepState state)
{
    static const char *const names[] = {"pending", "begun", "done", "undone"};
    return names[state];
}

bool syncd_repair_plan_has_ended(const SyncdRepairPlan *plan)
{
    return plan->state > SYNCD_REPAIR_RUNNING;
}

bool syncd_repair_can_be_undone(const SyncdRepairPlan *plan)
{
    bool left = plan->state == SYNCD_REPAIR_FAILED && (plan->failure == NULL || plan->stuck);
    return plan->kept && (plan->state == SYNCD_REPAIR_COMPLETE || left);
}

const char *syncd_repair_plan_reason(const SyncdRepairPlan *plan)
{
    if (plan->ended)
        return "It was not taken back in whole, as somebody has ended that: what it kept stays";
    if (plan->stuck)
        return "It was not taken back in whole, as the log was beyond mending";
    if (plan->failure != NULL || !plan->unproven)
        return plan->failure;
    return "Nothing proves that the log is the one that was there when this was planned";
}

/* ---- telling ---- */

static void tell(const SyncdRepairPlan *plan, void (*func)(void *data, SyncdRepairPlan *plan))
{
    if (func != NULL)
        func(plan->service->listener.data, (SyncdRepairPlan *)plan);
    syncd_service_show_state(plan->service, true);
}

void syncd_repair_tell_added(SyncdRepairPlan *plan)
{
    tell(plan, plan->service->listener.repair_plan_added);
}

void syncd_repair_tell_changed(SyncdRepairPlan *plan)
{
    tell(plan, plan->service->listener.repair_plan_changed);
}

void syncd_repair_remove(SyncdRepairPlan *plan)
{
    SyncdService *service = plan->service;
    if (!plan->discarded)
        tell(plan, service->listener.repair_plan_removed);
    syncd_repair_forget(plan);
    g_ptr_array_remove(service->repairs->plans, plan);
}

bool syncd_repair_is_half_done(const SyncdService *service)
{
    for (guint i = 0; i < service->repairs->plans->len; i++)
        if (((SyncdRepairPlan *)service->repairs->plans->pdata[i])->state == SYNCD_REPAIR_RUNNING)
            return true;
    return false;
}

const SyncdRepairPlan *syncd_repair_find_unproven(const SyncdService *service)
{
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        const SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (plan->kept && syncd_repair_plan_is_unproven(plan))
            return plan;
    }
    return NULL;
}

/* ---- finding ---- */

bool syncd_repair_is_known(const SyncdService *service, const char *id)
{
    for (guint i = 0; i < service->repairs->plans->len; i++)
        if (strcmp(((SyncdRepairPlan *)service->repairs->plans->pdata[i])->id, id) == 0)
            return true;
    return false;
}

GPtrArray *syncd_service_repair_plans(SyncdService *service)
{
    const GPtrArray *plans = service->repairs->plans;
    GPtrArray *list = g_ptr_array_sized_new(plans->len);
    for (guint i = plans->len; i-- > 0;)
        if (!((SyncdRepairPlan *)plans->pdata[i])->discarded)
            g_ptr_array_add(list, plans->pdata[i]);
    return list;
}

const char *syncd_repair_plan_id(const SyncdRepairPlan *plan)
{
    return plan->id;
}

const char *syncd_repair_plan_digest(const SyncdRepairPlan *plan)
{
    return plan->digest;
}

const char *syncd_repair_plan_risk(const SyncdRepairPlan *plan)
{
    return plan->risk;
}

bool syncd_repair_plan_purges(const SyncdRepairPlan *plan)
{
    return plan->purges;
}

bool syncd_repair_plan_is_destructive(const SyncdRepairPlan *plan)
{
    return plan->destructive;
}

const char *syncd_repair_plan_stale(const SyncdRepairPlan *plan)
{
    return plan->state <= SYNCD_REPAIR_APPROVED ? plan->stale : NULL;
}

guint64 syncd_repair_plan_expires_usec(const SyncdRepairPlan *plan)
{
    return plan->expires_usec;
}

uid_t syncd_repair_plan_uid(const SyncdRepairPlan *plan)
{
    return plan->uid;
}

const char *syncd_repair_plan_approver(const SyncdRepairPlan *plan)
{
    return plan->approver;
}

bool syncd_repair_plan_is_interrupted(const SyncdRepairPlan *plan)
{
    return plan->state == SYNCD_REPAIR_RUNNING && (plan->interrupted || plan->resumed);
}

bool syncd_repair_plan_is_unproven(const SyncdRepairPlan *plan)
{
    return syncd_repair_plan_has_ended(plan) && plan->unproven;
}

bool syncd_repair_plan_was_taken_back(const SyncdRepairPlan *plan)
{
    bool failed = plan->state == SYNCD_REPAIR_FAILED && plan->failure != NULL;
    return !plan->purges && !plan->stuck && (failed || plan->state == SYNCD_REPAIR_ROLLED_BACK);
}

const GPtrArray *syncd_service_repair_set_aside(const SyncdService *service)
{
    return service->repairs->damaged;
}

const char *syncd_service_repairs_unreadable(const SyncdService *service)
{
    return service->repairs->unreadable;
}

const char *syncd_repair_plan_text(const SyncdRepairPlan *plan)
{
    return plan->text;
}

/* ---- time ---- */

static guint64 now_of(const SyncdService *service)
{
    return syncd_sources_realtime_usec(service->sources);
}

static bool is_over(guint64 now, guint64 from, guint64 until)
{
    return now >= until || now + CLOCK_SLACK_USEC < from;
}

static bool has_expired(const SyncdRepairPlan *plan)
{
    return plan->state <= SYNCD_REPAIR_APPROVED &&
           is_over(now_of(plan->service), plan->planned_usec, plan->expires_usec);
}

static bool is_approved(const SyncdRepairPlan *plan)
{
    return plan->state == SYNCD_REPAIR_APPROVED &&
           !is_over(now_of(plan->service), plan->approved_usec, plan->approval_until_usec);
}

const char *syncd_repair_plan_state(const SyncdRepairPlan *plan)
{
    bool lapsed = plan->state == SYNCD_REPAIR_APPROVED && !is_approved(plan);
    return syncd_repair_state_name(lapsed ? SYNCD_REPAIR_PREVIEW : plan->state);
}

bool syncd_repair_require_approval(const SyncdRepairPlan *plan, GError **error)
{
    if (is_approved(plan))
        return true;
    if (plan->state == SYNCD_REPAIR_APPROVED)
        syncd_set_error_next(error, SYNCD_ERROR_APPROVAL_EXPIRED,
                             "approve it again with `sourceos-syncd repair approve`",
                             "The approval of %s has expired", plan->id);
    else
        syncd_set_error_next(error, SYNCD_ERROR_APPROVAL_REQUIRED,
                             "approve it with `sourceos-syncd repair approve`",
                             "Nobody has approved %s", plan->id);
    return false;
}

/* ---- its end ---- */

static char *write_end(const SyncdRepairPlan *plan, const char *identity)
{
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_APPROVAL_SCHEMA);
    syncd_json_member_string(&writer, "plan_id", plan->id);
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "discarded_by", identity);
    syncd_json_member_string(&writer, "state", syncd_repair_plan_state(plan));
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

bool syncd_repair_discard(SyncdRepairPlan *plan, const char *identity, GError **error)
{
    syncd_repair_owe(plan, "repair-plan.discarded", identity, write_end(plan, identity));
    plan->discarded = true;
    if (!syncd_repair_save(plan, error)) {
        plan->discarded = false;
        g_ptr_array_set_size(plan->owed, (gint)plan->owed->len - 1);
        return false;
    }
    tell(plan, plan->service->listener.repair_plan_removed);
    return true;
}

bool syncd_repair_may_write(const SyncdService *service)
{
    SyncdStoreCondition condition = syncd_store_condition(service->store);
    return condition != SYNCD_STORE_MACHINE_CHANGED && condition != SYNCD_STORE_INSPECTING;
}

void syncd_repair_put_off(SyncdRepairPlan *plan)
{
    plan->retry = syncd_service_monotonic(plan->service) + SYNCD_REPAIR_RETRY_USEC;
}

static bool has_lasted(const SyncdRepairPlan *plan)
{
    guint64 until = plan->ended_usec + SYNCD_REPAIR_SNAPSHOT_USEC;
    return plan->unreleased ||
           (plan->kept && is_over(now_of(plan->service), plan->ended_usec, until));
}

static void tell_lapsed(SyncdRepairPlan *plan)
{
    if (plan->state != SYNCD_REPAIR_APPROVED || plan->lapsed || is_approved(plan))
        return;
    plan->lapsed = true;
    syncd_repair_tell_changed(plan);
}

/* What kept it from going on may be over. */
static bool may_go_on(const SyncdRepairPlan *plan)
{
    return plan->state == SYNCD_REPAIR_RUNNING && plan->interrupted &&
           plan->service->repairs->running == NULL && !syncd_service_is_clearing(plan->service);
}

static void age(SyncdRepairPlan *plan)
{
    tell_lapsed(plan);
    if (plan->retry > syncd_service_monotonic(plan->service))
        return;
    plan->retry = 0;
    if (!syncd_repair_may_write(plan->service))
        return;
    if (may_go_on(plan))
        syncd_repair_resume(plan);
    else if (syncd_repair_plan_has_ended(plan) && has_lasted(plan))
        syncd_repair_release_or_warn(plan);
    else if (!plan->discarded && has_expired(plan) &&
             !syncd_repair_discard(plan, SYNCD_IDENTITY_DAEMON, NULL))
        syncd_repair_put_off(plan);
}

static void expire(SyncdService *service)
{
    guint ended = 0;
    for (guint i = service->repairs->plans->len; i-- > 0;) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        bool has_ended = syncd_repair_plan_has_ended(plan);
        age(plan);
        ended += has_ended;
        bool is_old = has_ended && !plan->kept && ended > SYNCD_REPAIR_ENDED_MAX;
        if (plan->owed->len == 0 && !plan->unreleased && (plan->discarded || is_old))
            syncd_repair_remove(plan);
    }
}

void syncd_repair_work(SyncdService *service)
{
    syncd_repair_settle(service);
    expire(service);
    if (service->repairs->again != 0)
        syncd_repair_by_itself(service);
}

/* When time does the next thing to it; G_MAXUINT64: never. */
static guint64 next_of(const SyncdRepairPlan *plan)
{
    if (plan->state == SYNCD_REPAIR_APPROVED && !plan->lapsed && is_approved(plan))
        return plan->approval_until_usec;
    if (!syncd_repair_may_write(plan->service))
        return G_MAXUINT64; /* nothing more than that can be told */
    if (plan->state <= SYNCD_REPAIR_APPROVED)
        return plan->expires_usec;
    if (plan->unreleased || may_go_on(plan))
        return 0;
    return plan->kept && syncd_repair_plan_has_ended(plan)
               ? plan->ended_usec + SYNCD_REPAIR_SNAPSHOT_USEC
               : G_MAXUINT64;
}

/* In time of the monotonic clock, as far as anybody can say. */
guint64 syncd_repair_next_due(const SyncdService *service)
{
    guint64 due = G_MAXUINT64, now = now_of(service), clock = syncd_service_monotonic(service);
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        const SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        guint64 next = next_of(plan);
        /* One that is discarded goes once the log says so. */
        if ((!plan->discarded || plan->unreleased) && next != G_MAXUINT64)
            due = MIN(due, MAX(plan->retry, clock + (next > now ? next - now : 0)));
    }
    const guint64 retries[] = {service->repairs->retry, service->repairs->again,
                               service->repairs->wake};
    for (size_t i = 0; i < G_N_ELEMENTS(retries); i++)
        if (retries[i] != 0)
            due = MIN(due, retries[i]);
    return due;
}

/* ---- approving, discarding ---- */

bool syncd_repair_check_digest(const SyncdRepairPlan *plan, const char *digest, GError **error)
{
    if (g_strcmp0(plan->digest, digest) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST,
                         "look at the plan with `sourceos-syncd repair show`, and name its digest",
                         "That is not the digest of the plan %s", plan->id);
    return false;
}

bool syncd_repair_check_open(const SyncdRepairPlan *plan, GError **error)
{
    if (has_expired(plan)) {
        syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                             "plan again with `sourceos-syncd repair plan`",
                             "The plan %s has expired", plan->id);
        return false;
    }
    if (plan->state <= SYNCD_REPAIR_APPROVED)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                         "see how it is with `sourceos-syncd repair show`", "The plan %s is %s",
                         plan->id, syncd_repair_state_name(plan->state));
    return false;
}

static char *write_approval(const SyncdRepairPlan *plan)
{
    char at[SYNCD_TIME_SIZE], until[SYNCD_TIME_SIZE];
    GString *text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_time_format_ms(plan->approved_usec / 1000, at);
    syncd_time_format_ms(plan->approval_until_usec / 1000, until);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_REPAIR_APPROVAL_SCHEMA);
    syncd_json_member_string(&writer, "plan_id", plan->id);
    syncd_json_member_string(&writer, "plan_digest", plan->digest);
    syncd_json_member_string(&writer, "approver", plan->approver);
    syncd_json_member_uint(&writer, "uid", plan->approver_uid);
    syncd_json_member_string(&writer, "approved_at", at);
    syncd_json_member_string(&writer, "expires_at", until);
    syncd_json_end_object(&writer);
    return g_string_free(text, FALSE);
}

void syncd_repair_approve_as(SyncdRepairPlan *plan, const char *identity, uid_t uid)
{
    plan->state = SYNCD_REPAIR_APPROVED;
    plan->lapsed = false;
    g_free(plan->approver);
    plan->approver = g_strdup(identity);
    plan->approver_uid = uid;
    plan->approved_usec = now_of(plan->service);
    plan->approval_until_usec =
        MIN(plan->approved_usec + SYNCD_REPAIR_APPROVAL_USEC, plan->expires_usec);
    const SyncdRepairOwed *owed =
        syncd_repair_owe(plan, "repair-plan.approved", identity, write_approval(plan));
    g_free(plan->approval);
    plan->approval = g_strdup(owed->operation);
}

/* While the log takes nothing each approval is owed: what follows needs its place, too. */
static bool may_owe_approval(const SyncdRepairPlan *plan, GError **error)
{
    if (plan->owed->len < SYNCD_REPAIR_OWED_MAX / 2)
        return true;
    g_autofree char *next = g_strdup_printf(
        "discard it with `sourceos-syncd repair discard %s`, and plan again", plan->id);
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, next,
                         "The plan %s was approved too often while the log takes nothing",
                         plan->id);
    return false;
}

/* Who approved it is who may apply it, and whose doing that is: nobody takes his place while that
 * holds. */
static bool check_approver(const SyncdRepairPlan *plan, uid_t uid, GError **error)
{
    if (!is_approved(plan) || plan->approver_uid == uid)
        return true;
    char until[SYNCD_TIME_SIZE];
    syncd_time_format_ms(plan->approval_until_usec / 1000, until);
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                         "let that user apply it, or discard it and plan again",
                         "%s has approved the plan %s, until %s", plan->approver, plan->id, until);
    return false;
}

bool syncd_service_approve_repair(SyncdService *service, const SyncdCaller *caller,
                                  SyncdRepairPlan *plan, const char *digest, GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) || !syncd_repair_check_open(plan, error) ||
        !check_approver(plan, caller->uid, error) || !may_owe_approval(plan, error) ||
        !syncd_repair_ask(service, caller, "write", SYNCD_LANE_AUDIT, NULL, error))
        return false;
    SyncdRepairState before = plan->state;
    syncd_repair_approve_as(plan, identity, caller->uid);
    if (!syncd_repair_save(plan, error)) {
        /* Nobody was told of it, and what the disk says is known at the next start. */
        plan->approval_until_usec = 0;
        plan->state = before;
        g_ptr_array_set_size(plan->owed, (gint)plan->owed->len - 1);
        return false;
    }
    syncd_repair_tell_changed(plan);
    syncd_repair_settle(service);
    return true;
}

/* What cannot be taken back would be tried for ever, and keep all else from being repaired. It
 * stays as it is, with what it kept, and may be taken back once that is possible; nobody else
 * releases it. */
static bool end_way_back(SyncdRepairPlan *plan, const char *identity, GError **error)
{
    const SyncdRepairPlan before = *plan;
    plan->state = SYNCD_REPAIR_FAILED;
    plan->stuck = plan->ended = true;
    plan->undoing = plan->interrupted = false;
    plan->ended_usec = now_of(plan->service);
    syncd_repair_owe(plan, "repair-plan.discarded", identity, write_end(plan, identity));
    if (syncd_repair_save(plan, error)) {
        plan->resumed = false;
        syncd_repair_tell_changed(plan);
        return true;
    }
    plan->state = before.state;
    plan->stuck = before.stuck;
    plan->ended = before.ended;
    plan->undoing = before.undoing;
    plan->interrupted = before.interrupted;
    plan->ended_usec = before.ended_usec;
    g_ptr_array_set_size(plan->owed, (gint)plan->owed->len - 1);
    return false;
}

static bool can_be_ended(const SyncdRepairPlan *plan)
{
    return plan->state == SYNCD_REPAIR_RUNNING && plan->undoing && plan->interrupted &&
           !plan->purges;
}

bool syncd_service_discard_repair(SyncdService *service, const SyncdCaller *caller,
                                  SyncdRepairPlan *plan, const char *digest, GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) ||
        !syncd_repair_ask(service, caller, "write", SYNCD_LANE_AUDIT, NULL, error))
        return false;
    if (can_be_ended(plan)) {
        bool ended = end_way_back(plan, identity, error);
        if (ended)
            syncd_repair_settle(service);
        return ended;
    }
    if (plan->state == SYNCD_REPAIR_RUNNING) {
        g_autofree char *next = plan->interrupted ? syncd_repair_way_on(plan)
                                                  : g_strdup("wait for its job, or cancel that");
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, next,
                             plan->interrupted ? "The plan %s is half done"
                                               : "The plan %s is being carried out",
                             plan->id);
        return false;
    }
    if (!syncd_repair_release(plan, error) || !syncd_repair_discard(plan, identity, error))
        return false;
    syncd_repair_settle(service);
    return true;
}
