/*
 * The explanation codes: the closed set of reasons that a policy decision can give, and what each
 * of them means.
 *
 * A table of constants. The codes and what follows from them are the contract's; titles, summaries
 * and advice are our words.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_EXPLANATION_REGISTRY_SCHEMA "sourceos.policy-explanation-registry.v0.1"

#define SYNCD_MAX_CLASSES 8

typedef struct {
    const char *code;
    const char *title;
    const char *domain;
    const char *result; /* allow, deny, defer or degrade */
    const char *outcome;
    const char *severity;
    const char *risk;
    bool may_be_more_severe;
    const char *summary;
    const char *why;
    const char *next_action;
    const char *operations[SYNCD_MAX_CLASSES]; /* NULL ends them; "*" is any */
    const char *targets[SYNCD_MAX_CLASSES];
} SyncdExplanation;

/* NULL when the value is none of the codes. */
const SyncdExplanation *syncd_explanation_find(SyncdJson code);
/* Whether the value is one of the classes. */
bool syncd_explanation_covers(const char *const classes[SYNCD_MAX_CLASSES], SyncdJson value);
/* Appends the registry, one JSON object. */
void syncd_explanation_write_all(GString *out);
