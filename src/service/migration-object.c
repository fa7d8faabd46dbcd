#include "service/migration.h"

#include <string.h>

#define ERRORS_MAX 3u /* of one object, in a report */

/* ---- failures ---- */

static void error_clear(void *data)
{
    SyncdMigrationError *one = data;
    g_free(one->path);
    g_free(one->sentence);
}

void syncd_migration_object_free(SyncdMigrationObject *object)
{
    if (object == NULL)
        return;
    g_free(object->object);
    g_free(object->operation);
    g_array_unref(object->errors);
    if (object->document != NULL)
        g_string_free(object->document, TRUE);
    syncd_change_clear(&object->change);
    g_clear_pointer(&object->decisions, syncd_decisions_unref);
    g_free(object);
}

static SyncdMigrationObject *object_new(const char *id)
{
    SyncdMigrationObject *object = g_new0(SyncdMigrationObject, 1);
    object->object = g_strdup(id);
    object->errors = g_array_new(FALSE, FALSE, sizeof(SyncdMigrationError));
    g_array_set_clear_func(object->errors, error_clear);
    return object;
}

static void fail(SyncdMigrationObject *object, const char *reason, const char *path,
                 const char *sentence)
{
    SyncdMigrationError one = {g_strdup(path), g_strdup(sentence)};
    object->reason = reason;
    g_array_append_val(object->errors, one);
}

/* clang-format off */
static const struct {
    SyncdErrorCode code;
    const char *reason;
} reasons[] = {
    {SYNCD_ERROR_INVALID_CONTRACT, "invalid"},
    {SYNCD_ERROR_INVALID_ENCODING, "unreadable"},
    {SYNCD_ERROR_JOURNAL_CORRUPT, "unreadable"},
    {SYNCD_ERROR_NOT_FOUND, "not_found"},
    {SYNCD_ERROR_TOO_LARGE, "too_large"},
    {SYNCD_ERROR_TOO_DEEP, "too_large"},
    {SYNCD_ERROR_POLICY_DENIED, "policy_denied"},
    {SYNCD_ERROR_APPROVAL_REQUIRED, "manual_review_required"},
    {SYNCD_ERROR_ACCESS_DENIED, "access_denied"},
    {SYNCD_ERROR_STALE_DIGEST, "changed_since"},
};
/* clang-format on */

const char *syncd_migration_reason(const GError *error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
        if (g_error_matches(error, SYNCD_ERROR, (int)reasons[i].code))
            return reasons[i].reason;
    return NULL;
}

/* True when the error was one of this object; takes it. */
static bool fail_by(SyncdMigrationObject *object, GError *why, GError **error)
{
    const char *reason = syncd_migration_reason(why);
    if (reason == NULL) {
        g_propagate_error(error, why);
        return false;
    }
    fail(object, reason, "", why->message);
    g_error_free(why);
    return true;
}

/* ---- the new document ---- */

static SyncdJson document_of(const SyncdMigrationObject *object)
{
    return syncd_json_root(object->document->str, object->document->len);
}

static void digest_bytes(const SyncdBody *body, char ret_digest[SYNCD_DIGEST_SIZE])
{
    SyncdHash hash = syncd_hash(body->content, body->content_size);
    syncd_hash_to_digest(&hash, ret_digest);
}

static void digest_after(SyncdMigrationObject *object)
{
    SyncdHash hash = syncd_hash_canonical(document_of(object));
    syncd_hash_to_digest(&hash, object->after);
}

static bool check_target(SyncdMigrationPlan *plan, SyncdMigrationObject *object, GError **error)
{
    bool keeps;
    g_autoptr(SyncdSchemaErrors) errors = syncd_schema_errors_new();
    GError *why = NULL;
    if (!syncd_registry_keeps_to(plan->service, &plan->target, document_of(object), errors, &keeps,
                                 &why))
        return fail_by(object, why, error);
    for (unsigned i = 0; !keeps && i < MIN(syncd_schema_errors_count(errors), ERRORS_MAX); i++) {
        const SyncdSchemaError *one = syncd_schema_errors_get(errors, i);
        fail(object, "schema_violation", one->instance_path, one->sentence);
    }
    return true;
}

/* Everything that a change by a caller goes through as well. */
static bool prepare(SyncdMigrationPlan *plan, SyncdMigrationObject *object, GError **error)
{
    GError *why = NULL;
    if (!check_target(plan, object, error))
        return false;
    if (object->reason != NULL)
        return true;
    object->request = (SyncdRegistryRequest){
        .kind = syncd_family(SYNCD_FAMILY_OBJECT)->name,
        .id = object->object,
        .record = SYNCD_BYTES(object->document->str, object->document->len),
        .expected = object->sequence,
    };
    object->change = (SyncdChange){
        .service = plan->service,
        .caller = &plan->caller,
        .request = &object->request,
        .verb = SYNCD_VERB_UPDATE,
        .migrates = true,
        .data_class = SYNCD_POLICY_DATA_CLASS,
    };
    return syncd_registry_prepare(&object->change, &object->decisions, &why) ||
           fail_by(object, why, error);
}

/* ---- forward ---- */

static bool is_of_version(const SyncdMigrationEnd *end, SyncdJson record)
{
    return syncd_json_is(syncd_json_member(record, "schema_id"), end->schema_id) &&
           syncd_json_is(syncd_json_member(record, "schema_version"), end->schema_version);
}

static bool transform(SyncdMigrationPlan *plan, SyncdMigrationObject *object, SyncdJson record,
                      GError **error)
{
    g_auto(SyncdMigrationFault) fault = {0};
    object->document = syncd_migration_run(plan->manifest.migration, record, &fault);
    if (object->document == NULL) {
        fail(object, "step_failed", fault.path, fault.sentence);
        return true;
    }
    digest_after(object);
    object->reversible =
        plan->back != NULL && syncd_migration_leads_back(plan->back, record, document_of(object));
    return prepare(plan, object, error);
}

bool syncd_migration_object_plan(SyncdMigrationPlan *plan, const SyncdRecordRow *row,
                                 SyncdMigrationObject **ret_object, GError **error)
{
    SyncdJson record;
    g_auto(SyncdBody) body = {0};
    g_autoptr(SyncdMigrationObject) object = object_new(row->id);
    GError *why = NULL;
    object->sequence = row->pos;
    *ret_object = NULL;
    if (!syncd_registry_read(plan->service, row, &body, &record, &why)) {
        if (!fail_by(object, why, error))
            return false;
        *ret_object = g_steal_pointer(&object);
        return true;
    }
    if (!is_of_version(plan->from, record))
        return true;
    digest_bytes(&body, object->before);
    if (!transform(plan, object, record, error))
        return false;
    *ret_object = g_steal_pointer(&object);
    return true;
}

/* ---- back ---- */

/* Whether the object's record is still the one that the migration wrote. */
static bool find_present(SyncdMigrationPlan *plan, SyncdJson done, SyncdMigrationObject *object,
                         GError **error)
{
    bool found;
    guint64 written;
    g_auto(SyncdRecordRow) row = {0};
    g_autofree char *operation = syncd_record_member(done, "operation");
    if (!syncd_store_find_record(plan->service->store, syncd_family(SYNCD_FAMILY_OBJECT),
                                 object->object, &row, &found, error) ||
        !syncd_store_find_op(plan->service->store, operation, &written, error))
        return false;
    if (found && !syncd_migration_reaches(plan, &row, &found, error))
        return false;
    object->sequence = found ? row.pos : 0;
    if (!found || row.pos != written)
        fail(object, "changed_since", "", "was changed after it had been migrated");
    return true;
}

static bool read_before(SyncdMigrationPlan *plan, SyncdJson done, SyncdMigrationObject *object,
                        GError **error)
{
    gint64 sequence = 0;
    SyncdJson record;
    char digest[SYNCD_DIGEST_SIZE];
    g_auto(SyncdBody) body = {0};
    GError *why = NULL;
    syncd_json_get_int64(syncd_json_member(done, "sequence"), &sequence);
    const SyncdRecordRow before = {.pos = (guint64)sequence};
    if (!syncd_registry_read(plan->service, &before, &body, &record, &why))
        return fail_by(object, why, error);
    digest_bytes(&body, digest);
    if (!syncd_json_is(syncd_json_member(done, "before"), digest)) {
        fail(object, "unreadable", "", "is not in the log as it was before");
        return true;
    }
    object->document = g_string_new_len(body.content, (gssize)body.content_size);
    digest_after(object);
    return true;
}

/* What was migrated once can be migrated again. */
static bool leads_on(const SyncdMigrationPlan *plan, SyncdJson done,
                     const SyncdMigrationObject *object)
{
    g_auto(SyncdMigrationFault) fault = {0};
    g_autoptr(GString) again =
        syncd_migration_run(plan->manifest.migration, document_of(object), &fault);
    if (again == NULL)
        return false;
    char digest[SYNCD_DIGEST_SIZE];
    SyncdHash hash = syncd_hash_canonical(syncd_json_root(again->str, again->len));
    syncd_hash_to_digest(&hash, digest);
    return syncd_json_is(syncd_json_member(done, "after"), digest);
}

static bool digest_present(SyncdMigrationPlan *plan, SyncdMigrationObject *object, GError **error)
{
    SyncdJson record;
    g_auto(SyncdBody) body = {0};
    GError *why = NULL;
    const SyncdRecordRow now = {.pos = object->sequence};
    if (object->sequence == 0)
        return true;
    if (!syncd_registry_read(plan->service, &now, &body, &record, &why))
        return fail_by(object, why, error);
    digest_bytes(&body, object->before);
    return true;
}

bool syncd_migration_object_undo(SyncdMigrationPlan *plan, SyncdJson done,
                                 SyncdMigrationObject **ret_object, GError **error)
{
    g_autofree char *id = syncd_record_member(done, "object_id");
    g_autoptr(SyncdMigrationObject) object = object_new(id);
    if (!find_present(plan, done, object, error) || !digest_present(plan, object, error) ||
        (object->reason == NULL && !read_before(plan, done, object, error)))
        return false;
    if (object->reason == NULL) {
        object->reversible = leads_on(plan, done, object);
        if (!prepare(plan, object, error))
            return false;
    }
    *ret_object = g_steal_pointer(&object);
    return true;
}
