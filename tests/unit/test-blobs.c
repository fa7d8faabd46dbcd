/*
 * Large content comes back byte for byte from its chunks, or not at all.
 */
#include "store-fixture.h"
#include "store/blobs.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct {
    Fixture f;
    SyncdDirectory *directory;
    SyncdSealKey *key;
} Place;

static void place_init(Place *p)
{
    g_autoptr(GError) error = NULL;
    static const guint8 bytes[SYNCD_SEAL_KEY_SIZE] = {7};
    fixture_init(&p->f, 71);
    p->directory = syncd_directory_open(p->f.directory, SYNCD_DIRECTORY_CREATE, &error);
    p->key = syncd_seal_key_new(bytes, &error);
    g_assert_no_error(error);
}

static void place_clear(Place *p)
{
    syncd_seal_key_free(p->key);
    syncd_directory_free(p->directory);
    fixture_clear(&p->f);
}

static char *content_of(Place *p, size_t size)
{
    char *content = g_malloc(size + 1);
    for (size_t i = 0; i < size; i++)
        content[i] = (char)fixture_next(&p->f);
    return content;
}

static GString *put(Place *p, const SyncdSealKey *key, const char *content, size_t size)
{
    g_autoptr(GError) error = NULL;
    GString *list = g_string_new(NULL);
    syncd_blobs_put(p->directory, "scope-a", key, &p->f.sources, SYNCD_BYTES(content, size), list,
                    &error);
    g_assert_no_error(error);
    return list;
}

static char *get(Place *p, const SyncdSealKey *key, const char *list, size_t *ret_size,
                 GError **error)
{
    return syncd_blobs_get(p->directory, "scope-a", key, SYNCD_BYTES_TEXT(list), 16 << 20, ret_size,
                           error);
}

static void assert_refused(Place *p, const SyncdSealKey *key, const char *list, SyncdErrorCode code)
{
    g_autoptr(GError) error = NULL;
    size_t size;
    g_assert_null(get(p, key, list, &size, &error));
    g_assert_error(error, SYNCD_ERROR, (int)code);
}

/* The name of the n-th chunk of a list. */
static char *name_in(const GString *list, unsigned n)
{
    const char *at = list->str;
    for (unsigned i = 0; i <= n; i++)
        at = strstr(at, "\"name\":\"") + strlen("\"name\":\"");
    return g_strndup(at, 64);
}

static char *path_of(Place *p, const char *name)
{
    g_autofree char *folder = g_strndup(name, 2);
    return g_build_filename(p->f.directory, "blobs", folder, name, NULL);
}

static guint count_chunks(const char *path)
{
    guint n = 0;
    const char *name;
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        n += g_file_test(child, G_FILE_TEST_IS_DIR) ? count_chunks(child) : 1;
    }
    return n;
}

static guint stored(Place *p)
{
    g_autofree char *path = g_build_filename(p->f.directory, "blobs", NULL);
    return count_chunks(path);
}

static void every_size_comes_back(void)
{
    static const size_t sizes[] = {
        0,
        1,
        65537,
        SYNCD_CHUNK_CONTENT - 1,
        SYNCD_CHUNK_CONTENT,
        SYNCD_CHUNK_CONTENT + 1,
        2 * SYNCD_CHUNK_CONTENT,
        2 * SYNCD_CHUNK_CONTENT + 1,
    };
    Place p;
    place_init(&p);
    g_assert_cmpuint(SYNCD_CHUNK_CONTENT, ==, 1048536); /* docs/format.md 4.3 */
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        for (int open = 0; open < 2; open++) {
            const SyncdSealKey *key = open ? NULL : p.key;
            g_autoptr(GError) error = NULL;
            g_autofree char *content = content_of(&p, sizes[i]);
            guint before = stored(&p);
            g_autoptr(GString) list = put(&p, key, content, sizes[i]);
            size_t expected = (sizes[i] + SYNCD_CHUNK_CONTENT - 1) / SYNCD_CHUNK_CONTENT;
            g_assert_cmpuint(stored(&p) - before, ==, expected);

            size_t size = 1;
            g_autofree char *back = get(&p, key, list->str, &size, &error);
            g_assert_no_error(error);
            g_assert_cmpmem(back, size, content, sizes[i]);
            g_assert_cmpint(back[size], ==, '\0');
            if (sizes[i] > 0)
                g_assert_null(syncd_blobs_get(p.directory, "scope-a", key,
                                              SYNCD_BYTES(list->str, list->len), sizes[i] - 1,
                                              &size, NULL));
        }
    }
    place_clear(&p);
}

static void chunks_are_private_and_tell_nothing(void)
{
    Place p;
    place_init(&p);
    g_autofree char *content = g_strnfill(100000, 'x');
    g_autoptr(GString) list = put(&p, p.key, content, 100000);
    g_autofree char *name = name_in(list, 0), *path = path_of(&p, name), *file = NULL;
    size_t size;
    struct stat st;
    g_assert_true(g_file_get_contents(path, &file, &size, NULL));
    g_assert_cmpuint(size, ==, 100000 + SYNCD_SEAL_OVERHEAD);
    g_assert_null(memmem(file, size, "xxxxxxxx", 8));
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmpint(st.st_mode & 0777, ==, 0600);
    place_clear(&p);
}

static void equal_content_is_stored_once_in_a_sealed_scope(void)
{
    Place p;
    place_init(&p);
    g_autofree char *content = content_of(&p, 70000);
    g_autoptr(GString) first = put(&p, p.key, content, 70000);
    g_autoptr(GString) second = put(&p, p.key, content, 70000);
    g_assert_cmpstr(first->str, ==, second->str);
    g_assert_cmpuint(stored(&p), ==, 1);

    /* In a public scope nonces are random. */
    g_autoptr(GString) open = put(&p, NULL, content, 70000);
    g_autoptr(GString) again = put(&p, NULL, content, 70000);
    g_assert_cmpstr(open->str, !=, again->str);
    g_assert_cmpuint(stored(&p), ==, 3);

    /* One that was damaged since is put right by storing the same again. */
    g_autofree char *name = name_in(first, 0), *path = path_of(&p, name);
    g_assert_true(g_file_set_contents(path, "damaged", -1, NULL));
    assert_refused(&p, p.key, first->str, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_autoptr(GString) third = put(&p, p.key, content, 70000);
    size_t size;
    g_autofree char *back = get(&p, p.key, third->str, &size, NULL);
    g_assert_cmpmem(back, size, content, 70000);
    g_assert_cmpstr(third->str, ==, first->str);
    place_clear(&p);
}

static void another_key_or_scope_opens_nothing(void)
{
    static const guint8 other_bytes[SYNCD_SEAL_KEY_SIZE] = {8};
    Place p;
    size_t size;
    g_autoptr(GError) error = NULL;
    place_init(&p);
    g_autoptr(SyncdSealKey) other = syncd_seal_key_new(other_bytes, NULL);
    g_autofree char *content = content_of(&p, 70000);
    g_autoptr(GString) list = put(&p, p.key, content, 70000);
    assert_refused(&p, other, list->str, SYNCD_ERROR_JOURNAL_CORRUPT);
    assert_refused(&p, NULL, list->str, SYNCD_ERROR_JOURNAL_CORRUPT);
    g_assert_null(syncd_blobs_get(p.directory, "scope-b", p.key, SYNCD_BYTES(list->str, list->len),
                                  16 << 20, &size, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);
    place_clear(&p);
}

static void a_damaged_chunk_is_told(void)
{
    for (int open = 0; open < 2; open++) {
        Place p;
        place_init(&p);
        const SyncdSealKey *key = open ? NULL : p.key;
        size_t total = 2 * SYNCD_CHUNK_CONTENT + 5;
        g_autofree char *content = content_of(&p, total);
        g_autoptr(GString) list = put(&p, key, content, total);
        g_autofree char *name = name_in(list, 1), *path = path_of(&p, name), *file = NULL,
                        *first = name_in(list, 0), *first_path = path_of(&p, first), *other = NULL;
        size_t size, other_size;
        g_assert_true(g_file_get_contents(path, &file, &size, NULL));
        g_assert_true(g_file_get_contents(first_path, &other, &other_size, NULL));

        file[size / 2] ^= 1;
        g_assert_true(g_file_set_contents(path, file, (gssize)size, NULL));
        assert_refused(&p, key, list->str, SYNCD_ERROR_JOURNAL_CORRUPT);
        file[size / 2] ^= 1;
        g_assert_true(g_file_set_contents(path, file, (gssize)size - 1, NULL));
        assert_refused(&p, key, list->str, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_assert_true(g_file_set_contents(path, other, (gssize)other_size, NULL)); /* swapped */
        assert_refused(&p, key, list->str, SYNCD_ERROR_JOURNAL_CORRUPT);
        g_assert_cmpint(unlink(path), ==, 0);
        assert_refused(&p, key, list->str, SYNCD_ERROR_NOT_FOUND);
        g_assert_true(g_file_set_contents(path, file, (gssize)size, NULL));
        g_autofree char *back = get(&p, key, list->str, &size, NULL);
        g_assert_cmpmem(back, size, content, total);
        place_clear(&p);
    }
}

static char *replace(const char *text, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(text, from, 2);
    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    return g_strjoinv(to, parts);
}

static void a_damaged_list_is_told(void)
{
    Place p;
    place_init(&p);
    g_autofree char *content = content_of(&p, SYNCD_CHUNK_CONTENT + 5);
    g_autoptr(GString) list = put(&p, NULL, content, SYNCD_CHUNK_CONTENT + 5);
    g_autofree char *first = name_in(list, 0), *second = name_in(list, 1);
    const struct {
        const char *from, *to;
    } edits[] = {
        {"\"size\":1048541}", "\"size\":1048540}"},
        {"\"size\":1048541}", "\"size\":-1}"},
        {"\"size\":1048541}", "\"size\":99999999999999999999}"},
        {"\"size\":1048541}", "\"other\":1}"},
        {"\"size\":29", "\"size\":30"},
        {"\"size\":29", "\"size\":\"29\""},
        {"\"digest\":\"sha256:", "\"digest\":\"sha256:0"},
        {"\"chunks\"", "\"pieces\""},
        {first, second}, /* one twice */
        {first, "../../../../../../../../etc/passwd"},
        {"\"name\"", "\"path\""},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(edits); i++) {
        g_autofree char *edited = replace(list->str, edits[i].from, edits[i].to);
        g_test_message("%s", edited);
        assert_refused(&p, NULL, edited, SYNCD_ERROR_JOURNAL_CORRUPT);
    }
    g_autoptr(GError) error = NULL;
    size_t size;
    g_assert_null(get(&p, NULL, "no list", &size, &error));
    g_assert_nonnull(error);
    place_clear(&p);
}

/* Of nothing, every list without chunks would be a list. */
static void a_list_without_chunks_is_none(void)
{
#define OF_NOTHING                                                                                 \
    "\"digest\":\"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\","      \
    "\"size\":0}"
    Place p;
    place_init(&p);
    size_t size;
    g_autofree char *content = get(&p, p.key, "{\"chunks\":[]," OF_NOTHING, &size, NULL);
    g_assert_cmpstr(content, ==, "");
    assert_refused(&p, p.key, "{" OF_NOTHING, SYNCD_ERROR_JOURNAL_CORRUPT);
    assert_refused(&p, p.key, "{\"chunks\":{}," OF_NOTHING, SYNCD_ERROR_JOURNAL_CORRUPT);
    place_clear(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/blobs/every-size-comes-back", every_size_comes_back);
    g_test_add_func("/blobs/chunks-are-private-and-tell-nothing",
                    chunks_are_private_and_tell_nothing);
    g_test_add_func("/blobs/equal-content-is-stored-once-in-a-sealed-scope",
                    equal_content_is_stored_once_in_a_sealed_scope);
    g_test_add_func("/blobs/another-key-or-scope-opens-nothing",
                    another_key_or_scope_opens_nothing);
    g_test_add_func("/blobs/a-damaged-chunk-is-told", a_damaged_chunk_is_told);
    g_test_add_func("/blobs/a-damaged-list-is-told", a_damaged_list_is_told);
    g_test_add_func("/blobs/a-list-without-chunks-is-none", a_list_without_chunks_is_none);
    return g_test_run();
}
