#include "service/registry.h"

#include "contract/check.h"

#include <string.h>

#define UNDECIDED "undecided"

void syncd_registered_clear(SyncdRegistered *registered)
{
    g_clear_pointer(&registered->id, g_free);
    g_clear_pointer(&registered->operation, g_free);
    g_clear_pointer(&registered->unknown, g_strfreev);
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
    bool ended = change->present && strcmp(from, syncd_family_end_state(change->family)) == 0;
    if (ended || (change->present && strcmp(from, change->state) == 0))
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

/* ---- all of it ---- */

static SyncdBytes text_part(const char *text)
{
    return text != NULL ? SYNCD_BYTES_TEXT(text) : SYNCD_BYTES_TEXT("");
}

/* The document as it would be written keeps to its contract; only the decision is not there yet. */
static bool check_contract(const SyncdChange *change, GError **error)
{
    g_autoptr(GString) document = g_string_new(NULL);
    syncd_registry_compose(change, UNDECIDED, document);
    return syncd_contract_demand(change->family->schema,
                                 syncd_json_root(document->str, document->len), "/record", error);
}

bool syncd_registry_reaches(const SyncdChange *change, const SyncdRecordRow *row, bool *ret_reaches,
                            GError **error)
{
    const SyncdReach reach = {.mandate = change->mandate};
    return syncd_service_reaches_record(change->service, &reach, row, ret_reaches, error);
}

/* Whoever does not reach a place hears nothing of what is there, not even that it is. */
static bool check_hidden(const SyncdChange *change, GError **error)
{
    bool seen = true;
    if (change->present && !syncd_registry_reaches(change, &change->row, &seen, error))
        return false;
    if (seen)
        return true;
    syncd_service_note_refusal(change->service, change->caller, "write",
                               "workspace_scope_mismatch");
    if (change->verb == SYNCD_VERB_REGISTER)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "use another id",
                             "The id %s cannot be used", change->id);
    else
        syncd_registry_refuse_absent(change->family, change->id, error);
    return false;
}

static bool check(SyncdChange *change, GError **error)
{
    if (!check_hidden(change, error) || !syncd_registry_check_presence(change, error))
        return false;
    if (change->verb == SYNCD_VERB_REVOKE)
        change->record = change->previous;
    return set_state(change, error) && check_contract(change, error) &&
           syncd_registry_check_family(change, error) && find_step(change, error);
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
    if (!syncd_registry_look_up(&change, error))
        return false;
    bool ended =
        change.present && strcmp(change.row.state, syncd_family_end_state(change.family)) == 0;
    if (!change.present || ended == (verb == SYNCD_VERB_REVOKE))
        return true;
    change.record = change.previous;
    return (verb == SYNCD_VERB_REVOKE ? set_state(&change, error)
                                      : syncd_registry_judge_object(&change, error)) &&
           find_step(&change, error) &&
           syncd_registry_write_entry(&change, deleting->decision, &receipt, error);
}

/* A root does not say in which profile it lies: its workspace does. */
static char *profile_of(const SyncdChange *change, const char *workspace, GError **error)
{
    g_auto(SyncdPlace) place = {0};
    if (change->family != syncd_family(SYNCD_FAMILY_ROOT))
        return syncd_record_member(change->record, "profile_id");
    return syncd_service_find_place(change->service, workspace, "workspace", &place, error)
               ? g_steal_pointer(&place.profile)
               : NULL;
}

/* Policy is asked last, as of every write. */
static SyncdDecisions *decide(const SyncdChange *change, GError **error)
{
    SyncdPolicyRequest asked = {{NULL}};
    const char *class, *name;
    g_autofree char *type = syncd_record_member(change->record, "object_type");
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id");
    g_autofree char *profile = profile_of(change, workspace, error);
    if (profile == NULL)
        return NULL;
    g_autofree char *scope =
        change->scope_id != NULL
            ? syncd_service_scope_text(change->service, SYNCD_BYTES_TEXT(change->scope_id))
            : g_strdup(change->scope_text);
    asked.fields[SYNCD_FIELD_LANE] = syncd_registry_lane(change);
    asked.fields[SYNCD_FIELD_DATA_CLASS] = change->data_class;
    if (syncd_registry_is_deletion(change))
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
    if (!syncd_registry_take_apart(change, error) || !syncd_registry_find_home(change, error) ||
        !check(change, error))
        return false;
    *ret_decisions = decide(change, error);
    return *ret_decisions != NULL;
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

/* Nobody may keep a signature that was not spent, and use it for the thing itself. */
static bool check_dry_run(const SyncdRegistryRequest *request, GError **error)
{
    if (!request->dry_run || request->claim.actor == NULL)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_ARGS, "leave one of them out",
                         "\"dry_run\" does not go with a signature, which counts once");
    return false;
}

static bool try_record(SyncdChange *change, SyncdRegistered *ret_registered, GError **error)
{
    if (!syncd_registry_may_write(change, error))
        return false;
    *ret_registered = (SyncdRegistered){.id = g_strdup(change->id), .operation = g_strdup("")};
    return true;
}

static bool find_unknown(const SyncdChange *change, char ***ret_unknown, GError **error)
{
    return change->verb == SYNCD_VERB_REVOKE ||
           syncd_registry_find_unknown(change, ret_unknown, error);
}

/* What was done stays done, whatever can be read by now of what its members mean. */
static bool answer_again(SyncdChange *change, guint64 first, SyncdRegistered *ret_registered,
                         GError **error)
{
    if (!syncd_registry_take_first(change, first, ret_registered, error))
        return false;
    find_unknown(change, &ret_registered->unknown, NULL);
    if (change->request->dry_run) {
        g_free(ret_registered->operation);
        ret_registered->operation = g_strdup("");
        ret_registered->sequence = 0;
    }
    return true;
}

static bool carry_out(SyncdChange *change, SyncdRegistered *ret_registered, GError **error)
{
    guint64 first;
    g_auto(GStrv) unknown = NULL;
    if (!syncd_registry_find_home(change, error) ||
        !syncd_registry_find_first(change, &first, error))
        return false;
    if (first != 0)
        return answer_again(change, first, ret_registered, error);
    if (!check(change, error) || !find_unknown(change, &unknown, error))
        return false;
    g_autoptr(SyncdDecisions) decisions = decide(change, error);
    bool done = decisions != NULL &&
                (change->request->dry_run ? try_record(change, ret_registered, error)
                 : change->scope_id == NULL
                     ? syncd_registry_write_whole(change, decisions, ret_registered, error)
                     : syncd_registry_write(change, decisions, ret_registered, error));
    if (done)
        ret_registered->unknown = g_steal_pointer(&unknown);
    return done;
}

static bool change_record(SyncdService *service, const SyncdCaller *caller, SyncdRegistryVerb verb,
                          const SyncdRegistryRequest *request, SyncdRegistered *ret_registered,
                          GError **error)
{
    SyncdCaller signer;
    if (!check_dry_run(request, error) ||
        !heed_claim(service, caller, verb, request, &signer, error))
        return false;
    signer.rehearses |= request->dry_run;
    g_auto(SyncdChange) change = {.service = service,
                                  .caller = &signer,
                                  .request = request,
                                  .verb = verb,
                                  .data_class = SYNCD_POLICY_DATA_CLASS};
    return syncd_registry_take_apart(&change, error) && carry_out(&change, ret_registered, error);
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
