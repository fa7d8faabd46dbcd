#include "bus/tasks.h"

#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/options.h"

#include <string.h>

/* ---- replay ---- */

static const SyncdOption replay_options[] = {{"idempotency_key", SYNCD_OPTION_TEXT, 0}};

static void replayed_free(void *data)
{
    SyncdReplayed *replayed = data;
    syncd_replayed_clear(replayed);
    g_free(replayed);
}

static bool answer_replay(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdReplayed *replayed = data;
    g_autofree char *evidence = syncd_service_describe_replay(service, replayed->evidence, error);
    return evidence != NULL &&
           syncd_call_reply(call, error, "sb", evidence, (int)replayed->duplicate);
}

bool syncd_handle_replay(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *operation = NULL, *key = NULL;
    if (!syncd_text_argument_read(message, &operation, error) ||
        !syncd_options_read(message, replay_options, G_N_ELEMENTS(replay_options), &key, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL)
        return false;
    SyncdReplayed *replayed = g_new0(SyncdReplayed, 1);
    if (!syncd_service_replay(service, syncd_call_caller(call), operation, key, replayed, error)) {
        replayed_free(replayed);
        return false;
    }
    syncd_call_after_commit(call, service, answer_replay, replayed, replayed_free);
    return true;
}

/* ---- reconciling ---- */

static void reconciled_free(void *data)
{
    SyncdReconciled *reconciled = data;
    syncd_reconciled_clear(reconciled);
    g_free(reconciled);
}

static bool answer_reconcile(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const SyncdReconciled *reconciled = data;
    return syncd_call_reply(call, error, "sb", reconciled->entry, (int)reconciled->duplicate);
}

bool syncd_handle_reconcile(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *operation = NULL, *document = NULL;
    if (!syncd_text_argument_read(message, &operation, error) ||
        !syncd_text_argument_read(message, &document, error) ||
        !syncd_no_options_read(message, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL)
        return false;
    SyncdReconciled *reconciled = g_new0(SyncdReconciled, 1);
    if (!syncd_service_reconcile(service, syncd_call_caller(call), operation,
                                 SYNCD_BYTES_TEXT(document), reconciled, error)) {
        reconciled_free(reconciled);
        return false;
    }
    syncd_call_after_commit(call, service, answer_reconcile, reconciled, reconciled_free);
    return true;
}

typedef struct {
    SyncdReconciledQuery query;
    bool all;
} ReconciledOptions;

static const SyncdOption reconciled_options[] = {
    {"operation", SYNCD_OPTION_TEXT, offsetof(ReconciledOptions, query.operation)},
    {"remote", SYNCD_OPTION_TEXT, offsetof(ReconciledOptions, query.remote)},
    {"artifact", SYNCD_OPTION_TEXT, offsetof(ReconciledOptions, query.artifact)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ReconciledOptions, all)},
};

bool syncd_handle_list_reconciled(SyncdCall *call, GError **error)
{
    ReconciledOptions options = {0};
    if (!syncd_options_read(syncd_call_message(call), reconciled_options,
                            G_N_ELEMENTS(reconciled_options), &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *found =
        syncd_service_list_reconciled(service, syncd_call_caller(call), &options.query, error);
    return found != NULL && syncd_call_reply(call, error, "s", found);
}

/* ---- workers ---- */

typedef struct {
    SyncdClaim claim;
    bool all;
} ClaimOptions;

#define IN_CLAIM(member) offsetof(ClaimOptions, claim.member)

static const SyncdOption claim_options[] = {
    {"scope", SYNCD_OPTION_TEXT, IN_CLAIM(scope)},
    {"lane", SYNCD_OPTION_TEXT, IN_CLAIM(lane)},
    {"object", SYNCD_OPTION_TEXT, IN_CLAIM(object)},
    {"operation", SYNCD_OPTION_TEXT, IN_CLAIM(operation)},
    {"lease", SYNCD_OPTION_NUMBER, IN_CLAIM(lease_s)},
    {"detached", SYNCD_OPTION_SWITCH, IN_CLAIM(detached)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ClaimOptions, all)},
};

static bool answer_claim(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const char *lease = data;
    g_autofree char *task = NULL, *operation = NULL;
    if (lease == NULL)
        return syncd_call_reply(call, error, "sss", "", "", "");
    return syncd_service_describe_claim(service, lease, &task, &operation, error) &&
           syncd_call_reply(call, error, "sss", lease, task, operation);
}

bool syncd_handle_claim_task(SyncdCall *call, GError **error)
{
    ClaimOptions options = {0};
    if (!syncd_options_read(syncd_call_message(call), claim_options, G_N_ELEMENTS(claim_options),
                            &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    char *lease = NULL;
    if (service == NULL ||
        !syncd_service_claim_task(service, syncd_call_caller(call), &options.claim, &lease, error))
        return false;
    if (lease != NULL && !options.claim.detached)
        syncd_call_watch_worker(call);
    syncd_call_after_commit(call, service, answer_claim, lease, g_free);
    return true;
}

bool syncd_handle_renew_task(SyncdCall *call, GError **error)
{
    static const SyncdOption options[] = {{"lease", SYNCD_OPTION_NUMBER, 0}};
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    guint32 lease_s = 0;
    guint64 until = 0;
    if (!syncd_text_argument_read(message, &lease, error) ||
        !syncd_options_read(message, options, G_N_ELEMENTS(options), &lease_s, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL ||
        !syncd_service_renew_task(service, syncd_call_caller(call), lease, lease_s, &until, error))
        return false;
    syncd_call_watch_worker(call);
    return syncd_call_reply(call, error, "t", until);
}

static bool answer_task(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    g_autofree char *task = syncd_service_describe_task(service, data, error);
    return task != NULL && syncd_call_reply(call, error, "s", task);
}

bool syncd_handle_complete_task(SyncdCall *call, GError **error)
{
    static const SyncdOption options[] = {{"evidence", SYNCD_OPTION_TEXTS, 0}};
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    char *operation = NULL;
    g_auto(GStrv) evidence = NULL;
    if (!syncd_text_argument_read(message, &lease, error) ||
        !syncd_options_read(message, options, G_N_ELEMENTS(options), &evidence, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL ||
        !syncd_service_complete_task(service, syncd_call_caller(call), lease,
                                     (const char *const *)evidence, &operation, error))
        return false;
    syncd_call_after_commit(call, service, answer_task, operation, g_free);
    return true;
}

bool syncd_handle_fail_task(SyncdCall *call, GError **error)
{
    static const SyncdOption options[] = {
        {"final", SYNCD_OPTION_SWITCH, offsetof(SyncdFailure, final)},
        {"after", SYNCD_OPTION_NUMBER, offsetof(SyncdFailure, after_s)},
    };
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    char *operation = NULL;
    SyncdFailure failure = {0};
    if (!syncd_text_argument_read(message, &lease, error) ||
        !syncd_text_argument_read(message, &failure.reason, error) ||
        !syncd_options_read(message, options, G_N_ELEMENTS(options), &failure, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL || !syncd_service_fail_task(service, syncd_call_caller(call), lease,
                                                    &failure, &operation, error))
        return false;
    syncd_call_after_commit(call, service, answer_task, operation, g_free);
    return true;
}

bool syncd_handle_cancel_task(SyncdCall *call, GError **error)
{
    static const SyncdOption options[] = {{"reason", SYNCD_OPTION_TEXT, 0}};
    sd_bus_message *message = syncd_call_message(call);
    const char *task = NULL, *reason = NULL;
    char *operation = NULL;
    if (!syncd_text_argument_read(message, &task, error) ||
        !syncd_options_read(message, options, G_N_ELEMENTS(options), &reason, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, false, NULL, error);
    if (service == NULL || !syncd_service_cancel_task(service, syncd_call_caller(call), task,
                                                      reason, &operation, error))
        return false;
    syncd_call_after_commit(call, service, answer_task, operation, g_free);
    return true;
}

/* ---- looking ---- */

bool syncd_handle_get_task(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *task = NULL;
    bool all;
    if (!syncd_text_argument_read(message, &task, error) ||
        !syncd_all_option_read(message, &all, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *record = syncd_service_get_task(service, syncd_call_caller(call), task, error);
    return record != NULL && syncd_call_reply(call, error, "s", record);
}

typedef struct {
    SyncdTaskListing listing;
    bool all;
} ListOptions;

#define IN_LISTING(member) offsetof(ListOptions, listing.member)

static const SyncdOption list_options[] = {
    {"cursor", SYNCD_OPTION_TEXT, IN_LISTING(cursor)},
    {"limit", SYNCD_OPTION_NUMBER, IN_LISTING(limit)},
    {"scope", SYNCD_OPTION_TEXT, IN_LISTING(scope)},
    {"object", SYNCD_OPTION_TEXT, IN_LISTING(object)},
    {"state", SYNCD_OPTION_TEXT, IN_LISTING(state)},
    {"lane", SYNCD_OPTION_TEXT, IN_LISTING(lane)},
    {"stale", SYNCD_OPTION_SWITCH, IN_LISTING(stale)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ListOptions, all)},
};

bool syncd_handle_list_tasks(SyncdCall *call, GError **error)
{
    ListOptions options = {0};
    if (!syncd_options_read(syncd_call_message(call), list_options, G_N_ELEMENTS(list_options),
                            &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *tasks = syncd_service_list_tasks(service, syncd_call_caller(call),
                                                      &options.listing, &cursor, error);
    return tasks != NULL && syncd_call_reply(call, error, "ss", tasks, cursor);
}
