#include "reader/watch.h"

#include "crypto/short.h"

#include <errno.h>
#include <sys/inotify.h>
#include <unistd.h>

/* The folder is given as a link of /proc, which is to be followed: it leads to the open folder. */
#define MASK                                                                                       \
    (IN_ONLYDIR | IN_EXCL_UNLINK | IN_CREATE | IN_CLOSE_WRITE | IN_MODIFY | IN_ATTRIB |            \
     IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF)
#define OF_THE_FOLDER (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)
#define LAST_STANDS (SYNCD_WIRE_CHANGED | SYNCD_WIRE_WRITTEN | SYNCD_WIRE_GONE)
#define BUFFER_SIZE (64u * 1024u)
#define READS_MAX 64 /* at a time: whoever changes things all the time does not stop all else */

static const struct {
    guint32 mask;
    guint32 flags;
} meanings[] = {
    {IN_CREATE | IN_CLOSE_WRITE | IN_ATTRIB, SYNCD_WIRE_CHANGED},
    {IN_MODIFY, SYNCD_WIRE_WRITTEN},
    {IN_DELETE, SYNCD_WIRE_GONE},
    {IN_MOVED_FROM, SYNCD_WIRE_MOVED_OUT},
    {IN_MOVED_TO, SYNCD_WIRE_MOVED_IN},
};

typedef struct {
    guint64 folder;
    guint32 flags;
    guint32 cookie;
    guint8 size;
    char name[];
} Event;

struct SyncdWatch {
    int fd;
    GHashTable *folders; /* int descriptor of inotify: guint64 number */
    GHashTable *watches; /* … and back */
    GQueue events;       /* Event, in the order in which they are told */
    GHashTable *last;    /* the event of a name that later ones go into */
    bool lost;
    Event *told;
    guint8 *buffer;
};

static guint event_hash(gconstpointer key)
{
    const Event *event = key;
    return syncd_short_hash(event->folder, SYNCD_BYTES(event->name, event->size));
}

static gboolean event_equal(gconstpointer one, gconstpointer other)
{
    const Event *left = one, *right = other;
    return left->folder == right->folder && left->size == right->size &&
           memcmp(left->name, right->name, left->size) == 0;
}

SyncdWatch *syncd_watch_new(void)
{
    SyncdWatch *watch = g_new0(SyncdWatch, 1);
    watch->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    watch->folders = g_hash_table_new_full(g_int_hash, g_int_equal, g_free, g_free);
    watch->watches = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    watch->last = g_hash_table_new(event_hash, event_equal);
    g_queue_init(&watch->events);
    watch->buffer = g_malloc(BUFFER_SIZE);
    return watch;
}

static void drop_events(SyncdWatch *watch)
{
    g_hash_table_remove_all(watch->last);
    g_queue_clear_full(&watch->events, g_free);
}

void syncd_watch_free(SyncdWatch *watch)
{
    if (watch == NULL)
        return;
    if (watch->fd >= 0)
        close(watch->fd);
    drop_events(watch);
    g_hash_table_unref(watch->folders);
    g_hash_table_unref(watch->watches);
    g_hash_table_unref(watch->last);
    g_free(watch->told);
    g_free(watch->buffer);
    g_free(watch);
}

int syncd_watch_fd(const SyncdWatch *watch)
{
    return watch->fd;
}

/* ---- numbers ---- */

/* What the kernel has for it still is of no number any more, and is not told. */
void syncd_watch_forget(SyncdWatch *watch, guint64 number)
{
    const int *descriptor = g_hash_table_lookup(watch->watches, &number);
    if (descriptor == NULL)
        return;
    inotify_rm_watch(watch->fd, *descriptor);
    g_hash_table_remove(watch->folders, descriptor);
    g_hash_table_remove(watch->watches, &number);
}

static void number_it(SyncdWatch *watch, int descriptor, guint64 number)
{
    const guint64 *earlier = g_hash_table_lookup(watch->folders, &descriptor);
    const int *other = g_hash_table_lookup(watch->watches, &number);
    if (earlier != NULL && *earlier != number)
        g_hash_table_remove(watch->watches, earlier);
    if (other != NULL && *other != descriptor)
        syncd_watch_forget(watch, number);
    g_hash_table_replace(watch->folders, g_memdup2(&descriptor, sizeof descriptor),
                         g_memdup2(&number, sizeof number));
    g_hash_table_replace(watch->watches, g_memdup2(&number, sizeof number),
                         g_memdup2(&descriptor, sizeof descriptor));
}

bool syncd_watch_add(SyncdWatch *watch, int folder, guint64 number)
{
    char path[sizeof "/proc/self/fd/" + 3 * sizeof folder];
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
    syncd_watch_take(watch);
    int descriptor = inotify_add_watch(watch->fd, path, MASK);
    if (descriptor >= 0)
        number_it(watch, descriptor, number);
    else
        syncd_watch_forget(watch, number);
    return descriptor >= 0;
}

/* ---- events ---- */

static void lose(SyncdWatch *watch)
{
    drop_events(watch);
    watch->lost = true;
}

static void keep(SyncdWatch *watch, Event *event)
{
    Event *last = g_hash_table_lookup(watch->last, event);
    bool stands = (event->flags & LAST_STANDS) != 0;
    if (last != NULL && stands) {
        bool both = ((last->flags | event->flags) & SYNCD_WIRE_GONE) == 0;
        last->flags = both ? last->flags | event->flags : event->flags;
        g_free(event);
        return;
    }
    if (last != NULL)
        g_hash_table_remove(watch->last, last);
    g_queue_push_tail(&watch->events, event);
    if (stands)
        g_hash_table_add(watch->last, event);
    if (watch->events.length > SYNCD_WATCH_KEPT_MAX)
        lose(watch);
}

static void keep_new(SyncdWatch *watch, guint64 folder, guint32 flags, guint32 cookie,
                     const char *name)
{
    size_t size = strlen(name);
    if (size > SYNCD_WIRE_NAME_MAX)
        return;
    Event *event = g_malloc(sizeof *event + size + 1);
    *event = (Event){folder, flags, cookie, (guint8)size};
    memcpy(event->name, name, size + 1);
    keep(watch, event);
}

/* A folder that was moved is the same to inotify, and no longer to us. */
static void take_folder(SyncdWatch *watch, guint64 folder)
{
    syncd_watch_forget(watch, folder);
    keep_new(watch, folder, SYNCD_WIRE_UNLINKED, 0, "");
}

static void take_event(SyncdWatch *watch, const struct inotify_event *event, const char *name)
{
    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        lose(watch);
        return;
    }
    const guint64 *number = g_hash_table_lookup(watch->folders, &event->wd);
    if (number == NULL)
        return;
    guint64 folder = *number;
    if ((event->mask & OF_THE_FOLDER) != 0) {
        take_folder(watch, folder);
        return;
    }
    /* Of the folder's own attributes its name says nothing. */
    for (size_t i = 0; i < G_N_ELEMENTS(meanings) && *name != '\0'; i++)
        if ((event->mask & meanings[i].mask) != 0)
            keep_new(watch, folder, meanings[i].flags, event->cookie, name);
}

void syncd_watch_take_bytes(SyncdWatch *watch, SyncdBytes bytes)
{
    struct inotify_event event;
    const char *at = bytes.data, *end = at + bytes.size;
    while ((size_t)(end - at) >= sizeof event) {
        memcpy(&event, at, sizeof event);
        at += sizeof event;
        if (event.len > (size_t)(end - at))
            return;
        take_event(watch, &event, event.len > 0 ? at : "");
        at += event.len;
    }
}

void syncd_watch_take(SyncdWatch *watch)
{
    for (int i = 0; i < READS_MAX; i++) {
        ssize_t size = TEMP_FAILURE_RETRY(read(watch->fd, watch->buffer, BUFFER_SIZE));
        if (size <= 0)
            return;
        syncd_watch_take_bytes(watch, SYNCD_BYTES(watch->buffer, (size_t)size));
    }
}

bool syncd_watch_next(SyncdWatch *watch, SyncdWireMessage *ret_message)
{
    g_clear_pointer(&watch->told, g_free);
    if (watch->lost) {
        watch->lost = false;
        *ret_message = (SyncdWireMessage){.type = SYNCD_WIRE_LOST};
        return true;
    }
    Event *event = watch->told = g_queue_pop_head(&watch->events);
    if (event == NULL)
        return false;
    if (g_hash_table_lookup(watch->last, event) == event)
        g_hash_table_remove(watch->last, event);
    *ret_message = (SyncdWireMessage){.type = SYNCD_WIRE_EVENT,
                                      .flags = event->flags,
                                      .cookie = event->cookie,
                                      .folder = event->folder,
                                      .name = SYNCD_BYTES(event->name, event->size)};
    return true;
}
