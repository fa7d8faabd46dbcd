/* Rows of the table of verbs. The program itself, and the state that it keeps. */
#include "cli/i18n.h"
#include "cli/verb-options.h"
#include "cli/verbs.h"

const SyncdVerb syncd_verbs_program[] = {
    {.group = "store",
     .name = "init",
     .help = N_("Make the state of an instance"),
     .details = N_("The first start of the daemon does the same. Refused while a daemon holds the "
                   "state."),
     .options = {syncd_state_dir_options},
     .run = syncd_verb_store_init},
    {.group = "store",
     .name = "adopt",
     .help = N_("Make state from another machine this machine's own"),
     .details = N_("State that was copied or restored, and a log that lost its last entries, are "
                   "read-only until they are adopted; then the feeds go on in a new epoch. Asks "
                   "for confirmation. The daemon has to be stopped for it: refused while one "
                   "holds the state."),
     .options = {syncd_state_dir_options},
     .run = syncd_verb_store_adopt},
    {.name = "daemon",
     .help = N_("Run the service, in the foreground"),
     .details = N_("Serves org.sourceos.Sync until it is told to stop. A service manager starts "
                   "it; --check-config prints the configuration that is in effect, with exit code "
                   "2 when it has a mistake."),
     .options = {syncd_daemon_options, syncd_state_dir_options},
     .run = syncd_verb_daemon},
    {.name = "completion",
     .arguments = "SHELL",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Print the completion script for bash, zsh or fish"),
     .run = syncd_verb_completion},
    {.name = "help",
     .arguments = "[VERB...]",
     .max_arguments = 2,
     .help = N_("Show help"),
     .options = {syncd_help_options},
     .run = syncd_verb_help},
    {NULL},
};
