/*
 * Two profiles with a workspace each, and an agent that reaches one of them: what the tests of
 * boundaries share.
 */
#pragma once

#include "registry-fixture.h"

static const SyncdCaller agent = {.uid = 1001};

/* As one can be: of a workspace, a profile, a schema and a class of its own. */
#define OBJECT_OF(id, workspace, profile, schema, class)                                           \
    "{\"object_id\":\"" id "\",\"object_type\":\"note\",\"schema_id\":\"" schema                   \
    "\",\"schema_version\":\"1\",\"workspace_id\":\"" workspace "\",\"profile_id\":\"" profile     \
    "\",\"owner_identity\":\"uid:1000\",\"privacy_class\":\"" class "\",\"sync_visibility\":"      \
                                                                    "\"workspace\",\"retention_"   \
                                                                    "class\":\"normal\",\"policy_" \
                                                                    "tags\":[],\"provenance\":[]}"

#define OBJECT(id, workspace, profile, schema) OBJECT_OF(id, workspace, profile, schema, "work")
#define CLASSED(id, class) OBJECT_OF(id, "workspace:a", "profile:work", "note/v1", class)

static inline void register_good(ServiceFixture *f, const char *kind, const char *record)
{
    g_assert_cmpint(register_record(f, kind, record), ==, -1);
}

static inline void register_profile(ServiceFixture *f, const char *id, const char *class,
                                    const char *tags)
{
    g_autofree char *record = g_strdup_printf(
        "{\"profile_id\":\"%s\",\"display_name\":\"P\",\"profile_class\":\"%s\",\"policy_tags\":["
        "%s]}",
        id, class, tags);
    register_good(f, "profile", record);
}

/* Two profiles with a workspace each, a schema, and an object in the first. */
static inline void world_fill(ServiceFixture *f, const char *work_tags, const char *home_tags)
{
    register_profile(f, "profile:work", "work", work_tags);
    register_profile(f, "profile:home", "personal", home_tags);
    register_good(f, "workspace",
                  "{\"workspace_id\":\"workspace:a\",\"profile_id\":\"profile:work\"}");
    register_good(f, "workspace",
                  "{\"workspace_id\":\"workspace:b\",\"profile_id\":\"profile:home\"}");
    register_good(f, "schema",
                  "{\"schema_id\":\"note/v1\",\"schema_version\":\"1\",\"object_type\":\"note\","
                  "\"required_fields\":[],\"field_owners\":{},\"migration_policy\":\"ask\","
                  "\"conflict_policy\":\"ask\",\"tombstone_policy\":\"keep\",\"sync_visibility\":"
                  "\"workspace\",\"retention_class\":\"normal\"}");
    register_good(f, "object", OBJECT("o-1", "workspace:a", "profile:work", "note/v1"));
}

/* The same with an agent that reaches only that. */
static inline void world_init_tags(ServiceFixture *f, const char *work_tags, const char *home_tags)
{
    service_init_instance(f, SYNCD_INSTANCE_SYSTEM);
    f->caller.uid = 0;
    f->caller.inspector = true;
    world_fill(f, work_tags, home_tags);
    register_good(f, "actor",
                  "{\"actor_id\":\"agent-1\",\"actor_type\":\"agent\",\"display_name\":\"A\","
                  "\"identity_id\":\"uid:1001\",\"workspace_scope\":[\"workspace:a\"],"
                  "\"profile_scope\":[\"profile:work\"],\"capabilities\":[\"read\",\"write\"],"
                  "\"trust_level\":\"user\",\"policy_subject\":\"agent-1\",\"signing_key_ref\":"
                  "\"none\"}");
}

static inline void world_init(ServiceFixture *f)
{
    world_init_tags(f, "", "");
}

static inline bool try_enqueue_in(ServiceFixture *f, const SyncdCaller *caller, const char *scope,
                                  const char *object, const char *body, GError **error)
{
    g_auto(SyncdEnqueued) enqueued = {0};
    SyncdRequest request = good_request();
    request.scope = scope;
    request.object = object;
    request.body = SYNCD_BYTES_TEXT(body);
    bool done = syncd_service_enqueue(f->service, caller, &request, &enqueued, error);
    syncd_service_commit(f->service);
    return done;
}

static inline int enqueue_in(ServiceFixture *f, const SyncdCaller *caller, const char *scope,
                             const char *object, const char *body)
{
    g_autoptr(GError) error = NULL;
    if (try_enqueue_in(f, caller, scope, object, body, &error))
        return -1;
    g_test_message("%s", error->message);
    return error->code;
}

/* The operation. */
static inline char *enqueue_on(ServiceFixture *f, const SyncdCaller *caller, const char *object)
{
    g_autoptr(GError) error = NULL;
    SyncdEnqueued enqueued = {0};
    SyncdRequest request = good_request();
    request.scope = "workspace:a";
    request.object = object;
    syncd_service_enqueue(f->service, caller, &request, &enqueued, &error);
    g_assert_no_error(error);
    syncd_service_commit(f->service);
    return enqueued.operation;
}
