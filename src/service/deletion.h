/*
 * Private to service/: the life of an object from the request to delete it to the proof that it is
 * gone, and what has to be whole on the way.
 */
#pragma once

#include "service/admission.h"

/* ---- deletions (deletion.c) ---- */

/* What became of the object of a request: where its record lies or lay, else in the scope, which
 * may be NULL. */
bool syncd_service_find_deletion(SyncdService *service, const char *object,
                                 const SyncdRecordRow *row, const char *scope_id,
                                 SyncdDeletion *ret_deletion, bool *ret_found, GError **error);
/* A request in the lane tombstone asks for the deletion of its object. */
bool syncd_service_is_delete(const SyncdAdmission *admission);
/* Whether the object is there to be deleted, to be changed, or to be restored; `scope_id` NULL: the
 * scope is still to be opened. NotFound, AlreadyResolved, InvalidContract. */
bool syncd_service_check_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, GError **error);
/* What follows the request, each an entry: authorised, tombstone, the end of the object's record
 * where it has one, told to the members, hidden. */
bool syncd_service_apply_deletion(SyncdService *service, const SyncdAdmission *admission,
                                  const char *scope_id, const char *request, GError **error);
bool syncd_service_apply_restore(SyncdService *service, const SyncdAdmission *admission,
                                 const char *scope_id, GError **error);

/* The same in pieces, for the registry, which ends the record itself. */
typedef struct {
    const char *actor;
    const char *object;
    const char *scope_id;
    const char *decision;
    const char *data_class;
} SyncdDeleting;

bool syncd_service_request_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                    char **ret_request, GError **error);
bool syncd_service_begin_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                  const char *request, GError **error);
bool syncd_service_end_deletion(SyncdService *service, const SyncdDeleting *deleting,
                                const char *request, GError **error);
/* Ends the record of an object or has it again, when there is one that was not so (registry.c). */
bool syncd_registry_move_object(SyncdService *service, const SyncdDeleting *deleting,
                                SyncdRegistryVerb verb, const char *lane, GError **error);

/* What is left to do for purges that were begun, now or before the start: a step. True while there
 * is more (purge.c). */
bool syncd_service_finish_purges(SyncdService *service);
/* Whether that goes on now, and does not wait until it is tried again. */
bool syncd_service_is_clearing(const SyncdService *service);
/* Forgets how far it came with that. */
void syncd_service_stop_scrub(SyncdService *service);

/* What takes several entries and must be whole has a turn of its own, which is taken back when it
 * fails. Between the two nothing may be written that shall stay, as a refusal. The second one
 * returns `done`, and moves `failure` to `error` when it is not. */
bool syncd_service_begin_whole(SyncdService *service, GError **error);
bool syncd_service_end_whole(SyncdService *service, bool done, GError **failure, GError **error);
