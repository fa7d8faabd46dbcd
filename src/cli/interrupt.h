/*
 * Ctrl-C.
 *
 * A client keeps nothing that must be tidied up, so an interrupt ends it at once with 130. Only
 * where something should be taken back (a job that was started) is it caught and told through a
 * file descriptor; a second one ends the program all the same.
 */
#pragma once

/* Once, at the start of the program. */
void syncd_interrupt_setup(void);
/* From now on the next interrupt makes this descriptor readable. -1 when that is not possible. */
int syncd_interrupt_catch(void);
void syncd_interrupt_release(void);
