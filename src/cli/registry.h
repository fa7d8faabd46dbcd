/*
 * The verbs of all registries, over one table: a group of verbs and the kind of record that it is
 * about.
 */
#pragma once

#include "cli/cli.h"
#include "domain/family.h"

/* The family of the verb's group. */
const SyncdFamily *syncd_cli_family(const SyncdCli *cli);
/* "actors"; NULL of a kind that has no verbs. */
const char *syncd_cli_group_of(const SyncdFamily *family);
/* The record of what Show gave, as text of its own. */
char *syncd_cli_record_of(const char *shown);
