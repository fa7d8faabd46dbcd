/*
 * `sourceos-syncd daemon`: the verb that is the service.
 */
#pragma once

/* argv[0] is the verb, its options follow. Returns the exit status. */
int syncd_daemon_main(int argc, char **argv);
