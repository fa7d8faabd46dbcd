/*
 * The secret keys of this state: the device's, and one or more a scope.
 *
 * Each lies in a file of its own in keys/, published before anything is sealed or signed with it,
 * wrapped by the system's credential where there is one. In memory they are locked. A key is found
 * by its id, which is a hash of the key, so a wrong key can never be used for a right one.
 */
#pragma once

#include "base/sources.h"
#include "crypto/seal.h"
#include "crypto/sign.h"
#include "store/directory.h"

#include <glib.h>
#include <stdbool.h>

typedef struct SyncdKeyring SyncdKeyring;

/* Reads all keys. A key that cannot be unwrapped is an error, as is one that the disk does not
 * give: state without its keys is not quietly new state. A key file that is damaged, or that
 * whoever runs this may not open, is one of those that syncd_keyring_gone() names, and all else
 * goes on. */
SyncdKeyring *syncd_keyring_open(SyncdDirectory *directory, SyncdBytes credential, GError **error);
void syncd_keyring_free(SyncdKeyring *keyring);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdKeyring, syncd_keyring_free)

bool syncd_keyring_has_device(const SyncdKeyring *keyring);
/* That one is of no use: it is as if it were gone, and this says why. NULL: none is. */
void syncd_keyring_disown(SyncdKeyring *keyring, const char *why);
const char *syncd_keyring_device_fault(const SyncdKeyring *keyring);
/* Says whose log it is where the device's key is not here: nothing can be signed. */
void syncd_keyring_assume_device(SyncdKeyring *keyring, const char *device_id);
bool syncd_keyring_make_device(SyncdKeyring *keyring, const SyncdSources *sources, GError **error);
const SyncdSigner *syncd_keyring_signer(const SyncdKeyring *keyring);
const char *syncd_keyring_device_id(const SyncdKeyring *keyring);

/* Makes a new current key for a scope. */
bool syncd_keyring_make_scope_key(SyncdKeyring *keyring, const char *scope,
                                  const SyncdSources *sources, GError **error);
/* The newest key of a scope, NULL when there is none; by id (64 digits), NULL when it is not here.
 * Borrowed. */
const SyncdSealKey *syncd_keyring_scope_key(const SyncdKeyring *keyring, const char *scope);
const SyncdSealKey *syncd_keyring_find(const SyncdKeyring *keyring, SyncdBytes key_id);

/* Names of key files (char *, "keys/…") that were read or written and cannot be read any more, or
 * hold another key: what they hold is known until the process ends. And those that could not be
 * read at the start: what they held is not known. */
GPtrArray *syncd_keyring_gone(SyncdKeyring *keyring);

/* The id that names this public key (docs/format.md 3). */
char *syncd_device_id_of(const SyncdPublicKey *key);
