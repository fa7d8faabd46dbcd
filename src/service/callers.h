/*
 * Private to service/: who calls, what he may do and where, and which records are there for him.
 */
#pragma once

#include "domain/mandate.h"
#include "service/service.h"

/* ---- first entries and actors (actors.c) ---- */

bool syncd_service_begin_log(SyncdService *service, GError **error);
bool syncd_service_find_own(SyncdService *service, GError **error);
/* "uid:1000": what a caller is found by, and the subject of decisions about it. */
char *syncd_identity_of(uid_t uid);

/* ---- who calls, and what he may do (callers.c) ---- */

GHashTable *syncd_callers_known_new(void);
/* `*ret_actor` NULL when the caller is no actor, or one that may not act any more. */
bool syncd_service_find_caller(SyncdService *service, const SyncdCaller *caller, char **ret_actor,
                               GError **error);
/* AccessDenied for a caller who is not registered, is revoked or has expired; it is noted as a
 * refusal. */
SyncdMandate *syncd_service_require_mandate(SyncdService *service, const SyncdCaller *caller,
                                            GError **error);
/* The same, for the id alone. */
bool syncd_service_require_caller(SyncdService *service, const SyncdCaller *caller,
                                  char **ret_actor, GError **error);
/* AccessDenied, noted as a refusal. */
bool syncd_service_require_capability(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const char *capability,
                                      GError **error);
/* Where the actor wants to write; NULL asks for nothing. */
bool syncd_service_require_reach(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const char *workspace,
                                 const char *profile, GError **error);
/* The same for a scope ("workspace:notes", NULL for none) and the actor's id. */
bool syncd_service_require_scope_reach(SyncdService *service, const SyncdCaller *caller,
                                       const char *actor, const char *scope, GError **error);
/* Whether the log takes an entry of this kind by this actor in this scope: nobody else ever gets
 * one in, however the call came here. AccessDenied. */
bool syncd_service_may_append(SyncdService *service, const char *actor, const char *scope_id,
                              const char *kind, GError **error);
/* `*ret_mandate` NULL when there is no such actor. */
bool syncd_service_mandate_of_actor(SyncdService *service, const char *actor,
                                    SyncdMandate **ret_mandate, GError **error);
/* Whom policy decides about, however the actor came. NULL with an error. */
char *syncd_service_subject_of(SyncdService *service, const char *actor, GError **error);
/* The caller as the agent that signed, when the request says that one did (signed.c). `parts` are
 * the request's arguments in the order of docs/format.md. AccessDenied. */
bool syncd_service_heed_claim(SyncdService *service, const SyncdCaller *caller,
                              const SyncdSigned *claim, const char *method,
                              const char *idempotency_key, const SyncdBytes *parts, size_t n_parts,
                              SyncdCaller *ret_caller, GError **error);
/* What a signature allows once is spent with the entry that it leads to: the entry carries this as
 * its idempotency key, in the device's scope. So it is known for as long as the log is, whatever
 * becomes of the process and of the clock. NULL for a request that nobody signed. */
char *syncd_signed_key(const SyncdCaller *caller);
/* That no entry carries it; NULL passes. AccessDenied, noted as a refusal. */
bool syncd_service_check_unspent(SyncdService *service, const SyncdCaller *caller,
                                 const char *actor, const char *key, GError **error);
/* The time that an entry written now would carry, or later. */
guint64 syncd_service_entry_ms(const SyncdService *service);

/* ---- places (place.c) ---- */

/* Where an operation or a record belongs, and what the record of its object says. */
typedef struct {
    char *workspace;
    char *profile;
    char *object_type; /* NULL, as the next two: the object has no record */
    char *object_profile;
    const char *object_class; /* a data class */
    char *encryption;         /* the profile that the workspace demands; NULL: none */
    SyncdOperationPlace said; /* borrowed from the request's body */
} SyncdPlace;

void syncd_place_clear(SyncdPlace *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPlace, syncd_place_clear)

/* Where an operation of that scope lies that said `place->said`: sets the other members. */
bool syncd_service_find_place(SyncdService *service, const char *scope, const char *class,
                              SyncdPlace *place, GError **error);
/* Whether the actor reaches the operation's workspace and profile, the workspace lies in that
 * profile, the object is no other's, and the encryption profile is that of the scope. AccessDenied
 * or PolicyDenied, noted as a refusal. */
bool syncd_service_check_place(SyncdService *service, const SyncdCaller *caller,
                               const SyncdMandate *mandate, const SyncdRequest *request,
                               const char *scope_class, SyncdPlace *ret_place, GError **error);
/* The same for a record that names both. */
bool syncd_service_check_record_place(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const SyncdPlace *place,
                                      GError **error);
/* That what the workspace demands for sealing is there. PolicyDenied, noted as a refusal. */
bool syncd_service_check_workspace_encryption(SyncdService *service, const SyncdCaller *caller,
                                              const char *workspace, GError **error);
/* The data class of an object's privacy class; what this version does not know may be anything, so
 * it is "secret". */
const char *syncd_data_class_of(const char *privacy);
/* What the object's record says. */
void syncd_place_of_object(const SyncdRecordRow *row, SyncdPlace *place);
/* The same for what says nothing but its scope: that is reached, and nothing of it was revoked. */
bool syncd_service_check_scope_place(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdMandate *mandate, const char *scope,
                                     const char *class, SyncdPlace *ret_place, GError **error);
/* What a record would not say of its place by its scope, nor by what its body said (NULL: nothing):
 * members of its meta data, so that it always says the same. */
void syncd_place_write(const SyncdPlace *place, const char *scope_class,
                       const SyncdOperationPlace *said, SyncdJsonWriter *writer);
/* The meta data of an operation that no caller describes. */
char *syncd_service_make_meta(SyncdService *service, const char *scope_id, const char *data_class,
                              const char *type, GError **error);
/* Whether both profiles have tags that let objects pass from the one to the other. */
bool syncd_service_may_cross(SyncdService *service, const char *from, const char *to, bool *ret_may,
                             GError **error);
/* The row of a record; NULL when there is none. Borrowed until the next call. */
bool syncd_service_known_record(SyncdService *service, SyncdFamilyId family, const char *id,
                                const SyncdRecordRow **ret_row, GError **error);

/* ---- who reaches a record (reach.c) ---- */

typedef struct {
    bool all;                        /* he sees everything */
    const SyncdMandate *mandate;     /* of whoever asks; NULL: he reaches nothing */
    const char *workspace, *profile; /* of the object that he asks for; NULL: for none */
} SyncdReach;

/* Whether a record is there for him. A schema, an encryption profile or a migration lies in a scope
 * that its author chose. One on the device is for everybody; one in a workspace or a profile for
 * whoever reaches that, and for the objects that lie in it. */
bool syncd_service_reaches_record(SyncdService *service, const SyncdReach *reach,
                                  const SyncdRecordRow *row, bool *ret_reaches, GError **error);
