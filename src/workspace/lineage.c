#include "service/announce.h"
#include "workspace/workspace-private.h"

typedef struct {
    guint64 id;
    SyncdHash path;     /* as announcements know it */
    bool going;         /* it is deleted, or a folder that it is in */
    char *announced;    /* who announced just that */
    const char *author; /* he, or who announced that of the innermost folder around it */
} Level;

struct SyncdLineage {
    SyncdWorkspace *workspace;
    GHashTable *moving;
    GArray *levels; /* Level, the workspace's own folder first */
    GHashTable *at; /* the number of a folder: its place among them, from 1 */
    guint64 climbed;
};

typedef struct {
    guint64 id;
    char *name;
    size_t name_size;
} Step;

static void clear_level(void *data)
{
    g_free(((Level *)data)->announced);
}

static void clear_step(void *data)
{
    g_free(((Step *)data)->name);
}

SyncdLineage *syncd_lineage_new(SyncdWorkspace *workspace, GHashTable *moving)
{
    SyncdLineage *self = g_new0(SyncdLineage, 1);
    self->workspace = workspace;
    self->moving = moving;
    self->levels = g_array_new(FALSE, FALSE, sizeof(Level));
    g_array_set_clear_func(self->levels, clear_level);
    self->at = g_hash_table_new(NULL, NULL);
    return self;
}

void syncd_lineage_free(SyncdLineage *self)
{
    if (self == NULL)
        return;
    g_array_unref(self->levels);
    g_hash_table_unref(self->at);
    g_free(self);
}

guint64 syncd_lineage_climbed(const SyncdLineage *self)
{
    return self->climbed;
}

/* ---- to another folder ---- */

static void leave(SyncdLineage *self, guint n)
{
    for (guint i = n; i < self->levels->len; i++)
        g_hash_table_remove(self->at, SYNCD_NUMBER(g_array_index(self->levels, Level, i).id));
    g_array_set_size(self->levels, n);
}

/* Who announced that it is deleted says nothing while it is there. */
static void enter(SyncdLineage *self, const Step *step)
{
    SyncdWorkspace *workspace = self->workspace;
    guint n = self->levels->len;
    const Level *around = n > 0 ? &g_array_index(self->levels, Level, n - 1) : NULL;
    void *id = SYNCD_NUMBER(step->id);
    Level level = {
        .id = step->id,
        .path = around != NULL
                    ? syncd_deed_step(&around->path, SYNCD_BYTES(step->name, step->name_size))
                    : syncd_deed_root(workspace->root->workspace),
        .going =
            !g_hash_table_contains(self->moving, id) &&
            ((around != NULL && around->going) || g_hash_table_contains(workspace->missing, id)),
    };
    if (level.going) {
        const SyncdHash digest = syncd_deed_deletion(&level.path);
        level.announced = syncd_service_find_announced(workspace->service, &digest);
        level.author = level.announced != NULL ? level.announced
                       : around != NULL        ? around->author
                                               : NULL;
    }
    g_array_append_val(self->levels, level);
    g_hash_table_insert(self->at, id, GUINT_TO_POINTER(n + 1));
}

/* The folders from `folder` up to one that is known, of which `*ret_n` are left. */
static bool climb(SyncdLineage *self, guint64 folder, GArray *steps, guint *ret_n, bool *ret_found,
                  GError **error)
{
    SyncdStore *store = syncd_service_store(self->workspace->service);
    SyncdFileRow row;
    for (guint64 at = folder; at != 0; at = row.folder) {
        *ret_n = GPOINTER_TO_UINT(g_hash_table_lookup(self->at, SYNCD_NUMBER(at)));
        if (*ret_n > 0)
            return true;
        self->climbed++;
        if (!syncd_store_find_file(store, at, &row, ret_found, error))
            return false;
        *ret_found = *ret_found && row.live && steps->len < SYNCD_WIRE_PATH_MAX;
        if (!*ret_found)
            return true;
        const Step step = {at, g_strdup(row.name), row.name_size};
        g_array_append_val(steps, step);
    }
    return true;
}

/* `*ret_found` false: it is not beneath the workspace any more. */
static bool go_to(SyncdLineage *self, guint64 folder, bool *ret_found, GError **error)
{
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(Step));
    guint n = 0;
    g_array_set_clear_func(steps, clear_step);
    *ret_found = true;
    if (!climb(self, folder, steps, &n, ret_found, error))
        return false;
    if (!*ret_found)
        return true;
    leave(self, n);
    for (guint i = steps->len; i-- > 0;)
        enter(self, &g_array_index(steps, Step, i));
    return true;
}

bool syncd_lineage_take(SyncdLineage *self, const SyncdFileRow *row, char **ret_author,
                        GError **error)
{
    bool found;
    *ret_author = NULL;
    if (!go_to(self, row->folder, &found, error))
        return false;
    if (!found || self->levels->len == 0)
        return true;
    const Level *in = &g_array_index(self->levels, Level, self->levels->len - 1);
    const SyncdHash path = syncd_deed_step(&in->path, SYNCD_BYTES(row->name, row->name_size));
    const SyncdHash digest = syncd_deed_deletion(&path);
    *ret_author = syncd_service_take_announced(self->workspace->service, &digest);
    if (*ret_author == NULL)
        *ret_author = g_strdup(in->author);
    return true;
}
