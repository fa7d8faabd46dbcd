/*
 * Agents who announce what they do to files: what the tests of announcing and of attribution share.
 */
#pragma once

#include "registry-fixture.h"
#include "service/announce.h"

#define ONE "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed" /* of "one" */
#define TWO "3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3" /* of "two" */

static inline void register_unit(ServiceFixture *f, const char *id, const char *workspace,
                                 const char *capabilities)
{
    g_autofree char *record = g_strdup_printf(
        "{\"actor_id\":\"%s\",\"actor_type\":\"agent\",\"display_name\":\"%s\",\"identity_id\":"
        "\"unit:%s.service\",\"workspace_scope\":[\"%s\"],\"profile_scope\":[\"*\"],"
        "\"capabilities\":[%s],\"trust_level\":\"user\",\"policy_subject\":\"agent:%s\","
        "\"signing_key_ref\":\"none\"}",
        id, id, id, workspace, capabilities, id);
    g_assert_cmpint(register_record(f, "actor", record), ==, -1);
}

/* -1 when they are taken, else the code of the error; `*ret_said` is the answer, or the error. */
static inline int announce_from(ServiceFixture *f, const char *unit, const char *workspace,
                                const char *changes, char **ret_said)
{
    g_autoptr(GError) error = NULL;
    SyncdCaller caller = f->caller;
    caller.unit = unit;
    g_autofree char *answer =
        syncd_service_announce(f->service, &caller, workspace, SYNCD_BYTES_TEXT(changes), &error);
    syncd_service_commit(f->service);
    if (ret_said != NULL)
        *ret_said = g_strdup(answer != NULL ? answer : error->message);
    return answer != NULL ? -1 : error->code;
}

static inline int try_announce(ServiceFixture *f, const char *unit, const char *changes)
{
    return announce_from(f, unit, "workspace:notes", changes, NULL);
}
