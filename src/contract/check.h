/*
 * Whether a document keeps to its contract: to the installed schema of its id, and to the rules of
 * that contract that no schema can say (names that differ, numbers that agree, references that lead
 * somewhere).
 *
 * Schema and rules are always both asked: a rule passes over what has not the shape that it speaks
 * of, because the schema has said so. An error of a rule has the rule's name as its schema path,
 * "rule:lane-names-differ"; its sentence reads after the instance path, as those of schemas do.
 *
 * What is judged here is the document alone: derived ids and digests, signatures, and what a report
 * adds up to are the business of domain/.
 */
#pragma once

#include "contract/schema.h"

#define SYNCD_RULE_PREFIX "rule:"

/* Judges a value of checked text by the contract with this id ("sourceos.repair-plan/v1alpha1",
 * "SyncCheckpoint"). False only when it could not be judged: NotFound when there is no such
 * contract, LimitsExceeded. `errors` may be NULL. */
bool syncd_contract_check(const char *id, SyncdJson document, SyncdSchemaErrors *errors,
                          bool *ret_valid, GError **error);

/* For a caller who only wants valid documents: InvalidContract names the first faults, eight at
 * most, and their places, which follow `where` ("/record"). Else the errors of
 * syncd_contract_check(). */
bool syncd_contract_demand(const char *id, SyncdJson document, const char *where, GError **error);

/* The id of the contract that a document says, or shows, it is written to: its `schema`, or
 * `schema_version`, or `type`; the two manifests without any of them are known by their members.
 * NULL when it does neither, whether or not such a contract exists when it does. */
char *syncd_contract_id_of(SyncdJson document);
