/*
 * The record of an operation says where it lies, as that was found when it was taken, and goes on
 * to say so.
 */
#include "places-fixture.h"
#include "task-fixture.h"

static char *shown_of(ServiceFixture *f, const char *scope, const char *lane, const char *object,
                      const char *body)
{
    SyncdRequest request = good_request();
    request.scope = scope;
    request.lane = lane;
    request.object = object;
    request.create_scope = lane == NULL;
    request.body = SYNCD_BYTES_TEXT(body);
    g_autofree char *operation = enqueue_committed(f, &request);
    return get(f, operation);
}

static void assert_place(const char *record, const char *workspace, const char *profile,
                         const char *encryption)
{
    assert_member(record, "workspace_id", workspace);
    assert_member(record, "profile_id", profile);
    assert_member(record, "encryption_profile_ref", encryption);
}

static void seal(ServiceFixture *f)
{
    register_good(f, "encryption-profile",
                  "{\"encryption_profile_id\":\"strong\",\"encryption_scope\":\"workspace\"}");
    g_assert_cmpint(
        update_record(f, "workspace", "workspace:a",
                      "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\","
                      "\"encryption_profile_ref\":\"strong\"}"),
        ==, -1);
}

static void a_record_says_the_profile_of_its_workspace(void)
{
    static const char *const lanes[] = {NULL, "ephemeral"};
    for (size_t i = 0; i < G_N_ELEMENTS(lanes); i++) {
        ServiceFixture f;
        world_init(&f);
        g_autofree char *plain = shown_of(&f, "workspace:a", lanes[i], "o-1", "{}");
        assert_place(plain, "\"workspace:a\"", "\"profile:work\"",
                     "\"encryption-profile:workspace\"");
        g_autofree char *other = shown_of(&f, "workspace:b", lanes[i], "", "{}");
        assert_place(other, "\"workspace:b\"", "\"profile:home\"",
                     "\"encryption-profile:workspace\"");
        g_autofree char *named =
            shown_of(&f, "device", lanes[i], "", "{\"workspace_id\":\"workspace:a\"}");
        assert_place(named, "\"workspace:a\"", "\"profile:work\"", "\"encryption-profile:device\"");
        g_autofree char *nowhere = shown_of(&f, "device", lanes[i], "", "{}");
        assert_place(nowhere, "\"workspace:default\"", "\"profile:default\"",
                     "\"encryption-profile:device\"");
        seal(&f);
        g_autofree char *sealed = shown_of(&f, "workspace:a", lanes[i], "", "{}");
        assert_place(sealed, "\"workspace:a\"", "\"profile:work\"", "\"strong\"");
        service_clear(&f);
    }
}

static void what_becomes_of_an_operation_lies_where_it_does(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    ServiceFixture f;
    world_init(&f);
    SyncdRequest request = good_request();
    request.scope = "device";
    request.object = "";
    request.body = SYNCD_BYTES_TEXT("{\"workspace_id\":\"workspace:a\"}");
    g_autofree char *operation = enqueue_committed(&f, &request);
    g_autofree char *lease = claim_operation(&f, operation);
    complete(&f, lease);
    syncd_service_replay(f.service, &f.caller, operation, "again", &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_autofree char *replay = get(&f, replayed.evidence);
    assert_place(replay, "\"workspace:a\"", "\"profile:work\"", "\"encryption-profile:device\"");

    g_autofree char *checkpoint = NULL;
    syncd_service_checkpoint(f.service, &f.caller, "workspace:a", &checkpoint, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_autofree char *written = get(&f, checkpoint);
    assert_place(written, "\"workspace:a\"", "\"profile:work\"",
                 "\"encryption-profile:workspace\"");

    g_assert_cmpint(revoke_record(&f, "object", "o-1"), ==, -1);
    g_autofree char *deleted = events_of(&f, "sync.object.tombstoned");
    g_assert_cmpuint(count_elements(deleted), ==, 1);
    g_autofree char *tombstone = NULL;
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, syncd_json_root(deleted, strlen(deleted)));
    g_assert_true(syncd_json_iter_next(&iter, NULL, &event));
    g_autofree char *id = syncd_json_dup_text(syncd_json_member(event, "operation_id"));
    tombstone = get(&f, id);
    assert_place(tombstone, "\"workspace:a\"", "\"profile:work\"",
                 "\"encryption-profile:workspace\"");
    service_clear(&f);
}

static void a_place_that_cannot_be_one_is_not_passed_on(void)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReplayed) replayed = {0};
    g_autofree char *name = g_strnfill(5000, 'w');
    g_autofree char *body = g_strdup_printf("{\"workspace_id\":\"%s\"}", name);
    ServiceFixture f;
    world_init(&f);
    SyncdRequest request = good_request();
    request.scope = "device";
    request.object = "";
    request.body = SYNCD_BYTES_TEXT(body);
    g_autofree char *operation = enqueue_committed(&f, &request);
    syncd_service_replay(f.service, &f.caller, operation, "again", &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_autofree char *replay = get(&f, replayed.evidence);
    assert_member(replay, "workspace_id", "\"workspace:default\"");
    service_clear(&f);
}

/* A workspace may have another encryption profile later; what was written before had this one. */
static void a_record_says_what_held_when_it_was_written(void)
{
    ServiceFixture f;
    world_init(&f);
    SyncdRequest request = good_request();
    request.scope = "workspace:a";
    request.object = "";
    g_autofree char *operation = enqueue_committed(&f, &request);
    seal(&f);
    g_autofree char *record = get(&f, operation);
    assert_place(record, "\"workspace:a\"", "\"profile:work\"", "\"encryption-profile:workspace\"");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/place-record/a-record-says-the-profile-of-its-workspace",
                    a_record_says_the_profile_of_its_workspace);
    g_test_add_func("/place-record/what-becomes-of-an-operation-lies-where-it-does",
                    what_becomes_of_an_operation_lies_where_it_does);
    g_test_add_func("/place-record/a-place-that-cannot-be-one-is-not-passed-on",
                    a_place_that_cannot_be_one_is_not_passed_on);
    g_test_add_func("/place-record/a-record-says-what-held-when-it-was-written",
                    a_record_says_what_held_when_it_was_written);
    return g_test_run();
}
