/*
 * Evidence of the log: each entry gives one signed envelope, always the same bytes, and whoever
 * keeps the cursor gets each of them once, whatever happens between two readings.
 */
#include "contract/check.h"
#include "index-dump.h"
#include "ledger-fixture.h"
#include "purge-service-fixture.h"
#include "repair-fixture.h"

static void every_entry_gives_one_that_is_signed(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_autoptr(GPtrArray) operations = log_operations(&f);
    g_autoptr(SyncdAttestationKeys) keys = device_keys(&f);
    g_auto(Ledger) ledger = whole_ledger(&f);
    g_assert_true(same_texts(ledger.subjects, operations));
    guint documents = 0, summaries = 0;
    for (guint i = 0; i < ledger.envelopes->len; i++) {
        const char *envelope = ledger.envelopes->pdata[i];
        SyncdJson root = syncd_json_root(envelope, strlen(envelope));
        SyncdJson artifact = syncd_json_member(root, "artifact");
        assert_valid(envelope, keys);
        bool summary =
            syncd_json_is(syncd_json_member(artifact, "schema"), "sourceos.entry-summary/v1");
        g_assert_true(syncd_json_is(syncd_json_member(root, "evidence_type"),
                                    summary ? "local-state-summary" : "policy-decision"));
        *(summary ? &summaries : &documents) += 1;
        if (summary)
            g_assert_true(syncd_contract_demand("sourceos.entry-summary/v1", artifact, "", NULL));
        g_assert_null(strstr(envelope, MARKER));
    }
    g_assert_cmpuint(documents, ==, count_events(&f, "sync.policy.decided"));
    g_assert_cmpuint(documents, >, 0);
    g_assert_cmpuint(summaries, >, documents);
    service_clear(&f);
}

/* After a restart without an index, and after a purge: the same of what was there before. */
static void it_is_always_the_same(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_auto(Ledger) before = whole_ledger(&f);
    service_close(&f);
    remove_index(&f.base);
    service_open(&f);
    g_auto(Ledger) again = whole_ledger(&f);
    g_assert_true(same_texts(again.envelopes, before.envelopes));

    run_jobs(&f);
    delete_note(&f);
    g_autofree char *purged = purge(&f);
    finish(&f);
    g_autofree char *told = report(&f, purged);
    assert_member(told, "state", "\"proven\"");
    g_auto(Ledger) after = whole_ledger(&f);
    g_assert_cmpuint(after.envelopes->len, >, before.envelopes->len + 4);
    g_ptr_array_set_size(after.envelopes, (gint)before.envelopes->len);
    g_assert_true(same_texts(after.envelopes, before.envelopes));
    service_clear(&f);
}

/* ---- never misses one, never twice ---- */

static void write_some(ServiceFixture *f)
{
    for (guint64 n = fixture_next(&f->base) % 7; n > 0; n--) {
        g_autofree char *object = g_strdup_printf("note-%u", (guint)(fixture_next(&f->base) % 9));
        SyncdRequest request = good_request();
        request.object = object;
        SyncdEnqueued enqueued = enqueue(f, &request);
        syncd_enqueued_clear(&enqueued);
        if (fixture_next(&f->base) % 2 == 0)
            syncd_service_commit(f->service);
    }
}

/* Something that may come between two readings. */
static void happen(ServiceFixture *f)
{
    guint64 chance = fixture_next(&f->base) % 16;
    if (chance < 10)
        write_some(f);
    else if (chance < 12)
        syncd_service_commit(f->service);
    else if (chance < 14)
        syncd_service_work(f->service);
    if (chance < 14)
        return;
    service_close(f);
    if (chance == 15)
        remove_index(&f->base);
    service_open(f);
}

/* One that writes the cursor down first, and is killed then, has lost a page. */
static void read_carelessly(Ledger *ledger, ServiceFixture *f)
{
    guint before = ledger->subjects->len;
    ledger_read(ledger, f);
    if (fixture_next(&f->base) % 8 == 0) {
        g_ptr_array_set_size(ledger->subjects, (gint)before);
        g_ptr_array_set_size(ledger->envelopes, (gint)before);
    }
}

/* Whether the ledger has each entry once, in the order of the log. */
static bool is_complete(guint seed, void (*read)(Ledger *ledger, ServiceFixture *f))
{
    ServiceFixture f;
    service_init(&f);
    f.base.seed = seed;
    const SyncdEvidenceListing asked = {.limit = 1 + seed % 5};
    g_auto(Ledger) ledger = ledger_of(&asked);
    for (unsigned i = 0; i < (is_hurried() ? 20 : 60); i++) {
        happen(&f);
        read(&ledger, &f);
    }
    syncd_service_commit(f.service);
    ledger_read_all(&ledger, &f);
    run_jobs(&f);
    g_autoptr(GPtrArray) operations = log_operations(&f);
    bool complete = same_texts(ledger.subjects, operations);
    service_clear(&f);
    return complete;
}

static void read_once(Ledger *ledger, ServiceFixture *f)
{
    ledger_read(ledger, f);
}

static void none_is_missed_and_none_comes_twice(void)
{
    for (guint seed = 1; seed <= (is_hurried() ? 2 : 10); seed++)
        if (!is_complete(seed, read_once))
            g_error("seed %u: the ledger is not the log", seed);
}

static void whoever_skips_one_is_found_out(void)
{
    bool found = false;
    for (guint seed = 1; seed <= 5 && !found; seed++)
        found = !is_complete(seed, read_carelessly);
    g_assert_true(found);
}

static void a_type_alone_is_as_complete(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_auto(Ledger) all = whole_ledger(&f);
    static const char *const types[] = {"policy-decision", "local-state-summary", "repair-plan"};
    guint sum = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++) {
        const SyncdEvidenceListing asked = {.type = types[i], .limit = 2};
        g_auto(Ledger) some = ledger_of(&asked);
        ledger_read_all(&some, &f);
        sum += some.envelopes->len;
        for (guint n = 0; n < some.envelopes->len; n++) {
            g_autofree char *type = member_of(some.envelopes->pdata[n], "evidence_type");
            g_assert_true(strstr(type, types[i]) != NULL);
        }
    }
    g_assert_cmpuint(sum, ==, all.envelopes->len);

    /* The other way round, and from a place in the middle. */
    const SyncdEvidenceListing newest = {.order = "newest", .limit = 3},
                               middle = {.after = 4, .limit = 2};
    g_auto(Ledger) back = ledger_of(&newest), rest = ledger_of(&middle);
    ledger_read_all(&back, &f);
    ledger_read_all(&rest, &f);
    g_assert_cmpuint(back.subjects->len, ==, all.subjects->len);
    g_assert_cmpstr(back.subjects->pdata[0], ==, all.subjects->pdata[all.subjects->len - 1]);
    g_assert_cmpuint(rest.subjects->len, ==, all.subjects->len - 4);
    g_assert_cmpstr(rest.subjects->pdata[0], ==, all.subjects->pdata[4]);
    service_clear(&f);
}

/* ---- what is not evidence of anything ---- */

static void edit_journal(ServiceFixture *f, const char *sql)
{
    static const char trigger[] =
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = 'entry_update'";
    sqlite3 *db;
    sqlite3_stmt *rows;
    g_autofree char *path = g_build_filename(f->base.directory, "journal.db", NULL);
    g_assert_cmpint(sqlite3_open(path, &db), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_prepare_v2(db, trigger, -1, &rows, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_step(rows), ==, SQLITE_ROW);
    g_autofree char *made = g_strdup((const char *)sqlite3_column_text(rows, 0));
    sqlite3_finalize(rows);
    g_autofree char *script = g_strdup_printf("DROP TRIGGER entry_update; %s; %s", sql, made);
    g_assert_cmpint(sqlite3_exec(db, script, NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close(db);
}

static char *find(ServiceFixture *f, const char *id, int code)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(SyncdEvidenceSearch) search =
        syncd_service_begin_find_evidence(f->service, &f->caller, id, &error);
    char *evidence = NULL;
    g_assert_no_error(error);
    while (evidence == NULL && syncd_evidence_search_step(search, &evidence, &error))
        ;
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    return evidence;
}

static void what_was_changed_in_the_journal_is_not_signed(void)
{
    static const char *const changes[] = {
        "UPDATE entry SET header = CAST(replace(header, 'note-1', 'note-8') AS BLOB) "
        "WHERE instr(header, 'note-1')",
        "UPDATE entry SET header = x'7b' WHERE instr(header, 'note-1')",
    };
    /* Among the newest, and where a tile has the leaves. */
    for (size_t i = 0; i < 2 * G_N_ELEMENTS(changes); i++) {
        ServiceFixture f;
        service_init(&f);
        put(&f, "note-0", "{}");
        g_autofree char *wrong = enqueue_body(&f, "note-1", "{}");
        g_autofree char *right = enqueue_body(&f, "note-2", "{}");
        for (unsigned n = 0; i % 2 == 1 && n < 70; n++)
            put(&f, "note-3", "{}");
        g_auto(Ledger) whole = whole_ledger(&f);
        service_close(&f);
        edit_journal(&f, changes[i / 2]);
        service_open(&f);

        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        const SyncdEvidenceListing all = {.limit = 0};
        g_auto(Ledger) ledger = ledger_of(&all);
        g_assert_true(ledger_read(&ledger, &f));
        g_assert_cmpuint(ledger.subjects->len, <, whole.subjects->len);
        g_assert_cmpstr(whole.subjects->pdata[ledger.subjects->len], ==, wrong);
        g_assert_null(ledger_ask(&ledger, &f, &cursor, &error));
        g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_JOURNAL_CORRUPT);

        /* The rest is found all the same. */
        g_autofree char *of_first = member_of(whole.envelopes->pdata[0], "evidence_id");
        g_autofree char *id = g_strndup(of_first + 1, strlen(of_first) - 2);
        g_autofree char *good = find(&f, right, -1), *first = find(&f, id, -1);
        g_assert_nonnull(good);
        g_assert_cmpstr(first, ==, whole.envelopes->pdata[0]);
        g_assert_null(find(&f, wrong, SYNCD_ERROR_JOURNAL_CORRUPT));
        service_clear(&f);
    }
}

static void a_document_that_is_damaged_is_told_of(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    g_auto(Ledger) before = whole_ledger(&f);
    service_close(&f);
    edit_journal(&f,
                 "UPDATE entry SET body = zeroblob(100) WHERE instr(header, 'policy.decision')");
    service_open(&f);
    g_auto(Ledger) after = whole_ledger(&f);
    g_assert_true(same_texts(after.subjects, before.subjects));
    guint told = 0;
    for (guint i = 0; i < after.envelopes->len; i++)
        told += strstr(after.envelopes->pdata[i], "\"unreadable\":\"damaged\"") != NULL;
    g_assert_cmpuint(told, ==, count_events(&f, "sync.policy.decided"));
    service_clear(&f);
}

/* ---- cursors ---- */

static void assert_refused(ServiceFixture *f, const SyncdEvidenceListing *listing, int code)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    g_assert_null(syncd_service_list_evidence(f->service, &f->caller, listing, &cursor, &error));
    g_assert_error(error, SYNCD_ERROR, code);
}

static void a_cursor_is_of_one_log_and_one_question(void)
{
    ServiceFixture f, other;
    service_init(&f);
    service_init(&other);
    other.base.seed = 4711;
    put(&f, "note-1", "{}");
    put(&other, "note-1", "{}");
    put(&f, "note-2", "{}");
    g_auto(Ledger) ledger = whole_ledger(&f), less = whole_ledger(&other);
    const SyncdEvidenceListing cases[] = {
        {.cursor = ledger.cursor, .order = "newest"},
        {.cursor = ledger.cursor, .type = "repair-plan"},
        {.cursor = "1-x"},
        {.cursor = "1-0000000000000000-0"},
        {.cursor = "-"},
        {.limit = 101},
        {.order = "any"},
        {.type = "anything"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(&f, &cases[i], SYNCD_ERROR_INVALID_ARGS);
    const SyncdEvidenceListing shorter = {.cursor = ledger.cursor}, beyond = {.after = 1000},
                               elsewhere = {.cursor = less.cursor};
    assert_refused(&other, &shorter, SYNCD_ERROR_CURSOR_EXPIRED);
    assert_refused(&f, &beyond, SYNCD_ERROR_CURSOR_EXPIRED);
    assert_refused(&f, &elsewhere, SYNCD_ERROR_CURSOR_EXPIRED);
    service_clear(&other);
    service_clear(&f);
}

/* ---- one ---- */

static void one_is_found_by_either_id(void)
{
    ServiceFixture f;
    service_init(&f);
    for (guint i = 0; i < SYNCD_EVIDENCE_STEP; i++)
        put(&f, "note-1", "{}");
    g_auto(Ledger) ledger = whole_ledger(&f);
    for (guint i = 0; i < ledger.envelopes->len; i += 25) {
        const char *envelope = ledger.envelopes->pdata[i];
        g_autofree char *quoted = member_of(envelope, "evidence_id");
        g_autofree char *id = g_strndup(quoted + 1, strlen(quoted) - 2);
        g_autofree char *by_id = find(&f, id, -1);
        g_autofree char *by_operation = find(&f, ledger.subjects->pdata[i], -1);
        g_assert_cmpstr(by_id, ==, envelope);
        g_assert_cmpstr(by_operation, ==, envelope);
    }
    static const char *const strangers[] = {"evidence-00000000000000000000", "op-x", "", "a b"};
    for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++)
        g_assert_null(find(&f, strangers[i], SYNCD_ERROR_NOT_FOUND));

    /* The log knows it as well while there is no index. */
    service_close(&f);
    remove_index(&f.base);
    service_open(&f);
    g_autofree char *first = find(&f, ledger.subjects->pdata[0], -1);
    g_assert_cmpstr(first, ==, ledger.envelopes->pdata[0]);
    service_clear(&f);
}

static void in_the_system_instance_a_caller_has_its_own(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller = (SyncdCaller){.uid = 0};
    g_autofree char *of_root = enqueue_body(&f, "note-1", "{}");
    g_auto(Ledger) roots = whole_ledger(&f);
    f.caller = (SyncdCaller){.uid = 4711};
    g_auto(Ledger) strangers = whole_ledger(&f);
    g_assert_cmpuint(strangers.subjects->len, ==, 0);
    g_assert_null(find(&f, of_root, SYNCD_ERROR_NOT_FOUND));
    f.caller.inspector = true;
    g_auto(Ledger) all = whole_ledger(&f);
    g_autoptr(GPtrArray) operations = log_operations(&f);
    g_assert_true(same_texts(all.subjects, operations));
    g_assert_cmpuint(roots.subjects->len, <, all.subjects->len);
    g_assert_true(g_ptr_array_find_with_equal_func(roots.subjects, of_root, g_str_equal, NULL));

    /* What was asked for oneself does not go on as everything. */
    const SyncdEvidenceListing more = {.cursor = roots.cursor};
    assert_refused(&f, &more, SYNCD_ERROR_INVALID_ARGS);
    service_clear(&f);
}

/* ---- repairs ---- */

static guint count_kind(const Ledger *ledger, const char *kind)
{
    guint n = 0;
    g_autofree char *member = g_strdup_printf("\"kind\":\"%s\"", kind);
    for (guint i = 0; i < ledger->envelopes->len; i++)
        n += strstr(ledger->envelopes->pdata[i], member) != NULL;
    return n;
}

static void assert_artifact(const char *envelope, const char *text)
{
    SyncdJson root = syncd_json_root(envelope, strlen(envelope));
    SyncdHash one = syncd_hash_canonical(syncd_json_member(root, "artifact")),
              other = syncd_hash_canonical(syncd_json_root(text, strlen(text)));
    g_assert_true(syncd_hash_equal(&one, &other));
}

/* The plan as a whole, and what became of it; read by one who began while there was no index. */
static void a_repair_leaves_evidence(void)
{
    ServiceFixture f;
    repair_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    damage_index(&f);
    repair_open(&f, NULL);
    const SyncdEvidenceListing plans = {.type = "repair-plan"};
    g_auto(Ledger) planned = ledger_of(&plans);
    ledger_read_all(&planned, &f);
    g_assert_cmpuint(planned.envelopes->len, ==, 0);

    SyncdRepairPlan *repair = plan_repair(&f);
    approve_repair(&f, repair);
    apply_repair(&f, repair);
    rest(&f);
    g_autoptr(SyncdAttestationKeys) keys = device_keys(&f);
    ledger_read_all(&planned, &f);
    g_assert_cmpuint(planned.envelopes->len, ==, 1);
    assert_artifact(planned.envelopes->pdata[0], syncd_repair_plan_text(repair));
    g_auto(Ledger) all = whole_ledger(&f);
    static const char *const kinds[] = {"repair-plan.approved", "repair-plan.begun",
                                        "repair.apply"};
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++)
        g_assert_cmpuint(count_kind(&all, kinds[i]), ==, 1);
    for (guint i = 0; i < all.envelopes->len; i++)
        assert_valid(all.envelopes->pdata[i], keys);
    service_clear(&f);
}

/* Whose an entry is the index says: whoever may see all of them needs none, and that is said. */
static void without_an_index_it_says_how(void)
{
    ServiceFixture f;
    g_autoptr(GError) error = NULL;
    repair_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    damage_index(&f);
    f.instance = SYNCD_INSTANCE_SYSTEM;
    repair_open(&f, NULL);
    g_autofree char *cursor = NULL, *all_cursor = NULL;
    const SyncdEvidenceListing listing = {.limit = 10};
    SyncdCaller caller = f.caller;
    caller.inspector = false;
    g_assert_null(syncd_service_list_evidence(f.service, &caller, &listing, &cursor, &error));
    g_assert_nonnull(strstr(error->message, "--all"));
    g_assert_nonnull(strstr(error->message, "repair plan"));
    g_clear_error(&error);
    SyncdEvidenceSearch *search =
        syncd_service_begin_find_evidence(f.service, &caller, "evidence-1", &error);
    g_assert_null(search);
    g_assert_nonnull(strstr(error->message, "--all"));
    g_clear_error(&error);
    caller.inspector = true;
    g_autofree char *list =
        syncd_service_list_evidence(f.service, &caller, &listing, &all_cursor, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(list, "note-1"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/ledger/every-entry", every_entry_gives_one_that_is_signed);
    g_test_add_func("/ledger/the-same", it_is_always_the_same);
    g_test_add_func("/ledger/none-is-missed", none_is_missed_and_none_comes_twice);
    g_test_add_func("/ledger/control", whoever_skips_one_is_found_out);
    g_test_add_func("/ledger/types-and-orders", a_type_alone_is_as_complete);
    g_test_add_func("/ledger/changed", what_was_changed_in_the_journal_is_not_signed);
    g_test_add_func("/ledger/damaged-document", a_document_that_is_damaged_is_told_of);
    g_test_add_func("/ledger/cursors", a_cursor_is_of_one_log_and_one_question);
    g_test_add_func("/ledger/one", one_is_found_by_either_id);
    g_test_add_func("/ledger/callers", in_the_system_instance_a_caller_has_its_own);
    g_test_add_func("/ledger/repairs", a_repair_leaves_evidence);
    g_test_add_func("/ledger/no-index", without_an_index_it_says_how);
    return g_test_run();
}
