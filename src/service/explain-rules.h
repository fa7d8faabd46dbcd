/*
 * Which answer is given to a question, and what it rests on: a table, in order.
 */
#pragma once

#include "domain/answers.h"
#include "service/subject.h"

/* What an answer rests on, beside the entry that changed it last. */
typedef enum {
    SYNCD_ON_ENTRY,
    SYNCD_ON_FINDING, /* of a file: what was found in it */
    SYNCD_ON_RECORD,
    SYNCD_ON_ROOT,
    SYNCD_ON_PROFILE,
    SYNCD_ON_SCHEMA,
    SYNCD_ON_DELETION,
    SYNCD_ON_CLOSED, /* what is found wrong: why nothing is recorded, with the log, and … */
    SYNCD_ON_LOG,
    SYNCD_ON_CONTENT, /* … with its own content */
    SYNCD_ON_NOTHING,
} SyncdBasis;

typedef struct {
    SyncdQuestion question;
    const char *code;
    SyncdBasis basis;
} SyncdAnswerRule;

/* Each question has one. */
const SyncdAnswerRule *syncd_explain_rule(const SyncdSubject *subject, SyncdQuestion question);
/* Whether some rule gives the answer. */
bool syncd_explain_gives(SyncdQuestion question, const char *code);
