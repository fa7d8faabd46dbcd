/* The store's inside, shared by the files that make it up. */
#pragma once

#include "store/index-compare.h"
#include "store/index-file.h"
#include "store/index.h"
#include "store/journal.h"
#include "store/keyring.h"
#include "store/misread.h"
#include "store/overlay.h"
#include "store/projection.h"
#include "store/refill.h"
#include "store/rollback.h"
#include "store/store.h"
#include "store/sweep.h"

typedef enum {
    SYNCD_REMAKE_ROWS,    /* of what the log has by then */
    SYNCD_REMAKE_LOOKUPS, /* over them: nothing else is asked of it meanwhile */
    SYNCD_REMAKE_LATE,    /* what came while these were made, and what is not in the log */
} SyncdRemakeStage;

/* An index that is made to take the place of the one that serves. */
typedef struct {
    SyncdIndex *index; /* NULL: none is */
    SyncdRemakeStage stage;
    guint64 carried; /* the file whose sighting was carried over last */
    guint unsynced;  /* batches since its file was synced */
    guint64 left;    /* entries that are not in it yet */
    guint64 margin;  /* that stays free on the disk */
    bool compared;   /* with the one that serves */
} SyncdRemake;

/* Leaves that follow one another in a feed, and that lead to its head: what was proven once. */
typedef struct {
    const SyncdFeed *feed; /* compared, and never followed */
    guint64 start;         /* seq of the first */
    guint n;               /* 0: none are */
    SyncdHash leaves[SYNCD_TILE_WIDTH];
} SyncdProvenLeaves;

struct SyncdStore {
    const SyncdSources *sources;
    SyncdStoreMode mode;
    SyncdStoreCondition
        condition; /* as far as opening decided it; a failed write is known to the journal */
    SyncdDirectory *directory;
    SyncdKeyring *keyring;
    SyncdJournal *journal;
    SyncdProvenLeaves proven; /* with the entry that was held against its head last */
    SyncdIndex *index;        /* NULL when none can be had; with a projection it answers nothing */
    SyncdProjection *projection; /* not NULL while the index is behind the journal since opening */
    SyncdRemake remake;
    bool exchanging;      /* it went to make room for another, and is looked for again */
    bool elsewhere;       /* the directory is not the one that a command takes by itself */
    bool holds_index;     /* one that is of no use is left as it is … */
    GError *held;         /* … because of this; NULL: there is one, or one is being made */
    char *index_snapshot; /* as what the one is set aside that another replaces; NULL: it is removed
                           */
    SyncdIndexComparison *index_comparison; /* what that one was like; NULL: nobody asked */
    guint64 to_project;                     /* of an index that is being made: when it was begun */
    GError *index_problem;    /* why there is no index, or why it took no more; NULL when it does */
    guint64 index_retry_at;   /* monotonic */
    guint64 index_generation; /* how often it became another one */
    guint64 index_failures;   /* so often there was a problem with it */
    char *index_lost; /* why it was made anew last; NULL: it was not, but for a first one … */
    guint64 index_lost_ms; /* … and when */
    bool log_stays;        /* the last attempt to move the journal's WAL was in vain */
    bool unattended;       /* the projection began on demand: nobody may be calling work() */
    guint64 reserve_bytes;
    bool found_no_room; /* by the last commit */
    SyncdOverlay *overlay;
    GArray *sightings;   /* what was seen of files, in the order of the entries it counts from */
    guint seen;          /* so many of them are in the open transaction of the index */
    bool candidate;      /* a journal alone that is not in its place yet: mend-build.c */
    bool content_waits;  /* some may be needed no more */
    GHashTable *pins;    /* chunks.c: SyncdHash -> how often it is; NULL before the first */
    GArray *loose;       /* SyncdDroppedChunk: pinned no more, and needed perhaps */
    SyncdRefill *refill; /* that takes what is offered; borrowed, NULL: none does */
    SyncdSweep *sweep;   /* NULL before it begins, and … */
    bool swept;          /* … when it is through */
    SyncdRollback *rollback; /* NULL: the log did not lose its end, as far as is known */
    char
        *set_aside; /* as what the log is that was there before an adoption; NULL: it need not be */
    bool opened;    /* wholly: what it was when it ends may be kept */
    bool stands_in; /* for a journal that cannot be opened … */
    GError *unreadable;             /* … because of this; NULL: it is open */
    GHashTable *looked_at;          /* rescue-sources.c: a file -> what was seen of it … */
    char *looked_in;                /* … as long as the listing is this; NULL: nobody looked */
    SyncdMisread misread;           /* what was malformed when it was read, and is not any more */
    guint64 looked_again_at;        /* monotonic: whether it is; 0: nobody looked */
    guint64 probed_damage;          /* so much was met when it was seen what is left of it */
    char *displaced;                /* what became of the journal's files; NULL: nothing … */
    SyncdDisplacement displacement; /* … and which of these it is … */
    bool displaced_unseen;          /* … of which nobody saw that it came while it was open */
    bool opened_damaged;            /* something malformed was met when it was opened */
    SyncdJournal *cut;    /* one that was cut short, and is let go of; NULL: none is held */
    char *displaced_copy; /* where what was open is being copied to; NULL: nowhere */
    bool displaced_kept;  /* that is over */
    GPtrArray *scopes;    /* SyncdScope */
    guint64 registries;   /* how often they may have changed */
    guint64 reopened;     /* how often the journal became another one, with other feeds */
    char *machine;        /* as meta has it: hash and check digits, or "none" */

    /* the open turn */
    guint turn_entries;
    size_t turn_bytes;
    guint turn_scopes; /* the newest of `scopes` were opened in it */
};

#define SYNCD_MACHINE_HASH_DIGITS 64
/* Whether it is "none" or a machine's hash whose check digits, where it has them, are right. */
bool syncd_machine_is_sound(const char *described);
/* The first turn of a new log says whose it is and opens the device's own feed; does nothing later.
 */
bool syncd_store_begin_log(SyncdStore *store, const char *actor, GError **error);
/* Whether the key is here that the body is sealed with, if it is. */
bool syncd_store_has_key(SyncdStore *store, const SyncdHeader *header);
/* The plain body of an entry whose bytes are at hand. */
bool syncd_store_open_stored(SyncdStore *store, const SyncdHeader *header, SyncdBytes stored,
                             SyncdBody *ret_body, GError **error);
/* The same without the content: only what its meta line says. */
bool syncd_store_open_meta(SyncdStore *store, const SyncdHeader *header, SyncdBytes stored,
                           SyncdBody *ret_body, GError **error);
/* After another generation of the journal came into its place: what may be done with it. An index
 * that could not be had before is tried again. */
bool syncd_store_judge_journal(SyncdStore *store, GError **error);
/* What is known from now on is known of the one that was opened just now (displaced.c). */
void syncd_store_note_opened(SyncdStore *store);
/* Lets go of the journal and opens what is there now in its place, or stands in for it. There must
 * be no open turn. */
bool syncd_store_reopen(SyncdStore *store, GError **error);
/* Lets go of the journal, which was cut short, because of `problem`, which is taken, and stands in
 * for it. It is held as it is until it is copied (displaced.h). */
bool syncd_store_stand_aside(SyncdStore *store, GError *problem, GError **error);
/* Adds the first feed of this device's scope, as part of the turn. */
bool syncd_store_open_feed(SyncdStore *store, const SyncdScope *scope, guint64 epoch,
                           const SyncdFeed *previous, const char *actor, GError **error);
/* Of a scope, NULL for a public one. NotFound. */
bool syncd_store_scope_key(SyncdStore *store, const SyncdScope *scope, const SyncdSealKey **ret_key,
                           GError **error);
bool syncd_store_load_scopes(SyncdStore *store, GError **error);

/* purge.c: why an entry has no body, when a purge took it; `*ret_by` 0 when none did. */
bool syncd_store_tell_purged(SyncdStore *store, guint64 pos, const SyncdHeader *header,
                             guint64 *ret_by, GError **error);

/* chunks.c: an entry that is not committed yet may come to need it. */
bool syncd_store_is_pinned(SyncdStore *store, const SyncdHash *name);

/* store-record.c: SyncdFirstFunc of the overlay; `data` is the store. */
guint64 syncd_store_first_of_record(void *data, const SyncdFamily *family, const char *id);

/* store-file.c: sightings of files. Those that count already go into the index's open transaction,
 * and are dropped once that is committed. */
bool syncd_store_has_sightings(const SyncdStore *store);
bool syncd_store_write_sightings(SyncdStore *store, SyncdIndex *index, GError **error);
void syncd_store_drop_sightings(SyncdStore *store);
/* Those that counted from entries that were taken back. */
void syncd_store_forget_sightings(SyncdStore *store);

/* store-index.c: keeping an index. */

/* So many entries are projected in one step of work. */
#define SYNCD_PROJECT_BATCH 2000u

/* On failure there is none, and what needs it says why. */
bool syncd_store_open_index(SyncdStore *store, GError **error);
/* Whether the index can be asked: Busy while it is being made, else why there is none. */
bool syncd_store_need_index(SyncdStore *store, GError **error);
/* Sets as much space aside as there is room for. */
void syncd_store_keep_reserve(SyncdStore *store);
/* Whether it is worth trying once more: on a full disk the reserve makes room for the index. */
bool syncd_store_made_room(SyncdStore *store, const GError *problem);
SyncdProjection *syncd_store_new_projection(SyncdStore *store, SyncdIndex *index, GError **error);
/* Puts one that has all of the log, which it takes, in the place of the one for which nothing
 * waits. When that fails what is there is looked for again, on demand too: it may be Busy for a
 * while. */
bool syncd_store_exchange_index(SyncdStore *store, SyncdIndex *made, GError **error);
/* Makes one from the log, in the place of none; all of it at once where that is little. */
bool syncd_store_make_index(SyncdStore *store, const char *why, GError **error);
/* Looks at what is there as index.db, as opening does. */
void syncd_store_look_for_index(SyncdStore *store);
/* Leaves it closed, and whatever is there as it is. */
void syncd_store_drop_index(SyncdStore *store);
/* Goes on with making it, or with bringing it up to the log. */
bool syncd_store_project_batch(SyncdStore *store, guint max, GError **error);
/* Why it cannot be had or written: until when it is not tried again, and for whoever asks. */
void syncd_store_remember_index_problem(SyncdStore *store, const GError *problem);
bool syncd_store_may_try_index(const SyncdStore *store);
bool syncd_store_refuse_index(SyncdStore *store, GError **error); /* false */

/* store-work.c: what can wait. */
/* Whether more may wait for projection. */
bool syncd_store_has_room(SyncdStore *store, GError **error);
/* Under load nothing is ever idle: what waits for that is done after a commit once there is too
 * much of it. */
void syncd_store_bound_waiting(SyncdStore *store);

/* remake.c: making the index anew while it serves, from the log as it is now: what is not in that
 * is in no file afterwards. */

void syncd_store_end_remake(SyncdStore *store);
double syncd_store_remake_part(const SyncdStore *store); /* how much of it is made, of 1 */
/* The sightings that the index has committed, and that are not dropped yet, are in both. */
void syncd_store_remake_sees(SyncdStore *store);
