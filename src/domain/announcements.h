/*
 * What actors said that they do to files of workspaces, until it is found that it was done: in
 * memory, as it is about what happens now.
 *
 * An announcement is kept as the digest of all that it says: which workspace, what is done to which
 * path, and what is there then. So it takes the same room whatever it says, and is met by exactly
 * that change. It ends when it was met, after SYNCD_ANNOUNCED_USEC, and with the process. What
 * several actors announced may be the doing of any of them: it is nobody's that can be named, and
 * counts as one of whoever was the first.
 *
 * Announcing leaves no entry that could carry a signature. So each signature of an actor must
 * expire later than all those before, and after a start later than any that may have been used
 * before: none counts twice. Signatures expire by the wall clock, all else by the monotonic one.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ANNOUNCED_USEC (10u * 60u * G_USEC_PER_SEC)
#define SYNCD_ANNOUNCED_AT_ONCE 256u                       /* in one call … */
#define SYNCD_ANNOUNCED_EACH 4096u                         /* … of one actor … */
#define SYNCD_ANNOUNCED_MAX 16384u                         /* … and of all */
#define SYNCD_ANNOUNCED_SIZE (64u * 1024u)                 /* of the document of a call */
#define SYNCD_ANNOUNCED_SIGNED_USEC (60u * G_USEC_PER_SEC) /* as long as a signature may last */

typedef enum {
    SYNCD_DEED_WRITE = 1, /* the content is that from then on; of a symlink, its target */
    SYNCD_DEED_FOLDER,    /* a folder is made */
    SYNCD_DEED_DELETE,    /* with all that is in it, when it goes itself */
    SYNCD_DEED_RENAME,
} SyncdDeedKind;

typedef struct {
    SyncdDeedKind kind;
    SyncdBytes path; /* beneath the workspace */
    SyncdBytes to;   /* of RENAME: the path afterwards */
    SyncdHash hash;  /* of WRITE */
} SyncdDeed;

/* A path is known by a digest too, made name by name from the workspace down: for whoever comes by
 * many paths, the next one costs no more than its name. */
SyncdHash syncd_deed_digest(const char *workspace, const SyncdDeed *deed);
SyncdHash syncd_deed_root(const char *workspace);
SyncdHash syncd_deed_step(const SyncdHash *folder, SyncdBytes name);
SyncdHash syncd_deed_deletion(const SyncdHash *path);

typedef struct SyncdAnnouncements SyncdAnnouncements;

/* Signatures that expire by `spent_usec` may have been used before. */
SyncdAnnouncements *syncd_announcements_new(guint64 spent_usec);
void syncd_announcements_free(SyncdAnnouncements *announcements);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdAnnouncements, syncd_announcements_free)

/* Whether there is any; cheap, for those who ask about every file. */
bool syncd_announcements_any(SyncdAnnouncements *announcements, guint64 now);
/* Whether an actor may have so many more. */
bool syncd_announcements_have_room(SyncdAnnouncements *announcements, const char *actor, guint n,
                                   guint64 now);
/* The same once more lasts longer. */
void syncd_announcements_add(SyncdAnnouncements *announcements, const char *actor,
                             const SyncdHash *digest, guint64 now);
/* Who announced it, "" for several actors, NULL for nobody; valid until the next call. */
const char *syncd_announcements_find(SyncdAnnouncements *announcements, const SyncdHash *digest,
                                     guint64 now);
void syncd_announcements_end(SyncdAnnouncements *announcements, const SyncdHash *digest);
/* False for a signature that may have been used. */
bool syncd_announcements_spend(SyncdAnnouncements *announcements, const char *actor,
                               guint64 expires_usec, guint64 now);
