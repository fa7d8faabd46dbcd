/*
 * SipHash-2-4 for hash tables whose keys somebody else chooses, such as names of files: with a key
 * of this process's own, nobody can choose names that all fall into one place.
 *
 * It is no digest: it is short, and another one in every process.
 */
#pragma once

#include "base/bytes.h"

#include <glib.h>

/* `seed` is hashed along. */
guint syncd_short_hash(guint64 seed, SyncdBytes bytes);
