#include "bus/document.h"

#include "bus/listing.h"
#include "bus/options.h"

bool syncd_call_give_document(SyncdCall *call, SyncdDocumentFunc document_of, GError **error)
{
    sd_bus_message *message = syncd_call_message(call);
    const char *id = NULL;
    bool all;
    if (!syncd_text_argument_read(message, &id, error) ||
        !syncd_all_option_read(message, &all, error))
        return false;
    SyncdService *service = syncd_call_authorise(call, all, NULL, error);
    if (service == NULL)
        return false;
    g_autofree char *document = document_of(service, syncd_call_caller(call), id, error);
    return document != NULL && syncd_call_reply(call, error, "s", document);
}
