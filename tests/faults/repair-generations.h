/*
 * Logs that another generation of the journal mends, while they are served: one in which bytes are
 * damaged that a backup has, and one whose file is not where it was opened. For the table of what
 * repairs are about (repair-subjects.h). The way back is a further generation, in which what was
 * mended stays so.
 */
#pragma once

#include "repair-subjects.h"

void repair_log_loses_header(RepairWorld *w);
void repair_log_loses_body(RepairWorld *w);
bool repair_log_is_as_it_was(RepairLife *life);
bool repair_log_is_mended(RepairLife *life);

void repair_log_is_displaced(RepairLife *life); /* a start, and then it is */
bool repair_log_is_elsewhere(RepairLife *life);
bool repair_log_is_back(RepairLife *life);
