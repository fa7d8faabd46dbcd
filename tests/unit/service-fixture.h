/*
 * A service over a store of its own, and one caller: what the tests of the service share.
 */
#pragma once

#include "all-at-once.h"
#include "base/json.h"
#include "crypto/seal.h"
#include "service/health.h"
#include "service/service.h"
#include "store-fixture.h"

#define OWNER 1000

typedef struct {
    Fixture base;
    SyncdInstance instance;
    uid_t owner; /* whose instance it is */
    SyncdService *service;
    SyncdCaller caller;
} ServiceFixture;

/* However full that of the machine is. */
static inline void service_disk(const char *state, SyncdOutside *outside)
{
    outside->total_bytes = 1000000000000;
    outside->free_bytes = 600000000000;
}

static const SyncdPlaces service_places = {"/proc", "/sys/fs/cgroup", 0, service_disk};

static inline void service_open(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    fixture_open(&f->base);
    f->service = syncd_service_new(f->instance, f->owner, g_steal_pointer(&f->base.store),
                                   &f->base.sources, &error);
    g_assert_no_error(error);
    g_assert_nonnull(f->service);
    syncd_service_set_places(f->service, &service_places);
}

static inline void service_close(ServiceFixture *f)
{
    g_clear_pointer(&f->service, syncd_service_free);
}

static inline void service_init_of(ServiceFixture *f, SyncdInstance instance, uid_t owner)
{
    *f = (ServiceFixture){.instance = instance, .owner = owner, .caller = {.uid = owner}};
    fixture_init(&f->base, 7);
    service_open(f);
}

static inline void service_init_instance(ServiceFixture *f, SyncdInstance instance)
{
    service_init_of(f, instance, OWNER);
}

static inline void service_init(ServiceFixture *f)
{
    service_init_instance(f, SYNCD_INSTANCE_USER);
}

static inline void service_clear(ServiceFixture *f)
{
    service_close(f);
    fixture_clear(&f->base);
}

static inline guint64 service_sequence(ServiceFixture *f)
{
    SyncdState state;
    syncd_service_state(f->service, &state);
    return state.sequence;
}

/* A request that nothing is wrong with; tests change one thing of it. */
static inline SyncdRequest good_request(void)
{
    return (SyncdRequest){
        .type = "sync.operation.enqueue",
        .scope = "workspace:notes",
        .object = "note-1",
        .body = SYNCD_BYTES_TEXT("{}"),
        .create_scope = true,
    };
}

static inline SyncdEnqueued enqueue(ServiceFixture *f, const SyncdRequest *request)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    syncd_service_enqueue(f->service, &f->caller, request, &enqueued, &error);
    g_assert_no_error(error);
    return enqueued;
}

static inline char *enqueue_committed(ServiceFixture *f, const SyncdRequest *request)
{
    SyncdEnqueued enqueued = enqueue(f, request);
    syncd_service_commit(f->service);
    return enqueued.operation;
}

static inline char *enqueue_body(ServiceFixture *f, const char *object, const char *body)
{
    SyncdRequest request = good_request();
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    return enqueue_committed(f, &request);
}

/* Enqueues and commits where nobody needs the id. */
static inline void put(ServiceFixture *f, const char *object, const char *body)
{
    g_free(enqueue_body(f, object, body));
}

/* A member of a JSON document, as text; checks the document on the way. */
static inline char *member_of(const char *document, const char *name)
{
    g_autoptr(GError) error = NULL;
    syncd_json_check(document, strlen(document), SYNCD_JSON_ANY, &error);
    g_assert_no_error(error);
    SyncdJson value = syncd_json_member(syncd_json_root(document, strlen(document)), name);
    return value.type != SYNCD_JSON_NONE ? g_strndup(value.at, syncd_json_size(value)) : NULL;
}

static inline void assert_member(const char *document, const char *name, const char *expected)
{
    g_autofree char *found = member_of(document, name);
    g_assert_cmpstr(found, ==, expected);
}

static inline guint count_elements(const char *array)
{
    g_autoptr(GError) error = NULL;
    guint n = 0;
    SyncdJsonIter iter;
    syncd_json_check(array, strlen(array), SYNCD_JSON_ANY, &error);
    g_assert_no_error(error);
    syncd_json_iter_init(&iter, syncd_json_root(array, strlen(array)));
    while (syncd_json_iter_next(&iter, NULL, NULL))
        n++;
    return n;
}

static inline char *get(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    char *record = syncd_service_get_operation(f->service, &f->caller, operation, &error);
    g_assert_no_error(error);
    return record;
}

/* The events of a type, oldest first, as a JSON array. */
static inline char *events_of(ServiceFixture *f, const char *type)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.type = type, .order = "oldest"};
    char *events = syncd_service_list_events(f->service, &f->caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    return events;
}

static inline guint count_events(ServiceFixture *f, const char *type)
{
    g_autofree char *events = events_of(f, type);
    return count_elements(events);
}

/* The body of the newest entry of the log, from ListBytes. */
static inline char *newest_line(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    SyncdListing listing = {.order = "newest", .limit = 1, .bodies = true};
    g_autoptr(GString) line =
        syncd_service_list_bytes(f->service, &f->caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    return g_strndup(line->str, line->len);
}

static inline void run_jobs(ServiceFixture *f)
{
    for (unsigned i = 0; i < 100000 && syncd_service_work(f->service); i++)
        ;
}

/* What somebody who waits for a commit is told. */
typedef struct {
    guint calls;
    int code; /* of the last call's error, -1 for none */
} Heard;

static inline void note_commit(void *data, const GError *error)
{
    Heard *heard = data;
    heard->calls++;
    heard->code = error != NULL ? error->code : -1;
}
