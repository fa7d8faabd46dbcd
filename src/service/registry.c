#include "service/registry.h"

#include "contract/check.h"

#include <string.h>

#define REASON_MAX 512u
#define UNDECIDED "undecided"

void syncd_registered_clear(SyncdRegistered *registered)
{
    g_clear_pointer(&registered->id, g_free);
    g_clear_pointer(&registered->operation, g_free);
}

void syncd_change_clear(SyncdChange *change)
{
    g_clear_pointer(&change->mandate, syncd_mandate_unref);
    g_clear_pointer(&change->actor, g_free);
    syncd_record_row_clear(&change->row);
    syncd_body_clear(&change->body);
    g_clear_pointer(&change->id, g_free);
    g_clear_pointer(&change->state, g_free);
    g_clear_pointer(&change->scope_text, g_free);
    g_clear_pointer(&change->scope_id, g_free);
}

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

bool syncd_registry_read(SyncdService *service, const SyncdRecordRow *row, SyncdBody *ret_body,
                         SyncdJson *ret_record, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    if (!syncd_store_read(service->store, row->pos, &entry, error) ||
        !syncd_store_read_body(service->store, &entry, ret_body, error) ||
        !syncd_json_check(ret_body->content, ret_body->content_size, SYNCD_JSON_MUST_BE_OBJECT,
                          error))
        return false;
    *ret_record = syncd_json_root(ret_body->content, ret_body->content_size);
    return true;
}

bool syncd_registry_find_live(SyncdService *service, SyncdFamilyId family, const char *id,
                              SyncdRecordRow *ret_row, bool *ret_found, GError **error)
{
    g_auto(SyncdRecordRow) row = {0};
    if (!syncd_store_find_record(service->store, syncd_family(family), id, &row, ret_found, error))
        return false;
    if (*ret_found && strcmp(row.state, syncd_family_end_state(row.family)) == 0)
        *ret_found = false;
    if (*ret_found) {
        *ret_row = row;
        row = (SyncdRecordRow){0};
    }
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
    if (change->id == NULL) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/record/%s must be there%s%s",
                        family->id, family->version != NULL ? ", and /record/" : "",
                        family->version != NULL ? family->version : "");
        return false;
    }
    if (given != NULL && strcmp(given, change->id) != 0) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/record/%s is not the id of the record that is to be changed", family->id);
        return false;
    }
    return check_id(family, change->id, error);
}

/* ---- where it is, and where it belongs ---- */

static bool look_up(SyncdChange *change, GError **error)
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

static bool check_presence(const SyncdChange *change, GError **error)
{
    const char *name = change->family->name;
    if (!change->present && change->verb != SYNCD_VERB_REGISTER) {
        syncd_registry_refuse_absent(change->family, change->id, error);
        return false;
    }
    if (change->present && change->verb == SYNCD_VERB_REGISTER) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS,
                             "use another id, since one is never used again, or update this one if "
                             "it has not ended",
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
static bool find_home(SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    if (change->scope_id != NULL)
        return true;
    if (!change->present && change->verb != SYNCD_VERB_REGISTER)
        return check_presence(change, error);
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

static bool open_home(SyncdChange *change, GError **error)
{
    const char *class, *name;
    g_autoptr(SyncdScope) scope = NULL;
    SyncdService *service = change->service;
    bool had_turn = syncd_service_has_turn(service);
    if (change->scope_id != NULL)
        return true;
    if (!syncd_scope_parse(change->scope_text, &class, &name, error) ||
        !syncd_store_open_scope(service->store, class, name, change->actor, &scope, error))
        return false;
    if (!had_turn && service->listener.turn_opened != NULL)
        service->listener.turn_opened(service->listener.data);
    change->scope_id = g_strdup(scope->id);
    return true;
}

/* ---- the step ---- */

static bool set_state(SyncdChange *change, GError **error)
{
    const SyncdFamily *family = change->family;
    if (change->verb == SYNCD_VERB_REVOKE) {
        change->state = g_strdup(syncd_family_end_state(family));
        return true;
    }
    if (family->state == NULL || syncd_family_stamps(family, family->state)) {
        change->state = g_strdup(SYNCD_STATE_ACTIVE);
        return true;
    }
    change->state = syncd_family_record_state(family, change->record);
    if (change->state == NULL)
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/record/%s must be a text",
                        family->state);
    return change->state != NULL;
}

static bool find_step(SyncdChange *change, GError **error)
{
    const char *from = change->present ? change->row.state : SYNCD_STATE_ABSENT;
    change->step = syncd_transition_find(change->family, change->verb, from, change->state);
    if (change->step != NULL)
        return true;
    if (change->present && strcmp(from, change->state) == 0)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "register another one instead",
                             "The %s %s is %s already, and is not changed any more",
                             change->family->name, change->id, from);
    else
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "see its present state, and what may follow, in org.sourceos.Sync(5)",
                             "The %s %s is %s and cannot become %.64s", change->family->name,
                             change->id, change->present ? from : "new", change->state);
    return false;
}

/* ---- who may do it ---- */

static const char *capability_of(const SyncdChange *change)
{
    if (change->migrates)
        return "migrate_schema";
    return change->verb == SYNCD_VERB_REVOKE ? change->family->end : change->family->capability;
}

static bool is_deletion(const SyncdChange *change)
{
    return change->verb == SYNCD_VERB_REVOKE && change->family == syncd_family(SYNCD_FAMILY_OBJECT);
}

static const char *lane_of(const SyncdChange *change)
{
    if (change->lane != NULL)
        return change->lane;
    if (change->migrates)
        return SYNCD_LANE_MIGRATION;
    if (is_deletion(change))
        return SYNCD_LANE_TOMBSTONE;
    return change->family->configuration ? SYNCD_LANE_AUDIT : SYNCD_LANE_NORMAL;
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

static SyncdBytes text_part(const char *text)
{
    return text != NULL ? SYNCD_BYTES_TEXT(text) : SYNCD_BYTES_TEXT("");
}

static bool check_reason(const char *reason, GError **error)
{
    if (reason == NULL || strlen(reason) <= REASON_MAX)
        return true;
    syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "\"reason\" has more than %u bytes", REASON_MAX);
    return false;
}

/* What can be known without asking whether the change may be made: who, what and where. */
static bool take_apart(SyncdChange *change, GError **error)
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
           check_reason(change->request->reason, error) && parse_record(change, error) &&
           find_id(change, error) && look_up(change, error);
}

/* The document as it would be written keeps to its contract; only the decision is not there yet. */
static bool check_contract(const SyncdChange *change, GError **error)
{
    g_autoptr(GString) document = g_string_new(NULL);
    syncd_registry_compose(change, UNDECIDED, document);
    return syncd_contract_demand(change->family->schema,
                                 syncd_json_root(document->str, document->len), "/record", error);
}

static bool check(SyncdChange *change, GError **error)
{
    if (!check_presence(change, error))
        return false;
    if (change->verb == SYNCD_VERB_REVOKE)
        change->record = change->previous;
    return set_state(change, error) && check_contract(change, error) &&
           syncd_registry_check_family(change, error) && find_step(change, error);
}

static bool write_entry(SyncdChange *change, const char *decision, SyncdReceipt *ret_receipt,
                        GError **error)
{
    g_autofree char *meta = syncd_registry_make_meta(change);
    g_autoptr(GString) content = g_string_new(NULL);
    syncd_registry_compose(change, decision, content);
    SyncdDraft draft = {
        .kind = change->step->kind,
        .actor = change->actor,
        .object = change->family->opaque ? change->id : "",
        .decision = decision,
        .engine = "",
        .lane = lane_of(change),
        .schema_id = change->family->schema,
        .schema_version = 1,
        .idempotency_key = change->request->idempotency_key,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    return syncd_service_append(change->service, change->scope_id, &draft, ret_receipt, error);
}

/* Whoever ends the record of an object deletes the object, with all that belongs to it. */
static bool delete_object(SyncdChange *change, const char *decision, SyncdReceipt *ret_receipt,
                          GError **error)
{
    SyncdService *service = change->service;
    g_autofree char *request = NULL;
    const SyncdDeleting deleting = {change->actor, change->id, change->scope_id, decision,
                                    change->data_class};
    return syncd_service_request_deletion(service, &deleting, &request, error) &&
           syncd_service_begin_deletion(service, &deleting, request, error) &&
           write_entry(change, decision, ret_receipt, error) &&
           syncd_service_end_deletion(service, &deleting, request, error);
}

static bool delete_whole(SyncdChange *change, const char *decision, SyncdReceipt *ret_receipt,
                         GError **error)
{
    g_autoptr(GError) failure = NULL;
    return syncd_service_begin_whole(change->service, error) &&
           syncd_service_end_whole(change->service,
                                   delete_object(change, decision, ret_receipt, &failure), &failure,
                                   error);
}

static bool write_change(SyncdChange *change, const SyncdDecisions *decisions,
                         SyncdRegistered *ret_registered, GError **error)
{
    g_auto(SyncdReceipt) receipt = {0};
    const char *decision = decisions->decisions[0].id;
    if (!(is_deletion(change) ? delete_whole : write_entry)(change, decision, &receipt, error))
        return false;
    *ret_registered = (SyncdRegistered){g_steal_pointer(&change->id), g_steal_pointer(&receipt.op),
                                        receipt.pos, false};
    return true;
}

bool syncd_registry_move_object(SyncdService *service, const SyncdDeleting *deleting,
                                SyncdRegistryVerb verb, const char *lane, GError **error)
{
    const SyncdRegistryRequest request = {.kind = "object"};
    g_auto(SyncdReceipt) receipt = {0};
    g_auto(SyncdChange) change = {.service = service,
                                  .request = &request,
                                  .verb = verb,
                                  .family = syncd_family(SYNCD_FAMILY_OBJECT),
                                  .actor = g_strdup(deleting->actor),
                                  .id = g_strdup(deleting->object),
                                  .lane = lane,
                                  .data_class = deleting->data_class};
    if (!look_up(&change, error))
        return false;
    bool ended =
        change.present && strcmp(change.row.state, syncd_family_end_state(change.family)) == 0;
    if (!change.present || ended == (verb == SYNCD_VERB_REVOKE))
        return true;
    change.record = change.previous;
    return (verb == SYNCD_VERB_REVOKE ? set_state(&change, error)
                                      : syncd_registry_judge_object(&change, error)) &&
           find_step(&change, error) && write_entry(&change, deleting->decision, &receipt, error);
}

/* Policy is asked last, as of every write. */
static SyncdDecisions *decide(const SyncdChange *change, GError **error)
{
    SyncdPolicyRequest asked = {{NULL}};
    const char *class, *name;
    g_autofree char *type = syncd_record_member(change->record, "object_type");
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id");
    g_autofree char *profile = syncd_record_member(change->record, "profile_id");
    g_autofree char *scope =
        change->scope_id != NULL
            ? syncd_service_scope_text(change->service, SYNCD_BYTES_TEXT(change->scope_id))
            : g_strdup(change->scope_text);
    asked.fields[SYNCD_FIELD_LANE] = lane_of(change);
    asked.fields[SYNCD_FIELD_DATA_CLASS] = change->data_class;
    if (is_deletion(change))
        asked.fields[SYNCD_FIELD_OPERATION_TYPE] = "sync.operation.enqueue";
    if (syncd_scope_parse(scope, &class, &name, NULL))
        syncd_ask_about_scope(&asked, scope, class);
    if (*workspace != '\0')
        asked.fields[SYNCD_FIELD_WORKSPACE] = workspace;
    if (*profile != '\0')
        asked.fields[SYNCD_FIELD_PROFILE] = profile;
    if (change->family == syncd_family(SYNCD_FAMILY_PLAN) && change->verb != SYNCD_VERB_REVOKE &&
        syncd_registry_plan_sends(change)) {
        asked.fields[SYNCD_FIELD_ACTION] = "replicate";
        if (!syncd_registry_may_replicate(change, &asked, error))
            return NULL;
    }
    if (change->family == syncd_family(SYNCD_FAMILY_OBJECT)) {
        g_auto(SyncdPlace) place = {g_steal_pointer(&workspace), g_steal_pointer(&profile)};
        asked.fields[SYNCD_FIELD_OBJECT] = change->id;
        asked.fields[SYNCD_FIELD_OBJECT_TYPE] = type;
        if (change->present)
            syncd_place_of_object(&change->row, &place);
        return syncd_service_decide_in(change->service, change->caller, change->actor, &asked,
                                       &place, error);
    }
    return syncd_service_decide(change->service, change->caller, change->actor, &asked, error);
}

bool syncd_registry_prepare(SyncdChange *change, SyncdDecisions **ret_decisions, GError **error)
{
    if (!take_apart(change, error) || !find_home(change, error) || !check(change, error))
        return false;
    *ret_decisions = decide(change, error);
    return *ret_decisions != NULL;
}

bool syncd_registry_write(SyncdChange *change, SyncdDecisions *decisions,
                          SyncdRegistered *ret_registered, GError **error)
{
    return open_home(change, error) &&
           syncd_service_record_decisions(change->service, change->actor, decisions, error) &&
           write_change(change, decisions, ret_registered, error);
}

/* Opening a scope is an entry of its own. */
static bool write_whole(SyncdChange *change, SyncdDecisions *decisions,
                        SyncdRegistered *ret_registered, GError **error)
{
    g_autoptr(GError) failure = NULL;
    return syncd_service_begin_whole(change->service, error) &&
           syncd_service_end_whole(
               change->service, syncd_registry_write(change, decisions, ret_registered, &failure),
               &failure, error);
}

/* The arguments, in the order that their signature covers. */
static bool heed_claim(SyncdService *service, const SyncdCaller *caller, SyncdRegistryVerb verb,
                       const SyncdRegistryRequest *request, SyncdCaller *ret_caller, GError **error)
{
    static const char *const methods[] = {
        [SYNCD_VERB_REGISTER] = "Registry.Register",
        [SYNCD_VERB_UPDATE] = "Registry.Update",
        [SYNCD_VERB_REVOKE] = "Registry.Revoke",
    };
    char expected[24];
    g_snprintf(expected, sizeof expected, "%" G_GUINT64_FORMAT, request->expected);
    const SyncdBytes parts[] = {
        text_part(request->kind),  text_part(request->id),     request->record,
        text_part(request->scope), text_part(request->reason), text_part(expected),
    };
    return syncd_service_heed_claim(service, caller, &request->claim, methods[verb],
                                    request->idempotency_key, parts, G_N_ELEMENTS(parts),
                                    ret_caller, error);
}

static bool change_record(SyncdService *service, const SyncdCaller *caller, SyncdRegistryVerb verb,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error)
{
    SyncdCaller signer;
    if (!heed_claim(service, caller, verb, request, &signer, error))
        return false;
    g_auto(SyncdChange) change = {.service = service,
                                  .caller = &signer,
                                  .request = request,
                                  .verb = verb,
                                  .data_class = SYNCD_POLICY_DATA_CLASS};
    guint64 first;
    if (!take_apart(&change, error) || !find_home(&change, error) ||
        !syncd_registry_find_first(&change, &first, error))
        return false;
    if (first != 0)
        return syncd_registry_take_first(&change, first, ret_registered, error);
    if (!check(&change, error))
        return false;
    g_autoptr(SyncdDecisions) decisions = decide(&change, error);
    return decisions != NULL && (change.scope_id == NULL ? write_whole : syncd_registry_write)(
                                    &change, decisions, ret_registered, error);
}

bool syncd_service_register(SyncdService *service, const SyncdCaller *caller,
                            const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                            GError **error)
{
    return change_record(service, caller, SYNCD_VERB_REGISTER, request, ret_registered, error);
}

bool syncd_service_update(SyncdService *service, const SyncdCaller *caller,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error)
{
    return change_record(service, caller, SYNCD_VERB_UPDATE, request, ret_registered, error);
}

bool syncd_service_revoke(SyncdService *service, const SyncdCaller *caller,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error)
{
    return change_record(service, caller, SYNCD_VERB_REVOKE, request, ret_registered, error);
}
