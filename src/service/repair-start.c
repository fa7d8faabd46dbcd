/* What the start does: go on with what was begun, and repair what nobody has to be asked about. */
#include "service/repair-private.h"

#include "base/log.h"
#include "store/repair-store.h"

/* What failed may have failed for room, which comes and goes. */
#define DELAY_MIN_USEC ((guint64)G_USEC_PER_SEC)
#define DELAY_MAX_USEC (60u * (guint64)G_USEC_PER_SEC)

void syncd_repair_resume(SyncdRepairPlan *plan)
{
    plan->resumed = true;
    syncd_repair_run(plan, plan->service->uid, true);
}

static void resume(SyncdRepairPlan *plan)
{
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_REPAIR,
              plan->undoing ? "The repair %s was being taken back when the daemon ended; that goes "
                              "on"
                            : "The repair %s was not through when the daemon ended; it goes on",
              plan->id);
    syncd_repair_resume(plan);
}

/* One at a time: the others follow (repair-life.c). */
static void resume_all(SyncdService *service)
{
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (plan->state != SYNCD_REPAIR_RUNNING)
            continue;
        if (service->repairs->running == NULL)
            resume(plan);
        else
            plan->interrupted = true;
    }
}

/* A process that ended may not have come to that. */
static void release_what_is_left(SyncdService *service)
{
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        plan->unreleased = syncd_repair_plan_has_ended(plan) && !plan->kept;
    }
}

/* ---- by itself ---- */

static bool is_automatic(const SyncdService *service, const SyncdRepairKind *kind)
{
    const char *const *names = (const char *const *)service->repairs->automatic;
    return kind->rebuildable && names != NULL && g_strv_contains(names, kind->name);
}

static void keep_automatic(const SyncdService *service, GPtrArray *needs)
{
    for (guint i = needs->len; i-- > 0;)
        if (!is_automatic(service, ((SyncdRepairNeed *)needs->pdata[i])->kind))
            g_ptr_array_remove_index(needs, i);
}

/* The log may take nothing for as long as this fails: of such attempts the first ones stay, and
 * the last. */
static void forget_an_attempt(SyncdService *service)
{
    SyncdRepairPlan *last = NULL;
    guint n = 0;
    for (guint i = 0; i < service->repairs->plans->len; i++) {
        SyncdRepairPlan *plan = service->repairs->plans->pdata[i];
        if (!plan->automatic || plan->state != SYNCD_REPAIR_FAILED || plan->owed->len == 0)
            continue;
        last = plan;
        n++;
    }
    if (n >= SYNCD_REPAIR_ENDED_MAX)
        syncd_repair_remove(last);
}

static bool begin_by_itself(SyncdService *service, GError **error)
{
    g_autoptr(GPtrArray) needs = syncd_repair_find_needs(service, NULL, NULL, NULL, error);
    if (needs == NULL)
        return false;
    keep_automatic(service, needs);
    if (needs->len == 0)
        return true;
    if (!syncd_repair_ask(service, NULL, "write", SYNCD_LANE_AUDIT, NULL, error))
        return false;
    forget_an_attempt(service);
    g_autoptr(SyncdRepairPlan) made = syncd_repair_make_plan(service, needs, 0, error);
    if (made == NULL || !syncd_repair_check_alone(made, error))
        return false;
    made->automatic = true;
    made->uid = made->approver_uid = service->uid;
    syncd_repair_owe(made, "repair-plan.made", SYNCD_IDENTITY_DAEMON, g_strdup(made->text));
    syncd_repair_approve_as(made, SYNCD_IDENTITY_DAEMON, service->uid);
    if (!syncd_repair_save_new(made, error))
        return false;
    if (!syncd_repair_begin(made, SYNCD_IDENTITY_DAEMON, error)) {
        syncd_repair_forget(made); /* another is made when it is tried again */
        return false;
    }
    SyncdRepairPlan *plan = g_steal_pointer(&made);
    g_ptr_array_add(service->repairs->plans, plan);
    syncd_repair_tell_added(plan);
    syncd_log(SYNCD_LOG_NOTICE, SYNCD_LOG_ID_REPAIR, "The daemon repairs by itself: %s",
              ((SyncdRepairWork *)plan->steps->pdata[0])->target);
    syncd_repair_run(plan, service->uid, true);
    return true;
}

void syncd_repair_by_itself_failed(SyncdService *service, const GError *why)
{
    SyncdRepairs *repairs = service->repairs;
    if (repairs->delay == 0)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR,
                  "What could be repaired without asking was not: %s", why->message);
    syncd_store_tell_index_problem(service->store, why);
    repairs->delay = CLAMP(2 * repairs->delay, DELAY_MIN_USEC, DELAY_MAX_USEC);
    repairs->again = syncd_service_monotonic(service) + repairs->delay;
}

void syncd_repair_by_itself(SyncdService *service)
{
    SyncdRepairs *repairs = service->repairs;
    g_autoptr(GError) error = NULL;
    guint64 now = syncd_service_monotonic(service);
    if (repairs->running != NULL)
        repairs->again = MAX(repairs->again, now + DELAY_MIN_USEC);
    if (repairs->running != NULL || now < repairs->again)
        return;
    repairs->again = 0;
    if (!begin_by_itself(service, &error))
        syncd_repair_by_itself_failed(service, error);
}

/* An index that has few entries is there again before the first caller is. */
static void begin_running(SyncdService *service)
{
    for (guint i = 0;
         i < 16 && service->repairs->running != NULL && !syncd_store_is_indexing(service->store);
         i++)
        syncd_service_step_jobs(service);
}

void syncd_service_start_repair(SyncdService *service, const SyncdRepairSettings *settings)
{
    service->repairs->automatic = settings != NULL ? g_strdupv((char **)settings->automatic) : NULL;
    syncd_repair_load(service);
    if (!syncd_repair_may_write(service))
        return;
    release_what_is_left(service);
    resume_all(service);
    syncd_repair_by_itself(service);
    begin_running(service);
}
