/*
 * The steps of a migration are pure operations: each does one thing or is a fault, what can be
 * undone leads back to the same document, and what cannot says so.
 */
#include "domain/family.h"
#include "domain/migration.h"
#include "golden.h"

#include <string.h>

#define HEAD                                                                                       \
    "\"schema\":\"sourceos.schema-migration/v1\",\"migration_id\":\"m\",\"author\":\"a\","         \
    "\"from_schema_id\":\"s\",\"from_schema_version\":\"1\",\"to_schema_id\":\"s\","               \
    "\"to_schema_version\":\"2\","
#define MATRIX                                                                                     \
    "\"compatibility\":["                                                                          \
    "{\"program\":\"from\",\"document\":\"from\",\"read\":true,\"write\":true},"                   \
    "{\"program\":\"from\",\"document\":\"to\",\"read\":true,\"write\":false},"                    \
    "{\"program\":\"to\",\"document\":\"from\",\"read\":false,\"write\":false},"                   \
    "{\"program\":\"to\",\"document\":\"to\",\"read\":true,\"write\":true}],"
#define SIGNED                                                                                     \
    "\"attestation\":{\"signed\":true,\"signer\":\"a\",\"key_id\":\"a+00000000\","                 \
    "\"algorithm\":\"ed25519\",\"signature\":\"" FORTY_THREE FORTY_THREE "==\"}"
#define FORTY_THREE "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static SyncdMigration *migration_of(const char *steps)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("{" HEAD "\"steps\":[%s]," MATRIX SIGNED "}", steps);
    SyncdMigration *migration = syncd_migration_read(golden_root(text), "", &error);
    g_assert_no_error(error);
    g_assert_nonnull(migration);
    return migration;
}

static void refuse(const char *steps, const char *place)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("{" HEAD "\"steps\":[%s]," MATRIX SIGNED "}", steps);
    g_assert_null(syncd_migration_read(golden_root(text), "", &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_nonnull(strstr(error->message, place));
}

/* The document after the steps; NULL for a fault. */
static char *run(const char *steps, const char *document)
{
    g_autoptr(SyncdMigration) migration = migration_of(steps);
    g_auto(SyncdMigrationFault) fault = {0};
    GString *out = syncd_migration_run(migration, golden_root(document), &fault);
    if (out == NULL)
        g_test_message("%s %s", fault.path, fault.sentence);
    return out != NULL ? g_string_free(out, FALSE) : NULL;
}

#define END ",\"schema_id\":\"s\",\"schema_version\":\"2\"}"

static void each_operation_does_one_thing_or_is_a_fault(void)
{
    static const struct {
        const char *step, *before;
        const char *after; /* without what ends it; NULL: a fault */
    } cases[] = {
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b\"}", "{\"a\":1.50,\"c\":2}",
         "{\"c\":2,\"b\":1.50"},
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b/a\"}", "{\"a\":1,\"b\":{}}",
         "{\"b\":{\"a\":1}"},
        {"{\"op\":\"move\",\"path\":\"/b/a\",\"to\":\"/a\"}", "{\"b\":{\"a\":1,\"x\":[]}}",
         "{\"b\":{\"x\":[]},\"a\":1"},
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b\"}", "{\"c\":2}", "{\"c\":2"},
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b\"}", "{\"a\":1,\"b\":null}", NULL},
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b/a\"}", "{\"a\":1}", NULL},
        {"{\"op\":\"move\",\"path\":\"/a\",\"to\":\"/b/a\"}", "{\"a\":1,\"b\":[]}", NULL},
        {"{\"op\":\"add\",\"path\":\"/a\",\"value\":[1,{}]}", "{\"c\":2}", "{\"c\":2,\"a\":[1,{}]"},
        {"{\"op\":\"add\",\"path\":\"/a\",\"value\":1}", "{\"a\":null}", NULL},
        {"{\"op\":\"add\",\"path\":\"/a/b\",\"value\":1}", "{\"c\":2}", NULL},
        {"{\"op\":\"default\",\"path\":\"/a\",\"value\":null}", "{\"c\":2}", "{\"c\":2,\"a\":null"},
        {"{\"op\":\"default\",\"path\":\"/a\",\"value\":1}", "{\"a\":false}", "{\"a\":false"},
        {"{\"op\":\"default\",\"path\":\"/a/b\",\"value\":1}", "{\"a\":false}", NULL},
        {"{\"op\":\"remove\",\"path\":\"/a~1b\"}", "{\"a/b\":1,\"c\":2}", "{\"c\":2"},
        {"{\"op\":\"remove\",\"path\":\"/a/b~0\"}", "{\"a\":{\"b~\":1}}", "{\"a\":{}"},
        {"{\"op\":\"remove\",\"path\":\"/a/b\"}", "{\"a\":[1]}", "{\"a\":[1]"},
        {"{\"op\":\"map\",\"path\":\"/a\",\"values\":{\"x\":true}}", "{\"a\":\"\\u0078\"}",
         "{\"a\":true"},
        {"{\"op\":\"map\",\"path\":\"/a\",\"values\":{\"x\":true}}", "{\"a\":\"y\"}", NULL},
        {"{\"op\":\"map\",\"path\":\"/a\",\"values\":{\"x\":true}}", "{\"a\":1}", NULL},
        {"{\"op\":\"map\",\"path\":\"/a\",\"values\":{\"x\":true}}", "{\"a\":\"x\\u0000\"}", NULL},
        {"{\"op\":\"map\",\"path\":\"/a\",\"values\":{\"x\":true}}", "{\"c\":2}", "{\"c\":2"},
        {"{\"op\":\"wrap\",\"path\":\"/a\",\"member\":\"n\\\"\"}", "{\"a\":[]}",
         "{\"a\":{\"n\\\"\":[]}"},
        {"{\"op\":\"unwrap\",\"path\":\"/a\",\"member\":\"n\"}", "{\"a\":{\"n\":3}}", "{\"a\":3"},
        {"{\"op\":\"unwrap\",\"path\":\"/a\",\"member\":\"n\"}", "{\"a\":{\"n\":3,\"m\":4}}", NULL},
        {"{\"op\":\"unwrap\",\"path\":\"/a\",\"member\":\"n\"}", "{\"a\":{}}", NULL},
        {"{\"op\":\"unwrap\",\"path\":\"/a\",\"member\":\"n\"}", "{\"a\":[3]}", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *before =
            g_strdup_printf("%.*s,\"schema_id\":\"s\",\"schema_version\":\"1\"}",
                            (int)strlen(cases[i].before) - 1, cases[i].before);
        g_autofree char *after = run(cases[i].step, before);
        g_autofree char *wanted =
            cases[i].after != NULL ? g_strconcat(cases[i].after, END, NULL) : NULL;
        if (after == NULL || wanted == NULL) {
            g_assert_cmpstr(after, ==, wanted);
            continue;
        }
        SyncdHash one = syncd_hash_canonical(golden_root(after));
        SyncdHash other = syncd_hash_canonical(golden_root(wanted));
        g_test_message("%s", after);
        g_assert_cmpmem(&one, sizeof one, &other, sizeof other);
        /* What is not touched keeps its bytes. */
        if (strstr(before, "1.50") != NULL)
            g_assert_nonnull(strstr(after, "1.50"));
    }
}

/* ---- the way back ---- */

#define DOCUMENT                                                                                   \
    "{\"schema_id\":\"s\",\"schema_version\":\"1\",\"title\":\"T\",\"status\":\"open\","           \
    "\"author\":{\"name\":\"Ada\"},\"place\":{\"x\":1},\"body\":\"b\"}"

static void what_loses_nothing_leads_back(void)
{
    static const char *const steps[] = {
        "",
        "{\"op\":\"move\",\"path\":\"/title\",\"to\":\"/place/title\"}",
        "{\"op\":\"add\",\"path\":\"/place/y\",\"value\":{\"z\":[]}}",
        "{\"op\":\"map\",\"path\":\"/status\",\"values\":{\"open\":\"o\",\"shut\":\"s\"}}",
        "{\"op\":\"wrap\",\"path\":\"/body\",\"member\":\"text\"}",
        "{\"op\":\"unwrap\",\"path\":\"/author\",\"member\":\"name\"}",
        "{\"op\":\"wrap\",\"path\":\"/body\",\"member\":\"text\"},"
        "{\"op\":\"move\",\"path\":\"/body/text\",\"to\":\"/text\"},"
        "{\"op\":\"add\",\"path\":\"/body/kind\",\"value\":1},"
        "{\"op\":\"move\",\"path\":\"/body\",\"to\":\"/place/body\"}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(SyncdMigration) there = migration_of(steps[i]);
        g_autoptr(SyncdMigration) back = syncd_migration_invert(there);
        g_autoptr(GPtrArray) losses = syncd_migration_losses(there);
        g_auto(SyncdMigrationFault) fault = {0};
        g_assert_nonnull(back);
        g_assert_cmpuint(losses->len, ==, 0);
        g_autoptr(GString) after = syncd_migration_run(there, golden_root(DOCUMENT), &fault);
        g_assert_nonnull(after);
        g_assert_true(
            syncd_migration_leads_back(back, golden_root(DOCUMENT), golden_root(after->str)));
        g_assert_false(
            syncd_migration_leads_back(back, golden_root("{}"), golden_root(after->str)));
    }
}

static void what_loses_something_says_so(void)
{
    static const struct {
        const char *step, *loss;
    } cases[] = {
        {"{\"op\":\"remove\",\"path\":\"/title\"}", "/title"},
        {"{\"op\":\"default\",\"path\":\"/title\",\"value\":1}", "/title"},
        {"{\"op\":\"map\",\"path\":\"/a~1b\",\"values\":{\"x\":\"z\",\"y\":\"z\"}}", "/a~1b"},
        {"{\"op\":\"map\",\"path\":\"/s\",\"values\":{\"x\":1}}", "/s"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(SyncdMigration) migration = migration_of(cases[i].step);
        g_autoptr(GPtrArray) losses = syncd_migration_losses(migration);
        g_assert_null(syncd_migration_invert(migration));
        g_assert_cmpuint(losses->len, ==, 1);
        g_assert_cmpstr(losses->pdata[0], ==, cases[i].loss);
    }
}

/* A member that was not there is not brought by the way back, but one that was there may be taken
 * for it: that is why it is tried. */
static void the_way_back_is_tried_and_not_believed(void)
{
    g_autoptr(SyncdMigration) there =
        migration_of("{\"op\":\"move\",\"path\":\"/old\",\"to\":\"/new\"}");
    g_autoptr(SyncdMigration) back = syncd_migration_invert(there);
    const char *document = "{\"schema_id\":\"s\",\"schema_version\":\"1\",\"new\":1}";
    g_auto(SyncdMigrationFault) fault = {0};
    g_autoptr(GString) after = syncd_migration_run(there, golden_root(document), &fault);
    g_assert_nonnull(after);
    g_assert_false(
        syncd_migration_leads_back(back, golden_root(document), golden_root(after->str)));
}

/* ---- what is refused ---- */

static void what_every_object_has_is_no_matter_of_a_schema(void)
{
    static const char *const members[] = {
        "schema",     "object_id",  "object_type",   "schema_id",        "schema_version",
        "profile_id", "state",      "privacy_class", "created_by_actor", "content_hash",
        "updated_at", "revoked_at", "registered_by", "revoke_reason",    "policy_tags"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autofree char *one = g_strdup_printf("{\"op\":\"remove\",\"path\":\"/%s\"}", members[i]);
        g_autofree char *other =
            g_strdup_printf("{\"op\":\"remove\",\"path\":\"/x\"},{\"op\":\"move\",\"path\":\"/"
                            "x\",\"to\":\"/%s/y\"}",
                            members[i]);
        refuse(one, "/steps/0/path");
        refuse(other, "/steps/1/to");
    }
}

static void hostile_manifests_are_refused(void)
{
    g_autoptr(GString) deep = g_string_new("{\"op\":\"remove\",\"path\":\"");
    for (int i = 0; i < 17; i++)
        g_string_append(deep, "/a");
    g_string_append(deep, "\"}");
    refuse(deep->str, "/steps/0/path");
    refuse("{\"op\":\"remove\",\"path\":\"/a\\u0000\"}", "/steps/0/path");
    refuse("{\"op\":\"wrap\",\"path\":\"/a\",\"member\":\"\\u0000\"}", "/steps/0/member");
    refuse("{\"op\":\"delete\",\"path\":\"/a\"}", "/steps/0/op");
    refuse("{\"op\":\"remove\",\"path\":\"/a\",\"unless\":1}", "/steps/0/unless");
    refuse("7", "/steps/0");
}

static void what_grows_too_large_or_too_deep_is_a_fault(void)
{
    g_autofree char *large = g_strnfill(40u * 1024u, 'x');
    g_autofree char *steps = g_strdup_printf("{\"op\":\"add\",\"path\":\"/a\",\"value\":\"%s\"},"
                                             "{\"op\":\"add\",\"path\":\"/b\",\"value\":\"%s\"}",
                                             large, large);
    g_autofree char *after = run(steps, DOCUMENT);
    g_assert_null(after);
    g_autoptr(GString) deep = g_string_new("{\"a\":");
    for (int i = 0; i < 63; i++)
        g_string_append_c(deep, '[');
    for (int i = 0; i < 63; i++)
        g_string_append_c(deep, ']');
    g_string_append_c(deep, '}');
    g_autofree char *deeper = run("{\"op\":\"wrap\",\"path\":\"/a\",\"member\":\"b\"}", deep->str);
    g_assert_null(deeper);
}

/* ---- the manifest ---- */

#define WHOLE "{" HEAD "\"steps\":[]," MATRIX SIGNED "%s}"

static void the_registry_adds_nothing_to_what_was_signed(void)
{
    char one[SYNCD_DIGEST_SIZE], other[SYNCD_DIGEST_SIZE];
    g_autofree char *plain = g_strdup_printf(WHOLE, "");
    g_autofree char *registered =
        g_strdup_printf(WHOLE, ",\"created_at\":\"x\",\"updated_at\":\"x\",\"registered_by\":\"x\","
                               "\"revoked_at\":\"x\",\"revoke_reason\":\"x\"");
    g_autofree char *more = g_strdup_printf(WHOLE, ",\"summary\":\"x\"");
    syncd_migration_digest(golden_root(plain), one);
    syncd_migration_digest(golden_root(registered), other);
    g_assert_cmpstr(one, ==, other);
    syncd_migration_digest(golden_root(more), other);
    g_assert_cmpstr(one, !=, other);
}

static void the_matrix_says_who_may_read_and_write(void)
{
    g_autofree char *text = g_strdup_printf(WHOLE, "");
    SyncdJson manifest = golden_root(text);
    g_assert_true(syncd_migration_lets(manifest, "from", "to", "read"));
    g_assert_false(syncd_migration_lets(manifest, "from", "to", "write"));
    g_assert_false(syncd_migration_lets(manifest, "to", "from", "read"));
    g_assert_true(syncd_migration_lets(manifest, "to", "to", "write"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migration/each-operation-does-one-thing-or-is-a-fault",
                    each_operation_does_one_thing_or_is_a_fault);
    g_test_add_func("/migration/what-loses-nothing-leads-back", what_loses_nothing_leads_back);
    g_test_add_func("/migration/what-loses-something-says-so", what_loses_something_says_so);
    g_test_add_func("/migration/the-way-back-is-tried-and-not-believed",
                    the_way_back_is_tried_and_not_believed);
    g_test_add_func("/migration/what-every-object-has-is-no-matter-of-a-schema",
                    what_every_object_has_is_no_matter_of_a_schema);
    g_test_add_func("/migration/hostile-manifests-are-refused", hostile_manifests_are_refused);
    g_test_add_func("/migration/what-grows-too-large-or-too-deep-is-a-fault",
                    what_grows_too_large_or_too_deep_is_a_fault);
    g_test_add_func("/migration/the-registry-adds-nothing-to-what-was-signed",
                    the_registry_adds_nothing_to_what_was_signed);
    g_test_add_func("/migration/the-matrix-says-who-may-read-and-write",
                    the_matrix_says_who_may_read_and_write);
    return g_test_run();
}
