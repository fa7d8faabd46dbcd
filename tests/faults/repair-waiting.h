/*
 * What does not go on in a process that serves: entries that wait for the index, jobs that wait for
 * nothing. For the table of what repairs are about (repair-subjects.h). A start has neither; so
 * each process makes its own, but one that goes on with a repair, or has it behind it.
 */
#pragma once

#include "repair-subjects.h"

void repair_entries_wait(RepairLife *life); /* a start, and then one waits */
bool repair_entries_wait_still(RepairLife *life);
bool repair_entries_are_taken(RepairLife *life);
void repair_entries_halve(RepairLife *life); /* one more was answered than is there */

void repair_jobs_wait(RepairLife *life); /* a start, and then two are stuck */
bool repair_jobs_wait_still(RepairLife *life);
bool repair_jobs_are_cancelled(RepairLife *life);
void repair_jobs_halve(RepairLife *life); /* one of them is cancelled */
