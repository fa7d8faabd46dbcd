/*
 * The names that a client of the daemon calls, each once. introspection/ describes them.
 */
#pragma once

#define SYNCD_BUS_NAME "org.sourceos.Sync"
#define SYNCD_BUS_ROOT "/org/sourceos/Sync"
#define SYNCD_BUS_MANAGER "org.sourceos.Sync.Manager"
#define SYNCD_BUS_OPERATIONS "org.sourceos.Sync.Operations"
#define SYNCD_BUS_REGISTRY "org.sourceos.Sync.Registry"
#define SYNCD_BUS_WORKSPACES "org.sourceos.Sync.Workspaces"
#define SYNCD_BUS_REPAIR "org.sourceos.Sync.Repair"
#define SYNCD_BUS_PLAN "org.sourceos.Sync.RepairPlan"
#define SYNCD_BUS_JOB "org.sourceos.Sync.Job"
