/*
 * Where bytes of the log can be had that the journal has no more: behind one interface, so that a
 * repair does not ask what they come from. An earlier generation of the journal and the copies of
 * before a migration are such sources.
 *
 * A source promises nothing: whatever it gives is held against the hash that the log names, and
 * what it cannot give, for whatever reason, it has not.
 */
#pragma once

#include "crypto/hash.h"
#include "store/directory.h"

#include <glib.h>
#include <stdbool.h>

/* Where an entry is: its feed, its place in that, and where it arrived here. */
typedef struct {
    const char *device, *scope;
    guint64 epoch, seq, pos;
} SyncdPlace;

/* NULL for what is not there. */
typedef struct {
    GBytes *header, *body, *tiles;
} SyncdStoredEntry;

void syncd_stored_entry_clear(SyncdStoredEntry *stored);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdStoredEntry, syncd_stored_entry_clear)

typedef struct SyncdSource SyncdSource;
struct SyncdSource {
    char *name; /* for reports: "journal.1" */
    void (*entry)(SyncdSource *source, const SyncdPlace *place, SyncdStoredEntry *ret_stored);
    /* Which place of which feed arrived as that one; false when it does not know. The texts are
     * valid until it is asked again. */
    bool (*place)(SyncdSource *source, guint64 pos, SyncdPlace *ret_place);
    /* The stored bytes of a chunk (docs/format.md 4.3 and 6.2), whose hash is its name. */
    GBytes *(*content)(SyncdSource *source, const SyncdHash *name);
    void (*free)(SyncdSource *source);
    /* Something that it has could not be read, as the disk erred: what it gives later is another
     * matter. */
    bool erred;
};

void syncd_source_free(SyncdSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSource, syncd_source_free)

/* The journals of earlier that lie in the state directory, newest first: SyncdSource. What is none
 * that can be read is left out. */
GPtrArray *syncd_source_find_journals(SyncdDirectory *directory);
/* Everything that may have a chunk: SyncdSource. Whatever comes to have some, a backup or a peer,
 * is one more of these. */
GPtrArray *syncd_source_find_content(SyncdDirectory *directory);
/* Their names (char *), readable or not. */
GPtrArray *syncd_source_list_journals(SyncdDirectory *directory);
/* Whether a file of the state directory is one of these: "journal.<n>", "journal.db.before-<n>",
 * and "journal-<name>.db", a copy from elsewhere that somebody put there. */
bool syncd_source_is_earlier_journal(const char *name);
bool syncd_source_is_backup(const char *name);
bool syncd_source_is_generation(const char *name);
/* The name of the generation, or of the copy of before a migration, that the file is the half of,
 * as long as it is not whole; NULL: it is no such half. */
char *syncd_source_half_copy(const char *name);
/* "journal.<generation>" */
char *syncd_source_generation_name(guint64 generation);
