/*
 * Cursors of the ledger, which come back from readers and may be anything. Whatever one says: it is
 * refused, or what follows is what followed in the whole listing, each envelope once. One that was
 * given out is never refused.
 *
 * An input is a byte of conditions, a byte that chooses a cursor that was given out, and pairs of a
 * place and a byte that is put there; or, with the highest bit of the first byte, a cursor.
 */
#include "../unit/all-at-once.h"
#include "fuzz.h"
#include "scratch-store.h"
#include "scratch.h"

#include "base/json.h"
#include "service/evidence.h"
#include "service/internal.h"

#define OWNER 1000
#define OPERATIONS 7u /* each page is signed, which takes its time */
#define LIMIT 3u
#define PAGES_MAX 64u

/* ---- whole listings ---- */

typedef struct {
    const char *order, *type;
    GPtrArray *envelopes; /* char *: all of them, in the order */
    GPtrArray *cursors;   /* char *: that were given out, the first page's first */
} Listing;

static SyncdService *service;
static const SyncdCaller caller = {.uid = OWNER};
static Listing listings[] = {
    {NULL, NULL, NULL, NULL},
    {"newest", NULL, NULL, NULL},
    {NULL, "local-state-summary", NULL, NULL},
    {"newest", "local-state-summary", NULL, NULL},
};

static void add_envelopes(const char *page, GPtrArray *envelopes)
{
    SyncdJsonIter iter;
    SyncdJson envelope;
    LAW(syncd_json_check(page, strlen(page), SYNCD_JSON_ANY, NULL));
    syncd_json_iter_init(&iter, syncd_json_root(page, strlen(page)));
    while (syncd_json_iter_next(&iter, NULL, &envelope))
        g_ptr_array_add(envelopes, g_strndup(envelope.at, syncd_json_size(envelope)));
}

/* From the cursor to the end, which must come. */
static bool follow(const Listing *listing, const char *cursor, GPtrArray *envelopes,
                   GPtrArray *cursors, guint limit, GError **error)
{
    g_autofree char *at = g_strdup(cursor);
    for (unsigned page = 0;; page++) {
        LAW(page < PAGES_MAX);
        const SyncdEvidenceListing asked = {
            .cursor = at, .order = listing->order, .type = listing->type, .limit = limit};
        char *next = NULL;
        g_autofree char *text = syncd_service_list_evidence(service, &caller, &asked, &next, error);
        LAW((text != NULL) == (next != NULL));
        if (text == NULL) {
            LAW(page == 0);
            return false;
        }
        guint before = envelopes->len;
        add_envelopes(text, envelopes);
        LAW(envelopes->len - before <= limit);
        bool ends = g_strcmp0(at, next) == 0;
        LAW(!ends || envelopes->len == before);
        g_free(at);
        at = next;
        if (cursors != NULL)
            g_ptr_array_add(cursors, g_strdup(at));
        if (ends)
            return true;
    }
}

/* ---- one input ---- */

static char *make_cursor(const Listing *listing, const uint8_t *data, size_t size, bool *ret_given)
{
    *ret_given = false;
    if (size > 0 && data[0] & 0x80)
        return fuzz_text(data + 1, size - 1);
    guint chosen = size > 1 ? data[1] % listing->cursors->len : 0;
    const char *given = listing->cursors->pdata[chosen];
    char *cursor = g_strdup(given);
    size_t length = strlen(cursor);
    for (size_t i = 2; i + 1 < size; i += 2)
        cursor[data[i] % length] = (char)(data[i + 1] != 0 ? data[i + 1] : '0');
    *ret_given = strcmp(cursor, given) == 0;
    return cursor;
}

/* Numbers have more than one spelling; what follows them has one. */
static bool was_given_out(const Listing *listing, const char *cursor)
{
    guint64 pos = g_ascii_strtoull(cursor, NULL, 16);
    const char *rest = strchr(cursor, '-');
    for (guint i = 0; i < listing->cursors->len; i++) {
        const char *given = listing->cursors->pdata[i];
        if (g_ascii_strtoull(given, NULL, 16) == pos && g_strcmp0(strchr(given, '-'), rest) == 0)
            return true;
    }
    return pos == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool given;
    g_autoptr(GError) error = NULL;
    const Listing *listing = &listings[size > 0 ? data[0] % G_N_ELEMENTS(listings) : 0];
    g_autofree char *cursor = make_cursor(listing, data, size, &given);
    g_autoptr(GPtrArray) rest = g_ptr_array_new_with_free_func(g_free);
    bool good = follow(listing, cursor, rest, NULL, LIMIT, &error);
    LAW(good == (error == NULL));
    if (!good) {
        LAW(!given);
        LAW(error->code == SYNCD_ERROR_INVALID_ARGS || error->code == SYNCD_ERROR_CURSOR_EXPIRED);
        LAW(g_utf8_validate(error->message, -1, NULL));
        return 0;
    }
    /* Of some entries alone, others may be where one ends. */
    LAW(cursor == NULL || *cursor == '\0' || listing->type != NULL ||
        was_given_out(listing, cursor));
    LAW(rest->len <= listing->envelopes->len);
    guint skipped = listing->envelopes->len - rest->len;
    for (guint i = 0; i < rest->len; i++)
        LAW(strcmp(rest->pdata[i], listing->envelopes->pdata[skipped + i]) == 0);
    return 0;
}

/* ---- the log ---- */

static void close_all(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(listings); i++) {
        g_ptr_array_unref(listings[i].envelopes);
        g_ptr_array_unref(listings[i].cursors);
    }
    g_clear_pointer(&service, syncd_service_free);
}

static void fill_log(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) lines = g_string_new(NULL);
    for (unsigned i = 0; i < OPERATIONS; i++)
        g_string_append_printf(lines,
                               "{\"type\":\"sync.operation.enqueue\",\"scope\":\"workspace:notes\","
                               "\"object\":\"note-%u\",\"body\":{},\"create_scope\":true}\n",
                               i % 3);
    g_autoptr(GString) results =
        enqueue_many_at_once(service, &caller, SYNCD_BYTES(lines->str, lines->len), &error);
    LAW(results != NULL);
    syncd_service_commit(service);
    while (syncd_service_work(service))
        ;
}

/* Both orders have each entry once. */
static void check_whole_log(void)
{
    guint n = listings[0].envelopes->len;
    LAW(n == syncd_store_sequence(service->store));
    LAW(n == listings[1].envelopes->len);
    for (guint i = 0; i < n; i++)
        LAW(strcmp(listings[0].envelopes->pdata[i], listings[1].envelopes->pdata[n - 1 - i]) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    service =
        syncd_service_new(SYNCD_INSTANCE_USER, OWNER, scratch_store(), scratch_sources(), &error);
    LAW(service != NULL);
    fill_log();
    for (size_t i = 0; i < G_N_ELEMENTS(listings); i++) {
        Listing *listing = &listings[i];
        listing->envelopes = g_ptr_array_new_with_free_func(g_free);
        listing->cursors = g_ptr_array_new_with_free_func(g_free);
        LAW(follow(listing, NULL, listing->envelopes, listing->cursors, 1, &error));
        LAW(listing->envelopes->len >= OPERATIONS);
    }
    check_whole_log();
    atexit(close_all); /* before its directory goes */
    return 0;
}
