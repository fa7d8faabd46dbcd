/* All of the log is verified, and what that finds is what is known from then on: the end of each
 * repair of it. */
#pragma once

#include "service/service.h"
#include "store/verify.h"

typedef struct {
    SyncdVerify *verify; /* NULL: it has not begun */
    guint64 sequence;    /* of the log then */
} SyncdRepairVerify;

/* Until `*ret_more` is false: then it is noted. */
bool syncd_repair_verify_step(SyncdService *service, SyncdRepairVerify *self, bool *ret_more,
                              GError **error);
void syncd_repair_verify_clear(SyncdRepairVerify *self);
