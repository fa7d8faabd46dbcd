/*
 * Each of the eleven questions has one answer, whatever is asked about: with a code, a sentence
 * that lacks no fact, what it rests on and what to do next; and nobody hears of what he may not
 * see.
 */
#include "files-fixture.h"

#include "contract/check.h"
#include "diagnose-fixture.h"
#include "domain/answers.h"
#include "service/damage.h"
#include "service/explain-rules.h"
#include "service/explain.h"
#include "state-files.h"
#include "store/displaced.h"
#include "task-fixture.h"

#include <string.h>

#define STRANGER 1001
#define SCHEMA(version)                                                                            \
    "{\"schema_id\":\"note/v1\",\"object_type\":\"note\",\"schema_version\":\"" version            \
    "\",\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","                  \
    "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"               \
    "\"workspace\",\"retention_class\":\"normal\"}"
#define OBJECT(id, visibility, privacy)                                                            \
    "{\"object_id\":\"" id "\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","                \
    "\"schema_version\":\"1\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"                \
    "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"" privacy             \
    "\",\"sync_visibility\":\"" visibility "\",\"retention_class\":\"normal\","                    \
    "\"policy_tags\":[],\"provenance\":[]}"

/* ---- asking ---- */

static char *explain_as(ServiceFixture *f, const SyncdCaller *caller, const char *id)
{
    g_autoptr(GError) error = NULL;
    char *text = syncd_service_explain(f->service, caller, id, &error);
    if (text == NULL) {
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
        return NULL;
    }
    syncd_json_check(text, strlen(text), SYNCD_JSON_MUST_BE_OBJECT, &error);
    g_assert_no_error(error);
    return text;
}

static char *dup_member(SyncdJson object, const char *name)
{
    return syncd_json_dup_text(syncd_json_member(object, name));
}

/* Every "{fact}" of the text is one that the document has. */
static void assert_known(const char *text, SyncdJson facts)
{
    for (const char *at = strchr(text, '{'); at != NULL; at = strchr(at + 1, '{')) {
        g_autofree char *name = g_strndup(at + 1, (gsize)(strchr(at, '}') - at - 1));
        g_test_message("%s: {%s}", text, name);
        g_assert_cmpint(syncd_json_member(facts, name).type, ==, SYNCD_JSON_STRING);
    }
}

static void assert_whole(SyncdJson answer, SyncdQuestion question, SyncdJson facts)
{
    g_autofree char *name = dup_member(answer, "question"),
                    *code = dup_member(answer, "reason_code"), *text = dup_member(answer, "answer");
    g_assert_cmpstr(name, ==, syncd_question_name(question));
    const SyncdAnswer *known = syncd_answer_find(question, SYNCD_BYTES_TEXT(code));
    g_assert_nonnull(known);
    assert_known(known->sentence, facts);
    if (known->next != NULL)
        assert_known(known->next, facts);
    g_assert_null(strpbrk(text, "{}"));
    g_assert_cmpint(syncd_json_member(answer, "records").type, ==, SYNCD_JSON_ARRAY);
    g_assert_cmpint(syncd_json_member(answer, "next").type, ==,
                    known->next != NULL ? SYNCD_JSON_STRING : SYNCD_JSON_NULL);
}

/* The codes of the answers, in the order of the questions: "file built_in recorded …". */
static char *codes(ServiceFixture *f, const char *id)
{
    g_autofree char *text = explain_as(f, &f->caller, id);
    GString *out = g_string_new(NULL);
    SyncdJsonIter iter;
    SyncdJson answer;
    unsigned question = 0;
    g_assert_nonnull(text);
    SyncdJson root = syncd_json_root(text, strlen(text));
    syncd_json_iter_init(&iter, syncd_json_member(root, "answers"));
    for (; syncd_json_iter_next(&iter, NULL, &answer); question++) {
        g_autofree char *code = dup_member(answer, "reason_code");
        assert_whole(answer, question, syncd_json_member(root, "facts"));
        g_string_append_printf(out, "%s%s", out->len > 0 ? " " : "", code);
    }
    g_assert_cmpuint(question, ==, SYNCD_N_QUESTIONS);
    return g_string_free(out, FALSE);
}

static void expect(ServiceFixture *f, const char *id, const char *expected)
{
    g_autofree char *found = codes(f, id);
    g_assert_cmpstr(found, ==, expected);
}

/* ---- the table ---- */

static void every_answer_can_be_given(void)
{
    size_t n;
    const SyncdAnswer *answers = syncd_answers(&n);
    g_autoptr(GHashTable) known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < n; i++) {
        const char *question = syncd_question_name(answers[i].question);
        g_test_message("%s: %s", question, answers[i].code);
        g_assert_true(syncd_explain_gives(answers[i].question, answers[i].code));
        g_assert_true(g_hash_table_add(known, g_strconcat(question, "/", answers[i].code, NULL)));
        g_assert_cmpuint(syncd_question_find(SYNCD_BYTES_TEXT(question)), ==, answers[i].question);
    }
    g_assert_false(syncd_explain_gives(SYNCD_ASKED_WHAT, "none"));
    g_assert_cmpuint(syncd_question_find(SYNCD_BYTES_TEXT("why")), ==, SYNCD_N_QUESTIONS);
}

static const char *echo(void *data, const char *name)
{
    return *name == 'x' ? NULL : name;
}

static void facts_are_filled_in(void)
{
    static const struct {
        const char *text, *filled;
    } cases[] = {
        {"", ""},
        {"nothing", "nothing"},
        {"{a}{b} {a}", "ab a"},
        {"{x} of {y}", "- of y"},
        {"{a}. {a sentence.}. {b}.", "a. a sentence. b."},
        {"{", "{"},
        {"a}", "a}"},
        {"{no end", "{no end"},
        {"{a name that is longer than any there is}", "{a name that is longer than any there is}"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *filled = syncd_answer_fill(cases[i].text, echo, NULL);
        g_assert_cmpstr(filled, ==, cases[i].filled);
    }
}

/* ---- files ---- */

static char *path_of(ServiceFixture *f, const char *id)
{
    g_autofree char *text = explain_as(f, &f->caller, id);
    return dup_member(syncd_json_root(text, strlen(text)), "path");
}

static void files_are_explained(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    g_autofree char *s = files_make(&t, t.folder, "t", SYNCD_FILE_FOLDER);
    g_autofree char *e = files_make(&t, s, "e", SYNCD_FILE_REGULAR);
    g_autofree char *l = files_make(&t, s, BAD, SYNCD_FILE_SYMLINK);
    expect(&t.f, t.folder,
           "workspace_folder built_in recorded profile safe not_blocked no_conflicts nothing "
           "nobody log provable");
    expect(&t.f, s,
           "folder built_in recorded profile safe not_blocked no_conflicts nothing nobody log "
           "provable");
    expect(&t.f, e,
           "file built_in recorded profile safe not_blocked no_conflicts nothing nobody log "
           "provable");
    expect(&t.f, l,
           "symlink built_in recorded profile safe not_blocked no_conflicts nothing nobody log "
           "provable");
    g_autofree char *workspace = path_of(&t.f, t.folder), *file = path_of(&t.f, e),
                    *link = path_of(&t.f, l);
    g_assert_cmpstr(workspace, ==, "");
    g_assert_cmpstr(file, ==, "t/e");
    g_assert_null(link); /* it is path_base64 */

    files_begin(&t);
    syncd_file_changes_add_deleted(&t.writer, e);
    files_record(&t, SYNCD_FILES_IGNORED);
    expect(&t.f, e,
           "ignored_file built_in recorded profile ignored not_blocked no_conflicts nothing "
           "nobody log provable");
    files_begin(&t);
    syncd_file_changes_add_deleted(&t.writer, e);
    files_record(&t, "object.deleted");
    expect(&t.f, e,
           "deleted_file built_in recorded profile deleted not_blocked no_conflicts nothing "
           "nobody log provable");
    files_clear(&t);
}

static void pause_root(Files *t, const char *more)
{
    g_autofree char *record =
        g_strdup_printf("{\"workspace_id\":\"" WORKSPACE "\",\"directory\":\"/srv/"
                        "notes\",\"root_state\":\"paused\",\"pause_reason\":\"a reason\"%s}",
                        more);
    g_assert_cmpint(update_record(&t->f, "root", t->root->id, record), ==, -1);
}

static bool stand_missing(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = "missing", .reason = "it is not there"};
    return true;
}

static bool stand_failed(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = "failed", .reason = "there is no room"};
    return true;
}

static bool stand_scanning(void *data, const char *root, SyncdRootStanding *ret_standing)
{
    *ret_standing = (SyncdRootStanding){.state = "scanning", .waiting = 3};
    return true;
}

static void a_directory_s_standing_counts(void)
{
    const SyncdListener missing = {.standing = stand_missing}, failed = {.standing = stand_failed},
                        scanning = {.standing = stand_scanning};
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    syncd_service_set_listener(t.f.service, &missing);
    expect(&t.f, t.folder,
           "workspace_folder built_in recorded profile not_current workspace_unwatched "
           "no_conflicts workspace_returns nobody log provable");
    syncd_service_set_listener(t.f.service, &failed);
    expect(&t.f, t.folder,
           "workspace_folder built_in recorded profile not_current workspace_unwatched "
           "no_conflicts workspace_resumes nobody log provable");
    syncd_service_set_listener(t.f.service, &scanning);
    expect(&t.f, t.folder,
           "workspace_folder built_in recorded profile safe not_blocked no_conflicts catching_up "
           "nobody log provable");
    syncd_service_set_listener(t.f.service, &(SyncdListener){NULL});
    pause_root(&t, "");
    expect(&t.f, t.folder,
           "workspace_folder built_in recorded profile not_current workspace_paused no_conflicts "
           "nothing resume log provable");
    /* The workspace's own record says the same. */
    expect(&t.f, WORKSPACE,
           "record built_in recorded profile not_current workspace_paused no_conflicts nothing "
           "resume log provable");
    files_clear(&t);
}

static void deletions_are_asked_about(void)
{
    g_autoptr(GError) error = NULL;
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    syncd_service_pause_root(t.f.service, t.root, SYNCD_PAUSE_DELETIONS, "101 files are gone",
                             &error);
    g_assert_no_error(error);
    g_autofree char *found = codes(&t.f, t.folder);
    g_assert_nonnull(strstr(found, " workspace_paused "));
    g_assert_nonnull(strstr(found, " confirm_deletions "));
    files_clear(&t);
}

/* ---- objects ---- */

static void objects_are_explained(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    g_assert_cmpint(register_record(&t.f, "object", OBJECT("note-1", "workspace", "work")), ==, -1);
    expect(&t.f, "note-1",
           "object schema_unknown recorded identity schema_unknown schema_unknown no_conflicts "
           "nothing register_schema log provable");
    g_assert_cmpint(register_record(&t.f, "schema", SCHEMA("1")), ==, -1);
    expect(&t.f, "note-1",
           "object registered recorded identity quarantined quarantined no_conflicts nothing "
           "update log provable");
    g_assert_cmpint(update_record(&t.f, "object", "note-1", OBJECT("note-1", "workspace", "work")),
                    ==, -1);
    expect(&t.f, "note-1",
           "object registered recorded identity safe not_blocked no_conflicts nothing nobody log "
           "provable");
    g_assert_cmpint(register_record(&t.f, "object", OBJECT("note-2", "local_only", "work")), ==,
                    -1);
    expect(&t.f, "note-2",
           "object registered recorded identity local_only not_blocked no_conflicts nothing "
           "nobody log provable");
    g_assert_cmpint(register_record(&t.f, "schema", SCHEMA("2")), ==, -1);
    expect(&t.f, "note-1",
           "object migration_required recorded identity migration_required migration_required "
           "no_conflicts nothing migrate log provable");
    files_clear(&t);
}

static void what_policy_denies_is_not_safe(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    g_assert_cmpint(register_record(&t.f, "schema", SCHEMA("1")), ==, -1);
    g_assert_cmpint(register_record(&t.f, "object", OBJECT("note-1", "workspace", "secret")), ==,
                    -1);
    expect(&t.f, "note-1",
           "object registered recorded identity policy_denied policy_denied no_conflicts nothing "
           "nobody log provable");
    files_clear(&t);
}

/* ---- what operations are about ---- */

static void operations_are_explained(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *parent = enqueue_task(&f, NULL, NULL);
    expect(&f, "note-1",
           "operations no_schema recorded profile safe not_blocked no_conflicts nothing nobody "
           "log provable");
    g_autofree char *first = claim_operation(&f, parent);
    fail(&f, first, false);
    expect(&f, "note-1",
           "operations no_schema recorded profile safe not_blocked no_conflicts tasks_retry "
           "nobody log provable");
    pass(&f, 3600 * 1000);
    const char *const parents[] = {parent, NULL};
    g_free(enqueue_task(&f, NULL, parents));
    g_autofree char *second = claim_operation(&f, parent);
    fail(&f, second, true);
    expect(&f, "note-1",
           "operations no_schema recorded profile safe parent_failed no_conflicts nothing "
           "tasks_failed log provable");
    service_clear(&f);
}

static void what_stays_on_the_device_says_so(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.scope = "device";
    g_free(enqueue_committed(&f, &request));
    expect(&f, "note-1",
           "operations no_schema recorded this_device stays_here not_blocked no_conflicts nothing "
           "nobody log provable");
    service_clear(&f);
}

static void what_was_deleted_says_so(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    SyncdRequest request = good_request();
    request.lane = "tombstone";
    g_free(enqueue_committed(&f, &request));
    expect(&f, "note-1",
           "deleted_object no_schema recorded profile deleted not_blocked no_conflicts nothing "
           "nobody log provable");
    service_clear(&f);
}

/* ---- what is found wrong ---- */

static void remove_blobs(const char *path)
{
    const char *name;
    g_autoptr(GDir) folder = g_dir_open(path, 0, NULL);
    while (folder != NULL && (name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *child = g_build_filename(path, name, NULL);
        if (g_file_test(child, G_FILE_TEST_IS_DIR))
            remove_blobs(child);
        else
            g_assert_cmpint(g_unlink(child), ==, 0);
    }
}

/* The command that a diagnosis has for it. */
static void assert_leads_on_as(ServiceFixture *f, const char *code, const char *id)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    SyncdFound *one = find(found, code);
    g_assert_nonnull(one);
    g_autofree char *next = syncd_found_next(one, &(SyncdFoundView){.hidden = false}),
                    *text = explain_as(f, &f->caller, id),
                    *wanted = g_strdup_printf("\"next\":\"%s\"", next);
    g_assert_nonnull(strstr(text, wanted));
    g_autofree char *basis = g_strdup_printf("{\"kind\":\"finding\",\"id\":\"%s\"}", code);
    g_assert_nonnull(strstr(text, basis));
}

/* What is beside it is whole, and says so. */
static void content_that_is_not_there_says_so(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *word = g_strnfill(100000, 'x'),
                    *large = g_strdup_printf("{\"text\":\"%s\"}", word),
                    *blobs = g_build_filename(f.base.directory, "blobs", NULL);
    put(&f, "note-1", large);
    put(&f, "note-2", "{}");
    remove_blobs(blobs);
    verify_all(&f);
    expect(&f, "note-1",
           "operations no_schema recorded profile content_damaged content_damaged no_conflicts "
           "content_damaged mend_content content_damaged content_damaged");
    assert_leads_on_as(&f, "blob-damaged", "note-1");
    expect(&f, "note-2",
           "operations no_schema recorded profile safe not_blocked no_conflicts nothing nobody "
           "log provable");

    syncd_service_give_up_content(f.service, G_MAXUINT64, NULL);
    expect(&f, "note-1",
           "operations no_schema recorded profile content_lost content_lost no_conflicts "
           "content_lost nobody content_lost content_lost");
    assert_leads_on_as(&f, "blob-lost", "note-1");
    service_clear(&f);
}

/* Nothing is recorded of anything, and what is here may be older than what was. */
static void a_log_that_lost_its_end_says_so_of_everything(void)
{
    Files t;
    files_init(&t, SYNCD_INSTANCE_USER);
    files_fill(&t);
    service_close(&t.f);
    state_copy(&t.f, "journal.db", "older.db");
    service_open(&t.f);
    put(&t.f, "note-1", "{}");
    verify_all(&t.f);
    service_close(&t.f);
    state_move(&t.f, "older.db", "journal.db");
    service_open(&t.f);
    const char *const wanted = "log_rolled_back log_closed no_conflicts log_closed open_log "
                               "log_rolled_back log_rolled_back";
    g_autofree char *folder = codes(&t.f, t.folder), *record = codes(&t.f, WORKSPACE);
    g_assert_true(g_str_has_suffix(folder, wanted));
    g_assert_true(g_str_has_suffix(record, wanted));
    assert_leads_on_as(&t.f, "log-rolled-back", t.folder);
    files_clear(&t);
}

/* It answers still, but nobody has it any more once it ends. */
static void a_log_that_was_taken_away_is_not_called_durable(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    state_remove(&f, "journal.db");
    syncd_store_look_at_place(f.service->store);
    expect(&f, "note-1",
           "operations no_schema recorded profile log_displaced log_closed no_conflicts log_closed "
           "open_log log_displaced log_displaced");
    service_clear(&f);
}

/* ---- who may ---- */

static void others_hear_of_nothing(void)
{
    const SyncdCaller stranger = {.uid = STRANGER},
                      inspector = {.uid = STRANGER, .inspector = true};
    Files t;
    files_init(&t, SYNCD_INSTANCE_SYSTEM);
    files_fill(&t);
    put(&t.f, "note-1", "{}");
    const char *const ids[] = {t.folder, "note-1", WORKSPACE, t.root->id};
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
        g_autofree char *none = explain_as(&t.f, &stranger, ids[i]);
        g_autofree char *all = explain_as(&t.f, &inspector, ids[i]);
        g_assert_null(none);
        g_assert_nonnull(all);
    }
    files_clear(&t);
}

static void what_is_not_there_is_not_found(void)
{
    static const char *const ids[] = {"",
                                      "none",
                                      "file-x",
                                      "op-1",
                                      "workspace:none",
                                      "\xc3\xa4",
                                      "../../x",
                                      "file-00000000000000000000000000-0"};
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        g_assert_null(explain_as(&f, &f.caller, ids[i]));
    g_autofree char *huge = g_strnfill(60000, 'x');
    g_assert_null(explain_as(&f, &f.caller, huge));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
#define ADD(name, func) g_test_add_func("/explain/" name, func)
    ADD("every-answer-can-be-given", every_answer_can_be_given);
    ADD("facts-are-filled-in", facts_are_filled_in);
    ADD("files-are-explained", files_are_explained);
    ADD("a-directory-s-standing-counts", a_directory_s_standing_counts);
    ADD("deletions-are-asked-about", deletions_are_asked_about);
    ADD("objects-are-explained", objects_are_explained);
    ADD("what-policy-denies-is-not-safe", what_policy_denies_is_not_safe);
    ADD("operations-are-explained", operations_are_explained);
    ADD("what-stays-on-the-device-says-so", what_stays_on_the_device_says_so);
    ADD("what-was-deleted-says-so", what_was_deleted_says_so);
    ADD("content-that-is-not-there-says-so", content_that_is_not_there_says_so);
    ADD("a-log-that-lost-its-end-says-so-of-everything",
        a_log_that_lost_its_end_says_so_of_everything);
    ADD("a-log-that-was-taken-away-is-not-called-durable",
        a_log_that_was_taken_away_is_not_called_durable);
    ADD("others-hear-of-nothing", others_hear_of_nothing);
    ADD("what-is-not-there-is-not-found", what_is_not_there_is_not_found);
    return g_test_run();
}
