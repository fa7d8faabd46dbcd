/*
 * The words that values of options are made of: where they come from, what is offered of them, and
 * the complaint about one that is none.
 *
 * A word exists once, in the vocabulary or the table that has it; the option's row names where.
 * From there completion, help for a mistake and the check of the command line take it.
 */
#pragma once

#include "cli/cli.h"

/* Each adds the words of a set, constants all. */
void syncd_words_lane(GPtrArray *words);
void syncd_words_data_class(GPtrArray *words);
void syncd_words_scope_class(GPtrArray *words);
void syncd_words_action(GPtrArray *words);
void syncd_words_operation_type(GPtrArray *words);
void syncd_words_event_type(GPtrArray *words);
void syncd_words_evidence_type(GPtrArray *words);
void syncd_words_found_kind(GPtrArray *words);
void syncd_words_contract(GPtrArray *words);
void syncd_words_actor_type(GPtrArray *words);
void syncd_words_profile_class(GPtrArray *words);
void syncd_words_trust_level(GPtrArray *words);
void syncd_words_operation_class(GPtrArray *words);
void syncd_words_device_state(GPtrArray *words);
void syncd_words_object_state(GPtrArray *words);
void syncd_words_plan_state(GPtrArray *words);

/* "normal priority secure"; NULL for an option that has no words. */
char *syncd_words_of_option(const SyncdVerbOption *option);
/* Usage, with the words that there are, when the option's value must be another one. */
bool syncd_words_check(const SyncdVerb *verb, const SyncdVerbOption *option, const char *value,
                       GError **error);
/* What was probably meant by the id of a contract that there is not, also by a part of one; NULL
 * when nothing is near. */
const char *syncd_words_nearest_contract(const char *wrong);
/* "write, read, index": for messages about a word that is none; what is near to it comes first. */
char *syncd_words_nearest_first(const char *wrong, const char *const *words);
