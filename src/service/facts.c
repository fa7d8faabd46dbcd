#include "service/facts.h"

#include "base/terminal.h"
#include "base/timestamp.h"
#include "service/registry.h"

#include <string.h>

#define DOCTOR "sourceos-syncd doctor" /* where no finding says more */

void syncd_facts_clear(SyncdFacts *facts)
{
    for (unsigned i = 0; i < facts->n; i++)
        g_free(facts->list[i].text);
}

/* Takes the text; what is not known is no fact. */
static void add(SyncdFacts *facts, const char *name, char *text)
{
    if (text == NULL || *text == '\0')
        g_free(text);
    else
        facts->list[facts->n++] = (SyncdFact){name, text};
}

static void add_number(SyncdFacts *facts, const char *name, guint64 number)
{
    add(facts, name, g_strdup_printf("%" G_GUINT64_FORMAT, number));
}

const char *syncd_fact_find(void *data, const char *name)
{
    const SyncdFacts *facts = data;
    for (unsigned i = 0; i < facts->n; i++)
        if (strcmp(facts->list[i].name, name) == 0)
            return facts->list[i].text;
    return NULL;
}

static void add_entry(const SyncdSubject *subject, SyncdFacts *facts)
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

static void add_file(const SyncdSubject *subject, SyncdFacts *facts)
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
    if (row->mismatched) {
        syncd_hash_to_hex(&row->mismatch.hash, digits);
        add(facts, "found_sha256", g_strdup(digits));
    }
    if (subject->has_root) {
        g_autofree char *file =
            g_build_filename(subject->root.columns[SYNCD_COLUMN_TYPE], subject->path, NULL);
        g_autofree char *valid = g_utf8_make_valid(file, -1);
        add(facts, "file", syncd_shell_word(valid));
    }
}

static void add_root(const SyncdSubject *subject, SyncdFacts *facts)
{
    add(facts, "directory", g_strdup(subject->root.columns[SYNCD_COLUMN_TYPE]));
    add(facts, "pause_reason", g_strdup(subject->pause_reason));
    add(facts, "recording", g_strdup(subject->is_looked_after ? subject->standing.state : "not"));
    add(facts, "recording_reason",
        g_strdup(subject->is_looked_after ? subject->standing.reason : NULL));
}

static void add_record(const SyncdSubject *subject, SyncdFacts *facts)
{
    const SyncdRecordRow *row = &subject->row;
    add(facts, "kind", g_strdup(row->family->name));
    add(facts, "group", g_strconcat(row->family->name, "s", NULL));
    add(facts, "state", g_strdup(row->state));
    add(facts, "type", g_strdup(row->columns[SYNCD_COLUMN_TYPE]));
    add(facts, "owner", syncd_record_member(subject->record, "owner_identity"));
}

/* As a diagnosis has it, for the instance that it is. */
static void add_next(const SyncdSubject *subject, SyncdFacts *facts, const char *name,
                     SyncdFound *found)
{
    const SyncdFoundView view = {
        .of_system = subject->service->instance == SYNCD_INSTANCE_SYSTEM,
        .hidden = subject->kind != SYNCD_SUBJECT_FILE && !subject->view_all,
    };
    char *next = found != NULL ? syncd_found_next(found, &view) : NULL;
    add(facts, name, next != NULL ? next : g_strdup(DOCTOR));
}

static void add_faults(const SyncdSubject *subject, SyncdFacts *facts)
{
    const SyncdSubjectFaults *faults = &subject->faults;
    if (faults->refusal != NULL) {
        add(facts, "refusal", g_strdup(faults->refusal));
        add_next(subject, facts, "closed_next", faults->closed);
    }
    if (faults->log != NULL)
        add_next(subject, facts, "log_next", faults->log);
    if (faults->content == NULL)
        return;
    add(facts, "damaged", g_strdup(faults->parts));
    add_next(subject, facts, "content_next", faults->content);
}

void syncd_facts_gather(const SyncdSubject *subject, SyncdFacts *facts)
{
    const SyncdObjectTasks *tasks = &subject->tasks;
    add(facts, "object", g_strdup(subject->id));
    add(facts, "named", syncd_shell_word(subject->id));
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
    add_faults(subject, facts);
}
