/*
 * The phases of a store's life that the power is cut in. Each is a short history, different for
 * each seed, that is recorded while it runs.
 */
#pragma once

#include "power-disk.h"
#include "power-log.h"

/* Something that the store must not do, or a disk must not: each makes the suite fail. */
typedef enum {
    POWER_SOUND,
    POWER_SYNCHRONOUS_OFF,   /* the journal's COMMIT does not wait for the disk */
    POWER_LOOSE_CURSOR,      /* the index says how far it is before it is there */
    POWER_UNSCRUBBED,        /* a purge is over with its commit */
    POWER_PURGED_UNRECORDED, /* its content goes before the log says that it is purged */
    POWER_CARELESS_SWITCH, /* to another generation of the journal, which lacks what came meanwhile
                            */
    POWER_N_FAULTS
} PowerFault;

typedef struct PowerPhase PowerPhase;

typedef struct {
    const PowerPhase *phase;
    PowerSources sources;
    guint64 random;
    PowerFault fault;
    char *folder; /* what the disk is */
    char *state;  /* the state directory in it */
    SyncdStore *store;
    PowerDisk *disk;         /* NULL while the history is being prepared */
    const PowerImage *image; /* that is judged now */
    PowerLog *log;
    GPtrArray *scopes; /* char *: the ids that the history writes to */
    size_t from;       /* the first event after which the power may go */
    size_t done;       /* the event by which that was done which the phase's judge looks for */
    GArray *answers;   /* size_t: the events by which somebody was told of something */
    void *data;        /* of the phase */
    void (*free_data)(void *data);
} PowerRun;

struct PowerPhase {
    const char *name;
    void (*prepare)(PowerRun *run); /* makes what is there before; NULL: nothing is */
    void (*run)(PowerRun *run);
    bool makes_index; /* this history makes an index anew, so its images may lead to that too */
    /* Judges and changes an image before the store is opened; NULL when there is nothing. */
    char *(*judge)(const PowerRun *run, const char *state, size_t cut);
    bool alone; /* what it says is all that is asked for */
    /* What it is about, any of them: of a program whose phases are all alike. NULL: of none. */
    const char *const *about;
    bool (*is_possible)(void); /* for whoever runs this; NULL: it is */
};

#define POWER_ABOUT(...) ((const char *const[]){__VA_ARGS__, NULL})

extern const PowerPhase power_phases[];
extern const size_t power_n_phases;

/* What must be noticed. */
typedef struct {
    const char *path;
    const char *phase;
    PowerFault fault;
    PowerHonesty honesty;
} PowerControl;

extern const PowerControl power_controls[];
extern const size_t power_n_controls;

/* Prepares, records and runs a history of the phase in an empty folder. */
PowerRun *power_run_new(const PowerPhase *phase, PowerFault fault, const char *folder,
                        guint64 seed);
void power_run_free(PowerRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerRun, power_run_free)

size_t power_run_now(const PowerRun *run); /* events so far; 0 while it is prepared */
void power_run_answer(PowerRun *run);      /* somebody was told of something now */
guint power_run_answered(const PowerRun *run, size_t cut);
