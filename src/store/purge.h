/*
 * Purging: taking the content of an object out of the log.
 *
 * What a purge takes is searched for first, in steps. Then an entry of the open turn takes it: the
 * bodies are gone with its commit, their headers stay. A scrub removes what else holds the bytes,
 * and says of what it could not.
 */
#pragma once

#include "store/store.h"

#define SYNCD_PURGE_ENTRIES_MAX 16384u /* of one object; one transaction takes all of them */

typedef struct {
    guint64 pos;
    char *op;
    char *feed; /* as text */
    bool own;   /* of this device's log */
    bool stable;
    SyncdHash leaf, digest; /* of the stored body */
    guint64 size;
    const char *state; /* of an operation that has a task, as its contract calls it; else NULL */
} SyncdPurgedEntry;

typedef struct {
    char *name;
    guint64 size;
    bool shared; /* an entry that stays lists it too */
} SyncdPurgedChunk;

void syncd_purged_chunk_free(void *chunk);

/* What a purge of an object takes. */
typedef struct {
    char *scope_id;
    GPtrArray *entries; /* SyncdPurgedEntry, in the order of pos */
    GPtrArray *chunks;  /* SyncdPurgedChunk */
    guint64 bytes, chunk_bytes;
    guint unfinished; /* operations among them whose task has not ended */
    guint unstable;   /* entries that are not below the stable cut */
} SyncdPurgeable;

void syncd_purgeable_free(SyncdPurgeable *purgeable);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPurgeable, syncd_purgeable_free)

/* The search for it, in short steps, between which anything may happen. Committed entries only. */
typedef struct SyncdPurgeSearch SyncdPurgeSearch;
#define SYNCD_PURGE_STEP 1000u /* entries that are looked at in one, at most */

SyncdPurgeSearch *syncd_store_begin_purge_search(SyncdStore *store, const char *scope_id,
                                                 const char *object);
/* `*ret_more` false: all that is committed by now was looked at, and it can be taken; until then a
 * further step looks at what was committed since. LimitsExceeded; Busy when the object has entries
 * that came since the search began; NotFound when the key of a body is not here whose content lies
 * in chunks, as nobody would know in which. After an error there is no further step. */
bool syncd_purge_search_step(SyncdPurgeSearch *search, bool *ret_more, GError **error);
/* The same without looking for who else needs the chunks, which takes as long as the log is: what
 * goes of them may be less. */
bool syncd_purge_search_gather(SyncdPurgeSearch *search, bool *ret_more, GError **error);
/* What was found, once. */
SyncdPurgeable *syncd_purge_search_take(SyncdPurgeSearch *search);
void syncd_purge_search_free(SyncdPurgeSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPurgeSearch, syncd_purge_search_free)

/* Takes their bodies from the log for `by`, a `deletion.purged` of the open turn. */
bool syncd_store_purge(SyncdStore *store, const SyncdPurgeable *purgeable, guint64 by,
                       GError **error);
/* The first object after that entry that is deleted and hidden, and not purged: `*ret_pos` is the
 * entry that hid it, 0 for none, and then there are no texts. Committed ones only. */
bool syncd_store_next_hidden(SyncdStore *store, guint64 after, guint64 *ret_pos,
                             char **ret_scope_id, char **ret_object, GError **error);
/* The first deletion after that entry that was purged and not proven; `*ret_pos` is the entry that
 * purged it, 0 for none. Committed ones only. */
bool syncd_store_find_unproven(SyncdStore *store, guint64 after, guint64 *ret_pos, GError **error);

typedef struct {
    guint64 chunks, chunk_bytes, kept_chunks, copies;
    guint64 unreadable; /* lists of chunks: all are kept then, as it could be any that these name */
} SyncdScrubbed;

/* After the commit of a purge in that scope: removes what else holds the bytes, now or when it was
 * begun earlier, in short steps. The chunks (SyncdPurgedChunk, which are marked) that nothing lists
 * any more, copies of the database that were made before migrations, what is left of them in the
 * WAL, and the index, which is made anew beside the one that serves. */
typedef struct SyncdScrub SyncdScrub;

SyncdScrub *syncd_store_begin_scrub(SyncdStore *store, const char *scope_id, GPtrArray *chunks);
/* Tells of each file of the copies that any purge takes along, as far as it can be told: earlier
 * generations of the log, backups beside it, and what was copied before migrations. Of a WAL the
 * name is that of its database. */
void syncd_store_each_copy(SyncdStore *store, SyncdStoredFunc func, void *data);
/* Of another purge: what both need is done once. Before the first step. */
void syncd_scrub_add(SyncdScrub *scrub, const char *scope_id, GPtrArray *chunks);
/* There must be no open turn. `*ret_more` false: that was the last one. */
bool syncd_scrub_step(SyncdScrub *scrub, bool *ret_more, GError **error);
/* Of the purge with that number, from 0: the copies are the same for all. */
SyncdScrubbed syncd_scrub_result(const SyncdScrub *scrub, guint number);
void syncd_scrub_free(SyncdScrub *scrub);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdScrub, syncd_scrub_free)
