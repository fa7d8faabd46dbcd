/*
 * The steps that sessions are made of. Each can fail, and be done again: take() does one, and when
 * it fails holds the store to its word and goes on as a careful caller would.
 */
#pragma once

#include "session.h"

/* `n` is the item, or what else the step needs to know. */
typedef bool (*Step)(Run *run, guint n, GError **error);

bool step_open(Run *run, guint n, GError **error);
bool step_append(Run *run, guint n, GError **error);
bool step_commit(Run *run, guint n, GError **error);
bool step_keep_head(Run *run, guint n, GError **error);
bool step_settle(Run *run, guint n, GError **error);
bool step_adopt(Run *run, guint n, GError **error);
bool step_verify(Run *run, guint n, GError **error);
bool step_read(Run *run, guint n, GError **error);
bool step_query(Run *run, guint n, GError **error);
bool step_look(Run *run, guint n, GError **error);
bool step_purge(Run *run, guint n, GError **error);
bool step_scrub(Run *run, guint n, GError **error);

/* `what` is the step's name in a complaint. */
void take(Run *run, const char *what, Step step, guint n);
