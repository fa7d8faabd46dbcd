/*
 * Private to service/: the state of one instance, and its turn. What the use cases share lies in
 * the headers that are included here.
 */
#pragma once

#include "base/id.h"
#include "base/json-writer.h"
#include "crypto/sign.h"
#include "domain/announcements.h"
#include "domain/attestor.h"
#include "domain/findings.h"
#include "domain/storms.h"
#include "service/admission.h"
#include "service/callers.h"
#include "service/deletion.h"
#include "service/ephemeral.h"
#include "service/health.h"
#include "service/leases.h"
#include "service/pages.h"
#include "service/runtime.h"
#include "service/service.h"
#include "service/target.h"
#include "store/purge.h"

#define SYNCD_IDENTITY_DAEMON "daemon"
#define SYNCD_LANE_AUDIT "audit"
#define SYNCD_LANE_TOMBSTONE "tombstone"
#define SYNCD_LANE_POLICY "policy"
#define SYNCD_LANE_NORMAL "normal"
#define SYNCD_LANE_EPHEMERAL "ephemeral"
#define SYNCD_LANE_MIGRATION "migration"

typedef struct SyncdDamage SyncdDamage;
typedef struct SyncdRepairs SyncdRepairs;

/* What policy may answer; that it is allowed is the first. */
#define SYNCD_N_DECIDED 4u
extern const char *const syncd_decided[SYNCD_N_DECIDED];

/* The last diagnosis. */
typedef struct {
    guint64 begun, ended; /* monotonic */
    guint64 reasons;      /* of the state then (syncd_service_held_reasons()) */
} SyncdDiagnosed;

struct SyncdService {
    SyncdInstance instance;
    uid_t uid;
    SyncdStore *store;
    const SyncdSources *sources; /* borrowed */
    SyncdListener listener;
    GArray *waiting;           /* those who wait for the commit of the open turn */
    const SyncdCommit *untold; /* the last commit, while those who waited for it are answered */
    SyncdAttestor *attestor;   /* the device, which signs what the daemon says */
    char *own_actor;           /* the daemon's; NULL until it was looked up */
    char **own_directories;    /* the daemon's; NULL: none */
    SyncdRefusals *refusals;
    SyncdRepairs *repairs;
    GPtrArray *jobs;        /* newest last */
    guint next_job;         /* whose turn it is to be stepped */
    SyncdDamage *damage;    /* what verifications found (damage.c) */
    SyncdStorms *storms;    /* failures that repeat (failures.c) */
    guint64 index_failures; /* of the store's index, that were noted */
    GHashTable *callers;    /* identity: KnownCaller (callers.c) */
    SyncdPolicySet *policy;
    guint64 policies; /* sets so far: what was decided by an earlier one points into it */
    SyncdPolicyStanding policy_standing;
    char *policy_fault;  /* what was refused of its rules; NULL for nothing */
    GHashTable *records; /* "family/id": SyncdRecordRow or NULL, as of `records_of` (place.c) */
    guint64 records_of;
    GHashTable *said; /* of operations that were built on: where they said they lie (parents.c) */
    SyncdOperationSchemas *operation_schemas;
    SyncdObjectSchema *object_schema; /* the one that was asked for last (object-schema.c) */
    GHashTable *standings; /* viewer, place and schema: the reason or NULL, as of the two numbers */
    guint64 standings_of, standings_sequence;
    GHashTable *decisions; /* SyncdDecisions, a set (decide.c) */
    GError *denial;        /* what the last denial says once its record is durable … */
    char *denial_said;     /* … and said until then; NULL: it says nothing else then */
    guint32 policy_blocked;
    guint64 policy_blocked_until; /* monotonic: how long the state shows it */
    guint64 pending_operations;   /* as counted at `pending_sequence` */
    guint64 pending_sequence;
    GPtrArray *roots; /* SyncdRoot, that there are, as of `roots_of`; NULL: none yet (state.c) */
    unsigned asking;  /* of them, those that ask about deletions */
    guint64 roots_of;
    guint64 mismatched; /* 1: there are files that are not what is recorded, as of … */
    guint64 mismatched_of;
    char *mismatched_in; /* the first workspace that has such a file; NULL: none has */
    bool lacks_keys;     /* there are scopes whose key is not here, as was seen last */
    bool repairable; /* a diagnosis found something that a plan mends, when there was one last */
    const SyncdFinding *found; /* an error of the last diagnosis that no other reason of the state
                                  tells of; NULL: there was none */
    bool index_is_malformed;   /* so SQLite said, as was seen last */
    bool index_is_elsewhere;   /* its files were removed or replaced while it is open, the same */
    SyncdDiagnosed diagnosed;
    guint64 shown_state; /* a digest of the state that listeners were told of last */
    char policy_digest[SYNCD_DIGEST_SIZE];
    SyncdEphemerals *ephemerals;
    SyncdAnnouncements *announcements;
    SyncdLeases *leases;
    bool has_leases;     /* those of the log are among them */
    bool leases_moved;   /* in the open turn */
    guint64 leases_ms;   /* since when it is known how they were renewed */
    bool has_purges;     /* some may not be proven yet */
    SyncdScrub *scrub;   /* of the purges that are cleared up after; NULL: of none */
    GArray *scrubs;      /* guint64: the entries of those purges, with it */
    bool scrubbed;       /* their bytes are gone everywhere */
    bool scrubs_alone;   /* not several at once, as one of several could not be */
    guint64 purge_retry; /* monotonic: not before */
    guint64 purge_delay; /* how long that was; 0: none failed */
    guint64 purge_after; /* up to this entry those that are left failed; 0: none has, since then */
    guint64 proving; /* the first of the purges that the open turn proves, or that the last did */
    bool purge_lacks_room;  /* one of those that failed, when they were tried last */
    bool retains;           /* retention.c: it looks for content whose time has come … */
    guint64 retained;       /* … in files behind this one … */
    guint64 retention_usec; /* … and again not before: monotonic */
    char *retention_rules;  /* of the roots that there were last; NULL: nobody said */
    guint64 opened_ms;      /* of the log when the service began, or of the clock: it was empty */
    guint64 delay_ms;       /* when the next task that waits for its time is due; 0: none */
    guint64 begin_ms;       /* of the clock of tasks … */
    guint64 begin_usec;     /* … and of the monotonic clock then */
    SyncdRuntime runtime;
    SyncdProcess process;
    const SyncdPlaces *places;        /* borrowed; NULL: the system's */
    guint64 decided[SYNCD_N_DECIDED]; /* requests since the start, by syncd_decided */
};

guint64 syncd_service_now_ms(const SyncdService *service);
guint64 syncd_service_monotonic(const SyncdService *service);

/* After something was written, or could not be: tells the listener when that opened a turn. A turn
 * is open though its first write failed, and whoever comes then waits for its end. */
void syncd_service_tell_turn(SyncdService *service, bool had_turn);
/* Appends to the open turn, and tells the listener when that opened one. */
bool syncd_service_append(SyncdService *service, const char *scope_id, const SyncdDraft *draft,
                          SyncdReceipt *ret_receipt, GError **error);
/* The same for an entry of the daemon itself, in the device's scope. */
bool syncd_service_append_own(SyncdService *service, const char *kind, const char *lane,
                              const char *schema_id, const GString *content, GError **error);
/* As syncd_service_commit(), for those who go on from there. True when there was nothing to commit.
 */
bool syncd_service_commit_turn(SyncdService *service, GError **error);
/* Takes the open turn back and tells those who wait for it. */
void syncd_service_discard(SyncdService *service, const GError *why);
/* Tells the listener that there is something to do, now or when it is due. */
void syncd_service_ask_for_work(SyncdService *service);
/* Tells the listener when the state is another one than it was told last. */
void syncd_service_show_state(SyncdService *service, bool always);
/* The state as far as it is known: nothing is counted, and no index is brought up to the log. */
void syncd_service_known_state(SyncdService *service, SyncdState *ret_state);
/* What of it a look shows that changes no byte. */
void syncd_service_look_at_state(SyncdService *service);
/* A digest of why it is what it is. */
guint64 syncd_service_held_reasons(const SyncdService *service);
/* Whether the caller may see what is not for everybody. */
bool syncd_service_may_inspect(const SyncdService *service, const SyncdCaller *caller);
/* A read may change it too: it makes an index where there was none. */
bool syncd_service_state_is_shown(const SyncdService *service);

/* ---- what verifications found (damage.c) ---- */

/* What was found before is known again. */
SyncdDamage *syncd_damage_new(SyncdStore *store);
void syncd_damage_free(SyncdDamage *damage);

/* ---- failures that repeat (failures.c) ---- */

/* Notes those of the store's index that there were since the last call. */
void syncd_service_note_index_failures(SyncdService *service);

/* ---- jobs (jobs.c) ---- */

void syncd_job_free(SyncdJob *job);
/* The daemon's own verification of what came since the last one. */
void syncd_service_start_verify(SyncdService *service);
/* One slice of one job, and the removal of old ones. True while a job runs. */
bool syncd_service_step_jobs(SyncdService *service);
bool syncd_service_jobs_run(const SyncdService *service);
guint64 syncd_service_jobs_due(const SyncdService *service);
