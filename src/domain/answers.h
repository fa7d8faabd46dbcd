/*
 * The eleven questions that can be asked of every object, and every answer that there is.
 *
 * An answer is a code for programs and a sentence for people, in which "{size}" stands for the fact
 * of that name; so is the command that comes next. Who explains (service/explain.c) chooses codes
 * and knows the facts; who shows it to people may translate the sentence first. The sentences are
 * here alone.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>

typedef enum {
    SYNCD_ASKED_WHAT,
    SYNCD_ASKED_SCHEMA,
    SYNCD_ASKED_LAST_CHANGED_BY,
    SYNCD_ASKED_OWNER,
    SYNCD_ASKED_SAFE_TO_SYNC,
    SYNCD_ASKED_BLOCKED_BECAUSE,
    SYNCD_ASKED_CONFLICTS,
    SYNCD_ASKED_AUTO_REPAIRABLE,
    SYNCD_ASKED_NEEDS_HUMAN,
    SYNCD_ASKED_DURABILITY,
    SYNCD_ASKED_RESTORE_INTEGRITY,
    SYNCD_N_QUESTIONS,
} SyncdQuestion;

const char *syncd_question_name(SyncdQuestion question);  /* "safe_to_sync" */
const char *syncd_question_title(SyncdQuestion question); /* "Safe to sync", to be translated */
/* SYNCD_N_QUESTIONS when there is none. */
SyncdQuestion syncd_question_find(SyncdBytes name);

typedef struct {
    SyncdQuestion question;
    const char *code;
    const char *sentence; /* to be translated */
    const char *next;     /* a command; NULL: there is nothing to do */
} SyncdAnswer;

/* NULL when the question has no such answer. */
const SyncdAnswer *syncd_answer_find(SyncdQuestion question, SyncdBytes code);
const SyncdAnswer *syncd_answers(size_t *ret_n);

/* The text with facts in it; one that `fact` does not know (NULL) is "-". */
char *syncd_answer_fill(const char *text, const char *(*fact)(void *data, const char *name),
                        void *data);
