#include "power-disk-private.h"

#include <glib/gstdio.h>
#include <string.h>

GHashTable *power_copy_names(GHashTable *names)
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
    cut->states = g_new0(PowerState, cut->n_states);
    cut->pending_names = g_ptr_array_new();
    cut->half_synced = g_hash_table_new(g_direct_hash, g_direct_equal);
    for (size_t i = 0; i < cut->n_states; i++) {
        const PowerNode *node = disk->nodes->pdata[i];
        cut->states[i].pending = g_ptr_array_new();
        cut->states[i].look = node->look;
        if (node->is_folder)
            cut->states[i].names = power_copy_names(node->names);
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
    g_hash_table_unref(cut->half_synced);
    g_free(cut);
}

/* New bytes are zeros. */
void power_resize(GByteArray *bytes, gint64 size)
{
    guint before = bytes->len;
    g_byte_array_set_size(bytes, (guint)size);
    if (bytes->len > before)
        memset(bytes->data + before, 0, bytes->len - before);
}

void power_look_again(PowerLook *look, const PowerLook *later)
{
    if (later->changed >= look->changed)
        *look = *later;
}

void power_apply_part(GByteArray *bytes, const PowerEvent *event, gint64 from, gint64 to)
{
    if (to > (gint64)bytes->len)
        power_resize(bytes, to);
    memcpy(bytes->data + from, event->bytes + (from - event->offset), (size_t)(to - from));
}

void power_apply_bytes(GByteArray *bytes, const PowerEvent *event)
{
    if (event->kind == POWER_EVENT_WRITE && event->size > 0)
        power_apply_part(bytes, event, event->offset, event->offset + (gint64)event->size);
    else if (event->kind == POWER_EVENT_TRUNCATE ||
             (event->kind == POWER_EVENT_EXTEND && event->offset > (gint64)bytes->len))
        power_resize(bytes, event->offset);
}

void power_apply_names(PowerState *states, const PowerEvent *event)
{
    for (unsigned i = 0; i < event->n_changes; i++) {
        const PowerChange *change = &event->changes[i];
        GHashTable *names = states[change->folder->number].names;
        if (change->node == NULL) {
            g_hash_table_remove(names, change->name);
            continue;
        }
        g_hash_table_replace(names, g_strdup(change->name), change->node);
        power_look_again(&states[change->node->number].look, &change->look);
    }
}

/* Whether all that the event changes is durable once this folder is synced, too. */
static bool is_durable_with(PowerCut *cut, PowerEvent *event, const PowerNode *folder)
{
    const PowerNode *from = event->changes[0].folder;
    const PowerNode *to = event->changes[event->n_changes - 1].folder;
    if (cut->model == POWER_JOURNALED || (from == to && from == folder))
        return true;
    if (folder != from && folder != to)
        return false;
    const PowerNode *other = g_hash_table_lookup(cut->half_synced, event);
    g_hash_table_insert(cut->half_synced, event, (void *)folder);
    return other != NULL && other != folder;
}

static void sync_names(PowerCut *cut, const PowerNode *folder)
{
    guint kept = 0;
    for (guint i = 0; i < cut->pending_names->len; i++) {
        PowerEvent *event = cut->pending_names->pdata[i];
        if (is_durable_with(cut, event, folder))
            power_apply_names(cut->states, event);
        else
            cut->pending_names->pdata[kept++] = event;
    }
    g_ptr_array_set_size(cut->pending_names, (gint)kept);
}

static bool is_of_state(const PowerNode *node)
{
    return g_str_has_prefix(node->label, POWER_STATE);
}

static bool does_nothing(const PowerCut *cut, const PowerNode *node)
{
    switch (cut->honesty) {
    case POWER_HONEST:
    case POWER_FORGETS_LOOKS:
        return false;
    case POWER_LIES:
        return true;
    case POWER_FORGETS_NAMES:
        return node->is_folder;
    case POWER_FORGETS_FILES:
        return !node->is_folder && strstr(node->label, ".db") == NULL;
    case POWER_FORGETS_OTHER_NAMES:
        return node->is_folder && !is_of_state(node);
    case POWER_FORGETS_OTHER_FILES:
        return !node->is_folder && !is_of_state(node);
    }
    g_assert_not_reached();
}

static void sync_node(PowerCut *cut, const PowerNode *node)
{
    PowerState *state = &cut->states[node->number];
    guint kept = 0;
    if (does_nothing(cut, node))
        return;
    for (guint i = 0; i < state->pending->len; i++) {
        PowerEvent *event = state->pending->pdata[i];
        if (cut->honesty == POWER_FORGETS_LOOKS && event->kind == POWER_EVENT_LOOK) {
            state->pending->pdata[kept++] = event;
            continue;
        }
        power_apply_bytes(state->bytes, event);
        power_look_again(&state->look, &event->look);
    }
    state->hashed = state->hashed && state->pending->len == 0;
    g_ptr_array_set_size(state->pending, (gint)kept);
    bool names_too =
        node->is_folder || (cut->model == POWER_JOURNALED && cut->honesty != POWER_FORGETS_NAMES);
    if (names_too)
        sync_names(cut, node);
}

void power_cut_advance(PowerCut *cut, size_t events)
{
    for (; cut->at < events; cut->at++) {
        PowerEvent *event = cut->disk->events->pdata[cut->at];
        if (event->kind == POWER_EVENT_SYNC)
            sync_node(cut, event->node);
        else if (event->kind == POWER_EVENT_NAMES)
            g_ptr_array_add(cut->pending_names, event);
        else
            g_ptr_array_add(cut->states[event->node->number].pending, event);
    }
}

bool power_cut_has_names(const PowerCut *cut)
{
    return cut->pending_names->len > 0;
}

/* ---- is the recording whole? ---- */

/* Times are another matter: those of a folder follow its names. */
static void assert_look(const char *path, const PowerLook *known)
{
    GStatBuf st;
    g_assert_cmpint(g_lstat(path, &st), ==, 0);
    if ((st.st_mode & 07777u) != known->mode || st.st_uid != known->owner)
        g_error("%s got another mode or owner unseen", path);
}

static void compare_folder(const PowerDisk *disk, PowerState *states, const PowerNode *folder,
                           const char *path)
{
    guint n = 0;
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        const PowerNode *node = g_hash_table_lookup(states[folder->number].names, name);
        if (node == NULL)
            g_error("%s was made unseen", child);
        n++;
        assert_look(child, &states[node->number].look);
        if (node->is_folder) {
            compare_folder(disk, states, node, child);
            continue;
        }
        g_autoptr(GByteArray) bytes = power_read_file(child);
        const GByteArray *known = states[node->number].bytes;
        if (bytes->len != known->len ||
            (known->len > 0 && memcmp(bytes->data, known->data, known->len) != 0))
            g_error("%s was changed unseen", child);
    }
    g_assert_cmpuint(n, ==, g_hash_table_size(states[folder->number].names));
}

void power_disk_assert_whole(const PowerDisk *disk)
{
    g_autoptr(PowerCut) cut = power_cut_new(disk, POWER_JOURNALED, POWER_HONEST);
    power_cut_advance(cut, disk->events->len);
    for (guint i = 0; i < disk->nodes->len; i++)
        sync_node(cut, disk->nodes->pdata[i]);
    compare_folder(disk, cut->states, disk->nodes->pdata[0], disk->folder);
}
