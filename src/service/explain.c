#include "service/explain.h"

#include "base/json-writer.h"
#include "service/explain-rules.h"
#include "service/facts.h"

static void write_basis(const char *kind, const char *id, guint64 sequence, SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "kind", kind);
    syncd_json_member_string(writer, "id", id);
    if (sequence > 0)
        syncd_json_member_uint(writer, "sequence", sequence);
    syncd_json_end_object(writer);
}

/* What is found wrong, by the name that a diagnosis has for it. */
static bool write_found(const SyncdSubject *subject, SyncdBasis basis, SyncdJsonWriter *writer)
{
    const SyncdFound *found = basis == SYNCD_ON_CLOSED    ? subject->faults.closed
                              : basis == SYNCD_ON_LOG     ? subject->faults.log
                              : basis == SYNCD_ON_CONTENT ? subject->faults.content
                                                          : NULL;
    if (found != NULL)
        write_basis("finding", found->finding->code, 0, writer);
    return basis >= SYNCD_ON_CLOSED && basis <= SYNCD_ON_CONTENT;
}

static void write_records(const SyncdSubject *subject, SyncdBasis basis, SyncdJsonWriter *writer)
{
    g_autofree char *operation = syncd_bytes_dup(subject->last.header.op);
    syncd_json_name(writer, "records");
    syncd_json_begin_array(writer);
    if (basis == SYNCD_ON_ROOT && subject->has_root)
        write_basis("root", subject->root.id, subject->root.pos, writer);
    if (basis == SYNCD_ON_PROFILE && subject->profile != NULL)
        write_basis("profile", subject->profile, 0, writer);
    if (basis == SYNCD_ON_SCHEMA)
        write_basis("schema", subject->schema, 0, writer);
    if (basis == SYNCD_ON_DELETION && subject->was_deleted)
        write_basis("deletion", subject->id, subject->deletion.moved, writer);
    if ((basis == SYNCD_ON_RECORD || basis == SYNCD_ON_SCHEMA) &&
        subject->kind == SYNCD_SUBJECT_RECORD)
        write_basis(subject->row.family->name, subject->row.id, subject->row.pos, writer);
    if (write_found(subject, basis, writer)) {
        /* the object's own entries say nothing of it */
    } else if (basis == SYNCD_ON_FINDING) {
        g_autofree char *finding = syncd_bytes_dup(subject->finding.header.op);
        write_basis("entry", finding, subject->finding.pos, writer);
    } else if (basis != SYNCD_ON_NOTHING && basis != SYNCD_ON_RECORD)
        write_basis("entry", operation, subject->last.pos, writer);
    syncd_json_end_array(writer);
}

static void write_answer(const SyncdSubject *subject, SyncdFacts *facts, SyncdQuestion question,
                         SyncdJsonWriter *writer)
{
    const SyncdAnswerRule *rule = syncd_explain_rule(subject, question);
    const SyncdAnswer *answer = syncd_answer_find(question, SYNCD_BYTES_TEXT(rule->code));
    g_autofree char *sentence = syncd_answer_fill(answer->sentence, syncd_fact_find, facts);
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "question", syncd_question_name(question));
    syncd_json_member_string(writer, "answer", sentence);
    syncd_json_member_string(writer, "reason_code", answer->code);
    write_records(subject, rule->basis, writer);
    if (answer->next != NULL) {
        bool of_system = subject->service->instance == SYNCD_INSTANCE_SYSTEM;
        g_autofree char *next = syncd_finding_next(answer->next, of_system, syncd_fact_find, facts);
        syncd_json_member_string(writer, "next", next);
    } else
        syncd_json_member_null(writer, "next");
    syncd_json_end_object(writer);
}

static void write_explanation(const SyncdSubject *subject, SyncdFacts *facts,
                              SyncdJsonWriter *writer)
{
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "schema", SYNCD_EXPLANATION_SCHEMA);
    syncd_json_member_string(writer, "object_id", subject->id);
    if (subject->kind == SYNCD_SUBJECT_FILE)
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
    g_auto(SyncdFacts) facts = {.n = 0};
    g_autoptr(GString) out = g_string_sized_new(4096);
    SyncdJsonWriter writer;
    if (!syncd_subject_find(service, caller, id, &subject, error))
        return NULL;
    syncd_facts_gather(&subject, &facts);
    syncd_json_writer_init(&writer, out, false);
    write_explanation(&subject, &facts, &writer);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
