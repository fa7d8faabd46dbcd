/*
 * Completion scripts, made from the verb table: one function a shell.
 */
#pragma once

#include "cli/cli.h"

/* The names that the program is installed under. */
#define SYNCD_PROGRAM "sourceos-syncd"
#define SYNCD_SECOND_NAME "sourceos"

void syncd_completion_bash(GString *out);
void syncd_completion_zsh(GString *out);
void syncd_completion_fish(GString *out);

/* Calls `func` for the options of a verb; for the global ones when it is NULL. */
typedef void (*SyncdVerbOptionFunc)(GString *out, const SyncdVerbOption *option,
                                    const SyncdVerb *verb);
void syncd_completion_options(GString *out, const SyncdVerb *verb, SyncdVerbOptionFunc func);
/* True for the verb that names its group first in the table. */
bool syncd_completion_opens_group(const SyncdVerb *verb);
/* True when the verb's argument is a file. */
bool syncd_completion_takes_file(const SyncdVerb *verb);
bool syncd_completion_takes_directory(const SyncdVerb *verb);
/* True when the verb's argument is the id of a plan of repair: those that there are, which only the
 * daemon knows, are what SYNCD_COMPLETION_PLANS prints. */
bool syncd_completion_takes_plan(const SyncdVerb *verb);
#define SYNCD_COMPLETION_PLANS                                                                     \
    SYNCD_PROGRAM " repair list $system --timeout=2 2>/dev/null |"                                 \
                  " sed -n 's/^\\(plan-[^ ]*\\).*/\\1/p'"
/* "bash zsh fish" for the verb whose argument is a SHELL; NULL when its argument is no such word.
 */
char *syncd_completion_argument_words(const SyncdVerb *verb);
