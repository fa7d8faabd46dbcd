#include "domain/answers.h"

#include "domain/findings.h"

#include <string.h>

#define N_(text) (text) /* marks what is translated where it is printed */
#define FACT_MAX 32u    /* bytes of a name */

static const struct {
    const char *name, *title;
} questions[SYNCD_N_QUESTIONS] = {
    [SYNCD_ASKED_WHAT] = {"what", N_("What it is")},
    [SYNCD_ASKED_SCHEMA] = {"schema", N_("Schema")},
    [SYNCD_ASKED_LAST_CHANGED_BY] = {"last_changed_by", N_("Changed last")},
    [SYNCD_ASKED_OWNER] = {"owner", N_("Belongs to")},
    [SYNCD_ASKED_SAFE_TO_SYNC] = {"safe_to_sync", N_("Safe to sync")},
    [SYNCD_ASKED_BLOCKED_BECAUSE] = {"blocked_because", N_("Blocked")},
    [SYNCD_ASKED_CONFLICTS] = {"conflicts", N_("Conflicts")},
    [SYNCD_ASKED_AUTO_REPAIRABLE] = {"auto_repairable", N_("Mends itself")},
    [SYNCD_ASKED_NEEDS_HUMAN] = {"needs_human", N_("Needs you")},
    [SYNCD_ASKED_DURABILITY] = {"durability", N_("Durable")},
    [SYNCD_ASKED_RESTORE_INTEGRITY] = {"restore_integrity", N_("Provable")},
};

#define LOG "sourceos-syncd log {named}"
#define SHOW "sourceos-syncd {group} show {named}"
#define ASK_POLICY                                                                                 \
    "sourceos-syncd policy explain --action=replicate --lane={lane} --data-class={data_class} "    \
    "--scope={scope}"
#define RESTORE "sourceos-syncd workspace restore {file}"
#define ACCEPT "sourceos-syncd workspace accept {file}"
#define LOG_NEXT "{log_next}"
#define CONTENT_NEXT "{content_next}"
#define TASKS "sourceos-syncd tasks list --object={named}"

static const SyncdAnswer answers[] = {
    {SYNCD_ASKED_WHAT, "workspace_folder", N_("The folder that {workspace} is: {directory}."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_WHAT, "file",
     N_("A file of {workspace}: {path}, {size} bytes, version {version}."), LOG},
    {SYNCD_ASKED_WHAT, "folder", N_("A folder of {workspace}: {path}."), LOG},
    {SYNCD_ASKED_WHAT, "symlink", N_("A symlink of {workspace}: {path}."), LOG},
    {SYNCD_ASKED_WHAT, "ignored_file",
     N_("Something of {workspace} that is ignored now: {path}, version {version}."), LOG},
    {SYNCD_ASKED_WHAT, "deleted_file",
     N_("Something of {workspace} that was deleted: {path}, version {version}."), LOG},
    {SYNCD_ASKED_WHAT, "deleted_object", N_("An object that was deleted; it is {deletion}."), LOG},
    {SYNCD_ASKED_WHAT, "object", N_("An object of the type {type} in {workspace}; it is {state}."),
     SHOW},
    {SYNCD_ASKED_WHAT, "record", N_("A record of the kind {kind}; it is {state}."), SHOW},
    {SYNCD_ASKED_WHAT, "operations",
     N_("An object that is known by its operations alone: {operations} in {scope}."), LOG},

    {SYNCD_ASKED_SCHEMA, "schema_unknown",
     N_("{schema}, which nobody has registered: the object is in quarantine."),
     "sourceos-syncd schemas register"},
    {SYNCD_ASKED_SCHEMA, "migration_required",
     N_("{schema}, of which there is a newer version: the object has to be migrated."),
     "sourceos-syncd migrations list"},
    {SYNCD_ASKED_SCHEMA, "registered", N_("{schema}, as it is registered."),
     "sourceos-syncd schemas show {schema}"},
    {SYNCD_ASKED_SCHEMA, "built_in", N_("{schema}, which this program has built in."), NULL},
    {SYNCD_ASKED_SCHEMA, "no_schema",
     N_("None: it has no record. What its operations say keeps to {schema}."),
     "sourceos-syncd objects register"},

    {SYNCD_ASKED_LAST_CHANGED_BY, "unknown", N_("It is not known who; it was found {changed_at}."),
     "sourceos-syncd events show {operation}"},
    {SYNCD_ASKED_LAST_CHANGED_BY, "recorded", N_("{actor_name} ({actor_type}), {changed_at}."),
     "sourceos-syncd events show {operation}"},

    {SYNCD_ASKED_OWNER, "this_device", N_("This device, {device}, and no other ever has it."),
     NULL},
    {SYNCD_ASKED_OWNER, "identity", N_("{owner}, in {profile}; {device} recorded it."),
     "sourceos-syncd profiles list"},
    {SYNCD_ASKED_OWNER, "profile", N_("{profile}; {device} recorded it."),
     "sourceos-syncd profiles list"},

    {SYNCD_ASKED_SAFE_TO_SYNC, "stays_here", N_("No: nothing in {scope} ever leaves this device."),
     NULL},
    {SYNCD_ASKED_SAFE_TO_SYNC, "deleted", N_("It is deleted, and only that is told to others."),
     LOG},
    {SYNCD_ASKED_SAFE_TO_SYNC, "ignored", N_("It is ignored: nothing of it is recorded any more."),
     LOG},
    {SYNCD_ASKED_SAFE_TO_SYNC, "local_only",
     N_("No: its record says that it stays on this device."), SHOW},
    {SYNCD_ASKED_SAFE_TO_SYNC, "schema_unknown", N_("No: nobody knows what it is."),
     "sourceos-syncd schemas register"},
    {SYNCD_ASKED_SAFE_TO_SYNC, "quarantined", N_("No: it is in quarantine until it is updated."),
     SHOW},
    {SYNCD_ASKED_SAFE_TO_SYNC, "migration_required", N_("No: it has to be migrated first."),
     "sourceos-syncd migrations list"},
    {SYNCD_ASKED_SAFE_TO_SYNC, "conflict_detected", N_("No: it is in conflict."), LOG},
    {SYNCD_ASKED_SAFE_TO_SYNC, "policy_denied",
     N_("No: policy answers {policy_status} to replicating it, as {policy_reason}."), ASK_POLICY},
    {SYNCD_ASKED_SAFE_TO_SYNC, "log_rolled_back",
     N_("No: the log lost its end, so what it says here may not be the newest."), LOG_NEXT},
    {SYNCD_ASKED_SAFE_TO_SYNC, "log_damaged",
     N_("No: the log is not what was written, so what it says is not to be relied on."), LOG_NEXT},
    {SYNCD_ASKED_SAFE_TO_SYNC, "log_displaced",
     N_("No: the journal is not where it was opened, so what it says is only in what is open."),
     "{closed_next}"},
    {SYNCD_ASKED_SAFE_TO_SYNC, "key_missing",
     N_("No: the key of its scope is not here, and nothing of it can be opened."), "{closed_next}"},
    {SYNCD_ASKED_SAFE_TO_SYNC, "content_damaged",
     N_("Not all of it: content of it is damaged or missing ({damaged})."), CONTENT_NEXT},
    {SYNCD_ASKED_SAFE_TO_SYNC, "content_lost",
     N_("Not all of it: content of it is lost ({damaged})."), CONTENT_NEXT},
    {SYNCD_ASKED_SAFE_TO_SYNC, "checksum_mismatch",
     N_("What is recorded is; the bytes that are there are others, and nobody says why."), LOG},
    {SYNCD_ASKED_SAFE_TO_SYNC, "not_current",
     N_("What is recorded is; what is in the directory now may be something else."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_SAFE_TO_SYNC, "safe", N_("Yes: policy lets it be replicated."), NULL},

    {SYNCD_ASKED_BLOCKED_BECAUSE, "log_closed",
     N_("Nothing is recorded of it, as every write is refused. {refusal}."), "{closed_next}"},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "log_damaged",
     N_("The log is not what was written: whatever in it is damaged cannot be read."), LOG_NEXT},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "content_damaged",
     N_("Reading or restoring what is damaged of it is refused: {damaged}."), CONTENT_NEXT},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "content_lost",
     N_("Reading or restoring what is lost of it is refused: {damaged}."), CONTENT_NEXT},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "schema_unknown", N_("Its schema {schema} is not registered."),
     "sourceos-syncd schemas register"},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "quarantined",
     N_("It is in quarantine, as it came before its schema {schema}."), SHOW},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "migration_required",
     N_("There is a newer version of its schema {schema}."), "sourceos-syncd migrations list"},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_paused", N_("{workspace} is paused: {pause_reason}."),
     "sourceos-syncd workspace resume {workspace}"},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_unwatched",
     N_("{workspace} is not recorded at the moment ({recording}: {recording_reason})."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "parent_failed",
     N_("Operations about it wait for others that failed: {blocked}."), TASKS},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "policy_denied",
     N_("Policy answers {policy_status} to replicating it, as {policy_reason}."), ASK_POLICY},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "not_blocked", N_("It is not."), NULL},

    {SYNCD_ASKED_CONFLICTS, "conflict_detected", N_("Its record says that it is in conflict."),
     SHOW},
    {SYNCD_ASKED_CONFLICTS, "no_conflicts", N_("None."), NULL},

    {SYNCD_ASKED_AUTO_REPAIRABLE, "log_closed",
     N_("No: nothing is recorded of it before the log can be written again."), "{closed_next}"},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "log_damaged",
     N_("No: a log that is not what was written mends nothing by itself."), LOG_NEXT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "content_damaged",
     N_("Not by itself: content of it is damaged or missing ({damaged})."), CONTENT_NEXT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "content_lost",
     N_("No: content of it is lost, as a repair found it nowhere ({damaged})."), CONTENT_NEXT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "tasks_retry",
     N_("Operations about it are offered to workers again until they succeed or are given up: "
        "{retrying}."),
     TASKS},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "catching_up",
     N_("The directory is being looked at; what changed is recorded then."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "workspace_returns",
     N_("It is recorded again as soon as the directory is back."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "workspace_resumes",
     N_("It is recorded again as soon as what keeps it from that is over: {recording_reason}."),
     "sourceos-syncd workspace show {workspace}"},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_unseen",
     N_("Not by itself. The recorded bytes were kept, and nobody has looked since whether they are "
        "whole."),
     SYNCD_NEXT_VERIFY_FULL},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_kept",
     N_("Not by itself. The recorded bytes are kept, and can be put back as soon as somebody says "
        "so."),
     RESTORE},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_lost",
     N_("No: its bytes are not those that are recorded, and nobody has kept these."), ACCEPT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "nothing", N_("There is nothing to mend."), NULL},

    {SYNCD_ASKED_NEEDS_HUMAN, "open_log", N_("Have the log take writing again. {refusal}."),
     "{closed_next}"},
    {SYNCD_ASKED_NEEDS_HUMAN, "mend_log", N_("Have the log mended: it is not what was written."),
     LOG_NEXT},
    {SYNCD_ASKED_NEEDS_HUMAN, "mend_content",
     N_("Have its content looked for, where it is damaged or missing: {damaged}."), CONTENT_NEXT},
    {SYNCD_ASKED_NEEDS_HUMAN, "confirm_deletions", N_("Say whether it was meant: {pause_reason}."),
     "sourceos-syncd workspace resume {workspace}"},
    {SYNCD_ASKED_NEEDS_HUMAN, "resume", N_("Resume {workspace}, which somebody paused."),
     "sourceos-syncd workspace resume {workspace}"},
    {SYNCD_ASKED_NEEDS_HUMAN, "restore_bytes",
     N_("Its bytes are not those that are recorded: restore these, or accept what is there."),
     RESTORE},
    {SYNCD_ASKED_NEEDS_HUMAN, "accept_bytes",
     N_("Its bytes are not those that are recorded: put it back from a copy, or accept what is "
        "there."),
     ACCEPT},
    {SYNCD_ASKED_NEEDS_HUMAN, "register_schema", N_("Register its schema {schema}."),
     "sourceos-syncd schemas register"},
    {SYNCD_ASKED_NEEDS_HUMAN, "update", N_("Update it: its schema {schema} is registered now."),
     SHOW},
    {SYNCD_ASKED_NEEDS_HUMAN, "migrate", N_("Migrate it, or register a migration first."),
     "sourceos-syncd migrations list"},
    {SYNCD_ASKED_NEEDS_HUMAN, "resolve", N_("Decide the conflict."), SHOW},
    {SYNCD_ASKED_NEEDS_HUMAN, "tasks_failed",
     N_("Operations about it failed for good: {failed}. Replay or forget them."), TASKS},
    {SYNCD_ASKED_NEEDS_HUMAN, "nobody", N_("No."), NULL},

    {SYNCD_ASKED_DURABILITY, "purged",
     N_("Its content was purged from the log; that it was there stays."), LOG},
    {SYNCD_ASKED_DURABILITY, "log_rolled_back",
     N_("What the log has of it is, but the log lost its end: what came after that is not here."),
     LOG_NEXT},
    {SYNCD_ASKED_DURABILITY, "log_damaged",
     N_("Nobody can say: it is in the log, which is not what was written."), LOG_NEXT},
    {SYNCD_ASKED_DURABILITY, "log_displaced",
     N_("No: it is only in what is open, and ends with the daemon unless that is repaired."),
     "{closed_next}"},
    {SYNCD_ASKED_DURABILITY, "key_missing",
     N_("What was recorded of it is, in the log, but without the key of its scope nobody can open "
        "it."),
     "{closed_next}"},
    {SYNCD_ASKED_DURABILITY, "content_damaged",
     N_("That it was recorded is, in the log; content of it is damaged or missing ({damaged})."),
     CONTENT_NEXT},
    {SYNCD_ASKED_DURABILITY, "content_lost",
     N_("That it was recorded is, in the log; content of it is lost ({damaged})."), CONTENT_NEXT},
    {SYNCD_ASKED_DURABILITY, "kept_unseen",
     N_("What was recorded of it is, in the log; its bytes were kept beside it, and nobody has "
        "looked since whether they are whole."),
     SYNCD_NEXT_VERIFY_FULL},
    {SYNCD_ASKED_DURABILITY, "kept",
     N_("What was recorded of it is, and so are its bytes, which are kept beside the log. The "
        "index can be made anew."),
     NULL},
    {SYNCD_ASKED_DURABILITY, "bytes_lost",
     N_("What was recorded of it is, in the log; the bytes are not in {directory} any more."),
     NULL},
    {SYNCD_ASKED_DURABILITY, "file",
     N_("What was recorded of it is, in the log; the bytes are in {directory}. The index can be "
        "made "
        "anew."),
     NULL},
    {SYNCD_ASKED_DURABILITY, "log",
     N_("All that is known of it is, in the log. The index can be made anew from that."), NULL},

    {SYNCD_ASKED_RESTORE_INTEGRITY, "log_rolled_back",
     N_("Not that it is the newest: the log lost its end."), LOG_NEXT},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "log_damaged", N_("Not now: the log is not what was written."),
     LOG_NEXT},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "log_displaced",
     N_("Not for good: the log that proves it is only in what is open."), "{closed_next}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "key_missing",
     N_("No: without the key of its scope nothing of it can be opened. That it was recorded can be "
        "proven."),
     "{closed_next}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "purged",
     N_("That it was there can be proven; the content is gone."), "sourceos-syncd prove {named}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "content_damaged",
     N_("No: content of it is damaged or missing ({damaged}). That it was recorded can be proven."),
     CONTENT_NEXT},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "content_lost",
     N_("No: content of it is lost ({damaged}). That it was recorded can be proven."),
     CONTENT_NEXT},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "kept_unseen",
     N_("That it was recorded can be: {operation} is under a signed head of the log. Nobody has "
        "looked since whether the bytes that were kept are whole."),
     SYNCD_NEXT_VERIFY_FULL},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "kept",
     N_("Yes: {operation} is under a signed head of the log, and SHA-256 {sha256} is what the "
        "bytes that are kept have to have."),
     "sourceos-syncd prove {named}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "bytes_kept",
     N_("What is there has the SHA-256 {found_sha256} where {sha256} is recorded; the bytes that "
        "are kept have to have that, and {operation} is under a signed head of the log."),
     "sourceos-syncd prove {named}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "bytes_lost",
     N_("No: what is there has the SHA-256 {found_sha256} where {sha256} is recorded. That this "
        "was recorded can be proven."),
     "sourceos-syncd prove {named}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "hash",
     N_("Yes: {operation} is under a signed head of the log, and says that {sha256} is its "
        "SHA-256."),
     "sourceos-syncd prove {named}"},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "provable",
     N_("Yes: {operation} is under a signed head of the log."), "sourceos-syncd prove {named}"},
};

const char *syncd_question_name(SyncdQuestion question)
{
    return questions[question].name;
}

const char *syncd_question_title(SyncdQuestion question)
{
    return questions[question].title;
}

SyncdQuestion syncd_question_find(SyncdBytes name)
{
    SyncdQuestion question = 0;
    while (question < SYNCD_N_QUESTIONS && !syncd_bytes_are(name, questions[question].name))
        question++;
    return question;
}

const SyncdAnswer *syncd_answer_find(SyncdQuestion question, SyncdBytes code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(answers); i++)
        if (answers[i].question == question && syncd_bytes_are(code, answers[i].code))
            return &answers[i];
    return NULL;
}

const SyncdAnswer *syncd_answers(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(answers);
    return answers;
}

char *syncd_answer_fill(const char *text, const char *(*fact)(void *data, const char *name),
                        void *data)
{
    GString *out = g_string_new(NULL);
    for (const char *at = text; *at != '\0';) {
        const char *end = *at == '{' ? strchr(at, '}') : NULL;
        char name[FACT_MAX];
        if (end == NULL || (size_t)(end - at) > sizeof name) {
            g_string_append_c(out, *at++);
            continue;
        }
        g_strlcpy(name, at + 1, (gsize)(end - at));
        const char *value = fact(data, name);
        g_string_append(out, value != NULL ? value : "-");
        at = end + 1;
        if (*at == '.' && out->len > 0 && out->str[out->len - 1] == '.') /* it is a sentence */
            at++;
    }
    return g_string_free(out, FALSE);
}
