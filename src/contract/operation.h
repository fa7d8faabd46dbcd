/*
 * The record sourceos.workspace-operation/v1alpha1: what a caller may say in a request's body, and
 * how the record is written from what the log holds.
 *
 * Members of the record fall into three groups. What a caller may set is checked when the request
 * enters. What only the daemon can know is ignored in the body, whatever it says, and written into
 * the record from the log. All other members are unknown: they are kept, and appear in the record
 * byte for byte, after the known ones.
 *
 * Reading is a hot path: a record is written in one pass over the body, without a tree.
 */
#pragma once

#include "base/bytes.h"
#include "base/error.h"
#include "base/json.h"
#include "crypto/hash.h"

#include <glib.h>
#include <stdbool.h>

#define SYNCD_OPERATION_SCHEMA "sourceos.workspace-operation/v1alpha1"
#define SYNCD_OPERATION_SCHEMA_VERSION 1u
/* Of a record nobody has said anything else for. */
#define SYNCD_DEFAULT_NAME "default"

/* InvalidEncoding, TooLarge, TooDeep; InvalidContract names the member at fault
 * ("/body/replay_safe"). */
bool syncd_operation_check_body(SyncdBytes body, GError **error);

/* Where a checked body says that the operation belongs; values of type NONE are not in it. */
typedef struct {
    SyncdJson workspace;
    SyncdJson profile;
    SyncdJson encryption_profile;
} SyncdOperationPlace;

void syncd_operation_read_place(SyncdBytes body, SyncdOperationPlace *ret_place);

/* What the log knows of an operation. All views are borrowed. */
typedef struct {
    SyncdBytes operation;
    SyncdBytes kind;
    const char *status;
    SyncdBytes actor;
    SyncdBytes device;
    SyncdBytes decision;
    SyncdBytes lane;
    SyncdBytes object;
    SyncdBytes scope;        /* the scope's id: a part of the feed's name */
    const char *scope_class; /* NULL when the scope is not known here */
    const char *scope_name;
    guint64 sequence; /* 0: no log has it, and the next two and the leaf mean nothing */
    guint64 epoch;
    guint64 seq;
    guint64 ms;
    guint64 updated_ms;
    bool stale_task;
    bool lease_expired;
    SyncdJson reconciled; /* what it was reconciled with; no value when it was not */
    SyncdBytes evidence;  /* the entry that moved it last; empty when none did */
    SyncdHash leaf;
    SyncdBytes meta;         /* the meta line, checked JSON; empty when the body cannot be read */
    SyncdBytes content;      /* checked JSON; empty when the body cannot be read */
    const char *body_error;  /* why it cannot be read, NULL when it can */
    const char *entry_error; /* what is known to be wrong with the entry; NULL: nothing */
    SyncdBytes purged_by;    /* then, when it was purged: the operation that did, and when */
    guint64 purged_ms;
} SyncdOperationFacts;

/* Appends the record as one JSON object. */
void syncd_operation_write(const SyncdOperationFacts *facts, GString *out);

/* Appends "device", or the scope's class and name; its id when they are not known. */
void syncd_scope_text_append(GString *out, const char *scope_class, const char *scope_name,
                             SyncdBytes scope_id);
