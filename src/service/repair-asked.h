/*
 * Files of workspaces are asked for content that is missing or damaged beside the log: each once,
 * by the reader of its workspace, which alone can read it.
 *
 * That nobody can ask a file now does not say that its bytes are nowhere. So it is said why, and
 * what would let it be asked: what it may have stays damaged, and is not lost.
 */
#pragma once

#include "crypto/hash.h"
#include "service/repair-kinds.h"

typedef struct SyncdAsking SyncdAsking;

SyncdAsking *syncd_asking_new(void);
void syncd_asking_free(SyncdAsking *asking);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdAsking, syncd_asking_free)

/* True: it is being read, or will be, and is to be asked again once the act goes on. False: what it
 * has was offered (store/refill.h), or it has not what is recorded of it; else `*ret_why` is why
 * nobody knows, and what to do about that, borrowed. */
bool syncd_asking_ask(SyncdAsking *asking, SyncdRepairAct *act, guint64 file, const char **ret_why);

/* Why no file of a workspace can be asked now, and what to do about it (char *), for a plan: of
 * those that have files which are recorded with content that is damaged. */
GPtrArray *syncd_asking_list_unasked(SyncdService *service);

/* Content that was given up, and that a file of a workspace is recorded with again, as it was
 * another one or could not be asked then, is damaged and not lost. */
void syncd_service_doubt_losses(SyncdService *service);
