/*
 * Whatever a text says, a reply with it can be sent and read.
 */
#include "bus-message.h"

#include "base/json.h"
#include "bus/sendable.h"

#include <stdbool.h>
#include <string.h>

#define FFFE "\xef\xbf\xbe"
#define FFFF "\xef\xbf\xbf"
#define FDD0 "\xef\xb7\x90"
#define FDEF "\xef\xb7\xaf"
#define PLANE_1 "\xf0\x9f\xbf\xbe"
#define PLANE_16 "\xf4\x8f\xbf\xbf"

static const struct {
    const char *text, *sent; /* NULL: as it is */
} texts[] = {
    {"", NULL},
    {"name", NULL},
    {"\x01\n\\u0000", NULL},
    {"\xc3\xa9\xef\xbf\xbd\xf0\x9f\x92\xbe", NULL},
    {"\xef\xb7\x8f\xef\xb7\xb0", NULL}, /* U+FDCF, U+FDF0 */
    {"a" FFFE, "a\\ufffe"},
    {FFFF "b" FFFF, "\\uffffb\\uffff"},
    {FDD0 FDEF, "\\ufdd0\\ufdef"},
    {PLANE_1, "\\ud83f\\udffe"},
    {PLANE_16, "\\udbff\\udfff"},
    {"a\xff", "a\xef\xbf\xbd"},
    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
    {"cut \xef\xbf", "cut \xef\xbf\xbd\xef\xbf\xbd"},
};

static void every_text_can_be_sent(void)
{
    Bus bus;
    bus_init(&bus);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        const char *read = NULL;
        g_autofree char *sendable = syncd_sendable(texts[i].text);
        g_assert_cmpstr(sendable, ==, texts[i].sent != NULL ? texts[i].sent : texts[i].text);
        g_assert_true(syncd_is_sendable(texts[i].text) == (texts[i].sent == NULL));
        g_assert_true(syncd_is_sendable(sendable));
        sd_bus_message *message = bus_message(&bus, "s", sendable);
        g_assert_cmpint(sd_bus_message_read_basic(message, 's', &read), >, 0);
        g_assert_cmpstr(read, ==, sendable);
        sd_bus_message_unref(message);
    }
    bus_clear(&bus);
}

/* The check is the one that libsystemd makes. */
static void what_is_not_sendable_is_refused(void)
{
    Bus bus;
    bus_init(&bus);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        sd_bus_message *message = NULL;
        g_assert_cmpint(
            sd_bus_message_new_method_call(bus.connection, &message, "a.b", "/a", "a.b", "M"), >=,
            0);
        int r = sd_bus_message_append(message, "s", texts[i].text);
        g_assert_true((r >= 0) == syncd_is_sendable(texts[i].text));
        sd_bus_message_unref(message);
    }
    bus_clear(&bus);
}

/* Texts are looked at by words: what cannot be sent is found at every place of one, and after. */
static void what_is_not_sendable_is_found_wherever_it_stands(void)
{
    static const char *const refused[] = {FFFE, FDD0, "\xff", "\xed\xa0\x80"};
    for (size_t i = 0; i < G_N_ELEMENTS(refused); i++) {
        for (unsigned before = 0; before < 20; before++) {
            for (unsigned after = 0; after < 20; after++) {
                g_autofree char *text =
                    g_strdup_printf("%*s%s%*s", (int)before, "", refused[i], (int)after, "");
                g_assert_false(syncd_is_sendable(text));
                g_assert_true(syncd_is_sendable(text + before + strlen(refused[i])));
            }
        }
    }
}

static void a_document_stays_the_same_one(void)
{
    static const char document[] = "{\"a" FFFE "\":\"" PLANE_1 "\"}";
    g_autofree char *sendable = syncd_sendable(document);
    g_assert_true(syncd_json_check(sendable, strlen(sendable), SYNCD_JSON_MUST_BE_OBJECT, NULL));
    g_autofree char *value = syncd_json_dup_text(
        syncd_json_member(syncd_json_root(sendable, strlen(sendable)), "a" FFFE));
    g_assert_cmpstr(value, ==, PLANE_1);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sendable/every-text-can-be-sent", every_text_can_be_sent);
    g_test_add_func("/sendable/what-is-not-sendable-is-refused", what_is_not_sendable_is_refused);
    g_test_add_func("/sendable/what-is-not-sendable-is-found-wherever-it-stands",
                    what_is_not_sendable_is_found_wherever_it_stands);
    g_test_add_func("/sendable/a-document-stays-the-same-one", a_document_stays_the_same_one);
    return g_test_run();
}
