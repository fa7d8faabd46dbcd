#include "service/internal.h"

void syncd_enqueued_clear(SyncdEnqueued *enqueued)
{
    g_clear_pointer(&enqueued->operation, g_free);
}

/* ---- idempotency ---- */

static bool headers_agree(const SyncdAdmission *admission, const SyncdHeader *header)
{
    if (!syncd_bytes_are(header->kind, admission->kind->kind) ||
        !syncd_bytes_are(header->object, admission->request->object) ||
        !syncd_bytes_are(header->lane, admission->lane) ||
        header->n_parents != admission->n_parents)
        return false;
    for (unsigned i = 0; i < admission->n_parents; i++)
        if (!syncd_hash_equal(&header->parents[i], &admission->parents[i]))
            return false;
    return true;
}

static bool bodies_agree(const SyncdAdmission *admission, const SyncdBody *body)
{
    SyncdBytes content = admission->request->body;
    return body->meta_size == strlen(admission->meta) &&
           memcmp(body->meta, admission->meta, body->meta_size) == 0 &&
           body->content_size == content.size &&
           memcmp(body->content, content.data, content.size) == 0;
}

static bool take_first(SyncdService *service, const SyncdAdmission *admission, guint64 pos,
                       SyncdEnqueued *ret_enqueued, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(service->store, pos, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error))
        return false;
    if (!headers_agree(admission, &entry.header) || !bodies_agree(admission, &body)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "use a new key for a new request; repeat the first one unchanged",
                             "/idempotency_key was used for another request, sequence number "
                             "%" G_GUINT64_FORMAT,
                             pos);
        return false;
    }
    *ret_enqueued = (SyncdEnqueued){syncd_bytes_dup(entry.header.op), pos, true};
    return true;
}

static SyncdBytes text_part(const char *text)
{
    return text != NULL ? SYNCD_BYTES_TEXT(text) : SYNCD_BYTES_TEXT("");
}

/* ---- writing ---- */

static bool append_operation(SyncdService *service, const SyncdAdmission *admission,
                             const char *scope_id, SyncdEnqueued *ret_enqueued, GError **error)
{
    g_auto(SyncdReceipt) receipt = {0};
    SyncdDraft draft = {
        .kind = admission->kind->kind,
        .actor = admission->actor,
        .object = admission->request->object,
        .decision = admission->decisions->decisions[0].id,
        .engine = "",
        .lane = admission->lane,
        .schema_id = SYNCD_OPERATION_SCHEMA,
        .schema_version = SYNCD_OPERATION_SCHEMA_VERSION,
        .idempotency_key = admission->request->idempotency_key,
        .parents = admission->parents,
        .n_parents = admission->n_parents,
        .meta = SYNCD_BYTES_TEXT(admission->meta),
        .content = admission->request->body,
    };
    if (!syncd_service_append(service, scope_id, &draft, &receipt, error))
        return false;
    *ret_enqueued = (SyncdEnqueued){g_steal_pointer(&receipt.op), receipt.pos, false};
    return true;
}

/* Opening a scope appends to its feed, as any entry does. */
static bool open_scope(SyncdService *service, const SyncdAdmission *admission,
                       SyncdScope **ret_scope, GError **error)
{
    bool had_turn = syncd_service_has_turn(service);
    bool done = syncd_store_open_scope(service->store, admission->scope_class,
                                       admission->scope_name, admission->actor, ret_scope, error);
    syncd_service_tell_turn(service, had_turn);
    return done;
}

bool syncd_service_admit(SyncdService *service, const SyncdAdmission *admission,
                         SyncdEnqueued *ret_enqueued, GError **error)
{
    g_autoptr(SyncdScope) scope = NULL;
    guint64 first = 0;
    if (syncd_service_is_ephemeral(admission->request)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "send it alone, with Enqueue",
                             "/lane: the lane %s is not taken among others", admission->lane);
        return false;
    }
    if (!syncd_service_check_scope(service, admission, error) ||
        !syncd_store_find_scope(service->store, admission->scope_class, admission->scope_name,
                                &scope, error))
        return false;
    if (scope != NULL && admission->request->idempotency_key != NULL &&
        !syncd_store_find_key(service->store, admission->actor, scope->id,
                              admission->request->idempotency_key, &first, error))
        return false;
    if (first != 0)
        return take_first(service, admission, first, ret_enqueued, error);
    if (!syncd_service_check_deletion(service, admission, scope != NULL ? scope->id : NULL, error))
        return false;

    return (scope != NULL || open_scope(service, admission, &scope, error)) &&
           syncd_service_record_decisions(service, admission->actor, admission->decisions, error) &&
           (!admission->request->restore ||
            syncd_service_apply_restore(service, admission, scope->id, error)) &&
           append_operation(service, admission, scope->id, ret_enqueued, error) &&
           (!syncd_service_is_delete(admission) ||
            syncd_service_apply_deletion(service, admission, scope->id, ret_enqueued->operation,
                                         error));
}

/* ---- requests about an operation that exists ---- */

/* What a request says of where the operation lies must be so. */
static bool check_place(SyncdService *service, const SyncdCaller *caller,
                        const SyncdRequest *request, const char *operation, GError **error)
{
    g_auto(SyncdTarget) target = {0};
    if (!syncd_service_read_target(service, caller, operation, &target, error))
        return false;
    g_autofree char *scope = syncd_service_scope_text(service, target.entry.header.scope);
    if (strcmp(scope, request->scope) == 0 &&
        syncd_bytes_are(target.entry.header.object, request->object))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "give the scope and the object of the operation",
                         "/scope or /object is not that of the operation %s", operation);
    return false;
}

static bool enqueue_replay(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRequest *request, SyncdEnqueued *ret_enqueued, GError **error)
{
    g_auto(SyncdReplayed) replayed = {0};
    if (!syncd_operation_check_body(request->body, error))
        return false;
    SyncdJson body = syncd_json_root(request->body.data, request->body.size);
    g_autofree char *operation =
                        syncd_json_dup_text(syncd_json_member(body, "replayed_operation_id")),
                    *key = syncd_json_dup_text(syncd_json_member(body, "replay_idempotency_key"));
    if (operation == NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/body/replayed_operation_id must name an operation");
        return false;
    }
    if (!check_place(service, caller, request, operation, error) ||
        !syncd_service_replay(service, caller, operation,
                              request->idempotency_key != NULL ? request->idempotency_key : key,
                              &replayed, error))
        return false;
    ret_enqueued->duplicate = replayed.duplicate;
    ret_enqueued->operation = g_steal_pointer(&replayed.evidence);
    return syncd_store_find_op(service->store, ret_enqueued->operation, &ret_enqueued->sequence,
                               error);
}

static bool enqueue_reconcile(SyncdService *service, const SyncdCaller *caller,
                              const SyncdRequest *request, SyncdEnqueued *ret_enqueued,
                              GError **error)
{
    g_auto(SyncdReconciled) reconciled = {0};
    if (!syncd_operation_check_body(request->body, error))
        return false;
    SyncdJson body = syncd_json_root(request->body.data, request->body.size);
    g_autofree char *operation =
        syncd_json_dup_text(syncd_json_member(body, "reconciled_operation_id"));
    if (operation == NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/body/reconciled_operation_id must name an operation");
        return false;
    }
    if (!check_place(service, caller, request, operation, error) ||
        !syncd_service_reconcile(service, caller, operation, request->body, &reconciled, error))
        return false;
    ret_enqueued->duplicate = reconciled.duplicate;
    ret_enqueued->operation = g_steal_pointer(&reconciled.entry);
    return syncd_store_find_op(service->store, ret_enqueued->operation, &ret_enqueued->sequence,
                               error);
}

static const struct {
    const char *type;
    bool (*enqueue)(SyncdService *service, const SyncdCaller *caller, const SyncdRequest *request,
                    SyncdEnqueued *ret_enqueued, GError **error);
} others[] = {
    {"sync.operation.replay", enqueue_replay},
    {"sync.operation.reconcile", enqueue_reconcile},
};

/* The arguments, in the order that their signature covers. */
static bool heed_claim(SyncdService *service, const SyncdCaller *caller,
                       const SyncdRequest *request, SyncdCaller *ret_caller, GError **error)
{
    g_autofree char *parents =
        request->parents != NULL ? g_strjoinv(",", (char **)request->parents) : NULL;
    const SyncdBytes parts[] = {
        text_part(request->type),
        text_part(request->scope),
        text_part(request->object),
        request->body,
        text_part(request->lane),
        text_part(request->data_class),
        text_part(parents),
        text_part(request->create_scope ? "create" : NULL),
        text_part(request->restore ? "restore" : NULL),
    };
    return syncd_service_heed_claim(service, caller, &request->claim, "Operations.Enqueue",
                                    request->idempotency_key, parts, G_N_ELEMENTS(parts),
                                    ret_caller, error);
}

/* Opening a scope is an entry of its own, as is what a deletion and its end do. */
static bool takes_several(SyncdService *service, const SyncdAdmission *admission, bool *ret_several,
                          GError **error)
{
    const SyncdRequest *request = admission->request;
    *ret_several = syncd_service_is_delete(admission) || request->restore;
    if (*ret_several || !request->create_scope)
        return true;
    g_autoptr(SyncdScope) scope = NULL;
    if (!syncd_store_find_scope(service->store, admission->scope_class, admission->scope_name,
                                &scope, error))
        return false;
    *ret_several = scope == NULL;
    return true;
}

static bool admit_whole(SyncdService *service, const SyncdAdmission *admission,
                        SyncdEnqueued *ret_enqueued, GError **error)
{
    g_autoptr(GError) failure = NULL;
    return syncd_service_begin_whole(service, error) &&
           syncd_service_end_whole(service,
                                   syncd_service_admit(service, admission, ret_enqueued, &failure),
                                   &failure, error);
}

bool syncd_service_enqueue(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRequest *request, SyncdEnqueued *ret_enqueued, GError **error)
{
    g_auto(SyncdAdmission) admission = {0};
    SyncdCaller signer;
    if (!heed_claim(service, caller, request, &signer, error))
        return false;
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
        if (strcmp(others[i].type, request->type) == 0)
            return others[i].enqueue(service, &signer, request, ret_enqueued, error);
    if (syncd_service_is_ephemeral(request))
        return syncd_service_enqueue_ephemeral(service, &signer, request, ret_enqueued, error);
    bool several;
    if (!syncd_service_check_request(service, &signer, request, &admission, error) ||
        !takes_several(service, &admission, &several, error))
        return false;
    return (several ? admit_whole : syncd_service_admit)(service, &admission, ret_enqueued, error);
}
