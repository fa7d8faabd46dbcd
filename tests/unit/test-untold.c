/* What refusals of operations do not say: where what one does not reach is, and what became of it.
 */
#include "places-fixture.h"

/* What is said of an operation, with one name for any object; NULL when it was taken. */
static char *told(ServiceFixture *f, const SyncdCaller *caller, const char *scope,
                  const char *object, const char *body)
{
    g_autoptr(GError) error = NULL;
    if (try_enqueue_in(f, caller, scope, object, body, &error))
        return NULL;
    g_test_message("%s", error->message);
    g_auto(GStrv) parts = g_strsplit(error->message, *object != '\0' ? object : "\n", -1);
    return g_strjoinv("<object>", parts);
}

static void assert_untold(const char *message)
{
    static const char *const hidden[] = {"profile:home", "quarantined", "revoked"};
    g_assert_nonnull(message);
    for (size_t i = 0; i < G_N_ELEMENTS(hidden); i++)
        g_assert_null(strstr(message, hidden[i]));
}

/* Whose profile a workspace is may not be known to whoever names the workspace. */
static void no_refusal_names_the_profile_of_a_workspace(void)
{
    ServiceFixture f;
    const SyncdCaller narrow = {.uid = 1002};
    world_init(&f);
    register_good(&f, "actor",
                  "{\"actor_id\":\"agent-2\",\"actor_type\":\"agent\",\"display_name\":\"B\","
                  "\"identity_id\":\"uid:1002\",\"workspace_scope\":[\"workspace:b\"],"
                  "\"profile_scope\":[\"profile:work\"],\"capabilities\":[\"read\",\"write\"],"
                  "\"trust_level\":\"user\",\"policy_subject\":\"b\",\"signing_key_ref\":"
                  "\"none\"}");
    g_autofree char *found = told(&f, &narrow, "workspace:b", "", "{}"),
                    *said =
                        told(&f, &narrow, "workspace:b", "", "{\"profile_id\":\"profile:work\"}");
    assert_untold(found);
    assert_untold(said);
    /* The control: whoever reaches both is told. */
    g_autofree char *owner =
        told(&f, &f.caller, "workspace:b", "", "{\"profile_id\":\"profile:work\"}");
    g_assert_nonnull(strstr(owner, "profile:home"));
    service_clear(&f);
}

/* An id is used once, wherever; where, and what became of it, is not said. */
static void an_operation_tells_nothing_of_an_object_elsewhere(void)
{
    ServiceFixture f;
    world_init(&f);
    register_good(&f, "object", OBJECT("o-b", "workspace:b", "profile:home", "note/v1"));
    register_good(&f, "object", OBJECT("o-q", "workspace:b", "profile:home", "unknown"));
    g_autofree char *active = told(&f, &agent, "workspace:a", "o-b", "{}"),
                    *quarantined = told(&f, &agent, "workspace:a", "o-q", "{}"),
                    *owner = told(&f, &f.caller, "workspace:a", "o-b", "{}");
    assert_untold(active);
    g_assert_cmpstr(active, ==, quarantined);
    g_assert_null(strstr(active, "workspace:b"));
    g_assert_nonnull(strstr(owner, "workspace:b"));
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/untold/no-refusal-names-the-profile-of-a-workspace",
                    no_refusal_names_the_profile_of_a_workspace);
    g_test_add_func("/untold/an-operation-tells-nothing-of-an-object-elsewhere",
                    an_operation_tells_nothing_of_an_object_elsewhere);
    return g_test_run();
}
