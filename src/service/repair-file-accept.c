/*
 * What is in a file becomes a version of it, as by `workspace accept`: the file stays as it is, and
 * what was recorded is an older version. The workspace reads it once more for that; when it is not
 * what the plan names by then, nothing of it is recorded by this.
 *
 * The way back writes the record of that version once more, as a further one, and that other bytes
 * were found in the file. Its content is that of the older version, as far as that is still kept;
 * of the file itself nothing is touched.
 */
#include "service/file-mismatch.h"
#include "service/repair-file.h"

static bool step(SyncdRepairAct *act, bool *ret_more, double *ret_progress, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileWork *work = syncd_repair_file_work(act);
    SyncdRepairFileNote note;
    SyncdJob *job = NULL;
    GError *problem = NULL;
    *ret_more = false;
    if (act->awaits != NULL)
        syncd_repair_file_take_job(act, true);
    if (!syncd_repair_file_note(act, &note))
        return syncd_repair_file_refuse(act, error);
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    SyncdFileNow now = syncd_repair_file_now(&file, &note);
    if (now == SYNCD_FILE_IS_FOUND)
        return true;
    if (work->tried)
        return syncd_repair_file_fail(act, error);
    if (now != SYNCD_FILE_DIFFERS || file.root == NULL)
        return syncd_repair_file_refuse(act, error);
    if (!syncd_file_accept(act->service, file.root, &act->caller, &file.row, &note.found, &job,
                           &problem))
        return syncd_repair_file_wait_if_busy(act, problem, ret_more, error);
    *ret_more = true;
    work->until = 0;
    act->awaits = g_strdup(syncd_job_id(job));
    return true;
}

static bool check(SyncdRepairAct *act, GError **error)
{
    SyncdRepairFileNote note;
    if (!syncd_repair_file_check(act, SYNCD_FILE_IS_FOUND, &note, error))
        return false;
    g_ptr_array_add(act->rebuilt,
                    g_strdup_printf("The record of %s, as what is in it", act->object));
    g_ptr_array_add(act->preserved, g_strdup_printf("%s itself, and version %" G_GUINT64_FORMAT
                                                    " of it as an older one",
                                                    act->object, note.version));
    return true;
}

/* ---- back ---- */

static bool undo(SyncdRepairAct *act, bool *ret_more, GError **error)
{
    g_auto(SyncdRepairFile) file = {.live = false};
    SyncdRepairFileNote note;
    *ret_more = false;
    syncd_repair_file_turn(act);
    if (!syncd_repair_file_note(act, &note))
        return true;
    if (!syncd_repair_file_find(act->service, act->object, &file, error))
        return false;
    SyncdFileNow now = syncd_repair_file_now(&file, &note);
    /* What a cancelled run has asked for may still come. */
    if (now == SYNCD_FILE_DIFFERS || now == SYNCD_FILE_IS_RECORDED)
        return syncd_repair_file_wait_for_rest(act, &file, ret_more, error);
    if (now == SYNCD_FILE_IS_OTHER || file.root == NULL) {
        syncd_repair_file_leave(act);
        return true;
    }
    return syncd_repair_file_write_back(act, &file, &note, ret_more, error);
}

const SyncdRepairKind syncd_repair_file_accept = {
    .name = "file-accept",
    .kind = "reconcile",
    .risk = "medium",
    .description =
        "Record the bytes that are in a file as a new version of it; the file stays as it "
        "is. Taking that back records the earlier version once more, with its bytes as "
        "far as they are still kept.",
    .expected_result = "The record of the file is what is in it.",
    .of_file = true,
    .begin = syncd_repair_file_begin,
    .step = step,
    .check = check,
    .undo = undo,
    .stop = syncd_repair_file_stop,
};
