/*
 * The journal: feeds, entries, bodies, heads, checkpoints and tiles in journal.db.
 *
 * It appends headers and stored bodies as bytes and keeps the tree and the signed head of each
 * feed; what they mean is known above. Writing is in turns as store.h describes. Feeds are owned by
 * the journal and stay for its lifetime, except those opened in a turn that is discarded.
 */
#pragma once

#include "base/hlc.h"
#include "crypto/tree.h"
#include "store/database.h"
#include "store/directory.h"
#include "store/entry.h"
#include "store/keyring.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_JOURNAL_FILE "journal.db"
#define SYNCD_TILE_HEIGHT 5u
#define SYNCD_TILE_WIDTH 32u
#define SYNCD_TILE_BYTES (SYNCD_TILE_WIDTH * SYNCD_HASH_SIZE)
#define SYNCD_TILE_LEVELS 12u /* 32^12 leaves are more than 2^59 */

typedef struct SyncdJournal SyncdJournal;

/* The hashes of a tile that is not full yet, for each level. */
typedef struct {
    SyncdHash hashes[SYNCD_TILE_LEVELS][SYNCD_TILE_WIDTH];
} SyncdPartialTiles;

typedef struct {
    gint64 id;
    char *device;
    char *scope;
    guint64 epoch;
    char *text;   /* "<device>/<scope>/<epoch>" */
    char *origin; /* of its notes */
    bool own;
    SyncdPublicKey signer; /* zero until the first entry is there */
    char *key; /* the id of the key that its first entry is sealed with, "" for none; NULL: it was
                  not there when the journal was opened, or is damaged */
    SyncdFrontier committed;          /* what the signed head covers */
    SyncdFrontier working;            /* with the open turn */
    SyncdHash tail[SYNCD_TILE_WIDTH]; /* committed leaf hashes that no full tile holds yet */
    char *note;                       /* the signed head, NULL before the first commit */
    bool opened_in_turn;
    SyncdPartialTiles *partial; /* NULL until the first append needs it */
} SyncdFeed;

SyncdJournal *syncd_journal_open(SyncdDirectory *directory, SyncdDatabaseMode mode,
                                 SyncdKeyring *keyring, GError **error);
/* A journal under another name: the next generation, before it is in its place. */
SyncdJournal *syncd_journal_open_file(SyncdDirectory *directory, const char *name,
                                      SyncdDatabaseMode mode, SyncdKeyring *keyring,
                                      GError **error);
/* The one in its place, as if it had these pages (store/salvage.h): it is only looked at. */
SyncdJournal *syncd_journal_open_salvaged(SyncdDirectory *directory, const SyncdVfsPages *salvaged,
                                          SyncdKeyring *keyring, GError **error);
/* One that has nothing, for one that cannot be opened, because of `problem`: nothing may be
 * appended. */
SyncdJournal *syncd_journal_new_stand_in(SyncdKeyring *keyring, const GError *problem,
                                         GError **error);
/* Puts the file `made`, which holds the same log, in the place of the journal's, which is kept as
 * `kept`, and goes on with it; feeds stay as they are. `*ret_exchanged`: it is in its place, also
 * where something failed later. There must be no open turn. When the file in that place cannot be
 * opened again, nothing may be appended any more. Of one that is displaced what is open stays so
 * until then. */
bool syncd_journal_exchange(SyncdJournal *journal, SyncdDirectory *directory, const char *made,
                            const char *kept, bool *ret_exchanged, GError **error);
/* It was exchanged, and what is in its place could not be opened: only a start does that. */
bool syncd_journal_is_behind(const SyncdJournal *journal);
/* Before it is opened: of one that was displaced what was whole already is put in its place, if
 * what others had put there is gone from it, and else removed. */
bool syncd_journal_end_exchange(SyncdDirectory *directory, GError **error);
void syncd_journal_free(SyncdJournal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdJournal, syncd_journal_free)

SyncdDatabase *syncd_journal_database(SyncdJournal *journal);
/* Why nothing may be appended, NULL when it may: an own head that does not hold, or a failed write.
 * Borrowed. */
const GError *syncd_journal_problem(const SyncdJournal *journal);
/* The turn that met damage was taken back, and that is not there any more: it is appended to again.
 * False: that was not what stopped it. */
bool syncd_journal_go_on(SyncdJournal *journal);
/* What was said of the write that failed, after which nothing is written; NULL: none did. */
const char *syncd_journal_write_fault(const SyncdJournal *journal);

/* "device", "machine"; `*ret_value` NULL when it is not set. */
bool syncd_journal_meta(SyncdJournal *journal, const char *name, char **ret_value, GError **error);
/* Part of the turn. */
bool syncd_journal_set_meta(SyncdJournal *journal, const char *name, const char *value,
                            GError **error);

/* Whether there is a feed of this device in it. */
bool syncd_journal_is_of_device(const SyncdJournal *journal);
const GPtrArray *syncd_journal_feeds(const SyncdJournal *journal); /* SyncdFeed */
SyncdFeed *syncd_journal_feed(const SyncdJournal *journal, gint64 id);
SyncdFeed *syncd_journal_find_feed(const SyncdJournal *journal, const char *device,
                                   const char *scope, guint64 epoch);
/* This device's feed of the highest epoch in a scope; NULL when there is none. */
SyncdFeed *syncd_journal_own_feed(const SyncdJournal *journal, const char *scope);

/* ---- the turn ---- */

SyncdFeed *syncd_journal_add_feed(SyncdJournal *journal, const char *scope, guint64 epoch,
                                  GError **error);
/* Appends at the end of an own feed. `header` must name that place. */
bool syncd_journal_append(SyncdJournal *journal, SyncdFeed *feed, SyncdBytes header,
                          SyncdBytes body, guint64 *ret_pos, SyncdHash *ret_leaf, GError **error);
/* Nothing signs the reason, so it is one of a few words: a new one takes a new schema version. */
bool syncd_checkpoint_reason_is_known(const char *reason);
bool syncd_journal_add_checkpoint(SyncdJournal *journal, SyncdFeed *feed, const char *reason,
                                  GError **error);
/* Takes a committed entry's body away for `by`, an entry of the turn. */
bool syncd_journal_purge(SyncdJournal *journal, guint64 pos, guint64 by, GError **error);
/* Content that is kept as a row, beside the entry that names it: part of the turn, as is removing
 * it.
 */
bool syncd_journal_put_content(SyncdJournal *journal, const SyncdHash *name, SyncdBytes bytes,
                               GError **error);
bool syncd_journal_drop_content(SyncdJournal *journal, const SyncdHash *name, GError **error);
/* From here on names that come or go are remembered, in their order; until nobody follows. */
void syncd_journal_follow_content(SyncdJournal *journal, bool follow);
/* The next of them is taken; false: there is none. It may have come, gone, or neither. */
bool syncd_journal_take_content_change(SyncdJournal *journal, SyncdHash *ret_name);
/* `*ret_bytes` NULL when there is none. */
bool syncd_journal_read_content(SyncdJournal *journal, const SyncdHash *name, GBytes **ret_bytes,
                                GError **error);
bool syncd_journal_in_turn(const SyncdJournal *journal);
bool syncd_journal_commit(SyncdJournal *journal, GError **error);
void syncd_journal_discard(SyncdJournal *journal);

/* ---- reading ---- */

guint64
syncd_journal_committed(const SyncdJournal *journal); /* pos of the newest committed entry */
SyncdHlc *syncd_journal_clock(SyncdJournal *journal); /* never behind any entry */
SyncdHlc syncd_journal_committed_clock(const SyncdJournal *journal);
/* Whether a repair gave the entry's body up, and its header, whose leaf is given then, too. */
bool syncd_journal_lost(SyncdJournal *journal, guint64 pos, bool *ret_lost, SyncdHash *ret_leaf,
                        bool *ret_header, GError **error);
/* What stands in for the header of an entry that has none; JournalCorrupt where it is not said to
 * be lost. */
char *syncd_journal_stand_in(SyncdJournal *journal, guint64 pos, gint64 feed, guint64 seq,
                             size_t *ret_size, GError **error);
/* NUL-terminated header text, or what stands in for it. NotFound. */
char *syncd_journal_read_header(SyncdJournal *journal, guint64 pos, size_t *ret_size,
                                GError **error);
/* Many headers, in the order of the positions, with the stored bodies when these are asked for
 * (empty where there is none). False from `take` ends the reading. */
typedef bool (*SyncdTakeStored)(void *data, guint64 pos, SyncdBytes header, SyncdBytes body);
bool syncd_journal_read_many(SyncdJournal *journal, const guint64 *positions, guint n, bool bodies,
                             SyncdTakeStored take, void *data, GError **error);
GBytes *syncd_journal_read_body(SyncdJournal *journal, guint64 pos, GError **error);
/* Reads nothing of the body. */
bool syncd_journal_has_body(SyncdJournal *journal, guint64 pos, bool *ret_has, GError **error);
/* The entry that took its body; 0 when none did. */
bool syncd_journal_purged_by(SyncdJournal *journal, guint64 pos, guint64 *ret_by, GError **error);
/* 0 when there is none. */
bool syncd_journal_find_seq(SyncdJournal *journal, const SyncdFeed *feed, guint64 seq,
                            guint64 *ret_pos, GError **error);

/* ---- the tree ---- */

typedef struct {
    SyncdJournal *journal;
    const SyncdFeed *feed;
} SyncdFeedNodes;

/* A reader over the nodes of a feed; `nodes` holds its state and must outlive it. */
SyncdTreeReader syncd_feed_reader(SyncdFeedNodes *nodes, SyncdJournal *journal,
                                  const SyncdFeed *feed);
/* The leaves of a tile that is full. JournalCorrupt. */
bool syncd_tile_leaves(SyncdJournal *journal, const SyncdFeed *feed, guint64 number,
                       SyncdHash ret_leaves[SYNCD_TILE_WIDTH], GError **error);
/* Brings back the hashes of the tiles that are not full at a size: what the next leaves continue.
 */
bool syncd_tiles_load(SyncdJournal *journal, const SyncdFeed *feed, guint64 size,
                      SyncdPartialTiles *ret_partial, GError **error);
/* Adds a leaf to a tree and the tiles that are not full. Gives the tiles that became full, from
 * level 0 up, one after the other; they are in `partial` and stand until the next leaf. */
SyncdBytes syncd_tiles_add(SyncdFrontier *frontier, SyncdPartialTiles *partial,
                           const SyncdHash *leaf);
/* The same for a feed, whose `*ret_tiles` are the tiles that became full, from
 * level 0 up, one after the other; they are the feed's and stand until the next leaf. */
bool syncd_tiles_append(SyncdJournal *journal, SyncdFeed *feed, const SyncdHash *leaf,
                        SyncdBytes *ret_tiles, GError **error);
