#include "flips.h"

#include "../unit/store-fixture.h"
#include "flip-reading.h"
#include "store/store-private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORKERS 2u
#define PROOFS_A_FLIP 4u
#define WHOLE_OPENING_EVERY 32u /* flips */
#define PATIENCE 120u           /* seconds that one flip may take on a machine under load */

/* What a worker tells, in memory that outlives it. */
typedef struct {
    FlipCounts counts;
    guint64 bit; /* the flip it is at */
    char complaint[256];
} Told;

typedef struct {
    const FlipSweep *sweep;
    Told *told;
    char *directory;
    char *journal;
    int fd;
    guint64 n_bits;
    Fixture f;
    GString *before;   /* what the pristine journal reads as */
    GPtrArray *proofs; /* GString *, of each of its entries */
    GString *after;
} Worker;

guint64 flip_mix(guint64 number)
{
    guint64 z = number * G_GUINT64_CONSTANT(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* ---- opening ---- */

static bool open_whole(Worker *w, GError **error)
{
    SyncdStoreOptions options = {
        .directory = w->directory,
        .mode = w->sweep->serving ? SYNCD_STORE_OPEN : SYNCD_STORE_INSPECT,
        .sources = &w->f.sources,
        .machine = w->f.machine,
    };
    g_clear_pointer(&w->f.store, syncd_store_free);
    w->f.store = syncd_store_open(&options, error);
    return w->f.store != NULL;
}

/* As opening does it, but with the lock and the keys that are there. */
static bool open_again(Worker *w, GError **error)
{
    SyncdStore *store = w->f.store;
    g_clear_pointer(&store->journal, syncd_journal_free);
    store->journal =
        syncd_journal_open(store->directory, SYNCD_DATABASE_INSPECT, store->keyring, error);
    return store->journal != NULL;
}

static bool open_flipped(Worker *w, guint64 i, GError **error)
{
    bool whole = w->f.store == NULL || w->sweep->serving || flip_mix(~i) % WHOLE_OPENING_EVERY == 0;
    return whole ? open_whole(w, error) : open_again(w, error);
}

/* ---- looking ---- */

static bool verify(Worker *w, SyncdVerifyMode mode, bool *ret_found, GError **error)
{
    g_autoptr(SyncdVerify) run = syncd_verify_new(w->f.store, mode, NULL, error);
    if (run == NULL)
        return false;
    bool more = true;
    while (more && syncd_verify_n_findings(run) == 0)
        if (!syncd_verify_step(run, &more, error))
            return false;
    *ret_found = syncd_verify_n_findings(run) > 0;
    return true;
}

static bool check_structure(Worker *w, bool *ret_found, GError **error)
{
    g_autoptr(GPtrArray) faults = g_ptr_array_new_with_free_func(g_free);
    SyncdDatabase *db = syncd_journal_database(w->f.store->journal);
    if (!syncd_database_check_structure(db, faults, error))
        return false;
    *ret_found = faults->len > 0;
    return true;
}

static bool look(Worker *w, bool *ret_found, GError **error)
{
    switch (w->sweep->check) {
    case FLIP_VERIFIED:
        return verify(w, SYNCD_VERIFY_FULL, ret_found, error);
    case FLIP_HEADS:
        return verify(w, SYNCD_VERIFY_HEADS, ret_found, error);
    case FLIP_STRUCTURE:
        return check_structure(w, ret_found, error);
    case FLIP_UNCHECKED:
        break;
    }
    *ret_found = false;
    return true;
}

static bool reads_the_same(Worker *w, guint64 i)
{
    g_string_truncate(w->after, 0);
    flip_read(w->f.store, w->before->len, w->after);
    if (!g_string_equal(w->after, w->before))
        return false;
    /* Other entries at each flip of a byte, so that its eight see more of them. */
    for (guint64 n = 0; n < PROOFS_A_FLIP; n++) {
        guint64 which = flip_mix(i * PROOFS_A_FLIP + n) % w->proofs->len;
        g_string_truncate(w->after, 0);
        flip_prove(w->f.store, which + 1, w->after);
        if (!g_string_equal(w->after, w->proofs->pdata[which]))
            return false;
    }
    return true;
}

/* ---- one flip ---- */

/* An error that names no reason, or one that has nothing to do with the journal, helps nobody. */
static bool names_damage(const GError *error)
{
    return error->domain == SYNCD_ERROR &&
           (error->code == SYNCD_ERROR_JOURNAL_CORRUPT ||
            error->code == SYNCD_ERROR_STORAGE_FAILED ||
            error->code == SYNCD_ERROR_NOT_INITIALIZED || error->code == SYNCD_ERROR_TOO_LARGE ||
            error->code == SYNCD_ERROR_NO_SPACE);
}

static void complain(Worker *w, const char *what)
{
    if (w->told->complaint[0] == '\0')
        g_snprintf(w->told->complaint, sizeof w->told->complaint, "%s", what);
}

static guint64 *judge(Worker *w, guint64 i)
{
    FlipCounts *counts = &w->told->counts;
    g_autoptr(GError) error = NULL;
    bool found = false;
    if (!open_flipped(w, i, &error)) {
        if (!names_damage(error))
            complain(w, error->message);
        return &counts->found_opening;
    }
    if (!look(w, &found, &error)) {
        if (!names_damage(error))
            complain(w, error->message);
        return &counts->found;
    }
    if (found)
        return &counts->found;
    return reads_the_same(w, i) ? &counts->harmless : &counts->silent;
}

static void invert(Worker *w, guint64 bit)
{
    guint8 byte;
    off_t at = (off_t)(bit / 8);
    g_assert_cmpint(pread(w->fd, &byte, 1, at), ==, 1);
    byte ^= (guint8)(1u << bit % 8);
    g_assert_cmpint(pwrite(w->fd, &byte, 1, at), ==, 1);
}

/* ---- the state of a worker ---- */

static void copy_state(const char *from, const char *to)
{
    GStatBuf st;
    g_assert_cmpint(g_lstat(from, &st), ==, 0);
    if (!S_ISDIR(st.st_mode)) {
        g_autofree char *bytes = NULL;
        size_t size;
        g_autoptr(GError) error = NULL;
        g_file_get_contents(from, &bytes, &size, &error);
        g_assert_no_error(error);
        g_file_set_contents_full(to, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600, &error);
        g_assert_no_error(error);
        return;
    }
    g_assert_cmpint(g_mkdir(to, 0700), ==, 0);
    g_autoptr(GDir) dir = g_dir_open(from, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *source = g_build_filename(from, name, NULL);
        g_autofree char *target = g_build_filename(to, name, NULL);
        copy_state(source, target);
    }
}

static void open_copy(Worker *w)
{
    fixture_remove(w->directory);
    copy_state(w->sweep->directory, w->directory);
    w->fd = open(w->journal, O_RDWR | O_CLOEXEC);
    g_assert_cmpint(w->fd, >=, 0);
}

static void free_string(void *string)
{
    g_string_free(string, TRUE);
}

static void remember(Worker *w)
{
    g_autoptr(GError) error = NULL;
    open_whole(w, &error);
    g_assert_no_error(error);
    w->before = g_string_new(NULL);
    w->after = g_string_new(NULL);
    w->proofs = g_ptr_array_new_with_free_func(free_string);
    flip_read(w->f.store, G_MAXSIZE, w->before);
    for (guint64 pos = 1; pos <= syncd_store_sequence(w->f.store); pos++) {
        GString *proof = g_string_new(NULL);
        flip_prove(w->f.store, pos, proof);
        g_ptr_array_add(w->proofs, proof);
    }
    /* What reads as nothing would be the same whatever happened to it. */
    g_assert_null(memmem(w->before->str, w->before->len, "unreadable", strlen("unreadable")));
}

static void begin(Worker *w, const FlipSweep *sweep, Told *told, unsigned number)
{
    *w = (Worker){.sweep = sweep, .told = told};
    w->f = (Fixture){.seed = 1, .machine = "machine-a"};
    w->f.sources = (SyncdSources){fixture_now, fixture_now, fixture_random, &w->f};
    w->directory = g_strdup_printf("%s-flipped-%u", sweep->directory, number);
    w->journal = g_build_filename(w->directory, "journal.db", NULL);
    open_copy(w);
    w->n_bits = (guint64)lseek(w->fd, 0, SEEK_END) * 8;
    remember(w);
}

static guint64 n_flips(const Worker *w)
{
    return w->sweep->n == 0 ? w->n_bits / MAX(w->sweep->each, 1) : w->sweep->n;
}

/* One after the other none is done twice, and with a step below eight no byte is left out. */
static guint64 bit_of(const Worker *w, guint64 i)
{
    guint64 each = MAX(w->sweep->each, 1);
    return w->sweep->n == 0 ? i * each + w->sweep->seed % each
                            : flip_mix(w->sweep->seed + i) % w->n_bits;
}

static void flip(Worker *w, guint64 i)
{
    guint64 bit = bit_of(w, i);
    w->told->bit = bit;
    alarm(PATIENCE);
    /* A daemon writes to what it opens: each flip is of a state that nobody served before. */
    if (w->sweep->serving) {
        g_clear_pointer(&w->f.store, syncd_store_free);
        close(w->fd);
        open_copy(w);
    }
    invert(w, bit);
    guint64 *outcome = judge(w, i);
    if (outcome == &w->told->counts.silent)
        w->told->counts.a_silent_one = bit;
    (*outcome)++;
    if (!w->sweep->serving)
        invert(w, bit);
}

static void finish(Worker *w)
{
    alarm(0);
    g_clear_pointer(&w->f.store, syncd_store_free);
    close(w->fd);
    g_string_free(w->before, TRUE);
    g_string_free(w->after, TRUE);
    g_ptr_array_unref(w->proofs);
    fixture_remove(w->directory);
    g_free(w->journal);
    g_free(w->directory);
}

/* ---- the sweep ---- */

static pid_t start_worker(const FlipSweep *sweep, Told *told, unsigned number)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    Worker w;
    begin(&w, sweep, &told[number], number);
    for (guint64 i = number; i < n_flips(&w); i += WORKERS)
        flip(&w, i);
    finish(&w);
    _exit(0);
}

static char *await_worker(const FlipSweep *sweep, const Told *told, unsigned number, pid_t pid)
{
    int status;
    while (waitpid(pid, &status, 0) < 0)
        g_assert_cmpint(errno, ==, EINTR);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return told->complaint[0] != '\0' ? g_strdup(told->complaint) : NULL;
    g_autofree char *left = g_strdup_printf("%s-flipped-%u", sweep->directory, number);
    fixture_remove(left);
    return WIFSIGNALED(status) ? g_strdup_printf("bit %" G_GUINT64_FORMAT ": %s", told->bit,
                                                 g_strsignal(WTERMSIG(status)))
                               : g_strdup_printf("bit %" G_GUINT64_FORMAT ": exit status %d",
                                                 told->bit, WEXITSTATUS(status));
}

static void add_counts(FlipCounts *sum, const FlipCounts *counts)
{
    sum->found_opening += counts->found_opening;
    sum->found += counts->found;
    sum->harmless += counts->harmless;
    sum->silent += counts->silent;
    if (counts->silent > 0)
        sum->a_silent_one = counts->a_silent_one;
}

char *flip_sweep(const FlipSweep *sweep, FlipCounts *ret_counts)
{
    Told *told = mmap(NULL, sizeof(Told) * WORKERS, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    g_assert_true(told != MAP_FAILED);
    pid_t pids[WORKERS];
    char *problem = NULL;
    *ret_counts = (FlipCounts){0};
    for (unsigned i = 0; i < WORKERS; i++)
        pids[i] = start_worker(sweep, told, i);
    for (unsigned i = 0; i < WORKERS; i++) {
        g_autofree char *complaint = await_worker(sweep, &told[i], i, pids[i]);
        add_counts(ret_counts, &told[i].counts);
        if (problem == NULL)
            problem = g_steal_pointer(&complaint);
    }
    munmap(told, sizeof(Told) * WORKERS);
    return problem;
}
