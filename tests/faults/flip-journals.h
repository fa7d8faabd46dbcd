/*
 * The journals whose bits are flipped. Each call makes a state at rest; the caller removes it with
 * fixture_remove().
 */
#pragma once

#include <glib.h>

/* At most 48 KiB, with a row in every table and an entry of every kind that the program writes. A
 * full tile takes 32 entries, which do not fit into so few pages of the size that the store uses:
 * the rows are the store's, the pages are of 512 bytes. */
char *flip_small_journal(void);

/* Of 4 MiB, as the store wrote it, with full tiles of two levels. */
char *flip_large_journal(void);

/* Edits a state at rest past its triggers. */
void flip_edit(const char *directory, const char *sql);
/* What it reads as, unverified. */
GString *flip_read_state(const char *directory);
