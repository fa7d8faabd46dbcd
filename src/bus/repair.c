/* org.sourceos.Sync.Repair: planning a repair, and the plans there are. */
#include "service/repair.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/names.h"
#include "bus/object.h"
#include "bus/options.h"
#include "bus/plan.h"

#include <string.h>

#define LISTED_MAX 100u

/* ---- planning: answered once it is durable ---- */

typedef struct {
    char *path;
    char *digest;
} Planned;

static void planned_free(void *data)
{
    Planned *planned = data;
    g_free(planned->path);
    g_free(planned->digest);
    g_free(planned);
}

static bool answer_plan(SyncdCall *call, SyncdService *service, void *data, GError **error)
{
    const Planned *planned = data;
    return syncd_call_reply(call, error, "os", planned->path, planned->digest);
}

typedef struct {
    char **accept;
    bool purge;
} PlanOptions;

static const SyncdOption plan_options[] = {
    {"accept", SYNCD_OPTION_TEXTS, offsetof(PlanOptions, accept)},
    {"purge", SYNCD_OPTION_SWITCH, offsetof(PlanOptions, purge)},
};

static bool plan(SyncdCall *call, const PlanOptions *options, GError **error)
{
    static const char *const details[] = {"effect", "plan a repair", NULL};
    SyncdService *service = syncd_call_authorise(call, false, details, error);
    const SyncdRepairRequest request = {.accept = (const char *const *)options->accept,
                                        .purge = options->purge};
    SyncdRepairPlan *made = NULL;
    if (service == NULL ||
        !syncd_service_plan_repair(service, syncd_call_caller(call), &request, &made, error))
        return false;
    Planned *planned = g_new0(Planned, 1);
    *planned = (Planned){syncd_plan_path(made), g_strdup(syncd_repair_plan_digest(made))};
    syncd_call_after_commit(call, service, answer_plan, planned, planned_free);
    return true;
}

static bool handle_plan(SyncdCall *call, GError **error)
{
    PlanOptions options = {0};
    bool done = syncd_options_read(syncd_call_message(call), plan_options,
                                   G_N_ELEMENTS(plan_options), &options, error) &&
                plan(call, &options, error);
    g_strfreev(options.accept);
    return done;
}

/* ---- listing ---- */

static bool may_see(const SyncdRepairPlan *plan, const SyncdCaller *caller)
{
    return caller->inspector || !syncd_plan_is_of_another(plan, caller);
}

/* What is wrong by now is not looked for on behalf of somebody who is told nothing of it. */
static void judge_for(SyncdService *service, const SyncdCaller *caller)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(service);
    bool any = false;
    for (guint i = 0; i < plans->len && !any; i++)
        any = may_see(plans->pdata[i], caller);
    if (any)
        syncd_service_keep_repairs_judged(service);
}

static char *describe_plans(SyncdService *service, const SyncdCaller *caller)
{
    g_autoptr(GPtrArray) plans = syncd_service_repair_plans(service);
    g_autoptr(GString) text = g_string_new("[");
    guint listed = 0;
    for (guint i = 0; i < plans->len && listed < LISTED_MAX; i++) {
        if (!may_see(plans->pdata[i], caller))
            continue;
        g_autofree char *description = syncd_repair_plan_describe(plans->pdata[i]);
        g_string_append_printf(text, "%s%s", listed++ > 0 ? "," : "", description);
    }
    g_string_append_c(text, ']');
    return g_strdup(text->str);
}

static bool handle_list(SyncdCall *call, GError **error)
{
    SyncdService *service = syncd_call_authorise_reading(call, error);
    if (service == NULL)
        return false;
    judge_for(service, syncd_call_caller(call));
    g_autofree char *plans = describe_plans(service, syncd_call_caller(call));
    return syncd_call_reply(call, error, "s", plans);
}

static const SyncdMethod methods[] = {
    {"Plan", handle_plan},
    {"List", handle_list},
    {NULL, NULL},
};

/* clang-format off */
static const sd_bus_vtable vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD_WITH_ARGS("Plan",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("o", plan, "s", digest),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD_WITH_ARGS("List",
        SD_BUS_ARGS("a{sv}", options),
        SD_BUS_RESULT("s", plans),
        syncd_call_enter, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};
/* clang-format on */

const SyncdInterface syncd_interface_repair = {
    .name = SYNCD_INTERFACE_REPAIR,
    .path = SYNCD_PATH_ROOT,
    .user_vtable = vtable,
    .system_vtable = vtable,
    .methods = methods,
};
