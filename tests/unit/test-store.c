#include "crypto/seal.h"
#include "store-fixture.h"
#include "store/directory.h"

#include <unistd.h>

static void what_was_committed_is_there_again(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 1);
    fixture_open(&f);
    g_assert_true(syncd_store_is_new(f.store));
    g_auto(SyncdReceipt) receipt =
        fixture_append(&f, "object:alpha", "key-1", "{ \"exact\" :  1.0 }");
    fixture_commit(&f);
    g_assert_cmpuint(receipt.pos, ==, 2); /* the feed's own first entry came before it */
    g_autofree char *device = g_strdup(syncd_store_device_id(f.store));
    fixture_close(&f);

    fixture_open(&f);
    g_assert_cmpstr(syncd_store_device_id(f.store), ==, device);
    g_assert_cmpuint(syncd_store_sequence(f.store), ==, 2);
    guint64 pos = 0;
    g_assert_true(syncd_store_find_op(f.store, receipt.op, &pos, &error));
    g_assert_cmpuint(pos, ==, 2);

    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    g_assert_true(syncd_store_read(f.store, pos, &entry, &error));
    g_assert_true(syncd_bytes_are(entry.header.object, "object:alpha"));
    g_assert_true(entry.header.keyed);
    g_assert_true(syncd_store_read_body(f.store, &entry, &body, &error));
    g_assert_cmpstr(body.content, ==, "{ \"exact\" :  1.0 }");
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void a_discarded_turn_leaves_nothing(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 2);
    fixture_open(&f);
    fixture_fill(&f, 40); /* past the first tile */
    guint64 before = syncd_store_sequence(f.store);

    g_autoptr(SyncdScope) scope = NULL;
    g_assert_true(
        syncd_store_open_scope(f.store, "workspace", "notes", "actor-test", &scope, &error));
    for (int i = 0; i < 40; i++) {
        SyncdReceipt receipt = fixture_append(&f, "", "key-x", "{}");
        syncd_receipt_clear(&receipt);
    }
    guint64 pos = 0;
    g_assert_true(syncd_store_find_key(f.store, "actor-test", syncd_store_device_id(f.store),
                                       "key-x", &pos, &error));
    g_assert_cmpuint(pos, >, before);
    syncd_store_discard(f.store);

    g_autoptr(SyncdScope) gone = NULL;
    g_assert_true(syncd_store_find_scope(f.store, "workspace", "notes", &gone, &error));
    g_assert_null(gone);
    g_assert_true(syncd_store_find_key(f.store, "actor-test", syncd_store_device_id(f.store),
                                       "key-x", &pos, &error));
    g_assert_cmpuint(pos, ==, 0);
    fixture_fill(&f, 40);
    g_assert_cmpuint(syncd_store_sequence(f.store), ==, before + 40);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static guint count_files(const char *path)
{
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    guint n = dir == NULL;
    const char *name;
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n += count_files(child);
    }
    return n;
}

static void large_content_goes_beside_the_journal(void)
{
    static const size_t sizes[] = {SYNCD_STORE_INLINE_MAX, SYNCD_STORE_INLINE_MAX + 1, 1048536,
                                   1048537, 3000000};
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 3);
    fixture_open(&f);
    g_autoptr(SyncdScope) public = NULL;
    g_assert_true(syncd_store_open_scope(f.store, "public", "site", "actor-test", &public, &error));
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int open = 0; open < 2; open++) {
            const char *scope = open ? public->id : syncd_store_device_id(f.store);
            g_autofree char *content = g_malloc(sizes[i]);
            for (size_t k = 0; k < sizes[i]; k++)
                content[k] = (char)fixture_next(&f);
            g_auto(SyncdReceipt) receipt =
                fixture_append_to(&f, scope, "object:big", NULL, content, sizes[i]);
            fixture_commit(&f);

            g_auto(SyncdEntry) entry = {0};
            g_auto(SyncdBody) body = {0};
            g_assert_true(syncd_store_read(f.store, receipt.pos, &entry, &error));
            g_assert_cmpint(entry.header.body_is_list, ==, sizes[i] > SYNCD_STORE_INLINE_MAX);
            g_assert_true(syncd_store_read_body(f.store, &entry, &body, &error));
            g_assert_cmpmem(body.content, body.content_size, content, sizes[i]);
        }
    }
    fixture_assert_sound(&f);

    /* Equal content in a sealed scope is stored once. */
    g_autofree char *same = g_strnfill(200000, 'x');
    g_auto(SyncdReceipt) first =
        fixture_append_to(&f, syncd_store_device_id(f.store), "", NULL, same, 200000);
    fixture_commit(&f);
    guint chunks = count_files(f.directory);
    g_auto(SyncdReceipt) second =
        fixture_append_to(&f, syncd_store_device_id(f.store), "", NULL, same, 200000);
    fixture_commit(&f);
    g_assert_cmpstr(first.op, !=, second.op);
    g_assert_cmpuint(count_files(f.directory), ==, chunks);
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void a_second_process_is_refused_by_name(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 4);
    SyncdStoreOptions options = {.directory = f.directory,
                                 .mode = SYNCD_STORE_CREATE,
                                 .sources = &f.sources,
                                 .machine = "machine-a",
                                 .address = "unix:path=/somewhere"};
    f.store = syncd_store_open(&options, &error);
    g_assert_no_error(error);
    /* Also the second time: who is refused leaves the holder's name where it is. */
    g_autofree char *pid = g_strdup_printf("pid %d", (int)getpid());
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) refusal = NULL;
        g_assert_null(syncd_store_open(&options, &refusal));
        g_assert_error(refusal, SYNCD_ERROR, SYNCD_ERROR_BUSY);
        g_assert_nonnull(strstr(refusal->message, pid));
        g_assert_nonnull(strstr(refusal->message, "unix:path=/somewhere"));
    }
    fixture_clear(&f);
}

static void reading_never_creates(void)
{
    Fixture f;
    fixture_init(&f, 5);
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        SyncdStoreOptions options = {.directory = f.directory,
                                     .mode = i == 0 ? SYNCD_STORE_OPEN : SYNCD_STORE_INSPECT,
                                     .sources = &f.sources};
        g_assert_null(syncd_store_open(&options, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
    }
    g_autoptr(GDir) dir = g_dir_open(f.directory, 0, NULL);
    g_assert_null(g_dir_read_name(dir));
    fixture_clear(&f);
}

static void another_machine_reads_until_it_adopts(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 6);
    fixture_open(&f);
    fixture_fill(&f, 5);
    g_autoptr(SyncdHead) before = syncd_store_head(f.store, syncd_store_device_id(f.store), &error);
    fixture_close(&f);

    f.machine = "machine-b";
    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_MACHINE_CHANGED);
    SyncdDraft draft = {.kind = "operation.enqueue",
                        .actor = "actor-test",
                        .object = "",
                        .decision = "",
                        .engine = "",
                        .lane = "normal",
                        .schema_id = "x",
                        .meta = SYNCD_BYTES_TEXT("{}"),
                        .content = {"{}", 2}};
    g_assert_false(
        syncd_store_append(f.store, syncd_store_device_id(f.store), &draft, NULL, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_clear_error(&error);

    g_assert_true(syncd_store_adopt(f.store, "actor-test", &error));
    fixture_fill(&f, 3);
    g_autoptr(SyncdHead) after = syncd_store_head(f.store, syncd_store_device_id(f.store), &error);
    g_assert_cmpuint(after->epoch, ==, before->epoch + 1);
    const char *known[] = {before->note, after->note, NULL};
    g_autoptr(SyncdVerify) verify = fixture_verify(&f, SYNCD_VERIFY_FULL, known);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 0);
    fixture_close(&f);

    fixture_open(&f);
    g_assert_cmpint(syncd_store_condition(f.store), ==, SYNCD_STORE_WRITABLE);
    fixture_clear(&f);
}

static void a_lost_journal_is_not_a_first_start(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 7);
    fixture_open(&f);
    fixture_fill(&f, 3);
    fixture_close(&f);
    g_autofree char *journal = g_build_filename(f.directory, "journal.db", NULL);
    g_remove(journal);
    SyncdStoreOptions options = {
        .directory = f.directory, .mode = SYNCD_STORE_CREATE, .sources = &f.sources};
    g_assert_null(syncd_store_open(&options, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    fixture_clear(&f);
}

static void pages_cover_everything_once(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 8);
    fixture_open(&f);
    fixture_fill(&f, 100);
    for (int order = 0; order < 2; order++) {
        for (int by_time = 0; by_time < 2; by_time++) {
            SyncdQuery query = {.order = order ? SYNCD_OLDEST_FIRST : SYNCD_NEWEST_FIRST,
                                .limit = 7,
                                .object = by_time ? NULL : "object:3",
                                .since_ms = by_time ? 1 : 0,
                                .operations_only = true};
            guint seen = 0;
            guint64 last = 0;
            g_autofree char *cursor = g_strdup("");
            do {
                g_autoptr(GArray) page = NULL;
                g_autofree char *next = NULL;
                query.cursor = cursor;
                g_assert_true(syncd_store_query(f.store, &query, &page, &next, &error));
                for (guint i = 0; i < page->len; i++) {
                    guint64 pos = g_array_index(page, guint64, i);
                    g_assert_true(last == 0 || (order ? pos > last : pos < last));
                    last = pos;
                    seen++;
                }
                g_free(cursor);
                cursor = g_steal_pointer(&next);
            } while (cursor[0] != '\0');
            g_assert_cmpuint(seen, ==, by_time ? 100 : 14);
        }
    }

    SyncdQuery first = {.limit = 2, .object = "object:1"},
               other = {.limit = 2, .object = "object:2"};
    g_autoptr(GArray) page = NULL;
    g_autofree char *cursor = NULL, *unused = NULL;
    g_assert_true(syncd_store_query(f.store, &first, &page, &cursor, &error));
    other.cursor = cursor;
    g_assert_false(syncd_store_query(f.store, &other, &page, &unused, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    fixture_clear(&f);
}

static void proofs_hold(void)
{
    Fixture f;
    g_autoptr(GError) error = NULL;
    fixture_init(&f, 9);
    fixture_open(&f);
    fixture_fill(&f, 1100); /* two levels of tiles */
    for (guint64 pos = 1; pos <= syncd_store_sequence(f.store); pos += 53) {
        g_auto(SyncdEntry) entry = {0};
        g_autoptr(SyncdHead) head = NULL;
        g_autoptr(GArray) path = NULL;
        SyncdHash leaf;
        g_assert_true(syncd_store_read(f.store, pos, &entry, &error));
        g_assert_true(syncd_store_prove(f.store, &entry, &head, &leaf, &path, &error));
        g_assert_cmpuint(head->size, ==, 1101);
    }
    fixture_assert_sound(&f);
    fixture_clear(&f);
}

static void network_file_systems_are_known(void)
{
    g_assert_true(syncd_filesystem_is_remote(0x6969));      /* NFS */
    g_assert_true(syncd_filesystem_is_remote(0xff534d42));  /* CIFS */
    g_assert_false(syncd_filesystem_is_remote(0xef53));     /* ext4 */
    g_assert_false(syncd_filesystem_is_remote(0x01021994)); /* tmpfs */
}

typedef struct {
    SyncdReadDepth depth;
    GArray *positions;
    guint enough;
} Taken;

static bool take_row(void *data, const SyncdRow *row)
{
    Taken *taken = data;
    SyncdHeader header;
    g_assert_true(syncd_header_parse(row->entry.text, row->entry.size, &header, NULL));
    g_assert_no_error(row->unreadable);
    if (taken->depth == SYNCD_READ_BODY && header.seq > 0) {
        g_autofree char *content = g_strdup_printf("{\"n\":%u}", (guint)header.seq - 1);
        g_assert_cmpmem(row->body.content, row->body.content_size, content, strlen(content));
    }
    g_array_append_val(taken->positions, row->entry.pos);
    return taken->positions->len < taken->enough;
}

static void assert_rows(Fixture *f, SyncdReadDepth depth, const guint64 *positions, guint n,
                        guint enough)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof *positions);
    Taken taken = {depth, given, enough};
    g_assert_true(syncd_store_read_many(f->store, positions, n, depth, take_row, &taken, &error));
    g_assert_no_error(error);
    g_assert_cmpmem(given->data, given->len * sizeof *positions, positions,
                    MIN(n, enough) * sizeof *positions);
}

static void entries_come_in_the_order_that_was_asked(void)
{
    static const guint64 up[] = {3, 4, 5, 6, 7}, down[] = {9, 8, 7, 6},
                         mixed[] = {5, 2, 3, 4, 9, 8, 1, 10, 10, 12}, gone[] = {3, 4, 99};
    Fixture f;
    fixture_init(&f, 1);
    fixture_open(&f);
    fixture_fill(&f, 20);
    for (SyncdReadDepth depth = SYNCD_READ_HEADER; depth <= SYNCD_READ_BODY; depth++) {
        assert_rows(&f, depth, up, G_N_ELEMENTS(up), 100);
        assert_rows(&f, depth, down, G_N_ELEMENTS(down), 100);
        assert_rows(&f, depth, mixed, 0, 100);
        for (guint enough = 1; enough <= G_N_ELEMENTS(mixed); enough++)
            assert_rows(&f, depth, mixed, G_N_ELEMENTS(mixed), enough);
    }

    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) given = g_array_new(FALSE, FALSE, sizeof *gone);
    Taken taken = {SYNCD_READ_HEADER, given, 100};
    g_assert_false(syncd_store_read_many(f.store, gone, G_N_ELEMENTS(gone), SYNCD_READ_HEADER,
                                         take_row, &taken, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    fixture_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store/what-was-committed-is-there-again", what_was_committed_is_there_again);
    g_test_add_func("/store/a-discarded-turn-leaves-nothing", a_discarded_turn_leaves_nothing);
    g_test_add_func("/store/large-content-goes-beside-the-journal",
                    large_content_goes_beside_the_journal);
    g_test_add_func("/store/a-second-process-is-refused-by-name",
                    a_second_process_is_refused_by_name);
    g_test_add_func("/store/reading-never-creates", reading_never_creates);
    g_test_add_func("/store/another-machine-reads-until-it-adopts",
                    another_machine_reads_until_it_adopts);
    g_test_add_func("/store/a-lost-journal-is-not-a-first-start",
                    a_lost_journal_is_not_a_first_start);
    g_test_add_func("/store/pages-cover-everything-once", pages_cover_everything_once);
    g_test_add_func("/store/proofs-hold", proofs_hold);
    g_test_add_func("/store/network-file-systems-are-known", network_file_systems_are_known);
    g_test_add_func("/store/entries-come-in-the-order-that-was-asked",
                    entries_come_in_the_order_that_was_asked);
    return g_test_run();
}
