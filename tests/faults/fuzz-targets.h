/*
 * What can be called: every method of every interface of every object that a service shows.
 *
 * Objects come and go, so it is asked again from time to time; a method stays known when no object
 * has it any more.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <systemd/sd-bus.h>

typedef struct {
    char *interface;
    char *member;
    GString *in;        /* signature */
    GPtrArray *results; /* names of the out arguments */
    GPtrArray *paths;   /* of the objects that have it now */
    guint64 calls;
    guint64 successes;
} FuzzMethod;

typedef struct {
    char *interface;
    char *name;
    char *path;
    bool writable;
    char *text; /* the value that it had when it was read last, where that is a text */
    guint64 successes;
} FuzzProperty;

typedef struct {
    GPtrArray *methods;    /* FuzzMethod */
    GPtrArray *properties; /* FuzzProperty */
    GHashTable *given;     /* paths that answers gave, besides those that are shown */
    bool given_more;       /* one of them was not looked at yet */
} FuzzTargets;

void fuzz_targets_init(FuzzTargets *targets);
void fuzz_targets_clear(FuzzTargets *targets);
/* Looks at everything again. */
int fuzz_targets_find(FuzzTargets *targets, sd_bus *bus, const char *service);
void fuzz_targets_give(FuzzTargets *targets, const char *path);
FuzzMethod *fuzz_targets_method(const FuzzTargets *targets, const char *interface,
                                const char *member);
FuzzProperty *fuzz_targets_property(const FuzzTargets *targets, const char *interface,
                                    const char *name);
