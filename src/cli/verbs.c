#include "cli/verbs.h"

#include "cli/i18n.h"

/* Kinds of options. */
#define FLAG(name, letter, help)                                                                   \
    {                                                                                              \
        name, letter, SYNCD_VALUE_NONE, NULL, help, NULL, false                                    \
    }
#define TEXT(name, letter, argument, help)                                                         \
    {                                                                                              \
        name, letter, SYNCD_VALUE_TEXT, argument, help, NULL, false                                \
    }
#define TEXTS(name, letter, argument, help)                                                        \
    {                                                                                              \
        name, letter, SYNCD_VALUE_TEXT, argument, help, NULL, true                                 \
    }
#define NUMBER(name, letter, argument, help)                                                       \
    {                                                                                              \
        name, letter, SYNCD_VALUE_NUMBER, argument, help, NULL, false                              \
    }
#define FILES(name, letter, help)                                                                  \
    {                                                                                              \
        name, letter, SYNCD_VALUE_FILE, "FILE", help, NULL, false                                  \
    }
#define DIRECTORY(name, argument, help)                                                            \
    {                                                                                              \
        name, 0, SYNCD_VALUE_DIRECTORY, argument, help, NULL, false                                \
    }
#define CHOICE(name, argument, choices, help)                                                      \
    {                                                                                              \
        name, 0, SYNCD_VALUE_CHOICE, argument, help, choices, false                                \
    }
#define END                                                                                        \
    {                                                                                              \
        NULL                                                                                       \
    }

const SyncdVerbOption syncd_global_options[] = {
    FLAG("user", 0, N_("Ask the user's instance (the default)")),
    FLAG("system", 0, N_("Ask the machine's instance")),
    FLAG("json", 0, N_("Print JSON, errors included")),
    FLAG("compact", 0, N_("Print JSON on one line")),
    CHOICE("color", "WHEN", "auto always never", N_("Use colour: auto, always or never")),
    FLAG("no-pager", 0, N_("Do not show long output through a pager")),
    NUMBER("timeout", 0, "SECONDS", N_("Wait at most this long for an answer")),
    FLAG("yes", 'y', N_("Do not ask for confirmation")),
    FLAG("help", 'h', N_("Show help, of a verb when one is given")),
    FLAG("version", 0, N_("Show the version")),
    END,
};

static const SyncdVerbOption status_options[] = {
    FLAG("watch", 'w', N_("Go on, and print again whenever something changes")),
    END,
};

static const SyncdVerbOption enqueue_options[] = {
    TEXT("object", 0, "ID", N_("The object that the operation is about")),
    FILES("body", 'b', N_("Read the body from a file, - for standard input")),
    TEXT("body-json", 0, "JSON", N_("The body itself (default: {})")),
    TEXT("type", 't', "TYPE", N_("The operation type (default: sync.operation.enqueue)")),
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    TEXT("lane", 0, "LANE", N_("The lane (default: normal)")),
    TEXT("data-class", 0, "CLASS", N_("The class of the data (default: internal)")),
    TEXTS("parent", 'p', "ID", N_("An operation that this one builds on; may be repeated")),
    FLAG("create-scope", 0, N_("Open the scope when it does not exist")),
    FLAG("restore", 0, N_("The object was deleted: this is a new version of it")),
    FILES("many", 0, N_("Record many operations from JSON lines, - for standard input")),
    FLAG("dry-run", 0, N_("Check the request here and say what would be sent")),
    END,
};

static const SyncdVerbOption limit_options[] = {
    NUMBER("limit", 'n', "N", N_("Print at most this many (default: 50; 0: all)")),
    END,
};

static const SyncdVerbOption filter_options[] = {
    TEXT("scope", 's', "SCOPE", N_("Only of this scope")),
    TEXT("actor", 'a', "ACTOR", N_("Only by this actor")),
    TEXT("type", 't', "TYPE", N_("Only of this type")),
    TEXT("since", 0, "TIME", N_("Only at or after this time: 2026-05-05 09:30, today, 2h")),
    TEXT("until", 0, "TIME", N_("Only before this time")),
    NUMBER("after", 0, "SEQUENCE", N_("Only after this sequence number")),
    FLAG("oldest-first", 0, N_("Print the oldest first")),
    END,
};

static const SyncdVerbOption all_options[] = {
    FLAG("all", 0, N_("In the system instance: also what others did")),
    END,
};

static const SyncdVerbOption object_options[] = {
    TEXT("object", 0, "ID", N_("Only about this object")),
    END,
};

static const SyncdVerbOption memory_options[] = {
    FLAG("ephemeral", 0, N_("Those in memory instead of those in the log")),
    END,
};

static const SyncdVerbOption follow_options[] = {
    FLAG("follow", 'f', N_("Go on, and print what is recorded from now on")),
    END,
};

static const SyncdVerbOption reconcile_options[] = {
    TEXT("remote", 0, "ID", N_("What the operation is called elsewhere")),
    TEXTS("artifact", 0, "PROVISIONAL=FINAL",
          N_("The final id of a provisional artifact; may be repeated")),
    TEXT("admission", 0, "DECISION", N_("The decision that admitted the artifacts")),
    TEXTS("evidence", 'e', "REF",
          N_("An entry of the log, or a digest sha256:…, that proves it; may be repeated")),
    END,
};

static const SyncdVerbOption reconciled_options[] = {
    TEXT("operation", 0, "ID", N_("Of this operation")),
    TEXT("remote", 0, "ID", N_("Of the operation that is called so elsewhere")),
    TEXT("artifact", 0, "ID", N_("Of this artifact, by its provisional or final id")),
    END,
};

static const SyncdVerbOption delete_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    END,
};

static const SyncdVerbOption purge_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    FLAG("dry-run", 0, N_("Show what would go, and purge nothing")),
    TEXT("digest", 0, "DIGEST", N_("Only if it is still what --dry-run has shown")),
    NUMBER("wait", 0, "SECONDS", N_("How long to wait for the proof (default: 30)")),
    END,
};

static const SyncdVerbOption replay_options[] = {
    TEXT("key", 'k', "KEY", N_("The key of this replay (default: that of the operation)")),
    END,
};

static const SyncdVerbOption task_filter_options[] = {
    TEXT("scope", 's', "SCOPE", N_("Only of this scope")),
    TEXT("lane", 0, "LANE", N_("Only of this lane")),
    END,
};

static const SyncdVerbOption task_state_options[] = {
    CHOICE("state", "STATE", "pending running succeeded failed cancelled",
           N_("Only in this state: pending, running, succeeded, failed or cancelled")),
    FLAG("stale", 0, N_("Only those that nobody claimed for too long")),
    END,
};

static const SyncdVerbOption lease_options[] = {
    NUMBER("lease", 0, "SECONDS", N_("How long the lease lasts without being renewed")),
    END,
};

static const SyncdVerbOption complete_options[] = {
    TEXTS("evidence", 'e', "REF",
          N_("An entry of the log, or a digest sha256:…, that proves it; may be repeated")),
    END,
};

static const SyncdVerbOption fail_options[] = {
    FLAG("final", 0, N_("Do not try it again")),
    NUMBER("after", 0, "SECONDS", N_("Try it again this much later at the earliest")),
    END,
};

static const SyncdVerbOption cancel_options[] = {
    TEXT("reason", 0, "TEXT", N_("Why; it is kept in the log")),
    END,
};

static const SyncdVerbOption output_options[] = {
    FILES("output", 'o', N_("Write the document to this file")),
    END,
};

static const SyncdVerbOption verify_log_options[] = {
    FLAG("full", 0, N_("Check everything again, not only what is new")),
    FLAG("heads", 0, N_("Check only signed heads")),
    {"known-head", 0, SYNCD_VALUE_FILE, "FILE",
     N_("A checkpoint kept earlier that the log must contain; may be repeated"), NULL, true},
    END,
};

static const SyncdVerbOption key_options[] = {
    TEXT("key", 'k', "VKEY", N_("The verifier key to trust")),
    END,
};

static const SyncdVerbOption document_options[] = {
    FILES("file", 'f', N_("Read the document from this file, - for standard input")),
    END,
};

static const SyncdVerbOption judging_options[] = {
    TEXT("at", 0, "TIME", N_("Judge as of this time (default: now)")),
    NUMBER("max-age", 0, "SECONDS", N_("How old a report may be (default: 900; 0: of any age)")),
    END,
};

static const SyncdVerbOption believed_key_options[] = {
    TEXTS("key", 'k', "VKEY", N_("A verifier key to believe signatures of; may be repeated")),
    END,
};

static const SyncdVerbOption trust_options[] = {
    TEXT("subject", 0, "SUBJECT", N_("Who wants to act")),
    TEXT("action", 0, "ACTION", N_("What it wants to do")),
    TEXT("lane", 0, "LANE", N_("The lane (default: normal)")),
    FLAG("allow-degraded", 0, N_("Allow the action in a degraded state")),
    FLAG("require-attestation", 0, N_("Demand that the report is signed")),
    END,
};

static const SyncdVerbOption evidence_options[] = {
    TEXT("type", 't', "TYPE", N_("What the artifact is, such as state-integrity-report")),
    TEXT("subject", 0, "SUBJECT", N_("What the artifact is about")),
    END,
};

static const SyncdVerbOption output_dir_options[] = {
    DIRECTORY("output-dir", "DIR", N_("Write the envelope into this directory")),
    END,
};

static const SyncdVerbOption state_dir_options[] = {
    DIRECTORY("state-dir", "DIR", N_("Use the state in this directory")),
    END,
};

static const SyncdVerbOption verify_proof_options[] = {
    TEXT("operation", 0, "ID", N_("Get the proof of this operation from the daemon")),
    FILES("output", 'o', N_("Keep the proof in this file")),
    END,
};

static const SyncdVerbOption contract_options[] = {
    FILES("schema", 0, N_("Judge by the JSON Schema in this file")),
    END,
};

static const SyncdVerbOption policy_options[] = {
    {"rules", 0, SYNCD_VALUE_DIRECTORY, "DIR",
     N_("Also the machine's rules in this directory; may be repeated"), NULL, true},
    {"user-rules", 0, SYNCD_VALUE_DIRECTORY, "DIR",
     N_("Also the user's rules in this directory; may be repeated"), NULL, true},
    END,
};

static const SyncdVerbOption request_options[] = {
    TEXT("action", 0, "ACTION", N_("What is to be done (default: write)")),
    TEXT("lane", 0, "LANE", N_("The lane (default: normal)")),
    TEXT("data-class", 0, "CLASS", N_("The class of the data (default: internal)")),
    TEXT("subject", 0, "IDENTITY", N_("Who asks, such as uid:1000")),
    TEXT("actor-type", 0, "TYPE", N_("The type of the actor, such as human or agent")),
    TEXT("object", 0, "ID", N_("The object that the operation is about")),
    TEXT("object-type", 0, "TYPE", N_("The type of the object")),
    TEXT("profile", 0, "ID", N_("The profile")),
    TEXT("workspace", 0, "ID", N_("The workspace")),
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes")),
    TEXT("scope-class", 0, "CLASS", N_("The class of the scope")),
    TEXT("operation-type", 't', "TYPE", N_("The operation type")),
    END,
};

static const SyncdVerbOption daemon_options[] = {
    FLAG("check-config", 0, N_("Print the configuration in effect, and do no more")),
    FILES("config", 0, N_("Read this file instead of syncd.conf and its drop-ins")),
    TEXT("bus-address", 0, "ADDRESS", N_("Serve on the bus at this address")),
    DIRECTORY("policy-dir", "DIR", N_("Read the machine's rules of policy from this directory")),
    END,
};

static const SyncdVerbOption help_options[] = {
    FLAG("verbs", 0, N_("Print every verb, one a line")),
    END,
};

static const SyncdVerbOption registry_filter_options[] = {
    TEXT("state", 0, "STATE", N_("Only in this state")),
    TEXT("scope", 's', "SCOPE", N_("Only of this scope")),
    TEXT("type", 't', "TYPE", N_("Only of this type")),
    TEXT("workspace", 0, "ID", N_("Only of this workspace")),
    TEXT("profile", 0, "ID", N_("Only of this profile")),
    TEXT("schema", 0, "ID", N_("Only of this schema")),
    END,
};

static const SyncdVerbOption register_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, where the kind of record leaves the choice")),
    END,
};

static const SyncdVerbOption set_options[] = {
    TEXTS("set", 0, "MEMBER=VALUE",
          N_("Set a member of the record, to JSON or a text; may be repeated")),
    FLAG("dry-run", 0, N_("Say what the record would be, and send nothing")),
    END,
};

static const SyncdVerbOption change_key_options[] = {
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    END,
};

static const SyncdVerbOption revoke_options[] = {
    TEXT("reason", 0, "TEXT", N_("Why; it is kept in the record")),
    END,
};

static const SyncdVerbOption migration_options[] = {
    FLAG("dry-run", 0, N_("Show what would become of each object, and change nothing")),
    TEXT("digest", 0, "DIGEST", N_("Only if it is still what --dry-run has shown")),
    END,
};

static const SyncdVerbOption signing_options[] = {
    FILES("signing-key", 0, N_("The author's Ed25519 private key, as openssl writes it")),
    END,
};

/* What every registry can be asked and told. */
/* clang-format off */
#define REGISTRY(registry)                                                                         \
    {.group = registry,                                                                            \
     .name = "list",                                                                               \
     .help = N_("List the records of this kind"),                                                  \
     .options = {limit_options, registry_filter_options, all_options},                             \
     .run = syncd_verb_registry_list},                                                             \
    {.group = registry,                                                                            \
     .name = "show",                                                                               \
     .arguments = "ID",                                                                            \
     .min_arguments = 1,                                                                           \
     .max_arguments = 1,                                                                           \
     .help = N_("Show one record"),                                                                \
     .options = {all_options},                                                                     \
     .run = syncd_verb_registry_show},                                                             \
    {.group = registry,                                                                            \
     .name = "register",                                                                           \
     .arguments = "[FILE]",                                                                        \
     .max_arguments = 1,                                                                           \
     .help = N_("Register a record"),                                                              \
     .details = N_("The record is the JSON object in FILE (- is standard input) with what --set "  \
                   "says: a text, a list with commas, or JSON, as the member wants it. Who, when "  \
                   "and in what state is written by the daemon. --dry-run alone shows what is set " \
                   "already, and contract show what may be there."), \
     .options = {set_options, register_options, change_key_options},                               \
     .run = syncd_verb_registry_register},                                                         \
    {.group = registry,                                                                            \
     .name = "update",                                                                             \
     .arguments = "ID [FILE]",                                                                     \
     .min_arguments = 1,                                                                           \
     .max_arguments = 2,                                                                           \
     .help = N_("Change a record"),                                                                \
     .details = N_("The new record is the one in FILE, or the present one, with what --set says. " \
                   "Without FILE it is refused when somebody else was faster."),                   \
     .options = {set_options, change_key_options},                                                 \
     .run = syncd_verb_registry_update},                                                           \
    {.group = registry,                                                                            \
     .name = "revoke",                                                                             \
     .arguments = "ID",                                                                            \
     .min_arguments = 1,                                                                           \
     .max_arguments = 1,                                                                           \
     .help = N_("End a record for good"),                                                          \
     .details = N_("It is revoked; an object is deleted, a plan is cancelled. Asks for "           \
                   "confirmation."),                                                               \
     .options = {revoke_options, change_key_options},                                              \
     .run = syncd_verb_registry_revoke}
/* clang-format on */

const SyncdVerb syncd_verbs[] = {
    {.name = "status",
     .help = N_("Show how it is with your state"),
     .details = N_("Shows both instances, the worse one first, unless one is asked for. It never "
                   "starts a daemon: that none is running is a state too, with exit code 7."),
     .options = {status_options},
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
     .options = {enqueue_options},
     .run = syncd_verb_ops_enqueue},
    {.group = "ops",
     .name = "list",
     .help = N_("List operations"),
     .options = {limit_options, filter_options, object_options, all_options, memory_options},
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
     .options = {replay_options},
     .run = syncd_verb_ops_replay},
    {.group = "ops",
     .name = "reconcile",
     .arguments = "OPERATION",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Say what an operation and its artifacts are called elsewhere"),
     .details = N_("It is said once, one to one: what contradicts it is refused."),
     .options = {reconcile_options},
     .run = syncd_verb_ops_reconcile},
    {.group = "ops",
     .name = "reconciled",
     .help = N_("Find what was reconciled, from either end"),
     .options = {reconciled_options, all_options},
     .run = syncd_verb_ops_reconciled},
    {.group = "ops",
     .name = "delete",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Delete an object"),
     .details = N_("It is gone at once; its history stays in the log. Enqueue with --restore to "
                   "have a new version of it. Asks for confirmation."),
     .options = {delete_options},
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
     .options = {purge_options},
     .run = syncd_verb_ops_purge},
    {.group = "ops",
     .name = "checkpoint",
     .arguments = "SCOPE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Write a permanent checkpoint of a scope's log"),
     .details = N_("Kept elsewhere, the signed note proves later that the log was not cut or "
                   "rewritten: see verify checkpoint."),
     .options = {output_options},
     .run = syncd_verb_ops_checkpoint},
    {.group = "tasks",
     .name = "list",
     .help = N_("List what is to be carried out"),
     .options = {limit_options, task_filter_options, object_options, task_state_options,
                 all_options},
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
     .options = {task_filter_options, object_options, lease_options},
     .run = syncd_verb_tasks_claim},
    {.group = "tasks",
     .name = "renew",
     .arguments = "LEASE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Keep a task that was claimed"),
     .options = {lease_options},
     .run = syncd_verb_tasks_renew},
    {.group = "tasks",
     .name = "complete",
     .arguments = "LEASE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("End a task that was carried out"),
     .options = {complete_options},
     .run = syncd_verb_tasks_complete},
    {.group = "tasks",
     .name = "fail",
     .arguments = "LEASE REASON",
     .min_arguments = 2,
     .max_arguments = 2,
     .help = N_("Give a task back that could not be carried out"),
     .details = N_("It is offered again later, unless it is final or was tried too often."),
     .options = {fail_options},
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
     .options = {cancel_options},
     .run = syncd_verb_tasks_cancel},
    {.group = "events",
     .name = "list",
     .help = N_("List what happened"),
     .options = {limit_options, filter_options, object_options, all_options, follow_options},
     .run = syncd_verb_events_list},
    {.group = "events",
     .name = "show",
     .arguments = "EVENT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show one event"),
     .details = N_("EVENT is an event id, a sequence number or the id of an operation."),
     .options = {all_options},
     .run = syncd_verb_events_show},
    {.name = "log",
     .arguments = "OBJECT",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show the history of an object"),
     .options = {limit_options, filter_options, all_options},
     .run = syncd_verb_log},
    REGISTRY("actors"),
    REGISTRY("devices"),
    REGISTRY("profiles"),
    REGISTRY("workspaces"),
    REGISTRY("objects"),
    REGISTRY("schemas"),
    REGISTRY("plans"),
    REGISTRY("encryption-profiles"),
    REGISTRY("migrations"),
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
     .options = {migration_options},
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
     .options = {migration_options},
     .run = syncd_verb_migrations_rollback},
    {.group = "migrations",
     .name = "report",
     .arguments = "ENTRY",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Show what a migration or its rollback has done"),
     .options = {all_options},
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
     .options = {signing_options},
     .run = syncd_verb_migrations_sign},
    {.group = "verify",
     .name = "log",
     .help = N_("Check the log against its hashes, signatures and counts"),
     .details = N_("It changes nothing. Exit code 2 means that damage was found."),
     .options = {verify_log_options, state_dir_options},
     .run = syncd_verb_verify_log},
    {.group = "verify",
     .name = "checkpoint",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Check that the log still contains a checkpoint"),
     .details = N_("FILE is a signed note, or the JSON document of ops checkpoint; - is standard "
                   "input."),
     .options = {key_options, state_dir_options},
     .run = syncd_verb_verify_checkpoint},
    {.group = "verify",
     .name = "proof",
     .arguments = "[FILE]",
     .max_arguments = 1,
     .help = N_("Check the proof that an operation is in the log"),
     .details = N_("Works without a daemon when a FILE is given; - is standard input. Without "
                   "--key and without a daemon that has the log, the key is the proof's own: then "
                   "it proves only that the device it names signed it."),
     .options = {verify_proof_options, key_options},
     .run = syncd_verb_verify_proof},
    {.group = "contract",
     .name = "validate",
     .arguments = "FILE...",
     .min_arguments = 1,
     .max_arguments = G_MAXUINT,
     .help = N_("Check documents against their contracts"),
     .details = N_("A document is judged by the contract that it names, or by the schema of "
                   "--schema, which may refer to those that are installed; - is standard input. "
                   "Exit code 2 means that a document is not valid, 1 that one could not be "
                   "judged."),
     .options = {contract_options},
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
     .options = {request_options, policy_options, all_options},
     .run = syncd_verb_policy_explain},
    {.group = "policy",
     .name = "list",
     .help = N_("List the rules of policy in the order in which they are looked at"),
     .options = {policy_options},
     .run = syncd_verb_policy_list},
    {.group = "policy",
     .name = "test",
     .arguments = "FILE",
     .min_arguments = 1,
     .max_arguments = 1,
     .help = N_("Check the rules of policy against a table of cases"),
     .details = N_("FILE is a JSON document, - for standard input. Exit code 2 means that a case "
                   "failed. Works without a daemon."),
     .options = {policy_options},
     .run = syncd_verb_policy_test},
    {.group = "health",
     .name = "verify",
     .help = N_("Check the invariants of a State Integrity Report"),
     .details = N_("Prints every invariant with its evidence. Exit code 2 unless all pass."),
     .options = {document_options, judging_options, believed_key_options},
     .run = syncd_verb_health_verify},
    {.group = "health",
     .name = "explain",
     .help = N_("Say what a State Integrity Report means"),
     .details = N_("Prints the diagnosis: causes, what is affected, what is safe to do and what is "
                   "blocked. Exit code 2 unless the state is healthy."),
     .options = {document_options, judging_options, believed_key_options},
     .run = syncd_verb_health_explain},
    {.group = "repair",
     .name = "plan",
     .help = N_("Plan the repair of what a report shows"),
     .details = N_("Prints a preview: a plan that destroys nothing and is bound to the report."),
     .options = {document_options, judging_options, believed_key_options},
     .run = syncd_verb_repair_plan},
    {.group = "trust",
     .name = "evaluate",
     .help = N_("Decide whether an agent may act on a device in this state"),
     .details = N_("Exit code 2 when the action is blocked."),
     .options = {document_options, judging_options, believed_key_options, trust_options},
     .run = syncd_verb_trust_evaluate},
    {.group = "trust",
     .name = "validate",
     .help = N_("Check a trust decision"),
     .options = {document_options},
     .run = syncd_verb_trust_validate},
    {.group = "scorecard",
     .name = "evaluate",
     .help = N_("Make the delivery scorecard of a report"),
     .details = N_("Exit code 2 when the status is degraded or blocked."),
     .options = {document_options, judging_options, believed_key_options},
     .run = syncd_verb_scorecard_evaluate},
    {.group = "scorecard",
     .name = "validate",
     .help = N_("Check a delivery scorecard"),
     .options = {document_options},
     .run = syncd_verb_scorecard_validate},
    {.group = "evidence",
     .name = "wrap",
     .help = N_("Put a document into an evidence envelope"),
     .options = {document_options, evidence_options},
     .run = syncd_verb_evidence_wrap},
    {.group = "evidence",
     .name = "write",
     .help = N_("Keep a document as evidence, in a file of its own"),
     .details = N_("The file is named after the evidence, and never replaces another one."),
     .options = {document_options, evidence_options, output_dir_options},
     .run = syncd_verb_evidence_write},
    {.group = "evidence",
     .name = "validate",
     .help = N_("Check an evidence envelope"),
     .options = {document_options, believed_key_options},
     .run = syncd_verb_evidence_validate},
    {.group = "policy",
     .name = "normalize",
     .help = N_("Make the canonical event of an observation"),
     .details =
         N_("Exit code 2 when the observation says what its explanation code does not allow."),
     .options = {document_options},
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
     .options = {state_dir_options},
     .run = syncd_verb_store_init},
    {.group = "store",
     .name = "adopt",
     .help = N_("Make state from another machine this machine's own"),
     .details = N_("State that was copied or restored is read-only until it is adopted; then its "
                   "feeds go on in a new epoch. Asks for confirmation. Refused while a daemon "
                   "holds the state."),
     .options = {state_dir_options},
     .run = syncd_verb_store_adopt},
    {.name = "daemon",
     .help = N_("Run the service, in the foreground"),
     .details = N_("Serves org.sourceos.Sync until it is told to stop. A service manager starts "
                   "it; --check-config prints the configuration that is in effect, with exit code "
                   "2 when it has a mistake."),
     .options = {daemon_options, state_dir_options},
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
     .options = {help_options},
     .run = syncd_verb_help},
    {NULL},
};
