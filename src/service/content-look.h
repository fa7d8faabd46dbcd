/*
 * Whether content is what was stored, seen there and then: of what no verification has looked at
 * since it was stored, or found more of than it names, nobody is told that it is kept. No key is
 * needed to see it of files, and nothing is noted: who asks changes nothing.
 */
#pragma once

#include "service/internal.h"
#include "store/chunks.h"

typedef enum {
    SYNCD_CONTENT_WHOLE,
    SYNCD_CONTENT_DAMAGED,  /* or missing */
    SYNCD_CONTENT_NOT_SEEN, /* there is too much of it to look at now */
} SyncdContentSeen;

/* So much is looked at for one answer. */
#define SYNCD_CONTENT_LOOK_BYTES (8u * 1024u * 1024u)

/* Of a version of a file. What there are not so many bytes left for in `*left` is whole if it was
 * verified, and all that was damaged was named then. */
SyncdContentSeen syncd_content_look_at_version(SyncdService *service, const SyncdContentRow *row,
                                               guint64 *left);
/* Whether the key of that scope is not here, so that nothing of it can be opened. */
bool syncd_content_is_sealed(SyncdService *service, SyncdBytes scope_id);
/* Of one entry, whose content is bounded. What was purged, given up, or is sealed is not
 * looked at: whole. */
SyncdContentSeen syncd_content_look_at_entry(SyncdService *service, guint64 pos);
