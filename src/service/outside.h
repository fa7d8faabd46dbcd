/*
 * What the machine says: room on the disk that holds the state, and how hard memory and disk are
 * to get (PSI, where the kernel has it: of the control group, else of the machine).
 *
 * Reads a few small files of /proc and /sys and calls statfs(2); takes tens of microseconds. Where
 * the files are can be told, for tests.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdOutside SyncdOutside;

typedef struct {
    const char *proc;     /* "/proc" */
    const char *cgroup;   /* "/sys/fs/cgroup" */
    guint64 memory_total; /* bytes; 0: the kernel is asked */
    /* Fills in what the disk is, or the problem; NULL: statfs(2). */
    void (*disk)(const char *state, SyncdOutside *outside);
} SyncdPlaces;

/* How many hundredths of the last ten seconds somebody waited, and everybody. */
typedef struct {
    int problem; /* an errno; 0: it was measured */
    double some, full;
} SyncdStall;

struct SyncdOutside {
    int disk_problem;
    guint64 free_bytes, total_bytes; /* that this process may use, and of the file system */
    const char *filesystem;          /* "ext4"; NULL: one that has no name here */
    int memory_problem;
    guint64 memory_total; /* bytes */
    int resident_problem;
    guint64 resident; /* of this process */
    SyncdStall memory, io;
};

/* `places` NULL: the system's. */
void syncd_outside_measure(const char *state, const SyncdPlaces *places, SyncdOutside *ret_outside);

/* none, watch, warning, critical. */
const char *syncd_outside_disk_pressure(const SyncdOutside *outside);
/* With four digits, as it is written. */
double syncd_outside_free_ratio(const SyncdOutside *outside);
/* The same words, of the time that somebody waited; "unknown" when that was not measured. */
const char *syncd_stall_pressure(const SyncdStall *stall);
