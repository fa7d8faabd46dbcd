/*
 * What is known to be damaged or lost is in a file: however much it is, the next start reads it.
 */
#include "repair-fixture.h"

#include "service/damage.h"
#include "store/verify.h"

#include <string.h>

#define KNOWN_LOST 1800u
#define DETAIL 4500u /* of a state directory that lies deep */

static void add(GString *text, const char *code, guint i, const char *detail)
{
    g_string_append_printf(text,
                           "%s{\"code\":\"%s\",\"error\":\"\",\"feed\":\"\",\"seq\":-1,"
                           "\"pos\":%u,\"detail\":\"%u%s\"}",
                           i > 0 ? "," : "", code, i, i, detail);
}

static void write_damage(const ServiceFixture *f, guint lost, size_t size)
{
    g_autofree char *detail = g_strnfill(size, 'x');
    g_autoptr(GString) text = g_string_new("{\"findings\":[");
    for (guint i = 0; i < SYNCD_VERIFY_MAX_FINDINGS; i++)
        add(text, "content", i, detail);
    g_string_append(text, "],\"losses\":[");
    for (guint i = 0; i < lost; i++)
        add(text, "content-lost", i, detail);
    g_string_append(text, "]}");
    state_write(f, "damage.json", text->str, (gssize)text->len);
}

static void what_was_given_up_is_known_at_the_next_start(void)
{
    ServiceFixture f;
    repair_init(&f);
    service_close(&f);
    write_damage(&f, KNOWN_LOST, DETAIL);
    repair_open(&f, NULL);
    g_assert_cmpuint(syncd_service_losses(f.service)->len, ==, KNOWN_LOST);
    syncd_service_give_up_content(f.service, G_MAXUINT64, NULL);
    repair_reopen(&f);
    g_assert_cmpuint(syncd_service_damage(f.service)->len, ==, 0);
    g_assert_cmpuint(syncd_service_losses(f.service)->len, ==,
                     KNOWN_LOST + SYNCD_VERIFY_MAX_FINDINGS);
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/damage-file/all", what_was_given_up_is_known_at_the_next_start);
    return g_test_run();
}
