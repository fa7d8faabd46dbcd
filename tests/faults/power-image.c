#include "power-disk-private.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LOCK_NAME "lock"
#define SECTOR 512u
#define PAGE 4096u
#define NSEC_PER_SEC G_GINT64_CONSTANT(1000000000)

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

/* ---- the fate of what was on the way ---- */

typedef struct {
    char *path;
    bool is_folder;
    const PowerNode *node;
    PowerLook look;
    GByteArray *bytes;
    SyncdHash hash;
} File;

typedef enum { FATE_LOST, FATE_KEPT, FATE_FIRST, FATE_SUBSET, N_FATES } Fate;

typedef struct {
    guint64 random;
    bool one_fate; /* for everything on the disk */
    Fate fate;
    GHashTable *drawn; /* PowerNode -> the File that it was drawn as */
} Draw;

static Fate draw_fate(Draw *draw)
{
    return draw->one_fate ? draw->fate : (Fate)power_below(&draw->random, N_FATES);
}

/* Some of its sectors. */
static void apply_torn(GByteArray *bytes, const PowerEvent *event, Draw *draw)
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
            power_apply_part(bytes, event, from, to);
        from = to;
    }
    if (longer && end > (gint64)bytes->len)
        power_resize(bytes, end);
}

static void apply_one(File *file, const PowerEvent *event, Fate fate, bool torn, Draw *draw)
{
    if (fate == FATE_LOST)
        return;
    if (torn && event->kind == POWER_EVENT_WRITE && event->size > 0)
        apply_torn(file->bytes, event, draw);
    else
        power_apply_bytes(file->bytes, event);
    power_look_again(&file->look, &event->look);
}

static void apply_by_chance(File *file, const PowerEvent *event, Draw *draw)
{
    bool kept = power_below(&draw->random, 2) == 0;
    bool torn = power_below(&draw->random, 3) == 0;
    apply_one(file, event, kept ? FATE_KEPT : FATE_LOST, torn, draw);
}

static void apply_fate(File *file, const GPtrArray *pending, Draw *draw)
{
    Fate fate = draw_fate(draw);
    guint border = (guint)power_below(&draw->random, pending->len + 1);
    for (guint i = 0; i < pending->len; i++) {
        const PowerEvent *event = pending->pdata[i];
        if (fate == FATE_FIRST)
            apply_one(file, event, i <= border ? FATE_KEPT : FATE_LOST, i == border, draw);
        else if (fate == FATE_SUBSET)
            apply_by_chance(file, event, draw);
        else
            apply_one(file, event, fate, false, draw);
    }
}

static void apply_fate_of_names(PowerCut *cut, PowerState *states, Draw *draw)
{
    Fate fate = draw_fate(draw);
    if (fate == FATE_SUBSET && cut->model == POWER_JOURNALED)
        fate = FATE_FIRST;
    guint border = (guint)power_below(&draw->random, cut->pending_names->len + 1);
    for (guint i = 0; i < cut->pending_names->len; i++)
        if (fate == FATE_KEPT || (fate == FATE_FIRST && i < border) ||
            (fate == FATE_SUBSET && power_below(&draw->random, 2) == 0))
            power_apply_names(states, cut->pending_names->pdata[i]);
}

/* ---- an image ---- */

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

static void draw_bytes(PowerState *state, File *file, Draw *draw)
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
    apply_fate(file, state->pending, draw);
    file->hash = syncd_hash(file->bytes->data, file->bytes->len);
}

/* What has several names is one file. */
static void draw_file(PowerCut *cut, File *file, Draw *draw)
{
    const File *same = g_hash_table_lookup(draw->drawn, file->node);
    if (same == NULL) {
        draw_bytes(&cut->states[file->node->number], file, draw);
        g_hash_table_insert(draw->drawn, (void *)file->node, file);
        return;
    }
    file->bytes = g_byte_array_ref(same->bytes);
    file->hash = same->hash;
    file->look = same->look;
}

static void draw_folder(PowerCut *cut, PowerState *states, const PowerNode *folder,
                        const char *path, Draw *draw, GPtrArray *files)
{
    g_autoptr(GList) names =
        g_list_sort(g_hash_table_get_keys(states[folder->number].names), (GCompareFunc)strcmp);
    for (const GList *at = names; at != NULL; at = at->next) {
        const PowerNode *node = g_hash_table_lookup(states[folder->number].names, at->data);
        File *file = g_new0(File, 1);
        file->path = path[0] != '\0' ? g_build_filename(path, at->data, NULL) : g_strdup(at->data);
        file->is_folder = node->is_folder;
        file->node = node;
        file->look = states[node->number].look;
        g_ptr_array_add(files, file);
        if (!node->is_folder) {
            draw_file(cut, file, draw);
            continue;
        }
        apply_fate(file, states[node->number].pending, draw);
        draw_folder(cut, states, node, file->path, draw, files);
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
        g_byte_array_append(all, (const guint8 *)&file->look.mode, sizeof file->look.mode);
        g_byte_array_append(all, (const guint8 *)&file->look.owner, sizeof file->look.owner);
        if (!file->is_folder)
            g_byte_array_append(all, file->hash.bytes, sizeof file->hash.bytes);
    }
    SyncdHash hash = syncd_hash(all->data, all->len);
    g_byte_array_unref(all);
    return hash;
}

void power_cut_draw(PowerCut *cut, guint64 seed, PowerImage *ret_image)
{
    g_autoptr(GHashTable) drawn = g_hash_table_new(NULL, NULL);
    Draw draw = {.random = seed, .drawn = drawn};
    draw.one_fate = power_below(&draw.random, 4) == 0;
    draw.fate = power_below(&draw.random, 2) == 0 ? FATE_LOST : FATE_KEPT;

    g_autofree PowerState *states = g_memdup2(cut->states, cut->n_states * sizeof *states);
    for (size_t i = 0; i < cut->n_states; i++)
        if (states[i].names != NULL)
            states[i].names = power_copy_names(states[i].names);
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

/* Its mode last: another owner takes some of it away. */
static void put_look(const char *path, const PowerLook *look)
{
    if (look->owner != geteuid())
        g_assert_cmpint(lchown(path, look->owner, (gid_t)-1), ==, 0);
    g_assert_cmpint(g_chmod(path, (int)look->mode), ==, 0);
}

static void put_file(const char *path, const File *file)
{
    const gint64 at = file->look.modified;
    const struct timespec times[] = {{.tv_nsec = UTIME_NOW},
                                     {at / NSEC_PER_SEC, at % NSEC_PER_SEC}};
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(write(fd, file->bytes->data, file->bytes->len), ==, file->bytes->len);
    put_look(path, &file->look);
    g_assert_cmpint(futimens(fd, times), ==, 0);
    g_assert_cmpint(close(fd), ==, 0);
}

static void put_folder(const char *path, const File *file)
{
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
    put_look(path, &file->look);
}

void power_image_put(const PowerImage *image, const char *folder)
{
    g_autoptr(GHashTable) names = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    power_remove_tree(folder);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    for (guint i = 0; i < image->files->len; i++) {
        const File *file = image->files->pdata[i];
        const char *other = g_hash_table_lookup(names, file->node);
        char *path = g_build_filename(folder, file->path, NULL);
        if (file->is_folder)
            put_folder(path, file);
        else if (other != NULL)
            g_assert_cmpint(link(other, path), ==, 0);
        else
            put_file(path, file);
        g_hash_table_insert(names, (void *)file->node, path);
    }
}

const char *power_image_find(const PowerImage *image, guint64 inode, gint64 born,
                             gint64 *ret_changed)
{
    for (guint i = 0; i < image->files->len; i++) {
        const File *file = image->files->pdata[i];
        if (file->node->inode != inode || (born != 0 && file->node->born != born))
            continue;
        *ret_changed = file->look.changed;
        return file->path;
    }
    return NULL;
}
