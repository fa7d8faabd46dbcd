/* Operations that no log has: taking them, and showing them. */
#include "service/internal.h"

#define LIST_BUDGET (1024u * 1024u)

/* Nobody sees what is over, whenever it is removed. */
static SyncdEphemerals *current(SyncdService *service)
{
    syncd_ephemerals_expire(service->ephemerals, syncd_service_monotonic(service));
    return service->ephemerals;
}

/* ---- taking ---- */

bool syncd_service_is_ephemeral(const SyncdRequest *request)
{
    const SyncdLane *lane =
        request->lane != NULL ? syncd_lane_find(SYNCD_BYTES_TEXT(request->lane)) : NULL;
    return lane != NULL && !lane->durable;
}

/* What would leave something behind. */
static bool check_request(const SyncdRequest *request, GError **error)
{
    const char *option = request->create_scope ? "create_scope"
                         : request->restore    ? "restore"
                                               : NULL;
    if (option != NULL) {
        syncd_set_error_next(
            error, SYNCD_ERROR_INVALID_CONTRACT, "leave it out, or choose another lane",
            "\"%s\": an operation in the lane %s changes nothing", option, request->lane);
        return false;
    }
    if (request->body.size <= SYNCD_EPHEMERAL_BODY_SIZE)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_TOO_LARGE, "choose another lane",
                         "/body has more than %u bytes, the most in the lane %s",
                         SYNCD_EPHEMERAL_BODY_SIZE, request->lane);
    return false;
}

/* It may come again as long as its signature lasts: then it is seen again, and for a minute. */
static bool check_signature(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    guint64 now_ms = syncd_service_entry_ms(service);
    if (caller->agent == NULL || caller->expires_usec / 1000 <= now_ms + SYNCD_EPHEMERAL_LIFE_MS)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "sign for a shorter time",
                         "\"expires\": a signature in the lane %s lasts %u seconds at most",
                         SYNCD_LANE_EPHEMERAL, SYNCD_EPHEMERAL_LIFE_MS / 1000);
    return false;
}

static bool check_room(SyncdService *service, const SyncdCaller *caller, GError **error)
{
    if (syncd_ephemerals_have_room(current(service), caller->uid))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_LIMITS_EXCEEDED, "try again in a minute",
                         "%u users have operations in memory already", SYNCD_EPHEMERAL_UIDS_MAX);
    return false;
}

static bool take_first(const SyncdAdmission *admission, const SyncdEphemeral *first,
                       SyncdEnqueued *ret_enqueued, GError **error)
{
    const SyncdRequest *request = admission->request;
    if (strcmp(first->object, request->object) != 0 || strcmp(first->meta, admission->meta) != 0 ||
        first->body_size != request->body.size ||
        memcmp(first->body, request->body.data, first->body_size) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "use a new key for a new request; repeat the first one unchanged",
                             "/idempotency_key was used for another request, the operation %s",
                             first->operation);
        return false;
    }
    *ret_enqueued = (SyncdEnqueued){g_strdup(first->operation), 0, true};
    return true;
}

static SyncdEphemeral *make(SyncdService *service, const SyncdCaller *caller,
                            const SyncdAdmission *admission, const char *scope_id)
{
    const SyncdRequest *request = admission->request;
    SyncdEphemeral *ephemeral = g_new0(SyncdEphemeral, 1);
    ephemeral->uid = caller->uid;
    ephemeral->operation = syncd_id_new(service->sources, "op");
    ephemeral->actor = g_strdup(admission->actor);
    ephemeral->scope_id = g_strdup(scope_id);
    ephemeral->object = g_strdup(request->object);
    ephemeral->key = g_strdup(request->idempotency_key);
    ephemeral->meta = g_strdup(admission->meta);
    ephemeral->body = g_memdup2(request->body.data, request->body.size);
    ephemeral->body_size = request->body.size;
    ephemeral->decision = g_strdup(admission->decisions->decisions[0].id);
    ephemeral->kind = admission->kind->kind;
    ephemeral->ms = syncd_service_now_ms(service);
    return ephemeral;
}

bool syncd_service_enqueue_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdRequest *request, SyncdEnqueued *ret_enqueued,
                                     GError **error)
{
    g_auto(SyncdAdmission) admission = {0};
    g_autoptr(SyncdScope) scope = NULL;
    if (!check_request(request, error) || !check_signature(service, caller, error) ||
        !syncd_service_check_request(service, caller, request, &admission, error) ||
        !syncd_service_require_scope(service, request->scope, &scope, error) ||
        !syncd_service_may_append(service, admission.actor, scope->id, admission.kind->kind,
                                  error) ||
        !syncd_service_check_deletion(service, &admission, scope->id, error) ||
        !check_room(service, caller, error))
        return false;
    const SyncdEphemeral *first = NULL;
    if (request->idempotency_key != NULL)
        first = syncd_ephemerals_find_key(service->ephemerals, caller->uid, admission.actor,
                                          scope->id, request->idempotency_key);
    if (first != NULL)
        return take_first(&admission, first, ret_enqueued, error);
    const SyncdEphemeral *added =
        syncd_ephemerals_add(service->ephemerals, make(service, caller, &admission, scope->id),
                             syncd_service_monotonic(service));
    *ret_enqueued = (SyncdEnqueued){g_strdup(added->operation), 0, false};
    syncd_service_ask_for_work(service);
    return true;
}

/* ---- showing ---- */

/* What the log would say of it; it has neither number nor leaf. */
static void write_record(SyncdService *service, const SyncdEphemeral *ephemeral, GString *out)
{
    const SyncdScope *scope = syncd_store_scope(service->store, ephemeral->scope_id);
    const SyncdBytes kind = SYNCD_BYTES_TEXT(ephemeral->kind);
    SyncdOperationFacts facts = {
        .operation = SYNCD_BYTES_TEXT(ephemeral->operation),
        .kind = kind,
        .status = syncd_kind_find(kind)->status,
        .actor = SYNCD_BYTES_TEXT(ephemeral->actor),
        .device = SYNCD_BYTES_TEXT(syncd_store_device_id(service->store)),
        .decision = SYNCD_BYTES_TEXT(ephemeral->decision),
        .lane = SYNCD_BYTES_TEXT(SYNCD_LANE_EPHEMERAL),
        .object = SYNCD_BYTES_TEXT(ephemeral->object),
        .scope = SYNCD_BYTES_TEXT(ephemeral->scope_id),
        .scope_class = scope != NULL ? scope->class : NULL,
        .scope_name = scope != NULL ? scope->name : NULL,
        .ms = ephemeral->ms,
        .updated_ms = ephemeral->ms,
        .meta = SYNCD_BYTES_TEXT(ephemeral->meta),
        .content = SYNCD_BYTES(ephemeral->body, ephemeral->body_size),
    };
    syncd_operation_write(&facts, out);
}

static bool shows(const SyncdView *view, const SyncdEphemeral *ephemeral)
{
    return view->all || g_strcmp0(view->actor, ephemeral->actor) == 0;
}

bool syncd_service_get_ephemeral(SyncdService *service, const SyncdView *view,
                                 const char *operation, char **ret_record)
{
    const SyncdEphemeral *ephemeral = syncd_ephemerals_find(current(service), operation);
    if (ephemeral == NULL || !shows(view, ephemeral))
        return false;
    GString *out = g_string_new(NULL);
    write_record(service, ephemeral, out);
    *ret_record = g_string_free(out, FALSE);
    return true;
}

static bool fits(const char *wanted, const char *have)
{
    return wanted == NULL || strcmp(wanted, have) == 0;
}

static bool passes(const SyncdQuery *query, const SyncdEphemeral *ephemeral)
{
    return fits(query->kind, ephemeral->kind) && fits(query->actor, ephemeral->actor) &&
           fits(query->object, ephemeral->object) && fits(query->op, ephemeral->operation) &&
           fits(query->scope_id, ephemeral->scope_id) && ephemeral->ms >= query->since_ms &&
           (query->until_ms == 0 || ephemeral->ms < query->until_ms);
}

/* "e<arrival>" of the last one that the page before had; 0: there was none. */
static bool read_cursor(const char *cursor, guint64 *ret_arrival, GError **error)
{
    char *end = NULL;
    *ret_arrival = 0;
    if (cursor == NULL || *cursor == '\0')
        return true;
    if (*cursor == 'e' && g_ascii_isdigit(cursor[1]))
        *ret_arrival = g_ascii_strtoull(cursor + 1, &end, 10);
    if (end != NULL && *end == '\0' && *ret_arrival > 0)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "The cursor is not of this listing");
    return false;
}

typedef struct {
    SyncdService *service;
    const SyncdQuery *query;
    guint64 after;
    guint64 last; /* arrival */
    guint n;
    GString *out;
} Page;

static bool is_later(const Page *page, const SyncdEphemeral *ephemeral)
{
    if (page->after == 0)
        return true;
    return page->query->order == SYNCD_NEWEST_FIRST ? ephemeral->arrival < page->after
                                                    : ephemeral->arrival > page->after;
}

/* True when there is more than the page has room for. */
static bool write_page(Page *page)
{
    g_autoptr(GPtrArray) all = syncd_ephemerals_all(current(page->service));
    bool newest_first = page->query->order == SYNCD_NEWEST_FIRST;
    for (guint i = 0; i < all->len; i++) {
        const SyncdEphemeral *ephemeral = all->pdata[newest_first ? all->len - 1 - i : i];
        if (!is_later(page, ephemeral) || !passes(page->query, ephemeral))
            continue;
        if (page->n == page->query->limit || page->out->len > LIST_BUDGET)
            return true;
        if (page->n++ > 0)
            g_string_append_c(page->out, ',');
        write_record(page->service, ephemeral, page->out);
        page->last = ephemeral->arrival;
    }
    return false;
}

char *syncd_service_list_ephemeral(SyncdService *service, const SyncdCaller *caller,
                                   const SyncdListing *listing, SyncdQuery *query,
                                   char **ret_cursor, GError **error)
{
    g_auto(SyncdFilter) filter = {0};
    g_autoptr(GString) out = g_string_new("[");
    Page page = {.service = service, .query = query, .out = out};
    if (listing->after != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "\"after\": operations that no log has have no sequence numbers");
        return NULL;
    }
    if (!syncd_service_fill_query(service, caller, listing, SYNCD_LIST_MAX, &filter, query,
                                  error) ||
        !read_cursor(query->cursor, &page.after, error))
        return NULL;
    bool more = !filter.nothing && write_page(&page);
    g_string_append_c(out, ']');
    *ret_cursor = more ? g_strdup_printf("e%" G_GUINT64_FORMAT, page.last) : g_strdup("");
    return g_string_free(g_steal_pointer(&out), FALSE);
}
