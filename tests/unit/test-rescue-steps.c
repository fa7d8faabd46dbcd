/*
 * However long a journal is that another one takes the place of, no step of that goes over the
 * whole of it. Cancelled or killed between any two steps it leaves the one that was there, or it
 * goes on.
 */
#include "repair-fixture.h"

#include "diagnose-fixture.h"
#include "index-count.h"
#include "service/internal.h"
#include "store/displaced.h"
#include "store/salvage.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static guint synced; /* so often was something synced, by whomever */

int fdatasync(int fd)
{
    synced++;
    return (int)syscall(SYS_fdatasync, fd);
}

#define ENTRIES 300u
#define BODY 60000u /* is in the journal: some 18 MB of it */
#define STEP_BYTES (4u * 1024u * 1024u)
#define STEPS_UNSYNCED_MAX 4u
#define CUT_AT (12u * 1024u * 1024u)

static void put_long(ServiceFixture *f)
{
    g_autofree char *text = g_strnfill(BODY, 'a'),
                    *body = g_strdup_printf("{\"text\":\"%s\"}", text);
    for (unsigned i = 0; i < ENTRIES; i++) {
        SyncdRequest request = good_request();
        g_autofree char *object = g_strdup_printf("note-%u", i);
        request.object = object;
        request.body = SYNCD_BYTES_TEXT(body);
        SyncdEnqueued enqueued = enqueue(f, &request);
        g_free(enqueued.operation);
        if (i % 50 == 49)
            syncd_service_commit(f->service);
    }
}

/* ---- what may have happened to it ---- */

static void without_first_page(const ServiceFixture *f)
{
    char page[4096];
    g_autofree char *path = state_path(f, "journal.db");
    FILE *journal = fopen(path, "r+");
    memset(page, 0xa5, sizeof page);
    g_assert_cmpuint(fwrite(page, 1, sizeof page, journal), ==, sizeof page);
    g_assert_cmpint(fclose(journal), ==, 0);
}

static void replaced_by_a_backup(const ServiceFixture *f)
{
    state_move(f, "journal.db", "journal-backup.db");
}

static void (*const cases[])(const ServiceFixture *f) = {without_first_page, replaced_by_a_backup};

/* The repair of it is approved, and nobody has begun. */
static SyncdRepairPlan *begin(ServiceFixture *f, void (*happens)(const ServiceFixture *f))
{
    repair_init(f);
    f->base.stands_in = true;
    put_long(f);
    rest(f);
    service_close(f);
    happens(f);
    repair_open(f, NULL);
    rest(f);
    SyncdRepairPlan *plan = plan_repair(f);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "journal-restore"));
    approve_repair(f, plan);
    return plan;
}

static void expect_all(ServiceFixture *f)
{
    guint64 n = 0;
    g_assert_null(syncd_store_unreadable(f->service->store));
    rest(f);
    g_assert_cmpint(syncd_store_condition(f->service->store), ==, SYNCD_STORE_WRITABLE);
    g_assert_true(count_kind(f->service->store, "operation.enqueue", &n, NULL));
    g_assert_cmpuint(n, ==, ENTRIES);
    verify_all(f);
    assert_clean(f);
}

/* ---- how long steps are ---- */

/* Bytes that this process has read. */
static guint64 bytes_read(void)
{
    g_autofree char *text = NULL;
    guint64 bytes = 0;
    g_assert_true(g_file_get_contents("/proc/self/io", &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "rchar: %" G_GUINT64_FORMAT, &bytes), ==, 1);
    return bytes;
}

static void a_long_journal_comes_back_in_short_steps(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        SyncdRepairPlan *plan = begin(&f, cases[i]);
        SyncdJob *job = begin_repair(&f, plan);
        guint64 all = 0;
        guint steps = 0, moved = 0;
        double progress = 0;
        for (bool more = true; more; steps++) {
            guint64 before = bytes_read();
            more = syncd_service_work(f.service);
            guint64 step = bytes_read() - before;
            g_assert_cmpuint(step, <, STEP_BYTES);
            all += step;
            g_assert_cmpfloat(syncd_job_progress(job), >=, progress);
            moved += syncd_job_progress(job) > progress;
            progress = syncd_job_progress(job);
        }
        g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
        g_assert_cmpuint(all, >, (guint64)ENTRIES * BODY * 2);
        g_assert_cmpuint(steps, >, 3 * ENTRIES * BODY / STEP_BYTES);
        g_assert_cmpuint(moved, >, 5);
        expect_all(&f);
        service_clear(&f);
    }
}

/* What is open of it is kept first, and that is all of what is left of it. */
static SyncdRepairPlan *begin_cut(ServiceFixture *f)
{
    repair_init(f);
    f->base.stands_in = true;
    put_long(f);
    rest(f);
    service_close(f);
    state_copy(f, "journal.db", "journal-backup.db");
    repair_open(f, NULL);   /* nothing of it is in memory … */
    put(f, "note-1", "{}"); /* … and the WAL says how large it was */
    rest(f);
    state_cut(f, "journal.db", CUT_AT);
    g_assert_true(is_found(f, "journal-cut"));
    SyncdRepairPlan *plan = plan_repair(f);
    approve_repair(f, plan);
    return plan;
}

static void one_that_is_cut_while_open_is_kept_in_short_steps(void)
{
    ServiceFixture f;
    begin_repair(&f, begin_cut(&f));
    guint64 all = 0;
    while (!state_has(&f, "journal.1")) {
        guint64 before = bytes_read();
        g_assert_true(syncd_service_work(f.service));
        guint64 step = bytes_read() - before;
        g_assert_false(is_found(&f, "leftovers")); /* it is being made */
        g_assert_cmpuint(step, <, STEP_BYTES);
        all += step;
    }
    g_assert_cmpuint(all, >, CUT_AT);
    run_jobs(&f);
    g_assert_null(syncd_store_unreadable(f.service->store));
    service_clear(&f);
}

/* Then the end goes on with it. */
static void one_that_is_cut_is_kept_where_the_repair_ends(void)
{
    static const bool cancels[] = {false, true};
    for (size_t i = 0; i < G_N_ELEMENTS(cancels); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        SyncdJob *job = begin_repair(&f, begin_cut(&f));
        while (!state_has(&f, "journal.1.new"))
            g_assert_true(syncd_service_work(f.service));
        if (cancels[i]) {
            g_assert_true(syncd_service_cancel_job(f.service, job, &error));
            g_assert_no_error(error);
            run_jobs(&f);
            g_assert_true(syncd_store_holds_cut(f.service->store));
            g_assert_nonnull(syncd_store_unreadable(f.service->store));
        }
        service_close(&f);
        g_assert_true(state_has(&f, "journal.1"));
        g_assert_false(state_has(&f, "journal.1.new"));
        service_clear(&f);
    }
}

/* Whoever waits for something else meanwhile waits for no more than the bytes of a few steps. */
static void what_is_salvaged_is_synced_every_few_steps(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    begin(&f, without_first_page);
    SyncdDirectory *directory = f.service->store->directory;
    g_autoptr(SyncdSalvage) salvage = syncd_salvage_new(directory, &error);
    g_assert_no_error(error);
    guint unsynced = 0, steps = 0;
    for (bool more = true; more; steps++) {
        guint before = synced;
        g_assert_true(syncd_salvage_step(salvage, &more, &error));
        unsynced = synced > before ? 0 : unsynced + 1;
        g_assert_cmpuint(unsynced, <=, STEPS_UNSYNCED_MAX);
    }
    g_assert_cmpuint(steps, >, STEPS_UNSYNCED_MAX);
    syncd_salvage_remove(directory);
    service_clear(&f);
}

/* ---- cut off on the way ---- */

static gint compare_names(gconstpointer one, gconstpointer other)
{
    return strcmp(*(char *const *)one, *(char *const *)other);
}

static char *list_files(const ServiceFixture *f)
{
    g_autoptr(GDir) folder = g_dir_open(f->base.directory, 0, NULL);
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    const char *name;
    while ((name = g_dir_read_name(folder)) != NULL)
        g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_names);
    g_ptr_array_add(names, NULL);
    return g_strjoinv("\n", (char **)names->pdata);
}

/* Some steps, or all: then false. */
static bool take_steps(ServiceFixture *f, guint steps)
{
    bool more = true;
    while (more && steps-- > 0)
        more = syncd_service_work(f->service);
    return syncd_store_unreadable(f->service->store) != NULL;
}

static void one_that_is_cancelled_leaves_nothing(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        g_autoptr(GError) error = NULL;
        SyncdRepairPlan *plan = begin(&f, cases[i]);
        g_autofree char *before = list_files(&f);
        guint cancelled = 0;
        for (guint steps = 3; steps > 0; steps += 5) {
            SyncdJob *job = begin_repair(&f, plan);
            if (!take_steps(&f, steps))
                break;
            g_assert_true(syncd_service_cancel_job(f.service, job, &error));
            g_assert_no_error(error);
            run_jobs(&f);
            g_assert_nonnull(syncd_store_unreadable(f.service->store));
            g_autofree char *after = list_files(&f);
            g_assert_cmpstr(after, ==, before);
            plan = plan_repair(&f);
            approve_repair(&f, plan);
            cancelled++;
        }
        g_assert_cmpuint(cancelled, >, 3);
        run_jobs(&f);
        expect_all(&f);
        service_clear(&f);
    }
}

static void one_that_is_killed_goes_on(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        guint killed = 0;
        bool half = true;
        for (guint steps = 4; half; steps += 9, killed++) {
            ServiceFixture f;
            int status;
            SyncdRepairPlan *plan = begin(&f, cases[i]);
            g_autofree char *id = g_strdup(syncd_repair_plan_id(plan));
            service_close(&f);
            pid_t child = fork();
            if (child == 0) {
                repair_open(&f, NULL);
                begin_repair(&f, find_repair_plan(f.service, id));
                raise(take_steps(&f, steps) ? SIGKILL : SIGTERM);
            }
            g_assert_cmpint(waitpid(child, &status, 0), ==, child);
            g_assert_true(WIFSIGNALED(status));
            half = WTERMSIG(status) == SIGKILL;
            repair_open(&f, NULL);
            run_jobs(&f);
            plan = find_repair_plan(f.service, id);
            g_assert_cmpstr(syncd_repair_plan_state(plan), ==, "complete");
            expect_all(&f);
            g_autofree char *files = list_files(&f);
            g_assert_null(strstr(files, ".new"));
            service_clear(&f);
        }
        g_assert_cmpuint(killed, >, 2);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/rescue-steps/a-long-journal-comes-back-in-short-steps",
                    a_long_journal_comes_back_in_short_steps);
    g_test_add_func("/rescue-steps/one-that-is-cut-while-open-is-kept-in-short-steps",
                    one_that_is_cut_while_open_is_kept_in_short_steps);
    g_test_add_func("/rescue-steps/one-that-is-cut-is-kept-where-the-repair-ends",
                    one_that_is_cut_is_kept_where_the_repair_ends);
    g_test_add_func("/rescue-steps/what-is-salvaged-is-synced-every-few-steps",
                    what_is_salvaged_is_synced_every_few_steps);
    g_test_add_func("/rescue-steps/one-that-is-cancelled-leaves-nothing",
                    one_that_is_cancelled_leaves_nothing);
    g_test_add_func("/rescue-steps/one-that-is-killed-goes-on", one_that_is_killed_goes_on);
    return g_test_run();
}
