/*
 * A populated state is damaged at random, in several ways at once: a diagnosis names each damage
 * that can be seen and nothing else, and a plan repairs what of these can be repaired. Then more
 * can be seen and done, as a journal that cannot be opened hides what is in it, and so on, until
 * nothing is left to be repaired: the diagnosis is clean or names exactly what is lost, the log
 * only grew, the report and all evidence of it are signed, and taking a repair back brings back
 * what was there, but for what was purged. In the midst of some of them the daemon is killed, and
 * the next one goes on.
 *
 * The control hides one damage from the diagnosis, and must be noticed.
 *
 * test-damage [--rounds N] [--from N] [options of GLib's tests]; a round is its own seed.
 */
#include "damages.h"

#include "../unit/ledger-fixture.h"

#include "service/health.h"
#include "service/internal.h"

#include <string.h>

#define AT_ONCE 5u
#define KILLED_WITHIN 60u /* turns */
#define PATIENCE 20000u   /* turns */

static gint rounds = 50, from = 1;

typedef struct {
    Damaged world;
    guint chosen, done, mended; /* a bit a damage */
    guint perhaps;              /* what may have been mended on the way */
    guint plans;                /* that were carried out */
    bool adopted;               /* what the last plan has put into place */
} Round;

static bool is_in(guint set, guint i)
{
    return (set & 1u << i) != 0;
}

/* A few that do. */
static guint choose(Damaged *world)
{
    guint chosen = 0;
    for (guint tries = 1 + damaged_pick(world, AT_ONCE); tries > 0; tries--) {
        guint i = damaged_pick(world, n_damages);
        bool fits = !is_in(chosen, i) && damage_is_possible(&damages[i]);
        for (guint j = 0; j < n_damages; j++)
            fits = fits && (!is_in(chosen, j) || (damages[i].excludes & damages[j].excludes) == 0);
        if (fits)
            chosen |= 1u << i;
    }
    return chosen;
}

/* What is there in spite of what is damaged, and all beneath it. */
static bool is_there(const Round *round, DamageLevel level)
{
    for (guint i = 0; i < n_damages; i++)
        if (is_in(round->done & ~round->mended, i) && damages[i].takes <= level)
            return false;
    return level < WRITING || !damaged_is_doubted(&round->world);
}

/* What cannot be done after this start waits for a repair that makes it possible. */
static void do_damage(Round *round, DamageWhen when)
{
    for (guint i = 0; i < n_damages; i++) {
        if (!is_in(round->chosen & ~round->done, i) || damages[i].when != when ||
            (when >= AFTER_START && !is_there(round, damages[i].needs)))
            continue;
        g_test_message("damage: %s", damages[i].name);
        damages[i].damage(&round->world);
        round->done |= 1u << i;
    }
}

/* ---- what is found ---- */

/* Everything that takes longer, as `doctor --deep` has it done. */
static void look_deep(Round *round)
{
    g_autoptr(GError) error = NULL;
    Damaged *world = &round->world;
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL,
                                        .index = is_there(round, AN_INDEX)};
    SyncdJob *job = NULL;
    if (!is_there(round, A_JOURNAL))
        return;
    syncd_service_verify_with(world->f->service, &world->f->caller, &options, &job, &error);
    g_assert_no_error(error);
    run_jobs(world->f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    if (world->watched.w.workspace != NULL)
        scan_deep(&world->watched.w);
}

/* NULL: nothing is to be found of it. */
static const char *code_of(const Round *round, guint i)
{
    if (!is_in(round->done, i))
        return NULL;
    if (is_in(round->mended, i))
        return damages[i].lost;
    return is_there(round, damages[i].needs) ? damages[i].code : NULL;
}

/* What a journal from elsewhere lacks the index knows, if there is one. */
static bool may_be_doubted(const Round *round)
{
    bool other = false, unknown = false;
    for (guint i = 0; i < n_damages; i++) {
        if (!is_in(round->done, i))
            continue;
        other |= damages[i].excludes == OF_JOURNAL && is_in(round->mended, i);
        unknown |= damages[i].takes == AN_INDEX;
    }
    return other && unknown;
}

/* Nothing there would do in its place. */
static bool is_beyond_rescue(const Round *round)
{
    for (guint i = 0; i < n_damages; i++)
        if (damages[i].repaired == BY_NOTHING &&
            g_strcmp0(code_of(round, i), "journal-unreadable") == 0)
            return true;
    return false;
}

/* What follows from an index that is not there, from a log that cannot be gone on with as it is,
 * and from a run that did not end; and what only tells. */
static bool is_aside(const Round *round, const SyncdFound *found)
{
    const char *code = found->finding->code;
    return !syncd_finding_is_bad(found->finding) ||
           (strcmp(code, "unchecked") == 0 && !is_there(round, AN_INDEX)) ||
           (strcmp(code, "journal-corrupt") == 0 && !is_there(round, WRITING)) ||
           (strcmp(code, "journal-beyond-rescue") == 0 && is_beyond_rescue(round)) ||
           (strcmp(code, "dirty-open") == 0 && round->world.dirty) ||
           ((strcmp(code, "log-rolled-back") == 0 || strcmp(code, "log-diverged") == 0) &&
            may_be_doubted(round) && damaged_is_doubted(&round->world));
}

static bool is_expected(const Round *round, const SyncdFound *found)
{
    for (guint i = 0; i < n_damages; i++)
        if (g_strcmp0(code_of(round, i), found->finding->code) == 0)
            return true;
    return false;
}

static bool is_at(const SyncdFound *found, guint64 place)
{
    return found->first == place && found->last == place;
}

/* Where it is, is named exactly. */
static bool names_its_place(const Damaged *world, const SyncdFound *found)
{
    const char *code = found->finding->code;
    if (strcmp(code, "body-damaged") == 0 || strcmp(code, "log-lost") == 0)
        return is_at(found, world->lost_at);
    if (strcmp(code, "blob-lost") == 0)
        return is_at(found, world->large_at);
    return true;
}

static bool is_named(const Round *round, const GPtrArray *found, guint i)
{
    if (damages[i].when == BEFORE_CLOSE)
        return round->world.dirty_found;
    return find(found, code_of(round, i)) != NULL;
}

/* Whether exactly these are found. `hidden`: a finding that nobody is told of; NULL: none. */
static bool finds(Round *round, const char *hidden)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(round->world.f->service);
    bool right = damaged_is_doubted(&round->world) == (find(found, "log-rolled-back") != NULL);
    for (guint i = 0; i < n_damages; i++) {
        const char *code = code_of(round, i);
        if (code == NULL || (g_strcmp0(hidden, code) != 0 && is_named(round, found, i)))
            continue;
        if (is_in(round->perhaps, i)) {
            round->mended |= 1u << i;
            continue;
        }
        g_test_message("not found: %s", damages[i].name);
        right = false;
    }
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        assert_finding_is_whole(found->pdata[i]);
        if ((is_expected(round, one) && names_its_place(&round->world, one)) ||
            is_aside(round, one))
            continue;
        g_test_message("found besides: %s %s", one->finding->code,
                       one->evidence->len > 0 ? (char *)one->evidence->pdata[0] : "");
        right = false;
    }
    return right;
}

static void look_at(Round *round)
{
    do_damage(round, AFTER_START);
    do_damage(round, IN_THE_PROCESS);
    look_deep(round);
    g_assert_true(finds(round, NULL));
}

/* ---- what is signed ---- */

/* As somebody finds it who believes the device, and nothing else. */
static void check_signatures(const Round *round)
{
    g_autoptr(GError) error = NULL;
    ServiceFixture *f = round->world.f;
    g_autoptr(SyncdAttestationKeys) keys = device_keys(f);
    g_autofree char *report = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    g_assert_cmpint(syncd_attestation_check(syncd_json_root(report, strlen(report)), keys), ==,
                    SYNCD_ATTESTATION_SIGNED);
    if (!is_there(round, WRITING)) /* or an entry may be what is damaged */
        return;
    g_auto(Ledger) ledger = whole_ledger(f);
    g_assert_cmpuint(ledger.envelopes->len, >, 0);
    for (guint i = 0; i < ledger.envelopes->len; i++)
        assert_valid(ledger.envelopes->pdata[i], keys);
}

/* ---- a repair ---- */

/* What the next plan mends: what is purged stands in a plan of its own, when nothing else is to be
 * mended. */
static guint next_of(const Round *round)
{
    guint together = 0, alone = 0;
    for (guint i = 0; i < n_damages; i++) {
        if (is_in(round->mended, i) || code_of(round, i) == NULL)
            continue;
        if (damages[i].repaired == BY_A_PLAN_OF_ITS_OWN)
            alone |= 1u << i;
        else if (damages[i].repaired != BY_NOTHING)
            together |= 1u << i;
    }
    return together != 0 ? together : alone;
}

static bool may_be_killed(const Round *round)
{
    for (guint i = 0; i < n_damages; i++)
        if (is_in(round->done, i) && damages[i].when == IN_THE_PROCESS)
            return false;
    return true;
}

/* Somewhere in the midst. Whoever asks the next daemon before it is through is told of it. */
static SyncdRepairPlan *kill_somewhere(Round *round, SyncdRepairPlan *plan)
{
    Damaged *world = &round->world;
    g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
    for (guint turns = damaged_pick(world, KILLED_WITHIN); turns > 0 && runs(plan); turns--)
        damaged_turn(world);
    if (!runs(plan))
        return plan;
    g_test_message("killed");
    damaged_kill(world);
    plan = find_repair_plan(world->f->service, id);
    g_assert_nonnull(plan);
    g_assert_true(!runs(plan) || is_found(world->f, "repair-interrupted"));
    return plan;
}

static SyncdRepairPlan *run(Round *round, SyncdRepairPlan *plan, const char *expected)
{
    Damaged *world = &round->world;
    if (may_be_killed(round) && damaged_pick(world, 3) == 0)
        plan = kill_somewhere(round, plan);
    for (guint i = 0; i < PATIENCE && runs(plan); i++)
        damaged_turn(world);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, expected);
    damaged_rest(world);
    return plan;
}

/* Whoever purges is asked for that alone. */
static SyncdRepairPlan *plan_next(Round *round, bool purges)
{
    g_autoptr(GError) error = NULL;
    ServiceFixture *f = round->world.f;
    g_autofree char *accepted = g_steal_pointer(&round->world.accepted);
    const char *const ids[] = {accepted, NULL};
    const SyncdRepairRequest request = {.purge = purges, .accept = ids};
    SyncdRepairPlan *plan = NULL;
    syncd_service_plan_repair(f->service, &f->caller, &request, &plan, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_repair_plan_purges(plan) == purges);
    return plan;
}

static bool is_purge(guint mended)
{
    guint i = 0;
    while (!is_in(mended, i))
        i++;
    return damages[i].repaired == BY_A_PLAN_OF_ITS_OWN;
}

/* `readable`: the log was there when it was planned. */
static void check_report(const Round *round, SyncdRepairPlan *plan, bool readable)
{
    g_autoptr(GError) error = NULL;
    ServiceFixture *f = round->world.f;
    g_autofree char *report = syncd_service_repair_report(f->service, plan, &error);
    g_assert_no_error(error);
    g_assert_null(strstr(report, "\"is_prefix\":false"));
    g_assert_true(!readable || strstr(report, "\"is_prefix\":true") != NULL);
    if (is_there(round, WRITING)) /* else that is owed to the log */
        g_assert_cmpuint(count_events(f, "sync.repair.completed"), ==, round->plans);
}

/* What was purged, and what one process alone knew, nobody brings back. */
static bool may_be_back(guint i)
{
    return damages[i].repaired == BY_A_PLAN && damages[i].when != IN_THE_PROCESS;
}

static void check_there(Round *round, guint mended, bool back)
{
    for (guint i = 0; i < n_damages; i++) {
        if (!is_in(mended, i) || damages[i].is_there == NULL)
            continue;
        g_test_message("is it %s: %s", back ? "back" : "there", damages[i].name);
        g_assert_true(damages[i].is_there(&round->world) == (back && may_be_back(i)));
    }
}

/* Where it is the journal that lost its end no index has to be kept for anybody to look at. */
static guint made_by_itself(const Round *round)
{
    guint made = 0;
    bool has_index = !syncd_store_lacks_index(round->world.f->service->store);
    for (guint i = 0; i < n_damages; i++)
        if (has_index && damaged_is_doubted(&round->world) && is_in(round->done, i) &&
            damages[i].takes == AN_INDEX)
            made |= 1u << i;
    return made;
}

/* A journal that is put into place is made anew where that loses nothing, and else put as it is. */
static guint may_be_mended_with(const Round *round, guint mended)
{
    guint may = 0;
    bool put = false;
    for (guint i = 0; i < n_damages; i++) {
        put |= is_in(mended, i) && damages[i].excludes == OF_JOURNAL;
        if (is_in(round->done, i) && damages[i].excludes == OF_LOG && damages[i].lost == NULL)
            may |= 1u << i;
    }
    return put ? may : 0;
}

static SyncdRepairPlan *repair(Round *round, guint next)
{
    bool readable = is_there(round, A_JOURNAL);
    SyncdRepairPlan *plan = plan_next(round, is_purge(next));
    approve_repair(round->world.f, plan);
    begin_repair(round->world.f, plan);
    plan = run(round, plan, "complete");
    round->mended |= next | made_by_itself(round);
    round->perhaps |= may_be_mended_with(round, next);
    round->plans++;
    check_report(round, plan, readable);
    check_there(round, next, false);
    return plan;
}

static bool has_way_back(guint mended)
{
    for (guint i = 0; i < n_damages; i++)
        if (is_in(mended, i) && damages[i].repaired == BY_A_PLAN)
            return true;
    return false;
}

/* A log that somebody has adopted since stays, and all else that the plan did with it. */
static void take_back(Round *round, SyncdRepairPlan *plan, guint mended)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    ServiceFixture *f = round->world.f;
    bool begun = syncd_service_rollback_repair(f->service, &f->caller, plan,
                                               syncd_repair_plan_digest(plan), &job, &error);
    if (g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_ALREADY_RESOLVED)) {
        g_assert_true(round->adopted);
        return;
    }
    if (has_way_back(mended))
        g_assert_no_error(error);
    else
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    if (begun)
        run(round, plan, "rolled_back");
    check_there(round, mended, true);
}

/* ---- a round ---- */

static void begin_round(Round *round, guint32 seed)
{
    Damaged *world = &round->world;
    *round = (Round){.plans = 0};
    damaged_init(world, seed);
    round->chosen = choose(world);
    do_damage(round, BEFORE_CLOSE);
    if (!world->dirty)
        syncd_service_end_run(world->f->service);
    damaged_close(world);
    do_damage(round, WHILE_CLOSED);
    damaged_open(world);
    damaged_rest(world);
    look_at(round);
}

/* Plan by plan, as more can be seen after each, until nothing is left to be mended; the last one is
 * taken back, or one before it. */
static void mend(Round *round)
{
    guint next = next_of(round);
    while (next != 0) {
        guint mended = next;
        SyncdRepairPlan *plan = repair(round, mended);
        look_at(round);
        round->adopted = damaged_adopt(&round->world);
        if (round->adopted)
            look_at(round);
        check_signatures(round);
        next = next_of(round);
        if (next != 0 && damaged_pick(&round->world, 2) == 0)
            continue;
        take_back(round, plan, mended);
        return;
    }
    check_signatures(round);
}

static void run_round(guint32 seed)
{
    Round round;
    g_test_message("round %u", seed);
    begin_round(&round, seed);
    mend(&round);
    damaged_clear(&round.world);
}

static void any_damage_is_found_repaired_and_put_back(void)
{
    for (gint i = 0; i < rounds; i++)
        run_round((guint32)(from + i));
}

static guint all_that_can_be(void)
{
    guint all = 0;
    for (guint i = 0; i < n_damages; i++)
        if (damage_is_possible(&damages[i]))
            all |= 1u << i;
    return all;
}

/* Each of them, in a round in which it is. */
static void a_damage_that_is_hidden_is_noticed(void)
{
    guint seen = 0, all = all_that_can_be();
    for (guint32 seed = 1; seen != all && seed < 400; seed++) {
        Round round;
        begin_round(&round, seed);
        for (guint i = 0; i < n_damages; i++) {
            const char *code = code_of(&round, i);
            if (code == NULL || is_in(seen, i))
                continue;
            seen |= 1u << i;
            g_assert_false(finds(&round, code));
        }
        damaged_clear(&round.world);
    }
    g_assert_cmpuint(seen, ==, all);
}

int main(int argc, char **argv)
{
    const GOptionEntry options[] = {
        {"rounds", 0, 0, G_OPTION_ARG_INT, &rounds, "how many", "N"},
        {"from", 0, 0, G_OPTION_ARG_INT, &from, "the first seed", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_assert_true(g_option_context_parse(context, &argc, &argv, NULL));
    /* What is synced is not what is looked for here. */
    if (g_getenv("TMPDIR") == NULL && g_access("/dev/shm", W_OK) == 0)
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/damage/any-damage-is-found-repaired-and-put-back",
                    any_damage_is_found_repaired_and_put_back);
    g_test_add_func("/damage/a-damage-that-is-hidden-is-noticed",
                    a_damage_that_is_hidden_is_noticed);
    return g_test_run();
}
