/*
 * Verification of the journal against itself and against known heads (docs/format.md 8).
 *
 * A SyncdVerify is stepped: each step does a bounded amount of work between other calls of the
 * store, over the log as it was when the verification began. It changes nothing but
 * `verified.json`, which remembers how far verification came so that an incremental one, or a
 * daemon that was restarted, goes on from there.
 */
#pragma once

#include "store/store.h"

typedef struct SyncdVerify SyncdVerify;

typedef enum {
    SYNCD_VERIFY_INCREMENTAL,
    SYNCD_VERIFY_FULL,
    SYNCD_VERIFY_HEADS, /* signatures of heads, and known heads */
} SyncdVerifyMode;

typedef struct {
    const char *code; /* "leaf-mismatch", "body-digest", "head-signature" … a constant */
    char *feed;       /* as text, "" when it is not about a feed */
    gint64 seq;       /* -1 when it is not about one entry; the same for pos */
    gint64 pos;
    char *detail;         /* a sentence: what was expected and what is there */
    char *part;           /* of content: what of it, however it is found; else NULL */
    char *file;           /* the id of the file that it is of; NULL: of none, or not known */
    SyncdErrorCode error; /* JournalCorrupt, FeedFork or FeedRollback */
} SyncdVerifyFinding;

/* `known_heads`: signed notes kept elsewhere, NULL-terminated, may be NULL. InvalidArgs for one
 * that does not parse. */
SyncdVerify *syncd_verify_new(SyncdStore *store, SyncdVerifyMode mode,
                              const char *const *known_heads, GError **error);
void syncd_verify_free(SyncdVerify *verify);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SyncdVerify, syncd_verify_free)

/* False, with Cancelled, once another journal is there than the one that this is about: nothing of
 * it is to be said of that one. */
bool syncd_verify_stands(const SyncdVerify *verify, GError **error);
/* False on an error that stopped the verification (findings are no errors). */
bool syncd_verify_step(SyncdVerify *verify, bool *ret_more, GError **error);
double syncd_verify_progress(const SyncdVerify *verify); /* 0 to 1 */
guint64 syncd_verify_checked(const SyncdVerify *verify); /* entries */
/* SyncdVerifyFinding; at most SYNCD_VERIFY_MAX_FINDINGS are kept, the count goes on. */
#define SYNCD_VERIFY_MAX_FINDINGS 200u
const GPtrArray *syncd_verify_findings(const SyncdVerify *verify);
guint64 syncd_verify_n_findings(const SyncdVerify *verify);
/* Whether both are of one place, and of content of the same of it: their sentences may name where
 * the state lies. */
bool syncd_verify_is_same(const SyncdVerifyFinding *one, const SyncdVerifyFinding *other);
void syncd_verify_finding_free(SyncdVerifyFinding *finding);
/* Content that is known to be lost (SyncdVerifyFinding, by place and part) keeps no other from
 * being named: where it is found again it is no finding, but in a list of its own. Before the first
 * step. */
void syncd_verify_pass_over(SyncdVerify *verify, const GPtrArray *lost);
const GPtrArray *syncd_verify_passed(const SyncdVerify *verify);
/* What a repair gave up, in the same manner: it is named, and no damage. The codes are "entry-lost"
 * and "body-lost". */
const GPtrArray *syncd_verify_losses(const SyncdVerify *verify);
guint64 syncd_verify_n_losses(const SyncdVerify *verify);
