/*
 * What an operation and its artifacts are called elsewhere. What is refused leaves no trace; what
 * is taken is in the log with the names that were given, and said once more it is the same entry.
 */
#include "../unit/all-at-once.h"
#include "fuzz.h"
#include "scratch-store.h"
#include "scratch.h"

#include "base/json.h"
#include "service/internal.h"

#define OWNER 1000

static SyncdService *service;
static char *operation; /* is done, and has two artifacts without names */
static const SyncdCaller caller = {.uid = OWNER};

static void check_refused(const GError *error)
{
    LAW(!syncd_service_has_turn(service));
    LAW(error->domain == SYNCD_ERROR && g_utf8_validate(error->message, -1, NULL));
    LAW(error->code != SYNCD_ERROR_FAILED && error->code != SYNCD_ERROR_STORAGE_FAILED);
}

static void check_same_member(SyncdJson one, SyncdJson other, const char *name)
{
    g_autofree char *text = syncd_json_dup_text(syncd_json_member(one, name));
    g_autofree char *other_text = syncd_json_dup_text(syncd_json_member(other, name));
    LAW(g_strcmp0(text, other_text) == 0);
}

static void check_taken(SyncdBytes document)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    LAW(syncd_store_read(service->store, syncd_store_sequence(service->store), &entry, NULL));
    LAW(syncd_bytes_are(entry.header.kind, "operation.reconcile"));
    LAW(syncd_store_read_body(service->store, &entry, &body, NULL));
    LAW(syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, NULL));
    SyncdJson record = syncd_json_root(body.content, body.content_size);
    SyncdJson wanted = syncd_json_root(document.data, document.size);
    LAW(syncd_json_is(syncd_json_member(record, "reconciled_operation_id"), operation));
    check_same_member(record, wanted, "remote_operation_id");
    check_same_member(record, wanted, "artifact_admission_ref");
}

static void check_once_more(SyncdBytes document, const SyncdReconciled *first)
{
    g_auto(SyncdReconciled) again = {0};
    LAW(!first->duplicate);
    LAW(syncd_service_reconcile(service, &caller, operation, document, &again, NULL));
    LAW(again.duplicate && strcmp(again.entry, first->entry) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdReconciled) reconciled = {0};
    SyncdBytes document = SYNCD_BYTES(data, size);
    bool taken =
        syncd_service_reconcile(service, &caller, operation, document, &reconciled, &error);
    LAW(taken == (error == NULL));
    if (!taken) {
        check_refused(error);
        return 0;
    }
    check_taken(document);
    check_once_more(document, &reconciled);
    /* Never committed, so that each input meets the same log. */
    g_autoptr(GError) why = g_error_new_literal(SYNCD_ERROR, SYNCD_ERROR_CANCELLED, "over");
    syncd_service_discard(service, why);
    return 0;
}

static void close_service(void)
{
    g_clear_pointer(&service, syncd_service_free);
    g_clear_pointer(&operation, g_free);
}

static void finish_an_operation(void)
{
    g_auto(SyncdEnqueued) enqueued = {0};
    g_autofree char *lease = NULL, *done = NULL;
    SyncdRequest request = {
        .type = "sync.operation.enqueue",
        .scope = "device",
        .object = "note:1",
        .body =
            SYNCD_BYTES_TEXT("{\"provisional_artifact_ids\":{\"p-1\":\"note\",\"p-2\":\"note\"}}"),
    };
    LAW(syncd_service_enqueue(service, &caller, &request, &enqueued, NULL));
    syncd_service_commit(service);
    operation = g_strdup(enqueued.operation);
    SyncdClaim claim = {.operation = operation};
    LAW(claim_at_once(service, &caller, &claim, &lease, NULL) && lease != NULL);
    syncd_service_commit(service);
    LAW(syncd_service_complete_task(service, &caller, lease, NULL, &done, NULL));
    syncd_service_commit(service);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    service =
        syncd_service_new(SYNCD_INSTANCE_USER, OWNER, scratch_store(), scratch_sources(), &error);
    LAW(service != NULL);
    finish_an_operation();
    atexit(close_service); /* before its directory goes */
    return 0;
}
