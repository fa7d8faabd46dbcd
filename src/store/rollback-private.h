/* What finds that a log lost its end, shared by the files that make it up. */
#pragma once

#include "base/json.h"
#include "store/journal.h"
#include "store/rollback.h"

#define SYNCD_ROLLBACK_FILE "rolled-back.json"
#define SYNCD_VERIFIED_FILE "verified.json"
#define SYNCD_END_FILE "ended.json"
#define SYNCD_WAL_FILE SYNCD_JOURNAL_FILE "-wal"

typedef struct {
    char *feed;
    guint64 size;
    SyncdHash root;
} SyncdKnownFeed;

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRollback, syncd_rollback_free)

/* rollback-kept.c */
SyncdRollback *syncd_rollback_new(guint64 known, const char *evidence);
void syncd_rollback_add(SyncdRollback *rollback, const char *feed, guint64 size,
                        const SyncdHash *root);
/* Writes it to the file that remembers it. */
bool syncd_rollback_keep(SyncdStore *store, SyncdRollback *rollback, GError **error);
SyncdRollback *syncd_rollback_read_kept(SyncdStore *store);
/* NULL: there is none, or it is not to be read. */
char *syncd_rollback_read_document(SyncdStore *store, const char *name, SyncdJson *ret_root);
/* Of a list of feeds with a size and a root each; false when it is none. `*ret_sum` is what they
 * have together. */
bool syncd_rollback_read_feeds(SyncdRollback *rollback, SyncdJson feeds, guint64 *ret_sum);
guint64 syncd_rollback_number(SyncdJson object, const char *name);

/* rollback-evidence.c: NULL where it does not know more than is there. */
SyncdRollback *syncd_rollback_of_verified(SyncdStore *store);
SyncdRollback *syncd_rollback_of_index(SyncdStore *store, SyncdIndex *index);
SyncdRollback *syncd_rollback_of_end(SyncdStore *store);
SyncdRollback *syncd_rollback_of_epochs(SyncdStore *store);
/* Where its WAL has more transactions than SQLite takes (store/wal.h). */
SyncdRollback *syncd_rollback_of_wal(SyncdStore *store);
/* Whether the index that lies there, and is not open, was made from that journal and has all of it:
 * no more and no less. */
bool syncd_rollback_index_is_of(SyncdStore *store, SyncdJournal *journal);
/* Keeps the signed heads of now, at a clean end. */
void syncd_rollback_keep_end(SyncdStore *store);
const SyncdFeed *syncd_rollback_find_feed(const SyncdStore *store, const char *text);
const SyncdFeed *syncd_rollback_device_feed(const SyncdStore *store);
