#include "service/explain-rules.h"

#include <string.h>

/* ---- what holds ---- */

static bool always(const SyncdSubject *subject)
{
    return true;
}

static bool is_file(const SyncdSubject *subject)
{
    return subject->kind == SYNCD_SUBJECT_FILE;
}

static bool is_by_nobody_known(const SyncdSubject *subject)
{
    return is_file(subject) && syncd_service_is_by_nobody(subject->service, &subject->last.header);
}

static bool is_workspace_folder(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.folder == 0;
}

static bool is_gone_file(const SyncdSubject *subject)
{
    return is_file(subject) && !subject->file.live && !subject->file.ignored;
}

static bool is_ignored_file(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.ignored;
}

static bool is_there(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.live && subject->file.hashed;
}

static bool is_folder(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.kind == SYNCD_FILE_FOLDER;
}

static bool is_symlink(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.kind == SYNCD_FILE_SYMLINK;
}

static bool is_hashed_file(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.hashed;
}

static bool is_mismatched(const SyncdSubject *subject)
{
    return is_there(subject) && subject->file.mismatched;
}

static bool is_lost(const SyncdSubject *subject)
{
    return is_mismatched(subject) && !subject->file.kept;
}

static bool is_kept(const SyncdSubject *subject)
{
    return is_hashed_file(subject) && subject->file.kept;
}

static bool is_record(const SyncdSubject *subject)
{
    return subject->kind == SYNCD_SUBJECT_RECORD;
}

static bool is_object(const SyncdSubject *subject)
{
    return is_record(subject) && subject->row.family == syncd_family(SYNCD_FAMILY_OBJECT);
}

static bool is_gone_object(const SyncdSubject *subject)
{
    return subject->was_deleted && subject->deletion.state >= SYNCD_DELETION_TOMBSTONED &&
           subject->deletion.state < SYNCD_DELETION_RESTORED;
}

static bool is_gone(const SyncdSubject *subject)
{
    return is_gone_file(subject) || is_gone_object(subject);
}

static bool is_purged(const SyncdSubject *subject)
{
    return subject->was_deleted && (subject->deletion.state == SYNCD_DELETION_PURGED ||
                                    subject->deletion.state == SYNCD_DELETION_PROVEN);
}

static bool lacks_schema(const SyncdSubject *subject)
{
    return g_strcmp0(subject->schema_reason, "schema_unknown") == 0;
}

/* Its schema was registered since, and it was not updated. */
static bool is_quarantined(const SyncdSubject *subject)
{
    return is_object(subject) && strcmp(subject->row.state, SYNCD_STATE_QUARANTINED) == 0;
}

static bool needs_migration(const SyncdSubject *subject)
{
    return g_strcmp0(subject->schema_reason, "migration_required") == 0;
}

static bool stays_on_device(const SyncdSubject *subject)
{
    return strcmp(subject->scope_class, "device") == 0 ||
           strcmp(subject->scope_class, "vault") == 0;
}

static bool has_owner(const SyncdSubject *subject)
{
    return is_object(subject) &&
           syncd_json_member(subject->record, "owner_identity").type == SYNCD_JSON_STRING;
}

static bool is_local_only(const SyncdSubject *subject)
{
    return is_object(subject) &&
           syncd_json_is(syncd_json_member(subject->record, "sync_visibility"), "local_only");
}

static bool is_conflicted(const SyncdSubject *subject)
{
    return is_object(subject) && strcmp(subject->row.state, "conflicted") == 0;
}

static bool is_denied(const SyncdSubject *subject)
{
    return !stays_on_device(subject) && !subject->replication.outcome.allowed;
}

static bool is_paused(const SyncdSubject *subject)
{
    return subject->has_root && strcmp(subject->root.state, SYNCD_STATE_PAUSED) == 0;
}

static bool asks_about_deletions(const SyncdSubject *subject)
{
    return is_paused(subject) && *subject->pause_cause != '\0';
}

static bool recording_is(const SyncdSubject *subject, const char *state)
{
    return subject->is_looked_after && strcmp(subject->standing.state, state) == 0;
}

static bool is_missing(const SyncdSubject *subject)
{
    return recording_is(subject, "missing");
}

static bool is_unwatched(const SyncdSubject *subject)
{
    return is_missing(subject) || recording_is(subject, "failed");
}

static bool is_behind(const SyncdSubject *subject)
{
    return recording_is(subject, "scanning") ||
           (subject->is_looked_after && subject->standing.waiting > 0);
}

static bool is_not_current(const SyncdSubject *subject)
{
    return is_paused(subject) || is_unwatched(subject);
}

static bool tasks_blocked(const SyncdSubject *subject)
{
    return subject->tasks.blocked > 0;
}

static bool tasks_retry(const SyncdSubject *subject)
{
    return subject->tasks.retrying > 0;
}

static bool tasks_failed(const SyncdSubject *subject)
{
    return subject->tasks.failed > 0;
}

static bool is_closed(const SyncdSubject *subject)
{
    return subject->faults.refusal != NULL;
}

static bool is_closed_by(const SyncdSubject *subject, const char *code)
{
    const SyncdFound *closed = subject->faults.closed;
    return closed != NULL && strcmp(closed->finding->code, code) == 0;
}

static bool log_is_displaced(const SyncdSubject *subject)
{
    return is_closed_by(subject, "journal-displaced") || is_closed_by(subject, "journal-cut");
}

static bool key_is_missing(const SyncdSubject *subject)
{
    return is_closed_by(subject, "key-missing");
}

static bool log_is_rolled_back(const SyncdSubject *subject)
{
    return subject->faults.log != NULL &&
           strcmp(subject->faults.log->finding->code, "log-rolled-back") == 0;
}

static bool log_is_damaged(const SyncdSubject *subject)
{
    return subject->faults.log != NULL;
}

static bool content_is_damaged(const SyncdSubject *subject)
{
    return subject->faults.content != NULL &&
           syncd_finding_is_bad(subject->faults.content->finding);
}

static bool content_is_unseen(const SyncdSubject *subject)
{
    return subject->faults.unseen;
}

static bool content_is_lost(const SyncdSubject *subject)
{
    return subject->faults.content != NULL;
}

static bool is_mismatched_and_unseen(const SyncdSubject *subject)
{
    return is_mismatched(subject) && content_is_unseen(subject);
}

/* ---- the table ---- */

/* Of those of a question the first that holds is the answer. */
static const struct {
    SyncdAnswerRule rule;
    bool (*holds)(const SyncdSubject *subject);
} rules[] = {
    {{SYNCD_ASKED_WHAT, "workspace_folder", SYNCD_ON_ROOT}, is_workspace_folder},
    {{SYNCD_ASKED_WHAT, "ignored_file", SYNCD_ON_ENTRY}, is_ignored_file},
    {{SYNCD_ASKED_WHAT, "deleted_file", SYNCD_ON_ENTRY}, is_gone_file},
    {{SYNCD_ASKED_WHAT, "folder", SYNCD_ON_ENTRY}, is_folder},
    {{SYNCD_ASKED_WHAT, "symlink", SYNCD_ON_ENTRY}, is_symlink},
    {{SYNCD_ASKED_WHAT, "file", SYNCD_ON_ENTRY}, is_file},
    {{SYNCD_ASKED_WHAT, "deleted_object", SYNCD_ON_DELETION}, is_gone_object},
    {{SYNCD_ASKED_WHAT, "object", SYNCD_ON_RECORD}, is_object},
    {{SYNCD_ASKED_WHAT, "record", SYNCD_ON_RECORD}, is_record},
    {{SYNCD_ASKED_WHAT, "operations", SYNCD_ON_ENTRY}, always},

    {{SYNCD_ASKED_SCHEMA, "schema_unknown", SYNCD_ON_RECORD}, lacks_schema},
    {{SYNCD_ASKED_SCHEMA, "migration_required", SYNCD_ON_SCHEMA}, needs_migration},
    {{SYNCD_ASKED_SCHEMA, "registered", SYNCD_ON_SCHEMA}, is_object},
    {{SYNCD_ASKED_SCHEMA, "built_in", SYNCD_ON_RECORD}, is_record},
    {{SYNCD_ASKED_SCHEMA, "built_in", SYNCD_ON_ENTRY}, is_file},
    {{SYNCD_ASKED_SCHEMA, "no_schema", SYNCD_ON_ENTRY}, always},

    {{SYNCD_ASKED_LAST_CHANGED_BY, "unknown", SYNCD_ON_ENTRY}, is_by_nobody_known},
    {{SYNCD_ASKED_LAST_CHANGED_BY, "recorded", SYNCD_ON_ENTRY}, always},

    {{SYNCD_ASKED_OWNER, "this_device", SYNCD_ON_ENTRY}, stays_on_device},
    {{SYNCD_ASKED_OWNER, "identity", SYNCD_ON_RECORD}, has_owner},
    {{SYNCD_ASKED_OWNER, "profile", SYNCD_ON_PROFILE}, always},

    {{SYNCD_ASKED_SAFE_TO_SYNC, "stays_here", SYNCD_ON_ENTRY}, stays_on_device},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "deleted", SYNCD_ON_DELETION}, is_gone},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "ignored", SYNCD_ON_ENTRY}, is_ignored_file},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "local_only", SYNCD_ON_RECORD}, is_local_only},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "schema_unknown", SYNCD_ON_RECORD}, lacks_schema},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "quarantined", SYNCD_ON_RECORD}, is_quarantined},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "migration_required", SYNCD_ON_SCHEMA}, needs_migration},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "conflict_detected", SYNCD_ON_RECORD}, is_conflicted},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "log_rolled_back", SYNCD_ON_LOG}, log_is_rolled_back},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "log_damaged", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "log_displaced", SYNCD_ON_CLOSED}, log_is_displaced},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "key_missing", SYNCD_ON_CLOSED}, key_is_missing},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "content_damaged", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "content_lost", SYNCD_ON_CONTENT}, content_is_lost},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "policy_denied", SYNCD_ON_ENTRY}, is_denied},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "checksum_mismatch", SYNCD_ON_FINDING}, is_mismatched},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "not_current", SYNCD_ON_ROOT}, is_not_current},
    {{SYNCD_ASKED_SAFE_TO_SYNC, "safe", SYNCD_ON_ENTRY}, always},

    {{SYNCD_ASKED_BLOCKED_BECAUSE, "log_closed", SYNCD_ON_CLOSED}, is_closed},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "log_damaged", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "content_damaged", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "content_lost", SYNCD_ON_CONTENT}, content_is_lost},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "schema_unknown", SYNCD_ON_RECORD}, lacks_schema},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "quarantined", SYNCD_ON_RECORD}, is_quarantined},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "migration_required", SYNCD_ON_SCHEMA}, needs_migration},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_paused", SYNCD_ON_ROOT}, is_paused},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_unwatched", SYNCD_ON_ROOT}, is_unwatched},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "parent_failed", SYNCD_ON_ENTRY}, tasks_blocked},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "policy_denied", SYNCD_ON_ENTRY}, is_denied},
    {{SYNCD_ASKED_BLOCKED_BECAUSE, "not_blocked", SYNCD_ON_NOTHING}, always},

    {{SYNCD_ASKED_CONFLICTS, "conflict_detected", SYNCD_ON_RECORD}, is_conflicted},
    {{SYNCD_ASKED_CONFLICTS, "no_conflicts", SYNCD_ON_NOTHING}, always},

    {{SYNCD_ASKED_AUTO_REPAIRABLE, "log_closed", SYNCD_ON_CLOSED}, is_closed},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "log_damaged", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "content_damaged", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "content_lost", SYNCD_ON_CONTENT}, content_is_lost},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "tasks_retry", SYNCD_ON_ENTRY}, tasks_retry},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_lost", SYNCD_ON_FINDING}, is_lost},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_unseen", SYNCD_ON_FINDING}, is_mismatched_and_unseen},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "bytes_kept", SYNCD_ON_FINDING}, is_mismatched},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "workspace_returns", SYNCD_ON_ROOT}, is_missing},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "workspace_resumes", SYNCD_ON_ROOT}, is_unwatched},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "catching_up", SYNCD_ON_ROOT}, is_behind},
    {{SYNCD_ASKED_AUTO_REPAIRABLE, "nothing", SYNCD_ON_NOTHING}, always},

    {{SYNCD_ASKED_NEEDS_HUMAN, "open_log", SYNCD_ON_CLOSED}, is_closed},
    {{SYNCD_ASKED_NEEDS_HUMAN, "mend_log", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_NEEDS_HUMAN, "mend_content", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_NEEDS_HUMAN, "confirm_deletions", SYNCD_ON_ROOT}, asks_about_deletions},
    {{SYNCD_ASKED_NEEDS_HUMAN, "resume", SYNCD_ON_ROOT}, is_paused},
    {{SYNCD_ASKED_NEEDS_HUMAN, "accept_bytes", SYNCD_ON_FINDING}, is_lost},
    {{SYNCD_ASKED_NEEDS_HUMAN, "restore_bytes", SYNCD_ON_FINDING}, is_mismatched},
    {{SYNCD_ASKED_NEEDS_HUMAN, "register_schema", SYNCD_ON_RECORD}, lacks_schema},
    {{SYNCD_ASKED_NEEDS_HUMAN, "update", SYNCD_ON_RECORD}, is_quarantined},
    {{SYNCD_ASKED_NEEDS_HUMAN, "migrate", SYNCD_ON_SCHEMA}, needs_migration},
    {{SYNCD_ASKED_NEEDS_HUMAN, "resolve", SYNCD_ON_RECORD}, is_conflicted},
    {{SYNCD_ASKED_NEEDS_HUMAN, "tasks_failed", SYNCD_ON_ENTRY}, tasks_failed},
    {{SYNCD_ASKED_NEEDS_HUMAN, "nobody", SYNCD_ON_NOTHING}, always},

    {{SYNCD_ASKED_DURABILITY, "purged", SYNCD_ON_DELETION}, is_purged},
    {{SYNCD_ASKED_DURABILITY, "log_rolled_back", SYNCD_ON_LOG}, log_is_rolled_back},
    {{SYNCD_ASKED_DURABILITY, "log_damaged", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_DURABILITY, "log_displaced", SYNCD_ON_CLOSED}, log_is_displaced},
    {{SYNCD_ASKED_DURABILITY, "key_missing", SYNCD_ON_CLOSED}, key_is_missing},
    {{SYNCD_ASKED_DURABILITY, "content_damaged", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_DURABILITY, "content_lost", SYNCD_ON_CONTENT}, content_is_lost},
    {{SYNCD_ASKED_DURABILITY, "bytes_lost", SYNCD_ON_FINDING}, is_lost},
    {{SYNCD_ASKED_DURABILITY, "kept_unseen", SYNCD_ON_ENTRY}, content_is_unseen},
    {{SYNCD_ASKED_DURABILITY, "kept", SYNCD_ON_ENTRY}, is_kept},
    {{SYNCD_ASKED_DURABILITY, "file", SYNCD_ON_ENTRY}, is_there},
    {{SYNCD_ASKED_DURABILITY, "log", SYNCD_ON_ENTRY}, always},

    {{SYNCD_ASKED_RESTORE_INTEGRITY, "log_rolled_back", SYNCD_ON_LOG}, log_is_rolled_back},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "log_damaged", SYNCD_ON_LOG}, log_is_damaged},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "log_displaced", SYNCD_ON_CLOSED}, log_is_displaced},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "key_missing", SYNCD_ON_CLOSED}, key_is_missing},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "purged", SYNCD_ON_DELETION}, is_purged},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "content_damaged", SYNCD_ON_CONTENT}, content_is_damaged},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "content_lost", SYNCD_ON_CONTENT}, content_is_lost},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "bytes_lost", SYNCD_ON_FINDING}, is_lost},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "kept_unseen", SYNCD_ON_ENTRY}, content_is_unseen},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "bytes_kept", SYNCD_ON_FINDING}, is_mismatched},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "kept", SYNCD_ON_ENTRY}, is_kept},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "hash", SYNCD_ON_ENTRY}, is_hashed_file},
    {{SYNCD_ASKED_RESTORE_INTEGRITY, "provable", SYNCD_ON_ENTRY}, always},
};

const SyncdAnswerRule *syncd_explain_rule(const SyncdSubject *subject, SyncdQuestion question)
{
    size_t i = 0;
    while (rules[i].rule.question != question || !rules[i].holds(subject))
        i++; /* the last one of each question always holds */
    return &rules[i].rule;
}

bool syncd_explain_gives(SyncdQuestion question, const char *code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].rule.question == question && strcmp(rules[i].rule.code, code) == 0)
            return true;
    return false;
}
