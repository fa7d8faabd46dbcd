/*
 * The methods of org.sourceos.Sync.Registry. Options are as in client/calls.h.
 */
#pragma once

#include "client/client.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *id; /* of the record */
    char *operation;
    guint64 sequence;
    bool duplicate;
    char **unknown; /* members of the record that nobody knows there; NULL of a revocation */
} SyncdClientChange;

void syncd_client_change_clear(SyncdClientChange *change);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdClientChange, syncd_client_change_clear)

/* `method` is Register (`id` NULL), Update or Revoke (`record` NULL). */
bool syncd_client_change(SyncdClient *client, const char *method, const char *kind, const char *id,
                         const char *record, GVariant *options, SyncdClientChange *ret_change,
                         GError **error);
char *syncd_client_show_record(SyncdClient *client, const char *kind, const char *id,
                               GVariant *options, GError **error);
/* One page: a JSON array, and the cursor of the next page ("" at the end). */
bool syncd_client_list_records(SyncdClient *client, const char *kind, GVariant *options,
                               char **ret_records, char **ret_cursor, GError **error);
