#include "client/address.h"
#include "client/failure.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- errors ---- */

static void assert_failure(SyncdClientInstance instance, const char *name, const char *message,
                           SyncdErrorCode code, const char *sentence_part, const char *next_part)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *sentence = NULL;
    g_autofree char *next = NULL;
    syncd_client_set_bus_error(&error, instance, name, message);
    g_assert_error(error, SYNCD_ERROR, (int)code);
    syncd_error_split(error->message, &sentence, &next);
    g_assert_nonnull(strstr(sentence, sentence_part));
    g_assert_nonnull(strstr(next, next_part));
}

static void errors_keep_their_code_and_name_the_instance(void)
{
    assert_failure(SYNCD_CLIENT_USER, SYNCD_ERROR_PREFIX "NotFound",
                   "There is no operation op-1. Next: list them.", SYNCD_ERROR_NOT_FOUND,
                   "There is no operation op-1 (user instance).", "list them.");
    assert_failure(SYNCD_CLIENT_SYSTEM, "org.freedesktop.DBus.Error.AccessDenied", "No",
                   SYNCD_ERROR_ACCESS_DENIED, "No (system instance).", "administrator");
    assert_failure(SYNCD_CLIENT_USER, "com.example.Unheard", "Odd.", SYNCD_ERROR_FAILED,
                   "Odd (user instance).", "journalctl");
    assert_failure(SYNCD_CLIENT_USER, NULL, NULL, SYNCD_ERROR_FAILED, "(user instance)", "");
}

static void errors_of_the_bus_say_how_to_start_this_instance(void)
{
    static const char *const names[] = {
        "ServiceUnknown",   "NameHasNoOwner",      "NoServer",
        "Spawn.ExecFailed", "Spawn.FailedToSetup", "Spawn.ForkFailed"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = g_strconcat("org.freedesktop.DBus.Error.", names[i], NULL);
        assert_failure(SYNCD_CLIENT_USER, name, "x", SYNCD_ERROR_UNREACHABLE, "user instance",
                       "systemctl --user start");
        assert_failure(SYNCD_CLIENT_SYSTEM, name, "x", SYNCD_ERROR_UNREACHABLE, "system instance",
                       "systemctl start");
    }
    assert_failure(SYNCD_CLIENT_USER, "org.freedesktop.DBus.Error.NoReply", "x",
                   SYNCD_ERROR_UNREACHABLE, "did not answer", "idempotency key");
    static const char *const gone[] = {
        "Message recipient disconnected from message bus without replying",
        "Remote peer disconnected"};
    for (size_t i = 0; i < G_N_ELEMENTS(gone); i++)
        assert_failure(SYNCD_CLIENT_USER, "org.freedesktop.DBus.Error.NoReply", gone[i],
                       SYNCD_ERROR_UNREACHABLE, "ended before it answered", "idempotency key");
    assert_failure(SYNCD_CLIENT_USER, "org.freedesktop.DBus.Error.UnknownMethod", "x",
                   SYNCD_ERROR_FAILED, "another version", "restart");
}

/* ---- addresses ---- */

typedef struct {
    char *directory;
    char *file;
} Runtime;

static Runtime runtime_new(const char *text)
{
    Runtime runtime = {.directory = g_dir_make_tmp("syncd-XXXXXX", NULL)};
    runtime.file = g_build_filename(runtime.directory, "bus-address", NULL);
    if (text != NULL)
        g_assert_true(g_file_set_contents(runtime.file, text, -1, NULL));
    return runtime;
}

static void runtime_clear(Runtime *runtime)
{
    g_unlink(runtime->file);
    g_rmdir(runtime->directory);
    g_free(runtime->file);
    g_free(runtime->directory);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Runtime, runtime_clear)

static void assert_address(const Runtime *runtime, const char *wanted)
{
    g_autofree char *address = syncd_client_read_address_file(runtime->directory);
    g_assert_cmpstr(address, ==, wanted);
}

static void the_address_file_is_one_line(void)
{
    static const struct {
        const char *text;
        const char *address;
    } cases[] = {
        {"unix:path=/tmp/x\n", "unix:path=/tmp/x"},
        {"unix:path=/tmp/x", "unix:path=/tmp/x"},
        {"unix:path=/tmp/x\nunix:path=/tmp/y\n", "unix:path=/tmp/x"},
        {"", NULL},
        {"\n", NULL},
        {"unix:path=/tmp/\033x\n", NULL},
        {"unix:path=/tmp/a b\n", NULL},
        {NULL, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Runtime) runtime = runtime_new(cases[i].text);
        assert_address(&runtime, cases[i].address);
    }
    g_autofree char *long_text = g_strnfill(8192, 'a');
    g_auto(Runtime) runtime = runtime_new(long_text);
    assert_address(&runtime, NULL);
}

static void an_address_others_could_write_is_not_believed(void)
{
    g_auto(Runtime) runtime = runtime_new("unix:path=/tmp/x\n");
    assert_address(&runtime, "unix:path=/tmp/x");

    g_assert_cmpint(g_chmod(runtime.directory, 0755), ==, 0);
    assert_address(&runtime, NULL);
    g_assert_cmpint(g_chmod(runtime.directory, 0700), ==, 0);

    g_assert_cmpint(g_chmod(runtime.file, 0622), ==, 0);
    assert_address(&runtime, NULL);
    g_assert_cmpint(g_chmod(runtime.file, 0600), ==, 0);
    assert_address(&runtime, "unix:path=/tmp/x");

    g_autofree char *link = g_strconcat(runtime.directory, "-link", NULL);
    g_assert_cmpint(symlink(runtime.directory, link), ==, 0);
    g_autofree char *through_link = syncd_client_read_address_file(link);
    g_assert_null(through_link);
    g_unlink(link);

    /* A FIFO would keep whoever opens it waiting. */
    g_unlink(runtime.file);
    g_assert_cmpint(mkfifo(runtime.file, 0600), ==, 0);
    assert_address(&runtime, NULL);
}

static void buses_are_tried_in_order(void)
{
    g_auto(Runtime) runtime = runtime_new(NULL);
    g_autofree char *directory = g_build_filename(runtime.directory, "sourceos-syncd", NULL);
    g_autofree char *file = g_build_filename(directory, "bus-address", NULL);
    g_assert_cmpint(g_mkdir(directory, 0700), ==, 0);
    g_assert_true(g_file_set_contents(file, "unix:path=/private\n", -1, NULL));
    g_setenv("XDG_RUNTIME_DIR", runtime.directory, TRUE);
    g_setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path=/given", TRUE);

    g_auto(GStrv) addresses = syncd_client_addresses(SYNCD_CLIENT_USER);
    g_assert_cmpuint(g_strv_length(addresses), ==, 3);
    g_assert_cmpstr(addresses[0], ==, "unix:path=/given");
    g_assert_true(g_str_has_suffix(addresses[1], "/bus"));
    g_assert_cmpstr(addresses[2], ==, "unix:path=/private");

    g_unsetenv("DBUS_SESSION_BUS_ADDRESS");
    g_setenv("XDG_RUNTIME_DIR", "/no such place", TRUE);
    g_auto(GStrv) escaped = syncd_client_addresses(SYNCD_CLIENT_USER);
    g_assert_cmpstr(escaped[0], ==, "unix:path=/no%20such%20place/bus");
    g_assert_null(escaped[1]);
    g_unlink(file);
    g_rmdir(directory);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/client/errors/codes", errors_keep_their_code_and_name_the_instance);
    g_test_add_func("/client/errors/bus", errors_of_the_bus_say_how_to_start_this_instance);
    g_test_add_func("/client/address/file", the_address_file_is_one_line);
    g_test_add_func("/client/address/trust", an_address_others_could_write_is_not_believed);
    g_test_add_func("/client/address/order", buses_are_tried_in_order);
    return g_test_run();
}
