/*
 * Private to service/: one change of one registry record, on its way through the checks.
 *
 * A change is taken apart, looked up, checked by its family and then written, in this order, and
 * nothing is written before all of it is known to be right. What the caller's document says of
 * members that only the daemon sets counts for nothing.
 */
#pragma once

#include "service/internal.h"

typedef struct {
    SyncdService *service;
    const SyncdCaller *caller;
    const SyncdRegistryRequest *request;
    SyncdRegistryVerb verb;
    const SyncdFamily *family;
    const SyncdMandate *mandate; /* the memo's: not after the first append */
    char *actor;

    SyncdRecordRow row; /* of the record as it is; the id is NULL when there is none */
    bool present;
    SyncdBody body;     /* its document; empty when there is none */
    SyncdJson previous; /* a view of it */
    SyncdJson record;   /* what the new document is made from: the request's or the previous one */
    char *id;
    char *state; /* that it will have */
    const SyncdTransition *step;
    char *scope_text;       /* "workspace:notes"; NULL when `scope_id` is known */
    char *scope_id;         /* NULL when the scope is not open yet */
    const char *data_class; /* a word of its vocabulary */
} SyncdChange;

void syncd_change_clear(SyncdChange *change);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdChange, syncd_change_clear)

/* The document of a record, as the log has it. */
bool syncd_registry_read(SyncdService *service, const SyncdRecordRow *row, SyncdBody *ret_body,
                         SyncdJson *ret_record, GError **error);
/* A record that is there and has not ended. `*ret_found` false for any other. */
bool syncd_registry_find_live(SyncdService *service, SyncdFamilyId family, const char *id,
                              SyncdRecordRow *ret_row, bool *ret_found, GError **error);

/* What the family demands of the change, beyond what all do (registry-check.c). May set `state`
 * and `data_class`. */
bool syncd_registry_check_family(SyncdChange *change, GError **error);

/* The new document (registry-document.c). */
void syncd_registry_compose(const SyncdChange *change, const char *decision, GString *out);
