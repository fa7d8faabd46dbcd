/*
 * Private to service/: what any purge takes along, whatever object it is of, as it may hold what
 * goes: copies of the log beside it, and what repairs kept to be taken back.
 *
 * Whoever agrees to a purge agrees to this, so it is named in what is shown: a copy by its file,
 * and what a repair kept by the repair's plan. Who may not see what others did is told only how
 * much it is. What a repair kept that nothing proves may be the
 * only copy of what was there: there is no purge as long as that is so.
 */
#pragma once

#include "base/json.h"
#include "service/service.h"

typedef struct {
    char *name;     /* of a file in the state directory, or the id of a repair's plan */
    bool of_repair; /* the latter */
    guint64 bytes;
} SyncdAlong;

/* SyncdAlong, sorted: files first. */
GPtrArray *syncd_service_list_along(SyncdService *service);
guint64 syncd_along_bytes(const GPtrArray *along);
/* A JSON array, of {"file", "bytes"} and {"plan_id", "bytes"}, SYNCD_ALONG_MAX at most, and of one
 * {"count", "bytes"} for all others where there are more. */
#define SYNCD_ALONG_MAX 256u
char *syncd_along_write(const GPtrArray *along);
/* The same without names: one {"count", "bytes"} of all, or none. */
char *syncd_along_write_amount(const GPtrArray *along);
/* In a sentence: "journal.3 and what the repair plan-1 kept". NULL: there is nothing. */
char *syncd_along_say(const GPtrArray *along);
/* Whether all of it is in such an array. */
bool syncd_along_is_within(const GPtrArray *along, SyncdJson shown);

/* Busy, when there is a repair that nothing proves and that still has what was there before; it is
 * named to who may see what others did. NULL: somebody who may. */
bool syncd_service_check_no_unproven(const SyncdService *service, const SyncdCaller *caller,
                                     GError **error);
