/* Rows of the table of verbs. The registries, and migrations of what they hold. */
#include "cli/i18n.h"
#include "cli/verb-options.h"
#include "cli/verbs.h"

/* What every registry can be asked and told. */
/* clang-format off */
#define REGISTRY(registry, filters)                                                                   \
    {.group = registry,                                                                            \
     .name = "list",                                                                               \
     .help = N_("List the records of this kind"),                                                  \
     .options = {syncd_limit_options, filters, syncd_all_options},                                 \
     .run = syncd_verb_registry_list},                                                             \
    {.group = registry,                                                                            \
     .name = "show",                                                                               \
     .arguments = "ID",                                                                            \
     .min_arguments = 1,                                                                           \
     .max_arguments = 1,                                                                           \
     .help = N_("Show one record"),                                                                \
     .options = {syncd_all_options},                                                               \
     .run = syncd_verb_registry_show},                                                             \
    {.group = registry,                                                                            \
     .name = "register",                                                                           \
     .arguments = "[FILE]",                                                                        \
     .max_arguments = 1,                                                                           \
     .help = N_("Register a record"),                                                              \
     .details = N_("The record is the JSON object in FILE (- is standard input) with what --set "  \
                   "says: a text, a list with commas, or JSON, as the member wants it. Who, when " \
                   "and in what state is written by the daemon. --dry-run alone shows what is "    \
                   "set already, and contract show what may be there."),                           \
     .options = {syncd_set_options, syncd_register_options, syncd_change_key_options},             \
     .run = syncd_verb_registry_register},                                                         \
    {.group = registry,                                                                            \
     .name = "update",                                                                             \
     .arguments = "ID [FILE]",                                                                     \
     .min_arguments = 1,                                                                           \
     .max_arguments = 2,                                                                           \
     .help = N_("Change a record"),                                                                \
     .details = N_("The new record is the one in FILE, or the present one, with what --set says. " \
                   "Without FILE it is refused when somebody else was faster."),                   \
     .options = {syncd_set_options, syncd_change_key_options},                                     \
     .run = syncd_verb_registry_update},                                                           \
    {.group = registry,                                                                            \
     .name = "revoke",                                                                             \
     .arguments = "ID",                                                                            \
     .min_arguments = 1,                                                                           \
     .max_arguments = 1,                                                                           \
     .help = N_("End a record for good"),                                                          \
     .details = N_("It is revoked; an object is deleted, a plan is cancelled. Asks for "           \
                   "confirmation."),                                                               \
     .options = {syncd_revoke_options, syncd_change_key_options},                                  \
     .run = syncd_verb_registry_revoke}
/* clang-format on */

const SyncdVerb syncd_verbs_registry[] = {
    REGISTRY("actors", syncd_actor_filter_options),
    REGISTRY("devices", syncd_device_filter_options),
    REGISTRY("profiles", syncd_profile_filter_options),
    REGISTRY("workspaces", syncd_workspace_filter_options),
    REGISTRY("objects", syncd_object_filter_options),
    REGISTRY("schemas", syncd_schema_filter_options),
    REGISTRY("plans", syncd_plan_filter_options),
    REGISTRY("encryption-profiles", syncd_encryption_filter_options),
    REGISTRY("migrations", syncd_migration_filter_options),
    {.group = "migrations",
     .name = "apply",
     .arguments = "MIGRATION",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Bring objects to another version of their schema"),
     .details =
         N_("It is planned first: then exactly that is done, in pages of at most 100 objects, "
            "each as a whole or not at all. Objects that cannot follow stay as they are, with "
            "exit code 2. Asks for confirmation."),
     .options = {syncd_migration_options},
     .run = syncd_verb_migrations_apply},
    {.group = "migrations",
     .name = "rollback",
     .arguments = "ENTRY",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Take a migration back"),
     .details = N_("ENTRY is the event of a migration, which has one for each page. The objects "
                   "get their earlier documents from the log, all of them or none: it is refused "
                   "when one was changed since. Asks for confirmation."),
     .options = {syncd_migration_options},
     .run = syncd_verb_migrations_rollback},
    {.group = "migrations",
     .name = "report",
     .arguments = "ENTRY",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show what a migration or its rollback has done"),
     .options = {syncd_all_options},
     .run = syncd_verb_migrations_report},
    {.group = "migrations",
     .name = "sign",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Sign the manifest of a migration, and print it"),
     .details =
         N_("FILE is the manifest, - for standard input. Its author is an actor whose record "
            "has the public key. Works without a daemon."),
     .options = {syncd_signing_options},
     .run = syncd_verb_migrations_sign},
    {NULL},
};
