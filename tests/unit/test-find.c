/*
 * Whatever is recorded is found by its words by whoever may see it, and by nobody once it is
 * renamed, deleted, closed or purged; an index made anew finds the same.
 */
#include "index-dump.h"
#include "purge-service-fixture.h"
#include "service/files.h"
#include "service/find.h"

#define SECRET_WORD "zyxwvuts"
#define NOTES "{\"workspace_id\":\"workspace:notes\",\"profile_id\":\"profile:default\"}"

static char *find_page(ServiceFixture *f, const SyncdSearchAsked *asked, char **ret_cursor)
{
    g_autoptr(GError) error = NULL;
    char *found = syncd_service_find(f->service, &f->caller, asked, ret_cursor, &error);
    g_assert_no_error(error);
    return found;
}

/* "kind title" of each hit, separated by commas. */
static char *find(ServiceFixture *f, const char *words)
{
    const SyncdSearchAsked asked = {.words = words};
    g_autofree char *cursor = NULL, *found = find_page(f, &asked, &cursor);
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson hit;
    syncd_json_iter_init(&iter, syncd_json_root(found, strlen(found)));
    while (syncd_json_iter_next(&iter, NULL, &hit)) {
        g_autofree char *kind = syncd_json_dup_text(syncd_json_member(hit, "kind")),
                        *title = syncd_json_dup_text(syncd_json_member(hit, "title"));
        g_string_append_printf(text, "%s%s %s", text->len > 0 ? "," : "", kind, title);
    }
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void assert_found(ServiceFixture *f, const char *words, const char *expected)
{
    g_autofree char *found = find(f, words);
    g_assert_cmpstr(found, ==, expected);
}

static int refused(ServiceFixture *f, SyncdSearchAsked asked)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL,
                    *found = syncd_service_find(f->service, &f->caller, &asked, &cursor, &error);
    g_assert_null(found);
    return error->code;
}

static void put_in(ServiceFixture *f, const char *scope, const char *object, const char *lane)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.object = object;
    request.lane = lane;
    g_free(enqueue_committed(f, &request));
}

/* ---- files ---- */

static char *operation;

static void record(ServiceFixture *f, const SyncdRoot *root, const char *kind,
                   const SyncdFileChange *changes, guint n)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdFileChangesWriter writer;
    guint64 pos;
    syncd_file_changes_begin(&writer, text, SYNCD_FOUND_SCAN);
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = syncd_bytes_dup(changes[i].object);
        if (changes[i].kind == 0)
            syncd_file_changes_add_deleted(&writer, id);
        else
            syncd_file_changes_add(&writer, &changes[i]);
    }
    syncd_file_changes_end(&writer);
    const SyncdFilesDraft files = {
        .kind = kind, .operation = operation, .content = SYNCD_BYTES(text->str, text->len)};
    syncd_service_record_files(f->service, root, &files, &pos, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
}

static SyncdFileChange named(const char *id, const char *folder, const char *name,
                             SyncdFileKind kind)
{
    SyncdFileChange change = {.folder = SYNCD_BYTES_TEXT(folder),
                              .name = SYNCD_BYTES_TEXT(name),
                              .kind = kind,
                              .mode = 0644,
                              .size = 3,
                              .mtime = 5};
    if (id != NULL)
        change.object = SYNCD_BYTES_TEXT(id);
    return change;
}

static SyncdRoot *add_root(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) roots = NULL;
    g_assert_cmpint(register_record(f, "workspace", NOTES), ==, -1);
    g_assert_cmpint(register_record(f, "root",
                                    "{\"workspace_id\":\"workspace:notes\",\"directory\":"
                                    "\"/srv/notes\",\"root_state\":\"active\"}"),
                    ==, -1);
    syncd_service_list_roots(f->service, &roots, &error);
    g_assert_no_error(error);
    return g_ptr_array_steal_index(roots, 0);
}

static void next_operation(ServiceFixture *f)
{
    g_free(operation);
    operation = syncd_service_new_operation(f->service);
}

static void a_file_is_found_by_the_name_it_has(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRoot *root = add_root(&f);
    char top[SYNCD_FILE_ID_SIZE], garden[SYNCD_FILE_ID_SIZE], list[SYNCD_FILE_ID_SIZE];
    next_operation(&f);
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 0, top);
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 1, garden);
    syncd_file_id(SYNCD_BYTES_TEXT(operation), 2, list);
    const SyncdFileChange made[] = {
        named(NULL, "", "", SYNCD_FILE_FOLDER),
        named(NULL, top, "Garden", SYNCD_FILE_FOLDER),
        named(NULL, garden, "Tulip-list.txt", SYNCD_FILE_REGULAR),
        named(NULL, top,
              "bad\xff"
              "tulip",
              SYNCD_FILE_REGULAR),
    };
    record(&f, root, "object.created", made, G_N_ELEMENTS(made));
    assert_found(&f, "tulip LIST", "file Garden/Tulip-list.txt");
    assert_found(&f, "tul", "file bad\xef\xbf\xbdtulip,file Garden/Tulip-list.txt");
    assert_found(&f, "garden", "file Garden");
    assert_found(&f, "tu", "");

    next_operation(&f);
    const SyncdFileChange renamed = named(list, top, "Roses.txt", SYNCD_FILE_REGULAR);
    record(&f, root, "object.changed", &renamed, 1);
    assert_found(&f, "tulip list", "");
    assert_found(&f, "roses", "file Roses.txt");

    g_autofree char *before = NULL, *after = NULL;
    service_close(&f);
    before = dump_index(f.base.directory);
    remove_index(&f.base);
    service_open(&f);
    assert_found(&f, "roses", "file Roses.txt");
    service_close(&f);
    after = dump_index(f.base.directory);
    g_assert_cmpstr(after, ==, before);
    service_open(&f);

    next_operation(&f);
    const SyncdFileChange gone = {.object = SYNCD_BYTES_TEXT(list)};
    record(&f, root, "object.deleted", &gone, 1);
    assert_found(&f, "roses", "");
    g_clear_pointer(&operation, g_free);
    syncd_root_free(root);
    service_clear(&f);
}

/* ---- records and objects ---- */

static void records_are_found_by_what_they_say_now(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(
        register_record(&f, "actor", ACTOR("actor-x", "uid:4711", ",\"note\":\"Rhubarb\"")), ==,
        -1);
    assert_found(&f, "rhubarb", "actor A");
    g_assert_cmpint(
        update_record(&f, "actor", "actor-x", ACTOR("actor-x", "uid:4711", ",\"note\":\"Quince\"")),
        ==, -1);
    assert_found(&f, "rhubarb", "");
    assert_found(&f, "quince", "actor A");
    service_clear(&f);
}

static void an_object_is_found_by_its_id_once(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    assert_found(&f, "note", "object note-2,object note-1");
    assert_found(&f, "note 2", "object note-2");
    g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("normal")), ==, -1);
    g_assert_cmpint(register_record(&f, "object", OBJECT_OF("normal")), ==, -1);
    assert_found(&f, "note 1 nobody shall", "object note-1");
    service_clear(&f);
}

static void what_is_closed_is_not_in_the_index(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    const char *open = FILE_OF(RULE("\"lanes\":[\"secure\"]", "allow", "site_opens_secure"));
    syncd_service_set_policy(f.service, set_of(open, NULL), NULL);
    put_in(&f, "workspace:notes", SECRET_WORD "-1", "secure");
    put_in(&f, "vault:main", SECRET_WORD "-2", "normal");
    assert_found(&f, SECRET_WORD, "");
    put_in(&f, "workspace:notes", SECRET_WORD "-1", "normal");
    assert_found(&f, SECRET_WORD, "object " SECRET_WORD "-1");
    service_clear(&f);
}

static void what_policy_lets_nobody_index_is_not_shown(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_autoptr(SyncdPolicySet) closed = set_of(
        NULL,
        FILE_OF(RULE("\"actions\":[\"index\"],\"objects\":[\"note-1\"]", "deny", "no_index")));
    assert_found(&f, "note", "object note-2,object note-1");
    syncd_service_set_policy(f.service, g_steal_pointer(&closed), NULL);
    assert_found(&f, "note", "object note-2");
    service_clear(&f);
}

static void what_was_purged_is_nowhere(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("normal")), ==, -1);
    g_assert_cmpint(
        register_record(
            &f, "object",
            "{\"object_id\":\"note-1\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","
            "\"schema_version\":\"1\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"
            "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","
            "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\","
            "\"policy_tags\":[],\"provenance\":[\"" SECRET_WORD "\"]}"),
        ==, -1);
    assert_found(&f, SECRET_WORD, "object note-1");
    g_assert_true(state_holds(&f.base, SECRET_WORD));
    delete_note(&f);
    g_free(purge(&f));
    finish(&f);
    assert_found(&f, SECRET_WORD, "");
    service_close(&f);
    g_assert_false(state_holds(&f.base, SECRET_WORD));
    service_open(&f);
    service_clear(&f);
}

/* ---- who, and how much ---- */

static void nobody_finds_what_he_may_not_see(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    put_in(&f, "device", "note-7", "normal");
    assert_found(&f, "note", "object note-7");
    f.caller.uid++;
    assert_found(&f, "note", "");
    f.caller.inspector = true;
    assert_found(&f, "note", "object note-7");
    service_clear(&f);
}

static void pages_lose_and_repeat_nothing(void)
{
    ServiceFixture f;
    service_init(&f);
    for (int i = 0; i < 25; i++) {
        g_autofree char *object = g_strdup_printf("note-%d", i);
        put_in(&f, "device", object, "normal");
    }
    SyncdSearchAsked asked = {.words = "note", .kind = "object", .limit = 7};
    g_autofree char *cursor = g_strdup("");
    guint n = 0;
    do {
        char *next = NULL;
        asked.cursor = cursor;
        g_autofree char *page = find_page(&f, &asked, &next);
        guint here = count_elements(page);
        g_assert_cmpuint(here, <=, 7);
        n += here;
        g_free(cursor);
        cursor = next;
    } while (*cursor != '\0');
    g_assert_cmpuint(n, ==, 25);
    asked = (SyncdSearchAsked){.words = "note", .kind = "file"};
    char *end = NULL;
    g_autofree char *none = find_page(&f, &asked, &end);
    g_assert_cmpstr(none, ==, "[]");
    g_free(end);
    service_clear(&f);
}

static void what_makes_no_sense_is_refused(void)
{
    ServiceFixture f;
    service_init(&f);
    const SyncdSearchAsked cases[] = {
        {.words = ""},
        {.words = "\"*"},
        {.words = "a", .kind = "nothing"},
        {.words = "a", .limit = SYNCD_LIST_MAX + 1},
        {.words = "a", .cursor = "x"},
        {.words = "a", .cursor = "0000000000000000-1"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(refused(&f, cases[i]), ==, SYNCD_ERROR_INVALID_ARGS);
    assert_found(&f, "') OR 1=1 --", "");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/find/a-file-is-found-by-the-name-it-has", a_file_is_found_by_the_name_it_has);
    g_test_add_func("/find/records-are-found-by-what-they-say-now",
                    records_are_found_by_what_they_say_now);
    g_test_add_func("/find/an-object-is-found-by-its-id-once", an_object_is_found_by_its_id_once);
    g_test_add_func("/find/what-is-closed-is-not-in-the-index", what_is_closed_is_not_in_the_index);
    g_test_add_func("/find/what-policy-lets-nobody-index-is-not-shown",
                    what_policy_lets_nobody_index_is_not_shown);
    g_test_add_func("/find/what-was-purged-is-nowhere", what_was_purged_is_nowhere);
    g_test_add_func("/find/nobody-finds-what-he-may-not-see", nobody_finds_what_he_may_not_see);
    g_test_add_func("/find/pages-lose-and-repeat-nothing", pages_lose_and_repeat_nothing);
    g_test_add_func("/find/what-makes-no-sense-is-refused", what_makes_no_sense_is_refused);
    return g_test_run();
}
