/*
 * The process dies before, or the disk errs at, each storage call of a migration and of its
 * rollback: afterwards all objects are as before or all are as after, the log says which, and what
 * was not done can be done. What was acknowledged is done.
 *
 * test-migration-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"

#include "../unit/migration-fixture.h"

#define NOTES 8u
#define MOVE "{\"op\":\"move\",\"path\":\"/title\",\"to\":\"/heading\"}"

/* A state that is about to be migrated, or rolled back; each case works on a copy. */
typedef struct {
    Migrating m;
    char *state;
    char *run; /* what is to be rolled back; NULL: the migration is to be applied */
} World;

/* ---- the state ---- */

static char *digest_of(World *w)
{
    g_autoptr(GError) error = NULL;
    const SyncdMigrationRequest request = {.migration = w->run == NULL ? "m" : NULL, .run = w->run};
    g_autofree char *report =
        syncd_service_plan_migration(w->m.f.service, &w->m.f.caller, &request, &error);
    g_assert_no_error(error);
    return syncd_json_dup_text(syncd_json_member(golden_root(report), "digest"));
}

static bool apply(World *w, const char *digest, SyncdMigrated *ret_migrated)
{
    g_autoptr(GError) error = NULL;
    Heard heard = {0};
    const SyncdMigrationRequest request = {.migration = w->run == NULL ? "m" : NULL,
                                           .run = w->run,
                                           .digest = digest,
                                           .idempotency_key = w->run == NULL ? "there" : "back"};
    if (!syncd_service_apply_migration(w->m.f.service, &w->m.f.caller, &request, ret_migrated,
                                       &error))
        return false;
    syncd_service_after_commit(w->m.f.service, note_commit, &heard);
    syncd_service_commit(w->m.f.service);
    return heard.code == -1;
}

static void world_init(World *w, bool back)
{
    const ManifestParts parts = {.steps = MOVE};
    *w = (World){.state = NULL};
    migrating_init(&w->m);
    for (unsigned i = 0; i < NOTES; i++) {
        g_autofree char *id = g_strdup_printf("o-%u", i);
        g_assert_cmpint(register_note(&w->m, id, "1", ",\"title\":\"One\""), ==, -1);
    }
    g_assert_cmpint(register_manifest(&w->m, &parts), ==, -1);
    if (back) {
        g_auto(SyncdMigrated) migrated = {0};
        g_autofree char *digest = digest_of(w);
        g_assert_true(apply(w, digest, &migrated));
        w->run = g_steal_pointer(&migrated.operation);
    }
    service_close(&w->m.f);
    w->state = w->m.f.base.directory;
}

static void world_clear(World *w)
{
    w->m.f.base.directory = w->state;
    g_free(w->run);
    migrating_clear(&w->m);
}

/* ---- in the process that migrates ---- */

static void migrate_once(void *world)
{
    World *w = world;
    g_auto(SyncdMigrated) migrated = {0};
    service_open(&w->m.f);
    g_autofree char *digest = digest_of(w);
    call_work_begins();
    bool done = apply(w, digest, &migrated);
    call_work_ends(done ? WORK_DONE : WORK_FAILED);
}

static const char *begin_case(void *world)
{
    World *w = world;
    return w->m.f.base.directory = copy_state(w->state);
}

/* ---- in the one that looks ---- */

static guint count_headed(World *w)
{
    guint n = 0;
    for (unsigned i = 0; i < NOTES; i++) {
        g_autofree char *id = g_strdup_printf("o-%u", i);
        g_autofree char *heading = record_member(&w->m.f, "object", id, "heading");
        g_autofree char *title = record_member(&w->m.f, "object", id, "title");
        g_assert_true((heading == NULL) != (title == NULL));
        n += heading != NULL;
    }
    return n;
}

static bool is_done(World *w)
{
    guint headed = count_headed(w), before = w->run != NULL ? NOTES : 0;
    guint runs = count_events(&w->m.f, "sync.schema.migrated");
    bool done = headed != before;
    g_assert_cmpuint(headed, ==, done ? NOTES - before : before);
    g_assert_cmpuint(runs, ==, (w->run != NULL) + done);
    return done;
}

static void look(void *world, int told)
{
    World *w = world;
    service_open(&w->m.f);
    run_jobs(&w->m.f);
    bool done = is_done(w);
    g_assert_true(done || told != WORK_DONE);
    if (!done) {
        /* What was not done can be done. */
        g_auto(SyncdMigrated) migrated = {0};
        g_autofree char *digest = digest_of(w);
        g_assert_true(apply(w, digest, &migrated));
        g_assert_true(is_done(w));
    }
    service_close(&w->m.f);
    fixture_remove(w->m.f.base.directory);
    g_clear_pointer(&w->m.f.base.directory, g_free);
}

static void every_call_may_fail(const void *back)
{
    static const CallWork migrating = {begin_case, migrate_once, look};
    World w;
    world_init(&w, back != NULL);
    call_faults_run_all(&migrating, &w);
    world_clear(&w);
}

/* The control: were one object of them changed and no other, it would be seen. */
static void what_is_half_done_is_found(void)
{
    World w;
    world_init(&w, false);
    begin_case(&w);
    service_open(&w.m.f);
    g_assert_cmpint(revoke_record(&w.m.f, "migration", "m"), ==, -1);
    g_assert_cmpint(update_note(&w.m, "o-3", "2", ",\"heading\":\"One\""), ==, -1);
    guint headed = count_headed(&w);
    g_assert_true(headed != 0 && headed != NOTES);
    service_close(&w.m.f);
    fixture_remove(w.m.f.base.directory);
    g_clear_pointer(&w.m.f.base.directory, g_free);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    g_test_add_data_func("/migration-calls/there", NULL, every_call_may_fail);
    g_test_add_data_func("/migration-calls/back", "back", every_call_may_fail);
    g_test_add_func("/migration-calls/control/what-is-half-done-is-found",
                    what_is_half_done_is_found);
    return call_faults_end();
}
