/* org.sourceos.Sync.RepairPlan: what is repaired, by whose leave. */
#include "bus/plan.h"

#include "bus/error-bus.h"
#include "bus/job.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "service/repair.h"

#include <string.h>

char *syncd_plan_path(const SyncdRepairPlan *plan)
{
    return syncd_object_path(SYNCD_PATH_PLANS, syncd_repair_plan_id(plan));
}

bool syncd_plan_is_of_another(const SyncdRepairPlan *plan, const SyncdCaller *caller)
{
    return syncd_repair_plan_uid(plan) != caller->uid;
}

static int find_plan(sd_bus *connection, const char *path, const char *interface, void *userdata,
                     void **ret_found, sd_bus_error *ret_error)
{
    const SyncdBus *bus = userdata;
    return syncd_objects_find(bus->plans, SYNCD_PATH_PLANS, path, ret_found);
}

static int enumerate_plans(sd_bus *connection, const char *prefix, void *userdata,
                           char ***ret_paths, sd_bus_error *ret_error)
{
    const SyncdBus *bus = userdata;
    *ret_paths = syncd_objects_paths(bus->plans, SYNCD_PATH_PLANS);
    return 0;
}

/* ---- properties ---- */

static int get_text(sd_bus *connection, const char *path, const char *interface, const char *name,
                    sd_bus_message *reply, void *userdata, sd_bus_error *ret_error)
{
    static const struct {
        const char *name;
        const char *(*get)(const SyncdRepairPlan *plan);
    } texts[] = {
        {"State", syncd_repair_plan_state},
        {"Digest", syncd_repair_plan_digest},
        {"Risk", syncd_repair_plan_risk},
    };
    const SyncdObject *object = userdata;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        if (strcmp(texts[i].name, name) == 0)
            return sd_bus_message_append_basic(reply, 's', texts[i].get(object->plan));
    return sd_bus_error_set(ret_error, SD_BUS_ERROR_UNKNOWN_PROPERTY, "There is no such property.");
}

static int get_destructive(sd_bus *connection, const char *path, const char *interface,
                           const char *name, sd_bus_message *reply, void *userdata,
                           sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    return sd_bus_message_append(reply, "b", (int)syncd_repair_plan_is_destructive(object->plan));
}

static int get_expires(sd_bus *connection, const char *path, const char *interface,
                       const char *name, sd_bus_message *reply, void *userdata,
                       sd_bus_error *ret_error)
{
    const SyncdObject *object = userdata;
    return sd_bus_message_append(reply, "t", syncd_repair_plan_expires_usec(object->plan));
}

/* ---- reading ---- */

static SyncdService *authorise_reading(SyncdCall *call, GError **error)
{
    bool others = syncd_plan_is_of_another(syncd_call_plan(call), syncd_call_caller(call));
    return syncd_call_authorise(call, others, NULL, error);
}

static bool handle_describe(SyncdCall *call, GError **error)
{
    if (authorise_reading(call, error) == NULL)
        return false;
    g_autofree char *description = syncd_repair_plan_describe(syncd_call_plan(call));
    return syncd_call_reply(call, error, "s", description);
}

static bool handle_document(SyncdCall *call, GError **error)
{
    return authorise_reading(call, error) != NULL &&
           syncd_call_reply(call, error, "s", syncd_repair_plan_text(syncd_call_plan(call)));
}

static bool handle_report(SyncdCall *call, GError **error)
{
    SyncdService *service = authorise_reading(call, error);
    if (service == NULL)
        return false;
    g_autofree char *report = syncd_service_repair_report(service, syncd_call_plan(call), error);
    return report != NULL && syncd_call_reply(call, error, "s", report);
}

/* ---- doing it ---- */

/* Nobody is asked for a password about a digest that is not the plan's. */
static bool read_digest(SyncdCall *call, const char **ret_digest, GError **error)
{
    if (!syncd_text_argument_read(syncd_call_message(call), ret_digest, error))
        return false;
    if (strcmp(*ret_digest, syncd_repair_plan_digest(syncd_call_plan(call))) == 0)
        return true;
    syncd_set_error_next(error, SYNCD_ERROR_STALE_DIGEST,
                         "look at the plan again, and agree to what it says",
                         "That is not the digest of this plan");
    return false;
}

/* What an agent of polkit shows to whom it asks. */
static SyncdService *authorise_change(SyncdCall *call, const char *verb, GError **error)
{
    const SyncdRepairPlan *plan = syncd_call_plan(call);
    const char *text = syncd_repair_plan_text(plan);
    g_autofree char *summary =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(text, strlen(text)), "summary"));
    g_autofree char *effect = g_strdup_printf(
        "%s: %s (risk %s, %s)", verb, summary != NULL ? summary : syncd_repair_plan_id(plan),
        syncd_repair_plan_risk(plan),
        syncd_repair_plan_is_destructive(plan) ? "destructive" : "destroys nothing");
    const char *const details[] = {"effect", effect, "plan", syncd_repair_plan_digest(plan), NULL};
    return syncd_call_authorise(call, true, details, error);
}

static bool answer_nothing(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    return syncd_call_reply(call, error, "");
}

/* Nor is anybody asked about what could not be applied.
 *
 * A purge that is part of a plan is one all the same: whoever may not purge may not approve it. */
static bool handle_approve(SyncdCall *call, GError **error)
{
    const char *digest = NULL;
    if (syncd_repair_plan_purges(syncd_call_plan(call)))
        syncd_call_judge_as(call, SYNCD_INTERFACE_OPERATIONS, "Purge");
    SyncdService *service =
        read_digest(call, &digest, error) && syncd_repair_plan_check(syncd_call_plan(call), error)
            ? authorise_change(call, "approve a repair", error)
            : NULL;
    if (service == NULL || !syncd_service_approve_repair(service, syncd_call_caller(call),
                                                         syncd_call_plan(call), digest, error))
        return false;
    syncd_call_after_commit(call, service, answer_nothing, NULL, NULL);
    return true;
}

static bool handle_discard(SyncdCall *call, GError **error)
{
    SyncdRepairPlan *plan = syncd_call_plan(call);
    SyncdService *service = authorise_change(call, "discard a repair", error);
    if (service == NULL || !syncd_service_discard_repair(service, syncd_call_caller(call), plan,
                                                         syncd_repair_plan_digest(plan), error))
        return false;
    syncd_call_after_commit(call, service, answer_nothing, NULL, NULL);
    return true;
}

static bool reply_job(SyncdCall *call, const SyncdJob *job, GError **error)
{
    g_autofree char *path = syncd_job_path(job);
    return syncd_call_reply(call, error, "o", path);
}

/* Until it is approved it is its planner's, who is told that it needs an approval. */
static bool is_for_another_to_apply(const SyncdRepairPlan *plan, const SyncdCaller *caller)
{
    const char *approver = syncd_repair_plan_approver(plan);
    g_autofree char *own = g_strdup_printf("uid:%u", (unsigned)caller->uid);
    return approver != NULL ? strcmp(approver, own) != 0 : syncd_plan_is_of_another(plan, caller);
}

static bool handle_apply(SyncdCall *call, GError **error)
{
    const char *digest = NULL;
    SyncdJob *job = NULL;
    SyncdRepairPlan *plan = syncd_call_plan(call);
    if (!read_digest(call, &digest, error))
        return false;
    bool others = is_for_another_to_apply(plan, syncd_call_caller(call));
    SyncdService *service = syncd_call_authorise(call, others, NULL, error);
    return service != NULL &&
           syncd_service_apply_repair(service, syncd_call_caller(call), plan, digest, &job,
                                      error) &&
           reply_job(call, job, error);
}

static bool handle_rollback(SyncdCall *call, GError **error)
{
    const char *digest = NULL;
    SyncdJob *job = NULL;
    SyncdService *service = read_digest(call, &digest, error)
                                ? authorise_change(call, "roll a repair back", error)
                                : NULL;
    return service != NULL &&
           syncd_service_rollback_repair(service, syncd_call_caller(call), syncd_call_plan(call),
                                         digest, &job, error) &&
           reply_job(call, job, error);
}

static const SyncdMethod methods[] = {
    {"Describe", handle_describe}, {"Document", handle_document},
    {"Report", handle_report},     {"Approve", handle_approve},
    {"Apply", handle_apply},       {"Rollback", handle_rollback},
    {"Discard", handle_discard},   {NULL, NULL},
};

/* ---- what is told ---- */

void syncd_plan_object_free(void *data)
{
    SyncdObject *object = data;
    g_free(object->told);
    g_free(object);
}

SyncdObject *syncd_plan_add(SyncdBus *bus, SyncdRepairPlan *plan)
{
    SyncdObject *object = g_new0(SyncdObject, 1);
    *object =
        (SyncdObject){.bus = bus, .plan = plan, .told = g_strdup(syncd_repair_plan_state(plan))};
    g_hash_table_insert(bus->plans, g_strdup(syncd_repair_plan_id(plan)), object);
    return object;
}

static int tell_state(const SyncdObject *object, const char *path)
{
    return sd_bus_emit_signal(object->bus->connection, path, SYNCD_INTERFACE_PLAN, "PlanChanged",
                              "s", object->told);
}

static void log_lost(int r)
{
    if (r < 0)
        g_debug("PlanChanged was not sent: %s", g_strerror(-r));
}

void syncd_plan_tell_added(const SyncdObject *object)
{
    g_autofree char *path = syncd_plan_path(object->plan);
    int r = sd_bus_emit_object_added(object->bus->connection, path);
    log_lost(r < 0 ? r : tell_state(object, path));
}

void syncd_plan_tell(SyncdObject *object)
{
    static const char *const changing[] = {"State", "ExpiresUSec", NULL};
    const char *state = syncd_repair_plan_state(object->plan);
    g_autofree char *path = syncd_plan_path(object->plan);
    bool other = strcmp(state, object->told) != 0;
    g_free(object->told);
    object->told = g_strdup(state);
    int r = sd_bus_emit_properties_changed_strv(object->bus->connection, path, SYNCD_INTERFACE_PLAN,
                                                (char **)changing);
    log_lost(r < 0 || !other ? r : tell_state(object, path));
}

#define CONST SD_BUS_VTABLE_PROPERTY_CONST
#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE

/* clang-format off */
#define METHODS                                                                                    \
    SD_BUS_METHOD_WITH_ARGS("Describe",                                                            \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_RESULT("s", description),                                                           \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Document",                                                            \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_RESULT("s", document),                                                              \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Report",                                                              \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_RESULT("s", report),                                                                \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Approve",                                                             \
        SD_BUS_ARGS("s", digest),                                                                  \
        SD_BUS_NO_RESULT,                                                                          \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Apply",                                                               \
        SD_BUS_ARGS("s", digest),                                                                  \
        SD_BUS_RESULT("o", job),                                                                   \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Rollback",                                                            \
        SD_BUS_ARGS("s", digest),                                                                  \
        SD_BUS_RESULT("o", job),                                                                   \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),                                             \
    SD_BUS_METHOD_WITH_ARGS("Discard",                                                             \
        SD_BUS_NO_ARGS,                                                                            \
        SD_BUS_NO_RESULT,                                                                          \
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED)

static const sd_bus_vtable user_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHODS,
    SD_BUS_SIGNAL_WITH_ARGS("PlanChanged", SD_BUS_ARGS("s", state), 0),
    SD_BUS_PROPERTY("State", "s", get_text, 0, CHANGES),
    SD_BUS_PROPERTY("Digest", "s", get_text, 0, CONST),
    SD_BUS_PROPERTY("Risk", "s", get_text, 0, CONST),
    SD_BUS_PROPERTY("Destructive", "b", get_destructive, 0, CONST),
    SD_BUS_PROPERTY("ExpiresUSec", "t", get_expires, 0, CHANGES),
    SD_BUS_VTABLE_END,
};

/* Properties and signals would be readable by every user of the machine. */
static const sd_bus_vtable system_vtable[] = {
    SD_BUS_VTABLE_START(0),
    METHODS,
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_plan = {
    .name = SYNCD_INTERFACE_PLAN,
    .path = SYNCD_PATH_PLANS,
    .find = find_plan,
    .enumerate = enumerate_plans,
    .user_vtable = user_vtable,
    .system_vtable = system_vtable,
    .methods = methods,
};
