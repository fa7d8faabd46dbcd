#include "power-disk-private.h"

#include "storage-calls.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NSEC_PER_SEC G_GINT64_CONSTANT(1000000000)

/* ---- what is there when the recording begins ---- */

static void node_free(void *data)
{
    PowerNode *node = data;
    g_free(node->label);
    g_clear_pointer(&node->bytes, g_byte_array_unref);
    g_clear_pointer(&node->names, g_hash_table_unref);
    g_free(node);
}

static gint64 nanoseconds(const struct statx_timestamp *time)
{
    return time->tv_sec * NSEC_PER_SEC + time->tv_nsec;
}

static struct statx stat_of(const PowerDisk *disk, const char *path)
{
    struct statx st;
    g_autofree char *full = g_build_filename(disk->folder, path, NULL);
    g_assert_cmpint(
        statx(AT_FDCWD, full, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &st), ==, 0);
    return st;
}

static PowerLook look_of(const struct statx *st)
{
    return (PowerLook){st->stx_mode & 07777u, st->stx_uid, nanoseconds(&st->stx_mtime),
                       nanoseconds(&st->stx_ctime)};
}

static PowerLook look_at(const PowerDisk *disk, const char *path)
{
    struct statx st = stat_of(disk, path);
    return look_of(&st);
}

static PowerLook look_at_open(int fd)
{
    struct statx st;
    g_assert_cmpint(statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &st), ==, 0);
    return look_of(&st);
}

static PowerNode *add_node(PowerDisk *disk, const char *path, bool is_folder)
{
    const struct statx st = stat_of(disk, path);
    PowerNode *node = g_new0(PowerNode, 1);
    node->inode = st.stx_ino;
    node->born = nanoseconds(&st.stx_btime);
    node->look = look_of(&st);
    node->number = disk->nodes->len;
    node->is_folder = is_folder;
    node->label = g_strdup(path);
    if (is_folder)
        node->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    else
        node->bytes = g_byte_array_new();
    g_ptr_array_add(disk->nodes, node);
    g_hash_table_replace(disk->live, g_strdup(path), node);
    return node;
}

GByteArray *power_read_file(const char *path)
{
    char *bytes;
    size_t size;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &bytes, &size, &error);
    g_assert_no_error(error);
    return g_byte_array_new_take((guint8 *)bytes, size);
}

static PowerNode *take_in(PowerDisk *disk, const char *path)
{
    g_autofree char *full = g_build_filename(disk->folder, path, NULL);
    PowerNode *node = add_node(disk, path, g_file_test(full, G_FILE_TEST_IS_DIR));
    if (!node->is_folder) {
        g_byte_array_unref(node->bytes);
        node->bytes = power_read_file(full);
        return node;
    }
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(full, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child =
            path[0] != '\0' ? g_build_filename(path, name, NULL) : g_strdup(name);
        g_hash_table_insert(node->names, g_strdup(name), take_in(disk, child));
    }
    return node;
}

/* ---- recording ---- */

static void event_free(void *data)
{
    PowerEvent *event = data;
    for (unsigned i = 0; i < event->n_changes; i++)
        g_free(event->changes[i].name);
    g_free(event->bytes);
    g_free(event);
}

static PowerEvent *add_event(PowerDisk *disk, PowerEventKind kind, PowerNode *node)
{
    PowerEvent *event = g_new0(PowerEvent, 1);
    event->kind = kind;
    event->node = node;
    g_ptr_array_add(disk->events, event);
    return event;
}

/* … that was made to an open file. */
static PowerEvent *add_event_at(PowerDisk *disk, PowerEventKind kind, PowerNode *node, int fd)
{
    PowerEvent *event = add_event(disk, kind, node);
    event->look = look_at_open(fd);
    return event;
}

static void add_change(PowerDisk *disk, PowerEvent *event, const char *path, PowerNode *node)
{
    g_autofree char *parent = g_path_get_dirname(path);
    PowerNode *folder = g_hash_table_lookup(disk->live, strcmp(parent, ".") == 0 ? "" : parent);
    g_assert_nonnull(folder);
    PowerChange *change = &event->changes[event->n_changes++];
    *change = (PowerChange){.folder = folder, .name = g_path_get_basename(path), .node = node};
    if (node == NULL) {
        g_hash_table_remove(disk->live, path);
        return;
    }
    change->look = look_at(disk, path);
    g_hash_table_replace(disk->live, g_strdup(path), node);
}

static void note_open(PowerDisk *disk, const StorageCall *call, int fd)
{
    PowerNode *node = g_hash_table_lookup(disk->live, call->path);
    if (node == NULL) {
        g_assert_true((call->flags & O_CREAT) != 0);
        node = add_node(disk, call->path, false);
        PowerEvent *event = add_event(disk, POWER_EVENT_NAMES, node);
        add_change(disk, event, call->path, node);
    } else if ((call->flags & O_TRUNC) != 0) {
        add_event_at(disk, POWER_EVENT_TRUNCATE, node, fd);
    }
    g_hash_table_replace(disk->by_fd, GINT_TO_POINTER(fd), node);
}

/* Each of two names has what the other one had. */
static void note_exchange(PowerDisk *disk, const StorageCall *call, PowerNode *node)
{
    PowerNode *other = g_hash_table_lookup(disk->live, call->to);
    g_assert_nonnull(other);
    PowerEvent *event = add_event(disk, POWER_EVENT_NAMES, node);
    add_change(disk, event, call->path, other);
    add_change(disk, event, call->to, node);
}

static void note_name(PowerDisk *disk, const StorageCall *call)
{
    PowerNode *node = call->kind == STORAGE_MKDIR ? add_node(disk, call->path, true)
                                                  : g_hash_table_lookup(disk->live, call->path);
    g_assert_nonnull(node);
    g_assert_true(call->to == NULL || !node->is_folder); /* nobody moves folders */
    if (call->kind == STORAGE_RENAME && (call->flags & RENAME_EXCHANGE) != 0) {
        note_exchange(disk, call, node);
        return;
    }
    PowerEvent *event = add_event(disk, POWER_EVENT_NAMES, node);
    if (call->kind != STORAGE_LINK)
        add_change(disk, event, call->path, call->kind == STORAGE_MKDIR ? node : NULL);
    if (call->to != NULL)
        add_change(disk, event, call->to, node);
}

static void note_look(PowerDisk *disk, const StorageCall *call)
{
    bool open = call->fd >= 0;
    PowerNode *node = open ? g_hash_table_lookup(disk->by_fd, GINT_TO_POINTER(call->fd))
                           : g_hash_table_lookup(disk->live, call->path);
    g_assert_nonnull(node);
    add_event(disk, POWER_EVENT_LOOK, node)->look =
        open ? look_at_open(call->fd) : look_at(disk, call->path);
}

static void note_write(PowerDisk *disk, const StorageCall *call, PowerNode *node, size_t size)
{
    PowerEvent *event = add_event_at(disk, POWER_EVENT_WRITE, node, call->fd);
    event->offset = call->offset;
    event->bytes = g_memdup2(call->bytes, size);
    event->size = size;
}

static void observe(void *data, const StorageCall *call, gint64 result, int problem)
{
    PowerDisk *disk = data;
    if (result < 0)
        return;
    PowerNode *node = g_hash_table_lookup(disk->by_fd, GINT_TO_POINTER(call->fd));
    switch (call->kind) {
    case STORAGE_OPEN:
        note_open(disk, call, (int)result);
        break;
    case STORAGE_CLOSE:
        g_hash_table_remove(disk->by_fd, GINT_TO_POINTER(call->fd));
        break;
    case STORAGE_WRITE:
        note_write(disk, call, node, (size_t)result);
        break;
    case STORAGE_TRUNCATE:
        add_event_at(disk, POWER_EVENT_TRUNCATE, node, call->fd)->offset = call->offset;
        break;
    case STORAGE_ALLOCATE:
        g_assert_cmpint(call->flags, ==, 0);
        add_event_at(disk, POWER_EVENT_EXTEND, node, call->fd)->offset =
            call->offset + (gint64)call->size;
        break;
    case STORAGE_SYNC:
        add_event(disk, POWER_EVENT_SYNC, node);
        break;
    case STORAGE_SYNC_ALL:
        for (guint i = 0; i < disk->nodes->len; i++)
            add_event(disk, POWER_EVENT_SYNC, disk->nodes->pdata[i]);
        break;
    case STORAGE_RENAME:
    case STORAGE_LINK:
    case STORAGE_UNLINK:
    case STORAGE_MKDIR:
    case STORAGE_RMDIR:
        note_name(disk, call);
        break;
    case STORAGE_MODE:
    case STORAGE_OWNER:
        note_look(disk, call);
        break;
    case STORAGE_READ:
    case STORAGE_SYNC_RANGE:
    case STORAGE_N_KINDS:
        break;
    }
}

PowerDisk *power_disk_record(const char *folder)
{
    PowerDisk *disk = g_new0(PowerDisk, 1);
    disk->folder = g_strdup(folder);
    disk->nodes = g_ptr_array_new_with_free_func(node_free);
    disk->events = g_ptr_array_new_with_free_func(event_free);
    disk->live = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    disk->by_fd = g_hash_table_new(g_direct_hash, g_direct_equal);
    take_in(disk, "");
    disk->recording = true;
    storage_watch(folder, NULL, observe, disk);
    return disk;
}

void power_disk_free(PowerDisk *disk)
{
    if (disk == NULL)
        return;
    if (disk->recording)
        storage_unwatch();
    g_hash_table_unref(disk->by_fd);
    g_hash_table_unref(disk->live);
    g_ptr_array_unref(disk->events);
    g_ptr_array_unref(disk->nodes);
    g_free(disk->folder);
    g_free(disk);
}

size_t power_disk_n_events(const PowerDisk *disk)
{
    return disk->events->len;
}

char *power_disk_describe(const PowerDisk *disk, size_t cut)
{
    static const char *const kinds[] = {"write", "truncate", "extend", "look", "names", "sync"};
    if (cut == 0)
        return g_strdup("the beginning");
    const PowerEvent *event = disk->events->pdata[cut - 1];
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s %s, %" G_GSIZE_FORMAT " at %" G_GINT64_FORMAT, kinds[event->kind],
                    event->node->label, event->size, event->offset);
    for (unsigned i = 0; i < event->n_changes; i++)
        g_string_append_printf(text, ", %s%s", event->changes[i].node != NULL ? "+" : "-",
                               event->changes[i].name);
    return g_string_free(text, FALSE);
}

void power_disk_stop(PowerDisk *disk)
{
    storage_unwatch();
    disk->recording = false;
    power_disk_assert_whole(disk);
}
