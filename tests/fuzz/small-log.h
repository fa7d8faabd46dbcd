/*
 * A log of a few entries, whose key is the same in every run, and the proof of each of them: what a
 * forger would start from. For one program; nothing is freed.
 */
#pragma once

#include "crypto/note.h"
#include "crypto/seal.h"
#include "store/entry.h"
#include "store/keyring.h"

#define SMALL_LOG_SIZE 7u

void small_log_init(void);
const char *small_log_key(void);
const char *small_log_header(unsigned seq);
char *small_log_proof(unsigned seq);
SyncdHash small_log_leaf(unsigned seq);
/* Of the full subtrees of the first `size` leaves' tree; asked for others it aborts. */
SyncdTreeReader small_log_nodes(void);
SyncdHash small_log_root(unsigned size);
