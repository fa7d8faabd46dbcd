#include "bus/evidence.h"

#include "bus/listing.h"
#include "bus/options.h"
#include "service/evidence.h"

typedef struct {
    SyncdEvidenceListing listing;
    bool all;
} ListOptions;

static const SyncdOption list_options[] = {
    {"cursor", SYNCD_OPTION_TEXT, offsetof(ListOptions, listing.cursor)},
    {"limit", SYNCD_OPTION_NUMBER, offsetof(ListOptions, listing.limit)},
    {"order", SYNCD_OPTION_TEXT, offsetof(ListOptions, listing.order)},
    {"type", SYNCD_OPTION_TEXT, offsetof(ListOptions, listing.type)},
    {"after", SYNCD_OPTION_LARGE, offsetof(ListOptions, listing.after)},
    {"all", SYNCD_OPTION_SWITCH, offsetof(ListOptions, all)},
};

bool syncd_handle_list_evidence(SyncdCall *call, GError **error)
{
    ListOptions options = {.all = false};
    if (!syncd_options_read(syncd_call_message(call), list_options, G_N_ELEMENTS(list_options),
                            &options, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, options.all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *cursor = NULL;
    g_autofree char *evidence = syncd_service_list_evidence(service, syncd_call_caller(call),
                                                            &options.listing, &cursor, error);
    return evidence != NULL && syncd_call_reply(call, error, "ss", evidence, cursor);
}

static void search_free(void *data)
{
    syncd_evidence_search_free(data);
}

static bool step_search(SyncdCall *call, SyncdService *service, void *data, bool *ret_done,
                        GError **error)
{
    g_autofree char *evidence = NULL;
    if (!syncd_evidence_search_step(data, &evidence, error))
        return false;
    *ret_done = evidence != NULL;
    return evidence == NULL || syncd_call_reply(call, error, "s", evidence);
}

bool syncd_handle_get_evidence(SyncdCall *call, GError **error)
{
    const char *id = NULL;
    SyncdService *service = syncd_text_argument_read(syncd_call_message(call), &id, error)
                                ? syncd_call_authorise_reading(call, error)
                                : NULL;
    if (service == NULL)
        return false;
    SyncdEvidenceSearch *search =
        syncd_service_begin_find_evidence(service, syncd_call_caller(call), id, error);
    return search != NULL &&
           syncd_call_in_pieces(call, service, step_search, search, search_free, error);
}
