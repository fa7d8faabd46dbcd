/* The verification's inside, shared by the files that make it up. */
#pragma once

#include "store/store-private.h"
#include "store/structure.h"
#include "store/verify.h"

/* What is being established about one feed. */
typedef struct {
    const SyncdFeed *feed;
    SyncdBytes device, scope; /* the feed's */
    SyncdFrontier head;       /* what its head claimed when the verification began */
    char *note;
    SyncdHash tail[SYNCD_TILE_WIDTH];
    SyncdFrontier frontier;    /* the tree over the headers seen so far */
    SyncdPartialTiles partial; /* the tiles that those headers make */
    bool broken;           /* an entry of it was found wrong: the root need not be told as well */
    guint64 run;           /* seq of the first entry of this step */
    GArray *run_positions; /* where the entries from there on are: guint64 */
} SyncdFeedCheck;

typedef enum {
    PHASE_PAGES, /* of the database */
    PHASE_STRUCTURE,
    PHASE_ENTRIES,
    PHASE_CONTENT,
    PHASE_FEEDS,
    PHASE_CHECKPOINTS,
    PHASE_KNOWN,
    PHASE_DONE
} SyncdVerifyPhase;

struct SyncdVerify {
    SyncdStore *store;
    guint64 reopened; /* as it was when this began */
    SyncdVerifyMode mode;
    SyncdVerifyPhase phase;
    GPtrArray *known;      /* KnownHead of verify-known.c */
    GPtrArray *checks;     /* SyncdFeedCheck */
    GHashTable *by_feed;   /* feed id as pointer -> SyncdFeedCheck (borrowed) */
    SyncdFeedCheck *last;  /* that was found in it */
    guint64 first;         /* pos after which entries are checked */
    guint64 opened;        /* pos up to which an earlier verification opened the bodies */
    bool opened_all;       /* this one and those before it had the key of each body */
    guint64 at;            /* pos of the last one checked */
    guint64 target;        /* pos at which the log ended when this began */
    SyncdStructure *pages; /* while they are checked */
    GPtrArray *faults;     /* char *: of theirs */
    bool lookups_hold;     /* the schema is as it should be: places can be looked up */
    GHashTable *chunks;    /* verify-content.c: of kept content that is needed; NULL for none … */
    GPtrArray *chunk_line; /* … and the same in a line */
    guint next_chunk;
    size_t step_bytes; /* content checked in this step */
    gint64 checkpoint; /* id of the last one checked */
    GPtrArray *findings;
    guint64 n_findings;
    GHashTable *lost;  /* char *: content that is known to be, by place and part; NULL: none */
    GPtrArray *passed; /* of which this was found */
    GPtrArray *losses;
    guint64 n_losses;
    guint64 met_damage; /* so often anything malformed was met in the journal before */
};

void syncd_verify_add(SyncdVerify *verify, SyncdErrorCode error, const char *code,
                      const SyncdFeed *feed, gint64 seq, gint64 pos, const char *format, ...)
    G_GNUC_PRINTF(7, 8);

/* The same of content; it is copied. */
void syncd_verify_add_content(SyncdVerify *verify, const SyncdVerifyFinding *found);

/* Rows of a damaged page come in any order, and again and again: a walk that went on with them
 * might never end. False, with JournalCorrupt. */
bool syncd_verify_disordered(const char *table, GError **error);

/* Of the feed that a row says it belongs to; NULL: of none that is there. */
SyncdFeedCheck *syncd_verify_check_of(SyncdVerify *verify, gint64 feed);

/* verify-places.c: whether looking places up leads to the entries that are there. */
void syncd_verify_note_place(const SyncdVerify *verify, SyncdFeedCheck *check, guint64 seq,
                             guint64 pos);
/* Those that were noted in this step. */
bool syncd_verify_places(SyncdVerify *verify, GError **error);

/* verify-structure.c: what SQLite says of the file, and what does not belong to any one feed. */
bool syncd_verify_pages(SyncdVerify *verify, bool *ret_more, GError **error);
bool syncd_verify_structure(SyncdVerify *verify, GError **error);

/* verify-feeds.c: everything about a feed but its entries. */
bool syncd_verify_feeds(SyncdVerify *verify, GError **error);
bool syncd_verify_checkpoints(SyncdVerify *verify, bool *ret_more, GError **error);
/* Those that are kept with the entry seen last, without data for none; it completes those of so
 * many levels. */
bool syncd_verify_tiles(SyncdVerify *verify, SyncdFeedCheck *check, SyncdBytes tiles,
                        unsigned full_levels, GError **error);

/* verify-lost.c: what a repair gave up. */
bool syncd_verify_losses_hold(SyncdVerify *verify, GError **error);

/* verify-purge.c: an entry without a body, which may have been purged, or lost. */
void syncd_verify_missing_body(SyncdVerify *verify, const SyncdFeed *feed, guint64 pos,
                               const SyncdHeader *header);

/* verify-content.c: content of files that is kept, where all of the log is verified. */
bool syncd_verify_counts_content(const SyncdVerify *verify, const SyncdHeader *header);
void syncd_verify_count_content(SyncdVerify *verify, guint64 pos, const SyncdHeader *header,
                                const SyncdBody *body);
/* Once all entries are counted. */
void syncd_verify_content(SyncdVerify *verify, bool *ret_more);
void syncd_verify_clear_content(SyncdVerify *verify);

/* verify-known.c: heads that were kept elsewhere, and how far verification came. */
void syncd_known_head_free(void *known);
bool syncd_verify_parse_known(SyncdVerify *verify, const char *const *notes, GError **error);
bool syncd_verify_known(SyncdVerify *verify, GError **error);
/* Goes on where an incremental one stopped, and tells when the log has become shorter since. */
void syncd_verify_resume(SyncdVerify *verify);
void syncd_verify_remember(SyncdVerify *verify);
