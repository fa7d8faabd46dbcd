#include "workspace/workspace-private.h"

#include <errno.h>
#include <string.h>

#define UNREAD_MAX 1024u /* files of one folder that are read one by one */
/* Content of what may have come from elsewhere waits in memory; beyond, it is read once more. */
#define HELD_MAX (16u * 1024u * 1024u)

typedef struct {
    SyncdWorkspace *workspace;
    SyncdQuestion *question;
    const SyncdWireMessage *found;
    SyncdStore *store;
    bool hashed;
    SyncdHash hash;
    SyncdKept **kept; /* what it points to is taken by whoever needs it */
} Comparison;

static SyncdFileChange change_of(const Comparison *at)
{
    return syncd_file_change(&at->found->stat, SYNCD_BYTES_TEXT(at->question->folder.object),
                             at->found->name, at->found->target, at->hashed ? &at->hash : NULL);
}

static bool is_list(const Comparison *at)
{
    return at->question->type == SYNCD_WIRE_LIST;
}

static void note_present(const Comparison *at, guint64 file)
{
    if (is_list(at))
        g_array_append_val(at->question->found, file);
}

/* ---- what is new there ---- */

static SyncdKept *hold_content(const Comparison *at)
{
    SyncdWorkspace *workspace = at->workspace;
    size_t weight = syncd_kept_weight(*at->kept);
    if (g_hash_table_size(workspace->arrivals) == 0)
        workspace->held = 0;
    if (workspace->held + weight > HELD_MAX) {
        syncd_workspace_add_later(workspace, at->question->folder.id, at->found->name);
        return NULL;
    }
    workspace->held += weight;
    return g_steal_pointer(at->kept);
}

/* It is judged when all is known. */
static void add_arrival(const Comparison *at, bool unread, bool replaces)
{
    const SyncdWireMessage *found = at->found;
    SyncdArrival *arrival = g_new(SyncdArrival, 1);
    *arrival = (SyncdArrival){
        .folder = syncd_folder_copy(&at->question->folder),
        .name = {g_memdup2(found->name.data, found->name.size), found->name.size},
        .target = {g_memdup2(found->target.data, found->target.size), found->target.size},
        .stat = found->stat,
        .hashed = at->hashed,
        .hash = at->hash,
        .kept = hold_content(at),
        .unread = unread,
        .replaces = replaces,
    };
    g_hash_table_replace(at->workspace->arrivals,
                         syncd_name_new(at->question->folder.id, found->name), arrival);
}

static bool take_first(void *data, const SyncdFileRow *row)
{
    *(bool *)data = true;
    return false;
}

/* That inode is something in the workspace already, or was. */
static bool is_known(const Comparison *at, bool *ret_is, GError **error)
{
    *ret_is = false;
    return syncd_store_walk_seen(at->store, at->workspace->root->scope_id, at->found->stat.device,
                                 at->found->stat.inode, take_first, ret_is, error);
}

static bool take_new(const Comparison *at, bool replaces, GError **error)
{
    bool known;
    if (!is_known(at, &known, error))
        return false;
    if (known || replaces) {
        add_arrival(at, false, replaces);
        return true;
    }
    SyncdFileChange change = change_of(at);
    g_autofree char *path = change.kind == SYNCD_FILE_FOLDER
                                ? syncd_folder_path(&at->question->folder, at->found->name)
                                : NULL;
    return syncd_workspace_record_new(at->workspace, at->question->folder.path, &change,
                                      &at->found->stat, g_steal_pointer(at->kept), path, error);
}

/* ---- what was there ---- */

static bool is_as_seen(const SyncdFileRow *row, const SyncdFileStat *stat)
{
    SyncdFileSeen seen = syncd_file_seen(stat);
    return row->seen && memcmp(&row->at_sight, &seen, sizeof seen) == 0;
}

/* Where times are whole seconds, what was written in the same one looks the same. */
static bool is_unchanged(const Comparison *at, const SyncdFileRow *row)
{
    const SyncdFileStat *stat = &at->found->stat;
    return is_as_seen(row, stat) &&
           (is_list(at) || at->question->deep || stat->ctime % G_GINT64_CONSTANT(1000000000) != 0);
}

/* It was not read with that version, or there was no room, and there is now. What has other bytes
 * than its record has not the content of that. */
static bool lacks_content(const Comparison *at, const SyncdFileRow *row)
{
    const SyncdFileStat *stat = &at->found->stat;
    return stat->kind == SYNCD_FILE_REGULAR && !row->kept && !row->mismatched &&
           syncd_keeping_wants(at->workspace->keeping, stat->size);
}

static bool is_same_content(const Comparison *at, const SyncdFileRow *row)
{
    return row->hashed == at->hashed && (!at->hashed || syncd_hash_equal(&row->hash, &at->hash));
}

/* By a scan always; else when it is another folder by the same name, may be read at last, or is no
 * longer watched. */
static bool must_look_into(const Comparison *at, const SyncdFileRow *row)
{
    const SyncdFileStat *stat = &at->found->stat;
    return stat->kind == SYNCD_FILE_FOLDER &&
           ((is_list(at) && !at->question->folder.hashing) || !row->seen || row->ignored ||
            row->at_sight.inode != stat->inode || row->at_sight.born != stat->born ||
            row->mode != stat->mode ||
            g_hash_table_contains(at->workspace->unlinked, SYNCD_NUMBER(row->id)));
}

static bool look_into(const Comparison *at, const SyncdFileRow *row, GError **error)
{
    char object[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(at->store, row->id, object, error))
        return false;
    g_autofree char *path = syncd_folder_path(&at->question->folder, at->found->name);
    syncd_workspace_add_folder(at->workspace, row->id, object, path, false);
    return true;
}

static bool look_at_link(void *data, const SyncdFileRow *row)
{
    syncd_workspace_add_name(data, row->folder, SYNCD_BYTES(row->name, row->name_size), false);
    return true;
}

/* A file with several names is told of by the one that it was written through. */
static bool look_at_links(const Comparison *at, const SyncdFileRow *row, GError **error)
{
    const SyncdFileStat *stat = &at->found->stat;
    return stat->kind != SYNCD_FILE_REGULAR || stat->links < 2 || is_list(at) ||
           !g_hash_table_add(at->workspace->linked, SYNCD_NUMBER(stat->inode)) ||
           syncd_store_walk_seen(at->store, at->workspace->root->scope_id, row->at_sight.device,
                                 row->at_sight.inode, look_at_link, at->workspace, error);
}

static bool take_known(const Comparison *at, const SyncdFileRow *row, GError **error)
{
    const SyncdFileStat *stat = &at->found->stat;
    if (must_look_into(at, row) && !look_into(at, row, error))
        return false;
    bool brings = !row->kept && *at->kept != NULL && (*at->kept)->chunks != NULL;
    if (!row->ignored && row->mode == stat->mode && is_same_content(at, row) && !brings) {
        SyncdFileSeen seen = syncd_file_seen(stat);
        if (!is_as_seen(row, stat))
            syncd_store_see_file(at->store, row->id, 0, &seen);
        return true;
    }
    SyncdFileChange change = change_of(at);
    return look_at_links(at, row, error) &&
           syncd_workspace_record_change(at->workspace, at->question->folder.path, row->id, &change,
                                         stat, g_steal_pointer(at->kept), error);
}

/* ---- what cannot be recorded ---- */

/* Some of it passes by itself. What was there before stays as it was. */
static void note_trouble(const Comparison *at)
{
    static const guint32 passing[] = {EAGAIN, ENOMEM, EMFILE, ENFILE};
    SyncdWorkspace *workspace = at->workspace;
    guint64 folder = at->question->folder.id;
    for (size_t i = 0; i < G_N_ELEMENTS(passing); i++)
        if (at->found->error == passing[i])
            syncd_workspace_add_later(workspace, folder, at->found->name);
    g_hash_table_add(workspace->troubles, syncd_name_new(folder, at->found->name));
}

typedef enum { RECORDED, SKIPPED, TROUBLE, GONE } Sort;

static Sort sort(const SyncdWireMessage *found)
{
    if (found->error == ENOENT)
        return GONE;
    if (found->error == EXDEV || found->stat.kind == SYNCD_FILE_SPECIAL)
        return SKIPPED;
    bool unread = found->stat.kind == SYNCD_FILE_REGULAR && found->error != 0;
    return found->error == 0 || unread ? RECORDED : TROUBLE;
}

/* ---- one name ---- */

/* What is by that name in the log, or was until it was ignored. */
static bool find_row(const Comparison *at, SyncdFileRow *ret_row, bool *ret_is, GError **error)
{
    guint64 folder = at->question->folder.id;
    *ret_is = false;
    return at->question->folder.fresh ||
           (syncd_store_find_file_in(at->store, folder, at->found->name, ret_row, ret_is, error) &&
            (*ret_is || syncd_store_find_ignored_in(at->store, folder, at->found->name, ret_row,
                                                    ret_is, error)));
}

static bool must_be_read(const Comparison *at, const SyncdFileRow *row)
{
    return at->found->stat.kind == SYNCD_FILE_REGULAR && !at->hashed &&
           !(row != NULL && is_unchanged(at, row) && !lacks_content(at, row));
}

/* An index that was made anew does not know how anything was seen; the record has size and time. */
static bool is_as_recorded(const SyncdFileRow *row, const SyncdFileStat *stat)
{
    return !row->seen && row->size == stat->size && row->mtime == stat->mtime;
}

/* It was read, and nobody changed it since, but it has other bytes than its record. */
static bool is_mismatch(const Comparison *at, const SyncdFileRow *row)
{
    return (at->found->flags & SYNCD_WIRE_HASHED) != 0 && row->hashed &&
           (is_unchanged(at, row) || is_as_recorded(row, &at->found->stat)) &&
           !syncd_hash_equal(&row->hash, &at->found->hash);
}

bool syncd_file_is_mismatch(const SyncdFileRow *row, const SyncdHash *hash)
{
    return row->mismatched && syncd_hash_equal(hash, &row->mismatch.hash);
}

/* What was found before, perhaps by another name, mode or time by now. */
static bool is_known_mismatch(const Comparison *at, const SyncdFileRow *row)
{
    const SyncdWireMessage *found = at->found;
    return (found->flags & SYNCD_WIRE_HASHED) != 0 && syncd_file_is_mismatch(row, &found->hash);
}

/* It is no change that anybody made: what is recorded stays, and that it is not there is recorded
 * beside it. */
static bool check_record(Comparison *at, const SyncdFileRow *row, GError **error)
{
    const SyncdWireMessage *found = at->found;
    bool known = is_known_mismatch(at, row), is = known || is_mismatch(at, row);
    bool ends = row->mismatched && (found->flags & SYNCD_WIRE_HASHED) != 0 && row->hashed &&
                syncd_hash_equal(&row->hash, &found->hash);
    if (is) {
        at->hashed = true;
        at->hash = row->hash;
        g_clear_pointer(at->kept, syncd_kept_free);
        at->workspace->standing.deep.differing += at->question->deep && at->workspace->deep != NULL;
    }
    bool told = known && found->stat.mtime == row->mismatch.mtime;
    return told || (!is && !ends) ||
           syncd_recorder_check(at->workspace->recorder, row->id, &found->stat, &found->hash,
                                error);
}

/* What can be said of its content: of a file its digest, of a symlink that of where it leads. */
static void know_content(Comparison *at, const SyncdFileRow *row)
{
    const SyncdWireMessage *found = at->found;
    if (found->stat.kind == SYNCD_FILE_SYMLINK) {
        at->hashed = true;
        at->hash = syncd_hash(found->target.data, found->target.size);
    } else if ((found->flags & SYNCD_WIRE_HASHED) != 0) {
        at->hashed = true;
        at->hash = found->hash;
    } else if (row != NULL && is_unchanged(at, row) && !lacks_content(at, row)) {
        at->hashed = row->hashed;
        at->hash = row->hash;
    }
}

/* A name of a folder waits for the next pass, in which it is looked at for itself. */
static void read_it(const Comparison *at)
{
    if (!is_list(at))
        syncd_workspace_look(at->workspace, &at->question->folder, at->found->name, true);
    else if (++at->question->unread <= UNREAD_MAX)
        syncd_workspace_add_name(at->workspace, at->question->folder.id, at->found->name, true);
}

static bool take_recorded(Comparison *at, const SyncdFileRow *row, bool replaces, GError **error)
{
    know_content(at, row);
    if (at->question->deep && at->found->error != 0) {
        note_trouble(at);
        return true;
    }
    if (must_be_read(at, row)) {
        /* The reader leaves out what it knows to be ignored, a moment longer perhaps. */
        bool asked = (at->question->hashing && !is_list(at)) || at->found->error != 0;
        asked ? note_trouble(at) : read_it(at);
        /* It may have been renamed all the same. */
        if (asked && row == NULL)
            add_arrival(at, true, replaces);
        return true;
    }
    syncd_names_remove(at->workspace->troubles, at->question->folder.id, at->found->name);
    if (row == NULL)
        return take_new(at, replaces, error);
    if (syncd_workspace_accepts(at->workspace, at->question, row, at->found)) {
        syncd_workspace_accept(at->workspace, row, at->found, g_steal_pointer(at->kept));
        return true;
    }
    return check_record(at, row, error) && take_known(at, row, error);
}

/* It is there, and that is all that is known of it. */
static void pass_over(const Comparison *at, const SyncdFileRow *row)
{
    SyncdWorkspace *workspace = at->workspace;
    guint64 folder = at->question->folder.id;
    at->question->ignored++;
    syncd_names_remove(workspace->troubles, folder, at->found->name);
    syncd_names_remove(workspace->arrivals, folder, at->found->name);
    if (row == NULL)
        return;
    note_present(at, row->id);
    g_hash_table_remove(workspace->missing, SYNCD_NUMBER(row->id));
    if (row->live)
        g_hash_table_add(workspace->ignoring, SYNCD_NUMBER(row->id));
}

/* What is not as it was seen last has its turn like all that changes; it need not be read twice
 * then. Whoever restores may ask so without such a scan. */
bool syncd_workspace_compare_deep(SyncdWorkspace *workspace, SyncdQuestion *question,
                                  const SyncdWireMessage *found, GError **error)
{
    SyncdKept *nothing = NULL;
    SyncdFileRow row;
    bool is;
    if (!syncd_store_find_file_in(syncd_service_store(workspace->service), question->folder.id,
                                  found->name, &row, &is, error))
        return false;
    if (is && found->stat.kind == SYNCD_FILE_REGULAR && is_as_seen(&row, &found->stat)) {
        bool is_read = (found->flags & SYNCD_WIRE_HASHED) != 0 && workspace->deep != NULL;
        workspace->standing.deep.files += is_read;
        workspace->standing.deep.bytes += is_read ? row.size : 0;
        return syncd_workspace_compare(workspace, question, found, &nothing, error);
    }
    syncd_workspace_add_name(workspace, question->folder.id, found->name, false);
    return true;
}

bool syncd_workspace_compare(SyncdWorkspace *workspace, SyncdQuestion *question,
                             const SyncdWireMessage *found, SyncdKept **kept, GError **error)
{
    Comparison at = {.workspace = workspace,
                     .question = question,
                     .found = found,
                     .store = syncd_service_store(workspace->service),
                     .kept = kept};
    SyncdFileRow row;
    Sort what = sort(found);
    bool is;
    if (!find_row(&at, &row, &is, error))
        return false;
    bool same = is && (found->stat.kind == 0 || found->stat.kind == row.kind);
    bool stays = same && what != GONE;
    bool ignored = what != GONE && syncd_workspace_ignores(workspace, &question->folder,
                                                           found->name, found->stat.kind);
    if (ignored && (same || !is)) {
        pass_over(&at, same ? &row : NULL);
        return true;
    }
    if (stays) {
        note_present(&at, row.id);
        g_hash_table_remove(workspace->missing, SYNCD_NUMBER(row.id));
        g_hash_table_remove(workspace->ignoring, SYNCD_NUMBER(row.id));
    } else if (is) {
        g_hash_table_add(workspace->missing, SYNCD_NUMBER(row.id));
    }
    syncd_names_remove(workspace->arrivals, question->folder.id, found->name);
    if (ignored) {
        pass_over(&at, NULL);
        return true;
    }
    switch (what) {
    case GONE:
        syncd_names_remove(workspace->troubles, question->folder.id, found->name);
        return true;
    case SKIPPED:
        workspace->standing.skipped += is_list(&at);
        return true;
    case TROUBLE:
        note_trouble(&at);
        return true;
    case RECORDED:
        return take_recorded(&at, stays ? &row : NULL, is && !stays, error);
    }
    g_assert_not_reached();
}

/* ---- the end of a folder ---- */

typedef struct {
    SyncdWorkspace *workspace;
    const SyncdFolder *folder;
    const GArray *found; /* sorted */
} Lacking;

static int compare_ids(const void *a, const void *b)
{
    guint64 left = *(const guint64 *)a, right = *(const guint64 *)b;
    return (left > right) - (left < right);
}

static bool add_lacking(void *data, const SyncdFileRow *row)
{
    const Lacking *lacking = data;
    if (!g_array_binary_search((GArray *)lacking->found, &row->id, compare_ids, NULL))
        g_hash_table_add(lacking->workspace->missing, SYNCD_NUMBER(row->id));
    return true;
}

/* While it is ignored nobody knows. */
static bool add_lacking_again(void *data, const SyncdFileRow *row)
{
    const Lacking *lacking = data;
    return syncd_workspace_ignores(lacking->workspace, lacking->folder,
                                   SYNCD_BYTES(row->name, row->name_size), row->kind) ||
           add_lacking(data, row);
}

static bool find_lacking(SyncdWorkspace *self, SyncdQuestion *question, GError **error)
{
    SyncdStore *store = syncd_service_store(self->service);
    Lacking lacking = {self, &question->folder, question->found};
    g_array_sort(question->found, compare_ids);
    return syncd_store_walk_folder(store, question->folder.id, add_lacking, &lacking, error) &&
           syncd_store_walk_ignored(store, question->folder.id, add_lacking_again, &lacking, error);
}

/* The folder that it was in says so. */
static bool is_gone(guint32 problem)
{
    static const guint32 gone[] = {ENOENT, ENOTDIR, ELOOP, EXDEV};
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        if (problem == gone[i])
            return true;
    return false;
}

void syncd_workspace_end_look_deep(SyncdWorkspace *self, const SyncdQuestion *question,
                                   guint32 problem)
{
    if (problem != 0 && problem != ECANCELED && !is_gone(problem))
        g_hash_table_add(self->troubles, syncd_name_new(question->folder.id, SYNCD_BYTES_TEXT("")));
}

static bool end_without_list(SyncdWorkspace *self, const SyncdFolder *folder, guint32 problem,
                             GError **error)
{
    g_hash_table_remove(self->listed, SYNCD_NUMBER(folder->id));
    if (is_gone(problem))
        return true;
    g_hash_table_add(self->troubles, syncd_name_new(folder->id, SYNCD_BYTES_TEXT("")));
    return problem == EACCES || syncd_workspace_add_unlinked(self, folder->id, true, error);
}

/* Nobody says what its own mode is, as it has no name in a folder. */
static bool compare_own(SyncdWorkspace *self, const SyncdFolder *folder, const SyncdFileStat *stat,
                        GError **error)
{
    SyncdFileRow row;
    bool found;
    if (!syncd_store_find_file(syncd_service_store(self->service), folder->id, &row, &found, error))
        return false;
    if (!found || row.mode == stat->mode)
        return true;
    SyncdFileChange change = syncd_file_change(stat, SYNCD_BYTES_TEXT(""), SYNCD_BYTES_TEXT(""),
                                               SYNCD_BYTES_TEXT(""), NULL);
    return syncd_workspace_record_change(self, "", row.id, &change, stat, NULL, error);
}

bool syncd_workspace_end_list(SyncdWorkspace *self, SyncdQuestion *question,
                              const SyncdWireMessage *done, GError **error)
{
    SyncdFolder *folder = &question->folder;
    self->standing.folders++;
    self->standing.unwatched |= (done->flags & SYNCD_WIRE_UNWATCHED) != 0;
    if (done->error != 0)
        return end_without_list(self, folder, done->error, error);
    syncd_names_remove(self->troubles, folder->id, SYNCD_BYTES_TEXT(""));
    syncd_workspace_count_ignored(self, folder->id, question->ignored);
    if (question->unread > UNREAD_MAX) {
        SyncdFolder again = syncd_folder_copy(folder);
        again.hashing = true;
        g_array_append_val(self->next_folders, again);
    }
    if (folder->fresh)
        return true;
    return (*folder->path != '\0' || compare_own(self, folder, &done->stat, error)) &&
           ((done->flags & SYNCD_WIRE_UNTOLD) != 0 || find_lacking(self, question, error));
}
