/*
 * Only who may migrate does, by itself or by its signature, once for each key; what policy or reach
 * forbids stays as it is.
 */
#include "migration-fixture.h"
#include "policy-fixture.h"
#include "service/internal.h"

static void the_same_key_gives_the_first_result(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    SyncdMigrationRequest request = {.migration = "m", .idempotency_key = "k"};
    g_autofree char *planned = plan_migration(&m, &request), *digest = text_of(planned, "digest");
    g_autofree char *first = NULL, *again = NULL, *report = NULL, *same = NULL;
    request.digest = digest;
    g_assert_cmpint(apply_migration(&m, &request, &report, &first), ==, -1);
    guint64 sequence = service_sequence(&m.f);
    g_assert_cmpint(apply_migration(&m, &request, &same, &again), ==, -1);
    g_assert_cmpstr(again, ==, first);
    g_assert_cmpstr(same, ==, report);
    service_close(&m.f);
    service_open(&m.f);
    g_clear_pointer(&again, g_free);
    g_assert_cmpint(apply_migration(&m, &request, NULL, &again), ==, -1);
    g_assert_cmpstr(again, ==, first);
    request.digest = "sha256:00";
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_INVALID_ARGS);
    /* A rollback is another request, whatever it is about. */
    SyncdMigrationRequest back = {.run = first, .idempotency_key = "k", .digest = digest};
    g_assert_cmpint(apply_migration(&m, &back, NULL, NULL), ==, SYNCD_ERROR_INVALID_ARGS);
    back.idempotency_key = "";
    g_assert_cmpint(apply_migration(&m, &back, NULL, NULL), ==, SYNCD_ERROR_INVALID_CONTRACT);
    g_assert_cmpuint(service_sequence(&m.f), ==, sequence);
    migrating_clear(&m);
}

static char *sign_migration(Migrating *m, const SyncdMigrationRequest *request, const char *method)
{
    SyncdBytes parts[3];
    size_t n = 0;
    parts[n++] = SYNCD_BYTES_TEXT(request->run != NULL ? request->run : request->migration);
    if (request->digest != NULL)
        parts[n++] = SYNCD_BYTES_TEXT(request->digest);
    if (request->run == NULL)
        parts[n++] = SYNCD_BYTES_TEXT("");
    g_autoptr(GString) statement =
        syncd_signed_statement(syncd_store_device_id(m->f.service->store), &request->claim, method,
                               request->digest != NULL ? request->idempotency_key : "", parts, n);
    SyncdSignature signature = syncd_signer_sign(m->signer, statement->str, statement->len);
    return g_base64_encode(signature.bytes, sizeof signature.bytes);
}

static void an_agent_migrates_what_it_signs_for(void)
{
    Migrating m;
    char hex[2 * SYNCD_PUBLIC_KEY_SIZE + 1];
    migrating_init(&m);
    three_notes(&m);
    syncd_hex_encode(syncd_signer_public_key(m.signer)->bytes, SYNCD_PUBLIC_KEY_SIZE, hex);
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"mover\",\"actor_type\":\"agent\",\"display_name\":\"M\",\"identity_id\":"
        "\"agent:mover\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*\"],\"capabilities\":["
        "\"read\",\"write\",\"migrate_schema\"],\"trust_level\":\"user\",\"policy_subject\":\"m\","
        "\"signing_key_ref\":\"ed25519:%s\"}",
        hex);
    g_assert_cmpint(register_record(&m.f, "actor", record), ==, -1);
    SyncdMigrationRequest request = {.migration = "m"};
    request.claim =
        (SyncdSigned){.actor = "mover", .expires_usec = m.f.base.now_usec + 60 * G_USEC_PER_SEC};
    g_autofree char *to_plan = sign_migration(&m, &request, "Registry.PlanMigration");
    request.claim.signature = to_plan;
    g_autofree char *planned = plan_migration(&m, &request), *digest = text_of(planned, "digest");
    assert_member(planned, "actor_id", "\"mover\"");

    request.digest = digest;
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_ACCESS_DENIED);
    request.idempotency_key = "k";
    g_autofree char *to_apply = sign_migration(&m, &request, "Registry.ApplyMigration");
    g_assert_cmpint(apply_migration(&m, &request, NULL, NULL), ==, SYNCD_ERROR_ACCESS_DENIED);
    request.claim.signature = to_apply;
    g_autofree char *report = NULL, *operation = NULL, *again = NULL;
    g_assert_cmpint(apply_migration(&m, &request, &report, &operation), ==, -1);
    assert_member(report, "actor_id", "\"mover\"");
    g_assert_cmpint(apply_migration(&m, &request, NULL, &again), ==, -1);
    g_assert_cmpstr(again, ==, operation);
    g_assert_cmpuint(count_events(&m.f, "sync.schema.migrated"), ==, 1);
    migrating_clear(&m);
}

static void only_who_may_migrate_does(void)
{
    Migrating m;
    migrating_init(&m);
    three_notes(&m);
    g_autoptr(GError) error = NULL;
    const SyncdCaller stranger = {.uid = 4711};
    const SyncdMigrationRequest request = {.migration = "m"};
    g_assert_null(syncd_service_plan_migration(m.f.service, &stranger, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_clear_error(&error);
    g_assert_cmpint(register_record(&m.f, "actor", ACTOR("a-1", "uid:4711", "")), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &stranger, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    g_clear_error(&error);
    /* A manifest does not outlive its author's right. */
    g_assert_cmpint(revoke_record(&m.f, "actor", AUTHOR), ==, -1);
    g_assert_null(syncd_service_plan_migration(m.f.service, &m.f.caller, &request, &error));
    g_assert_error(error, SYNCD_ERROR, SYNCD_ERROR_ACCESS_DENIED);
    migrating_clear(&m);
}

/* What is refused in a dry run was not tried: the log does not hear of it. */
static void what_policy_or_reach_forbids_stays_as_it_is(void)
{
    Migrating m;
    migrating_init(&m);
    const ManifestParts parts = {.steps = MOVE};
    register_note(&m, "o-1", "1", ",\"title\":\"1\"");
    register_note(&m, "o-2", "1", ",\"title\":\"2\"");
    g_assert_cmpint(register_manifest(&m, &parts), ==, -1);
    syncd_service_set_policy(
        m.f.service,
        set_of(FILE_OF(RULE("\"lanes\":[\"migration\"],\"objects\":[\"o-1\"]", "deny", "held")),
               NULL),
        NULL);
    const SyncdMigrationRequest request = {.migration = "m"};
    g_autofree char *report = plan_migration(&m, &request);
    g_assert_cmpuint(count_of(report, "objects"), ==, 1);
    g_assert_nonnull(strstr(report, "\"reason\":\"policy_denied\""));
    g_free(migrate(&m, request));
    g_autofree char *held = record_member(&m.f, "object", "o-1", "title");
    g_assert_cmpstr(held, ==, "\"1\"");
    g_assert_null(record_member(&m.f, "object", "o-2", "title"));

    const SyncdCaller agent = {.uid = 4711};
    g_autoptr(GError) error = NULL;
    g_assert_cmpint(
        register_record(&m.f, "actor",
                        "{\"actor_id\":\"a-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
                        "\"identity_id\":\"uid:4711\",\"workspace_scope\":[\"workspace:other\"],"
                        "\"profile_scope\":[\"*\"],\"capabilities\":[\"migrate_schema\"],"
                        "\"trust_level\":\"user\",\"policy_subject\":\"a\",\"signing_key_ref\":"
                        "\"none\"}"),
        ==, -1);
    g_autofree char *elsewhere =
        syncd_service_plan_migration(m.f.service, &agent, &request, &error);
    g_assert_no_error(error);
    /* Nor does it hear of them. */
    g_assert_cmpuint(count_of(elsewhere, "objects"), ==, 0);
    g_assert_cmpuint(count_of(elsewhere, "failures"), ==, 0);
    m.f.base.now_usec += G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    run_jobs(&m.f);
    syncd_service_commit(m.f.service);
    g_assert_cmpuint(count_events(&m.f, "sync.policy.denied"), ==, 0);
    migrating_clear(&m);
}

int main(int argc, char *argv[])
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/migrate-rights/the-same-key-gives-the-first-result",
                    the_same_key_gives_the_first_result);
    g_test_add_func("/migrate-rights/an-agent-migrates-what-it-signs-for",
                    an_agent_migrates_what_it_signs_for);
    g_test_add_func("/migrate-rights/only-who-may-migrate-does", only_who_may_migrate_does);
    g_test_add_func("/migrate-rights/what-policy-or-reach-forbids-stays-as-it-is",
                    what_policy_or_reach_forbids_stays_as_it_is);
    return g_test_run();
}
