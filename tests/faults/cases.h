/*
 * Runs a session many times, each time in a process of its own with something else going wrong, and
 * judges what is left of it. Work is shared by forked workers; state lies where syncing costs
 * nothing.
 */
#pragma once

#include "session.h"

typedef struct Cases Cases;

/* In the process of the session, before it begins: arranges for the fault `number`. */
typedef void (*CaseBegin)(Run *run, guint number, const void *data);
/* What goes wrong in it, for messages. */
typedef const char *(*CaseName)(guint number, const void *data);

typedef struct {
    const Session *session;
    const void *data;
    CaseBegin begin;
    CaseName name;
    guint first, last, stride;                      /* numbers */
    bool (*wanted)(guint number, const void *data); /* NULL: all of them */
    /* Whether the session may be ended by a signal; NULL: by none. */
    bool (*may_end_by)(guint number, const void *data, int signal);
    bool boasts, forgets;
} CaseSet;

typedef struct {
    guint runs;
    guint broken;    /* runs in which a promise was broken */
    char first[512]; /* how, in the first of them */
} CaseOutcome;

void cases_set_workers(unsigned n);
/* Broken promises are printed when `loud`. */
CaseOutcome cases_run(const CaseSet *set, bool loud);
