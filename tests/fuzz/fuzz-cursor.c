/*
 * Cursors, which come back from callers and may be anything. Whatever one says: a page holds what
 * its conditions ask for, in its order and no more than its limit, and its own cursor goes on where
 * it ended.
 */
#include "fuzz.h"
#include "scratch-store.h"
#include "scratch.h"

#include "store/store.h"

#define ENTRIES 40u
#define LIMIT 7u

static SyncdStore *store;

static bool is_asked_for(const SyncdQuery *query, guint64 pos)
{
    g_auto(SyncdEntry) entry = {0};
    LAW(syncd_store_read(store, pos, &entry, NULL));
    return (query->object == NULL || syncd_bytes_are(entry.header.object, query->object)) &&
           (query->kind == NULL || syncd_bytes_are(entry.header.kind, query->kind)) &&
           entry.header.hlc.ms >= query->since_ms && pos > query->after;
}

static void check_page(const SyncdQuery *query, const GArray *positions, guint64 *bound)
{
    LAW(positions->len <= LIMIT);
    for (guint i = 0; i < positions->len; i++) {
        guint64 pos = g_array_index(positions, guint64, i);
        LAW(is_asked_for(query, pos));
        LAW(query->order == SYNCD_NEWEST_FIRST ? pos < *bound : pos > *bound);
        *bound = pos;
    }
}

/* To the end of the listing, which must come. */
static void check_listing(SyncdQuery *query)
{
    guint64 bound = query->order == SYNCD_NEWEST_FIRST ? G_MAXUINT64 : 0;
    g_autofree char *cursor = NULL;
    for (unsigned page = 0;; page++) {
        g_autoptr(GArray) positions = NULL;
        g_autoptr(GError) error = NULL;
        char *next = NULL;
        LAW(page <= ENTRIES);
        bool good = syncd_store_query(store, query, &positions, &next, &error);
        LAW(good == (error == NULL));
        if (!good) {
            LAW(page == 0);
            LAW(error->code == SYNCD_ERROR_INVALID_ARGS ||
                error->code == SYNCD_ERROR_CURSOR_EXPIRED);
            return;
        }
        check_page(query, positions, &bound);
        g_free(cursor);
        cursor = next;
        query->cursor = cursor;
        if (*cursor == '\0')
            return;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t choice = size > 0 ? data[0] : 0;
    g_autofree char *cursor = size > 0 ? fuzz_text(data + 1, size - 1) : NULL;
    SyncdQuery query = {
        .order = choice & 1 ? SYNCD_OLDEST_FIRST : SYNCD_NEWEST_FIRST,
        .limit = LIMIT,
        .object = choice & 2 ? "object:1" : NULL,
        .kind = choice & 4 ? "operation.enqueue" : NULL,
        .since_ms = choice & 8 ? G_GUINT64_CONSTANT(1777939200000) : 0,
        .after = choice & 16 ? 5 : 0,
        .cursor = cursor,
    };
    check_listing(&query);
    return 0;
}

static void append(unsigned number)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    g_autofree char *object = g_strdup_printf("object:%u", number % 3);
    SyncdDraft draft = {
        .kind = number % 4 == 0 ? "actor.record" : "operation.enqueue",
        .actor = "actor-1",
        .object = object,
        .decision = "",
        .engine = "",
        .lane = "normal",
        .schema_id = "",
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES_TEXT("{}"),
    };
    LAW(syncd_store_append(store, syncd_store_device_id(store), &draft, &receipt, &error));
}

static void close_store(void)
{
    g_clear_pointer(&store, syncd_store_free);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    store = scratch_store();
    atexit(close_store); /* before its directory goes */
    for (unsigned i = 0; i < ENTRIES; i++)
        append(i);
    LAW(syncd_store_commit(store, NULL, &error));
    LAW(syncd_store_settle(store, &error));
    return 0;
}
