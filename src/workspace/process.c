#include "workspace/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <unistd.h>

#define READER_FD 3
#define PACKETS_AT_ONCE 8u

extern char **environ;

struct SyncdReaderProcess {
    int fd;
    guint32 last_request;
    GPtrArray *unsent; /* GByteArray, a packet each */
    guint8 *packet;
};

SyncdReaderProcess *syncd_reader_process_new(int fd)
{
    SyncdReaderProcess *self = g_new0(SyncdReaderProcess, 1);
    self->fd = fd;
    self->unsent = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    self->packet = g_malloc(SYNCD_WIRE_PACKET_MAX);
    return self;
}

static int spawn_reader(int fd)
{
    static char *const arguments[] = {(char *)"sourceos-syncd", (char *)"reader", NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none, usual;
    pid_t pid;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGCHLD);
    sigaddset(&usual, SIGPIPE);
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, fd, READER_FD);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &usual);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    int r = posix_spawn(&pid, "/proc/self/exe", &actions, &attributes, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    return r;
}

SyncdReaderProcess *syncd_reader_process_begin(GError **error)
{
    int ends[2];
    int r = socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0 ? errno : 0;
    if (r == 0) {
        r = spawn_reader(ends[1]);
        close(ends[1]);
        if (r != 0)
            close(ends[0]);
    }
    if (r != 0) {
        syncd_set_error_errno(error, SYNCD_ERROR_STORAGE_FAILED, r,
                              "The reader of the workspace cannot be started");
        return NULL;
    }
    return syncd_reader_process_new(ends[0]);
}

void syncd_reader_process_free(SyncdReaderProcess *self)
{
    if (self == NULL)
        return;
    /* It ends with its socket, as soon as the file system lets it; nobody waits for that, and
     * nobody has to: the daemon ignores SIGCHLD. */
    close(self->fd);
    g_ptr_array_unref(self->unsent);
    g_free(self->packet);
    g_free(self);
}

int syncd_reader_process_fd(const SyncdReaderProcess *self)
{
    return self->fd;
}

bool syncd_reader_process_has_unsent(const SyncdReaderProcess *self)
{
    return self->unsent->len > 0;
}

static void send_unsent(SyncdReaderProcess *self)
{
    guint sent = 0;
    for (; sent < self->unsent->len; sent++) {
        const GByteArray *packet = self->unsent->pdata[sent];
        ssize_t n = TEMP_FAILURE_RETRY(
            send(self->fd, packet->data, packet->len, MSG_DONTWAIT | MSG_NOSIGNAL));
        if (n < 0)
            break;
    }
    if (sent > 0)
        g_ptr_array_remove_range(self->unsent, 0, sent);
}

void syncd_reader_process_tell(SyncdReaderProcess *self, const SyncdWireMessage *message)
{
    GByteArray *packet = g_byte_array_new();
    syncd_wire_write(packet, message);
    g_ptr_array_add(self->unsent, packet);
    send_unsent(self);
}

guint32 syncd_reader_process_ask(SyncdReaderProcess *self, SyncdWireMessage *request)
{
    request->request = ++self->last_request;
    syncd_reader_process_tell(self, request);
    return request->request;
}

static bool take_packet(SyncdReaderProcess *self, size_t size, SyncdWireFunc func, void *data,
                        GError **error)
{
    SyncdBytes packet = SYNCD_BYTES(self->packet, size);
    while (packet.size > 0) {
        SyncdWireMessage message;
        if (!syncd_wire_read(&packet, &message, error) || !func(data, &message, error))
            return false;
    }
    return true;
}

bool syncd_reader_process_receive(SyncdReaderProcess *self, SyncdWireFunc func, void *data,
                                  GError **error)
{
    for (guint i = 0; i < PACKETS_AT_ONCE; i++) {
        ssize_t n = TEMP_FAILURE_RETRY(
            recv(self->fd, self->packet, SYNCD_WIRE_PACKET_MAX, MSG_DONTWAIT | MSG_TRUNC));
        if (n < 0 && errno == EAGAIN)
            break;
        if (n <= 0 || (size_t)n > SYNCD_WIRE_PACKET_MAX) {
            syncd_set_error(error, SYNCD_ERROR_STORAGE_FAILED,
                            "The reader of the workspace has ended");
            return false;
        }
        if (!take_packet(self, (size_t)n, func, data, error))
            return false;
    }
    send_unsent(self);
    return true;
}
