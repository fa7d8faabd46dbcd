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
    guint *answered; /* operations that came meanwhile, in all processes */
} RepairWorld;

typedef struct {
    RepairSubject subject;
    void (*damage)(RepairWorld *w);
    bool (*is_possible)(void); /* for whoever runs this; NULL: it is */
} RepairCase;

extern const RepairCase repair_cases[];
extern const size_t repair_n_cases;
const RepairCase *repair_case_find(const char *subject);

/* A state with that damage, in `w->state`; `w->life` is about copies of it. */
void repair_world_init(RepairWorld *w, const RepairCase *which, LifeEnd end);
void repair_world_clear(RepairWorld *w);
