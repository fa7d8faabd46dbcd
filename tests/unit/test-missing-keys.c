/*
 * Keys that are gone: it is found also when the index was made without them, it is said how much
 * cannot be opened any more, and who writes is told so. What looks as if it were not there is not
 * made a second time, and everything is back when the key is.
 */
#include "diagnose-fixture.h"
#include "keys-fixture.h"
#include "state-files.h"

#include "crypto/sign.h"
#include "service/explain.h"
#include "service/health.h"
#include "service/hindrance.h"
#include "service/internal.h"
#include "service/repair.h"
#include "store/missing-keys.h"

#include <string.h>

static void lose_index(const ServiceFixture *f)
{
    static const char *const names[] = {"index.db", "index.db-wal"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(f->base.directory, names[i], NULL);
        g_remove(path);
    }
}

static void reopen_without(ServiceFixture *f, bool (*is_it)(const char *text, void *data),
                           char **ret_path)
{
    service_close(f);
    *ret_path = take_key_away(f, is_it, NULL);
    lose_index(f);
    service_open(f);
}

/* An index that was made without it is made anew, once. */
static void comes_back(ServiceFixture *f, const char *path, bool remade)
{
    service_close(f);
    put_back(path);
    service_open(f);
    g_assert_true(is_found(f, "index-remade") == remade);
    service_close(f);
    service_open(f);
    assert_clean(f);
    put(f, "note-3", "{}");
}

static void expect_refused(ServiceFixture *f, const SyncdRequest *request, const char *names)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    g_assert_false(syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_INITIALIZED);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, "key"));
    g_assert_nonnull(strstr(error->message, names));
    g_assert_nonnull(strstr(error->message, "doctor"));
    g_assert_nonnull(strstr(syncd_hindrance(error), "folder keys"));
}

/* Whoever hears of it in a list hears of the key, and not of a directory. */
static void an_entry_that_no_key_opens_is_no_directory_that_is_gone(void)
{
    g_autoptr(GError) error = NULL, gone = NULL;
    syncd_store_refuse_keyless(&error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(syncd_hindrance(error), "folder keys"));
    syncd_set_error(&gone, SYNCD_ERROR_NOT_FOUND, "Its directory was moved or deleted");
    g_assert_nonnull(strstr(syncd_hindrance(gone), "directory was moved"));
}

/* What is there and cannot be had is not said to be nowhere. */
static void expect_sealed(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *record =
        syncd_service_get_operation(f->service, &f->caller, operation, &error);
    g_assert_null(record);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_true(g_str_has_prefix(error->message, "The key that opens this entry is not here"));
    g_assert_nonnull(strstr(error->message, "put the folder keys/ of the state directory back from "
                                            "a backup and restart the daemon"));
    g_assert_true(syncd_store_is_for_want_of_a_key(error));
}

/* Nothing brings a key back: no plan says that it does, also where there is one for other things.
 */
static void expect_no_plan(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdRepairPlan *plan = NULL;
    g_assert_false(syncd_service_plan_repair(f->service, &f->caller, NULL, &plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_assert_nonnull(strstr(error->message, "Nothing that is found can be mended by a plan"));
    g_assert_nonnull(strstr(error->message, "`sourceos-syncd doctor`"));
    g_clear_error(&error);
    state_set_mode(f, "journal.db", 0640);
    syncd_service_plan_repair(f->service, &f->caller, NULL, &plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(syncd_repair_plan_text(plan), "\"file-modes\""));
    g_assert_null(strstr(syncd_repair_plan_text(plan), "key"));
    state_set_mode(f, "journal.db", 0600);
}

/* Keys come first, and then a restart. */
static void expect_explained(ServiceFixture *f, const char *object)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = syncd_service_explain(f->service, &f->caller, object, &error),
                    *next = g_strdup_printf("\"next\":\"install -d -m 700 '%s/keys' && cp -np "
                                            "BACKUP/keys/* '%s/keys' && systemctl --user restart "
                                            "sourceos-syncd\"",
                                            f->base.directory, f->base.directory);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(text, next));
    g_assert_null(strstr(text, "\"next\":\"systemctl"));
}

static void expect_state(ServiceFixture *f, const char *reason)
{
    g_autoptr(GError) error = NULL;
    SyncdState state;
    syncd_service_state(f->service, &state);
    g_assert_cmpstr(state.state, ==, "repair-recommended");
    g_assert_true(g_strv_contains(state.reasons, reason));
    g_autofree char *report = syncd_service_health(f->service, &f->caller, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(report, "\"status\":\"unsafe\""));
}

static void the_key_of_the_own_scope_and_the_index_are_gone(void)
{
    ServiceFixture f;
    g_autofree char *path = NULL;
    service_init(&f);
    put(&f, "note-1", "{}");
    guint64 own = syncd_store_sequence(f.service->store) - 2; /* but that and its feed's first */
    g_autofree char *device = g_strdup(syncd_store_device_id(f.service->store));
    reopen_without(&f, is_of_device_scope, &path);

    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *missing = find(found, "key-missing");
    g_assert_nonnull(missing);
    g_assert_cmpuint(missing->count, ==, own);
    g_assert_cmpstr(missing->object, ==, device);
    g_assert_nonnull(strstr(missing->evidence->pdata[0], "registered"));
    expect_state(&f, "key-missing");
    SyncdRequest request = good_request();
    expect_refused(&f, &request, device);

    comes_back(&f, path, true);
    service_clear(&f);
}

static void the_key_of_another_scope_and_the_index_are_gone(void)
{
    ServiceFixture f;
    g_autofree char *path = NULL;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    put(&f, "note-2", "{}");
    reopen_without(&f, is_of_another_scope, &path);

    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *missing = find(found, "key-missing");
    g_assert_nonnull(missing);
    g_assert_cmpuint(missing->count, ==, 3);
    g_assert_true(g_str_has_prefix(missing->object, "workspace-"));
    expect_state(&f, "key-missing");
    expect_sealed(&f, operation);
    expect_explained(&f, "note-1");
    expect_no_plan(&f);
    /* It is not opened a second time, and no other one, as it might be that. */
    SyncdRequest request = good_request();
    expect_refused(&f, &request, missing->object);
    request.create_scope = false;
    expect_refused(&f, &request, missing->object);
    request.scope = "workspace:others";
    request.create_scope = true;
    expect_refused(&f, &request, missing->object);
    /* Where nothing is hidden it goes on. */
    request.scope = "device";
    g_free(enqueue_committed(&f, &request));

    comes_back(&f, path, true);
    g_assert_cmpuint(count_events(&f, "sync.operation.enqueued"), ==, 4);
    service_clear(&f);
}

static void the_key_of_the_device_is_gone(void)
{
    ServiceFixture f;
    g_autofree char *path = NULL;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{\"a\":1}");
    guint64 sequence = service_sequence(&f);
    reopen_without(&f, is_of_device, &path);

    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *missing = find(found, "device-key-missing");
    g_assert_nonnull(missing);
    g_assert_cmpuint(missing->count, ==, sequence);
    g_assert_null(find(found, "journal-corrupt"));
    expect_state(&f, "device-key-missing");
    expect_explained(&f, "note-1");
    expect_no_plan(&f);
    SyncdRequest request = good_request();
    expect_refused(&f, &request, "keys/device.key");
    /* What was is there, and holds. */
    g_autofree char *record = get(&f, operation);
    g_assert_nonnull(strstr(record, "note-1"));
    verify_all(&f);
    g_assert_cmpuint(service_sequence(&f), ==, sequence);

    comes_back(&f, path, false);
    service_clear(&f);
}

/* ---- one that is there ---- */

static void make_garbage(const char *path)
{
    g_assert_true(g_file_set_contents(path, "This was a key once.", -1, NULL));
}

static void make_folder(const char *path)
{
    g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
}

static void make_loop(const char *path)
{
    g_assert_cmpint(symlink("device.key.kept", path), ==, 0);
}

static void make_pipe(const char *path)
{
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
}

/* A bit of what it holds: a key, but not that of the log. */
static void make_flipped(const char *path)
{
    g_autofree char *kept = g_strconcat(path, ".kept", NULL), *text = NULL;
    g_assert_true(g_file_get_contents(kept, &text, NULL, NULL));
    char *data = strstr(text, "Data=") + strlen("Data=");
    data[2] = data[2] == 'A' ? 'B' : 'A';
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static const struct {
    const char *name, *says;
    void (*make)(const char *path);
} of_no_use[] = {
    {"garbage", "device.key is damaged", make_garbage},
    {"folder", "is not a file of at most", make_folder},
    {"link", "Cannot open", make_loop},
    {"pipe", "is not a file of at most", make_pipe},
    {"flipped", "the key of another log", make_flipped},
};

static char *text_of(const SyncdFound *found)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_found_write((SyncdFound *)found, &(SyncdFoundView){.hidden = false}, &writer);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void the_key_of_the_device_is_of_no_use(void)
{
    for (size_t i = 0; i < G_N_ELEMENTS(of_no_use); i++) {
        g_test_message("%s", of_no_use[i].name);
        ServiceFixture f;
        service_init(&f);
        put(&f, "note-1", "{}");
        guint64 sequence = service_sequence(&f);
        service_close(&f);
        g_autofree char *path = take_key_away(&f, is_of_device, NULL);
        of_no_use[i].make(path);
        service_open(&f);

        g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
        const SyncdFound *missing = find(found, "device-key-missing");
        g_assert_nonnull(missing);
        g_autofree char *said = text_of(missing);
        g_assert_nonnull(strstr(said, of_no_use[i].says));
        g_assert_null(find(found, "journal-beyond-rescue"));
        g_assert_null(find(found, "journal-unreadable"));
        expect_state(&f, "device-key-missing");
        verify_all(&f);
        g_assert_cmpuint(service_sequence(&f), ==, sequence);

        service_close(&f);
        g_assert_cmpint(g_remove(path), ==, 0);
        put_back(path);
        service_open(&f);
        assert_clean(&f);
        put(&f, "note-2", "{}");
        service_clear(&f);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/missing-keys/the-key-of-the-own-scope-and-the-index-are-gone",
                    the_key_of_the_own_scope_and_the_index_are_gone);
    g_test_add_func("/missing-keys/the-key-of-another-scope-and-the-index-are-gone",
                    the_key_of_another_scope_and_the_index_are_gone);
    g_test_add_func("/missing-keys/an-entry-that-no-key-opens-is-no-directory-that-is-gone",
                    an_entry_that_no_key_opens_is_no_directory_that_is_gone);
    g_test_add_func("/missing-keys/the-key-of-the-device-is-gone", the_key_of_the_device_is_gone);
    g_test_add_func("/missing-keys/the-key-of-the-device-is-of-no-use",
                    the_key_of_the_device_is_of_no_use);
    return g_test_run();
}
