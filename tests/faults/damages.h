/*
 * A populated state with a workspace, and what can become of it: a table, a damage a row, and what
 * names each.
 */
#pragma once

#include "../unit/diagnose-fixture.h"
#include "../unit/watched-fixture.h"

#define DAMAGED_PUBLIC 4u

typedef struct {
    World watched;
    ServiceFixture *f; /* its service */
    GRand *rand;
    guint64 public_at[DAMAGED_PUBLIC]; /* of operations whose bodies are plain in the file … */
    guint64 large_at;                  /* … and of one whose body lies beside it */
    SyncdHash chunk;                   /* of the large file, as it is kept */
    char *far_key;                     /* of a scope that has one entry */
    /* of the damage that was done */
    guint64 lost_at;
    char *mode_of;
    guint32 mode;
    char *half;
    bool dirty, dirty_found; /* until the verification of a start that it did not end cleanly */
} Damaged;

typedef enum { BEFORE_CLOSE, WHILE_CLOSED, AFTER_START } DamageWhen;

/* Of damages of one number there is one at most; 0: any. */
enum { ANYTHING, THE_INDEX, THE_LOG, THE_BLOBS, THE_KEYS };

/* What has to be there for it: an index that serves, a log that can be written to. */
typedef enum { NEEDS_NOTHING, NEEDS_INDEX, NEEDS_LOG } DamageNeed;

typedef struct {
    const char *name, *code;
    DamageWhen when;
    guint excludes;
    DamageNeed needs; /* what needs the log needs the index, too */
    bool repaired;    /* by a plan; else it is named for ever */
    void (*damage)(Damaged *world);
    bool (*is_back)(Damaged *world); /* after the repair was taken back; NULL: nothing is */
    const char *lost; /* what names, after it, what could not be had; NULL: nothing is lost */
} Damage;

extern const Damage damages[];
extern const guint n_damages;

/* Populated, with everything open. */
void damaged_init(Damaged *world, guint32 seed);
void damaged_clear(Damaged *world);
guint damaged_pick(Damaged *world, guint n);
/* As a daemon that starts, which looks into the workspace where it can … */
void damaged_open(Damaged *world);
void damaged_close(Damaged *world);
/* … and one that is idle. */
void damaged_rest(Damaged *world);
