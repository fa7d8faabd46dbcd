/*
 * What a person knows an actor by: the name in its record, and behind it the id, as anybody may
 * call himself what somebody else is called. Where it has none, or whoever asks may not see it,
 * that is its id. Each is asked for once.
 */
#pragma once

#include "cli/cli.h"

typedef struct {
    SyncdClient *client;
    GHashTable *names; /* id -> name */
} SyncdActorNames;

SyncdActorNames syncd_actor_names(SyncdClient *client);
void syncd_actor_names_clear(SyncdActorNames *names);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdActorNames, syncd_actor_names_clear)
/* Valid until the next one is asked for, at least. */
const char *syncd_actor_name(SyncdActorNames *names, const char *actor);
