/*
 * The families of registry records, as one table: profiles, devices, actors, schemas, objects,
 * workspaces, sync plans, encryption profiles and migrations of schemas.
 *
 * A row says which document a record is, which member names it, which feed it belongs to, what a
 * writer must be able to do, and which members can be looked up. A second table holds every step
 * that a record may take from one state to another, with the kind of entry that records it. What is
 * not in the table cannot happen: the service refuses it, and an entry in the log that says it
 * happened registers nothing.
 *
 * A record is always the whole document. Its row in a registry is a function of the newest entry
 * alone.
 */
#pragma once

#include "base/bytes.h"
#include "base/json.h"

#include <glib.h>
#include <stdbool.h>

typedef enum {
    SYNCD_FAMILY_PROFILE,
    SYNCD_FAMILY_DEVICE,
    SYNCD_FAMILY_ACTOR,
    SYNCD_FAMILY_SCHEMA,
    SYNCD_FAMILY_OBJECT,
    SYNCD_FAMILY_WORKSPACE,
    SYNCD_FAMILY_PLAN,
    SYNCD_FAMILY_ENCRYPTION,
    SYNCD_FAMILY_MIGRATION,
    SYNCD_FAMILY_ROOT, /* where a workspace lies on this device */
    SYNCD_N_FAMILIES,
} SyncdFamilyId;

/* The feed that a record belongs to. */
typedef enum {
    SYNCD_HOME_DEVICE,    /* the device's own: it never leaves */
    SYNCD_HOME_ITSELF,    /* the scope that the record's id names: "workspace:notes" */
    SYNCD_HOME_WORKSPACE, /* the scope of the workspace that the record names */
    SYNCD_HOME_CHOSEN,    /* the one that is asked for, the device's otherwise */
} SyncdHome;

/* What records of every family can be found by. A family says which of its members each is. */
typedef enum {
    SYNCD_COLUMN_TYPE,
    SYNCD_COLUMN_WORKSPACE,
    SYNCD_COLUMN_PROFILE,
    SYNCD_COLUMN_SCHEMA,
    SYNCD_COLUMN_IDENTITY,
    SYNCD_COLUMN_PRIVACY,
    SYNCD_COLUMN_ENCRYPTION,
    SYNCD_N_COLUMNS,
} SyncdColumn;

#define SYNCD_FAMILY_STAMPED 4 /* the last one is NULL */

typedef struct {
    const char *name;    /* on the bus: "actor" */
    const char *schema;  /* of the document */
    const char *id;      /* the member that names the record */
    const char *version; /* the member that is a further part of its id; NULL for none */
    const char *state; /* the member that holds its state; NULL: it is active until "revoked_at" */
    SyncdHome home;
    bool configuration;     /* only a person may change it, and in the system instance polkit is
                               asked */
    bool opaque;            /* the id says nothing and may stand in an entry's header */
    const char *capability; /* to register and to update */
    const char *end;        /* the capability to revoke */
    const char *columns[SYNCD_N_COLUMNS];      /* NULL: it has none */
    const char *stamped[SYNCD_FAMILY_STAMPED]; /* members that only the daemon sets, beside those
                                                  that it sets in every family */
} SyncdFamily;

const SyncdFamily *syncd_family(SyncdFamilyId id);
/* By the name on the bus; NULL when there is none. */
const SyncdFamily *syncd_family_find(const char *name);
/* The family that an entry's kind is about; NULL when it is about none. */
const SyncdFamily *syncd_family_of_kind(SyncdBytes kind);
char *syncd_family_list(void); /* "profile, device, …": for messages */

/* Only objects are restored, and only by a request to restore what was deleted. */
typedef enum {
    SYNCD_VERB_REGISTER,
    SYNCD_VERB_UPDATE,
    SYNCD_VERB_REVOKE,
    SYNCD_VERB_RESTORE,
} SyncdRegistryVerb;

typedef struct {
    SyncdFamilyId family;
    SyncdRegistryVerb verb;
    const char *from; /* "" for a record that is not there */
    const char *to;
    const char *kind;
} SyncdTransition;

#define SYNCD_STATE_ABSENT ""
#define SYNCD_STATE_ACTIVE "active"
#define SYNCD_STATE_PAUSED "paused"
#define SYNCD_STATE_REVOKED "revoked"
#define SYNCD_STATE_QUARANTINED "quarantined"

/* NULL when no such step is tabled. */
const SyncdTransition *syncd_transition_find(const SyncdFamily *family, SyncdRegistryVerb verb,
                                             const char *from, const char *to);
/* Whether an entry of this kind may bring a record from one state to the other. */
bool syncd_transition_is_tabled(SyncdBytes kind, const char *from, const char *to);
/* Every step, for whoever walks the machines. */
const SyncdTransition *syncd_transitions(size_t *ret_n);
/* The state that a revocation of the family ends in: "revoked", "tombstoned", "cancelled". */
const char *syncd_family_end_state(const SyncdFamily *family);

/* The id of a record, with its version where that is a part of it. NULL when the document lacks a
 * member of it. */
char *syncd_family_record_id(const SyncdFamily *family, SyncdJson record);
/* The record's state; NULL when the member that should hold it does not. */
char *syncd_family_record_state(const SyncdFamily *family, SyncdJson record);
/* A member as text: integers as they are written, "" for everything that is neither. */
char *syncd_record_member(SyncdJson record, const char *name);
/* Whether only the daemon sets the member. */
bool syncd_family_stamps(const SyncdFamily *family, const char *member);
