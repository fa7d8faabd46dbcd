/*
 * Carrying a plan out, and taking it back: one job, in steps.
 *
 * The ledger says what is about to be done before it is: that a step is begun, that all of them are
 * being undone, that it has ended. Between two writes of it the functions of kinds do what can be
 * done again (repair-kinds.h). So whoever reads the ledger after a crash goes on from there.
 *
 * When the ledger itself can not be written, nothing more is done: it is tried again in a while,
 * and goes on by what the ledger says then, in this process or the next.
 *
 * A plan is complete when its steps are done and the log still proves to be the one that it was
 * made for. Where it does not, nothing is undone by itself: what was kept may be the only copy of
 * what was there, so it stays as long as it would otherwise, and a person decides.
 */
#include "service/repair-private.h"

#include "base/log.h"

typedef struct {
    SyncdRepairPlan *plan;
    GPtrArray *acts; /* SyncdRepairAct, of each step */
    guint at;
    bool prepared; /* `begin` of the step was called in this process … */
    bool checked;  /* … and it is through, but for noting what it keeps */
    bool over;
    bool told;       /* what is lost of what was kept */
    bool retried;    /* it was interrupted before, in this process */
    GError *failure; /* why it is undone, or not complete */
    char *report;
} Run;

static const SyncdRepairKind *kind_of(const Run *run, guint i)
{
    return ((SyncdRepairWork *)run->plan->steps->pdata[i])->kind;
}

/* ---- what the ledger says ---- */

static bool save_step(Run *run, guint i, SyncdRepairStepState state, GError **error)
{
    SyncdRepairWork *work = run->plan->steps->pdata[i];
    SyncdRepairAct *act = run->acts->pdata[i];
    SyncdRepairStepState before = work->state;
    if (work->state == state && !act->noted)
        return true;
    if (act->noted) {
        g_free(work->note);
        work->note = g_strdup(act->note);
    }
    work->state = state;
    if (!syncd_repair_save(run->plan, error)) {
        work->state = before;
        return false;
    }
    act->noted = false;
    return true;
}

/* ---- forward ---- */

static void finish_run(Run *run)
{
    run->over = true;
    run->plan->service->repairs->running = NULL;
    for (guint i = 0; i < run->acts->len; i++) {
        SyncdRepairAct *act = run->acts->pdata[i];
        g_clear_pointer(&act->kept, syncd_snapshot_free);
        if (kind_of(run, i)->stop != NULL)
            kind_of(run, i)->stop(act);
    }
}

/* The ledger does not say what it is now. */
static void put_back(SyncdRepairPlan *plan, const SyncdRepairPlan *before)
{
    plan->state = before->state;
    plan->undoing = before->undoing;
    plan->undoer = before->undoer;
    plan->stuck = before->stuck;
    plan->ended = before->ended;
    plan->kept = before->kept;
    plan->unproven = before->unproven;
    plan->ended_usec = before->ended_usec;
}

/* Where no step has anything that it would put back there is no way back. */
static bool keeps_anything(const Run *run)
{
    for (guint i = 0; i < run->acts->len; i++) {
        const SyncdRepairKind *kind = kind_of(run, i);
        if (kind->undo != NULL && (kind->keeps == NULL || kind->keeps(run->acts->pdata[i])))
            return true;
    }
    return false;
}

/* Nor is what the way back did not put in its place destroyed by it. */
static bool keeps_on(const Run *run)
{
    for (guint i = 0; i < run->acts->len; i++) {
        const SyncdRepairKind *kind = kind_of(run, i);
        const SyncdRepairAct *act = run->acts->pdata[i];
        if ((act->lost != NULL && act->lost->len > 0) ||
            (kind->keeps_on != NULL && kind->keeps_on(act)))
            return true;
    }
    return false;
}

/* The report, the state and what is owed to the log are one write of the ledger. */
static bool end(Run *run, SyncdRepairState state, const char *kind, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    const SyncdRepairPlan before = *plan;
    const char *who = plan->undoer != NULL ? plan->undoer : plan->approver;
    plan->unproven = !syncd_repair_is_proven(plan);
    plan->state = state;
    plan->stuck = plan->ended = false;
    plan->undoing = false;
    plan->kept = ((state == SYNCD_REPAIR_COMPLETE || plan->unproven) && keeps_anything(run)) ||
                 keeps_on(run);
    plan->ended_usec = syncd_sources_realtime_usec(plan->service->sources);
    if (plan->unproven && state == SYNCD_REPAIR_COMPLETE) {
        plan->state = SYNCD_REPAIR_FAILED;
        kind = "repair-plan.unproven";
    }
    g_free(run->report);
    run->report = syncd_repair_write_report(plan, run->acts);
    if (syncd_repair_save_report(plan, run->report, error)) {
        syncd_repair_owe(plan, kind, who, g_strdup(run->report));
        if (syncd_repair_save(plan, error)) {
            finish_run(run);
            plan->unreleased = !plan->kept;
            if (plan->unreleased)
                syncd_repair_release_or_warn(plan);
            syncd_repair_tell_changed(plan);
            return true;
        }
        g_ptr_array_set_size(plan->owed, (gint)plan->owed->len - 1);
    }
    put_back(plan, &before);
    return false;
}

static bool end_forward(Run *run, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    if (!end(run, SYNCD_REPAIR_COMPLETE, "repair.apply", error))
        return false;
    if (!plan->unproven)
        return true;
    g_autofree char *next = syncd_repair_way_on_unproven(plan, "have it");
    syncd_set_error_next(&run->failure, SYNCD_ERROR_FEED_ROLLBACK, next, "%s",
                         syncd_repair_plan_reason(plan));
    syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_REPAIR, "The repair %s is done, and not complete: %s",
              plan->id, syncd_repair_plan_reason(plan));
    return true;
}

/* What it keeps is known by its bytes from then on: so nobody takes what is gone, or is altered,
 * for what was there. */
static bool conclude_step(Run *run, GError **error)
{
    SyncdRepairWork *work = run->plan->steps->pdata[run->at];
    SyncdRepairAct *act = run->acts->pdata[run->at];
    bool more = false;
    g_autofree char *digest = NULL;
    if (work->kind->undo != NULL && !syncd_repair_note_kept(act, &more, &digest, error))
        return false;
    if (more)
        return true;
    g_free(work->kept);
    work->kept = g_steal_pointer(&digest);
    run->prepared = run->checked = false;
    return save_step(run, run->at++, SYNCD_STEP_DONE, error);
}

static bool step_forward(Run *run, bool *ret_more, double *ret_progress, GError **error)
{
    guint n = run->plan->steps->len;
    bool more = true;
    double part = 0;
    if (run->at == n) {
        *ret_more = false;
        return end_forward(run, error);
    }
    SyncdRepairAct *act = run->acts->pdata[run->at];
    const SyncdRepairWork *work = run->plan->steps->pdata[run->at];
    const SyncdRepairKind *kind = work->kind;
    if (work->state == SYNCD_STEP_DONE) {
        run->at++;
        return true;
    }
    if (work->state != SYNCD_STEP_BEGUN)
        return save_step(run, run->at, SYNCD_STEP_BEGUN, error);
    if (!run->prepared) {
        run->prepared = true;
        return (kind->begin == NULL || kind->begin(act, error)) &&
               save_step(run, run->at, SYNCD_STEP_BEGUN, error);
    }
    if (run->checked)
        return conclude_step(run, error);
    if (!kind->step(act, &more, &part, error) || !save_step(run, run->at, SYNCD_STEP_BEGUN, error))
        return false;
    *ret_progress = (run->at + part) / n;
    if (more)
        return true;
    if (kind->check != NULL && !kind->check(act, error))
        return false;
    run->checked = true;
    return conclude_step(run, error);
}

/* ---- back ---- */

static bool undo(const SyncdRepairKind *kind, SyncdRepairAct *act, bool *ret_more, GError **error)
{
    *ret_more = false;
    if (kind->undo != NULL)
        return kind->undo(act, ret_more, error);
    g_ptr_array_add(act->preserved, g_strdup(kind->stays));
    return true;
}

static void tell_lost(Run *run)
{
    for (guint i = 0; i < run->acts->len && !run->told; i++)
        syncd_repair_tell_lost(run->plan->steps->pdata[i], run->acts->pdata[i]);
    run->told = true;
}

/* One that cannot be undone, as what that needs is lost, stays done. */
static bool step_back(Run *run, bool *ret_more, double *ret_progress, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    guint n = plan->steps->len;
    bool more;
    for (guint i = n; i-- > 0;) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        SyncdRepairAct *act = run->acts->pdata[i];
        if (work->state == SYNCD_STEP_PENDING || work->state == SYNCD_STEP_UNDONE ||
            work->kind->destructive)
            continue;
        *ret_progress = (double)(n - i - 1) / (n + 1);
        if (!syncd_repair_compare_kept(work, act, &more, error))
            return false;
        if (more)
            return true;
        if (syncd_repair_is_lost(work, act))
            continue;
        if (!undo(work->kind, act, &more, error))
            return false;
        *ret_progress = (double)(n - i) / (n + 1);
        return save_step(run, i, more ? work->state : SYNCD_STEP_UNDONE, error);
    }
    *ret_more = false;
    tell_lost(run);
    return end(run, plan->failure != NULL ? SYNCD_REPAIR_FAILED : SYNCD_REPAIR_ROLLED_BACK,
               "repair-plan.undone", error);
}

/* What could not be done is undone; when not even that can be said, the next start sees to it. */
static bool turn_back(Run *run, GError *failure, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    g_autofree char *what = NULL, *next = NULL;
    syncd_error_split(failure->message, &what, &next);
    plan->failure = g_strdup(what);
    plan->undoing = true;
    if (syncd_repair_save(plan, NULL)) {
        run->failure = failure;
        /* That what nobody asked for fails again is no news. */
        if (!plan->automatic || plan->service->repairs->delay == 0)
            syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR,
                      "The repair %s failed and is taken back: %s", plan->id, what);
        return true;
    }
    g_clear_pointer(&plan->failure, g_free);
    plan->undoing = false;
    g_propagate_error(error, failure);
    return false;
}

/* Whether what failed last is in the log all the same is not known before the next start: nothing
 * is decided by what the log has until then. */
static bool is_unsure(const SyncdService *service)
{
    return syncd_store_write_fault(service->store) != NULL;
}

static char *meanwhile_of(const SyncdRepairPlan *plan)
{
    if (is_unsure(plan->service))
        return g_strdup("restart the daemon, which goes on with it then; `sourceos-syncd doctor` "
                        "has the command");
    g_autofree char *end =
        plan->undoing ? g_strdup_printf(". Where it fails again and again, `sourceos-syncd "
                                        "repair discard %s` leaves the rest as it is",
                                        plan->id)
                      : g_strdup("");
    return g_strdup_printf("wait: it is tried again each minute, and `sourceos-syncd repair show "
                           "%s` says how it is%s",
                           plan->id, end);
}

static bool interrupt(Run *run, GError *failure, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    plan->interrupted = true;
    syncd_repair_put_off(plan);
    /* That it still cannot go on is no news. */
    if (!run->retried)
        syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_REPAIR,
                  "The repair %s is interrupted, and will be tried again: %s", plan->id,
                  failure->message);
    finish_run(run);
    syncd_repair_tell_changed(plan);
    g_autofree char *what = NULL, *next = NULL, *meanwhile = meanwhile_of(plan);
    syncd_error_split(failure->message, &what, &next);
    int code = failure->domain == SYNCD_ERROR ? failure->code : SYNCD_ERROR_STORAGE_FAILED;
    syncd_set_error_next(error, (SyncdErrorCode)code, meanwhile, "The plan %s is %s: %s", plan->id,
                         plan->undoing ? "not taken back yet" : "not carried out yet", what);
    g_error_free(failure);
    return false;
}

/* What cannot be mended is not over in a while: half done it would keep all else from being
 * repaired, the log first of all. */
static bool is_in_vain(const SyncdRepairPlan *plan, const GError *failure)
{
    return plan->undoing && g_error_matches(failure, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
}

/* Nothing of it was taken back so far. */
static bool is_as_it_was(const SyncdRepairPlan *plan)
{
    for (guint i = 0; i < plan->steps->len; i++)
        if (((const SyncdRepairWork *)plan->steps->pdata[i])->state == SYNCD_STEP_UNDONE)
            return false;
    return plan->failure == NULL && plan->ended_usec != 0 && !plan->stuck;
}

/* It is what it was before somebody asked for that. Where some of it was taken back it has failed,
 * and the rest can be taken back once there is a log. */
static bool stay(Run *run)
{
    SyncdRepairPlan *plan = run->plan;
    const SyncdRepairPlan before = *plan;
    plan->stuck = !is_as_it_was(plan);
    plan->state = plan->stuck || plan->unproven ? SYNCD_REPAIR_FAILED : SYNCD_REPAIR_COMPLETE;
    plan->undoing = false;
    plan->undoer = NULL;
    if (plan->stuck)
        plan->ended_usec = syncd_sources_realtime_usec(plan->service->sources);
    if (syncd_repair_save(plan, NULL)) {
        g_free(before.undoer);
        finish_run(run);
        syncd_repair_tell_changed(plan);
        return true;
    }
    put_back(plan, &before);
    return false;
}

/* ---- the job ---- */

static bool awaits_job(const SyncdService *service, const SyncdRepairAct *act)
{
    const SyncdJob *job =
        act->awaits != NULL ? syncd_service_find_job(act->service, act->awaits) : NULL;
    return job != NULL && strcmp(syncd_job_state(job), "running") == 0;
}

static bool waits(const SyncdService *service, const void *data)
{
    const Run *run = data;
    guint64 now = syncd_service_monotonic(service);
    for (guint i = 0; i < run->acts->len; i++) {
        const SyncdRepairAct *act = run->acts->pdata[i];
        if (now < act->not_before || awaits_job(service, act))
            return true;
    }
    return false;
}

static guint64 wake_of(const Run *run)
{
    guint64 wake = 0;
    for (guint i = 0; i < run->acts->len; i++)
        wake = MAX(wake, ((SyncdRepairAct *)run->acts->pdata[i])->not_before);
    return wake;
}

static bool take_step(SyncdService *service, Run *run, bool *ret_more, double *ret_progress,
                      GError **error)
{
    GError *problem = NULL;
    *ret_more = true;
    if (!syncd_service_commit_turn(service, &problem))
        return interrupt(run, problem, error);
    bool back = run->plan->undoing;
    if (back && is_unsure(service) && !syncd_store_may_write(service->store, &problem))
        return interrupt(run, problem, error);
    if (back ? step_back(run, ret_more, ret_progress, &problem)
             : step_forward(run, ret_more, ret_progress, &problem)) {
        if (*ret_more || run->failure == NULL)
            return true;
        if (run->plan->automatic)
            syncd_repair_by_itself_failed(service, run->failure);
        g_propagate_error(error, g_steal_pointer(&run->failure));
        return false;
    }
    if (is_in_vain(run->plan, problem) && stay(run)) {
        g_propagate_error(error, problem);
        return false;
    }
    *ret_more = true;
    GError *again = NULL;
    if (back || is_unsure(service))
        return interrupt(run, problem, error);
    return turn_back(run, problem, &again) || interrupt(run, again, error);
}

static bool step(SyncdService *service, void *data, bool *ret_more, double *ret_progress,
                 GError **error)
{
    Run *run = data;
    bool goes_on = take_step(service, run, ret_more, ret_progress, error);
    service->repairs->wake = goes_on && *ret_more ? wake_of(run) : 0;
    return goes_on;
}

static void release_others(const SyncdRepairPlan *plan)
{
    g_autoptr(GPtrArray) released = syncd_repair_list_released(plan->service);
    for (guint i = 0; i < released->len; i++) {
        SyncdRepairPlan *other = released->pdata[i];
        if (other == plan)
            continue;
        g_free(other->releaser);
        other->releaser = g_strdup(plan->id);
        syncd_repair_release_or_warn(other);
    }
}

static char *conclude(SyncdService *service, void *data)
{
    Run *run = data;
    service->repairs->delay = 0;
    if (run->plan->state == SYNCD_REPAIR_COMPLETE)
        release_others(run->plan);
    syncd_repair_settle(service);
    return g_strdup(run->report);
}

/* It is taken back, as the daemon's own job: whoever cancels it does not wait. That one is not
 * cancelled: half of a repair is of use to nobody. */
static void cancel(void *data)
{
    Run *run = data;
    SyncdRepairPlan *plan = run->plan;
    finish_run(run);
    if (!plan->undoing) {
        g_free(plan->failure);
        plan->failure = g_strdup("It was cancelled");
        plan->undoing = true;
        syncd_repair_save(plan, NULL); /* else the next start goes on with it, or this job does */
    }
    syncd_repair_run(plan, plan->service->uid, true);
}

static void release(void *data)
{
    Run *run = data;
    if (!run->over)
        finish_run(run);
    g_ptr_array_unref(run->acts);
    g_clear_error(&run->failure);
    g_free(run->report);
    g_free(run);
}

#define FUNCTIONS .step = step, .waits = waits, .conclude = conclude, .release = release

static const SyncdJobKind repairing = {.operation = "repair", FUNCTIONS, .cancel = cancel},
                          undoing = {.operation = "repair-rollback", FUNCTIONS, .to_its_end = true};

SyncdJob *syncd_repair_run(SyncdRepairPlan *plan, uid_t uid, bool own)
{
    Run *run = g_new0(Run, 1);
    run->plan = plan;
    run->acts = g_ptr_array_new_with_free_func(syncd_repair_act_free);
    for (guint i = 0; i < plan->steps->len; i++)
        g_ptr_array_add(run->acts, syncd_repair_act_new(plan, i));
    /* One that waits to be tried again begins anew then: what is kept meanwhile goes with it. */
    syncd_service_stop_scrub(plan->service);
    run->retried = plan->interrupted;
    plan->interrupted = false;
    plan->service->repairs->running = plan;
    SyncdJob *job = syncd_service_begin_job(plan->service, plan->undoing ? &undoing : &repairing,
                                            run, uid, own);
    g_free(plan->job);
    plan->job = g_strdup(syncd_job_id(job));
    syncd_repair_tell_changed(plan);
    return job;
}
