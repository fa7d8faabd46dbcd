/* Private to service/: the envelope of one entry. */
#pragma once

#include "service/internal.h"

/* The type of its evidence, by its header alone. */
const char *syncd_service_evidence_type(const SyncdHeader *header);
/* Appends the envelope of a committed entry, signed by the device. JournalCorrupt when it is not
 * the one that the head of its feed covers. */
bool syncd_service_write_evidence(SyncdService *service, const SyncdEntry *entry, GString *out,
                                  GError **error);
/* What the caller may see, which is known without an index only where that is all of it: the error
 * says how. */
bool syncd_service_view_evidence(SyncdService *service, const SyncdCaller *caller,
                                 SyncdView *ret_view, GError **error);
/* The id of that envelope. */
char *syncd_service_evidence_id(SyncdService *service, const SyncdEntry *entry);
