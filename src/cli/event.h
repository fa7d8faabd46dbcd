/*
 * One event for people, as the verbs about events print it.
 */
#pragma once

#include "base/json.h"
#include "cli/actor-names.h"
#include "cli/cli.h"
#include "cli/table.h"

void syncd_event_add_row(SyncdTable *table, SyncdJson event);
/* On one line, for a stream that has no end and so no widths. */
void syncd_event_print_line(SyncdOutput *output, SyncdJson event);
/* On a few lines, for the history of an object. */
void syncd_event_print_entry(SyncdOutput *output, SyncdActorNames *names, SyncdJson event);
