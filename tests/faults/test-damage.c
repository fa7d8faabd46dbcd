/*
 * A populated state is damaged at random, in several ways at once: a diagnosis names each damage
 * and nothing else, a plan repairs what can be repaired, the next diagnosis is clean or names
 * exactly what is lost, the log only grew, the report and all evidence of it are signed, and taking
 * the repair back brings back what was there.
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

static gint rounds = 40, from = 1;

static bool is_chosen(guint chosen, guint i)
{
    return (chosen & 1u << i) != 0;
}

static bool takes(guint i, DamageNeed need)
{
    return need == NEEDS_LOG ? damages[i].excludes == THE_LOG
                             : damages[i].excludes == THE_INDEX && damages[i].needs < need;
}

static const char *code_of(guint i, bool repaired)
{
    return repaired && damages[i].lost != NULL ? damages[i].lost : damages[i].code;
}

static bool takes_away(guint i, guint j)
{
    return (damages[j].needs >= NEEDS_INDEX && takes(i, NEEDS_INDEX)) ||
           (damages[j].needs >= NEEDS_LOG && takes(i, NEEDS_LOG));
}

static bool go_together(guint i, guint j)
{
    return (damages[i].excludes == ANYTHING || damages[i].excludes != damages[j].excludes) &&
           !takes_away(i, j) && !takes_away(j, i);
}

/* A few that do. */
static guint choose(Damaged *world)
{
    guint chosen = 0;
    for (guint tries = 1 + damaged_pick(world, AT_ONCE); tries > 0; tries--) {
        guint i = damaged_pick(world, n_damages);
        bool fits = !is_chosen(chosen, i);
        for (guint j = 0; j < n_damages; j++)
            fits = fits && (!is_chosen(chosen, j) || go_together(i, j));
        if (fits)
            chosen |= 1u << i;
    }
    return chosen;
}

static void do_damage(Damaged *world, guint chosen, DamageWhen when)
{
    for (guint i = 0; i < n_damages; i++) {
        if (!is_chosen(chosen, i) || damages[i].when != when)
            continue;
        g_test_message("damage: %s", damages[i].name);
        damages[i].damage(world);
    }
}

/* ---- what is found ---- */

/* Everything that takes longer, as `doctor --deep` has it done. */
static void look_deep(Damaged *world)
{
    g_autoptr(GError) error = NULL;
    bool has_index = !syncd_store_lacks_index(world->f->service->store);
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = has_index};
    SyncdJob *job = NULL;
    syncd_service_verify_with(world->f->service, &world->f->caller, &options, &job, &error);
    g_assert_no_error(error);
    run_jobs(world->f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
    if (world->watched.w.workspace != NULL)
        scan_deep(&world->watched.w);
}

/* What follows from an index that is not there, from a log that cannot be gone on with as it is,
 * and from a run that did not end; and what only tells. */
static bool is_aside(const Damaged *world, const SyncdFound *found, guint expected, bool repaired)
{
    const char *code = found->finding->code;
    bool lacks_index = false, log_damaged = false;
    for (guint i = 0; i < n_damages; i++) {
        lacks_index |= is_chosen(expected, i) && takes(i, NEEDS_INDEX);
        log_damaged |= is_chosen(expected, i) && takes(i, NEEDS_LOG);
    }
    return !syncd_finding_is_bad(found->finding) ||
           (lacks_index && strcmp(code, "unchecked") == 0) ||
           (log_damaged && !repaired && strcmp(code, "journal-corrupt") == 0) ||
           (world->dirty && strcmp(code, "dirty-open") == 0);
}

static bool is_expected(const SyncdFound *found, guint expected, bool repaired)
{
    for (guint i = 0; i < n_damages; i++)
        if (is_chosen(expected, i) && strcmp(code_of(i, repaired), found->finding->code) == 0)
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

static bool is_named(const Damaged *world, const GPtrArray *found, guint i, bool repaired)
{
    if (damages[i].when == BEFORE_CLOSE)
        return world->dirty_found;
    return find(found, code_of(i, repaired)) != NULL;
}

/* Whether exactly these are found. `hidden`: a finding that nobody is told of; NULL: none. */
static bool finds(Damaged *world, guint expected, bool repaired, const char *hidden)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(world->f->service);
    bool right = true;
    for (guint i = 0; i < n_damages; i++) {
        bool is =
            g_strcmp0(hidden, code_of(i, repaired)) != 0 && is_named(world, found, i, repaired);
        if (!is_chosen(expected, i) || is)
            continue;
        g_test_message("not found: %s", damages[i].name);
        right = false;
    }
    for (guint i = 0; i < found->len; i++) {
        const SyncdFound *one = found->pdata[i];
        if ((is_expected(one, expected, repaired) && names_its_place(world, one)) ||
            is_aside(world, one, expected, repaired))
            continue;
        g_test_message("found besides: %s %s", one->finding->code,
                       one->evidence->len > 0 ? (char *)one->evidence->pdata[0] : "");
        right = false;
    }
    return right;
}

/* ---- what is signed ---- */

/* As somebody finds it who believes the device, and nothing else. */
static void check_signatures(Damaged *world)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdAttestationKeys) keys = device_keys(world->f);
    g_autofree char *report = syncd_service_health(world->f->service, &world->f->caller, &error);
    g_assert_no_error(error);
    g_assert_cmpint(syncd_attestation_check(syncd_json_root(report, strlen(report)), keys), ==,
                    SYNCD_ATTESTATION_SIGNED);
    g_auto(Ledger) ledger = whole_ledger(world->f);
    g_assert_cmpuint(ledger.envelopes->len, >, 0);
    for (guint i = 0; i < ledger.envelopes->len; i++)
        assert_valid(ledger.envelopes->pdata[i], keys);
}

/* ---- a round ---- */

static guint repaired_of(guint chosen)
{
    guint repaired = 0;
    for (guint i = 0; i < n_damages; i++)
        if (is_chosen(chosen, i) && damages[i].repaired)
            repaired |= 1u << i;
    return repaired;
}

/* What is named when all is repaired that can be. */
static guint left_of(guint chosen)
{
    guint left = 0;
    for (guint i = 0; i < n_damages; i++)
        if (is_chosen(chosen, i) && (!damages[i].repaired || damages[i].lost != NULL))
            left |= 1u << i;
    return left;
}

static void begin_round(Damaged *world, guint32 seed, guint *ret_chosen)
{
    damaged_init(world, seed);
    *ret_chosen = choose(world);
    do_damage(world, *ret_chosen, BEFORE_CLOSE);
    if (!world->dirty)
        syncd_service_end_run(world->f->service);
    damaged_close(world);
    do_damage(world, *ret_chosen, WHILE_CLOSED);
    damaged_open(world);
    do_damage(world, *ret_chosen, AFTER_START);
    look_deep(world);
}

static void run(Damaged *world, const SyncdRepairPlan *plan, const char *expected)
{
    if (world->watched.w.workspace != NULL)
        run_on(&world->watched, plan);
    else
        run_jobs(world->f);
    g_assert_cmpstr(syncd_repair_plan_state(plan), ==, expected);
    damaged_rest(world);
}

static SyncdRepairPlan *repair(Damaged *world)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = plan_repair(world->f);
    approve_repair(world->f, plan);
    begin_repair(world->f, plan);
    run(world, plan, "complete");
    g_autofree char *report = syncd_service_repair_report(world->f->service, plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"is_prefix\":true"));
    g_assert_null(strstr(report, "\"is_prefix\":false"));
    g_assert_cmpuint(count_events(world->f, "sync.repair.completed"), ==, 1);
    return plan;
}

static void take_back(Damaged *world, SyncdRepairPlan *plan, guint chosen)
{
    g_autoptr(GError) error = NULL;
    SyncdJob *job = NULL;
    syncd_service_rollback_repair(world->f->service, &world->f->caller, plan,
                                  syncd_repair_plan_digest(plan), &job, &error);
    g_assert_no_error(error);
    run(world, plan, "rolled_back");
    for (guint i = 0; i < n_damages; i++) {
        if (!is_chosen(chosen, i) || damages[i].is_back == NULL)
            continue;
        g_test_message("is it back: %s", damages[i].name);
        g_assert_true(damages[i].is_back(world));
    }
}

static void run_round(guint32 seed)
{
    Damaged world;
    guint chosen;
    g_test_message("round %u", seed);
    begin_round(&world, seed, &chosen);
    g_assert_true(finds(&world, chosen, false, NULL));
    if (repaired_of(chosen) != 0) {
        SyncdRepairPlan *plan = repair(&world);
        look_deep(&world);
        g_assert_true(finds(&world, left_of(chosen), true, NULL));
        check_signatures(&world);
        take_back(&world, plan, chosen);
    } else {
        check_signatures(&world);
    }
    damaged_clear(&world);
}

static void any_damage_is_found_repaired_and_put_back(void)
{
    for (gint i = 0; i < rounds; i++)
        run_round((guint32)(from + i));
}

/* Each of them, in a round in which it is. */
static void a_damage_that_is_hidden_is_noticed(void)
{
    guint seen = 0, all = (1u << n_damages) - 1;
    for (guint32 seed = 1; seen != all && seed < 400; seed++) {
        Damaged world;
        guint chosen;
        begin_round(&world, seed, &chosen);
        for (guint i = 0; i < n_damages; i++) {
            if (!is_chosen(chosen, i) || is_chosen(seen, i))
                continue;
            seen |= 1u << i;
            g_assert_false(finds(&world, chosen, false, damages[i].code));
        }
        damaged_clear(&world);
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
