/*
 * A journal or an index whose files were removed, replaced or cut short while it is open.
 *
 * It is looked for at each commit and by each diagnosis. What is open has all that was acknowledged
 * then, unless it was cut short, and nobody who opens the path would find it: so nothing more is
 * written, and a repair writes another generation of it to where it should be (store/mend.h). One
 * that was cut short is let go of, and the best of what there is takes its place (store/rescue.h).
 * When the store is closed before that, it leaves a copy as an earlier generation, where the next
 * start finds it. However long that takes: nobody is served any more, and nothing else has the
 * bytes. It goes in steps all the same, so that whoever closes it can tell the service manager,
 * which would end him (TimeoutStopSec=), that it goes on.
 *
 * An index goes on to answer from what is open, until another one is made from the log.
 */
#pragma once

#include "store/store.h"

/* What became of the journal's files while they were open; NULL: nothing did, as far as was seen.
 */
const char *syncd_store_displacement(const SyncdStore *store);
/* The same with when that was, as far as anybody knows. */
char *syncd_store_say_displacement(const SyncdStore *store);
/* False when they are not as they were, from then on. */
bool syncd_store_look_at_place(SyncdStore *store);
/* Something malformed was met in the journal as it is open, which is where it was. */
bool syncd_store_met_damage(const SyncdStore *store);
/* What was said of it first; NULL: nothing was met. */
const char *syncd_store_damage(const SyncdStore *store);
/* What is open lacks some of what was acknowledged. */
bool syncd_store_is_cut(const SyncdStore *store);
/* One that was cut short is from then on one that cannot be opened, so that nobody asks what is
 * open of it while that is copied. Does nothing where it was not. */
bool syncd_store_let_go_of_cut(SyncdStore *store, GError **error);
/* There is one that is not copied yet. */
bool syncd_store_holds_cut(const SyncdStore *store);
/* Keeps a copy of it, as far as it can be read, as an earlier generation, until `*ret_more` is
 * false. NoSpace: it is held on. */
bool syncd_store_keep_cut(SyncdStore *store, bool *ret_more, GError **error);
/* Says of a store that does not write any more what becomes of that. */
void syncd_store_set_displaced_error(const SyncdStore *store, GError **error);
/* At the end: copies it, until it gives false. Then nothing but freeing the store follows. */
bool syncd_store_keep_displaced(SyncdStore *store);
