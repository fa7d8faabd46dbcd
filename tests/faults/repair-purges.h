/*
 * A disk that is full, two objects that are deleted and may be purged, and two that must stay: one
 * is deleted and has not ended, the other is there. For the table of what repairs are about
 * (repair-subjects.h).
 *
 * Each of the two is whole, in the log and beside it, or it is purged, proven in the audit lane,
 * and in no file: and whoever finds the proof finds no file that holds it.
 */
#pragma once

#include "repair-subjects.h"

void repair_purges_begin(RepairWorld *w);
void repair_purges_open(RepairLife *life); /* a start, on a disk that is full */
bool repair_purges_are_there(RepairLife *life);
bool repair_purges_are_gone(RepairLife *life);     /* the proof follows by itself */
void repair_purges_take_content(RepairLife *life); /* what no purge does before the log says so */
