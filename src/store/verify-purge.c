/* Bodies that are not there: only a purge may have taken them. */
#include "store/verify-private.h"

#include "store/deletion-move.h"

/* The entry that is said to have taken it must be one that takes bodies, and this one's. Of one
 * that is lost nobody knows: that is named itself. */
static bool is_covered(SyncdVerify *self, const SyncdHeader *header, guint64 pos, guint64 by)
{
    SyncdHeader purge;
    size_t size;
    g_autofree char *text =
        by > pos ? syncd_journal_read_header(self->store->journal, by, &size, NULL) : NULL;
    return text != NULL && syncd_header_parse(text, size, &purge, NULL) &&
           (purge.lost || syncd_deletion_covers(&purge, header));
}

void syncd_verify_missing_body(SyncdVerify *self, const SyncdFeed *feed, guint64 pos,
                               const SyncdHeader *header)
{
    guint64 by = 0;
    bool lost = false, header_too;
    SyncdHash leaf;
    syncd_journal_purged_by(self->store->journal, pos, &by, NULL);
    syncd_journal_lost(self->store->journal, pos, &lost, &leaf, &header_too, NULL);
    if (lost)
        return; /* named by verify-lost.c */
    if (by != 0 && is_covered(self, header, pos, by))
        return;
    if (by == 0)
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "body-missing", feed,
                         (gint64)header->seq, (gint64)pos,
                         "the entry has no body, and nothing purged it");
    else
        syncd_verify_add(self, SYNCD_ERROR_JOURNAL_CORRUPT, "body-missing", feed,
                         (gint64)header->seq, (gint64)pos,
                         "the entry has no body, and sequence number %" G_GUINT64_FORMAT
                         ", which is said to have purged it, does not cover it",
                         by);
}
