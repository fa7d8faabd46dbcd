/*
 * Actors announce what they do to files, and what is found in a workspace is theirs where it is
 * exactly that (domain/announcements.h). Nothing else makes a change that of an agent.
 *
 * Whoever announces may write there: it is asked as for every write, now and once more when what
 * was found is recorded.
 */
#pragma once

#include "domain/announcements.h"
#include "service/files.h"

/* `changes` is a JSON array of at most SYNCD_ANNOUNCED_AT_ONCE objects with `path` and one of
 * `sha256`, `folder`, `deleted` and `renamed_to`; bytes that are no UTF-8 are `path_base64` and
 * `renamed_to_base64`. All of them are taken or none. The answer is a JSON object: who announced,
 * until when, and what is recorded so already and stays whose it is. AccessDenied, PolicyDenied,
 * NotFound, InvalidContract, TooLarge, LimitsExceeded. */
char *syncd_service_announce(SyncdService *service, const SyncdCaller *caller,
                             const char *workspace, SyncdBytes changes, GError **error);

/* ---- for those who find what was done ---- */

/* Whether there is anything to be met; cheap. */
bool syncd_service_has_announcements(SyncdService *service);
/* The actor who announced it, and does so no more; syncd_service_nobody() where several did, NULL
 * for nobody. */
char *syncd_service_take_announced(SyncdService *service, const SyncdHash *digest);
/* The same, but for that it stays announced. */
char *syncd_service_find_announced(SyncdService *service, const SyncdHash *digest);
