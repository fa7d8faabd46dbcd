/* Copies of a state, for suites that spoil each of them in another way. */
#pragma once

/* All that is in the folder, with its modes, in a new one, or in one that may be there. */
char *copy_state(const char *from);
void copy_into(const char *from, const char *to);
