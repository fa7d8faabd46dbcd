/*
 * Who may call what: one table, and its judgement.
 *
 * Denied by default: a method without a row in the table does not exist for anybody. In the user
 * instance nobody but its own user may call anything. In the system instance a row says whether a
 * method is for everybody, for everybody about what is his own, or only for whom polkit allows an
 * action. Root of the machine is allowed every action without being asked.
 *
 * The judgement is a pure function; whether polkit allows an action is asked by bus/authority.h.
 */
#pragma once

#include "service/service.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

typedef enum {
    SYNCD_RIGHT_NOBODY,   /* not offered in that instance */
    SYNCD_RIGHT_EVERYONE, /* whoever reaches the bus; the answer holds counts only */
    SYNCD_RIGHT_ACTOR,  /* whoever the service has registered as an actor: it decides by the uid */
    SYNCD_RIGHT_OWNER,  /* whose it is, and root; nobody else, and polkit is not asked */
    SYNCD_RIGHT_OWN,    /* what is the caller's own; the action for what others did */
    SYNCD_RIGHT_ACTION, /* whom polkit allows the action */
} SyncdRightKind;

typedef struct {
    SyncdRightKind kind;
    const char *action; /* NULL: none is needed */
} SyncdRight;

typedef struct {
    const char *interface;
    const char *method;
    SyncdRight user; /* in the user instance: of its user alone */
    SyncdRight system;
} SyncdRule;

const SyncdRule *syncd_rules(size_t *ret_n);
/* NULL when there is no row. */
const SyncdRule *syncd_rule_find(const char *interface, const char *method);
SyncdRight syncd_rule_right(const SyncdRule *rule, SyncdInstance instance);

typedef enum {
    SYNCD_JUDGED_NO,
    SYNCD_JUDGED_YES,
    SYNCD_JUDGED_ASK, /* polkit decides */
} SyncdJudgement;

/* `owner` is whose instance it is; `others` says that the call is about what others did. */
SyncdJudgement syncd_right_judge(SyncdRight right, SyncdInstance instance, uid_t owner,
                                 uid_t caller, bool others);
