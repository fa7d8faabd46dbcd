/*
 * What can take the place of a journal that is gone, or that SQLite cannot open: what can be read
 * of it (store/salvage.h), an earlier generation, or a backup that somebody put beside it.
 *
 * All of it goes in steps, each of a bounded number of pages or entries. What is read meanwhile is
 * a file that nobody else has open. What is given up leaves the journal as it was, and nothing
 * beside it.
 *
 * Each is looked at: whether it is of this device, how many entries it has, and whether what is
 * damaged in it can be mended. The one with most entries is copied into the journal's place, once
 * it is known that the copy is of what was looked at; the journal that was there is kept. What the
 * one that is there now has no more is known by others then (store/rollback.h), and what is damaged
 * in it is mended by another generation (store/mend.h).
 */
#pragma once

#include "store/store.h"

/* Something that may do, at first sight. */
typedef struct {
    char *name;      /* of the file */
    guint64 ms;      /* when the file was written last, as the disk says; a copy may say anything */
    guint64 last_ms; /* when its last entry was made, as the log says; 0: not known */
    guint64 entries; /* that it has, whether or not they are as they were … */
    char *state;   /* … but of the journal itself that is known only when it is read: as its files
                      were; NULL: it is another one */
    char *heads;   /* what its feeds end with, in hexadecimal digits; NULL: not known */
    char *why_not; /* in a sentence, where it will not do all the same; NULL: it may … */
    char *doubt; /* … but as it lies there it does not, for this reason: what is open of it may */
} SyncdRescuable;

void syncd_rescuable_free(void *rescuable);

/* In the order in which they are looked at, as each has to be opened so many at most; `*ret_others`
 * is how many there may be beside these. `*ret_known`: so many entries there were at least, as the
 * index has it; 0: nobody knows. Writes nothing. */
#define SYNCD_RESCUABLE_MAX 16u
GPtrArray *syncd_store_list_rescuable(SyncdStore *store, guint *ret_others, guint64 *ret_known);

typedef struct SyncdRescue SyncdRescue;

/* Whether there is anything that may do, as far as a look at each shows that takes a bounded time,
 * once for what there is; of the others a sentence (char *) each is added. Writes nothing. */
bool syncd_store_may_be_rescued(SyncdStore *store, GPtrArray *why_nots);
/* Whether somebody put a backup there. */
bool syncd_store_has_backup(const SyncdStore *store);
/* Of all that may do. */
guint64 syncd_store_rescue_bytes(const SyncdStore *store);

/* Of what was told to whoever agreed, and is borrowed: all of it has to be there as it was then
 * (PlanStale), whatever somebody did with the files meanwhile. What came since is passed over, but
 * for what a daemon keeps itself, and where he was told that there are `others`. `told` NULL:
 * nobody was told anything. */
SyncdRescue *syncd_rescue_new(SyncdStore *store, const GPtrArray *told, guint others);
void syncd_rescue_free(SyncdRescue *rescue);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdRescue, syncd_rescue_free)
/* Looks at them, puts the best into the journal's place, and opens it, until `*ret_more` is false.
 * JournalCorrupt when none will do; PlanStale when one is changed that was looked at, or told of.
 */
bool syncd_rescue_step(SyncdRescue *rescue, bool *ret_more, GError **error);
double syncd_rescue_progress(const SyncdRescue *rescue); /* 0 to 1 */
/* A sentence (char *) about each that was looked at. */
const GPtrArray *syncd_rescue_said(const SyncdRescue *rescue);

/* Gives the journal that is there, and what SQLite has beside it, a second name in the folder of
 * repairs. */
bool syncd_store_keep_unreadable(SyncdStore *store, const char *kept, GError **error);
/* It has no other name any more: nobody else reads it. */
void syncd_store_close_unreadable(SyncdStore *store, const char *kept);
/* Puts it back, with its mode; what is in its place becomes an earlier generation, and is named
 * where it cannot be opened either. Does nothing when it is there. */
bool syncd_store_put_unreadable_back(SyncdStore *store, const char *kept, char **ret_unopened,
                                     GError **error);
/* Whether anything of it is kept: of one that was gone nothing is. */
bool syncd_store_keeps_unreadable(SyncdStore *store, const char *kept);
bool syncd_store_release_unreadable(SyncdStore *store, const char *kept, GError **error);
/* Removes the WAL and the rollback journal of a database, durably. */
bool syncd_store_remove_beside(SyncdStore *store, const char *name, GError **error);
