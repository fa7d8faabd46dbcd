#include "bus/document.h"

#include "bus/listing.h"
#include "bus/options.h"

bool syncd_call_give_document(SyncdCall *call, SyncdDocumentFunc document_of, GError **error)
{
    const char *id = NULL;
    SyncdService *service = syncd_text_argument_read(syncd_call_message(call), &id, error)
                                ? syncd_call_authorise_reading(call, error)
                                : NULL;
    if (service == NULL)
        return false;
    g_autofree char *document = document_of(service, syncd_call_caller(call), id, error);
    return document != NULL && syncd_call_reply(call, error, "s", document);
}
