/*
 * The recorded bytes come back into a file that has others, as by `workspace restore`. What was in
 * it is nowhere else, perhaps: it is kept in the ledger's folder before it is replaced, so the way
 * back gives it back. Of what is too large for that, or is not kept itself, there is no such step.
 *
 * The workspace does it, whose reader alone touches the file; this waits for its job. Nothing is
 * in its place before that is kept, so without it there is nothing to be undone.
 */
#include "service/content-faults.h"
#include "service/repair-file.h"
#include "service/restore.h"
#include "store/chunks.h"
#include "store/repair-store.h"

#include <string.h>

#define FILES_MAX 128u /* of one plan */
#define LOOKED_MAX 10000u

/* ---- which ---- */

typedef struct {
    SyncdRepairNeeds *needs;
    GArray *rows; /* SyncdFileRow */
    guint max, looked;
    SyncdContentFaults faults; /* what cannot be had would keep all else from being done */
} Gathered;

bool syncd_repair_file_may_be_restored(const SyncdFileRow *row)
{
    return row->kept && row->mismatch.size <= SYNCD_RESTORE_KEPT_MAX &&
           syncd_restore_mode(row->mode) == row->mode;
}

static bool is_accepted(SyncdRepairNeeds *needs, const SyncdFileRow *row)
{
    char id[SYNCD_FILE_ID_SIZE];
    return needs->wish.accept != NULL &&
           syncd_store_file_id(needs->service->store, row->id, id, NULL) &&
           g_strv_contains(needs->wish.accept, id);
}

static bool gather(void *data, const SyncdFileRow *row)
{
    Gathered *gathered = data;
    if (!syncd_repair_file_may_be_restored(row) || is_accepted(gathered->needs, row) ||
        syncd_content_faults_hit(&gathered->faults, gathered->needs->service, row->id,
                                 row->version))
        return ++gathered->looked < LOOKED_MAX;
    if (gathered->rows->len < gathered->max)
        g_array_append_val(gathered->rows, *row);
    else
        gathered->needs->left_out++;
    return ++gathered->looked < LOOKED_MAX;
}

static guint count_needs(const SyncdRepairNeeds *needs)
{
    guint n = 0;
    for (guint i = 0; i < needs->needs->len; i++)
        n += ((const SyncdRepairNeed *)needs->needs->pdata[i])->kind == &syncd_repair_file_restore;
    return n;
}

static bool expand_restored(SyncdRepairNeeds *needs, const SyncdRoot *root, const SyncdFound *found,
                            GError **error)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(SyncdFileRow));
    Gathered gathered = {
        .needs = needs, .rows = rows, .max = FILES_MAX - MIN(FILES_MAX, count_needs(needs))};
    syncd_content_faults_gather(needs->service, &gathered.faults);
    bool walked = syncd_store_walk_mismatched(needs->service->store, root->scope_id, 0, gather,
                                              &gathered, error);
    syncd_content_faults_clear(&gathered.faults);
    if (!walked)
        return false;
    for (guint i = 0; i < rows->len; i++)
        if (!syncd_repair_file_need(needs, &syncd_repair_file_restore,
                                    &g_array_index(rows, SyncdFileRow, i), found, error))
            return false;
    return true;
}

/* Of those that a person wants recorded the ones in this workspace. */
static bool expand_accepted(SyncdRepairNeeds *needs, const SyncdRoot *root, const SyncdFound *found,
                            GError **error)
{
    for (guint i = 0; needs->wish.accept != NULL && needs->wish.accept[i] != NULL; i++) {
        g_auto(SyncdRepairFile) file = {.live = false};
        if (!syncd_repair_file_find(needs->service, needs->wish.accept[i], &file, error))
            return false;
        bool is = file.live && file.row.mismatched && file.root != NULL &&
                  strcmp(file.root->id, root->id) == 0;
        if (is &&
            !syncd_repair_file_need(needs, &syncd_repair_file_accept, &file.row, found, error))
            return false;
    }
    return true;
}

static bool expand(SyncdRepairNeeds *needs, const SyncdFound *found, GError **error)
{
    g_autoptr(GPtrArray) roots = NULL;
    if (!syncd_service_list_roots(needs->service, &roots, error))
        return false;
    for (guint i = 0; i < roots->len; i++) {
        const SyncdRoot *root = roots->pdata[i];
        if (g_strcmp0(root->id, found->object) == 0 &&
            syncd_repair_file_rest(needs->service, root) != SYNCD_FILE_UNWATCHED)
            return expand_accepted(needs, root, found, error) &&
                   expand_restored(needs, root, found, error);
    }
    return true;
}

/* What is kept, and the new file while the old one is there. */
static guint64 space(SyncdService *service, const char *target)
{
    g_auto(GStrv) parts = g_strsplit(target, "/", 3);
    g_auto(SyncdRepairFile) file = {.live = false};
    bool known = g_strv_length(parts) == 3 &&
                 syncd_repair_file_find(service, parts[1], &file, NULL) && file.live;
    return known ? file.row.mismatch.size + file.row.size : 0;
}

/* ---- what the workspace is to do ---- */

static char *snapshot_name(const SyncdRepairAct *act)
{
    return g_strconcat(act->snapshot, ".bytes", NULL);
}

static bool set_content(SyncdRestore *restore, SyncdStore *store, const SyncdFileRow *row,
                        GError **error)
{
    g_auto(SyncdContentRow) content = {0};
    bool found;
    if (!syncd_store_find_content(store, row->id, row->version, &content, &found, error))
        return false;
    if (!found || content.version != row->version) {
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND,
                        "What is recorded of it is not kept any more");
        return false;
    }
    restore->chunks = g_bytes_ref(content.chunks);
    return true;
}

static SyncdRestore *restore_of(const SyncdRepairAct *act, const SyncdRepairFile *file,
                                const SyncdRepairFileNote *note, bool back, GError **error)
{
    g_autoptr(SyncdRestore) restore = g_new0(SyncdRestore, 1);
    *restore = (SyncdRestore){
        .workspace = g_strdup(file->root->workspace),
        .from = g_strdup(act->object),
        .version = file->row.version,
        .modes = g_array_new(FALSE, FALSE, sizeof(guint32)),
        .mode = syncd_restore_mode(file->row.mode),
        /* The recorded time may be that of the bytes that were found, and would not tell that there
         * are others by now. */
        .mtime = back ? note->found_mtime : 0,
        .size = back ? note->found_size : note->size,
        .hash = back ? note->found : note->recorded,
        .over = true,
        .expected = back ? note->recorded : note->found,
        .caller = {.uid = act->caller.uid},
        .keep_as = back ? NULL : snapshot_name(act),
        .kept_as = back ? snapshot_name(act) : NULL,
    };
    SyncdStore *store = act->service->store;
    if (!syncd_restore_set_path(restore, store, &file->row, error) ||
        (!back && !set_content(restore, store, &file->row, error)))
        return NULL;
    return g_steal_pointer(&restore);
}

static bool check_watched(const SyncdRepairAct *act, const SyncdRepairFile *file, GError **error)
{
    if (file->root != NULL && !file->root->paused)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_ENGINE_DISABLED, "see how it is with `sourceos-syncd workspace list`",
        "The workspace of %s is paused, or has ended, and nothing in it is changed", act->object);
    return false;
}

/* After a start it may take a moment until anybody can. */
static bool begin_job(SyncdRepairAct *act, const SyncdRepairFile *file,
                      const SyncdRepairFileNote *note, bool back, GError **error)
{
    const SyncdListener *listener = &act->service->listener;
    if (!check_watched(act, file, error) ||
        !syncd_service_may_write_files(act->service, &act->caller, file->root->workspace, false,
                                       NULL, error))
        return false;
    SyncdRestore *restore =
        listener->restore != NULL ? restore_of(act, file, note, back, error) : NULL;
    if (listener->restore == NULL)
        return syncd_repair_file_wait(act, error);
    if (restore == NULL)
        return false;
    SyncdJob *job = listener->restore(listener->data, file->root->id, restore, act->caller.uid);
    if (job == NULL)
        return syncd_repair_file_wait(act, error);
    syncd_repair_file_work(act)->until = 0;
    act->awaits = g_strdup(syncd_job_id(job));
    return true;
}

/* ---- forward ---- */

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    SyncdRepairFileNote note;
    *ret_more = true;
    if (act->awaits != NULL)
        syncd_repair_file_take_job(act, false);
    if (!syncd_repair_file_note(act, &note))
        return syncd_repair_file_refuse(act, error);
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    SyncdFileNow now = syncd_repair_file_now(&file, &note);
    if (now == SYNCD_FILE_IS_RECORDED) {
        *ret_more = false;
        return true;
    }
    if (work->tried)
        return syncd_repair_file_fail(act, error);
    return now == SYNCD_FILE_DIFFERS ? begin_job(act, &file, &note, false, error)
                                     : syncd_repair_file_refuse(act, error);
}

static bool check(SyncdRepairAct *act, GError **error)
{
    SyncdRepairFileNote note;
    if (!syncd_repair_file_check(act, SYNCD_FILE_IS_RECORDED, &note, error))
        return false;
    g_ptr_array_add(act->rebuilt, g_strdup_printf("%s, with the bytes of its version "
                                                  "%" G_GUINT64_FORMAT,
                                                  act->object, note.version));
    g_ptr_array_add(act->preserved, g_strdup_printf("What was in %s before", act->object));
    return true;
}

/* ---- back ---- */

static bool release(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_autofree char *name = snapshot_name(act),
                    *part = g_strconcat(name, SYNCD_WRITING_SUFFIX, NULL);
    return syncd_store_remove_repair(act->service->store, part, error) &&
           syncd_store_remove_repair(act->service->store, name, error);
}

static bool undo_kept(SyncdRepairAct *act, const SyncdRepairFile *file,
                      const SyncdRepairFileNote *note, bool *ret_more, GError **error)
{
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    SyncdFileNow now = syncd_repair_file_now(file, note);
    bool is_back = now == SYNCD_FILE_IS_FOUND || now == SYNCD_FILE_DIFFERS;
    bool stays = now == SYNCD_FILE_IS_OTHER || file->root == NULL;
    *ret_more = true;
    /* That they are back may be what is known of the time before: whoever looks finds out. */
    if (!stays && !work->tried)
        return begin_job(act, file, note, true, error);
    if (!stays && !is_back)
        return syncd_repair_file_fail(act, error);
    if (stays)
        syncd_repair_file_leave(act);
    /* It was put in its place and its process ended: then it was taken for a change. */
    *ret_more = false;
    if (now == SYNCD_FILE_IS_FOUND &&
        (!syncd_repair_file_write_back(act, file, note, ret_more, error) || *ret_more))
        return *ret_more;
    return release(act, ret_more, error);
}

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    g_autofree char *name = snapshot_name(act);
    SyncdRepairFileNote note;
    *ret_more = false;
    syncd_repair_file_turn(act);
    if (act->awaits != NULL)
        syncd_repair_file_take_job(act, false);
    if (!syncd_repair_file_note(act, &note))
        return true;
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    /* Nothing was kept; but what a cancelled run has asked for may still come. */
    return syncd_store_has_repair(act->service->store, name)
               ? undo_kept(act, &file, &note, ret_more, error)
               : syncd_repair_file_wait_for_rest(act, &file, ret_more, error);
}

const SyncdRepairKind syncd_repair_file_restore = {
    .name = "file-restore",
    .kind = "restore",
    .risk = "medium",
    .description = "Put the bytes that are recorded of a file back into it; those that are in it "
                   "are kept aside, and stay under any other name that it has (a hard link). Its "
                   "time is then that of the repair, until it is taken back.",
    .expected_result = "The file has the bytes of its record.",
    .of_file = true,
    .expand = expand,
    .space = space,
    .begin = syncd_repair_file_begin,
    .step = step,
    .check = check,
    .undo = undo,
    .release = release,
    .stop = syncd_repair_file_stop,
};
