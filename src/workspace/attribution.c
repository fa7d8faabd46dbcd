/* Who did what was found: an agent who announced exactly that; whose instance it is, where nothing
 * says otherwise; nobody who can be named, where the file is another user's. */
#include "service/announce.h"
#include "workspace/workspace-private.h"

#include <string.h>

static char *join(const char *folder, SyncdBytes name)
{
    const SyncdFolder in = {.path = (char *)folder};
    return syncd_folder_path(&in, name);
}

static SyncdBytes name_of(const SyncdFileRow *row)
{
    return SYNCD_BYTES(row->name, row->name_size);
}

/* ---- what was announced ---- */

static char *take(SyncdWorkspace *self, SyncdDeed deed, const char *path)
{
    deed.path = SYNCD_BYTES_TEXT(path);
    const SyncdHash digest = syncd_deed_digest(self->root->workspace, &deed);
    return syncd_service_take_announced(self->service, &digest);
}

/* That it is there, as it is now. */
static char *take_presence(SyncdWorkspace *self, const SyncdFileChange *change, const char *path)
{
    if (change->kind == SYNCD_FILE_FOLDER)
        return take(self, (SyncdDeed){.kind = SYNCD_DEED_FOLDER}, path);
    return change->hashed
               ? take(self, (SyncdDeed){.kind = SYNCD_DEED_WRITE, .hash = change->hash}, path)
               : NULL;
}

/* `*ret_path` NULL: it has none any more. */
static bool find_path(SyncdWorkspace *self, const SyncdFileRow *row, char **ret_path,
                      GError **error)
{
    SyncdFolder folder;
    bool found;
    *ret_path = NULL;
    if (!syncd_workspace_find_folder(self, row->folder, &folder, &found, error))
        return false;
    if (!found)
        return true;
    *ret_path = join(folder.path, name_of(row));
    syncd_folder_clear(&folder);
    return true;
}

static char *take_rename(SyncdWorkspace *self, const char *from, const char *to)
{
    return take(self, (SyncdDeed){.kind = SYNCD_DEED_RENAME, .to = SYNCD_BYTES_TEXT(to)}, from);
}

/* Of a change of nothing but its mode nobody says whose it is. */
static bool take_change(SyncdWorkspace *self, const SyncdFileRow *row,
                        const SyncdFileChange *change, const char *path, char **ret_author,
                        GError **error)
{
    g_autofree char *before = NULL;
    if (!find_path(self, row, &before, error))
        return false;
    bool moved = g_strcmp0(before, path) != 0;
    bool same = row->live && row->hashed == change->hashed &&
                (!row->hashed || syncd_hash_equal(&row->hash, &change->hash));
    if (!same || moved)
        *ret_author = take_presence(self, change, path);
    if (same && moved && before != NULL && *ret_author == NULL)
        *ret_author = take_rename(self, before, path);
    return true;
}

/* ---- what says otherwise ---- */

static char *by_owner(SyncdWorkspace *self, const SyncdFileStat *stat)
{
    return stat->uid == syncd_service_owner(self->service)
               ? NULL
               : g_strdup(syncd_service_nobody(self->service));
}

bool syncd_workspace_record_new(SyncdWorkspace *self, const char *folder, SyncdFileChange *change,
                                const SyncdFileStat *stat, SyncdKept *kept, const char *path,
                                GError **error)
{
    g_autofree char *author = NULL;
    if (syncd_service_has_announcements(self->service)) {
        g_autofree char *own = join(folder, change->name);
        author = take_presence(self, change, own);
    }
    if (author == NULL)
        author = by_owner(self, stat);
    return syncd_recorder_create(self->recorder, author, change, stat, kept, path, error);
}

static bool find_author(SyncdWorkspace *self, const char *folder, guint64 file,
                        const SyncdFileChange *change, char **ret_author, GError **error)
{
    SyncdFileRow row;
    bool found;
    if (!syncd_service_has_announcements(self->service))
        return true;
    if (!syncd_store_find_file(syncd_service_store(self->service), file, &row, &found, error))
        return false;
    g_autofree char *path = join(folder, change->name);
    return !found || take_change(self, &row, change, path, ret_author, error);
}

bool syncd_workspace_record_change(SyncdWorkspace *self, const char *folder, guint64 file,
                                   SyncdFileChange *change, const SyncdFileStat *stat,
                                   SyncdKept *kept, GError **error)
{
    g_autofree char *author = NULL;
    if (!find_author(self, folder, file, change, &author, error)) {
        syncd_kept_free(kept);
        return false;
    }
    if (author == NULL)
        author = by_owner(self, stat);
    return syncd_recorder_change(self->recorder, author, file, change, stat, kept, error);
}

/* Whose it was says nothing of who deleted it. */
bool syncd_workspace_record_deleted(SyncdWorkspace *self, SyncdLineage *lineage,
                                    const SyncdFileRow *row, GError **error)
{
    g_autofree char *author = NULL;
    if (syncd_service_has_announcements(self->service) &&
        !syncd_lineage_take(lineage, row, &author, error))
        return false;
    return syncd_recorder_delete(self->recorder, author, row->id, error);
}
