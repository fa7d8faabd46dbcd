#include "contract/vocabulary.h"

typedef struct {
    const char *name;
    const char *const *words;
} WordSet;

#define WORDS(...)                                                                                 \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }

/* In the order of SyncdVocabulary. */
static const WordSet word_sets[SYNCD_N_VOCABULARIES] = {
    [SYNCD_WORDS_OPERATION_TYPE] = {"operation type",
                                    WORDS("sync.operation.enqueue", "sync.operation.replay",
                                          "sync.operation.reconcile", "sync.conflict.detect",
                                          "sync.conflict.resolve", "sync.repair.apply",
                                          "sync.tombstone.apply", "sync.checkpoint.write")},
    [SYNCD_WORDS_OPERATION_STATUS] = {"operation status",
                                      WORDS("queued", "running", "replayed", "reconciled",
                                            "blocked", "completed", "failed", "cancelled")},
    [SYNCD_WORDS_SCOPE_CLASS] = {"scope class",
                                 WORDS("device", "public", "profile", "workspace", "org", "vault")},
    [SYNCD_WORDS_LANE] = {"lane",
                          WORDS("normal", "priority", "secure", "ephemeral", "memory", "policy",
                                "audit", "tombstone", "migration", "repair", "archive")},
    [SYNCD_WORDS_DATA_CLASS] = {"data class",
                                WORDS("public", "personal", "work", "confidential", "regulated",
                                      "secret", "internal", "credential")},
    [SYNCD_WORDS_ACTOR_TYPE] = {"actor type",
                                WORDS("human", "app", "agent", "device", "service", "import_bridge",
                                      "export_bridge", "model_runtime", "remote_relay")},
    [SYNCD_WORDS_CAPABILITY] = {"capability", WORDS("read", "write", "delete", "merge", "repair",
                                                    "migrate_schema", "export", "replicate")},
    [SYNCD_WORDS_DEVICE_STATE] = {"device state",
                                  WORDS("trusted", "untrusted", "revoked", "quarantined")},
    [SYNCD_WORDS_TRUST_LEVEL] = {"trust level", WORDS("local", "user", "workspace", "org",
                                                      "external", "quarantined")},
    [SYNCD_WORDS_POLICY_ACTION] = {"policy action",
                                   WORDS("index", "retain", "replicate", "agent_access",
                                         "repair_preview", "purge_preview", "read", "write")},
    [SYNCD_WORDS_POLICY_STATUS] = {"policy status",
                                   WORDS("allowed", "denied", "redacted", "deferred")},
    [SYNCD_WORDS_POLICY_EFFECT] = {"policy effect", WORDS("allow", "deny", "review_required")},
};

const char *syncd_vocabulary_name(SyncdVocabulary vocabulary)
{
    return word_sets[vocabulary].name;
}

const char *const *syncd_vocabulary_words(SyncdVocabulary vocabulary)
{
    return word_sets[vocabulary].words;
}

const char *syncd_vocabulary_find(SyncdVocabulary vocabulary, SyncdBytes word)
{
    for (const char *const *known = word_sets[vocabulary].words; *known != NULL; known++)
        if (strlen(*known) == word.size && memcmp(*known, word.data, word.size) == 0)
            return *known;
    return NULL;
}

char *syncd_vocabulary_list(SyncdVocabulary vocabulary)
{
    return g_strjoinv(", ", (char **)word_sets[vocabulary].words);
}
