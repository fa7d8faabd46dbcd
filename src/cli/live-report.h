/*
 * The State Integrity Report of now: from the daemon or, for a state directory that nobody serves,
 * from this process, which changes no byte of it. A directory without a state has a report too.
 */
#pragma once

#include "cli/cli.h"

typedef struct {
    char *text; /* checked JSON */
    char *key;  /* the verifier key of the device; NULL: the report is signed by nobody */
} SyncdLiveReport;

void syncd_live_report_clear(SyncdLiveReport *live);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdLiveReport, syncd_live_report_clear)

bool syncd_live_report_get(SyncdCli *cli, SyncdLiveReport *ret_live, GError **error);
/* Of the state in a directory. Busy when a daemon holds it. */
char *syncd_live_report_inspect(const char *directory, GError **error);
