/*
 * The document of a verification, read for people and for the exit code.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "cli/judge.h"

/* True for "sound". */
bool syncd_verdict_is_sound(SyncdJson verification);
void syncd_verdict_print_findings(SyncdOutput *output, SyncdJson verification);
/* Prints the document or the text and sets the exit code. */
void syncd_verdict_show(SyncdCli *cli, SyncdJudge *judge, const char *document);
