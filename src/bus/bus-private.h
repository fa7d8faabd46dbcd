/* What the files of bus/ share about a SyncdBus. */
#pragma once

#include "bus/authority.h"
#include "bus/bus.h"
#include "bus/callers.h"
#include "bus/limits.h"
#include "bus/pace.h"
#include "bus/queue.h"
#include "bus/workers.h"

/* What the handlers and getters of an object are given. */
typedef struct {
    SyncdBus *bus;
    SyncdJob *job;         /* of a job's object, else NULL */
    SyncdRepairPlan *plan; /* of a plan's object, else NULL */
    char *told;            /* the state of the plan that the last PlanChanged told */
    bool changed;          /* a PropertiesChanged of it is due */
} SyncdObject;

struct SyncdBus {
    sd_bus *connection;
    SyncdService *service; /* NULL only where nothing is called: in a test of the interfaces */
    SyncdInstance instance;
    uid_t uid;
    SyncdLimits *limits;
    SyncdCallers *callers;
    SyncdQueue *queue;
    SyncdAuthority *authority;
    SyncdWorkers *workers;
    bool tasks_changed; /* a TaskChanged is due */
    GHashTable *asking; /* sd_bus_message: the SyncdCall that waits for polkit about it */
    SyncdObject root;
    GHashTable *jobs;         /* id: SyncdObject */
    GHashTable *plans;        /* the same */
    GPtrArray *slots;         /* sd_bus_slot */
    SyncdPace *pace;          /* of changed properties */
    SyncdPace *commits;       /* of signals of commits */
    SyncdPace *findings;      /* of FindingsChanged */
    guint32 errors, warnings; /* that it told last */
    SyncdCommit
        untold; /* what these are still to tell: from the first to the last; `kinds` is not used */
    GPtrArray *untold_types; /* of its events, each once */
    SyncdState shown;        /* the state that the last PropertiesChanged told */
};
