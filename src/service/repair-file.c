#include "service/repair-file.h"

#include "service/hindrance.h"

#include <stdio.h>
#include <string.h>

#define MOMENT_USEC (G_USEC_PER_SEC / 10)
#define PATIENCE_USEC (60u * (guint64)G_USEC_PER_SEC)

/* ---- which file ---- */

void syncd_repair_file_clear(SyncdRepairFile *self)
{
    g_clear_pointer(&self->roots, g_ptr_array_unref);
}

static const SyncdRoot *root_of(const GPtrArray *roots, SyncdBytes scope)
{
    for (guint i = 0; i < roots->len; i++)
        if (syncd_bytes_are(scope, ((const SyncdRoot *)roots->pdata[i])->scope_id))
            return roots->pdata[i];
    return NULL;
}

bool syncd_repair_file_find(SyncdService *service, const char *id, SyncdRepairFile *ret_file,
                            GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    g_auto(SyncdEntry) entry = {0};
    SyncdStore *store = service->store;
    guint64 number;
    bool found = false;
    if (!syncd_service_list_roots(service, &file.roots, error) ||
        !syncd_store_find_file_id(store, id, &number, error) ||
        (number != 0 && !syncd_store_find_file(store, number, &file.row, &found, error)) ||
        (found && !syncd_store_read(store, syncd_file_place_pos(number), &entry, error)))
        return false;
    file.live = found && file.row.live && file.row.kind == SYNCD_FILE_REGULAR;
    file.root = found ? root_of(file.roots, entry.header.scope) : NULL;
    *ret_file = file;
    file.roots = NULL;
    return true;
}

SyncdFileRest syncd_repair_file_rest(const SyncdService *service, const SyncdRoot *root)
{
    const SyncdListener *listener = &service->listener;
    SyncdRootStanding standing;
    if (root == NULL || root->paused)
        return SYNCD_FILE_UNWATCHED;
    if (listener->standing == NULL)
        return SYNCD_FILE_AT_REST;
    if (!listener->standing(listener->data, root->id, &standing))
        return SYNCD_FILE_UNWATCHED;
    if (strcmp(standing.state, "scanning") == 0)
        return SYNCD_FILE_AT_WORK;
    if (strcmp(standing.state, "watching") != 0)
        return SYNCD_FILE_UNWATCHED;
    return standing.waiting > 0 ? SYNCD_FILE_AT_WORK : SYNCD_FILE_AT_REST;
}

static char *target_of(const char *id, const SyncdHash *found)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(found, digits);
    return g_strdup_printf("file/%s/%s", id, digits);
}

bool syncd_repair_file_need(SyncdRepairNeeds *needs, const SyncdRepairKind *kind,
                            const SyncdFileRow *row, const SyncdFound *found, GError **error)
{
    char id[SYNCD_FILE_ID_SIZE];
    if (!syncd_store_file_id(needs->service->store, row->id, id, error))
        return false;
    g_autofree char *target = target_of(id, &row->mismatch.hash);
    syncd_repair_need(needs, kind, target, id, found);
    return true;
}

/* ---- what there was ---- */

#define NOTE                                                                                       \
    "%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %64s"                        \
    " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %64s"

static void write_note(SyncdRepairAct *act, const SyncdFileRow *row)
{
    char recorded[SYNCD_HASH_HEX_SIZE], found[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(&row->hash, recorded);
    syncd_hash_to_hex(&row->mismatch.hash, found);
    g_autofree char *note = g_strdup_printf(NOTE, row->version, row->size, row->mtime, recorded,
                                            row->mismatch.size, row->mismatch.mtime, found);
    syncd_repair_act_note(act, note);
}

bool syncd_repair_file_note(const SyncdRepairAct *act, SyncdRepairFileNote *ret_note)
{
    char recorded[SYNCD_HASH_HEX_SIZE], found[SYNCD_HASH_HEX_SIZE];
    return act->note != NULL &&
           sscanf(act->note, NOTE, &ret_note->version, &ret_note->size, &ret_note->mtime, recorded,
                  &ret_note->found_size, &ret_note->found_mtime, found) == 7 &&
           syncd_hash_from_hex(recorded, strlen(recorded), &ret_note->recorded) &&
           syncd_hash_from_hex(found, strlen(found), &ret_note->found);
}

/* What was noted before a crash is what there was. */
bool syncd_repair_file_begin(SyncdRepairAct *act, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    if (act->note != NULL)
        return true;
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    g_autofree char *target = target_of(act->object, &file.row.mismatch.hash);
    if (!file.live || !file.row.mismatched || strcmp(target, act->target) != 0)
        return syncd_repair_file_refuse(act, error);
    write_note(act, &file.row);
    return true;
}

SyncdFileNow syncd_repair_file_now(const SyncdRepairFile *file, const SyncdRepairFileNote *note)
{
    const SyncdFileRow *row = &file->row;
    if (!file->live || !row->hashed)
        return SYNCD_FILE_IS_OTHER;
    if (row->mismatched)
        return syncd_hash_equal(&row->mismatch.hash, &note->found) &&
                       syncd_hash_equal(&row->hash, &note->recorded)
                   ? SYNCD_FILE_DIFFERS
                   : SYNCD_FILE_IS_OTHER;
    if (syncd_hash_equal(&row->hash, &note->recorded))
        return SYNCD_FILE_IS_RECORDED;
    return syncd_hash_equal(&row->hash, &note->found) ? SYNCD_FILE_IS_FOUND : SYNCD_FILE_IS_OTHER;
}

bool syncd_repair_file_check(const SyncdRepairAct *act, SyncdFileNow wanted,
                             SyncdRepairFileNote *ret_note, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    if (!syncd_repair_file_note(act, ret_note))
        return syncd_repair_file_refuse(act, error);
    return syncd_repair_file_find(act->service, act->object, &file, error) &&
           (syncd_repair_file_now(&file, ret_note) == wanted ||
            syncd_repair_file_refuse(act, error));
}

/* ---- while it goes on ---- */

SyncdRepairFileWork *syncd_repair_file_work(SyncdRepairAct *act)
{
    if (act->data == NULL)
        act->data = g_new0(SyncdRepairFileWork, 1);
    return act->data;
}

void syncd_repair_file_stop(SyncdRepairAct *act)
{
    SyncdRepairFileWork *work = act->data;
    if (work == NULL)
        return;
    g_clear_error(&work->error);
    g_clear_pointer(&act->data, g_free);
}

void syncd_repair_file_turn(SyncdRepairAct *act)
{
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    if (work->back)
        return;
    g_clear_error(&work->error);
    *work = (SyncdRepairFileWork){.back = true};
}

static const char *doing_of(bool accepts)
{
    return accepts ? "Recording" : "Restoring";
}

/* Its message names the path, which is not for logs and reports. */
static void take_problem(SyncdRepairAct *act, bool accepts, const GError *problem, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    const char *words = syncd_hindrance(problem);
    bool known =
        syncd_repair_file_find(act->service, act->object, &file, NULL) && file.root != NULL;
    g_autofree char *next =
        g_strdup_printf("see what is in the way with `sourceos-syncd workspace %s %s`",
                        accepts ? "accept" : "restore", act->object);
    syncd_set_error_next(error, syncd_error_info_of(problem)->code, next,
                         "%s the file %s of %s failed: %s", doing_of(accepts), act->object,
                         known ? file.root->workspace : "a directory that is no workspace any more",
                         words != NULL ? words
                                       : "something in its directory could not be read or written");
}

void syncd_repair_file_take_job(SyncdRepairAct *act, bool accepts)
{
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    const SyncdJob *job = syncd_service_find_job(act->service, act->awaits);
    const GError *problem = job != NULL ? syncd_job_error(job) : NULL;
    g_clear_pointer(&act->awaits, g_free);
    g_clear_error(&work->error);
    work->tried = true;
    if (g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_STALE_DIGEST))
        syncd_repair_file_refuse(act, &work->error);
    else if (problem != NULL)
        take_problem(act, accepts, problem, &work->error);
    else
        syncd_set_error(&work->error, SYNCD_ERROR_CANCELLED, "%s %s was ended", doing_of(accepts),
                        act->object);
}

bool syncd_repair_file_fail(SyncdRepairAct *act, GError **error)
{
    g_propagate_error(error, g_steal_pointer(&syncd_repair_file_work(act)->error));
    return false;
}

bool syncd_repair_file_wait_for_rest(SyncdRepairAct *act, const SyncdRepairFile *file,
                                     bool *ret_more, GError **error)
{
    *ret_more = syncd_repair_file_rest(act->service, file->root) == SYNCD_FILE_AT_WORK;
    return !*ret_more || syncd_repair_file_wait(act, error);
}

bool syncd_repair_file_wait(SyncdRepairAct *act, GError **error)
{
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    guint64 now = syncd_service_monotonic(act->service);
    if (work->until == 0)
        work->until = now + PATIENCE_USEC;
    if (now < work->until) {
        act->not_before = now + MOMENT_USEC;
        return true;
    }
    syncd_set_error_next(error, SYNCD_ERROR_BUSY,
                         "see how it is with `sourceos-syncd workspace list`, and try again",
                         "The workspace of %s was not at rest for a minute", act->object);
    return false;
}

bool syncd_repair_file_refuse(const SyncdRepairAct *act, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_PLAN_STALE,
                         "plan again with `sourceos-syncd repair plan`",
                         "%s was changed or deleted since it was found", act->object);
    return false;
}

void syncd_repair_file_leave(SyncdRepairAct *act)
{
    g_ptr_array_add(act->preserved,
                    g_strdup_printf("%s as it is now: since the repair it was changed, deleted, "
                                    "or ceased to be in a workspace, so it is not put back",
                                    act->object));
}
