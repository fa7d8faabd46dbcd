/*
 * What whoever approves is told may be given up: the plan names each part by a key, and no other
 * one is given up for it, however few they are.
 *
 * In a plan it is what such a step is bound to, a canonical JSON object. Of very many the first
 * ones are named; of the others there may not be more than were said.
 */
#pragma once

#include "store/mend.h"
#include "store/verify.h"

#define SYNCD_TOLD_MAX 256u

/* The key of content beside the log. */
char *syncd_told_key_of_finding(const SyncdVerifyFinding *finding);
/* The keys of what an examination calls lost, the first ones. */
GPtrArray *syncd_told_list_lost(const SyncdMend *mend);

/* `keys`: those of `all` that are known, always in the same order. */
char *syncd_told_write(const GPtrArray *keys, guint64 all);
/* A set of keys. */
GHashTable *syncd_told_read(const char *told, guint64 *ret_others);
/* Whether all that would be given up now was told then. */
bool syncd_told_covers(const char *told, const char *now);
