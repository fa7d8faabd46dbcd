/*
 * The other documents that entries hold, written from plain values: device-record, actor-record,
 * policy-decision, policy-refusal, log-checkpoint and integrity-event.
 *
 * Writers append one JSON object. Strings are ids and words of the contract's vocabularies unless
 * they say otherwise; times are milliseconds since 1970. A member that may be NULL is left out
 * then.
 */
#pragma once

#include "base/bytes.h"
#include "base/json.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_DEVICE_SCHEMA "sourceos.device-record/v1alpha1"
#define SYNCD_ACTOR_SCHEMA "sourceos.actor-record/v1alpha1"
#define SYNCD_DECISION_SCHEMA "sourceos.policy-decision/v1alpha1"
#define SYNCD_REFUSAL_SCHEMA "sourceos.policy-refusal/v1"
#define SYNCD_CHECKPOINT_SCHEMA "sourceos.log-checkpoint/v1"
#define SYNCD_EVENT_SCHEMA "sourceos.integrity-event/v1alpha1"

typedef struct {
    const char *device_id;
    const char *display_name; /* any text */
    const char *trust_level;
    const char *device_state;
    guint64 created_ms;
} SyncdDeviceRecord;

void syncd_device_record_write(const SyncdDeviceRecord *record, GString *out);

typedef struct {
    const char *actor_id;
    const char *actor_type;
    const char *display_name; /* any text */
    const char *identity_id;  /* what the actor is found by: "uid:1000" */
    const char *const *capabilities;
    const char *trust_level;
    const char *policy_subject;
    const char *signing_key_ref;
    guint64 created_ms;
} SyncdActorRecord;

void syncd_actor_record_write(const SyncdActorRecord *record, GString *out);

/* Shape A of the contract. The inputs, status and reason are its own member, so that the id can be
 * derived again. */
typedef struct {
    const char *decision_id;
    const char *policy_digest;
    const char *policy_id;
    const char *policy_version;
    const char *actor_id;
    const char *action;
    const char *lane;
    const char *data_class;
    const char *subject;
    const char *object_id; /* NULL: the decision is about a class of objects */
    const char *status;
    const char *reason;     /* names the rule */
    const char *rationale;  /* any text */
    const char *rule_level; /* "built-in", "machine" or "user" */
    guint64 decided_ms;
} SyncdDecisionRecord;

void syncd_decision_record_write(const SyncdDecisionRecord *record, GString *out);
/* allow, deny or review_required: what a status means for the one who asked. */
const char *syncd_decision_effect(const char *status);

typedef struct {
    const char *actor_id;
    const char *action;
    const char *reason;
    guint64 count;
    guint64 first_ms;
    guint64 last_ms;
    const char *policy_id;
    const char *policy_version;
    const char *policy_digest;
    const SyncdDecisionRecord *denied; /* what policy answered; NULL when it was not asked */
} SyncdRefusalRecord;

void syncd_refusal_record_write(const SyncdRefusalRecord *record, GString *out);

typedef struct {
    const char *operation_id; /* NULL in the entry itself; so are the note and its key */
    const char *scope;        /* the scope's id */
    const char *feed;
    guint64 size;
    const SyncdHash *root;
    const char *note;
    const char *verifier_key;
    SyncdJson sync_checkpoint; /* the SyncCheckpoint document; no value: none */
} SyncdCheckpointRecord;

void syncd_checkpoint_record_write(const SyncdCheckpointRecord *record, GString *out);

typedef struct {
    const SyncdHash *leaf;
    const char *event_type;
    guint64 occurred_ms;
    const char *summary;
    SyncdBytes actor_id;
    SyncdBytes object_id; /* empty for none; the same for the decision */
    SyncdBytes device_id;
    SyncdBytes policy_decision_ref;
    guint64 sequence;
    SyncdBytes operation_id;
    const char *scope; /* as a person writes it: "workspace:notes" */
    SyncdBytes kind;
    const char *reason_code; /* NULL for none */
    SyncdJson policy;        /* the decision or refusal that it is; no value: none */
    const char *entry_error; /* what is known to be wrong with the entry; NULL: nothing */
} SyncdEventRecord;

void syncd_event_record_write(const SyncdEventRecord *record, GString *out);
