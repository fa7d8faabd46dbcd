/*
 * One rule an invariant: what it looks at, and what it shows as evidence. Private to the
 * invariants, whose table gives each rule its name and its severity.
 */
#pragma once

#include "domain/invariants.h"

typedef struct {
    const SyncdReport *report;
    const SyncdCircumstances *circumstances;
    const SyncdInvariants *before; /* those of the rows above are complete */
} SyncdRuleCase;

/* Writes members of the evidence. May make the severity of a failure another one. */
typedef SyncdResult SyncdInvariantRule(const SyncdRuleCase *the_case, SyncdJsonWriter *evidence,
                                       SyncdSeverity *severity);

SyncdInvariantRule syncd_rule_contract;
SyncdInvariantRule syncd_rule_heartbeat;
SyncdInvariantRule syncd_rule_replay_lag;
SyncdInvariantRule syncd_rule_shadow;
SyncdInvariantRule syncd_rule_disk;
SyncdInvariantRule syncd_rule_dirty_open;
SyncdInvariantRule syncd_rule_fresh;
SyncdInvariantRule syncd_rule_collection;
SyncdInvariantRule syncd_rule_lanes;
SyncdInvariantRule syncd_rule_checksums;
SyncdInvariantRule syncd_rule_flags;
SyncdInvariantRule syncd_rule_reported;
SyncdInvariantRule syncd_rule_consistent;
SyncdInvariantRule syncd_rule_attestation;

/* A value of the report as evidence. Containers become null: what is shown is flat, whatever the
 * report is. */
void syncd_rule_write_value(SyncdJsonWriter *evidence, SyncdJson value);
void syncd_rule_write_member(SyncdJsonWriter *evidence, const char *name, SyncdJson value);
