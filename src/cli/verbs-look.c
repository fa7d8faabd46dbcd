/* Rows of the table of verbs. Questions about what was recorded. */
#include "cli/i18n.h"
#include "cli/verb-options.h"
#include "cli/verbs.h"

const SyncdVerb syncd_verbs_look[] = {
    {.name = "doctor",
     .help = N_("Find what is wrong"),
     .details = N_("Each finding comes with its evidence and the next command. The exit code is 2 "
                   "when something is more than a remark."),
     .options = {syncd_doctor_options, syncd_all_options},
     .run = syncd_verb_doctor},
    {.name = "explain",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Answer the eleven questions about an object"),
     .details = N_("What it is, who changed it last, whether it is safe to sync, and so on: each "
                   "with what the answer rests on and the next command. OBJECT may be a file of a "
                   "workspace: its path, or its id."),
     .options = {syncd_all_options},
     .run = syncd_verb_explain},
    {.name = "log",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show the history of an object"),
     .details = N_("OBJECT may be a file of a workspace: its path, or its id."),
     .options = {syncd_limit_options, syncd_filter_options, syncd_event_filter_options,
                 syncd_all_options},
     .run = syncd_verb_log},
    {.name = "find",
     .arguments = "WORD...",
     .min_arguments = 1,
     .max_arguments = G_MAXUINT,
     .help = N_("Find files, records and objects by words"),
     .details = N_("All words have to be found; each may be the beginning of one. Of files their "
                   "names are searched, of records what they say, of objects their ids. What is "
                   "secret is not found, nor what policy does not let be indexed."),
     .options = {syncd_limit_options, syncd_find_options, syncd_all_options},
     .run = syncd_verb_find},
    {.name = "prove",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Prove that what is recorded of an object is in the log"),
     .details =
         N_("Prints the proof of the entry that says what the object is now, against the signed "
            "head of its log: verify proof checks it anywhere. OBJECT is an object, a file of a "
            "workspace (its path, or its id), or an operation."),
     .options = {syncd_proof_output_options},
     .run = syncd_verb_prove},
    {NULL},
};
