/*
 * The process dies before, or the disk errs at, each storage call of a migration and of its
 * rollback: afterwards all objects are as before or all are as after, the log says which, and what
 * was not done can be done. What was acknowledged is done.
 *
 * test-migration-calls [--each N] [options of GLib's tests]
 */
#include "../unit/migration-fixture.h"
#include "storage-calls.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTES 8u
#define MOVE "{\"op\":\"move\",\"path\":\"/title\",\"to\":\"/heading\"}"

typedef enum { ACT_NOT_TOLD, ACT_FAILED, ACT_DONE } Told;

/* What the process that migrates leaves for the one that looks. */
typedef struct {
    guint begins; /* calls before the one that is asked for */
    guint ends;
    Told told;
} Shared;

static Shared *shared;
static gint each = 1;

/* A state that is about to be migrated, or rolled back; each case works on a copy. */
typedef struct {
    Migrating m;
    char *state;
    char *run; /* what is to be rolled back; NULL: the migration is to be applied */
} World;

/* ---- the state ---- */

static void copy_files(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;
    g_assert_cmpint(g_mkdir_with_parents(to, 0700), ==, 0);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL),
                        *target = g_build_filename(to, name, NULL), *bytes = NULL;
        gsize size;
        if (g_file_test(source, G_FILE_TEST_IS_DIR)) {
            copy_files(source, target);
            continue;
        }
        g_assert_true(g_file_get_contents(source, &bytes, &size, NULL));
        g_assert_true(g_file_set_contents_full(target, bytes, (gssize)size,
                                               G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    }
}

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

typedef struct {
    guint64 number; /* 0: no call */
    StorageVerdict verdict;
} Fault;

static StorageVerdict decide(void *data, const StorageCall *call)
{
    const Fault *fault = data;
    return call->number == fault->number ? fault->verdict : (StorageVerdict){STORAGE_PASS};
}

static void migrate_once(World *w, const Fault *fault)
{
    g_auto(SyncdMigrated) migrated = {0};
    storage_watch(w->m.f.base.directory, decide, NULL, (void *)fault);
    service_open(&w->m.f);
    g_autofree char *digest = digest_of(w);
    shared->begins = (guint)storage_count();
    bool done = apply(w, digest, &migrated);
    shared->ends = (guint)storage_count();
    shared->told = done ? ACT_DONE : ACT_FAILED;
    _exit(0);
}

static void run_case(World *w, const Fault *fault)
{
    int status;
    *shared = (Shared){0};
    w->m.f.base.directory = g_dir_make_tmp("syncd-migration-XXXXXX", NULL);
    copy_files(w->state, w->m.f.base.directory);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        migrate_once(w, fault);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    g_assert_true(killed ? fault->verdict.act == STORAGE_KILL
                         : WIFEXITED(status) && WEXITSTATUS(status) == 0);
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

static void look(World *w, const char *what)
{
    g_test_message("%s: %s", what,
                   shared->told == ACT_DONE     ? "told that it was done"
                   : shared->told == ACT_FAILED ? "told that it failed"
                                                : "told nothing");
    service_open(&w->m.f);
    run_jobs(&w->m.f);
    bool done = is_done(w);
    g_assert_true(done || shared->told != ACT_DONE);
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
    static const struct {
        const char *name;
        StorageVerdict verdict;
    } faults[] = {{"killed before", {.act = STORAGE_KILL}},
                  {"EIO at", {.act = STORAGE_FAIL, .problem = EIO}}};
    World w;
    world_init(&w, back != NULL);
    run_case(&w, &(Fault){0});
    look(&w, "without a fault");
    g_assert_cmpint(shared->told, ==, ACT_DONE);
    guint first = shared->begins + 1, last = shared->ends;
    g_assert_cmpuint(last, >, first + 5);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        for (guint number = first; number <= last; number += (guint)each) {
            g_autofree char *what =
                g_strdup_printf("%s call %u of %u to %u", faults[i].name, number, first, last);
            run_case(&w, &(Fault){number, faults[i].verdict});
            look(&w, what);
        }
    }
    world_clear(&w);
}

/* The control: were one object of them changed and no other, it would be seen. */
static void what_is_half_done_is_found(void)
{
    World w;
    world_init(&w, false);
    w.m.f.base.directory = g_dir_make_tmp("syncd-migration-XXXXXX", NULL);
    copy_files(w.state, w.m.f.base.directory);
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
    const GOptionEntry options[] = {
        {"each", 0, 0, G_OPTION_ARG_INT, &each, "A fault at each so-manyth call", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_assert_true(g_option_context_parse(context, &argc, &argv, NULL));
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    each = MAX(each, 1);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(shared != MAP_FAILED);
    g_test_add_data_func("/migration-calls/there", NULL, every_call_may_fail);
    g_test_add_data_func("/migration-calls/back", "back", every_call_may_fail);
    g_test_add_func("/migration-calls/control/what-is-half-done-is-found",
                    what_is_half_done_is_found);
    return g_test_run();
}
