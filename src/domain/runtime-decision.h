/*
 * Policy decisions as documents at run time: shape B of sourceos.policy-decision/v1alpha1.
 *
 * One says what an engine answered to one question. It carries its boundary, which states that
 * answering changed nothing; a document that claims an effect is refused, whoever wrote it, as is
 * one whose id is not that of its content.
 */
#pragma once

#include "base/json-writer.h"
#include "domain/policy.h"

#define SYNCD_RUNTIME_DECISION_SCHEMA "sourceos.policy-decision/v1alpha1"

void syncd_runtime_decision_write(SyncdJsonWriter *writer, const SyncdPolicyInput *input,
                                  const SyncdPolicyOutcome *outcome, guint64 generated_ms);
/* The document, boundary included: an absent boundary is accepted, a bad one never. The message
 * names the place. */
bool syncd_runtime_decision_check(SyncdJson document, GError **error);
