/*
 * The last good rules of a level, as the state directory keeps them over a restart: the sources,
 * byte for byte, and since when they are in force. docs/format.md specifies the document.
 *
 * It is no cache: it is read only to be used when what the directories hold is refused. Its digest
 * covers all of it, so that a document that was cut or altered by accident is no set of rules; the
 * sources go through the same strict reader as files do.
 */
#pragma once

#include "daemon/policy-files.h"

/* Escaped, a source takes at most twice its bytes. */
#define SYNCD_POLICY_KEPT_MAX (2u * SYNCD_POLICY_LEVEL_SIZE_MAX + 1024u * 1024u)

typedef struct {
    GPtrArray *rules; /* SyncdPolicyRule */
    guint64 since_ms;
} SyncdPolicyKept;

void syncd_policy_kept_clear(SyncdPolicyKept *kept);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SyncdPolicyKept, syncd_policy_kept_clear)

GString *syncd_policy_kept_write(SyncdPolicyLevel level, const GPtrArray *sources,
                                 guint64 since_ms);
/* InvalidContract and others; `*ret_kept` is untouched then. */
bool syncd_policy_kept_parse(SyncdPolicyLevel level, SyncdBytes text, SyncdPolicyKept *ret_kept,
                             GError **error);
