/* What the fault suites stand on: no storage call goes past the watch, and each act is done. */
#include "storage-calls.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    char *folder;
    GString *seen; /* "open a\nwrite a\n" */
    StorageKind on;
    StorageVerdict verdict;
} Fixture;

static StorageVerdict decide(void *data, const StorageCall *call)
{
    const Fixture *f = data;
    return call->kind == f->on ? f->verdict : (StorageVerdict){STORAGE_PASS};
}

static void observe(void *data, const StorageCall *call, gint64 result, int problem)
{
    Fixture *f = data;
    g_string_append_printf(f->seen, "%s %s\n", storage_kind_name(call->kind), call->path);
    g_assert_cmpint(result < 0, ==, problem != 0);
}

static void set_up(Fixture *f, const void *data)
{
    f->folder = g_dir_make_tmp("syncd-storage-XXXXXX", NULL);
    g_assert_nonnull(f->folder);
    f->seen = g_string_new(NULL);
    f->on = STORAGE_N_KINDS;
    storage_watch(f->folder, decide, observe, f);
}

static void tear_down(Fixture *f, const void *data)
{
    storage_unwatch();
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        g_remove(path);
    }
    g_rmdir(f->folder);
    g_free(f->folder);
    g_string_free(f->seen, TRUE);
}

static int open_file(Fixture *f)
{
    g_autofree char *path = g_build_filename(f->folder, "a", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void test_own_calls_are_seen_in_order(Fixture *f, const void *data)
{
    int folder = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int fd = openat(folder, "./a", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(write(fd, "text", 4), ==, 4);
    g_assert_cmpint(fsync(fd), ==, 0);
    g_assert_cmpint(close(fd), ==, 0);
    g_assert_cmpint(renameat(folder, "a", folder, "b"), ==, 0);
    g_assert_cmpint(fdatasync(folder), ==, 0);
    g_assert_cmpint(syncfs(folder), ==, 0);
    g_assert_cmpint(unlinkat(folder, "b", 0), ==, 0);
    g_assert_cmpint(close(folder), ==, 0);
    g_assert_cmpstr(
        f->seen->str, ==,
        "open \nopen a\nwrite a\nsync a\nclose a\nrename a\nsync \nsync-all \nunlink b\n"
        "close \n");
    g_assert_cmpuint(storage_count(), ==, 10);
}

/* Of an open file and of a name, in each way that there is to say it. */
static void test_modes_and_owners_are_seen(Fixture *f, const void *data)
{
    const uid_t us = geteuid();
    const gid_t any = (gid_t)-1;
    g_autofree char *path = g_build_filename(f->folder, "a", NULL);
    int fd = open_file(f);
    g_autofree char *opened = g_strdup_printf("/proc/self/fd/%d", fd);
    g_assert_cmpint(fchmod(fd, 0640), ==, 0);
    g_assert_cmpint(chmod(path, 0600), ==, 0);
    g_assert_cmpint(chmod(opened, 0600), ==, 0);
    g_assert_cmpint(fchown(fd, us, any), ==, 0);
    g_assert_cmpint(fchownat(fd, "", us, any, AT_EMPTY_PATH), ==, 0);
    g_assert_cmpint(fchownat(AT_FDCWD, path, us, any, 0), ==, 0);
    g_assert_cmpint(chown(path, us, any), ==, 0);
    g_assert_cmpint(lchown(path, us, any), ==, 0);
    g_assert_cmpint(close(fd), ==, 0);
    g_assert_cmpstr(f->seen->str, ==,
                    "open a\nmode a\nmode a\nmode a\nowner a\nowner a\nowner a\nowner a\nowner a\n"
                    "close a\n");
}

static void test_what_is_elsewhere_is_not_counted(Fixture *f, const void *data)
{
    g_autofree char *beside = g_strconcat(f->folder, "-beside", NULL);
    int fd = open(beside, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(write(fd, "text", 4), ==, 4);
    g_assert_cmpint(close(fd), ==, 0);
    g_assert_cmpint(unlink(beside), ==, 0);
    g_assert_cmpuint(storage_count(), ==, 0);
}

/* Both come by their own names for the same calls. */
static void test_sqlite_and_glib_are_seen(Fixture *f, const void *data)
{
    sqlite3 *db;
    g_autofree char *path = g_build_filename(f->folder, "x.db", NULL);
    g_autofree char *to = g_build_filename(f->folder, "y.db", NULL);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(db,
                                 "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL;"
                                 "PRAGMA synchronous = FULL; CREATE TABLE t (a)",
                                 NULL, NULL, NULL),
                    ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(db), ==, SQLITE_OK);
    g_assert_cmpint(g_rename(path, to), ==, 0);
    static const char *const expected[] = {
        "open x.db\n",
        "read x.db\n",
        "open x.db-wal\n",
        "write x.db-wal\n",
        "sync x.db-wal\n",
        "sync \n",
        /* its name */ "write x.db\n",
        "sync x.db\n",
        "unlink x.db-wal\n",
        "rename x.db\n",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        if (strstr(f->seen->str, expected[i]) == NULL)
            g_error("not seen: %s among\n%s", expected[i], f->seen->str);
}

static void test_a_call_fails_as_told(Fixture *f, const void *data)
{
    int fd = open_file(f);
    f->on = STORAGE_WRITE;
    f->verdict = (StorageVerdict){STORAGE_FAIL, .problem = EIO};
    g_assert_cmpint(write(fd, "text", 4), ==, -1);
    g_assert_cmpint(errno, ==, EIO);
    f->verdict = (StorageVerdict){STORAGE_SHORT, .size = 3};
    g_assert_cmpint(pwrite(fd, "text", 4, 0), ==, 3);
    f->on = STORAGE_ALLOCATE;
    f->verdict = (StorageVerdict){STORAGE_FAIL, .problem = ENOSPC};
    g_assert_cmpint(posix_fallocate(fd, 0, 4096), ==, ENOSPC);
    f->on = STORAGE_SYNC;
    f->verdict = (StorageVerdict){STORAGE_PRETEND};
    g_assert_cmpint(fsync(fd), ==, 0);
    f->on = STORAGE_CLOSE;
    f->verdict = (StorageVerdict){STORAGE_FAIL, .problem = EINTR};
    g_assert_cmpint(close(fd), ==, -1);
    g_assert_cmpint(errno, ==, EINTR);
    f->on = STORAGE_N_KINDS;
    g_assert_cmpint(close(fd), ==, -1);
    g_assert_cmpint(errno, ==, EBADF);
}

static gint64 size_after_kill(Fixture *f, StorageAct act)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        int fd = open_file(f);
        f->on = STORAGE_WRITE;
        f->verdict = (StorageVerdict){act};
        _exit(write(fd, "text", 4) == 4 ? 0 : 1);
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFSIGNALED(status));
    g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
    int fd = open_file(f);
    gint64 size = lseek(fd, 0, SEEK_END);
    close(fd);
    return size;
}

static void test_the_process_dies_where_told(Fixture *f, const void *data)
{
    g_assert_cmpint(size_after_kill(f, STORAGE_KILL), ==, 0);
    g_assert_cmpint(size_after_kill(f, STORAGE_KILL_AFTER), ==, 4);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *path;
        void (*run)(Fixture *f, const void *data);
    } tests[] = {
        {"/storage-calls/own-calls-are-seen-in-order", test_own_calls_are_seen_in_order},
        {"/storage-calls/modes-and-owners-are-seen", test_modes_and_owners_are_seen},
        {"/storage-calls/what-is-elsewhere-is-not-counted", test_what_is_elsewhere_is_not_counted},
        {"/storage-calls/sqlite-and-glib-are-seen", test_sqlite_and_glib_are_seen},
        {"/storage-calls/a-call-fails-as-told", test_a_call_fails_as_told},
        {"/storage-calls/the-process-dies-where-told", test_the_process_dies_where_told},
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add(tests[i].path, Fixture, NULL, set_up, tests[i].run, tear_down);
    return g_test_run();
}
