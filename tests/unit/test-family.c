/*
 * The machines of the registries are tables, and the tables hold together.
 */
#include "domain/family.h"
#include "domain/kind.h"

#include <string.h>

static void every_family_has_its_row(void)
{
    for (int i = 0; i < SYNCD_N_FAMILIES; i++) {
        const SyncdFamily *family = syncd_family((SyncdFamilyId)i);
        g_assert_true(syncd_family_find(family->name) == family);
        g_assert_true(g_str_has_prefix(family->schema, "sourceos."));
        g_assert_nonnull(family->id);
        g_assert_nonnull(family->capability);
        g_assert_nonnull(family->end);
        g_assert_null(family->stamped[SYNCD_FAMILY_STAMPED - 1]);
    }
    g_assert_null(syncd_family_find(""));
    g_assert_null(syncd_family_find("actors"));
}

static void every_step_is_a_kind_with_an_event(void)
{
    size_t n;
    const SyncdTransition *steps = syncd_transitions(&n);
    for (size_t i = 0; i < n; i++) {
        const SyncdKind *kind = syncd_kind_find(SYNCD_BYTES_TEXT(steps[i].kind));
        g_assert_cmpstr(kind->kind, ==, steps[i].kind);
        g_assert_null(kind->type);
        g_assert_cmpint(kind->writer, ==, SYNCD_WRITTEN_BY_DAEMON);
        g_assert_true(syncd_family_of_kind(SYNCD_BYTES_TEXT(steps[i].kind)) ==
                      syncd_family(steps[i].family));
        g_assert_true(syncd_transition_is_tabled(SYNCD_BYTES_TEXT(steps[i].kind), steps[i].from,
                                                 steps[i].to));
    }
}

static void a_step_is_there_once_and_goes_one_way(void)
{
    size_t n;
    const SyncdTransition *steps = syncd_transitions(&n);
    for (size_t i = 0; i < n; i++) {
        bool begins = *steps[i].from == '\0';
        g_assert_cmpint(begins, ==, steps[i].verb == SYNCD_VERB_REGISTER);
        g_assert_cmpstr(steps[i].to, !=, "");
        for (size_t j = 0; j < i; j++)
            g_assert_false(steps[i].family == steps[j].family &&
                           strcmp(steps[i].from, steps[j].from) == 0 &&
                           strcmp(steps[i].to, steps[j].to) == 0);
    }
}

/* What has ended is never anything else again, but what was deleted may be restored. */
static void an_end_is_an_end(void)
{
    size_t n;
    const SyncdTransition *steps = syncd_transitions(&n);
    for (size_t i = 0; i < n; i++) {
        const SyncdFamily *family = syncd_family(steps[i].family);
        bool ended = strcmp(steps[i].from, syncd_family_end_state(family)) == 0;
        g_assert_cmpint(ended, ==, steps[i].verb == SYNCD_VERB_RESTORE);
        if (steps[i].verb == SYNCD_VERB_REVOKE)
            g_assert_cmpstr(steps[i].to, ==, syncd_family_end_state(family));
    }
}

static void what_is_not_tabled_is_not_found(void)
{
    const SyncdFamily *actor = syncd_family(SYNCD_FAMILY_ACTOR);
    g_assert_nonnull(syncd_transition_find(actor, SYNCD_VERB_REGISTER, "", "active"));
    g_assert_null(syncd_transition_find(actor, SYNCD_VERB_UPDATE, "", "active"));
    g_assert_null(syncd_transition_find(actor, SYNCD_VERB_UPDATE, "revoked", "active"));
    g_assert_null(syncd_transition_find(actor, SYNCD_VERB_REGISTER, "revoked", "active"));
    g_assert_false(
        syncd_transition_is_tabled(SYNCD_BYTES_TEXT("actor.updated"), "revoked", "active"));
    g_assert_false(
        syncd_transition_is_tabled(SYNCD_BYTES_TEXT("plan.started"), "completed", "running"));
    g_assert_null(syncd_family_of_kind(SYNCD_BYTES_TEXT("actor.")));
    g_assert_null(syncd_family_of_kind(SYNCD_BYTES_TEXT("operation.enqueue")));
}

static void check_id(SyncdFamilyId family, const char *record, const char *id, const char *state)
{
    g_autoptr(GError) error = NULL;
    g_assert_true(syncd_json_check(record, strlen(record), SYNCD_JSON_MUST_BE_OBJECT, &error));
    SyncdJson root = syncd_json_root(record, strlen(record));
    g_autofree char *found = syncd_family_record_id(syncd_family(family), root);
    g_autofree char *now = syncd_family_record_state(syncd_family(family), root);
    g_assert_cmpstr(found, ==, id);
    g_assert_cmpstr(now, ==, state);
}

static void a_document_says_its_id_and_state(void)
{
    check_id(SYNCD_FAMILY_ACTOR, "{\"actor_id\":\"a\"}", "a", "active");
    check_id(SYNCD_FAMILY_ACTOR, "{\"actor_id\":\"a\",\"revoked_at\":\"x\"}", "a", "revoked");
    check_id(SYNCD_FAMILY_ACTOR, "{\"actor_id\":[]}", NULL, "active");
    check_id(SYNCD_FAMILY_SCHEMA, "{\"schema_id\":\"s\",\"schema_version\":2}", "s@2", "active");
    check_id(SYNCD_FAMILY_SCHEMA, "{\"schema_id\":\"s\"}", NULL, "active");
    check_id(SYNCD_FAMILY_DEVICE, "{\"device_id\":\"d\",\"device_state\":\"trusted\"}", "d",
             "trusted");
    check_id(SYNCD_FAMILY_DEVICE, "{\"device_id\":\"d\"}", "d", NULL);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/family/every-family-has-its-row", every_family_has_its_row);
    g_test_add_func("/family/every-step-is-a-kind-with-an-event",
                    every_step_is_a_kind_with_an_event);
    g_test_add_func("/family/a-step-is-there-once-and-goes-one-way",
                    a_step_is_there_once_and_goes_one_way);
    g_test_add_func("/family/an-end-is-an-end", an_end_is_an_end);
    g_test_add_func("/family/what-is-not-tabled-is-not-found", what_is_not_tabled_is_not_found);
    g_test_add_func("/family/a-document-says-its-id-and-state", a_document_says_its_id_and_state);
    return g_test_run();
}
