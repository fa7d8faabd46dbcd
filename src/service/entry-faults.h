/*
 * What is known to be wrong with an entry that is given out: its record says so.
 *
 * Reading holds no header against the tree, which would cost more than the reading. While nobody
 * knows of damage nothing is asked for; once a verification found some, each entry is held against
 * the tree, as the list of what was found has an end.
 */
#pragma once

#include "service/internal.h"

/* A sentence without its full stop; NULL: nothing is known. */
char *syncd_service_entry_fault(SyncdService *service, const SyncdEntry *entry);
