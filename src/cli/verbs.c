#include "cli/verbs.h"

#include "cli/i18n.h"
#include "cli/verb-options.h"

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

const SyncdVerb syncd_verbs[] = {
    {.name = "status",
     .help = N_("Show how it is with your state"),
     .details = N_("Shows both instances, the worse one first, unless one is asked for. It never "
                   "starts a daemon: that none is running is a state too, with exit code 7."),
     .options = {syncd_status_options},
     .run = syncd_verb_status},
    {.group = "ops",
     .name = "enqueue",
     .help = N_("Record an operation"),
     .details = N_("Answered once the operation is on the disk. With --many, each line is an "
                   "object with the members type, scope, object and body, and where wanted "
                   "idempotency_key, lane, data_class, parents and create_scope; they "
                   "are recorded in batches, each as a whole or not at all, and with --json the "
                   "results are JSON lines. In the lane ephemeral nothing is recorded: the "
                   "operation is seen for a minute."),
     .options = {syncd_enqueue_options},
     .run = syncd_verb_ops_enqueue},
    {.group = "ops",
     .name = "list",
     .help = N_("List operations"),
     .options = {syncd_limit_options, syncd_filter_options, syncd_operation_filter_options,
                 syncd_object_options, syncd_all_options, syncd_memory_options},
     .run = syncd_verb_ops_list},
    {.group = "ops",
     .name = "show",
     .arguments = "OPERATION",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show one operation"),
     .run = syncd_verb_ops_show},
    {.group = "ops",
     .name = "replay",
     .arguments = "OPERATION",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Queue an operation once more"),
     .details = N_("With the same key it is replayed once, however often it is asked for. Refused "
                   "for an operation that says it is not safe to replay."),
     .options = {syncd_replay_options},
     .run = syncd_verb_ops_replay},
    {.group = "ops",
     .name = "reconcile",
     .arguments = "OPERATION",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Say what an operation and its artifacts are called elsewhere"),
     .details = N_("It is said once, one to one: what contradicts it is refused."),
     .options = {syncd_reconcile_options},
     .run = syncd_verb_ops_reconcile},
    {.group = "ops",
     .name = "reconciled",
     .help = N_("Find what was reconciled, from either end"),
     .options = {syncd_reconciled_options, syncd_all_options},
     .run = syncd_verb_ops_reconciled},
    {.group = "ops",
     .name = "delete",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Delete an object"),
     .details = N_("It is gone at once; its history stays in the log. Enqueue with --restore to "
                   "have a new version of it. Asks for confirmation."),
     .options = {syncd_delete_options},
     .run = syncd_verb_ops_delete},
    {.group = "ops",
     .name = "purge",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Purge what is left of a deleted object"),
     .details =
         N_("Shows what would go, asks for confirmation and needs an authorisation. What was "
            "said about the object is taken out of the log and of every file; that it was "
            "said stays, with the proof. With --dry-run nothing is purged."),
     .options = {syncd_purge_options},
     .run = syncd_verb_ops_purge},
    {.group = "ops",
     .name = "checkpoint",
     .arguments = "SCOPE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Write a permanent checkpoint of a scope's log"),
     .details = N_("Kept elsewhere, the signed note proves later that the log was not cut or "
                   "rewritten: see verify checkpoint."),
     .options = {syncd_output_options},
     .run = syncd_verb_ops_checkpoint},
    {.group = "tasks",
     .name = "list",
     .help = N_("List what is to be carried out"),
     .options = {syncd_limit_options, syncd_task_filter_options, syncd_object_options,
                 syncd_task_state_options, syncd_all_options},
     .run = syncd_verb_tasks_list},
    {.group = "tasks",
     .name = "show",
     .arguments = "TASK",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show one task"),
     .details = N_("TASK is the id of a task or of its operation."),
     .run = syncd_verb_tasks_show},
    {.group = "tasks",
     .name = "claim",
     .arguments = "[OPERATION]",
     .max_arguments = 1,
     .help = N_("Take the next task, for a script"),
     .details = N_("The lease goes on when this program ends: renew it, and then complete or fail "
                   "the task. Exit code 3 means that there is none to be had."),
     .options = {syncd_task_filter_options, syncd_object_options, syncd_lease_options},
     .run = syncd_verb_tasks_claim},
    {.group = "tasks",
     .name = "renew",
     .arguments = "LEASE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Keep a task that was claimed"),
     .options = {syncd_lease_options},
     .run = syncd_verb_tasks_renew},
    {.group = "tasks",
     .name = "complete",
     .arguments = "LEASE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("End a task that was carried out"),
     .options = {syncd_complete_options},
     .run = syncd_verb_tasks_complete},
    {.group = "tasks",
     .name = "fail",
     .arguments = "LEASE REASON",
     .min_arguments = 2,
     .max_arguments = 2,
     .help = N_("Give a task back that could not be carried out"),
     .details = N_("It is offered again later, unless it is final or was tried too often."),
     .options = {syncd_fail_options},
     .run = syncd_verb_tasks_fail},
    {.group = "tasks",
     .name = "cancel",
     .arguments = "TASK",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Cancel a task that waits"),
     .details =
         N_("Nobody carries it out any more, and what waits for it is blocked. Refused while "
            "somebody holds it, and when it has ended."),
     .options = {syncd_cancel_options},
     .run = syncd_verb_tasks_cancel},
    {.group = "events",
     .name = "list",
     .help = N_("List what happened"),
     .options = {syncd_limit_options, syncd_filter_options, syncd_event_filter_options,
                 syncd_object_options, syncd_all_options, syncd_follow_options},
     .run = syncd_verb_events_list},
    {.group = "events",
     .name = "show",
     .arguments = "EVENT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show one event"),
     .details = N_("EVENT is an event id, a sequence number or the id of an operation."),
     .options = {syncd_all_options},
     .run = syncd_verb_events_show},
    {.name = "log",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show the history of an object"),
     .options = {syncd_limit_options, syncd_filter_options, syncd_event_filter_options,
                 syncd_all_options},
     .run = syncd_verb_log},
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
    {.group = "verify",
     .name = "log",
     .help = N_("Check the log against its hashes, signatures and counts"),
     .details = N_("It changes nothing. Exit code 2 means that damage was found."),
     .options = {syncd_verify_log_options, syncd_state_dir_options},
     .run = syncd_verb_verify_log},
    {.group = "verify",
     .name = "checkpoint",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Check that the log still contains a checkpoint"),
     .details = N_("FILE is a signed note, or the JSON document of ops checkpoint; - is standard "
                   "input."),
     .options = {syncd_key_options, syncd_state_dir_options},
     .run = syncd_verb_verify_checkpoint},
    {.group = "verify",
     .name = "proof",
     .arguments = "[FILE]",
     .max_arguments = 1,
     .help = N_("Check the proof that an operation is in the log"),
     .details = N_("Works without a daemon when a FILE is given; - is standard input. Without "
                   "--key and without a daemon that has the log, the key is the proof's own: then "
                   "it proves only that the device it names signed it."),
     .options = {syncd_verify_proof_options, syncd_key_options},
     .run = syncd_verb_verify_proof},
    {.group = "contract",
     .name = "validate",
     .arguments = "FILE...",
     .min_arguments = 1,
     .max_arguments = G_MAXUINT,
     .help = N_("Check documents against their contracts"),
     .details = N_("A document is judged by the contract that it names, or by that of --schema; a "
                   "schema from a file may refer to those that are installed. - is standard input. "
                   "Exit code 2 means that a document is not valid, 1 that one could not be "
                   "judged."),
     .options = {syncd_contract_options},
     .run = syncd_verb_contract_validate},
    {.group = "contract",
     .name = "list",
     .help = N_("List the contracts that are known"),
     .run = syncd_verb_contract_list},
    {.group = "contract",
     .name = "show",
     .arguments = "CONTRACT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Print the JSON Schema of a contract"),
     .run = syncd_verb_contract_show},
    {.group = "policy",
     .name = "explain",
     .arguments = "[REQUEST|DECISION]",
     .max_arguments = 1,
     .help = N_("Show what policy says to a request, and which rule says it"),
     .details = N_(
         "REQUEST is a JSON object, a file with one, or - for standard input; options "
         "say the same and come before it. A policy decision can be given as well: then "
         "what it was asked is asked again. DECISION is the id of one (policy-...): then "
         "the daemon's record says what was asked, by whom, and which rule decided. Exit code 2 "
         "means not allowed, or that the "
         "decision given is weaker. A request works without a daemon and without registries: state "
         "the profile of a workspace, and the class and type of an object."),
     .options = {syncd_request_options, syncd_policy_options, syncd_all_options},
     .run = syncd_verb_policy_explain},
    {.group = "policy",
     .name = "list",
     .help = N_("List the rules of policy in the order in which they are looked at"),
     .options = {syncd_policy_options},
     .run = syncd_verb_policy_list},
    {.group = "policy",
     .name = "test",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Check the rules of policy against a table of cases"),
     .details = N_("FILE is a JSON document, - for standard input. Exit code 2 means that a case "
                   "failed. Works without a daemon."),
     .options = {syncd_policy_options},
     .run = syncd_verb_policy_test},
    {.group = "health",
     .name = "verify",
     .help = N_("Check the invariants of a State Integrity Report"),
     .details = N_("Prints every invariant with its evidence. Exit code 2 unless all pass."),
     .options = {syncd_document_options, syncd_judging_options, syncd_believed_key_options},
     .run = syncd_verb_health_verify},
    {.group = "health",
     .name = "explain",
     .help = N_("Say what a State Integrity Report means"),
     .details = N_("Prints the diagnosis: causes, what is affected, what is safe to do and what is "
                   "blocked. Exit code 2 unless the state is healthy."),
     .options = {syncd_document_options, syncd_judging_options, syncd_believed_key_options},
     .run = syncd_verb_health_explain},
    {.group = "repair",
     .name = "plan",
     .help = N_("Plan the repair of what a report shows"),
     .details = N_("Prints a preview: a plan that destroys nothing and is bound to the report."),
     .options = {syncd_document_options, syncd_judging_options, syncd_believed_key_options},
     .run = syncd_verb_repair_plan},
    {.group = "trust",
     .name = "evaluate",
     .help = N_("Decide whether an agent may act on a device in this state"),
     .details = N_("Exit code 2 when the action is blocked."),
     .options = {syncd_document_options, syncd_judging_options, syncd_believed_key_options,
                 syncd_trust_options},
     .run = syncd_verb_trust_evaluate},
    {.group = "trust",
     .name = "validate",
     .help = N_("Check a trust decision"),
     .options = {syncd_document_options},
     .run = syncd_verb_trust_validate},
    {.group = "scorecard",
     .name = "evaluate",
     .help = N_("Make the delivery scorecard of a report"),
     .details = N_("Exit code 2 when the status is degraded or blocked."),
     .options = {syncd_document_options, syncd_judging_options, syncd_believed_key_options},
     .run = syncd_verb_scorecard_evaluate},
    {.group = "scorecard",
     .name = "validate",
     .help = N_("Check a delivery scorecard"),
     .options = {syncd_document_options},
     .run = syncd_verb_scorecard_validate},
    {.group = "evidence",
     .name = "wrap",
     .help = N_("Put a document into an evidence envelope"),
     .options = {syncd_document_options, syncd_evidence_options},
     .run = syncd_verb_evidence_wrap},
    {.group = "evidence",
     .name = "write",
     .help = N_("Keep a document as evidence, in a file of its own"),
     .details = N_("The file is named after the evidence, and never replaces another one."),
     .options = {syncd_document_options, syncd_evidence_options, syncd_output_dir_options},
     .run = syncd_verb_evidence_write},
    {.group = "evidence",
     .name = "validate",
     .help = N_("Check an evidence envelope"),
     .options = {syncd_document_options, syncd_believed_key_options},
     .run = syncd_verb_evidence_validate},
    {.group = "policy",
     .name = "normalize",
     .help = N_("Make the canonical event of an observation"),
     .details =
         N_("Exit code 2 when the observation says what its explanation code does not allow."),
     .options = {syncd_document_options},
     .run = syncd_verb_policy_normalize},
    {.group = "policy",
     .name = "codes",
     .help = N_("Print the explanation codes"),
     .run = syncd_verb_policy_codes},
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
     .details = N_("State that was copied or restored is read-only until it is adopted; then its "
                   "feeds go on in a new epoch. Asks for confirmation. Refused while a daemon "
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
