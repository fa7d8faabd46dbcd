/*
 * One record for people: its members, one a line, aligned.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"

/* Times in local time, texts unescaped and safe, lists of texts with commas, other values on one
 * line. */
void syncd_record_print(SyncdOutput *output, SyncdJson record);
/* The document as it is with --json, as a record without. */
void syncd_record_show(SyncdCli *cli, const char *document);
