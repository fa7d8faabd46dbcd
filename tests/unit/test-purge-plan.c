/*
 * What may be purged: what is deleted and has ended, nothing that must be kept, by who may, and
 * only what was looked at.
 */
#include "purge-service-fixture.h"

static void nothing_is_purged_that_is_not_deleted(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    plan(&f, SYNCD_ERROR_INVALID_CONTRACT);
    g_free(purge_at(&f, "sha256:0", SYNCD_ERROR_INVALID_CONTRACT));
    delete_note(&f);
    SyncdRequest restore = good_request();
    restore.restore = true;
    g_free(enqueue_committed(&f, &restore));
    plan(&f, SYNCD_ERROR_INVALID_CONTRACT);
    service_clear(&f);
}

static void what_has_not_ended_stands_against_it(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    SyncdRequest more = good_request();
    g_autofree char *held = enqueue_committed(&f, &more);
    g_autofree char *lease = claim_operation(&f, held);
    g_autofree char *open = enqueue_committed(&f, &more);
    delete_note(&f);
    plan(&f, SYNCD_ERROR_BUSY);
    complete(&f, lease);
    plan(&f, SYNCD_ERROR_BUSY);
    /* nobody can claim it any more */
    g_autoptr(GError) error = NULL;
    g_autofree char *cancelled = NULL;
    syncd_service_cancel_task(f.service, &f.caller, open, NULL, &cancelled, &error);
    g_assert_no_error(error);
    syncd_service_commit(f.service);
    g_free(plan(&f, -1));
    service_clear(&f);
}

static void only_what_was_looked_at_is_purged(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    guint64 before = service_sequence(&f);
    g_free(purge_at(&f, "sha256:0", SYNCD_ERROR_STALE_DIGEST));
    g_free(purge_at(&f, NULL, SYNCD_ERROR_STALE_DIGEST));
    g_assert_cmpuint(service_sequence(&f), ==, before);
    SyncdRequest restore = good_request();
    restore.restore = true;
    g_autofree char *again = enqueue_committed(&f, &restore);
    g_autofree char *lease = claim_operation(&f, again);
    complete(&f, lease);
    delete_note(&f);
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    service_clear(&f);
}

/* What came in the same turn, and waits for its commit, is part of what is looked at. */
static void what_is_in_the_open_turn_is_purged_too(void)
{
    ServiceFixture f;
    g_autofree char *operation = begin(&f);
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    g_autoptr(GError) error = NULL;
    g_autofree char *document = g_strdup_printf(
        "{\"remote_operation_id\":\"" MARKER "\",\"ledger_evidence_refs\":[\"%s\"]}", operation);
    g_auto(SyncdReconciled) reconciled = {0};
    syncd_service_reconcile(f.service, &f.caller, operation, SYNCD_BYTES_TEXT(document),
                            &reconciled, &error);
    g_assert_no_error(error);
    g_assert_true(syncd_service_has_turn(f.service));
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    finish(&f);
    g_assert_false(state_holds(&f.base, MARKER));
    service_clear(&f);
}

static void nobody_enqueues_a_purge(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    g_autoptr(GError) error = NULL;
    g_auto(SyncdEnqueued) none = {0};
    SyncdRequest request = good_request();
    request.type = "sync.deletion.purged";
    syncd_service_enqueue(f.service, &f.caller, &request, &none, &error);
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_APPROVAL_REQUIRED);
    service_clear(&f);
}

static void strangers_purge_nothing(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    f.caller.uid = OWNER + 1;
    g_autoptr(GError) error = NULL;
    const SyncdPurgeRequest request = request_for(NULL);
    g_assert_null(plan_purge_at_once(f.service, &f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    service_clear(&f);
}

static void what_must_be_kept_is_kept(void)
{
    static const struct {
        const char *schema;
        const char *object;
        int code;
    } cases[] = {
        {SCHEMA_OF("normal"), OBJECT_OF("normal"), -1},
        {SCHEMA_OF("normal"), OBJECT_OF("ephemeral"), -1},
        {SCHEMA_OF("normal"), OBJECT_OF("legal_hold"), SYNCD_ERROR_POLICY_DENIED},
        {SCHEMA_OF("normal"), OBJECT_OF("retained"), SYNCD_ERROR_POLICY_DENIED},
        {SCHEMA_OF("legal_hold"), OBJECT_OF("normal"), SYNCD_ERROR_POLICY_DENIED},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ServiceFixture f;
        g_free(begin(&f));
        register_note(&f, cases[i].schema, cases[i].object);
        delete_note(&f);
        g_free(plan(&f, cases[i].code));
        service_clear(&f);
    }
}

static void policy_keeps_what_it_says(void)
{
    ServiceFixture f;
    g_free(begin(&f));
    delete_note(&f);
    g_autofree char *digest = plan(&f, -1);
    keep_by_policy(&f);
    g_free(plan(&f, SYNCD_ERROR_POLICY_DENIED));
    g_free(purge_at(&f, digest, SYNCD_ERROR_POLICY_DENIED));
    syncd_service_commit(f.service);
    g_assert_cmpuint(count_events(&f, "sync.policy.denied"), ==, 1);
    /* and nothing else is refused by it */
    put(&f, "note-2", "{}");
    /* what is shown under one policy is not purged under another without being looked at again */
    syncd_service_set_policy(
        f.service, set_of(FILE_OF(RULE("\"objects\":[\"note-1\"]", "allow", "go_on")), NULL), NULL);
    g_free(purge_at(&f, digest, SYNCD_ERROR_STALE_DIGEST));
    g_free(purge(&f));
    service_clear(&f);
}

/* Which takes some hundred GiB of content. */
static void a_purge_that_no_entry_can_list_is_refused(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) entries = g_ptr_array_new();
    g_autoptr(GPtrArray) chunks = g_ptr_array_new();
    const SyncdPurgeRequest request = request_for(NULL);
    SyncdScope scope = {.id = (char *)"workspace-01j0000000000000000000000c"};
    SyncdPurgedChunk chunk = {.name = (char *)"digest", .size = 1048576};
    SyncdPurgeable purgeable = {.entries = entries, .chunks = chunks};
    SyncdPurgePlan plan = {.request = &request,
                           .scope = &scope,
                           .subject = (char *)"uid:1000",
                           .purgeable = &purgeable};
    g_ptr_array_add(chunks, &chunk);
    g_autoptr(GString) little = syncd_purge_write(&plan, &error);
    g_assert_no_error(error);
    g_assert_nonnull(little);
    while (chunks->len < SYNCD_STORE_CONTENT_MAX / 32)
        g_ptr_array_add(chunks, &chunk);
    g_assert_null(syncd_purge_write(&plan, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_LIMITS_EXCEEDED);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/purge-plan/not-deleted", nothing_is_purged_that_is_not_deleted);
    g_test_add_func("/purge-plan/not-ended", what_has_not_ended_stands_against_it);
    g_test_add_func("/purge-plan/digest", only_what_was_looked_at_is_purged);
    g_test_add_func("/purge-plan/open-turn", what_is_in_the_open_turn_is_purged_too);
    g_test_add_func("/purge-plan/enqueued", nobody_enqueues_a_purge);
    g_test_add_func("/purge-plan/strangers", strangers_purge_nothing);
    g_test_add_func("/purge-plan/retention", what_must_be_kept_is_kept);
    g_test_add_func("/purge-plan/policy", policy_keeps_what_it_says);
    g_test_add_func("/purge-plan/too-large", a_purge_that_no_entry_can_list_is_refused);
    return g_test_run();
}
