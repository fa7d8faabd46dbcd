/*
 * Who sees what: the owner everything, in the system instance a caller its own and anybody counts.
 */
#include "service-fixture.h"

static void in_the_system_instance_a_caller_sees_its_own(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    SyncdCaller root = {.uid = 0}, own = {.uid = OWNER}, stranger = {.uid = 4711};
    f.caller = root;
    g_autofree char *of_root = enqueue_body(&f, "note-1", "{}");
    f.caller = own;
    g_autofree char *of_own = enqueue_body(&f, "note-1", "{}");
    SyncdCaller inspector = {.uid = 4711, .inspector = true};

    const struct {
        SyncdCaller caller;
        bool sees_root, sees_own;
        guint listed;
    } cases[] = {
        {root, true, false, 1},
        {own, false, true, 1},
        {stranger, false, false, 0},
        {inspector, true, true, 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const SyncdCaller *caller = &cases[i].caller;
        g_autofree char *one = syncd_service_get_operation(f.service, caller, of_root, NULL);
        g_autofree char *two = syncd_service_get_operation(f.service, caller, of_own, NULL);
        g_autofree char *proof = syncd_service_prove(f.service, caller, of_root, NULL);
        g_assert_cmpint(one != NULL, ==, cases[i].sees_root);
        g_assert_cmpint(proof != NULL, ==, cases[i].sees_root);
        g_assert_cmpint(two != NULL, ==, cases[i].sees_own);

        g_autoptr(GError) error = NULL;
        g_autofree char *cursor = NULL;
        SyncdListing listing = {.object = "note-1"};
        g_autofree char *page =
            syncd_service_list_operations(f.service, caller, &listing, &cursor, &error);
        g_assert_no_error(error);
        g_assert_cmpuint(count_elements(page), ==, cases[i].listed);
        g_assert_cmpstr(cursor, ==, "");
    }

    /* whether a scope exists is told to nobody who sees nothing of it */
    static const char *const scopes[] = {"workspace:notes", "workspace:absent"};
    for (size_t i = 0; i < G_N_ELEMENTS(scopes); i++) {
        g_autofree char *end = NULL;
        SyncdListing in_scope = {.scope = scopes[i]};
        g_autofree char *nothing =
            syncd_service_list_operations(f.service, &stranger, &in_scope, &end, NULL);
        g_assert_cmpstr(nothing, ==, "[]");
    }

    /* asking for somebody else's gives nothing, and naming them as a parent finds nothing */
    g_autoptr(GError) error = NULL;
    g_autofree char *root_record = syncd_service_get_operation(f.service, &root, of_root, &error);
    g_autofree char *actor = member_of(root_record, "actor_id");
    g_autofree char *root_actor = g_strndup(actor + 1, strlen(actor) - 2);
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.actor = root_actor};
    g_autofree char *page =
        syncd_service_list_operations(f.service, &own, &listing, &cursor, &error);
    g_assert_cmpstr(page, ==, "[]");
    const char *const parents[] = {of_root, NULL};
    SyncdRequest request = good_request();
    request.parents = parents;
    g_auto(SyncdEnqueued) enqueued = {0};
    g_assert_false(syncd_service_enqueue(f.service, &own, &request, &enqueued, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_NOT_FOUND);
    service_clear(&f);
}

static void in_the_system_instance_describe_gives_counts_to_anybody(void)
{
    ServiceFixture f;
    service_init_instance(&f, SYNCD_INSTANCE_SYSTEM);
    f.caller.uid = 0;
    put(&f, "marker-object", "{}");
    g_autoptr(GError) error = NULL;
    const SyncdCaller stranger = {.uid = 4711}, inspector = {.uid = 0, .inspector = true};
    const SyncdCaller *const strangers[] = {NULL, &stranger};
    for (size_t i = 0; i < G_N_ELEMENTS(strangers); i++) {
        g_autofree char *counts = syncd_service_describe(f.service, strangers[i], &error);
        assert_member(counts, "pending_operations", "1");
        g_assert_null(strstr(counts, "device"));
        g_assert_null(strstr(counts, "notes"));
        g_assert_null(strstr(counts, "feeds"));
    }
    g_autofree char *all = syncd_service_describe(f.service, &inspector, &error);
    g_assert_nonnull(strstr(all, "\"scope\":\"workspace:notes\",\"own\":true,\"size\":2"));
    g_autofree char *status = syncd_service_status(f.service);
    assert_member(status, "active_device", "null");
    g_assert_null(strstr(status, "marker"));
    service_clear(&f);
}

static void describe_tells_the_owner_everything(void)
{
    ServiceFixture f;
    service_init(&f);
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autoptr(GError) error = NULL;
    g_autofree char *all = syncd_service_describe(f.service, &f.caller, &error);
    g_assert_no_error(error);
    assert_member(all, "instance", "\"user\"");
    assert_member(all, "state", "\"clean\"");
    assert_member(all, "state_reasons", "[]");
    assert_member(all, "pending_operations", "1");
    g_autofree char *record = get(&f, operation);
    g_autofree char *actor = member_of(record, "actor_id");
    assert_member(all, "actor_id", actor);
    g_autofree char *limits = member_of(all, "limits");
    assert_member(limits, "body_bytes", "16777216");
    g_autofree char *storage = member_of(all, "storage");
    assert_member(storage, "condition", "\"writable\"");
    g_autofree char *feeds = member_of(all, "feeds");
    g_assert_cmpuint(count_elements(feeds), ==, 2);

    g_autofree char *status = syncd_service_status(f.service);
    assert_member(status, "daemon_available", "true");
    assert_member(status, "daemon_state", "\"clean\"");
    assert_member(status, "active_profile", "\"profile:default\"");
    service_clear(&f);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/view/in-the-system-instance-a-caller-sees-its-own",
                    in_the_system_instance_a_caller_sees_its_own);
    g_test_add_func("/view/in-the-system-instance-describe-gives-counts-to-anybody",
                    in_the_system_instance_describe_gives_counts_to_anybody);
    g_test_add_func("/view/describe-tells-the-owner-everything",
                    describe_tells_the_owner_everything);
    return g_test_run();
}
