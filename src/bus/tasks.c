#include "bus/tasks.h"

#include "bus/document.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/options.h"

#include <string.h>

/* ---- who calls ---- */

/* The options by which a request says that an agent has signed it. */
#define SIGNED(type)                                                                               \
    {"actor", SYNCD_OPTION_TEXT, offsetof(type, claim.actor)},                                     \
        {"signature", SYNCD_OPTION_TEXT, offsetof(type, claim.signature)},                         \
    {                                                                                              \
        "expires", SYNCD_OPTION_LARGE, offsetof(type, claim.expires_usec)                          \
    }

typedef struct {
    SyncdService *service;
    SyncdCaller caller;
} Acting;

static bool act(SyncdCall *call, bool all, const SyncdSigned *claim,
                const SyncdSignedRequest *request, Acting *ret_acting, GError **error)
{
    ret_acting->service = syncd_call_authorise(call, all, NULL, error);
    return ret_acting->service != NULL &&
           syncd_service_act_as(ret_acting->service, syncd_call_caller(call), claim, request,
                                &ret_acting->caller, error);
}

static char *decimal(guint64 number)
{
    return number != 0 ? g_strdup_printf("%" G_GUINT64_FORMAT, number) : NULL;
}

/* ---- replay ---- */

typedef struct {
    SyncdSigned claim;
    const char *key;
} ReplayOptions;

static const SyncdOption replay_options[] = {
    {"idempotency_key", SYNCD_OPTION_TEXT, offsetof(ReplayOptions, key)},
    SIGNED(ReplayOptions),
};

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
    const char *operation = NULL;
    ReplayOptions options = {0};
    Acting acting;
    if (!syncd_text_argument_read(message, &operation, error) ||
        !syncd_options_read(message, replay_options, G_N_ELEMENTS(replay_options), &options, error))
        return false;
    const SyncdSignedRequest request = {"Operations.Replay", options.key, &operation, 1};
    if (!act(call, false, &options.claim, &request, &acting, error))
        return false;
    SyncdReplayed *replayed = g_new0(SyncdReplayed, 1);
    if (!syncd_service_replay(acting.service, &acting.caller, operation, options.key, replayed,
                              error)) {
        replayed_free(replayed);
        return false;
    }
    syncd_call_after_commit(call, acting.service, answer_replay, replayed, replayed_free);
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

typedef struct {
    SyncdSigned claim;
} SignedOptions;

static const SyncdOption signed_options[] = {SIGNED(SignedOptions)};

bool syncd_handle_reconcile(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *given[2] = {NULL, NULL}; /* operation and document */
    SignedOptions options = {0};
    Acting acting;
    if (!syncd_text_argument_read(message, &given[0], error) ||
        !syncd_text_argument_read(message, &given[1], error) ||
        !syncd_options_read(message, signed_options, G_N_ELEMENTS(signed_options), &options, error))
        return false;
    const SyncdSignedRequest request = {"Operations.Reconcile", NULL, given, 2};
    if (!act(call, false, &options.claim, &request, &acting, error))
        return false;
    SyncdReconciled *reconciled = g_new0(SyncdReconciled, 1);
    if (!syncd_service_reconcile(acting.service, &acting.caller, given[0],
                                 SYNCD_BYTES_TEXT(given[1]), reconciled, error)) {
        reconciled_free(reconciled);
        return false;
    }
    syncd_call_after_commit(call, acting.service, answer_reconcile, reconciled, reconciled_free);
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
    SyncdClaim wanted;
    SyncdSigned claim;
    bool all;
} ClaimOptions;

#define IN_CLAIM(member) offsetof(ClaimOptions, wanted.member)

static const SyncdOption claim_options[] = {
    {"scope", SYNCD_OPTION_TEXT, IN_CLAIM(scope)},
    {"lane", SYNCD_OPTION_TEXT, IN_CLAIM(lane)},
    {"object", SYNCD_OPTION_TEXT, IN_CLAIM(object)},
    {"operation", SYNCD_OPTION_TEXT, IN_CLAIM(operation)},
    {"lease", SYNCD_OPTION_NUMBER, IN_CLAIM(lease_s)},
    {"detached", SYNCD_OPTION_SWITCH, IN_CLAIM(detached)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ClaimOptions, all)},
    SIGNED(ClaimOptions),
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

typedef struct {
    SyncdClaiming *claiming;
    bool detached;
} Claiming;

static void claiming_free(void *data)
{
    Claiming *self = data;
    syncd_claiming_free(self->claiming);
    g_free(self);
}

static bool step_claim(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                       GError **error)
{
    Claiming *self = data;
    char *lease = NULL;
    if (!syncd_claiming_step(self->claiming, ret_done, &lease, error))
        return false;
    if (!*ret_done)
        return true;
    if (lease != NULL && !self->detached)
        syncd_call_watch_worker(call);
    syncd_call_after_commit(call, service, answer_claim, lease, g_free);
    return true;
}

bool syncd_handle_claim_task(SyncdCall *call, GError **error)
{
    ClaimOptions options = {0};
    if (!syncd_options_read(syncd_call_message(call), claim_options, G_N_ELEMENTS(claim_options),
                            &options, error))
        return false;
    const SyncdClaim *wanted = &options.wanted;
    g_autofree char *length = decimal(wanted->lease_s);
    const char *const given[] = {wanted->scope,  wanted->lane,
                                 wanted->object, wanted->operation,
                                 length,         wanted->detached ? "detached" : NULL};
    Acting acting;
    const SyncdSignedRequest request = {"Operations.ClaimTask", NULL, given, G_N_ELEMENTS(given)};
    if (!act(call, options.all, &options.claim, &request, &acting, error))
        return false;
    SyncdClaiming *claiming =
        syncd_service_begin_claim(acting.service, &acting.caller, wanted, error);
    if (claiming == NULL)
        return false;
    Claiming *self = g_new0(Claiming, 1);
    *self = (Claiming){claiming, wanted->detached};
    return syncd_call_in_pieces(call, acting.service, step_claim, self, claiming_free, error);
}

typedef struct {
    SyncdSigned claim;
    guint32 lease_s;
} RenewOptions;

static const SyncdOption renew_options[] = {
    {"lease", SYNCD_OPTION_NUMBER, offsetof(RenewOptions, lease_s)},
    SIGNED(RenewOptions),
};

bool syncd_handle_renew_task(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    RenewOptions options = {0};
    Acting acting;
    guint64 until = 0;
    if (!syncd_text_argument_read(message, &lease, error) ||
        !syncd_options_read(message, renew_options, G_N_ELEMENTS(renew_options), &options, error))
        return false;
    g_autofree char *length = decimal(options.lease_s);
    const char *const given[] = {lease, length};
    const SyncdSignedRequest request = {"Operations.RenewTask", NULL, given, G_N_ELEMENTS(given)};
    if (!act(call, false, &options.claim, &request, &acting, error) ||
        !syncd_service_renew_task(acting.service, &acting.caller, lease, options.lease_s, &until,
                                  error))
        return false;
    syncd_call_watch_worker(call);
    return syncd_call_reply(call, error, "t", until);
}

static bool answer_task(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    g_autofree char *task = syncd_service_describe_task(service, data, error);
    return task != NULL && syncd_call_reply(call, error, "s", task);
}

typedef struct {
    SyncdSigned claim;
    char **evidence;
} CompleteOptions;

static const SyncdOption complete_options[] = {
    {"evidence", SYNCD_OPTION_TEXTS, offsetof(CompleteOptions, evidence)},
    SIGNED(CompleteOptions),
};

static bool complete(SyncdCall *call, const char *lease, const CompleteOptions *options,
                     GError **error)
{
    Acting acting;
    char *operation = NULL;
    g_autofree char *evidence =
        options->evidence != NULL ? g_strjoinv(",", options->evidence) : NULL;
    const char *const given[] = {lease, evidence};
    const SyncdSignedRequest request = {"Operations.CompleteTask", NULL, given,
                                        G_N_ELEMENTS(given)};
    if (!act(call, false, &options->claim, &request, &acting, error) ||
        !syncd_service_complete_task(acting.service, &acting.caller, lease,
                                     (const char *const *)options->evidence, &operation, error))
        return false;
    syncd_call_after_commit(call, acting.service, answer_task, operation, g_free);
    return true;
}

bool syncd_handle_complete_task(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    CompleteOptions options = {0};
    bool done = syncd_text_argument_read(message, &lease, error) &&
                syncd_options_read(message, complete_options, G_N_ELEMENTS(complete_options),
                                   &options, error) &&
                complete(call, lease, &options, error);
    g_strfreev(options.evidence);
    return done;
}

typedef struct {
    SyncdSigned claim;
    SyncdFailure failure;
} FailOptions;

static const SyncdOption fail_options[] = {
    {"final", SYNCD_OPTION_SWITCH, offsetof(FailOptions, failure.final)},
    {"after", SYNCD_OPTION_NUMBER, offsetof(FailOptions, failure.after_s)},
    SIGNED(FailOptions),
};

bool syncd_handle_fail_task(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *lease = NULL;
    char *operation = NULL;
    FailOptions options = {0};
    SyncdFailure *failure = &options.failure;
    Acting acting;
    if (!syncd_text_argument_read(message, &lease, error) ||
        !syncd_text_argument_read(message, &failure->reason, error) ||
        !syncd_options_read(message, fail_options, G_N_ELEMENTS(fail_options), &options, error))
        return false;
    g_autofree char *after = decimal(failure->after_s);
    const char *const given[] = {lease, failure->reason, failure->final ? "final" : NULL, after};
    const SyncdSignedRequest request = {"Operations.FailTask", NULL, given, G_N_ELEMENTS(given)};
    if (!act(call, false, &options.claim, &request, &acting, error) ||
        !syncd_service_fail_task(acting.service, &acting.caller, lease, failure, &operation, error))
        return false;
    syncd_call_after_commit(call, acting.service, answer_task, operation, g_free);
    return true;
}

typedef struct {
    SyncdSigned claim;
    const char *reason;
} CancelOptions;

static const SyncdOption cancel_options[] = {
    {"reason", SYNCD_OPTION_TEXT, offsetof(CancelOptions, reason)},
    SIGNED(CancelOptions),
};

bool syncd_handle_cancel_task(SyncdCall *call, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *task = NULL;
    char *operation = NULL;
    CancelOptions options = {0};
    Acting acting;
    if (!syncd_text_argument_read(message, &task, error) ||
        !syncd_options_read(message, cancel_options, G_N_ELEMENTS(cancel_options), &options, error))
        return false;
    const char *const given[] = {task, options.reason};
    const SyncdSignedRequest request = {"Operations.CancelTask", NULL, given, G_N_ELEMENTS(given)};
    if (!act(call, false, &options.claim, &request, &acting, error) ||
        !syncd_service_cancel_task(acting.service, &acting.caller, task, options.reason, &operation,
                                   error))
        return false;
    syncd_call_after_commit(call, acting.service, answer_task, operation, g_free);
    return true;
}

/* ---- looking ---- */

bool syncd_handle_get_task(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_get_task, error);
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
