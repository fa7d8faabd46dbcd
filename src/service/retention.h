/*
 * How long the content of files is kept that are deleted or ignored: as long as the root's record
 * says, SYNCD_FILE_DELETED_DAYS days unless it does. Then an entry drops it.
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
