#include "service/internal.h"

static bool take_order(const char *order, SyncdOrder *order_here, GError **error)
{
    if (order == NULL)
        return true;
    bool newest = strcmp(order, "newest") == 0;
    if (!newest && strcmp(order, "oldest") != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"order\" must be newest or oldest");
        return false;
    }
    *order_here = newest ? SYNCD_NEWEST_FIRST : SYNCD_OLDEST_FIRST;
    return true;
}

/* The first millisecond that is not before this point in time. */
static guint64 ms_from(guint64 usec)
{
    return usec / 1000 + (usec % 1000 != 0);
}

bool syncd_service_find_scope_for(SyncdService *service, const SyncdView *view, const char *text,
                                  SyncdScope **ret_scope, GError **error)
{
    g_autoptr(GError) problem = NULL;
    if (syncd_service_require_scope(service, text, ret_scope, &problem) ||
        (!view->all && g_error_matches(problem, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND)))
        return true;
    g_propagate_error(error, g_steal_pointer(&problem));
    return false;
}

static bool take_filters(const SyncdListing *listing, guint32 max, SyncdQuery *query,
                         GError **error)
{
    if (listing->limit > max) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u", max);
        return false;
    }
    if (!take_order(listing->order, &query->order, error))
        return false;
    query->limit = listing->limit != 0 ? listing->limit : max;
    query->actor = listing->actor;
    query->object = listing->object;
    query->op = listing->operation;
    query->after = listing->after;
    query->since_ms = ms_from(listing->since_usec);
    query->until_ms = ms_from(listing->until_usec);
    query->cursor = listing->cursor;
    return true;
}

/* Narrows the query to what the view shows; false when that is nothing. */
static bool narrow(const SyncdView *view, SyncdQuery *query)
{
    if (view->all)
        return true;
    if (view->actor == NULL || (query->actor != NULL && strcmp(query->actor, view->actor) != 0))
        return false;
    query->actor = view->actor;
    return true;
}

void syncd_filter_clear(SyncdFilter *filter)
{
    syncd_view_clear(&filter->view);
    g_clear_pointer(&filter->scope, syncd_scope_free);
}

typedef struct {
    SyncdService *service;
    const SyncdPageFormat *format;
    GString *out;
    gsize start;
    guint n; /* entries that were written */
} Page;

/* False once the budget is spent. */
static bool write_row(void *data, const SyncdRow *row)
{
    Page *page = data;
    GString *out = page->out;
    gsize before = out->len;
    if (before != page->start)
        g_string_append(out, page->format->separator);
    page->format->write(page->service, row, out);
    /* The first one goes out whatever its size, or the listing would not get past it. */
    if (before != page->start && out->len - page->start > page->format->budget) {
        g_string_truncate(out, before);
        return false;
    }
    page->n++;
    return true;
}

bool syncd_service_fill_query(SyncdService *service, const SyncdCaller *caller,
                              const SyncdListing *listing, guint32 max, SyncdFilter *ret_filter,
                              SyncdQuery *query, GError **error)
{
    SyncdFilter *filter = ret_filter;
    if (!syncd_service_view(service, caller, &filter->view, error) ||
        !take_filters(listing, max, query, error) ||
        (listing->scope != NULL &&
         !syncd_service_find_scope_for(service, &filter->view, listing->scope, &filter->scope,
                                       error)))
        return false;
    query->scope_id = filter->scope != NULL ? filter->scope->id : NULL;
    filter->nothing =
        !narrow(&filter->view, query) || (listing->scope != NULL && filter->scope == NULL);
    return true;
}

bool syncd_service_page(SyncdService *service, const SyncdCaller *caller,
                        const SyncdListing *listing, SyncdQuery *query,
                        const SyncdPageFormat *format, GString *out, char **ret_cursor,
                        GError **error)
{
    g_auto(SyncdFilter) filter = {0};
    if (!syncd_service_fill_query(service, caller, listing, format->max, &filter, query, error))
        return false;
    if (filter.nothing) {
        *ret_cursor = g_strdup("");
        return true;
    }

    Page page = {service, format, out, out->len, 0};
    g_autofree char *cursor = NULL;
    g_autoptr(GArray) positions = NULL;
    if (!syncd_store_query(service->store, query, &positions, &cursor, error) ||
        !syncd_store_read_many(service->store, (const guint64 *)(void *)positions->data,
                               positions->len, format->depth, write_row, &page, error))
        return false;
    if (page.n < positions->len) {
        /* The cursor of the shorter page comes from asking for just that page. */
        g_autoptr(GArray) again = NULL;
        g_clear_pointer(&cursor, g_free);
        query->limit = page.n;
        if (!syncd_store_query(service->store, query, &again, &cursor, error))
            return false;
    }
    *ret_cursor = g_steal_pointer(&cursor);
    return true;
}
