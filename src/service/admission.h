/*
 * Private to service/: what a request has to pass before it is written, and what is noted when it
 * does not: policy, the checks of a request, the schema of its object.
 */
#pragma once

#include "contract/operation.h"
#include "domain/kind.h"
#include "domain/policy.h"
#include "service/callers.h"

/* ---- policy (decide.c) ---- */

typedef struct {
    SyncdPolicyInput input;
    SyncdPolicyDecision answer;
    char id[SYNCD_DECISION_ID_SIZE];
} SyncdDecision;

/* Of the rule that decided: "built-in", "machine" or "user". */
const char *syncd_rule_level(const SyncdPolicyDecision *answer);

/* What a write needs: to be written, where it is durable to be kept, of what leaves to be
 * replicated, of an agent, to be in that data at all, and of a purge, to be one. The first is what
 * the entry names, of a purge the last. Policy is a pure function and tells few classes of requests
 * apart, so the service keeps what it said to each, as long as the policy stands. */
#define SYNCD_MAX_DECISIONS 5
typedef struct {
    char *actor;
    const char *lane; /* this and the next one are words of their vocabularies */
    const char *data_class;
    bool replicates;
    bool purges;
    unsigned n_decisions;
    SyncdPolicyClass class; /* of what the actor does not tell */
    guint64 registries;     /* the actor's type was looked up when they had this number */
    guint64 recorded;       /* all were recorded when they had this number */
    char *subject;
    char *actor_type; /* NULL: not known */
    char *object;     /* NULL: no rule tells objects like this one apart */
    /* Last, as what is looked at each time is few lines of the processor's cache that way. */
    SyncdDecision decisions[SYNCD_MAX_DECISIONS];
} SyncdDecisions;

GHashTable *syncd_decisions_new(void);
void syncd_decisions_unref(SyncdDecisions *decisions);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdDecisions, syncd_decisions_unref)
/* States the scope, and the workspace or profile that it is, as records name it: "workspace:notes".
 * Borrows. */
void syncd_ask_about_scope(SyncdPolicyRequest *asked, const char *scope, const char *class);
/* `asked` states everything that is known but subject and actor type; lane and data class are words
 * of their vocabularies, the action is "replicate" or not given. PolicyDenied or ApprovalRequired,
 * which is noted as a refusal.
 */
SyncdDecisions *syncd_service_decide(SyncdService *service, const SyncdCaller *caller,
                                     const char *actor, const SyncdPolicyRequest *asked,
                                     GError **error);
/* The same for what lies in that place, which `asked` need not state. Where its object is another
 * thing by its record than by what is asked, and where a deletion is asked for, that is asked too;
 * the first answer is returned. */
SyncdDecisions *syncd_service_decide_in(SyncdService *service, const SyncdCaller *caller,
                                        const char *actor, const SyncdPolicyRequest *asked,
                                        const SyncdPlace *place, GError **error);
SyncdDecisions *syncd_service_decide_purge(SyncdService *service, const SyncdCaller *caller,
                                           const char *actor, const SyncdPolicyRequest *asked,
                                           GError **error);
/* Records those that this policy has not recorded yet. */
bool syncd_service_record_decisions(SyncdService *service, const char *actor,
                                    SyncdDecisions *decisions, GError **error);

/* ---- requests (admission.c) ---- */

/* A request that passed every check, with what the checks found. Borrows from the request. */
typedef struct {
    const SyncdRequest *request;
    const SyncdKind *kind;
    const char *lane;
    const char *data_class;
    const char *scope_class;
    const char *scope_name;
    char *actor;
    char *meta;
    SyncdHash parents[SYNCD_HEADER_MAX_PARENTS];
    unsigned n_parents;
    SyncdDecisions *decisions;
} SyncdAdmission;

void syncd_admission_clear(SyncdAdmission *admission);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdAdmission, syncd_admission_clear)

/* What can be judged without knowing the scope. Changes nothing. */
bool syncd_service_check_request(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRequest *request, SyncdAdmission *ret_admission,
                                 GError **error);
/* NotFound. */
bool syncd_service_require_scope(SyncdService *service, const char *text, SyncdScope **ret_scope,
                                 GError **error);
/* Writes the operation, or finds the one that its idempotency key names. */
bool syncd_service_admit(SyncdService *service, const SyncdAdmission *admission,
                         SyncdEnqueued *ret_enqueued, GError **error);
/* Whether the scope is there or may be opened. */
bool syncd_service_check_scope(SyncdService *service, const SyncdAdmission *admission,
                               GError **error);

/* 1 to 256 bytes of UTF-8 without control characters; NULL passes too. InvalidContract. */
bool syncd_service_check_key(const char *key, GError **error);

/* Where operations said that they lie that were named as parents: pos, and what is private to
 * parents.c. */
GHashTable *syncd_parents_said_new(void);
/* Finds the parents that the request names, for an operation that lies in that place (parents.c).
 * NotFound, also for what the caller does not reach, InvalidContract, LimitsExceeded, or
 * PolicyDenied, noted as a refusal. */
bool syncd_service_check_parents(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdMandate *mandate, const SyncdPlace *place,
                                 SyncdAdmission *admission, GError **error);

/* ---- what schemas demand of operations (operation-schema.c) ---- */

typedef struct SyncdOperationSchemas SyncdOperationSchemas;
typedef struct SyncdObjectSchema SyncdObjectSchema;

SyncdOperationSchemas *syncd_operation_schemas_new(void);
void syncd_operation_schemas_free(SyncdOperationSchemas *schemas);
void syncd_object_schema_free(SyncdObjectSchema *schema);
/* The body is what the member "operation_schema" of the object's schema says, where the object has
 * a record and its schema that member. InvalidContract. A deletion may say anything. */
bool syncd_service_check_operation_schema(SyncdService *service, const SyncdRequest *request,
                                          GError **error);

/* ---- refusals (refusals.c) ---- */

typedef struct SyncdRefusals SyncdRefusals;

SyncdRefusals *syncd_refusals_new(void);
void syncd_refusals_free(SyncdRefusals *refusals);
/* Notes that policy refused: as syncd_service_note_refusal(), and the state shows it for a while.
 */
void syncd_service_note_policy(SyncdService *service, const SyncdCaller *caller, const char *action,
                               const char *reason);
/* Whether the log has a denial under the id of its decision, so that it can be asked for. */
typedef enum {
    SYNCD_NAMED_NOWHERE,
    SYNCD_NAMED_BY_TURN, /* it will, if the open turn becomes durable */
    SYNCD_NAMED_BY_LOG,
} SyncdNamed;

/* The same of what the rules in force denied; `object` is the one that was asked about, or NULL. */
SyncdNamed syncd_service_note_denial(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdDecision *decision, const char *object);
/* Writes the counts of windows that have closed; of all of them when `all`. */
void syncd_service_flush_refusals(SyncdService *service, bool all);
guint64 syncd_refusals_next_due(const SyncdRefusals *refusals);
/* What becomes of those that a turn recorded: it is durable; it was taken back, and they are
 * recorded in the next one; it failed, and they are counted in their windows. */
void syncd_refusals_settle(SyncdRefusals *refusals);
void syncd_service_record_refusals_again(SyncdService *service);
void syncd_service_count_refusals_again(SyncdService *service);
