/*
 * Objects that are deleted and others that must stay, a disk that is full, and plans that purge:
 * what the tests of such plans share.
 */
#pragma once

#include "diagnose-fixture.h"
#include "purge-plan-fixture.h"
#include "store/measure.h"

#define SCOPE "public:notes"
#define KEPT "what-must-stay"

/* ---- a disk that is full ---- */

static guint64 free_bytes;

static inline void full_disk(const char *state, SyncdOutside *outside)
{
    outside->total_bytes = 100000000000;
    outside->free_bytes = free_bytes;
}

static const SyncdPlaces full = {"/proc", "/sys/fs/cgroup", 0, full_disk};

static inline void fill_disk(ServiceFixture *f)
{
    free_bytes = 1000;
    syncd_service_set_places(f->service, &full);
}

/* ---- what is stored ---- */

static inline char *act_on(ServiceFixture *f, const char *object, const char *body,
                           const char *lane)
{
    SyncdRequest request = good_request();
    request.scope = SCOPE;
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    request.lane = lane;
    return enqueue_committed(f, &request);
}

static inline void put_one(ServiceFixture *f, const char *object, const char *marker, gsize filling)
{
    g_autofree char *filled = g_strnfill(filling, 'x'),
                    *body = g_strdup_printf("{\"text\":\"%s\",\"filling\":\"%s\"}", marker, filled);
    g_autofree char *operation = act_on(f, object, body, NULL);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
}

/* It has ended, and lies partly in files. */
static inline void put_ended(ServiceFixture *f, const char *object, const char *marker)
{
    put_one(f, object, marker, 100000);
    put_one(f, object, marker, 0);
}

static inline void remove_object(ServiceFixture *f, const char *object)
{
    g_free(act_on(f, object, "{}", "tombstone"));
}

/* Two that are deleted, one that is deleted and has not ended, and one that is there. */
static inline void fill_world(ServiceFixture *f)
{
    put_ended(f, "gone-1", MARKER "-1");
    put_ended(f, "gone-2", MARKER "-2");
    put_ended(f, "there", KEPT);
    put_ended(f, "open", KEPT);
    g_free(act_on(f, "open", "{}", NULL));
    remove_object(f, "gone-1");
    remove_object(f, "gone-2");
    remove_object(f, "open");
    rest(f);
}

static inline void begin_world(ServiceFixture *f)
{
    repair_init(f);
    fill_world(f);
}

static inline guint count_entries(ServiceFixture *f, const char *kind)
{
    guint64 n;
    g_assert_true(syncd_store_tally(f->service->store, kind, &n));
    return (guint)n;
}

static inline bool is_in(ServiceFixture *f, const char *object, SyncdDeletionState state)
{
    SyncdDeletion deletion;
    bool found;
    g_autoptr(SyncdScope) scope = NULL;
    g_assert_true(syncd_store_find_scope(f->service->store, "public", "notes", &scope, NULL));
    g_assert_true(
        syncd_store_find_deletion(f->service->store, scope->id, object, &deletion, &found, NULL));
    return found && deletion.state == state;
}

static inline void restore_object(ServiceFixture *f, const char *object)
{
    SyncdRequest request = good_request();
    request.scope = SCOPE;
    request.object = object;
    request.restore = true;
    g_autofree char *operation = enqueue_committed(f, &request);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
}

/* Every body that is not theirs. */
static inline bool is_the_rest_there(ServiceFixture *f)
{
    g_autoptr(GError) error = NULL;
    SyncdListing listing = {.limit = 100};
    g_autofree char *cursor = NULL;
    g_autofree char *list =
        syncd_service_list_operations(f->service, &f->caller, &listing, &cursor, &error);
    g_assert_no_error(error);
    SyncdJsonIter iter;
    SyncdJson one;
    guint n = 0;
    syncd_json_iter_init(&iter, syncd_json_root(list, strlen(list)));
    while (syncd_json_iter_next(&iter, NULL, &one)) {
        g_autofree char *object = syncd_json_dup_text(syncd_json_member(one, "object_id")),
                        *operation = syncd_json_dup_text(syncd_json_member(one, "operation_id"));
        if (object == NULL || g_str_has_prefix(object, "gone"))
            continue;
        g_autofree char *whole =
            syncd_service_get_operation(f->service, &f->caller, operation, &error);
        g_assert_no_error(error);
        n += strstr(whole, KEPT) != NULL;
    }
    return n == 4 && is_in(f, "open", SYNCD_DELETION_HIDDEN);
}

static inline void assert_purged(ServiceFixture *f)
{
    for (int i = 0; i < 8; i++)
        rest(f);
    g_assert_true(is_in(f, "gone-1", SYNCD_DELETION_PROVEN));
    g_assert_true(is_in(f, "gone-2", SYNCD_DELETION_PROVEN));
    g_assert_cmpuint(count_entries(f, "deletion.purged"), ==, 2);
    g_assert_cmpuint(count_entries(f, "deletion.proven"), ==, 2);
    g_assert_false(state_holds(&f->base, MARKER));
    g_assert_true(is_the_rest_there(f));
}
