/*
 * One thing that was found wrong: which finding of the table it is (domain/findings.h), and what is
 * known of it here. The daemon finds most; that no daemon answers is found by its client. Both
 * write it as the same member of a `sourceos.doctor/v1`.
 */
#pragma once

#include "base/json-writer.h"
#include "domain/findings.h"

#define SYNCD_DOCTOR_SCHEMA "sourceos.doctor/v1"
#define SYNCD_FOUND_FACTS 8u
#define SYNCD_FOUND_EVIDENCE 5u /* of many the first ones are named */

typedef struct {
    const SyncdFinding *finding;
    struct {
        const char *name;
        char *text;
    } facts[SYNCD_FOUND_FACTS]; /* for its sentence and the command that comes next */
    unsigned n_facts;
    char *target;        /* what a repair is about, for programs; NULL: it has none */
    char *object;        /* the id of what it is about; NULL: of nothing with an id */
    guint64 first, last; /* the sequence numbers that it is about; 0: about none */
    guint64 count;       /* how many are concerned … */
    bool more;           /* … or there are more */
    const char *next;    /* what comes next for who may know of it; NULL: what the table has */
    bool unmended;       /* no repair of this version does what would mend it, or not of this one */
    GPtrArray *evidence; /* char *: ids, places, what was expected and what is there */
} SyncdFound;

/* The texts are copied; NULL ends them: name, text, … */
SyncdFound *syncd_found_new(const char *code, ...) G_GNUC_NULL_TERMINATED;
SyncdFound *syncd_found_new_valist(const char *code, va_list facts);
void syncd_found_free(SyncdFound *found);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdFound, syncd_found_free)
/* One more, which is copied. */
void syncd_found_fact(SyncdFound *found, const char *name, const char *text);
/* Takes the text; beyond the first ones it is dropped. */
void syncd_found_evidence(SyncdFound *found, char *text);

typedef struct {
    bool of_system; /* of which instance it is */
    bool hidden;    /* what it is about is not for whoever reads it */
} SyncdFoundView;

/* The command that comes next. */
char *syncd_found_next(SyncdFound *found, const SyncdFoundView *view);
/* What it stands for in the command that comes next, or in what is said of it; NULL: nothing. */
const char *syncd_found_find_fact(const SyncdFound *found, const char *name);
void syncd_found_write(SyncdFound *found, const SyncdFoundView *view, SyncdJsonWriter *writer);
