#include "bus/authorise.h"

#include "bus/names.h"

#define EVERYONE                                                                                   \
    {                                                                                              \
        SYNCD_RIGHT_EVERYONE, NULL                                                                 \
    }
#define ACTOR                                                                                      \
    {                                                                                              \
        SYNCD_RIGHT_ACTOR, NULL                                                                    \
    }
#define OWN(action)                                                                                \
    {                                                                                              \
        SYNCD_RIGHT_OWN, action                                                                    \
    }
#define OWNER                                                                                      \
    {                                                                                              \
        SYNCD_RIGHT_OWNER, NULL                                                                    \
    }
#define ACTION(action)                                                                             \
    {                                                                                              \
        SYNCD_RIGHT_ACTION, action                                                                 \
    }
/* In the user instance everybody who passes is the owner of everything. */
#define THE_USER EVERYONE

static const SyncdRule rule_table[] = {
    /* interface, method, user instance, system instance */
    {SYNCD_INTERFACE_MANAGER, "Describe", THE_USER, EVERYONE},
    {SYNCD_INTERFACE_MANAGER, "Health", THE_USER, ACTION(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "Explain", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "Diagnose", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "ListEvents", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "ListEvidence", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "GetEvidence", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "Find", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_MANAGER, "Verify", THE_USER, ACTION(SYNCD_ACTION_RUN)},
    {SYNCD_INTERFACE_MANAGER, "ListJobs", THE_USER, OWN(SYNCD_ACTION_INSPECT)},

    {SYNCD_INTERFACE_OPERATIONS, "Enqueue", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "EnqueueMany", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "Get", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "List", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "ListBytes", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "Replay", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "Reconcile", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "ListReconciled", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "ClaimTask", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "RenewTask", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "CompleteTask", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "FailTask", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "CancelTask", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "GetTask", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "ListTasks", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "Checkpoint", THE_USER, ACTION(SYNCD_ACTION_RUN)},
    {SYNCD_INTERFACE_OPERATIONS, "Proof", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_OPERATIONS, "PlanPurge", THE_USER, ACTOR},
    {SYNCD_INTERFACE_OPERATIONS, "Purge", ACTION(SYNCD_ACTION_USER_PURGE),
     ACTION(SYNCD_ACTION_PURGE)},
    {SYNCD_INTERFACE_OPERATIONS, "PurgeReport", THE_USER, OWN(SYNCD_ACTION_INSPECT)},

    /* "What others did" is here what others depend on: configuration. */
    {SYNCD_INTERFACE_REGISTRY, "Register", THE_USER, OWN(SYNCD_ACTION_CONFIGURE)},
    {SYNCD_INTERFACE_REGISTRY, "Update", THE_USER, OWN(SYNCD_ACTION_CONFIGURE)},
    {SYNCD_INTERFACE_REGISTRY, "Revoke", THE_USER, OWN(SYNCD_ACTION_CONFIGURE)},
    {SYNCD_INTERFACE_REGISTRY, "Show", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_REGISTRY, "List", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_REGISTRY, "PlanMigration", THE_USER, ACTION(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_REGISTRY, "ApplyMigration", THE_USER, ACTION(SYNCD_ACTION_CONFIGURE)},
    {SYNCD_INTERFACE_REGISTRY, "PlanRollback", THE_USER, ACTION(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_REGISTRY, "ApplyRollback", THE_USER, ACTION(SYNCD_ACTION_CONFIGURE)},
    {SYNCD_INTERFACE_REGISTRY, "MigrationReport", THE_USER, OWN(SYNCD_ACTION_INSPECT)},

    {SYNCD_INTERFACE_WORKSPACES, "List", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "ListFiles", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "GetFile", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "FileHistory", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "CheckIgnored", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "Scan", THE_USER, ACTION(SYNCD_ACTION_RUN)},
    {SYNCD_INTERFACE_WORKSPACES, "Announce", THE_USER, ACTOR},
    {SYNCD_INTERFACE_WORKSPACES, "PlanRestore", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_WORKSPACES, "Restore", THE_USER, ACTION(SYNCD_ACTION_RUN)},
    {SYNCD_INTERFACE_WORKSPACES, "AcceptFile", THE_USER, ACTION(SYNCD_ACTION_RUN)},

    {SYNCD_INTERFACE_REPAIR, "Plan", THE_USER, ACTION(SYNCD_ACTION_RUN)},
    {SYNCD_INTERFACE_REPAIR, "List", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_PLAN, "Describe", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_PLAN, "Document", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_PLAN, "Report", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_PLAN, "Approve", ACTION(SYNCD_ACTION_USER_REPAIR_APPROVE),
     ACTION(SYNCD_ACTION_REPAIR_APPROVE)},
    /* Whose it is: who approved the plan. */
    {SYNCD_INTERFACE_PLAN, "Apply", THE_USER, OWNER},
    {SYNCD_INTERFACE_PLAN, "Rollback", ACTION(SYNCD_ACTION_USER_REPAIR_ROLLBACK),
     ACTION(SYNCD_ACTION_REPAIR_ROLLBACK)},
    {SYNCD_INTERFACE_PLAN, "Discard", THE_USER, ACTION(SYNCD_ACTION_RUN)},

    {SYNCD_INTERFACE_JOB, "Describe", THE_USER, OWN(SYNCD_ACTION_INSPECT)},
    {SYNCD_INTERFACE_JOB, "Cancel", THE_USER, OWN(SYNCD_ACTION_RUN)},
};

const SyncdRule *syncd_rules(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(rule_table);
    return rule_table;
}

const SyncdRule *syncd_rule_find(const char *interface, const char *method)
{
    for (size_t i = 0; i < G_N_ELEMENTS(rule_table); i++)
        if (g_strcmp0(rule_table[i].interface, interface) == 0 &&
            g_strcmp0(rule_table[i].method, method) == 0)
            return &rule_table[i];
    return NULL;
}

SyncdRight syncd_rule_right(const SyncdRule *rule, SyncdInstance instance)
{
    return instance == SYNCD_INSTANCE_USER ? rule->user : rule->system;
}

SyncdJudgement syncd_right_judge(SyncdRight right, SyncdInstance instance, uid_t owner,
                                 uid_t caller, bool others)
{
    if (instance == SYNCD_INSTANCE_USER && caller != owner)
        return SYNCD_JUDGED_NO;

    /* Consent to an action in the user instance is the user's, whatever his uid is. */
    bool privileged = instance == SYNCD_INSTANCE_SYSTEM && caller == 0;
    switch (right.kind) {
    case SYNCD_RIGHT_EVERYONE:
    case SYNCD_RIGHT_ACTOR:
        return SYNCD_JUDGED_YES;
    case SYNCD_RIGHT_OWNER:
        return !others || privileged ? SYNCD_JUDGED_YES : SYNCD_JUDGED_NO;
    case SYNCD_RIGHT_OWN:
        return !others || privileged ? SYNCD_JUDGED_YES : SYNCD_JUDGED_ASK;
    case SYNCD_RIGHT_ACTION:
        return privileged ? SYNCD_JUDGED_YES : SYNCD_JUDGED_ASK;
    default:
        return SYNCD_JUDGED_NO;
    }
}
