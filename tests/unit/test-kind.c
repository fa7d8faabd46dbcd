#include "domain/kind.h"

#include "contract/vocabulary.h"

static void every_operation_type_has_a_kind(void)
{
    const char *const *types = syncd_vocabulary_words(SYNCD_WORDS_OPERATION_TYPE);
    for (; *types != NULL; types++) {
        const SyncdKind *kind = syncd_kind_of_type(*types);
        g_assert_nonnull(kind);
        g_assert_cmpstr(kind->kind, ==, *types + strlen("sync."));
        g_assert_true(syncd_kind_is_operation(SYNCD_BYTES_TEXT(kind->kind)));
        g_assert_true(syncd_kind_find(SYNCD_BYTES_TEXT(kind->kind)) == kind);
        g_assert_nonnull(
            syncd_vocabulary_find(SYNCD_WORDS_OPERATION_STATUS, SYNCD_BYTES_TEXT(kind->status)));
    }
}

static void every_kind_of_the_format_has_an_event_of_its_own(void)
{
    static const char *const format[] = {
        "feed.open",      "device.registered", "actor.registered", "policy.decision",
        "policy.refused", "operation.enqueue", "checkpoint.write", "store.adopted",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(format); i++) {
        const SyncdKind *kind = syncd_kind_find(SYNCD_BYTES_TEXT(format[i]));
        g_assert_cmpstr(kind->kind, ==, format[i]);
        g_assert_true(syncd_kind_of_event(kind->event_type) == kind);
    }
    g_assert_null(syncd_kind_of_event("sync.entry.unknown"));
    g_assert_null(syncd_kind_of_event("sync.operation.enqueue"));
}

/* Of one fact there are none yet: no transport can be away. */
static bool is_not_yet_a_fact(const char *event)
{
    return strcmp(event, "sync.transport.unavailable") == 0;
}

static void what_must_be_observable_is_the_event_of_a_kind(void)
{
    const char *const *events = syncd_vocabulary_words(SYNCD_WORDS_INTEGRITY_EVENT);
    for (; *events != NULL; events++) {
        const SyncdKind *kind = syncd_kind_of_event(*events);
        if (is_not_yet_a_fact(*events)) {
            g_assert_null(kind);
            continue;
        }
        g_assert_nonnull(kind);
        g_assert_cmpstr(kind->event_type, ==, *events);
        g_assert_true(syncd_kind_find(SYNCD_BYTES_TEXT(kind->kind)) == kind);
    }
}

static void kinds_of_later_versions_are_shown_as_unknown(void)
{
    const SyncdKind *kind = syncd_kind_find(SYNCD_BYTES_TEXT("object.annotated"));
    g_assert_cmpstr(kind->event_type, ==, "sync.entry.unknown");
    g_assert_null(kind->type);
    g_assert_false(syncd_kind_is_operation(SYNCD_BYTES_TEXT("object.annotated")));
    g_assert_true(syncd_kind_is_operation(SYNCD_BYTES_TEXT("repair.undo")));
    g_assert_false(syncd_kind_is_operation(SYNCD_BYTES_TEXT("repair.")));
    g_assert_false(syncd_kind_is_operation(SYNCD_BYTES_TEXT("repairs.apply")));
    g_assert_false(syncd_kind_is_operation(SYNCD_BYTES_TEXT("")));
    g_assert_true(syncd_kind_find(SYNCD_BYTES_TEXT("operation.enqueue2"))->type == NULL);
}

static void enqueue_takes_what_it_can_carry_out(void)
{
    static const struct {
        const char *type;
        int code; /* -1: taken */
    } cases[] = {
        {"sync.operation.enqueue", -1},
        {"sync.operation.replay", -1},
        {"sync.operation.reconcile", -1},
        {"sync.conflict.detect", SYNCD_ERROR_APPROVAL_REQUIRED},
        {"sync.conflict.resolve", SYNCD_ERROR_APPROVAL_REQUIRED},
        {"sync.repair.apply", SYNCD_ERROR_APPROVAL_REQUIRED},
        {"sync.tombstone.apply", SYNCD_ERROR_APPROVAL_REQUIRED},
        {"sync.checkpoint.write", SYNCD_ERROR_APPROVAL_REQUIRED},
        {"sync.device.registered", SYNCD_ERROR_INVALID_CONTRACT},
        {"operation.enqueue", SYNCD_ERROR_INVALID_CONTRACT},
        {"", SYNCD_ERROR_INVALID_CONTRACT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const SyncdKind *kind = NULL;
        bool taken = syncd_kind_check_enqueue(cases[i].type, &kind, &error);
        g_assert_cmpint(taken, ==, cases[i].code < 0);
        g_assert_cmpint(kind != NULL, ==, taken);
        if (!taken) {
            g_assert_error(error, SYNCD_ERROR, cases[i].code);
            g_assert_true(g_str_has_prefix(error->message, "/type"));
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kind/every-operation-type-has-a-kind", every_operation_type_has_a_kind);
    g_test_add_func("/kind/every-kind-of-the-format-has-an-event-of-its-own",
                    every_kind_of_the_format_has_an_event_of_its_own);
    g_test_add_func("/kind/what-must-be-observable-is-the-event-of-a-kind",
                    what_must_be_observable_is_the_event_of_a_kind);
    g_test_add_func("/kind/kinds-of-later-versions-are-shown-as-unknown",
                    kinds_of_later_versions_are_shown_as_unknown);
    g_test_add_func("/kind/enqueue-takes-what-it-can-carry-out",
                    enqueue_takes_what_it_can_carry_out);
    return g_test_run();
}
