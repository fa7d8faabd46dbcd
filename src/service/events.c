#include "service/internal.h"

#include "contract/records.h"
#include "contract/vocabulary.h"
#include "domain/file-changes.h"
#include "service/entry-faults.h"
#include "store/lost.h"

/* Of entries about files, which are about no record. */
static const char *sentence_of(const SyncdHeader *header)
{
    static const struct {
        const char *kind, *sentence;
    } of_files[] = {
        {"object.created", "Files were found in a workspace"},
        {"object.changed", "Files of a workspace were changed"},
        {"object.deleted", "Files of a workspace were deleted"},
        {SYNCD_FILES_IGNORED, "Files of a workspace are ignored from now on"},
        {SYNCD_FILES_CHECKED, "Files of a workspace were held against their record"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(of_files); i++)
        if (syncd_bytes_are(header->schema_id, SYNCD_FILES_SCHEMA) &&
            syncd_bytes_are(header->kind, of_files[i].kind))
            return of_files[i].sentence;
    return syncd_kind_find(header->kind)->summary;
}

static char *summary_of(SyncdService *service, const SyncdHeader *header, const char *scope)
{
    const char *sentence = sentence_of(header);
    if (header->object.size == 0)
        return g_strdup_printf(
            "%s%s (%s)", sentence,
            syncd_service_is_by_nobody(service, header) ? ", it is not known by whom" : "", scope);
    return g_strdup_printf("%s: %.*s (%s)", sentence, (int)header->object.size,
                           (const char *)header->object.data, scope);
}

/* What an entry about policy says is in its body. */
static bool is_about_policy(SyncdBytes kind)
{
    static const char *const kinds[] = {"policy.decision", "policy.refused", "profile.violated"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        if (strlen(kinds[i]) == kind.size && memcmp(kinds[i], kind.data, kind.size) == 0)
            return true;
    return false;
}

typedef struct {
    SyncdBody body;
    SyncdJson document; /* no value when there is none, or it was purged */
    char *actor, *object, *decision, *action, *reason;
} PolicyFacts;

static void policy_facts_clear(PolicyFacts *facts)
{
    syncd_body_clear(&facts->body);
    g_free(facts->actor);
    g_free(facts->object);
    g_free(facts->decision);
    g_free(facts->action);
    g_free(facts->reason);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PolicyFacts, policy_facts_clear)

static void read_policy_facts(SyncdService *service, const SyncdEntry *entry, PolicyFacts *facts)
{
    if (!is_about_policy(entry->header.kind) ||
        !syncd_store_read_body(service->store, entry, &facts->body, NULL) ||
        !syncd_json_check(facts->body.content, facts->body.content_size, SYNCD_JSON_MUST_BE_OBJECT,
                          NULL))
        return;
    SyncdJson document = syncd_json_root(facts->body.content, facts->body.content_size);
    SyncdJson evaluated = syncd_json_member(document, "evaluated");
    bool refused = syncd_json_member(document, "reason").type != SYNCD_JSON_NONE;
    SyncdJson said = refused ? document : evaluated;
    facts->document = document;
    facts->actor = syncd_json_dup_text(syncd_json_member(document, "actor_id"));
    facts->decision = syncd_json_dup_text(syncd_json_member(document, "decision_id"));
    facts->object = syncd_json_dup_text(syncd_json_member(said, "object_id"));
    facts->action = syncd_json_dup_text(syncd_json_member(said, "action"));
    facts->reason = syncd_json_dup_text(syncd_json_member(said, "reason"));
}

static SyncdBytes said_or(const char *said, SyncdBytes otherwise)
{
    return said != NULL && *said != '\0' ? SYNCD_BYTES_TEXT(said) : otherwise;
}

/* "Policy refused a request: write note-1, site_says_no (device)" */
static char *summary_of_policy(const SyncdHeader *header, const PolicyFacts *facts,
                               const char *scope)
{
    bool about = facts->object != NULL && *facts->object != '\0';
    return g_strdup_printf("%s: %s%s%s, %s (%s)", syncd_kind_find(header->kind)->summary,
                           facts->action, about ? " " : "", about ? facts->object : "",
                           facts->reason, scope);
}

static void write_event(SyncdService *service, const SyncdRow *row, GString *out)
{
    const SyncdEntry *entry = &row->entry;
    const SyncdHeader *header = &entry->header;
    g_auto(PolicyFacts) facts = {.document = {SYNCD_JSON_NONE, NULL, NULL}};
    read_policy_facts(service, entry, &facts);
    g_autofree char *scope = syncd_service_scope_text(service, header->scope);
    g_autofree char *summary = facts.action != NULL && facts.reason != NULL
                                   ? summary_of_policy(header, &facts, scope)
                                   : summary_of(service, header, scope);
    g_autofree char *fault = syncd_service_entry_fault(service, entry);
    SyncdHash leaf = syncd_entry_leaf(entry->text, entry->size);
    SyncdEventRecord record = {
        .leaf = &leaf,
        .event_type = syncd_kind_find(header->kind)->event_type,
        .occurred_ms = header->hlc.ms,
        .summary = summary,
        .actor_id = said_or(facts.actor, header->actor),
        .object_id = said_or(facts.object, header->object),
        .device_id = header->device,
        .policy_decision_ref = said_or(facts.decision, header->decision),
        .sequence = entry->pos,
        .operation_id = header->op,
        .scope = scope,
        .kind = header->kind,
        .reason_code = facts.reason,
        .policy = facts.document,
        .entry_error = fault,
    };
    syncd_event_record_write(&record, out);
}

char *syncd_service_list_events(SyncdService *service, const SyncdCaller *caller,
                                const SyncdListing *listing, char **ret_cursor, GError **error)
{
    static const SyncdPageFormat format = {SYNCD_PAGE_SIZE, SYNCD_LIST_MAX, ",", SYNCD_READ_HEADER,
                                           write_event};
    SyncdQuery query = {.order = SYNCD_NEWEST_FIRST};
    if (listing->type != NULL) {
        const SyncdKind *kind = syncd_kind_of_event(listing->type);
        /* Facts that this version cannot have are named all the same: there are none. */
        const char *word =
            syncd_vocabulary_find(SYNCD_WORDS_INTEGRITY_EVENT, SYNCD_BYTES_TEXT(listing->type));
        if (kind == NULL && word == NULL) {
            syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                                 "see the types in `sourceos-syncd events list`",
                                 "\"%s\" is no event type", listing->type);
            return NULL;
        }
        query.kind = kind != NULL ? kind->kind : word;
    }
    g_autoptr(GString) out = g_string_new("[");
    if (!syncd_service_page(service, caller, listing, &query, &format, out, ret_cursor, error))
        return NULL;
    g_string_append_c(out, ']');
    return g_string_free(g_steal_pointer(&out), FALSE);
}
