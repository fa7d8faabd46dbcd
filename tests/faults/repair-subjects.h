/*
 * What repairs are about that need no workspace: an index that is damaged, one that serves and is
 * wrong, modes, what was left half done, tasks that nobody holds, content that is damaged or may be
 * purged, a journal that cannot be opened.
 */
#pragma once

#include "repair-lives.h"

/* A state before anything is done, and what is in it; each case works on a copy. */
typedef struct {
    ServiceFixture f;
    RepairLife life;
    char *state;
    guint notes; /* operations that were answered before */
    guint turns;
    bool serves_nobody;   /* while it is repaired */
    bool is_displaced;    /* the journal, since the last start (repair-generations.h) */
    bool is_proven_early; /* what files held then, at the last start (repair-purges.h) */
    guint *answered;      /* operations that came meanwhile, in all processes */
} RepairWorld;

typedef struct {
    RepairSubject subject;
    void (*damage)(RepairWorld *w); /* NULL: the start of a process does it */
    bool (*is_possible)(void);      /* for whoever runs this; NULL: it is */
} RepairCase;

extern const RepairCase repair_cases[];
extern const size_t repair_n_cases;
const RepairCase *repair_case_find(const char *subject);

/* ---- what the functions of a case share ---- */

void repair_world_open(RepairLife *life);
void repair_world_look_deep(RepairLife *life); /* at the log, and the index */
/* All that was answered is there. */
bool repair_world_has_all(RepairLife *life);
/* The newest plan is in that state. */
bool repair_world_is_plan(RepairLife *life, const char *state);
/* A repair goes on, or was carried out: what was wrong with an earlier process is no more. */
bool repair_world_is_repaired(RepairLife *life);

/* ---- a world ---- */

/* A state with that damage, in `w->state`; `w->life` is about copies of it. */
void repair_world_init(RepairWorld *w, const RepairCase *which, LifeEnd end);
void repair_world_clear(RepairWorld *w);
