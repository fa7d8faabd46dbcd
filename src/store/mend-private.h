/* The inside of mending, shared by the files that make it up. */
#pragma once

#include "store/mend.h"
#include "store/source.h"
#include "store/store-private.h"
#include "store/structure.h"
#include "store/verify.h"

#define SYNCD_MEND_FILE "journal.db.new"
/* Beyond this the journal is no journal any more, and a backup is what helps. */
#define SYNCD_MEND_MAX_VERDICTS 200000u

/* What is established about one feed. */
typedef struct {
    const SyncdFeed *feed;
    SyncdPublicKey signer;
    bool known; /* size and root are: of the signed head, or of what stands beside it */
    bool resign;
    guint64 size;
    SyncdHash root;
    bool frontier_holds; /* that of the head leads to the root */
    SyncdFrontier frontier;
    SyncdPartialTiles partial;
    /* of the block of entries that is being walked, by their places in it */
    SyncdHash leaves[SYNCD_TILE_WIDTH];
    bool readable[SYNCD_TILE_WIDTH]; /* there is a header of that place, or its leaf */
    bool whole[SYNCD_TILE_WIDTH];    /* and a body that fits it, or none that should be there */
    guint64 pos[SYNCD_TILE_WIDTH];
    guint64 next; /* seq of the entry that comes next */
} SyncdMendFeed;

/* What becomes of an entry that is not simply copied. */
typedef struct {
    gint64 feed;
    guint64 seq;
    SyncdHash leaf;
    bool header_lost, body_lost;
    SyncdSource *header_from, *body_from; /* NULL: the journal has it, or it is lost */
} SyncdMendVerdict;

typedef enum {
    MEND_ENTRIES,
    MEND_CONTENT,
    MEND_CHECKPOINTS,
    MEND_STRUCTURE, /* where nothing else is to be mended */
    MEND_EXAMINED,
    MEND_BUILD_BEGIN,
    MEND_BUILD_ENTRIES,
    MEND_BUILD_CONTENT,
    MEND_BUILD_LATE, /* what came while that was copied */
    MEND_BUILD_REST,
    MEND_VERIFY,
    MEND_CATCH_UP, /* what came while it was verified */
    MEND_READY,
} SyncdMendPhase;

struct SyncdMend {
    SyncdStore *store;
    GPtrArray *sources; /* SyncdSource */
    GPtrArray *feeds;   /* SyncdMendFeed */
    SyncdMendPhase phase;
    guint64 target;       /* the last entry of the log when this began */
    gint64 purges;        /* rows of purge then; -1: they cannot be read … */
    GPtrArray *purged;    /* … and these are what is known of them (mend-purge.c); else NULL */
    guint64 at;           /* the entry looked at, or written, last */
    guint probes;         /* so many are looked at one by one, as there is no walking */
    bool stopped;         /* it makes no sense to go on */
    GHashTable *verdicts; /* gint64 pos: SyncdMendVerdict */
    GPtrArray *items;
    guint64 counts[SYNCD_MEND_BEYOND + 1];
    SyncdHash content;         /* the name of the row of content looked at, or written, last … */
    bool has_content;          /* … if any was */
    SyncdStructure *structure; /* while it is checked */
    GPtrArray *faults;         /* char *: of it */
    SyncdDatabase *db;         /* the generation that is built */
    guint64 generation;
    gint64 checkpoint;     /* the id of the one written last, as it was before */
    bool exchanged;        /* what was built is whole, and somebody else's */
    SyncdStore *candidate; /* a store of it alone, which is verified */
    SyncdVerify *verify;
};

void syncd_mend_add(SyncdMend *mend, const char *what, SyncdMendOutcome outcome,
                    const SyncdFeed *feed, gint64 seq, gint64 pos, const char *source);
SyncdMendFeed *syncd_mend_feed(const SyncdMend *mend, gint64 id);
SyncdDatabase *syncd_mend_journal(const SyncdMend *mend);

/* mend-walk.c */
bool syncd_mend_begin_feeds(SyncdMend *mend, GError **error);
bool syncd_mend_walk(SyncdMend *mend, GError **error);

/* mend-block.c: a row came, or none, for the next place of a feed. */
void syncd_mend_take(SyncdMend *mend, SyncdMendFeed *feed, guint64 pos, SyncdStatement *row);

/* mend-purge.c */
/* JournalCorrupt where neither they nor entries can be read. */
bool syncd_mend_count_purges(SyncdMend *mend, GError **error);
void syncd_mend_forget_purges(SyncdMend *mend);
/* What was purged meanwhile must be in no file: whoever purges removes this one. Busy then. */
bool syncd_mend_purges_are_the_same(SyncdMend *mend, GError **error);
/* Which entry took the body of this one; 0: none did. */
bool syncd_mend_purged_by(SyncdMend *mend, guint64 pos, const SyncdHeader *header, guint64 *ret_by,
                          GError **error);

/* mend-content.c */
bool syncd_mend_examine_content(SyncdMend *mend, GError **error);
bool syncd_mend_copy_content(SyncdMend *mend, bool *ret_more, GError **error);
/* Some of what came and went since it began to be copied. */
bool syncd_mend_follow_content(SyncdMend *mend, bool *ret_more, GError **error);

/* mend-checkpoint.c */
bool syncd_mend_examine_checkpoints(SyncdMend *mend, GError **error);
bool syncd_mend_copy_checkpoints(SyncdMend *mend, bool *ret_more, GError **error);

/* mend-write.c: the rows of the generation that is built, each call a transaction. */
bool syncd_mend_write_feeds(SyncdMend *mend, GError **error);
bool syncd_mend_write_entries(SyncdMend *mend, GError **error);
bool syncd_mend_write_content(SyncdMend *mend, bool *ret_more, GError **error);
/* Checkpoints, and what came and went of content. */
bool syncd_mend_write_late(SyncdMend *mend, bool *ret_more, GError **error);
/* Heads and what names the journal: then it is whole, up to the last entry. */
bool syncd_mend_write_rest(SyncdMend *mend, GError **error);

/* Entries of which a part is nowhere to be had. */
guint64 syncd_mend_count_lost_entries(const SyncdMend *mend);

/* mend-build.c */
/* After building, of a journal that is in no place: what was built stays as SYNCD_MEND_FILE. */
bool syncd_mend_leave(SyncdMend *mend, GError **error);
void syncd_mend_end_build(SyncdMend *mend);
/* Whether a file of the state directory is a second name of the journal. */
bool syncd_mend_is_the_journal(const SyncdStore *store, const char *name);
