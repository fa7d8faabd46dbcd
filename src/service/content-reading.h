/*
 * Kept content of files, as it is read to be brought back: what of it is missing or damaged then is
 * known as damage at once, and not only to the next verification of everything.
 */
#pragma once

#include "service/service.h"

typedef struct {
    const char *scope; /* id */
    const char *file;  /* id */
    guint64 version;
    SyncdBytes chunks; /* the names of all of that version's */
    guint64 size;      /* of all of it */
} SyncdContentAsked;

/* The bytes of one of its chunks, `number`. JournalCorrupt, with what leads on, where they are not
 * what was kept; NotInitialized without the key. */
GBytes *syncd_service_read_content(SyncdService *service, const SyncdContentAsked *asked,
                                   guint64 number, GError **error);
