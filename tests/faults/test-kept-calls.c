/*
 * The process dies before or after, or the disk errs or is full at, each storage call of what keeps
 * a note beside the log: that a run began and ended, what a verification found, that the log lost
 * its end. Afterwards the note is the one before or the one after, and nothing is forgotten that
 * can not be found out again.
 *
 * test-kept-calls [--each N] [options of GLib's tests]
 */
#include "call-faults.h"

#include "../unit/diagnose-fixture.h"

#include "service/internal.h"
#include "service/runtime.h"

#include <string.h>

enum { TOLD_BEGUN = WORK_DONE + 1 };

typedef struct {
    ServiceFixture f;
    char *state;
} World;

static const char *copy(void *world)
{
    World *w = world;
    return w->f.base.directory = copy_state(w->state);
}

static void world_init(World *w)
{
    *w = (World){.state = NULL};
    service_init(&w->f);
    for (guint i = 0; i < 10; i++)
        put(&w->f, "note-1", "{\"x\":1}");
    run_jobs(&w->f);
}

/* Whatever was done to it. */
static void end_state(World *w)
{
    service_close(&w->f);
    w->state = w->f.base.directory;
}

static void world_clear(World *w)
{
    w->f.base.directory = w->state;
    service_clear(&w->f);
}

static void remove_copy(World *w)
{
    service_close(&w->f);
    fixture_remove(w->f.base.directory);
    g_clear_pointer(&w->f.base.directory, g_free);
}

/* False where the disk does not let it. */
static bool may_open(World *w)
{
    Fixture *base = &w->f.base;
    const SyncdStoreOptions options = {.directory = base->directory,
                                       .mode = SYNCD_STORE_OPEN,
                                       .sources = &base->sources,
                                       .machine = base->machine};
    SyncdStore *store = syncd_store_open(&options, NULL);
    w->f.service = store != NULL
                       ? syncd_service_new(w->f.instance, w->f.owner, store, &base->sources, NULL)
                       : NULL;
    return w->f.service != NULL;
}

static void begin_run(World *w)
{
    const SyncdProcess process = {.pid = 41, .boot = "boot-a", .machine = "machine-a"};
    syncd_service_begin_run(w->f.service, &process);
}

static void assert_whole(World *w, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(w->f.base.directory, name, NULL), *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, NULL))
        return;
    syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
}

static void run(World *w, const CallWork *work)
{
    end_state(w);
    call_faults_run_all(work, w);
    world_clear(w);
}

/* ---- that a run began, and ended ---- */

static void begin_and_end(void *world)
{
    World *w = world;
    call_work_begins();
    if (!may_open(w))
        return;
    begin_run(w);
    if (w->f.service->runtime.unkept)
        return;
    call_work_tells(TOLD_BEGUN);
    syncd_service_end_run(w->f.service);
    if (!w->f.service->runtime.unkept)
        call_work_ends(WORK_DONE);
}

static void look_at_run(void *world, int told)
{
    World *w = world;
    assert_whole(w, "runtime.json");
    service_open(&w->f);
    bool dirty = is_found(&w->f, "dirty-open");
    g_assert_false(dirty && told == WORK_DONE);
    g_assert_true(dirty || told != TOLD_BEGUN || w->f.service->runtime.clean_end != 0);
    remove_copy(w);
}

static void runs_are_noted(void)
{
    static const CallWork work = {copy, begin_and_end, look_at_run};
    World w;
    world_init(&w);
    run(&w, &work);
}

/* ---- what a verification found ---- */

static void flip_a_body(World *w)
{
    g_autofree char *path = g_build_filename(w->f.base.directory, "journal.db", NULL),
                    *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &bytes, &size, NULL));
    char *at = memmem(bytes, size, "easy-to-find", strlen("easy-to-find"));
    g_assert_nonnull(at);
    at[0] ^= 1;
    g_assert_true(
        g_file_set_contents_full(path, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static bool verify(World *w)
{
    SyncdJob *job = NULL;
    if (!syncd_service_verify(w->f.service, &w->f.caller, SYNCD_VERIFY_FULL, NULL, &job, NULL))
        return false;
    run_jobs(&w->f);
    return strcmp(syncd_job_state(job), "done") == 0;
}

static void verify_it(void *world)
{
    World *w = world;
    call_work_begins();
    if (may_open(w) && verify(w))
        call_work_ends(WORK_DONE);
}

/* A note that could not be written is warned of, and made again by whoever looks again. */
static void look_at_damage(void *world, int told)
{
    World *w = world;
    assert_whole(w, "damage.json");
    assert_whole(w, "verified.json");
    service_open(&w->f);
    g_assert_true(is_found(&w->f, "body-damaged") || told != WORK_DONE || call_work_went_wrong());
    g_assert_true(verify(w));
    g_assert_true(is_found(&w->f, "body-damaged"));
    remove_copy(w);
}

static void damage_is_noted(void)
{
    static const CallWork work = {copy, verify_it, look_at_damage};
    World w;
    SyncdRequest request = good_request();
    world_init(&w);
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT("{\"x\":\"easy-to-find\"}");
    g_free(enqueue_committed(&w.f, &request));
    run_jobs(&w.f);
    service_close(&w.f);
    flip_a_body(&w);
    service_open(&w.f);
    run(&w, &work);
}

/* ---- that the log lost its end ---- */

static void open_it(void *world)
{
    World *w = world;
    call_work_begins();
    if (!may_open(w))
        return;
    run_jobs(&w->f);
    call_work_ends(WORK_DONE);
}

static void look_at_rollback(void *world, int told)
{
    World *w = world;
    assert_whole(w, "rolled-back.json");
    service_open(&w->f);
    g_assert_true(is_found(&w->f, "log-rolled-back"));
    remove_copy(w);
}

static void a_lost_end_is_noted(void)
{
    static const CallWork work = {copy, open_it, look_at_rollback};
    World w;
    gsize size;
    world_init(&w);
    g_autofree char *path = g_build_filename(w.f.base.directory, "journal.db", NULL), *older = NULL;
    service_close(&w.f);
    g_assert_true(g_file_get_contents(path, &older, &size, NULL));
    service_open(&w.f);
    put(&w.f, "note-2", "{}");
    g_assert_true(verify(&w));
    service_close(&w.f);
    g_assert_true(
        g_file_set_contents_full(path, older, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
    w.state = w.f.base.directory;
    call_faults_run_all(&work, &w);
    world_clear(&w);
}

/* The control: were the note written in its place, half of it would be seen. */
static void half_a_note_is_no_note(void)
{
    World w;
    world_init(&w);
    begin_run(&w);
    end_state(&w);
    copy(&w);
    g_autofree char *path = g_build_filename(w.f.base.directory, "runtime.json", NULL),
                    *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_true(g_file_set_contents(path, text, (gssize)size / 2, NULL));
    service_open(&w.f);
    g_assert_false(is_found(&w.f, "dirty-open"));
    remove_copy(&w);
    world_clear(&w);
}

int main(int argc, char **argv)
{
    call_faults_init(&argc, &argv);
    g_test_add_func("/kept-calls/runs-are-noted", runs_are_noted);
    g_test_add_func("/kept-calls/damage-is-noted", damage_is_noted);
    g_test_add_func("/kept-calls/a-lost-end-is-noted", a_lost_end_is_noted);
    g_test_add_func("/kept-calls/control/half-a-note-is-no-note", half_a_note_is_no_note);
    return call_faults_end();
}
