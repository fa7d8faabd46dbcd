/*
 * From words to a verb, its options and its arguments.
 *
 * Options may stand anywhere; those before the verb must be global ones. "--" ends them. A wrong
 * word is a Usage error that names the nearest right one.
 */
#pragma once

#include "cli/cli.h"

/* `cli->verb` stays NULL when no word of a verb was given, and `*ret_group` is set when only a
 * group was. The words must outlive `cli`. */
bool syncd_cli_parse(SyncdCli *cli, int argc, char **argv, const char **ret_group, GError **error);

const SyncdVerb *syncd_cli_find_verb(const char *group, const char *name);
bool syncd_cli_is_group(const char *word);
/* "ops list" */
char *syncd_verb_title(const SyncdVerb *verb);
/* Of the verb (NULL: any verb) and the global ones; NULL when there is none. */
const SyncdVerbOption *syncd_cli_find_option(const SyncdVerb *verb, const char *name);
/* The nearest of some words, when it is near; NULL otherwise. */
const char *syncd_nearest(const char *word, const char *const *candidates);
