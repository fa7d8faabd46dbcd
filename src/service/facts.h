/*
 * What the sentences about an object are made of: names and texts (domain/answers.h).
 */
#pragma once

#include "service/subject.h"

#define SYNCD_FACTS_MAX 48u

typedef struct {
    const char *name;
    char *text;
} SyncdFact;

typedef struct {
    SyncdFact list[SYNCD_FACTS_MAX];
    unsigned n;
} SyncdFacts;

void syncd_facts_clear(SyncdFacts *facts);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdFacts, syncd_facts_clear)

/* All that are known of the subject. */
void syncd_facts_gather(const SyncdSubject *subject, SyncdFacts *facts);
/* For syncd_answer_fill(): `facts` is a SyncdFacts. NULL for one that is not known. */
const char *syncd_fact_find(void *facts, const char *name);
