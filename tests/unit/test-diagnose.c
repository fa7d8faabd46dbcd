/*
 * Whatever is wrong with a running instance is found, with its evidence and what can be done about
 * it; and nothing is found where nothing is wrong.
 */
#include "diagnose-fixture.h"
#include "raw-sql.h"
#include "state-files.h"

#include "service/health.h"

#define MARKER_END "arker-that-is-easy-to-find"
#define MARKER "m" MARKER_END

static void nothing_is_found_where_nothing_is_wrong(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    assert_clean(&f);
    verify_all(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- the log ---- */

static void assert_body_is_damaged(ServiceFixture *f, guint64 sequence)
{
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f->service);
    const SyncdFound *body = find(found, "body-damaged");
    g_assert_nonnull(body);
    g_assert_cmpuint(found->len, ==, 1);
    g_assert_cmpuint(body->first, ==, sequence);
    g_assert_cmpuint(body->last, ==, sequence);
    g_assert_cmpuint(body->count, ==, 1);
    g_assert_cmpuint(body->evidence->len, ==, 1);
    g_assert_cmpstr(body->target, ==, "journal");
    g_assert_cmpstr(body->finding->repair, ==, "body-refill");
    g_assert_cmpstr(body->finding->durability, ==, "durable");
}

static void damage_of_the_log_is_known_until_all_of_it_is_sound(void)
{
    ServiceFixture f;
    service_init(&f);
    SyncdRequest request = good_request();
    request.scope = "public:site";
    request.body = SYNCD_BYTES_TEXT("{\"x\":\"" MARKER "\"}");
    g_free(enqueue_committed(&f, &request));
    guint64 sequence = service_sequence(&f);
    put(&f, "note-2", "{}");
    run_jobs(&f); /* the verification at the start has seen all of it, when it was sound */
    service_close(&f);
    state_flip(&f, "journal.db", MARKER_END);

    service_open(&f);
    verify_all(&f);
    assert_body_is_damaged(&f, sequence);
    verify_all(&f);
    assert_body_is_damaged(&f, sequence); /* and is not counted twice */
    service_close(&f);

    service_open(&f);
    run_jobs(&f);
    assert_body_is_damaged(&f, sequence);
    service_close(&f);

    state_flip(&f, "journal.db", MARKER_END);
    service_open(&f);
    verify_all(&f);
    assert_clean(&f);
    service_close(&f);
    service_open(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- the state directory ---- */

static void change_mode(ServiceFixture *f, const char *name, mode_t mode)
{
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    g_assert_cmpint(g_chmod(path, mode), ==, 0);
}

static void what_others_may_read_is_found(void)
{
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    change_mode(&f, "journal.db", 0644);
    change_mode(&f, "keys", 0755);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *modes = find(found, "file-modes");
    g_assert_nonnull(modes);
    g_assert_cmpuint(modes->count, ==, 2);
    g_assert_cmpuint(modes->evidence->len, ==, 2);
    change_mode(&f, "journal.db", 0600);
    change_mode(&f, "keys", 0700);
    assert_clean(&f);
    service_clear(&f);
}

static void leave(ServiceFixture *f, const char *name)
{
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    g_assert_true(g_file_set_contents_full(path, "half", 4, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

static void what_is_half_done_is_found(void)
{
    static const char *const halves[] = {".verified.json.new", "keys/.device.key.new",
                                         "index.db.new", "journal.db.before-4.new"};
    ServiceFixture f;
    service_init(&f);
    put(&f, "note-1", "{}");
    for (size_t i = 0; i < G_N_ELEMENTS(halves); i++) {
        g_autofree char *path = g_build_filename(f.base.directory, halves[i], NULL);
        leave(&f, halves[i]);
        g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
        const SyncdFound *left = find(found, "leftovers");
        g_assert_nonnull(left);
        g_assert_cmpstr(left->evidence->pdata[0], ==, halves[i]);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    leave(&f, "journal.db.before-4"); /* that is whole, and nobody's to remove */
    assert_clean(&f);
    service_clear(&f);
}

/* ---- how it ended ---- */

static void write_stored(ServiceFixture *f, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(f->base.directory, name, NULL);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL));
}

/* What a daemon leaves that was killed. */
static void end_unclean(ServiceFixture *f)
{
    put(f, "note-1", "{}");
    service_close(f);
    write_stored(f, "runtime.json", "{\"schema\":\"sourceos.runtime/v1\",\"running\":true}");
}

/* Nothing can be verified then, and a daemon that could not write did not say how it ended. */
static void how_it_ended_is_not_asked_without_a_journal(void)
{
    ServiceFixture f;
    service_init(&f);
    end_unclean(&f);
    write_stored(&f, "journal.db", "this is no database");
    f.base.stands_in = true;
    service_open(&f);
    g_assert_true(is_found(&f, "journal-unreadable"));
    g_assert_false(is_found(&f, "dirty-open"));
    service_clear(&f);
}

static void that_it_did_not_end_cleanly_is_found_until_the_log_is_verified(void)
{
    ServiceFixture f;
    service_init(&f);
    end_unclean(&f);
    service_open(&f);
    g_assert_true(is_found(&f, "dirty-open"));
    run_jobs(&f);
    assert_clean(&f);
    service_clear(&f);
}

/* ---- keys ---- */

static char *key_of_scope(ServiceFixture *f)
{
    g_autofree char *folder = g_build_filename(f->base.directory, "keys", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, "scope-"))
            return g_build_filename(folder, name, NULL);
    g_assert_not_reached();
}

static void a_key_that_is_gone_is_told_of_before_it_is_lost_and_after(void)
{
    ServiceFixture f;
    service_init(&f);
    g_free(enqueue_body(&f, "note-1", "{}"));
    g_autofree char *path = key_of_scope(&f), *kept = g_strconcat(path, ".kept", NULL);
    g_assert_cmpint(g_rename(path, kept), ==, 0);
    g_assert_true(is_found(&f, "key-files"));
    g_assert_false(is_found(&f, "key-missing")); /* it is still known */
    g_assert_cmpint(g_rename(kept, path), ==, 0);
    g_assert_false(is_found(&f, "key-files"));

    g_autofree char *name = g_path_get_basename(path),
                    *within = g_build_filename("keys", name, NULL);
    leave(&f, within); /* something else by that name */
    g_assert_true(is_found(&f, "key-files"));
    service_close(&f);
    g_assert_cmpint(g_remove(path), ==, 0);
    service_open(&f);
    g_assert_true(is_found(&f, "key-missing"));
    SyncdState state;
    syncd_service_state(f.service, &state);
    g_assert_cmpstr(state.state, ==, "repair-recommended");
    g_assert_true(g_strv_contains(state.reasons, "key-missing"));
    g_autoptr(GError) error = NULL;
    g_autofree char *report = syncd_service_health(f.service, &f.caller, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"status\":\"degraded\""));
    /* Whoever explains the report tells of it, too. */
    g_assert_nonnull(strstr(report, "{\"code\":\"key-missing\",\"severity\":\"critical\","));
    service_clear(&f);
}

static void expect_restart(ServiceFixture *f, const char *manager, const char *expected)
{
    if (manager != NULL)
        syncd_service_begin_run(
            f->service, &(SyncdProcess){.pid = 4242,
                                        .manager = manager,
                                        .command = "sourceos-syncd daemon --user --state-dir=/s"});
    g_autofree char *report = syncd_service_describe_diagnosis(f->service, &f->caller,
                                                               &(SyncdDiagnoseOptions){0}),
                    *next = g_strdup_printf("\"next\":\"%s\"", expected);
    g_assert_nonnull(strstr(report, "\"code\":\"key-missing\""));
    g_assert_nonnull(strstr(report, next));
}

/* Before that the keys are put back. */
static void who_began_the_daemon_restarts_it(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *keys_back = g_strdup_printf("install -d -m 700 '%s/keys' && cp -np "
                                                 "BACKUP/keys/* '%s/keys' && ",
                                                 f.base.directory, f.base.directory),
                    *by_systemd =
                        g_strconcat(keys_back, "systemctl --user restart sourceos-syncd", NULL),
                    *by_hand = g_strconcat(keys_back,
                                           "(kill 4242; tail --pid=4242 -f /dev/null; "
                                           "sourceos-syncd daemon --user --state-dir=/s)",
                                           NULL);
    g_free(enqueue_body(&f, "note-1", "{}"));
    g_autofree char *path = key_of_scope(&f);
    service_close(&f);
    g_assert_cmpint(g_remove(path), ==, 0);
    service_open(&f);
    expect_restart(&f, NULL, by_systemd);
    expect_restart(&f, "systemd", by_systemd);
    expect_restart(&f, "manual", by_hand);
    service_clear(&f);
}

/* Whichever instance that is: a shell may have begun the machine's, too. */
static void of_the_machine_as_well(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.inspector = true;
    g_autofree char *back =
                        g_strdup_printf("sudo install -o %u -d -m 700 '%s/keys' && sudo cp -np "
                                        "BACKUP/keys/* '%s/keys' && ",
                                        (unsigned)geteuid(), f.base.directory, f.base.directory),
                    *by_systemd = g_strconcat(back, "systemctl restart sourceos-syncd", NULL),
                    *by_hand = g_strconcat(back,
                                           "(kill 4242; tail --pid=4242 -f /dev/null; "
                                           "sourceos-syncd daemon --user --state-dir=/s)",
                                           NULL);
    g_free(enqueue_body(&f, "note-1", "{}"));
    g_autofree char *path = key_of_scope(&f);
    service_close(&f);
    g_assert_cmpint(g_remove(path), ==, 0);
    service_open(&f);
    expect_restart(&f, "systemd", by_systemd);
    expect_restart(&f, "manual", by_hand);
    service_clear(&f);
}

/* What holds something else is set aside, and nothing of it is lost before a restart. */
static void a_key_file_that_holds_something_else_gives_its_place(void)
{
    ServiceFixture f;
    service_init(&f);
    g_free(enqueue_body(&f, "note-1", "{}"));
    g_autofree char *path = key_of_scope(&f), *name = g_path_get_basename(path),
                    *within = g_build_filename("keys", name, NULL),
                    *next = g_strdup_printf("mv -n '%s' '%s'.other && cp -np BACKUP/%s '%s'", path,
                                            path, within, path),
                    *restarts =
                        g_strconcat(next, " && systemctl --user restart sourceos-syncd", NULL);
    leave(&f, within);
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_autofree char *told = syncd_found_next(find(found, "key-files"), &(SyncdFoundView){0});
    g_assert_cmpstr(told, ==, next);
    service_close(&f);
    service_open(&f);
    g_autoptr(GPtrArray) then = syncd_service_diagnose(f.service);
    static const char *const codes[] = {"key-files", "key-missing"};
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_autofree char *said = syncd_found_next(find(then, codes[i]), &(SyncdFoundView){0});
        g_assert_cmpstr(said, ==, restarts);
    }
    service_clear(&f);
}

/* ---- the index ---- */

static void damage_index(ServiceFixture *f, const char *sql)
{
    g_autofree char *path = g_build_filename(f->base.directory, "index.db", NULL);
    run_raw(path, sql);
}

static void check_index(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    const SyncdVerifyOptions options = {.mode = SYNCD_VERIFY_FULL, .index = true};
    SyncdJob *job = NULL;
    syncd_service_verify_with(f->service, &f->caller, &options, &job, &error);
    g_assert_no_error(error);
    run_jobs(f);
    g_assert_cmpstr(syncd_job_state(job), ==, "done");
}

static void an_index_that_does_not_add_up_is_found_by_a_deep_check(void)
{
    static const struct {
        const char *sql, *what;
    } drifts[] = {
        {"UPDATE tally SET count = count + 1 WHERE kind = (SELECT min(kind) FROM tally)",
         "kind-counts: 1 row is wrong"},
        {"UPDATE lane_count SET count = count + 3 WHERE counter = 0",
         "lane-counts: 1 row is wrong"},
        {"UPDATE task SET adds = 0", "lane-adds: 1 row is wrong"},
        {"DELETE FROM object", "lane-objects: 1 row is wrong"},
        {"UPDATE task SET waits = 1", "waits: 1 row is wrong"},
        {"UPDATE task SET blockers = 1", "waits: 1 row is wrong"},
        {"UPDATE entry SET op = 'operation-x' WHERE pos = 2", "log: 1 row is wrong"},
        {"UPDATE entry SET object = 'x', ms = ms + 1 WHERE pos = 2", "log: 1 row is wrong"},
        {"UPDATE entry SET actor = kind", NULL},
        {"INSERT INTO name VALUES ('remote', 'x', 1, 999999)", "names: 1 row is wrong"},
        {"INSERT INTO dependency VALUES (999998, 999999)", "dependencies: 1 row is wrong"},
        {"INSERT INTO mismatch VALUES (5, 5, 0, 0, x'00')", "mismatches: 1 row is wrong"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(drifts); i++) {
        ServiceFixture f;
        service_init(&f);
        put(&f, "note-1", "{}");
        check_index(&f);
        assert_clean(&f);
        service_close(&f);
        damage_index(&f, drifts[i].sql);
        service_open(&f);
        assert_clean(&f); /* nobody has looked yet */
        check_index(&f);
        g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
        const SyncdFound *drift = find(found, "index-drift");
        g_assert_nonnull(drift);
        if (drifts[i].what != NULL)
            g_assert_cmpstr(drift->evidence->pdata[0], ==, drifts[i].what);
        g_assert_cmpstr(drift->target, ==, "index");
        service_clear(&f);
    }
}

/* It is mended at the start; that it had to be is told. */
static void an_index_that_is_lost_corrupt_or_newer_is_made_anew_and_told_of(void)
{
    static const char *const damages[] = {"", "not a database", NULL};
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        ServiceFixture f;
        service_init(&f);
        put(&f, "note-1", "{}");
        service_close(&f);
        g_autofree char *path = g_build_filename(f.base.directory, "index.db", NULL);
        if (damages[i] == NULL)
            damage_index(&f, "PRAGMA user_version = 99");
        else if (*damages[i] == '\0')
            g_assert_cmpint(g_remove(path), ==, 0);
        else
            g_file_set_contents_full(path, damages[i], -1, G_FILE_SET_CONTENTS_NONE, 0600, NULL);
        service_open(&f);
        g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
        const SyncdFound *remade = find(found, "index-remade");
        g_assert_nonnull(remade);
        g_assert_cmpuint(found->len, ==, 1);
        g_assert_false(syncd_finding_is_bad(remade->finding));
        service_clear(&f);
    }
}

/* ---- what repeats ---- */

static void failures_that_repeat_are_one_finding(void)
{
    ServiceFixture f;
    service_init(&f);
    for (unsigned i = 0; i < 3; i++)
        syncd_service_note_failure(f.service, "disk", "it failed");
    assert_clean(&f);
    for (unsigned i = 0; i < 7; i++)
        syncd_service_note_failure(f.service, "disk", "it failed");
    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    g_assert_cmpuint(found->len, ==, 1);
    const SyncdFound *storm = find(found, "storm");
    g_assert_nonnull(storm);
    g_assert_cmpuint(storm->count, ==, 10);
    g_assert_cmpstr(storm->evidence->pdata[0], ==, "it failed");
    service_clear(&f);
}

/* ---- in which order ---- */

/* Where each of them stands in the document. */
static gssize place_of(const char *document, const char *code)
{
    g_autofree char *member = g_strdup_printf("\"code\":\"%s\"", code);
    const char *at = strstr(document, member);
    g_assert_nonnull(at);
    return at - document;
}

static void what_is_worst_is_told_first(void)
{
    static const char *const worst_first[] = {"storm", "leftovers", "unchecked", "index-remade"};
    ServiceFixture f;
    const SyncdDiagnoseOptions options = {.deep = true};
    service_init(&f);
    put(&f, "note-1", "{}");
    service_close(&f);
    g_autofree char *path = g_build_filename(f.base.directory, "index.db", NULL);
    g_assert_cmpint(g_remove(path), ==, 0);
    service_open(&f);
    leave(&f, "index.db.new");
    for (unsigned i = 0; i < 10; i++)
        syncd_service_note_failure(f.service, "disk", "it failed");
    g_autofree char *diagnosis = syncd_service_describe_diagnosis(f.service, &f.caller, &options);
    g_test_message("%s", diagnosis);
    for (size_t i = 1; i < G_N_ELEMENTS(worst_first); i++)
        g_assert_cmpint(place_of(diagnosis, worst_first[i - 1]), <,
                        place_of(diagnosis, worst_first[i]));
    service_clear(&f);
}

/* ---- what others are told ---- */

static void who_may_not_inspect_is_not_told_what_it_is_about(void)
{
    ServiceFixture f;
    const SyncdCaller stranger = {.uid = OWNER + 1};
    const SyncdDiagnoseOptions options = {.deep = false};
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    g_autoptr(SyncdFound) found = syncd_found_new("workspace-asks", "workspace", "workspace:secret",
                                                  "reason", "a secret", NULL);
    found->object = g_strdup("root-secret");
    found->target = g_strdup("secret");
    syncd_found_evidence(found, g_strdup("secret evidence"));
    const SyncdFoundView view = {.of_system = true, .hidden = true};
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_found_write(found, &view, &writer);
    g_assert_null(strstr(text->str, "secret"));
    assert_member(text->str, "code", "\"workspace-asks\"");
    assert_member(text->str, "next", "\"sourceos-syncd --system doctor --all\"");

    g_autofree char *diagnosis = syncd_service_describe_diagnosis(f.service, &stranger, &options);
    assert_member(diagnosis, "instance", "\"system\"");
    assert_member(diagnosis, "findings", "[]");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/diagnose/nothing-is-found-where-nothing-is-wrong",
                    nothing_is_found_where_nothing_is_wrong);
    g_test_add_func("/diagnose/damage-of-the-log-is-known-until-all-of-it-is-sound",
                    damage_of_the_log_is_known_until_all_of_it_is_sound);
    g_test_add_func("/diagnose/what-others-may-read-is-found", what_others_may_read_is_found);
    g_test_add_func("/diagnose/what-is-half-done-is-found", what_is_half_done_is_found);
    g_test_add_func("/diagnose/how-it-ended-is-not-asked-without-a-journal",
                    how_it_ended_is_not_asked_without_a_journal);
    g_test_add_func("/diagnose/that-it-did-not-end-cleanly-is-found-until-the-log-is-verified",
                    that_it_did_not_end_cleanly_is_found_until_the_log_is_verified);
    g_test_add_func("/diagnose/a-key-that-is-gone-is-told-of-before-it-is-lost-and-after",
                    a_key_that_is_gone_is_told_of_before_it_is_lost_and_after);
    g_test_add_func("/diagnose/who-began-the-daemon-restarts-it", who_began_the_daemon_restarts_it);
    g_test_add_func("/diagnose/of-the-machine-as-well", of_the_machine_as_well);
    g_test_add_func("/diagnose/a-key-file-that-holds-something-else",
                    a_key_file_that_holds_something_else_gives_its_place);
    g_test_add_func("/diagnose/an-index-that-does-not-add-up-is-found-by-a-deep-check",
                    an_index_that_does_not_add_up_is_found_by_a_deep_check);
    g_test_add_func("/diagnose/an-index-that-is-lost-corrupt-or-newer-is-made-anew-and-told-of",
                    an_index_that_is_lost_corrupt_or_newer_is_made_anew_and_told_of);
    g_test_add_func("/diagnose/failures-that-repeat-are-one-finding",
                    failures_that_repeat_are_one_finding);
    g_test_add_func("/diagnose/what-is-worst-is-told-first", what_is_worst_is_told_first);
    g_test_add_func("/diagnose/who-may-not-inspect-is-not-told-what-it-is-about",
                    who_may_not_inspect_is_not_told_what_it_is_about);
    return g_test_run();
}
