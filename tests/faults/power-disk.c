#include "power-disk.h"

#include "storage-calls.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define SECTOR 512u
#define PAGE 4096u

/* A file or a folder, whatever it is called. */
typedef struct {
    guint number; /* in PowerDisk.nodes */
    bool is_folder;
    char *label;       /* its first name */
    GByteArray *bytes; /* of a file, when the recording began */
    GHashTable *names; /* of a folder, when the recording began: name -> Node */
} Node;

typedef enum { EVENT_WRITE, EVENT_TRUNCATE, EVENT_EXTEND, EVENT_NAMES, EVENT_SYNC } EventKind;

typedef struct {
    Node *folder;
    char *name;
    Node *node; /* NULL: the name goes */
} Change;

typedef struct {
    EventKind kind;
    Node *node;
    gint64 offset; /* of a write; otherwise the size */
    guint8 *bytes;
    size_t size;
    Change changes[2]; /* a rename has both */
    unsigned n_changes;
} Event;

struct PowerDisk {
    char *folder;
    GPtrArray *nodes;
    GPtrArray *events;
    GHashTable *live;  /* path -> Node, as it is now */
    GHashTable *by_fd; /* fd -> Node */
    bool recording;
};

guint64 power_random(guint64 *state)
{
    guint64 z = (*state += G_GUINT64_CONSTANT(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

guint64 power_below(guint64 *state, guint64 bound)
{
    return power_random(state) % bound;
}

/* ---- what is there when the recording begins ---- */

static void node_free(void *data)
{
    Node *node = data;
    g_free(node->label);
    g_clear_pointer(&node->bytes, g_byte_array_unref);
    g_clear_pointer(&node->names, g_hash_table_unref);
    g_free(node);
}

static Node *add_node(PowerDisk *disk, const char *path, bool is_folder)
{
    Node *node = g_new0(Node, 1);
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

static GByteArray *read_file(const char *path)
{
    char *bytes;
    size_t size;
    g_autoptr(GError) error = NULL;
    g_file_get_contents(path, &bytes, &size, &error);
    g_assert_no_error(error);
    return g_byte_array_new_take((guint8 *)bytes, size);
}

static Node *take_in(PowerDisk *disk, const char *path)
{
    g_autofree char *full = g_build_filename(disk->folder, path, NULL);
    Node *node = add_node(disk, path, g_file_test(full, G_FILE_TEST_IS_DIR));
    if (!node->is_folder) {
        g_byte_array_unref(node->bytes);
        node->bytes = read_file(full);
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
    Event *event = data;
    for (unsigned i = 0; i < event->n_changes; i++)
        g_free(event->changes[i].name);
    g_free(event->bytes);
    g_free(event);
}

static Event *add_event(PowerDisk *disk, EventKind kind, Node *node)
{
    Event *event = g_new0(Event, 1);
    event->kind = kind;
    event->node = node;
    g_ptr_array_add(disk->events, event);
    return event;
}

static void add_change(PowerDisk *disk, Event *event, const char *path, Node *node)
{
    g_autofree char *parent = g_path_get_dirname(path);
    Node *folder = g_hash_table_lookup(disk->live, strcmp(parent, ".") == 0 ? "" : parent);
    g_assert_nonnull(folder);
    event->changes[event->n_changes++] = (Change){folder, g_path_get_basename(path), node};
    if (node != NULL)
        g_hash_table_replace(disk->live, g_strdup(path), node);
    else
        g_hash_table_remove(disk->live, path);
}

static void note_open(PowerDisk *disk, const StorageCall *call, int fd)
{
    Node *node = g_hash_table_lookup(disk->live, call->path);
    if (node == NULL) {
        g_assert_true((call->flags & O_CREAT) != 0);
        node = add_node(disk, call->path, false);
        Event *event = add_event(disk, EVENT_NAMES, node);
        add_change(disk, event, call->path, node);
    } else if ((call->flags & O_TRUNC) != 0) {
        add_event(disk, EVENT_TRUNCATE, node);
    }
    g_hash_table_replace(disk->by_fd, GINT_TO_POINTER(fd), node);
}

static void note_name(PowerDisk *disk, const StorageCall *call)
{
    Node *node = call->kind == STORAGE_MKDIR ? add_node(disk, call->path, true)
                                             : g_hash_table_lookup(disk->live, call->path);
    g_assert_nonnull(node);
    Event *event = add_event(disk, EVENT_NAMES, node);
    if (call->kind != STORAGE_LINK)
        add_change(disk, event, call->path, call->kind == STORAGE_MKDIR ? node : NULL);
    if (call->to != NULL)
        add_change(disk, event, call->to, node);
    /* The store moves no folder, lets no two names change places and renames within one folder. */
    g_assert_true(call->to == NULL || (!node->is_folder && call->flags == 0));
    g_assert_true(event->n_changes == 1 || event->changes[0].folder == event->changes[1].folder);
}

static void note_write(PowerDisk *disk, const StorageCall *call, Node *node, size_t size)
{
    Event *event = add_event(disk, EVENT_WRITE, node);
    event->offset = call->offset;
    event->bytes = g_memdup2(call->bytes, size);
    event->size = size;
}

static void observe(void *data, const StorageCall *call, gint64 result, int problem)
{
    PowerDisk *disk = data;
    if (result < 0)
        return;
    Node *node = g_hash_table_lookup(disk->by_fd, GINT_TO_POINTER(call->fd));
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
        add_event(disk, EVENT_TRUNCATE, node)->offset = call->offset;
        break;
    case STORAGE_ALLOCATE:
        g_assert_cmpint(call->flags, ==, 0);
        add_event(disk, EVENT_EXTEND, node)->offset = call->offset + (gint64)call->size;
        break;
    case STORAGE_SYNC:
        add_event(disk, EVENT_SYNC, node);
        break;
    case STORAGE_RENAME:
    case STORAGE_LINK:
    case STORAGE_UNLINK:
    case STORAGE_MKDIR:
    case STORAGE_RMDIR:
        note_name(disk, call);
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
    static const char *const kinds[] = {"write", "truncate", "extend", "names", "sync"};
    if (cut == 0)
        return g_strdup("the beginning");
    const Event *event = disk->events->pdata[cut - 1];
    GString *text = g_string_new(NULL);
    g_string_printf(text, "%s %s, %" G_GSIZE_FORMAT " at %" G_GINT64_FORMAT, kinds[event->kind],
                    event->node->label, event->size, event->offset);
    for (unsigned i = 0; i < event->n_changes; i++)
        g_string_append_printf(text, ", %s%s", event->changes[i].node != NULL ? "+" : "-",
                               event->changes[i].name);
    return g_string_free(text, FALSE);
}

/* ---- a cut ---- */

/* What is durable of a node, and what is on the way to it. */
typedef struct {
    GByteArray *bytes;
    GHashTable *names;
    GPtrArray *pending; /* Event (borrowed): writes and sizes of a file */
    bool hashed;
    SyncdHash hash; /* of `bytes` */
} State;

struct PowerCut {
    const PowerDisk *disk;
    PowerModel model;
    PowerHonesty honesty;
    size_t at;
    State *states; /* by Node.number */
    size_t n_states;
    GPtrArray *pending_names; /* Event (borrowed), of all folders */
};

static GHashTable *copy_names(GHashTable *names)
{
    GHashTableIter iter;
    void *name, *node;
    GHashTable *copy = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, &name, &node))
        g_hash_table_insert(copy, g_strdup(name), node);
    return copy;
}

PowerCut *power_cut_new(const PowerDisk *disk, PowerModel model, PowerHonesty honesty)
{
    PowerCut *cut = g_new0(PowerCut, 1);
    cut->disk = disk;
    cut->model = model;
    cut->honesty = honesty;
    cut->n_states = disk->nodes->len;
    cut->states = g_new0(State, cut->n_states);
    cut->pending_names = g_ptr_array_new();
    for (size_t i = 0; i < cut->n_states; i++) {
        const Node *node = disk->nodes->pdata[i];
        cut->states[i].pending = g_ptr_array_new();
        if (node->is_folder)
            cut->states[i].names = copy_names(node->names);
        else
            cut->states[i].bytes =
                g_byte_array_append(g_byte_array_new(), node->bytes->data, node->bytes->len);
    }
    return cut;
}

void power_cut_free(PowerCut *cut)
{
    if (cut == NULL)
        return;
    for (size_t i = 0; i < cut->n_states; i++) {
        g_clear_pointer(&cut->states[i].bytes, g_byte_array_unref);
        g_clear_pointer(&cut->states[i].names, g_hash_table_unref);
        g_ptr_array_unref(cut->states[i].pending);
    }
    g_free(cut->states);
    g_ptr_array_unref(cut->pending_names);
    g_free(cut);
}

/* New bytes are zeros. */
static void resize(GByteArray *bytes, gint64 size)
{
    guint before = bytes->len;
    g_byte_array_set_size(bytes, (guint)size);
    if (bytes->len > before)
        memset(bytes->data + before, 0, bytes->len - before);
}

static void copy_part(GByteArray *bytes, const Event *event, gint64 from, gint64 to)
{
    if (to > (gint64)bytes->len)
        resize(bytes, to);
    memcpy(bytes->data + from, event->bytes + (from - event->offset), (size_t)(to - from));
}

static void apply_bytes(GByteArray *bytes, const Event *event)
{
    if (event->kind == EVENT_WRITE && event->size > 0)
        copy_part(bytes, event, event->offset, event->offset + (gint64)event->size);
    else if (event->kind == EVENT_TRUNCATE ||
             (event->kind == EVENT_EXTEND && event->offset > (gint64)bytes->len))
        resize(bytes, event->offset);
}

static void apply_names(State *states, const Event *event)
{
    for (unsigned i = 0; i < event->n_changes; i++) {
        const Change *change = &event->changes[i];
        GHashTable *names = states[change->folder->number].names;
        if (change->node != NULL)
            g_hash_table_replace(names, g_strdup(change->name), change->node);
        else
            g_hash_table_remove(names, change->name);
    }
}

static void sync_names(PowerCut *cut, const Node *folder)
{
    guint kept = 0;
    for (guint i = 0; i < cut->pending_names->len; i++) {
        Event *event = cut->pending_names->pdata[i];
        if (cut->model == POWER_JOURNALED || event->changes[0].folder == folder)
            apply_names(cut->states, event);
        else
            cut->pending_names->pdata[kept++] = event;
    }
    g_ptr_array_set_size(cut->pending_names, (gint)kept);
}

static void sync_node(PowerCut *cut, const Node *node)
{
    State *state = &cut->states[node->number];
    if (cut->honesty == POWER_LIES || (cut->honesty == POWER_FORGETS_NAMES && node->is_folder))
        return;
    for (guint i = 0; i < state->pending->len; i++)
        apply_bytes(state->bytes, state->pending->pdata[i]);
    state->hashed = state->hashed && state->pending->len == 0;
    g_ptr_array_set_size(state->pending, 0);
    bool names_too =
        node->is_folder || (cut->model == POWER_JOURNALED && cut->honesty != POWER_FORGETS_NAMES);
    if (names_too)
        sync_names(cut, node);
}

void power_cut_advance(PowerCut *cut, size_t events)
{
    for (; cut->at < events; cut->at++) {
        Event *event = cut->disk->events->pdata[cut->at];
        if (event->kind == EVENT_SYNC)
            sync_node(cut, event->node);
        else if (event->kind == EVENT_NAMES)
            g_ptr_array_add(cut->pending_names, event);
        else
            g_ptr_array_add(cut->states[event->node->number].pending, event);
    }
}

/* ---- the fate of what was on the way ---- */

typedef enum { FATE_LOST, FATE_KEPT, FATE_FIRST, FATE_SUBSET, N_FATES } Fate;

typedef struct {
    guint64 random;
    bool one_fate; /* for everything on the disk */
    Fate fate;
} Draw;

static Fate draw_fate(Draw *draw)
{
    return draw->one_fate ? draw->fate : (Fate)power_below(&draw->random, N_FATES);
}

/* Some of its sectors. */
static void apply_torn(GByteArray *bytes, const Event *event, Draw *draw)
{
    gint64 unit = power_below(&draw->random, 2) == 0 ? SECTOR : PAGE;
    gint64 from = event->offset, end = event->offset + (gint64)event->size;
    bool longer = end > (gint64)bytes->len && power_below(&draw->random, 2) == 0;
    unsigned how = (unsigned)power_below(&draw->random, 3);
    gint64 n = (end - 1) / unit - from / unit + 1;
    gint64 border = (gint64)power_below(&draw->random, (guint64)n + 1);
    for (gint64 i = 0; i < n; i++) {
        gint64 to = MIN((from / unit + 1) * unit, end);
        bool kept = how == 0   ? i < border
                    : how == 1 ? i >= border
                               : power_below(&draw->random, 2) == 0;
        if (kept)
            copy_part(bytes, event, from, to);
        from = to;
    }
    if (longer && end > (gint64)bytes->len)
        resize(bytes, end);
}

static void apply_one(GByteArray *bytes, const Event *event, Fate fate, bool torn, Draw *draw)
{
    if (fate == FATE_LOST)
        return;
    if (torn && event->kind == EVENT_WRITE && event->size > 0)
        apply_torn(bytes, event, draw);
    else
        apply_bytes(bytes, event);
}

static void apply_fate(GByteArray *bytes, const GPtrArray *pending, Draw *draw)
{
    Fate fate = draw_fate(draw);
    guint border = (guint)power_below(&draw->random, pending->len + 1);
    for (guint i = 0; i < pending->len; i++) {
        const Event *event = pending->pdata[i];
        if (fate == FATE_FIRST)
            apply_one(bytes, event, i <= border ? FATE_KEPT : FATE_LOST, i == border, draw);
        else if (fate == FATE_SUBSET)
            apply_one(bytes, event, power_below(&draw->random, 2) == 0 ? FATE_LOST : FATE_KEPT,
                      power_below(&draw->random, 3) == 0, draw);
        else
            apply_one(bytes, event, fate, false, draw);
    }
}

static void apply_fate_of_names(PowerCut *cut, State *states, Draw *draw)
{
    Fate fate = draw_fate(draw);
    if (fate == FATE_SUBSET && cut->model == POWER_JOURNALED)
        fate = FATE_FIRST;
    guint border = (guint)power_below(&draw->random, cut->pending_names->len + 1);
    for (guint i = 0; i < cut->pending_names->len; i++)
        if (fate == FATE_KEPT || (fate == FATE_FIRST && i < border) ||
            (fate == FATE_SUBSET && power_below(&draw->random, 2) == 0))
            apply_names(states, cut->pending_names->pdata[i]);
}

/* ---- an image ---- */

typedef struct {
    char *path;
    bool is_folder;
    GByteArray *bytes;
    SyncdHash hash;
} File;

static void file_free(void *data)
{
    File *file = data;
    g_free(file->path);
    g_clear_pointer(&file->bytes, g_byte_array_unref);
    g_free(file);
}

void power_image_clear(PowerImage *image)
{
    g_clear_pointer(&image->files, g_ptr_array_unref);
}

static int by_path(gconstpointer a, gconstpointer b)
{
    return strcmp((*(File *const *)a)->path, (*(File *const *)b)->path);
}

static void draw_file(State *state, File *file, Draw *draw)
{
    if (!state->hashed) {
        state->hash = syncd_hash(state->bytes->data, state->bytes->len);
        state->hashed = true;
    }
    if (state->pending->len == 0) {
        file->bytes = g_byte_array_ref(state->bytes);
        file->hash = state->hash;
        return;
    }
    file->bytes = g_byte_array_append(g_byte_array_new(), state->bytes->data, state->bytes->len);
    apply_fate(file->bytes, state->pending, draw);
    file->hash = syncd_hash(file->bytes->data, file->bytes->len);
}

static void draw_folder(PowerCut *cut, State *states, const Node *folder, const char *path,
                        Draw *draw, GPtrArray *files)
{
    g_autoptr(GList) names =
        g_list_sort(g_hash_table_get_keys(states[folder->number].names), (GCompareFunc)strcmp);
    for (const GList *at = names; at != NULL; at = at->next) {
        const Node *node = g_hash_table_lookup(states[folder->number].names, at->data);
        File *file = g_new0(File, 1);
        file->path = path[0] != '\0' ? g_build_filename(path, at->data, NULL) : g_strdup(at->data);
        file->is_folder = node->is_folder;
        g_ptr_array_add(files, file);
        if (node->is_folder)
            draw_folder(cut, states, node, file->path, draw, files);
        else
            draw_file(&cut->states[node->number], file, draw);
    }
}

static SyncdHash hash_image(const GPtrArray *files)
{
    GByteArray *all = g_byte_array_new();
    for (guint i = 0; i < files->len; i++) {
        const File *file = files->pdata[i];
        if (g_str_has_suffix(file->path, "/" LOCK_NAME))
            continue;
        g_byte_array_append(all, (const guint8 *)file->path, (guint)strlen(file->path) + 1);
        if (!file->is_folder)
            g_byte_array_append(all, file->hash.bytes, sizeof file->hash.bytes);
    }
    SyncdHash hash = syncd_hash(all->data, all->len);
    g_byte_array_unref(all);
    return hash;
}

void power_cut_draw(PowerCut *cut, guint64 seed, PowerImage *ret_image)
{
    Draw draw = {.random = seed};
    draw.one_fate = power_below(&draw.random, 4) == 0;
    draw.fate = power_below(&draw.random, 2) == 0 ? FATE_LOST : FATE_KEPT;

    g_autofree State *states = g_memdup2(cut->states, cut->n_states * sizeof *states);
    for (size_t i = 0; i < cut->n_states; i++)
        if (states[i].names != NULL)
            states[i].names = copy_names(states[i].names);
    apply_fate_of_names(cut, states, &draw);

    ret_image->files = g_ptr_array_new_with_free_func(file_free);
    draw_folder(cut, states, cut->disk->nodes->pdata[0], "", &draw, ret_image->files);
    g_ptr_array_sort(ret_image->files, by_path);
    ret_image->hash = hash_image(ret_image->files);
    for (size_t i = 0; i < cut->n_states; i++)
        g_clear_pointer(&states[i].names, g_hash_table_unref);
}

void power_remove_tree(const char *path)
{
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_unlink(child) < 0)
            power_remove_tree(child);
    }
    g_rmdir(path);
}

static void put_file(const char *path, const GByteArray *bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, bytes->data, bytes->len), ==, bytes->len);
    g_assert_cmpint(close(fd), ==, 0);
}

void power_image_put(const PowerImage *image, const char *folder)
{
    power_remove_tree(folder);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    for (guint i = 0; i < image->files->len; i++) {
        const File *file = image->files->pdata[i];
        g_autofree char *path = g_build_filename(folder, file->path, NULL);
        if (file->is_folder)
            g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        else
            put_file(path, file->bytes);
    }
}

/* ---- is the recording whole? ---- */

static void compare_folder(const PowerDisk *disk, State *states, const Node *folder,
                           const char *path)
{
    guint n = 0;
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        const Node *node = g_hash_table_lookup(states[folder->number].names, name);
        if (node == NULL)
            g_error("%s was made unseen", child);
        n++;
        if (node->is_folder) {
            compare_folder(disk, states, node, child);
            continue;
        }
        g_autoptr(GByteArray) bytes = read_file(child);
        const GByteArray *known = states[node->number].bytes;
        if (bytes->len != known->len || memcmp(bytes->data, known->data, known->len) != 0)
            g_error("%s was changed unseen", child);
    }
    g_assert_cmpuint(n, ==, g_hash_table_size(states[folder->number].names));
}

void power_disk_stop(PowerDisk *disk)
{
    storage_unwatch();
    disk->recording = false;
    g_autoptr(PowerCut) cut = power_cut_new(disk, POWER_JOURNALED, POWER_HONEST);
    power_cut_advance(cut, disk->events->len);
    for (guint i = 0; i < disk->nodes->len; i++)
        sync_node(cut, disk->nodes->pdata[i]);
    compare_folder(disk, cut->states, disk->nodes->pdata[0], disk->folder);
}
