/*
 * What the schema of an object demands of operations about it is demanded of each, and of no other.
 */
#include "registry-fixture.h"

#define SCHEMA_OF(version, more)                                                                   \
    "{\"schema_id\":\"note/v1\",\"schema_version\":\"" version                                     \
    "\",\"object_type\":\"note\",\"required_fields\":[],\"field_owners\":{},\"migration_policy\":" \
    "\"ask\",\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"       \
    "\"workspace\",\"retention_class\":\"normal\"" more "}"

#define OBJECT_OF(id, version)                                                                     \
    "{\"object_id\":\"" id "\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","                \
    "\"schema_version\":\"" version "\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"      \
    "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","              \
    "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\",\"policy_tags\":[],"         \
    "\"provenance\":[]}"

#define DEMAND                                                                                     \
    ",\"operation_schema\":{\"required\":[\"title\"],\"properties\":{\"title\":{\"type\":"         \
    "\"string\"}}}"

static void register_good(ServiceFixture *f, const char *kind, const char *record)
{
    g_assert_cmpint(register_record(f, kind, record), ==, -1);
}

static void begin(ServiceFixture *f)
{
    service_init(f);
    put(f, "note-0", "{}");
    register_good(f, "schema", SCHEMA_OF("1", DEMAND));
    register_good(f, "schema", SCHEMA_OF("2", ""));
    register_good(f, "object", OBJECT_OF("strict", "1"));
    register_good(f, "object", OBJECT_OF("free", "2"));
}

/* -1 when it was taken. */
static int try_body(ServiceFixture *f, const char *object, const char *body, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    if (syncd_service_enqueue(f->service, &f->caller, &request, &enqueued, &error)) {
        syncd_service_commit(f->service);
        return -1;
    }
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_nonnull(strstr(error->message, says));
    return error->code;
}

static void what_is_demanded_is_checked(void)
{
    ServiceFixture f;
    begin(&f);
    for (int restart = 0; restart < 2; restart++) {
        g_assert_cmpint(try_body(&f, "strict", "{\"title\":\"a\"}", ""), ==, -1);
        g_assert_cmpint(try_body(&f, "strict", "{}", "/body "), ==, SYNCD_ERROR_INVALID_CONTRACT);
        g_assert_cmpint(try_body(&f, "strict", "{\"title\":7}", "/body/title"), ==,
                        SYNCD_ERROR_INVALID_CONTRACT);
        g_assert_cmpint(try_body(&f, "free", "{\"title\":7}", ""), ==, -1);
        g_assert_cmpint(try_body(&f, "unknown", "{\"title\":7}", ""), ==, -1);
        service_close(&f);
        service_open(&f);
    }
    service_clear(&f);
}

static void another_version_of_the_object_demands_something_else(void)
{
    ServiceFixture f;
    begin(&f);
    g_assert_cmpint(try_body(&f, "strict", "{}", "/body"), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpint(update_record(&f, "object", "strict", OBJECT_OF("strict", "2")), ==, -1);
    g_assert_cmpint(try_body(&f, "strict", "{}", ""), ==, -1);
    g_assert_cmpint(update_record(&f, "object", "strict", OBJECT_OF("strict", "1")), ==, -1);
    g_assert_cmpint(try_body(&f, "strict", "{}", "/body"), ==, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

static void a_deletion_may_say_anything(void)
{
    ServiceFixture f;
    begin(&f);
    SyncdRequest request = good_request();
    request.object = "strict";
    request.lane = "tombstone";
    g_free(enqueue_committed(&f, &request));
    service_clear(&f);
}

static void a_demand_that_nobody_can_ask_is_not_registered(void)
{
    ServiceFixture f;
    service_init(&f);
    g_assert_cmpint(
        register_record(&f, "schema", SCHEMA_OF("3", ",\"operation_schema\":{\"type\":7}")), !=,
        -1);
    g_assert_cmpint(register_record(&f, "schema", SCHEMA_OF("3", ",\"operation_schema\":null")), ==,
                    -1);
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/operation-schema/checked", what_is_demanded_is_checked);
    g_test_add_func("/operation-schema/versions",
                    another_version_of_the_object_demands_something_else);
    g_test_add_func("/operation-schema/deletion", a_deletion_may_say_anything);
    g_test_add_func("/operation-schema/unusable", a_demand_that_nobody_can_ask_is_not_registered);
    return g_test_run();
}
