/*
 * What a crash left of kept content is removed once somebody opens the store again, and nothing
 * else is: neither what a version needs, nor what may be needed, nor what is being written.
 */
#include "base/id.h"
#include "crypto/seal.h"
#include "domain/file-changes.h"
#include "raw-sql.h"
#include "store-fixture.h"
#include "store/chunks.h"
#include "store/store-private.h"

#define LARGE (SYNCD_CONTENT_ROW_MAX + 7)

typedef struct {
    Fixture base;
    char *scope;
    char *folder; /* its id */
    char *file;   /* the id of a file in it */
} Kept;

static char *text_of(char first)
{
    char *text = g_strnfill(LARGE, first);
    return text;
}

static SyncdHash put(Kept *k, char first)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) row = NULL;
    g_autofree char *text = text_of(first);
    SyncdHash name;
    syncd_store_put_chunk(k->base.store, k->scope, SYNCD_BYTES(text, LARGE), false, &name, &row,
                          &error);
    g_assert_no_error(error);
    return name;
}

static char *append(Kept *k, const char *kind, const SyncdFileChange *change)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    g_auto(SyncdReceipt) receipt = {0};
    SyncdFileChangesWriter writer;
    char id[SYNCD_FILE_ID_SIZE];
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_SCAN);
    syncd_file_changes_add(&writer, change);
    syncd_file_changes_end(&writer);
    SyncdDraft draft = {
        .kind = kind,
        .actor = "actor-test",
        .object = "",
        .decision = "",
        .engine = "workspace",
        .lane = "normal",
        .schema_id = SYNCD_FILES_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(text->str, text->len),
    };
    syncd_store_append(k->base.store, k->scope, &draft, &receipt, &error);
    g_assert_no_error(error);
    fixture_commit(&k->base);
    syncd_file_id(SYNCD_BYTES_TEXT(receipt.op), 0, id);
    return g_strdup(id);
}

/* A version of the file, whose content is one chunk; with what it drops. */
static char *keep(Kept *k, const char *file, char first, const SyncdHash *name, GArray *dropped)
{
    g_autofree char *text = text_of(first);
    const SyncdFileChange change = {
        .object = file != NULL ? SYNCD_BYTES_TEXT(file) : (SyncdBytes){NULL},
        .folder = SYNCD_BYTES_TEXT(k->folder),
        .name = file == NULL || strcmp(file, k->file) == 0 ? SYNCD_BYTES_TEXT("file")
                                                           : SYNCD_BYTES_TEXT("other"),
        .kind = SYNCD_FILE_REGULAR,
        .mode = 0644,
        .size = LARGE,
        .hashed = true,
        .hash = syncd_hash(text, LARGE),
        .content = {.kept = true, .chunks = {name->bytes, sizeof name->bytes}, .dropped = dropped},
    };
    return append(k, file != NULL ? "object.changed" : "object.created", &change);
}

static void work(Kept *k)
{
    while (syncd_store_work(k->base.store))
        ;
}

static void init(Kept *k)
{
    g_autoptr(GError) error = NULL;
    SyncdScope *scope = NULL;
    const SyncdFileChange folder = {.folder = SYNCD_BYTES_TEXT(""),
                                    .name = SYNCD_BYTES_TEXT(""),
                                    .kind = SYNCD_FILE_FOLDER,
                                    .mode = 0755};
    *k = (Kept){.scope = NULL};
    fixture_init(&k->base, 11);
    fixture_open(&k->base);
    syncd_store_open_scope(k->base.store, "workspace", "notes", "actor-test", &scope, &error);
    g_assert_no_error(error);
    k->scope = g_strdup(scope->id);
    syncd_scope_free(scope);
    fixture_commit(&k->base);
    k->folder = append(k, "object.created", &folder);
    SyncdHash name = put(k, 'a');
    k->file = keep(k, NULL, 'a', &name, NULL);
    syncd_store_unpin_chunk(k->base.store, &name);
    work(k);
}

static void clear(Kept *k)
{
    fixture_clear(&k->base);
    g_free(k->scope);
    g_free(k->folder);
    g_free(k->file);
}

/* Its pins go as those of a process that is killed. */
static void open_again(Kept *k)
{
    fixture_close(&k->base);
    fixture_open(&k->base);
}

static char *path_of(Kept *k, const SyncdHash *name, const char *before, const char *after)
{
    char digits[SYNCD_HASH_HEX_SIZE];
    syncd_hash_to_hex(name, digits);
    return g_strdup_printf("%s/blobs/%.2s/%s%s.file%s", k->base.directory, digits, before, digits,
                           after);
}

static bool is_there(Kept *k, const SyncdHash *name)
{
    g_autofree char *path = path_of(k, name, "", "");
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static SyncdHash needed_by(Kept *k, const char *file)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdContentRow) row = {0};
    SyncdHash name;
    guint64 id;
    bool found;
    g_assert_true(syncd_store_find_file_id(k->base.store, file, &id, &error));
    g_assert_true(syncd_store_find_content(k->base.store, id, 100, &row, &found, &error));
    g_assert_true(found);
    memcpy(name.bytes, g_bytes_get_data(row.chunks, NULL), sizeof name.bytes);
    return name;
}

static void what_a_crash_left_is_removed(void)
{
    Kept k;
    init(&k);
    SyncdHash needed = needed_by(&k, k.file), stray = put(&k, 'b');
    g_autofree char *half = path_of(&k, &needed, ".", ".new");
    g_autofree char *foreign = g_strdup_printf("%s/blobs/note", k.base.directory);
    g_assert_true(g_file_set_contents(half, "half", -1, NULL));
    g_assert_true(g_file_set_contents(foreign, "mine", -1, NULL));
    work(&k);
    g_assert_true(is_there(&k, &stray)); /* somebody puts it at the moment */
    open_again(&k);
    g_assert_true(is_there(&k, &stray));
    work(&k);
    g_assert_false(is_there(&k, &stray));
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    g_assert_true(is_there(&k, &needed));
    g_assert_true(g_file_test(foreign, G_FILE_TEST_EXISTS));
    fixture_assert_sound(&k.base);
    clear(&k);
}

/* It is pinned again while the sweep is at it, or an entry has come that names it. */
static void what_comes_to_be_needed_stays(void)
{
    for (guint steps = 0; steps < 24; steps++) {
        Kept k;
        init(&k);
        SyncdHash stray = put(&k, 'b');
        open_again(&k);
        for (guint i = 0; i < steps; i++)
            syncd_store_work(k.base.store);
        bool was_there = is_there(&k, &stray);
        SyncdHash again = put(&k, 'b');
        g_assert_true(syncd_hash_equal(&again, &stray));
        work(&k);
        g_assert_true(is_there(&k, &stray));
        g_free(keep(&k, k.file, 'b', &stray, NULL));
        syncd_store_unpin_chunk(k.base.store, &stray);
        work(&k);
        g_assert_true(is_there(&k, &stray));
        fixture_assert_sound(&k.base);
        clear(&k);
        if (!was_there)
            return;
    }
    g_assert_not_reached(); /* it was never removed */
}

/* An index that is made without a key knows nothing of what the key opens. */
static void what_cannot_be_read_may_name_it(void)
{
    Kept k;
    init(&k);
    SyncdHash needed = needed_by(&k, k.file), stray = put(&k, 'b');
    g_autofree char *index = g_build_filename(k.base.directory, "index.db", NULL);
    g_autofree char *keys = g_build_filename(k.base.directory, "keys", NULL);
    g_autoptr(GDir) folder = g_dir_open(keys, 0, NULL);
    fixture_close(&k.base);
    g_assert_cmpint(g_remove(index), ==, 0);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *path = g_build_filename(keys, name, NULL);
        if (g_str_has_prefix(name, "scope-"))
            g_assert_cmpint(g_remove(path), ==, 0);
    }
    fixture_open(&k.base);
    work(&k);
    g_assert_true(is_there(&k, &needed));
    g_assert_true(is_there(&k, &stray));
    clear(&k);
}

static void run_on_index(Kept *k, const char *sql)
{
    g_autofree char *path = g_build_filename(k->base.directory, "index.db", NULL);
    run_raw(path, sql);
}

/* A file of such a name as content has, that nobody needs. */
static SyncdHash leave(Kept *k, guint number)
{
    SyncdHash name = syncd_hash(&number, sizeof number);
    g_autofree char *path = path_of(k, &name, "", "");
    g_autofree char *folder = g_path_get_dirname(path);
    g_mkdir(folder, 0700);
    g_assert_true(g_file_set_contents(path, "left", -1, NULL));
    return name;
}

/* How many steps it takes. */
static guint sweep(Kept *k, guint max_strays)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdSweep) it = syncd_sweep_new(k->base.store, max_strays);
    bool more = true;
    guint steps = 0;
    for (; more; steps++) {
        g_assert_true(syncd_sweep_step(it, &more, &error));
        g_assert_no_error(error);
    }
    return steps;
}

/* One of the two the log has dropped again, so that it needs that as little as the index. */
static void what_only_the_log_names_stays(void)
{
    Kept k;
    init(&k);
    SyncdHash needed = needed_by(&k, k.file), other = put(&k, 'b');
    g_autofree char *file = keep(&k, NULL, 'b', &other, NULL);
    g_autoptr(GArray) dropped = syncd_file_dropped_new();
    SyncdHash next = put(&k, 'c');
    syncd_file_dropped_add(dropped, 1, SYNCD_BYTES(other.bytes, sizeof other.bytes));
    g_free(keep(&k, file, 'c', &next, dropped));
    work(&k);
    fixture_close(&k.base);
    run_on_index(&k, "DELETE FROM content; DELETE FROM content_chunk");
    fixture_open(&k.base);
    SyncdHash again = put(&k, 'b');
    open_again(&k);
    g_assert_true(is_there(&k, &again));
    work(&k);
    g_assert_true(is_there(&k, &needed));
    g_assert_true(is_there(&k, &next));
    g_assert_false(is_there(&k, &other));
    clear(&k);
}

/* They are looked for so many at a time. */
static void however_many_were_left_all_go(void)
{
    enum { LEFT = 50 };
    for (guint max = 1; max < 100; max += 16) {
        Kept k;
        SyncdHash left[LEFT];
        init(&k);
        SyncdHash needed = needed_by(&k, k.file);
        for (guint i = 0; i < LEFT; i++)
            left[i] = leave(&k, i);
        sweep(&k, max);
        for (guint i = 0; i < LEFT; i++)
            g_assert_false(is_there(&k, &left[i]));
        g_assert_true(is_there(&k, &needed));
        clear(&k);
    }
}

/* A document that cannot be read ends it, however much was left; halves go all the same. */
static void what_cannot_be_read_is_read_once(void)
{
    enum { LEFT = 50 };
    Kept k;
    init(&k);
    SyncdHash needed = needed_by(&k, k.file), left = leave(&k, 0);
    g_autofree char *keys = g_build_filename(k.base.directory, "keys", NULL);
    guint readable = sweep(&k, 1);
    g_autoptr(GDir) folder = g_dir_open(keys, 0, NULL);
    g_assert_false(is_there(&k, &left));
    fixture_close(&k.base);
    for (const char *name; (name = g_dir_read_name(folder)) != NULL;) {
        g_autofree char *path = g_build_filename(keys, name, NULL);
        if (g_str_has_prefix(name, "scope-"))
            g_assert_cmpint(g_remove(path), ==, 0);
    }
    fixture_open(&k.base);
    for (guint i = 0; i < LEFT; i++)
        left = leave(&k, i);
    SyncdHash last = syncd_hash("last", 4);
    last.bytes[0] = 0xff;
    g_autofree char *half = path_of(&k, &last, ".", ".new");
    g_autofree char *parent = g_path_get_dirname(half);
    g_mkdir(parent, 0700);
    g_assert_true(g_file_set_contents(half, "half", -1, NULL));
    /* With one at a time, the log would be read fifty times. */
    g_assert_cmpuint(sweep(&k, 1), <=, readable + 2);
    g_assert_true(is_there(&k, &left));
    g_assert_true(is_there(&k, &needed));
    g_assert_false(g_file_test(half, G_FILE_TEST_EXISTS));
    clear(&k);
}

/* Nobody waits until many large documents were read. */
static void a_step_reads_a_bounded_part_of_the_log(void)
{
    enum { DOCUMENTS = 24, SIZE = 40 * 1024 };
    Kept k;
    init(&k);
    SyncdHash name = leave(&k, 0);
    guint before = sweep(&k, SYNCD_SWEEP_STRAYS);
    g_assert_false(is_there(&k, &name));
    g_autofree char *target = g_strnfill(SIZE, 't');
    for (guint i = 0; i < DOCUMENTS; i++) {
        const SyncdFileChange change = {
            .folder = SYNCD_BYTES_TEXT(k.folder),
            .name = SYNCD_BYTES_TEXT("link"),
            .kind = SYNCD_FILE_SYMLINK,
            .mode = 0777,
            .size = SIZE,
            .target = SYNCD_BYTES_TEXT(target),
        };
        g_free(append(&k, "object.created", &change));
    }
    work(&k);
    name = leave(&k, 0);
    g_assert_cmpuint(sweep(&k, SYNCD_SWEEP_STRAYS), >=, before + DOCUMENTS * SIZE / (320 * 1024));
    g_assert_false(is_there(&k, &name));
    clear(&k);
}

/* A file that goes back and forth between two contents, one of which another file has too. */
static void of_a_dropped_version_nothing_stays(void)
{
    Kept k;
    init(&k);
    SyncdHash names[2] = {needed_by(&k, k.file), put(&k, 'b')};
    g_free(keep(&k, NULL, 'a', &names[0], NULL));
    for (guint64 version = 2; version < 10; version++) {
        g_autoptr(GArray) dropped = syncd_file_dropped_new();
        const SyncdHash *last = &names[version % 2];
        syncd_file_dropped_add(dropped, version - 1, SYNCD_BYTES(last->bytes, sizeof last->bytes));
        g_free(keep(&k, k.file, "ba"[version % 2], &names[(version + 1) % 2], dropped));
        if (version == 2)
            syncd_store_unpin_chunk(k.base.store, &names[1]);
        work(&k);
    }
    fixture_assert_sound(&k.base);
    fixture_close(&k.base);
    g_autofree char *index = g_build_filename(k.base.directory, "index.db", NULL);
    assert_answer(index, "SELECT count(*) FROM content_chunk", "2");
    fixture_open(&k.base);
    clear(&k);
}

/* Whoever has a backup has to know of which file. */
static void expect_named(Kept *k)
{
    g_autoptr(SyncdVerify) verify = fixture_verify(&k->base, SYNCD_VERIFY_FULL, NULL);
    g_assert_cmpuint(syncd_verify_n_findings(verify), ==, 1);
    const SyncdVerifyFinding *finding = syncd_verify_findings(verify)->pdata[0];
    g_assert_cmpstr(finding->code, ==, "kept-content");
    g_assert_nonnull(strstr(finding->detail, k->file));
}

static void what_is_lost_is_named(void)
{
    Kept k;
    init(&k);
    SyncdHash name = needed_by(&k, k.file);
    g_autofree char *path = path_of(&k, &name, "", "");
    g_assert_true(g_file_set_contents(path, "other", -1, NULL));
    expect_named(&k);
    g_assert_cmpint(g_remove(path), ==, 0);
    expect_named(&k);
    clear(&k);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/sweep/what-a-crash-left-is-removed", what_a_crash_left_is_removed);
    g_test_add_func("/sweep/what-comes-to-be-needed-stays", what_comes_to_be_needed_stays);
    g_test_add_func("/sweep/what-cannot-be-read-may-name-it", what_cannot_be_read_may_name_it);
    g_test_add_func("/sweep/what-only-the-log-names-stays", what_only_the_log_names_stays);
    g_test_add_func("/sweep/however-many-were-left-all-go", however_many_were_left_all_go);
    g_test_add_func("/sweep/what-cannot-be-read-is-read-once", what_cannot_be_read_is_read_once);
    g_test_add_func("/sweep/a-step-reads-a-bounded-part-of-the-log",
                    a_step_reads_a_bounded_part_of_the_log);
    g_test_add_func("/sweep/of-a-dropped-version-nothing-stays",
                    of_a_dropped_version_nothing_stays);
    g_test_add_func("/sweep/what-is-lost-is-named", what_is_lost_is_named);
    return g_test_run();
}
