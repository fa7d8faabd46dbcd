/*
 * What is found wrong with an instance, as far as it bears on one object: whether anything of it
 * can be recorded now, whether the log that tells of it is the one that was written, and whether
 * its own content is there. It is what a diagnosis finds, so that both say the same and lead to the
 * same command; but its content is looked at as well, as no verification may have named it, and
 * leads to one then.
 */
#pragma once

#include "domain/found.h"
#include "service/internal.h"

typedef struct {
    GPtrArray *found;    /* SyncdFound; NULL: nothing is wrong, and all to `parts` is nothing */
    char *refusal;       /* why nothing of it is recorded now, ends no sentence … */
    SyncdFound *closed;  /* … and what is found of that; NULL: nothing says it */
    SyncdFound *log;     /* what the log is, if not what was written */
    SyncdFound *content; /* what its content is, if not whole … */
    char *parts;         /* … and of what: "version 2" */
    bool unseen;         /* of a file that is kept nobody has looked whether that is whole */
} SyncdSubjectFaults;

void syncd_subject_faults_clear(SyncdSubjectFaults *faults);
