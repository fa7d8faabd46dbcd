#include "base/error.h"

#include <errno.h>
#include <string.h>

static void table_is_complete_and_ordered(void)
{
    for (int code = SYNCD_ERROR_FAILED; code <= SYNCD_ERROR_INTERRUPTED; code++) {
        const SyncdErrorInfo *info = syncd_error_info((SyncdErrorCode)code);
        g_assert_cmpint((int)info->code, ==, code);
        g_assert_nonnull(info->name);
        g_assert_nonnull(info->next);
        g_assert_false(g_str_has_suffix(info->next, "."));
        if (info->dbus_name != NULL)
            g_assert_true(syncd_error_info_by_dbus_name(info->dbus_name) == info);
    }
    g_assert_null(syncd_error_info_by_dbus_name("org.example.Error.Unknown"));
}

static void message_carries_the_next_step(void)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error(&error, SYNCD_ERROR_NOT_FOUND, "No operation %s", "op-1");
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);

    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(error->message, &sentence, &next);
    g_assert_cmpstr(sentence, ==, "No operation op-1.");
    g_assert_cmpstr(
        next, ==,
        "check the name; `sourceos-syncd ops list` and `sourceos-syncd events list` show "
        "what there is.");
}

static void full_disk_has_its_own_code(void)
{
    g_autoptr(GError) full = NULL, other = NULL;
    syncd_set_error_errno(&full, SYNCD_ERROR_STORAGE_FAILED, ENOSPC, "Cannot write");
    g_assert_error(full, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
    syncd_set_error_errno(&other, SYNCD_ERROR_STORAGE_FAILED, EIO, "Cannot write");
    g_assert_error(other, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_nonnull(strstr(other->message, "check the disk"));
}

static void a_right_that_is_missing_is_no_fault_of_the_disk(void)
{
    g_autoptr(GError) error = NULL;
    syncd_set_error_errno(&error, SYNCD_ERROR_STORAGE_FAILED, EACCES, "Cannot write");
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_STORAGE_FAILED);
    g_assert_nonnull(strstr(error->message, "whom it belongs to"));
}

static void foreign_errors_are_failures(void)
{
    g_autoptr(GError) error = g_error_new(G_FILE_ERROR, G_FILE_ERROR_IO, "no");
    g_assert_cmpint((int)syncd_error_info_of(error)->code, ==, SYNCD_ERROR_FAILED);
    g_autofree char *sentence = NULL, *next = NULL;
    syncd_error_split(error->message, &sentence, &next);
    g_assert_cmpstr(sentence, ==, "no");
    g_assert_null(next);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/error/table-is-complete-and-ordered", table_is_complete_and_ordered);
    g_test_add_func("/error/message-carries-the-next-step", message_carries_the_next_step);
    g_test_add_func("/error/a-right-that-is-missing-is-no-fault-of-the-disk",
                    a_right_that_is_missing_is_no_fault_of_the_disk);
    g_test_add_func("/error/full-disk-has-its-own-code", full_disk_has_its_own_code);
    g_test_add_func("/error/foreign-errors-are-failures", foreign_errors_are_failures);
    return g_test_run();
}
