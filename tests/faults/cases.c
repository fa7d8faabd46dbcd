#include "cases.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 60 /* seconds until a session hangs */
#define LOUD_MAX 5u

static unsigned n_workers = 2;

void cases_set_workers(unsigned n)
{
    n_workers = MAX(n, 1);
}

static char *make_folder(void)
{
    bool memory = access("/dev/shm", W_OK) == 0;
    char *path = g_build_filename(memory ? "/dev/shm" : g_get_tmp_dir(), "syncd-case-XXXXXX", NULL);
    g_assert_nonnull(g_mkdtemp(path));
    return path;
}

static void copy_file(const char *from, const char *to)
{
    static char bytes[256 * 1024];
    int source = open(from, O_RDONLY | O_CLOEXEC);
    int target = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    struct stat st;
    g_assert_true(source >= 0 && target >= 0 && fstat(source, &st) == 0);
    /* All that counts of the space set aside is its size, and it is larger than all the rest. */
    if (g_str_has_suffix(to, "/reserve"))
        g_assert_cmpint(posix_fallocate(target, 0, st.st_size), ==, 0);
    else
        for (ssize_t n; (n = read(source, bytes, sizeof bytes)) != 0;)
            g_assert_true(n > 0 && write(target, bytes, (size_t)n) == n);
    g_assert_true(close(source) == 0 && close(target) == 0);
}

static void copy_tree(const char *from, const char *to)
{
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;
    g_assert_cmpint(g_mkdir_with_parents(to, 0700), ==, 0);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        if (g_file_test(source, G_FILE_TEST_IS_DIR))
            copy_tree(source, target);
        else
            copy_file(source, target);
    }
}

/* A run begins as the one that prepared the state ended, in a folder of its own. */
static void begin_like(Run *r, const Run *prepared, const char *folder)
{
    *r = *prepared;
    r->f.sources.data = &r->f;
    r->f.directory = g_strdup(folder);
    copy_tree(prepared->f.directory, folder);
}

G_GNUC_NORETURN static void play(Run *r, const CaseSet *set, guint number)
{
    alarm(PATIENCE);
    /* Its complaints come through the pipe; the last words of a process that must end are noise. */
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDOUT_FILENO);
    dup2(nowhere, STDERR_FILENO);
    r->boasts = set->boasts;
    r->forgets = set->forgets;
    set->begin(r, number, set->data);
    set->session->script(r);
    Report end = {'e', 0};
    _exit(write(r->report, &end, sizeof end) == sizeof end ? 0 : 4);
}

/* Reads until the session is gone. Gives its complaint, and whether it came to its end. */
static char *listen_to(Run *r, int fd, bool *ret_ended)
{
    Report report;
    char *complaint = NULL;
    *ret_ended = false;
    while (read(fd, &report, sizeof report) == sizeof report) {
        if (report.what == 't')
            r->tried[report.n] = true;
        else if (report.what == 'a')
            r->acknowledged[report.n] = true;
        else if (report.what == 'e')
            *ret_ended = true;
        else if (complaint == NULL) {
            complaint = g_malloc0(report.n + 1);
            if (read(fd, complaint, report.n) < 0)
                complaint[0] = '\0';
        }
    }
    return complaint;
}

static char *judge_end(const CaseSet *set, guint number, bool ended, int status)
{
    if (WIFSIGNALED(status) && set->may_end_by != NULL &&
        set->may_end_by(number, set->data, WTERMSIG(status)))
        return NULL;
    if (WIFSIGNALED(status))
        return g_strdup_printf("the session was ended by signal %d", WTERMSIG(status));
    return ended && WEXITSTATUS(status) == 0
               ? NULL
               : g_strdup_printf("the session ended with status %d", WEXITSTATUS(status));
}

/* The broken promise of one run, NULL when none was. */
static char *run_case(const CaseSet *set, const Run *prepared, const char *folder, guint number)
{
    Run r;
    int fds[2], status;
    bool ended;
    begin_like(&r, prepared, folder);
    g_assert_cmpint(pipe2(fds, O_CLOEXEC), ==, 0);
    pid_t pid = fork();
    g_assert_cmpint(pid, >=, 0);
    if (pid == 0) {
        close(fds[0]);
        r.report = fds[1];
        play(&r, set, number);
    }
    close(fds[1]);
    r.report = -1;
    char *fault = listen_to(&r, fds[0], &ended);
    close(fds[0]);
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);

    if (fault == NULL)
        fault = judge_end(set, number, ended, status);
    if (fault == NULL)
        fault = judge_state(&r);
    fixture_clear(&r.f);
    return fault;
}

static void note_fault(CaseOutcome *outcome, const CaseSet *set, guint number, const char *fault,
                       bool loud)
{
    g_autofree char *line =
        g_strdup_printf("%s, %s: %s", set->session->name, set->name(number, set->data), fault);
    if (outcome->broken++ == 0)
        g_strlcpy(outcome->first, line, sizeof outcome->first);
    if (loud && outcome->broken <= LOUD_MAX)
        g_printerr("# %s\n", line);
}

static void work(const CaseSet *set, const Run *prepared, const char *folder, unsigned worker,
                 bool loud, CaseOutcome *outcome)
{
    g_autofree char *own = g_strdup_printf("%s/worker-%u", folder, worker);
    unsigned turn = 0;
    for (guint number = set->first; number <= set->last; number++) {
        if ((set->wanted != NULL && !set->wanted(number, set->data)) ||
            turn++ % (n_workers * set->stride) != worker * set->stride)
            continue;
        g_autofree char *fault = run_case(set, prepared, own, number);
        outcome->runs++;
        if (fault != NULL)
            note_fault(outcome, set, number, fault, loud);
    }
}

static CaseOutcome gather(const CaseOutcome *outcomes)
{
    CaseOutcome all = {0};
    for (unsigned i = 0; i < n_workers; i++) {
        if (all.broken == 0)
            memcpy(all.first, outcomes[i].first, sizeof all.first);
        all.runs += outcomes[i].runs;
        all.broken += outcomes[i].broken;
    }
    return all;
}

static void prepare(const CaseSet *set, const char *folder, Run *r)
{
    fixture_init(&r->f, 7);
    g_assert_cmpint(g_rmdir(r->f.directory), ==, 0);
    g_free(r->f.directory);
    r->f.directory = g_build_filename(folder, "prepared", NULL);
    g_assert_cmpint(g_mkdir(r->f.directory, 0700), ==, 0);
    set->session->prepare(r);
}

CaseOutcome cases_run(const CaseSet *set, bool loud)
{
    g_autofree char *folder = make_folder();
    Run prepared = {.report = -1};
    prepare(set, folder, &prepared);

    size_t size = n_workers * sizeof(CaseOutcome);
    CaseOutcome *outcomes =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(outcomes != MAP_FAILED);
    for (unsigned i = 0; i < n_workers; i++) {
        pid_t pid = fork();
        g_assert_cmpint(pid, >=, 0);
        if (pid == 0) {
            work(set, &prepared, folder, i, loud, &outcomes[i]);
            _exit(0);
        }
    }
    bool good = true;
    int status;
    for (unsigned i = 0; i < n_workers; i++)
        good = wait(&status) > 0 && status == 0 && good;
    CaseOutcome all = gather(outcomes);
    munmap(outcomes, size);
    fixture_remove(folder);
    g_free(prepared.f.directory);
    g_assert_true(good);
    return all;
}
