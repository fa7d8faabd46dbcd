/*
 * A purge that the power is cut in: content in all the places where content is kept, which must be
 * in none of them once it is over.
 */
#pragma once

#include "store/purge.h"

/* Entries of an object that is deleted, as part of the turn. */
void power_put_secret(SyncdStore *store, const char *scope);
/* The entry that takes it, as part of the turn. */
void power_purge_secret(SyncdStore *store, const char *scope, SyncdPurgeable **ret_purgeable);
/* Whether some file of the state still has it. */
bool power_holds_secret(const char *state);
