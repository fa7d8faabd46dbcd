/*
 * Where the daemon is measured: a private bus and processes on it.
 *
 * A stage is a directory with a bus. Whoever is started on it claims a name; starting waits for the
 * name and says how long that took. All that a process needs is in its arguments and a few
 * variables of its environment.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct {
    char *directory;
    char *address;
    int log; /* where processes complain */
    GPid bus;
    sd_bus *watch; /* hears who comes */
} Stage;

void stage_open(Stage *stage, const char *directory);
void stage_close(Stage *stage);

typedef struct {
    const char *const *argv; /* NULL-terminated */
    const char *name;        /* that it claims */
    const char *preload;     /* NULL: nothing */
    const char *counts;      /* where count-writes.c counts; NULL: nowhere */
} Actor;

/* `*ret_seconds` (may be NULL): from its exec to its name on the bus. */
GPid stage_start(Stage *stage, const Actor *actor, double *ret_seconds);
/* Ends it as a service manager would, and waits for its end. */
void stage_stop(GPid pid);
/* Runs a program to its end and gives what it printed. */
char *stage_run(Stage *stage, const char *const *argv, const char *preload);

/* ---- what the kernel says of a process ---- */

double process_cpu(GPid pid);    /* seconds */
double process_memory(GPid pid); /* resident, bytes */
double process_peak(GPid pid);   /* the most that was resident, bytes */
double process_wakeups(GPid pid);
/* Waits until it has nothing more to do. */
void process_settle(GPid pid);
