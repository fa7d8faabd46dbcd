/* Who asks for a migration, and what the idempotency key of the request stands for. */
#include "service/migration.h"

#include <string.h>

#define REQUEST_DOMAIN "sourceos-migration-request-v1"

static SyncdBytes text_part(const char *text)
{
    return text != NULL ? SYNCD_BYTES_TEXT(text) : SYNCD_BYTES_TEXT("");
}

/* The arguments, in the order that their signature covers. */
static size_t list_parts(const SyncdMigrationRequest *request, bool applies, SyncdBytes parts[3])
{
    size_t n = 0;
    parts[n++] = text_part(request->run != NULL ? request->run : request->migration);
    if (applies)
        parts[n++] = text_part(request->digest);
    if (request->run == NULL)
        parts[n++] = text_part(request->cursor);
    return n;
}

bool syncd_migration_heed_claim(SyncdService *service, const SyncdCaller *caller,
                                const SyncdMigrationRequest *request, bool applies,
                                SyncdCaller *ret_caller, GError **error)
{
    static const char *const methods[2][2] = {
        {"Registry.PlanMigration", "Registry.PlanRollback"},
        {"Registry.ApplyMigration", "Registry.ApplyRollback"},
    };
    SyncdBytes parts[3];
    size_t n = list_parts(request, applies, parts);
    return syncd_service_heed_claim(
        service, caller, &request->claim, methods[applies][request->run != NULL],
        applies ? request->idempotency_key : "", parts, n, ret_caller, error);
}

static void digest_request(const SyncdMigrationRequest *request, char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdBytes parts[3];
    size_t n = list_parts(request, true, parts);
    g_autoptr(GString) text = g_string_new(REQUEST_DOMAIN "\n");
    g_string_append(text, request->run != NULL ? "rollback\n" : "forward\n");
    for (size_t i = 0; i < n; i++) {
        g_string_append_printf(text, "%" G_GSIZE_FORMAT ":", parts[i].size);
        g_string_append_len(text, parts[i].data, (gssize)parts[i].size);
    }
    SyncdHash hash = syncd_hash(text->str, text->len);
    syncd_hash_to_digest(&hash, ret_digest);
}

char *syncd_migration_make_meta(const SyncdMigrationRequest *request)
{
    char digest[SYNCD_DIGEST_SIZE];
    digest_request(request, digest);
    return syncd_registry_keyed_meta(request->idempotency_key, digest);
}

bool syncd_migration_find_first(SyncdService *service, const SyncdCaller *caller,
                                const SyncdMigrationRequest *request, guint64 *ret_pos,
                                GError **error)
{
    const char *key = request->idempotency_key;
    *ret_pos = 0;
    if (key == NULL)
        return true;
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    return mandate != NULL &&
           syncd_service_require_capability(service, caller, mandate, "migrate_schema", error) &&
           syncd_service_check_key(key, error) &&
           syncd_store_find_key(service->store, mandate->actor,
                                syncd_store_device_id(service->store), key, ret_pos, error);
}

bool syncd_migration_take_first(SyncdService *service, const SyncdMigrationRequest *request,
                                guint64 pos, SyncdMigrated *ret_migrated, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    char digest[SYNCD_DIGEST_SIZE];
    digest_request(request, digest);
    if (!syncd_registry_read_first(service, pos, digest, &entry, &body, error))
        return false;
    *ret_migrated = (SyncdMigrated){syncd_bytes_dup(entry.header.op), pos,
                                    g_strndup(body.content, body.content_size)};
    return true;
}
