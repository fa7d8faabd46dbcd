/*
 * Private to service/: which deleted objects may be purged now, each with what would go.
 *
 * Those that a purge by the same caller would take (service/purge.h), in the order in which they
 * were deleted: nothing that is not deleted and hidden, that a retention class or a policy keeps,
 * that has operations that have not ended, or entries above the stable cut. What would go is told
 * without looking through the log, so of the files of large content that others need too less may
 * go than is said.
 */
#pragma once

#include "service/service.h"

#define SYNCD_PURGES_DUE_EXAMINED 1024u /* deleted objects, at most */
#define SYNCD_PURGES_DUE_ENTRIES 16384u /* and of all of them, when it is enough */

typedef struct {
    char *scope_id;
    char *object;
    char *preview;      /* canonical JSON: entries and chunks with their sizes, the digest of the
                         * entries, the      decision that allows it */
    guint64 bytes;      /* of the log, which are free to be written again */
    guint64 file_bytes; /* of files, which go; at most */
} SyncdPurgeDue;

/* SyncdPurgeDue, so many at most; `*ret_more`: there are deleted objects that were not looked at.
 * None where the log is known to be damaged, or there is no index that is to be believed. */
GPtrArray *syncd_service_list_purgeable(SyncdService *service, const SyncdCaller *caller, guint max,
                                        bool *ret_more);
