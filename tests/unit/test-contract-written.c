/*
 * What the program writes keeps to the contracts that it names, and what it does not know of a
 * caller's document is in its records byte for byte.
 */
#include "contract/check.h"
#include "golden.h"
#include "registry-fixture.h"
#include "service/diagnose.h"
#include "service/explain.h"
#include "task-fixture.h"

/* Members that no contract has, as a caller may spell them. */
#define UNKNOWN                                                                                    \
    "\"x-n\\u006fte\" :  [ 1.0,123456789012345678901234567890 ,{\"\\/\":\"\\u00e9\xc3\xa9\"}],"    \
    "\"x-deep\":{\"b\":1,\"a\":{\"z\":-0.0}}"

static void assert_keeps(const char *document, const char *id)
{
    g_autoptr(GError) error = NULL;
    syncd_contract_demand(id, golden_root(document), "", &error);
    if (error != NULL)
        g_error("%s: %s", error->message, document);
}

static void assert_has_unknown(const char *record)
{
    if (strstr(record, UNKNOWN) == NULL)
        g_error("the unknown members are not as they were: %s", record);
}

/* ---- operations ---- */

static void operations_keep_to_their_contract(void)
{
    static const char *const bodies[] = {
        "{}",
        "{" UNKNOWN "}",
        "{\"provisional_artifact_ids\":{\"a\":\"b\"},\"artifact_reconciliation\":{\"a\":\"c\"},"
        "\"conflict_ids\":[\"c\"],\"remote_operation_id\":\"r\",\"profile_id\":\"profile:work\","
        "\"ledger_evidence_refs\":[\"e\"],\"replay_safe\":false," UNKNOWN "}",
    };
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *operation = enqueue_body(&f, "note-1", bodies[i]);
        g_autofree char *record = get(&f, operation);
        assert_keeps(record, "sourceos.workspace-operation/v1alpha1");
        if (i > 0)
            assert_has_unknown(record);
    }
    service_clear(&f);
}

/* ---- registries ---- */

static const struct {
    const char *family;
    const char *id;
    const char *contract;
    const char *members;
} records[] = {
    {"profile", "profile:work", "sourceos.profile-record/v1alpha1",
     "\"profile_id\":\"profile:work\",\"display_name\":\"Work\",\"profile_class\":\"work\","
     "\"policy_tags\":[\"office\"]"},
    {"workspace", "workspace:plans", "sourceos.workspace-record/v1alpha1",
     "\"workspace_id\":\"workspace:plans\",\"profile_id\":\"profile:work\","
     "\"display_name\":\"Plans\""},
    {"actor", "a-1", "sourceos.actor-record/v1alpha1",
     "\"actor_id\":\"a-1\",\"actor_type\":\"agent\",\"display_name\":\"Librarian\","
     "\"identity_id\":\"unit:librarian.service\",\"workspace_scope\":[\"*\"],\"profile_scope\":[\"*"
     "\"],"
     "\"capabilities\":[\"read\"],\"trust_level\":\"user\",\"policy_subject\":\"agents\","
     "\"signing_key_ref\":\"none\""},
    {"device", "d-1", "sourceos.device-record/v1alpha1",
     "\"device_id\":\"d-1\",\"display_name\":\"Tablet\",\"trust_level\":\"user\","
     "\"device_state\":\"trusted\""},
    {"encryption-profile", "e-1", "sourceos.encryption-profile/v1alpha1",
     "\"encryption_profile_id\":\"e-1\",\"encryption_scope\":\"workspace\""},
    {"schema", "note/v1@1", "sourceos.schema-record/v1alpha1",
     "\"schema_id\":\"note/v1\",\"object_type\":\"note\",\"schema_version\":\"1\","
     "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
     "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":\"workspace\","
     "\"retention_class\":\"normal\""},
    {"object", "o-1", "sourceos.object-record/v1alpha1",
     "\"object_id\":\"o-1\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","
     "\"schema_version\":\"1\",\"workspace_id\":\"workspace:plans\","
     "\"profile_id\":\"profile:work\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","
     "\"sync_visibility\":\"workspace\",\"retention_class\":\"normal\",\"policy_tags\":[],"
     "\"provenance\":[]"},
    {"plan", "p-1", "sourceos.sync-plan/v1alpha1",
     "\"plan_id\":\"p-1\",\"target_actor\":\"a-1\",\"profile_id\":\"profile:work\","
     "\"workspace_id\":\"workspace:plans\",\"object_ids\":[],\"operation_class\":\"restore\","
     "\"dependencies\":[],\"retry_policy\":\"none\",\"conflict_policy\":\"ask\","
     "\"status\":\"planned\",\"user_explanation\":\"x\""},
};

static char *record_of(ServiceFixture *f, size_t i)
{
    g_autofree char *shown = show_record(f, records[i].family, records[i].id);
    return member_of(shown, "record");
}

static void check_record(ServiceFixture *f, size_t i)
{
    g_autofree char *record = record_of(f, i);
    assert_keeps(record, records[i].contract);
    assert_has_unknown(record);
}

static void registered_records_keep_to_their_contracts(void)
{
    ServiceFixture f;
    service_init(&f);
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
        const char *family = records[i].family;
        g_autofree char *document = g_strdup_printf("{%s," UNKNOWN "}", records[i].members);
        g_assert_cmpint(register_record(&f, family, document), ==, -1);
        check_record(&f, i);
        if (strcmp(family, "schema") == 0) /* which has versions instead */
            continue;
        g_assert_cmpint(update_record(&f, family, records[i].id, document), ==, -1);
        check_record(&f, i);
    }
    /* The way back: a workspace goes before its profile. */
    for (size_t i = G_N_ELEMENTS(records); i-- > 0;) {
        g_assert_cmpint(revoke_record(&f, records[i].family, records[i].id), ==, -1);
        check_record(&f, i);
    }
    service_clear(&f);
}

/* ---- everything else ---- */

/* Bodies that are not whole documents: an operation's is what its caller said, a checkpoint's is
 * the part of it that is known before the entry. */
static bool is_a_part(const char *id)
{
    return strcmp(id, "sourceos.workspace-operation/v1alpha1") == 0 ||
           strcmp(id, "sourceos.log-checkpoint/v1") == 0;
}

static void purge(ServiceFixture *f, SyncdPurgeRequest request)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    g_autofree char *plan = plan_purge_at_once(f->service, &f->caller, &request, &error);
    g_assert_no_error(error);
    assert_keeps(plan, "sourceos.purge-plan/v1");
    g_autofree char *digest = syncd_json_dup_text(syncd_json_member(golden_root(plan), "digest"));
    request.digest = digest;
    purge_at_once(f->service, &f->caller, &request, &purged, &error);
    g_assert_no_error(error);
    for (int proven = 0; proven < 2; proven++) {
        g_autofree char *report =
            syncd_service_describe_purge(f->service, &f->caller, purged.operation, &error);
        g_assert_no_error(error);
        assert_keeps(report, "sourceos.purge-report/v1");
        assert_member(report, "state", proven ? "\"proven\"" : "\"purged\"");
        run_jobs(f);
        syncd_service_commit(f->service);
    }
}

/* An operation that is carried out, reconciled and replayed, and an object that is deleted and
 * purged. */
static void live(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReconciled) reconciled = {0};
    g_auto(SyncdReplayed) replayed = {0};
    SyncdRequest deletion = good_request();
    deletion.lane = "tombstone";
    g_autofree char *one = enqueue_body(f, "note-7", "{}"), *two = enqueue_body(f, "note-8", "{}"),
                    *lease = claim_operation(f, one);
    complete(f, lease);
    g_autofree char *names =
        g_strdup_printf("{\"remote_operation_id\":\"r-1\",\"ledger_evidence_refs\":[\"%s\"]}", two);
    syncd_service_reconcile(f->service, &f->caller, one, SYNCD_BYTES_TEXT(names), &reconciled,
                            &error);
    g_assert_no_error(error);
    syncd_service_replay(f->service, &f->caller, two, "again", &replayed, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    g_autofree char *evidence =
        syncd_service_describe_replay(f->service, replayed.evidence, &error);
    g_assert_no_error(error);
    assert_keeps(evidence, "sourceos.replay-evidence/v1");
    deletion.object = "note-7";
    g_free(enqueue_committed(f, &deletion));
    g_autofree char *gone = enqueue_body(f, "note-9", "{}"), *held = claim_operation(f, gone);
    complete(f, held);
    deletion.object = "note-9";
    g_free(enqueue_committed(f, &deletion));
    purge(f, (SyncdPurgeRequest){"workspace:notes", "note-9", NULL});
}

static void fill(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = NULL;
    put(f, "note-1", "{}");
    syncd_service_checkpoint(f->service, &f->caller, "workspace:notes", &operation, &error);
    g_assert_no_error(error);
    syncd_service_note_refusal(f->service, &f->caller, "write", "because");
    syncd_service_commit(f->service);
    live(f);
    f->base.now_usec += G_GUINT64_CONSTANT(3600) * G_USEC_PER_SEC;
    run_jobs(f);
    syncd_service_commit(f->service);
    g_autofree char *document = syncd_service_describe_checkpoint(f->service, operation, &error);
    g_assert_no_error(error);
    assert_keeps(document, "sourceos.log-checkpoint/v1");
}

static void documents_in_the_log_keep_to_their_contracts(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SyncdListing listing = {.bodies = true, .limit = 1000};
    g_autoptr(GString) page =
        syncd_service_list_bytes(f.service, &f.caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    g_auto(GStrv) lines = g_strsplit(page->str, "\n", -1);
    for (guint i = 0; lines[i + 1] != NULL; i++) {
        g_autofree char *body = member_of(lines[i], "body");
        char *id = body != NULL ? syncd_contract_id_of(golden_root(body)) : NULL;
        if (id == NULL)
            continue;
        if (!is_a_part(id))
            assert_keeps(body, id);
        g_hash_table_add(seen, id);
    }
    static const char *const wanted[] = {
        "sourceos.device-record/v1alpha1",
        "sourceos.actor-record/v1alpha1",
        "sourceos.policy-decision/v1alpha1",
        "sourceos.policy-refusal/v1",
        "sourceos.operation-task/v1alpha1",
        "sourceos.operation-reconciliation/v1",
        "sourceos.operation-replay/v1",
        "sourceos.deletion/v1",
        "sourceos.purge/v1",
        "sourceos.purge-proof/v1",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        g_assert_true(g_hash_table_contains(seen, wanted[i]));
    service_clear(&f);
}

static void events_keep_to_their_contract(void)
{
    ServiceFixture f;
    service_init(&f);
    fill(&f);
    g_autofree char *events = events_of(&f, NULL);
    g_assert_cmpuint(count_elements(events), >, 4);
    SyncdJsonIter iter;
    SyncdJson event;
    syncd_json_iter_init(&iter, golden_root(events));
    while (syncd_json_iter_next(&iter, NULL, &event)) {
        g_autofree char *text = g_strndup(event.at, syncd_json_size(event));
        assert_keeps(text, "sourceos.integrity-event/v1alpha1");
    }
    service_clear(&f);
}

static void answers_keep_to_their_contracts(void)
{
    ServiceFixture f;
    SyncdJob *job = NULL;
    service_init(&f);
    fill(&f);
    g_autoptr(GError) error = NULL;
    g_autofree char *operation = enqueue_body(&f, "note-1", "{}");
    g_autofree char *status = syncd_service_status(f.service);
    assert_keeps(status, "sourceos.sync-status/v1");
    g_autofree char *proof = syncd_service_prove(f.service, &f.caller, operation, &error);
    g_assert_no_error(error);
    assert_keeps(proof, "sourceos.log-proof/v1");
    g_autofree char *explanation = syncd_service_explain(f.service, &f.caller, "note-1", &error);
    g_assert_no_error(error);
    assert_keeps(explanation, "sourceos.explanation/v1");
    const SyncdDiagnoseOptions options = {.deep = true};
    g_autofree char *diagnosis = syncd_service_describe_diagnosis(f.service, &f.caller, &options);
    assert_keeps(diagnosis, SYNCD_DOCTOR_SCHEMA);
    syncd_service_verify(f.service, &f.caller, SYNCD_VERIFY_FULL, NULL, &job, &error);
    g_assert_no_error(error);
    run_jobs(&f);
    assert_keeps(syncd_job_result(job), "sourceos.verification/v1");
    service_clear(&f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_true(syncd_crypto_init(NULL));
    g_test_add_func("/contract-written/operations-keep-to-their-contract",
                    operations_keep_to_their_contract);
    g_test_add_func("/contract-written/registered-records-keep-to-their-contracts",
                    registered_records_keep_to_their_contracts);
    g_test_add_func("/contract-written/documents-in-the-log-keep-to-their-contracts",
                    documents_in_the_log_keep_to_their_contracts);
    g_test_add_func("/contract-written/events-keep-to-their-contract",
                    events_keep_to_their_contract);
    g_test_add_func("/contract-written/answers-keep-to-their-contracts",
                    answers_keep_to_their_contracts);
    return g_test_run();
}
