#include "service/internal.h"

#include "base/canonical.h"
#include "contract/vocabulary.h"
#include "store/missing-keys.h"

void syncd_admission_clear(SyncdAdmission *admission)
{
    g_clear_pointer(&admission->actor, g_free);
    g_clear_pointer(&admission->meta, g_free);
    g_clear_pointer(&admission->decisions, syncd_decisions_unref);
}

/* ---- single members ---- */

static bool find_word(SyncdVocabulary vocabulary, const char *path, const char *word,
                      const char **ret_word, GError **error)
{
    *ret_word = syncd_vocabulary_find(vocabulary, SYNCD_BYTES_TEXT(word));
    if (*ret_word != NULL)
        return true;
    g_autofree char *known = syncd_vocabulary_list(vocabulary);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s is no %s; there are %s", path,
                    syncd_vocabulary_name(vocabulary), known);
    return false;
}

/* The others are about one operation, and go their own way (operations.c). */
static bool check_type(const char *type, const SyncdKind **ret_kind, GError **error)
{
    if (!syncd_kind_check_enqueue(type, ret_kind, error))
        return false;
    if (strcmp((*ret_kind)->kind, "operation.enqueue") == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "send it alone, with Enqueue",
                         "/type: %s is not taken among others", type);
    return false;
}

static bool check_object(const char *object, GError **error)
{
    if (*object == '\0' || syncd_id_is_token(object, strlen(object)))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/object must be empty or an id: 1 to %d letters, digits, '.', '_', ':' or "
                    "'-', beginning with a letter or digit",
                    SYNCD_ID_TOKEN_MAX);
    return false;
}

static bool has_control(const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text))
        if (g_unichar_iscntrl(g_utf8_get_char(text)))
            return true;
    return false;
}

bool syncd_service_check_key(const char *key, GError **error)
{
    if (key == NULL)
        return true;
    size_t size = strlen(key);
    if (size > 0 && size <= SYNCD_STORE_KEY_MAX && g_utf8_validate(key, (gssize)size, NULL) &&
        !has_control(key))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/idempotency_key must be 1 to %u bytes of UTF-8 without control characters",
                    SYNCD_STORE_KEY_MAX);
    return false;
}

static bool check_body(SyncdBytes body, GError **error)
{
    if (body.size > SYNCD_STORE_CONTENT_MAX) {
        syncd_set_error(error, SYNCD_ERROR_TOO_LARGE, "/body has more than %u bytes",
                        SYNCD_STORE_CONTENT_MAX);
        return false;
    }
    return syncd_operation_check_body(body, error);
}

/* ---- the request ---- */

/* The log holds parents as leaf hashes; their ids stand beside them, for the record. */
static char *make_meta(const SyncdAdmission *admission, const SyncdPlace *place)
{
    const SyncdRequest *request = admission->request;
    g_autoptr(GString) text = g_string_sized_new(256);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "data_class", admission->data_class);
    if (request->idempotency_key != NULL)
        syncd_json_member_string(&writer, "idempotency_key", request->idempotency_key);
    if (admission->n_parents > 0) {
        syncd_json_name(&writer, "parents");
        syncd_json_begin_array(&writer);
        for (unsigned i = 0; i < admission->n_parents; i++)
            syncd_json_string(&writer, request->parents[i]);
        syncd_json_end_array(&writer);
    }
    syncd_json_member_string(&writer, "type", request->type);
    syncd_place_write(place, admission->scope_class, &place->said, &writer);
    syncd_json_end_object(&writer);

    GString *canonical = g_string_sized_new(256);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return g_string_free(canonical, FALSE);
}

static bool ask_policy(SyncdService *service, const SyncdCaller *caller, const SyncdPlace *place,
                       SyncdAdmission *admission, GError **error)
{
    const SyncdRequest *request = admission->request;
    SyncdPolicyRequest asked = {{NULL}};
    asked.fields[SYNCD_FIELD_LANE] = admission->lane;
    asked.fields[SYNCD_FIELD_DATA_CLASS] = admission->data_class;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = request->type;
    syncd_ask_about_scope(&asked, request->scope, admission->scope_class);
    if (*request->object != '\0')
        asked.fields[SYNCD_FIELD_OBJECT] = request->object;
    admission->decisions =
        syncd_service_decide_in(service, caller, admission->actor, &asked, place, error);
    return admission->decisions != NULL;
}

static SyncdMandate *require_writer(SyncdService *service, const SyncdCaller *caller,
                                    SyncdAdmission *admission, GError **error)
{
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    const char *lane = admission->request->lane;
    bool deletes = lane != NULL && strcmp(lane, SYNCD_LANE_TOMBSTONE) == 0;
    if (mandate == NULL ||
        !syncd_service_require_capability(service, caller, mandate, "write", error) ||
        (deletes && !syncd_service_require_capability(service, caller, mandate, "delete", error)))
        return NULL;
    admission->actor = g_strdup(mandate->actor);
    return g_steal_pointer(&mandate);
}

bool syncd_service_check_request(SyncdService *service, const SyncdCaller *caller,
                                 const SyncdRequest *request, SyncdAdmission *ret_admission,
                                 GError **error)
{
    SyncdAdmission *admission = ret_admission;
    const char *lane = request->lane != NULL ? request->lane : SYNCD_LANE_NORMAL;
    const char *data_class =
        request->data_class != NULL ? request->data_class : SYNCD_POLICY_DATA_CLASS;

    g_auto(SyncdPlace) place = {0};
    admission->request = request;
    g_autoptr(SyncdMandate) mandate = require_writer(service, caller, admission, error);
    if (mandate == NULL || !check_type(request->type, &admission->kind, error) ||
        !syncd_scope_parse(request->scope, &admission->scope_class, &admission->scope_name,
                           error) ||
        !check_object(request->object, error) ||
        !syncd_service_check_key(request->idempotency_key, error) ||
        !find_word(SYNCD_WORDS_LANE, "/lane", lane, &admission->lane, error) ||
        !find_word(SYNCD_WORDS_DATA_CLASS, "/data_class", data_class, &admission->data_class,
                   error) ||
        !check_body(request->body, error) ||
        !syncd_service_check_place(service, caller, mandate, request, admission->scope_class,
                                   &place, error) ||
        !syncd_service_check_operation_schema(service, request, error) ||
        !syncd_service_check_parents(service, caller, mandate, &place, admission, error))
        return false;
    /* Nothing that is done to an object is less than the object is. */
    if (place.object_class != NULL)
        admission->data_class =
            syncd_policy_graver_class(admission->data_class, place.object_class);
    if (!ask_policy(service, caller, &place, admission, error))
        return false;
    admission->meta = make_meta(admission, &place);
    return true;
}

static void set_no_scope(const char *class, const char *name, GError **error)
{
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "set \"create_scope\" (`--create-scope`) to open it, or correct its name",
                         "There is no scope %s%s%s here", class, *name != '\0' ? ":" : "", name);
}

bool syncd_service_check_scope(SyncdService *service, const SyncdAdmission *admission,
                               GError **error)
{
    g_autoptr(SyncdScope) scope = NULL;
    if (!syncd_store_find_scope(service->store, admission->scope_class, admission->scope_name,
                                &scope, error))
        return false;
    if (scope != NULL || admission->request->create_scope)
        return true;
    if (!syncd_store_check_not_hidden(service->store, NULL, error))
        return false;
    set_no_scope(admission->scope_class, admission->scope_name, error);
    return false;
}

bool syncd_service_require_scope(SyncdService *service, const char *text, SyncdScope **ret_scope,
                                 GError **error)
{
    const char *class, *name;
    if (!syncd_scope_parse(text, &class, &name, error) ||
        !syncd_store_find_scope(service->store, class, name, ret_scope, error))
        return false;
    if (*ret_scope != NULL)
        return true;
    if (!syncd_store_check_not_hidden(service->store, NULL, error))
        return false;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "check the spelling; `sourceos-syncd ops list --json` shows the scopes of "
                         "what there is",
                         "There is no scope %s here", text);
    return false;
}
