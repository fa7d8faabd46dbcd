/*
 * Storage calls of sessions fail, in each way that they can: the process dies before every call, or
 * after it, the disk errs or is full (once, or from there on), the call is interrupted, or does
 * half of what it was asked. What was acknowledged stays, what fails says how, and what is retried
 * by its key is there once. What is the same is not done again: opening goes wrong in the first of
 * the sessions that open alike, and of pages that are moved one by one only each so-manyth does.
 *
 * test-calls [--all] [--workers N] [options of GLib's tests]
 */
#include "cases.h"
#include "crypto/seal.h"
#include "storage-calls.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CALLS_MAX 8192u

/* What the calls of a session are, as counted in a run without faults. Shared with all processes.
 */
typedef struct {
    guint n;
    guint opening; /* the last call of opening the store */
    struct {
        StorageKind kind;
        bool log;   /* of the journal's WAL */
        guint what; /* the same for calls of one function on one file */
        char text[120];
    } calls[CALLS_MAX];
} Counted;

static Counted *counted;

typedef enum {
    CONTROL_NONE,
    CONTROL_LYING_SYNC, /* says yes, and what was to be synced is gone */
    CONTROL_TORN_WRITE, /* says that it wrote all, and wrote half */
    /* No control: a sync fails, and what it was about is in the page cache alone, which calls it
     * clean, until it is written again or the power goes at the end. */
    POWER_AFTER_FAILED_SYNC,
} Control;

typedef struct {
    const char *name;
    StorageAct act;
    int problem;
    bool lasting; /* this call and all that follow */
    RunTemper temper;
    guint kinds; /* bits of StorageKind, of the calls that can do so */
    Control control;
    guint each; /* so-manyth call, in CI; 0: every one */
} Fault;

#define BIT(kind) (1u << STORAGE_##kind)
#define ALL (BIT(N_KINDS) - 1)
#define ROOM                                                                                       \
    (BIT(OPEN) | BIT(WRITE) | BIT(TRUNCATE) | BIT(ALLOCATE) | BIT(SYNC) | BIT(RENAME) |            \
     BIT(LINK) | BIT(UNLINK) | BIT(MKDIR))
#define SLOW (BIT(OPEN) | BIT(CLOSE) | BIT(READ) | BIT(WRITE) | BIT(TRUNCATE) | BIT(ALLOCATE))

static const Fault faults[] = {
    {"killed-before", STORAGE_KILL, 0, false, RUN_MAY_FAIL, ALL},
    {"killed-after", STORAGE_KILL_AFTER, 0, false, RUN_MAY_FAIL, ALL, CONTROL_NONE, 5},
    {"EIO", STORAGE_FAIL, EIO, false, RUN_MAY_FAIL, ALL, CONTROL_NONE, 3},
    {"EIO-from-there-on", STORAGE_FAIL, EIO, true, RUN_MAY_FAIL, ALL, CONTROL_NONE, 5},
    {"ENOSPC", STORAGE_FAIL, ENOSPC, false, RUN_MAY_FAIL, ROOM, CONTROL_NONE, 3},
    {"ENOSPC-from-there-on", STORAGE_FAIL, ENOSPC, true, RUN_MAY_FAIL, ROOM, CONTROL_NONE, 5},
    {"EINTR", STORAGE_FAIL, EINTR, false, RUN_MAY_NOT, SLOW, CONTROL_NONE, 3},
    /* SQLite does not repeat an interrupted sync, so it counts as one that failed. */
    {"EINTR-of-a-sync", STORAGE_FAIL, EINTR, false, RUN_MAY_FAIL, BIT(SYNC)},
    {"short", STORAGE_SHORT, 0, false, RUN_MAY_NOT, BIT(READ) | BIT(WRITE), CONTROL_NONE, 3},
};

static const Fault lying_sync = {"lying sync", STORAGE_PRETEND,   0, false, RUN_MAY_FAIL,
                                 BIT(SYNC),    CONTROL_LYING_SYNC};
static const Fault torn_write = {"torn write", STORAGE_PASS,      0, false, RUN_MAY_FAIL,
                                 BIT(WRITE),   CONTROL_TORN_WRITE};

static const Fault failed_sync = {"failed sync", STORAGE_FAIL,           EIO, false, RUN_MAY_FAIL,
                                  BIT(SYNC),     POWER_AFTER_FAILED_SYNC};

/* ---- in the process of the session ---- */

static struct {
    Run *run;
    const Fault *fault;
    guint64 number; /* of the call that fails */
    bool lifted;
    char injected[200];
    GArray *unsynced; /* Range: what was written to the log since it was synced */
    GArray *lost;     /* Range: what the disk does not have though it was asked to */
    guint acknowledged;
} now;

typedef struct {
    gint64 offset;
    size_t size;
} Range;

static bool rewriting_is_lost; /* for the control: as if nothing were ever written again */

static bool is_log(const StorageCall *call)
{
    return strcmp(call->path, "journal.db-wal") == 0;
}

static void lift(Run *run)
{
    now.lifted = true;
}

static guint count_acknowledged(void)
{
    guint n = 0;
    for (guint i = 0; i < SESSION_ITEMS; i++)
        n += now.run->acknowledged[i];
    return n;
}

static void zero(int fd, gint64 offset, size_t size)
{
    g_autofree char *zeros = g_malloc0(size);
    g_assert_cmpint(pwrite(fd, zeros, size, offset), ==, size);
}

static void drop_unsynced(int fd)
{
    for (guint i = 0; i < now.unsynced->len; i++) {
        const Range *range = &g_array_index(now.unsynced, Range, i);
        zero(fd, range->offset, range->size);
    }
    now.acknowledged = count_acknowledged();
}

/* What is written again is dirty again. Writes are in order, so a part that is left is an end. */
static void find_again(const Range *written)
{
    gint64 until = written->offset + (gint64)written->size;
    for (guint i = now.lost->len; i > 0 && !rewriting_is_lost; i--) {
        Range *range = &g_array_index(now.lost, Range, i - 1);
        gint64 end = range->offset + (gint64)range->size;
        if (written->offset > range->offset || until <= range->offset)
            continue;
        range->offset = MIN(until, end);
        range->size = (size_t)(end - range->offset);
        if (range->size == 0)
            g_array_remove_index_fast(now.lost, i - 1);
    }
}

/* The power goes. */
static void lose(Run *run)
{
    g_autofree char *path = g_build_filename(run->f.directory, "journal.db-wal", NULL);
    storage_unwatch();
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (now.unsynced->len > 0)
        g_array_append_vals(now.lost, now.unsynced->data, now.unsynced->len);
    for (guint i = 0; fd >= 0 && i < now.lost->len; i++) {
        const Range *range = &g_array_index(now.lost, Range, i);
        zero(fd, range->offset, range->size);
    }
    raise(SIGKILL);
}

static bool is_hit(const StorageCall *call)
{
    bool here = call->number == now.number ||
                (now.fault->lasting && !now.lifted && call->number > now.number);
    return here && (now.fault->kinds & (1u << call->kind)) != 0 &&
           (now.fault->act != STORAGE_SHORT || call->size > 1);
}

static StorageVerdict decide(void *data, const StorageCall *call)
{
    if (call->kind == STORAGE_SYNC && g_str_has_prefix(call->path, "journal.db"))
        now.run->journal_syncs++;
    if (now.fault->control == CONTROL_LYING_SYNC && now.injected[0] != '\0' &&
        count_acknowledged() > now.acknowledged)
        return (StorageVerdict){STORAGE_KILL};
    if (!is_hit(call))
        return (StorageVerdict){STORAGE_PASS};
    if (now.injected[0] == '\0') {
        g_autofree char *text = storage_describe(call);
        g_snprintf(now.injected, sizeof now.injected, "%s at %s", now.fault->name, text);
        now.run->injected = now.injected;
    }
    if (now.fault->control == CONTROL_LYING_SYNC)
        drop_unsynced(call->fd);
    if (now.fault->control == POWER_AFTER_FAILED_SYNC)
        g_array_append_vals(now.lost, now.unsynced->data, now.unsynced->len);
    return (StorageVerdict){now.fault->act, now.fault->problem, call->size / 2};
}

static void observe(void *data, const StorageCall *call, gint64 result, int problem)
{
    if (!is_log(call) || result < 0)
        return;
    if (call->kind == STORAGE_SYNC)
        g_array_set_size(now.unsynced, 0);
    if (call->kind != STORAGE_WRITE)
        return;
    Range range = {call->offset, call->size};
    g_array_append_val(now.unsynced, range);
    find_again(&range);
    if (now.fault->control == CONTROL_TORN_WRITE && call->number == now.number)
        zero(call->fd, call->offset + (gint64)call->size / 2, call->size - call->size / 2);
}

static void begin(Run *run, guint number, const void *fault)
{
    now.run = run;
    now.fault = fault;
    now.number = number;
    now.unsynced = g_array_new(FALSE, FALSE, sizeof(Range));
    now.lost = g_array_new(FALSE, FALSE, sizeof(Range));
    if (now.fault->control == POWER_AFTER_FAILED_SYNC)
        run->ending = lose;
    run->lift = lift;
    run->temper = now.fault->temper;
    storage_watch(run->f.directory, decide, observe, NULL);
}

/* ---- counting ---- */

static StorageVerdict count(void *data, const StorageCall *call)
{
    g_autofree char *text = storage_describe(call);
    g_assert_cmpuint(call->number, <, CALLS_MAX);
    counted->n = (guint)call->number;
    counted->calls[call->number].kind = call->kind;
    counted->calls[call->number].log = is_log(call);
    counted->calls[call->number].what = g_str_hash(call->path) + (guint)call->kind;
    g_strlcpy(counted->calls[call->number].text, text, sizeof counted->calls[0].text);
    return (StorageVerdict){STORAGE_PASS};
}

static void note_opening(Run *run)
{
    counted->opening = counted->n;
}

static void begin_counting(Run *run, guint number, const void *data)
{
    run->opened = note_opening;
    run->lift = lift;
    run->temper = RUN_MAY_NOT;
    storage_watch(run->f.directory, count, NULL, NULL);
}

static const char *name_counting(guint number, const void *data)
{
    return "without a fault";
}

static void count_calls(const Session *session)
{
    CaseSet set = {.session = session,
                   .begin = begin_counting,
                   .name = name_counting,
                   .first = 1,
                   .last = 1,
                   .stride = 1};
    CaseOutcome outcome = cases_run(&set, true);
    g_assert_cmpuint(outcome.broken, ==, 0);
    g_assert_cmpuint(counted->n, >, 20);
}

/* ---- the promises ---- */

static const char *name_of(guint number, const void *data)
{
    static char text[200];
    g_snprintf(text, sizeof text, "%s at call %s", ((const Fault *)data)->name,
               counted->calls[number].text);
    return text;
}

/* Amid calls that are all like it, or like it in turn with another, as where pages are moved one by
 * one. */
static bool is_amid(guint number)
{
    const guint around = 4;
    if (number <= around || number + around + 2 > counted->n)
        return false;
    for (guint i = number - around; i <= number + around; i++)
        if (counted->calls[i].what != counted->calls[i + 2].what)
            return false;
    return true;
}

#define AMID 7u /* each so-manyth: a prime, for both of those that take turns */

static gboolean all;
static int workers = 2;

static bool can_fail(guint number, const void *data)
{
    const Fault *fault = data;
    return (fault->kinds & (1u << counted->calls[number].kind)) != 0 &&
           (fault->control == CONTROL_NONE || counted->calls[number].log) &&
           (all || number % AMID == 0 || !is_amid(number));
}

static bool may_end_by(guint number, const void *data, int signal)
{
    const Fault *fault = data;
    bool kills = fault->act == STORAGE_KILL || fault->act == STORAGE_KILL_AFTER ||
                 fault->control != CONTROL_NONE;
    return kills && signal == SIGKILL;
}

static CaseSet set_of(const Session *session, const Fault *fault)
{
    return (CaseSet){.session = session,
                     .data = fault,
                     .begin = begin,
                     .name = name_of,
                     .first = session->opens_alike ? counted->opening + 1 : 1,
                     .last = counted->n,
                     .stride = 1,
                     .wanted = can_fail,
                     .may_end_by = may_end_by};
}

static void every_call_may_fail(const void *data)
{
    const Session *session = data;
    guint broken = 0;
    count_calls(session);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        CaseSet set = set_of(session, &faults[i]);
        set.stride = all ? 1 : MAX(faults[i].each, 1);
        CaseOutcome outcome = cases_run(&set, true);
        g_test_message("%s: %u of %u calls, %u broken", faults[i].name, outcome.runs, counted->n,
                       outcome.broken);
        g_assert_cmpuint(outcome.runs, >, 0);
        broken += outcome.broken;
    }
    g_assert_cmpuint(broken, ==, 0);
}

static void assert_found(const CaseSet *set, const char *what)
{
    CaseOutcome outcome = cases_run(set, false);
    g_test_message("%u of %u runs, first: %s", outcome.broken, outcome.runs, outcome.first);
    g_assert_cmpuint(outcome.broken, >, 0);
    g_assert_nonnull(strstr(outcome.first, what));
}

static void an_acknowledgement_before_the_commit_is_found(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &faults[0]);
    set.boasts = true;
    assert_found(&set, "was acknowledged and is lost");
}

static void a_sync_that_lies_is_found(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &lying_sync);
    assert_found(&set, "was acknowledged and is lost");
}

static void a_write_that_loses_half_is_found(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &torn_write);
    assert_found(&set, "");
}

static void a_store_that_forgets_its_failure_is_found(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &faults[2]);
    set.forgets = true;
    assert_found(&set, "an append is taken again");
}

/* A process that starts after a failed sync reads from the page cache what the disk does not have,
 * and must not build on it. */
static void a_failed_sync_and_a_power_cut_lose_nothing(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &failed_sync);
    CaseOutcome outcome = cases_run(&set, true);
    g_test_message("%u runs", outcome.runs);
    g_assert_cmpuint(outcome.runs, >, 3);
    g_assert_cmpuint(outcome.broken, ==, 0);
}

static void building_on_a_failed_sync_is_found(void)
{
    const Session *session = session_of("turns");
    count_calls(session);
    CaseSet set = set_of(session, &failed_sync);
    rewriting_is_lost = true;
    assert_found(&set, "was acknowledged and is lost");
    rewriting_is_lost = false;
}

int main(int argc, char **argv)
{
    const GOptionEntry options[] = {
        {"all", 0, 0, G_OPTION_ARG_NONE, &all, "Each fault at every call", NULL},
        {"workers", 0, 0, G_OPTION_ARG_INT, &workers, "Processes at once", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_assert_true(g_option_context_parse(context, &argc, &argv, NULL));
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    cases_set_workers((unsigned)MAX(workers, 1));
    counted =
        mmap(NULL, sizeof *counted, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(counted != MAP_FAILED);

    for (unsigned i = 0; i < n_sessions; i++) {
        g_autofree char *path = g_strconcat("/calls/", sessions[i].name, NULL);
        g_test_add_data_func(path, &sessions[i], every_call_may_fail);
    }
    g_test_add_func("/calls/a-failed-sync-and-a-power-cut-lose-nothing",
                    a_failed_sync_and_a_power_cut_lose_nothing);
    g_test_add_func("/calls/control/building-on-a-failed-sync-is-found",
                    building_on_a_failed_sync_is_found);
    g_test_add_func("/calls/control/an-acknowledgement-before-the-commit-is-found",
                    an_acknowledgement_before_the_commit_is_found);
    g_test_add_func("/calls/control/a-sync-that-lies-is-found", a_sync_that_lies_is_found);
    g_test_add_func("/calls/control/a-write-that-loses-half-is-found",
                    a_write_that_loses_half_is_found);
    g_test_add_func("/calls/control/a-store-that-forgets-its-failure-is-found",
                    a_store_that_forgets_its_failure_is_found);
    return g_test_run();
}
