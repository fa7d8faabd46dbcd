/*
 * Commands that are named in what is said to people: whoever asks the machine's instance is told
 * commands that ask it too.
 */
#pragma once

#include "client/client.h"

/* The text, in which commands of this program stand between backticks, with `--system` in those
 * that do not say which instance they ask. */
char *syncd_commands_of(SyncdClientInstance instance, const char *text);
