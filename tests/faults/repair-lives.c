#include "repair-lives.h"

#include "../unit/diagnose-fixture.h"

#include "service/repair-private.h"

#include <string.h>

#define TURNS_MAX 20000u

/* What the last answer was, of whoever planned and so on. */
enum { TOLD_NOTHING, TOLD_PLANNED, TOLD_APPROVED, TOLD_APPLIED, TOLD_ENDED };

bool repair_life_finds(RepairLife *life, const char *code)
{
    return is_found(life->f, code);
}

static const char *begin_case(void *data)
{
    RepairLife *life = data;
    return life->copy(life);
}

/* ---- in the process that works ---- */

static SyncdRepairPlan *make_plan(RepairLife *life, GError **error)
{
    SyncdRepairPlan *plan = NULL;
    const RepairSubject *subject = life->subject;
    const SyncdRepairRequest request = {.accept =
                                            subject->accept != NULL ? subject->accept(life) : NULL};
    return syncd_service_plan_repair(life->f->service, &life->f->caller, &request, &plan, error)
               ? plan
               : NULL;
}

static bool runs(const SyncdRepairPlan *plan)
{
    return plan->service->repairs->running == plan;
}

static void run_on(RepairLife *life, const SyncdRepairPlan *plan)
{
    guint turns = 0;
    for (; runs(plan) && turns < TURNS_MAX; turns++)
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
             : !syncd_service_apply_repair(f->service, &f->caller, plan, digest, &job, &error)) {
        g_test_message("refused: %s", error->message);
        return false;
    }
    run_on(life, plan);
    g_test_message("carried out: it is %s", syncd_repair_plan_state(plan));
    return strcmp(syncd_repair_plan_state(plan), expected) == 0;
}

static bool approve(RepairLife *life, SyncdRepairPlan *plan)
{
    return syncd_service_approve_repair(life->f->service, &life->f->caller, plan,
                                        syncd_repair_plan_digest(plan), NULL);
}

static bool end_it(RepairLife *life, SyncdRepairPlan *plan)
{
    return life->end == LIFE_THEN_BACK
               ? carry_out(life, plan, "rolled_back")
               : syncd_service_discard_repair(life->f->service, &life->f->caller, plan,
                                              syncd_repair_plan_digest(plan), NULL);
}

static void live(void *data)
{
    RepairLife *life = data;
    life->subject->open(life);
    call_work_begins();
    SyncdRepairPlan *plan = make_plan(life, NULL);
    if (plan == NULL)
        return;
    call_work_tells(TOLD_PLANNED);
    if (!approve(life, plan))
        return;
    call_work_tells(TOLD_APPROVED);
    if (!carry_out(life, plan, "complete"))
        return;
    call_work_tells(TOLD_APPLIED);
    if (end_it(life, plan))
        call_work_ends(TOLD_ENDED);
}

/* ---- in the one that looks ---- */

static const char *state_of(const SyncdRepairPlan *plan)
{
    return plan != NULL ? syncd_repair_plan_state(plan) : "gone";
}

static bool is_state(const SyncdRepairPlan *plan, const char *state)
{
    return strcmp(state_of(plan), state) == 0;
}

static SyncdRepairPlan *the_plan(RepairLife *life)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(life->f->service);
    g_assert_cmpuint(plans->len, <=, 1);
    return plans->len > 0 ? plans->pdata[0] : NULL;
}

static void check_told(const RepairLife *life, const SyncdRepairPlan *plan, int told)
{
    bool gone = life->end == LIFE_THEN_GONE;
    switch (told) {
    case TOLD_NOTHING:
        g_assert_true(plan == NULL || is_state(plan, "preview"));
        break;
    case TOLD_PLANNED:
        g_assert_true(is_state(plan, "preview") || is_state(plan, "approved"));
        break;
    case TOLD_APPROVED:
        g_assert_true(is_state(plan, "approved") || is_state(plan, "failed") ||
                      is_state(plan, "complete"));
        break;
    case TOLD_APPLIED:
        g_assert_true(is_state(plan, "complete") || is_state(plan, gone ? "gone" : "rolled_back"));
        break;
    case TOLD_ENDED:
        g_assert_true(is_state(plan, gone ? "gone" : "rolled_back"));
        break;
    }
}

static bool is_promised(const SyncdRepairPlan *plan)
{
    g_autofree char *description = plan != NULL ? syncd_repair_plan_describe(plan) : NULL;
    return description != NULL && strstr(description, "\"rollback_until_usec\":null") == NULL;
}

/* Halves that a process left are found as what they are. */
static bool is_of_a_plan(const char *name)
{
    return (name[0] == '.' && g_str_has_suffix(name, ".new")) || g_str_has_suffix(name, ".plan") ||
           g_str_has_suffix(name, ".state") || g_str_has_suffix(name, ".report");
}

/* Nothing is kept for a way back that there is not. */
static void check_tidy(const RepairLife *life, const SyncdRepairPlan *plan)
{
    const char *name;
    g_autofree char *ledger = g_build_filename(life->f->base.directory, "repair", NULL);
    g_autoptr(GDir) state = g_dir_open(life->f->base.directory, 0, NULL),
                    repair = g_dir_open(ledger, 0, NULL);
    while (is_state(plan, "complete") && (name = g_dir_read_name(state)) != NULL)
        g_assert_false(g_str_has_suffix(name, ".new"));
    while (repair != NULL && !is_promised(plan) && (name = g_dir_read_name(repair)) != NULL) {
        if (!is_of_a_plan(name))
            g_error("%s is left in the ledger", name);
    }
}

/* Before or after, and never between. */
static bool check_whole(RepairLife *life, const SyncdRepairPlan *plan, int told)
{
    bool whole = is_state(plan, "complete") || (plan == NULL && told >= TOLD_APPLIED);
    g_assert_true(whole ? life->subject->is_after(life) : life->subject->is_before(life));
    bool found = repair_life_finds(life, life->subject->finding);
    g_assert_true(whole ? !found : found || life->subject->stays);
    return whole;
}

static void repair(RepairLife *life)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = make_plan(life, &error);
    g_assert_no_error(error);
    g_assert_true(approve(life, plan));
    g_assert_true(carry_out(life, plan, "complete"));
    g_assert_true(life->subject->is_after(life));
}

/* The log says how often it was done, at the latest when it is tried again. */
static void check_log(RepairLife *life, guint applied)
{
    life->f->base.now_usec += SYNCD_REPAIR_RETRY_USEC;
    for (guint i = 0; i < 100; i++)
        life->subject->turn(life);
    g_assert_cmpuint(count_events(life->f, "sync.repair.completed"), ==, applied);
}

static void look(void *data, int told)
{
    RepairLife *life = data;
    /* No process has the time or the luck of the one before it. */
    life->f->base.seed = ~life->f->base.seed;
    life->f->base.now_usec += G_USEC_PER_SEC;
    life->subject->open(life);
    SyncdRepairPlan *plan = the_plan(life);
    if (plan != NULL)
        run_on(life, plan);
    for (guint i = 0; i < 20; i++)
        life->subject->turn(life);
    plan = the_plan(life);
    g_test_message("the plan is %s", state_of(plan));
    check_told(life, plan, told);
    check_tidy(life, plan);
    bool whole = check_whole(life, plan, told);
    guint applied = whole || is_state(plan, "rolled_back");
    if (is_state(plan, "complete") && is_promised(plan)) {
        g_assert_true(carry_out(life, plan, "rolled_back"));
        g_assert_true(life->subject->is_before(life));
        whole = false;
    }
    bool again = !whole && repair_life_finds(life, life->subject->finding);
    if (again)
        repair(life);
    check_log(life, applied + again);
    life->subject->close(life);
    life->remove(life);
}

void repair_life_run(RepairLife *life)
{
    static const CallWork work = {begin_case, live, look};
    call_faults_run_all(&work, life);
}
