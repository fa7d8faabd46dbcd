/*
 * Files in the index: what entries say of them is what is found, and the same after a rebuild.
 */
#include "base/id.h"
#include "crypto/seal.h"
#include "hurried.h"
#include "index-dump.h"
#include "store/files.h"
#include "store/store-private.h"

typedef struct {
    Fixture base;
    GString *text;
    SyncdFileChangesWriter writer;
    char *scope;
} Files;

static void init(Files *f)
{
    g_autoptr(GError) error = NULL;
    SyncdScope *scope = NULL;
    *f = (Files){.text = g_string_new(NULL)};
    fixture_init(&f->base, 7);
    fixture_open(&f->base);
    syncd_store_open_scope(f->base.store, "workspace", "notes", "actor-test", &scope, &error);
    g_assert_no_error(error);
    f->scope = g_strdup(scope->id);
    syncd_scope_free(scope);
}

static void clear(Files *f)
{
    fixture_clear(&f->base);
    g_string_free(f->text, TRUE);
    g_free(f->scope);
}

static void begin(Files *f)
{
    g_string_truncate(f->text, 0);
    syncd_file_changes_begin(&f->writer, f->text, SYNCD_FOUND_SCAN);
}

static void add(Files *f, const char *object, const char *folder, const char *name,
                SyncdFileKind kind, const char *content)
{
    SyncdFileChange change = {
        .object = object != NULL ? SYNCD_BYTES_TEXT(object) : (SyncdBytes){NULL},
        .folder = SYNCD_BYTES_TEXT(folder),
        .name = SYNCD_BYTES_TEXT(name),
        .kind = kind,
        .mode = 0644,
        .size = strlen(content),
        .mtime = 5,
        .hashed = kind == SYNCD_FILE_REGULAR,
        .hash = syncd_hash(content, strlen(content)),
    };
    syncd_file_changes_add(&f->writer, &change);
}

/* Appends the document; the operation's id goes to `ret_operation`, where one is wanted. */
static guint64 append_to(Files *f, const char *scope, const char *kind, char **ret_operation)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReceipt) receipt = {0};
    syncd_file_changes_end(&f->writer);
    SyncdDraft draft = {
        .kind = kind,
        .actor = "actor-test",
        .op = ret_operation != NULL ? *ret_operation : NULL,
        .object = "",
        .decision = "",
        .engine = "workspace",
        .lane = "normal",
        .schema_id = SYNCD_FILES_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(f->text->str, f->text->len),
    };
    syncd_store_append(f->base.store, scope, &draft, &receipt, &error);
    g_assert_no_error(error);
    return receipt.pos;
}

static guint64 append(Files *f, const char *kind)
{
    guint64 pos = append_to(f, f->scope, kind, NULL);
    fixture_commit(&f->base);
    return pos;
}

static char *id_of(Files *f, guint64 file)
{
    g_autoptr(GError) error = NULL;
    char id[SYNCD_FILE_ID_SIZE];
    guint64 back;
    syncd_store_file_id(f->base.store, file, id, &error);
    g_assert_no_error(error);
    syncd_store_find_file_id(f->base.store, id, &back, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(back, ==, file);
    return g_strdup(id);
}

static SyncdFileRow row_of(Files *f, guint64 file)
{
    g_autoptr(GError) error = NULL;
    SyncdFileRow row;
    bool found;
    syncd_store_find_file(f->base.store, file, &row, &found, &error);
    g_assert_no_error(error);
    g_assert_true(found);
    return row;
}

static bool add_name(void *data, const SyncdFileRow *row)
{
    g_string_append_printf(data, "%.*s ", (int)row->name_size, row->name);
    return true;
}

/* One after the other is the same as all at once. */
static void assert_steps(Files *f, guint64 folder, const char *names)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    SyncdFileRow row = {0};
    bool more = true;
    while (more) {
        char after[SYNCD_FILE_NAME_MAX];
        size_t size = row.name_size;
        memcpy(after, row.name, size);
        syncd_store_next_file_in(f->base.store, folder, SYNCD_BYTES(after, size), &row, &more,
                                 &error);
        g_assert_no_error(error);
        if (more)
            add_name(found, &row);
    }
    g_assert_cmpstr(found->str, ==, names);
}

static void assert_counts(Files *f, guint64 files, guint64 folders, guint64 size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GHashTable) counts = NULL;
    syncd_store_count_files(f->base.store, &counts, &error);
    g_assert_no_error(error);
    const SyncdFileCounts *of_scope = g_hash_table_lookup(counts, f->scope);
    g_assert_nonnull(of_scope);
    g_assert_cmpuint(of_scope->files, ==, files);
    g_assert_cmpuint(of_scope->folders, ==, folders);
    g_assert_cmpuint(of_scope->symlinks, ==, 0);
    g_assert_cmpuint(of_scope->size, ==, size);
}

static void assert_folder(Files *f, guint64 folder, const char *names)
{
    assert_steps(f, folder, names);
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) found = g_string_new(NULL);
    syncd_store_walk_folder(f->base.store, folder, add_name, found, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(found->str, ==, names);
}

static guint64 root_of(Files *f, bool *ret_found)
{
    g_autoptr(GError) error = NULL;
    SyncdFileRow row = {0};
    syncd_store_find_workspace_folder(f->base.store, f->scope, &row, ret_found, &error);
    g_assert_no_error(error);
    return row.id;
}

/* A workspace with a folder and three files: b and a beneath it, c in the folder. */
typedef struct {
    guint64 root, a, b, folder, c;
    char *root_id;
} Tree;

static Tree make_tree(Files *f)
{
    Tree tree;
    begin(f);
    add(f, NULL, "", "", SYNCD_FILE_FOLDER, "");
    guint64 pos = append(f, "object.created");
    tree.root = syncd_file_place(pos, 0);
    tree.root_id = id_of(f, tree.root);

    /* What one document makes, the same one may put things into. */
    g_autofree char *operation = syncd_id_new(&f->base.sources, "op");
    char folder_id[SYNCD_FILE_ID_SIZE];
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 2, folder_id);
    begin(f);
    add(f, NULL, tree.root_id, "b", SYNCD_FILE_REGULAR, "bee");
    add(f, NULL, tree.root_id, "a", SYNCD_FILE_REGULAR, "");
    add(f, NULL, tree.root_id, "folder", SYNCD_FILE_FOLDER, "");
    add(f, NULL, folder_id, "c", SYNCD_FILE_REGULAR, "sea");
    pos = append_to(f, f->scope, "object.created", &operation);
    fixture_commit(&f->base);
    tree.b = syncd_file_place(pos, 0);
    tree.a = syncd_file_place(pos, 1);
    tree.folder = syncd_file_place(pos, 2);
    tree.c = syncd_file_place(pos, 3);
    return tree;
}

static void what_was_made_is_found(void)
{
    Files f;
    bool found;
    init(&f);
    fixture_commit(&f.base);
    root_of(&f, &found);
    g_assert_false(found);

    Tree tree = make_tree(&f);
    g_assert_cmpuint(root_of(&f, &found), ==, tree.root);
    g_assert_true(found);
    assert_folder(&f, tree.root, "a b folder ");
    assert_folder(&f, tree.folder, "c ");
    assert_counts(&f, 3, 1, 6);
    SyncdFileRow row = row_of(&f, tree.b);
    SyncdHash hash = syncd_hash("bee", 3);
    g_assert_true(row.live && row.hashed && syncd_hash_equal(&row.hash, &hash));
    g_assert_cmpuint(row.size, ==, 3);
    g_assert_cmpuint(row.version, ==, 1);
    g_assert_cmpuint(row.changed, ==, tree.b);
    g_assert_false(row.seen);
    g_free(tree.root_id);
    clear(&f);
}

static void another_version_is_other_content(void)
{
    Files f;
    init(&f);
    Tree tree = make_tree(&f);
    g_autofree char *b = id_of(&f, tree.b), *folder = id_of(&f, tree.folder);
    begin(&f);
    add(&f, b, folder, "moved", SYNCD_FILE_REGULAR, "bee");
    guint64 pos = append(&f, "object.changed");
    SyncdFileRow row = row_of(&f, tree.b);
    g_assert_cmpuint(row.version, ==, 1);
    g_assert_cmpuint(row.changed, ==, syncd_file_place(pos, 0));
    assert_folder(&f, tree.root, "a folder ");
    assert_folder(&f, tree.folder, "c moved ");

    begin(&f);
    add(&f, b, folder, "moved", SYNCD_FILE_REGULAR, "other");
    append(&f, "object.changed");
    g_assert_cmpuint(row_of(&f, tree.b).version, ==, 2);

    begin(&f);
    syncd_file_changes_add_deleted(&f.writer, b);
    append(&f, "object.deleted");
    g_assert_false(row_of(&f, tree.b).live);
    assert_folder(&f, tree.folder, "c ");
    assert_counts(&f, 2, 1, 3);
    g_free(tree.root_id);
    clear(&f);
}

static void a_swap_is_one_document(void)
{
    Files f;
    init(&f);
    Tree tree = make_tree(&f);
    g_autofree char *a = id_of(&f, tree.a), *b = id_of(&f, tree.b);
    begin(&f);
    add(&f, a, tree.root_id, "b", SYNCD_FILE_REGULAR, "");
    add(&f, b, tree.root_id, "a", SYNCD_FILE_REGULAR, "bee");
    append(&f, "object.changed");
    assert_folder(&f, tree.root, "a b folder ");
    g_assert_cmpstr(row_of(&f, tree.a).name, ==, "b");
    g_free(tree.root_id);
    clear(&f);
}

static void no_folder_lies_in_itself(void)
{
    Files f;
    init(&f);
    Tree tree = make_tree(&f);
    g_autofree char *folder = id_of(&f, tree.folder), *inner = NULL;
    begin(&f);
    add(&f, NULL, folder, "inner", SYNCD_FILE_FOLDER, "");
    inner = id_of(&f, syncd_file_place(append(&f, "object.created"), 0));
    const char *const places[] = {folder, inner};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        begin(&f);
        add(&f, folder, places[i], "folder", SYNCD_FILE_FOLDER, "");
        append(&f, "object.changed");
        assert_folder(&f, tree.root, "a b folder ");
        assert_folder(&f, tree.folder, "c inner ");
    }
    g_free(tree.root_id);
    clear(&f);
}

static void what_does_not_fit_does_nothing(void)
{
    Files f;
    g_autoptr(GError) error = NULL;
    SyncdScope *other = NULL;
    init(&f);
    Tree tree = make_tree(&f);
    syncd_store_open_scope(f.base.store, "workspace", "other", "actor-test", &other, &error);
    g_assert_no_error(error);
    g_autofree char *b = id_of(&f, tree.b), *a = id_of(&f, tree.a);
    g_autofree char *nowhere = syncd_id_new(&f.base.sources, "file");
    static const char *const kinds[] = {"object.created", "object.changed", "object.deleted"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        begin(&f);
        add(&f, NULL, a, "in-a-file", SYNCD_FILE_REGULAR, "");
        add(&f, NULL, nowhere, "nowhere", SYNCD_FILE_REGULAR, "");
        add(&f, b, a, "in-a-file", SYNCD_FILE_REGULAR, "");
        add(&f, nowhere, tree.root_id, "nobody", SYNCD_FILE_REGULAR, "");
        syncd_file_changes_add_deleted(&f.writer, nowhere);
        append(&f, kinds[i]);
        /* Of another workspace. */
        begin(&f);
        add(&f, NULL, tree.root_id, "stranger", SYNCD_FILE_REGULAR, "");
        add(&f, b, tree.root_id, "stranger", SYNCD_FILE_REGULAR, "");
        syncd_file_changes_add_deleted(&f.writer, b);
        append_to(&f, other->id, kinds[i], NULL);
        fixture_commit(&f.base);
    }
    assert_folder(&f, tree.root, "a b folder ");
    assert_folder(&f, tree.a, "");
    fixture_assert_sound(&f.base);
    assert_index_adds_up(f.base.store);
    syncd_scope_free(other);
    g_free(tree.root_id);
    clear(&f);
}

static void a_rebuild_gives_the_same_rows(void)
{
    Files f;
    g_autoptr(GError) error = NULL;
    init(&f);
    Tree tree = make_tree(&f);
    g_autofree char *b = id_of(&f, tree.b), *c = id_of(&f, tree.c);
    begin(&f);
    add(&f, b, tree.root_id, "bb", SYNCD_FILE_REGULAR, "more");
    append(&f, "object.changed");
    begin(&f);
    syncd_file_changes_add_deleted(&f.writer, c);
    append(&f, "object.deleted");
    syncd_store_settle(f.base.store, &error);
    g_assert_no_error(error);
    assert_index_adds_up(f.base.store);
    fixture_close(&f.base);
    g_autofree char *before = dump_index(f.base.directory);
    remove_index(&f.base);
    fixture_open(&f.base);
    fixture_close(&f.base);
    g_autofree char *after = dump_index(f.base.directory);
    g_assert_cmpstr(before, ==, after);
    g_free(tree.root_id);
    clear(&f);
}

static void a_sighting_counts_from_its_entry_on(void)
{
    Files f;
    const SyncdFileSeen first = {1, 2, 3, 4, 5}, second = {1, 2, 30, 40, 50};
    init(&f);
    Tree tree = make_tree(&f);
    g_autofree char *b = id_of(&f, tree.b);
    syncd_store_see_file(f.base.store, tree.b, 0, &first);
    while (syncd_store_work(f.base.store))
        ;
    SyncdFileRow row = row_of(&f, tree.b);
    g_assert_true(row.seen);
    g_assert_cmpmem(&row.at_sight, sizeof first, &first, sizeof first);

    /* The entry is taken back, and with it what was seen. */
    begin(&f);
    add(&f, b, tree.root_id, "b", SYNCD_FILE_REGULAR, "new");
    guint64 pos = append_to(&f, f.scope, "object.changed", NULL);
    syncd_store_see_file(f.base.store, tree.b, pos, &second);
    while (syncd_store_work(f.base.store))
        ;
    syncd_store_discard(f.base.store);
    fixture_fill(&f.base, 3);
    while (syncd_store_work(f.base.store))
        ;
    row = row_of(&f, tree.b);
    g_assert_cmpmem(&row.at_sight, sizeof first, &first, sizeof first);

    begin(&f);
    add(&f, b, tree.root_id, "b", SYNCD_FILE_REGULAR, "new");
    pos = append_to(&f, f.scope, "object.changed", NULL);
    syncd_store_see_file(f.base.store, tree.b, pos, &second);
    fixture_commit(&f.base);
    row = row_of(&f, tree.b);
    g_assert_cmpmem(&row.at_sight, sizeof second, &second, sizeof second);
    g_free(tree.root_id);
    clear(&f);
}

static SyncdFileSeen seen_of(Files *f, guint64 file)
{
    SyncdFileRow row = row_of(f, file);
    g_assert_true(row.seen);
    return row.at_sight;
}

static void assert_seen(Files *f, guint64 file, guint64 inode)
{
    SyncdFileSeen seen = seen_of(f, file);
    g_assert_cmpuint(seen.inode, ==, inode);
}

static void see(Files *f, guint64 file, guint64 inode)
{
    const SyncdFileSeen seen = {1, inode, 3, 4, 5};
    syncd_store_see_file(f->base.store, file, 0, &seen);
    while (syncd_store_work(f->base.store))
        continue;
}

/* Also what is seen while it is made, before or after the rest was carried over. */
static void sightings_outlast_an_index_that_is_made_anew(void)
{
    guint steps = 1;
    for (guint when = 0; when < steps; when += is_hurried() ? 5 : 1) {
        Files f;
        init(&f);
        Tree tree = make_tree(&f);
        fixture_fill(&f.base, 500);
        see(&f, tree.a, 10);
        see(&f, tree.b, 20);
        bool more = true;
        steps = 0;
        while (more) {
            g_autoptr(GError) error = NULL;
            if (steps++ == when) {
                see(&f, tree.b, 21);
                see(&f, tree.c, 30);
            }
            syncd_store_step_remake(f.base.store, &more, &error);
            g_assert_no_error(error);
        }
        assert_seen(&f, tree.a, 10);
        assert_seen(&f, tree.b, 21);
        assert_seen(&f, tree.c, 30);
        fixture_close(&f.base);
        fixture_open(&f.base);
        assert_seen(&f, tree.a, 10);
        g_free(tree.root_id);
        clear(&f);
    }
}

/* Of an index so long that a lookup takes several steps: nothing can be written to it between them.
 */
static void sightings_may_come_at_each_step(void)
{
    Files f;
    init(&f);
    Tree tree = make_tree(&f);
    for (guint i = 0; i < 10; i++)
        fixture_fill(&f.base, 500);
    guint64 inode = 10;
    bool more = true;
    while (more) {
        g_autoptr(GError) error = NULL;
        see(&f, tree.a, ++inode);
        syncd_store_step_remake(f.base.store, &more, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(inode, <, 1000); /* none of them ends it */
    }
    assert_seen(&f, tree.a, inode);
    g_free(tree.root_id);
    clear(&f);
}

/* A rebuild has the log alone to go by. */
static void a_rebuild_has_seen_nothing(void)
{
    Files f;
    init(&f);
    Tree tree = make_tree(&f);
    see(&f, tree.a, 10);
    fixture_close(&f.base);
    remove_index(&f.base);
    fixture_open(&f.base);
    g_assert_false(row_of(&f, tree.a).seen);
    g_free(tree.root_id);
    clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/store-files/what-was-made-is-found", what_was_made_is_found);
    g_test_add_func("/store-files/another-version-is-other-content",
                    another_version_is_other_content);
    g_test_add_func("/store-files/a-swap-is-one-document", a_swap_is_one_document);
    g_test_add_func("/store-files/no-folder-lies-in-itself", no_folder_lies_in_itself);
    g_test_add_func("/store-files/what-does-not-fit-does-nothing", what_does_not_fit_does_nothing);
    g_test_add_func("/store-files/a-rebuild-gives-the-same-rows", a_rebuild_gives_the_same_rows);
    g_test_add_func("/store-files/a-sighting-counts-from-its-entry-on",
                    a_sighting_counts_from_its_entry_on);
    g_test_add_func("/store-files/sightings-outlast-an-index-that-is-made-anew",
                    sightings_outlast_an_index_that_is_made_anew);
    g_test_add_func("/store-files/sightings-may-come-at-each-step",
                    sightings_may_come_at_each_step);
    g_test_add_func("/store-files/a-rebuild-has-seen-nothing", a_rebuild_has_seen_nothing);
    return g_test_run();
}
