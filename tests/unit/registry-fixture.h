/*
 * Changes of registries through the service: what their tests share.
 */
#pragma once

#include "service-fixture.h"
#include "service/registries.h"

typedef bool (*ChangeFunc)(SyncdService *service, const SyncdCaller *caller,
                           const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                           GError **error);

#define ACTOR(id, identity, more)                                                                  \
    "{\"actor_id\":\"" id                                                                          \
    "\",\"actor_type\":\"human\",\"display_name\":\"A\",\"identity_id\":\"" identity               \
    "\",\"workspace_scope\":[],\"profile_scope\":[],\"capabilities\":[\"read\","                   \
    "\"write\"],\"trust_level\":\"user\",\"policy_subject\":\"" identity                           \
    "\",\"signing_key_ref\":\"none\"" more "}"

/* -1 when it was done, else the code of the error. Commits. */
static inline int change_as(ServiceFixture *f, const SyncdCaller *caller, ChangeFunc func,
                            const SyncdRegistryRequest *request, char **ret_message)
{
    g_autoptr(GError) error = NULL;
    g_auto(SyncdRegistered) registered = {0};
    bool done = func(f->service, caller, request, &registered, &error);
    if (!done && ret_message != NULL)
        *ret_message = g_strdup(error->message);
    if (!done)
        g_test_message("%s", error->message);
    syncd_service_commit(f->service);
    return done ? -1 : error->code;
}

static inline int register_as(ServiceFixture *f, const SyncdCaller *caller, const char *kind,
                              const char *record)
{
    SyncdRegistryRequest request = {.kind = kind, .record = SYNCD_BYTES_TEXT(record)};
    return change_as(f, caller, syncd_service_register, &request, NULL);
}

static inline int register_record(ServiceFixture *f, const char *kind, const char *record)
{
    return register_as(f, &f->caller, kind, record);
}

static inline int update_record(ServiceFixture *f, const char *kind, const char *id,
                                const char *record)
{
    SyncdRegistryRequest request = {.kind = kind, .id = id, .record = SYNCD_BYTES_TEXT(record)};
    return change_as(f, &f->caller, syncd_service_update, &request, NULL);
}

static inline int revoke_record(ServiceFixture *f, const char *kind, const char *id)
{
    SyncdRegistryRequest request = {.kind = kind, .id = id};
    return change_as(f, &f->caller, syncd_service_revoke, &request, NULL);
}

static inline char *show_record(ServiceFixture *f, const char *kind, const char *id)
{
    g_autoptr(GError) error = NULL;
    char *shown = syncd_service_show_record(f->service, &f->caller, kind, id, &error);
    g_assert_no_error(error);
    return shown;
}

static inline void assert_state(ServiceFixture *f, const char *kind, const char *id,
                                const char *state)
{
    g_autofree char *shown = show_record(f, kind, id);
    g_autofree char *quoted = g_strdup_printf("\"%s\"", state);
    assert_member(shown, "state", quoted);
}

/* A member of the record itself. */
static inline char *record_member(ServiceFixture *f, const char *kind, const char *id,
                                  const char *name)
{
    g_autofree char *shown = show_record(f, kind, id);
    g_autofree char *record = member_of(shown, "record");
    return member_of(record, name);
}

static inline guint count_records(ServiceFixture *f, const SyncdRegistryListing *listing)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *cursor = NULL;
    g_autofree char *records =
        syncd_service_list_records(f->service, &f->caller, listing, &cursor, &error);
    g_assert_no_error(error);
    return count_elements(records);
}
