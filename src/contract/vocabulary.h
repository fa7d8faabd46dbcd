/*
 * The controlled vocabularies: the closed sets of words that contract records and requests are made
 * of.
 *
 * Each set exists here and nowhere else in the code; the schemas repeat the words in their enums,
 * and a test demands that both say the same. Words are case-sensitive. A word that is found comes
 * back as the constant of the table, so that whoever holds it need not copy it and may compare it
 * by its text only once.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    /* of everything */
    SYNCD_WORDS_LANE,
    SYNCD_WORDS_SCOPE_CLASS, /* encryption scopes too */
    SYNCD_WORDS_FINDING_SEVERITY,
    SYNCD_WORDS_VERIFICATION_LOSS,
    SYNCD_WORDS_ENTRY_UNREADABLE,
    SYNCD_WORDS_FINDING_DURABILITY,
    SYNCD_WORDS_VERDICT,
    SYNCD_WORDS_RISK,
    SYNCD_WORDS_INSTANCE,
    SYNCD_WORDS_DAEMON_STATE, /* the last is a client's */
    SYNCD_WORDS_VERIFICATION_VERDICT,
    SYNCD_WORDS_VERIFICATION_MODE,

    /* operations and tasks */
    SYNCD_WORDS_OPERATION_TYPE,
    SYNCD_WORDS_OPERATION_STATUS,
    SYNCD_WORDS_OPERATION_END, /* the states of one that has ended */
    SYNCD_WORDS_TASK_STATUS,
    SYNCD_WORDS_INTEGRITY_EVENT, /* of the facts that must be observable */

    /* the records of registries */
    SYNCD_WORDS_PROFILE_CLASS,
    SYNCD_WORDS_TRUST_LEVEL,
    SYNCD_WORDS_DEVICE_STATE,
    SYNCD_WORDS_ROOT_STATE,
    SYNCD_WORDS_ACTOR_TYPE,
    SYNCD_WORDS_CAPABILITY,
    SYNCD_WORDS_SYNC_VISIBILITY,
    SYNCD_WORDS_RETENTION_CLASS,
    SYNCD_WORDS_PRIVACY_CLASS,
    SYNCD_WORDS_DATA_CLASS, /* the privacy classes of objects, and internal and credential */
    SYNCD_WORDS_OBJECT_STATE,
    SYNCD_WORDS_OPERATION_CLASS,
    SYNCD_WORDS_PLAN_STATUS,
    SYNCD_WORDS_CONFLICT_SEVERITY,
    SYNCD_WORDS_CARD_OPTION,
    SYNCD_WORDS_TRANSACTION_OPERATION,
    SYNCD_WORDS_TRANSACTION_STATUS,
    SYNCD_WORDS_MIGRATION_STEP,
    SYNCD_WORDS_MIGRATION_SIDE,
    SYNCD_WORDS_MIGRATION_DIRECTION,
    SYNCD_WORDS_MIGRATION_STATUS,

    /* the local store */
    SYNCD_WORDS_JOURNAL_EVENT_TYPE,
    SYNCD_WORDS_REGISTRY_KIND,

    /* the state integrity report and the repair plan */
    SYNCD_WORDS_PLATFORM,
    SYNCD_WORDS_SERVICE_MANAGER,
    SYNCD_WORDS_BUILD_PROVENANCE,
    SYNCD_WORDS_COLLECTION_STATUS,
    SYNCD_WORDS_MISSING_REASON,
    SYNCD_WORDS_STORE_ROLE,
    SYNCD_WORDS_MIGRATION_STATE,
    SYNCD_WORDS_CHECKSUM_STATE,
    SYNCD_WORDS_LANE_STATUS,
    SYNCD_WORDS_PRESSURE,
    SYNCD_WORDS_DEBT,
    SYNCD_WORDS_CONTROL_MODE,
    SYNCD_WORDS_DIAGNOSIS_STATUS,
    SYNCD_WORDS_REPAIR_STATUS,

    /* policy, trust, evidence, delivery */
    SYNCD_WORDS_POLICY_ACTION,
    SYNCD_WORDS_POLICY_STATUS,
    SYNCD_WORDS_POLICY_EFFECT,
    SYNCD_WORDS_EXPLANATION_DOMAIN,
    SYNCD_WORDS_TRUST_STATUS,
    SYNCD_WORDS_EVIDENCE_TYPE,
    SYNCD_WORDS_SCORECARD_STATUS,

    /* canonical events */
    SYNCD_WORDS_EVENT_CLASS,
    SYNCD_WORDS_EVENT_LANE,
    SYNCD_WORDS_EVENT_SEVERITY,
    SYNCD_WORDS_EVENT_OUTCOME,
    SYNCD_WORDS_EVENT_ACTOR_TYPE,
    SYNCD_WORDS_EVENT_SUBJECT_TYPE,
    SYNCD_WORDS_DECISION_RESULT,
    SYNCD_WORDS_TRUST_MODE,
    SYNCD_WORDS_SIGNATURE_STATE,
    SYNCD_WORDS_PACKAGE_ORIGIN,
    SYNCD_WORDS_ATTESTATION_STATE,
    SYNCD_WORDS_NETWORK_LOOKUP,
    SYNCD_WORDS_PRIVACY_TIER,
    SYNCD_WORDS_REDACTION_POLICY,
    SYNCD_WORDS_EVIDENCE_SOURCE,
    SYNCD_WORDS_REPLICATION_POLICY,
    SYNCD_WORDS_EVENT_RETENTION,

    /* canonical events as they were before: read when asked for, never written */
    SYNCD_WORDS_LEGACY_EVENT_CLASS,
    SYNCD_WORDS_LEGACY_EVENT_LANE,
    SYNCD_WORDS_LEGACY_EVENT_OUTCOME,
    SYNCD_WORDS_LEGACY_DECISION_OUTCOME,
    SYNCD_WORDS_LEGACY_SUBJECT_TYPE,
    SYNCD_WORDS_LEGACY_DECISION_RESULT,
    SYNCD_WORDS_LEGACY_TRUST_MODE,
    SYNCD_WORDS_LEGACY_REDACTION_POLICY,

    /* process provenance */
    SYNCD_WORDS_UID_CLASS,
    SYNCD_WORDS_GID_CLASS,
    SYNCD_WORDS_PARENT_COMMAND_CLASS,
    SYNCD_WORDS_ENVIRONMENT_CLASS,
    SYNCD_WORDS_LAUNCH_REASON,
    SYNCD_WORDS_PATH_CLASS,

    /* control-plane manifests */
    SYNCD_WORDS_AUTHORITY_DOMAIN,
    SYNCD_WORDS_START_MODE,
    SYNCD_WORDS_RESTART_POLICY,
    SYNCD_WORDS_FAULT_CLASS, /* what a release must be able to report */
    SYNCD_WORDS_CAPABILITY_CLASS,
    SYNCD_WORDS_DEFAULT_DECISION,
    SYNCD_WORDS_CAPABILITY_AUDIT,
    SYNCD_WORDS_PRIVACY_IMPACT,
    SYNCD_WORDS_INCIDENT_CLASS,

    /* sync engines and spec objects */
    SYNCD_WORDS_POLICY_CLASS,
    SYNCD_WORDS_MERGE_STRATEGY,
    SYNCD_WORDS_ENGINE_STATE,
    SYNCD_WORDS_REASON_CODE,
    SYNCD_WORDS_REPO_DOMAIN,
    SYNCD_WORDS_AUDIT_EVENT,
    SYNCD_WORDS_CONFLICT_KIND,
    SYNCD_WORDS_CONFLICT_RESOLUTION,
    SYNCD_WORDS_SYNC_STATE,
    SYNCD_WORDS_NETWORK_STATE,
    SYNCD_WORDS_STALENESS_CLASS,
    SYNCD_WORDS_STALE_RESOLUTION,
    SYNCD_WORDS_LOG_OPERATION_TYPE,
    SYNCD_WORDS_LOG_SURFACE,
    SYNCD_WORDS_DURABILITY_TIER,
    SYNCD_WORDS_PAYLOAD_MODE,

    SYNCD_N_VOCABULARIES,
} SyncdVocabulary;

/* What a message calls a member of the set: "lane". */
const char *syncd_vocabulary_name(SyncdVocabulary vocabulary);
/* NULL-terminated, in the order of the contract. */
const char *const *syncd_vocabulary_words(SyncdVocabulary vocabulary);
/* The table's constant, NULL when it is not in the set. */
const char *syncd_vocabulary_find(SyncdVocabulary vocabulary, SyncdBytes word);
/* "normal, priority, secure": for messages. */
char *syncd_vocabulary_list(SyncdVocabulary vocabulary);
