/*
 * The phases of a repair that the power is cut in: planned, approved, applied, taken back or
 * discarded, of what has no workspace; and of what is purged, cleared and proven. At any moment
 * what the next start finds is held against what was answered until then (repair-lives.h).
 */
#include "power-phases.h"

#include "repair-purges.h"
#include "state-copies.h"

#include "service/repair-private.h"
#include "store/examine.h"
#include "store/store-private.h"

#define TURNS_MAX 1000u

/* A repair, and which of its answers were about what came meanwhile. */
typedef struct {
    PowerRun *run;
    RepairWorld world;
    const RepairSubject *which; /* in the table … */
    RepairSubject subject;      /* … and as it lives: its turns are looked at */
    GArray *served; /* size_t: the events by which an operation was answered that came meanwhile */
} Repair;

static Repair *repair_of(RepairLife *life)
{
    return (Repair *)(void *)((char *)life->data - offsetof(Repair, world));
}

static void let_journal_wait_for_nothing(RepairLife *life)
{
    g_autoptr(GError) error = NULL;
    syncd_database_run(syncd_journal_database(life->f->service->store->journal),
                       "PRAGMA synchronous = OFF;", &error);
    g_assert_no_error(error);
}

/* Once what was approved is being done. */
static void break_promise(RepairLife *life, PowerFault fault)
{
    SyncdService *service = life->f->service;
    if (fault == POWER_UNSCRUBBED)
        service->scrubbed = service->scrub != NULL;
    else if (fault == POWER_SYNCHRONOUS_OFF && service->repairs->running != NULL &&
             !syncd_service_has_turn(service))
        let_journal_wait_for_nothing(life);
}

/* Each answer at the event by which it was given. */
static void take_turn(RepairLife *life)
{
    Repair *repair = repair_of(life);
    break_promise(life, repair->run->fault);
    repair->which->turn(life);
    size_t event = power_run_now(repair->run);
    while (repair->served->len < *repair->world.answered)
        g_array_append_val(repair->served, event);
}

static void tell(RepairLife *life, LifeTold told)
{
    PowerRun *run = repair_of(life)->run;
    power_run_answer(run);
    if (run->fault == POWER_PURGED_UNRECORDED && told == TOLD_APPROVED)
        repair_purges_take_content(life);
}

static bool is_never_spoiled(const RepairLife *life)
{
    return false;
}

static void repair_free(void *data)
{
    Repair *repair = data;
    RepairLife *life = &repair->world.life;
    life->subject->close(life); /* it ran when the power went */
    repair_world_clear(&repair->world);
    g_array_unref(repair->served);
    g_free(repair);
}

static const char *pick_subject(PowerRun *run)
{
    const char *const *subjects = run->phase->about;
    return subjects[power_below(&run->random, g_strv_length((char **)subjects))];
}

static void prepare(PowerRun *run)
{
    Repair *repair = g_new0(Repair, 1);
    RepairWorld *w = &repair->world;
    const RepairCase *which = repair_case_find(pick_subject(run));
    bool back = !which->subject.for_good && power_below(&run->random, 2) == 0;
    repair_world_init(w, which, back ? LIFE_THEN_BACK : LIFE_THEN_GONE);
    repair->run = run;
    repair->which = w->life.subject;
    repair->subject = *repair->which;
    repair->subject.turn = take_turn;
    /* What is found asks for it, too, where nothing else is wrong. */
    repair->subject.is_purge &= power_below(&run->random, 2) == 0;
    repair->served = g_array_new(FALSE, FALSE, sizeof(size_t));
    w->life.subject = &repair->subject;
    w->life.tell = tell;
    w->life.is_spoiled = is_never_spoiled;
    w->f.base.seed = power_random(&run->random);
    copy_into(w->state, run->state);
    w->f.base.directory = run->state;
    run->data = repair;
    run->free_data = repair_free;
}

/* What is purged is cleared and proven after the answers; where there is no index nobody knows
 * whether anything is. */
static void go_on(RepairLife *life)
{
    guint turns = 0;
    bool purges = repair_of(life)->which->is_purge;
    for (; purges && life->f->service->has_purges && turns < TURNS_MAX; turns++)
        life->subject->turn(life);
    g_assert_cmpuint(turns, <, TURNS_MAX);
}

static void live(PowerRun *run)
{
    Repair *repair = run->data;
    RepairLife *life = &repair->world.life;
    *repair->world.answered = 0;
    life->subject->open(life);
    /* What is to be noticed is what becomes of the repair, and of nothing else. */
    repair->world.serves_nobody = run->fault != POWER_SOUND;
    run->from = power_run_now(run);
    repair_life_live(life);
    g_assert_cmpuint(run->answers->len, ==, TOLD_ENDED);
    if (repair->which->is_purge)
        go_on(life);
}

static guint served_until(const Repair *repair, size_t cut)
{
    guint n = 0;
    while (n < repair->served->len && g_array_index(repair->served, size_t, n) <= cut)
        n++;
    return n;
}

/* As another process, which changes nothing of what this one knows. */
static char *judge(const PowerRun *run, const char *state, size_t cut)
{
    Repair *repair = run->data;
    RepairWorld *w = &repair->world;
    const ServiceFixture before = w->f;
    w->f.base.directory = (char *)state;
    *w->answered = served_until(repair, cut);
    repair->subject = *repair->which;
    char *wrong = repair_life_judge(&w->life, (LifeTold)power_run_answered(run, cut));
    w->f = before;
    return wrong;
}

#define REPAIR(of, ...)                                                                            \
    .name = "repair of " of, .prepare = prepare, .run = live, .judge = judge, .alone = true,       \
    .about = POWER_ABOUT(__VA_ARGS__)

const PowerPhase power_phases[] = {
    {REPAIR("an index", "index")},
    {REPAIR("an index that serves", "index-that-serves")},
    {REPAIR("halves", "halves")},
    {REPAIR("tasks", "tasks")},
    {REPAIR("modes", "modes")},
    {REPAIR("owners", "owners"), .is_possible = syncd_store_may_set_owners},
    {REPAIR("orphans", "orphans")},
    {REPAIR("content", "chunks")},
    {REPAIR("a full disk", "purges")},
    {REPAIR("entries that wait", "lag")},
    {REPAIR("jobs", "jobs")},
    {REPAIR("a log", "log", "bodies")},
    {REPAIR("a journal that is displaced", "journal-displaced")},
    {REPAIR("a journal", "journal-salvaged", "journal-of-generation", "journal-of-backup")},
};
const size_t power_n_phases = G_N_ELEMENTS(power_phases);

const PowerControl power_controls[] = {
    {"/power/control/a-ledger-that-is-not-synced-is-caught", "repair of an index", POWER_SOUND,
     POWER_FORGETS_FILES},
    {"/power/control/names-that-are-not-synced-are-caught", "repair of halves", POWER_SOUND,
     POWER_FORGETS_NAMES},
    {"/power/control/modes-that-are-not-synced-are-caught", "repair of modes", POWER_SOUND,
     POWER_FORGETS_LOOKS},
    {"/power/control/owners-that-are-not-synced-are-caught", "repair of owners", POWER_SOUND,
     POWER_FORGETS_LOOKS},
    {"/power/control/a-purge-that-is-not-synced-is-caught", "repair of a full disk",
     POWER_SYNCHRONOUS_OFF, POWER_HONEST},
    {"/power/control/a-purge-that-the-log-does-not-have-is-caught", "repair of a full disk",
     POWER_PURGED_UNRECORDED, POWER_HONEST},
    {"/power/control/a-proof-of-what-is-not-cleared-is-caught", "repair of a full disk",
     POWER_UNSCRUBBED, POWER_HONEST},
    {"/power/control/a-generation-whose-name-is-not-synced-is-caught", "repair of a log",
     POWER_SOUND, POWER_FORGETS_NAMES},
    {"/power/control/a-journal-whose-name-is-not-synced-is-caught", "repair of a journal",
     POWER_SOUND, POWER_FORGETS_NAMES},
};
const size_t power_n_controls = G_N_ELEMENTS(power_controls);
