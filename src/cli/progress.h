/*
 * How far something is, on a terminal's standard error; nothing where that is no terminal, or where
 * JSON is wanted.
 */
#pragma once

#include "cli/cli.h"

typedef struct {
    const char *what; /* translated, such as "Checking"; NULL: nothing is shown */
} SyncdProgress;

SyncdProgress syncd_progress(const SyncdCli *cli, const char *what);
/* A SyncdProgressFunc (client/job.h). */
void syncd_progress_show(void *progress, double done);
void syncd_progress_clear(const SyncdProgress *progress);
