/*
 * The document about files: what is written is read, and what nobody would write is passed over.
 */
#include "crypto/seal.h"
#include "domain/file-changes.h"

#define OPERATION "op-0123456789abcdefghjkmnpqrs"
#define FOLDER "file-0123456789abcdefghjkmnpqrs-0"

static SyncdJson checked(const char *text)
{
    g_autoptr(GError) error = NULL;
    syncd_json_check(text, strlen(text), SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
    return syncd_json_root(text, strlen(text));
}

static void assert_bytes(SyncdBytes actual, SyncdBytes expected)
{
    g_assert_cmpmem(actual.data, actual.size, expected.data, expected.size);
}

static void what_is_written_is_read(void)
{
    static const struct {
        const char *object, *folder, *name;
        SyncdFileKind kind;
        const char *target;
    } cases[] = {
        {NULL, "", "", SYNCD_FILE_FOLDER, NULL},
        {NULL, FOLDER, "notes.txt", SYNCD_FILE_REGULAR, NULL},
        {NULL, FOLDER, "quote\" back\\ line\n", SYNCD_FILE_REGULAR, NULL},
        {FOLDER, FOLDER, "na\xc3\xafve", SYNCD_FILE_FOLDER, NULL},
        {FOLDER, FOLDER, "latin\xe9", SYNCD_FILE_SYMLINK, "\xff\xfe/../away"},
        {FOLDER, FOLDER, "link", SYNCD_FILE_SYMLINK, "../else"},
    };
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdFileChangesWriter writer;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_SCAN);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SyncdFileChange change = {
            .object =
                cases[i].object != NULL ? SYNCD_BYTES_TEXT(cases[i].object) : (SyncdBytes){NULL},
            .folder = SYNCD_BYTES_TEXT(cases[i].folder),
            .name = SYNCD_BYTES_TEXT(cases[i].name),
            .kind = cases[i].kind,
            .mode = 0640,
            .size = G_MAXINT64,
            .mtime = -1,
            .hashed = i % 2 == 1,
            .hash = syncd_hash(&i, sizeof i),
            .target = SYNCD_BYTES_TEXT(cases[i].target != NULL ? cases[i].target : ""),
        };
        syncd_file_changes_add(&writer, &change);
    }
    syncd_file_changes_end(&writer);
    g_assert_cmpuint(writer.n, ==, G_N_ELEMENTS(cases));

    g_auto(SyncdFileChangesReader) reader;
    SyncdFileChange change;
    syncd_file_changes_read(&reader, checked(text->str));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        SyncdHash hash = syncd_hash(&i, sizeof i);
        g_assert_true(syncd_file_changes_next(&reader, &change));
        g_assert_cmpuint(reader.number, ==, i);
        g_assert_cmpint(change.object.data != NULL, ==, cases[i].object != NULL);
        assert_bytes(change.folder, SYNCD_BYTES_TEXT(cases[i].folder));
        assert_bytes(change.name, SYNCD_BYTES_TEXT(cases[i].name));
        g_assert_cmpint(change.kind, ==, cases[i].kind);
        g_assert_cmpuint(change.mode, ==, 0640);
        g_assert_cmpuint(change.size, ==, G_MAXINT64);
        g_assert_cmpint(change.mtime, ==, -1);
        g_assert_cmpint(change.hashed, ==, i % 2 == 1);
        g_assert_true(!change.hashed || syncd_hash_equal(&change.hash, &hash));
        if (cases[i].target != NULL)
            assert_bytes(change.target, SYNCD_BYTES_TEXT(cases[i].target));
    }
    g_assert_false(syncd_file_changes_next(&reader, &change));
}

static void of_what_is_gone_only_the_id_is_said(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdFileChangesWriter writer;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_WATCH);
    syncd_file_changes_add_deleted(&writer, FOLDER);
    syncd_file_changes_end(&writer);
    g_assert_cmpstr(text->str, ==, "{\"found\":\"watch\",\"files\":[{\"object\":\"" FOLDER "\"}]}");

    g_auto(SyncdFileChangesReader) reader;
    SyncdFileChange change;
    syncd_file_changes_read(&reader, checked(text->str));
    g_assert_true(syncd_file_changes_next(&reader, &change));
    assert_bytes(change.object, SYNCD_BYTES_TEXT(FOLDER));
    g_assert_cmpint(change.kind, ==, 0);
}

static void what_nobody_would_write_is_passed_over_and_counted(void)
{
#define FILE_IN(more) "{\"folder\":\"" FOLDER "\",\"kind\":\"file\"," more "}"
    static const char *const items[] = {
        "1",
        "[]",
        "{}",
        "{\"folder\":\"\"}",
        "{\"object\":1}",
        FILE_IN("\"name\":\"\""),
        FILE_IN("\"name\":\".\""),
        FILE_IN("\"name\":\"..\""),
        FILE_IN("\"name\":\"a/b\""),
        FILE_IN("\"name\":\"a\\u0000b\""),
        FILE_IN("\"name\":1"),
        FILE_IN("\"name\":\"a\",\"mode\":4096"),
        FILE_IN("\"name\":\"a\",\"mode\":-1"),
        FILE_IN("\"name\":\"a\",\"size\":-1"),
        FILE_IN("\"name\":\"a\",\"size\":18446744073709551615"),
        FILE_IN("\"name\":\"a\",\"sha256\":\"00\""),
        FILE_IN("\"name\":\"a\",\"mtime\":\"now\""),
        "{\"folder\":\"" FOLDER "\",\"kind\":\"socket\",\"name\":\"a\"}",
        "{\"folder\":\"\",\"kind\":\"file\",\"name\":\"\"}",
        "{\"folder\":\"\",\"kind\":\"folder\",\"name\":\"a\"}",
        "{\"kind\":\"file\",\"name\":\"a\"}",
    };
    g_autofree char *long_name = g_strnfill(SYNCD_FILE_NAME_MAX + 1, 'n');
    g_autofree char *too_long = g_strdup_printf(FILE_IN("\"name\":\"%s\""), long_name);
    for (size_t i = 0; i <= G_N_ELEMENTS(items); i++) {
        const char *item = i < G_N_ELEMENTS(items) ? items[i] : too_long;
        g_autofree char *text =
            g_strdup_printf("{\"files\":[%s," FILE_IN("\"name\":\"good\",\"later\":{}") "]}", item);
        g_auto(SyncdFileChangesReader) reader;
        SyncdFileChange change;
        syncd_file_changes_read(&reader, checked(text));
        g_assert_true(syncd_file_changes_next(&reader, &change));
        g_assert_cmpuint(reader.number, ==, 1);
        assert_bytes(change.name, SYNCD_BYTES_TEXT("good"));
        g_assert_false(syncd_file_changes_next(&reader, &change));
    }
}

static void an_id_names_the_operation_and_the_number(void)
{
    char id[SYNCD_FILE_ID_SIZE], operation[SYNCD_FILE_ID_SIZE];
    guint number;
    const guint numbers[] = {0, 1, 10, 4095};
    for (size_t i = 0; i < G_N_ELEMENTS(numbers); i++) {
        syncd_file_id(SYNCD_BYTES_TEXT(OPERATION), numbers[i], id);
        g_assert_true(syncd_file_id_parse(SYNCD_BYTES_TEXT(id), operation, &number));
        g_assert_cmpstr(operation, ==, OPERATION);
        g_assert_cmpuint(number, ==, numbers[i]);
    }
    static const char *const others[] = {
        "",
        "file-",
        "note-1",
        FOLDER "0",
        "file-0123456789abcdefghjkmnpqrs-",
        "file-0123456789abcdefghjkmnpqrs-4096",
        "file-0123456789abcdefghjkmnpqrs-01",
        "file-0123456789abcdefghjkmnpqrs-1x",
        "file-0123456789abcdefghjkmnpqrs-99999",
        "file-0123456789abcdefghjkmnpqr-1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        g_assert_false(syncd_file_id_parse(SYNCD_BYTES_TEXT(others[i]), operation, &number));
}

/* ---- content ---- */

static void read_one(const char *item, bool good)
{
    g_autofree char *text = g_strdup_printf("{\"found\":\"scan\",\"files\":[{\"folder\":\"" FOLDER
                                            "\",\"name\":\"a\",\"kind\":\"file\","
                                            "\"mode\":1,\"mtime\":1,%s}]}",
                                            item);
    g_auto(SyncdFileChangesReader) reader;
    SyncdFileChange change;
    syncd_file_changes_read(&reader, checked(text));
    g_assert_cmpint(syncd_file_changes_next(&reader, &change), ==, good);
}

#define DIGITS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HASHED "\"sha256\":\"" DIGITS "\","

static void content_is_what_a_file_can_have(void)
{
    read_one(HASHED "\"size\":0,\"chunks\":[]", true);
    read_one(HASHED "\"size\":1,\"chunks\":[\"" DIGITS "\"]", true);
    read_one(HASHED "\"size\":1048537,\"chunks\":[\"" DIGITS "\",\"" DIGITS "\"]", true);
    read_one(HASHED "\"size\":1,\"dropped\":[{\"version\":1,\"chunks\":[\"" DIGITS "\"]}]", true);
    read_one(HASHED "\"size\":1,\"unkept\":\"size\"", true);
    read_one(HASHED "\"size\":1,\"chunks\":[]", false);
    read_one(HASHED "\"size\":0,\"chunks\":[\"" DIGITS "\"]", false);
    read_one(HASHED "\"size\":1,\"chunks\":\"" DIGITS "\"", false);
    read_one(HASHED "\"size\":1,\"chunks\":[1]", false);
    read_one(HASHED "\"size\":1,\"chunks\":[\"abc\"]", false);
    read_one(HASHED "\"size\":9000000000000,\"chunks\":[]", false);
    read_one("\"size\":1,\"chunks\":[\"" DIGITS "\"]", false);
    read_one(HASHED "\"size\":1,\"dropped\":{}", false);
    read_one(HASHED "\"size\":1,\"dropped\":[1]", false);
    read_one(HASHED "\"size\":1,\"dropped\":[{\"version\":0,\"chunks\":[]}]", false);
    read_one(HASHED "\"size\":1,\"dropped\":[{\"version\":1}]", false);
}

static void content_that_is_written_is_read(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    SyncdHash names[2] = {syncd_hash("a", 1), syncd_hash("b", 1)};
    SyncdFileChangesWriter writer;
    SyncdFileChange change = {
        .object = SYNCD_BYTES_TEXT(FOLDER),
        .folder = SYNCD_BYTES_TEXT(FOLDER),
        .name = SYNCD_BYTES_TEXT("a"),
        .kind = SYNCD_FILE_REGULAR,
        .size = SYNCD_FILE_CHUNK + 1,
        .hashed = true,
        .content = {.kept = true, .chunks = SYNCD_BYTES(names, sizeof names), .dropped = dropped},
        .restored_from = SYNCD_BYTES_TEXT(FOLDER),
        .restored_version = 3};
    syncd_file_dropped_add(dropped, 7, SYNCD_BYTES(&names[1], sizeof names[1]));
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_RESTORE);
    syncd_file_changes_add(&writer, &change);
    syncd_file_changes_end(&writer);

    g_auto(SyncdFileChangesReader) reader;
    SyncdFileChange found;
    syncd_file_changes_read(&reader, checked(text->str));
    g_assert_true(syncd_file_changes_next(&reader, &found));
    g_assert_true(found.content.kept);
    assert_bytes(found.content.chunks, SYNCD_BYTES(names, sizeof names));
    g_assert_cmpuint(found.content.dropped->len, ==, 1);
    const SyncdFileDropped *one = &g_array_index(found.content.dropped, SyncdFileDropped, 0);
    g_assert_cmpuint(one->version, ==, 7);
    g_assert_cmpmem(g_bytes_get_data(one->chunks, NULL), g_bytes_get_size(one->chunks), &names[1],
                    sizeof names[1]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/file-changes/what-is-written-is-read", what_is_written_is_read);
    g_test_add_func("/file-changes/of-what-is-gone-only-the-id-is-said",
                    of_what_is_gone_only_the_id_is_said);
    g_test_add_func("/file-changes/what-nobody-would-write-is-passed-over-and-counted",
                    what_nobody_would_write_is_passed_over_and_counted);
    g_test_add_func("/file-changes/an-id-names-the-operation-and-the-number",
                    an_id_names_the_operation_and_the_number);
    g_test_add_func("/file-changes/content-is-what-a-file-can-have",
                    content_is_what_a_file_can_have);
    g_test_add_func("/file-changes/content-that-is-written-is-read",
                    content_that_is_written_is_read);
    return g_test_run();
}
