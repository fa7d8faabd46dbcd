#include "power-suite.h"

#include "power-check.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WRONG 8u
/* Images that a history is asked for before the next one, and how many that are known already end
 * it sooner. */
#define PER_HISTORY 160u
#define PER_PASS 1u
#define PER_PASS_OF_NAMES 3u
#define IMAGES_A_CUT 2u /* about as many are new */
#define MAX_PASSES 24u
#define MAX_HISTORIES 100000u
/* The few that two processes may both draw: no state at all, an empty one … */
#define IN_COMMON 16u

static guint hash_of_hash(gconstpointer hash)
{
    guint value;
    memcpy(&value, hash, sizeof value);
    return value;
}

static gboolean equal_hashes(gconstpointer a, gconstpointer b)
{
    return syncd_hash_equal(a, b);
}

static void report_init(PowerReport *report)
{
    *report = (PowerReport){0};
    report->images = g_hash_table_new_full(hash_of_hash, equal_hashes, g_free, NULL);
    report->wrong = g_ptr_array_new_with_free_func(g_free);
}

void power_report_clear(PowerReport *report)
{
    g_clear_pointer(&report->images, g_hash_table_unref);
    g_clear_pointer(&report->wrong, g_ptr_array_unref);
}

/* ---- one process ---- */

typedef struct {
    const PowerPlan *plan;
    const PowerPhase *phase;
    guint images;       /* to judge in this process */
    char *disk, *state; /* each image is where the disk was: logs name places */
    GHashTable *judged; /* SyncdHash of an image and what was promised */
    PowerReport report;
} Worker;

static bool is_done(const Worker *worker)
{
    return g_hash_table_size(worker->report.images) >= worker->images ||
           (worker->plan->until_wrong && worker->report.n_wrong > 0);
}

static void note_wrong(Worker *worker, const PowerRun *run, guint64 history, PowerModel model,
                       size_t cut, guint64 seed, const char *complaint)
{
    static const char *const models[] = {"journaled", "loose"};
    if (worker->report.n_wrong++ >= MAX_WRONG)
        return;
    g_autofree char *event = power_disk_describe(run->disk, cut);
    g_ptr_array_add(worker->report.wrong,
                    g_strdup_printf("%s (%s, history %" G_GUINT64_FORMAT ", names %s, cut %d of "
                                    "%d after %s, image %" G_GUINT64_FORMAT ")",
                                    complaint, worker->phase->name, history, models[model],
                                    (int)cut, (int)power_disk_n_events(run->disk), event, seed));
}

/* What was lost may be missed only later, so the same bytes may do at one cut and not at another.
 */
static SyncdHash hash_question(const PowerRun *run, const PowerImage *image, guint64 history,
                               size_t cut)
{
    guint64 asked[] = {history, power_log_promise(run->log, cut), cut >= run->done,
                       power_run_answered(run, cut)};
    SyncdBytes parts[] = {SYNCD_BYTES(image->hash.bytes, sizeof image->hash.bytes),
                          SYNCD_BYTES(asked, sizeof asked)};
    return syncd_hash_parts(parts, G_N_ELEMENTS(parts));
}

/* False for one that is known already. */
static bool judge(Worker *worker, PowerRun *run, PowerCut *at, guint64 history, PowerModel model,
                  size_t cut, guint64 seed)
{
    g_auto(PowerImage) image = {0};
    power_cut_draw(at, seed, &image);
    worker->report.drawn++;
    SyncdHash question = hash_question(run, &image, history, cut);
    if (!g_hash_table_add(worker->judged, g_memdup2(&question, sizeof question)))
        return false;
    worker->report.judged++;
    power_image_put(&image, worker->disk);
    run->image = &image;
    g_autofree char *complaint =
        worker->phase->judge != NULL ? worker->phase->judge(run, worker->state, cut) : NULL;
    if (complaint == NULL && !worker->phase->alone)
        complaint = power_check(run->log, worker->state, cut, seed);
    run->image = NULL;
    if (complaint != NULL)
        note_wrong(worker, run, history, model, cut, seed, complaint);
    return g_hash_table_add(worker->report.images, g_memdup2(&image.hash, sizeof image.hash));
}

/* Few images are not all of the beginning of a history. */
static size_t stride_of(const Worker *worker, size_t cuts)
{
    guint have = g_hash_table_size(worker->report.images);
    guint wanted = MAX(worker->images, have + 1) - have;
    return MAX(cuts * IMAGES_A_CUT / wanted, 1);
}

/* Once through all cuts, in one model: one pass of a long history may be enough of it, so the next
 * one begins with the other, and so does the next process. Gives the number of new images. */
static guint pass(Worker *worker, PowerRun *run, guint64 history, guint number)
{
    guint fresh = 0;
    guint64 workers = worker->plan->workers;
    PowerModel model =
        (PowerModel)((history / workers + history % workers + number) % POWER_N_MODELS);
    guint64 random = worker->plan->seed ^ (history * MAX_PASSES + number) << 16;
    g_autoptr(PowerCut) at = power_cut_new(run->disk, model, worker->plan->honesty);
    size_t last = power_disk_n_events(run->disk), stride = stride_of(worker, last - run->from + 1);
    for (size_t cut = run->from + power_below(&random, stride); cut <= last; cut += stride) {
        guint before = fresh;
        power_cut_advance(at, cut);
        guint images = power_cut_has_names(at) ? PER_PASS_OF_NAMES : PER_PASS;
        for (guint i = 0; i < images && !is_done(worker); i++)
            fresh += judge(worker, run, at, history, model, cut, power_random(&random));
        worker->report.cuts += fresh > before && number < POWER_N_MODELS;
    }
    return fresh;
}

static void run_history(Worker *worker, guint64 history)
{
    guint64 seed = worker->plan->seed ^ (history * G_GUINT64_CONSTANT(0x2545f4914f6cdd1d));
    g_autoptr(PowerRun) run = power_run_new(worker->phase, worker->plan->fault, worker->disk, seed);
    worker->report.histories++;
    guint fresh = 0;
    for (guint number = 0; number < MAX_PASSES && fresh < PER_HISTORY && !is_done(worker); number++)
        fresh += pass(worker, run, history, number);
}

/* ---- between the processes ---- */

static void write_report(const PowerReport *report, int fd)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%u %u %u %u %u\n", report->histories, report->cuts, report->drawn,
                           report->judged, report->n_wrong);
    for (guint i = 0; i < report->wrong->len; i++)
        g_string_append_printf(text, "%s\n", g_strdelimit(report->wrong->pdata[i], "\n", ' '));
    g_string_append_c(text, '\n');
    GHashTableIter iter;
    void *hash;
    g_hash_table_iter_init(&iter, report->images);
    while (g_hash_table_iter_next(&iter, &hash, NULL))
        g_string_append_len(text, hash, sizeof(SyncdHash));
    for (size_t at = 0; at < text->len;) {
        ssize_t n = write(fd, text->str + at, text->len - at);
        g_assert_cmpint(n, >, 0);
        at += (size_t)n;
    }
}

static GByteArray *read_all(int fd)
{
    guint8 buffer[65536];
    GByteArray *bytes = g_byte_array_new();
    for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) != 0;) {
        g_assert_true(n > 0 || errno == EINTR);
        g_byte_array_append(bytes, buffer, (guint)MAX(n, 0));
    }
    return bytes;
}

static void add_report(PowerReport *report, char *at, const char *end)
{
    unsigned numbers[5];
    int n = sscanf(at, "%u %u %u %u %u", &numbers[0], &numbers[1], &numbers[2], &numbers[3],
                   &numbers[4]);
    g_assert_cmpint(n, ==, 5);
    report->histories += numbers[0];
    report->cuts += numbers[1];
    report->drawn += numbers[2];
    report->judged += numbers[3];
    report->n_wrong += numbers[4];
    for (at = strchr(at, '\n') + 1; *at != '\n';) {
        char *stop = strchr(at, '\n');
        g_ptr_array_add(report->wrong, g_strndup(at, (gsize)(stop - at)));
        at = stop + 1;
    }
    for (at++; at < end; at += sizeof(SyncdHash))
        g_hash_table_add(report->images, g_memdup2(at, sizeof(SyncdHash)));
}

static void take_report(pid_t child, int fd, PowerReport *report)
{
    int status;
    g_autoptr(GByteArray) bytes = read_all(fd);
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        add_report(report, (char *)bytes->data, (char *)bytes->data + bytes->len);
        return;
    }
    report->died++;
    g_ptr_array_add(report->wrong, g_strdup_printf("a process died (status %d)", status));
}

static void work(const PowerPlan *plan, const PowerPhase *phase, unsigned number, guint images,
                 int fd)
{
    Worker worker = {.plan = plan, .phase = phase, .images = images};
    g_autofree char *folder = g_strdup_printf("%s/%u", plan->folder, number);
    worker.disk = g_build_filename(folder, "disk", NULL);
    worker.state = g_build_filename(worker.disk, POWER_STATE, NULL);
    worker.judged = g_hash_table_new_full(hash_of_hash, equal_hashes, g_free, NULL);
    report_init(&worker.report);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    for (guint64 history = number; history < MAX_HISTORIES && !is_done(&worker);
         history += plan->workers)
        run_history(&worker, history);
    write_report(&worker.report, fd);
    power_report_clear(&worker.report);
    g_hash_table_unref(worker.judged);
    g_free(worker.disk);
    g_free(worker.state);
}

void power_suite_run(const PowerPlan *plan, const PowerPhase *phase, guint images,
                     PowerReport *ret_report)
{
    g_autofree int *fds = g_new(int, plan->workers);
    g_autofree pid_t *children = g_new(pid_t, plan->workers);
    guint each = images / plan->workers + images / 50 + IN_COMMON;
    for (unsigned i = 0; i < plan->workers; i++) {
        int ends[2];
        g_assert_cmpint(pipe(ends), ==, 0);
        children[i] = fork();
        g_assert_cmpint(children[i], >=, 0);
        if (children[i] == 0) {
            work(plan, phase, i, each, ends[1]);
            _exit(0);
        }
        close(ends[1]);
        fds[i] = ends[0];
    }
    report_init(ret_report);
    for (unsigned i = 0; i < plan->workers; i++) {
        take_report(children[i], fds[i], ret_report);
        close(fds[i]);
    }
}
