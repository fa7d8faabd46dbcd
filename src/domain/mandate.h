/*
 * What an actor may do: read from its record, and asked for at every write.
 *
 * Standing comes first: an actor that is revoked, expired or quarantined may do nothing. Then
 * capabilities, then the workspaces and profiles that the record names. "*" names all of them. A
 * person, a device and a service of this machine are limited by the lists only when there is
 * something in them; whoever acts for somebody else (an app, an agent, a bridge, a model, a relay)
 * reaches only what is listed.
 *
 * The clock is an argument: expiry is compared with the time that the entry will carry.
 */
#pragma once

#include "base/json.h"
#include "crypto/sign.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_SIGNING_KEY_PREFIX "ed25519:" /* then the public key, 64 hexadecimal digits */

typedef struct {
    char *actor;
    char *type;
    char *state;
    char *subject;     /* whom policy decides about: its identity where the record says nothing */
    char *signing_key; /* "ed25519:…", "device:…" or "" */
    unsigned capabilities; /* a bit each, in the order of the vocabulary */
    char **workspaces;
    char **profiles;
    guint64 expires_ms; /* 0: never */
    bool quarantined;
} SyncdMandate;

SyncdMandate *syncd_mandate_ref(SyncdMandate *mandate);
void syncd_mandate_unref(SyncdMandate *mandate); /* NULL passes */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdMandate, syncd_mandate_unref)

/* From a checked actor record. InvalidContract for one that cannot be understood: whoever has it
 * may then do nothing. */
SyncdMandate *syncd_mandate_read(SyncdJson record, GError **error);

/* NULL when the actor may act at all, else the reason code. */
const char *syncd_mandate_standing(const SyncdMandate *mandate, guint64 now_ms);
/* The key that it signs with; false when its record has none. */
bool syncd_mandate_key(const SyncdMandate *mandate, SyncdPublicKey *ret_key);
bool syncd_mandate_can(const SyncdMandate *mandate, const char *capability);
bool syncd_mandate_reaches_workspace(const SyncdMandate *mandate, const char *workspace);
bool syncd_mandate_reaches_profile(const SyncdMandate *mandate, const char *profile);
/* `scope` is of that class: "workspace:notes". Workspaces and profiles are reached as such. All
 * else, the device's own log, a vault or what others share, lies in none of them, whatever an
 * operation says: it is for those who act in their own name, and for whoever reaches "*" in both
 * lists. */
bool syncd_mandate_reaches_scope(const SyncdMandate *mandate, const char *class, const char *scope);
/* Whether it may act for as long as the other one, or longer. */
bool syncd_mandate_outlasts(const SyncdMandate *mandate, const SyncdMandate *other);
/* Whether it may do, and reach, all that the other one may, for however long. */
bool syncd_mandate_covers(const SyncdMandate *mandate, const SyncdMandate *other);
/* Whether it may change what others may do: people, and services of this machine. */
bool syncd_mandate_configures(const SyncdMandate *mandate);
