/* Entries about an operation that exists: finding it, and writing what becomes of it. */
#include "service/internal.h"

#include "base/canonical.h"
#include "contract/vocabulary.h"

void syncd_target_clear(SyncdTarget *target)
{
    g_clear_pointer(&target->operation, g_free);
    syncd_entry_clear(&target->entry);
    syncd_body_clear(&target->body);
}

SyncdJson syncd_target_meta(const SyncdTarget *target)
{
    return syncd_json_root(target->body.meta, target->body.meta_size);
}

SyncdJson syncd_target_content(const SyncdTarget *target)
{
    return syncd_json_root(target->body.content, target->body.content_size);
}

static bool read_target(SyncdService *service, const SyncdView *view, const char *operation,
                        SyncdTarget *target, GError **error)
{
    bool found;
    if (!syncd_service_read_operation(service, view, operation, &target->entry, error) ||
        !syncd_store_find_task_at(service->store, target->entry.pos, operation, &target->task,
                                  &found, error))
        return false;
    if (!found) {
        syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT,
                             "name an operation of the type sync.operation.enqueue",
                             "%s is the result of a method: there is nothing to carry out",
                             operation);
        return false;
    }
    if (!syncd_store_read_body(service->store, &target->entry, &target->body, error))
        return false;
    target->leaf = syncd_tree_leaf(target->entry.text, target->entry.size);
    target->operation = g_strdup(operation);
    return true;
}

bool syncd_service_find_target(SyncdService *service, const char *operation,
                               SyncdTarget *ret_target, GError **error)
{
    const SyncdView everything = {.all = true};
    g_auto(SyncdTarget) target = {0};
    if (!read_target(service, &everything, operation, &target, error))
        return false;
    *ret_target = target;
    target = (SyncdTarget){0};
    return true;
}

char *syncd_target_key(const SyncdTarget *target)
{
    SyncdJson key = syncd_json_member(syncd_target_meta(target), "idempotency_key");
    if (key.type == SYNCD_JSON_NONE)
        key = syncd_json_member(syncd_target_content(target), "replay_idempotency_key");
    char *text = syncd_json_dup_text(key);
    return text != NULL ? text : g_strdup(target->operation);
}

bool syncd_target_is_replay_safe(const SyncdTarget *target)
{
    bool safe = true;
    syncd_json_get_bool(syncd_json_member(syncd_target_content(target), "replay_safe"), &safe);
    return safe;
}

bool syncd_service_read_target(SyncdService *service, const SyncdCaller *caller,
                               const char *operation, SyncdTarget *ret_target, GError **error)
{
    g_auto(SyncdView) view = {0};
    g_auto(SyncdTarget) target = {0};
    if (!syncd_service_view(service, caller, &view, error) ||
        !read_target(service, &view, operation, &target, error))
        return false;
    *ret_target = target;
    target = (SyncdTarget){0};
    return true;
}

/* What policy was asked about. */
typedef struct {
    SyncdPlace place;
    const char *scope_class; /* NULL: nobody knows the scope here */
    const char *data_class;
} Asked;

static void asked_clear(Asked *about)
{
    syncd_place_clear(&about->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asked, asked_clear)

static char *make_meta(const SyncdTarget *target, const Asked *about, const char *kind)
{
    g_autoptr(GString) text = g_string_sized_new(256);
    g_autofree char *type = g_strconcat("sync.", kind, NULL);
    SyncdJsonWriter writer;
    syncd_json_writer_init(&writer, text, false);
    syncd_json_begin_object(&writer);
    syncd_json_member_string(&writer, "data_class", about->data_class);
    syncd_json_name(&writer, "parents");
    syncd_json_begin_array(&writer);
    syncd_json_string(&writer, target->operation);
    syncd_json_end_array(&writer);
    syncd_json_member_string(&writer, "type", type);
    if (about->scope_class != NULL)
        syncd_place_write(&about->place, about->scope_class, NULL, &writer);
    syncd_json_end_object(&writer);
    GString *canonical = g_string_sized_new(256);
    syncd_canonical_append(canonical, syncd_json_root(text->str, text->len));
    return g_string_free(canonical, FALSE);
}

/* As the operation itself was classed; of what a later version classed, the usual one. */
static const char *data_class_of(const SyncdTarget *target)
{
    const char *class = NULL, *text;
    size_t size;
    if (syncd_json_get_plain(syncd_json_member(syncd_target_meta(target), "data_class"), &text,
                             &size))
        class = syncd_vocabulary_find(SYNCD_WORDS_DATA_CLASS, SYNCD_BYTES(text, size));
    return class != NULL ? class : SYNCD_POLICY_DATA_CLASS;
}

bool syncd_service_require_writer(SyncdService *service, const SyncdCaller *caller,
                                  char **ret_actor, GError **error)
{
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    if (mandate == NULL ||
        !syncd_service_require_capability(service, caller, mandate, "write", error))
        return false;
    *ret_actor = g_strdup(mandate->actor);
    return true;
}

/* Where the operation could be enqueued by the caller now, the caller may also go on with it. */
static bool check_place(SyncdService *service, const SyncdCaller *caller, const SyncdTarget *target,
                        const char *scope, const char *object, const char *scope_class,
                        SyncdPlace *ret_place, GError **error)
{
    g_autoptr(SyncdMandate) mandate = syncd_service_require_mandate(service, caller, error);
    const SyncdRequest request = {
        .type = "sync.operation.enqueue",
        .scope = scope,
        .object = object,
        .body = SYNCD_BYTES(target->body.content, target->body.content_size),
    };
    return mandate != NULL && syncd_service_check_place(service, caller, mandate, &request,
                                                        scope_class, ret_place, error);
}

bool syncd_service_check_not_deleted(SyncdService *service, const SyncdTarget *target,
                                     GError **error)
{
    const SyncdHeader *header = &target->entry.header;
    g_autofree char *scope_id = syncd_bytes_dup(header->scope),
                    *object = syncd_bytes_dup(header->object);
    const SyncdRecordRow *row;
    SyncdDeletion deletion;
    bool found;
    if (*object == '\0' || syncd_bytes_are(header->lane, SYNCD_LANE_TOMBSTONE))
        return true;
    if (!syncd_service_known_record(service, SYNCD_FAMILY_OBJECT, object, &row, error) ||
        !syncd_service_find_deletion(service, object, row, scope_id, &deletion, &found, error))
        return false;
    if (!found || deletion.state == SYNCD_DELETION_RESTORED)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND,
                         "enqueue an operation with \"restore\" to have a new version of it",
                         "The object %s was deleted (%s)", object,
                         syncd_deletion_state_name(deletion.state));
    return false;
}

static SyncdDecisions *decide(SyncdService *service, const SyncdCaller *caller, const char *actor,
                              const SyncdTarget *target, const char *type, Asked *about,
                              GError **error)
{
    const SyncdHeader *header = &target->entry.header;
    g_autofree char *scope = syncd_service_scope_text(service, header->scope),
                    *scope_id = syncd_bytes_dup(header->scope),
                    *object = syncd_bytes_dup(header->object);
    const SyncdScope *known = syncd_store_scope(service->store, scope_id);
    SyncdPolicyRequest asked = {{NULL}};
    asked.fields[SYNCD_FIELD_LANE] = syncd_lane_of_rank(target->task.rank)->name;
    asked.fields[SYNCD_FIELD_OPERATION_TYPE] = type;
    if (known != NULL &&
        !check_place(service, caller, target, scope, object, known->class, &about->place, error))
        return NULL;
    about->scope_class = known != NULL ? known->class : NULL;
    about->data_class = data_class_of(target);
    if (about->place.object_class != NULL)
        about->data_class = syncd_policy_graver_class(about->data_class, about->place.object_class);
    asked.fields[SYNCD_FIELD_DATA_CLASS] = about->data_class;
    if (known != NULL)
        syncd_ask_about_scope(&asked, scope, known->class);
    if (*object != '\0')
        asked.fields[SYNCD_FIELD_OBJECT] = object;
    return syncd_service_decide_in(service, caller, actor, &asked, &about->place, error);
}

SyncdDecisions *syncd_service_decide_target(SyncdService *service, const SyncdCaller *caller,
                                            const char *actor, const SyncdTarget *target,
                                            GError **error)
{
    g_auto(Asked) about = {0};
    return decide(service, caller, actor, target, "sync.operation.enqueue", &about, error);
}

bool syncd_service_append_about(SyncdService *service, const SyncdCaller *caller, const char *actor,
                                const SyncdTarget *target, const char *kind, const char *schema,
                                const GString *content, char **ret_operation, GError **error)
{
    const SyncdHeader *header = &target->entry.header;
    g_auto(Asked) about = {0};
    const char *lane = syncd_lane_of_rank(target->task.rank)->name;
    g_autofree char *type = g_strconcat("sync.", kind, NULL);
    g_autoptr(SyncdDecisions) decisions =
        decide(service, caller, actor, target, type, &about, error);
    if (decisions == NULL || !syncd_service_record_decisions(service, actor, decisions, error))
        return false;

    g_autofree char *meta = make_meta(target, &about, kind),
                    *scope_id = syncd_bytes_dup(header->scope),
                    *object = syncd_bytes_dup(header->object);
    g_auto(SyncdReceipt) receipt = {0};
    SyncdDraft draft = {
        .kind = kind,
        .actor = actor,
        .object = object,
        .decision = decisions->decisions[0].id,
        .engine = "",
        .lane = lane,
        .schema_id = schema,
        .schema_version = 1,
        .parents = &target->leaf,
        .n_parents = 1,
        .meta = SYNCD_BYTES_TEXT(meta),
        .content = SYNCD_BYTES(content->str, content->len),
    };
    if (!syncd_service_append(service, scope_id, &draft, &receipt, error))
        return false;
    *ret_operation = g_steal_pointer(&receipt.op);
    return true;
}
