#include "bus/workers.h"

struct SyncdWorkers {
    sd_bus *connection;
    SyncdService *service;
    GHashTable *tracks; /* unique name -> sd_bus_track */
};

static void track_free(void *track)
{
    sd_bus_track_unref(track);
}

SyncdWorkers *syncd_workers_new(sd_bus *connection, SyncdService *service)
{
    SyncdWorkers *workers = g_new0(SyncdWorkers, 1);
    workers->connection = connection;
    workers->service = service;
    workers->tracks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, track_free);
    return workers;
}

void syncd_workers_free(SyncdWorkers *workers)
{
    if (workers == NULL)
        return;
    g_hash_table_unref(workers->tracks);
    g_free(workers);
}

static void forget(SyncdWorkers *workers, const char *name)
{
    g_autofree char *gone = g_strdup(name);
    g_hash_table_remove(workers->tracks, gone);
    syncd_service_worker_gone(workers->service, gone);
}

/* A track is empty when the name it had is gone. */
static int on_vanished(sd_bus_track *track, void *userdata)
{
    SyncdWorkers *workers = userdata;
    GHashTableIter iter;
    void *name, *known;
    g_hash_table_iter_init(&iter, workers->tracks);
    while (g_hash_table_iter_next(&iter, &name, &known)) {
        if (known != track)
            continue;
        forget(workers, name);
        break;
    }
    return 1;
}

void syncd_workers_watch(SyncdWorkers *workers, const char *name)
{
    sd_bus_track *track = NULL;
    if (name == NULL || g_hash_table_contains(workers->tracks, name))
        return;
    int r = sd_bus_track_new(workers->connection, &track, on_vanished, workers);
    if (r >= 0)
        r = sd_bus_track_add_name(track, name);
    if (r < 0) {
        sd_bus_track_unref(track);
        syncd_service_worker_gone(workers->service, name);
        return;
    }
    g_hash_table_insert(workers->tracks, g_strdup(name), track);
}
