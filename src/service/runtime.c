#include "service/runtime.h"

#include "base/log.h"
#include "base/timestamp.h"
#include "config.h"
#include "service/damage.h"
#include "service/health.h"
#include "service/internal.h"

#include <string.h>

#define RUNTIME_FILE "runtime.json"
#define RUNTIME_SCHEMA "sourceos.runtime/v1"
#define RUNTIME_MAX (64u * 1024u)

static guint64 now_usec(const SyncdService *service)
{
    return syncd_sources_realtime_usec(service->sources);
}

/* ---- what is kept ---- */

static const struct {
    const char *name;
    size_t offset;
} times[] = {
    {"clean_end_at", offsetof(SyncdRuntime, clean_end)},
    {"dirty_open_at", offsetof(SyncdRuntime, dirty_open)},
    {"settled_open_at", offsetof(SyncdRuntime, settled_open)},
    {"settled_at", offsetof(SyncdRuntime, settled)},
};

static guint64 *time_at(SyncdRuntime *runtime, size_t i)
{
    return (guint64 *)(void *)((char *)runtime + times[i].offset);
}

static void write_time(SyncdJsonWriter *writer, const char *name, guint64 usec)
{
    char text[SYNCD_TIME_SIZE];
    syncd_time_format_ms(usec / 1000, text);
    syncd_json_member_string(writer, name, usec > 0 ? text : NULL);
}

static guint64 read_time(SyncdJson document, const char *name)
{
    gint64 usec = 0;
    g_autofree char *text = syncd_json_dup_text(syncd_json_member(document, name));
    return text != NULL && syncd_time_parse(text, strlen(text), &usec) && usec > 0 ? (guint64)usec
                                                                                   : 0;
}

static void keep(SyncdService *service, bool running)
{
    SyncdRuntime *runtime = &service->runtime;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, true);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", RUNTIME_SCHEMA);
    syncd_json_member_string(&writer, "version", SYNCD_VERSION);
    syncd_json_member_bool(&writer, "running", running);
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        write_time(&writer, times[i].name, *time_at(runtime, i));
    syncd_json_end_object(&writer);
    g_string_append_c(text, '\n');
    bool kept = syncd_store_keep_of_run(service->store, RUNTIME_FILE,
                                        SYNCD_BYTES(text->str, text->len), &error);
    if (!kept && !runtime->unkept)
        syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_NONE,
                  "Whether this run ends cleanly cannot be kept: %s", error->message);
    runtime->unkept = !kept;
}

/* What is no such document says nothing, as if it were not there. */
void syncd_runtime_init(SyncdService *service)
{
    SyncdRuntime *runtime = &service->runtime;
    size_t size;
    bool running = false;
    g_autofree char *text =
        syncd_store_kept(service->store, RUNTIME_FILE, RUNTIME_MAX, &size, NULL);
    if (text == NULL || !syncd_json_check(text, size, SYNCD_JSON_MUST_BE_OBJECT, NULL))
        return;
    SyncdJson document = syncd_json_root(text, size);
    if (!syncd_json_is(syncd_json_member(document, "schema"), RUNTIME_SCHEMA))
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(times); i++)
        *time_at(runtime, i) = read_time(document, times[i].name);
    runtime->previous_version = syncd_json_dup_text(syncd_json_member(document, "version"));
    /* That it is not accounted for is known from now on; when it is reported, it happened now. */
    if (syncd_json_get_bool(syncd_json_member(document, "running"), &running) && running)
        runtime->dirty_open = now_usec(service);
}

void syncd_runtime_clear(SyncdRuntime *runtime)
{
    g_clear_pointer(&runtime->previous_version, g_free);
}

/* ---- the run ---- */

void syncd_service_begin_run(SyncdService *service, const SyncdProcess *process)
{
    SyncdRuntime *runtime = &service->runtime;
    service->process = *process;
    runtime->begun = true;
    runtime->process_started = process->started_usec;
    runtime->opened = now_usec(service);
    runtime->replay_started = runtime->opened;
    keep(service, true);
}

void syncd_service_set_ready(SyncdService *service)
{
    service->runtime.ready = now_usec(service);
}

void syncd_service_end_run(SyncdService *service)
{
    if (!service->runtime.begun)
        return;
    service->runtime.clean_end = now_usec(service);
    keep(service, false);
}

static void watch_replay(SyncdService *service)
{
    SyncdRuntime *runtime = &service->runtime;
    bool behind =
        syncd_store_is_indexing(service->store) || syncd_store_lacks_index(service->store);
    if (behind && runtime->replay_completed != 0) {
        runtime->replay_started = now_usec(service);
        runtime->replay_completed = 0;
    } else if (!behind && runtime->replay_completed == 0) {
        runtime->replay_completed = now_usec(service);
    }
}

void syncd_runtime_beat(SyncdService *service)
{
    if (!service->runtime.begun)
        return;
    if (service->runtime.first_heartbeat == 0)
        service->runtime.first_heartbeat = now_usec(service);
    watch_replay(service);
}

/* ---- verification ---- */

void syncd_runtime_found_sound(SyncdService *service)
{
    SyncdRuntime *runtime = &service->runtime;
    if (runtime->dirty_open == 0 || syncd_service_is_damaged(service))
        return;
    runtime->settled_open = runtime->dirty_open;
    runtime->settled = now_usec(service);
    runtime->dirty_open = 0;
    if (runtime->begun)
        keep(service, true);
}
