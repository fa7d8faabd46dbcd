/* What a change is about, before it is judged: who asks, which record it is and where it belongs.
 */
#include "service/registry.h"

#include <string.h>

#define REASON_MAX 512u

static const SyncdFamily *require_family(const char *kind, GError **error)
{
    const SyncdFamily *family = syncd_family_find(kind);
    if (family == NULL) {
        g_autofree char *known = syncd_family_list();
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "use one of these",
                             "There is no registry of that kind; there are %s", known);
    }
    return family;
}

bool syncd_service_registry_is_configuration(const char *kind, bool *ret_is, GError **error)
{
    const SyncdFamily *family = require_family(kind, error);
    if (family == NULL)
        return false;
    *ret_is = family->configuration;
    return true;
}

/* ---- the document and its id ---- */

static bool parse_record(SyncdChange *change, GError **error)
{
    SyncdBytes record = change->request->record;
    if (change->verb == SYNCD_VERB_REVOKE)
        return true;
    if (record.size > SYNCD_RECORD_SIZE) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "/record has more than %u bytes",
                        SYNCD_RECORD_SIZE);
        return false;
    }
    if (!syncd_json_check(record.data, record.size, SYNCD_JSON_MUST_BE_OBJECT, error)) {
        g_prefix_error(error, "/record: ");
        return false;
    }
    change->record = syncd_json_root(record.data, record.size);
    SyncdJson schema = syncd_json_member(change->record, "schema");
    if (schema.type == SYNCD_JSON_NONE || syncd_json_is(schema, change->family->schema))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/schema must be \"%s\" when it is given", change->family->schema);
    return false;
}

static bool is_name(const char *id)
{
    size_t size = strlen(id);
    bool plain = size > 0 && size <= SYNCD_ID_TOKEN_MAX;
    for (size_t i = 0; plain && i < size; i++)
        plain = g_ascii_isgraph(id[i]) && strchr("\"\\", id[i]) == NULL;
    return plain;
}

/* The id of a scope is its text, and says to which class the record belongs. */
static bool names_its_scope(const SyncdFamily *family, const char *id)
{
    const char *class, *name;
    return syncd_scope_parse(id, &class, &name, NULL) && strcmp(class, family->name) == 0;
}

static bool check_id(const SyncdFamily *family, const char *id, GError **error)
{
    if (family->home == SYNCD_HOME_ITSELF && !names_its_scope(family, id)) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/%s must be \"%s:\" and a name of letters, digits, '.', '_', ':' "
                        "or '-'",
                        family->id, family->name);
        return false;
    }
    if (family->opaque ? syncd_id_is_token(id, strlen(id)) : is_name(id))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/%s must be an id of at most %d %s", family->id, SYNCD_ID_TOKEN_MAX,
                    family->opaque ? "letters, digits, '.', '_', ':' or '-', beginning with a "
                                     "letter or digit"
                                   : "visible ASCII characters");
    return false;
}

/* An id and, where it has one, its version: only what lacks is named. */
static bool refuse_nameless(const SyncdChange *change, GError **error)
{
    const SyncdFamily *family = change->family;
    g_autofree char *id = syncd_record_member(change->record, family->id);
    bool both = *id == '\0' && family->version != NULL &&
                syncd_json_member(change->record, family->version).type == SYNCD_JSON_NONE;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/record/%s must be there%s%s",
                    *id == '\0' ? family->id : family->version, both ? ", and /record/" : "",
                    both ? family->version : "");
    return false;
}

static bool find_id(SyncdChange *change, GError **error)
{
    const SyncdFamily *family = change->family;
    const char *given = change->request->id;
    bool may_be_made = change->verb == SYNCD_VERB_REGISTER && family->opaque;
    if (change->verb != SYNCD_VERB_REVOKE)
        change->id = syncd_family_record_id(family, change->record);
    if (change->id == NULL && given != NULL)
        change->id = g_strdup(given);
    else if (change->id == NULL && may_be_made &&
             syncd_json_member(change->record, family->id).type == SYNCD_JSON_NONE)
        change->id = syncd_id_new(change->service->sources, family->name);
    if (change->id == NULL)
        return refuse_nameless(change, error);
    if (given != NULL && strcmp(given, change->id) != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/%s is not the id of the record that is to be changed", family->id);
        return false;
    }
    return check_id(family, change->id, error);
}

/* ---- where it is, and where it belongs ---- */

bool syncd_registry_look_up(SyncdChange *change, GError **error)
{
    if (!syncd_store_find_record(change->service->store, change->family, change->id, &change->row,
                                 &change->present, error))
        return false;
    if (!change->present)
        return true;
    change->scope_id = g_strdup(change->row.scope);
    return syncd_registry_read(change->service, &change->row, &change->body, &change->previous,
                               error);
}

static char *home_of(const SyncdChange *change)
{
    switch (change->family->home) {
    case SYNCD_HOME_ITSELF:
        return g_strdup(change->id);
    case SYNCD_HOME_WORKSPACE:
        return syncd_record_member(change->record, "workspace_id");
    case SYNCD_HOME_CHOSEN:
        return g_strdup(change->request->scope != NULL ? change->request->scope : "device");
    case SYNCD_HOME_DEVICE:
        break;
    }
    return g_strdup("device");
}

bool syncd_registry_check_presence(const SyncdChange *change, GError **error)
{
    const char *name = change->family->name;
    if (!change->present && change->verb != SYNCD_VERB_REGISTER) {
        syncd_registry_refuse_absent(change->family, change->id, error);
        return false;
    }
    if (change->present && change->verb == SYNCD_VERB_REGISTER) {
        bool ended = strcmp(change->row.state, syncd_family_end_state(change->family)) == 0;
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             !ended ? "update it, or use another id"
                             : change->family == syncd_family(SYNCD_FAMILY_OBJECT)
                                 ? "enqueue an operation with \"restore\" to have a new version of "
                                   "it, or use another id"
                                 : "use another id: one is never used again",
                             "The %s %s is registered already and is %s", name, change->id,
                             change->row.state);
        return false;
    }
    guint64 expected = change->request->expected;
    if (expected != 0 && (!change->present || change->row.pos != expected)) {
        syncd_set_error(error, SYNCD_ERROR_STALE_DIGEST,
                        "The %s %s was changed since: it is sequence number %" G_GUINT64_FORMAT,
                        name, change->id, change->row.pos);
        return false;
    }
    return true;
}

/* A record stays in the feed where it was registered. */
bool syncd_registry_find_home(SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    if (change->scope_id != NULL)
        return true;
    if (!change->present && change->verb != SYNCD_VERB_REGISTER)
        return syncd_registry_check_presence(change, error);
    change->scope_text = home_of(change);
    if (*change->scope_text == '\0') {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/workspace_id must be there, as \"workspace:notes\": it says where "
                        "the record belongs");
        return false;
    }
    if (!syncd_scope_parse(change->scope_text, &class, &name, error)) {
        g_prefix_error(error, "Where the record belongs: ");
        return false;
    }
    if (!syncd_store_find_scope(change->service->store, class, name, &scope, error))
        return false;
    if (scope != NULL)
        change->scope_id = g_strdup(scope->id);
    return true;
}

/* ---- who may do it ---- */

static const char *capability_of(const SyncdChange *change)
{
    if (change->migrates)
        return "migrate_schema";
    return change->verb == SYNCD_VERB_REVOKE ? change->family->end : change->family->capability;
}

static bool check_mandate(SyncdChange *change, GError **error)
{
    SyncdService *service = change->service;
    const SyncdFamily *family = change->family;
    if (family->configuration && !syncd_mandate_configures(change->mandate)) {
        syncd_service_note_refusal(service, change->caller, "configure", "agent_untrusted");
        syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, "let the person who owns it do it",
                             "Only a person may change %ss, and %s is of the type %s", family->name,
                             change->actor, change->mandate->type);
        return false;
    }
    return syncd_service_require_capability(service, change->caller, change->mandate,
                                            capability_of(change), error);
}

/* ---- all of it ---- */

/* What is new was made from nothing. */
static bool check_expected(const SyncdChange *change, GError **error)
{
    if (change->verb != SYNCD_VERB_REGISTER || change->request->expected == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "leave it out, or update the record",
                         "\"expected\" does not go with a registration");
    return false;
}

static bool check_reason(const char *reason, GError **error)
{
    if (reason == NULL || strlen(reason) <= REASON_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "\"reason\" has more than %u bytes", REASON_MAX);
    return false;
}

/* What can be known without asking whether the change may be made: who, what and where. */
bool syncd_registry_take_apart(SyncdChange *change, GError **error)
{
    change->family = require_family(change->request->kind, error);
    if (change->family == NULL)
        return false;
    change->mandate = syncd_service_require_mandate(change->service, change->caller, error);
    if (change->mandate == NULL)
        return false;
    change->actor = g_strdup(change->mandate->actor);
    return check_mandate(change, error) &&
           syncd_service_check_key(change->request->idempotency_key, error) &&
           check_expected(change, error) && check_reason(change->request->reason, error) &&
           parse_record(change, error) && find_id(change, error) &&
           syncd_registry_look_up(change, error);
}
