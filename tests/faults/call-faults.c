#include "call-faults.h"

#include "crypto/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS_MAX 8192u
#define PATIENCE_SECONDS 120

/* What the processes of a case leave for the one that looks. */
typedef struct {
    pid_t worker;
    int told;
    bool works;     /* between its beginning and its end */
    guint calls;    /* so many were made meanwhile */
    char text[160]; /* of the call at which it went wrong */
    guint8 traits[CALLS_MAX];
} Shared;

static Shared *shared;
static gint each = 1;
static char *folder; /* where all fixtures have their files */

/* The one that this case is about. */
static struct {
    guint number; /* 0: none */
    const CallFault *fault;
} now;

void call_faults_init(int *argc, char ***argv)
{
    const GOptionEntry options[] = {
        {"each", 0, 0, G_OPTION_ARG_INT, &each, "A fault at each so-manyth call", "N"},
        {NULL},
    };
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_option_context_add_main_entries(context, options, NULL);
    g_option_context_set_ignore_unknown_options(context, TRUE);
    g_option_context_set_help_enabled(context, FALSE);
    g_assert_true(g_option_context_parse(context, argc, argv, NULL));
    each = MAX(each, 1);
    /* What is synced is not what is looked for here. */
    bool memory = g_access("/dev/shm", W_OK) == 0;
    folder = g_strconcat(memory ? "/dev/shm" : "/tmp", "/syncd-calls-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(folder));
    g_setenv("TMPDIR", folder, TRUE);
    g_test_init(argc, argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_assert_cmpint(prctl(PR_SET_CHILD_SUBREAPER, 1), ==, 0);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(shared != MAP_FAILED);
}

int call_faults_end(void)
{
    int result = g_test_run();
    g_rmdir(folder);
    g_free(folder);
    return result;
}

const char *call_faults_folder(void)
{
    return folder;
}

/* ---- in the processes of a case ---- */

/* A disk that is full can be read, and things removed from. */
static bool takes_room(const StorageCall *call)
{
    return call->kind == STORAGE_WRITE || call->kind == STORAGE_ALLOCATE ||
           call->kind == STORAGE_LINK || call->kind == STORAGE_MKDIR ||
           call->kind == STORAGE_RENAME ||
           (call->kind == STORAGE_OPEN && (call->flags & O_CREAT) != 0);
}

static CallTraits traits_of(const StorageCall *call)
{
    bool commits = call->kind == STORAGE_SYNC && g_str_has_suffix(call->path, "journal.db-wal");
    return (takes_room(call) ? CALL_TAKES_ROOM : 0) | (commits ? CALL_COMMITS : 0);
}

static bool can_be(const CallFault *fault, guint8 traits)
{
    return fault->only == 0 || (traits & fault->only) != 0;
}

static StorageVerdict decide(void *data, const StorageCall *call)
{
    const StorageVerdict pass = {STORAGE_PASS};
    if (!shared->works)
        return pass;
    guint number = __atomic_add_fetch(&shared->calls, 1, __ATOMIC_SEQ_CST);
    g_assert_cmpuint(number, <, CALLS_MAX);
    shared->traits[number] = (guint8)traits_of(call);
    bool hit = now.number != 0 && can_be(now.fault, shared->traits[number]) &&
               (number == now.number || (now.fault->lasting && number > now.number));
    if (!hit)
        return pass;
    if (number == now.number) {
        g_autofree char *text = storage_describe(call);
        g_strlcpy(shared->text, text, sizeof shared->text);
    }
    bool kills =
        now.fault->verdict.act == STORAGE_KILL || now.fault->verdict.act == STORAGE_KILL_AFTER;
    if (kills && getpid() != shared->worker)
        kill(shared->worker, SIGKILL);
    return now.fault->verdict;
}

void call_work_begins(void)
{
    shared->works = true;
}

void call_work_tells(int told)
{
    shared->told = told;
}

void call_work_ends(int told)
{
    shared->told = told;
    shared->works = false;
}

bool call_work_went_wrong(void)
{
    return shared->text[0] != '\0';
}

/* ---- a case ---- */

static bool is_killed(int status)
{
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

static void wait_for_all(pid_t worker, const CallFault *fault)
{
    int status;
    for (pid_t child; (child = waitpid(-1, &status, 0)) > 0;) {
        bool kills = fault != NULL && (fault->verdict.act == STORAGE_KILL ||
                                       fault->verdict.act == STORAGE_KILL_AFTER);
        bool ended = WIFEXITED(status) && (child != worker || WEXITSTATUS(status) == 0);
        if (!ended && !(kills && is_killed(status)))
            g_error("it ended with status %d at %s", status, shared->text);
    }
    g_assert_cmpint(errno, ==, ECHILD);
}

static void run_case(const CallWork *work, void *world, guint number, const CallFault *fault)
{
    memset(shared, 0, offsetof(Shared, traits));
    now.number = number;
    now.fault = fault;
    const char *watched = work->begin(world);
    pid_t worker = fork();
    g_assert_cmpint(worker, >=, 0);
    if (worker == 0) {
        shared->worker = getpid();
        alarm(PATIENCE_SECONDS);
        storage_watch(watched, decide, NULL, NULL);
        work->work(world);
        _exit(0);
    }
    wait_for_all(worker, fault);
    g_test_message("%s %u: %s: told %d", fault != NULL ? fault->name : "nothing", number,
                   shared->text, shared->told);
    work->look(world, shared->told);
}

static void run_fault(const CallWork *work, void *world, const CallFault *fault,
                      const guint8 *traits, guint calls)
{
    guint stride = each > 1 && !fault->all ? (guint)each * MAX(work->sparse, 1) : 1;
    guint seen = 0;
    for (guint number = 1; number <= calls; number++) {
        if (can_be(fault, traits[number]) && seen++ % stride == 0)
            run_case(work, world, number, fault);
    }
}

void call_faults_run(const CallWork *work, void *world, const CallFault *faults, size_t n)
{
    run_case(work, world, 0, NULL);
    g_assert_false(shared->works);
    guint calls = shared->calls;
    g_assert_cmpuint(calls, >, 5);
    g_autofree guint8 *traits = g_memdup2(shared->traits, sizeof shared->traits);
    for (size_t i = 0; i < n; i++)
        run_fault(work, world, &faults[i], traits, calls);
    g_test_message("%u calls", calls);
}

void call_faults_run_all(const CallWork *work, void *world)
{
    static const CallFault faults[] = {
        {"killed before", {.act = STORAGE_KILL}, false},
        {"killed after", {.act = STORAGE_KILL_AFTER}, false},
        {"EIO at", {.act = STORAGE_FAIL, .problem = EIO}, false},
        {"ENOSPC at", {.act = STORAGE_FAIL, .problem = ENOSPC}, .only = CALL_TAKES_ROOM},
        {"EIO at the commit",
         {.act = STORAGE_FAIL, .problem = EIO},
         .only = CALL_COMMITS,
         .all = true},
    };
    call_faults_run(work, world, faults, G_N_ELEMENTS(faults));
}
