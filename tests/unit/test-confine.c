/* As another user than root, where there is root: what its own mode hides, and whether a process
 * that shows its memory to nobody can still watch. */
#include "reader-fixture.h"

#include <linux/ioprio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#define NOBODY 65534
#define READER_FD 3

static void become_nobody(void)
{
    if (getuid() == 0)
        g_assert_true(setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                      setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static int count_descriptors(void)
{
    int n = 0;
    for (int fd = 0; fd < 1024; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* Ends the process: 0 when it is as it should be. */
static void check_confined(void)
{
    int signal_of_death = 0;
    g_autoptr(GError) error = NULL;
    become_nobody();
    g_assert_true(syncd_reader_confine(READER_FD, &error));
    g_assert_no_error(error);
    g_assert_cmpint(prctl(PR_GET_PDEATHSIG, &signal_of_death), ==, 0);
    g_assert_cmpint(signal_of_death, ==, SIGKILL);
    g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
    g_assert_cmpint(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), ==, 1);
    g_assert_cmpint(getpriority(PRIO_PROCESS, 0), >=, 10);
    g_assert_cmpint(syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0), ==,
                    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
    g_assert_cmpint(count_descriptors(), <=, READER_FD + 1);
    _exit(0);
}

static int in_a_child(int fd, void (*run)(void))
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        if (fd >= 0)
            dup2(fd, READER_FD);
        else
            close(READER_FD);
        run();
    }
    g_assert_cmpint(waitpid(child, &status, 0), ==, child);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void a_reader_is_confined(void)
{
    int ends[2], other = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    g_assert_cmpint(in_a_child(ends[0], check_confined), ==, 0);
    close(ends[0]);
    close(ends[1]);
    close(other);
}

static void check_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_assert_false(syncd_reader_confine(READER_FD, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_USAGE);
    _exit(syncd_error_info_of(error)->exit);
}

static void nothing_but_a_packet_socket_will_do(void)
{
    int stream = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    g_assert_cmpint(in_a_child(-1, check_refused), ==, SYNCD_EXIT_NEGATIVE);
    g_assert_cmpint(in_a_child(stream, check_refused), ==, SYNCD_EXIT_NEGATIVE);
    g_assert_cmpint(in_a_child(file, check_refused), ==, SYNCD_EXIT_NEGATIVE);
    close(stream);
    close(file);
}

/* ---- a confined reader at work ---- */

static void serve_as_nobody(int fd)
{
    dup2(fd, READER_FD);
    become_nobody();
    _exit(syncd_reader_confine(READER_FD, NULL) && syncd_reader_run(READER_FD, NULL) ? 0 : 1);
}

static void a_confined_reader_watches(void)
{
    Reader reader;
    reader_init_as(&reader, serve_as_nobody);
    SyncdWireMessage done = reader_list(&reader, "", SYNCD_WIRE_WATCH | SYNCD_WIRE_HASH, 1);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpuint(done.flags, ==, 0);
    tree_write(&reader, "x", "content");
    reader_event(&reader, 1, SYNCD_WIRE_CHANGED, "x");
    /* Also a file of somebody else, when it was last read is of no concern. */
    SyncdWireMessage found = reader_look(&reader, "", "x", SYNCD_WIRE_HASH);
    assert_hash_is_of(&found, "content");
    reader_clear(&reader);
}

static void what_may_not_be_read_is_said_with_its_stat(void)
{
    Reader reader;
    reader_init_as(&reader, serve_as_nobody);
    tree_write(&reader, "closed", "secret");
    tree_folder(&reader, "folder");
    g_assert_cmpint(fchmodat(reader.root, "closed", 0, 0), ==, 0);
    g_assert_cmpint(fchmodat(reader.root, "folder", 0, 0), ==, 0);
    reader_list(&reader, "", SYNCD_WIRE_HASH, 0);
    const SyncdWireMessage *found = reader_found(&reader, "closed");
    g_assert_cmpuint(found->error, ==, EACCES);
    g_assert_cmpuint(found->stat.size, ==, 6);
    g_assert_cmpuint(found->flags, ==, 0);
    SyncdWireMessage done = reader_list(&reader, "folder", SYNCD_WIRE_WATCH, 1);
    g_assert_cmpuint(done.error, ==, EACCES);
    g_assert_cmpuint(done.flags, ==, SYNCD_WIRE_UNWATCHED);
    done = reader_look(&reader, "folder", "x", SYNCD_WIRE_HASH);
    g_assert_cmpuint(done.error, ==, EACCES);
    reader_clear(&reader);
}

/* Valgrind does not know openat2. */
static bool can_open(void)
{
    return syscall(SYS_openat2, -1, NULL, NULL, 0) >= 0 || errno != ENOSYS;
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    if (!syncd_crypto_init(NULL))
        return 1;
    g_test_add_func("/confine/a-reader-is-confined", a_reader_is_confined);
    g_test_add_func("/confine/nothing-but-a-packet-socket-will-do",
                    nothing_but_a_packet_socket_will_do);
    if (can_open()) {
        g_test_add_func("/confine/a-confined-reader-watches", a_confined_reader_watches);
        g_test_add_func("/confine/what-may-not-be-read-is-said-with-its-stat",
                        what_may_not_be_read_is_said_with_its_stat);
    }
    return g_test_run();
}
