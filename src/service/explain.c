#include "service/explain.h"

#include "base/json-writer.h"
#include "base/timestamp.h"
#include "domain/answers.h"
#include "service/subject.h"

#include <string.h>

/* ---- facts ---- */

typedef struct {
    const char *name;
    char *text;
} Fact;

#define FACTS_MAX 40u

typedef struct {
    Fact list[FACTS_MAX];
    unsigned n;
} Facts;

static void facts_clear(Facts *facts)
{
    for (unsigned i = 0; i < facts->n; i++)
        g_free(facts->list[i].text);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Facts, facts_clear)

/* Takes the text; what is not known is no fact. */
static void add(Facts *facts, const char *name, char *text)
{
    if (text == NULL || *text == '\0')
        g_free(text);
    else
        facts->list[facts->n++] = (Fact){name, text};
}

static void add_number(Facts *facts, const char *name, guint64 number)
{
    add(facts, name, g_strdup_printf("%" G_GUINT64_FORMAT, number));
}

static const char *find_fact(void *data, const char *name)
{
    const Facts *facts = data;
    for (unsigned i = 0; i < facts->n; i++)
        if (strcmp(facts->list[i].name, name) == 0)
            return facts->list[i].text;
    return NULL;
}

static void add_entry(const SyncdSubject *subject, Facts *facts)
{
    const SyncdHeader *header = &subject->last.header;
    char time[SYNCD_TIME_SIZE];
    syncd_time_format_ms(header->hlc.ms, time);
    add(facts, "operation", syncd_bytes_dup(header->op));
    add_number(facts, "sequence", subject->last.pos);
    add(facts, "actor", syncd_bytes_dup(header->actor));
    add(facts, "actor_name", g_strdup(subject->actor_name));
    add(facts, "actor_type", g_strdup(subject->actor_type));
    add(facts, "device", syncd_bytes_dup(header->device));
    add(facts, "decision", syncd_bytes_dup(header->decision));
    add(facts, "lane", syncd_bytes_dup(header->lane));
    add(facts, "changed_at", g_strdup(time));
}

static void add_file(const SyncdSubject *subject, Facts *facts)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    const SyncdFileRow *row = &subject->file;
    add(facts, "kind", g_strdup(syncd_file_kind_name(row->kind)));
    add(facts, "path",
        subject->path_size == 0 ? g_strdup(".")
                                : g_utf8_make_valid(subject->path, (gssize)subject->path_size));
    add_number(facts, "size", row->size);
    add_number(facts, "version", row->version);
    if (row->hashed) {
        syncd_hash_to_hex(&row->hash, digits);
        add(facts, "sha256", g_strdup(digits));
    }
}

static void add_root(const SyncdSubject *subject, Facts *facts)
{
    add(facts, "directory", g_strdup(subject->root.columns[SYNCD_COLUMN_TYPE]));
    add(facts, "pause_reason", g_strdup(subject->pause_reason));
    add(facts, "recording", g_strdup(subject->is_looked_after ? subject->standing.state : "not"));
    add(facts, "recording_reason",
        g_strdup(subject->is_looked_after ? subject->standing.reason : NULL));
}

static void add_record(const SyncdSubject *subject, Facts *facts)
{
    const SyncdRecordRow *row = &subject->row;
    add(facts, "kind", g_strdup(row->family->name));
    add(facts, "group", g_strconcat(row->family->name, "s", NULL));
    add(facts, "state", g_strdup(row->state));
    add(facts, "type", g_strdup(row->columns[SYNCD_COLUMN_TYPE]));
    add(facts, "owner", syncd_record_member(subject->record, "owner_identity"));
}

/* As a shell takes it. */
static char *quoted(const char *id)
{
    return id[strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-_.:/@")] == '\0'
               ? g_strdup(id)
               : g_shell_quote(id);
}

static void gather(const SyncdSubject *subject, Facts *facts)
{
    const SyncdObjectTasks *tasks = &subject->tasks;
    add(facts, "object", g_strdup(subject->id));
    add(facts, "named", quoted(subject->id));
    add(facts, "scope", g_strdup(subject->scope));
    add(facts, "workspace", g_strdup(subject->workspace));
    add(facts, "profile", g_strdup(subject->profile));
    add(facts, "data_class", g_strdup(subject->data_class));
    add(facts, "schema", g_strdup(subject->schema));
    add_entry(subject, facts);
    if (subject->kind == SYNCD_SUBJECT_FILE)
        add_file(subject, facts);
    if (subject->kind == SYNCD_SUBJECT_RECORD)
        add_record(subject, facts);
    if (subject->has_root)
        add_root(subject, facts);
    if (subject->kind == SYNCD_SUBJECT_OPERATIONS)
        add(facts, "kind", g_strdup("object"));
    if (subject->was_deleted)
        add(facts, "deletion", g_strdup(syncd_deletion_state_name(subject->deletion.state)));
    if (subject->kind != SYNCD_SUBJECT_FILE) {
        add_number(facts, "operations", tasks->operations);
        add_number(facts, "retrying", tasks->retrying);
        add_number(facts, "blocked", tasks->blocked);
        add_number(facts, "failed", tasks->failed);
    }
    add(facts, "policy_status", g_strdup(subject->replication.outcome.status));
    add(facts, "policy_reason", g_strdup(subject->replication.outcome.reason));
}

/* ---- what holds ---- */

static bool always(const SyncdSubject *subject)
{
    return true;
}

static bool is_file(const SyncdSubject *subject)
{
    return subject->kind == SYNCD_SUBJECT_FILE;
}

static bool is_workspace_folder(const SyncdSubject *subject)
{
    return is_file(subject) && subject->file.folder == 0;
}

static bool is_gone_file(const SyncdSubject *subject)
{
    return is_file(subject) && !subject->file.live;
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

static bool is_unwatched(const SyncdSubject *subject)
{
    return recording_is(subject, "missing") || recording_is(subject, "failed");
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

static bool log_is_damaged(const SyncdSubject *subject)
{
    return subject->service->verify_found;
}

/* ---- answers ---- */

/* What an answer rests on, beside the entry that changed it last. */
typedef enum {
    ON_ENTRY,
    ON_RECORD,
    ON_ROOT,
    ON_PROFILE,
    ON_SCHEMA,
    ON_DELETION,
    ON_NOTHING,
} Basis;

/* Of those of a question the first that holds is the answer. */
static const struct {
    SyncdQuestion question;
    const char *code;
    bool (*holds)(const SyncdSubject *subject);
    Basis basis;
} rules[] = {
    {SYNCD_ASKED_WHAT, "workspace_folder", is_workspace_folder, ON_ROOT},
    {SYNCD_ASKED_WHAT, "deleted_file", is_gone_file, ON_ENTRY},
    {SYNCD_ASKED_WHAT, "folder", is_folder, ON_ENTRY},
    {SYNCD_ASKED_WHAT, "symlink", is_symlink, ON_ENTRY},
    {SYNCD_ASKED_WHAT, "file", is_file, ON_ENTRY},
    {SYNCD_ASKED_WHAT, "deleted_object", is_gone_object, ON_DELETION},
    {SYNCD_ASKED_WHAT, "object", is_object, ON_RECORD},
    {SYNCD_ASKED_WHAT, "record", is_record, ON_RECORD},
    {SYNCD_ASKED_WHAT, "operations", always, ON_ENTRY},

    {SYNCD_ASKED_SCHEMA, "schema_unknown", lacks_schema, ON_RECORD},
    {SYNCD_ASKED_SCHEMA, "migration_required", needs_migration, ON_SCHEMA},
    {SYNCD_ASKED_SCHEMA, "registered", is_object, ON_SCHEMA},
    {SYNCD_ASKED_SCHEMA, "built_in", is_record, ON_RECORD},
    {SYNCD_ASKED_SCHEMA, "built_in", is_file, ON_ENTRY},
    {SYNCD_ASKED_SCHEMA, "no_schema", always, ON_ENTRY},

    {SYNCD_ASKED_LAST_CHANGED_BY, "recorded", always, ON_ENTRY},

    {SYNCD_ASKED_OWNER, "this_device", stays_on_device, ON_ENTRY},
    {SYNCD_ASKED_OWNER, "identity", has_owner, ON_RECORD},
    {SYNCD_ASKED_OWNER, "profile", always, ON_PROFILE},

    {SYNCD_ASKED_SAFE_TO_SYNC, "stays_here", stays_on_device, ON_ENTRY},
    {SYNCD_ASKED_SAFE_TO_SYNC, "deleted", is_gone, ON_DELETION},
    {SYNCD_ASKED_SAFE_TO_SYNC, "local_only", is_local_only, ON_RECORD},
    {SYNCD_ASKED_SAFE_TO_SYNC, "schema_unknown", lacks_schema, ON_RECORD},
    {SYNCD_ASKED_SAFE_TO_SYNC, "migration_required", needs_migration, ON_SCHEMA},
    {SYNCD_ASKED_SAFE_TO_SYNC, "conflict_detected", is_conflicted, ON_RECORD},
    {SYNCD_ASKED_SAFE_TO_SYNC, "policy_denied", is_denied, ON_ENTRY},
    {SYNCD_ASKED_SAFE_TO_SYNC, "not_current", is_not_current, ON_ROOT},
    {SYNCD_ASKED_SAFE_TO_SYNC, "safe", always, ON_ENTRY},

    {SYNCD_ASKED_BLOCKED_BECAUSE, "schema_unknown", lacks_schema, ON_RECORD},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "migration_required", needs_migration, ON_SCHEMA},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_paused", is_paused, ON_ROOT},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "workspace_unwatched", is_unwatched, ON_ROOT},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "parent_failed", tasks_blocked, ON_ENTRY},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "policy_denied", is_denied, ON_ENTRY},
    {SYNCD_ASKED_BLOCKED_BECAUSE, "not_blocked", always, ON_NOTHING},

    {SYNCD_ASKED_CONFLICTS, "conflict_detected", is_conflicted, ON_RECORD},
    {SYNCD_ASKED_CONFLICTS, "no_conflicts", always, ON_NOTHING},

    {SYNCD_ASKED_AUTO_REPAIRABLE, "tasks_retry", tasks_retry, ON_ENTRY},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "workspace_returns", is_unwatched, ON_ROOT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "catching_up", is_behind, ON_ROOT},
    {SYNCD_ASKED_AUTO_REPAIRABLE, "nothing", always, ON_NOTHING},

    {SYNCD_ASKED_NEEDS_HUMAN, "confirm_deletions", asks_about_deletions, ON_ROOT},
    {SYNCD_ASKED_NEEDS_HUMAN, "resume", is_paused, ON_ROOT},
    {SYNCD_ASKED_NEEDS_HUMAN, "register_schema", lacks_schema, ON_RECORD},
    {SYNCD_ASKED_NEEDS_HUMAN, "migrate", needs_migration, ON_SCHEMA},
    {SYNCD_ASKED_NEEDS_HUMAN, "resolve", is_conflicted, ON_RECORD},
    {SYNCD_ASKED_NEEDS_HUMAN, "tasks_failed", tasks_failed, ON_ENTRY},
    {SYNCD_ASKED_NEEDS_HUMAN, "nobody", always, ON_NOTHING},

    {SYNCD_ASKED_DURABILITY, "purged", is_purged, ON_DELETION},
    {SYNCD_ASKED_DURABILITY, "kept", is_kept, ON_ENTRY},
    {SYNCD_ASKED_DURABILITY, "file", is_hashed_file, ON_ENTRY},
    {SYNCD_ASKED_DURABILITY, "log", always, ON_ENTRY},

    {SYNCD_ASKED_RESTORE_INTEGRITY, "log_damaged", log_is_damaged, ON_ENTRY},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "purged", is_purged, ON_DELETION},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "kept", is_kept, ON_ENTRY},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "hash", is_hashed_file, ON_ENTRY},
    {SYNCD_ASKED_RESTORE_INTEGRITY, "provable", always, ON_ENTRY},
};

bool syncd_explain_gives(unsigned question, const char *code)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (rules[i].question == question && strcmp(rules[i].code, code) == 0)
            return true;
    return false;
}

static void write_basis(const char *kind, const char *id, guint64 sequence, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "kind", kind);
    syncd_json_member_string(writer, "id", id);
    if (sequence > 0)
        syncd_json_member_uint(writer, "sequence", sequence);
    syncd_json_end_object(writer);
}

static void write_records(const SyncdSubject *subject, Basis basis, SyncdJsonWriter *writer)
{
    g_autofree char *operation = syncd_bytes_dup(subject->last.header.op);
    syncd_json_name(writer, "records");
    syncd_json_begin_array(writer);
    if (basis == ON_ROOT && subject->has_root)
        write_basis("root", subject->root.id, subject->root.pos, writer);
    if (basis == ON_PROFILE && subject->profile != NULL)
        write_basis("profile", subject->profile, 0, writer);
    if (basis == ON_SCHEMA)
        write_basis("schema", subject->schema, 0, writer);
    if (basis == ON_DELETION && subject->was_deleted)
        write_basis("deletion", subject->id, subject->deletion.moved, writer);
    if ((basis == ON_RECORD || basis == ON_SCHEMA) && is_record(subject))
        write_basis(subject->row.family->name, subject->row.id, subject->row.pos, writer);
    if (basis != ON_NOTHING && basis != ON_RECORD)
        write_basis("entry", operation, subject->last.pos, writer);
    syncd_json_end_array(writer);
}

static void write_answer(const SyncdSubject *subject, Facts *facts, SyncdQuestion question,
                         SyncdJsonWriter *writer)
{
    size_t i = 0;
    while (rules[i].question != question || !rules[i].holds(subject))
        i++; /* the last one of each question always holds */
    const SyncdAnswer *answer = syncd_answer_find(question, SYNCD_BYTES_TEXT(rules[i].code));
    g_autofree char *sentence = syncd_answer_fill(answer->sentence, find_fact, facts);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "question", syncd_question_name(question));
    syncd_json_member_string(writer, "answer", sentence);
    syncd_json_member_string(writer, "reason_code", answer->code);
    write_records(subject, rules[i].basis, writer);
    if (answer->next != NULL) {
        g_autofree char *next = syncd_answer_fill(answer->next, find_fact, facts);
        syncd_json_member_string(writer, "next", next);
    } else
        syncd_json_member_null(writer, "next");
    syncd_json_end_object(writer);
}

static void write_explanation(const SyncdSubject *subject, Facts *facts, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema", SYNCD_EXPLANATION_SCHEMA);
    syncd_json_member_string(writer, "object_id", subject->id);
    if (is_file(subject))
        syncd_file_bytes_write(writer, "path", "path_base64",
                               SYNCD_BYTES(subject->path, subject->path_size));
    syncd_json_name(writer, "facts");
    syncd_json_begin_object(writer);
    for (unsigned i = 0; i < facts->n; i++)
        syncd_json_member_string(writer, facts->list[i].name, facts->list[i].text);
    syncd_json_end_object(writer);
    syncd_json_name(writer, "answers");
    syncd_json_begin_array(writer);
    for (unsigned question = 0; question < SYNCD_N_QUESTIONS; question++)
        write_answer(subject, facts, question, writer);
    syncd_json_end_array(writer);
    syncd_json_end_object(writer);
}

char *syncd_service_explain(SyncdService *service, const SyncdCaller *caller, const char *id,
                            GError **error)
{
    g_auto(SyncdSubject) subject = {0};
    g_auto(Facts) facts = {.n = 0};
    g_autoptr(GString) out = g_string_sized_new(4096);
    SyncdJsonWriter writer;
    if (!syncd_subject_find(service, caller, id, &subject, error))
        return NULL;
    gather(&subject, &facts);
    syncd_json_writer_init(&writer, out, false);
    write_explanation(&subject, &facts, &writer);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
