/*
 * What a disk may hold after a power cut.
 *
 * A PowerDisk records every write, truncation, change of a name and sync below a folder, in one
 * order (storage-calls.h). A PowerCut is that history cut off after some number of events: it knows
 * what had to be on the disk by then, and what was still on the way. From one cut many images can
 * be drawn, each with another fate of what was on the way.
 *
 * What is taken for granted, and no more:
 * - fsync and fdatasync of a file make its bytes and size durable; of a folder, its names.
 * - A sector of 512 bytes holds its old or its new bytes. A write is any subset of its sectors, in
 *   steps of 512 or 4096 bytes; where it made the file longer, what did not come reads as zeros or
 *   is not there at all.
 * - Writes and truncations of a file since its last sync come in any subset, so in any order; those
 *   of one file say nothing about another.
 * - A rename is one change, also one by which two names change places: never half of it, and never
 *   by itself the content of what was renamed.
 * - The mode, the owner and the times of a file or a folder are as they were after the last of its
 *   changes that came. The image has other inodes and other times of change;
 *   power_image_find() tells whose they were.
 * - Names, in POWER_JOURNALED: those changes that came are the first of all that were made, and
 *   syncing anything makes all of them durable (ext4, XFS, Btrfs as they are built). In
 *   POWER_LOOSE: any subset comes, and only syncing the folder itself makes its names durable,
 *   not those above it, and of a move from one folder to another both (POSIX as it is written).
 */
#pragma once

#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

typedef struct PowerDisk PowerDisk;
typedef struct PowerCut PowerCut;

typedef enum { POWER_JOURNALED, POWER_LOOSE, POWER_N_MODELS } PowerModel;

/* A disk that does not do what it says: what the suite must find out. */
typedef enum {
    POWER_HONEST,
    POWER_LIES,          /* no sync does anything */
    POWER_FORGETS_LOOKS, /* syncs do nothing for modes and owners */
    POWER_FORGETS_NAMES, /* syncs of folders do nothing */
    POWER_FORGETS_FILES, /* syncs of files that are no database do nothing */
    /* The same two where it is not the state: */
    POWER_FORGETS_OTHER_NAMES,
    POWER_FORGETS_OTHER_FILES,
} PowerHonesty;

/* What is beside a folder that is a disk's: of its names this one is the state's. */
#define POWER_STATE "state"

/* What lies in the folder now is durable; everything from here on is recorded. */
PowerDisk *power_disk_record(const char *folder);
/* Ends the recording, and fails the program unless the recorded events make exactly what is in the
 * folder now: no call went past. */
void power_disk_stop(PowerDisk *disk);
void power_disk_free(PowerDisk *disk);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerDisk, power_disk_free)
size_t power_disk_n_events(const PowerDisk *disk);
/* The event before a cut, for messages. */
char *power_disk_describe(const PowerDisk *disk, size_t cut);

PowerCut *power_cut_new(const PowerDisk *disk, PowerModel model, PowerHonesty honesty);
void power_cut_free(PowerCut *cut);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(PowerCut, power_cut_free)
/* Whether changes of names are on the way: a moment that is rare, and has many outcomes. */
bool power_cut_has_names(const PowerCut *cut);
/* Moves the cut to after so many events; never back. */
void power_cut_advance(PowerCut *cut, size_t events);

typedef struct {
    GPtrArray *files; /* what power_image_put() makes */
    SyncdHash hash;   /* of all names and bytes, but of the lock file's */
} PowerImage;

/* The same seed at the same cut draws the same image. */
void power_cut_draw(PowerCut *cut, guint64 seed, PowerImage *ret_image);
void power_image_clear(PowerImage *image);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(PowerImage, power_image_clear)
/* Replaces what is in the folder. */
void power_image_put(const PowerImage *image, const char *folder);
/* The path of what had that inode, made at that time (0: at any), while it was recorded, and when
 * it was changed last by what came of its changes. NULL: it has no name in the image. */
const char *power_image_find(const PowerImage *image, guint64 inode, gint64 born,
                             gint64 *ret_changed);

void power_remove_tree(const char *path);
guint64 power_random(guint64 *state); /* splitmix64 */
guint64 power_below(guint64 *state, guint64 bound);
