/*
 * A law of objects, over histories made from a seed: whatever is asked for between registering,
 * updating, deleting, restoring, migrating and rolling back, an object takes only tabled steps,
 * what is refused changes nothing, and the index that is made from the log alone has the same rows.
 */
#include "index-dump.h"
#include "migration-fixture.h"
#include "service/internal.h"

#define NOTES 4u

/* What became of the requests; a history that refuses everything proves nothing. */
typedef struct {
    guint done, restored, migrated, rolled_back;
} Tally;

static unsigned below(Migrating *m, unsigned n)
{
    return (unsigned)(fixture_next(&m->f.base) % n);
}

static char *state_of(Migrating *m, const char *id)
{
    g_autofree char *shown =
        syncd_service_show_record(m->f.service, &m->f.caller, "object", id, NULL);
    return shown != NULL ? text_of(shown, "state") : g_strdup("");
}

static guint noted(Migrating *m)
{
    return count_events(&m->f, "sync.policy.denied") +
           count_events(&m->f, "sync.profile.boundary_violation");
}

/* ---- what may be asked for: -1 when it was done ---- */

static int change_note(Migrating *m, const char *id)
{
    bool newer = below(m, 3) == 0, registers = below(m, 2) == 0;
    const char *more = newer ? ",\"heading\":\"h\"" : ",\"title\":\"t\"";
    return (registers ? register_note : update_note)(m, id, newer ? "2" : "1",
                                                     below(m, 6) == 0 ? "" : more);
}

static int revoke_note(Migrating *m, const char *id)
{
    return revoke_record(&m->f, "object", id);
}

static int enqueue_about(Migrating *m, const SyncdRequest *request)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    bool done = syncd_service_enqueue(m->f.service, &m->f.caller, request, &enqueued, &error);
    syncd_service_commit(m->f.service);
    return done ? -1 : error->code;
}

static int delete_note(Migrating *m, const char *id)
{
    SyncdRequest request = good_request();
    request.object = id;
    request.lane = "tombstone";
    return enqueue_about(m, &request);
}

static int restore_note(Migrating *m, const char *id)
{
    SyncdRequest request = good_request();
    request.object = id;
    request.restore = true;
    return enqueue_about(m, &request);
}

static int run(Migrating *m, SyncdMigrationRequest request, char **ret_operation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *planned =
        syncd_service_plan_migration(m->f.service, &m->f.caller, &request, &error);
    if (planned == NULL)
        return error->code;
    g_autofree char *digest = text_of(planned, "digest");
    request.digest = digest;
    return apply_migration(m, &request, NULL, ret_operation);
}

/* ---- one history ---- */

static const struct {
    int (*ask)(Migrating *m, const char *id);
    SyncdRegistryVerb verbs[2]; /* what it may do to the object */
} requests[] = {
    {change_note, {SYNCD_VERB_REGISTER, SYNCD_VERB_UPDATE}},
    {change_note, {SYNCD_VERB_REGISTER, SYNCD_VERB_UPDATE}},
    {revoke_note, {SYNCD_VERB_REVOKE, SYNCD_VERB_REVOKE}},
    {delete_note, {SYNCD_VERB_REVOKE, SYNCD_VERB_REVOKE}},
    {restore_note, {SYNCD_VERB_RESTORE, SYNCD_VERB_RESTORE}},
};

static void one_request(Migrating *m, Tally *tally)
{
    const SyncdFamily *family = syncd_family(SYNCD_FAMILY_OBJECT);
    unsigned which = below(m, G_N_ELEMENTS(requests));
    g_autofree char *id = g_strdup_printf("o-%u", below(m, NOTES));
    g_autofree char *before = state_of(m, id);
    guint64 sequence = service_sequence(&m->f);
    guint refusals = noted(m);
    int code = requests[which].ask(m, id);
    g_autofree char *after = state_of(m, id);
    if (code != -1) {
        g_assert_cmpstr(after, ==, before);
        g_assert_cmpuint(service_sequence(&m->f), ==, sequence + noted(m) - refusals);
        return;
    }
    bool is_tabled = false;
    for (size_t i = 0; i < G_N_ELEMENTS(requests[which].verbs); i++)
        is_tabled |= syncd_transition_find(family, requests[which].verbs[i], before, after) != NULL;
    g_assert_true(is_tabled);
    tally->done++;
    tally->restored += requests[which].ask == restore_note;
}

/* Forward, or back to where the last one came from. */
static void one_migration(Migrating *m, char **last, Tally *tally)
{
    g_auto(GStrv) states = g_new0(char *, NOTES + 1);
    bool back = *last != NULL && below(m, 2) == 0;
    char *operation = NULL;
    for (unsigned i = 0; i < NOTES; i++) {
        g_autofree char *id = g_strdup_printf("o-%u", i);
        states[i] = state_of(m, id);
    }
    guint64 sequence = service_sequence(&m->f);
    int code = run(
        m, back ? (SyncdMigrationRequest){.run = *last} : (SyncdMigrationRequest){.migration = "m"},
        &operation);
    if (code != -1)
        g_assert_cmpuint(service_sequence(&m->f), ==, sequence);
    for (unsigned i = 0; i < NOTES; i++) {
        g_autofree char *id = g_strdup_printf("o-%u", i), *after = state_of(m, id);
        g_assert_cmpstr(after, ==, states[i]);
    }
    if (code != -1 || operation == NULL || *operation == '\0') {
        g_free(operation);
        return;
    }
    tally->migrated += !back;
    tally->rolled_back += back;
    g_free(*last);
    *last = back ? (g_free(operation), NULL) : operation;
}

static void maybe_restart(Migrating *m)
{
    if (below(m, 25) != 0)
        return;
    service_close(&m->f);
    if (below(m, 2) == 0)
        remove_index(&m->f.base);
    service_open(&m->f);
}

static void assert_rebuilt_is_the_same(Migrating *m, guint64 seed)
{
    run_jobs(&m->f);
    assert_index_adds_up(m->f.service->store);
    service_close(&m->f);
    g_autofree char *incremental = dump_index(m->f.base.directory);
    remove_index(&m->f.base);
    service_open(&m->f);
    run_jobs(&m->f);
    service_close(&m->f);
    g_autofree char *rebuilt = dump_index(m->f.base.directory);
    if (strcmp(incremental, rebuilt) != 0)
        g_error("seed %" G_GUINT64_FORMAT ": rebuilt\n%s\nis not incremental\n%s", seed, rebuilt,
                incremental);
}

static void one_history(guint64 seed, Tally *tally)
{
    Migrating m;
    g_autofree char *last = NULL;
    migrating_init(&m);
    m.f.base.seed = seed;
    const ManifestParts parts = {.steps = MOVE};
    g_assert_cmpint(register_manifest(&m, &parts), ==, -1);
    for (int step = 0; step < 120; step++) {
        maybe_restart(&m);
        if (below(&m, 10) == 0)
            run_jobs(&m.f);
        unsigned migrations = below(&m, 8) == 0 ? 1 + below(&m, 2) : 0;
        for (unsigned i = 0; i < migrations; i++)
            one_migration(&m, &last, tally);
        if (migrations == 0)
            one_request(&m, tally);
    }
    assert_rebuilt_is_the_same(&m, seed);
    migrating_clear(&m);
}

static void any_history_of_objects_gives_the_same_rows_when_rebuilt(void)
{
    guint64 seeds = g_test_slow() ? 100 : 6;
    Tally tally = {0};
    for (guint64 seed = 1; seed <= seeds; seed++)
        one_history(seed * 15485863, &tally);
    g_test_message("%u done, %u restored, %u migrated, %u rolled back", tally.done, tally.restored,
                   tally.migrated, tally.rolled_back);
    g_assert_cmpuint(tally.done, >, 20 * (guint)seeds); /* else it proves nothing */
    g_assert_cmpuint(tally.restored, >, 0);
    g_assert_cmpuint(tally.migrated, >, 0);
    g_assert_true(seeds == 1 || tally.rolled_back > 0);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/object-property/any-history-of-objects-gives-the-same-rows-when-rebuilt",
                    any_history_of_objects_gives_the_same_rows_when_rebuilt);
    return g_test_run();
}
