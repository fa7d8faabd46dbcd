/*
 * A log that lost its end: entries that were acknowledged are not in journal.db any more, as its
 * WAL was removed or an older copy was put in its place. By itself such a log is sound. It is found
 * at the open by what knows more: an index that was made from the same log and is ahead of it
 * (which projects only what is durable, so that no crash makes one), verified.json, ended.json,
 * the signed heads at the last clean end, and epochs.json (store/epochs.h).
 *
 * What is found is kept in rolled-back.json before the index is made anew, so it is not forgotten.
 * It ends when the newer log is back, or when a person adopts what is left.
 */
#pragma once

#include "store/index.h"
#include "store/journal.h"
#include "store/store.h"

typedef struct {
    guint64 known;    /* the log had so many entries at least; 0: nobody knows any more */
    char *operation;  /* the last of them; NULL: not known … */
    guint64 ms;       /* … and its time; 0 */
    char *evidence;   /* what says so: "index.db", "verified.json", "ended.json", "epochs.json" */
    GPtrArray *feeds; /* what was known of each … */
    guint64 gone;     /* … and of so many there is nothing left */
    bool kept;        /* in the file that remembers it */
} SyncdRollback;

/* NULL: it did not. */
const SyncdRollback *syncd_store_rollback(const SyncdStore *store);
guint64 syncd_store_n_rolled_back(const SyncdStore *store); /* entries that are missing */
/* What is missing, or some of it, lies in the WAL behind a place that is damaged. */
bool syncd_store_wal_has_more(const SyncdStore *store);
/* A sentence (char *) about each feed of which entries are missing. */
GPtrArray *syncd_store_feeds_rolled_back(const SyncdStore *store);

/* ---- within the store ---- */

void syncd_rollback_free(SyncdRollback *rollback);
/* What was found earlier, and what verified.json and ended.json say. Writes nothing where the state
 * is only inspected. */
void syncd_store_look_for_rollback(SyncdStore *store);
/* Whether an index that does not fit knows more of this log. False when that could not be kept:
 * then the index must stay as it is. */
bool syncd_store_look_at_index_ahead(SyncdStore *store, SyncdIndex *index, GError **error);
/* Before an older journal, `from`, takes the place of one that is gone: unless the index has
 * exactly as much, nobody knows what is missing, and that is kept. */
bool syncd_store_doubt_end(SyncdStore *store, SyncdJournal *journal, const char *from,
                           GError **error);
/* Nothing is written to what lost its end, until somebody decides. */
void syncd_store_judge_rollback(SyncdStore *store);
/* At a clean end. */
void syncd_store_keep_end(SyncdStore *store);
/* Once the adoption is durable. What cannot be removed is when it is opened again. */
void syncd_store_end_rollback(SyncdStore *store);
