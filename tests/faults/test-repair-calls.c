/*
 * The process dies before, or the disk errs or is full at, each storage call of planning a repair,
 * of applying it, of rolling it back and of discarding it: afterwards all is as before or as after,
 * what was acknowledged is so, and what was not done can be done.
 *
 * test-repair-calls [--each N] [options of GLib's tests]
 */
#include "../unit/repair-fixture.h"
#include "storage-calls.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOTES 20u
#define BROKEN "this is no database at all"

typedef enum { ACT_NOT_TOLD, ACT_FAILED, ACT_DONE } Told;

/* What the process that acts leaves for the one that looks. */
typedef struct {
    guint begins; /* calls before the one that is asked for */
    guint ends;
    Told told;
    char call[160]; /* that it was at */
} Shared;

static Shared *shared;
static gint each = 1;

typedef enum { STAGE_PLAN, STAGE_APPLY, STAGE_BACK, STAGE_DISCARD } Stage;

/* A state before the stage; each case works on a copy. */
typedef struct {
    ServiceFixture f;
    Stage stage;
    char *state;
    char *plan; /* its id; NULL: there is none */
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

static void world_init(World *w, Stage stage)
{
    *w = (World){.stage = stage};
    repair_init(&w->f);
    for (unsigned i = 0; i < NOTES; i++)
        put(&w->f, "note-1", "{\"x\":1}");
    service_close(&w->f);
    damage_index(&w->f);
    repair_open(&w->f, NULL);
    if (stage != STAGE_PLAN) {
        SyncdRepairPlan *plan = plan_repair(&w->f);
        approve_repair(&w->f, plan);
        w->plan = g_strdup(syncd_repair_plan_id(plan));
        if (stage >= STAGE_BACK)
            apply_repair(&w->f, plan);
        rest(&w->f);
    }
    service_close(&w->f);
    w->state = w->f.base.directory;
}

static void world_clear(World *w)
{
    w->f.base.directory = w->state;
    g_free(w->plan);
    service_clear(&w->f);
}

/* ---- in the process that acts ---- */

typedef struct {
    guint64 number; /* 0: no call */
    StorageVerdict verdict;
} Fault;

static StorageVerdict decide(void *data, const StorageCall *call)
{
    const Fault *fault = data;
    if (call->number == fault->number) {
        g_autofree char *text = storage_describe(call);
        g_strlcpy(shared->call, text, sizeof shared->call);
    }
    return call->number == fault->number ? fault->verdict : (StorageVerdict){STORAGE_PASS};
}

static bool plan_it(World *w)
{
    SyncdRepairPlan *plan = NULL;
    return syncd_service_plan_repair(w->f.service, &w->f.caller, NULL, &plan, NULL) &&
           syncd_service_approve_repair(w->f.service, &w->f.caller, plan,
                                        syncd_repair_plan_digest(plan), NULL);
}

static bool carry_out(World *w)
{
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = syncd_service_find_repair_plan(w->f.service, w->plan);
    const char *digest = syncd_repair_plan_digest(plan);
    bool begun =
        w->stage == STAGE_APPLY
            ? syncd_service_apply_repair(w->f.service, &w->f.caller, plan, digest, &job, NULL)
            : syncd_service_rollback_repair(w->f.service, &w->f.caller, plan, digest, &job, NULL);
    if (!begun)
        return false;
    rest(&w->f);
    return strcmp(syncd_job_state(job), "done") == 0;
}

static bool discard_it(World *w)
{
    SyncdRepairPlan *plan = syncd_service_find_repair_plan(w->f.service, w->plan);
    bool done = syncd_service_discard_repair(w->f.service, &w->f.caller, plan,
                                             syncd_repair_plan_digest(plan), NULL);
    rest(&w->f);
    return done;
}

static void act_once(World *w, const Fault *fault)
{
    storage_watch(w->f.base.directory, decide, NULL, (void *)fault);
    repair_open(&w->f, NULL);
    shared->begins = (guint)storage_count();
    bool done = w->stage == STAGE_PLAN      ? plan_it(w)
                : w->stage == STAGE_DISCARD ? discard_it(w)
                                            : carry_out(w);
    shared->ends = (guint)storage_count();
    shared->told = done ? ACT_DONE : ACT_FAILED;
    _exit(0);
}

static void begin_case(World *w)
{
    w->f.base.directory = g_dir_make_tmp("syncd-repair-XXXXXX", NULL);
    copy_files(w->state, w->f.base.directory);
}

static void end_case(World *w)
{
    service_close(&w->f);
    fixture_remove(w->f.base.directory);
    g_clear_pointer(&w->f.base.directory, g_free);
}

static void run_case(World *w, const Fault *fault)
{
    int status;
    *shared = (Shared){0};
    begin_case(w);
    pid_t child = fork();
    g_assert_cmpint(child, >=, 0);
    if (child == 0)
        act_once(w, fault);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    g_assert_true(killed ? fault->verdict.act == STORAGE_KILL
                         : WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* ---- in the one that looks ---- */

static bool is_broken(World *w)
{
    gsize size;
    g_autofree char *bytes = index_bytes(&w->f, &size);
    return bytes != NULL && size == strlen(BROKEN) && memcmp(bytes, BROKEN, size) == 0;
}

static bool keeps_broken(World *w, const char *plan)
{
    g_autofree char *path = g_strdup_printf("%s/repair/%s.0", w->f.base.directory, plan),
                    *bytes = NULL;
    return g_file_get_contents(path, &bytes, NULL, NULL) && strcmp(bytes, BROKEN) == 0;
}

static bool finds_nothing_left(World *w)
{
    g_autoptr(GDir) dir = g_dir_open(w->f.base.directory, 0, NULL);
    const char *name;
    bool clean = true;
    while ((name = g_dir_read_name(dir)) != NULL)
        clean = clean && !g_str_has_suffix(name, ".new");
    return clean;
}

/* Whether it is as after the repair. That it is neither is what must not be. */
static bool is_whole(World *w, SyncdRepairPlan *plan)
{
    const char *state = syncd_repair_plan_state(plan);
    bool complete = strcmp(state, "complete") == 0;
    g_test_message("afterwards it is %s", state);
    g_assert_cmpstr(state, !=, "running");
    g_assert_true(lookups_answer(&w->f) == complete);
    g_assert_true(is_broken(w) == !complete);
    g_assert_true(keeps_broken(w, syncd_repair_plan_id(plan)) == complete);
    g_assert_true(finds_nothing_left(w));
    return complete;
}

static void look_at_plans(World *w)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(w->f.service);
    g_assert_cmpuint(plans->len, <=, 1);
    if (shared->told == ACT_DONE) {
        g_assert_cmpuint(plans->len, ==, 1);
        g_assert_cmpstr(syncd_repair_plan_state(plans->pdata[0]), ==, "approved");
    }
    g_assert_true(is_broken(w));
}

/* What can be taken back is what is kept, and nothing is kept of what is gone. */
static void look_at_discarded(World *w)
{
    SyncdRepairPlan *plan = syncd_service_find_repair_plan(w->f.service, w->plan);
    g_autofree char *description = plan != NULL ? syncd_repair_plan_describe(plan) : NULL;
    bool promised =
        description != NULL && strstr(description, "\"rollback_until_usec\":null") == NULL;
    g_assert_true(plan == NULL || shared->told != ACT_DONE);
    g_assert_true(keeps_broken(w, w->plan) == promised);
    g_assert_cmpuint(syncd_service_repair_set_aside(w->f.service)->len, ==, 0);
}

static void look(World *w, const char *what)
{
    g_test_message("%s %s: %s", what, shared->call,
                   shared->told == ACT_DONE     ? "told that it was done"
                   : shared->told == ACT_FAILED ? "told that it failed"
                                                : "told nothing");
    repair_open(&w->f, NULL);
    rest(&w->f);
    if (w->stage == STAGE_PLAN) {
        look_at_plans(w);
    } else if (w->stage == STAGE_DISCARD) {
        look_at_discarded(w);
    } else {
        SyncdRepairPlan *plan = syncd_service_find_repair_plan(w->f.service, w->plan);
        g_assert_nonnull(plan);
        bool whole = is_whole(w, plan);
        g_assert_true(shared->told != ACT_DONE || whole == (w->stage == STAGE_APPLY));
    }
    if (!lookups_answer(&w->f)) {
        /* What was not done can be done. */
        SyncdRepairPlan *plan = plan_repair(&w->f);
        approve_repair(&w->f, plan);
        apply_repair(&w->f, plan);
        rest(&w->f);
        g_assert_true(lookups_answer(&w->f));
    }
    /* … and the log says what was, once. */
    g_assert_cmpuint(
        count_events(&w->f, "sync.repair.completed"), ==,
        1 + (w->stage == STAGE_BACK && count_events(&w->f, "sync.repair.rolled_back") > 0));
    end_case(w);
}

static void every_call_may_fail(const void *stage)
{
    static const struct {
        const char *name;
        StorageVerdict verdict;
    } faults[] = {{"killed before", {.act = STORAGE_KILL}},
                  {"EIO at", {.act = STORAGE_FAIL, .problem = EIO}},
                  {"ENOSPC at", {.act = STORAGE_FAIL, .problem = ENOSPC}}};
    World w;
    world_init(&w, (Stage)GPOINTER_TO_UINT(stage));
    run_case(&w, &(Fault){0});
    guint first = shared->begins + 1, last = shared->ends;
    g_assert_cmpint(shared->told, ==, ACT_DONE);
    g_assert_cmpuint(last, >, first + 5);
    look(&w, "without a fault");
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

/* The control: were the old one out of the way and no other there, it would be seen. */
static void what_is_half_done_is_found(void)
{
    World w;
    world_init(&w, STAGE_APPLY);
    begin_case(&w);
    g_autofree char *path = index_path(&w.f);
    g_assert_cmpint(g_remove(path), ==, 0);
    repair_open(&w.f, NULL);
    rest(&w.f);
    g_assert_true(!is_broken(&w) && !lookups_answer(&w.f) && !keeps_broken(&w, w.plan));
    end_case(&w);
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
    g_test_add_data_func("/repair-calls/plan", GUINT_TO_POINTER(STAGE_PLAN), every_call_may_fail);
    g_test_add_data_func("/repair-calls/apply", GUINT_TO_POINTER(STAGE_APPLY), every_call_may_fail);
    g_test_add_data_func("/repair-calls/rollback", GUINT_TO_POINTER(STAGE_BACK),
                         every_call_may_fail);
    g_test_add_data_func("/repair-calls/discard", GUINT_TO_POINTER(STAGE_DISCARD),
                         every_call_may_fail);
    g_test_add_func("/repair-calls/control/what-is-half-done-is-found", what_is_half_done_is_found);
    return g_test_run();
}
