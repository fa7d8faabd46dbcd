/*
 * An object that nobody can go on with is found, however many others stand before it.
 */
#include "diagnose-fixture.h"
#include "places-fixture.h"
#include "raw-sql.h"

/* More than a page of a listing looks at. */
#define MANY "25000"

static void an_object_is_found_behind_many_others(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-9", "workspace:a", "profile:work", "other/v1"));
    service_close(&f);
    g_autofree char *index = g_build_filename(f.base.directory, "index.db", NULL);
    run_raw(index, "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n WHERE i < " MANY
                   ") INSERT INTO record SELECT family, printf('o-1-%05d', i), state, scope, owner,"
                   " type, workspace, profile, schema, identity, privacy, encryption, first, pos"
                   " FROM record, n WHERE family = 'object' AND id = 'o-1'");
    service_open(&f);

    g_autoptr(GPtrArray) found = syncd_service_diagnose(f.service);
    const SyncdFound *halted = find(found, "objects-quarantined");
    g_assert_nonnull(halted);
    g_assert_cmpuint(halted->count, ==, 1);
    g_assert_cmpstr(halted->object, ==, "o-9");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/diagnose-objects/an-object-is-found-behind-many-others",
                    an_object_is_found_behind_many_others);
    return g_test_run();
}
