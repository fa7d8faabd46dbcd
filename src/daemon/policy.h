/*
 * The rules in force: read at the start and whenever they are to be read again, level by level.
 *
 * The rules of a level are taken whole or refused whole. What was refused leaves the last good
 * rules of that level in force, over a restart too, because the state keeps them
 * (daemon/policy-kept.h); a level that never had any has none, and lanes that fail closed stay
 * closed until it has. A user's mistake so never keeps the machine's rules from changing.
 */
#pragma once

#include "daemon/policy-files.h"
#include "service/service.h"

typedef struct SyncdPolicyLoader SyncdPolicyLoader;

/* Of the instance's own directories; `given`, NULL for none, takes the place of the machine's. The
 * store, borrowed, keeps the last good rules; with NULL nothing is kept, nor read from there. */
SyncdPolicyLoader *syncd_policy_loader_new(SyncdInstance instance, const char *given,
                                           SyncdStore *store);
void syncd_policy_loader_free(SyncdPolicyLoader *loader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdPolicyLoader, syncd_policy_loader_free)
/* Adds a directory behind the others. Files of this process' user count there. */
void syncd_policy_loader_add(SyncdPolicyLoader *loader, const char *path, SyncdPolicyLevel level);

/* Never NULL. `*ret_fault` is NULL or says what was refused. */
SyncdPolicySet *syncd_policy_loader_read(SyncdPolicyLoader *loader,
                                         SyncdPolicyStanding *ret_standing, char **ret_fault);

/* What could not be kept is in force all the same, and is to be kept when something else is done:
 * nobody wakes up for it. At first in the next pause, then a minute later, and ever more seldom.
 * Times are monotonic microseconds. */
bool syncd_policy_loader_wants_to_keep(const SyncdPolicyLoader *loader, guint64 now_usec);
/* True when some are kept now that were not: `standing`, that of the last read, says which. */
bool syncd_policy_loader_keep(SyncdPolicyLoader *loader, guint64 now_usec,
                              SyncdPolicyStanding *standing);
