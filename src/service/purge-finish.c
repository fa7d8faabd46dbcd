/*
 * What follows the commit of a purge: every other place is cleared, then it is proven. What several
 * purges need is done once for them, as it is the whole index that is made anew.
 */
#include "service/purge.h"

#include "base/log.h"
#include "service/repair-private.h"
#include "store/repair-store.h"

/* Each time that nothing more can be done it waits twice as long; but for room, which comes and
 * goes and is soon looked for. */
#define DELAY_MIN_USEC (60u * G_USEC_PER_SEC)
#define DELAY_MAX_USEC (60u * DELAY_MIN_USEC)
#define PURGES_AT_ONCE 64u

typedef struct {
    SyncdEntry entry;
    SyncdBody body;
    SyncdJson content;
    char *object, *scope_id;
} Unproven;

static void unproven_clear(Unproven *unproven)
{
    syncd_entry_clear(&unproven->entry);
    syncd_body_clear(&unproven->body);
    g_clear_pointer(&unproven->object, g_free);
    g_clear_pointer(&unproven->scope_id, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Unproven, unproven_clear)

static bool read_purge(SyncdService *service, guint64 pos, Unproven *ret, GError **error)
{
    if (!syncd_store_read(service->store, pos, &ret->entry, error) ||
        !syncd_store_read_body(service->store, &ret->entry, &ret->body, error) ||
        !syncd_json_check(ret->body.content, ret->body.content_size, SYNCD_JSON_MUST_BE_OBJECT,
                          error))
        return false;
    ret->content = syncd_json_root(ret->body.content, ret->body.content_size);
    ret->object = syncd_record_member(ret->content, "object_id");
    ret->scope_id = syncd_record_member(ret->content, "scope_id");
    return true;
}

/* ---- clearing ---- */

static GPtrArray *list_chunks(SyncdJson content)
{
    SyncdJsonIter iter;
    SyncdJson item;
    SyncdHash hash;
    GPtrArray *chunks = g_ptr_array_new_with_free_func(syncd_purged_chunk_free);
    syncd_json_iter_init(&iter, syncd_json_member(content, "chunks"));
    while (syncd_json_iter_next(&iter, NULL, &item)) {
        gint64 size = 0;
        g_autofree char *name = syncd_json_dup_text(syncd_json_member(item, "name"));
        if (name == NULL || !syncd_hash_from_hex(name, strlen(name), &hash))
            continue;
        syncd_json_get_int64(syncd_json_member(item, "size"), &size);
        SyncdPurgedChunk *chunk = g_new0(SyncdPurgedChunk, 1);
        chunk->name = g_steal_pointer(&name);
        chunk->size = (guint64)MAX(size, 0);
        g_ptr_array_add(chunks, chunk);
    }
    return chunks;
}

static bool add_purge(SyncdService *service, guint64 pos, GError **error)
{
    g_auto(Unproven) unproven = {0};
    if (!read_purge(service, pos, &unproven, error))
        return false;
    g_autoptr(GPtrArray) chunks = list_chunks(unproven.content);
    if (service->scrub == NULL)
        service->scrub = syncd_store_begin_scrub(service->store, unproven.scope_id, chunks);
    else
        syncd_scrub_add(service->scrub, unproven.scope_id, chunks);
    g_array_append_val(service->scrubs, pos);
    return true;
}

/* Of the others that wait, too. One that cannot be read is told of when it is the first. */
static bool begin_scrub(SyncdService *service, guint64 pos, GError **error)
{
    guint most = service->scrubs_alone ? 1 : PURGES_AT_ONCE;
    syncd_service_stop_scrub(service);
    service->scrubs = g_array_new(FALSE, FALSE, sizeof pos);
    service->scrubbed = false;
    /* What a repair kept may hold what goes. */
    bool more;
    if (!syncd_repair_release_all(service, &more, error) ||
        (!more && !syncd_store_remove_kept(service->store, &more, error)))
        return false;
    if (more)
        return true; /* it begins when all of it is gone */
    if (!add_purge(service, pos, error))
        return false;
    while (service->scrubs->len < most &&
           syncd_store_find_unproven(service->store, pos, &pos, NULL) && pos != 0 &&
           add_purge(service, pos, NULL))
        ;
    return true;
}

static bool scrub(SyncdService *service, GError **error)
{
    bool more;
    if (!syncd_scrub_step(service->scrub, &more, error))
        return false;
    service->scrubbed = !more;
    return true;
}

void syncd_service_stop_scrub(SyncdService *service)
{
    g_clear_pointer(&service->scrub, syncd_scrub_free);
    g_clear_pointer(&service->scrubs, g_array_unref);
}

bool syncd_service_is_clearing(const SyncdService *service)
{
    return service->scrub != NULL && syncd_service_monotonic(service) >= service->purge_retry;
}

/* ---- proving ---- */

static GString *write_proof(const Unproven *unproven, const SyncdScrubbed *scrubbed)
{
    SyncdJsonWriter writer;
    g_autofree char *purge = syncd_bytes_dup(unproven->entry.header.op),
                    *decision = syncd_bytes_dup(unproven->entry.header.decision);
    GString *content = g_string_new(NULL);
    syncd_json_writer_init(&writer, content, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", SYNCD_PURGE_PROOF_SCHEMA);
    syncd_json_member_string(&writer, "object_id", unproven->object);
    syncd_json_member_string(&writer, "scope_id", unproven->scope_id);
    syncd_json_member_string(&writer, "purge", purge);
    syncd_json_member_string(&writer, "policy_decision_ref", decision);
    syncd_json_member_value(&writer, "approval", syncd_json_member(unproven->content, "approval"));
    syncd_json_member_value(&writer, "bytes", syncd_json_member(unproven->content, "bytes"));
    syncd_json_member_value(&writer, "entries", syncd_json_member(unproven->content, "entries"));
    syncd_json_member_uint(&writer, "chunks_removed", scrubbed->chunks);
    syncd_json_member_uint(&writer, "chunk_bytes", scrubbed->chunk_bytes);
    syncd_json_member_uint(&writer, "chunks_kept", scrubbed->kept_chunks);
    syncd_json_member_uint(&writer, "lists_unreadable", scrubbed->unreadable);
    syncd_json_member_uint(&writer, "copies_removed", scrubbed->copies);
    syncd_purge_write_unreachable(&writer);
    syncd_json_end_object(&writer);
    return content;
}

static guint64 scrubs_at(const SyncdService *service, guint number)
{
    return g_array_index(service->scrubs, guint64, number);
}

static bool prove(SyncdService *service, guint number, GError **error)
{
    g_auto(Unproven) unproven = {0};
    SyncdScrubbed scrubbed = syncd_scrub_result(service->scrub, number);
    if (!read_purge(service, scrubs_at(service, number), &unproven, error))
        return false;
    g_auto(SyncdReceipt) receipt = {0};
    g_autoptr(GString) content = write_proof(&unproven, &scrubbed);
    g_autofree char *decision = syncd_bytes_dup(unproven.entry.header.decision);
    SyncdDraft draft = {
        .kind = syncd_deletion_kind_of(SYNCD_DELETION_PROVE),
        .actor = service->own_actor,
        .object = unproven.object,
        .decision = decision,
        .engine = "",
        .lane = SYNCD_LANE_AUDIT,
        .schema_id = SYNCD_PURGE_PROOF_SCHEMA,
        .schema_version = 1,
        .meta = SYNCD_BYTES_TEXT("{}"),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(service, syncd_store_device_id(service->store), &draft, &receipt,
                                error);
}

/* One turn: all of them, or none. */
static bool prove_all(SyncdService *service, GError **error)
{
    g_autoptr(GError) failure = NULL;
    if (!syncd_service_find_own(service, error) || !syncd_service_begin_whole(service, error))
        return false;
    bool done = true;
    for (guint i = 0; done && i < service->scrubs->len; i++)
        done = prove(service, i, &failure);
    if (!syncd_service_end_whole(service, done, &failure, error))
        return false;
    service->proving = scrubs_at(service, 0);
    return true;
}

static bool go_on(SyncdService *service, guint64 pos, GError **error)
{
    if (service->scrub == NULL || scrubs_at(service, 0) != pos)
        return begin_scrub(service, pos, error);
    return service->scrubbed ? prove_all(service, error) : scrub(service, error);
}

/* The index may be in the making, for the last step's sake among others. What a repair kept is not
 * taken before it has ended and is proven, or somebody has decided about it. */
static bool may_go_on(SyncdService *service)
{
    return !syncd_service_has_turn(service) && !syncd_repair_is_half_done(service) &&
           syncd_repair_find_unproven(service) == NULL &&
           syncd_store_condition(service->store) == SYNCD_STORE_WRITABLE &&
           !syncd_store_is_indexing(service->store) && !syncd_store_lacks_index(service->store);
}

static void warn(const GError *error)
{
    syncd_log(SYNCD_LOG_WARNING, SYNCD_LOG_ID_STORAGE_FAILED,
              "A purge is not completed yet, and is tried again: %s", error->message);
}

/* Where it is not for want of room, which all of them need, whose fault it is shows when they are
 * tried one by one. */
static void fail(SyncdService *service, guint64 pos, bool for_want_of_room)
{
    bool another = service->purge_after != 0 && service->purge_lacks_room;
    bool several = service->scrub != NULL && service->scrubs->len > 1;
    if (several && !for_want_of_room) {
        service->scrubs_alone = true;
        syncd_service_stop_scrub(service);
        return;
    }
    service->purge_lacks_room = for_want_of_room || another;
    service->purge_after = several ? scrubs_at(service, service->scrubs->len - 1) : pos;
}

/* The turn with the proof has ended. When that is not in the log all that went before holds still:
 * it is written again, later, as what failed is. */
static void settle_proof(SyncdService *service, guint64 first_unproven)
{
    guint64 proving = service->proving;
    service->proving = 0;
    if (proving == 0)
        return;
    if (first_unproven == proving) {
        fail(service, proving, false);
        return;
    }
    syncd_service_stop_scrub(service);
    service->purge_delay = 0;
}

/* There is none left, or only such as failed. */
static void wait(SyncdService *service, guint64 now, bool failed)
{
    service->has_purges = failed;
    service->purge_after = 0;
    if (!failed) {
        syncd_service_stop_scrub(service);
        service->purge_retry = service->purge_delay = 0;
        service->purge_lacks_room = service->scrubs_alone = false;
        return;
    }
    guint64 most = service->purge_lacks_room ? DELAY_MIN_USEC : DELAY_MAX_USEC;
    service->purge_delay = CLAMP(2 * service->purge_delay, DELAY_MIN_USEC, most);
    service->purge_retry = now + service->purge_delay;
}

/* One that fails keeps no other from it: those that failed are tried again later, together, and go
 * on where they were if nothing came in between. */
static bool step(SyncdService *service, guint64 now)
{
    guint64 pos;
    g_autoptr(GError) error = NULL;
    if (!syncd_store_find_unproven(service->store, service->purge_after, &pos, &error)) {
        warn(error);
        wait(service, now, true);
        return false;
    }
    settle_proof(service, pos);
    if (pos == 0) {
        wait(service, now, service->purge_after != 0);
        return false;
    }
    service->purge_retry = 0;
    if (service->purge_after >= pos)
        return true;
    if (!go_on(service, pos, &error)) {
        bool for_want_of_room = g_error_matches(error, SYNCD_ERROR, SYNCD_ERROR_NO_SPACE);
        if (!for_want_of_room || !service->purge_lacks_room)
            warn(error); /* that there is no room is said once */
        fail(service, pos, for_want_of_room);
    }
    return true;
}

bool syncd_service_finish_purges(SyncdService *service)
{
    guint64 now = syncd_service_monotonic(service);
    if (!service->has_purges || now < service->purge_retry)
        return false;
    if (may_go_on(service))
        return step(service, now);
    /* Whatever ends that asks for work; a time that has passed would do so without an end. */
    if (service->purge_retry != 0)
        service->purge_retry = now + DELAY_MIN_USEC;
    return false;
}
