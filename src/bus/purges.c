#include "bus/purges.h"

#include "bus/document.h"
#include "bus/error-bus.h"
#include "bus/listing.h"
#include "bus/options.h"

#include <string.h>

static bool read_request(SyncdCall *call, bool with_digest, SyncdPurgeRequest *ret_request,
                         GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    *ret_request = (SyncdPurgeRequest){NULL};
    return syncd_text_argument_read(message, &ret_request->scope, error) &&
           syncd_text_argument_read(message, &ret_request->object, error) &&
           (!with_digest || syncd_text_argument_read(message, &ret_request->digest, error)) &&
           syncd_no_options_read(message, error);
}

static void purging_free(void *data)
{
    syncd_purging_free(data);
}

static bool step_plan(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                      GError **error)
{
    g_autofree char *plan = NULL;
    if (!syncd_purging_plan(data, &plan, error))
        return false;
    *ret_done = plan != NULL;
    if (plan == NULL)
        return true;
    g_autofree char *digest =
        syncd_json_dup_text(syncd_json_member(syncd_json_root(plan, strlen(plan)), "digest"));
    return syncd_call_reply(call, error, "ss", plan, digest);
}

bool syncd_handle_plan_purge(SyncdCall *call, GError **error)
{
    SyncdPurgeRequest request;
    if (!read_request(call, false, &request, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, true, NULL, error);
    if (service == NULL)
        return false;
    SyncdPurging *purging =
        syncd_service_begin_plan_purge(service, syncd_call_caller(call), &request, error);
    return purging != NULL &&
           syncd_call_in_pieces(call, service, step_plan, purging, purging_free, error);
}

static bool step_purge(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                       GError **error)
{
    g_auto(SyncdPurged) purged = {0};
    if (!syncd_purging_carry_out(data, &purged, error))
        return false;
    *ret_done = purged.operation != NULL;
    return !*ret_done || syncd_call_reply(call, error, "st", purged.operation, purged.sequence);
}

bool syncd_handle_purge(SyncdCall *call, GError **error)
{
    SyncdPurgeRequest request;
    if (!read_request(call, true, &request, error))
        return false;
    const char *const details[] = {"effect", "purge a deleted object for good",
                                   "object", request.object,
                                   "plan",   request.digest,
                                   NULL};
    /* Leave to purge is none to see what others did: PlanPurge asks nobody for that. */
    SyncdService *service = syncd_call_authorise(call, false, details, error);
    if (service == NULL)
        return false;
    SyncdPurging *purging =
        syncd_service_begin_purge(service, syncd_call_caller(call), &request, error);
    return purging != NULL &&
           syncd_call_in_pieces(call, service, step_purge, purging, purging_free, error);
}

bool syncd_handle_purge_report(SyncdCall *call, GError **error)
{
    return syncd_call_give_document(call, syncd_service_describe_purge, error);
}
