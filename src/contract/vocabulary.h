/*
 * The controlled vocabularies: the closed sets of words that contract records and requests are made
 * of.
 *
 * Each set exists here and nowhere else. Words are case-sensitive. A word that is found comes back
 * as the constant of the table, so that whoever holds it need not copy it and may compare it by its
 * text only once.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_WORDS_OPERATION_TYPE,
    SYNCD_WORDS_OPERATION_STATUS,
    SYNCD_WORDS_SCOPE_CLASS,
    SYNCD_WORDS_LANE,
    SYNCD_WORDS_DATA_CLASS, /* the privacy classes of objects, and internal and credential */
    SYNCD_WORDS_ACTOR_TYPE,
    SYNCD_WORDS_CAPABILITY,
    SYNCD_WORDS_DEVICE_STATE,
    SYNCD_WORDS_TRUST_LEVEL,
    SYNCD_WORDS_POLICY_ACTION,
    SYNCD_WORDS_POLICY_STATUS,
    SYNCD_WORDS_POLICY_EFFECT,
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
