/*
 * Logs that another generation of the journal mends while they are served, as a backup has the
 * bytes that are damaged in them: for the table of what repairs are about (repair-subjects.h). The
 * way back is a further generation, in which what was mended stays so.
 */
#pragma once

#include "repair-subjects.h"

void repair_log_loses_header(RepairWorld *w);
void repair_log_loses_body(RepairWorld *w);
bool repair_log_is_as_it_was(RepairLife *life);
bool repair_log_is_mended(RepairLife *life);
