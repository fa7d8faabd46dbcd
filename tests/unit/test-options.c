/* Options are heeded or refused; none is passed over. */
#include "bus-message.h"

#include "base/error.h"
#include "bus/options.h"

#include <stdbool.h>

typedef struct {
    const char *scope;
    guint32 limit;
    guint64 after;
    bool all;
    char **parents;
} Target;

static const SyncdOption options[] = {
    {"scope", SYNCD_OPTION_TEXT, offsetof(Target, scope)},
    {"limit", SYNCD_OPTION_NUMBER, offsetof(Target, limit)},
    {"after", SYNCD_OPTION_LARGE, offsetof(Target, after)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(Target, all)},
    {"parents", SYNCD_OPTION_TEXTS, offsetof(Target, parents)},
};

static bool read_options(sd_bus_message *message, Target *target, GError **error)
{
    return syncd_options_read(message, options, G_N_ELEMENTS(options), target, error);
}

static void every_type_is_read(void)
{
    Bus bus;
    bus_init(&bus);
    Target target = {0};
    g_autoptr(GError) error = NULL;
    sd_bus_message *message =
        bus_message(&bus, "a{sv}", 5, "scope", "s", "device", "limit", "u", 7, "after", "t",
                    G_GUINT64_CONSTANT(1) << 40, "all", "b", 1, "parents", "as", 2, "one", "two");
    g_assert_true(read_options(message, &target, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(target.scope, ==, "device");
    g_assert_cmpuint(target.limit, ==, 7);
    g_assert_cmpuint(target.after, ==, G_GUINT64_CONSTANT(1) << 40);
    g_assert_true(target.all);
    g_assert_cmpuint(g_strv_length(target.parents), ==, 2);
    g_assert_cmpstr(target.parents[1], ==, "two");
    g_strfreev(target.parents);
    sd_bus_message_unref(message);
    bus_clear(&bus);
}

static void what_is_not_given_keeps_its_value(void)
{
    Bus bus;
    bus_init(&bus);
    Target target = {.limit = 9, .all = true};
    sd_bus_message *message = bus_message(&bus, "a{sv}", 0);
    g_assert_true(read_options(message, &target, NULL));
    g_assert_cmpuint(target.limit, ==, 9);
    g_assert_true(target.all);
    g_assert_null(target.scope);
    sd_bus_message_unref(message);
    bus_clear(&bus);
}

static void an_empty_list_was_given(void)
{
    Bus bus;
    bus_init(&bus);
    Target target = {0};
    sd_bus_message *message = bus_message(&bus, "a{sv}", 1, "parents", "as", 0);
    g_assert_true(read_options(message, &target, NULL));
    g_assert_nonnull(target.parents);
    g_assert_null(target.parents[0]);
    g_strfreev(target.parents);
    sd_bus_message_unref(message);
    bus_clear(&bus);
}

static void refuses(sd_bus_message *message, const char *part)
{
    Target target = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(read_options(message, &target, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_ARGS);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_nonnull(strstr(error->message, "Next: "));
    g_strfreev(target.parents);
    sd_bus_message_unref(message);
}

static void an_unknown_option_is_refused_with_the_known(void)
{
    Bus bus;
    bus_init(&bus);
    refuses(bus_message(&bus, "a{sv}", 1, "limits", "u", 1), "\"limits\" is unknown");
    refuses(bus_message(&bus, "a{sv}", 1, "limits", "u", 1), "scope, limit, after, all, parents");
    refuses(bus_message(&bus, "a{sv}", 1, "", "u", 1), "\"\" is unknown");
    bus_clear(&bus);
}

static void a_wrong_type_is_refused(void)
{
    Bus bus;
    bus_init(&bus);
    refuses(bus_message(&bus, "a{sv}", 1, "limit", "s", "7"), "type s; it must be a number (u)");
    refuses(bus_message(&bus, "a{sv}", 1, "limit", "t", G_GUINT64_CONSTANT(7)), "type t");
    refuses(bus_message(&bus, "a{sv}", 1, "all", "i", 1), "true or false (b)");
    refuses(bus_message(&bus, "a{sv}", 1, "parents", "s", "one"), "a list of texts (as)");
    refuses(bus_message(&bus, "a{sv}", 1, "scope", "as", 1, "device"), "type as");
    refuses(bus_message(&bus, "a{sv}", 1, "scope", "v", "s", "device"), "type v");
    bus_clear(&bus);
}

static void an_option_given_twice_is_refused(void)
{
    Bus bus;
    bus_init(&bus);
    refuses(bus_message(&bus, "a{sv}", 2, "limit", "u", 1, "limit", "u", 1), "given twice");
    refuses(bus_message(&bus, "a{sv}", 2, "parents", "as", 1, "one", "parents", "as", 0),
            "given twice");
    bus_clear(&bus);
}

static void a_text_is_bounded(void)
{
    Bus bus;
    bus_init(&bus);
    Target target = {0};
    g_autofree char *longest = g_strnfill(SYNCD_TEXT_MAX, 'x');
    g_autofree char *longer = g_strnfill(SYNCD_TEXT_MAX + 1, 'x');
    sd_bus_message *message = bus_message(&bus, "a{sv}", 1, "scope", "s", longest);
    g_assert_true(read_options(message, &target, NULL));
    sd_bus_message_unref(message);
    refuses(bus_message(&bus, "a{sv}", 1, "scope", "s", longer), "\"scope\" has more than");

    g_autofree char *half = g_strnfill(SYNCD_TEXTS_MAX / 2, 'x');
    refuses(bus_message(&bus, "a{sv}", 1, "parents", "as", 2, half, half),
            "\"parents\" has more than");
    bus_clear(&bus);
}

static void a_method_without_options_knows_none(void)
{
    Bus bus;
    bus_init(&bus);
    g_autoptr(GError) error = NULL;
    sd_bus_message *message = bus_message(&bus, "a{sv}", 1, "limit", "u", 1);
    g_assert_false(syncd_options_read(message, NULL, 0, NULL, &error));
    g_assert_nonnull(strstr(error->message, "known are: none"));
    sd_bus_message_unref(message);
    bus_clear(&bus);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/options/every-type-is-read", every_type_is_read);
    g_test_add_func("/options/what-is-not-given-keeps-its-value",
                    what_is_not_given_keeps_its_value);
    g_test_add_func("/options/an-empty-list-was-given", an_empty_list_was_given);
    g_test_add_func("/options/an-unknown-option-is-refused-with-the-known",
                    an_unknown_option_is_refused_with_the_known);
    g_test_add_func("/options/a-wrong-type-is-refused", a_wrong_type_is_refused);
    g_test_add_func("/options/an-option-given-twice-is-refused", an_option_given_twice_is_refused);
    g_test_add_func("/options/a-text-is-bounded", a_text_is_bounded);
    g_test_add_func("/options/a-method-without-options-knows-none",
                    a_method_without_options_knows_none);
    return g_test_run();
}
