#include "bus/queue.h"

#include "bus/error-bus.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define READS_MAX 128u             /* before one is served */
#define BYTES_EACH_MAX (32u << 20) /* that wait, of one user, where it is more than one call */
#define BYTES_MAX (128u << 20)     /* of all users */
#define VALUES_MAX 256u            /* more than any call of ours has */
#define SERVE_USEC 500             /* then the connection is looked at again */
/* The kernel holds few large messages for us, and the bus needs a moment to send the next ones. So
 * when serving took this long, what came meanwhile is read up to a lull, or until another user is
 * found in it. */
#define LONG_USEC 4000
#define LULL_USEC 300
#define LONG_READS_MAX 512u /* as many calls as the bus may hold back, and more */

/* A call that came, or one that goes on. */
typedef struct {
    sd_bus_message *message; /* NULL: of one that goes on, the next piece */
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

/* ---- how large a message is, which the library does not say ---- */

static bool add_value(sd_bus_message *message, char type, guint64 *size)
{
    union {
        const char *text;
        guint64 number;
    } value = {0};
    if (sd_bus_message_read_basic(message, type, &value) <= 0)
        return false;
    *size += strchr("sog", type) != NULL ? strlen(value.text) : sizeof value.number;
    return true;
}

static bool add_numbers(sd_bus_message *message, char type, guint64 *size)
{
    const void *numbers;
    size_t bytes;
    if (sd_bus_message_read_array(message, type, &numbers, &bytes) < 0)
        return false;
    *size += bytes;
    return true;
}

/* False for a message that does not hold what it says, or more values than are worth a look. */
static bool add_values(sd_bus_message *message, unsigned *values, guint64 *size)
{
    const char *contents;
    char type;
    int r;
    while ((r = sd_bus_message_peek_type(message, &type, &contents)) > 0) {
        bool good;
        if (++*values > VALUES_MAX)
            return false;
        if (contents == NULL)
            good = add_value(message, type, size);
        else if (type == SD_BUS_TYPE_ARRAY && strchr("ynqiuxtd", contents[0]) != NULL)
            good = add_numbers(message, contents[0], size);
        else
            good = sd_bus_message_enter_container(message, type, contents) > 0 &&
                   add_values(message, values, size) && sd_bus_message_exit_container(message) >= 0;
        if (!good)
            return false;
    }
    return r == 0;
}

static guint64 size_of(sd_bus_message *message)
{
    unsigned values = 0;
    guint64 size = 0;
    bool known = add_values(message, &values, &size);
    return sd_bus_message_rewind(message, true) >= 0 && known ? size : BYTES_EACH_MAX;
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

static bool take_in(SyncdQueue *queue, sd_bus_message *message, guint64 size, GError **error)
{
    uid_t uid;
    pid_t pid;
    if (!syncd_callers_identify(queue->callers, message, &uid, &pid, error) ||
        !check_bytes(queue, uid, size, error) ||
        !syncd_limits_take(queue->limits, SYNCD_LIMIT_WAITING, uid, error))
        return false;

    Waiting *waiting = g_new0(Waiting, 1);
    *waiting = (Waiting){.message = sd_bus_message_ref(message), .size = size};
    Line *line = find_line(queue, uid);
    g_queue_push_tail(&line->calls, waiting);
    line->bytes += size;
    queue->bytes += size;
    return true;
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
        (is_empty(queue) && !more_comes(queue)))
        return 0;

    g_autoptr(GError) error = NULL;
    if (!take_in(queue, message, size_of(message), &error))
        syncd_bus_reply_error(message, error);
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
        syncd_limits_give(queue->limits, SYNCD_LIMIT_WAITING, line->uid);
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
    while (r >= 0 && g_hash_table_contains(queue->passing, message))
        r = sd_bus_process(queue->connection, NULL);
}

static void serve_next(SyncdQueue *queue)
{
    Line *line = next_line(queue);
    Waiting *waiting = take_from(queue, line);
    gint64 start = g_get_monotonic_time();
    if (waiting->message != NULL)
        serve_message(queue, waiting->message);
    else
        waiting->piece(waiting->data, false);
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
    while (!is_empty(queue) && g_get_monotonic_time() < until);
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

/* ---- the queue ---- */

static void drop_message(void *message)
{
    sd_bus_message_unref(message);
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
    queue->passing = g_hash_table_new_full(NULL, NULL, drop_message, NULL);
    /* Not a deferred source: that is always the one that has waited longest. */
    queue->ready = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
    int r = queue->ready < 0 ? -errno : 0;
    if (r >= 0)
        r = sd_event_add_io(sd_bus_get_event(connection), &queue->serve, queue->ready, EPOLLIN,
                            on_serve, queue);
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
    if (waiting->message != NULL)
        syncd_bus_reply_error(waiting->message, error);
    else
        waiting->piece(waiting->data, true);
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
