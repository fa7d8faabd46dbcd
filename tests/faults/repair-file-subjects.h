/*
 * What repairs of a file of a workspace are about: a file that has other bytes than were recorded,
 * and that a deep scan has found so. It is restored, or what is in it is recorded.
 *
 * The file has the recorded bytes or those that were found, the record says which, and beside it is
 * nothing but what its workspace knows of.
 */
#pragma once

#include "repair-lives.h"

#include "../unit/watched-fixture.h"

typedef struct {
    World file;
    RepairLife life;
    const char *written, *rot; /* what was recorded, and what was found */
    char *accepted[2];
} Rotten;

extern const RepairSubject repair_file_subjects[];
extern const size_t repair_file_n_subjects;

/* Puts such a file into a workspace that is empty, whose service is open, and ends that. */
void rotten_make(Rotten *w);
void rotten_clear(Rotten *w);

/* How the reader of the workspace sees what is there. */
SyncdFileSeen rotten_sight(const char *path);

/* Whose life it is. */
Rotten *rotten_of(RepairLife *life);
/* The second half of a start, behind service_open(). */
void rotten_begin(RepairLife *life);
