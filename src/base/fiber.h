/*
 * A function on a stack of its own, which pauses where it likes and goes on when it is told to: for
 * work inside a library that nobody can cut into steps from outside, because all that it offers is
 * to call back now and then.
 *
 * It is no thread. Nothing ever runs beside it: whoever resumes it waits until it pauses or ends,
 * and in between it is as still as any structure in memory. What it has borrowed it goes on
 * borrowing, so nobody else may touch that meanwhile.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdFiber SyncdFiber;
typedef void (*SyncdFiberFunc)(SyncdFiber *fiber, void *data);

/* Does not begin it yet. NULL where there can be none: no memory for a stack, or a build that looks
 * for races. Then whoever wants one does its work in one go. */
SyncdFiber *syncd_fiber_new(SyncdFiberFunc func, void *data);
/* Runs it until it pauses: true. False: it has ended. Not for another fiber to call: memory
 * checkers tell stacks apart by their distance. */
bool syncd_fiber_resume(SyncdFiber *fiber);
/* By the function itself, as deep in its calls as it likes. */
void syncd_fiber_pause(SyncdFiber *fiber);
/* By the function itself: bytes of its stack that are left to the calls that it makes from here. */
size_t syncd_fiber_stack_left(const SyncdFiber *fiber);
/* One that has ended, or was never begun: what is on its stack has to be given back by it. */
void syncd_fiber_free(SyncdFiber *fiber);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdFiber, syncd_fiber_free)
