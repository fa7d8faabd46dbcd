/*
 * Signed heads: C2SP signed notes and tlog checkpoints.
 *
 * A checkpoint is three lines (origin, size, base64 root) and optional extension lines; a signed
 * note is such a text, an empty line and signature lines "— <key name> <base64(4 bytes of key id,
 * Ed25519 signature)>". A verifier key as text is "<name>+<8 hex digits of key id>+<base64(0x01,
 * public key)>". Other implementations of those formats read what is written here, and the reverse,
 * within limits of ours: a note has at most SYNCD_NOTE_MAX_SIZE bytes and SYNCD_NOTE_MAX_SIGNATURES
 * signature lines, base64 must be the one spelling of its bytes, and a tree has at most
 * SYNCD_TREE_MAX_SIZE leaves.
 */
#pragma once

#include "base/error.h"
#include "crypto/sign.h"
#include "crypto/tree.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_ORIGIN_PREFIX "org.sourceos.Sync/" /* of our own key names and origins */
#define SYNCD_NOTE_MAX_SIZE 4096
#define SYNCD_NOTE_MAX_SIGNATURES 16
#define SYNCD_NOTE_MAX_KEY_NAME 512

typedef struct {
    char *origin;
    guint64 size;
    SyncdHash root;
    GStrv extensions; /* may be NULL */
} SyncdCheckpoint;

void syncd_checkpoint_free(SyncdCheckpoint *checkpoint);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdCheckpoint, syncd_checkpoint_free)

/* The note over (origin, size, root) signed by one key whose name is the origin; NULL when the
 * origin cannot be a key name or the size is over SYNCD_TREE_MAX_SIZE. */
char *syncd_checkpoint_sign(const char *origin, guint64 size, const SyncdHash *root,
                            const SyncdSigner *signer);
/* Parses a note without judging its signatures. InvalidEncoding says what is wrong with it. */
SyncdCheckpoint *syncd_checkpoint_parse(const char *note, size_t size, GError **error);
/* True when some signature line has this name and key and verifies. Lines of unknown keys are
 * ignored, a line of this key that does not verify fails the note, as C2SP demands. The text may be
 * anything; syncd_checkpoint_parse() tells whether it is a checkpoint. */
bool syncd_note_verify(const char *note, size_t size, const char *key_name,
                       const SyncdPublicKey *key);

/* A key name may not be empty, longer than SYNCD_NOTE_MAX_KEY_NAME bytes, nor contain white space,
 * control characters or '+'. NULL (format) or false (parse) otherwise. */
char *syncd_verifier_key_format(const char *key_name, const SyncdPublicKey *key);
bool syncd_verifier_key_parse(const char *text, char **ret_key_name, SyncdPublicKey *ret_key);
