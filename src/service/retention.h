/*
 * How long the content of files is kept that are deleted or ignored: as long as the root's record
 * says, SYNCD_FILE_DELETED_DAYS days unless it does. Then an entry drops it.
 *
 * How long that is, is said by clocks of entries: from the one that deleted the file to the newest
 * there is. So a log to which nothing comes keeps what it has. Files are gone through after a start
 * and once a day, a few in a step, when there is something to do anyway: nobody is woken for it.
 *
 * Content of a workspace that was removed stays.
 */
#pragma once

#include "service/service.h"

/* One step, unless a turn is open; true: there is more to do now. */
bool syncd_service_retain(SyncdService *service);
