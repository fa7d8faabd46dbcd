/*
 * What a repair keeps in the folder of repairs, known by its bytes.
 *
 * Once a step is done all files whose names begin with its snapshot are read and noted, with their
 * sizes and hashes, in "<snapshot>.kept", of which the ledger has the digest. Whoever is to put
 * something back compares first: what is gone, or has other bytes, is lost. What he found is
 * durable, as "<snapshot>.lost", before anything is put back, so that what was put back meanwhile
 * is not taken for lost by whoever goes on after a crash.
 *
 * What could not be read when it was noted, as the disk erred or it is no file, is known by its
 * name alone. A note of a mode (store/aside.h) that is gone is none that is lost: earlier versions
 * left none.
 */
#pragma once

#include "crypto/hash.h"
#include "store/store.h"

typedef struct SyncdSnapshot SyncdSnapshot;

void syncd_snapshot_free(SyncdSnapshot *kept);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdSnapshot, syncd_snapshot_free)

/* What is there now, to be read and noted. Borrows the store, as the others do. */
SyncdSnapshot *syncd_snapshot_list(SyncdStore *store, const char *snapshot, GError **error);
/* What was noted, to be compared: where the note itself is gone, or is not the one of that digest,
 * all of it is lost. */
SyncdSnapshot *syncd_snapshot_load(SyncdStore *store, const char *snapshot, const char *digest,
                                   GError **error);

/* Reads some of it. StorageFailed: what was noted cannot be read now. */
bool syncd_snapshot_read(SyncdSnapshot *kept, bool *ret_more, GError **error);
/* Of what was noted: whether it is there, and as long, and no more. */
void syncd_snapshot_look(SyncdSnapshot *kept);

guint syncd_snapshot_n_files(const SyncdSnapshot *kept);
/* The digest of it; NULL, and no error: nothing is kept. */
char *syncd_snapshot_note(SyncdSnapshot *kept, GError **error);

/* What is lost of it: names, and whether something is there in spite of that. */
typedef struct {
    char *name;
    bool there;
} SyncdLostKept;

GPtrArray *syncd_snapshot_lost(const SyncdSnapshot *kept); /* SyncdLostKept */
bool syncd_snapshot_put_lost(SyncdStore *store, const char *snapshot, const GPtrArray *lost,
                             GError **error);
/* NULL, and no error: nobody has compared yet. */
GPtrArray *syncd_snapshot_get_lost(SyncdStore *store, const char *snapshot, GError **error);
/* Whether it is in that list (NULL: nothing is), or its note of a mode is. */
bool syncd_lost_has(const GPtrArray *lost, const char *name);
/* Whether the note itself is: then nobody can say of anything what it was. */
bool syncd_lost_has_note(const GPtrArray *lost, const char *snapshot);

/* Removes all that is kept under that name, in steps. */
bool syncd_snapshot_remove(SyncdStore *store, const char *snapshot, bool *ret_more, GError **error);
