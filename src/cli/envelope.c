#include "cli/envelope.h"

#include "cli/document.h"
#include "contract/vocabulary.h"
#include "domain/evidence.h"

static const char *read_type(SyncdCli *cli, GError **error)
{
    const char *given = syncd_document_demand(cli, "type", error);
    if (given == NULL)
        return NULL;
    const char *type = syncd_vocabulary_find(SYNCD_WORDS_EVIDENCE_TYPE, SYNCD_BYTES_TEXT(given));
    g_autofree char *known = syncd_vocabulary_list(SYNCD_WORDS_EVIDENCE_TYPE);
    if (type == NULL)
        syncd_set_error(error, SYNCD_ERROR_USAGE, "--type is one of: %s; not `%s`", known, given);
    return type;
}

bool syncd_envelope_make(SyncdCli *cli, GString *out, GError **error)
{
    g_auto(SyncdDocument) artifact = {0};
    const char *type = read_type(cli, error);
    const char *subject = type != NULL ? syncd_document_demand(cli, "subject", error) : NULL;
    const SyncdEvidence what = {
        .type = type,
        .subject = subject,
        .generated_usec = syncd_document_now(),
    };
    return subject != NULL && syncd_document_read(cli, "An artifact", &artifact, error) &&
           syncd_evidence_wrap(artifact.root, &what, out, error);
}
