/*
 * The state machines of operation and task move where the contract says, and nowhere else; the
 * lanes are those of the vocabulary, in one order.
 */
#include "contract/vocabulary.h"
#include "domain/lane.h"
#include "domain/lifecycle.h"

/* Written down a second time, in the words of the contract: state, event, next. */
static const char *const operation_moves[] = {
    "queued claim running",      "queued replay replayed",    "queued cancel cancelled",
    "running lose queued",       "running retry queued",      "running complete completed",
    "running fail failed",       "replayed claim running",    "replayed reconcile reconciled",
    "replayed cancel cancelled", "completed replay replayed", "completed reconcile reconciled",
    "failed replay replayed",    "replayed replay replayed",
};
static const char *const task_moves[] = {
    "pending claim running",         "pending replay pending", "pending reconcile succeeded",
    "pending cancel cancelled",      "running lose pending",   "running retry pending",
    "running complete succeeded",    "running fail failed",    "succeeded replay pending",
    "succeeded reconcile succeeded", "failed replay pending",
};
static const char *const events[] = {"claim",  "lose",   "retry",     "complete", "fail",
                                     "cancel", "replay", "reconcile", "block"};

static const char *next_of(const char *const *moves, size_t n, const char *state, const char *event)
{
    g_autofree char *begin = g_strdup_printf("%s %s ", state, event);
    for (size_t i = 0; i < n; i++)
        if (g_str_has_prefix(moves[i], begin))
            return moves[i] + strlen(begin);
    return NULL;
}

static void check_move(SyncdLifecycle before, SyncdEvent event)
{
    SyncdLifecycle after = before;
    bool moved = syncd_lifecycle_move(&after, event);
    const char *operation = next_of(operation_moves, G_N_ELEMENTS(operation_moves),
                                    syncd_operation_state_name(before.operation), events[event]);
    const char *task = next_of(task_moves, G_N_ELEMENTS(task_moves),
                               syncd_task_state_name(before.task), events[event]);
    g_assert_cmpint(moved, ==, operation != NULL && task != NULL);
    g_assert_cmpstr(syncd_operation_state_name(after.operation), ==,
                    moved ? operation : syncd_operation_state_name(before.operation));
    g_assert_cmpstr(syncd_task_state_name(after.task), ==,
                    moved ? task : syncd_task_state_name(before.task));
}

static void no_machine_takes_an_untabled_transition(void)
{
    g_assert_cmpuint(G_N_ELEMENTS(events), ==, SYNCD_N_EVENTS);
    for (SyncdOperationState operation = 0; operation < SYNCD_N_OPERATION_STATES; operation++)
        for (SyncdTaskState task = 0; task < SYNCD_N_TASK_STATES; task++)
            for (SyncdEvent event = 0; event < SYNCD_N_EVENTS; event++)
                check_move((SyncdLifecycle){operation, task}, event);
}

/* From the beginning, operation and task never say what does not go together. */
static void states_that_are_reached_go_together(void)
{
    bool reached[SYNCD_N_OPERATION_STATES][SYNCD_N_TASK_STATES] = {{false}};
    reached[SYNCD_OPERATION_QUEUED][SYNCD_TASK_PENDING] = true;
    for (int round = 0; round < SYNCD_N_OPERATION_STATES * SYNCD_N_TASK_STATES; round++)
        for (SyncdOperationState o = 0; o < SYNCD_N_OPERATION_STATES; o++)
            for (SyncdTaskState t = 0; t < SYNCD_N_TASK_STATES; t++)
                for (SyncdEvent event = 0; reached[o][t] && event < SYNCD_N_EVENTS; event++) {
                    SyncdLifecycle state = {o, t};
                    if (syncd_lifecycle_move(&state, event))
                        reached[state.operation][state.task] = true;
                }
    static const char *const together[] = {
        "queued pending",      "running running", "replayed pending",    "reconciled succeeded",
        "completed succeeded", "failed failed",   "cancelled cancelled",
    };
    guint n = 0;
    for (SyncdOperationState o = 0; o < SYNCD_N_OPERATION_STATES; o++) {
        for (SyncdTaskState t = 0; t < SYNCD_N_TASK_STATES; t++) {
            if (!reached[o][t])
                continue;
            g_autofree char *pair =
                g_strdup_printf("%s %s", syncd_operation_state_name(o), syncd_task_state_name(t));
            bool known = false;
            for (size_t i = 0; i < G_N_ELEMENTS(together); i++)
                known |= strcmp(together[i], pair) == 0;
            if (!known)
                g_error("%s is reached", pair);
            n++;
        }
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(together));
}

static void a_failed_parent_blocks_only_what_waits(void)
{
    for (SyncdOperationState state = 0; state < SYNCD_N_OPERATION_STATES; state++) {
        SyncdLifecycle lifecycle = {state, SYNCD_TASK_PENDING};
        bool waits = state == SYNCD_OPERATION_QUEUED || state == SYNCD_OPERATION_REPLAYED;
        g_assert_cmpint(syncd_lifecycle_shown(lifecycle, 0), ==, state);
        g_assert_cmpint(syncd_lifecycle_shown(lifecycle, 2), ==,
                        waits ? SYNCD_OPERATION_BLOCKED : state);
    }
}

static void states_are_the_words_of_the_contract(void)
{
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_OPERATION_STATUS);
    for (int state = 0; state < SYNCD_N_OPERATION_STATES; state++)
        g_assert_cmpstr(syncd_operation_state_name((SyncdOperationState)state), ==, words[state]);
    g_assert_null(words[SYNCD_N_OPERATION_STATES]);
    for (int state = 0; state < SYNCD_N_TASK_STATES; state++) {
        SyncdTaskState found;
        g_assert_true(syncd_task_state_find(syncd_task_state_name((SyncdTaskState)state), &found));
        g_assert_cmpint((int)found, ==, state);
    }
    SyncdTaskState none;
    g_assert_false(syncd_task_state_find("done", &none));
}

/* Where a purge may bring an operation: nowhere from where it would be carried out again, but for a
 * replay. */
static void what_has_ended_is_told_by_a_word(void)
{
    static const char *const ends[] = {"completed succeeded", "reconciled succeeded",
                                       "failed failed", "cancelled cancelled"};
    unsigned n = 0;
    for (int state = 0; state < SYNCD_N_OPERATION_STATES; state++) {
        SyncdLifecycle end;
        const char *name = syncd_operation_state_name((SyncdOperationState)state);
        if (!syncd_lifecycle_ended(name, &end))
            continue;
        g_autofree char *both = g_strdup_printf("%s %s", syncd_operation_state_name(end.operation),
                                                syncd_task_state_name(end.task));
        g_assert_true(g_str_has_prefix(both, name));
        for (size_t i = 0; i < G_N_ELEMENTS(ends); i++)
            n += strcmp(ends[i], both) == 0;
        g_assert_false(syncd_lifecycle_move(&end, SYNCD_EVENT_CLAIM));
    }
    SyncdLifecycle none;
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(ends));
    g_assert_false(syncd_lifecycle_ended("", &none));
}

/* What nothing carries out is no kind of entry, so that nothing can record it without effect. */
static void every_event_that_is_carried_out_is_one_kind(void)
{
    for (SyncdEvent event = 0; event < SYNCD_N_EVENTS; event++) {
        const char *kind = syncd_lifecycle_kind_of(event);
        if (event == SYNCD_EVENT_BLOCK) {
            g_assert_null(kind);
            continue;
        }
        SyncdEvent back;
        const char *member;
        g_assert_true(syncd_lifecycle_kind(SYNCD_BYTES_TEXT(kind), &back, &member));
        g_assert_cmpint(back, ==, event);
        g_assert_nonnull(member);
    }
    g_assert_false(syncd_lifecycle_kind(SYNCD_BYTES_TEXT("task.blocked"), NULL, NULL));
    g_assert_false(syncd_lifecycle_kind(SYNCD_BYTES_TEXT("operation.enqueue"), NULL, NULL));
    g_assert_false(syncd_lifecycle_kind(SYNCD_BYTES_TEXT(""), NULL, NULL));
}

static void the_lanes_are_those_of_the_vocabulary_each_at_its_rank(void)
{
    const char *const *words = syncd_vocabulary_words(SYNCD_WORDS_LANE);
    for (size_t i = 0; i < SYNCD_N_LANES; i++) {
        const SyncdLane *lane = &syncd_lanes[i];
        g_assert_cmpstr(lane->name, ==, words[i]);
        g_assert_true(syncd_lane_find(SYNCD_BYTES_TEXT(words[i])) == lane);
        g_assert_true(syncd_lane_of_rank(lane->rank) == lane);
        g_assert_cmpuint(lane->rank, <, SYNCD_N_LANES);
        g_assert_cmpint(lane->durable, ==, strcmp(lane->name, "ephemeral") != 0);
        bool urgent = strcmp(lane->name, "priority") == 0;
        g_assert_cmpuint(lane->heartbeat_ms, ==, 30000);
        g_assert_cmpuint(lane->lag_events, ==, urgent ? 0 : 100);
        g_assert_cmpuint(lane->lag_ms, ==, urgent ? 1000 : 10000);
    }
    g_assert_null(words[SYNCD_N_LANES]);
    g_assert_null(syncd_lane_find(SYNCD_BYTES_TEXT("norma")));
    g_assert_null(syncd_lane_of_rank(SYNCD_N_LANES));
    g_assert_cmpstr(syncd_lane_of_rank(0)->name, ==, "priority");
}

/* Written down a second time: name, searchable, visible to agents, replicated, purge; and the order
 * in which lanes are served. What is urgent goes before all else, the propagation of a deletion
 * before its purge, and what nobody waits for last. */
static void the_defaults_of_the_lanes_are_those_of_the_contract(void)
{
    static const char *const rows[SYNCD_N_LANES][5] = {
        {"priority", "yes", "policy-gated", "policy-gated", "conservative"},
        {"tombstone", "metadata", "explain-only", "if-the-object-was", "authorised"},
        {"policy", "limited", "explain-only", "explicit", "attested"},
        {"repair", "no", "diagnosis-only", "once-verified", "after-attestation"},
        {"audit", "metadata", "explain-only", "policy-gated", "exceptional"},
        {"secure", "redacted", "denied", "denied", "audited"},
        {"memory", "policy-gated", "trust-gated", "policy-gated", "tombstone-aware"},
        {"normal", "yes", "policy-gated", "policy-gated", "policy-driven"},
        {"migration", "if-activated", "health-only", "if-needed", "after-rollback-window"},
        {"archive", "metadata-first", "policy-gated", "policy-gated", "retention-driven"},
        {"ephemeral", "no", "local-session-only", "no", "aggressive"},
    };
    for (unsigned rank = 0; rank < SYNCD_N_LANES; rank++) {
        const SyncdLane *lane = syncd_lane_of_rank(rank);
        g_assert_cmpstr(lane->name, ==, rows[rank][0]);
        g_assert_cmpstr(lane->searchable, ==, rows[rank][1]);
        g_assert_cmpstr(lane->agent_visible, ==, rows[rank][2]);
        g_assert_cmpstr(lane->replicated, ==, rows[rank][3]);
        g_assert_cmpstr(lane->purge, ==, rows[rank][4]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lifecycle/ends", what_has_ended_is_told_by_a_word);
    g_test_add_func("/lifecycle/no-machine-takes-an-untabled-transition",
                    no_machine_takes_an_untabled_transition);
    g_test_add_func("/lifecycle/states-that-are-reached-go-together",
                    states_that_are_reached_go_together);
    g_test_add_func("/lifecycle/a-failed-parent-blocks-only-what-waits",
                    a_failed_parent_blocks_only_what_waits);
    g_test_add_func("/lifecycle/states-are-the-words-of-the-contract",
                    states_are_the_words_of_the_contract);
    g_test_add_func("/lifecycle/every-event-that-is-carried-out-is-one-kind",
                    every_event_that_is_carried_out_is_one_kind);
    g_test_add_func("/lifecycle/the-lanes-are-those-of-the-vocabulary-each-at-its-rank",
                    the_lanes_are_those_of_the_vocabulary_each_at_its_rank);
    g_test_add_func("/lifecycle/the-defaults-of-the-lanes-are-those-of-the-contract",
                    the_defaults_of_the_lanes_are_those_of_the_contract);
    return g_test_run();
}
