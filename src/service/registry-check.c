#include "service/registry.h"

#include "contract/vocabulary.h"

#include <string.h>

#define DEFAULT_PROFILE "profile:" SYNCD_DEFAULT_NAME
#define IMPLIED_ENCRYPTION "encryption-profile:"

/* ---- what a record refers to ---- */

static bool refuse_missing(const SyncdChange *change, const char *member, const char *family,
                           const char *id, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "register it first, or name another one",
                         "/record/%s: there is no %s %.*s", member, family, SYNCD_ID_TOKEN_MAX, id);
    return false;
}

/* The profile that nobody has to register is everybody's own. */
static bool check_profile(const SyncdChange *change, const char *profile, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    if (strcmp(profile, DEFAULT_PROFILE) == 0)
        return true;
    return syncd_registry_find_live(change->service, SYNCD_FAMILY_PROFILE, profile, &row, &found,
                                    error) &&
           (found || refuse_missing(change, "profile_id", "profile", profile, error));
}

/* ---- actors ---- */

static bool is_identity(const char *identity)
{
    guint64 uid;
    if (g_str_has_prefix(identity, "uid:"))
        return g_ascii_string_to_unsigned(identity + strlen("uid:"), 10, 0, G_MAXUINT32 - 1, &uid,
                                          NULL);
    if (g_str_has_prefix(identity, "unit:"))
        return strlen(identity) > strlen("unit:");
    return *identity != '\0' && strcmp(identity, SYNCD_IDENTITY_DAEMON) != 0;
}

static bool check_identity(SyncdChange *change, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_autofree char *identity = syncd_record_member(change->record, "identity_id");
    if (!is_identity(identity)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "write uid:1000, unit:name.service or a name of your own",
                             "/record/identity_id is no identity that an actor can have");
        return false;
    }
    if (!syncd_store_find_identity(change->service->store, identity, &row, &found, error))
        return false;
    if (!found || strcmp(row.id, change->id) == 0 || strcmp(row.state, SYNCD_STATE_REVOKED) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "revoke that one first, or update it",
                         "/record/identity_id is the identity of the actor %s already", row.id);
    return false;
}

/* Whoever took his own right to write could not give it back. */
static bool check_own(const SyncdChange *change, const SyncdMandate *after, GError **error)
{
    bool locked_out = change->verb == SYNCD_VERB_REVOKE || !syncd_mandate_configures(after) ||
                      !syncd_mandate_can(after, "write") || after->quarantined ||
                      after->expires_ms != 0;
    if (strcmp(change->id, change->actor) != 0 || !locked_out)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "let another actor that may configure this instance do it",
                         "You would lock yourself out: %s is the actor that you act as",
                         change->actor);
    return false;
}

static bool check_actor(SyncdChange *change, GError **error)
{
    SyncdService *service = change->service;
    g_autoptr(SyncdMandate) after = syncd_mandate_read(change->record, error);
    if (after == NULL || !syncd_service_find_own(service, error))
        return false;
    if (strcmp(change->id, service->own_actor) == 0) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "leave it as it is",
                             "%s is the daemon's own actor", change->id);
        return false;
    }
    if (syncd_vocabulary_find(SYNCD_WORDS_ACTOR_TYPE, SYNCD_BYTES_TEXT(after->type)) == NULL) {
        g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_ACTOR_TYPE);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/actor_type is no actor type; there are %s", known);
        return false;
    }
    return check_own(change, after, error) &&
           (change->verb == SYNCD_VERB_REVOKE || check_identity(change, error));
}

/* ---- devices ---- */

static bool check_device(SyncdChange *change, GError **error)
{
    bool own = strcmp(change->id, syncd_store_device_id(change->service->store)) == 0;
    if (!own || strcmp(change->state, "trusted") == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "do it on another device that shares a scope with this one",
                         "%s is this device: it cannot distrust itself", change->id);
    return false;
}

/* ---- workspaces ---- */

static bool check_workspace(SyncdChange *change, GError **error)
{
    g_autofree char *profile = syncd_record_member(change->record, "profile_id");
    return check_profile(change, profile, error);
}

static bool (*const checks[SYNCD_N_FAMILIES])(SyncdChange *change, GError **error) = {
    [SYNCD_FAMILY_ACTOR] = check_actor,
    [SYNCD_FAMILY_DEVICE] = check_device,
    [SYNCD_FAMILY_WORKSPACE] = check_workspace,
};

bool syncd_registry_check_family(SyncdChange *change, GError **error)
{
    for (size_t i = 0; i < SYNCD_N_FAMILIES; i++)
        if (change->family == syncd_family((SyncdFamilyId)i))
            return checks[i] == NULL || checks[i](change, error);
    g_assert_not_reached();
}
