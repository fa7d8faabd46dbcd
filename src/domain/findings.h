/*
 * Everything that can be found wrong with an instance, as a code for programs and a sentence for
 * people; "{workspace}" in it stands for the fact of that name (domain/answers.h fills it in), as
 * in the command that comes next.
 */
#pragma once

#include "base/bytes.h"

#include <stddef.h>

typedef struct {
    const char *code;
    const char *severity; /* info, warning, error, critical */
    const char *sentence; /* to be translated */
    const char *next;     /* a command, or NULL */
} SyncdFinding;

/* NULL when there is none of that code. */
const SyncdFinding *syncd_finding_find(SyncdBytes code);
const SyncdFinding *syncd_findings(size_t *ret_n);
