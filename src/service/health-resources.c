/* What there is room for, and what policy said. */
#include "service/health-facts.h"

#include "domain/policy.h"

#define GIB (1024.0 * 1024 * 1024)
#define MIB (1024u * 1024u)
#define MEMORY_BUDGET_MIB 64u /* when idle: docs/performance.md */

/* ---- resources ---- */

/* The contract has no null here: of a disk that could not be measured nothing is free. */
static void write_disk(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdOutside *outside = &facts->outside;
    syncd_json_name(writer, "disk");
    syncd_json_begin_object(writer);
    if (outside->filesystem != NULL)
        syncd_json_member_string(writer, "filesystem", outside->filesystem);
    syncd_json_member_uint(writer, "free_bytes", outside->free_bytes);
    syncd_json_member_uint(writer, "total_bytes", MAX(outside->total_bytes, 1));
    syncd_json_name(writer, "free_ratio");
    syncd_json_double(writer, syncd_outside_free_ratio(outside));
    syncd_json_member_string(writer, "pressure", syncd_outside_disk_pressure(outside));
    syncd_json_end_object(writer);
}

static void write_share(SyncdJsonWriter *writer, const char *name, int problem, double share)
{
    syncd_json_name(writer, name);
    if (problem == 0)
        syncd_json_double(writer, share);
    else
        syncd_json_null(writer);
}

static void write_stall(SyncdJsonWriter *writer, const SyncdStall *stall)
{
    syncd_json_member_string(writer, "pressure", syncd_stall_pressure(stall));
    write_share(writer, "some_avg10", stall->problem, stall->some);
    write_share(writer, "full_avg10", stall->problem, stall->full);
}

static void write_memory(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    const SyncdOutside *outside = &facts->outside;
    syncd_json_name(writer, "memory");
    syncd_json_begin_object(writer);
    write_share(writer, "total_gb", outside->memory_problem,
                (double)(guint64)((double)outside->memory_total / GIB * 100) / 100);
    syncd_json_member_uint(writer, "budget_mb", MEMORY_BUDGET_MIB);
    syncd_json_name(writer, "resident_mb");
    if (outside->resident_problem == 0)
        syncd_json_uint(writer, outside->resident / MIB);
    else
        syncd_json_null(writer);
    write_stall(writer, &outside->memory);
    syncd_json_end_object(writer);
}

void syncd_health_write_resources(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "resources");
    syncd_json_begin_object(writer);
    write_disk(facts, writer);
    write_memory(facts, writer);
    syncd_json_name(writer, "io");
    syncd_json_begin_object(writer);
    write_stall(writer, &facts->outside.io);
    syncd_json_end_object(writer);
    syncd_json_end_object(writer);
}

/* ---- policy ---- */

/* Since the start: requests that were decided, and not rules or records of decisions. */
static void write_decisions(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "policy_decisions");
    syncd_json_begin_object(writer);
    for (size_t i = 0; i < G_N_ELEMENTS(facts->decided); i++)
        syncd_json_member_uint(writer, syncd_decided[i], facts->decided[i]);
    syncd_json_end_object(writer);
}

void syncd_health_write_policy(const SyncdHealthFacts *facts, SyncdJsonWriter *writer)
{
    syncd_json_name(writer, "policy");
    syncd_json_begin_object(writer);
    syncd_json_member_string(writer, "policy_engine", SYNCD_POLICY_ID);
    syncd_json_member_string(writer, "policy_version", SYNCD_POLICY_VERSION);
    syncd_json_member_string(writer, "policy_digest", facts->policy_digest);
    syncd_json_member_uint(writer, "rules", facts->policy_rules);
    syncd_health_write_time(writer, "in_force_since", facts->policy_since_ms * 1000);
    write_decisions(facts, writer);
    syncd_json_end_object(writer);
}
