/*
 * The life of a repair plan while things go wrong: planned, approved, applied, and taken back or
 * discarded. Whatever went wrong, the next start finds what the repair is about as it was before or
 * as it is after, what the plan says of itself is so, what is found is found still, and what was
 * not done can be done.
 */
#pragma once

#include "../unit/repair-fixture.h"

/* Files of the ledger whose names begin so were there before any repair. */
#define REPAIR_LIFE_ASIDE "aside."

typedef enum { LIFE_THEN_BACK, LIFE_THEN_GONE } LifeEnd;

/* What the last answer was, of whoever planned and so on. */
typedef enum { TOLD_NOTHING, TOLD_PLANNED, TOLD_APPROVED, TOLD_APPLIED, TOLD_ENDED } LifeTold;

typedef struct RepairLife RepairLife;

/* What a repair is about. */
typedef struct {
    const char *name;
    const char *finding;             /* its code */
    const char *step;                /* what a plan does about it */
    void (*open)(RepairLife *life);  /* a daemon that starts … */
    void (*close)(RepairLife *life); /* … and one that ends, or has ended */
    void (*turn)(RepairLife *life);  /* something of what it does */
    bool (*is_before)(RepairLife *life);
    bool (*is_after)(RepairLife *life);
    bool stays;                                     /* taking it back leaves it repaired */
    bool for_good;                                  /* it cannot be taken back */
    bool is_purge;                                  /* it is asked for whatever else is found */
    const char *const *(*accept)(RepairLife *life); /* of SyncdRepairRequest; NULL: nothing */
    guint sparse; /* so many times fewer of its calls fail, unless all do; 0: as of others */
} RepairSubject;

struct RepairLife {
    const RepairSubject *subject;
    LifeEnd end;
    ServiceFixture *f;
    const char *(*copy)(RepairLife *life); /* of what there is before; the folder that it is in */
    void (*remove)(RepairLife *life);
    void (*tell)(RepairLife *life, LifeTold told); /* as soon as it was told */
    bool (*is_spoiled)(const RepairLife *life);    /* something went wrong: answers may be errors */
    LifeTold told; /* to whoever lived, once what is left of that is judged */
    void *data;
};

/* Lives, in a state that is open, until something goes wrong. */
void repair_life_live(RepairLife *life);
/* Opens what was left of it, and repairs and takes back what is left to be. NULL, or what is wrong.
 */
char *repair_life_judge(RepairLife *life, LifeTold told);

/* Each storage call of the life fails, in each way (call-faults.h). */
void repair_life_run(RepairLife *life);
