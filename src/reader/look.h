/*
 * What has a name in a folder: FOUND.
 *
 * Whatever is done to the folder meanwhile, what is said of it was so: a digest belongs to the
 * `stat` beside it, and a target to the symlink that was asked. Nothing but regular files is read,
 * or opened but for what takes a file's place in the moment in which it is opened: that is closed.
 */
#pragma once

#include "reader/content.h"
#include "reader/wire.h"

typedef struct {
    SyncdContent *content;
    guint64 device;       /* of the root */
    SyncdFileStat hidden; /* by device and inode; kind 0: nothing is */
    bool forgetful;       /* the file system makes up anew what it says of when files were made */
    bool pseudo;          /* there are no files of anybody in it */
    char target[SYNCD_WIRE_TARGET_MAX + 1];
} SyncdLook;

typedef struct {
    bool hash;
    SyncdContentSink keep; /* takes the bytes of what is hashed; NULL: nobody does … */
    guint64 max;           /* … of files of at most so many */
} SyncdLookFor;

/* Fills in all but `request` and `name`. `type` is what the folder says it is (DT_UNKNOWN: it does
 * not). The target is good until the next call. With `error` ECANCELED it is not to be told. */
void syncd_look(SyncdLook *look, int folder, const char *name, guint8 type,
                const SyncdLookFor *what, SyncdWireMessage *found);
/* Beneath this root, which may not be open. */
void syncd_look_begin(SyncdLook *look, int root, const SyncdFileStat *stat,
                      const SyncdFileStat *hidden);
/* Whether it is the folder that is never looked into. */
bool syncd_look_is_hidden(const SyncdLook *look, const SyncdFileStat *stat);
/* Its device, and when it was made, as the daemon knows them. */
void syncd_look_name_device(const SyncdLook *look, SyncdFileStat *stat);
