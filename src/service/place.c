#include "service/internal.h"

#include "base/canonical.h"
#include "contract/vocabulary.h"

#include <string.h>

#define KNOWN_MAX 4096u
#define DEFAULT_WORKSPACE "workspace:" SYNCD_DEFAULT_NAME
#define DEFAULT_PROFILE "profile:" SYNCD_DEFAULT_NAME
#define IMPLIED_ENCRYPTION "encryption-profile:" /* and a class: what every scope of it has */
#define CROSS_TO "cross-to:"
#define CROSS_FROM "cross-from:"

void syncd_place_clear(SyncdPlace *place)
{
    g_clear_pointer(&place->workspace, g_free);
    g_clear_pointer(&place->profile, g_free);
    g_clear_pointer(&place->object_type, g_free);
    g_clear_pointer(&place->object_profile, g_free);
    g_clear_pointer(&place->encryption, g_free);
}

/* ---- records, as long as the registries stand ---- */

static bool look_up(SyncdService *service, SyncdFamilyId family, const char *id,
                    SyncdRecordRow **ret_row, GError **error)
{
    bool found;
    g_autofree SyncdRecordRow *row = g_new0(SyncdRecordRow, 1);
    if (!syncd_store_find_record(service->store, syncd_family(family), id, row, &found, error))
        return false;
    *ret_row = found ? g_steal_pointer(&row) : NULL;
    return true;
}

bool syncd_service_known_record(SyncdService *service, SyncdFamilyId family, const char *id,
                                const SyncdRecordRow **ret_row, GError **error)
{
    SyncdRecordRow *row;
    guint64 registries = syncd_store_registries(service->store);
    g_autofree char *name = g_strconcat(syncd_family(family)->name, "/", id, NULL);
    if (service->records_of != registries || g_hash_table_size(service->records) >= KNOWN_MAX)
        g_hash_table_remove_all(service->records);
    service->records_of = registries;
    if (!g_hash_table_lookup_extended(service->records, name, NULL, (void **)&row)) {
        if (!look_up(service, family, id, &row, error))
            return false;
        g_hash_table_insert(service->records, g_steal_pointer(&name), row);
    }
    *ret_row = row;
    return true;
}

static bool has_ended(const SyncdRecordRow *row)
{
    return strcmp(row->state, syncd_family_end_state(row->family)) == 0;
}

/* ---- refusals ---- */

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *reason,
                   const char *next, GError **error, const char *format, ...) G_GNUC_PRINTF(6, 7);

static bool refuse(SyncdService *service, const SyncdCaller *caller, const char *reason,
                   const char *next, GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *what = g_strdup_vprintf(format, args);
    va_end(args);
    syncd_service_note_policy(service, caller, "write", reason);
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, next, "%s (%s)", what, reason);
    return false;
}

/* ---- the boundary between profiles ---- */

static bool has_tag(SyncdJson record, const char *prefix, const char *profile)
{
    SyncdJsonIter iter;
    SyncdJson tag;
    g_autofree char *wanted = g_strconcat(prefix, profile, NULL);
    syncd_json_iter_init(&iter, syncd_json_member(record, "policy_tags"));
    while (syncd_json_iter_next(&iter, NULL, &tag))
        if (syncd_json_is(tag, wanted))
            return true;
    return false;
}

/* An air-gapped profile has no neighbours, whatever its tags say. */
static bool profile_lets(SyncdService *service, const char *profile, const char *prefix,
                         const char *other, bool *ret_lets, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    *ret_lets = false;
    if (!syncd_store_find_record(service->store, syncd_family(SYNCD_FAMILY_PROFILE), profile, &row,
                                 &found, error))
        return false;
    if (!found || has_ended(&row) || strcmp(row.columns[SYNCD_COLUMN_TYPE], "air_gapped") == 0)
        return true;
    if (!syncd_store_read(service->store, row.pos, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, &body, error) ||
        !syncd_json_check(body.content, body.content_size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    *ret_lets = has_tag(syncd_json_root(body.content, body.content_size), prefix, other);
    return true;
}

bool syncd_service_may_cross(SyncdService *service, const char *from, const char *to, bool *ret_may,
                             GError **error)
{
    bool out, in = false;
    if (!profile_lets(service, from, CROSS_TO, to, &out, error) ||
        (out && !profile_lets(service, to, CROSS_FROM, from, &in, error)))
        return false;
    *ret_may = out && in;
    return true;
}

/* Where it belongs is told to whoever reaches that. */
static bool check_boundary(SyncdService *service, const SyncdCaller *caller,
                           const SyncdMandate *mandate, const char *what, const char *from,
                           const char *to, GError **error)
{
    bool may;
    if (strcmp(from, to) == 0)
        return true;
    if (!syncd_service_may_cross(service, from, to, &may, error))
        return false;
    if (may)
        return true;
    bool reaches = syncd_mandate_reaches_profile(mandate, from);
    g_autofree char *where =
        reaches ? g_strdup_printf("belongs to %.*s and not", SYNCD_ID_TOKEN_MAX, from)
                : g_strdup("does not belong");
    return refuse(service, caller, "profile_boundary_violation",
                  "work in the profile that it belongs to; both profiles must be tagged before "
                  "anything passes from one to the other",
                  error, "The %s %s to %.*s", what, where, SYNCD_ID_TOKEN_MAX, to);
}

/* ---- workspaces and profiles ---- */

static bool check_not_ended(SyncdService *service, const SyncdCaller *caller, SyncdFamilyId family,
                            const char *id, GError **error)
{
    const SyncdRecordRow *row;
    if (!syncd_service_known_record(service, family, id, &row, error))
        return false;
    return row == NULL || !has_ended(row) ||
           refuse(service, caller, "policy_denied", "use one that is not revoked", error,
                  "The %s %s is revoked", row->family->name, row->id);
}

bool syncd_service_check_record_place(SyncdService *service, const SyncdCaller *caller,
                                      const SyncdMandate *mandate, const SyncdPlace *place,
                                      GError **error)
{
    const SyncdRecordRow *workspace;
    if (!syncd_service_require_reach(service, caller, mandate, place->workspace, place->profile,
                                     error) ||
        !check_not_ended(service, caller, SYNCD_FAMILY_WORKSPACE, place->workspace, error) ||
        !check_not_ended(service, caller, SYNCD_FAMILY_PROFILE, place->profile, error) ||
        !syncd_service_known_record(service, SYNCD_FAMILY_WORKSPACE, place->workspace, &workspace,
                                    error))
        return false;
    if (workspace == NULL)
        return true;
    g_autofree char *profile = g_strdup(workspace->columns[SYNCD_COLUMN_PROFILE]);
    return check_boundary(service, caller, mandate, "workspace", profile, place->profile, error);
}

static char *text_or(SyncdJson value, const char *otherwise)
{
    char *text = syncd_json_dup_text(value);
    return text != NULL ? text : g_strdup(otherwise);
}

/* A scope that is a workspace or a profile says so itself; elsewhere the body may. */
bool syncd_service_find_place(SyncdService *service, const char *scope, const char *class,
                              SyncdPlace *place, GError **error)
{
    const SyncdRecordRow *row;
    bool is_workspace = strcmp(class, "workspace") == 0, is_profile = strcmp(class, "profile") == 0;
    place->workspace =
        is_workspace ? g_strdup(scope) : text_or(place->said.workspace, DEFAULT_WORKSPACE);
    if (is_profile || place->said.profile.type != SYNCD_JSON_NONE)
        place->profile =
            is_profile ? g_strdup(scope) : text_or(place->said.profile, DEFAULT_PROFILE);
    if (place->profile != NULL && !is_workspace)
        return true;
    if (!syncd_service_known_record(service, SYNCD_FAMILY_WORKSPACE, place->workspace, &row, error))
        return false;
    if (place->profile == NULL)
        place->profile =
            g_strdup(row != NULL ? row->columns[SYNCD_COLUMN_PROFILE] : DEFAULT_PROFILE);
    if (is_workspace && row != NULL && *row->columns[SYNCD_COLUMN_ENCRYPTION] != '\0')
        place->encryption = g_strdup(row->columns[SYNCD_COLUMN_ENCRYPTION]);
    return true;
}

void syncd_place_write(const SyncdPlace *place, const char *scope_class,
                       const SyncdOperationPlace *said, SyncdJsonWriter *writer)
{
    static const SyncdOperationPlace nothing = {0};
    const SyncdOperationPlace *told = said != NULL ? said : &nothing;
    const struct {
        const char *name, *value, *otherwise;
        bool told;
    } members[] = {
        {"encryption_profile_ref", place->encryption, NULL,
         told->encryption_profile.type != SYNCD_JSON_NONE},
        {"profile_id", place->profile, DEFAULT_PROFILE,
         strcmp(scope_class, "profile") == 0 || told->profile.type != SYNCD_JSON_NONE},
        {"workspace_id", place->workspace, DEFAULT_WORKSPACE,
         strcmp(scope_class, "workspace") == 0 || told->workspace.type != SYNCD_JSON_NONE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *value = members[i].value;
        /* A body may say what cannot be the id of anything, at any length. */
        if (!members[i].told && g_strcmp0(value, members[i].otherwise) != 0 &&
            strlen(value) <= SYNCD_ID_TOKEN_MAX)
            syncd_json_member_string(writer, members[i].name, value);
    }
}

char *syncd_service_make_meta(SyncdService *service, const char *scope_id, const char *data_class,
                              const char *type, GError **error)
{
    const SyncdScope *scope = syncd_store_scope(service->store, scope_id);
    g_auto(SyncdPlace) place = {0};
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *name = syncd_service_scope_text(service, SYNCD_BYTES_TEXT(scope_id));
    SyncdJsonWriter writer;
    if (scope != NULL && !syncd_service_find_place(service, name, scope->class, &place, error))
        return NULL;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "data_class", data_class);
    syncd_json_member_string(&writer, "type", type);
    if (scope != NULL)
        syncd_place_write(&place, scope->class, NULL, &writer);
    syncd_json_end_object(&writer);
    GString *canonical = g_string_new(NULL);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return g_string_free(canonical, FALSE);
}

/* ---- objects ---- */

const char *syncd_data_class_of(const char *privacy)
{
    const char *class = syncd_vocabulary_find(SYNCD_WORDS_DATA_CLASS, SYNCD_BYTES_TEXT(privacy));
    return class != NULL ? class : "secret";
}

void syncd_place_of_object(const SyncdRecordRow *row, SyncdPlace *place)
{
    place->object_type = g_strdup(row->columns[SYNCD_COLUMN_TYPE]);
    place->object_profile = g_strdup(row->columns[SYNCD_COLUMN_PROFILE]);
    place->object_class = syncd_data_class_of(row->columns[SYNCD_COLUMN_PRIVACY]);
}

/* What the caller does not reach is there for him where tags let it be worked on from his side. */
static bool is_there(SyncdService *service, const SyncdMandate *mandate, const SyncdRecordRow *row,
                     const SyncdPlace *place, bool *ret_is, GError **error)
{
    const SyncdReach reach = {.mandate = mandate};
    if (!syncd_service_reaches_record(service, &reach, row, ret_is, error))
        return false;
    return *ret_is || strcmp(row->columns[SYNCD_COLUMN_WORKSPACE], place->workspace) != 0 ||
           syncd_service_may_cross(service, row->columns[SYNCD_COLUMN_PROFILE], place->profile,
                                   ret_is, error);
}

static bool check_object(SyncdService *service, const SyncdCaller *caller,
                         const SyncdMandate *mandate, const SyncdRequest *request,
                         SyncdPlace *place, GError **error)
{
    bool there;
    const SyncdRecordRow *row;
    const char *object = request->object;
    bool deletes = g_strcmp0(request->lane, SYNCD_LANE_TOMBSTONE) == 0;
    if (*object == '\0')
        return true;
    if (!syncd_service_known_record(service, SYNCD_FAMILY_OBJECT, object, &row, error))
        return false;
    if (row == NULL)
        return true;
    if (!is_there(service, mandate, row, place, &there, error))
        return false;
    if (!there)
        return refuse(service, caller, "workspace_scope_mismatch", "use another id", error,
                      "The id %s cannot be used here", object);
    if (strcmp(row->state, SYNCD_STATE_QUARANTINED) == 0 && !deletes)
        return refuse(service, caller, "schema_unknown",
                      "register its schema, then update the object", error,
                      "The object %s is quarantined", object);
    if (strcmp(row->columns[SYNCD_COLUMN_WORKSPACE], place->workspace) != 0)
        return refuse(service, caller, "workspace_scope_mismatch",
                      "write to the scope of its workspace", error,
                      "The object %s belongs to %s and not to %.*s", object,
                      row->columns[SYNCD_COLUMN_WORKSPACE], SYNCD_ID_TOKEN_MAX, place->workspace);
    syncd_place_of_object(row, place);
    return check_boundary(service, caller, mandate, "object", place->object_profile, place->profile,
                          error);
}

/* ---- encryption profiles ---- */

/* `*ret_scope` "" when there is none, or none that is reached; NULL as mandate: it is the
 * workspace's, and not the caller who named it. */
static bool find_encryption_scope(SyncdService *service, const SyncdMandate *mandate,
                                  const char *profile, char **ret_scope, GError **error)
{
    const SyncdReach reach = {.all = mandate == NULL, .mandate = mandate};
    const SyncdRecordRow *row;
    bool reached;
    *ret_scope = NULL;
    if (g_str_has_prefix(profile, IMPLIED_ENCRYPTION)) {
        *ret_scope = g_strdup(profile + strlen(IMPLIED_ENCRYPTION));
        return true;
    }
    if (!syncd_service_known_record(service, SYNCD_FAMILY_ENCRYPTION, profile, &row, error))
        return false;
    if (row == NULL || has_ended(row)) {
        *ret_scope = g_strdup("");
        return true;
    }
    g_autofree char *scope = g_strdup(row->columns[SYNCD_COLUMN_TYPE]);
    if (!syncd_service_reaches_record(service, &reach, row, &reached, error))
        return false;
    *ret_scope = reached ? g_steal_pointer(&scope) : g_strdup("");
    return true;
}

/* What a workspace demands is what its operations have, said or not. */
static bool check_encryption(SyncdService *service, const SyncdCaller *caller,
                             const SyncdMandate *mandate, const char *class,
                             const SyncdPlace *place, GError **error)
{
    bool is_said = place->said.encryption_profile.type != SYNCD_JSON_NONE;
    g_autofree char *profile = is_said ? syncd_json_dup_text(place->said.encryption_profile)
                                       : g_strdup(place->encryption),
                    *scope = NULL;
    if (!is_said && profile == NULL)
        return true;
    if (place->encryption != NULL && g_strcmp0(profile, place->encryption) != 0)
        return refuse(service, caller, "policy_denied", "leave it out", error,
                      "The workspace has the encryption profile %s, and no other",
                      place->encryption);
    if (profile == NULL ||
        !find_encryption_scope(service, place->encryption == NULL ? mandate : NULL, profile, &scope,
                               error))
        return profile == NULL && refuse(service, caller, "policy_denied", "name one that is there",
                                         error, "/body/encryption_profile_ref is no id");
    if (strcmp(scope, class) == 0)
        return true;
    const char *next = is_said ? "leave it out, or register the encryption profile first"
                               : "update the workspace, with an encryption profile that is there";
    return *scope == '\0'
               ? refuse(service, caller, "policy_denied", next, error,
                        "There is no encryption profile %.*s", SYNCD_ID_TOKEN_MAX, profile)
               : refuse(service, caller, "policy_denied", next, error,
                        "The encryption profile %.*s is for scopes of the class %.*s, not %s",
                        SYNCD_ID_TOKEN_MAX, profile, SYNCD_ID_TOKEN_MAX, scope, class);
}

/* ---- all of it ---- */

bool syncd_service_check_scope_place(SyncdService *service, const SyncdCaller *caller,
                                     const SyncdMandate *mandate, const char *scope,
                                     const char *class, SyncdPlace *ret_place, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    if (!syncd_service_find_place(service, scope, class, &place, error))
        return false;
    const char *workspace = strcmp(class, "workspace") == 0 ? place.workspace : NULL;
    const char *profile = workspace != NULL || strcmp(class, "profile") == 0 ? place.profile : NULL;
    if (!syncd_service_require_reach(service, caller, mandate, workspace, profile, error) ||
        (workspace != NULL &&
         !check_not_ended(service, caller, SYNCD_FAMILY_WORKSPACE, workspace, error)) ||
        (profile != NULL &&
         !check_not_ended(service, caller, SYNCD_FAMILY_PROFILE, profile, error)) ||
        !check_encryption(service, caller, mandate, class, &place, error))
        return false;
    *ret_place = place;
    place = (SyncdPlace){0};
    return true;
}

bool syncd_service_check_workspace_encryption(SyncdService *service, const SyncdCaller *caller,
                                              const char *workspace, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    return syncd_service_find_place(service, workspace, "workspace", &place, error) &&
           check_encryption(service, caller, NULL, "workspace", &place, error);
}

bool syncd_service_check_place(SyncdService *service, const SyncdCaller *caller,
                               const SyncdMandate *mandate, const SyncdRequest *request,
                               const char *scope_class, SyncdPlace *ret_place, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    syncd_operation_read_place(request->body, &place.said);
    if (!syncd_service_find_place(service, request->scope, scope_class, &place, error) ||
        !syncd_service_check_record_place(service, caller, mandate, &place, error) ||
        !check_object(service, caller, mandate, request, &place, error) ||
        !check_encryption(service, caller, mandate, scope_class, &place, error))
        return false;
    *ret_place = place;
    place = (SyncdPlace){0};
    return true;
}
