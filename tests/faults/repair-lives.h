/*
 * The life of a repair plan while storage calls fail (call-faults.h): planned, approved, applied,
 * and taken back or discarded. Whatever went wrong, the next start finds what the repair is about
 * as it was before or as it is after, what the plan says of itself is so, what is found is found
 * still, and what was not done can be done.
 */
#pragma once

#include "call-faults.h"

#include "../unit/repair-fixture.h"

typedef enum { LIFE_THEN_BACK, LIFE_THEN_GONE } LifeEnd;

typedef struct RepairLife RepairLife;

/* What a repair is about. */
typedef struct {
    const char *name;
    const char *finding; /* its code */
    /* A daemon that starts, in a state that begin_case() of the life has copied … */
    void (*open)(RepairLife *life);
    void (*close)(RepairLife *life); /* … and one that ends, or has ended */
    void (*turn)(RepairLife *life);  /* something of what it does */
    bool (*is_before)(RepairLife *life);
    bool (*is_after)(RepairLife *life);
    bool stays;                                     /* taking it back leaves it repaired */
    const char *const *(*accept)(RepairLife *life); /* of SyncdRepairRequest; NULL: nothing */
} RepairSubject;

struct RepairLife {
    const RepairSubject *subject;
    LifeEnd end;
    ServiceFixture *f;
    const char *(*copy)(RepairLife *life); /* the folder that is watched */
    void (*remove)(RepairLife *life);
    void *data;
};

/* Each storage call of the life fails, in each way. */
void repair_life_run(RepairLife *life);

/* Whether the diagnosis has it. */
bool repair_life_finds(RepairLife *life, const char *code);
