#include "bus/queue.h"

#include "bus/error-bus.h"
#include "bus/message-size.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#define READS_MAX 128u             /* before one is served */
#define BYTES_EACH_MAX (32u << 20) /* that wait, of one user, where it is more than one call */
#define BYTES_MAX (128u << 20)     /* of all users */
#define SERVE_USEC 500             /* then the connection is looked at again */
/* The kernel holds few large messages for us, and the bus needs a moment to send the next ones. So
 * when serving took this long, what came meanwhile is read up to a lull, or until another user is
 * found in it. */
#define LONG_USEC 4000
#define LULL_USEC 300
#define LONG_READS_MAX 512u /* as many calls as the bus may hold back, and more */
/* What the kernel takes of answers that the bus has not read yet: the next one lies behind them. */
#define SEND_BUFFER (128 << 10)

/* A call that came, or one that goes on, or the answer to one that there was no room for. */
typedef struct {
    sd_bus_message *message; /* NULL: of one that goes on, the next piece */
    bool is_refusal;
    guint64 size;
    SyncdPieceFunc piece;
    void *data;
} Waiting;

/* The calls of one user. It is kept without any for as long as he had more than his share. */
typedef struct {
    uid_t uid;
    GQueue calls; /* Waiting */
    guint64 bytes;
    guint64 turn; /* when its next call is due, on the clock of the queue */
} Line;

struct SyncdQueue {
    sd_bus *connection;
    SyncdLimits *limits;
    SyncdCallers *callers;
    sd_bus_slot *filter;
    sd_event_source *serve;
    int ready; /* always readable: while calls wait, the loop comes here in turn with all others */
    GHashTable *by_uid;  /* uid: Line */
    GQueue lines;        /* those that have calls */
    guint64 clock;       /* microseconds of service: the turn that was served last */
    GHashTable *passing; /* sd_bus_message, a set: their turn has come */
    guint64 bytes;
    bool served_long; /* reading has something to make up for */
};

static void waiting_free(Waiting *waiting)
{
    sd_bus_message_unref(waiting->message);
    g_free(waiting);
}

/* ---- in ---- */

static bool is_empty(const SyncdQueue *queue)
{
    return queue->lines.head == NULL;
}

static Line *find_line(SyncdQueue *queue, uid_t uid)
{
    Line *line = g_hash_table_lookup(queue->by_uid, GUINT_TO_POINTER(uid));
    if (line == NULL) {
        line = g_new0(Line, 1);
        line->uid = uid;
        g_queue_init(&line->calls);
        g_hash_table_insert(queue->by_uid, GUINT_TO_POINTER(uid), line);
    }
    if (g_queue_is_empty(&line->calls)) {
        /* Who was away has saved up nothing. */
        line->turn = MAX(line->turn, queue->clock);
        g_queue_push_tail(&queue->lines, line);
    }
    return line;
}

static bool check_bytes(const SyncdQueue *queue, uid_t uid, guint64 size, GError **error)
{
    const Line *line = g_hash_table_lookup(queue->by_uid, GUINT_TO_POINTER(uid));
    if (line == NULL || line->bytes + size <= BYTES_EACH_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                    "You have %u bytes in calls that wait for their turn already", BYTES_EACH_MAX);
    return false;
}

static void add(SyncdQueue *queue, uid_t uid, const Waiting *waiting)
{
    Line *line = find_line(queue, uid);
    g_queue_push_tail(&line->calls, g_memdup2(waiting, sizeof *waiting));
    line->bytes += waiting->size;
    queue->bytes += waiting->size;
}

/* To be refused is an answer like others and costs what they cost: who is told at once calls again
 * at once, and keeps the daemon and the bus busy with nothing else. */
static void refuse(SyncdQueue *queue, uid_t uid, sd_bus_message *message, const GError *error)
{
    sd_bus_message *refusal = NULL;
    if (!syncd_limits_take(queue->limits, SYNCD_LIMIT_REFUSALS, uid, NULL)) {
        syncd_bus_reply_error(message, error);
        return;
    }
    if (syncd_bus_new_error(message, error, &refusal) > 0)
        add(queue, uid, &(Waiting){.message = refusal, .is_refusal = true});
    else
        syncd_limits_give(queue->limits, SYNCD_LIMIT_REFUSALS, uid);
}

static void take_in(SyncdQueue *queue, sd_bus_message *message)
{
    uid_t uid;
    pid_t pid;
    g_autoptr(GError) error = NULL;
    if (!syncd_callers_identify(queue->callers, message, &uid, &pid, &error)) {
        syncd_bus_reply_error(message, error);
        return;
    }
    guint64 size = syncd_message_size(message);
    size = MIN(size, BYTES_EACH_MAX);
    if (check_bytes(queue, uid, size, &error) &&
        syncd_limits_take(queue->limits, SYNCD_LIMIT_WAITING, uid, &error))
        add(queue, uid, &(Waiting){.message = sd_bus_message_ref(message), .size = size});
    else
        refuse(queue, uid, message, error);
}

/* Whether what was answered last still waits to be sent. */
static bool is_choked(const SyncdQueue *queue)
{
    guint64 unsent = 0;
    return sd_bus_get_n_queued_write(queue->connection, &unsent) >= 0 && unsent > 0;
}

/* Whether a further message is there. */
static bool more_comes(const SyncdQueue *queue)
{
    guint64 read_already = 0;
    struct pollfd socket = {.fd = sd_bus_get_fd(queue->connection), .events = POLLIN};
    return (sd_bus_get_n_queued_read(queue->connection, &read_already) >= 0 && read_already > 0) ||
           poll(&socket, 1, 0) > 0;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    SyncdQueue *queue = userdata;
    if (g_hash_table_remove(queue->passing, message) ||
        sd_bus_message_is_method_call(message, NULL, NULL) <= 0 ||
        (is_empty(queue) && !is_choked(queue) && !more_comes(queue)))
        return 0;

    take_in(queue, message);
    sd_event_source_set_enabled(queue->serve, is_empty(queue) ? SD_EVENT_OFF : SD_EVENT_ON);
    return 1;
}

/* ---- out ---- */

static Line *next_line(const SyncdQueue *queue)
{
    Line *next = queue->lines.head->data;
    for (const GList *at = queue->lines.head->next; at != NULL; at = at->next)
        if (((Line *)at->data)->turn < next->turn)
            next = at->data;
    return next;
}

static Waiting *take_from(SyncdQueue *queue, Line *line)
{
    Waiting *waiting = g_queue_pop_head(&line->calls);
    if (waiting->message != NULL)
        syncd_limits_give(queue->limits,
                          waiting->is_refusal ? SYNCD_LIMIT_REFUSALS : SYNCD_LIMIT_WAITING,
                          line->uid);
    queue->clock = line->turn;
    line->bytes -= waiting->size;
    queue->bytes -= waiting->size;
    if (g_queue_is_empty(&line->calls))
        g_queue_remove(&queue->lines, line);
    return waiting;
}

static gboolean is_forgotten(void *uid, void *line, void *queue)
{
    return g_queue_is_empty(&((Line *)line)->calls) &&
           ((Line *)line)->turn <= ((SyncdQueue *)queue)->clock;
}

int syncd_queue_pass(SyncdQueue *queue, sd_bus_message *message)
{
    int r = sd_bus_enqueue_for_read(queue->connection, message);
    if (r >= 0)
        g_hash_table_add(queue->passing, sd_bus_message_ref(message));
    return r;
}

void syncd_queue_go_on(SyncdQueue *queue, uid_t uid, SyncdPieceFunc func, void *data)
{
    Waiting *waiting = g_new0(Waiting, 1);
    *waiting = (Waiting){.piece = func, .data = data};
    g_queue_push_head(&find_line(queue, uid)->calls, waiting);
    sd_event_source_set_enabled(queue->serve, SD_EVENT_ON);
}

/* What the library has read already, while it waited for an answer, lies before the call and is
 * taken in on the way. */
static void serve_message(SyncdQueue *queue, sd_bus_message *message)
{
    int r = syncd_queue_pass(queue, message);
    if (r < 0) {
        g_autoptr(GError) error = NULL;
        syncd_set_error_bus(&error, r, "The call cannot be served");
        syncd_bus_reply_error(message, error);
    }
    while (r >= 0 && g_hash_table_contains(queue->passing, message))
        r = sd_bus_process(queue->connection, NULL);
}

static void serve(SyncdQueue *queue, const Waiting *waiting)
{
    if (waiting->message == NULL)
        waiting->piece(waiting->data, false);
    else if (waiting->is_refusal)
        sd_bus_send(queue->connection, waiting->message, NULL);
    else
        serve_message(queue, waiting->message);
}

static void serve_next(SyncdQueue *queue)
{
    Line *line = next_line(queue);
    Waiting *waiting = take_from(queue, line);
    gint64 start = g_get_monotonic_time();
    serve(queue, waiting);
    line->turn += (guint64)(g_get_monotonic_time() - start) + 1;
    waiting_free(waiting);
}

static bool comes_soon(const SyncdQueue *queue)
{
    const struct timespec lull = {.tv_nsec = LULL_USEC * 1000};
    struct pollfd socket = {.fd = sd_bus_get_fd(queue->connection), .events = POLLIN};
    return ppoll(&socket, 1, &lull, NULL) > 0;
}

static bool makes_up(const SyncdQueue *queue)
{
    return queue->served_long && queue->lines.length <= 1;
}

/* Whatever comes counts, and what comes in pieces counts for each: who sends faster than this reads
 * must not keep it reading. */
static void take_in_more(SyncdQueue *queue)
{
    for (unsigned reads = 0; queue->bytes < BYTES_MAX; reads++) {
        if (reads >= (makes_up(queue) ? LONG_READS_MAX : READS_MAX))
            break;
        int r = sd_bus_process(queue->connection, NULL);
        if (r < 0 || (r == 0 && !(makes_up(queue) && comes_soon(queue))))
            break;
    }
}

static void serve_some(SyncdQueue *queue)
{
    gint64 begin = g_get_monotonic_time(), until = begin + SERVE_USEC;
    do
        serve_next(queue);
    while (!is_empty(queue) && !is_choked(queue) && g_get_monotonic_time() < until);
    queue->served_long = g_get_monotonic_time() - begin >= LONG_USEC;
}

static int on_serve(sd_event_source *source, int fd, uint32_t revents, void *userdata)
{
    SyncdQueue *queue = userdata;
    take_in_more(queue);
    serve_some(queue);
    g_hash_table_foreach_remove(queue->by_uid, is_forgotten, queue);
    return sd_event_source_set_enabled(source, is_empty(queue) ? SD_EVENT_OFF : SD_EVENT_ON);
}

/* The library sends on its own; the loop comes back here after each message. */
static int on_prepare(sd_event_source *source, void *userdata)
{
    return sd_event_source_set_io_events(source, is_choked(userdata) ? 0 : EPOLLIN);
}

/* ---- the queue ---- */

static void drop_message(void *message)
{
    sd_bus_message_unref(message);
}

/* Of a bus that cannot be told so, answers only wait for longer ones before them. */
static void bound_sending(sd_bus *connection)
{
    const int size = SEND_BUFFER;
    (void)setsockopt(sd_bus_get_fd(connection), SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

SyncdQueue *syncd_queue_new(sd_bus *connection, SyncdLimits *limits, SyncdCallers *callers,
                            GError **error)
{
    g_autoptr(SyncdQueue) queue = g_new0(SyncdQueue, 1);
    queue->connection = sd_bus_ref(connection);
    queue->limits = limits;
    queue->callers = callers;
    queue->by_uid = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_queue_init(&queue->lines);
    bound_sending(connection);
    queue->passing = g_hash_table_new_full(NULL, NULL, drop_message, NULL);
    /* Not a deferred source: that is always the one that has waited longest. */
    queue->ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = queue->ready < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(sd_bus_get_event(connection), &queue->serve, queue->ready, EPOLLIN,
                            on_serve, queue);
    if (r >= 0)
        r = sd_event_source_set_prepare(queue->serve, on_prepare);
    if (r >= 0)
        r = sd_event_source_set_enabled(queue->serve, SD_EVENT_OFF);
    if (r >= 0)
        r = sd_bus_add_filter(connection, &queue->filter, on_message, queue);
    if (r < 0) {
        syncd_set_error_bus(error, r, "Calls cannot be put in line");
        return NULL;
    }
    return g_steal_pointer(&queue);
}

static void cancel_next(SyncdQueue *queue)
{
    Waiting *waiting = take_from(queue, next_line(queue));
    g_autoptr(GError) error = NULL;
    syncd_set_error(&error, SYNCD_ERROR_CANCELLED, "The daemon is stopping");
    if (waiting->message == NULL)
        waiting->piece(waiting->data, true);
    else if (waiting->is_refusal)
        sd_bus_send(queue->connection, waiting->message, NULL);
    else
        syncd_bus_reply_error(waiting->message, error);
    waiting_free(waiting);
}

void syncd_queue_free(SyncdQueue *queue)
{
    if (queue == NULL)
        return;
    while (!is_empty(queue))
        cancel_next(queue);
    sd_bus_slot_unref(queue->filter);
    sd_event_source_disable_unref(queue->serve);
    if (queue->ready >= 0)
        close(queue->ready);
    g_hash_table_unref(queue->passing);
    g_hash_table_unref(queue->by_uid);
    sd_bus_unref(queue->connection);
    g_free(queue);
}
