/*
 * What repair asks of the store: files of its own, the index as something that can be set aside and
 * put back, and proofs that the log only grew.
 *
 * Names of files are those within the folder `repair` of the state directory. They are written
 * whatever is wrong with log and index, as that is when they are needed; of another machine's state
 * and of one that is only inspected nothing is written.
 */
#pragma once

#include "store/store.h"
#include "store/writing.h"

#define SYNCD_REPAIR_FILES_MAX 4096u

/* Published whole. The space set aside makes room for it. */
bool syncd_store_put_repair(SyncdStore *store, const char *name, SyncdBytes bytes, GError **error);
/* The same of what comes in pieces. */
SyncdWriting *syncd_store_begin_repair(SyncdStore *store, const char *name, GError **error);
bool syncd_store_add_repair(SyncdStore *store, SyncdWriting *writing, SyncdBytes piece,
                            GError **error);
/* What failed for want of room is worth trying once more: the space set aside was there, and is
 * given up. It is set aside again when the index is made, or at the next start. */
bool syncd_store_spend_reserve(SyncdStore *store, const GError *problem);
/* NotFound; the result ends in a NUL that is not counted. */
char *syncd_store_get_repair(SyncdStore *store, const char *name, size_t max, size_t *ret_size,
                             GError **error);
bool syncd_store_has_repair(SyncdStore *store, const char *name);
/* Durably; one that is not there is no error. */
bool syncd_store_remove_repair(SyncdStore *store, const char *name, GError **error);
/* The same of many (char *): they may be tens of thousands, and are not synced each. Those that are
 * left are for another step; `ret_more` NULL: there is none. */
#define SYNCD_REPAIR_REMOVED_AT_ONCE 256u
bool syncd_store_remove_repairs(SyncdStore *store, const GPtrArray *names, bool *ret_more,
                                GError **error);
bool syncd_store_rename_repair(SyncdStore *store, const char *from, const char *to, GError **error);
/* Names (char *) that are wanted, sorted: SYNCD_REPAIR_FILES_MAX of them at most, as what repairs
 * keep may be any number of files. */
bool syncd_store_list_repair(SyncdStore *store, bool (*is_wanted)(const char *name),
                             GPtrArray **ret_names, GError **error);

/* Removes all that is not a plan, its state or its report, or one of those that was set aside: what
 * repairs kept, whoever still knows of it. In steps, as above. */
bool syncd_store_remove_kept(SyncdStore *store, bool *ret_more, GError **error);
/* Tells of each of these files, as far as it can be told. */
void syncd_store_each_kept(SyncdStore *store, SyncdStoredFunc func, void *data);

/* ---- the index ---- */

/* Why the index that is there is of no use; NULL: it serves, or is being made. Borrowed. */
const GError *syncd_store_index_fault(const SyncdStore *store);

/* Of one that is of no use: why it stays so for now. It is what lookups say. */
void syncd_store_tell_index_problem(SyncdStore *store, const GError *problem);

/* Makes it anew, in steps, and keeps the one that was there under that name: with another file of
 * that name and "-wal" where it had a WAL, or, where none was there, an empty one with ".none".
 *
 * One that serves does so until another is whole; where it does not, lookups are Busy until then.
 * What a killed process has left of it is gone on with: the index that was there before all of that
 * is the one that is kept. `*ret_more` false: it is done. After an error the old one is kept or is
 * in its place, and undoing puts it there. */
bool syncd_store_step_index_repair(SyncdStore *store, const char *snapshot, bool *ret_more,
                                   double *ret_progress, GError **error);
/* Puts the one that was kept back, byte for byte, and opens it if it can be opened. What was kept
 * is not any more then. Does nothing where nothing was kept. */
bool syncd_store_undo_index_repair(SyncdStore *store, const char *snapshot, GError **error);
bool syncd_store_release_index_snapshot(SyncdStore *store, const char *snapshot, GError **error);

/* In what an index differed from the one that took its place (index-compare.c). */
typedef struct {
    const char *table; /* a constant */
    guint64 compared;  /* rows of the one or the other */
    guint64 wrong;     /* of these */
    bool unread;       /* the rest of it could not be read */
} SyncdIndexDifference;

/* SyncdIndexDifference of each table, of the repair that this process made last. NULL where it
 * served no more, so that nothing was compared. */
const GArray *syncd_store_index_differences(const SyncdStore *store);

/* Of the index and its WAL, as files; 0 for none. */
guint64 syncd_store_index_file_bytes(SyncdStore *store);

/* ---- the log ---- */

/* Whether a feed ("<device>/<scope>/<epoch>") of that size and root is a prefix of what it is now,
 * with the head of now and the proof (SyncdHash) of it. NotFound when there is no such feed any
 * more; a size that it no longer has does not hold. */
bool syncd_store_prove_prefix(SyncdStore *store, const char *feed, guint64 size,
                              const SyncdHash *root, bool *ret_holds, SyncdHead **ret_head,
                              GArray **ret_path, GError **error);
