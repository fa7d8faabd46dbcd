/*
 * The fields of a request that policy decides about, and the words that a request can state in
 * them.
 *
 * Some fields have a vocabulary, others hold ids that have a form: a workspace is always
 * "workspace:" and a name, never the name alone. A word that no request can state is refused
 * wherever one is read, in rules, in cases and in questions: a rule with it would never match, and
 * nobody would be told. Where it can be guessed what was meant, the error says so.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define SYNCD_POLICY_WORD_MAX 200u /* bytes */

/* From the one that says least about a request to the one that says most: a later one weighs more
 * than all before it together. */
typedef enum {
    SYNCD_FIELD_ACTION,
    SYNCD_FIELD_LANE,
    SYNCD_FIELD_DATA_CLASS,
    SYNCD_FIELD_SCOPE_CLASS,
    SYNCD_FIELD_ACTOR_TYPE,
    SYNCD_FIELD_OPERATION_TYPE,
    SYNCD_FIELD_OBJECT_TYPE,
    SYNCD_FIELD_PROFILE,
    SYNCD_FIELD_WORKSPACE,
    SYNCD_FIELD_SCOPE,
    SYNCD_FIELD_SUBJECT,
    SYNCD_FIELD_OBJECT,
    SYNCD_N_POLICY_FIELDS,
} SyncdPolicyField;

/* The request that is decided about: a word or an id each, NULL where it is not known. */
typedef struct {
    const char *fields[SYNCD_N_POLICY_FIELDS];
} SyncdPolicyRequest;

const char *syncd_policy_field_name(SyncdPolicyField field);     /* of a request: "lane" */
const char *syncd_policy_condition_name(SyncdPolicyField field); /* of a rule: "lanes" */
/* Whether a request may state the word in that field; the message begins with `path`. */
bool syncd_policy_check_word(SyncdPolicyField field, const char *word, const char *path,
                             GError **error);
/* Whether it has 1 to `max` bytes and no control character. */
bool syncd_policy_check_text(const char *word, const char *path, size_t max, GError **error);
