/*
 * What verifications found wrong with the log, and when all of it was verified.
 *
 * What was found stays true until a verification of everything finds nothing. It is kept in the
 * file `damage.json`, so that a restart forgets none of it: an incremental verification would not
 * look at those entries again. Where the state takes no writing it is known until the daemon ends.
 */
#pragma once

#include "service/service.h"
#include "store/index-check.h"
#include "store/mend.h"
#include "store/orphans.h"

/* SyncdVerifyFinding, in the order in which they were found; borrowed until the next verification
 * ends. At most SYNCD_VERIFY_MAX_FINDINGS. */
const GPtrArray *syncd_service_damage(const SyncdService *service);
/* The same of what repairs gave up, as far as all of the log was verified since: it stays lost, and
 * the log is sound. */
const GPtrArray *syncd_service_losses(const SyncdService *service);
/* Whether it is about content that lies beside the log. */
bool syncd_damage_is_of_content(const SyncdVerifyFinding *finding);
/* So much of it is among what whoever approved was told of: a set of keys (repair-told.h); NULL:
 * all is. */
guint64 syncd_service_count_content(const SyncdService *service, GHashTable *told);
/* A repair could have none of it: so much of that is lost, until a verification of everything finds
 * it sound. Of more than 2000 the others stay found. */
void syncd_service_give_up_content(SyncdService *service, guint64 at_most, GHashTable *told);
/* These losses are damage again: somebody may have what they lack. */
void syncd_service_find_lost_again(SyncdService *service, const GPtrArray *losses);
/* Content beside the log was read, and it is not what it should be: so much is known from then on.
 * What is known already, or was given up, is nothing new. */
void syncd_service_note_content_damage(SyncdService *service, const SyncdVerifyFinding *found);
/* Those chunks (char *: digits) are whole again, whoever saw to that. */
void syncd_service_forget_parts(SyncdService *service, const GPtrArray *parts);
/* Looks at those that the entries of a commit have stored again (damage-healed.c). */
void syncd_service_look_at_stored(SyncdService *service, guint64 first, guint64 last);
/* It was taken back: what is found from here on is damage again. */
void syncd_service_forget_lost_content(SyncdService *service);
bool syncd_service_is_damaged(const SyncdService *service);

/* What mending the log would give up, as it is nowhere to be had: known when the log was examined
 * since the last verification of everything. */
typedef struct {
    bool examined;
    guint64 parts;
    const GPtrArray *keys;  /* char *: of the first of them (repair-told.h) */
    const GPtrArray *named; /* char *: the first of them, "header of sequence number 12" */
} SyncdGivenUp;

SyncdGivenUp syncd_service_given_up(const SyncdService *service);
/* Why no other generation of the log can be made, as it was examined; NULL: one can, or nobody
 * knows, or the journal is not the one that was examined. */
const char *syncd_service_log_beyond_mending(const SyncdService *service);
/* Its files were removed or replaced: what is open ends with the daemon, and is nowhere else. */
bool syncd_service_log_is_only_open(const SyncdService *service);
/* The examination of one is through. */
void syncd_service_note_examined(SyncdService *service, const SyncdMend *mend);

typedef struct {
    guint64 at_ms;      /* when one of everything ended; 0: none has */
    guint64 sequence;   /* of the log that it was of */
    guint64 sound_usec; /* when one found nothing, up to … (0: none did, or damage came since) */
    guint64 sound_sequence; /* … this entry, all before it having been verified, too */
    guint64 whole_usec;     /* when such a one began at the first entry */
} SyncdVerified;

/* Since this daemon began, or as was kept. */
SyncdVerified syncd_service_verified(const SyncdService *service);

/* What a check of the index found that serves now: SyncdIndexFault. NULL: nobody has checked it. */
const GArray *syncd_service_index_faults(const SyncdService *service);
void syncd_service_note_index_checked(SyncdService *service, const SyncdIndexCheck *check);

/* Names within the state directory (char *), as they were when blobs/ was looked through last: of
 * chunks that nothing names, and of files of another mode or owner than they should have. The first
 * ones: `*ret_more`, there were others. */
const GPtrArray *syncd_service_orphans(const SyncdService *service, bool *ret_more);
/* All of them, as a plan tells of them (repair-named.h). */
const char *syncd_service_orphans_told(const SyncdService *service);
const GPtrArray *syncd_service_unlike_blobs(const SyncdService *service);
void syncd_service_note_blobs(SyncdService *service, const SyncdOrphans *orphans);
/* They are there again. */
void syncd_service_note_orphans(SyncdService *service, const GPtrArray *names);

/* One has ended, of the log as it was at `sequence`. */
void syncd_service_note_verified(SyncdService *service, const SyncdVerify *verify,
                                 SyncdVerifyMode mode, guint64 sequence);
