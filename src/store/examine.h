/*
 * What can be seen of the state without reading the log: its files, its keys, the room there is,
 * and how it stands with the index.
 */
#pragma once

#include "store/store.h"

#include <sys/types.h>

/* ---- files ---- */

#define SYNCD_STATE_MODE_FOLDER 0700u
#define SYNCD_STATE_MODE_FILE 0600u

typedef struct {
    const char *name; /* within the state directory; "." is that itself */
    guint32 mode;     /* permission bits */
    uid_t uid;
    bool folder;
    bool leftover; /* half of something that was being written when a process ended */
} SyncdStateFile;

guint32 syncd_state_file_mode(const SyncdStateFile *file); /* that it should have */

/* All of them but those in blobs/, and those too when `blobs`, until `take` returns false. What is
 * neither a file nor a folder is passed over. */
bool syncd_store_walk_state(SyncdStore *store, bool blobs,
                            bool (*take)(void *data, const SyncdStateFile *file), void *data,
                            GError **error);
/* The same in steps, each of so many names at most, until `*ret_more` is false. */
typedef struct SyncdStateWalk SyncdStateWalk;
SyncdStateWalk *syncd_state_walk_new(SyncdStore *store, bool blobs);
bool syncd_state_walk_step(SyncdStateWalk *walk, guint max,
                           bool (*take)(void *data, const SyncdStateFile *file), void *data,
                           bool *ret_more, GError **error);
void syncd_state_walk_free(SyncdStateWalk *walk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdStateWalk, syncd_state_walk_free)

/* The same of that one alone; of what is not there nothing is told. */
bool syncd_store_look_at_state(SyncdStore *store, const char *name,
                               bool (*take)(void *data, const SyncdStateFile *file), void *data,
                               GError **error);

bool syncd_store_has_state(SyncdStore *store, const char *name);

/* Gives it other permission bits, or another owner; never through a symbolic link. Names are those
 * within the state directory, as above; one that is not there is no error. They are durable once
 * all is synced, as no file of SQLite's can be synced alone: closing it would end the locks that
 * SQLite has on it. */
bool syncd_store_set_state_mode(SyncdStore *store, const char *name, guint32 mode, GError **error);
bool syncd_store_set_state_owner(SyncdStore *store, const char *name, uid_t uid, GError **error);
bool syncd_store_sync_state(SyncdStore *store, GError **error);
/* Whether this process may change owners. */
bool syncd_store_may_set_owners(void);
/* Whether it names something in there. Failed: whoever has it from a list was given another one. */
bool syncd_state_require_within(const char *name, GError **error);

/* ---- keys ---- */

/* Names (char *) of key files that are not there any more as they were read: syncd_keyring_gone().
 */
GPtrArray *syncd_store_keys_gone(SyncdStore *store);

/* ---- room ---- */

typedef struct {
    guint64 total, free;        /* of the disk that the state lies on, for this user */
    guint64 reserve, set_aside; /* what is to be set aside, and what is */
} SyncdRoom;

bool syncd_store_room(SyncdStore *store, SyncdRoom *ret_room, GError **error);

/* ---- the index ---- */

typedef struct {
    bool serves;        /* there is one, and it is not being made */
    const char *damage; /* what was found malformed in the one that serves; NULL: nothing */
    bool elsewhere; /* … but that its files were removed or replaced, and it answers as before */
    const char *lost;   /* why one was made anew since the start; NULL: none was */
    guint64 lost_ms;    /* and when */
    guint64 failures;   /* so often it could not be made or written since the start */
    guint64 behind;     /* entries that it lacks */
    guint64 generation; /* another number for another file */
} SyncdIndexHealth;

/* Tries to take what waits into the index now, whatever was in the way before. */
bool syncd_store_project_now(SyncdStore *store, GError **error);
void syncd_store_index_health(SyncdStore *store, SyncdIndexHealth *ret_health);
