/* What others need to know of org.sourceos.Sync.Job. */
#pragma once

#include "service/service.h"

char *syncd_job_path(const SyncdJob *job);

/* What changes while a job runs, and with its end. NULL-terminated. */
extern const char *const syncd_job_properties_running[];
extern const char *const syncd_job_properties_ended[];
