/*
 * The rules of contracts that no schema can say, one file for each contract, and what they share.
 *
 * Private to syncd_contract_check(). A rule is a pure function of the document. It passes over what
 * has not the shape that it speaks of: that is for the schema to say. Each costs time linear in the
 * document.
 */
#pragma once

#include "contract/schema.h"

typedef struct {
    SyncdSchemaErrors *errors; /* NULL: only the verdict is wanted */
    bool broken;
} SyncdRuling;

typedef void (*SyncdRule)(SyncdJson document, SyncdRuling *ruling);

void syncd_rules_of_report(SyncdJson report, SyncdRuling *ruling);
void syncd_rules_of_plan(SyncdJson plan, SyncdRuling *ruling);
void syncd_rules_of_event(SyncdJson event, SyncdRuling *ruling);
void syncd_rules_of_conflict(SyncdJson conflict, SyncdRuling *ruling);
void syncd_rules_of_codes(SyncdJson registry, SyncdRuling *ruling);
void syncd_rules_of_graph(SyncdJson graph, SyncdRuling *ruling);
void syncd_rules_of_migration(SyncdJson migration, SyncdRuling *ruling);

/* `rule` names it ("lane-names-differ"), `path` is a JSON pointer, the sentence follows it. */
void syncd_rule_break(SyncdRuling *ruling, const char *rule, const char *path, const char *format,
                      ...) G_GNUC_PRINTF(4, 5);

/* ---- sets of strings ---- */

/* The strings in an array, or of the member `name` of each of its elements. */
GHashTable *syncd_rule_texts(SyncdJson array, const char *name);
bool syncd_rule_has(GHashTable *texts, SyncdJson value);
/* Demands that no two elements of `array`, which is at `path`, have the same text as `name`. */
void syncd_rule_differ(SyncdRuling *ruling, const char *rule, const char *path, SyncdJson array,
                       const char *name);

/* ---- numbers ---- */

/* Both are numbers, and the first is greater. */
bool syncd_rule_exceeds(SyncdJson one, SyncdJson other);
/* A number that is whole and not negative. */
bool syncd_rule_is_count(SyncdJson value);
