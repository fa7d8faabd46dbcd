#include "bus/bus.h"

#include "bus/bus-private.h"
#include "bus/call.h"
#include "bus/job.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/plan.h"
#include "bus/signals.h"
#include "service/repair.h"

/* Of callers who wait for each answer the next one need not wait for the signals of the last. */
#define COMMITS_USEC 4000u
/* Finding out takes longer than telling. */
#define FINDINGS_USEC (2000u * 1000u)

static void slot_free(void *slot)
{
    sd_bus_slot_unref(slot);
}

static void call_drop(void *call)
{
    syncd_call_drop(call);
}

static void tell_changes(void *data)
{
    syncd_signals_tell_changes(data);
}

static void tell_commits(void *data)
{
    syncd_signals_tell_commits(data);
}

static void tell_findings(void *data)
{
    syncd_signals_tell_findings(data);
}

static void add_job(SyncdBus *bus, SyncdJob *job)
{
    SyncdObject *object = g_new0(SyncdObject, 1);
    *object = (SyncdObject){.bus = bus, .job = job};
    g_hash_table_insert(bus->jobs, g_strdup(syncd_job_id(job)), object);
}

/* Those that the service began before anybody listened. */
static void add_present_jobs(SyncdBus *bus)
{
    g_autoptr(GPtrArray) jobs = syncd_service_jobs(bus->service);
    for (guint i = 0; i < jobs->len; i++)
        add_job(bus, jobs->pdata[i]);
}

static void add_present_plans(SyncdBus *bus)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(bus->service);
    for (guint i = 0; i < plans->len; i++)
        syncd_plan_add(bus, plans->pdata[i]);
}

SyncdBus *syncd_bus_new(sd_bus *connection, SyncdService *service, const SyncdBusOptions *options,
                        GError **error)
{
    g_autoptr(SyncdBus) bus = g_new0(SyncdBus, 1);
    bus->connection = sd_bus_ref(connection);
    bus->service = service;
    bus->instance = options->instance;
    bus->uid = options->uid;
    bus->limits = syncd_limits_new();
    if (options->calls_in_flight > 0) {
        syncd_limits_set(bus->limits, SYNCD_LIMIT_CALLS, options->calls_in_flight);
        syncd_limits_set(bus->limits, SYNCD_LIMIT_WAITING, options->calls_in_flight);
    }
    bus->callers = syncd_callers_new(options->instance == SYNCD_INSTANCE_USER);
    bus->workers = syncd_workers_new(connection, service);
    bus->authority = syncd_authority_new(connection, options->instance);
    bus->asking = g_hash_table_new_full(NULL, NULL, NULL, call_drop);
    bus->root = (SyncdObject){.bus = bus};
    bus->jobs = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    bus->plans = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, syncd_plan_object_free);
    bus->slots = g_ptr_array_new_with_free_func(slot_free);
    if (service != NULL) {
        syncd_service_state(service, &bus->shown);
        add_present_jobs(bus);
        add_present_plans(bus);
    }

    sd_event *event = sd_bus_get_event(connection);
    bus->untold_types = g_ptr_array_new();
    bus->pace = syncd_pace_new(event, SYNCD_PACE_SHOWN_USEC, tell_changes, bus, error);
    if (bus->pace != NULL)
        bus->commits = syncd_pace_new(event, COMMITS_USEC, tell_commits, bus, error);
    if (bus->commits != NULL)
        bus->findings = syncd_pace_new(event, FINDINGS_USEC, tell_findings, bus, error);
    if (bus->findings == NULL)
        return NULL;
    bus->queue = syncd_queue_new(connection, bus->limits, bus->callers, error);
    if (bus->queue == NULL || !syncd_objects_add(bus, error))
        return NULL;
    return g_steal_pointer(&bus);
}

static void cancel_asking(SyncdBus *bus)
{
    GHashTableIter iter;
    void *call = NULL;
    g_hash_table_iter_init(&iter, bus->asking);
    while (g_hash_table_iter_next(&iter, NULL, &call)) {
        g_hash_table_iter_steal(&iter);
        syncd_call_cancel(call);
    }
}

void syncd_bus_free(SyncdBus *bus)
{
    if (bus == NULL)
        return;
    cancel_asking(bus);
    g_hash_table_unref(bus->asking);
    syncd_queue_free(bus->queue);
    g_ptr_array_unref(bus->slots);
    g_hash_table_unref(bus->jobs);
    g_hash_table_unref(bus->plans);
    syncd_pace_free(bus->pace);
    syncd_pace_free(bus->commits);
    syncd_pace_free(bus->findings);
    g_ptr_array_unref(bus->untold_types);
    syncd_workers_free(bus->workers);
    syncd_authority_free(bus->authority);
    syncd_callers_free(bus->callers);
    syncd_limits_free(bus->limits);
    sd_bus_unref(bus->connection);
    g_free(bus);
}

void syncd_bus_committed(SyncdBus *bus, const SyncdCommit *commit, const char *const *event_types)
{
    syncd_signals_note_commit(bus, commit, event_types);
    syncd_pace_request(bus->commits);
    syncd_pace_request(bus->pace);
}

void syncd_bus_changed(SyncdBus *bus)
{
    syncd_pace_request(bus->pace);
    syncd_pace_request(bus->findings);
}

void syncd_bus_tasks_changed(SyncdBus *bus)
{
    bus->tasks_changed = true;
    syncd_pace_request(bus->pace);
}

void syncd_bus_job_added(SyncdBus *bus, SyncdJob *job)
{
    add_job(bus, job);
    if (bus->instance != SYNCD_INSTANCE_USER)
        return;
    g_autofree char *path = syncd_job_path(job);
    sd_bus_emit_object_added(bus->connection, path);
}

void syncd_bus_job_changed(SyncdBus *bus, SyncdJob *job)
{
    SyncdObject *object = g_hash_table_lookup(bus->jobs, syncd_job_id(job));
    if (object == NULL || bus->instance != SYNCD_INSTANCE_USER)
        return;
    if (g_strcmp0(syncd_job_state(job), "running") != 0) {
        syncd_signals_job_finished(object);
        syncd_pace_request(bus->findings);
        return;
    }
    object->changed = true;
    syncd_pace_request(bus->pace);
}

void syncd_bus_job_removed(SyncdBus *bus, SyncdJob *job)
{
    if (bus->instance == SYNCD_INSTANCE_USER) {
        g_autofree char *path = syncd_job_path(job);
        sd_bus_emit_object_removed(bus->connection, path);
    }
    g_hash_table_remove(bus->jobs, syncd_job_id(job));
}

void syncd_bus_plan_added(SyncdBus *bus, SyncdRepairPlan *plan)
{
    const SyncdObject *object = syncd_plan_add(bus, plan);
    if (bus->instance == SYNCD_INSTANCE_USER)
        syncd_plan_tell_added(object);
}

void syncd_bus_plan_changed(SyncdBus *bus, SyncdRepairPlan *plan)
{
    SyncdObject *object = g_hash_table_lookup(bus->plans, syncd_repair_plan_id(plan));
    if (object != NULL && bus->instance == SYNCD_INSTANCE_USER)
        syncd_plan_tell(object);
}

void syncd_bus_plan_removed(SyncdBus *bus, SyncdRepairPlan *plan)
{
    if (bus->instance == SYNCD_INSTANCE_USER) {
        g_autofree char *path = syncd_plan_path(plan);
        sd_bus_emit_object_removed(bus->connection, path);
    }
    g_hash_table_remove(bus->plans, syncd_repair_plan_id(plan));
}

void syncd_bus_flush(SyncdBus *bus)
{
    syncd_pace_flush(bus->commits);
    syncd_pace_flush(bus->pace);
}
