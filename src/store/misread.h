/*
 * Damage that one read of the open journal met, and that is not there when it is read again: the
 * memory or the cable of a disk lied once. It is remembered as something that was seen, and keeps
 * nobody from anything.
 *
 * Pages are read once and held, so what is held is dropped before. A diagnosis looks again where
 * the journal is small enough to be looked through at once, and once a minute at most; of any other
 * one, and of rows that contradict each other, only a verification of everything knows.
 */
#pragma once

#include "store/store.h"

typedef struct {
    char *what; /* of the last one, in words; NULL: there was none */
    guint64 sound_ms;
    guint64 times;
} SyncdMisread;

/* Borrowed; none since it was opened where `what` is NULL. */
const SyncdMisread *syncd_store_misread(const SyncdStore *store);
/* Does nothing where no damage was met, or where it was looked at just now. */
void syncd_store_look_again(SyncdStore *store);
/* Whether a look showed that it is there still: else nobody knows. */
bool syncd_store_saw_damage_again(const SyncdStore *store);
/* All of it was read again, and nothing was met meanwhile. */
void syncd_store_note_sound(SyncdStore *store);
