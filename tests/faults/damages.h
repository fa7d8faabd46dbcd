/*
 * What can become of a state: a table, a damage a row, and what names each.
 */
#pragma once

#include "damaged.h"

/* Of those IN_THE_PROCESS nothing is left when it ends. */
typedef enum { BEFORE_CLOSE, WHILE_CLOSED, AFTER_START, IN_THE_PROCESS } DamageWhen;

/* Of damages that share one of these there is one at most. */
enum {
    OF_ANYTHING = 0,
    OF_INDEX = 1,
    OF_LOG = 2,
    OF_JOURNAL = 4,
    OF_BLOBS = 8,
    OF_KEYS = 16,
    OF_OWNERS = 32,
    OF_LISTS = 64,
    OF_FILE = 128,
};

/* What there can be, each on top of those before it. */
typedef enum { THE_DIRECTORY, A_JOURNAL, AN_INDEX, WRITING, THE_TRUTH, ALL } DamageLevel;

/* After the last two nothing is kept that could be put back. */
typedef enum { BY_NOTHING, BY_A_PLAN, BY_A_PLAN_FOR_GOOD, BY_A_PLAN_OF_ITS_OWN } DamageRepair;

typedef struct {
    const char *name, *code;
    DamageWhen when;
    guint excludes;
    DamageLevel needs; /* what has to be there to see it, and to do it after a start … */
    DamageLevel takes; /* … and what is not there because of it, as is all above: ALL for nothing */
    DamageRepair repaired; /* BY_NOTHING: it is named for ever */
    void (*damage)(Damaged *world);
    bool (*is_there)(Damaged *world); /* whoever is asked about it; NULL: nobody can tell */
    const char *lost; /* what names, after it, what could not be had; NULL: nothing is lost */
} Damage;

extern const Damage damages[];
extern const guint n_damages;

/* Whether this process can do it. */
bool damage_is_possible(const Damage *damage);
