/*
 * What is appended but not projected yet.
 *
 * Decisions (does this id exist, was this key used, is this decision recorded) must see the open
 * turn and what the index has not taken in. The overlay keeps those entries in the order of pos and
 * answers the same questions as the index does. Entries leave it from the front when they are
 * projected, from the back when a turn is discarded.
 */
#pragma once

#include "store/store.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdOverlay SyncdOverlay;

typedef struct {
    SyncdEntry entry;
    gint64 feed;    /* journal.feed.id */
    SyncdBody body; /* kept only for what is projected from bodies */
} SyncdPending;

/* Which entry registered a record, as far as those say that are no longer here; 0: none of them. */
typedef guint64 (*SyncdFirstFunc)(void *data, const SyncdFamily *family, const char *id);

/* `first` may be NULL: then nothing was before. */
SyncdOverlay *syncd_overlay_new(SyncdFirstFunc first, void *data);
void syncd_overlay_free(SyncdOverlay *overlay);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdOverlay, syncd_overlay_free)

/* Takes the pending entry over. */
void syncd_overlay_add(SyncdOverlay *overlay, SyncdPending *pending);
guint syncd_overlay_size(const SyncdOverlay *overlay);
const SyncdPending *syncd_overlay_at(const SyncdOverlay *overlay, guint index);
const SyncdPending *syncd_overlay_by_pos(const SyncdOverlay *overlay, guint64 pos);
/* Drops the entries up to this pos, or those after it. */
void syncd_overlay_drop_through(SyncdOverlay *overlay, guint64 pos);
void syncd_overlay_drop_after(SyncdOverlay *overlay, guint64 pos);

guint64 syncd_overlay_find_op(const SyncdOverlay *overlay, const char *op); /* 0: none */
guint64 syncd_overlay_find_key(const SyncdOverlay *overlay, const char *actor, const char *scope,
                               const char *key);
/* Borrowed until the overlay changes; NULL: none. */
const SyncdRecordRow *syncd_overlay_find_record(const SyncdOverlay *overlay,
                                                const SyncdFamily *family, const char *id);
const SyncdRecordRow *syncd_overlay_find_identity(const SyncdOverlay *overlay,
                                                  const char *identity);
/* Adds a copy of each that the query asks for, in no order. */
void syncd_overlay_list_records(const SyncdOverlay *overlay, const SyncdRecordQuery *query,
                                GPtrArray *rows);
bool syncd_overlay_has_decision(const SyncdOverlay *overlay, const char *policy, const char *id);

/* An operation that was enqueued here; false when it was not. */
bool syncd_overlay_begin_task(const SyncdOverlay *overlay, const char *op, SyncdTask *ret_task);
/* What happened to an operation here, after all else that did. */
void syncd_overlay_move_task(const SyncdOverlay *overlay, const char *op, SyncdTask *task);
/* Whether anything did. */
bool syncd_overlay_moves_task(const SyncdOverlay *overlay, const char *op);
/* 0: nobody took it here. `scope` NULL: in any. */
guint64 syncd_overlay_find_name(const SyncdOverlay *overlay, const char *family, const char *name,
                                const char *scope);
guint64 syncd_overlay_find_decision(const SyncdOverlay *overlay, const char *id);
/* What happened to an object's deletion here, after all else that did. */
void syncd_overlay_move_deletion(const SyncdOverlay *overlay, const char *scope, const char *object,
                                 SyncdDeletion *deletion, bool *found);
