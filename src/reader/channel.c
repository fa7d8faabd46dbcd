#include "reader/channel.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#define LINE_MAX_REQUESTS 1024u /* beyond, the daemon waits */
#define EVENTS_USEC 20000
#define RETRY_MSEC 10 /* when the kernel is short of memory */

typedef struct {
    SyncdWireMessage message;
    GBytes *packet; /* that the message is a view of */
    bool cancelled;
} Request;

struct SyncdChannel {
    int fd;
    SyncdWatch *watch;
    SyncdStaging *staging;
    GByteArray *out;
    GQueue line; /* Request */
    Request *present;
    gint64 events_at; /* when they were last waited for */
    bool ended;
    GError *error;
    guint8 in[SYNCD_WIRE_PACKET_MAX];
};

SyncdChannel *syncd_channel_new(int fd, SyncdWatch *watch, SyncdStaging *staging)
{
    SyncdChannel *channel = g_new0(SyncdChannel, 1);
    channel->fd = fd;
    channel->watch = watch;
    channel->staging = staging;
    channel->out = g_byte_array_sized_new(SYNCD_WIRE_PACKET_MAX);
    g_queue_init(&channel->line);
    return channel;
}

static void request_free(gpointer data)
{
    Request *request = data;
    if (request == NULL)
        return;
    g_bytes_unref(request->packet);
    g_free(request);
}

void syncd_channel_free(SyncdChannel *channel)
{
    if (channel == NULL)
        return;
    g_byte_array_unref(channel->out);
    g_queue_clear_full(&channel->line, request_free);
    request_free(channel->present);
    g_clear_error(&channel->error);
    g_free(channel);
}

GError *syncd_channel_steal_error(SyncdChannel *channel)
{
    return g_steal_pointer(&channel->error);
}

/* ---- in ---- */

static void cancel(SyncdChannel *channel, guint32 number)
{
    Request *first = channel->present != NULL     ? channel->present
                     : channel->line.head != NULL ? channel->line.head->data
                                                  : NULL;
    if (first != NULL && (number == 0 || first->message.request == number)) {
        first->cancelled = true;
        return;
    }
    for (GList *link = channel->line.head; link != NULL && number != 0; link = link->next) {
        Request *request = link->data;
        request->cancelled = request->cancelled || request->message.request == number;
    }
}

static bool is_request(SyncdWireType type)
{
    return type <= SYNCD_WIRE_RULES;
}

static bool take_packet(SyncdChannel *channel, size_t size)
{
    g_autoptr(GBytes) packet = g_bytes_new(channel->in, size);
    SyncdBytes rest = SYNCD_BYTES(g_bytes_get_data(packet, NULL), size);
    while (rest.size > 0) {
        SyncdWireMessage message;
        if (!syncd_wire_read(&rest, &message, &channel->error))
            return false;
        if (!is_request(message.type)) {
            syncd_set_error_next(&channel->error, SYNCD_ERROR_INVALID_ENCODING, "report it",
                                 "A reader is told a message of type %u, which it tells others",
                                 message.type);
            return false;
        }
        if (message.type == SYNCD_WIRE_CANCEL) {
            cancel(channel, message.request);
            continue;
        }
        if (message.type == SYNCD_WIRE_DATA) {
            syncd_staging_add(channel->staging, message.offset, message.bytes);
            continue;
        }
        Request *request = g_new0(Request, 1);
        request->message = message;
        request->packet = g_bytes_ref(packet);
        g_queue_push_tail(&channel->line, request);
    }
    return true;
}

static bool has_room(const SyncdChannel *channel)
{
    return channel->line.length < LINE_MAX_REQUESTS;
}

static void receive(SyncdChannel *channel)
{
    while (!channel->ended && has_room(channel)) {
        ssize_t size = TEMP_FAILURE_RETRY(
            recv(channel->fd, channel->in, sizeof channel->in, MSG_DONTWAIT | MSG_TRUNC));
        if (size < 0 && errno == EAGAIN)
            return;
        if (size > (ssize_t)sizeof channel->in)
            syncd_set_error_next(&channel->error, SYNCD_ERROR_TOO_LARGE, "report it",
                                 "A reader is told a packet of %zd bytes", size);
        channel->ended = size <= 0 || channel->error != NULL || !take_packet(channel, (size_t)size);
    }
}

/* ---- waiting ---- */

/* For input of both kinds and, if asked, until the daemon can be sent something. */
static bool poll_both(SyncdChannel *channel, bool events, bool sending, int msec)
{
    struct pollfd polled[] = {
        {channel->fd, (short)((has_room(channel) ? POLLIN : 0) | (sending ? POLLOUT : 0)), 0},
        {events ? syncd_watch_fd(channel->watch) : -1, POLLIN, 0},
    };
    if (poll(polled, G_N_ELEMENTS(polled), msec) <= 0)
        return !channel->ended;
    if (polled[1].revents != 0)
        syncd_watch_take(channel->watch);
    if ((polled[0].revents & POLLIN) != 0)
        receive(channel);
    else if ((polled[0].revents & (POLLHUP | POLLERR | POLLNVAL)) != 0)
        channel->ended = true;
    return !channel->ended;
}

bool syncd_channel_attend(SyncdChannel *channel)
{
    return !channel->ended && poll_both(channel, true, false, 0);
}

bool syncd_channel_wait(SyncdChannel *channel)
{
    gint64 rest = channel->events_at + EVENTS_USEC - g_get_monotonic_time();
    if (rest > 0 && !poll_both(channel, false, false, (int)(rest / 1000) + 1))
        return false;
    if (channel->line.length > 0)
        return true;
    bool good = !channel->ended && poll_both(channel, true, false, -1);
    channel->events_at = g_get_monotonic_time();
    return good;
}

const SyncdWireMessage *syncd_channel_next(SyncdChannel *channel)
{
    request_free(channel->present);
    channel->present = g_queue_pop_head(&channel->line);
    return channel->present != NULL ? &channel->present->message : NULL;
}

bool syncd_channel_is_cancelled(const SyncdChannel *channel)
{
    return channel->present != NULL && channel->present->cancelled;
}

/* ---- out ---- */

bool syncd_channel_flush(SyncdChannel *channel)
{
    while (!channel->ended && channel->out->len > 0) {
        ssize_t sent = TEMP_FAILURE_RETRY(
            send(channel->fd, channel->out->data, channel->out->len, MSG_DONTWAIT | MSG_NOSIGNAL));
        if (sent >= 0)
            g_byte_array_set_size(channel->out, 0);
        else if (errno == EAGAIN)
            poll_both(channel, true, true, -1);
        else if (errno == ENOBUFS || errno == ENOMEM)
            poll_both(channel, true, false, RETRY_MSEC);
        else
            channel->ended = true;
    }
    return !channel->ended;
}

bool syncd_channel_say(SyncdChannel *channel, const SyncdWireMessage *message)
{
    if (channel->out->len + syncd_wire_size(message) > SYNCD_WIRE_PACKET_MAX &&
        !syncd_channel_flush(channel))
        return false;
    syncd_wire_write(channel->out, message);
    return !channel->ended;
}
