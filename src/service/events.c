#include "service/internal.h"

#include "contract/records.h"
#include "contract/vocabulary.h"

static char *summary_of(const SyncdHeader *header, const char *scope)
{
    const char *sentence = syncd_kind_find(header->kind)->summary;
    if (header->object.size == 0)
        return g_strdup_printf("%s (%s)", sentence, scope);
    return g_strdup_printf("%s: %.*s (%s)", sentence, (int)header->object.size,
                           (const char *)header->object.data, scope);
}

static void write_event(SyncdService *service, const SyncdRow *row, GString *out)
{
    const SyncdEntry *entry = &row->entry;
    const SyncdHeader *header = &entry->header;
    g_autofree char *scope = syncd_service_scope_text(service, header->scope);
    g_autofree char *summary = summary_of(header, scope);
    SyncdHash leaf = syncd_tree_leaf(entry->text, entry->size);
    SyncdEventRecord record = {
        .leaf = &leaf,
        .event_type = syncd_kind_find(header->kind)->event_type,
        .occurred_ms = header->hlc.ms,
        .summary = summary,
        .actor_id = header->actor,
        .object_id = header->object,
        .device_id = header->device,
        .policy_decision_ref = header->decision,
        .sequence = entry->pos,
        .operation_id = header->op,
        .scope = scope,
        .kind = header->kind,
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
