#include "bus/queue.h"

#include "bus/error-bus.h"

#include <string.h>
#include <sys/socket.h>

#define READS_MAX 128u             /* before one is served */
#define BYTES_EACH_MAX (32u << 20) /* that wait, of one user, where it is more than one call */
#define BYTES_MAX (128u << 20)     /* of all users */
#define SIZE_UNKNOWN (64u << 10)   /* what a message counts for when nobody saw how large it is */
#define SERVE_USEC 500             /* then the connection is looked at again */

/* The loop reads at SD_EVENT_PRIORITY_NORMAL; while calls wait they are read here. */
#define PRIORITY_SERVE (SD_EVENT_PRIORITY_NORMAL - 1)

typedef struct {
    sd_bus_message *message;
    guint64 size;
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
    GHashTable *by_uid; /* uid: Line */
    GQueue lines;       /* those that have calls */
    guint64 clock;      /* microseconds of service: the turn that was served last */
    sd_bus_message *passing;
    unsigned reads;
    guint64 bytes;
    /* The message that is read next, where it could be seen. */
    guint64 next_cookie;
    guint64 next_size;
};

static void waiting_free(Waiting *waiting)
{
    sd_bus_message_unref(waiting->message);
    g_free(waiting);
}

/* ---- what comes next ---- */

/* The head of a message that lies in the socket. */
#define HEAD_SIZE 16u
#define AT_BODY_SIZE 4u
#define AT_COOKIE 8u
#define AT_FIELDS_SIZE 12u

static guint32 read_number(const guint8 *head, unsigned at)
{
    guint32 number;
    memcpy(&number, head + at, sizeof number);
    return head[0] == 'B' ? GUINT32_FROM_BE(number) : GUINT32_FROM_LE(number);
}

/* Whether a further message is there. Its size can be known only while it is in the socket: the
 * library reads one message at a time, and does not say how large it was. */
static bool look_ahead(SyncdQueue *queue)
{
    guint8 head[HEAD_SIZE];
    guint64 read_already = 0;
    ssize_t size =
        recv(sd_bus_get_fd(queue->connection), head, sizeof head, MSG_PEEK | MSG_DONTWAIT);
    queue->next_cookie = 0;
    if (size == (ssize_t)sizeof head) {
        queue->next_cookie = read_number(head, AT_COOKIE);
        queue->next_size = HEAD_SIZE + (guint64)read_number(head, AT_BODY_SIZE) +
                           read_number(head, AT_FIELDS_SIZE);
    }
    return size > 0 ||
           (sd_bus_get_n_queued_read(queue->connection, &read_already) >= 0 && read_already > 0);
}

static guint64 size_of(const SyncdQueue *queue, sd_bus_message *message)
{
    guint64 cookie = 0;
    if (sd_bus_message_get_cookie(message, &cookie) < 0 || cookie != queue->next_cookie)
        return SIZE_UNKNOWN;
    return queue->next_size;
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
    *waiting = (Waiting){sd_bus_message_ref(message), size};
    Line *line = find_line(queue, uid);
    g_queue_push_tail(&line->calls, waiting);
    line->bytes += size;
    queue->bytes += size;
    return true;
}

static int on_message(sd_bus_message *message, void *userdata, sd_bus_error *ret_error)
{
    SyncdQueue *queue = userdata;
    if (message == queue->passing) {
        queue->passing = NULL;
        return 0;
    }
    guint64 size = size_of(queue, message);
    bool more = look_ahead(queue);
    if (sd_bus_message_is_method_call(message, NULL, NULL) <= 0 || (!more && is_empty(queue)))
        return 0;

    g_autoptr(GError) error = NULL;
    queue->reads++;
    if (!take_in(queue, message, size, &error))
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

/* What the library has read already, while it waited for an answer, lies before the call and is
 * taken in on the way. */
static void serve_next(SyncdQueue *queue)
{
    Line *line = next_line(queue);
    Waiting *waiting = take_from(queue, line);
    gint64 start = g_get_monotonic_time();
    queue->passing = waiting->message;
    int r = sd_bus_enqueue_for_read(queue->connection, waiting->message);
    while (r >= 0 && queue->passing != NULL)
        r = sd_bus_process(queue->connection, NULL);
    queue->passing = NULL;
    line->turn += (guint64)(g_get_monotonic_time() - start) + 1;
    waiting_free(waiting);
}

static void take_in_more(SyncdQueue *queue)
{
    queue->reads = 0;
    while (queue->reads < READS_MAX && queue->bytes < BYTES_MAX &&
           sd_bus_process(queue->connection, NULL) > 0)
        ;
}

static void serve_some(SyncdQueue *queue)
{
    gint64 until = g_get_monotonic_time() + SERVE_USEC;
    do
        serve_next(queue);
    while (!is_empty(queue) && g_get_monotonic_time() < until);
}

static int on_serve(sd_event_source *source, void *userdata)
{
    SyncdQueue *queue = userdata;
    take_in_more(queue);
    serve_some(queue);
    g_hash_table_foreach_remove(queue->by_uid, is_forgotten, queue);
    return sd_event_source_set_enabled(source, is_empty(queue) ? SD_EVENT_OFF : SD_EVENT_ON);
}

/* ---- the queue ---- */

SyncdQueue *syncd_queue_new(sd_bus *connection, SyncdLimits *limits, SyncdCallers *callers,
                            GError **error)
{
    g_autoptr(SyncdQueue) queue = g_new0(SyncdQueue, 1);
    queue->connection = sd_bus_ref(connection);
    queue->limits = limits;
    queue->callers = callers;
    queue->by_uid = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    g_queue_init(&queue->lines);
    int r = sd_event_add_defer(sd_bus_get_event(connection), &queue->serve, on_serve, queue);
    if (r >= 0)
        r = sd_event_source_set_priority(queue->serve, PRIORITY_SERVE);
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
    g_hash_table_unref(queue->by_uid);
    sd_bus_unref(queue->connection);
    g_free(queue);
}
