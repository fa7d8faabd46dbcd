/* What a sync plan may be about, whom it may be for, and what it may wait for. */
#include "service/registry.h"

#include "contract/vocabulary.h"

#include <string.h>

#define PLAN_LIST_MAX 1000u
#define PLAN_WALK_MAX 1000u

/* ---- its class ---- */

typedef struct {
    const char *class;
    const char *capability;
    bool leaves;      /* its objects go elsewhere, which policy is asked about as well */
    bool comes;       /* they may be still to come */
    bool deleted;     /* they may be deleted */
    bool quarantined; /* they may be what nobody knows */
} PlanClass;

static const PlanClass classes[] = {
    {"replicate", "replicate", true, false, false, false},
    {"import", "write", false, true, false, false},
    {"export", "export", true, false, false, false},
    {"repair", "repair", false, false, false, true},
    {"migrate", "migrate_schema", false, false, false, true},
    {"delete", "delete", false, false, true, true},
    {"restore", "write", false, false, true, true},
};

static const PlanClass *class_of(const SyncdChange *change)
{
    g_autofree char *class = syncd_record_member(change->record, "operation_class");
    for (size_t i = 0; i < G_N_ELEMENTS(classes); i++)
        if (strcmp(classes[i].class, class) == 0)
            return &classes[i];
    return NULL;
}

static bool check_capability(SyncdChange *change, GError **error)
{
    const PlanClass *class = class_of(change);
    if (class != NULL)
        return syncd_service_require_capability(change->service, change->caller, change->mandate,
                                                class->capability, error);
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_OPERATION_CLASS);
    syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                    "/record/operation_class is no class of operations; there are %s", known);
    return false;
}

bool syncd_registry_plan_sends(const SyncdChange *change)
{
    const PlanClass *class = class_of(change);
    return class != NULL && class->leaves;
}

/* ---- its objects ---- */

static bool list_of(SyncdJson record, const char *name, char ***ret_list, GError **error)
{
    SyncdJsonIter iter;
    SyncdJson list = syncd_json_member(record, name), value;
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
    syncd_json_iter_init(&iter, list);
    while (syncd_json_iter_next(&iter, NULL, &value)) {
        char *text = syncd_json_dup_text(value);
        if (text == NULL || texts->len == PLAN_LIST_MAX) {
            g_free(text);
            syncd_set_error(error, SYNCD_ERROR_INVALID_CONTRACT,
                            "/record/%s must be a list of at most %u ids", name, PLAN_LIST_MAX);
            return false;
        }
        g_ptr_array_add(texts, text);
    }
    g_ptr_array_add(texts, NULL);
    *ret_list = (char **)g_ptr_array_free(g_steal_pointer(&texts), FALSE);
    return true;
}

static bool refuse(const SyncdChange *change, const char *reason, const char *what, GError **error)
{
    syncd_service_note_policy(change->service, change->caller, "write", reason);
    syncd_set_error_next(error, SYNCD_ERROR_POLICY_DENIED, "leave it out, or name another one",
                         "%s (%s)", what, reason);
    return false;
}

static bool check_lies_there(const SyncdChange *change, unsigned index, const SyncdRecordRow *row,
                             GError **error)
{
    bool may = true;
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id");
    g_autofree char *profile = syncd_record_member(change->record, "profile_id");
    g_autofree char *own = g_strdup(row->columns[SYNCD_COLUMN_PROFILE]);
    if (strcmp(row->columns[SYNCD_COLUMN_WORKSPACE], workspace) != 0) {
        g_autofree char *what =
            g_strdup_printf("/record/object_ids/%u belongs to another workspace", index);
        return refuse(change, "workspace_scope_mismatch", what, error);
    }
    if (strcmp(own, profile) != 0 &&
        !syncd_service_may_cross(change->service, own, profile, &may, error))
        return false;
    g_autofree char *what =
        g_strdup_printf("/record/object_ids/%u belongs to another profile", index);
    return may || refuse(change, "profile_boundary_violation", what, error);
}

static bool check_state(const SyncdChange *change, const PlanClass *class, unsigned index,
                        const SyncdRecordRow *row, GError **error)
{
    if (strcmp(row->state, syncd_family_end_state(row->family)) == 0 && !class->deleted) {
        syncd_set_error_next(error, SYNCD_ERROR_NOT_FOUND, "leave it out, or restore it first",
                             "/record/object_ids/%u: the object %s was deleted", index, row->id);
        return false;
    }
    if (strcmp(row->state, SYNCD_STATE_QUARANTINED) != 0 || class->quarantined)
        return true;
    g_autofree char *what =
        g_strdup_printf("/record/object_ids/%u: the object %s is quarantined", index, row->id);
    return refuse(change, "schema_unknown", what, error);
}

/* What was agreed to can still end when its objects are not what they were. */
static bool takes_up(const SyncdChange *change)
{
    return !change->present || strcmp(change->state, "planned") == 0 ||
           strcmp(change->state, "running") == 0;
}

/* What is not registered is still to be brought in, or the plan has no use for it any more. */
static bool check_object(const SyncdChange *change, const PlanClass *class, unsigned index,
                         const char *object, GError **error)
{
    const SyncdRecordRow *row;
    if (!syncd_service_known_record(change->service, SYNCD_FAMILY_OBJECT, object, &row, error))
        return false;
    bool there = row != NULL;
    if (!there && (class->comes || !takes_up(change)))
        return true;
    if (there && !syncd_registry_reaches(change, row, &there, error))
        return false;
    if (!there) {
        g_autofree char *member = g_strdup_printf("object_ids/%u", index);
        return syncd_registry_refuse_missing(change, member, "object", object, error);
    }
    return (!takes_up(change) || check_state(change, class, index, row, error)) &&
           check_lies_there(change, index, row, error);
}

/* What a plan is about is there, and lies where the plan does. */
static bool check_objects(SyncdChange *change, GError **error)
{
    g_auto(GStrv) objects = NULL;
    const PlanClass *class = class_of(change);
    if (!list_of(change->record, "object_ids", &objects, error))
        return false;
    for (char **at = objects; *at != NULL; at++)
        if (!check_object(change, class, (unsigned)(at - objects), *at, error))
            return false;
    return true;
}

/* ---- what a plan waits for ---- */

static bool check_dependency(const SyncdChange *change, unsigned index, const char *plan,
                             GError **error)
{
    const SyncdRecordRow *row;
    bool itself = strcmp(plan, change->id) == 0;
    if (!syncd_service_known_record(change->service, SYNCD_FAMILY_PLAN, plan, &row, error))
        return false;
    bool there = row != NULL;
    if (there && !itself && !syncd_registry_reaches(change, row, &there, error))
        return false;
    if (!itself && !there)
        return syncd_registry_refuse_missing(change, "dependencies", "plan", plan, error);
    if (!itself && (strcmp(change->state, "running") != 0 || strcmp(row->state, "completed") == 0))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "wait for it, or drop it",
                         "/record/dependencies/%u is %s", index,
                         itself ? "the plan itself" : row->state);
    return false;
}

/* The plans that are to be looked at, each once: `queue` has those of `seen` in their order. */
typedef struct {
    GHashTable *seen;
    GPtrArray *queue;
} Walk;

static void walk_clear(Walk *walk)
{
    g_clear_pointer(&walk->seen, g_hash_table_unref);
    g_clear_pointer(&walk->queue, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_clear)

static bool follow(Walk *walk, SyncdJson record, GError **error)
{
    g_auto(GStrv) plans = NULL;
    if (!list_of(record, "dependencies", &plans, error))
        return false;
    for (char **at = plans; *at != NULL; at++) {
        if (g_hash_table_contains(walk->seen, *at))
            continue;
        char *plan = g_strdup(*at);
        g_hash_table_add(walk->seen, plan);
        g_ptr_array_add(walk->queue, plan);
    }
    if (walk->queue->len <= PLAN_WALK_MAX)
        return true;
    syncd_set_error_next(
        error, SYNCD_ERROR_LIMITS_EXCEEDED, "make plans that wait for fewer",
        "/record/dependencies: more than %u plans would have to be completed first", PLAN_WALK_MAX);
    return false;
}

static bool follow_plan(const SyncdChange *change, Walk *walk, const char *plan, GError **error)
{
    bool found;
    g_auto(SyncdRecordRow) row = {0};
    g_auto(SyncdBody) body = {0};
    SyncdJson record;
    if (!syncd_store_find_record(change->service->store, change->family, plan, &row, &found, error))
        return false;
    return !found || (syncd_registry_read(change->service, &row, &body, &record, error) &&
                      follow(walk, record, error));
}

/* Who waits for himself waits for ever. */
static bool check_no_circle(const SyncdChange *change, GError **error)
{
    g_auto(Walk) walk = {
        .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .queue = g_ptr_array_new(),
    };
    if (!follow(&walk, change->record, error))
        return false;
    for (guint i = 0; i < walk.queue->len; i++)
        if (!follow_plan(change, &walk, walk.queue->pdata[i], error))
            return false;
    if (!g_hash_table_contains(walk.seen, change->id))
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_INVALID_CONTRACT, "drop one of them",
                         "/record/dependencies: %s would wait for itself, through others",
                         change->id);
    return false;
}

/* Parents before children: a plan runs when what it depends on is completed. */
static bool check_dependencies(const SyncdChange *change, GError **error)
{
    g_auto(GStrv) plans = NULL;
    if (!list_of(change->record, "dependencies", &plans, error))
        return false;
    for (char **at = plans; *at != NULL; at++)
        if (!check_dependency(change, (unsigned)(at - plans), *at, error))
            return false;
    return check_no_circle(change, error);
}

/* ---- whose it is, and whom it is for ---- */

/* Somebody else's plan is changed only by a person. */
static bool check_owner(SyncdChange *change, GError **error)
{
    if (!change->present || strcmp(change->row.owner, change->actor) == 0 ||
        syncd_mandate_configures(change->mandate))
        return true;
    syncd_service_note_refusal(change->service, change->caller, "write", "agent_untrusted");
    syncd_set_error_next(error, SYNCD_ERROR_ACCESS_DENIED, "let its owner do it",
                         "The plan %s is that of %s", change->id, change->row.owner);
    return false;
}

/* Whoever is given what lies in a place must reach that place himself. */
static bool check_target(const SyncdChange *change, GError **error)
{
    g_autoptr(SyncdMandate) mandate = NULL;
    g_autofree char *target = syncd_record_member(change->record, "target_actor");
    g_autofree char *workspace = syncd_record_member(change->record, "workspace_id");
    g_autofree char *profile = syncd_record_member(change->record, "profile_id");
    if (!syncd_service_mandate_of_actor(change->service, target, &mandate, error))
        return false;
    if (mandate == NULL || strcmp(mandate->state, SYNCD_STATE_ACTIVE) != 0)
        return syncd_registry_refuse_missing(change, "target_actor", "actor", target, error);
    if (!syncd_mandate_reaches_profile(mandate, profile))
        return refuse(change, "profile_boundary_violation",
                      "/record/target_actor does not reach the profile", error);
    return syncd_mandate_reaches_workspace(mandate, workspace) ||
           refuse(change, "workspace_scope_mismatch",
                  "/record/target_actor does not reach the workspace", error);
}

bool syncd_registry_check_plan(SyncdChange *change, GError **error)
{
    if (!syncd_registry_check_place(change, error) || !check_owner(change, error))
        return false;
    return change->verb == SYNCD_VERB_REVOKE ||
           (check_capability(change, error) && check_objects(change, error) &&
            check_dependencies(change, error) && check_target(change, error));
}

/* ---- what policy has to say of its objects ---- */

static bool may_leave(const SyncdChange *change, const SyncdPolicyRequest *asked,
                      const char *object, GError **error)
{
    const SyncdRecordRow *row;
    SyncdPolicyRequest leaving = *asked;
    g_auto(SyncdPlace) place = {g_strdup(asked->fields[SYNCD_FIELD_WORKSPACE]),
                                g_strdup(asked->fields[SYNCD_FIELD_PROFILE])};
    if (!syncd_service_known_record(change->service, SYNCD_FAMILY_OBJECT, object, &row, error))
        return false;
    leaving.fields[SYNCD_FIELD_OBJECT] = object;
    if (row != NULL) {
        syncd_place_of_object(row, &place);
        leaving.fields[SYNCD_FIELD_DATA_CLASS] = place.object_class;
    }
    g_autoptr(SyncdDecisions) decisions = syncd_service_decide_in(
        change->service, change->caller, change->actor, &leaving, &place, error);
    return decisions != NULL;
}

bool syncd_registry_may_replicate(const SyncdChange *change, const SyncdPolicyRequest *asked,
                                  GError **error)
{
    g_auto(GStrv) objects = NULL;
    if (!list_of(change->record, "object_ids", &objects, error))
        return false;
    for (char **at = objects; *at != NULL; at++)
        if (!may_leave(change, asked, *at, error))
            return false;
    return true;
}
