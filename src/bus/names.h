/*
 * Every name that the daemon has on the bus, or asks for there, once. introspection/ describes
 * them.
 */
#pragma once

#define SYNCD_BUS_NAME "org.sourceos.Sync"

#define SYNCD_PATH_ROOT "/org/sourceos/Sync"
#define SYNCD_PATH_JOBS SYNCD_PATH_ROOT "/job"
#define SYNCD_PATH_PLANS SYNCD_PATH_ROOT "/plan"

#define SYNCD_INTERFACE_MANAGER "org.sourceos.Sync.Manager"
#define SYNCD_INTERFACE_OPERATIONS "org.sourceos.Sync.Operations"
#define SYNCD_INTERFACE_REGISTRY "org.sourceos.Sync.Registry"
#define SYNCD_INTERFACE_WORKSPACES "org.sourceos.Sync.Workspaces"
#define SYNCD_INTERFACE_REPAIR "org.sourceos.Sync.Repair"
#define SYNCD_INTERFACE_PLAN "org.sourceos.Sync.RepairPlan"
#define SYNCD_INTERFACE_JOB "org.sourceos.Sync.Job"

/* Actions of polkit; data/org.sourceos.sync.policy.in says who is allowed them by default. */
#define SYNCD_ACTION_INSPECT "org.sourceos.sync.inspect"
#define SYNCD_ACTION_RUN "org.sourceos.sync.run"
#define SYNCD_ACTION_CONFIGURE "org.sourceos.sync.configure"
#define SYNCD_ACTION_PURGE "org.sourceos.sync.purge"
#define SYNCD_ACTION_REPAIR_APPROVE "org.sourceos.sync.repair-approve"
#define SYNCD_ACTION_REPAIR_ROLLBACK "org.sourceos.sync.repair-rollback"
/* In the user instance: consent. */
#define SYNCD_ACTION_USER_PURGE "org.sourceos.sync.user.purge"
#define SYNCD_ACTION_USER_REPAIR_APPROVE "org.sourceos.sync.user.repair-approve"
#define SYNCD_ACTION_USER_REPAIR_ROLLBACK "org.sourceos.sync.user.repair-rollback"

#define SYNCD_POLKIT_NAME "org.freedesktop.PolicyKit1"
#define SYNCD_POLKIT_PATH "/org/freedesktop/PolicyKit1/Authority"
#define SYNCD_POLKIT_INTERFACE "org.freedesktop.PolicyKit1.Authority"
