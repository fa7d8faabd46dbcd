/* Reading: pages, filters, proofs, and who sees what. */
#include "contract/vocabulary.h"
#include "reading-fixture.h"

/* Adds the values of a member of every element; no value may come twice. */
static void collect(const char *array, const char *name, GHashTable *seen, GPtrArray *order)
{
    SyncdJsonIter iter;
    SyncdJson element;
    syncd_json_iter_init(&iter, syncd_json_root(array, strlen(array)));
    while (syncd_json_iter_next(&iter, NULL, &element)) {
        SyncdJson value = syncd_json_member(element, name);
        char *text = g_strndup(value.at, syncd_json_size(value));
        g_assert_true(g_hash_table_add(seen, text));
        g_ptr_array_add(order, text);
    }
}

static void walk(ServiceFixture *f, SyncdListing listing, GPtrArray *order, GHashTable *seen)
{
    g_autofree char *cursor = g_strdup("");
    guint pages = 0;
    do {
        g_autoptr(GError) error = NULL;
        char *next = NULL;
        listing.cursor = cursor;
        g_autofree char *page =
            syncd_service_list_operations(f->service, &f->caller, &listing, &next, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(count_elements(page), <=, listing.limit);
        collect(page, "sequence", seen, order);
        g_free(cursor);
        cursor = next;
        g_assert_cmpuint(++pages, <, 1000);
    } while (*cursor != '\0');
}

static void pages_cover_everything_exactly_once(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f, N_OPERATIONS);
    static const struct {
        const char *order, *object;
        guint expected;
    } cases[] = {
        {NULL, NULL, N_OPERATIONS},
        {"oldest", NULL, N_OPERATIONS},
        {"newest", "note-1", N_OPERATIONS / 3},
        {"oldest", "note-2", N_OPERATIONS / 3},
        {NULL, "note-9", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        for (guint limit = 1; limit <= 20; limit += 6) {
            g_autoptr(GHashTable) seen =
                g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
            g_autoptr(GPtrArray) order = g_ptr_array_new();
            SyncdListing listing = {
                .order = cases[i].order, .object = cases[i].object, .limit = limit};
            walk(&f, listing, order, seen);
            g_assert_cmpuint(order->len, ==, cases[i].expected);
            bool oldest = g_strcmp0(cases[i].order, "oldest") == 0;
            for (guint j = 1; j < order->len; j++) {
                guint64 before = g_ascii_strtoull(order->pdata[j - 1], NULL, 10);
                guint64 after = g_ascii_strtoull(order->pdata[j], NULL, 10);
                g_assert_true(oldest ? before < after : before > after);
            }
        }
    }
    service_clear(&f);
}

static void a_page_ends_before_it_is_too_large(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *filler = g_strnfill(225000, 'x');
    g_autofree char *body = g_strdup_printf("{\"filler\":\"%s\"}", filler);
    for (guint i = 0; i < 12; i++)
        put(&f, "large", body);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) order = g_ptr_array_new();
    SyncdListing listing = {.limit = 100};
    g_autofree char *cursor = NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *page =
        syncd_service_list_operations(f.service, &f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(strlen(page), <=, SYNCD_PAGE_SIZE + 2);
    g_assert_cmpuint(count_elements(page), ==, 4);
    walk(&f, listing, order, seen);
    g_assert_cmpuint(order->len, ==, 12);
    service_clear(&f);
}

static GString *list_bytes(ServiceFixture *f, const SyncdListing *listing, char **ret_cursor)
{
    g_autoptr(GError) error = NULL;
    GString *lines = syncd_service_list_bytes(f->service, &f->caller, listing, ret_cursor, &error);
    g_assert_no_error(error);
    return lines;
}

static void lines_stay_lines_and_pages_stay_small(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *filler = g_strnfill(400000, 'x');
    g_autofree char *large = g_strdup_printf("{\"filler\":\"%s\"}", filler);
    g_autofree char *larger = g_strdup_printf("{\"filler\":\"%s%s\"}", filler, filler);
    put(&f, "lines", "{\r\n  \"a\" : [1,\n2]\n}");
    put(&f, "lines", large);
    put(&f, "lines", large);
    put(&f, "lines", large);
    put(&f, "lines", larger);

    guint n = 0, pages = 0, unreadable = 0;
    g_autofree char *cursor = g_strdup("");
    do {
        char *next = NULL;
        SyncdListing listing = {.object = "lines", .bodies = true, .cursor = cursor};
        g_autoptr(GString) page = list_bytes(&f, &listing, &next);
        g_assert_cmpuint(page->len, <=, SYNCD_PAGE_SIZE);
        g_assert_true(g_str_has_suffix(page->str, "}\n"));
        g_auto(GStrv) lines = g_strsplit(page->str, "\n", -1);
        for (guint i = 0; lines[i + 1] != NULL; i++, n++) {
            g_autofree char *header = member_of(lines[i], "header");
            assert_member(header, "object", "\"lines\"");
            if (n == 0)
                assert_member(lines[i], "body", "{    \"a\" : [1, 2] }");
            g_autofree char *problem = member_of(lines[i], "body_error");
            unreadable += problem != NULL;
        }
        g_free(cursor);
        cursor = next;
        pages++;
    } while (*cursor != '\0');
    g_assert_cmpuint(n, ==, 5);
    g_assert_cmpuint(unreadable, ==, 1); /* the one that is larger than a line may be */
    g_assert_cmpuint(pages, >, 1);
    service_clear(&f);
}

static void lines_hold_exactly_what_was_hashed(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f, 3);
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.limit = 1000};
    g_autoptr(GString) page = list_bytes(&f, &listing, &cursor);
    g_assert_cmpstr(cursor, ==, "");
    g_auto(GStrv) lines = g_strsplit(page->str, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines) - 1, ==, service_sequence(&f));
    for (guint i = 0; lines[i + 1] != NULL; i++) {
        g_autofree char *header = member_of(lines[i], "header");
        SyncdHash leaf = syncd_tree_leaf(header, strlen(header));
        char hex[SYNCD_HASH_HEX_SIZE];
        syncd_hash_to_hex(&leaf, hex);
        g_autofree char *quoted = g_strdup_printf("\"%s\"", hex);
        assert_member(lines[i], "leaf", quoted);
        g_autofree char *sequence = g_strdup_printf("%u", i + 1);
        assert_member(lines[i], "sequence", sequence);
        g_autofree char *body = member_of(lines[i], "body");
        g_assert_null(body);
    }
    service_clear(&f);
}

static void wrong_filters_are_refused(void)
{
    static const struct {
        SyncdListing listing;
        SyncdErrorCode code;
    } cases[] = {
        {{.limit = SYNCD_LIST_MAX + 1}, SYNCD_ERROR_INVALID_ARGS},
        {{.order = "random"}, SYNCD_ERROR_INVALID_ARGS},
        {{.type = "sync.operation.invent"}, SYNCD_ERROR_INVALID_ARGS},
        {{.scope = "workspace:absent"}, SYNCD_ERROR_NOT_FOUND},
        {{.scope = "no scope"}, SYNCD_ERROR_INVALID_CONTRACT},
        {{.cursor = "forged"}, SYNCD_ERROR_INVALID_ARGS},
    };
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        g_assert_null(syncd_service_list_operations(f.service, &f.caller, &cases[i].listing,
                                                    &cursor, &error));
        g_assert_error(error, SYNCD_ERROR, (int)cases[i].code);
        g_assert_null(cursor);
    }
    service_clear(&f);
}

static void filters_of_time_and_sequence_hold(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *first = enqueue_body(&f, "a", "{}");
    guint64 sequence = service_sequence(&f);
    f.base.now_usec += 10 * G_USEC_PER_SEC;
    guint64 middle = f.base.now_usec;
    f.base.now_usec += 10 * G_USEC_PER_SEC;
    g_autofree char *second = enqueue_body(&f, "a", "{}");

    const struct {
        SyncdListing listing;
        const char *expected;
    } cases[] = {
        {{.since_usec = middle}, second},
        {{.until_usec = middle}, first},
        {{.after = sequence}, second},
        {{.operation = first}, first},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        g_autofree char *page =
            syncd_service_list_operations(f.service, &f.caller, &cases[i].listing, &cursor, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(count_elements(page), ==, 1);
        g_assert_nonnull(strstr(page, cases[i].expected));
    }
    service_clear(&f);
}

static void events_tell_of_every_entry(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{\"private\":\"text\"}");
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    SyncdListing listing = {0};
    g_autofree char *all =
        syncd_service_list_events(f.service, &f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(count_elements(all), ==, service_sequence(&f));
    g_assert_null(strstr(all, "private"));

    g_autofree char *events = events_of(&f, "sync.operation.enqueued");
    g_assert_cmpuint(count_elements(events), ==, 1);
    g_assert_nonnull(strstr(events, operation));
    g_assert_nonnull(strstr(events, "An operation was enqueued: note-1 (workspace:notes)"));

    listing.type = "sync.operation.enqueue"; /* an operation type, no event type */
    g_assert_null(syncd_service_list_events(f.service, &f.caller, &listing, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

/* Also of what this version never has: that there was none is an answer. */
static void every_observable_fact_can_be_asked_for(void)
{
    const char *const *word = syncd_vocabulary_words(SYNCD_WORDS_INTEGRITY_EVENT);
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    for (; *word != NULL; word++) {
        bool is_registration = g_str_has_suffix(*word, ".registered");
        g_assert_cmpuint(count_events(&f, *word), <=, is_registration ? 2 : 0);
    }
    service_clear(&f);
}

static void what_is_no_operation_is_not_found(void)
{
    static const char *const wrong[] = {"", "op-0", "no id", "\x1b[31m", "op-\xff"};
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(syncd_service_get_operation(f.service, &f.caller, wrong[i], &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        g_assert_true(g_utf8_validate(error->message, -1, NULL));
        g_assert_null(strchr(error->message, 0x1b));
    }
    /* an entry of the daemon has an id, but is no operation */
    g_autofree char *line = newest_line(&f);
    g_autofree char *header = member_of(line, "header");
    g_autofree char *op = member_of(header, "op");
    g_autofree char *id = g_strndup(op + 1, strlen(op) - 2);
    g_autoptr(GError) error = NULL;
    g_assert_null(syncd_service_get_operation(f.service, &f.caller, id, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/reading/pages-cover-everything-exactly-once",
                    pages_cover_everything_exactly_once);
    g_test_add_func("/reading/a-page-ends-before-it-is-too-large",
                    a_page_ends_before_it_is_too_large);
    g_test_add_func("/reading/lines-stay-lines-and-pages-stay-small",
                    lines_stay_lines_and_pages_stay_small);
    g_test_add_func("/reading/lines-hold-exactly-what-was-hashed",
                    lines_hold_exactly_what_was_hashed);
    g_test_add_func("/reading/wrong-filters-are-refused", wrong_filters_are_refused);
    g_test_add_func("/reading/filters-of-time-and-sequence-hold",
                    filters_of_time_and_sequence_hold);
    g_test_add_func("/reading/events-tell-of-every-entry", events_tell_of_every_entry);
    g_test_add_func("/reading/every-observable-fact-can-be-asked-for",
                    every_observable_fact_can_be_asked_for);
    g_test_add_func("/reading/what-is-no-operation-is-not-found",
                    what_is_no_operation_is_not_found);
    return g_test_run();
}
