/*
 * How long the content of files is kept: of one that exists in so many older versions as the root's
 * record says, of one that is deleted or ignored for so many days, SYNCD_FILE_DELETED_DAYS unless
 * it says. Then an entry drops it.
 *
 * Each new version drops what it is one too many for (workspace/recorder.h); what is left for here
 * are files that do not change once fewer are to be kept. Where none is to be kept at all, what is
 * there stays.
 *
 * How late it is, is the earlier of two: what the clock says, and what the log's clock said when it
 * was opened and what has passed since then by the monotonic one. So a clock that jumps forward
 * drops nothing, whether an entry was made by it or not; one that is as wrong at the next start as
 * well does. For what is to stay no day no clock is asked. Files are gone through after a start and
 * once a day, a few in a step, when there is something to do anyway: nobody is woken for it.
 *
 * Content of a workspace that was removed stays.
 */
#pragma once

#include "service/service.h"

/* One step, unless a turn is open; true: there is more to do now. */
bool syncd_service_retain(SyncdService *service);
