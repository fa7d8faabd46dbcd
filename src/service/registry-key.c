/* What an idempotency key stands for: the request's exact bytes. */
#include "service/registry.h"

#include "base/canonical.h"
#include "base/json-writer.h"

#include <string.h>

#define REQUEST_DOMAIN "sourceos-registry-request-v1"

static void add_part(GString *text, const char *part, size_t size)
{
    g_string_append_printf(text, "%" G_GSIZE_FORMAT ":", size);
    g_string_append_len(text, part, (gssize)size);
}

static void digest_request(const SyncdChange *change, char ret_digest[SYNCD_DIGEST_SIZE])
{
    const SyncdRegistryRequest *request = change->request;
    g_autoptr(GString) text = g_string_new(REQUEST_DOMAIN "\n");
    const char *const parts[] = {request->kind, request->id, request->scope, request->reason};
    g_string_append_printf(text, "%d %" G_GUINT64_FORMAT "\n", (int)change->verb,
                           request->expected);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        add_part(text, parts[i] != NULL ? parts[i] : "", parts[i] != NULL ? strlen(parts[i]) : 0);
    add_part(text, request->record.data != NULL ? request->record.data : "", request->record.size);
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hash_to_digest(&hash, ret_digest);
}

char *syncd_registry_keyed_meta(const char *key, const char *digest)
{
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    if (key != NULL) {
        syncd_json_member_string(&writer, "idempotency_key", key);
        syncd_json_member_string(&writer, "request", digest);
    }
    syncd_json_end_object(&writer);
    GString *canonical = g_string_new(NULL);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return g_string_free(canonical, FALSE);
}

char *syncd_registry_make_meta(const SyncdChange *change)
{
    char digest[SYNCD_DIGEST_SIZE];
    digest_request(change, digest);
    return syncd_registry_keyed_meta(change->request->idempotency_key, digest);
}

bool syncd_registry_read_first(SyncdService *service, guint64 pos, const char *digest,
                               SyncdEntry *entry, SyncdBody *body, GError **error)
{
    if (!syncd_store_read(service->store, pos, entry, error) ||
        !syncd_store_read_body(service->store, entry, body, error))
        return false;
    SyncdJson meta = syncd_json_root(body->meta, body->meta_size);
    if (syncd_json_is(syncd_json_member(meta, "request"), digest))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                         "use a new key for a new request; repeat the first one unchanged",
                         "\"idempotency_key\" was used for another request, sequence number "
                         "%" G_GUINT64_FORMAT,
                         pos);
    return false;
}

bool syncd_registry_take_first(SyncdChange *change, guint64 pos, SyncdRegistered *ret_registered,
                               GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    char digest[SYNCD_DIGEST_SIZE];
    digest_request(change, digest);
    if (!syncd_registry_read_first(change->service, pos, digest, &entry, &body, error))
        return false;
    SyncdJson record = syncd_json_root(body.content, body.content_size);
    *ret_registered = (SyncdRegistered){syncd_family_record_id(change->family, record),
                                        syncd_bytes_dup(entry.header.op), pos, true};
    return true;
}

bool syncd_registry_find_first(SyncdChange *change, guint64 *ret_pos, GError **error)
{
    const char *key = change->request->idempotency_key;
    *ret_pos = 0;
    return key == NULL || change->scope_id == NULL ||
           syncd_store_find_key(change->service->store, change->actor, change->scope_id, key,
                                ret_pos, error);
}
