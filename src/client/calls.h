/*
 * The methods of the daemon, one function each.
 *
 * Options are a GVariant of type a{sv}, floating or NULL for none. A reply that is text is one JSON
 * document and has passed the strict check; a GString holds JSON lines, each of which has.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

char *syncd_client_describe(SyncdClient *client, GError **error);

/* The State Integrity Report. */
char *syncd_client_health(SyncdClient *client, GError **error);

/* The eleven questions about an object, answered. */
char *syncd_client_explain(SyncdClient *client, const char *object, GVariant *options,
                           GError **error);

/* What is found wrong now: a `sourceos.doctor/v1`. */
char *syncd_client_diagnose(SyncdClient *client, GVariant *options, GError **error);

typedef enum {
    SYNCD_CLIENT_OPERATIONS,
    SYNCD_CLIENT_EVENTS,
    SYNCD_CLIENT_TASKS,
    SYNCD_CLIENT_EVIDENCE,
} SyncdClientList;
/* One page: a JSON array, and the cursor of the next page ("" at the end; of evidence the same). */
bool syncd_client_list(SyncdClient *client, SyncdClientList list, GVariant *options,
                       char **ret_records, char **ret_cursor, GError **error);
/* The same of what has these words. */
bool syncd_client_find(SyncdClient *client, const char *words, GVariant *options, char **ret_found,
                       char **ret_cursor, GError **error);
/* By the id of the evidence or of its operation. */
char *syncd_client_get_evidence(SyncdClient *client, const char *id, GVariant *options,
                                GError **error);
char *syncd_client_get_operation(SyncdClient *client, const char *operation, GError **error);

typedef struct {
    const char *type;
    const char *scope;
    const char *object;
    const char *body;
} SyncdClientRequest;

typedef struct {
    char *operation;
    guint64 sequence;
    bool duplicate;
} SyncdClientReceipt;

void syncd_client_receipt_clear(SyncdClientReceipt *receipt);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdClientReceipt, syncd_client_receipt_clear)

bool syncd_client_enqueue(SyncdClient *client, const SyncdClientRequest *request, GVariant *options,
                          SyncdClientReceipt *ret_receipt, GError **error);
GString *syncd_client_enqueue_many(SyncdClient *client, const char *lines, size_t size,
                                   GError **error);
/* The evidence. */
char *syncd_client_replay(SyncdClient *client, const char *operation, GVariant *options,
                          bool *ret_duplicate, GError **error);
/* The id of the entry that is the reconciliation. */
char *syncd_client_reconcile(SyncdClient *client, const char *operation, const char *document,
                             bool *ret_duplicate, GError **error);
char *syncd_client_list_reconciled(SyncdClient *client, GVariant *options, GError **error);
/* `*ret_lease` is "" when there is no task; the other two are documents otherwise. */
bool syncd_client_claim_task(SyncdClient *client, GVariant *options, char **ret_lease,
                             char **ret_task, char **ret_operation, GError **error);
bool syncd_client_renew_task(SyncdClient *client, const char *lease, GVariant *options,
                             GError **error);
char *syncd_client_complete_task(SyncdClient *client, const char *lease, GVariant *options,
                                 GError **error);
char *syncd_client_fail_task(SyncdClient *client, const char *lease, const char *reason,
                             GVariant *options, GError **error);
char *syncd_client_cancel_task(SyncdClient *client, const char *task, GVariant *options,
                               GError **error);
char *syncd_client_get_task(SyncdClient *client, const char *task, GError **error);
char *syncd_client_checkpoint(SyncdClient *client, const char *scope, GError **error);
char *syncd_client_prove(SyncdClient *client, const char *operation, GError **error);

/* The path of the job that verifies. */
char *syncd_client_verify(SyncdClient *client, GVariant *options, GError **error);
