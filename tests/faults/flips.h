/*
 * Flips bits of a journal at rest, one after another, and asks after each whether anybody would be
 * misled: it is found (the state cannot be opened, or a verification has a finding) or it is
 * harmless (everything that can be read is as it was). A difference that nobody is told of is
 * silent, and a crash or a walk without end is told by its bit.
 *
 * Workers share the flips; each has a copy of the state. What a flip cannot touch, the folder's
 * lock and the keys, is kept between flips; some flips, at random, do without that.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What looks for the flip. All but the first are weaker: they show that the sweep can fail. */
typedef enum {
    FLIP_VERIFIED,  /* a full verification, up to its first finding */
    FLIP_HEADS,     /* a verification of heads only */
    FLIP_STRUCTURE, /* SQLite's own integrity check */
    FLIP_UNCHECKED,
} FlipCheck;

typedef struct {
    const char *directory; /* the state; it is not changed */
    FlipCheck check;
    guint64 n;    /* how many, at random; 0: one after the other */
    guint64 each; /* then each so-manyth bit of the file, once; 0 is as good as 1 */
    guint64 seed; /* of the places; one after the other, of the first */
    bool serving; /* as a daemon opens it, instead of inspecting; slow */
} FlipSweep;

typedef struct {
    guint64 found_opening;
    guint64 found;
    guint64 harmless;
    guint64 silent;
    guint64 a_silent_one; /* a bit, when there is any */
} FlipCounts;

/* What went wrong with the sweep itself, NULL for nothing. */
char *flip_sweep(const FlipSweep *sweep, FlipCounts *ret_counts);

/* splitmix64 of a number: places that look random and are the same on every run. */
guint64 flip_mix(guint64 number);
