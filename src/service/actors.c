#include "service/internal.h"

#include "contract/records.h"
#include "store/missing-keys.h"

/* What a device that was just made has to be trusted with: its own log. */
static bool append_device(SyncdService *service, GError **error)
{
    SyncdDeviceRecord record = {
        .device_id = syncd_store_device_id(service->store),
        .display_name = "this device",
        .trust_level = "local",
        .device_state = "trusted",
        .created_ms = syncd_service_now_ms(service),
    };
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_device_record_write(&record, content);
    return syncd_service_append_own(service, "device.registered", SYNCD_LANE_AUDIT,
                                    SYNCD_DEVICE_SCHEMA, content, error);
}

static bool append_actor(SyncdService *service, SyncdActorRecord *record, GError **error)
{
    g_autofree char *key = g_strdup_printf("device:%s", syncd_store_device_id(service->store));
    g_autoptr(GString) content = g_string_new(NULL);
    record->policy_subject = record->identity_id;
    record->signing_key_ref = key;
    record->created_ms = syncd_service_now_ms(service);
    syncd_actor_record_write(record, content);
    return syncd_service_append_own(service, "actor.registered", SYNCD_LANE_AUDIT,
                                    SYNCD_ACTOR_SCHEMA, content, error);
}

static bool append_daemon(SyncdService *service, GError **error)
{
    static const char *const capabilities[] = {"read", "write", "merge", "repair", NULL};
    SyncdActorRecord record = {
        .actor_id = service->own_actor,
        .actor_type = "service",
        .display_name = "sourceos-syncd",
        .identity_id = SYNCD_IDENTITY_DAEMON,
        .capabilities = capabilities,
        .trust_level = "local",
    };
    return append_actor(service, &record, error);
}

static bool append_user(SyncdService *service, const char *type, uid_t uid, GError **error)
{
    static const char *const all[] = {"read",           "write",  "delete",    "merge", "repair",
                                      "migrate_schema", "export", "replicate", NULL};
    static const char *const some[] = {"read", "write", NULL};
    g_autofree char *id = syncd_id_new(service->sources, "actor");
    g_autofree char *identity = syncd_identity_of(uid);
    g_autofree char *display = g_strdup_printf("uid %u", (unsigned)uid);
    SyncdActorRecord record = {
        .actor_id = id,
        .actor_type = type,
        .display_name = display,
        .identity_id = identity,
        .capabilities = strcmp(type, "human") == 0 ? all : some,
        .trust_level = "user",
    };
    return append_actor(service, &record, error);
}

static bool append_users(SyncdService *service, GError **error)
{
    if (service->instance == SYNCD_INSTANCE_USER)
        return append_user(service, "human", service->uid, error);
    return append_user(service, "human", 0, error) &&
           (service->uid == 0 || append_user(service, "service", service->uid, error));
}

bool syncd_service_begin_log(SyncdService *service, GError **error)
{
    service->own_actor = syncd_id_new(service->sources, "actor");
    g_auto(SyncdCommit) commit = {0};
    return append_device(service, error) && append_daemon(service, error) &&
           append_users(service, error) && syncd_store_commit(service->store, &commit, error);
}

bool syncd_service_find_own(SyncdService *service, GError **error)
{
    if (service->own_actor != NULL)
        return true;
    if (!syncd_store_find_actor(service->store, SYNCD_IDENTITY_DAEMON, &service->own_actor, error))
        return false;
    if (service->own_actor == NULL &&
        !syncd_store_check_not_hidden(service->store, syncd_store_device_id(service->store), error))
        return false;
    if (service->own_actor == NULL) {
        syncd_set_error(error, SYNCD_ERROR_JOURNAL_CORRUPT,
                        "The log does not begin with this device and its daemon");
        return false;
    }
    return true;
}

char *syncd_identity_of(uid_t uid)
{
    return g_strdup_printf("uid:%u", (unsigned)uid);
}
