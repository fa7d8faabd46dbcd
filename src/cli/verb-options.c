#include "cli/verb-options.h"

#include "cli/i18n.h"
#include "cli/words.h"

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
/* Text that is one of a vocabulary, and text for which a vocabulary is offered. */
#define WORD(name_, letter_, argument_, words_, help_)                                             \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = SYNCD_VALUE_CHOICE, .argument = argument_,       \
        .help = help_, .words = words_                                                             \
    }
#define OFFER(name_, letter_, argument_, words_, help_)                                            \
    {                                                                                              \
        .name = name_, .letter = letter_, .kind = SYNCD_VALUE_TEXT, .argument = argument_,         \
        .help = help_, .words = words_                                                             \
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

const SyncdVerbOption syncd_status_options[] = {
    FLAG("watch", 'w', N_("Go on, and print again whenever something changes")),
    END,
};

const SyncdVerbOption syncd_enqueue_options[] = {
    TEXT("object", 0, "ID", N_("The object that the operation is about")),
    FILES("body", 'b', N_("Read the body from a file, - for standard input")),
    TEXT("body-json", 0, "JSON", N_("The body itself (default: {})")),
    OFFER("type", 't', "TYPE", syncd_words_operation_type,
          N_("The operation type (default: sync.operation.enqueue)")),
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    WORD("lane", 0, "LANE", syncd_words_lane, N_("The lane (default: normal)")),
    WORD("data-class", 0, "CLASS", syncd_words_data_class,
         N_("The class of the data (default: internal)")),
    TEXTS("parent", 'p', "ID", N_("An operation that this one builds on; may be repeated")),
    FLAG("create-scope", 0, N_("Open the scope when it does not exist")),
    FLAG("restore", 0, N_("The object was deleted: this is a new version of it")),
    FILES("many", 0, N_("Record many operations from JSON lines, - for standard input")),
    FLAG("dry-run", 0, N_("Check the request here and say what would be sent")),
    END,
};

const SyncdVerbOption syncd_limit_options[] = {
    NUMBER("limit", 'n', "N", N_("Print at most this many (default: 50; 0: all)")),
    END,
};

const SyncdVerbOption syncd_filter_options[] = {
    TEXT("scope", 's', "SCOPE", N_("Only of this scope")),
    TEXT("actor", 'a', "ACTOR", N_("Only by this actor")),
    TEXT("since", 0, "TIME", N_("Only at or after this time: 2026-05-05 09:30, today, 2h")),
    TEXT("until", 0, "TIME", N_("Only before this time")),
    NUMBER("after", 0, "SEQUENCE", N_("Only after this sequence number")),
    FLAG("oldest-first", 0, N_("Print the oldest first")),
    END,
};

const SyncdVerbOption syncd_operation_filter_options[] = {
    OFFER("type", 't', "TYPE", syncd_words_operation_type, N_("Only of this type")),
    END,
};

const SyncdVerbOption syncd_event_filter_options[] = {
    OFFER("type", 't', "TYPE", syncd_words_event_type, N_("Only of this type")),
    END,
};

const SyncdVerbOption syncd_all_options[] = {
    FLAG("all", 0, N_("In the system instance: also what others did")),
    END,
};

const SyncdVerbOption syncd_object_options[] = {
    TEXT("object", 0, "ID", N_("Only about this object")),
    END,
};

const SyncdVerbOption syncd_memory_options[] = {
    FLAG("ephemeral", 0, N_("Those in memory instead of those in the log")),
    END,
};

const SyncdVerbOption syncd_mismatched_options[] = {
    FLAG("mismatched", 0, N_("Only those whose bytes are not what is recorded")),
    END,
};

const SyncdVerbOption syncd_scan_options[] = {
    FLAG("deep", 0, N_("Read every file too, and hold it against its record")),
    END,
};

const SyncdVerbOption syncd_follow_options[] = {
    FLAG("follow", 'f', N_("Go on, and print what is recorded from now on")),
    END,
};

const SyncdVerbOption syncd_reconcile_options[] = {
    TEXT("remote", 0, "ID", N_("What the operation is called elsewhere")),
    TEXTS("artifact", 0, "PROVISIONAL=FINAL",
          N_("The final id of a provisional artifact; may be repeated")),
    TEXT("admission", 0, "DECISION", N_("The decision that admitted the artifacts")),
    TEXTS("evidence", 'e', "REF",
          N_("An entry of the log, or a digest sha256:…, that proves it; may be repeated")),
    END,
};

const SyncdVerbOption syncd_reconciled_options[] = {
    TEXT("operation", 0, "ID", N_("Of this operation")),
    TEXT("remote", 0, "ID", N_("Of the operation that is called so elsewhere")),
    TEXT("artifact", 0, "ID", N_("Of this artifact, by its provisional or final id")),
    END,
};

const SyncdVerbOption syncd_delete_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    END,
};

const SyncdVerbOption syncd_purge_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes (default: device)")),
    FLAG("dry-run", 0, N_("Show what would go, and purge nothing")),
    TEXT("digest", 0, "DIGEST", N_("Only if it is still what --dry-run has shown")),
    NUMBER("wait", 0, "SECONDS", N_("How long to wait for the proof (default: 30)")),
    END,
};

const SyncdVerbOption syncd_replay_options[] = {
    TEXT("key", 'k', "KEY", N_("The key of this replay (default: that of the operation)")),
    END,
};

const SyncdVerbOption syncd_task_filter_options[] = {
    TEXT("scope", 's', "SCOPE", N_("Only of this scope")),
    WORD("lane", 0, "LANE", syncd_words_lane, N_("Only of this lane")),
    END,
};

const SyncdVerbOption syncd_task_state_options[] = {
    CHOICE("state", "STATE", "pending running succeeded failed cancelled",
           N_("Only in this state: pending, running, succeeded, failed or cancelled")),
    FLAG("stale", 0, N_("Only those that nobody claimed for too long")),
    END,
};

const SyncdVerbOption syncd_lease_options[] = {
    NUMBER("lease", 0, "SECONDS", N_("How long the lease lasts without being renewed")),
    END,
};

const SyncdVerbOption syncd_complete_options[] = {
    TEXTS("evidence", 'e', "REF",
          N_("An entry of the log, or a digest sha256:…, that proves it; may be repeated")),
    END,
};

const SyncdVerbOption syncd_fail_options[] = {
    FLAG("final", 0, N_("Do not try it again")),
    NUMBER("after", 0, "SECONDS", N_("Try it again this much later at the earliest")),
    END,
};

const SyncdVerbOption syncd_cancel_options[] = {
    TEXT("reason", 0, "TEXT", N_("Why; it is kept in the log")),
    END,
};

const SyncdVerbOption syncd_output_options[] = {
    FILES("output", 'o', N_("Write the document to this file")),
    END,
};

const SyncdVerbOption syncd_doctor_options[] = {
    FLAG("deep", 0, N_("Check all of the log, and look into every folder")),
    END,
};

const SyncdVerbOption syncd_verify_log_options[] = {
    FLAG("full", 0, N_("Check everything again, not only what is new; so with --state-dir")),
    FLAG("heads", 0, N_("Check only signed heads")),
    {"known-head", 0, SYNCD_VALUE_FILE, "FILE",
     N_("A checkpoint kept earlier that the log must contain; may be repeated"), NULL, true},
    END,
};

const SyncdVerbOption syncd_key_options[] = {
    TEXT("key", 'k', "VKEY", N_("The verifier key to trust")),
    END,
};

const SyncdVerbOption syncd_document_options[] = {
    FILES("file", 'f', N_("Read the document from this file, - for standard input")),
    END,
};

const SyncdVerbOption syncd_judging_options[] = {
    TEXT("at", 0, "TIME", N_("Judge as of this time (default: now)")),
    NUMBER("max-age", 0, "SECONDS", N_("How old a report may be (default: 900; 0: of any age)")),
    END,
};

const SyncdVerbOption syncd_believed_key_options[] = {
    TEXTS("key", 'k', "VKEY",
          N_("A verifier key to believe signatures of, or the registered actor whose key that is; "
             "may be repeated")),
    END,
};

const SyncdVerbOption syncd_repair_plan_options[] = {
    {"accept", 0, SYNCD_VALUE_FILE, "FILE",
     N_("A file whose bytes are to be recorded instead of restored; may be repeated"), NULL, true},
    FLAG("purge", 0, N_("Plan what can be purged to make room, and nothing else")),
    END,
};

const SyncdVerbOption syncd_repair_show_options[] = {
    FLAG("document", 0, N_("Print the exact bytes of the plan")),
    FLAG("report", 0, N_("Show only what was done")),
    END,
};

const SyncdVerbOption syncd_repair_apply_options[] = {
    FILES("approved-plan", 0, N_("The plan whose bytes are in this file, - for standard input")),
    END,
};

const SyncdVerbOption syncd_trust_options[] = {
    TEXT("subject", 0, "SUBJECT", N_("Who wants to act")),
    OFFER("action", 0, "ACTION", syncd_words_action, N_("What it wants to do")),
    OFFER("lane", 0, "LANE", syncd_words_lane, N_("The lane (default: normal)")),
    FLAG("allow-degraded", 0, N_("Allow the action in a degraded state")),
    FLAG("require-attestation", 0, N_("Demand that the report is signed")),
    END,
};

const SyncdVerbOption syncd_evidence_options[] = {
    OFFER("type", 't', "TYPE", syncd_words_evidence_type,
          N_("What the artifact is, such as state-integrity-report")),
    TEXT("subject", 0, "SUBJECT", N_("What the artifact is about")),
    END,
};

const SyncdVerbOption syncd_ledger_options[] = {
    WORD("type", 't', "TYPE", syncd_words_evidence_type, N_("Only of this type")),
    NUMBER("after", 0, "SEQUENCE", N_("Only after this sequence number")),
    FLAG("oldest-first", 0, N_("Print the oldest first")),
    TEXT("cursor", 0, "CURSOR", N_("Go on from where an earlier listing ended")),
    END,
};

const SyncdVerbOption syncd_output_dir_options[] = {
    DIRECTORY("output-dir", "DIR", N_("Write the envelope into this directory")),
    END,
};

const SyncdVerbOption syncd_state_dir_options[] = {
    DIRECTORY("state-dir", "DIR", N_("Use the state in this directory")),
    END,
};

const SyncdVerbOption syncd_verify_proof_options[] = {
    TEXT("operation", 0, "ID", N_("Get the proof of this operation from the daemon")),
    FILES("output", 'o', N_("Keep the proof in this file")),
    END,
};

const SyncdVerbOption syncd_find_options[] = {
    WORD("kind", 'k', "KIND", syncd_words_found_kind, N_("Only this kind of thing")),
    TEXT("workspace", 'w', "NAME", N_("Only what is in this workspace")),
    END,
};

const SyncdVerbOption syncd_proof_output_options[] = {
    FILES("output", 'o', N_("Keep the proof in this file, a new one")),
    END,
};

const SyncdVerbOption syncd_contract_options[] = {
    {.name = "schema",
     .kind = SYNCD_VALUE_FILE,
     .argument = "CONTRACT|FILE",
     .help = N_("Judge by this contract, or by the JSON Schema in this file"),
     .words = syncd_words_contract},
    END,
};

const SyncdVerbOption syncd_policy_options[] = {
    {"rules", 0, SYNCD_VALUE_DIRECTORY, "DIR",
     N_("Also the machine's rules in this directory; may be repeated"), NULL, true},
    {"user-rules", 0, SYNCD_VALUE_DIRECTORY, "DIR",
     N_("Also the user's rules in this directory; may be repeated"), NULL, true},
    END,
};

const SyncdVerbOption syncd_request_options[] = {
    OFFER("action", 0, "ACTION", syncd_words_action, N_("What is to be done (default: write)")),
    WORD("lane", 0, "LANE", syncd_words_lane, N_("The lane (default: normal)")),
    WORD("data-class", 0, "CLASS", syncd_words_data_class,
         N_("The class of the data (default: internal)")),
    TEXT("subject", 0, "IDENTITY", N_("Who asks, such as uid:1000")),
    WORD("actor-type", 0, "TYPE", syncd_words_actor_type,
         N_("The type of the actor, such as human or agent")),
    TEXT("object", 0, "ID", N_("The object that the operation is about")),
    TEXT("object-type", 0, "TYPE", N_("The type of the object")),
    TEXT("profile", 0, "ID", N_("The profile")),
    TEXT("workspace", 0, "ID", N_("The workspace")),
    TEXT("scope", 's', "SCOPE", N_("The scope, such as workspace:notes")),
    WORD("scope-class", 0, "CLASS", syncd_words_scope_class, N_("The class of the scope")),
    OFFER("operation-type", 't', "TYPE", syncd_words_operation_type, N_("The operation type")),
    END,
};

const SyncdVerbOption syncd_daemon_options[] = {
    FLAG("check-config", 0, N_("Print the configuration in effect, and do no more")),
    FILES("config", 0, N_("Read this file instead of syncd.conf and its drop-ins")),
    TEXT("bus-address", 0, "ADDRESS", N_("Serve on the bus at this address")),
    DIRECTORY("policy-dir", "DIR", N_("Read the machine's rules of policy from this directory")),
    END,
};

const SyncdVerbOption syncd_help_options[] = {
    FLAG("verbs", 0, N_("Print every verb, one a line")),
    END,
};

/* ---- what records of a registry can be found by ---- */

#define OF_STATE(words) WORD("state", 0, "STATE", words, N_("Only in this state"))
#define OF_LIFE                                                                                    \
    CHOICE("state", "STATE", "active revoked", N_("Only in this state: active or revoked"))
#define OF_TYPE(words) WORD("type", 't', "TYPE", words, N_("Only of this type"))
#define OF_SCOPE TEXT("scope", 's', "SCOPE", N_("Only of this scope"))
#define OF_WORKSPACE TEXT("workspace", 0, "ID", N_("Only of this workspace"))
#define OF_PROFILE TEXT("profile", 0, "ID", N_("Only of this profile"))
#define OF_SCHEMA TEXT("schema", 0, "ID", N_("Only of this schema"))

const SyncdVerbOption syncd_actor_filter_options[] = {
    OF_LIFE,
    OF_SCOPE,
    OF_TYPE(syncd_words_actor_type),
    END,
};

const SyncdVerbOption syncd_device_filter_options[] = {
    OF_STATE(syncd_words_device_state),
    OF_SCOPE,
    OF_TYPE(syncd_words_trust_level),
    END,
};

const SyncdVerbOption syncd_profile_filter_options[] = {
    OF_LIFE,
    OF_SCOPE,
    OF_TYPE(syncd_words_profile_class),
    END,
};

const SyncdVerbOption syncd_workspace_filter_options[] = {OF_LIFE, OF_SCOPE, OF_PROFILE, END};

const SyncdVerbOption syncd_object_filter_options[] = {
    OF_STATE(syncd_words_object_state),
    OF_SCOPE,
    TEXT("type", 't', "TYPE", N_("Only of this type")),
    OF_WORKSPACE,
    OF_PROFILE,
    OF_SCHEMA,
    END,
};

const SyncdVerbOption syncd_schema_filter_options[] = {
    OF_LIFE, OF_SCOPE, TEXT("type", 't', "TYPE", N_("Only of this type")), OF_SCHEMA, END,
};

const SyncdVerbOption syncd_plan_filter_options[] = {
    OF_STATE(syncd_words_plan_state),
    OF_SCOPE,
    OF_TYPE(syncd_words_operation_class),
    OF_WORKSPACE,
    OF_PROFILE,
    END,
};

const SyncdVerbOption syncd_encryption_filter_options[] = {
    OF_LIFE,
    OF_SCOPE,
    OF_TYPE(syncd_words_scope_class),
    END,
};

const SyncdVerbOption syncd_migration_filter_options[] = {
    OF_LIFE,
    OF_SCOPE,
    TEXT("type", 't', "SCHEMA", N_("Only to this schema")),
    TEXT("schema", 0, "SCHEMA", N_("Only from this schema")),
    END,
};

const SyncdVerbOption syncd_register_options[] = {
    TEXT("scope", 's', "SCOPE", N_("The scope, where the kind of record leaves the choice")),
    END,
};

const SyncdVerbOption syncd_set_options[] = {
    TEXTS("set", 0, "MEMBER=VALUE",
          N_("Set a member of the record, to JSON or a text; may be repeated")),
    FLAG("dry-run", 0, N_("Say what the record would be, have it checked, and record nothing")),
    END,
};

const SyncdVerbOption syncd_change_key_options[] = {
    TEXT("key", 'k', "KEY", N_("An idempotency key: the same request with it is recorded once")),
    END,
};

const SyncdVerbOption syncd_workspace_options[] = {
    TEXT("name", 0, "NAME", N_("What the workspace is called; like its directory unless given")),
    TEXT("profile", 0, "PROFILE", N_("The profile it belongs to; profile:default unless given")),
    TEXT("keep", 0, "VERSIONS",
         N_("Keep the content of so many older versions of a file (8), or only its `hash`")),
    TEXT("keep-size", 0, "SIZE", N_("Keep no content of larger files (16M)")),
    TEXT("keep-deleted", 0, "DAYS", N_("Keep what is kept of a deleted file for so long (30)")),
    END,
};

const SyncdVerbOption syncd_restore_options[] = {
    NUMBER("version", 0, "NUMBER",
           N_("Which version; the newest that is kept before the present one unless given")),
    TEXT("to", 0, "PATH", N_("Another path in the workspace; where it was unless given")),
    FLAG("dry-run", 0, N_("Show what would be done, and change nothing")),
    END,
};

const SyncdVerbOption syncd_announce_options[] = {
    FILES("content", 0, N_("What FILE will have in it is in this file, - for standard input")),
    FLAG("folder", 0, N_("Folders are going to be made")),
    FLAG("delete", 0, N_("They are going to be deleted, with all that is in them")),
    TEXT("rename-to", 0, "PATH", N_("FILE is going to be renamed to this")),
    TEXT("as", 0, "ACTOR", N_("The id of the actor who announces it, with --signing-key")),
    FILES("signing-key", 0, N_("The actor's Ed25519 private key, as openssl writes it")),
    END,
};

const SyncdVerbOption syncd_pause_options[] = {
    TEXT("reason", 0, "TEXT", N_("Why; it is shown in the list")),
    END,
};

const SyncdVerbOption syncd_revoke_options[] = {
    TEXT("reason", 0, "TEXT", N_("Why; it is kept in the record")),
    END,
};

const SyncdVerbOption syncd_migration_options[] = {
    FLAG("dry-run", 0, N_("Show what would become of each object, and change nothing")),
    TEXT("digest", 0, "DIGEST", N_("Only if it is still what --dry-run has shown")),
    END,
};

const SyncdVerbOption syncd_signing_options[] = {
    FILES("signing-key", 0, N_("The author's Ed25519 private key, as openssl writes it")),
    END,
};
