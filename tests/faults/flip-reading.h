/*
 * Everything that can be read from a journal, as bytes to compare: headers, opened bodies with
 * their chunks, heads and every row of every table, also by way of the indexes. Proofs, which are
 * dear, are for each entry by itself.
 */
#pragma once

#include "store/store.h"

#include <glib.h>

/* Appends; stops once there is more than `limit`, because what is longer differs already. */
void flip_read(SyncdStore *store, size_t limit, GString *out);
void flip_prove(SyncdStore *store, guint64 pos, GString *out);
