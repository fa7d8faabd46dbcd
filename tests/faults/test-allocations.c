/*
 * Each so-manyth allocation of the sessions that append fails: alone, or with all that SQLite,
 * libsodium and libcrypto ask for later. GLib ends the process, as it always does, and so do hashes
 * that cannot be had: that must be no worse than being killed. What SQLite and libsodium cannot get
 * must become an error that says so.
 *
 * test-allocations [--every N] [--stride N] [--sparsity N] [--workers N] [options of GLib's tests]
 */
#include "allocations.h"
#include "cases.h"
#include "crypto/seal.h"

#include <dlfcn.h>
#include <string.h>
#include <sys/mman.h>

#define ALLOCATIONS_MAX 32768u

typedef enum { OWNER_GLIB, OWNER_CRYPTO, OWNER_SQLITE, OWNER_SODIUM, OWNER_OTHER, N_OWNERS } Owner;

static const struct {
    const char *name;
    const char *library; /* how its file's name begins */
    bool may_end;        /* the process */
} owners[N_OWNERS] = {
    [OWNER_GLIB] = {"GLib", "libglib", true},
    [OWNER_CRYPTO] = {"libcrypto", "libcrypto", true},
    [OWNER_SQLITE] = {"SQLite", "libsqlite3", false},
    [OWNER_SODIUM] = {"libsodium", "libsodium", false},
    [OWNER_OTHER] = {"libc", "", true}, /* mostly for GLib */
};

/* Counted in a run without faults. Shared with all processes. */
typedef struct {
    guint n;
    guint n_of[N_OWNERS];
    guint8 owner[ALLOCATIONS_MAX];
    /* Of the one that failed in the run of this number. The numbers of two runs may differ: SQLite
     * looks for room where it was freed. */
    guint8 hit[ALLOCATIONS_MAX];
} Counted;

static Counted *counted;

static bool with_opening; /* of the store: see watch() */

typedef struct {
    const char *name;
    bool lasting;
} Fault;

static const Fault faults[] = {{"once", false}, {"from there on", true}};

static Owner owner_of(const void *caller)
{
    Dl_info info;
    if (dladdr(caller, &info) == 0 || info.dli_fname == NULL)
        return OWNER_OTHER;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash != NULL ? slash + 1 : info.dli_fname;
    for (Owner owner = 0; owner < OWNER_OTHER; owner++)
        if (strncmp(file, owners[owner].library, strlen(owners[owner].library)) == 0)
            return owner;
    return OWNER_OTHER;
}

/* ---- in the process of the session ---- */

static struct {
    Run *run;
    const Fault *fault;
    guint64 number;
    bool lifted;
    char injected[100];
} now;

static void lift(Run *run)
{
    now.lifted = true;
}

/* GLib without memory cannot even end the process in order. */
static bool follows(guint64 number, const void *caller)
{
    return now.fault->lasting && !now.lifted && number > now.number &&
           owner_of(caller) != OWNER_GLIB && owner_of(caller) != OWNER_OTHER;
}

static bool refuse(void *data, guint64 number, const void *caller)
{
    if (number != now.number)
        return follows(number, caller);
    Owner owner = owner_of(caller);
    counted->hit[number] = (guint8)owner;
    g_snprintf(now.injected, sizeof now.injected, "an allocation of %s that fails (%s)",
               owners[owner].name, now.fault->name);
    now.run->injected = now.injected;
    return true;
}

static void watch_for_faults(Run *run)
{
    allocations_watch(refuse, NULL);
}

/* Reading the schemas takes more allocations than all that follows; a session that begins with
 * nothing has them in it. */
static void watch(Run *run, void (*begin_watch)(Run *))
{
    if (with_opening)
        begin_watch(run);
    else
        run->opened = begin_watch;
}

static void begin(Run *run, guint number, const void *fault)
{
    now.run = run;
    now.fault = fault;
    now.number = number;
    run->lift = lift;
    run->temper = RUN_OUT_OF_MEMORY;
    watch(run, watch_for_faults);
}

/* ---- counting ---- */

static bool count(void *data, guint64 number, const void *caller)
{
    if (number >= ALLOCATIONS_MAX)
        return true;
    Owner owner = owner_of(caller);
    counted->n = (guint)number;
    counted->n_of[owner]++;
    counted->owner[number] = (guint8)owner;
    return false;
}

static void watch_to_count(Run *run)
{
    allocations_watch(count, NULL);
}

static void begin_counting(Run *run, guint number, const void *data)
{
    run->lift = lift;
    run->temper = RUN_MAY_NOT;
    watch(run, watch_to_count);
}

static const char *name_counting(guint number, const void *data)
{
    return "without a fault";
}

static void count_allocations(const Session *session)
{
    memset(counted, 0, sizeof *counted);
    CaseSet set = {.session = session,
                   .begin = begin_counting,
                   .name = name_counting,
                   .first = 1,
                   .last = 1,
                   .stride = 1};
    CaseOutcome outcome = cases_run(&set, true);
    g_assert_cmpuint(outcome.broken, ==, 0);
    g_assert_cmpuint(counted->n_of[OWNER_GLIB], >, 20);
    g_assert_cmpuint(counted->n_of[OWNER_SQLITE], >, 20);
}

/* ---- the promises ---- */

static int every = 3;
static int stride = 20;   /* of opening, and of those that end the process: a crash as any other */
static int sparsity = 12; /* of those that all others follow */
static int workers = 2;

static const char *name_of(guint number, const void *data)
{
    static char text[100];
    g_snprintf(text, sizeof text, "allocation %u (%s) fails %s", number,
               owners[counted->owner[number]].name, ((const Fault *)data)->name);
    return text;
}

static bool is_wanted(guint number, const void *data)
{
    bool all = !with_opening && !owners[counted->owner[number]].may_end;
    return all || number % (guint)MAX(stride, 1) == 0;
}

/* Where all that follow fail too, libcrypto is among them. */
static bool may_end_by(guint number, const void *data, int signal)
{
    return (signal == SIGTRAP || signal == SIGABRT) &&
           (((const Fault *)data)->lasting || owners[counted->hit[number]].may_end);
}

static CaseSet set_of(const Session *session, const Fault *fault)
{
    return (CaseSet){.session = session,
                     .data = fault,
                     .begin = begin,
                     .name = name_of,
                     .first = 1,
                     .last = counted->n,
                     .stride = 1,
                     .wanted = is_wanted,
                     .may_end_by = may_end_by};
}

static void every_allocation_may_fail(const void *data)
{
    const Session *session = data;
    guint broken = 0;
    count_allocations(session);
    for (Owner owner = 0; owner < N_OWNERS; owner++)
        g_test_message("%s: %u allocations", owners[owner].name, counted->n_of[owner]);
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        CaseSet set = set_of(session, &faults[i]);
        set.stride = (guint)MAX(faults[i].lasting ? sparsity : with_opening ? 1 : every, 1);
        CaseOutcome outcome = cases_run(&set, true);
        g_test_message("%s: %u of %u allocations, %u broken", faults[i].name, outcome.runs,
                       counted->n, outcome.broken);
        g_assert_cmpuint(outcome.runs, >, 0);
        broken += outcome.broken;
    }
    g_assert_cmpuint(broken, ==, 0);
}

static void opening_may_fail(const void *data)
{
    with_opening = true;
    every_allocation_may_fail(data);
    with_opening = false;
}

static void an_acknowledgement_before_the_commit_is_found(void)
{
    const Session *session = session_of("turns");
    count_allocations(session);
    CaseSet set = set_of(session, &faults[0]);
    set.boasts = true;
    set.stride = 4;
    CaseOutcome outcome = cases_run(&set, false);
    g_test_message("%u of %u runs, first: %s", outcome.broken, outcome.runs, outcome.first);
    g_assert_nonnull(strstr(outcome.first, "was acknowledged and is lost"));
}

/* Whoever does not expect an end must be told of one. */
static bool may_not_end(guint number, const void *data, int signal)
{
    return false;
}

static void a_process_that_ends_is_found(void)
{
    const Session *session = session_of("turns");
    count_allocations(session);
    CaseSet set = set_of(session, &faults[0]);
    set.may_end_by = may_not_end;
    set.stride = 4;
    CaseOutcome outcome = cases_run(&set, false);
    g_test_message("%u of %u runs, first: %s", outcome.broken, outcome.runs, outcome.first);
    g_assert_nonnull(strstr(outcome.first, "ended by signal"));
}

int main(int argc, char **argv)
{
    const GOptionEntry options[] = {
        {"every", 0, 0, G_OPTION_ARG_INT, &every, "Each so-manyth", "N"},
        {"stride", 0, 0, G_OPTION_ARG_INT, &stride, "Of opening, and of GLib: each so-manyth", "N"},
        {"sparsity", 0, 0, G_OPTION_ARG_INT, &sparsity, "Of lasting failures: each so-manyth", "N"},
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

    g_test_add_data_func("/allocations/first-start", session_of("first-start"), opening_may_fail);
    g_test_add_data_func("/allocations/after-a-kill", session_of("after-a-kill"), opening_may_fail);
    g_test_add_data_func("/allocations/turns", session_of("turns"), every_allocation_may_fail);
    g_test_add_data_func("/allocations/scopes", session_of("scopes"), every_allocation_may_fail);
    g_test_add_data_func("/allocations/tables", session_of("tables"), every_allocation_may_fail);
    g_test_add_data_func("/allocations/large-content", session_of("large-content"),
                         every_allocation_may_fail);
    g_test_add_func("/allocations/control/an-acknowledgement-before-the-commit-is-found",
                    an_acknowledgement_before_the_commit_is_found);
    g_test_add_func("/allocations/control/a-process-that-ends-is-found",
                    a_process_that_ends_is_found);
    return g_test_run();
}
