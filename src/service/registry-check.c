#include "service/registry.h"

#include "base/timestamp.h"
#include "contract/vocabulary.h"

#include <string.h>

#define DEFAULT_PROFILE "profile:" SYNCD_DEFAULT_NAME
#define IMPLIED_ENCRYPTION "encryption-profile:"

/* ---- what a record refers to ---- */

bool syncd_registry_refuse_missing(const SyncdChange *change, const char *member,
                                   const char *family, const char *id, GError **error)
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
           (found ||
            syncd_registry_refuse_missing(change, "profile_id", "profile", profile, error));
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
                      !syncd_mandate_outlasts(after, change->mandate);
    if (strcmp(change->id, change->actor) != 0 || !locked_out)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "let another actor that may configure this instance do it",
                         "You would lock yourself out: %s is the actor that you act as",
                         change->actor);
    return false;
}

/* A workspace by a name that none can have would be one that the actor never reaches, and nobody
 * would be told. */
static bool check_places(SyncdPolicyField field, const char *member, char *const *places,
                         GError **error)
{
    for (size_t i = 0; places[i] != NULL; i++) {
        g_autofree char *path = g_strdup_printf("/record/%s/%zu", member, i);
        if (strcmp(places[i], "*") != 0 && !syncd_policy_check_word(field, places[i], path, error))
            return false;
    }
    return true;
}

static bool check_reach(const SyncdMandate *after, GError **error)
{
    return check_places(SYNCD_FIELD_WORKSPACE, "workspace_scope", after->workspaces, error) &&
           check_places(SYNCD_FIELD_PROFILE, "profile_scope", after->profiles, error);
}

/* A reference of another kind is somebody else's to follow. */
static bool check_signing_key(const SyncdMandate *after, GError **error)
{
    SyncdPublicKey key;
    if (!g_str_has_prefix(after->signing_key, SYNCD_SIGNING_KEY_PREFIX) ||
        (syncd_mandate_key(after, &key) && syncd_public_key_is_usable(&key)))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                         "give the public key, or \"none\" for an actor that signs nothing",
                         "/record/signing_key_ref: \"" SYNCD_SIGNING_KEY_PREFIX
                         "\" must be followed by an Ed25519 public key, in 64 hexadecimal digits "
                         "(a-f in lower case)");
    return false;
}

static bool refuse_grant(const SyncdChange *change, GError **error)
{
    syncd_service_note_refusal(change->service, change->caller, "configure", "capability_missing");
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED,
                         "let an actor do it that has all of these capabilities and reaches all of "
                         "these workspaces and profiles",
                         "%s may not decide on an actor that may do more than itself",
                         change->actor);
    return false;
}

static bool refuse_end(const SyncdChange *change, bool given, GError **error)
{
    char end[SYNCD_TIME_SIZE];
    syncd_time_format_ms(change->mandate->expires_ms, end);
    g_autofree char *next =
        given ? g_strdup_printf("give it an \"expires_at\" that is not later than %s", end)
              : g_strdup("let an actor do it that may act for as long");
    syncd_service_note_refusal(change->service, change->caller, "configure", "capability_missing");
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, next,
                         "%s may not decide on an actor that may act for longer than itself, which "
                         "ends at %s",
                         change->actor, end);
    return false;
}

/* Nobody gives what he does not have, nor for longer than he has it, and nobody takes it from
 * others. */
static bool check_grant(const SyncdChange *change, const SyncdMandate *after, GError **error)
{
    const SyncdMandate *own = change->mandate;
    g_autoptr(SyncdMandate) before = NULL;
    if (change->present && (before = syncd_mandate_read(change->previous, error)) == NULL)
        return false;
    if (!syncd_mandate_covers(own, after) || (before != NULL && !syncd_mandate_covers(own, before)))
        return refuse_grant(change, error);
    bool had_longer = before != NULL && !syncd_mandate_outlasts(own, before);
    return (!had_longer && syncd_mandate_outlasts(own, after)) ||
           refuse_end(change, !had_longer, error);
}

static bool check_actor(SyncdChange *change, GError **error)
{
    SyncdService *service = change->service;
    g_autoptr(SyncdMandate) after = syncd_mandate_read(change->record, error);
    if (after == NULL) {
        g_prefix_error(error, "/record");
        return false;
    }
    if (!syncd_service_find_own(service, error))
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
    return check_own(change, after, error) && check_grant(change, after, error) &&
           (change->verb == SYNCD_VERB_REVOKE ||
            (check_reach(after, error) && check_signing_key(after, error) &&
             check_identity(change, error)));
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

/* ---- encryption profiles and workspaces ---- */

static bool check_encryption(SyncdChange *change, GError **error)
{
    g_autofree char *scope = syncd_record_member(change->record, "encryption_scope");
    if (g_str_has_prefix(change->id, IMPLIED_ENCRYPTION)) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "give it another id",
                             "/record/encryption_profile_id: ids that begin with "
                             "\"" IMPLIED_ENCRYPTION "\" name what every scope of a class has");
        return false;
    }
    if (syncd_vocabulary_find(SYNCD_WORDS_SCOPE_CLASS, SYNCD_BYTES_TEXT(scope)) != NULL)
        return true;
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_SCOPE_CLASS);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/encryption_scope is no class of scopes; there are %s", known);
    return false;
}

/* A workspace may say how what is written to it is sealed. What it has is its own, also when
 * whoever changes it does not reach that. */
static bool check_workspace_encryption(SyncdChange *change, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_autofree char *id = syncd_record_member(change->record, "encryption_profile_ref");
    if (*id == '\0' || strcmp(id, IMPLIED_ENCRYPTION "workspace") == 0)
        return true;
    bool has = change->present && strcmp(change->row.columns[SYNCD_COLUMN_ENCRYPTION], id) == 0;
    if (!syncd_registry_find_live(change->service, SYNCD_FAMILY_ENCRYPTION, id, &row, &found,
                                  error) ||
        (found && !has && !syncd_registry_reaches(change, &row, &found, error)))
        return false;
    if (!found)
        return syncd_registry_refuse_missing(change, "encryption_profile_ref", "encryption profile",
                                             id, error);
    if (strcmp(row.columns[SYNCD_COLUMN_TYPE], "workspace") == 0)
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/encryption_profile_ref is for scopes of the class %s",
                    row.columns[SYNCD_COLUMN_TYPE]);
    return false;
}

/* The profile is the workspace's for good: what lies in it would change sides with it. */
static bool check_workspace(SyncdChange *change, GError **error)
{
    g_autofree char *profile = syncd_record_member(change->record, "profile_id");
    if (change->present && strcmp(profile, change->row.columns[SYNCD_COLUMN_PROFILE]) != 0) {
        syncd_service_note_policy(change->service, change->caller, "configure",
                                  "profile_boundary_violation");
        syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, "register another workspace there",
                             "/record/profile_id: %s belongs to %s (profile_boundary_violation)",
                             change->id, change->row.columns[SYNCD_COLUMN_PROFILE]);
        return false;
    }
    if (!syncd_service_require_reach(change->service, change->caller, change->mandate, change->id,
                                     profile, error))
        return false;
    return change->verb == SYNCD_VERB_REVOKE
               ? syncd_registry_check_no_root(change, SYNCD_FAMILY_WORKSPACE, error)
               : check_profile(change, profile, error) && check_workspace_encryption(change, error);
}

static bool check_profile_itself(SyncdChange *change, GError **error)
{
    return syncd_service_require_reach(change->service, change->caller, change->mandate, NULL,
                                       change->id, error) &&
           (change->verb != SYNCD_VERB_REVOKE ||
            syncd_registry_check_no_root(change, SYNCD_FAMILY_PROFILE, error));
}

/* ---- what lies in a workspace: objects and plans ---- */

/* It must be there already; one that nobody registered is the default profile's. */
static bool check_workspace_is_there(const SyncdChange *change, const char *workspace,
                                     GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    if (change->scope_id != NULL)
        return true;
    return syncd_registry_find_live(change->service, SYNCD_FAMILY_WORKSPACE, workspace, &row,
                                    &found, error) &&
           (found ||
            syncd_registry_refuse_missing(change, "workspace_id", "workspace", workspace, error));
}

static bool workspace_lies_in(const SyncdChange *change, const char *profile, bool *ret_lies,
                              GError **error)
{
    const SyncdRecordRow *row;
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id");
    if (!syncd_service_known_record(change->service, SYNCD_FAMILY_WORKSPACE, workspace, &row,
                                    error))
        return false;
    *ret_lies =
        strcmp(row != NULL ? row->columns[SYNCD_COLUMN_PROFILE] : DEFAULT_PROFILE, profile) == 0;
    return true;
}

/* An object goes to another profile only with its workspace, which never does: so tags let it be
 * worked on from there, and no more. */
static bool check_stays(SyncdChange *change, SyncdColumn column, const char *now, GError **error)
{
    const char *before = change->present ? change->row.columns[column] : now;
    bool may = false, is_profile = column == SYNCD_COLUMN_PROFILE;
    if (strcmp(before, now) == 0)
        return true;
    if (is_profile && (!syncd_service_may_cross(change->service, before, now, &may, error) ||
                       (may && !workspace_lies_in(change, now, &may, error))))
        return false;
    if (may)
        return true;
    const char *reason = is_profile ? "profile_boundary_violation" : "workspace_scope_mismatch";
    syncd_service_note_policy(change->service, change->caller, "write", reason);
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED,
                         "register a new one there; both profiles must be tagged before anything "
                         "passes from one to the other",
                         "/record/%s: %s belongs to %s (%s)", change->family->columns[column],
                         change->id, before, reason);
    return false;
}

bool syncd_registry_check_place(SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_auto(SyncdPlace) place = {syncd_record_member(change->record, "workspace_id"),
                                syncd_record_member(change->record, "profile_id")};
    if (!syncd_scope_parse(place.workspace, &class, &name, error) ||
        strcmp(class, "workspace") != 0) {
        g_clear_error(error);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/workspace_id must be \"workspace:\" and a name");
        return false;
    }
    if (!syncd_service_check_record_place(change->service, change->caller, change->mandate, &place,
                                          error) ||
        !syncd_service_check_workspace_encryption(change->service, change->caller, place.workspace,
                                                  error))
        return false;
    return change->verb == SYNCD_VERB_REVOKE ||
           (check_stays(change, SYNCD_COLUMN_WORKSPACE, place.workspace, error) &&
            check_stays(change, SYNCD_COLUMN_PROFILE, place.profile, error) &&
            check_profile(change, place.profile, error) &&
            check_workspace_is_there(change, place.workspace, error));
}

/* Objects may be deleted without a record. */
static bool check_not_deleted(const SyncdChange *change, GError **error)
{
    bool found;
    SyncdDeletion deletion;
    if (!syncd_service_find_deletion(change->service, change->id,
                                     change->present ? &change->row : NULL, change->scope_id,
                                     &deletion, &found, error))
        return false;
    if (!found || deletion.state == SYNCD_DELETION_RESTORED)
        return true;
    bool purged =
        deletion.state == SYNCD_DELETION_PURGED || deletion.state == SYNCD_DELETION_PROVEN;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         purged ? "give what is new another id: what was purged is not restored"
                                : "enqueue an operation with \"restore\" to have a new version of "
                                  "it",
                         "The object %s was deleted (%s)", change->id,
                         syncd_deletion_state_name(deletion.state));
    return false;
}

static bool check_object(SyncdChange *change, GError **error)
{
    g_autofree char *privacy = syncd_record_member(change->record, "privacy_class");
    change->data_class = syncd_vocabulary_find(SYNCD_WORDS_DATA_CLASS, SYNCD_BYTES_TEXT(privacy));
    if (change->data_class == NULL) {
        g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_PRIVACY_CLASS);
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/privacy_class is no privacy class; there are %s", known);
        return false;
    }
    return syncd_registry_check_place(change, error) &&
           (change->verb == SYNCD_VERB_REVOKE ||
            (check_not_deleted(change, error) && syncd_registry_judge_object(change, error)));
}

/* ---- what lies where its author wants it ---- */

static bool check_chosen(const SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_auto(SyncdPlace) place = {0};
    g_autofree char *scope =
        change->scope_id != NULL
            ? syncd_service_scope_text(change->service, SYNCD_BYTES_TEXT(change->scope_id))
            : g_strdup(change->scope_text);
    if (change->family->home != SYNCD_HOME_CHOSEN || change->verb == SYNCD_VERB_REVOKE)
        return true;
    return syncd_scope_parse(scope, &class, &name, error) &&
           syncd_service_check_scope_place(change->service, change->caller, change->mandate, scope,
                                           class, &place, error);
}

static bool (*const checks[SYNCD_N_FAMILIES])(SyncdChange *change, GError **error) = {
    [SYNCD_FAMILY_PROFILE] = check_profile_itself,
    [SYNCD_FAMILY_ACTOR] = check_actor,
    [SYNCD_FAMILY_DEVICE] = check_device,
    [SYNCD_FAMILY_OBJECT] = check_object,
    [SYNCD_FAMILY_WORKSPACE] = check_workspace,
    [SYNCD_FAMILY_PLAN] = syncd_registry_check_plan,
    [SYNCD_FAMILY_ENCRYPTION] = check_encryption,
    [SYNCD_FAMILY_SCHEMA] = syncd_registry_check_schema,
    [SYNCD_FAMILY_MIGRATION] = syncd_registry_check_migration,
    [SYNCD_FAMILY_ROOT] = syncd_registry_check_root,
};

bool syncd_registry_check_family(SyncdChange *change, GError **error)
{
    if (!check_chosen(change, error))
        return false;
    for (size_t i = 0; i < SYNCD_N_FAMILIES; i++)
        if (change->family == syncd_family((SyncdFamilyId)i))
            return checks[i] == NULL || checks[i](change, error);
    g_assert_not_reached();
}
