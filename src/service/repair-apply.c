/*
 * Carrying a plan out, and taking it back: one job, in steps.
 *
 * The ledger says what is about to be done before it is: that a step is begun, that all of them are
 * being undone, that it has ended. Between two writes of it the functions of kinds do what can be
 * done again (repair-kinds.h). So whoever reads the ledger after a crash goes on from there.
 *
 * When the ledger itself can not be written, nothing more is done: then the next start decides by
 * what it says.
 */
#include "service/repair-private.h"

#include "base/log.h"
#include "base/timestamp.h"
#include "store/repair-store.h"

typedef struct {
    SyncdRepairPlan *plan;
    GPtrArray *acts; /* SyncdRepairAct, of each step */
    guint at;
    bool prepared; /* `begin` of the step was called in this process */
    bool over;
    GError *failure; /* why it is undone */
    char *report;
} Run;

static void act_free(void *data)
{
    SyncdRepairAct *act = data;
    g_free((char *)act->snapshot);
    g_free(act->note);
    g_free(act->awaits);
    g_ptr_array_unref(act->rebuilt);
    g_ptr_array_unref(act->preserved);
    g_ptr_array_unref(act->quarantined);
    g_ptr_array_unref(act->actors);
    g_free(act);
}

static SyncdRepairAct *act_new(SyncdRepairPlan *plan, guint number)
{
    const SyncdRepairWork *work = plan->steps->pdata[number];
    SyncdRepairAct *act = g_new0(SyncdRepairAct, 1);
    *act = (SyncdRepairAct){
        .service = plan->service,
        .caller = {.uid = plan->approver_uid},
        .own = g_strcmp0(plan->approver, SYNCD_IDENTITY_DAEMON) == 0,
        .target = work->target,
        .object = work->object,
        .snapshot = g_strdup_printf("%s.%u", plan->id, number),
        .note = g_strdup(work->note),
        .rebuilt = g_ptr_array_new_with_free_func(g_free),
        .preserved = g_ptr_array_new_with_free_func(g_free),
        .quarantined = g_ptr_array_new_with_free_func(g_free),
        .actors = g_ptr_array_new_with_free_func(g_free),
    };
    return act;
}

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
    for (guint i = 0; i < run->acts->len; i++)
        if (kind_of(run, i)->stop != NULL)
            kind_of(run, i)->stop(run->acts->pdata[i]);
}

/* The report, the state and what is owed to the log are one write of the ledger. */
static bool end(Run *run, SyncdRepairState state, const char *kind, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    SyncdRepairState before = plan->state;
    bool undoing = plan->undoing, kept = plan->kept;
    const char *who = plan->undoer != NULL ? plan->undoer : plan->approver;
    plan->state = state;
    plan->undoing = false;
    plan->kept = state == SYNCD_REPAIR_COMPLETE;
    plan->ended_usec = syncd_sources_realtime_usec(plan->service->sources);
    g_free(run->report);
    run->report = syncd_repair_write_report(plan, run->acts, error);
    if (run->report != NULL && syncd_repair_save_report(plan, run->report, error)) {
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
    plan->state = before;
    plan->undoing = undoing;
    plan->kept = kept;
    return false;
}

static bool step_forward(Run *run, bool *ret_more, double *ret_progress, GError **error)
{
    guint n = run->plan->steps->len;
    bool more = true;
    double part = 0;
    if (run->at == n) {
        *ret_more = false;
        return end(run, SYNCD_REPAIR_COMPLETE, "repair.apply", error);
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
    if (!kind->step(act, &more, &part, error) || !save_step(run, run->at, SYNCD_STEP_BEGUN, error))
        return false;
    *ret_progress = (run->at + part) / n;
    if (more)
        return true;
    if (kind->check != NULL && !kind->check(act, error))
        return false;
    run->prepared = false;
    return save_step(run, run->at++, SYNCD_STEP_DONE, error);
}

/* ---- back ---- */

static bool step_back(Run *run, bool *ret_more, double *ret_progress, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    guint n = plan->steps->len;
    bool more;
    for (guint i = n; i-- > 0;) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (work->state == SYNCD_STEP_PENDING || work->state == SYNCD_STEP_UNDONE)
            continue;
        if (!work->kind->undo(run->acts->pdata[i], &more, error))
            return false;
        *ret_progress = (double)(n - i) / (n + 1);
        return more || save_step(run, i, SYNCD_STEP_UNDONE, error);
    }
    *ret_more = false;
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

static bool interrupt(Run *run, GError *failure, GError **error)
{
    SyncdRepairPlan *plan = run->plan;
    plan->interrupted = true;
    syncd_log(SYNCD_LOG_ERROR, SYNCD_LOG_ID_REPAIR,
              "The repair %s is interrupted; the next start goes on with it: %s", plan->id,
              failure->message);
    finish_run(run);
    syncd_repair_tell_changed(plan);
    g_propagate_error(error, failure);
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
    if (back ? step_back(run, ret_more, ret_progress, &problem)
             : step_forward(run, ret_more, ret_progress, &problem)) {
        if (*ret_more || run->failure == NULL)
            return true;
        if (run->plan->automatic)
            syncd_repair_by_itself_failed(service, run->failure);
        g_propagate_error(error, g_steal_pointer(&run->failure));
        return false;
    }
    *ret_more = true;
    GError *again = NULL;
    if (!back && turn_back(run, problem, &again))
        return true;
    return interrupt(run, back ? problem : again, error);
}

static bool step(SyncdService *service, void *data, bool *ret_more, double *ret_progress,
                 GError **error)
{
    Run *run = data;
    bool goes_on = take_step(service, run, ret_more, ret_progress, error);
    service->repairs->wake = goes_on && *ret_more ? wake_of(run) : 0;
    return goes_on;
}

/* What is half done needs what it kept. */
static void release_others(const SyncdRepairPlan *plan)
{
    const GPtrArray *plans = plan->service->repairs->plans;
    for (guint i = 0; i < plans->len; i++)
        if (plans->pdata[i] != plan && syncd_repair_plan_has_ended(plans->pdata[i]))
            syncd_repair_release_or_warn(plans->pdata[i]);
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

/* It is taken back, as the daemon's own job: whoever cancels it does not wait. */
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

static const SyncdJobKind repairing = {.operation = "repair",
                                       .step = step,
                                       .waits = waits,
                                       .conclude = conclude,
                                       .cancel = cancel,
                                       .release = release},
                          undoing = {.operation = "repair-rollback",
                                     .step = step,
                                     .waits = waits,
                                     .conclude = conclude,
                                     .cancel = cancel,
                                     .release = release};

SyncdJob *syncd_repair_run(SyncdRepairPlan *plan, uid_t uid, bool own)
{
    Run *run = g_new0(Run, 1);
    run->plan = plan;
    run->acts = g_ptr_array_new_with_free_func(act_free);
    for (guint i = 0; i < plan->steps->len; i++)
        g_ptr_array_add(run->acts, act_new(plan, i));
    plan->interrupted = false;
    plan->service->repairs->running = plan;
    SyncdJob *job = syncd_service_begin_job(plan->service, plan->undoing ? &undoing : &repairing,
                                            run, uid, own);
    g_free(plan->job);
    plan->job = g_strdup(syncd_job_id(job));
    syncd_repair_tell_changed(plan);
    return job;
}

/* ---- snapshots ---- */

/* All that can be, and the first error of what cannot. */
static bool remove_kept(SyncdRepairPlan *plan, GError **error)
{
    GError *first = NULL;
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        SyncdRepairAct *act = act_new(plan, i);
        if (work->kind->release != NULL)
            work->kind->release(act, first == NULL ? &first : NULL);
        act_free(act);
    }
    if (first == NULL)
        return true;
    g_propagate_error(error, first);
    return false;
}

/* The ledger says first that there is no way back, and never promises one that is gone. */
bool syncd_repair_release(SyncdRepairPlan *plan, GError **error)
{
    bool kept = plan->kept;
    if (!kept && !plan->unreleased)
        return true;
    plan->kept = false;
    if (kept && !syncd_repair_save(plan, error)) {
        plan->kept = true;
        return false;
    }
    plan->unreleased = !remove_kept(plan, error);
    if (kept)
        syncd_repair_tell_changed(plan);
    return !plan->unreleased;
}

void syncd_repair_release_or_warn(SyncdRepairPlan *plan)
{
    g_autoptr(GError) error = NULL;
    if (syncd_repair_release(plan, &error))
        return;
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_REPAIR, "What %s kept cannot be removed: %s",
              plan->id, error->message);
    syncd_repair_put_off(plan);
}

bool syncd_repair_release_all(SyncdService *service, GError **error)
{
    for (guint i = 0; i < service->repairs->plans->len; i++)
        if (!syncd_repair_release(service->repairs->plans->pdata[i], error))
            return false;
    return true;
}

/* ---- beginning ---- */

static bool refuse_stale(const SyncdRepairPlan *plan, const char *what, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                         "plan again with `sourceos-syncd repair plan`, and look at the new plan",
                         "The plan %s does not fit any more: %s", plan->id, what);
    return false;
}

static GPtrArray *accepted_of(const SyncdRepairPlan *plan)
{
    GPtrArray *accept = g_ptr_array_new();
    for (guint i = 0; i < plan->steps->len; i++) {
        const SyncdRepairWork *work = plan->steps->pdata[i];
        if (strcmp(work->kind->name, "file-accept") == 0)
            g_ptr_array_add(accept, work->object);
    }
    g_ptr_array_add(accept, NULL);
    return accept;
}

static bool check_needs(SyncdRepairPlan *plan, GError **error)
{
    g_autoptr(GPtrArray) accept = accepted_of(plan);
    g_autoptr(GPtrArray) needs =
        syncd_repair_find_needs(plan->service, (const char *const *)accept->pdata, NULL, error);
    if (needs == NULL)
        return false;
    bool same = MIN(needs->len, SYNCD_REPAIR_STEPS_MAX) == plan->steps->len;
    for (guint i = 0; same && i < plan->steps->len; i++) {
        const SyncdRepairNeed *need = needs->pdata[i];
        const SyncdRepairWork *work = plan->steps->pdata[i];
        same = need->kind == work->kind && strcmp(need->target, work->target) == 0 &&
               strcmp(need->cause->code, work->cause) == 0 &&
               g_strcmp0(need->object, work->object) == 0;
    }
    return same || refuse_stale(plan, "what is found now is not what was found then", error);
}

static bool check_heads(SyncdRepairPlan *plan, GError **error)
{
    for (guint i = 0; i < plan->heads->len; i++) {
        const SyncdRepairHead *head = &g_array_index(plan->heads, SyncdRepairHead, i);
        bool holds;
        g_autoptr(SyncdHead) now = NULL;
        g_autoptr(GArray) path = NULL;
        g_autoptr(GError) problem = NULL;
        if (!syncd_store_prove_prefix(plan->service->store, head->feed, head->size, &head->root,
                                      &holds, &now, &path, &problem) ||
            !holds)
            return refuse_stale(plan, "the log is not one that began as it was then", error);
    }
    return true;
}

static bool check_idle(const SyncdService *service, GError **error)
{
    const SyncdRepairPlan *running = service->repairs->running;
    if (running == NULL && service->scrub == NULL)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_BUSY, "wait for that to end",
                         running != NULL ? "The plan %s is being carried out"
                                         : "A purge is being cleared up after%.0s",
                         running != NULL ? running->id : "");
    return false;
}

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

static bool check_state(const SyncdRepairPlan *plan, GError **error)
{
    if (plan->state <= SYNCD_REPAIR_APPROVED)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                         "see what came of it with `sourceos-syncd repair show`",
                         "The plan %s is %s", plan->id, syncd_repair_state_name(plan->state));
    return false;
}

bool syncd_service_apply_repair(SyncdService *service, const SyncdCaller *caller,
                                SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) || !check_idle(service, error) ||
        !syncd_service_may_begin_job(service, caller->uid, error))
        return false;
    if (plan->state != SYNCD_REPAIR_RUNNING) { /* else it was interrupted, and goes on */
        if (!syncd_repair_check_open(plan, error) || !syncd_repair_require_approval(plan, error) ||
            !syncd_repair_ask(service, caller, "write", SYNCD_LANE_AUDIT, NULL, error) ||
            !syncd_service_commit_turn(service, error) || !check_needs(plan, error) ||
            !check_heads(plan, error) || !syncd_repair_begin(plan, identity, error))
            return false;
    }
    *ret_job = syncd_repair_run(plan, caller->uid, false);
    return true;
}

static bool check_kept(const SyncdRepairPlan *plan, GError **error)
{
    if (plan->state <= SYNCD_REPAIR_APPROVED) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "discard it instead",
                             "The plan %s was not applied", plan->id);
        return false;
    }
    if (plan->state == SYNCD_REPAIR_FAILED || plan->state == SYNCD_REPAIR_ROLLED_BACK)
        return check_state(plan, error);
    if (plan->kept)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "plan a repair of what is wrong now with `sourceos-syncd repair plan`",
                         "What was there before %s is not kept any more", plan->id);
    return false;
}

bool syncd_service_rollback_repair(SyncdService *service, const SyncdCaller *caller,
                                   SyncdRepairPlan *plan, const char *digest, SyncdJob **ret_job,
                                   GError **error)
{
    g_autofree char *identity = syncd_identity_of(caller->uid);
    if (!syncd_repair_check_digest(plan, digest, error) || !check_idle(service, error) ||
        !check_kept(plan, error) || !syncd_service_may_begin_job(service, caller->uid, error) ||
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
    *ret_job = syncd_repair_run(plan, caller->uid, false);
    return true;
}
