/*
 * A private key that is kept in a file, for the verbs that sign with it.
 */
#pragma once

#include "base/bytes.h"
#include "crypto/sign.h"

#include <glib.h>

/* An Ed25519 key as openssl writes it, without a password: PKCS #8 in PEM. What was read of it is
 * wiped. NotFound, InvalidContract. */
SyncdSigner *syncd_cli_read_signer(const char *path, GError **error);

/* Signs a request for a minute (docs/format.md 12): adds the options that say so. `parts` are its
 * arguments. */
void syncd_cli_sign_request(const SyncdSigner *signer, const char *device, const char *actor,
                            const char *method, const SyncdBytes *parts, size_t n_parts,
                            GVariantDict *options);
