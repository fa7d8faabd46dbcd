/*
 * Keys that are gone: it is found also when the index was made without them, it is said how much
 * cannot be opened any more, and who writes is told so. What looks as if it were not there is not
 * made a second time, and everything is back when the key is.
 */
#include "diagnose-fixture.h"

#include "crypto/sign.h"
#include "service/health.h"
#include "service/hindrance.h"
#include "service/internal.h"
#include "store/missing-keys.h"

#include <string.h>

/* A key file, by what its text has; kept beside it. */
static char *take_key_away(const ServiceFixture *f, bool (*is_it)(const char *text, void *data),
                           void *data)
{
    g_autofree char *folder = g_build_filename(f->base.directory, "keys", NULL);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL), *text = NULL;
        g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
        if (!is_it(text, data))
            continue;
        g_autofree char *kept = g_strconcat(path, ".kept", NULL);
        g_assert_cmpint(g_rename(path, kept), ==, 0);
        return g_steal_pointer(&path);
    }
    g_assert_not_reached();
}

static void put_back(const char *path)
{
    g_autofree char *kept = g_strconcat(path, ".kept", NULL);
    g_assert_cmpint(g_rename(kept, path), ==, 0);
}

static bool is_of_device_scope(const char *text, void *data)
{
    return strstr(text, "Scope=device-") != NULL;
}

static bool is_of_another_scope(const char *text, void *data)
{
    return strstr(text, "Scope=workspace-") != NULL;
}

static bool is_of_device(const char *text, void *data)
{
    return strstr(text, "Type=device") != NULL;
}

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
    g_free(enqueue_body(&f, "note-1", "{}"));
    put(&f, "note-2", "{}");
    reopen_without(&f, is_of_another_scope, &path);

    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *missing = find(found, "key-missing");
    g_assert_nonnull(missing);
    g_assert_cmpuint(missing->count, ==, 3);
    g_assert_true(g_str_has_prefix(missing->object, "workspace-"));
    expect_state(&f, "key-missing");
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
    return g_test_run();
}
