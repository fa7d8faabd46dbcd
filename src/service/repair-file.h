/*
 * Files of workspaces whose bytes are not what is recorded: what the two ways out have in common
 * (repair-file-restore.c, repair-file-accept.c).
 *
 * The target of such a step is "file/<id>/<digest>", of the bytes that were found: of others it is
 * not the same plan any more. What a step was begun with is its note.
 */
#pragma once

#include "service/files.h"
#include "service/repair-kinds.h"

typedef struct {
    SyncdFileRow row;
    bool live;             /* it exists, and is a file */
    const SyncdRoot *root; /* NULL: its directory is no workspace any more */
    GPtrArray *roots;
} SyncdRepairFile;

bool syncd_repair_file_find(SyncdService *service, const char *id, SyncdRepairFile *ret_file,
                            GError **error);
void syncd_repair_file_clear(SyncdRepairFile *file);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdRepairFile, syncd_repair_file_clear)

typedef enum {
    SYNCD_FILE_UNWATCHED, /* nobody looks whether it is there … */
    SYNCD_FILE_AT_WORK,   /* … somebody does, and is not through … */
    SYNCD_FILE_AT_REST,   /* … or is */
} SyncdFileRest;

SyncdFileRest syncd_repair_file_rest(const SyncdService *service, const SyncdRoot *root);

/* What is recorded is kept, what is there can be, and no program would be given back the rights of
 * another user. */
bool syncd_repair_file_may_be_restored(const SyncdFileRow *row);

/* Adds a step for the file. */
bool syncd_repair_file_need(SyncdRepairNeeds *needs, const SyncdRepairKind *kind,
                            const SyncdFileRow *row, const SyncdFound *found, GError **error);

/* What there was when the step was begun. */
typedef struct {
    guint64 version; /* that is recorded … */
    guint64 size;
    gint64 mtime;
    SyncdHash recorded;
    guint64 found_size; /* … and what is in the file */
    gint64 found_mtime;
    SyncdHash found;
} SyncdRepairFileNote;

/* Notes it. PlanStale when it is not what the plan says any more. */
bool syncd_repair_file_begin(SyncdRepairAct *act, GError **error);
/* False: it was never begun. */
bool syncd_repair_file_note(const SyncdRepairAct *act, SyncdRepairFileNote *ret_note);

typedef enum {
    SYNCD_FILE_IS_RECORDED, /* as it was recorded when the step was begun */
    SYNCD_FILE_IS_FOUND,    /* it has the bytes that were found: they are recorded … */
    SYNCD_FILE_DIFFERS,     /* … or still are not */
    SYNCD_FILE_IS_OTHER,    /* it was changed or deleted since */
} SyncdFileNow;

SyncdFileNow syncd_repair_file_now(const SyncdRepairFile *file, const SyncdRepairFileNote *note);

/* Whether it is that, with what was noted. PlanStale where it is not. */
bool syncd_repair_file_check(const SyncdRepairAct *act, SyncdFileNow wanted,
                             SyncdRepairFileNote *ret_note, GError **error);

/* It goes on in a moment; Busy when that has been so for too long. */
bool syncd_repair_file_wait(SyncdRepairAct *act, GError **error);
/* Until its workspace is at rest, where anybody looks after it. */
bool syncd_repair_file_wait_for_rest(SyncdRepairAct *act, const SyncdRepairFile *file,
                                     bool *ret_more, GError **error);
/* What came of the job that it waited for, where the file says that it was not done: the error is
 * that of the step. `accepts`: what is there was to be recorded, and not the other way. */
void syncd_repair_file_take_job(SyncdRepairAct *act, bool accepts);
bool syncd_repair_file_fail(SyncdRepairAct *act, GError **error);
/* The same where that is the problem, which is taken; else it is the error. */
bool syncd_repair_file_wait_if_busy(SyncdRepairAct *act, GError *problem, bool *ret_more,
                                    GError **error);
/* Of one whose record says what was found: it says again what the note does, and that there are
 * other bytes. Waits until its workspace is at rest. */
bool syncd_repair_file_write_back(SyncdRepairAct *act, const SyncdRepairFile *file,
                                  const SyncdRepairFileNote *note, bool *ret_more, GError **error);
/* Changed meanwhile: PlanStale. */
bool syncd_repair_file_refuse(const SyncdRepairAct *act, GError **error);
/* What is there now stays, and the report says so. */
void syncd_repair_file_leave(SyncdRepairAct *act);

/* `act->data`. */
typedef struct {
    guint64 until; /* monotonic: it waits no longer; 0: it does not wait */
    bool tried;    /* what came of the job that it began is known: */
    GError *error;
    bool back; /* this is the way back */
} SyncdRepairFileWork;

SyncdRepairFileWork *syncd_repair_file_work(SyncdRepairAct *act);
/* From here on it is the way back: it has tried nothing yet. */
void syncd_repair_file_turn(SyncdRepairAct *act);
void syncd_repair_file_stop(SyncdRepairAct *act);
