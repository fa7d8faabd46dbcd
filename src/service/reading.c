#include "service/internal.h"

#include "base/json-writer.h"
#include "contract/vocabulary.h"
#include "service/entry-faults.h"
#include "store/lost.h"

#define RECORD_SIZE 2048u /* of an operation with a body of usual size, roughly */
#define LINE_SIZE 1024u   /* of a header and what stands around it, roughly */

/* ---- who sees what ---- */

void syncd_view_clear(SyncdView *view)
{
    g_clear_pointer(&view->actor, g_free);
}

bool syncd_service_view(SyncdService *service, const SyncdCaller *caller, SyncdView *ret_view,
                        GError **error)
{
    ret_view->all = caller->inspector ||
                    (service->instance == SYNCD_INSTANCE_USER && caller->uid == service->uid);
    return ret_view->all || syncd_service_find_caller(service, caller, &ret_view->actor, error);
}

bool syncd_view_shows(const SyncdView *view, const SyncdHeader *header)
{
    return view->all || (view->actor != NULL && syncd_bytes_are(header->actor, view->actor));
}

/* ---- one entry ---- */

bool syncd_service_refuse_operation(const char *operation, GError **error)
{
    if (syncd_id_is_token(operation, strlen(operation)))
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no operation %s", operation);
    else
        syncd_set_error(error, SYNCD_ERROR_NOT_FOUND, "There is no operation of that id");
    return false;
}

/* What the open turn holds is not durable, so nobody may hear of it yet. */
static bool find_entry(SyncdService *service, const char *operation, guint64 *ret_pos,
                       GError **error)
{
    *ret_pos = 0;
    if (!syncd_id_is_token(operation, strlen(operation)))
        return syncd_service_refuse_operation(operation, error);
    if (!syncd_store_find_op(service->store, operation, ret_pos, error))
        return false;
    if (*ret_pos != 0 && *ret_pos <= syncd_store_sequence(service->store))
        return true;
    if (syncd_ephemerals_find(service->ephemerals, operation) == NULL)
        return syncd_service_refuse_operation(operation, error);
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "name one that was enqueued in another lane",
                         "The operation %s is ephemeral: no log has it", operation);
    return false;
}

bool syncd_service_read_entry(SyncdService *service, const SyncdView *view, const char *operation,
                              SyncdEntry *ret_entry, GError **error)
{
    guint64 pos;
    if (!find_entry(service, operation, &pos, error) ||
        !syncd_store_read(service->store, pos, ret_entry, error))
        return false;
    return syncd_view_shows(view, &ret_entry->header) ||
           syncd_service_refuse_operation(operation, error);
}

bool syncd_service_read_operation(SyncdService *service, const SyncdView *view,
                                  const char *operation, SyncdEntry *ret_entry, GError **error)
{
    if (!syncd_service_read_entry(service, view, operation, ret_entry, error))
        return false;
    return syncd_kind_is_operation(ret_entry->header.kind) ||
           syncd_service_refuse_operation(operation, error);
}

static const SyncdScope *scope_of(SyncdService *service, SyncdBytes id)
{
    g_autofree char *text = syncd_bytes_dup(id);
    return syncd_store_scope(service->store, text);
}

char *syncd_service_scope_text(SyncdService *service, SyncdBytes scope_id)
{
    const SyncdScope *scope = scope_of(service, scope_id);
    GString *text = g_string_new(NULL);
    syncd_scope_text_append(text, scope != NULL ? scope->class : NULL,
                            scope != NULL ? scope->name : NULL, scope_id);
    return g_string_free(text, FALSE);
}

char *syncd_feed_text(const char *device, const char *scope, guint64 epoch)
{
    return g_strdup_printf("%s/%s/%" G_GUINT64_FORMAT, device, scope, epoch);
}

bool syncd_service_is_stale(const SyncdService *service, const SyncdTask *task)
{
    return syncd_task_is_stale(task, syncd_service_task_ms(service));
}

/* What became of an operation, as long as its record is written. */
typedef struct {
    char *evidence;
    SyncdBody reconciled;
} Became;

static void became_clear(Became *became)
{
    g_clear_pointer(&became->evidence, g_free);
    syncd_body_clear(&became->reconciled);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Became, became_clear)

/* The entry that moved it proves what it is now. */
static void add_evidence(SyncdService *service, const SyncdTask *task, SyncdOperationFacts *facts,
                         Became *became)
{
    g_auto(SyncdEntry) entry = {0};
    if (task->moved == task->pos || task->moved > syncd_store_sequence(service->store) ||
        !syncd_store_read(service->store, task->moved, &entry, NULL))
        return;
    became->evidence = syncd_bytes_dup(entry.header.op);
    facts->evidence = SYNCD_BYTES_TEXT(became->evidence);
    if (task->state.operation == SYNCD_OPERATION_RECONCILED &&
        syncd_store_read_body(service->store, &entry, &became->reconciled, NULL))
        facts->reconciled =
            syncd_json_root(became->reconciled.content, became->reconciled.content_size);
}

/* Without an index nobody knows, and nothing is said. */
static void add_task(SyncdService *service, guint64 pos, SyncdOperationFacts *facts, Became *became)
{
    SyncdTask task;
    bool found;
    g_autofree char *operation = syncd_bytes_dup(facts->operation);
    if (syncd_bytes_are(facts->lane, SYNCD_LANE_TOMBSTONE))
        facts->status = "completed"; /* with what followed it */
    if (!syncd_store_find_task_at(service->store, pos, operation, &task, &found, NULL) || !found)
        return;
    facts->status = syncd_operation_state_name(syncd_lifecycle_shown(task.state, task.blockers));
    facts->updated_ms = task.moved_ms;
    facts->stale_task = syncd_service_is_stale(service, &task);
    facts->lease_expired = task.lost;
    add_evidence(service, &task, facts, became);
}

/* What took its body, as long as its record is written. */
static void add_purge(SyncdService *service, guint64 pos, SyncdEntry *purge,
                      SyncdOperationFacts *facts)
{
    if (pos == 0 || !syncd_store_read(service->store, pos, purge, NULL))
        return;
    facts->purged_by = purge->header.op;
    facts->purged_ms = purge->header.hlc.ms;
}

static void write_record(SyncdService *service, const SyncdRow *row, GString *out)
{
    const SyncdEntry *entry = &row->entry;
    const SyncdBody *body = &row->body;
    const SyncdHeader *header = &entry->header;
    g_auto(SyncdEntry) purge = {0};
    const SyncdScope *scope = scope_of(service, header->scope);
    g_auto(Became) became = {0};
    g_autofree char *fault = syncd_service_entry_fault(service, entry);
    SyncdOperationFacts facts = {
        .operation = header->op,
        .kind = header->kind,
        .status = syncd_kind_find(header->kind)->status,
        .actor = header->actor,
        .device = header->device,
        .decision = header->decision,
        .lane = header->lane,
        .object = header->object,
        .scope = header->scope,
        .scope_class = scope != NULL ? scope->class : NULL,
        .scope_name = scope != NULL ? scope->name : NULL,
        .epoch = header->epoch,
        .seq = header->seq,
        .sequence = entry->pos,
        .ms = header->hlc.ms,
        .updated_ms = header->hlc.ms,
        .leaf = syncd_entry_leaf(entry->text, entry->size),
        .meta = SYNCD_BYTES(body->meta, body->meta_size),
        .content = SYNCD_BYTES(body->content, body->content_size),
        .body_error = row->unreadable != NULL ? row->unreadable->message : NULL,
        .entry_error = fault,
    };
    add_purge(service, row->purged_by, &purge, &facts);
    add_task(service, entry->pos, &facts, &became);
    syncd_operation_write(&facts, out);
}

typedef struct {
    SyncdService *service;
    const SyncdView *view;
    const char *operation;
    GString *record;
    GError *error;
} Getting;

static bool write_got(void *data, const SyncdRow *row)
{
    Getting *getting = data;
    const SyncdHeader *header = &row->entry.header;
    if (!syncd_view_shows(getting->view, header) || !syncd_kind_is_operation(header->kind))
        syncd_service_refuse_operation(getting->operation, &getting->error);
    else if (row->unreadable != NULL && row->purged_by == 0 && !row->lost)
        getting->error = g_error_copy(row->unreadable);
    else
        write_record(getting->service, row, getting->record);
    return false;
}

char *syncd_service_get_operation(SyncdService *service, const SyncdCaller *caller,
                                  const char *operation, GError **error)
{
    guint64 pos;
    char *ephemeral = NULL;
    g_auto(SyncdView) view = {0};
    if (!syncd_service_view(service, caller, &view, error))
        return NULL;
    if (syncd_service_get_ephemeral(service, &view, operation, &ephemeral))
        return ephemeral;
    if (!find_entry(service, operation, &pos, error))
        return NULL;

    g_autoptr(GString) record = g_string_sized_new(RECORD_SIZE);
    Getting getting = {service, &view, operation, record, NULL};
    if (!syncd_store_read_many(service->store, &pos, 1, SYNCD_READ_BODY, write_got, &getting,
                               error))
        return NULL;
    if (getting.error != NULL) {
        g_propagate_error(error, getting.error);
        return NULL;
    }
    return g_string_free(g_steal_pointer(&record), FALSE);
}

/* ---- pages of records ---- */

/* One body that cannot be read takes nothing from the others: its record says so. */
static void write_listed(SyncdService *service, const SyncdRow *row, GString *out)
{
    write_record(service, row, out);
}

/* The kind of an operation type, as a filter. */
static bool filter_type(const char *type, const char **ret_kind, GError **error)
{
    const SyncdKind *kind = type != NULL ? syncd_kind_of_type(type) : NULL;
    if (type != NULL && kind == NULL) {
        g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_OPERATION_TYPE);
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "\"%s\" is no operation type; there are %s", type, known);
        return false;
    }
    *ret_kind = kind != NULL ? kind->kind : NULL;
    return true;
}

char *syncd_service_list_operations(SyncdService *service, const SyncdCaller *caller,
                                    const SyncdListing *listing, char **ret_cursor, GError **error)
{
    static const SyncdPageFormat format = {SYNCD_PAGE_SIZE, SYNCD_LIST_MAX, ",", SYNCD_READ_BODY,
                                           write_listed};
    SyncdQuery query = {.order = SYNCD_NEWEST_FIRST, .operations_only = true};
    if (!filter_type(listing->type, &query.kind, error))
        return NULL;
    if (listing->ephemeral)
        return syncd_service_list_ephemeral(service, caller, listing, &query, ret_cursor, error);
    g_autoptr(GString) out = g_string_new("[");
    if (!syncd_service_page(service, caller, listing, &query, &format, out, ret_cursor, error))
        return NULL;
    g_string_append_c(out, ']');
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ---- lines ---- */

static void write_sentence(const char *name, const char *sentence, GString *out)
{
    SyncdJsonWriter writer;
    g_string_append(out, name);
    syncd_json_writer_init(&writer, out, false);
    syncd_json_string(&writer, sentence);
}

static void write_body_error(const char *message, GString *out)
{
    write_sentence(",\"body\":null,\"body_error\":", message, out);
}

/* Line breaks in JSON text stand only between its tokens: a blank in their place keeps the value,
 * and the line. */
static void append_on_one_line(GString *out, const char *text, size_t size)
{
    static const char breaks[] = {'\n', '\r'};
    gsize start = out->len;
    syncd_text_append(out, SYNCD_BYTES(text, size));
    for (size_t i = 0; i < sizeof breaks; i++)
        for (char *at = out->str + start;
             (at = memchr(at, breaks[i], (size_t)(out->str + out->len - at))) != NULL; at++)
            *at = ' ';
}

static void write_line_body(const SyncdRow *row, GString *out)
{
    if (row->unreadable != NULL) {
        write_body_error(row->unreadable->message, out);
    } else if (row->body.content_size > SYNCD_PAGE_SIZE / 2) {
        write_body_error("The body is too large for a line. Next: read it with Get.", out);
    } else {
        g_string_append(out, ",\"body\":");
        append_on_one_line(out, row->body.content, row->body.content_size);
    }
}

static void begin_line(const SyncdEntry *entry, GString *out)
{
    SyncdBytes text = SYNCD_BYTES(entry->text, entry->size);
    char number[24], leaf[SYNCD_HASH_HEX_SIZE];
    SyncdHash hash = syncd_entry_leaf(text.data, text.size);
    syncd_hash_to_hex(&hash, leaf);
    int digits = g_snprintf(number, sizeof number, "%" G_GUINT64_FORMAT, entry->pos);
    const SyncdBytes parts[] = {
        SYNCD_BYTES_TEXT("{\"sequence\":"), SYNCD_BYTES(number, (size_t)digits),
        SYNCD_BYTES_TEXT(",\"leaf\":\""),   SYNCD_BYTES(leaf, sizeof leaf - 1),
        SYNCD_BYTES_TEXT("\",\"header\":"), text,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        syncd_text_append(out, parts[i]);
}

static void end_line(SyncdService *service, const SyncdEntry *entry, GString *out)
{
    g_autofree char *fault = syncd_service_entry_fault(service, entry);
    if (fault != NULL)
        write_sentence(",\"entry_error\":", fault, out);
    syncd_text_append(out, SYNCD_BYTES_TEXT("}\n"));
}

static void write_header_line(SyncdService *service, const SyncdRow *row, GString *out)
{
    begin_line(&row->entry, out);
    end_line(service, &row->entry, out);
}

static void write_line(SyncdService *service, const SyncdRow *row, GString *out)
{
    begin_line(&row->entry, out);
    write_line_body(row, out);
    end_line(service, &row->entry, out);
}

GString *syncd_service_list_bytes(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdListing *listing, char **ret_cursor, GError **error)
{
    static const SyncdPageFormat headers = {SYNCD_PAGE_SIZE, SYNCD_LIST_BYTES_MAX, "",
                                            SYNCD_READ_HEADER, write_header_line};
    static const SyncdPageFormat bodies = {SYNCD_PAGE_SIZE, SYNCD_LIST_BYTES_MAX, "",
                                           SYNCD_READ_BODY, write_line};
    SyncdQuery query = {.order = SYNCD_OLDEST_FIRST};
    guint32 limit = listing->limit != 0 ? listing->limit : SYNCD_LIST_BYTES_MAX;
    g_autoptr(GString) out = g_string_sized_new(MIN((gsize)limit * LINE_SIZE, SYNCD_PAGE_SIZE));
    if (!filter_type(listing->type, &query.kind, error) ||
        !syncd_service_page(service, caller, listing, &query, listing->bodies ? &bodies : &headers,
                            out, ret_cursor, error))
        return NULL;
    return g_steal_pointer(&out);
}
