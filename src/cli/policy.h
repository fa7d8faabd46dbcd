/*
 * What the verbs of policy share: the rules that they look at, and the request that is asked about.
 */
#pragma once

#include "base/json.h"
#include "cli/cli.h"
#include "domain/policy-set.h"

/* A request with its words. Action, lane, data class and subject always have one. */
typedef struct {
    char *words[SYNCD_N_POLICY_FIELDS];
    SyncdPolicyRequest request;
} SyncdPolicyQuestion;

void syncd_policy_question_clear(SyncdPolicyQuestion *question);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPolicyQuestion, syncd_policy_question_clear)

/* Takes the members of a JSON object; `path` is where it stands. InvalidContract. */
bool syncd_policy_question_read(SyncdPolicyQuestion *question, SyncdJson object, const char *path,
                                GError **error);
/* Takes the options of the verb, before what was read. */
bool syncd_policy_question_take_options(SyncdPolicyQuestion *question, const SyncdCli *cli,
                                        GError **error);
/* Puts in what is usual and what follows from the scope. */
void syncd_policy_question_finish(SyncdPolicyQuestion *question);

/* The installed rules and those of --rules and --user-rules. An error when any is refused. */
SyncdPolicySet *syncd_cli_policy(const SyncdCli *cli, GError **error);
