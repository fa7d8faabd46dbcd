/* A configuration is heeded, or its mistakes are told with file and line. */
#include "daemon/configuration.h"

#include "base/error.h"

#include <glib/gstdio.h>
#include <string.h>

typedef struct {
    SyncdConfig config;
    GPtrArray *mistakes;
} Read;

static void read_init(Read *read)
{
    syncd_config_init(&read->config);
    read->mistakes = g_ptr_array_new_with_free_func(g_free);
}

static Read read_text(const char *text)
{
    Read read;
    read_init(&read);
    syncd_config_read_text(&read.config, "x.conf", text, read.mistakes);
    return read;
}

static void nothing_means_the_defaults(void)
{
    Read read = read_text("# a comment\n\n; another\n[Daemon]\n");
    g_assert_cmpuint(read.mistakes->len, ==, 0);
    g_assert_cmpint(read.config.log_level, ==, SYNCD_LOG_INFO);
    g_assert_cmpuint(read.config.reserve_mib, ==, 4);
    g_assert_cmpuint(read.config.calls_in_flight, ==, 256);
    g_autofree const char **automatic = syncd_config_automatic(&read.config);
    g_assert_cmpstr(automatic[0], ==, "index-rebuild");
    g_assert_null(automatic[1]);
    g_ptr_array_unref(read.mistakes);
}

static void every_key_is_heeded_and_the_last_assignment_counts(void)
{
    Read read = read_text("[Limits]\nCallsInFlight=2\nCallsInFlight = 3 \r\n"
                          "[Daemon]\nLogLevel=debug\n[Store]\n  ReserveMiB=0\n"
                          "[Repair]\nAutomatic=index-rebuild\nAutomatic=\n");
    g_assert_cmpuint(read.mistakes->len, ==, 0);
    g_assert_cmpint(read.config.log_level, ==, SYNCD_LOG_DEBUG);
    g_assert_cmpuint(read.config.reserve_mib, ==, 0);
    g_assert_cmpuint(read.config.calls_in_flight, ==, 3);
    g_assert_cmpuint(read.config.repair_automatic, ==, 0);
    g_ptr_array_unref(read.mistakes);
}

static void a_mistake_is_told_with_its_line_and_changes_nothing(void)
{
    static const struct {
        const char *text;
        const char *mistake;
    } cases[] = {
        {"[Daemon]\nLogLevel=loud\n", "x.conf:2: LogLevel must be"},
        {"[Limits]\n\nCallsInFlight=0\n", "x.conf:3: CallsInFlight must be a number from 1"},
        {"[Limits]\nCallsInFlight=-1\n", "x.conf:2: "},
        {"[Limits]\nCallsInFlight=99999999999999999999\n", "x.conf:2: "},
        {"[Limits]\nCallsInFlight=\n", "x.conf:2: "},
        {"[Limits]\nCalls=1\n", "x.conf:2: [Limits] has no key \"Calls\""},
        {"[Limit]\nCallsInFlight=1\n", "x.conf:1: there is no group [Limit]"},
        {"[]\n", "x.conf:1: there is no group []"},
        {"CallsInFlight=1\n", "x.conf:1: an assignment before the first group"},
        {"[Limits]\nCallsInFlight\n", "x.conf:2: neither"},
        {"[Limits\n", "x.conf:1: neither"},
        {"[Limits]\nCallsInFlight=\xff\n", "not UTF-8"},
        {"[Repair]\nAutomatic=index-rebuild all\n", "x.conf:2: Automatic must be names"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Read read = read_text(cases[i].text);
        g_assert_cmpuint(read.mistakes->len, ==, 1);
        g_assert_nonnull(strstr(read.mistakes->pdata[0], cases[i].mistake));
        g_assert_cmpuint(read.config.calls_in_flight, ==, 256);
        g_assert_cmpint(read.config.log_level, ==, SYNCD_LOG_INFO);
        g_ptr_array_unref(read.mistakes);
    }
}

static void what_is_written_reads_back_the_same(void)
{
    Read read = read_text("[Limits]\nCallsInFlight=17\n[Daemon]\nLogLevel=err\n");
    g_autofree char *text = syncd_config_to_text(&read.config);
    Read again = read_text(text);
    g_assert_cmpuint(again.mistakes->len, ==, 0);
    g_assert_cmpint(again.config.log_level, ==, SYNCD_LOG_ERROR);
    g_assert_cmpuint(again.config.calls_in_flight, ==, 17);
    g_ptr_array_unref(read.mistakes);
    g_ptr_array_unref(again.mistakes);
}

static void put(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void drop_ins_follow_the_file_in_the_order_of_their_names(void)
{
    g_autofree char *directory = g_dir_make_tmp("syncd-config-XXXXXX", NULL);
    g_autofree char *drop_ins = g_build_filename(directory, "syncd.conf.d", NULL);
    g_assert_cmpint(g_mkdir(drop_ins, 0700), ==, 0);
    put(directory, "syncd.conf", "[Limits]\nCallsInFlight=1\n[Store]\nReserveMiB=9\n");
    put(drop_ins, "20-b.conf", "[Limits]\nCallsInFlight=20\n");
    put(drop_ins, "10-a.conf", "[Limits]\nCallsInFlight=10\n[Daemon]\nLogLevel=debug\n");
    put(drop_ins, "30-c.conf.bak", "[Limits]\nCallsInFlight=30\n");
    put(drop_ins, ".40-d.conf", "[Limits]\nCallsInFlight=40\n");

    Read read;
    read_init(&read);
    syncd_config_read_directory(&read.config, directory, read.mistakes);
    g_assert_cmpuint(read.mistakes->len, ==, 0);
    g_assert_cmpuint(read.config.calls_in_flight, ==, 20);
    g_assert_cmpuint(read.config.reserve_mib, ==, 9);
    g_assert_cmpint(read.config.log_level, ==, SYNCD_LOG_DEBUG);
    g_ptr_array_unref(read.mistakes);

    static const char *const names[] = {
        "syncd.conf.d/20-b.conf",  "syncd.conf.d/10-a.conf", "syncd.conf.d/30-c.conf.bak",
        "syncd.conf.d/.40-d.conf", "syncd.conf.d",           "syncd.conf"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(directory, names[i], NULL);
        g_remove(path);
    }
    g_rmdir(directory);
}

static void a_missing_directory_is_no_mistake_but_a_missing_file_is(void)
{
    Read read;
    g_autoptr(GError) error = NULL;
    read_init(&read);
    syncd_config_read_directory(&read.config, "/nonexistent/sourceos", read.mistakes);
    g_assert_cmpuint(read.mistakes->len, ==, 0);
    g_assert_false(
        syncd_config_read_file(&read.config, "/nonexistent/sourceos.conf", read.mistakes, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    g_ptr_array_unref(read.mistakes);
}

static void a_file_without_end_is_refused(void)
{
    Read read;
    g_autoptr(GError) error = NULL;
    read_init(&read);
    g_assert_false(syncd_config_read_file(&read.config, "/dev/zero", read.mistakes, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_TOO_LARGE);
    g_ptr_array_unref(read.mistakes);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/configuration/nothing-means-the-defaults", nothing_means_the_defaults);
    g_test_add_func("/configuration/every-key-is-heeded-and-the-last-assignment-counts",
                    every_key_is_heeded_and_the_last_assignment_counts);
    g_test_add_func("/configuration/a-mistake-is-told-with-its-line-and-changes-nothing",
                    a_mistake_is_told_with_its_line_and_changes_nothing);
    g_test_add_func("/configuration/what-is-written-reads-back-the-same",
                    what_is_written_reads_back_the_same);
    g_test_add_func("/configuration/drop-ins-follow-the-file-in-the-order-of-their-names",
                    drop_ins_follow_the_file_in_the_order_of_their_names);
    g_test_add_func("/configuration/a-missing-directory-is-no-mistake-but-a-missing-file-is",
                    a_missing_directory_is_no_mistake_but_a_missing_file_is);
    g_test_add_func("/configuration/a-file-without-end-is-refused", a_file_without_end_is_refused);
    return g_test_run();
}
