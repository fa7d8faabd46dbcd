/* The journal's inside, shared by the files that make it up. */
#pragma once

#include "store/journal.h"

struct SyncdJournal {
    SyncdKeyring *keyring;
    SyncdDatabase *db;
    GPtrArray *feeds;         /* SyncdFeed */
    SyncdHlc clock;           /* with the open turn */
    SyncdHlc committed_clock; /* of the newest committed entry */
    guint64 committed;        /* pos of the newest committed entry */
    guint64 next;             /* pos of the next entry */
    bool is_copy;             /* of earlier, or somebody else's: nothing is written to it */
    bool turn;                /* a transaction is open */
    GError *turn_error;       /* a write of the open turn failed: its commit will fail */
    GError *problem;          /* sticky: nothing may be appended … */
    bool stopped_by_turn;     /* … because of damage that a turn met, which was taken back */
    GQueue *changes;   /* SyncdHash: names of content that came or went; NULL: nobody follows */
    bool is_behind;    /* another file is in its place, and could not be opened */
    char *write_fault; /* … because a write failed, not because the journal was found damaged */
};

extern const SyncdDatabaseKind syncd_journal_kind;
extern const SyncdDatabaseKind syncd_journal_in_memory; /* the same, of none that lasts */

/* What SQLite takes of a WAL that is damaged may be no log yet, or one of an earlier version: to
 * begin one there, to bring it up to date, or to close it would write over what was acknowledged
 * and lies behind. True, with JournalCorrupt: it is so of that journal. */
bool syncd_journal_is_left_alone(SyncdDirectory *directory, const char *name, GError **error);

SyncdFeed *syncd_feed_new(SyncdJournal *journal, gint64 id, const char *device, const char *scope,
                          guint64 epoch);
/* Opens the turn. */
bool syncd_journal_begin(SyncdJournal *journal, GError **error);
/* Runs a statement of the turn, whose commit fails if that does. */
bool syncd_journal_write_row(SyncdJournal *journal, SyncdStatement *row, GError **error);
void syncd_journal_stop(SyncdJournal *journal, GError *problem);
