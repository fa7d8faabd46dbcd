#include "service/evidence.h"

#include "contract/vocabulary.h"
#include "service/evidence-entry.h"
#include "store/lost.h"

#define LEAF_DIGITS 16

/* ---- what is asked for ---- */

typedef struct {
    SyncdService *service;
    SyncdView view;
    const char *type; /* NULL: any */
    bool newest_first;
    guint32 limit;
    guint64 from; /* the next entry to be looked at */
    guint64 left; /* so many are there */
    guint64 last; /* the one that was looked at last; 0: none */
    char leaf[LEAF_DIGITS + 1];
    GString *out;
    guint n; /* written */
    GError *fault;
} Page;

static void page_clear(Page *page)
{
    syncd_view_clear(&page->view);
    g_clear_error(&page->fault);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Page, page_clear)

static bool take_type(Page *page, const char *type, GError **error)
{
    page->type = type;
    if (type == NULL || syncd_vocabulary_find(SYNCD_WORDS_EVIDENCE_TYPE, SYNCD_BYTES_TEXT(type)))
        return true;
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_EVIDENCE_TYPE);
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"%s\" is no type of evidence; there are %s",
                    type, known);
    return false;
}

static bool take_order(Page *page, const char *order, GError **error)
{
    page->newest_first = g_strcmp0(order, "newest") == 0;
    if (order == NULL || page->newest_first || strcmp(order, "oldest") == 0)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"order\" must be newest or oldest");
    return false;
}

static bool take_limit(Page *page, guint32 limit, GError **error)
{
    page->limit = limit != 0 ? limit : SYNCD_LIST_MAX;
    if (limit <= SYNCD_LIST_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS, "\"limit\" must be at most %u",
                    SYNCD_LIST_MAX);
    return false;
}

/* ---- cursors: the entry that was looked at last, and what was asked for ---- */

static void digest_conditions(const Page *page, char ret_text[LEAF_DIGITS + 1])
{
    g_autofree char *text =
        g_strdup_printf("%d\n%s\n%d\n%s", page->newest_first, page->type != NULL ? page->type : "",
                        page->view.all, page->view.actor != NULL ? page->view.actor : "");
    SyncdHash hash = syncd_hash(text, strlen(text));
    syncd_hex_encode(hash.bytes, LEAF_DIGITS / 2, ret_text);
}

static char *format_cursor(const Page *page)
{
    char digest[LEAF_DIGITS + 1];
    digest_conditions(page, digest);
    return g_strdup_printf("%" G_GINT64_MODIFIER "x-%s-%s", page->last, page->leaf, digest);
}

static void note_leaf(Page *page, const SyncdEntry *entry)
{
    SyncdHash leaf = syncd_entry_leaf(entry->text, entry->size);
    syncd_hex_encode(leaf.bytes, LEAF_DIGITS / 2, page->leaf);
    page->last = entry->pos;
}

static bool refuse_cursor(GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "start the listing again without a cursor",
                         "The cursor does not belong to a listing with these conditions");
    return false;
}

static bool expire_cursor(guint64 pos, GError **error)
{
    syncd_set_error_next(
        error, SYNCD_ERROR_CURSOR_EXPIRED,
        "find out why the log is another one than before, with `sourceos-syncd "
        "verify checkpoint` and a checkpoint that was kept; then start the listing "
        "again without a cursor",
        "The log has no such entry with the sequence number %" G_GUINT64_FORMAT, pos);
    return false;
}

/* The entry is looked at again: what the cursor says of it must still be so. */
static bool go_to(Page *page, guint64 pos, const char *leaf, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (pos > syncd_store_sequence(page->service->store))
        return expire_cursor(pos, error);
    page->last = pos;
    memset(page->leaf, '0', LEAF_DIGITS);
    if (pos > 0 && !syncd_store_read(page->service->store, pos, &entry, error))
        return false;
    if (pos > 0)
        note_leaf(page, &entry);
    return leaf == NULL || strcmp(page->leaf, leaf) == 0 || expire_cursor(pos, error);
}

static bool take_cursor(Page *page, const SyncdEvidenceListing *listing, GError **error)
{
    char digest[LEAF_DIGITS + 1];
    guint64 pos;
    if (listing->cursor == NULL || listing->cursor[0] == '\0')
        return go_to(page, page->newest_first ? 0 : listing->after, NULL, error);
    g_auto(GStrv) parts = g_strsplit(listing->cursor, "-", 4);
    digest_conditions(page, digest);
    if (strlen(listing->cursor) > 64 || g_strv_length(parts) != 3 ||
        strcmp(parts[2], digest) != 0 ||
        !g_ascii_string_to_unsigned(parts[0], 16, 0, G_MAXINT64, &pos, NULL))
        return refuse_cursor(error);
    return go_to(page, pos, parts[1], error);
}

/* What is left from there on, in the order that was asked for. */
static void aim(Page *page, guint64 after)
{
    guint64 newest = syncd_store_sequence(page->service->store);
    if (!page->newest_first) {
        page->from = page->last + 1;
        page->left = newest - page->last;
        return;
    }
    page->from = page->last > 0 ? page->last - 1 : newest;
    page->left = page->from > after ? page->from - after : 0;
}

static bool fill_page(Page *page, const SyncdCaller *caller, const SyncdEvidenceListing *listing,
                      GError **error)
{
    if (!syncd_service_view_evidence(page->service, caller, &page->view, error) ||
        !take_type(page, listing->type, error) || !take_order(page, listing->order, error) ||
        !take_limit(page, listing->limit, error) || !take_cursor(page, listing, error))
        return false;
    aim(page, listing->after);
    return true;
}

/* ---- the page ---- */

static bool is_wanted(const Page *page, const SyncdHeader *header)
{
    return syncd_view_shows(&page->view, header) &&
           (page->type == NULL || strcmp(page->type, syncd_service_evidence_type(header)) == 0);
}

/* False when it does not go on this page, for whatever reason. */
static bool write_one(Page *page, const SyncdEntry *entry)
{
    gsize before = page->out->len;
    if (page->n > 0)
        g_string_append_c(page->out, ',');
    bool written = syncd_service_write_evidence(page->service, entry, page->out, &page->fault);
    /* The first one goes out whatever its size, or the listing would not get past it. */
    if (!written || (page->n > 0 && page->out->len > SYNCD_PAGE_SIZE)) {
        g_string_truncate(page->out, before);
        return false;
    }
    page->n++;
    return true;
}

static bool take_row(void *data, const SyncdRow *row)
{
    Page *page = data;
    if (is_wanted(page, &row->entry.header) && !write_one(page, &row->entry))
        return false;
    note_leaf(page, &row->entry);
    return page->n < page->limit;
}

static GArray *positions_of(const Page *page)
{
    bool all = page->type == NULL && page->view.all;
    guint n = (guint)MIN(page->left, all ? page->limit : SYNCD_EVIDENCE_EXAMINED);
    GArray *positions = g_array_sized_new(FALSE, FALSE, sizeof(guint64), n);
    for (guint i = 0; i < n; i++) {
        guint64 pos = page->newest_first ? page->from - i : page->from + i;
        g_array_append_val(positions, pos);
    }
    return positions;
}

/* What was written before a fault is given out, and the cursor leads to it. */
static bool end_page(Page *page, guint64 began, GError *fault, GError **error)
{
    if (fault == NULL || page->last != began) {
        g_clear_error(&fault);
        return true;
    }
    /* Positions have no gaps: one that is not there was taken away. */
    if (g_error_matches(fault, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND))
        fault->code = SYNCD_ERROR_JOURNAL_CORRUPT;
    g_propagate_error(error, fault);
    return false;
}

static bool write_page(Page *page, GError **error)
{
    GError *fault = NULL;
    guint64 began = page->last;
    g_autoptr(GArray) positions = positions_of(page);
    if (positions->len > 0 &&
        syncd_store_read_many(page->service->store, (const guint64 *)(void *)positions->data,
                              positions->len, SYNCD_READ_HEADER, take_row, page, &fault))
        fault = g_steal_pointer(&page->fault);
    return end_page(page, began, fault, error);
}

char *syncd_service_list_evidence(SyncdService *service, const SyncdCaller *caller,
                                  const SyncdEvidenceListing *listing, char **ret_cursor,
                                  GError **error)
{
    g_autoptr(GString) out = g_string_new("[");
    g_auto(Page) page = {.service = service, .out = out};
    if (!syncd_store_check_readable(service->store, error) ||
        !fill_page(&page, caller, listing, error) || !write_page(&page, error))
        return NULL;
    g_string_append_c(out, ']');
    *ret_cursor = format_cursor(&page);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
