#include "domain/family.h"

#include <string.h>

/* clang-format off */
static const SyncdFamily families[SYNCD_N_FAMILIES] = {
    [SYNCD_FAMILY_PROFILE] = {
        .name = "profile", .schema = "sourceos.profile-record/v1alpha1", .id = "profile_id",
        .home = SYNCD_HOME_ITSELF, .configuration = true,
        .capability = "write", .end = "delete",
        .columns = {[SYNCD_COLUMN_TYPE] = "profile_class"},
    },
    [SYNCD_FAMILY_DEVICE] = {
        .name = "device", .schema = "sourceos.device-record/v1alpha1", .id = "device_id",
        .state = "device_state",
        .home = SYNCD_HOME_DEVICE, .configuration = true, .opaque = true,
        .capability = "write", .end = "write",
        .columns = {[SYNCD_COLUMN_TYPE] = "trust_level"},
    },
    [SYNCD_FAMILY_ACTOR] = {
        .name = "actor", .schema = "sourceos.actor-record/v1alpha1", .id = "actor_id",
        .home = SYNCD_HOME_DEVICE, .configuration = true, .opaque = true,
        .capability = "write", .end = "write",
        .columns = {[SYNCD_COLUMN_TYPE] = "actor_type",
                    [SYNCD_COLUMN_IDENTITY] = "identity_id"},
    },
    [SYNCD_FAMILY_SCHEMA] = {
        .name = "schema", .schema = "sourceos.schema-record/v1alpha1", .id = "schema_id",
        .version = "schema_version",
        .home = SYNCD_HOME_CHOSEN, .configuration = true,
        .capability = "migrate_schema", .end = "migrate_schema",
        .columns = {[SYNCD_COLUMN_TYPE] = "object_type", [SYNCD_COLUMN_SCHEMA] = "schema_id"},
    },
    [SYNCD_FAMILY_OBJECT] = {
        .name = "object", .schema = "sourceos.object-record/v1alpha1", .id = "object_id",
        .state = "state",
        .home = SYNCD_HOME_WORKSPACE, .opaque = true,
        .capability = "write", .end = "delete",
        .columns = {[SYNCD_COLUMN_TYPE] = "object_type",
                    [SYNCD_COLUMN_WORKSPACE] = "workspace_id",
                    [SYNCD_COLUMN_PROFILE] = "profile_id",
                    [SYNCD_COLUMN_SCHEMA] = "schema_id",
                    [SYNCD_COLUMN_PRIVACY] = "privacy_class"},
        .stamped = {"state", "created_by_actor", "last_modified_by_actor"},
    },
    [SYNCD_FAMILY_WORKSPACE] = {
        .name = "workspace", .schema = "sourceos.workspace-record/v1alpha1", .id = "workspace_id",
        .home = SYNCD_HOME_ITSELF, .configuration = true,
        .capability = "write", .end = "delete",
        .columns = {[SYNCD_COLUMN_PROFILE] = "profile_id",
                    [SYNCD_COLUMN_ENCRYPTION] = "encryption_profile_ref"},
    },
    [SYNCD_FAMILY_PLAN] = {
        .name = "plan", .schema = "sourceos.sync-plan/v1alpha1", .id = "plan_id",
        .state = "status",
        .home = SYNCD_HOME_WORKSPACE, .opaque = true,
        .capability = "write", .end = "write",
        .columns = {[SYNCD_COLUMN_TYPE] = "operation_class",
                    [SYNCD_COLUMN_WORKSPACE] = "workspace_id",
                    [SYNCD_COLUMN_PROFILE] = "profile_id"},
        .stamped = {"source_actor", "policy_decision_ref"},
    },
    [SYNCD_FAMILY_ENCRYPTION] = {
        .name = "encryption-profile", .schema = "sourceos.encryption-profile/v1alpha1",
        .id = "encryption_profile_id",
        .home = SYNCD_HOME_CHOSEN, .configuration = true, .opaque = true,
        .capability = "write", .end = "write",
        .columns = {[SYNCD_COLUMN_TYPE] = "encryption_scope"},
    },
    [SYNCD_FAMILY_MIGRATION] = {
        .name = "migration", .schema = "sourceos.schema-migration/v1", .id = "migration_id",
        .home = SYNCD_HOME_CHOSEN, .configuration = true,
        .capability = "migrate_schema", .end = "migrate_schema",
        .columns = {[SYNCD_COLUMN_TYPE] = "to_schema_id",
                    [SYNCD_COLUMN_SCHEMA] = "from_schema_id"},
    },
    [SYNCD_FAMILY_ROOT] = {
        .name = "root", .schema = "sourceos.workspace-root/v1", .id = "root_id",
        .state = "root_state",
        .home = SYNCD_HOME_DEVICE, .configuration = true, .opaque = true,
        .capability = "write", .end = "write",
        .columns = {[SYNCD_COLUMN_TYPE] = "directory",
                    [SYNCD_COLUMN_WORKSPACE] = "workspace_id"},
    },
};

#define RECORDED(family, word)                                                                     \
    {family, SYNCD_VERB_REGISTER, "", SYNCD_STATE_ACTIVE, word ".registered"},                     \
    {family, SYNCD_VERB_UPDATE, SYNCD_STATE_ACTIVE, SYNCD_STATE_ACTIVE, word ".updated"},          \
    {family, SYNCD_VERB_REVOKE, SYNCD_STATE_ACTIVE, SYNCD_STATE_REVOKED, word ".revoked"}

#define D SYNCD_FAMILY_DEVICE
#define M SYNCD_FAMILY_MIGRATION
#define O SYNCD_FAMILY_OBJECT
#define P SYNCD_FAMILY_PLAN
#define R SYNCD_FAMILY_ROOT
#define REGISTER SYNCD_VERB_REGISTER
#define UPDATE SYNCD_VERB_UPDATE
#define REVOKE SYNCD_VERB_REVOKE
#define RESTORE SYNCD_VERB_RESTORE

static const SyncdTransition transitions[] = {
    RECORDED(SYNCD_FAMILY_PROFILE, "profile"),
    RECORDED(SYNCD_FAMILY_ACTOR, "actor"),
    RECORDED(SYNCD_FAMILY_WORKSPACE, "workspace"),
    RECORDED(SYNCD_FAMILY_ENCRYPTION, "encryption-profile"),

    /* A version of a schema never changes: objects were written by it. */
    {SYNCD_FAMILY_SCHEMA, REGISTER, "", SYNCD_STATE_ACTIVE, "schema.registered"},
    {SYNCD_FAMILY_SCHEMA, REVOKE, SYNCD_STATE_ACTIVE, SYNCD_STATE_REVOKED, "schema.revoked"},
    /* Nor does what was signed. */
    {M, REGISTER, "", SYNCD_STATE_ACTIVE, "migration.registered"},
    {M, REVOKE, SYNCD_STATE_ACTIVE, SYNCD_STATE_REVOKED, "migration.revoked"},

    {D, REGISTER, "", "trusted", "device.registered"},
    {D, REGISTER, "", "untrusted", "device.registered"},
    {D, REGISTER, "", "quarantined", "device.registered"},
    {D, UPDATE, "trusted", "trusted", "device.updated"},
    {D, UPDATE, "trusted", "untrusted", "device.updated"},
    {D, UPDATE, "trusted", "quarantined", "device.updated"},
    {D, UPDATE, "untrusted", "untrusted", "device.updated"},
    {D, UPDATE, "untrusted", "trusted", "device.updated"},
    {D, UPDATE, "untrusted", "quarantined", "device.updated"},
    {D, UPDATE, "quarantined", "quarantined", "device.updated"},
    {D, UPDATE, "quarantined", "untrusted", "device.updated"},
    {D, REVOKE, "trusted", "revoked", "device.revoked"},
    {D, REVOKE, "untrusted", "revoked", "device.revoked"},
    {D, REVOKE, "quarantined", "revoked", "device.revoked"},

    {O, REGISTER, "", "active", "object.created"},
    {O, REGISTER, "", "quarantined", "object.created"},
    {O, UPDATE, "active", "active", "object.changed"},
    {O, UPDATE, "active", "quarantined", "object.changed"},
    {O, UPDATE, "quarantined", "active", "object.changed"},
    {O, UPDATE, "quarantined", "quarantined", "object.changed"},
    {O, REVOKE, "active", "tombstoned", "object.deleted"},
    {O, REVOKE, "quarantined", "tombstoned", "object.deleted"},
    {O, REVOKE, "conflicted", "tombstoned", "object.deleted"},
    {O, RESTORE, "tombstoned", "active", "object.changed"},
    {O, RESTORE, "tombstoned", "quarantined", "object.changed"},

    {R, REGISTER, "", "active", "root.added"},
    {R, REGISTER, "", "paused", "root.added"},
    {R, UPDATE, "active", "active", "root.updated"},
    {R, UPDATE, "active", "paused", "root.paused"},
    {R, UPDATE, "paused", "paused", "root.updated"},
    {R, UPDATE, "paused", "active", "root.resumed"},
    {R, REVOKE, "active", "revoked", "root.removed"},
    {R, REVOKE, "paused", "revoked", "root.removed"},

    {P, REGISTER, "", "planned", "plan.created"},
    {P, UPDATE, "planned", "planned", "plan.updated"},
    {P, UPDATE, "planned", "running", "plan.started"},
    {P, UPDATE, "planned", "blocked", "plan.blocked"},
    {P, UPDATE, "blocked", "planned", "plan.updated"},
    {P, UPDATE, "blocked", "running", "plan.started"},
    {P, UPDATE, "running", "running", "plan.updated"},
    {P, UPDATE, "running", "blocked", "plan.blocked"},
    {P, UPDATE, "running", "failed", "plan.failed"},
    {P, UPDATE, "running", "completed", "plan.completed"},
    {P, UPDATE, "failed", "planned", "plan.updated"},
    {P, REVOKE, "planned", "cancelled", "plan.cancelled"},
    {P, REVOKE, "blocked", "cancelled", "plan.cancelled"},
    {P, REVOKE, "running", "cancelled", "plan.cancelled"},
    {P, REVOKE, "failed", "cancelled", "plan.cancelled"},
};
/* clang-format on */

/* Set by the daemon in every family. */
static const char *const always_stamped[] = {
    "schema", "created_at", "updated_at", "revoked_at", "revoke_reason", "registered_by", NULL,
};

const SyncdFamily *syncd_family(SyncdFamilyId id)
{
    return &families[id];
}

const SyncdFamily *syncd_family_find(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        if (strcmp(families[i].name, name) == 0)
            return &families[i];
    return NULL;
}

/* "actor.registered": a kind begins with its family's name. Every entry is asked about, and most
 * are of none. */
static bool may_be_of(const SyncdFamily *family, SyncdBytes kind)
{
    if (kind.size == 0 || *(const char *)kind.data != *family->name)
        return false;
    size_t size = strlen(family->name);
    return kind.size > size && ((const char *)kind.data)[size] == '.' &&
           memcmp(kind.data, family->name, size) == 0;
}

const SyncdFamily *syncd_family_of_kind(SyncdBytes kind)
{
    const SyncdFamily *family = NULL;
    for (size_t i = 0; family == NULL && i < G_N_ELEMENTS(families); i++)
        if (may_be_of(&families[i], kind))
            family = &families[i];
    for (size_t i = 0; family != NULL && i < G_N_ELEMENTS(transitions); i++)
        if (&families[transitions[i].family] == family &&
            syncd_bytes_are(kind, transitions[i].kind))
            return family;
    return NULL;
}

char *syncd_family_list(void)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(families); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", families[i].name);
    return g_string_free(text, FALSE);
}

const SyncdTransition *syncd_transition_find(const SyncdFamily *family, SyncdRegistryVerb verb,
                                             const char *from, const char *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(transitions); i++) {
        const SyncdTransition *step = &transitions[i];
        if (&families[step->family] == family && step->verb == verb &&
            strcmp(step->from, from) == 0 && strcmp(step->to, to) == 0)
            return step;
    }
    return NULL;
}

bool syncd_transition_is_tabled(SyncdBytes kind, const char *from, const char *to)
{
    for (size_t i = 0; i < G_N_ELEMENTS(transitions); i++)
        if (syncd_bytes_are(kind, transitions[i].kind) && strcmp(transitions[i].from, from) == 0 &&
            strcmp(transitions[i].to, to) == 0)
            return true;
    return false;
}

const SyncdTransition *syncd_transitions(size_t *ret_n)
{
    *ret_n = G_N_ELEMENTS(transitions);
    return transitions;
}

const char *syncd_family_end_state(const SyncdFamily *family)
{
    for (size_t i = 0; i < G_N_ELEMENTS(transitions); i++)
        if (&families[transitions[i].family] == family && transitions[i].verb == SYNCD_VERB_REVOKE)
            return transitions[i].to;
    g_assert_not_reached();
}

/* ---- what a record says ---- */

char *syncd_record_member(SyncdJson record, const char *name)
{
    SyncdJson value = syncd_json_member(record, name);
    if (value.type == SYNCD_JSON_INTEGER)
        return g_strndup(value.at, syncd_json_size(value));
    char *text = syncd_json_dup_text(value);
    return text != NULL ? text : g_strdup("");
}

char *syncd_family_record_id(const SyncdFamily *family, SyncdJson record)
{
    g_autofree char *id = syncd_record_member(record, family->id);
    if (*id == '\0' || family->version == NULL)
        return *id != '\0' ? g_steal_pointer(&id) : NULL;
    g_autofree char *version = syncd_record_member(record, family->version);
    return *version != '\0' ? g_strconcat(id, "@", version, NULL) : NULL;
}

char *syncd_family_record_state(const SyncdFamily *family, SyncdJson record)
{
    if (family->state != NULL)
        return syncd_json_dup_text(syncd_json_member(record, family->state));
    bool ended = syncd_json_member(record, "revoked_at").type == SYNCD_JSON_STRING;
    return g_strdup(ended ? SYNCD_STATE_REVOKED : SYNCD_STATE_ACTIVE);
}

bool syncd_family_stamps(const SyncdFamily *family, const char *member)
{
    return g_strv_contains(always_stamped, member) || g_strv_contains(family->stamped, member);
}
