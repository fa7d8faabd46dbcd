/*
 * A piece of work whose storage calls fail one by one: each time on a fresh copy of one state, in a
 * process of its own, which is killed there, or told an error. Another process looks at what that
 * left.
 *
 * Calls are numbered from when the work began until it has ended, those of all processes that it
 * began in one row (a reader of a workspace is one). Killing any of them kills the one that works,
 * as nothing that it began outlives it for long; nobody looks before all of them have ended.
 */
#pragma once

#include "state-copies.h"
#include "storage-calls.h"

/* What somebody who waits for the work was told, at least: further ones are the work's own. */
enum { WORK_NOT_TOLD, WORK_FAILED, WORK_DONE };

/* What a call does, as far as it matters to what can go wrong with it. */
typedef enum {
    CALL_TAKES_ROOM = 1 << 0,
    CALL_COMMITS = 1 << 1, /* an entry of the log: whether it is there is open when it fails */
} CallTraits;

typedef struct {
    const char *name;
    StorageVerdict verdict;
    bool lasting;    /* all calls that follow, too */
    CallTraits only; /* those that do this; 0: all */
    bool all;        /* and of these every one, whatever the options say */
} CallFault;

typedef struct {
    const char *(*begin)(void *world); /* makes the copy; the folder that is watched */
    /* Works; calls call_work_begins() and call_work_ends() on the way, and may return. */
    void (*work)(void *world);
    /* Looks at what is left, and removes it. `told`: by call_work_ends(), or call_work_tells(). */
    void (*look)(void *world, int told);
    guint sparse; /* so many times fewer calls, unless the options say all; 0: as they say */
} CallWork;

/* Reads the options that all of these programs have, and sets everything up. */
void call_faults_init(int *argc, char ***argv);
int call_faults_end(void); /* runs the tests */
/* In memory where there is such a place; all that g_dir_make_tmp() makes is in it. */
const char *call_faults_folder(void);

/* ---- for the process that works ---- */

void call_work_begins(void);    /* from here on calls go wrong */
void call_work_tells(int told); /* and goes on */
void call_work_ends(int told);
bool call_work_went_wrong(void); /* the call that is to has come */

/* ---- for the program ---- */

/* Every so-manyth call, as the options say, of each kind of fault; all of them without one first.
 */
void call_faults_run(const CallWork *work, void *world, const CallFault *faults, size_t n);
/* Kills before and after, EIO and ENOSPC; and EIO at each commit of the log. */
void call_faults_run_all(const CallWork *work, void *world);
