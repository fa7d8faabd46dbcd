/*
 * An object of the service that is deleted, planned with, purged and proven: what the tests of
 * purges share.
 */
#pragma once

#include "policy-fixture.h"
#include "purge-fixture.h"
#include "registry-fixture.h"
#include "service/purge.h"
#include "task-fixture.h"

#define MARKER "what-nobody-shall-find-again"

#define SCHEMA_OF(class)                                                                           \
    "{\"schema_id\":\"note/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","                \
    "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\",\"conflict_policy\":" \
    "\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":\"workspace\","                     \
    "\"retention_class\":\"" class "\"}"
#define OBJECT_OF(class)                                                                           \
    "{\"object_id\":\"note-1\",\"object_type\":\"note\",\"schema_id\":\"note/v1\","                \
    "\"schema_version\":\"1\",\"workspace_id\":\"workspace:notes\",\"profile_id\":"                \
    "\"profile:default\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"work\","              \
    "\"sync_visibility\":\"workspace\",\"retention_class\":\"" class "\",\"policy_tags\":[],"      \
                                                                     "\"provenance\":[\"" MARKER   \
                                                                     "\"]}"

static inline SyncdPurgeRequest request_for(const char *digest)
{
    return (SyncdPurgeRequest){"workspace:notes", "note-1", digest};
}

static inline void delete_object(ServiceFixture *f, const char *object)
{
    SyncdRequest request = good_request();
    request.object = object;
    request.lane = "tombstone";
    g_free(enqueue_committed(f, &request));
}

static inline void delete_note(ServiceFixture *f)
{
    delete_object(f, "note-1");
}

/* An operation with a key, carried out. */
static inline char *put_note(ServiceFixture *f)
{
    SyncdRequest request = good_request();
    request.idempotency_key = "key-" MARKER;
    request.body = SYNCD_BYTES_TEXT("{\"text\":\"" MARKER "\"}");
    char *operation = enqueue_committed(f, &request);
    g_autofree char *lease = claim_operation(f, operation);
    complete(f, lease);
    return operation;
}

static inline char *begin(ServiceFixture *f)
{
    service_init(f);
    char *operation = put_note(f);
    put(f, "note-2", "{}");
    return operation;
}

/* Its digest; the error's code is checked when there is to be none. */
static inline char *plan(ServiceFixture *f, int code)
{
    g_autoptr(GError) error = NULL;
    guint64 before = service_sequence(f);
    const SyncdPurgeRequest request = request_for(NULL);
    g_autofree char *text = plan_purge_at_once(f->service, &f->caller, &request, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    g_assert_false(syncd_service_has_turn(f->service));
    g_assert_cmpuint(service_sequence(f), ==, before);
    if (text == NULL)
        return NULL;
    g_autofree char *quoted = member_of(text, "digest");
    return g_strndup(quoted + 1, strlen(quoted) - 2);
}

static inline char *purge_at(ServiceFixture *f, const char *digest, int code)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    const SyncdPurgeRequest request = request_for(digest);
    purge_at_once(f->service, &f->caller, &request, &purged, &error);
    g_assert_cmpint(error != NULL ? error->code : -1, ==, code);
    /* the record of a refusal */
    g_assert_cmpint(syncd_service_has_turn(f->service), ==, code == SYNCD_ERROR_POLICY_DENIED);
    return g_steal_pointer(&purged.operation);
}

static inline char *purge(ServiceFixture *f)
{
    g_autofree char *digest = plan(f, -1);
    return purge_at(f, digest, -1);
}

static inline void finish(ServiceFixture *f)
{
    for (int i = 0; i < 3; i++) {
        run_jobs(f);
        syncd_service_commit(f->service);
    }
}

static inline char *report(ServiceFixture *f, const char *operation)
{
    g_autoptr(GError) error = NULL;
    char *text = syncd_service_describe_purge(f->service, &f->caller, operation, &error);
    g_assert_no_error(error);
    return text;
}

/* As it is shown; the operation of it. */
static inline char *purge_as_shown(ServiceFixture *f, const char *scope, const char *object)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdPurged) purged = {0};
    SyncdPurgeRequest request = {.scope = scope, .object = object};
    g_autofree char *shown = plan_purge_at_once(f->service, &f->caller, &request, &error);
    g_assert_no_error(error);
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(shown, strlen(shown)), "digest"));
    request.digest = digest;
    purge_at_once(f->service, &f->caller, &request, &purged, &error);
    g_assert_no_error(error);
    return g_steal_pointer(&purged.operation);
}

/* ---- what keeps it ---- */

static inline void register_note(ServiceFixture *f, const char *schema, const char *object)
{
    g_assert_cmpint(register_record(f, "schema", schema), ==, -1);
    g_assert_cmpint(register_record(f, "object", object), ==, -1);
}

static inline void keep_by_policy(ServiceFixture *f)
{
    syncd_service_set_policy(
        f->service,
        set_of(FILE_OF(RULE("\"actions\":[\"purge_preview\"],\"objects\":[\"note-1\"]", "deny",
                            "kept_for_the_board")),
               NULL),
        NULL);
}
