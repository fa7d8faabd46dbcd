#include "repair-lives.h"

#include "../unit/diagnose-fixture.h"

#include "service/repair-private.h"

#include <string.h>

#define TURNS_MAX 20000u

/* ---- living ---- */

static SyncdRepairPlan *make_plan(RepairLife *life, GError **error)
{
    SyncdRepairPlan *plan = NULL;
    const RepairSubject *subject = life->subject;
    const SyncdRepairRequest request = {
        .accept = subject->accept != NULL ? subject->accept(life) : NULL,
        .purge = subject->is_purge,
    };
    return syncd_service_plan_repair(life->f->service, &life->f->caller, &request, &plan, error)
               ? plan
               : NULL;
}

static bool approve(RepairLife *life, SyncdRepairPlan *plan)
{
    return syncd_service_approve_repair(life->f->service, &life->f->caller, plan,
                                        syncd_repair_plan_digest(plan), NULL);
}

static void take_turns(RepairLife *life, guint n)
{
    for (guint i = 0; i < n; i++)
        life->subject->turn(life);
}

static void run_on(RepairLife *life)
{
    guint turns = 0;
    for (; life->f->service->repairs->running != NULL && turns < TURNS_MAX; turns++)
        life->subject->turn(life);
    g_assert_cmpuint(turns, <, TURNS_MAX);
}

static bool carry_out(RepairLife *life, SyncdRepairPlan *plan, const char *expected)
{
    SyncdJob *job = NULL;
    g_autoptr(GError) error = NULL;
    ServiceFixture *f = life->f;
    const char *digest = syncd_repair_plan_digest(plan);
    bool back = strcmp(expected, "rolled_back") == 0;
    if (back ? !syncd_service_rollback_repair(f->service, &f->caller, plan, digest, &job, &error)
             : !syncd_service_apply_repair(f->service, &f->caller, plan, digest, &job, &error))
        return false;
    run_on(life);
    return strcmp(syncd_repair_plan_state(plan), expected) == 0;
}

static bool end_it(RepairLife *life, SyncdRepairPlan *plan)
{
    return life->end == LIFE_THEN_BACK
               ? carry_out(life, plan, "rolled_back")
               : syncd_service_discard_repair(life->f->service, &life->f->caller, plan,
                                              syncd_repair_plan_digest(plan), NULL);
}

void repair_life_live(RepairLife *life)
{
    SyncdRepairPlan *plan = make_plan(life, NULL);
    /* A disk that errs while it is looked for may give a plan that is about that alone. */
    if (plan == NULL || strstr(syncd_repair_plan_text(plan), life->subject->step) == NULL)
        return;
    life->tell(life, TOLD_PLANNED);
    if (!approve(life, plan))
        return;
    life->tell(life, TOLD_APPROVED);
    if (!carry_out(life, plan, "complete"))
        return;
    life->tell(life, TOLD_APPLIED);
    if (end_it(life, plan))
        life->tell(life, TOLD_ENDED);
}

/* ---- what is left of it ---- */

/* Of what a process keeps beside its databases: found as what they are. */
static bool is_half_a_note(const char *name)
{
    return name[0] == '.' && g_str_has_suffix(name, ".new");
}

static bool has_half_a_note(RepairLife *life)
{
    const char *name;
    g_autoptr(GDir) state = g_dir_open(life->f->base.directory, 0, NULL);
    while ((name = g_dir_read_name(state)) != NULL)
        if (is_half_a_note(name))
            return true;
    return false;
}

static bool finds(RepairLife *life)
{
    return is_found(life->f, life->subject->finding);
}

/* One that was discarded after it was applied is gone. */
static const char *state_of(RepairLife *life)
{
    const GPtrArray *plans = life->f->service->repairs->plans;
    g_autoptr(GPtrArray) shown = syncd_service_repair_plans(life->f->service);
    if (shown->len > 1)
        return "one of several";
    return shown->len == 0 || plans->len == 0 ? "gone" : syncd_repair_plan_state(shown->pdata[0]);
}

static SyncdRepairPlan *the_plan(RepairLife *life)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(life->f->service);
    return plans->len > 0 ? plans->pdata[0] : NULL;
}

/* What a plan may be after whoever waited was told so much. */
static char *check_told(const RepairLife *life, const char *state, LifeTold told)
{
    const char *ended = life->end == LIFE_THEN_GONE ? "gone" : "rolled_back";
    const char *const expected[][4] = {
        [TOLD_NOTHING] = {"gone", "preview"},
        [TOLD_PLANNED] = {"preview", "approved"},
        [TOLD_APPROVED] = {"approved", "failed", "complete"},
        [TOLD_APPLIED] = {"complete", ended},
        [TOLD_ENDED] = {ended},
    };
    return g_strv_contains(expected[told], state)
               ? NULL
               : g_strdup_printf("the plan is %s after answer %d", state, (int)told);
}

static bool is_promised(const SyncdRepairPlan *plan)
{
    g_autofree char *description = plan != NULL ? syncd_repair_plan_describe(plan) : NULL;
    return description != NULL && strstr(description, "\"rollback_until_usec\":null") == NULL;
}

static bool is_of_a_plan(const char *name)
{
    return is_half_a_note(name) || g_str_has_suffix(name, ".plan") ||
           g_str_has_suffix(name, ".state") || g_str_has_suffix(name, ".report") ||
           g_str_has_prefix(name, REPAIR_LIFE_ASIDE);
}

/* Nothing is kept for a way back that there is not. */
static char *check_tidy(RepairLife *life)
{
    const char *name;
    g_autofree char *ledger = g_build_filename(life->f->base.directory, "repair", NULL);
    g_autoptr(GDir) state = g_dir_open(life->f->base.directory, 0, NULL),
                    repair = g_dir_open(ledger, 0, NULL);
    bool complete = strcmp(state_of(life), "complete") == 0, promised = is_promised(the_plan(life));
    while (complete && (name = g_dir_read_name(state)) != NULL)
        if (g_str_has_suffix(name, ".new") && !is_half_a_note(name))
            return g_strdup_printf("%s is left in the state", name);
    while (repair != NULL && !promised && (name = g_dir_read_name(repair)) != NULL)
        if (!is_of_a_plan(name))
            return g_strdup_printf("%s is left in the ledger", name);
    return NULL;
}

/* Before or after, and never between. */
static char *check_whole(RepairLife *life, bool whole)
{
    bool is = whole ? life->subject->is_after(life) : life->subject->is_before(life);
    if (!is)
        return g_strdup_printf("it is not as %s the repair, and the plan is %s",
                               whole ? "after" : "before", state_of(life));
    /* A half may have come since, which is another one. */
    bool found = finds(life) && !(whole && strcmp(life->subject->finding, "leftovers") == 0 &&
                                  has_half_a_note(life));
    return whole ? !found ? NULL : g_strdup("it is found after the repair")
           : found || life->subject->stays ? NULL
                                           : g_strdup("what was found is not any more");
}

static char *take_back(RepairLife *life)
{
    if (!carry_out(life, the_plan(life), "rolled_back"))
        return g_strdup("what was applied cannot be taken back");
    return life->subject->is_before(life) ? NULL : g_strdup("it is not taken back");
}

static char *repair(RepairLife *life)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = make_plan(life, &error);
    if (plan == NULL)
        return g_strdup_printf("it cannot be planned again: %s", error->message);
    if (!approve(life, plan))
        return g_strdup("what is planned again cannot be approved");
    if (!carry_out(life, plan, "complete"))
        return g_strdup_printf("what is planned again is %s", syncd_repair_plan_state(plan));
    return life->subject->is_after(life) ? NULL : g_strdup("it is not repaired again");
}

/* The log says how often it was done, at the latest when it is tried again. */
static char *check_log(RepairLife *life, guint applied)
{
    life->f->base.now_usec += SYNCD_REPAIR_RETRY_USEC;
    take_turns(life, 100);
    guint said = count_events(life->f, "sync.repair.completed");
    return said == applied ? NULL
                           : g_strdup_printf("the log has %u repairs, and %u were", said, applied);
}

static char *judge(RepairLife *life, LifeTold told)
{
    const char *state = state_of(life);
    bool whole =
        strcmp(state, "complete") == 0 || (strcmp(state, "gone") == 0 && told >= TOLD_APPLIED);
    guint applied = whole || strcmp(state, "rolled_back") == 0;
    char *wrong = check_told(life, state, told);
    if (wrong == NULL)
        wrong = check_tidy(life);
    if (wrong == NULL)
        wrong = check_whole(life, whole);
    bool back = strcmp(state, "complete") == 0 && is_promised(the_plan(life));
    if (wrong == NULL && back)
        wrong = take_back(life);
    bool again = wrong == NULL && (!whole || back) && finds(life);
    if (again)
        wrong = repair(life);
    return wrong != NULL ? wrong : check_log(life, applied + again);
}

char *repair_life_judge(RepairLife *life, LifeTold told)
{
    /* No process has the time or the luck of the one before it. */
    life->f->base.seed = ~life->f->base.seed;
    life->f->base.now_usec += G_USEC_PER_SEC;
    life->told = told;
    life->subject->open(life);
    run_on(life);
    take_turns(life, 20);
    char *wrong = judge(life, told);
    life->subject->close(life);
    return wrong;
}
