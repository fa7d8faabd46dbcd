/*
 * A populated state with a workspace, which has something of each kind that can be damaged, and the
 * daemon that has it open: it starts, is idle, ends, or is killed.
 */
#pragma once

#include "../unit/diagnose-fixture.h"
#include "../unit/watched-fixture.h"

#define DAMAGED_PUBLIC 4u
#define DAMAGED_MARKER "a-marker-that-is-easy-to-find-"
#define DAMAGED_LARGE_FILE "large"
#define DAMAGED_GONE "gone"
#define DAMAGED_GONE_MARKER "what-nobody-shall-find-again"

typedef struct {
    World watched;
    ServiceFixture *f; /* its service */
    GRand *rand;
    guint64 public_at[DAMAGED_PUBLIC]; /* of operations whose bodies are plain in the file … */
    guint64 large_at;                  /* … and of one whose body lies beside it */
    SyncdHash chunk;                   /* of the large file, as it is kept */
    char *far_key;                     /* of a scope that has one entry */
    bool full;                         /* the disk is, from the next start on */
    bool dirty; /* a run did not end cleanly: named until the verification of the next start … */
    bool dirty_found; /* … which it was */
    /* of the damage that was done */
    guint64 lost_at;
    SyncdHash journal; /* as it is, and cannot be opened */
    char *mode_of, *owner_of, *half;
    guint32 mode;
    bool without_right; /* to change owners */
    char *stuck;        /* a job's id */
    char *accepted;     /* the id of a file, until the plan that records it as it is */
} Damaged;

/* Populated, with everything open. */
void damaged_init(Damaged *world, guint32 seed);
void damaged_clear(Damaged *world);
guint damaged_pick(Damaged *world, guint n);
char *damaged_path(const Damaged *world, const char *name); /* of the state */

/* A daemon that starts … */
void damaged_open(Damaged *world);
/* … does one thing after the other … */
void damaged_turn(Damaged *world);
/* … looks into the workspace where it can, and is idle … */
void damaged_rest(Damaged *world);
/* … and ends. */
void damaged_close(Damaged *world);
/* Or is killed: what it had not written is gone. Another one starts. */
void damaged_kill(Damaged *world);
void damaged_fill_disk(Damaged *world);
/* Whether a journal took the place of another that may have had more of it; and a person who goes
 * on without that, as soon as he is asked. */
bool damaged_is_doubted(const Damaged *world);
bool damaged_adopt(Damaged *world);
