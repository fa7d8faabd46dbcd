/* The life of a plan while storage calls fail. */
#include "call-faults.h"
#include "repair-lives.h"

static const char *begin_case(void *data)
{
    RepairLife *life = data;
    return life->copy(life);
}

static void tell(RepairLife *life, LifeTold told)
{
    if (told == TOLD_ENDED)
        call_work_ends((int)told);
    else
        call_work_tells((int)told);
}

static bool is_spoiled(const RepairLife *life)
{
    return call_work_went_wrong();
}

static void live(void *data)
{
    RepairLife *life = data;
    life->subject->open(life);
    call_work_begins();
    repair_life_live(life);
}

static void look(void *data, int told)
{
    RepairLife *life = data;
    g_autofree char *wrong = repair_life_judge(life, (LifeTold)told);
    if (wrong != NULL)
        g_error("%s", wrong);
    life->remove(life);
}

void repair_life_run(RepairLife *life)
{
    const CallWork work = {begin_case, live, look, life->subject->sparse};
    life->tell = tell;
    life->is_spoiled = is_spoiled;
    call_faults_run_all(&work, life);
}
