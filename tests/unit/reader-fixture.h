/*
 * A reader in a process of its own, over a tree that the test makes, and what it says.
 *
 * Messages are kept in the order in which they came; a test looks for what it expects. Whoever
 * waits longer than FIXTURE_SECONDS for the reader fails.
 */
#pragma once

#include "crypto/seal.h"
#include "reader/reader.h"
#include "reader/wire.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIXTURE_SECONDS 60

typedef struct {
    char *path; /* of the tree */
    int root;   /* it, open */
    int fd;
    pid_t pid;
    guint32 request;
    GPtrArray *packets; /* GByteArray, that the messages are views of */
    GArray *messages;   /* SyncdWireMessage */
} Reader;

static inline void reader_remove_tree(const char *path)
{
    g_autofree char *quoted = g_shell_quote(path);
    g_autofree char *command = g_strdup_printf("chmod -R u+rwX %s; rm -rf %s", quoted, quoted);
    g_assert_cmpint(system(command), ==, 0);
}

static inline void reader_ask(Reader *reader, const SyncdWireMessage *message)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    syncd_wire_write(packet, message);
    g_assert_cmpint(send(reader->fd, packet->data, packet->len, MSG_NOSIGNAL), ==, packet->len);
}

/* Takes one packet. False when none came in time, or the reader is gone. */
static inline bool reader_take(Reader *reader, int msec)
{
    struct pollfd polled = {reader->fd, POLLIN, 0};
    if (poll(&polled, 1, msec) <= 0)
        return false;
    GByteArray *packet = g_byte_array_new();
    g_ptr_array_add(reader->packets, packet);
    g_byte_array_set_size(packet, SYNCD_WIRE_PACKET_MAX);
    ssize_t size = recv(reader->fd, packet->data, packet->len, MSG_TRUNC);
    if (size <= 0)
        return false;
    g_assert_cmpint(size, <=, SYNCD_WIRE_PACKET_MAX);
    SyncdBytes rest = SYNCD_BYTES(packet->data, (size_t)size);
    while (rest.size > 0) {
        SyncdWireMessage message;
        g_autoptr(GError) error = NULL;
        syncd_wire_read(&rest, &message, &error);
        g_assert_no_error(error);
        g_array_append_val(reader->messages, message);
    }
    return true;
}

static inline guint reader_n(const Reader *reader)
{
    return reader->messages->len;
}

static inline const SyncdWireMessage *reader_message(const Reader *reader, guint i)
{
    return &g_array_index(reader->messages, SyncdWireMessage, i);
}

static inline bool is_called(const SyncdWireMessage *message, const char *name)
{
    return message->name.size == strlen(name) &&
           memcmp(message->name.data, name, message->name.size) == 0;
}

/* Waits for the DONE of the request. */
static inline SyncdWireMessage reader_done(Reader *reader, guint32 request)
{
    for (guint i = 0;; i++) {
        while (i == reader_n(reader))
            g_assert_true(reader_take(reader, 1000 * FIXTURE_SECONDS));
        const SyncdWireMessage *message = reader_message(reader, i);
        if (message->type == SYNCD_WIRE_DONE && message->request == request)
            return *message;
    }
}

/* The FOUND of a name that the latest request has found; NULL for none. */
static inline const SyncdWireMessage *reader_found(const Reader *reader, const char *name)
{
    for (guint i = reader_n(reader); i-- > 0;) {
        const SyncdWireMessage *message = reader_message(reader, i);
        if (message->type == SYNCD_WIRE_FOUND && message->request == reader->request &&
            is_called(message, name))
            return message;
    }
    return NULL;
}

static inline guint32 reader_send_list(Reader *reader, const char *path, guint32 flags,
                                       guint64 folder)
{
    SyncdWireMessage list = {.type = SYNCD_WIRE_LIST,
                             .request = ++reader->request,
                             .flags = flags,
                             .folder = folder,
                             .path = SYNCD_BYTES_TEXT(path)};
    reader_ask(reader, &list);
    return reader->request;
}

static inline SyncdWireMessage reader_list(Reader *reader, const char *path, guint32 flags,
                                           guint64 folder)
{
    return reader_done(reader, reader_send_list(reader, path, flags, folder));
}

/* With the name that was FOUND, or the error of DONE. */
static inline SyncdWireMessage reader_look(Reader *reader, const char *path, const char *name,
                                           guint32 flags)
{
    SyncdWireMessage look = {.type = SYNCD_WIRE_LOOK,
                             .request = ++reader->request,
                             .flags = flags,
                             .path = SYNCD_BYTES_TEXT(path),
                             .name = SYNCD_BYTES_TEXT(name)};
    reader_ask(reader, &look);
    SyncdWireMessage done = reader_done(reader, look.request);
    const SyncdWireMessage *found = reader_found(reader, name);
    return found != NULL ? *found : done;
}

/* As reader_look(), with HASH and KEEP. */
static inline SyncdWireMessage reader_look_keeping(Reader *reader, const char *name, guint64 max)
{
    SyncdWireMessage look = {.type = SYNCD_WIRE_LOOK,
                             .request = ++reader->request,
                             .flags = SYNCD_WIRE_HASH | SYNCD_WIRE_KEEP,
                             .max = max,
                             .name = SYNCD_BYTES_TEXT(name)};
    reader_ask(reader, &look);
    reader_done(reader, look.request);
    return *reader_found(reader, name);
}

/* What was sent of the name that the latest request has found: a daemon would know as much. */
static inline GByteArray *reader_kept(const Reader *reader, const char *name)
{
    GByteArray *bytes = g_byte_array_new();
    for (guint i = 0; i < reader_n(reader); i++) {
        const SyncdWireMessage *message = reader_message(reader, i);
        if (message->request != reader->request)
            continue;
        if (message->type == SYNCD_WIRE_FOUND && is_called(message, name))
            return bytes;
        if (message->type == SYNCD_WIRE_FOUND || message->offset == 0)
            g_byte_array_set_size(bytes, 0);
        if (message->type != SYNCD_WIRE_BYTES)
            continue;
        g_assert_cmpuint(message->offset, ==, bytes->len);
        g_byte_array_append(bytes, message->bytes.data, (guint)message->bytes.size);
    }
    g_assert_not_reached();
}

static inline SyncdWireMessage reader_root(Reader *reader, const char *path)
{
    SyncdWireMessage root = {
        .type = SYNCD_WIRE_ROOT, .request = ++reader->request, .path = SYNCD_BYTES_TEXT(path)};
    reader_ask(reader, &root);
    return reader_done(reader, root.request);
}

/* Waits for an event with these flags; its place among the messages. */
static inline guint reader_event(Reader *reader, guint64 folder, guint32 flags, const char *name)
{
    for (guint i = 0;; i++) {
        while (i == reader_n(reader))
            if (!reader_take(reader, 1000 * FIXTURE_SECONDS))
                g_error("no event %#x of %s", flags, name);
        const SyncdWireMessage *message = reader_message(reader, i);
        if (message->type == SYNCD_WIRE_EVENT && message->folder == folder &&
            (message->flags & flags) == flags && is_called(message, name))
            return i;
    }
}

/* In the reader's process: serves at the descriptor, and does not return. */
typedef void (*ReaderServe)(int fd);

static inline void reader_serve(int fd)
{
    g_autoptr(GError) error = NULL;
    bool good = syncd_reader_run(fd, &error);
    _exit(good ? 0 : error->code == SYNCD_ERROR_INVALID_ENCODING ? 2 : 1);
}

static inline void reader_begin(Reader *reader, ReaderServe serve)
{
    int ends[2];
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), ==, 0);
    reader->fd = ends[0];
    reader->pid = fork();
    if (reader->pid == 0) {
        close(ends[0]);
        serve(ends[1]);
    }
    close(ends[1]);
}

static inline void reader_init_as(Reader *reader, ReaderServe serve)
{
    *reader = (Reader){.path = g_dir_make_tmp("syncd-reader-XXXXXX", NULL)};
    reader->root = open(reader->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    reader->packets = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    reader->messages = g_array_new(FALSE, FALSE, sizeof(SyncdWireMessage));
    g_assert_cmpint(fchmod(reader->root, 0755), ==, 0);
    reader_begin(reader, serve);
    SyncdWireMessage done = reader_root(reader, reader->path);
    g_assert_cmpuint(done.error, ==, 0);
    g_assert_cmpint(done.stat.kind, ==, SYNCD_FILE_FOLDER);
}

static inline void reader_init(Reader *reader)
{
    reader_init_as(reader, reader_serve);
}

/* The exit code of a reader that is to end now. */
static inline int reader_end(Reader *reader)
{
    int status = 0;
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    g_assert_cmpint(waitpid(reader->pid, &status, 0), ==, reader->pid);
    g_assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static inline void reader_clear_ended(Reader *reader)
{
    close(reader->root);
    reader_remove_tree(reader->path);
    g_ptr_array_unref(reader->packets);
    g_array_unref(reader->messages);
    g_free(reader->path);
}

static inline void reader_clear(Reader *reader)
{
    g_assert_cmpint(reader_end(reader), ==, 0);
    reader_clear_ended(reader);
}

/* ---- the tree ---- */

static inline void tree_write(const Reader *reader, const char *name, const char *content)
{
    int fd = openat(reader->root, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, content, strlen(content)), ==, strlen(content));
    close(fd);
}

static inline void tree_folder(const Reader *reader, const char *name)
{
    g_assert_cmpint(mkdirat(reader->root, name, 0755), ==, 0);
}

static inline void assert_hash_is_of(const SyncdWireMessage *found, const char *content)
{
    SyncdHash hash = syncd_hash(content, strlen(content));
    g_assert_nonnull(found);
    g_assert_cmpuint(found->error, ==, 0);
    g_assert_true((found->flags & SYNCD_WIRE_HASHED) != 0);
    g_assert_true(syncd_hash_equal(&found->hash, &hash));
}
