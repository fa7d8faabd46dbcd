/*
 * What bench-bus plays beside itself, each in a process of its own: the baselines, and the writer
 * of a population. The first argument names the role.
 */
#pragma once

#include <stdbool.h>

/* True when the arguments name a role; `*ret_status` is then its exit status. */
bool role_play(int argc, char **argv, int *ret_status);

#define ROLE_ECHO_NAME "org.sourceos.BenchEcho"
#define ROLE_EMPTY_NAME "org.sourceos.BenchEmpty"
#define ROLE_ECHO_PATH "/bench"
#define ROLE_ECHO_INTERFACE "org.sourceos.BenchEcho"
