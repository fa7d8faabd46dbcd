/*
 * The lines of EnqueueMany. All of them or none: what is refused leaves no trace, and what is taken
 * is there, in the order of the lines, with the bytes of its body.
 */
#include "../unit/all-at-once.h"
#include "fuzz.h"
#include "scratch-store.h"
#include "scratch.h"

#include "base/json.h"
#include "service/internal.h"

#define OWNER 1000

static SyncdService *service;
static const SyncdCaller caller = {.uid = OWNER};

static void check_recorded(SyncdJson result, SyncdBytes line)
{
    gint64 sequence;
    bool duplicate;
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    LAW(syncd_json_get_int64(syncd_json_member(result, "sequence"), &sequence));
    LAW(syncd_json_get_bool(syncd_json_member(result, "duplicate"), &duplicate));
    LAW(syncd_store_read(service->store, (guint64)sequence, &entry, NULL));
    g_autofree char *operation = syncd_bytes_dup(entry.header.op);
    LAW(syncd_json_is(syncd_json_member(result, "operation"), operation));
    if (duplicate)
        return;
    SyncdJson request = syncd_json_root(line.data, line.size);
    SyncdJson content = syncd_json_member(request, "body");
    LAW(syncd_store_read_body(service->store, &entry, &body, NULL));
    LAW(body.content_size == syncd_json_size(content) &&
        memcmp(body.content, content.at, body.content_size) == 0);
    g_autofree char *object = syncd_bytes_dup(entry.header.object);
    LAW(syncd_json_is(syncd_json_member(request, "object"), object));
}

static void check_results(const GString *results, const char *text, size_t size)
{
    const char *at = text, *end = text + size;
    g_auto(GStrv) lines = g_strsplit(results->str, "\n", -1);
    guint n = 0;
    for (; at < end; n++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        stop = stop != NULL ? stop : end;
        LAW(lines[n] != NULL);
        LAW(syncd_json_check(lines[n], strlen(lines[n]), SYNCD_JSON_MUST_BE_OBJECT, NULL));
        check_recorded(syncd_json_root(lines[n], strlen(lines[n])),
                       SYNCD_BYTES(at, (size_t)(stop - at)));
        at = stop + 1;
    }
    LAW(lines[n] == NULL || (*lines[n] == '\0' && lines[n + 1] == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) results =
        enqueue_many_at_once(service, &caller, SYNCD_BYTES(data, size), &error);
    LAW((results != NULL) == (error == NULL));
    if (results == NULL) {
        LAW(!syncd_service_has_turn(service));
        LAW(error->domain == SYNCD_ERROR && g_utf8_validate(error->message, -1, NULL));
        LAW(error->code != SYNCD_ERROR_FAILED && error->code != SYNCD_ERROR_STORAGE_FAILED);
        return 0;
    }
    check_results(results, (const char *)data, size);
    /* Never committed, so that each input meets the same log. */
    if (syncd_service_has_turn(service)) {
        g_autoptr(GError) why = g_error_new_literal(SYNCD_ERROR, SYNCD_ERROR_CANCELLED, "over");
        syncd_service_discard(service, why);
    }
    return 0;
}

static void close_service(void)
{
    g_clear_pointer(&service, syncd_service_free);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    g_autoptr(GError) error = NULL;
    service =
        syncd_service_new(SYNCD_INSTANCE_USER, OWNER, scratch_store(), scratch_sources(), &error);
    LAW(service != NULL);
    atexit(close_service); /* before its directory goes */
    return 0;
}
