/* Reconciling: what an operation and its artifacts are called elsewhere, said once. */
#include "service/internal.h"

#include "base/canonical.h"
#include "base/json-writer.h"
#include "contract/member.h"
#include "domain/names.h"

#define RECONCILE_KIND "operation.reconcile"
#define RECONCILE_SCHEMA "sourceos.operation-reconciliation/v1"
#define ARTIFACTS_MAX 256u
#define NAME_MAX_SIZE 256u

/* ---- what is asked for ---- */

typedef struct {
    SyncdJson remote, artifacts, admission, evidence; /* views of the document */
    char *admission_ref;
    GStrv evidence_refs;
} Wanted;

static void wanted_clear(Wanted *wanted)
{
    g_clear_pointer(&wanted->admission_ref, g_free);
    g_clear_pointer(&wanted->evidence_refs, g_strfreev);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wanted, wanted_clear)

static const struct {
    const char *name;
    SyncdShape shape;
    size_t value; /* where the view goes; G_MAXSIZE for what is only checked */
} members[] = {
    {"remote_operation_id", SYNCD_SHAPE_ID, G_STRUCT_OFFSET(Wanted, remote)},
    {"artifact_reconciliation", SYNCD_SHAPE_ID_MAP, G_STRUCT_OFFSET(Wanted, artifacts)},
    {"artifact_admission_ref", SYNCD_SHAPE_ID, G_STRUCT_OFFSET(Wanted, admission)},
    {"ledger_evidence_refs", SYNCD_SHAPE_ID_LIST, G_STRUCT_OFFSET(Wanted, evidence)},
    {"reconciled_operation_id", SYNCD_SHAPE_ID, G_MAXSIZE},
};

static bool take_member(SyncdJson name, SyncdJson value, Wanted *wanted, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!syncd_json_is(name, members[i].name))
            continue;
        if (members[i].value != G_MAXSIZE)
            *(SyncdJson *)G_STRUCT_MEMBER_P(wanted, members[i].value) = value;
        return syncd_shape_check(members[i].shape, value, "", members[i].name, error);
    }
    g_autofree char *step = syncd_pointer_step(name);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "/%s is no member of a reconciliation",
                    step);
    return false;
}

/* A name from elsewhere may be any text of one line. */
static char *take_name(SyncdJson value, const char *path, GError **error)
{
    g_autofree char *text = syncd_json_dup_text(value);
    bool good = text != NULL && *text != '\0' && strlen(text) <= NAME_MAX_SIZE;
    for (const char *at = text; good && *at != '\0'; at = g_utf8_next_char(at))
        good = !g_unichar_iscntrl(g_utf8_get_char(at));
    if (good)
        return g_steal_pointer(&text);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "%s must be 1 to %u bytes without control characters", path, NAME_MAX_SIZE);
    return NULL;
}

static bool take_evidence(Wanted *wanted, GError **error)
{
    g_autoptr(GPtrArray) refs = g_ptr_array_new_with_free_func(g_free);
    SyncdJsonIter iter;
    SyncdJson value;
    syncd_json_iter_init(&iter, wanted->evidence);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        char *ref = take_name(value, "/ledger_evidence_refs", error);
        if (ref == NULL)
            return false;
        g_ptr_array_add(refs, ref);
    }
    if (refs->len == 0) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "name an entry of the log, or a digest sha256:…, that proves it",
                             "/ledger_evidence_refs is missing or empty");
        return false;
    }
    g_ptr_array_add(refs, NULL);
    wanted->evidence_refs = (GStrv)g_ptr_array_steal(refs, NULL);
    return true;
}

static bool read_wanted(SyncdBytes document, Wanted *wanted, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson name, value;
    if (!syncd_json_check(document.data, document.size, SYNCD_JSON_MUST_BE_OBJECT, error))
        return false;
    syncd_json_iter_init(&iter, syncd_json_root(document.data, document.size));
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!take_member(name, value, wanted, error))
            return false;
    if (wanted->remote.type == SYNCD_JSON_NONE && wanted->artifacts.type == SYNCD_JSON_NONE) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "/remote_operation_id or /artifact_reconciliation must be given");
        return false;
    }
    if (wanted->admission.type != SYNCD_JSON_NONE)
        wanted->admission_ref = take_name(wanted->admission, "/artifact_admission_ref", error);
    return (wanted->admission.type == SYNCD_JSON_NONE || wanted->admission_ref != NULL) &&
           take_evidence(wanted, error);
}

/* ---- contradictions ---- */

typedef struct {
    SyncdService *service;
    char *scope_id;
    SyncdTarget target;
    char *actor;
} Reconciling;

static void reconciling_clear(Reconciling *reconciling)
{
    g_clear_pointer(&reconciling->scope_id, g_free);
    g_clear_pointer(&reconciling->actor, g_free);
    syncd_target_clear(&reconciling->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reconciling, reconciling_clear)

/* `scope_id` NULL: nowhere. */
static bool check_free(const Reconciling *reconciling, const char *family, const char *name,
                       const char *scope_id, const char *path, GError **error)
{
    guint64 pos;
    if (!syncd_store_find_name(reconciling->service->store, family, name, scope_id, &pos, error))
        return false;
    if (pos != 0)
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                             "see what it belongs to with `sourceos-syncd ops reconciled`",
                             "%s names what was reconciled already, sequence number "
                             "%" G_GUINT64_FORMAT,
                             path, pos);
    return pos == 0;
}

static bool check_artifact(const Reconciling *reconciling, SyncdJson provisional_ids,
                           SyncdJson name, SyncdJson value, GHashTable *finals, GError **error)
{
    g_autofree char *step = syncd_pointer_step(name);
    g_autofree char *path = g_strconcat("/artifact_reconciliation/", step, NULL);
    g_autofree char *provisional = take_name(name, path, error);
    g_autofree char *final = provisional != NULL ? take_name(value, path, error) : NULL;
    if (final == NULL)
        return false;
    if (syncd_json_member(provisional_ids, provisional).type == SYNCD_JSON_NONE) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                        "%s is no provisional artifact of the operation %s", path,
                        reconciling->target.operation);
        return false;
    }
    const char *scope_id = reconciling->scope_id;
    if (!check_free(reconciling, SYNCD_FAMILY_PROVISIONAL, provisional, scope_id, path, error) ||
        !check_free(reconciling, SYNCD_FAMILY_FINAL, final, scope_id, path, error))
        return false;
    if (g_hash_table_add(finals, g_steal_pointer(&final)))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT, "%s gives a final id to a second artifact",
                    path);
    return false;
}

/* Each provisional artifact of the operation gets its final id, and no other thing does. */
static bool check_artifacts(const Reconciling *reconciling, const Wanted *wanted, GError **error)
{
    SyncdJson provisional =
        syncd_json_member(syncd_target_content(&reconciling->target), "provisional_artifact_ids");
    guint n = syncd_json_count(wanted->artifacts);
    g_autoptr(GHashTable) finals = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    SyncdJsonIter iter;
    SyncdJson name, value;
    if (n > ARTIFACTS_MAX) {
        syncd_set_error(error, SYNCD_ERROR_LIMITS_EXCEEDED,
                        "/artifact_reconciliation has more than %u members", ARTIFACTS_MAX);
        return false;
    }
    syncd_json_iter_init(&iter, wanted->artifacts);
    while (syncd_json_iter_next(&iter, &name, &value))
        if (!check_artifact(reconciling, provisional, name, value, finals, error))
            return false;
    if (n == syncd_json_count(provisional))
        return true;
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/artifact_reconciliation has %u of the %u provisional artifacts of the "
                    "operation",
                    n, syncd_json_count(provisional));
    return false;
}

/* It allowed something, in the operation's lane, and with no other object. */
static bool admits(const Reconciling *reconciling, guint64 pos, bool *ret_admits, GError **error)
{
    SyncdStore *store = reconciling->service->store;
    const SyncdHeader *header = &reconciling->target.entry.header;
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &entry, error) ||
        !syncd_store_read_body(store, &entry, &body, error))
        return false;
    SyncdJson decision = syncd_json_root(body.content, body.content_size);
    SyncdJson evaluated = syncd_json_member(decision, "evaluated");
    SyncdJson object = syncd_json_member(evaluated, "object_id");
    g_autofree char *lane = syncd_bytes_dup(header->lane), *about = syncd_bytes_dup(header->object);
    *ret_admits = syncd_json_is(syncd_json_member(decision, "effect"), "allow") &&
                  syncd_json_is(syncd_json_member(evaluated, "lane"), lane) &&
                  (object.type != SYNCD_JSON_STRING || syncd_json_is(object, about));
    return true;
}

/* A final id only with a decision that admitted it. */
static bool check_admission(const Reconciling *reconciling, const Wanted *wanted, GError **error)
{
    guint64 pos = 0;
    bool admitted = false;
    if (wanted->admission_ref == NULL && syncd_json_count(wanted->artifacts) == 0)
        return true;
    if (wanted->admission_ref != NULL &&
        !syncd_store_find_decision(reconciling->service->store, wanted->admission_ref, &pos, error))
        return false;
    if (pos != 0 && !admits(reconciling, pos, &admitted, error))
        return false;
    if (!admitted)
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "name a decision that is recorded in this log, as that of the "
                             "operation",
                             pos == 0 ? "/artifact_admission_ref is missing or names no decision"
                                      : "/artifact_admission_ref names a decision about another "
                                        "lane or object, or one that allowed nothing");
    return admitted;
}

static bool check_wanted(const Reconciling *reconciling, const SyncdCaller *caller,
                         const Wanted *wanted, GError **error)
{
    g_autofree char *remote = NULL;
    SyncdLifecycle state = reconciling->target.task.state;
    if (!syncd_lifecycle_move(&state, SYNCD_EVENT_RECONCILE)) {
        syncd_set_error_next(error, SYNCD_ERROR_BUSY, "reconcile it when it is completed",
                             "The operation %s is %s", reconciling->target.operation,
                             syncd_operation_state_name(state.operation));
        return false;
    }
    if (wanted->remote.type != SYNCD_JSON_NONE) {
        remote = take_name(wanted->remote, "/remote_operation_id", error);
        if (remote == NULL || !check_free(reconciling, SYNCD_FAMILY_REMOTE, remote, NULL,
                                          "/remote_operation_id", error))
            return false;
    }
    return check_artifacts(reconciling, wanted, error) &&
           check_admission(reconciling, wanted, error) &&
           syncd_service_check_evidence(reconciling->service, caller, &reconciling->target,
                                        (const char *const *)wanted->evidence_refs, error);
}

/* ---- the entry ---- */

static void member_if(SyncdJsonWriter *writer, const char *name, SyncdJson value)
{
    if (value.type != SYNCD_JSON_NONE)
        syncd_json_member_value(writer, name, value);
}

/* Canonical, so that the same request said otherwise is the same. */
static GString *make_content(const Reconciling *reconciling, const Wanted *wanted)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "schema", RECONCILE_SCHEMA);
    syncd_json_member_string(&writer, "reconciled_operation_id", reconciling->target.operation);
    member_if(&writer, "remote_operation_id", wanted->remote);
    member_if(&writer, "artifact_reconciliation", wanted->artifacts);
    member_if(&writer, "artifact_admission_ref", wanted->admission);
    member_if(&writer, "ledger_evidence_refs", wanted->evidence);
    syncd_json_end_object(&writer);
    GString *canonical = g_string_new(NULL);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return canonical;
}

/* The first reconciliation stands: the same once more is it, another one contradicts it. */
static bool take_first(const Reconciling *reconciling, guint64 pos, const GString *content,
                       SyncdReconciled *ret_reconciled, GError **error)
{
    SyncdStore *store = reconciling->service->store;
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(store, pos, &entry, error) ||
        !syncd_store_read_body(store, &entry, &body, error))
        return false;
    if (body.content_size != content->len ||
        memcmp(body.content, content->str, content->len) != 0) {
        syncd_set_error_next(error, SYNCD_ERROR_ALREADY_RESOLVED,
                             "see how with `sourceos-syncd ops reconciled`",
                             "The operation %s was reconciled in another way, sequence number "
                             "%" G_GUINT64_FORMAT,
                             reconciling->target.operation, pos);
        return false;
    }
    *ret_reconciled = (SyncdReconciled){syncd_bytes_dup(entry.header.op), true};
    return true;
}

void syncd_reconciled_clear(SyncdReconciled *reconciled)
{
    g_clear_pointer(&reconciled->entry, g_free);
}

bool syncd_service_reconcile(SyncdService *service, const SyncdCaller *caller,
                             const char *operation, SyncdBytes document,
                             SyncdReconciled *ret_reconciled, GError **error)
{
    g_auto(Reconciling) reconciling = {.service = service};
    g_auto(Wanted) wanted = {0};
    guint64 first;
    if (!syncd_service_require_writer(service, caller, &reconciling.actor, error) ||
        !read_wanted(document, &wanted, error) ||
        !syncd_service_read_target(service, caller, operation, &reconciling.target, error))
        return false;
    g_autoptr(GString) content = make_content(&reconciling, &wanted);
    reconciling.scope_id = syncd_bytes_dup(reconciling.target.entry.header.scope);
    if (!syncd_store_find_name(service->store, SYNCD_FAMILY_LOCAL, operation, reconciling.scope_id,
                               &first, error))
        return false;
    if (first != 0)
        return take_first(&reconciling, first, content, ret_reconciled, error);
    return check_wanted(&reconciling, caller, &wanted, error) &&
           syncd_service_append_about(service, caller, reconciling.actor, &reconciling.target,
                                      RECONCILE_KIND, RECONCILE_SCHEMA, content,
                                      &ret_reconciled->entry, error);
}

/* ---- looking it up, from either end ---- */

static bool write_reconciled(SyncdService *service, const SyncdView *view, guint64 pos,
                             GString *out, GError **error)
{
    g_auto(SyncdEntry) entry = {0};
    g_auto(SyncdBody) body = {0};
    if (!syncd_store_read(service->store, pos, &entry, error))
        return false;
    if (!syncd_view_shows(view, &entry.header))
        return true;
    if (!syncd_store_read_body(service->store, &entry, &body, error))
        return false;
    g_autofree char *evidence = syncd_bytes_dup(entry.header.op),
                    *scope = syncd_service_scope_text(service, entry.header.scope),
                    *decision = syncd_bytes_dup(entry.header.decision);
    SyncdJsonIter iter;
    SyncdJson name, value;
    SyncdJsonWriter writer;
    g_autoptr(GString) text = g_string_new(NULL);
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_iter_init(&iter, syncd_json_root(body.content, body.content_size));
    while (syncd_json_iter_next(&iter, &name, &value)) {
        g_autofree char *member = syncd_json_dup_string(name, NULL);
        syncd_json_member_value(&writer, member, value);
    }
    syncd_json_member_string(&writer, "evidence_ref", evidence);
    syncd_json_member_string(&writer, "policy_decision_ref", decision);
    syncd_json_member_string(&writer, "scope", scope);
    syncd_json_member_uint(&writer, "sequence", pos);
    syncd_json_end_object(&writer);
    if (out->len > 1)
        g_string_append_c(out, ',');
    g_string_append_len(out, text->str, (gssize)text->len);
    return true;
}

static bool find_positions(SyncdService *service, const SyncdReconciledQuery *query,
                           GArray *positions, GError **error)
{
    const struct {
        const char *family;
        const char *name;
    } wanted[] = {
        {SYNCD_FAMILY_LOCAL, query->operation},
        {SYNCD_FAMILY_REMOTE, query->remote},
        {SYNCD_FAMILY_PROVISIONAL, query->artifact},
        {SYNCD_FAMILY_FINAL, query->artifact},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++)
        if (wanted[i].name != NULL && !syncd_store_list_name(service->store, wanted[i].family,
                                                             wanted[i].name, positions, error))
            return false;
    return true;
}

char *syncd_service_list_reconciled(SyncdService *service, const SyncdCaller *caller,
                                    const SyncdReconciledQuery *query, GError **error)
{
    g_auto(SyncdView) view = {0};
    g_autoptr(GArray) positions = g_array_new(FALSE, FALSE, sizeof(guint64));
    g_autoptr(GString) out = g_string_new("[");
    unsigned n = (query->operation != NULL) + (query->remote != NULL) + (query->artifact != NULL);
    if (n != 1) {
        syncd_set_error(error, SYNCD_ERROR_INVALID_ARGS,
                        "One of \"operation\", \"remote\" and \"artifact\" must be given");
        return NULL;
    }
    if (!syncd_service_view(service, caller, &view, error) ||
        !find_positions(service, query, positions, error))
        return NULL;
    for (guint i = 0; i < positions->len; i++)
        if (!write_reconciled(service, &view, g_array_index(positions, guint64, i), out, error))
            return NULL;
    g_string_append_c(out, ']');
    return g_string_free(g_steal_pointer(&out), FALSE);
}
