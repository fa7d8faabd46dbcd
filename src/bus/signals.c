#include "bus/signals.h"

#include "bus/job.h"
#include "bus/manager.h"
#include "bus/names.h"
#include "service/diagnose.h"

/* Whoever listens reads the state again when a signal was lost; there is nobody to tell. */
static void log_lost(int result, const char *what)
{
    if (result < 0)
        g_debug("%s was not sent: %s", what, g_strerror(-result));
}

static int emit_events(SyncdBus *bus)
{
    bool user = bus->instance == SYNCD_INSTANCE_USER;
    sd_bus_message *signal = NULL;
    int r = sd_bus_message_new_signal(bus->connection, &signal, SYNCD_PATH_ROOT,
                                      SYNCD_INTERFACE_MANAGER, "EventRecorded");
    if (r >= 0)
        r = sd_bus_message_append(signal, "tt", bus->untold.first, bus->untold.last);
    if (r >= 0)
        r = sd_bus_message_open_container(signal, 'a', "s");
    for (guint i = 0; user && r >= 0 && i < bus->untold_types->len; i++)
        r = sd_bus_message_append_basic(signal, 's', bus->untold_types->pdata[i]);
    if (r >= 0)
        r = sd_bus_message_close_container(signal);
    if (r >= 0)
        r = sd_bus_send(bus->connection, signal, NULL);
    sd_bus_message_unref(signal);
    return r;
}

void syncd_signals_note_commit(SyncdBus *bus, const SyncdCommit *commit,
                               const char *const *event_types)
{
    SyncdCommit *untold = &bus->untold;
    if (untold->first == 0)
        untold->first = commit->first;
    untold->last = commit->last;
    if (commit->n_operations > 0) {
        if (untold->n_operations == 0)
            untold->first_operation = commit->first_operation;
        untold->last_operation = commit->last_operation;
        untold->n_operations += commit->n_operations;
    }
    for (; *event_types != NULL; event_types++)
        if (!g_ptr_array_find(bus->untold_types, *event_types, NULL))
            g_ptr_array_add(bus->untold_types, (char *)*event_types);
}

void syncd_signals_tell_commits(SyncdBus *bus)
{
    const SyncdCommit *untold = &bus->untold;
    log_lost(emit_events(bus), "EventRecorded");
    if (untold->n_operations > 0)
        log_lost(sd_bus_emit_signal(bus->connection, SYNCD_PATH_ROOT, SYNCD_INTERFACE_OPERATIONS,
                                    "OperationRecorded", "ttu", untold->first_operation,
                                    untold->last_operation, untold->n_operations),
                 "OperationRecorded");
    bus->untold = (SyncdCommit){0};
    g_ptr_array_set_size(bus->untold_types, 0);
}

static void tell_manager(SyncdBus *bus)
{
    SyncdState state = {0};
    syncd_service_state(bus->service, &state);
    g_autoptr(GPtrArray) names = syncd_manager_changed_properties(&bus->shown, &state);
    bus->shown = state;
    if (names->len <= 1)
        return;
    log_lost(sd_bus_emit_properties_changed_strv(bus->connection, SYNCD_PATH_ROOT,
                                                 SYNCD_INTERFACE_MANAGER, (char **)names->pdata),
             "PropertiesChanged");
}

static void tell_job(SyncdObject *object)
{
    bool ended = g_strcmp0(syncd_job_state(object->job), "running") != 0;
    g_autofree char *path = syncd_job_path(object->job);
    object->changed = false;
    log_lost(sd_bus_emit_properties_changed_strv(
                 object->bus->connection, path, SYNCD_INTERFACE_JOB,
                 (char **)(ended ? syncd_job_properties_ended : syncd_job_properties_running)),
             "PropertiesChanged");
}

/* Whoever could not be told now asks when it wants to know; the next change tells again. */
static void tell_tasks(SyncdBus *bus)
{
    guint64 pending, running;
    if (!bus->tasks_changed || !syncd_service_count_tasks(bus->service, &pending, &running, NULL))
        return;
    bus->tasks_changed = false;
    log_lost(sd_bus_emit_signal(bus->connection, SYNCD_PATH_ROOT, SYNCD_INTERFACE_OPERATIONS,
                                "TaskChanged", "ttt", bus->shown.sequence, pending, running),
             "TaskChanged");
}

void syncd_signals_tell_changes(SyncdBus *bus)
{
    tell_manager(bus);
    tell_tasks(bus);
    if (bus->instance != SYNCD_INSTANCE_USER)
        return;

    GHashTableIter iter;
    void *object = NULL;
    g_hash_table_iter_init(&iter, bus->jobs);
    while (g_hash_table_iter_next(&iter, NULL, &object))
        if (((SyncdObject *)object)->changed)
            tell_job(object);
}

void syncd_signals_tell_findings(SyncdBus *bus)
{
    guint32 errors, warnings;
    syncd_service_count_findings(bus->service, &errors, &warnings);
    if (errors == bus->errors && warnings == bus->warnings)
        return;
    bus->errors = errors;
    bus->warnings = warnings;
    log_lost(sd_bus_emit_signal(bus->connection, SYNCD_PATH_ROOT, SYNCD_INTERFACE_MANAGER,
                                "FindingsChanged", "uu", errors, warnings),
             "FindingsChanged");
}

void syncd_signals_job_finished(SyncdObject *object)
{
    tell_job(object);
    g_autofree char *path = syncd_job_path(object->job);
    log_lost(sd_bus_emit_signal(object->bus->connection, path, SYNCD_INTERFACE_JOB, "Finished", "s",
                                syncd_job_state(object->job)),
             "Finished");
}
