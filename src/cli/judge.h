/*
 * Whoever judges the log: the running daemon or, for a state directory, this process.
 *
 * Both give the same documents: those of Manager.Describe and of a verification. A state directory
 * is opened for inspection: no byte of it is changed, and one that a daemon holds is refused.
 */
#pragma once

#include "cli/cli.h"

typedef struct SyncdJudge SyncdJudge;

/* The verb has --state-dir. */
SyncdJudge *syncd_judge_open(SyncdCli *cli, GError **error);
void syncd_judge_free(SyncdJudge *judge);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdJudge, syncd_judge_free)

char *syncd_judge_describe(SyncdJudge *judge, GError **error);
/* `mode` is "incremental", "full" or "heads"; `known_heads` are notes, NULL-terminated, or NULL.
 * Shows progress on a terminal's stderr. */
char *syncd_judge_verify(SyncdJudge *judge, const char *mode, const char *const *known_heads,
                         GError **error);
/* The command that comes next of what a diagnosis finds under that code; NULL: it does not. */
char *syncd_judge_next(SyncdJudge *judge, const char *code);
/* "user instance", or the directory: for sentences. */
const char *syncd_judge_name(const SyncdJudge *judge);
