/*
 * A document that is kept beside the log, with its digest: one JSON object of `schema`, `digest`,
 * which is the digest of `kept`, and `kept`, an object.
 *
 * It is for what a disk may give back otherwise than it was written: what was cut or altered by
 * accident is no such document. The digest is no signature; whoever can write the file can write
 * another one. What `kept` must hold is the business of whoever reads it.
 */
#pragma once

#include "crypto/hash.h"

/* `kept` is the text of a JSON object, written by a writer of ours. */
GString *syncd_digested_write(const char *schema, const GString *kept);
/* Reads strictly. `*ret_kept` is a view into the text. InvalidContract when schema or digest are
 * not those of what was kept; else the errors of syncd_json_check(). */
bool syncd_digested_read(SyncdBytes text, const char *schema, SyncdJson *ret_kept, GError **error);
