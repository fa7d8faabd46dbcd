/*
 * The times of files go forward in ticks of some milliseconds. A file or folder that was changed in
 * this tick can be changed once more without any trace in its times; so it is read in the next one,
 * when every later change has a later time.
 */
#pragma once

#include "domain/file.h"

/* Waits until what `stat` says was so before this tick: not at all, or some milliseconds. On a
 * server with a clock of its own there is no telling, and nothing is waited for. */
void syncd_wait_for_a_later_tick(const SyncdFileStat *stat);
